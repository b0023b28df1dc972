"""Fixtures of the wallet's tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from flask import Flask

from tests.holder.town import Person, Town, mint


@pytest.fixture(scope="session")
def minted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates and keys made once: each town gets a copy."""
    return mint(tmp_path_factory.mktemp("minted"))


@pytest.fixture
def town(tmp_path: Path, minted: Path) -> Town:
    return Town(Path(shutil.copytree(minted, tmp_path / "town")))


@pytest.fixture
def app(town: Town) -> Flask:
    return town.app()


@pytest.fixture
def ada(app: Flask) -> Person:
    return Person.joins(app, "Ada")
