"""The desk's commands on its ledger and DID, and what ends its start: one sentence, and the right exit code."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ssi.errors import Refused, SsiError
from tests.issuer.ledgerworld import LedgerWorld
from tests.issuer.world import BASE, Clock
from wallet.issuer import keychange, web
from wallet.issuer.cli import main
from wallet.issuer.ledgercli import anchoring_lines

AWAY = "https://127.0.0.1:9/ledger/rpc"


@pytest.fixture
def world(tmp_path: Path) -> LedgerWorld:
    """A desk in the present, where commands are."""
    world = LedgerWorld(tmp_path, clock=Clock(datetime.now(UTC)))
    _ = world.settings
    return world


def run(world: LedgerWorld, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--data", str(world.folder), "--base-url", BASE])


def declare(world: LedgerWorld, **change: Any) -> Path:
    """The desk's declaration, with something else in it."""
    path = world.folder / "trust" / "ledger.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change))
    return path


def problem(world: LedgerWorld, **more: str) -> SsiError:
    """What ends the start."""
    values = {"FACET_ISSUER_DATA": str(world.folder), "FACET_ISSUER_BASE_URL": BASE}
    with pytest.raises(SsiError) as refusal:
        web.check(values | {f"FACET_ISSUER_{name}": value for name, value in more.items()})
    return refusal.value


def test_a_desk_as_it_was_founded_starts(world: LedgerWorld) -> None:
    web.check({"FACET_ISSUER_DATA": str(world.folder), "FACET_ISSUER_BASE_URL": BASE})


def test_a_declaration_that_is_not_there_ends_the_start(world: LedgerWorld) -> None:
    found = run(world, "serve", "--ledger", "nowhere.json")
    assert (found.exit_code, "nowhere.json" in found.stderr) == (2, True)
    assert "Traceback" not in found.stderr


def test_another_contract_than_declared_ends_the_start(world: LedgerWorld) -> None:
    said = json.loads((world.folder / "trust" / "ledger.json").read_bytes())
    declare(world, anchor=said["anchor"] | {"code_hash": "0x" + "00" * 32})
    assert problem(world).code == "ledger.other_contract"
    assert run(world, "serve").exit_code == 2


def test_a_ledger_that_is_away_does_not_end_the_start(world: LedgerWorld) -> None:
    declare(world, rpc=[AWAY])
    web.check({"FACET_ISSUER_DATA": str(world.folder), "FACET_ISSUER_BASE_URL": BASE})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"confirmations": 0}, "confirmations"),
        ({"rpc": ["http://node.test/"]}, "https"),
        ({"registry": {"address": "0x1", "code_hash": "0x"}}, "registry.address"),
        ({"more": 1}, "more"),
    ],
)
def test_a_wrong_declaration_names_its_file_and_member(world: LedgerWorld, change: dict[str, Any], named: str) -> None:
    path = declare(world, **change)
    found = run(world, "anchor")
    assert (found.exit_code, str(path) in found.stderr, named in found.stderr) == (2, True, True), found.stderr


def test_a_second_desk_under_another_address_is_refused(world: LedgerWorld) -> None:
    refused = problem(world, BASE_URL="https://elsewhere.test:8451")
    assert (refused.code, BASE in refused.detail) == ("settings.base_url", True)
    found = CliRunner().invoke(main, ["anchor", "--data", str(world.folder), "--base-url", "https://elsewhere.test"])
    assert found.exit_code == 2


def test_files_that_are_missing_are_named(world: LedgerWorld) -> None:
    (world.folder / "issuer" / "signing.key").unlink()
    assert "signing.key" in run(world, "anchor").stderr
    nowhere = CliRunner().invoke(main, ["anchor", "--data", "nowhere"])
    assert (nowhere.exit_code, "no folder nowhere" in nowhere.stderr) == (2, True)


def test_anchor_speaks_in_sentences(world: LedgerWorld) -> None:
    _ = run(world, "anchor")
    found = run(world, "anchor")
    assert (found.exit_code, found.stdout) == (0, "Nothing was waiting.\n")
    told = {"busy": False, "closed": 3, "written": 1, "stated": 0, "waiting": 1, "problems": []}
    assert anchoring_lines(told)[0] == "3 cards put into a batch."


def test_anchor_with_the_ledger_away_could_not_be_done_now(world: LedgerWorld) -> None:
    declare(world, rpc=[AWAY])
    world.issued()
    found = run(world, "anchor")
    assert (found.exit_code, "Not now: ledger." in found.stdout) == (3, True), found.output


@pytest.mark.parametrize("command", ["anchor", "rotate-key", "deactivate"])
def test_help_lists_what_matters(command: str) -> None:
    told = CliRunner().invoke(main, [command, "--help"]).stdout
    assert all(flag in told for flag in ("--ledger ", "--ledger-key", "--did-log", "Exit code"))
    assert "--workers" not in told


def test_deactivate_without_yes_is_wrong_usage(world: LedgerWorld) -> None:
    assert run(world, "deactivate").exit_code == 2


def test_bootstrap_says_how_all_three_are_started(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["bootstrap", "--directory", str(tmp_path / "var")]).stdout
    for role in ("issuer", "wallet", "verifier"):
        assert f"facet-{role} serve --data {tmp_path / 'var'} --allow-loopback" in told


class TestADeskThatGaveUpItsIdentity:
    @pytest.fixture
    def ended(self, world: LedgerWorld) -> LedgerWorld:
        keychange.deactivate(world.settings, now=world.clock())
        return world

    def test_offers_nothing_and_says_so(self, ended: LedgerWorld, caplog: pytest.LogCaptureFixture) -> None:
        identifier = ended.apply().json["id"]
        refused = ended.desk("POST", f"/desk/applications/{identifier}/offer")
        assert (refused.status_code, refused.json["error"]) == (409, "offer.identity_ended"), refused.json
        assert web.ENDED in caplog.text
        accepted = {"Authorization": f"Bearer {ended.desk_token}", "Accept": "text/html"}
        page = ended.client().get("/desk", headers=accepted, base_url=BASE)
        assert "identity was given up" in page.text, page.text[:2000]

    def test_gets_no_new_key_and_keeps_no_half_of_one(self, ended: LedgerWorld) -> None:
        before = {path.name for path in (ended.folder / "issuer").iterdir()}
        for change in (keychange.take_over, keychange.rotate):
            with pytest.raises(Refused, match=r"given up for good.*did\.ended"):
                change(ended.settings, now=ended.clock())
        new = {path.name for path in (ended.folder / "issuer").iterdir()} - before
        assert not {name for name in new if "next" in name or "leaving" in name}

    def test_an_offer_that_was_open_has_ended(self, world: LedgerWorld) -> None:
        identifier = world.offered()[0]
        keychange.deactivate(world.settings, now=world.clock())
        state = world.reopened().offers.state(identifier, now=world.clock())
        assert state is not None
        assert (state.word, state.final) == ("ended", True)
