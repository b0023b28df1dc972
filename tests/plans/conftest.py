"""What the plans' tests share: certificates made once, and a copy of them for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.holder.town import Town, mint
from tests.verifier import forms
from tests.verifier.world import World


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "module(*names): the modules of the plans whose meaning a test has")


@pytest.fixture(scope="session")
def minted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mint(tmp_path_factory.mktemp("minted"))


@pytest.fixture
def town(tmp_path: Path, minted: Path) -> Town:
    return Town(Path(shutil.copytree(minted, tmp_path / "town")))


@pytest.fixture(scope="session")
def verifier_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("verifier")


@pytest.fixture
def world(verifier_folder: Path) -> World:
    return forms.connect(World(verifier_folder))
