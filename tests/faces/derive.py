"""Makes every picture of this folder, except the portrait itself, from `collins.jpg`.

    python -m tests.faces.derive

Seeded: the same versions of numpy and OpenCV write the same bytes. Other versions may encode JPEG differently, which
the tests do not mind.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
FOLDER = Path(__file__).parent
_SEED = 2026
_WALL = (196, 205, 208)  # blue, green, red of a light room


def main() -> None:
    """Write all variants beside this file."""
    portrait = _read("collins.jpg")
    selfie = webcam(portrait, size=0.95, roll=4.0, gain=0.88, warmth=1.05, noise=4.0, blur=0.8)
    variants = {
        # A document's portrait: grey, small, as a chip or a scan holds it.
        "collins_document.jpg": (document(portrait), 75),
        # One session at a webcam, 640 by 480.
        "collins_selfie.jpg": (selfie, 82),
        "collins_selfie_2.jpg": (webcam(portrait, 0.99, -3.0, gain=0.84, warmth=1.05, noise=4.0, blur=0.7), 82),
        "collins_selfie_3.jpg": (webcam(portrait, 0.90, 1.0, gain=0.92, warmth=1.05, noise=4.0, blur=1.0), 82),
        # What a quality gate must refuse.
        "collins_tiny.jpg": (webcam(portrait, size=0.33, roll=0.0, gain=0.95, warmth=1.0, noise=2.0, blur=0.3), 82),
        "collins_dark.jpg": (webcam(portrait, 0.95, 4.0, gain=0.16, warmth=1.0, noise=2.0, blur=0.8), 82),
        "collins_bright.jpg": (exposed(selfie, 1.8), 82),
        "collins_blurred.jpg": (smeared(selfie, 4.8), 82),
        "two_faces.jpg": (np.hstack([portrait, cv2.flip(portrait, 1)]), 75),
        "no_face.jpg": (texture(), 75),
    }
    for name, (picture, quality) in variants.items():
        cv2.imwrite(str(FOLDER / name), picture, [cv2.IMWRITE_JPEG_QUALITY, quality])


def webcam(
    portrait: Picture, size: float, roll: float, *, gain: float, warmth: float, noise: float, blur: float
) -> Picture:
    """The portrait as a 640 by 480 webcam might show it: another place, angle, light, sensor and lens."""
    height, width = portrait.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), roll, size)
    turn[:, 2] += (320 - width / 2, 510 - height / 2 - size * height / 2)
    edge = cv2.warpAffine(np.full((height, width), 255, np.uint8), turn, (640, 480))
    inside = cv2.GaussianBlur(cv2.erode(edge, np.ones((25, 25), np.uint8)), (0, 0), 8.0)[..., None] / 255.0
    placed = cv2.warpAffine(portrait, turn, (640, 480), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    scene = placed * inside + np.array(_WALL) * (1 - inside)
    lit = cv2.GaussianBlur(scene, (0, 0), blur) * gain * np.array([2 - warmth, 1.0, warmth])
    grain = np.random.default_rng(_SEED).normal(0.0, noise, lit.shape)
    return _bounded(lit + grain)


def document(portrait: Picture) -> Picture:
    """The portrait as a chip or a scanned card holds it: grey and 140 pixels wide."""
    small = cv2.resize(portrait, (140, 158), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8)


def exposed(picture: Picture, gain: float) -> Picture:
    """The picture, overexposed."""
    return _bounded(picture.astype(np.float64) * gain)


def smeared(picture: Picture, sigma: float) -> Picture:
    """The picture, out of focus."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def texture() -> Picture:
    """A generated pattern: no face, but plenty of edges."""
    grain = np.random.default_rng(_SEED).uniform(0.0, 255.0, (48, 64, 3))
    coarse = cv2.resize(grain, (320, 240), interpolation=cv2.INTER_CUBIC)
    rows, columns = np.mgrid[0:240, 0:320]
    stripes = 60.0 * np.sin(rows / 9.0) * np.cos(columns / 13.0)
    return _bounded(coarse * 0.6 + stripes[..., None] + 60.0)


def _read(name: str) -> Picture:
    return np.asarray(cv2.imread(str(FOLDER / name), cv2.IMREAD_COLOR), np.uint8)


def _bounded(values: NDArray[np.float64]) -> Picture:
    return np.asarray(np.clip(values, 0, 255), np.uint8)


if __name__ == "__main__":
    main()
