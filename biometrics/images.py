"""What picture do these bytes hold, and is it safe to decode?

Bytes from outside are bounded first (file size), then measured without decoding (`biometrics.headers`: container, size
in pixels, whole or cut off), and only then handed to OpenCV's decoder. The result is upright (EXIF orientation is
honoured), 8-bit RGB, and small: the face detector gains nothing from more pixels, and the memory that one
comparison takes stays bounded whatever is sent.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics import headers
from biometrics.errors import Unreadable
from biometrics.headers import Header

Pixels = NDArray[np.uint8]
"""Rows, columns, and red, green, blue (or rows and columns only, for grey)."""

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 25_000_000  # phones write 12 or 24 megapixels unless asked for more
MIN_SIDE = 32  # below this there is no face that we could use
WORKING_SIDE = 1024  # the longer side of what is searched for faces

_REDUCED = ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4), (2, cv2.IMREAD_REDUCED_COLOR_2))


def decode(data: bytes) -> Pixels:
    """The upright RGB picture, its longer side at most WORKING_SIDE.

    Raises Unreadable (`image.empty`, `image.bytes`, `image.pixels`, `image.side`, and those of `headers.read`), and
    nothing else, whatever the bytes are.
    """
    header = _bounded(data)
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), _flag(header))
    except cv2.error:
        picture = None
    if picture is None or picture.ndim != 3:
        raise Unreadable("image.damaged", "The picture cannot be decoded. Save it again as JPEG, or take a new one.")
    return _fitted(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


def _bounded(data: bytes) -> Header:
    """The file's header, once its bytes and its pixels are known to be within bounds."""
    if not data:
        raise Unreadable("image.empty", "The file is empty. Choose a photo or take a new one.")
    if len(data) > MAX_BYTES:
        raise Unreadable("image.bytes", "The picture file is larger than 10 MB. Send a smaller copy of it.")
    header = headers.read(data)
    if header.pixels > MAX_PIXELS:
        raise Unreadable("image.pixels", "The picture has more than 25 megapixels. Send a smaller copy of it.")
    if min(header.width, header.height) < MIN_SIDE:
        raise Unreadable("image.side", "The picture is only a few pixels wide. Send the original photo.")
    return header


def _flag(header: Header) -> int:
    """The reading mode that yields no fewer than WORKING_SIDE pixels: JPEG is scaled while it is decoded."""
    longer = max(header.width, header.height)
    for factor, flag in _REDUCED:
        if longer >= factor * WORKING_SIDE:
            return flag
    return cv2.IMREAD_COLOR


def _fitted(picture: cv2.typing.MatLike) -> Pixels:
    longer = max(picture.shape[:2])
    if longer > WORKING_SIDE:
        scale = WORKING_SIDE / longer
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(picture, dtype=np.uint8)
