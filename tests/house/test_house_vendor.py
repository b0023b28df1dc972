"""Do only the pinned bytes of third-party browser files ever get in?"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from scripts import vendor
from tests.house.files import ROOT

GOOD = b"export const decode = () => 1;\n"


def package(sha256: str) -> dict[str, Any]:
    return {
        "name": "toy",
        "version": "1.0.0",
        "folder": "toy",
        "files": {"package/index.js": {"to": "deep/index.js", "sha256": sha256}},
    }


@pytest.fixture
def npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Stands in for npm: whatever is asked for, it brings an archive with one file."""

    def pack(_package: object, folder: Path) -> Path:
        archive = folder / "toy.tgz"
        with tarfile.open(archive, "w:gz") as opened:
            info = tarfile.TarInfo("package/index.js")
            info.size = len(GOOD)
            opened.addfile(info, io.BytesIO(GOOD))
        return archive

    monkeypatch.setattr(vendor, "VENDOR", tmp_path / "vendor")
    monkeypatch.setattr(vendor, "_pack", pack)
    return tmp_path / "vendor"


def test_pinned_bytes_are_installed_and_then_left_alone(npm: Path) -> None:
    toy = package(hashlib.sha256(GOOD).hexdigest())
    assert not vendor.in_place(toy)
    vendor.install(toy)
    assert (npm / "toy" / "deep" / "index.js").read_bytes() == GOOD
    assert vendor.in_place(toy)
    (npm / "toy" / "deep" / "index.js").write_bytes(b"changed")
    assert not vendor.in_place(toy)


def test_other_bytes_are_not(npm: Path) -> None:
    with pytest.raises(RuntimeError, match="not the file"):
        vendor.install(package("0" * 64))
    assert not npm.exists()


def test_a_failure_is_one_line_and_exit_code_one(
    npm: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scripts").mkdir()
    listed = json.dumps({"packages": [package("0" * 64)]})
    (tmp_path / "scripts" / "vendor.json").write_text(listed)
    monkeypatch.setattr(vendor, "ROOT", tmp_path)
    assert vendor.main() == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_is_installed_here_is_what_is_pinned() -> None:
    packages = json.loads((ROOT / "scripts" / "vendor.json").read_text("utf-8"))["packages"]
    if not vendor.VENDOR.is_dir():
        pytest.skip("no browser files were installed")
    assert all(vendor.in_place(listed) for listed in packages)
