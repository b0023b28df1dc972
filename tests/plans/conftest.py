"""What the plans' tests share: certificates made once, and a copy of them for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.holder.town import Town, mint
from tests.issuer.world import World as IssuerWorld
from tests.plans import requesting
from tests.plans.requesting import Caller
from tests.verifier import forms
from tests.verifier.world import World


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


@pytest.fixture(scope="session")
def desk_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return requesting.bootstrapped(tmp_path_factory.mktemp("desk"))


@pytest.fixture(params=list(requesting.KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def desks(desk_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[bool, IssuerWorld]:
    """A desk for each plan (by "keeps to HAIP"), made once: every test brings its own wallet and application."""
    return {haip: requesting.desk(desk_folder, tmp_path_factory.mktemp("plan"), haip=haip) for haip in (False, True)}


@pytest.fixture(params=[False, True], ids=["plain", "haip"])
def caller(request: pytest.FixtureRequest, desks: dict[bool, IssuerWorld], kind: str) -> Caller:
    """A wallet at a desk, in either plan and format."""
    return Caller(desks[request.param], kind, request.param)
