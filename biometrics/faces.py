"""Where are the faces on a picture, and what does the network see in one? dlib, behind two functions.

The detector is dlib's histogram-of-gradients one on the picture at twice its size (finds faces from about 40 pixels
on); the five-point predictor aligns; the network turns the aligned face into 128 numbers.

dlib's objects keep working memory between calls, and the detector gives up Python's lock while it runs: one `Networks`
must be used by one thread at a time. Its owner sees to that.
"""

from __future__ import annotations

from typing import Any

import dlib
import numpy as np
from numpy.typing import NDArray

from biometrics.errors import ModelsUnavailable
from biometrics.images import Pixels
from biometrics.models import ModelFiles
from biometrics.quality import CHIP, Face

Embedding = NDArray[np.float64]
"""128 numbers of length one. Personal data: it can be turned back into a face, so it never leaves `biometrics`."""

_UPSAMPLE = 1
_PADDING = 0.25  # what the network was trained with


class Networks:
    """The detector and the two loaded models. Not thread-safe; about 65 MB."""

    def __init__(self, files: ModelFiles) -> None:
        self._detector: Any = dlib.get_frontal_face_detector()
        try:
            self._landmarks: Any = dlib.shape_predictor(str(files.landmarks))
            self._embedder: Any = dlib.face_recognition_model_v1(str(files.embedder))
        except RuntimeError as error:  # dlib's own errors; the digests were right, so this is the machine's
            raise ModelsUnavailable("models.unloadable", "The face models cannot be loaded.") from error

    def find(self, picture: Pixels) -> tuple[Face, ...]:
        """All faces on an RGB picture, each aligned and cut out."""
        return tuple(self._face(picture, box) for box in self._detector(picture, _UPSAMPLE))

    def embed(self, face: Face) -> Embedding:
        """What the network sees in a face, scaled to length one: a dot product of two is their cosine."""
        raw = np.asarray(self._embedder.compute_face_descriptor(face.chip), dtype=np.float64)
        return raw / float(np.linalg.norm(raw))

    def _face(self, picture: Pixels, box: Any) -> Face:
        shape = self._landmarks(picture, box)
        points = np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float64)
        # The five points: both corners of one eye, both corners of the other, the base of the nose.
        eyes = float(np.linalg.norm(points[0:2].mean(axis=0) - points[2:4].mean(axis=0)))
        chip = np.asarray(dlib.get_face_chip(picture, shape, CHIP, _PADDING), dtype=np.uint8)
        return Face(chip=chip, width=float(box.width()), eyes=eyes)
