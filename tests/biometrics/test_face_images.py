"""Decoding is bounded, upright and small, and raises only Unreadable."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biometrics import images
from biometrics.errors import Unreadable
from tests.biometrics.conftest import FACES

Encoded = Callable[..., bytes]
PORTRAIT = (FACES / "collins.jpg").read_bytes()
SIDEWAYS = b"II*\0" + struct.pack("<I", 8) + struct.pack("<HHHIHH", 1, 0x0112, 3, 1, 6, 0) + bytes(4)


def code_of(data: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        images.decode(data)
    return caught.value.code


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def turned(data: bytes) -> bytes:
    """The same file with an EXIF note that the camera was held sideways."""
    if data.startswith(b"\xff\xd8"):
        exif = b"Exif\0\0" + SIDEWAYS
        return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]
    if data.startswith(b"\x89PNG"):
        return data[:33] + chunk(b"eXIf", SIDEWAYS) + data[33:]
    canvas = bytes([8, 0, 0, 0]) + (99).to_bytes(3, "little") + (59).to_bytes(3, "little")
    note = b"EXIF" + struct.pack("<I", len(SIDEWAYS)) + SIDEWAYS
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + canvas + data[12:] + note
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp"])
def test_pictures_come_upright_in_rgb(extension: str, encoded: Encoded) -> None:
    plain = images.decode(encoded(extension))
    assert plain.shape == (60, 100, 3)
    assert plain.dtype == np.uint8
    assert np.abs(plain[50, 50].astype(int) - (160, 90, 40)).max() < 12
    upright = images.decode(turned(encoded(extension)))
    assert upright.shape == (100, 60, 3)
    assert upright[50, 50].min() > 240  # orientation 6: what was stored above is seen on the right
    assert np.abs(upright[50, 10].astype(int) - (160, 90, 40)).max() < 12


def test_a_large_sideways_photo_is_turned_and_made_small(encoded: Encoded) -> None:
    assert images.decode(turned(encoded(".jpg", 4000, 3000))).shape == (1024, 768, 3)


def test_small_pictures_keep_their_pixels(encoded: Encoded) -> None:
    assert images.decode(encoded(".png", 1024, 700)).shape == (700, 1024, 3)


@pytest.mark.parametrize("shape", [(60, 100), (60, 100, 4)])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_grey_transparent_and_deep_pictures_become_rgb(shape: tuple[int, ...], depth: type) -> None:
    picture = images.decode(cv2.imencode(".png", np.full(shape, 77, depth))[1].tobytes())
    assert picture.shape == (60, 100, 3)
    assert picture.dtype == np.uint8


def test_too_many_pixels_are_refused_before_any_decoder_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoder(*_: object) -> None:
        raise AssertionError("the decoder was called")

    monkeypatch.setattr(cv2, "imdecode", decoder)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">II5B", 100_000, 100_000, 8, 2, 0, 0, 0))
    bomb += chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    assert code_of(bomb) == "image.pixels"
    assert code_of(PORTRAIT + bytes(images.MAX_BYTES)) == "image.bytes"
    assert code_of(b"") == "image.empty"


def test_a_few_pixels_are_not_a_picture(encoded: Encoded) -> None:
    assert code_of(encoded(".png", 31, 200)) == "image.side"


@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp"])
def test_cut_files_are_refused(extension: str, encoded: Encoded) -> None:
    whole = encoded(extension, 320, 240)
    for part in (0.3, 0.7, 0.98):
        assert code_of(whole[: int(len(whole) * part)]) in {"image.truncated", "image.damaged"}


def test_a_png_with_broken_pixels_is_refused(encoded: Encoded) -> None:
    png = bytearray(encoded(".png"))
    png[png.index(b"IDAT") + 9] ^= 0xFF
    assert code_of(bytes(png)) == "image.damaged"


@settings(max_examples=60)
@given(st.data())
def test_a_changed_portrait_gives_pixels_or_unreadable(data: st.DataObject) -> None:
    changed = bytearray(PORTRAIT)
    for _ in range(data.draw(st.integers(1, 6))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = images.decode(bytes(changed))
    except Unreadable:
        return
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert max(picture.shape[:2]) <= images.WORKING_SIDE


@settings(max_examples=60)
@given(st.binary(max_size=120), st.sampled_from([0, 3, 30, 160, 600, 1500]))
def test_a_portrait_with_another_tail_gives_pixels_or_unreadable(tail: bytes, kept: int) -> None:
    try:
        images.decode(PORTRAIT[:kept] + tail + b"\xff\xd9")
    except Unreadable as error:
        assert error.code.startswith("image.")  # noqa: PT017  (either outcome is right; the error must be of this kind)
