"""`facet-wallet` on the command line: exit codes, data on stdout, and no secrets."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ssi.keys import SoftwareSigner
from ssi.model import Credential
from tests.holder.town import Person, Town
from wallet.holder.cli import main


@pytest.fixture
def credential(town: Town) -> Credential:
    """One that is valid today, without a status that would have to be asked for."""
    town.clock.at = datetime.now(UTC)
    return town.issuer.credential(SoftwareSigner.generate("ES256").public, statuses=())


def _run(*arguments: str, given: str | bytes = "") -> Result:
    return CliRunner().invoke(main, list(arguments), input=given)


def _anchors(town: Town) -> str:
    return str(town.folder / "trust/issuer-ca.pem")


def test_a_good_credential_from_stdin_or_file(town: Town, credential: Credential, tmp_path: Path) -> None:
    file = tmp_path / "credential.txt"
    file.write_text(credential.wire + "\n")
    for source in ("-", str(file)):
        done = _run("credential", "check", source, "--anchors", _anchors(town), "--json", given=credential.wire)
        assert done.exit_code == 0, done.output
        data = json.loads(done.stdout)
        assert data["verdict"] == "valid"
        checks = {finding["check"]: finding["outcome"] for finding in data["findings"]}
        assert (checks["signature"], checks["trust"], checks["status"]) == ("pass", "pass", "not_asked")
    assert "valid: urn:facet" in _run("credential", "check", "-", given=credential.wire).stdout
    assert "Collins" not in done.output


def test_a_bad_one_is_exit_code_1(town: Town, credential: Credential, tmp_path: Path) -> None:
    broken = credential.wire.replace(".", ".A", 1)
    town.clock.at -= timedelta(days=800)
    expired = town.issuer.credential(SoftwareSigner.generate("ES256").public, statuses=()).wire
    for wire in (broken, expired, "rubbish", "", "\u00fc~"):
        assert _run("credential", "check", "-", given=wire).exit_code == 1, wire[:40]
    stranger = Town(tmp_path / "elsewhere")
    untrusted = _run("credential", "check", "-", "--anchors", _anchors(stranger), given=credential.wire)
    assert untrusted.exit_code == 1
    assert untrusted.stdout.startswith("not valid")
    assert "Traceback" not in untrusted.output


def test_wrong_usage_is_exit_code_2(credential: Credential) -> None:
    for arguments in (
        ("/no/such/file",),
        ("-", "--anchors", "/no/such/file"),
        ("-", "--format", "unheard-of"),
        ("-", "--unknown-flag"),
        ("-", "--ca-file", "/no/such/file"),
        (),
    ):
        assert _run("credential", "check", *arguments, given=credential.wire).exit_code == 2, arguments


def test_what_cannot_be_asked_is_exit_code_3(town: Town, credential: Credential) -> None:
    town.clock.at = datetime.now(UTC)
    with_status = town.issuer.credential(SoftwareSigner.generate("ES256").public)  # its list is on no real host
    done = _run("credential", "check", "-", "--anchors", _anchors(town), "--json", given=with_status.wire)
    assert done.exit_code == 3, done.output
    assert json.loads(done.stdout)["verdict"] == "could not check"


def test_vaults_are_counted_and_nothing_else_is_told(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    app = town.app()
    for name in ("Ada", "Grace"):
        Person.joins(app, name)
    monkeypatch.setenv("FACET_WALLET_DATA", str(town.folder))
    done = _run("vault", "count", "--json")
    assert json.loads(done.stdout) == {"vaults": 2}


def test_serve_refuses_settings_that_cannot_work(tmp_path: Path) -> None:
    flags: list[Any] = ["serve", "--data", str(tmp_path), "--port", "0"]
    done = _run(*flags)
    assert done.exit_code == 2
    assert "settings.port" in done.output
