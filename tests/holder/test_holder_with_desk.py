"""The wallet with the house's own issuing desk and all that both know: sign-in, batches, later, encrypted, attested."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from service.bootstrap import bootstrap
from tests.holder.town import WALLET, Person
from tests.issuer.world import BASE, World
from tests.support import InMemoryFetch
from wallet.holder.passphrase import Cost
from wallet.holder.receive import at_once
from wallet.holder.settings import read_settings
from wallet.holder.web import create_app as create_wallet

HTML = {"Accept": "text/html"}


class Street:
    """A desk and a person with a wallet, who share one folder of authorities and one clock."""

    def __init__(self, folder: Path, **options: str) -> None:
        urls = {"issuer": BASE, "wallet": WALLET}
        self.desk = World(folder, options)
        bootstrap(folder, hosts=(), base_urls=urls, now=self.desk.clock.at - timedelta(hours=1))
        self.fetch = InMemoryFetch({BASE: self.desk.app})
        settings = read_settings({"FACET_WALLET_DATA": str(folder)})
        self.wallet = create_wallet(
            settings, now=self.desk.clock, fetch=self.fetch, cost=Cost(memory=64, passes=1), later=at_once
        )
        self.person = Person.joins(self.wallet, "Zoë")

    def offer(self, **form: str) -> tuple[str, Any]:
        """An application, and the desk's offer for it."""
        made = self.desk.apply(birthdate="1987-11-21").json
        answer = self.desk.desk("POST", f"/desk/applications/{made['id']}/offer", data=form)
        assert answer.status_code in {200, 201}, answer.text
        return made["id"], answer.json

    def accept(self, offer: Any) -> Any:
        place = self.person.open(offer["offer_uri"])
        answer = self.person.post(f"{place}/accept", tx_code=offer["tx_code"])
        assert answer.status_code == 200, answer.json
        return answer.json["offer"]

    def sign_in(self, place: str, reference: str, code: str, *, word: str = "allow") -> Any:
        """What a person does with a browser: from the wallet to the desk's pages and back."""
        answer = self.person.post(f"{place}/sign-in")
        assert answer.status_code == 200, answer.json
        url = urlsplit(answer.json["offer"]["sign_in"]["url"])
        browser: FlaskClient = self.desk.app.test_client()
        arrived = browser.get(f"{url.path}?{url.query}", base_url=BASE, headers=HTML)
        assert arrived.status_code == 303, arrived.text
        form = {"reference": reference, "code": code}
        signed = browser.post("/authorize/sign-in", data=form, base_url=BASE, headers=HTML)
        assert signed.status_code == 303, signed.text
        home = browser.post(f"/authorize/{word}", base_url=BASE, headers=HTML).headers["Location"]
        assert home.startswith(f"{WALLET}/authorized?")
        return self.person.get(home.removeprefix(WALLET)).json["offer"]

    def stock(self) -> Any:
        (card,) = self.person.cards()
        return self.person.get(f"/cards/{card['id']}").json["card"]["copies"]


@pytest.fixture
def street(tmp_path: Path) -> Callable[..., Street]:
    return lambda **options: Street(tmp_path, **options)


def test_a_code_brings_a_stock_of_copies_and_the_desk_is_told(street: Callable[..., Street]) -> None:
    one = street()
    _, offer = one.offer()
    done = one.accept(offer)
    assert [card["verdict"] for card in done["cards"]] == ["keep"], done
    assert one.stock() == {"all": 10, "unused": 10}
    assert len(one.desk.rows("credentials")) == 10
    (batch,) = one.desk.rows("batches")
    assert batch["event"] == "credential_accepted"
    assert {("POST", f"{BASE}/{name}") for name in ("token", "nonce", "credential", "notification")} <= {
        *one.fetch.calls
    }


def test_the_person_signs_in_at_the_desk(street: Callable[..., Street]) -> None:
    one = street()
    reference, offer = one.offer(way="sign-in")
    place = one.person.open(offer["offer_uri"])
    shown = one.person.get(place).json["offer"]
    assert shown["issuer"]["verified"] == "Facet Desk"  # the desk signs what it says of itself
    assert shown["by_code"] is True
    done = one.sign_in(place, reference, offer["tx_code"])
    assert done["stage"] == "settled", done
    assert one.stock()["all"] == 10


def test_the_person_finds_the_desk_by_its_address(street: Callable[..., Street]) -> None:
    one = street()
    reference, offer = one.offer(way="sign-in")
    listed = one.person.post("/add", issuer="issuer.test").json["issuer"]
    name = next(card["configuration"] for card in listed["cards"] if "sd-jwt" in card["form"].lower())
    place = one.person.post("/add/choose", issuer=listed["address"], card=name).json["next"]
    assert one.sign_in(place, reference, offer["tx_code"])["stage"] == "settled"


