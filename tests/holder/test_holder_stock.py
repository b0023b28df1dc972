"""Copies of a card: asked for at once, shown one by one, had anew; cards that come later; what issuers are told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from ssi.encoding import read_json_object, unb64url
from ssi.errors import Unavailable
from ssi.fetch import Response
from ssi.oid4vci import IssuerMetadata
from ssi.oid4vci.configurations import AttestationNeed
from tests.holder.bureau import Bureau
from tests.holder.town import ISSUER, PERSON, SHOP, FakeAsker, Person, Town, json_response
from wallet.holder import cards, grants, keystore, offers
from wallet.holder.accounts import Accounts
from wallet.holder.vault import Vault


@pytest.fixture
def bureau(town: Town) -> Bureau:
    made = Bureau(town.folder, town.clock, sign_in=False, tx_code=None)
    town.issuer, town.world[ISSUER] = made, made
    return made


@pytest.fixture
def ada_and_vault(app: Flask) -> tuple[Person, Vault]:
    ada = Person.joins(app, "Ada")
    accounts: Accounts = app.extensions["holder"].accounts
    return ada, accounts.unlock("Ada", "correct horse battery", peer="-", now=app.extensions["holder"].now())


def take(person: Person, town: Town) -> Any:
    place = person.open(town.issuer.link)
    answer = person.post(f"{place}/accept")
    assert answer.status_code == 200, answer.json
    return answer.json["offer"]


def share(person: Person, town: Town, nonce: str) -> dict[str, Any]:
    """Show the card once; what the shop could recognise it by."""
    town.shop = FakeAsker(town.folder, town.clock, nonce=nonce)
    town.world[SHOP] = town.shop
    place = person.open(town.shop.link)
    assert person.post(f"{place}/share").json["request"]["state"] == "shared"
    wire = read_json_object(town.shop.received[-1]["vp_token"])["person"][0]
    claims = json.loads(unb64url(wire.split(".")[1]))
    return {
        "key": claims["cnf"]["jwk"]["x"],
        "place": claims["status"]["status_list"]["idx"],
        "all": wire.split("~")[0],
    }


def stock(person: Person) -> dict[str, int]:
    (card,) = person.cards()
    found: dict[str, int] = person.get(f"/cards/{card['id']}").json["card"]["copies"]
    return found


def test_each_copy_has_a_key_of_its_own_and_is_shown_once(bureau: Bureau, town: Town, ada: Person) -> None:
    bureau.refreshes = False
    take(ada, town)
    assert stock(ada) == {"all": 4, "unused": 4}
    assert len(ada.cards()) == 1
    seen = [share(ada, town, f"nonce number {number} of the shop") for number in range(4)]
    for name in ("key", "place", "all"):
        assert len({one[name] for one in seen}) == 4
    assert stock(ada) == {"all": 4, "unused": 0}
    fifth = share(ada, town, "the fifth nonce of the shop, too")
    assert fifth["key"] == seen[0]["key"]  # the one whose showing is longest ago
    sixth = share(ada, town, "the sixth nonce of the shop, too")
    assert sixth["key"] in {one["key"] for one in seen}


def test_a_person_is_told_before_a_copy_is_shown_again(bureau: Bureau, town: Town, ada: Person) -> None:
    bureau.batch, bureau.refreshes = 2, False
    take(ada, town)

    def remarks() -> str:
        request = ada.get(ada.open(town.shop.link)).json["request"]
        return " ".join(request["parts"][0]["options"][0][0]["choices"][0]["remarks"])

    for number in range(2):
        assert "find out together" not in remarks()
        share(ada, town, f"nonce number {number} of the shop")
    assert "find out together" in remarks()
    (card,) = ada.cards()
    assert "Every copy has been shown once" in ada.page(f"/cards/{card['id']}").get_data(as_text=True)


def test_copies_may_come_in_any_order_and_fewer_than_asked(bureau: Bureau, town: Town, ada: Person) -> None:
    bureau.backwards, bureau.refreshes = True, False
    made = bureau._made
    bureau._made = lambda keys: made(keys[:3])  # type: ignore[method-assign]  # an issuer may give fewer (§13.6)
    take(ada, town)
    assert stock(ada) == {"all": 3, "unused": 3}
    seen = {share(ada, town, f"nonce number {number} of the shop")["key"] for number in range(3)}
    assert len(seen) == 3  # each was shown with its own key: the shop has verified that


def test_no_more_copies_than_ten_are_asked_for(bureau: Bureau, town: Town, ada: Person) -> None:
    bureau.batch = 100
    take(ada, town)
    assert stock(ada) == {"all": 10, "unused": 10}


def test_an_issuer_without_batches_gives_one(bureau: Bureau, town: Town, ada: Person) -> None:
    bureau.batch = 1
    take(ada, town)
    assert stock(ada) == {"all": 1, "unused": 1}


def test_the_stock_is_filled_again_without_the_person(bureau: Bureau, town: Town, ada: Person) -> None:
    take(ada, town)
    first = {share(ada, town, f"nonce number {number} of the shop")["key"] for number in range(2)}
    assert bureau.issued == 8  # two left: four more were fetched, beside the answer
    assert stock(ada) == {"all": 6, "unused": 6}  # what was shown is gone
    later = {share(ada, town, f"another nonce {number} of the shop")["key"] for number in range(4)}
    assert not first & later
    assert [event["what"] for event in ada.history()].count("added") == 1
    assert len(bureau.refresh) == 1  # each refresh token was used once, the new one kept


def test_a_refill_that_fails_waits_and_never_stops_a_showing(bureau: Bureau, town: Town, ada: Person) -> None:
    take(ada, town)
    bureau.broken["token"] = Unavailable("fetch.unreachable", "Away.")
    for number in range(3):
        share(ada, town, f"nonce number {number} of the shop")
    asked = [name for name, _, _ in bureau.seen].count("token")
    ada.cards()
    assert [name for name, _, _ in bureau.seen].count("token") == asked  # not again for a while
    bureau.broken.clear()
    town.clock.move(minutes=11)
    ada.cards()  # opening the list is enough
    assert stock(ada) == {"all": 5, "unused": 5}


@pytest.mark.parametrize("endpoint", ["nonce", "credential", "status"])
def test_a_refill_that_stops_half_way_goes_on(endpoint: str, bureau: Bureau, town: Town, ada: Person) -> None:
    take(ada, town)
    bureau.broken[endpoint] = Unavailable("fetch.unreachable", "Away.")
    for number in range(2):
        share(ada, town, f"nonce number {number} of the shop")
    bureau.broken.clear()
    town.clock.move(minutes=11)
    ada.cards()
    assert stock(ada)["unused"] == 6
    assert len(set(bureau.holders)) == 8  # the keys of the first try served again
    assert ada.get("/cards").json["unfinished"] == []  # the person was not bothered


def test_more_copies_are_never_of_another_kind_of_card(town: Town, ada: Person) -> None:
    """What the person agreed to keep stays what it is, whatever the issuer says of that configuration later."""

    class Turncoat(Bureau):
        vct = PERSON

        @property
        def metadata(self) -> IssuerMetadata:
            plain = super().metadata
            kinds = {name: replace(one, vct=self.vct) for name, one in plain.configurations.items()}
            return replace(plain, configurations=kinds)

    made = Turncoat(town.folder, town.clock, sign_in=False, tx_code=None)
    town.issuer, town.world[ISSUER] = made, made
    take(ada, town)
    made.vct = "urn:example:another-kind"
    made.draft_changes = {"type": made.vct}
    for number in range(2):
        share(ada, town, f"nonce number {number} of the shop")
    assert made.issued == 8
    assert stock(ada) == {"all": 4, "unused": 2}
    (card,) = ada.cards()
    assert ada.get(f"/cards/{card['id']}").json["card"]["type"] == PERSON


def test_a_token_is_renewed_by_one_at_a_time(bureau: Bureau, town: Town, ada_and_vault: tuple[Person, Vault]) -> None:
    """Two that use one refresh token could both lose it."""
    ada, vault = ada_and_vault
    take(ada, town)
    (record,) = vault.all(grants.KIND)
    grants.reserve(vault, record.id, now=town.clock())
    asked = [name for name, _, _ in bureau.seen].count("token")
    for number in range(2):
        share(ada, town, f"nonce number {number} of the shop")
    assert [name for name, _, _ in bureau.seen].count("token") == asked
    town.clock.move(minutes=1)  # whoever had it has died
    ada.cards()
    assert stock(ada) == {"all": 6, "unused": 6}


def test_a_server_that_is_busy_does_not_end_the_grant(bureau: Bureau, town: Town, ada: Person) -> None:
    take(ada, town)
    bureau.broken["token"] = json_response(503, {"error": "temporarily_unavailable"})
    for number in range(2):
        share(ada, town, f"nonce number {number} of the shop")
    bureau.broken.clear()
    town.clock.move(minutes=11)
    ada.cards()
    assert stock(ada) == {"all": 6, "unused": 6}


def test_a_grant_that_is_over_is_left_alone(bureau: Bureau, town: Town, ada: Person) -> None:
    take(ada, town)
    bureau.refresh.clear()
    for number in range(3):
        share(ada, town, f"nonce number {number} of the shop")
    asked = [name for name, _, _ in bureau.seen].count("token")
    town.clock.move(minutes=20)
    ada.post("/unlock", name="Ada", passphrase="correct horse battery")
    ada.cards()
    assert [name for name, _, _ in bureau.seen].count("token") == asked
    assert stock(ada) == {"all": 4, "unused": 1}


def test_two_copies_for_one_key_are_refused(bureau: Bureau, town: Town, ada: Person) -> None:
    first: list[str] = []
    bureau.bend = lambda wire: first[0] if first else first.append(wire) or wire
    offer = take(ada, town)
    assert offer["cards"][0]["verdict"] == "refuse"
    assert "holder.same_key" in {one["code"] for one in offer["cards"][0]["findings"]}
    assert [note.event for note in bureau.told] == ["credential_failure"]
    assert ada.cards() == []


def test_copies_that_say_different_things_are_refused(bureau: Bureau, town: Town, ada: Person) -> None:
    """A person agrees to what they see: no copy may say something else."""
    made = bureau.credential

    def other(holder: Any, **changes: Any) -> Any:
        if bureau.issued == 3:
            changes["claims"] = {**bureau_claims, "family_name": "Other"}
        return made(holder, **changes)

    from tests.holder.town import CLAIMS as bureau_claims

    bureau.credential = other  # type: ignore[method-assign]  # one of four says another name
    offer = take(ada, town)
    assert "copies.differ" in {one["code"] for one in offer["cards"][0]["findings"]}
    assert ada.cards() == []


def test_removing_a_card_takes_every_copy_key_and_grant_with_it(
    bureau: Bureau, town: Town, ada_and_vault: tuple[Person, Vault]
) -> None:
    ada, vault = ada_and_vault
    take(ada, town)
    assert len(vault.all(keystore.KIND)) == 4 + 1  # the copies' and the one that the tokens are bound to
    (card,) = ada.cards()
    assert ada.post(f"/cards/{card['id']}/delete").status_code == 200
    assert vault.all(keystore.KIND) == ()
    assert vault.all(grants.KIND) == ()
    assert [note.event for note in bureau.told] == ["credential_accepted", "credential_deleted"]


def test_records_of_the_first_release_still_open(
    bureau: Bureau, town: Town, ada_and_vault: tuple[Person, Vault]
) -> None:
    ada, vault = ada_and_vault
    bureau.batch, bureau.refreshes, bureau.notifies = 1, False, False
    take(ada, town)
    (record,) = vault.all(cards.KIND)
    old = {name: value for name, value in record.data.items() if name not in {"copies", "source"}}
    vault.put(type(record)(record.kind, record.id, old, record.version, record.lookup, record.expires))
    (offer,) = vault.all(offers.KIND)
    new = {"server", "verified", "sign_in", "token_until", "keys", "refills"}
    data = {name: value for name, value in offer.data.items() if name not in new}
    data["token_endpoint"] = f"{ISSUER}/token"
    data["items"] = [{"configuration": "person", "kid": "k", "wire": "", "verdict": None, "findings": [], "card": ""}]
    vault.put(type(offer)(offer.kind, offer.id, data, offer.version, offer.lookup, offer.expires))
    assert stock(ada) == {"all": 1, "unused": 1}
    assert share(ada, town, "a nonce of the shop for the old card")["key"]
    assert stock(ada) == {"all": 1, "unused": 0}
    assert ada.get(f"/offers/{offer.id}").status_code == 200


# --- tokens and proofs ------------------------------------------------------------------------------------------------


def test_where_the_server_knows_no_dpop_the_token_is_a_bearers(bureau: Bureau, town: Town, ada: Person) -> None:
    bureau.dpop = False
    take(ada, town)
    headers = next(headers for name, headers, _ in bureau.seen if name == "credential")
    assert headers["Authorization"].startswith("Bearer ")
    assert "DPoP" not in headers


def test_nonces_of_both_sides_are_learnt_and_kept_apart(bureau: Bureau, town: Town, ada: Person) -> None:
    take(ada, town)
    assert bureau.retried[0] == "server"
    names = [name for name, _, _ in bureau.seen]
    assert names.count("credential") == 1  # the nonce endpoint had brought the issuer's own nonce already


@pytest.mark.parametrize(
    ("proof_types", "needs", "sent"),
    [
        ({"jwt": ("ES256",)}, {}, ("jwt", 4)),
        ({"jwt": ("ES256",)}, {"jwt": AttestationNeed()}, ("jwt", 1)),
        ({"attestation": ("ES256",)}, {"attestation": AttestationNeed()}, ("attestation", 1)),
        ({"attestation": ("ES256",)}, {}, ("attestation", 1)),
        (
            {"jwt": ("ES256",), "attestation": ("ES256",)},
            {"jwt": AttestationNeed(("iso_18045_high",))},
            ("attestation", 1),
        ),
    ],
)
def test_the_kind_of_proof_is_what_the_issuer_lists(
    proof_types: Any, needs: Any, sent: tuple[str, int], bureau: Bureau, town: Town, ada: Person
) -> None:
    bureau.proof_types, bureau.needs = proof_types, needs
    take(ada, town)
    body = read_json_object(next(body for name, _, body in bureau.seen if name == "credential"))
    ((kind, proofs),) = body["proofs"].items()
    assert (kind, len(proofs)) == sent
    assert stock(ada) == {"all": 4, "unused": 4}  # an attestation is for all keys


@pytest.mark.parametrize("need", [AttestationNeed(("iso_18045_basic",)), AttestationNeed((), ("iso_18045_high",))])
def test_a_resistance_that_software_does_not_have_is_never_claimed(
    need: AttestationNeed, bureau: Bureau, ada: Person
) -> None:
    bureau.needs = {"jwt": need}
    answer = ada.post("/open", link=bureau.link)
    assert (answer.status_code, answer.json["error"]) == (400, "offer.key_storage")
    assert "certified hardware" in answer.json["error_description"]


# --- encrypted --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wish", ["on", "required"])
def test_requests_and_responses_are_encrypted_wherever_that_can_be(
    wish: str, bureau: Bureau, town: Town, ada: Person
) -> None:
    bureau.encrypts = wish
    take(ada, town)
    (sent,) = [(headers, body) for name, headers, body in bureau.seen if name == "credential"]
    assert sent[0]["Content-Type"] == "application/jwt"
    assert sent[1].count(b".") == 4
    assert stock(ada)["all"] == 4


def test_an_answer_that_should_be_encrypted_and_is_not_is_refused(bureau: Bureau, town: Town, ada: Person) -> None:
    bureau.encrypts = "on"
    bureau.broken["credential"] = Response(
        200, "", {"content-type": "application/json"}, b'{"credentials":[{"credential":"x"}]}'
    )
    place = ada.open(bureau.link)
    assert ada.post(f"{place}/accept").json["error"] == "offer.not_encrypted"


# --- later ------------------------------------------------------------------------------------------------------------


def test_a_card_that_is_made_later_is_waited_for(bureau: Bureau, town: Town, app: Flask, ada: Person) -> None:
    bureau.hold = 2
    offer = take(ada, town)
    place = f"/offers/{offer['id']}"
    assert (offer["stage"], offer["ask_in"]) == ("waiting", 30)
    assert "The issuer is still working on it" in ada.page(place).get_data(as_text=True)
    assert [one["id"] for one in ada.get("/cards").json["unfinished"]] == [offer["id"]]
    asked = len(bureau.seen)
    assert ada.post(f"{place}/accept").json["offer"]["stage"] == "waiting"
    assert len(bureau.seen) == asked  # the issuer wanted to be left alone for half a minute
    town.clock.move(seconds=31)
    assert ada.post(f"{place}/accept").json["offer"]["stage"] == "waiting"
    assert bureau.hold == 1
    town.clock.move(days=3)  # the wallet is started anew, days later
    again = Person(town.app().test_client(), "Ada")
    assert again.post("/unlock", name="Ada", passphrase="correct horse battery").status_code == 200
    again.cards()  # opening the list asks by itself
    assert again.get(place).json["offer"]["stage"] == "settled"
    assert stock(again)["all"] == 4


def test_waiting_longer_than_the_token_lives_renews_it(bureau: Bureau, town: Town, ada: Person) -> None:
    bureau.hold = 1
    offer = take(ada, town)
    bureau.tokens.clear()  # ended early: the issuer says invalid_token
    town.clock.move(seconds=31)
    assert ada.post(f"/offers/{offer['id']}/accept").json["offer"]["stage"] == "settled"


def test_a_card_that_is_refused_later_is_told(bureau: Bureau, town: Town, ada: Person) -> None:
    bureau.hold, bureau.denied = 1, True
    offer = take(ada, town)
    town.clock.move(seconds=31)
    answer = ada.post(f"/offers/{offer['id']}/accept")
    assert answer.json["error"] == "oid4vci.credential_request_denied"
    page = ada.page(f"/offers/{offer['id']}").get_data(as_text=True)
    assert "No card was issued" in page
    assert "decided not to issue" in page
    assert [event["what"] for event in ada.history()] == ["not_kept"]
    assert ada.get("/cards").json["unfinished"] == []


def test_a_person_may_stop_waiting(bureau: Bureau, town: Town, ada_and_vault: tuple[Person, Vault]) -> None:
    ada, vault = ada_and_vault
    bureau.hold = 1
    offer = take(ada, town)
    assert ada.post(f"/offers/{offer['id']}/decline").json["offer"]["stage"] == "declined"
    assert vault.all(keystore.KIND) == ()


def test_an_issuer_that_cannot_be_told_changes_nothing(bureau: Bureau, town: Town, ada: Person) -> None:
    bureau.broken["notification"] = Unavailable("fetch.unreachable", "Away.")
    assert take(ada, town)["stage"] == "settled"


def test_no_token_or_code_is_in_a_page_or_a_log(
    bureau: Bureau, town: Town, ada: Person, caplog: pytest.LogCaptureFixture
) -> None:
    offer = take(ada, town)
    (card,) = ada.cards()
    secrets = (*bureau.tokens, *bureau.refresh, bureau.code)
    shown = "".join(
        ada.client.get(path, headers={"Accept": kind}, base_url="https://localhost:8442").get_data(as_text=True)
        for path in (f"/offers/{offer['id']}", f"/cards/{card['id']}", "/cards", "/history")
        for kind in ("application/json", "text/html")
    )
    assert not any(secret in shown + caplog.text for secret in secrets)
