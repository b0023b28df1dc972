"""QR codes: a link as a picture that a phone can read and a screen reader can name."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from html import escape
from itertools import groupby
from typing import Final

import qrcode
from markupsafe import Markup
from qrcode.constants import ERROR_CORRECT_L, ERROR_CORRECT_M
from qrcode.exceptions import DataOverflowError

from ssi.errors import Malformed

QUIET_ZONE: Final = 4
_SHORT = 800  # up to here a code is easy to read with the higher correction level; above, fewer modules matter more


@lru_cache(maxsize=256)
def modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """The code's modules, dark ones True, without the quiet zone. Raises Malformed (`qr.size`) beyond version 40."""
    level = ERROR_CORRECT_M if len(text) <= _SHORT else ERROR_CORRECT_L
    code = qrcode.QRCode(error_correction=level, border=0)
    code.add_data(text)
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError):
        raise Malformed("qr.size", "The text is too long for a QR code.") from None
    return tuple(tuple(bool(module) for module in row) for row in code.get_matrix())


def svg(text: str, *, label: str) -> Markup:
    """An SVG element: dark on white whatever the page's colours, named `label` for those who do not see it."""
    rows = modules(text)
    size, path = len(rows) + 2 * QUIET_ZONE, "".join(_runs(rows))
    return Markup(  # noqa: S704  (made of our own numbers and an escaped label)
        f'<svg class="qr" role="img" aria-label="{escape(label)}" xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/><path fill="#000" d="{path}"/></svg>'
    )


def _runs(rows: tuple[tuple[bool, ...], ...]) -> list[str]:
    """Path data: one closed rectangle for each run of dark modules in a row."""
    found = []
    for y, row in enumerate(rows, QUIET_ZONE):
        x = QUIET_ZONE
        for dark, run in groupby(row):
            width = len(tuple(run))
            if dark:
                found.append(f"M{x} {y}h{width}v1h-{width}z")
            x += width
    return found


def png(text: str, *, scale: int = 6) -> bytes:
    """A black-and-white PNG, `scale` pixels to a module, for places that take no SVG (and for camera tests)."""
    rows = modules(text)
    side = (len(rows) + 2 * QUIET_ZONE) * scale
    white = bytes([255]) * side
    lines = [white] * (QUIET_ZONE * scale)
    for row in rows:
        edge = bytes([255]) * (QUIET_ZONE * scale)
        lines += [edge + b"".join((b"\0" if dark else b"\xff") * scale for dark in row) + edge] * scale
    lines += [white] * (QUIET_ZONE * scale)
    return _grey_png(side, lines)


def _grey_png(side: int, lines: list[bytes]) -> bytes:
    """A square 8-bit greyscale PNG (ISO/IEC 15948): header, filtered rows, end."""
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + line for line in lines), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
