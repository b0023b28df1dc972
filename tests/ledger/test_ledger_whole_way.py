"""From the desk through the wallet to a verdict, with the ledger at each step: three roles in one process."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import schemas
from service.bootstrap import bootstrap
from ssi.fetch import Response
from tests.holder.town import WALLET, Person
from tests.issuer.ledgerworld import LedgerWorld
from tests.issuer.world import BASE
from tests.support import InMemoryFetch
from verifier import settings as verifier_settings
from verifier.web import create_app as create_verifier
from wallet.holder.passphrase import Cost
from wallet.holder.receive import at_once
from wallet.holder.settings import read_settings
from wallet.holder.web import create_app as create_wallet
from wallet.issuer import founding

SHOP = "https://shop.test"
RECEIPTS = ("POST", f"{BASE}/ledger/receipts")


class Way:
    """A founded desk, a verifier, and a person with a wallet."""

    def __init__(self, folder: Path) -> None:
        self.desk = LedgerWorld(folder)
        self.clock = self.desk.clock
        assert self.desk.settings
        urls = {"issuer": BASE, "verifier": SHOP, "wallet": WALLET}
        found = founding.founder(InMemoryFetch({}))
        bootstrap(folder, hosts=(), base_urls=urls, now=self.clock.at - timedelta(hours=1), found=found)
        self.world: dict[str, Any] = {}
        self.fetch = InMemoryFetch(self.world)
        asking = {"FACET_VERIFIER_DATA": str(folder), "FACET_VERIFIER_BASE_URL": SHOP}
        self.verifier = create_verifier(verifier_settings.read(asking), now=self.clock, fetch=self.fetch)
        self.world |= {BASE: self.desk.app, SHOP: self.verifier}
        holding = read_settings({"FACET_WALLET_DATA": str(folder)})
        cost = Cost(memory=64, passes=1)
        wallet = create_wallet(holding, now=self.clock, fetch=self.fetch, cost=cost, later=at_once)
        self.person = Person.joins(wallet, "Zoë")
        self.key = (folder / "verifier/api-key").read_text().strip()

    def passes(self, **span: float) -> None:
        self.clock.at += timedelta(**span)

    def waits(self, minutes: int) -> None:
        """So long, with the person in the room: sessions end when nobody is."""
        for _ in range(minutes // 10):
            self.passes(minutes=10)
            assert self.person.history()

    def enrols(self) -> None:
        made = self.desk.apply(birthdate="1987-11-21")
        offer = self.desk.desk("POST", f"/desk/applications/{made.json['id']}/offer").json
        place = self.person.open(offer["offer_uri"])
        kept = self.person.post(f"{place}/accept", tx_code=offer["tx_code"]).json["offer"]
        assert [card["verdict"] for card in kept["cards"]] == ["keep"], kept

    def recorded(self) -> str:
        """What the card says, after the person has looked at all cards."""
        (card,) = self.person.cards()
        assert self.person.page(f"/cards/{card['id']}").status_code == 200
        return str(self.person.get(f"/cards/{card['id']}").json["card"]["recorded"])

    def shows(self) -> dict[str, Any]:
        """A request answered by the person; what the verifier's API says."""
        headers = {"Authorization": f"Bearer {self.key}"}
        client = self.verifier.test_client()
        asked = client.post("/api/requests", json={"template": "over-18"}, headers=headers, base_url=SHOP).json
        place = self.person.open(asked["link"])
        done = self.person.post(f"{place}/share").json["request"]
        assert done["state"] == "shared", done
        return dict(client.get(f"/api/requests/{asked['id']}", headers=headers, base_url=SHOP).json)

    @property
    def questions(self) -> int:
        """How often the wallet asked for receipts."""
        return sum(call == RECEIPTS for call in self.fetch.calls)


@pytest.fixture
def way(tmp_path: Path) -> Way:
    made = Way(tmp_path)
    made.enrols()
    return made


def ledger(told: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in told["findings"] if one["check"] == "ledger")


def test_receipts_reach_the_wallet_and_the_verifier(way: Way) -> None:
    assert way.recorded() == "Not yet recorded on the ledger."
    before = way.shows()
    assert (before["verdict"], ledger(before)["code"]) == ("verified", "ledger.no_receipt")
    way.passes(minutes=1)
    assert way.desk.turn().closed == 10
    way.passes(minutes=2)
    assert way.recorded().startswith("Recorded on the ledger on ")
    told = way.shows()
    found = ledger(told)
    assert (told["verdict"], found["code"]) == ("verified", "ledger.on_record"), found
    assert found["evidence"]["finality"] == "finalized"
    assert '"salt"' not in json.dumps(found["evidence"])
    trusted = next(one for one in told["findings"] if one["check"] == "trust")
    assert trusted["outcome"] == "pass"


def test_the_description_of_the_type_is_the_one_that_the_desk_has_stated(way: Way) -> None:
    (schema,) = [one for one in way.shows()["findings"] if one["check"] == "schema"]
    digest = hashlib.sha256(schemas.read(schemas.TYPES[schemas.VERIFIED_PERSON])).hexdigest()
    assert schema["evidence"]["description_sha256"] == digest
    assert schema["evidence"]["ledger"]["stated"] is True
    assert schema["evidence"]["ledger"]["block"] > 0
    assert "has that description on the ledger since" in schema["detail"]


def test_one_question_for_all_copies_and_no_more_than_needed(way: Way) -> None:
    way.recorded()
    asked = way.questions
    assert asked == 1
    for _ in range(3):
        way.recorded()
    assert way.questions == asked, "the desk is left in peace for a while"
    way.desk.turn()
    way.passes(minutes=2)
    way.recorded()
    assert way.questions == asked + 1
    way.passes(minutes=10)
    way.recorded()
    assert way.questions == asked + 1, "nothing waits any more"


def test_a_desk_that_is_away_or_lies_blocks_nothing(way: Way) -> None:
    way.desk.turn()
    app = way.world[BASE]
    strange = (
        Response(503, "", {}, b""),
        Response(200, "", {"content-type": "application/json"}, b'{"receipts": [1]}'),
        Response(200, "", {"content-type": "application/json"}, b"nonsense"),
    )
    for step, answer in enumerate(strange, start=1):
        way.world[RECEIPTS[1]] = answer
        way.waits(10 * step)
        assert way.recorded() == "Not yet recorded on the ledger."
    del way.world[RECEIPTS[1]]
    assert way.world[BASE] is app
    way.waits(60)
    assert way.recorded().startswith("Recorded on the ledger on ")


def test_a_forged_receipt_is_not_kept(way: Way) -> None:
    way.desk.turn()

    def forged(method: str, url: str, headers: Any, body: bytes) -> Response:
        answer = way.desk.app.test_client().post(url, data=body, headers=headers, base_url=BASE)
        told = answer.get_json()
        for one in told["receipts"]:
            one["anchored"]["at"] -= 86_400
        return Response(200, url, {"content-type": "application/json"}, json.dumps(told).encode())

    way.world[RECEIPTS[1]] = forged
    assert way.recorded() == "Not yet recorded on the ledger."
    assert way.questions == 1
