"""How large would this picture be? Read from the file's structure, before any decoder touches it.

Three containers are known: JPEG (ITU-T T.81), PNG (W3C PNG, third edition) and still WebP (RFC 9649). Each is walked
from its first byte to its end marker, so that a file cut short is told apart from a whole one, and a file that names
two sizes is refused. The walks are linear in the file's length, bounded in steps, and copy nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from biometrics.errors import Unreadable

_MAX_PARTS = 10_000  # segments or chunks; a 24-megapixel PNG written in 8 kB pieces has about 3,000
_MAX_SCANS = 32  # progressive encoders write about ten; hundreds of scans are a way to burn processor time
_JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive: what cameras and browsers write
# Lossless, hierarchical and arithmetic frames; what is no marker at all; a second start of image.
_JPEG_REFUSED = (frozenset(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}) | {0x00, 0xD8}
_JPEG_BARE = frozenset(range(0xD0, 0xD8)) | {0x01}  # RSTn and TEM carry no length (T.81 table B.1)
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # what ends entropy-coded data (T.81 B.1.1.5)
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Header:
    """What a file says of itself: its container and its size in pixels, as stored (before any EXIF rotation)."""

    kind: str
    width: int
    height: int

    @property
    def pixels(self) -> int:
        """How many pixels a decoder would have to make room for."""
        return self.width * self.height


def read(data: bytes) -> Header:
    """The header of a whole JPEG, PNG or still WebP file, told by its first bytes and never by a name.

    Raises Unreadable (`image.type`, `image.truncated`, `image.damaged`, `image.animated`).
    """
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    if data.startswith(_PNG_MAGIC):
        return _png(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    raise Unreadable("image.type", "This is not a JPEG, PNG or WebP picture. Choose a photo in one of these formats.")


def _truncated() -> Unreadable:
    return Unreadable("image.truncated", "The picture file is cut off before its end. Send it again or take a new one.")


def _damaged() -> Unreadable:
    return Unreadable("image.damaged", "The picture file is damaged. Save it again as JPEG or PNG, or take a new one.")


def _animated() -> Unreadable:
    return Unreadable("image.animated", "This is a moving picture. Send a single still photo.")


def _sized(kind: str, width: int, height: int) -> Header:
    if width == 0 or height == 0:
        raise _damaged()
    return Header(kind, width, height)


def _uint(data: bytes, offset: int, size: int) -> int:
    if offset + size > len(data):
        raise _truncated()
    return int.from_bytes(data[offset : offset + size], "big")


def _jpeg(data: bytes) -> Header:
    header: Header | None = None
    scans = 0
    for kind, at in _jpeg_segments(data):
        if kind in _JPEG_FRAMES:
            if header is not None:
                raise _damaged()
            header = _jpeg_frame(data, at)
        elif kind == 0xDA:
            scans += 1
            if header is None or scans > _MAX_SCANS:
                raise _damaged()
    if header is None or scans == 0:
        raise _damaged()
    return header


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Each segment's marker and where its parameters begin, until EOI; what phones append after that is left alone."""
    at = 2
    for _ in range(_MAX_PARTS):
        marker = _uint(data, at, 2)
        kind = marker & 0xFF
        if marker == 0xFFD9:
            return
        if marker < 0xFF00 or kind in _JPEG_REFUSED:
            raise _damaged()
        if kind == 0xFF:  # fill byte (T.81 B.1.1.2)
            at += 1
            continue
        if kind in _JPEG_BARE:
            at += 2
            continue
        length = _uint(data, at + 2, 2)
        if length < 2:
            raise _damaged()
        yield kind, at + 4
        at += 2 + length
        if kind == 0xDA:
            at = _after_scan(data, at)
    raise _damaged()


def _jpeg_frame(data: bytes, at: int) -> Header:
    """The frame header (T.81 B.2.2): 8 bits a sample; one, three or four components."""
    precision, components = _uint(data, at, 1), _uint(data, at + 5, 1)
    if precision != 8 or components not in {1, 3, 4}:
        raise _damaged()
    return _sized("jpeg", _uint(data, at + 3, 2), _uint(data, at + 1, 2))


def _after_scan(data: bytes, at: int) -> int:
    """Where the marker after a scan's entropy-coded data begins."""
    found = _JPEG_MARKER.search(data, at)
    if found is None:
        raise _truncated()
    return found.start()


def _png(data: bytes) -> Header:
    # PNG §5.3, 5.6: chunks are length, type, data, CRC; IHDR comes first and once, IEND last.
    if _uint(data, 8, 4) != 13 or data[12:16] != b"IHDR":
        raise _damaged()
    header = _sized("png", _uint(data, 16, 4), _uint(data, 20, 4))
    at = 33
    for _ in range(_MAX_PARTS):
        length, kind = _uint(data, at, 4), data[at + 4 : at + 8]
        at += 12 + length
        if at > len(data):
            raise _truncated()
        if kind == b"IEND":
            return header
        if kind == b"acTL":
            raise _animated()
        if kind == b"IHDR":
            raise _damaged()
    raise _damaged()


def _webp(data: bytes) -> Header:
    # RFC 9649 §2.7: an extended header comes first and must agree with the one bitstream of a still picture.
    headers = [_webp_size(kind, data[at : at + 10]) for kind, at in _webp_chunks(data) if kind.startswith(b"VP8")]
    if not headers or len(headers) > 2 or len(set(headers)) != 1:
        raise _damaged()
    return headers[0]


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Each RIFF chunk's type and where its data begins (RFC 9649 §2.3: little-endian sizes, padded to even)."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise _truncated()
    at = 12
    for _ in range(_MAX_PARTS):
        if at + 8 > end:
            return
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + size > end:
            raise _truncated()
        if kind in {b"ANIM", b"ANMF"}:
            raise _animated()
        yield kind, at + 8
        at += 8 + size + (size & 1)
    raise _damaged()


def _webp_size(kind: bytes, body: bytes) -> Header:
    if len(body) < (5 if kind == b"VP8L" else 10):
        raise _damaged()
    if kind == b"VP8X":  # §2.7: 24-bit canvas sizes, minus one
        return _sized("webp", int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1)
    if kind == b"VP8L" and body[0] == 0x2F:  # §3.4: signature byte, then two 14-bit sizes, minus one
        bits = int.from_bytes(body[1:5], "little")
        return _sized("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":  # RFC 6386 §9.1: start code, then two 14-bit sizes
        width, height = int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little")
        return _sized("webp", width & 0x3FFF, height & 0x3FFF)
    raise _damaged()
