"""The desk's ledger page: batches, costs, keys and accreditations in words and as data; what is stuck has a way out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.issuer.ledgerworld import LedgerWorld
from tests.issuer.world import BASE, World


@pytest.fixture
def desk(tmp_path: Path) -> LedgerWorld:
    return LedgerWorld(tmp_path)


def told(world: World) -> dict[str, Any]:
    answer = world.desk("GET", "/desk/ledger")
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def page(world: World, method: str = "GET", path: str = "/desk/ledger") -> str:
    headers = {"Authorization": f"Bearer {world.desk_token}", "Accept": "text/html"}
    answer = world.client().open(path, method=method, headers=headers, base_url=BASE, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_new_desk_says_that_nothing_is_recorded_yet(desk: LedgerWorld) -> None:
    data = told(desk)
    assert (data["desk"]["waiting"], data["desk"]["batches"], data["desk"]["stuck"]) == (0, [], [])
    assert data["desk"]["costs"]["writes"] > 0  # the contracts, the head of the DID
    (top,) = data["accreditors"]
    (own,) = top["below"]
    assert (own["address"], own["did"]) == (data["desk"]["account"], data["desk"]["did"])
    assert {grant["type"] for grant in own["grants"]} == {"Verified person", "Verified person, as a W3C credential"}
    assert all(grant["counts"] for grant in own["grants"])
    (history,) = [one["history"] for one in data["issuers"] if one["did"] == data["desk"]["did"]]
    assert [step["recorded"] for step in history] == ["finalized"]
    text = page(desk)
    assert "No batch yet" in text
    assert "proves nothing against the desk" in text


def test_waiting_cards_are_recorded_at_a_press(desk: LedgerWorld) -> None:
    desk.promised()
    desk.promised()
    assert told(desk)["desk"]["waiting"] == 2
    assert "Record waiting cards now" in page(desk)
    assert "Everything that waited has been handed to the ledger" in page(desk, "POST", "/desk/ledger/turn")
    data = told(desk)["desk"]
    (batch,) = data["batches"]
    assert (batch["copies"], batch["state"], data["waiting"], data["recorded"]) == (2, "finalized", 0, 2)
    assert data["costs"]["gas_per_copy"] == batch["gas"] / 2
    assert data["costs"]["gas"] > batch["gas"]
    assert data["states"][0]["number"] >= 1


def test_a_record_has_the_time_of_its_block(desk: LedgerWorld) -> None:
    desk.promised()
    desk.clock.pass_time(minutes=3)
    desk.turn()
    desk.clock.pass_time(minutes=3)
    desk.turn()
    data = told(desk)
    (seen,) = [one["states"] for one in data["issuers"] if one["did"] == data["desk"]["did"]]
    own = data["desk"]["states"]
    assert [(one["subject"], one["number"], one["at"]) for one in own] == [
        (one["subject"], one["number"], one["at"]) for one in seen
    ]
    assert len(own) == 4
    assert sum(one["name"].endswith("/revocation") for one in own) == 1
    text = page(desk)
    assert re.search(r"Status list [0-9a-f]+, revocation only: version 1", text)
    assert "Copies recorded" in text


def test_setting_up_has_no_batch_and_most_of_the_gas(desk: LedgerWorld) -> None:
    data = told(desk)
    (own,) = [one for one in data["issuers"] if one["did"] == data["desk"]["did"]]
    assert own["anchors"]["count"] == 0
    assert [one["of"] for one in own["descriptions"]] == ["Verified person"]
    costs = data["desk"]["costs"]
    assert costs["gas"] / 2 < costs["gas_of_contracts"] < costs["gas"]
    assert "two contracts, which are put there once" in page(desk)


def test_records_of_the_same_minute_have_seconds(desk: LedgerWorld) -> None:
    desk.promised()
    desk.turn()
    seconds = r"Block \d+, <time[^>]*>[^<]*, \d\d:\d\d:\d\d UTC<"
    assert not re.search(seconds, page(desk))
    desk.clock.pass_time(seconds=1)
    desk.promised()
    desk.turn()
    assert len(re.findall(seconds, page(desk))) == 2


def test_many_batches_are_shown_on_demand(desk: LedgerWorld) -> None:
    for _ in range(7):
        desk.promised()
        desk.turn()
    text = page(desk)
    assert "Show all: 2 more" in text
    assert text.count('data-title="Fingerprint"') == 7


def test_a_program_gets_the_turn(desk: LedgerWorld) -> None:
    desk.promised()
    answer = desk.desk("POST", "/desk/ledger/turn")
    assert (answer.status_code, answer.json["closed"], answer.json["problems"]) == (200, 1, [])


def test_a_write_that_is_stuck_has_a_way_out(desk: LedgerWorld) -> None:
    desk.promised()
    writer = desk.anchoring.desk.writer
    writer.max_fee_per_gas, before = 1, writer.max_fee_per_gas
    assert desk.turn().problems[0].startswith("ledger.fee_cap")
    assert told(desk)["desk"]["stuck"] == []  # for two minutes nobody need worry
    desk.clock.pass_time(minutes=5)
    stuck = told(desk)["desk"]["stuck"]
    assert stuck[0]["intent"].startswith("batch ")
    assert {(one["state"], one["sent"], one["minutes"]) for one in stuck} == {("pending", False, 5)}
    text = page(desk)
    assert "stuck" in text
    assert "not sent, because the ledger is away, its price is above the desk" in text
    assert "Try again" in text
    writer.max_fee_per_gas = before
    assert "Done" in page(desk, "POST", "/desk/ledger/turn")
    assert told(desk)["desk"]["stuck"] == []


def test_the_page_is_for_clerks(desk: LedgerWorld) -> None:
    assert desk.get("/desk/ledger", headers={"Accept": "application/json"}).status_code == 401
    assert desk.get("/desk/ledger").status_code == 303
    assert desk.post("/desk/ledger/turn", headers={"Accept": "application/json"}).status_code == 401


def test_a_desk_without_a_ledger_has_no_page_and_no_link(tmp_path: Path) -> None:
    plain = World(tmp_path)
    assert plain.desk("GET", "/desk/ledger").status_code == 404
    assert plain.desk("POST", "/desk/ledger/turn").status_code == 404
    assert "/desk/ledger" not in page(plain, path="/desk/credentials")
