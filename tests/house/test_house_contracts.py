"""Would the import contracts notice? Each is proven by a forbidden import in a temporary copy of the house."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.files import PACKAGES, ROOT, name

FORBIDDEN = [
    ("roles", "verifier/policy.py", "import wallet.holder.store"),
    ("roles", "verifier/store.py", "from wallet.issuer import store"),
    ("roles", "wallet/holder/store.py", "import verifier.policy"),
    ("roles", "wallet/holder/settings.py", "import wallet.issuer.settings"),
    ("roles", "wallet/issuer/store.py", "import wallet.holder.store"),
    ("roles", "wallet/issuer/settings.py", "import verifier.settings"),
    ("roles", "ssi/model.py", "import verifier.policy"),
    ("roles", "service/app.py", "import wallet.holder.store"),
    ("roles", "schemas/__init__.py", "import ssi.errors"),
    ("wallet", "wallet/shared.py", "X = 1"),
    ("service", "service/app.py", "import ssi.model"),
    ("service", "service/app.py", "import biometrics"),
    ("service", "service/app.py", "import schemas"),
    ("ssi", "ssi/keys.py", "import service.settings"),
    ("ssi", "ssi/formats/__init__.py", "import biometrics"),
    ("biometrics", "biometrics/__init__.py", "import ssi.errors"),
    ("biometrics", "biometrics/__init__.py", "import service.settings"),
    ("language", "ssi/errors.py", "import ssi.encoding"),
    ("language", "ssi/keys.py", "import ssi.model"),
    ("language", "ssi/model.py", "import ssi.jose"),
    ("language", "ssi/jose/__init__.py", "import ssi.fetch"),
    ("language", "ssi/status/__init__.py", "import ssi.trust"),
    ("language", "ssi/trust/__init__.py", "import ssi.dids"),
    ("language", "ssi/issuerkeys/__init__.py", "import ssi.formats"),
    ("language", "ssi/formats/__init__.py", "import ssi.dcql"),
    ("language", "ssi/dcql/__init__.py", "import ssi.oid4vp"),
    ("language", "ssi/dcql/__init__.py", "import ssi.oauth"),
    ("language", "ssi/oauth/__init__.py", "import ssi.oid4vci"),
    ("language", "ssi/oid4vp/__init__.py", "import ssi.oid4vci"),
    ("language", "ssi/unplaced.py", "X = 1"),
    ("web", "ssi/model.py", "import flask"),
    ("web", "ssi/status/__init__.py", "import sqlalchemy"),
    ("web", "biometrics/__init__.py", "import werkzeug"),
    ("sockets", "ssi/dids/web.py", "import httpx"),
    ("sockets", "verifier/policy.py", "import requests"),
    ("sockets", "service/serve.py", "import httpcore"),
    ("faces", "wallet/issuer/store.py", "import cv2"),
    ("faces", "verifier/policy.py", "import numpy"),
    ("faces", "wallet/holder/store.py", "import dlib"),
    ("codes", "verifier/policy.py", "import zxingcpp"),
    ("codes", "service/qr.py", "import zxingcpp"),
    ("evm", "ssi/ledger/chain.py", "import eth"),
    ("evm", "wallet/issuer/chaincli.py", "import eth.chains.base"),
    ("language", "ssi/ledger/rpc.py", "import ssi.suites"),
    ("language", "ssi/ledger/rpc.py", "import ssi.dids"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("house")
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            target = folder / name(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    shutil.copyfile(ROOT / "pyproject.toml", folder / "pyproject.toml")
    yield folder
    shutil.rmtree(folder)


def lint(folder: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    options = [argument for contract in contracts for argument in ("--contract", contract)]
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


def test_contracts_hold(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(("contract", "path", "line"), FORBIDDEN)
def test_contracts_notice(copy: Path, contract: str, path: str, line: str) -> None:
    target = copy / path
    before = target.read_bytes() if target.exists() else None
    try:
        target.write_bytes((before or b"") + f"\n{line}\n".encode())
        result = lint(copy, contract)
    finally:
        if before is None:
            target.unlink()
        else:
            target.write_bytes(before)
    assert result.returncode == 1, f"{path} may say: {line}\n{result.stdout}{result.stderr}"
    assert "1 broken" in result.stdout


def test_contracts_are_all_proven() -> None:
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    assert {contract["id"] for contract in configured} == {contract for contract, _path, _line in FORBIDDEN}
