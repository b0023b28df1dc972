"""Sizes are read without decoding, whole files are told from cut ones, and nothing but Unreadable comes out."""

from __future__ import annotations

import struct
from collections.abc import Callable

import cv2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from biometrics import headers
from biometrics.errors import Unreadable
from biometrics.headers import Header
from tests.biometrics.conftest import FACES

Encoded = Callable[..., bytes]
PORTRAIT = (FACES / "collins.jpg").read_bytes()
CONTAINERS = {
    "jpeg": (".jpg", ()),
    "jpeg progressive": (".jpg", (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
    "jpeg restarts": (".jpg", (cv2.IMWRITE_JPEG_RST_INTERVAL, 2)),
    "png": (".png", ()),
    "webp lossy": (".webp", (cv2.IMWRITE_WEBP_QUALITY, 80)),
    "webp lossless": (".webp", (cv2.IMWRITE_WEBP_QUALITY, 101)),
}


def code_of(data: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        headers.read(data)
    return caught.value.code


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def canvas(width: int, height: int) -> tuple[bytes, bytes]:
    return b"VP8X", bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + bytes(4)


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_tells_its_size(container: str, encoded: Encoded) -> None:
    extension, options = CONTAINERS[container]
    assert headers.read(encoded(extension, 123, 57, options)) == Header(container.split(maxsplit=1)[0], 123, 57)


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_prefix_is_refused(container: str, encoded: Encoded) -> None:
    extension, options = CONTAINERS[container]
    whole = encoded(extension, 40, 30, options)
    for length in range(len(whole)):
        assert code_of(whole[:length]) in {"image.truncated", "image.type", "image.damaged"}


def test_a_portrait_cut_in_its_pixels_is_called_truncated() -> None:
    for part in (0.5, 0.9, 0.999):
        assert code_of(PORTRAIT[: int(len(PORTRAIT) * part)]) == "image.truncated"


def test_what_phones_append_is_left_alone() -> None:
    assert headers.read(PORTRAIT + b"\0trailer of a phone" * 50) == headers.read(PORTRAIT)


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a" + bytes(40), b"BM" + bytes(60), b"II*\0" + bytes(40), b"<svg/>", b"%PDF-1.7", b"RIFF"]
)
def test_other_types_are_named_as_such(data: bytes) -> None:
    assert code_of(data) == "image.type"


def test_a_second_size_in_one_file_is_refused(encoded: Encoded) -> None:
    jpeg = encoded(".jpg")
    frame = jpeg[(start := jpeg.index(b"\xff\xc0")) : start + 2 + int.from_bytes(jpeg[start + 2 : start + 4], "big")]
    assert code_of(jpeg[:2] + frame + jpeg[2:]) == "image.damaged"
    png = encoded(".png")
    assert code_of(png[:33] + png[8:33] + png[33:]) == "image.damaged"
    webp = encoded(".webp", 100, 60, (cv2.IMWRITE_WEBP_QUALITY, 80))
    bitstream = (webp[12:16], webp[20:])
    assert headers.read(riff(canvas(100, 60), bitstream)) == Header("webp", 100, 60)
    assert code_of(riff(canvas(10, 6), bitstream)) == "image.damaged"


def test_pictures_that_move_are_refused(encoded: Encoded) -> None:
    png = encoded(".png")
    assert code_of(png[:33] + png_chunk(b"acTL", bytes(8)) + png[33:]) == "image.animated"
    assert code_of(riff(canvas(10, 6), (b"ANIM", bytes(6)))) == "image.animated"


def test_more_scans_than_an_encoder_writes_are_refused(encoded: Encoded) -> None:
    jpeg = encoded(".jpg", 16, 16)
    scan = jpeg[jpeg.index(b"\xff\xda") : -2]
    assert headers.read(jpeg[:-2] + scan * 31 + b"\xff\xd9").width == 16
    assert code_of(jpeg[:-2] + scan * 32 + b"\xff\xd9") == "image.damaged"


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8" + b"\xff" * 9_000_000,
        b"\xff\xd8" + b"\xff\xe0\0\2" * 100_000 + b"\xff\xd9",
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">II5B", 9, 9, 8, 2, 0, 0, 0)) + bytes(2_000_000),
        riff(canvas(9, 9), *[(b"JUNK", b"")] * 100_000),
    ],
    ids=["fill bytes", "empty segments", "empty chunks", "junk chunks"],
)
def test_files_of_endless_parts_are_given_up(data: bytes) -> None:
    assert code_of(data) == "image.damaged"


@pytest.mark.parametrize(
    "frame",
    [
        struct.pack(">BHHB", 12, 60, 100, 3),
        struct.pack(">BHHB", 8, 0, 100, 3),
        struct.pack(">BHHB", 8, 60, 0, 3),
        struct.pack(">BHHB", 8, 60, 100, 2),
    ],
    ids=["12 bits a sample", "no height", "no width", "two components"],
)
def test_frames_that_no_camera_writes_are_refused(frame: bytes) -> None:
    segments = b"\xff\xc0" + struct.pack(">H", 2 + len(frame)) + frame + b"\xff\xda\0\2"
    assert code_of(b"\xff\xd8" + segments + b"\x11\x22\xff\xd9") == "image.damaged"


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\0\0\0WEBP"]))
@example(b"", b"\xff\xd8\xff")
def test_hostile_bytes_raise_only_unreadable(data: bytes, magic: bytes) -> None:
    try:
        header = headers.read(magic + data)
    except Unreadable:
        return
    assert header.pixels > 0


@given(st.data())
def test_a_changed_portrait_raises_only_unreadable(data: st.DataObject) -> None:
    changed = bytearray(PORTRAIT)
    for _ in range(data.draw(st.integers(1, 8))):
        changed[data.draw(st.integers(0, 700))] = data.draw(st.integers(0, 255))
    try:
        headers.read(bytes(changed))
    except Unreadable as error:
        assert error.code.startswith("image.")  # noqa: PT017  (either outcome is right; the error must be of this kind)
