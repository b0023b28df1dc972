"""Receiving: offers that become cards, offers that must not, and a wallet that is stopped at every step."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from service.store import engine, reading
from ssi.errors import Unavailable
from ssi.fetch import Response
from ssi.formats import sdjwt
from ssi.keys import SoftwareSigner
from ssi.model import Draft, Issuer, StatusRef
from ssi.oid4vci import OAuthError, OfferReference, PreAuthorized, TxCode, offer_link
from tests.holder.town import CLAIMS, DISCLOSABLE, ISSUER, PERSON, Crash, FakeIssuer, Person, Town, json_response
from wallet.holder import store


def test_an_offer_by_reference_becomes_a_checked_card_and_a_line_in_the_history(town: Town, ada: Person) -> None:
    place = ada.open(town.issuer.link)
    shown = ada.get(place).json["offer"]
    assert shown["issuer"] == {"name": "Test desk", "address": ISSUER, "verified": None}
    assert [card["name"] for card in shown["cards"]] == ["Verified person"]
    assert shown["tx_code"]["length"] == 6
    assert ada.cards() == []  # looking keeps nothing

    offer = ada.post(f"{place}/accept", tx_code="493 827").json["offer"]
    assert offer["stage"] == "settled"
    findings = {finding["check"]: finding["outcome"] for finding in offer["cards"][0]["findings"]}
    wanted = ("format", "type", "signature", "holder_binding", "validity", "status", "trust")
    assert {name: findings[name] for name in wanted} == dict.fromkeys(wanted, "pass")
    (card,) = ada.cards()
    assert (card["person"], card["issuer"], card["standing"]["word"]) == ("Eileen Collins", "Facet Desk", "Valid")
    (event,) = ada.history()
    assert (event["what"], event["who"], event["verified"]) == ("added", "Facet Desk", True)


def test_an_offer_by_value_and_through_the_wallets_own_address(town: Town, ada: Person) -> None:
    by_value = offer_link(town.issuer.offer)
    universal = offer_link(OfferReference(f"{ISSUER}/offers/1"), base="https://localhost:8442/offer")
    first = ada.open(by_value)
    answer = ada.get(universal.removeprefix("https://localhost:8442"))
    assert answer.json["next"] == first  # the same offer, opened twice, is one
    assert ada.page(universal.removeprefix("https://localhost:8442")).headers["Location"] == first


def test_the_proof_binds_a_fresh_key_to_each_card(town: Town, ada: Person) -> None:
    town.issuer.tx_code = None
    for number in range(2):
        town.issuer.code, town.issuer.used = f"code {number}", False
        ada.accepts(town, tx_code="")
    keys = [ada.get(f"/cards/{card['id']}").json["card"]["key"] for card in ada.cards()]
    assert len(set(keys)) == 2


def test_an_offer_of_two_cards_brings_both_with_their_own_keys(town: Town, ada: Person) -> None:
    town.issuer.configurations = ("person", "person-again")
    offer = ada.accepts(town)
    assert [card["verdict"] for card in offer["cards"]] == ["keep", "keep"]
    assert len(ada.cards()) == 2


def test_a_wrong_code_can_be_corrected(town: Town, ada: Person) -> None:
    place = ada.open(town.issuer.link)
    wrong = ada.post(f"{place}/accept", tx_code="111111")
    assert (wrong.status_code, wrong.json["error"]) == (400, "oid4vci.invalid_grant")
    assert "ask for a new one" in ada.get(place).json["offer"]["problem"]["detail"]
    missing = ada.post(f"{place}/accept")
    assert missing.json["error"] == "offer.tx_code"
    assert ada.post(f"{place}/accept", tx_code="493827").json["offer"]["stage"] == "settled"


@pytest.mark.parametrize(("typed", "said"), [("49382", "6 digits, and you typed 5"), ("49382x", "digits only")])
def test_a_code_that_cannot_be_right_burns_no_try(typed: str, said: str, town: Town, ada: Person) -> None:
    place = ada.open(town.issuer.link)
    assert 'pattern="[0-9]( *[0-9]){5}" title="6 digits"' in ada.page(place).get_data(as_text=True)
    town.away(ISSUER)  # nobody is asked
    answer = ada.post(f"{place}/accept", tx_code=typed)
    assert (answer.status_code, answer.json["error"]) == (400, "offer.tx_code")
    assert said in ada.page(place).get_data(as_text=True)
    town.back()
    assert ada.post(f"{place}/accept", tx_code="493827").json["offer"]["stage"] == "settled"


@pytest.mark.parametrize(
    ("code", "pattern"),
    [
        (TxCode(), 'pattern="[0-9 ]+" title="digits"'),
        (TxCode("text", 4), 'pattern=".{4}" title="4 characters"'),
        (TxCode("text"), 'maxlength="80">'),
    ],
)
def test_the_form_asks_for_a_code_as_the_offer_describes_it(
    code: TxCode, pattern: str, town: Town, ada: Person
) -> None:
    offer = replace(town.issuer.offer, pre_authorized=PreAuthorized("any", code))
    assert pattern in ada.page(ada.open(offer_link(offer))).get_data(as_text=True)


def test_declining_sends_nothing_and_is_remembered(town: Town, ada: Person) -> None:
    place = ada.open(town.issuer.link)
    before = len(town.issuer.seen)
    assert ada.post(f"{place}/decline").json["offer"]["stage"] == "declined"
    assert len(town.issuer.seen) == before
    assert [event["what"] for event in ada.history()] == ["offer_declined"]
    assert ada.post(f"{place}/accept", tx_code="493827").json["offer"]["stage"] == "declined"
    assert len(town.issuer.seen) == before


def _tampered(wire: str) -> str:
    head, _, rest = wire.partition("~")
    return f"{head[:-4]}{'AAAA' if not head.endswith('AAAA') else 'BBBB'}~{rest}"


REFUSALS: dict[str, tuple[Callable[[FakeIssuer], None], str, str]] = {
    "a broken signature": (lambda i: setattr(i, "bend", _tampered), "signature", "fail"),
    "another key than ours": (
        lambda i: setattr(i, "bind_to", SoftwareSigner.generate("ES256").public),
        "holder_binding",
        "fail",
    ),
    "another type": (lambda i: i.draft_changes.update(type="urn:other"), "type", "fail"),
    "a claim missing that its type demands": (
        lambda i: i.draft_changes.update(
            claims={name: value for name, value in CLAIMS.items() if name != "birthdate"},
            disclosable=tuple(path for path in DISCLOSABLE if path != ("birthdate",)),
        ),
        "schema",
        "fail",
    ),
    "already withdrawn": (lambda i: i.revoked.add(7), "status", "fail"),
    "not a credential": (lambda i: setattr(i, "bend", lambda _: "rubbish"), "format", "fail"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_does_not_pass_the_check_is_not_kept(name: str, town: Town, ada: Person) -> None:
    bend, check, outcome = REFUSALS[name]
    bend(town.issuer)
    offer = ada.accepts(town)
    assert offer["stage"] == "settled"
    assert offer["cards"][0]["verdict"] == "refuse"
    assert (check, outcome) in {(one["check"], one["outcome"]) for one in offer["cards"][0]["findings"]}
    assert ada.cards() == []
    assert [event["what"] for event in ada.history()] == ["not_kept"]
    assert _kinds(town) == {"event": 1, "offer": 1}  # no card, and the key that was made is gone too
    page = ada.page(f"/offers/{offer['id']}").get_data(as_text=True)
    assert "Not kept" in page


def test_an_untrusted_issuer_is_refused(town: Town, ada: Person, tmp_path: Path) -> None:
    stranger = Town(tmp_path / "elsewhere")
    town.issuer.sign_with, town.issuer.x5c = stranger.issuer.signer, stranger.issuer.chain
    offer = ada.accepts(town)
    findings = {finding["check"]: finding for finding in offer["cards"][0]["findings"]}
    assert findings["signature"]["outcome"] == "pass"
    assert findings["trust"]["outcome"] == "fail"
    assert ada.cards() == []


def test_an_expired_card_is_refused(town: Town, ada: Person) -> None:
    town.issuer.draft_changes["valid_until"] = town.clock()
    offer = ada.accepts(town)
    assert ("validity", "fail") in {(one["check"], one["outcome"]) for one in offer["cards"][0]["findings"]}
    assert ada.cards() == []


def test_an_unknown_status_is_said_and_does_not_stop_the_card(town: Town, ada: Person) -> None:
    town.issuer.broken["status"] = Unavailable("fetch.unreachable", "Away.")
    offer = ada.accepts(town)
    assert offer["cards"][0]["verdict"] == "keep"
    assert ("status", "unknown") in {(one["check"], one["outcome"]) for one in offer["cards"][0]["findings"]}
    assert ada.cards()[0]["standing"]["word"] == "Status not known"


def test_a_check_that_cannot_be_finished_waits_and_is_finished_later(town: Town, ada: Person) -> None:
    """The issuer's key is looked up over the network, which is down: neither kept nor refused."""
    town.issuer.bend = lambda wire: _by_metadata(town, wire)
    offer = ada.accepts(town)
    assert (offer["stage"], offer["undecided"]) == ("authorized", True)
    assert offer["cards"][0]["verdict"] == "wait"
    assert ada.cards() == []
    assert [one["id"] for one in ada.get("/cards").json["unfinished"]] == [offer["id"]]
    assert "Check again" in ada.page(f"/offers/{offer['id']}").get_data(as_text=True)
    town.clock.move(minutes=1)
    town.world["https://keys.test"] = _key_server(town)
    again = ada.post(f"/offers/{offer['id']}/accept").json["offer"]
    assert again["cards"][0]["verdict"] == "keep"
    assert len(ada.cards()) == 1
    assert town.issuer.issued == 1  # what had arrived was checked again, not fetched again


