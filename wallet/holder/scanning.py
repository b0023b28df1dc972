"""Scanning on the server: which text does the QR code on this picture hold? For browsers without the decoder.

The picture is decoded within the bounds of `biometrics.images`, looked at once, and kept nowhere.
"""

from __future__ import annotations

from typing import Final

import zxingcpp

from biometrics import images
from biometrics.errors import BiometricsError
from ssi.errors import Malformed

MAX_PICTURE: Final = 4 * 1024 * 1024
_QR: Final = zxingcpp.barcode_formats_from_str("QRCode")


def decode(picture: bytes) -> str | None:
    """The text of the first QR code on a JPEG, PNG or WebP picture, or None when there is none.

    Raises Malformed (`image.*`, `scan.size`) for what is not a usable picture.
    """
    if len(picture) > MAX_PICTURE:
        raise Malformed("scan.size", "The picture is larger than 4 MB. Send a smaller one.")
    try:
        pixels = images.decode(picture)
    except BiometricsError as error:
        raise Malformed(error.code, error.detail) from None
    found = zxingcpp.read_barcode(pixels, formats=_QR)
    return found.text if found is not None and found.valid else None
