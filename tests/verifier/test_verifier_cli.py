from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ssi.model import Challenge, Presentation, StatusRef
from tests.verifier.world import World
from verifier.cli import main

CHALLENGE = Challenge(nonce="kq3Zr0lXbV9mJ1c7Yw2hTg", audience="x509_hash:abc")


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.clock.at = datetime.now(UTC)
    return made


def present(world: World, *, statuses: tuple[StatusRef, ...] = (), **changes: object) -> Presentation:
    until = world.clock() + timedelta(days=1)
    credential = world.credential(**{"statuses": statuses, "valid_until": until, **changes})
    return world.present(CHALLENGE, [["given_name"]], credential=credential)


def verify(world: World, wire: str, *more: str, nonce: str = CHALLENGE.nonce) -> Result:
    anchors = str(world.folder / "trust/issuer-ca.pem")
    flags = ["--nonce", nonce, "--audience", CHALLENGE.audience, "--anchors", anchors, *more]
    return CliRunner().invoke(main, ["presentation", "verify", "-", *flags], input=wire)


def test_a_good_presentation_is_0_and_its_claims_are_on_stdout(world: World) -> None:
    result = verify(world, present(world).wire + "\n", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["verdict"] == "verified"
    assert told["claims"]["given_name"] == "Eileen"
    assert len(told["findings"]) == 11
    plain = verify(world, present(world).wire)
    assert plain.stdout.startswith("Verified.")
    assert "given_name: Eileen" in plain.stdout


def test_a_bad_one_is_1_and_its_claims_are_nowhere(world: World) -> None:
    for result in (
        verify(world, present(world).wire, nonce="other"),
        verify(world, present(world).wire, "--type", "urn:other"),
        verify(world, "garbage"),
        verify(world, ""),
    ):
        assert result.exit_code == 1, result.output
        assert "Eileen" not in result.output
        assert "Traceback" not in result.output


def test_what_needs_the_network_and_has_none_is_3(world: World) -> None:
    shown = present(world, statuses=(StatusRef("token_status_list", "https://status.test/1", 1),))
    result = verify(world, shown.wire, "--offline", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["verdict"] == "could_not_check"
    assert "Eileen" not in result.output


def test_wrong_usage_is_2(world: World, tmp_path: Path) -> None:
    runner = CliRunner()
    base = ["presentation", "verify"]
    good = ["--nonce", "n", "--audience", "a", "--anchors", str(world.folder / "trust/issuer-ca.pem")]
    for arguments in (
        base,
        [*base, "-"],
        [*base, str(tmp_path / "missing"), *good],
        [*base, "-", "--nonce", "n", "--audience", "a"],
        [*base, "-", "--nonce", "n", "--audience", "a", "--anchors", str(tmp_path / "missing.pem")],
        ["presentation", "frobnicate"],
    ):
        result = runner.invoke(main, arguments, input="x")
        assert result.exit_code == 2, (arguments, result.output)
        assert result.stdout == ""


def test_not_text_at_all_is_1(world: World) -> None:
    anchors = str(world.folder / "trust/issuer-ca.pem")
    arguments = ["presentation", "verify", "-", "--nonce", "n", "--audience", "a", "--anchors", anchors]
    result = CliRunner().invoke(main, arguments, input=b"\xff\xfe\x00")
    assert result.exit_code == 1


def test_an_api_key_is_shown_once_and_works(world: World) -> None:
    database = f"sqlite:///{world.folder / 'verifier.db'}"
    flags = ["--name", "till 3", "--database-url", database, "--data", str(world.folder), "--json"]
    result = CliRunner().invoke(main, ["api-key", "create", *flags])
    assert result.exit_code == 0, result.output
    key = json.loads(result.stdout)["key"]
    assert key.encode() not in b"".join(path.read_bytes() for path in world.folder.glob("verifier.db*"))
    with world.app().test_client() as client:
        assert client.get("/api/templates", headers={"Authorization": f"Bearer {key}"}).status_code == 200
        assert client.get("/api/templates", headers={"Authorization": f"Bearer {key}x"}).status_code == 401


def test_serve_says_what_is_missing_before_it_starts(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["serve", "--data", str(tmp_path / "empty"), "--port", "18443"])
    assert result.exit_code == 2
    assert "bootstrap" in result.stderr