def _by_metadata(town: Town, wire: str) -> str:
    """The same claims signed by an issuer whose key is found through its metadata."""
    holder = sdjwt.check(sdjwt.Credential("dc+sd-jwt", wire), keys=_NoKeys(), now=town.clock()).holder
    draft = Draft(PERSON, Issuer("https://keys.test", kid="k"), CLAIMS, DISCLOSABLE)
    return sdjwt.issue(draft, signer=town.issuer.signer, holder=holder, now=town.clock()).wire


class _NoKeys:
    def issuer_key(self, *_: Any, **__: Any) -> Any:
        raise Unavailable("test.no_keys", "No keys.")

    holder_key = issuer_key


def _key_server(town: Town) -> Callable[..., Response]:
    keys = {"keys": [{**town.issuer.signer.public.jwk, "kid": "k"}]}
    return lambda *_: json_response(200, {"issuer": "https://keys.test", "jwks": keys})


# --- crashes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", ["token", "nonce", "credential", "status"])
def test_a_wallet_that_dies_before_an_answer_goes_on_where_it_was(
    endpoint: str, town: Town, app: Flask, ada: Person
) -> None:
    place = ada.open(town.issuer.link)
    town.issuer.broken[endpoint] = Crash()
    with pytest.raises(Crash):
        ada.post(f"{place}/accept", tx_code="493827")
    town.issuer.broken.clear()
    assert ada.cards() == []
    busy = ada.post(f"{place}/accept", tx_code="493827")
    assert (busy.status_code, busy.json["error"]) == (409, "offer.busy")
    town.clock.move(minutes=1)
    replica = Person(town.app().test_client())  # another process, with the cookie of this browser
    replica.client = _with_cookies(app, ada, replica)
    done = replica.post(f"{place}/accept", tx_code="493827")
    assert done.json["offer"]["cards"][0]["verdict"] == "keep", done.json
    assert len(ada.cards()) == 1
    assert _kinds(town) == {"card": 1, "key": 1, "event": 1, "offer": 1}


