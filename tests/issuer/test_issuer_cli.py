"""`facet-issuer` on the command line: data on stdout, right exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.issuer.world import Clock, World
from wallet.issuer.cli import main


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A desk in the present, where commands are."""
    return World(tmp_path, clock=Clock(datetime.now(UTC)))


def store(world: World) -> tuple[str, ...]:
    return ("--data", str(world.folder))


def data(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_bootstrap_makes_a_trial_and_keeps_it(tmp_path: Path) -> None:
    target = tmp_path / "var"
    made = data(run("bootstrap", "--directory", str(target), "--json"))
    assert {"trust/issuer-ca.pem", "issuer/signing.key", "issuer/desk-token", "wallet/tls.pem", "verifier/tls.pem"} <= {
        str(Path(file["path"]).relative_to(target)) for file in made["files"]
    }
    again = data(run("bootstrap", "--directory", str(target), "--json"))
    assert not any(file["written"] for file in again["files"])
    assert "kept" in run("bootstrap", "--directory", str(target)).stdout


def test_lists_are_empty_at_first(world: World) -> None:
    _ = world.app
    assert data(run("application", "list", "--json", *store(world))) == {"applications": []}
    assert data(run("credential", "list", "--json", *store(world))) == {"credentials": []}
    assert "(none)" in run("credential", "list", *store(world)).stdout


def test_a_credential_is_revoked_from_the_command_line(world: World) -> None:
    world.issued()
    listed = data(run("credential", "list", "--json", *store(world)))["credentials"]
    done = data(run("credential", "revoke", listed[0]["id"], "--reason", "lost", "--json", *store(world)))
    assert (done["state"], done["reason"]) == ("revoked", "lost")
    assert world.desk("GET", "/desk/credentials").json["credentials"][0]["state"] == "revoked"
    refused = run("credential", "resume", listed[0]["id"], *store(world))
    assert refused.exit_code == 1
    assert "credential.revoked" in refused.stderr
    assert listed[0]["application_id"] in run("credential", "list", *store(world)).stdout


def test_a_credential_is_suspended_and_resumed(world: World) -> None:
    world.issued()
    identifier = data(run("credential", "list", "--json", *store(world)))["credentials"][0]["id"]
    assert data(run("credential", "suspend", identifier, "--json", *store(world)))["state"] == "suspended"
    assert data(run("credential", "resume", identifier, "--json", *store(world)))["state"] == "valid"


def test_applications_are_listed_without_names(world: World) -> None:
    world.apply()
    result = run("application", "list", *store(world))
    assert "approved" in result.stdout
    assert "Quantock" not in result.stdout
    assert data(run("application", "erase", "--json", *store(world)))["kept"] == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("credential", "revoke", "none"), 1),
        (("credential", "revoke"), 2),
        (("nonsense",), 2),
        (("credential", "list", "--database-url", "nonsense"), 2),
        (("credential", "list", "--port", "seven"), 2),
        (("serve", "--identify-by", "magic"), 2),
    ],
)
def test_exit_codes(world: World, arguments: tuple[str, ...], code: int) -> None:
    _ = world.app
    more = store(world) if arguments[0] in {"credential", "serve"} else ()
    result = run(*arguments, *more)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
