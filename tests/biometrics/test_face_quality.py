"""The gates refuse what spoils a comparison, and only that."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from biometrics import images, quality
from biometrics.images import Pixels
from biometrics.quality import CHIP, PORTRAIT, SELFIE, Face, complaint
from tests.biometrics.conftest import FACES

PICTURE: Pixels = np.full((480, 640, 3), 128, np.uint8)


@pytest.fixture(scope="module")
def chip() -> Pixels:
    """About what the aligner cuts out of the portrait."""
    portrait = images.decode((FACES / "collins.jpg").read_bytes())
    return np.asarray(cv2.resize(portrait[85:250, 75:240], (CHIP, CHIP), interpolation=cv2.INTER_AREA), np.uint8)


def seen(chip: Pixels, width: float = 160.0, eyes: float = 65.0) -> Face:
    return Face(chip=chip, width=width, eyes=eyes)


def grey(chip: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY), np.uint8)


def times(chip: Pixels, gain: float) -> Pixels:
    return np.asarray(np.clip(chip * gain, 0, 255), np.uint8)


def test_a_fair_face_passes(chip: Pixels) -> None:
    assert complaint([seen(chip)], PICTURE, gates=SELFIE) is None
    assert complaint([seen(chip)], PICTURE, gates=PORTRAIT) is None


def test_a_grey_document_portrait_passes(chip: Pixels) -> None:
    flat = np.repeat(grey(chip)[..., None], 3, axis=2)
    assert complaint([seen(flat, width=62.0, eyes=24.0)], PICTURE, gates=PORTRAIT) is None


def test_without_a_face_the_light_is_named_where_it_is_to_blame() -> None:
    assert complaint([], PICTURE, gates=SELFIE) == "face.none"
    assert complaint([], times(PICTURE, 0.1), gates=SELFIE) == "face.dark"
    assert complaint([], times(PICTURE, 5.0), gates=SELFIE) == "face.bright"


def test_documents_may_show_smaller_faces_than_selfies(chip: Pixels) -> None:
    small = seen(chip, width=60.0, eyes=24.0)
    assert complaint([small], PICTURE, gates=PORTRAIT) is None
    assert complaint([small], PICTURE, gates=SELFIE) == "face.small"
    assert complaint([seen(chip, width=42.0, eyes=17.0)], PICTURE, gates=PORTRAIT) == "face.small"


def test_a_second_face_is_refused_but_not_a_passer_by_or_a_ghost_image(chip: Pixels) -> None:
    main = seen(chip, width=200.0)
    neighbour, ghost, passer_by = (seen(chip, width=width) for width in (150.0, 100.0, 80.0))
    assert complaint([neighbour, main], PICTURE, gates=SELFIE) == "face.several"
    assert complaint([neighbour, main], PICTURE, gates=PORTRAIT) == "face.several"
    assert complaint([ghost, main], PICTURE, gates=SELFIE) == "face.several"
    assert complaint([ghost, main], PICTURE, gates=PORTRAIT) is None
    assert complaint([passer_by, main], PICTURE, gates=SELFIE) is None


def test_light_is_judged_by_the_bright_parts_not_the_mean(chip: Pixels) -> None:
    assert complaint([seen(times(chip, 0.2))], PICTURE, gates=SELFIE) == "face.dark"
    dark_with_highlights = times(chip, 0.2)
    dark_with_highlights[40:60, 40:110] = chip[40:60, 40:110]
    assert grey(dark_with_highlights).mean() < quality.SELFIE.min_light
    assert complaint([seen(dark_with_highlights)], PICTURE, gates=SELFIE) is None


def test_an_overexposed_face_is_refused(chip: Pixels) -> None:
    assert complaint([seen(times(chip, 2.2))], PICTURE, gates=SELFIE) == "face.bright"
    assert complaint([seen(times(chip, 1.1))], PICTURE, gates=SELFIE) is None


def test_blur_is_refused_and_a_soft_lens_is_not(chip: Pixels) -> None:
    assert complaint([seen(np.asarray(cv2.GaussianBlur(chip, (0, 0), 1.5), np.uint8))], PICTURE, gates=SELFIE) is None
    blurred = np.asarray(cv2.GaussianBlur(chip, (0, 0), 4.5), np.uint8)
    assert complaint([seen(blurred)], PICTURE, gates=SELFIE) == "face.blurred"
    assert complaint([seen(blurred)], PICTURE, gates=PORTRAIT) == "face.blurred"


def test_sharpness_does_not_depend_on_contrast(chip: Pixels) -> None:
    full = quality.sharpness(grey(chip))
    assert quality.sharpness(grey(times(chip, 0.5))) == pytest.approx(full, rel=0.05)
    slope = np.linspace(0.4, 1.0, CHIP)[None, :, None]  # light from one side
    assert quality.sharpness(grey(np.asarray(chip * slope, np.uint8))) == pytest.approx(full, rel=0.2)


def test_a_flat_patch_counts_as_blurred() -> None:
    flat = np.full((CHIP, CHIP, 3), 128, np.uint8)
    assert quality.sharpness(grey(flat)) == 0.0
    assert complaint([seen(flat)], PICTURE, gates=SELFIE) == "face.blurred"


def test_pixels_of_a_face_stay_out_of_its_repr(chip: Pixels) -> None:
    assert repr(seen(chip)) == "Face(width=160.0, eyes=65.0)"