def test_a_wallet_that_dies_while_it_writes_the_result_has_written_nothing_of_it(
    town: Town, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = ada.open(town.issuer.link)
    original, count = store._put, []

    def dies(connection: Any, row: Any) -> None:
        count.append(row.kind)
        if row.kind == "card":
            original(connection, row)
            raise Crash
        original(connection, row)

    monkeypatch.setattr(store, "_put", dies)
    with pytest.raises(Crash):
        ada.post(f"{place}/accept", tx_code="493827")
    monkeypatch.undo()
    assert "card" in count
    assert ada.cards() == []
    assert ada.history() == []
    town.clock.move(minutes=1)
    assert ada.post(f"{place}/accept").json["offer"]["cards"][0]["verdict"] == "keep"
    assert town.issuer.issued == 1
    assert len(ada.cards()) == 1


def test_the_token_of_an_unfinished_offer_is_used_again_without_the_code(town: Town, ada: Person) -> None:
    town.issuer.broken["credential"] = Unavailable("fetch.unreachable", "Away.")
    place = ada.open(town.issuer.link)
    away = ada.post(f"{place}/accept", tx_code="493827")
    assert (away.status_code, away.json["error"]) == (503, "fetch.unreachable")
    assert ada.get("/cards").json["unfinished"][0]["stage"] == "authorized"
    assert "Go on" in ada.page(place).get_data(as_text=True)
    town.issuer.broken.clear()
    assert ada.post(f"{place}/accept").json["offer"]["cards"][0]["verdict"] == "keep"
    assert [name for name, _, _ in town.issuer.seen].count("token") == 1


def test_a_used_nonce_is_replaced_once(town: Town, ada: Person) -> None:
    answers = [json_response(400, OAuthError("invalid_nonce", "Old.").json)]
    town.issuer.broken["credential"] = lambda _: answers.pop() if answers else None
    assert ada.accepts(town)["cards"][0]["verdict"] == "keep"
    assert [name for name, _, _ in town.issuer.seen].count("nonce") == 2


def test_a_token_that_is_not_accepted_any_more_ends_the_offer(town: Town, ada: Person) -> None:
    town.issuer.broken["credential"] = json_response(401, OAuthError("invalid_token", "Expired.").json)
    place = ada.open(town.issuer.link)
    refused = ada.post(f"{place}/accept", tx_code="493827")
    assert refused.json["error"] == "oid4vci.invalid_token"
    assert ada.get(place).json["offer"]["stage"] == "settled"
    assert "No card was issued" in ada.page(place).get_data(as_text=True)
    assert _kinds(town) == {"event": 1, "offer": 1}


def test_unfinished_offers_and_their_keys_are_forgotten_in_time(town: Town, ada: Person) -> None:
    town.issuer.broken["credential"] = Unavailable("fetch.unreachable", "Away.")
    place = ada.open(town.issuer.link)
    ada.post(f"{place}/accept", tx_code="493827")
    assert _kinds(town) == {"offer": 1, "key": 1}
    town.clock.move(days=8)
    other = Person.joins(ada.client.application, "Grace")
    other.post("/lock")
    other.post("/unlock", name="Grace", passphrase="correct horse battery")
    assert _kinds(town) == {}


def test_the_key_of_a_kept_card_is_never_forgotten(town: Town, ada: Person) -> None:
    ada.accepts(town)
    town.clock.move(days=30)
    ada.post("/unlock", name="Ada", passphrase="correct horse battery")
    assert _kinds(town) == {"card": 1, "key": 1, "event": 1}


# --- what an issuer may get wrong -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "response", "code"),
    [
        ("1", Response(404, "", {}, b"no"), "oid4vci.error_response"),
        ("1", Response(200, "", {}, b"{}"), None),
        ("openid-credential-issuer", Response(200, "", {}, b"not json"), "encoding.json"),
        ("openid-credential-issuer", json_response(200, {"credential_issuer": "https://other.test"}), None),
        ("openid-credential-issuer", Response(200, "", {}, b"\xff"), None),
        ("oauth-authorization-server", json_response(200, {"issuer": "https://other.test"}), None),
        ("oauth-authorization-server", Response(503, "", {}, b""), "oid4vci.unavailable"),
    ],
)
def test_an_offer_that_cannot_be_looked_at_says_why(
    endpoint: str, response: Response, code: str | None, town: Town, ada: Person
) -> None:
    town.issuer.broken[endpoint] = response
    answer = ada.post("/open", link=town.issuer.link)
    assert answer.status_code in {400, 503}
    assert code in {None, answer.json["error"]}
    assert answer.json["error_description"]
    assert _kinds(town) == {}
    page = ada.send("/open", link=town.issuer.link)
    assert page.status_code == answer.status_code
    assert "Try again" in page.get_data(as_text=True)


