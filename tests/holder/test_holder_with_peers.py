"""The wallet with the house's own issuing desk and verifier, all three in one process, each over its own HTTP API."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.bootstrap import bootstrap
from tests.holder.town import Person
from tests.issuer.world import BASE, World
from tests.support import InMemoryFetch
from verifier import settings as verifier_settings
from verifier.web import create_app as create_verifier
from wallet.holder.passphrase import Cost
from wallet.holder.settings import read_settings
from wallet.holder.web import create_app as create_wallet

SHOP = "https://shop.test"
TEMPLATE = "over-18"


class Peers:
    """A desk, a verifier, and a person with a wallet, who share one folder of authorities and one clock."""

    def __init__(self, folder: Path) -> None:
        self.desk = World(folder)
        urls = {"issuer": BASE, "verifier": SHOP, "wallet": "https://localhost:8442"}
        bootstrap(folder, hosts=(), base_urls=urls, now=self.desk.clock.at - timedelta(hours=1))
        world: dict[str, Any] = {}
        fetch = InMemoryFetch(world)
        asking = {"FACET_VERIFIER_DATA": str(folder), "FACET_VERIFIER_BASE_URL": SHOP}
        self.verifier = create_verifier(verifier_settings.read(asking), now=self.desk.clock, fetch=fetch)
        world |= {BASE: self.desk.app, SHOP: self.verifier}
        holding = read_settings({"FACET_WALLET_DATA": str(folder)})
        wallet = create_wallet(holding, now=self.desk.clock, fetch=fetch, cost=Cost(memory=64, passes=1))
        self.person = Person.joins(wallet, "Zoë")
        self.key = (folder / "verifier/api-key").read_text().strip()

    def asks(self, **request: Any) -> dict[str, Any]:
        answer = self.verifier.test_client().post(
            "/api/requests", json=request, headers={"Authorization": f"Bearer {self.key}"}, base_url=SHOP
        )
        assert answer.status_code == 201, answer.text
        return dict(answer.json)

    def result(self, asked: dict[str, Any]) -> dict[str, Any]:
        client = self.verifier.test_client()
        headers = {"Authorization": f"Bearer {self.key}"}
        return dict(client.get(f"/api/requests/{asked['id']}", headers=headers, base_url=SHOP).json)


@pytest.fixture
def peers(tmp_path: Path) -> Peers:
    return Peers(tmp_path)


def _enrolled(peers: Peers) -> str:
    made = peers.desk.apply(birthdate="1987-11-21")
    offer = peers.desk.desk("POST", f"/desk/applications/{made.json['id']}/offer").json
    place = peers.person.open(offer["offer_uri"])
    kept = peers.person.post(f"{place}/accept", tx_code=offer["tx_code"]).json["offer"]
    assert [card["verdict"] for card in kept["cards"]] == ["keep"], kept
    assert {one["outcome"] for one in kept["cards"][0]["findings"]} == {"pass"}
    return str(peers.person.cards()[0]["id"])


@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
def test_from_the_desk_through_the_wallet_to_a_verdict(mode: str, peers: Peers) -> None:
    card = _enrolled(peers)
    lines = {line["label"]: line["value"] for line in peers.person.get(f"/cards/{card}").json["card"]["claims"]}
    assert lines["Given name"] == "Zoë Ann"
    asked = peers.asks(template=TEMPLATE, response_mode=mode)
    place = peers.person.open(asked["link"])
    shown = peers.person.get(place).json["request"]
    assert shown["who"]["verified"] is True
    done = peers.person.post(f"{place}/share").json["request"]
    assert done["state"] == "shared", done
    result = peers.result(asked)
    assert (result["state"], result["verdict"]) == ("verified", "verified"), result


def test_saying_no_reaches_the_verifier(peers: Peers) -> None:
    _enrolled(peers)
    asked = peers.asks(template=TEMPLATE)
    place = peers.person.open(asked["link"])
    assert peers.person.post(f"{place}/decline").json["request"]["state"] == "declined"
    assert peers.result(asked)["state"] == "declined"