def test_the_forms_of_one_card_are_one_choice_with_names_that_differ(street: Callable[..., Street]) -> None:
    one = street()
    forms = [card["form"] for card in one.person.post("/add", issuer=BASE).json["issuer"]["cards"]]
    assert len(set(forms)) == len(forms) > 4
    assert {"W3C credential (ecdsa-sd-2023)", "W3C credential (bbs-2023)"} <= set(forms)
    page = one.person.send("/add", issuer=BASE).get_data(as_text=True)
    first, _, others = page.partition("<summary>Other forms</summary>")
    assert (first.count('type="radio"'), first.count(" checked required"), first.count("Form: ")) == (1, 1, 1)
    assert (others.count('type="radio"'), others.count(" checked required")) == (len(forms) - 1, 0)


def test_a_no_at_the_desk_comes_back_as_a_no(street: Callable[..., Street]) -> None:
    one = street()
    reference, offer = one.offer(way="sign-in")
    place = one.person.open(offer["offer_uri"])
    done = one.sign_in(place, reference, offer["tx_code"], word="refuse")
    assert (done["stage"], done["problem"]["error"]) == ("offered", "oid4vci.access_denied")


def test_a_held_card_comes_when_it_is_released(street: Callable[..., Street]) -> None:
    one = street()
    reference, offer = one.offer(held="yes")
    waiting = one.accept(offer)
    assert waiting["stage"] == "waiting", waiting
    assert one.desk.desk("POST", f"/desk/applications/{reference}/release").status_code in {200, 303}
    one.desk.clock.pass_time(seconds=waiting["ask_in"] + 1)
    done = one.person.post(f"/offers/{waiting['id']}/accept").json["offer"]
    assert done["stage"] == "settled", done
    assert one.stock()["all"] == 10


def test_a_held_card_that_is_refused_is_told(street: Callable[..., Street]) -> None:
    one = street()
    reference, offer = one.offer(held="yes")
    waiting = one.accept(offer)
    assert one.desk.desk("POST", f"/desk/applications/{reference}/refuse").status_code in {200, 303}
    one.desk.clock.pass_time(seconds=waiting["ask_in"] + 1)
    answer = one.person.post(f"/offers/{waiting['id']}/accept")
    assert answer.json["error"] == "oid4vci.credential_request_denied"


@pytest.mark.parametrize(
    "options",
    [
        {"ENCRYPTION": "required"},
        {"ENCRYPTION": "off"},
        {"KEY_ATTESTATION": "required"},
        {"REQUIRE_ATTESTATION": "true"},
        {"REQUIRE_DPOP": "true"},
        {"BATCH_SIZE": "1"},
        {"PROFILE": "haip"},
    ],
    ids=str,
)
def test_whatever_the_desk_demands_the_wallet_does(options: dict[str, str], street: Callable[..., Street]) -> None:
    one = street(**options)
    reference, offer = one.offer(way="sign-in")
    done = one.sign_in(one.person.open(offer["offer_uri"]), reference, offer["tx_code"])
    assert done["stage"] == "settled", done
    assert [card["verdict"] for card in done["cards"]] == ["keep"], done
    assert one.stock()["all"] == int(options.get("BATCH_SIZE", "10"))


def test_every_form_of_the_desk_can_be_held(street: Callable[..., Street]) -> None:
    one = street()
    listed = one.person.post("/add", issuer=BASE).json["issuer"]
    assert listed["others"] == 0
    for number, card in enumerate(listed["cards"]):
        _, offer = one.offer(kind=card["configuration"])
        done = one.accept(offer)
        assert [item["verdict"] for item in done["cards"]] == ["keep"], (card, done)
        assert len(one.person.cards()) == number + 1


def test_the_stock_is_filled_again_while_the_desk_allows_it(street: Callable[..., Street]) -> None:
    one = street(COPIES_DAYS="3", BATCH_SIZE="3")
    _, offer = one.offer()
    one.accept(offer)
    holder = one.wallet.extensions["holder"]
    from wallet.holder import cards

    vault = holder.accounts.unlock("Zoë", "correct horse battery", peer="-", now=one.desk.clock())
    (card,) = cards.all_cards(vault)
    vault.put(cards.spend(card, now=one.desk.clock()))
    one.desk.clock.pass_time(minutes=5)
    one.person.cards()
    assert one.stock() == {"all": 5, "unused": 5}