@pytest.mark.parametrize(
    "response",
    [
        json_response(200, {}),
        json_response(200, {"credentials": []}),
        json_response(200, {"credentials": [{"credential": ["a", "list"]}]}),
        json_response(202, {"transaction_id": "later", "interval": 5}),
        Response(200, "", {}, b"\xff\xfe"),
        Response(302, "", {}, b""),
        Response(500, "", {}, b"<html>"),
        json_response(400, {"error": "credential_request_denied"}),
    ],
)
def test_a_strange_credential_response_keeps_nothing(response: Response, town: Town, ada: Person) -> None:
    town.issuer.broken["credential"] = response
    place = ada.open(town.issuer.link)
    answer = ada.post(f"{place}/accept", tx_code="493827")
    assert answer.status_code >= 400
    assert "Traceback" not in answer.get_data(as_text=True)
    assert ada.cards() == []
    page = ada.page(place)
    assert page.status_code == 200
    assert ada.get(place).json["offer"]["problem"] is not None


def test_an_object_where_a_text_belongs_is_looked_at_and_not_kept(town: Town, ada: Person) -> None:
    town.issuer.broken["credential"] = json_response(200, {"credentials": [{"credential": {"an": "object"}}]})
    place = ada.open(town.issuer.link)
    ada.post(f"{place}/accept", tx_code="493827")
    assert ada.cards() == []
    assert [card["verdict"] for card in ada.get(place).json["offer"]["cards"]] == ["refuse"]


