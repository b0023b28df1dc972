"""Which model files does the built-in matcher use, and are they the ones that were measured?

The files come with the PyPI package `face_recognition_models`. That package is never imported (its import needs the
long removed `pkg_resources`): it is only located, and the files are opened by path. Each is compared with a pinned
SHA-256 first, for two reasons: the published error table was measured with exactly these files, and dlib's
deserializer is not made for hostile input.

Only the five-point shape predictor and the embedding network are used, both placed in the public domain (CC0) by their
author. The 68-point predictor in the same package was trained on data whose licence forbids commercial use; it is
never opened.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from biometrics.errors import ModelsUnavailable
from biometrics.matcher import Model

_PACKAGE = "face_recognition_models"

LANDMARKS = Model(
    "shape_predictor_5_face_landmarks", "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888"
)
EMBEDDER = Model(
    "dlib_face_recognition_resnet_model_v1", "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
)


@dataclass(frozen=True)
class ModelFiles:
    """Two files that were found and have the right digests."""

    landmarks: Path
    embedder: Path


def locate(directory: Path | None = None) -> ModelFiles:
    """The two model files, checked, from `directory` or from the installed package.

    Raises ModelsUnavailable (`models.missing`, `models.digest`).
    """
    folder = _installed() if directory is None else directory
    return ModelFiles(landmarks=_checked(folder, LANDMARKS), embedder=_checked(folder, EMBEDDER))


def _installed() -> Path:
    spec = find_spec(_PACKAGE)  # a top-level name: located, not imported
    if spec is None or not spec.submodule_search_locations:
        raise ModelsUnavailable("models.missing", f"The face matcher needs the package {_PACKAGE}.")
    return Path(spec.submodule_search_locations[0]) / "models"


def _checked(folder: Path, model: Model) -> Path:
    path = folder / f"{model.name}.dat"
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelsUnavailable("models.missing", f"The model file {path.name} cannot be read.") from error
    if digest != model.sha256:
        raise ModelsUnavailable("models.digest", f"The model file {path.name} is not the one that was measured.")
    return path
