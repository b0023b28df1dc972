"""Is this face good enough to be compared?

The embedding network itself accepts almost anything: a picture at an eighth of its brightness or one blurred beyond
recognition still gets a vector, only a less telling one. These gates stand before it, for two reasons. The false accept
rate that `dlib_matcher` states holds only for pictures like the ones it was measured on (strong blur alone doubled
it); and "too dark, face a window" helps a person more than "no match".

Every gate was set on photographs of the LFW collection, undamaged and damaged step by step, at the point where the
damage starts to move the error rates; `docs/biometrics.md` has the table. None of the 1,191 undamaged photographs with
a detectable face is refused as dark, bright or blurred. Two choices keep honest people in:

* Brightness is judged by the brightest parts of the face (its 95th percentile), not by its mean: that tells
  underexposure from dark skin, because highlights and the whites of the eyes follow the light, not the skin.
* Sharpness is the ratio of fine to coarse detail, so that it depends neither on contrast (light from one side, soft
  light) nor on how large the face was in the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.images import Pixels

CHIP = 150
"""The side of an aligned face, in pixels: what the embedding network takes."""

_REGION = (slice(25, 140), slice(25, 125))  # forehead to chin, cheek to cheek, on the aligned face
_GLARE = 250  # from here on a pixel holds no detail


@dataclass(frozen=True, eq=False)
class Face:
    """One detected face: aligned and cut out at CHIP by CHIP pixels, with its size in the picture it came from.

    `width` is the detector's box, `eyes` the distance between the middles of the two eyes, both in pixels. The pixels
    stay out of `repr`.
    """

    chip: Pixels = field(repr=False)
    width: float
    eyes: float


@dataclass(frozen=True)
class Gates:
    """What a face must reach. `crowd` is the width, relative to the largest face, at which a second face disturbs."""

    min_eyes: float
    crowd: float
    min_light: float = 60.0
    max_glare: float = 0.40
    min_sharpness: float = 0.22


PORTRAIT = Gates(min_eyes=18.0, crowd=0.70)
"""For a document: portraits in chips and on cards are small, and cards repeat them as a ghost, about half as wide.

Accuracy does not fall before the eyes are less than about 16 pixels apart."""

SELFIE = Gates(min_eyes=28.0, crowd=0.50)
"""For a camera: a person can come closer. At 640 by 480 pixels and with a usual lens (65 degrees across), eyes are
about 55 pixels apart at arm's length and 30 at a metre; only who is further away is asked to come closer."""


def complaint(faces: Sequence[Face], picture: Pixels, *, gates: Gates) -> str | None:
    """The code of the first gate that these faces fail (`face.*`), or None when the largest can be compared."""
    if not faces:
        return _hidden(picture, gates)
    first, *others = sorted(faces, key=lambda face: face.width, reverse=True)
    if any(other.width >= gates.crowd * first.width for other in others):
        return "face.several"
    if first.eyes < gates.min_eyes:
        return "face.small"
    return _seen(_grey(first.chip), gates)


def _seen(grey: Pixels, gates: Gates) -> str | None:
    """What is wrong with the light or the focus on an aligned face."""
    if light(grey) < gates.min_light:
        return "face.dark"
    if glare(grey) > gates.max_glare:
        return "face.bright"
    if sharpness(grey) < gates.min_sharpness:
        return "face.blurred"
    return None


def light(grey: Pixels) -> float:
    """How bright the bright parts of an aligned face are: the 95th percentile, 0 to 255."""
    return float(np.percentile(grey[_REGION], 95))


def glare(grey: Pixels) -> float:
    """The part of an aligned face that is overexposed, 0 to 1."""
    return float((grey[_REGION] >= _GLARE).mean())


def sharpness(grey: Pixels) -> float:
    """Fine detail (1 to 2 pixels) by coarse detail (3 to 6 pixels) on an aligned face; about 0.5 on a fair photograph.

    Differences of Gaussians are Laplacians at two scales; their ratio cancels contrast. A face without any coarse
    detail (a flat patch) has sharpness 0.
    """
    values = grey.astype(np.float64)
    coarse = _band(values, 3.0, 6.0)
    return _band(values, 1.0, 2.0) / coarse if coarse > 0.0 else 0.0


def _band(values: NDArray[np.float64], fine: float, coarse: float) -> float:
    difference = cv2.GaussianBlur(values, (0, 0), fine) - cv2.GaussianBlur(values, (0, 0), coarse)
    return float(difference[_REGION].std())


def _hidden(picture: Pixels, gates: Gates) -> str:
    """Why no face was found: the light, if the picture as a whole is too dark or too bright to show one."""
    grey = _grey(picture)
    if np.percentile(grey, 95) < gates.min_light:
        return "face.dark"
    if (grey >= _GLARE).mean() > 2 * gates.max_glare:
        return "face.bright"
    return "face.none"


def _grey(picture: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