def test_offers_this_wallet_cannot_take_are_refused_before_anything_is_made(town: Town, ada: Person) -> None:
    town.issuer.proof_algs = ("RS256",)
    assert ada.post("/open", link=town.issuer.link).json["error"] == "offer.proof"
    town.issuer.proof_algs = ("ES256",)
    signing_in = {"credential_issuer": ISSUER, "credential_configuration_ids": ["person"]}
    town.issuer.broken["1"] = json_response(200, {**signing_in, "grants": {"authorization_code": {}}})
    assert ada.post("/open", link=town.issuer.link).json["error"] == "offer.grant"
    other = {**town.issuer.offer.json, "credential_configuration_ids": ["unheard-of"]}
    town.issuer.broken["1"] = json_response(200, other)
    assert ada.post("/open", link=town.issuer.link).json["error"] == "offer.configuration"
    assert _kinds(town) == {}


def test_two_presses_at_once_make_one_card(town: Town, ada: Person) -> None:
    place = ada.open(town.issuer.link)
    second: list[Any] = []

    def press(_: str) -> None:
        if not second:
            second.append(None)
            second[0] = ada.post(f"{place}/accept", tx_code="493827")

    town.issuer.broken["token"] = press
    first = ada.post(f"{place}/accept", tx_code="493827")
    assert second[0].json["error"] == "offer.busy"
    assert first.json["offer"]["cards"][0]["verdict"] == "keep"
    assert len(ada.cards()) == 1


def test_a_status_bomb_does_not_hurt(town: Town, ada: Person) -> None:
    town.issuer.draft_changes["statuses"] = (StatusRef("token_status_list", f"{ISSUER}/bomb", 1),)
    town.world[f"{ISSUER}/bomb"] = zlib.compress(bytes(50_000_000))
    assert ada.accepts(town)["stage"] in {"settled", "authorized"}


def test_nothing_of_it_is_readable_in_the_database(town: Town, ada: Person) -> None:
    ada.accepts(town)
    content = b"".join(path.read_bytes() for path in (town.folder / "wallet").glob("wallet.db*"))
    needles = ["Eileen", "Collins", "1956-11-19", "X1234567", "Verified person", "Test desk", "issuer.test", "Ada"]
    needles += [
        "correct horse battery",
        town.issuer.code,
        *town.issuer.tokens,
        json.dumps(ISSUER),
        "eyJhbGci",
        "eyJ0eXAi",
    ]
    assert [needle for needle in needles if needle.encode() in content] == []
    assert b"records" in content


def _kinds(town: Town) -> dict[str, int]:
    """How many records of each kind the database holds."""
    database = engine(f"sqlite:///{town.folder / 'wallet' / 'wallet.db'}")
    with reading(database) as connection:
        rows = connection.execute(text("SELECT kind, count(*) FROM records GROUP BY kind"))
        return {str(row[0]): int(row[1]) for row in rows}


def _with_cookies(app: Flask, owner: Person, other: Person) -> Any:
    """The other browser, carrying the owner's cookie."""
    cookie = owner.client.get_cookie("__Host-facet-wallet", domain="localhost")
    assert cookie is not None
    other.client.set_cookie(cookie.key, cookie.value, domain="localhost", secure=True)
    return other.client
