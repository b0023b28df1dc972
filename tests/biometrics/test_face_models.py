"""Model files are the measured ones, or there is no comparison."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from biometrics import models
from biometrics.dlib_matcher import DlibMatcher
from biometrics.errors import ModelsUnavailable


@pytest.fixture
def two_files(tmp_path: Path) -> Path:
    """A folder with the two files that are used, and none of the others of the package."""
    found = models.locate()
    for path in (found.landmarks, found.embedder):
        (tmp_path / path.name).symlink_to(path)
    return tmp_path


def test_two_files_are_enough(two_files: Path) -> None:
    DlibMatcher(folder=two_files).load()


def test_another_file_under_the_right_name_is_refused(two_files: Path) -> None:
    path = two_files / "dlib_face_recognition_resnet_model_v1.dat"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()
    path.write_bytes(data)
    with pytest.raises(ModelsUnavailable) as caught:
        DlibMatcher(folder=two_files).compare(b"", [b""])
    assert caught.value.code == "models.digest"


def test_a_missing_file_and_a_missing_package_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelsUnavailable, match="shape_predictor_5_face_landmarks") as caught:
        models.locate(tmp_path)
    assert caught.value.code == "models.missing"
    monkeypatch.setattr(models, "_PACKAGE", "no_such_package_of_models")
    with pytest.raises(ModelsUnavailable, match="no_such_package_of_models"):
        models.locate()


def test_the_package_of_models_is_located_without_being_imported() -> None:
    program = (
        "import sys; from biometrics.dlib_matcher import DlibMatcher; DlibMatcher().load();"
        "print(sorted({'face_recognition_models', 'pkg_resources'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


def test_the_words_cost_no_native_library() -> None:
    program = (
        "import sys, biometrics.matcher, biometrics.reasons;"
        "print(sorted({'dlib', 'cv2', 'numpy', '_dlib_pybind11'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"
