"""Pictures and matchers for the face tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from biometrics.dlib_matcher import DlibMatcher

FACES = Path(__file__).resolve().parent.parent / "faces"
HOPPER = Path(__file__).resolve().parent.parent.parent / "build" / "faces" / "hopper.jpg"

Face = Callable[[str], bytes]


@pytest.fixture(scope="session")
def matcher() -> DlibMatcher:
    return DlibMatcher()


@pytest.fixture(scope="session")
def face() -> Face:
    return lambda name: (FACES / name).read_bytes()


@pytest.fixture(scope="session")
def manifest(vectors: Path) -> dict[str, dict[str, Any]]:
    """The face vectors by file name."""
    folder = vectors / "faces"
    if not folder.is_dir():
        pytest.skip("no face vectors (FACET_VECTORS)")
    return {entry["file"]: entry for entry in json.loads((folder / "manifest.json").read_text("utf-8"))}


@pytest.fixture(scope="session")
def stranger(request: pytest.FixtureRequest) -> bytes:
    """Another real person's face: the cached download (tests/faces/impostor.py), or the vectors'."""
    if HOPPER.is_file():
        return HOPPER.read_bytes()
    folder: Path = request.getfixturevalue("vectors")
    return (folder / "faces" / "hopper.jpg").read_bytes()


@pytest.fixture(scope="session")
def encoded() -> Callable[..., bytes]:
    """Encodes a test picture (a white upper half over a coloured lower one) in a container."""

    def encode(extension: str, width: int = 100, height: int = 60, options: tuple[int, ...] = ()) -> bytes:
        picture = np.full((height, width, 3), (40, 90, 160), np.uint8)
        picture[: height // 2] = 255
        return cv2.imencode(extension, picture, list(options))[1].tobytes()

    return encode
