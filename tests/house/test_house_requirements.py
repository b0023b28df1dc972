"""Are dependencies pinned, hashed, and free of any address to fetch them from?"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.house.files import ROOT, committed, name

REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))
_ADDRESS = re.compile(
    r"--(extra-)?index-url|--find-links|--trusted-host|[a-z]+://[^\s\"'`)]*(pypi|pythonhosted|npmjs|/simple\b)", re.I
)
_MACHINE = re.compile(r"(?<![\w.~$}])/(work|root|home/\w+)/")


def entries(path: Path) -> list[str]:
    joined = path.read_text("utf-8").replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_every_requirement_is_pinned_and_hashed(path: Path) -> None:
    found = entries(path)
    assert found
    for entry in found:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^\s;]+(\s*;[^\\]*?)?\s+--hash=sha256:[0-9a-f]{64}", entry), (
            entry
        )
        assert all(option.startswith("--hash=sha256:") for option in re.findall(r"--\S+", entry)), entry


def test_everything_that_pyproject_asks_for_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pinned = {
        path.name: {normal(re.split(r"[\[=]", entry)[0].strip()) for entry in entries(path)} for path in REQUIREMENTS
    }
    asked = {normal(re.split(r"[\[<>=]", item)[0]) for item in project["dependencies"]}
    assert asked <= pinned["run.txt"]
    assert (
        asked | {normal(re.split(r"[\[<>=]", item)[0]) for item in project["optional-dependencies"]["dev"]}
        <= pinned["dev.txt"]
    )
    versions = [item.partition(";")[0] for item in project["dependencies"]]  # without markers
    assert all("==" not in item and "<" not in item for item in versions)


def test_versions_agree_between_the_files() -> None:
    versions: dict[str, set[str]] = {}
    for path in REQUIREMENTS:
        for entry in entries(path):
            pin, _, marker = entry.split("--hash")[0].strip().partition(";")
            package, _, version = pin.strip().partition("==")
            versions.setdefault(normal(package) + marker.strip(), set()).add(version)
    assert {package for package, found in versions.items() if len(found) > 1} == set()


def test_no_committed_file_names_a_registry_or_a_machine() -> None:
    named = [
        f"{name(path)}:{number}: {line.strip()[:100]}"
        for path in committed()
        if path.name != Path(__file__).name
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if _ADDRESS.search(line) or _MACHINE.search(line)
    ]
    assert named == []


def test_browser_files_are_pinned_by_hash_and_not_committed() -> None:
    packages = json.loads((ROOT / "scripts" / "vendor.json").read_text("utf-8"))["packages"]
    for package in packages:
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])
        assert package["licence"]
        assert all(re.fullmatch(r"[0-9a-f]{64}", entry["sha256"]) for entry in package["files"].values())
    assert "service/static/vendor/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
