"""Killing any service at any moment loses nothing that it had acknowledged, and nothing works twice afterwards.

For each service, many things are brought to different points of the flow; then comes one SIGKILL to the service with
all its workers, while further requests are under way; it starts again on the same folder; and each thing goes on from
where it was. Only what a client can see over HTTP is looked at.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from scripts import rogue
from ssi.keys import SoftwareSigner
from tests.processes import wires
from tests.processes.ground import PASSPHRASE, Actors, Ground, Late, Wallets, good, refusal

ADULT = (("age_over_18",),)
MOMENT = 0.005  # how long the requests under way run before the kill


def wire_of(response: httpx.Response) -> str:
    return str(good(response)["credentials"][0]["credential"])


def connected(ground: Ground, role: str, count: int) -> list[httpx.Client]:
    """Clients whose connections to a service are open already."""
    clients = [ground.client() for _ in range(count)]
    for client in clients:
        good(client.get(ground.urls[role] + "/healthz"))
    return clients


# --- the wallet: first, so that its longest pause is over when test_process_recovery looks again ---------------------


def test_a_card_and_its_key_and_the_history_are_still_there(actors: Actors, wallets: Wallets) -> None:
    person = wallets.steady
    assert person.cards() == wallets.cards, "the wallet is still unlocked by the same cookie, and holds the same card"
    assert actors.result(wallets.asked["id"])["verdict"] == "verified"
    assert good(person.get(wallets.shared))["request"]["state"] == "shared"
    assert [event["what"] for event in good(person.get("/history"))["events"]] == ["shared", "added"]
    good(person.post(wallets.shared + "/share"))
    assert len(good(person.get("/history"))["events"]) == 2, "sharing again sends nothing"
    created = actors.ask("over-21")
    good(person.post(person.open(created["link"]) + "/share"))
    assert actors.result(created["id"])["verdict"] == "verified"


def test_an_offer_that_was_looked_at_can_still_be_accepted_once(wallets: Wallets) -> None:
    person, page, code = wallets.looking, wallets.offer_page, wallets.offer["tx_code"]
    assert good(person.get(page))["offer"]["stage"] == "offered"
    good(person.post(page + "/accept", tx_code=code))
    cards = person.cards()
    assert len(cards) == 1
    good(person.post(page + "/accept", tx_code=code))
    assert person.cards() == cards, "accepting again brings no second card"


def test_a_locked_wallet_stays_locked_and_opens_with_its_passphrase(ground: Ground, wallets: Wallets) -> None:
    with ground.client() as copy:
        copy.cookies.update(wallets.cookies)
        answer = copy.get(wallets.gone.url + "/cards", headers={"Accept": "application/json"})
    assert refusal(answer) == (401, "account.locked")
    good(wallets.gone.post("/unlock", name=wallets.gone.name, passphrase=PASSPHRASE))
    assert wallets.gone.cards() == []


def test_what_may_have_been_sent_is_in_the_history(actors: Actors, wallets: Wallets) -> None:
    person = wallets.sending
    assert good(person.get("/history"))["events"][0]["what"] == "sending", "sent, not confirmed"
    assert good(person.get(wallets.request))["request"]["state"] == "open"
    assert actors.result(wallets.requested["id"])["state"] == "scanned", "it had not arrived"
    assert refusal(person.post(wallets.request + "/share")) == (409, "request.busy")


def test_an_interrupted_acceptance_is_not_forgotten(wallets: Wallets) -> None:
    person = wallets.stuck
    assert person.cards() == [], "nothing half there"
    assert person.open(wallets.stuck_offer["link"]) == wallets.stuck_page, "the same link leads to the same offer"
    again = person.post(wallets.stuck_page + "/accept", tx_code=wallets.stuck_offer["tx_code"])
    assert refusal(again) == (409, "offer.busy"), "as long as another worker might still be at it"


# --- the issuing desk -------------------------------------------------------------------------------------------------


@dataclass
class Redeemed:
    """An offer in a wallet of our own: what it has received so far."""

    grant: Mapping[str, str] = field(default_factory=dict)
    access: str = ""
    nonce: str = ""
    wire: str = ""
    holder: SoftwareSigner = field(default_factory=lambda: SoftwareSigner.generate("ES256"))


@dataclass
class Offers:
    """Offers, each as far as it had come when the desk was killed."""

    application: str
    made: dict[str, Any]
    guessed: Redeemed
    redeemed: Redeemed
    nonced: Redeemed
    issued: Redeemed
    issued_id: str
    revoked: Redeemed
    under_way: list[tuple[Redeemed, httpx.Response | httpx.HTTPError]]
    before: set[str]


@pytest.fixture(scope="module")
def offers(ground: Ground, actors: Actors) -> Offers:
    applications = [actors.apply() for _ in range(10)]
    made = [actors.offer(application) for application in applications[1:]]
    waiting, guessed, *rest = made[0], Redeemed(actors.grant(made[1])), *made[2:]
    for _ in range(4):
        actors.token({**guessed.grant, "tx_code": wrong(guessed.grant["tx_code"])})
    redeemed, nonced, issued, revoked, *under_way = (grasp(actors, each) for each in rest)
    for one in (nonced, issued, revoked, *under_way):
        one.nonce = actors.nonce()
    for one in (issued, revoked):
        one.wire = wire_of(actors.credential(one.access, one.holder, one.nonce))
    by_application = {one["application_id"]: one["id"] for one in actors.credentials()}
    actors.desk("POST", f"/desk/credentials/{by_application[applications[6]]}/revoke", data={"reason": "lost"})
    before = {one["id"] for one in actors.credentials()}
    clients = connected(ground, "issuer", len(under_way))
    late = [
        Late(client, "POST", **actors.credential_request(one.access, one.holder, one.nonce))
        for client, one in zip(clients, under_way, strict=True)
    ]
    time.sleep(MOMENT)
    ground.crash("issuer")
    told = [(one, each.end()) for one, each in zip(under_way, late, strict=True)]
    for client in clients:
        client.close()
    return Offers(
        applications[0], waiting, guessed, redeemed, nonced, issued, by_application[applications[5]], revoked, told,
        before,
    )  # fmt: skip


def grasp(actors: Actors, offer: Mapping[str, Any]) -> Redeemed:
    grant = actors.grant(offer)
    return Redeemed(grant, good(actors.token(grant))["access_token"])


def wrong(code: str) -> str:
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def test_a_decision_is_still_there_and_can_be_offered(actors: Actors, offers: Offers) -> None:
    assert actors.desk("GET", f"/desk/applications/{offers.application}")["reasons"] == []
    made = actors.offer(offers.application)
    assert rogue.claim(actors.http, made["link"], made["tx_code"])


def test_an_offer_that_waited_can_be_redeemed(actors: Actors, offers: Offers) -> None:
    assert rogue.claim(actors.http, offers.made["link"], offers.made["tx_code"])


def test_wrong_transaction_codes_stay_counted(actors: Actors, offers: Offers) -> None:
    grant = offers.guessed.grant
    assert refusal(actors.token({**grant, "tx_code": wrong(grant["tx_code"])})) == (400, "invalid_grant")
    assert refusal(actors.token(grant)) == (400, "invalid_grant"), "five tries were five tries"


def test_a_code_works_once_and_its_token_still_does(actors: Actors, offers: Offers) -> None:
    one = offers.redeemed
    assert wire_of(actors.credential(one.access, one.holder, actors.nonce()))
    assert refusal(actors.token(one.grant)) == (400, "invalid_grant")
    assert refusal(actors.credential(one.access, one.holder, actors.nonce())) == (401, "invalid_token")


def test_a_nonce_works_once(actors: Actors, offers: Offers) -> None:
    one = offers.nonced
    assert wire_of(actors.credential(one.access, one.holder, one.nonce))
    for used in (offers.nonced, offers.issued):
        assert refusal(actors.credential(used.access, used.holder, used.nonce)) == (400, "invalid_nonce")


def test_an_issued_credential_can_be_had_again_and_each_key_has_its_own(actors: Actors, offers: Offers) -> None:
    one = offers.issued
    again = wire_of(actors.credential(one.access, one.holder, actors.nonce()))
    assert wires.place(again) == wires.place(one.wire)
    other = wire_of(actors.credential(one.access, SoftwareSigner.generate("ES256"), actors.nonce()))
    assert wires.place(other) != wires.place(one.wire), "another key of the same wallet has a copy of its own"
    assert [each["id"] for each in actors.credentials()].count(offers.issued_id) == 1


def test_revoked_is_revoked(actors: Actors, offers: Offers) -> None:
    assert wires.published(actors.http, wires.place(offers.revoked.wire)) == 1
    assert wires.published(actors.http, wires.place(offers.issued.wire)) == 0
    one = offers.revoked
    again = actors.credential(one.access, one.holder, actors.nonce())
    assert refusal(again) == (400, "credential_request_denied")


def test_what_was_being_issued_has_happened_or_has_not(actors: Actors, offers: Offers) -> None:
    places = set()
    for one, told in offers.under_way:
        place = wires.place(wire_of(actors.credential(one.access, one.holder, actors.nonce())))
        if isinstance(told, httpx.Response):
            assert place == wires.place(wire_of(told)), "what was acknowledged stays as it was"
            assert refusal(actors.credential(one.access, one.holder, one.nonce)) == (400, "invalid_nonce")
        places.add(place)
    assert len(places) == len(offers.under_way), "no two credentials share a place in the status list"


# --- the verifier -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def possession(actors: Actors) -> rogue.Loot:
    """A credential that is bound to a key in the open."""
    offer = actors.offer(actors.apply())
    return rogue.claim(actors.http, offer["link"], offer["tx_code"])


@dataclass
class Sent:
    """A request, where its answer goes, the answer, and what was told of it."""

    created: dict[str, Any]
    target: str = ""
    form: Mapping[str, str] = field(default_factory=dict)
    nonce: str = ""
    told: httpx.Response | httpx.HTTPError | None = None


@dataclass
class Asked:
    """Requests, each as far as it had come when the verifier was killed."""

    created: Sent
    scanned: Sent
    answered: list[Sent]
    results: list[dict[str, Any]]
    under_way: list[Sent]


@pytest.fixture(scope="module")
def asked(ground: Ground, actors: Actors, possession: rogue.Loot) -> Asked:
    def scanned(mode: str) -> Sent:
        created = actors.ask(response_mode=mode)
        nonce = wires.nonce(actors.http.get(created["request_uri"]).text)
        return Sent(created, *wires.answer(actors.http, created, possession, ADULT), nonce)

    answered = [scanned(mode) for mode in ("direct_post", "direct_post.jwt")]
    for each in answered:
        assert good(actors.http.post(each.target, data=dict(each.form))) == {}
    results = [actors.result(each.created["id"]) for each in answered]
    waiting, created = scanned("direct_post.jwt"), Sent(actors.ask())
    under_way = [scanned("direct_post") for _ in range(6)]
    clients = connected(ground, "verifier", len(under_way))
    late = [
        Late(client, "POST", each.target, data=dict(each.form)) for client, each in zip(clients, under_way, strict=True)
    ]
    time.sleep(MOMENT)
    ground.crash("verifier")
    for each, one in zip(under_way, late, strict=True):
        each.told = one.end()
    for client in clients:
        client.close()
    return Asked(created, waiting, answered, results, under_way)


def test_a_created_request_is_still_open(actors: Actors, asked: Asked, possession: rogue.Loot) -> None:
    created = asked.created.created
    assert actors.result(created["id"])["state"] == "created"
    target, form = wires.answer(actors.http, created, possession, ADULT)
    good(actors.http.post(target, data=form))
    assert actors.result(created["id"])["verdict"] == "verified"


def test_a_scanned_request_is_the_same_one_and_can_be_answered(actors: Actors, asked: Asked) -> None:
    one = asked.scanned
    assert actors.result(one.created["id"])["state"] == "scanned"
    assert wires.nonce(actors.http.get(one.created["request_uri"]).text) == one.nonce
    good(actors.http.post(one.target, data=dict(one.form)))
    assert actors.result(one.created["id"])["verdict"] == "verified", "also its decryption key is still there"


def test_an_acknowledged_answer_keeps_its_verdict_and_counts_once(actors: Actors, asked: Asked) -> None:
    for one, result in zip(asked.answered, asked.results, strict=True):
        assert result["verdict"] == "verified"
        assert actors.result(one.created["id"]) == result, "claims, findings, and the time at which they are erased"
        assert datetime.fromisoformat(result["claims_until"]) > datetime.now(UTC)
        assert refusal(actors.http.post(one.target, data=dict(one.form))) == (409, "session.spent")
        assert refusal(actors.http.get(one.created["request_uri"])) == (409, "session.spent")
        assert actors.result(one.created["id"]) == result


def test_an_answer_under_way_has_counted_or_has_not(actors: Actors, asked: Asked) -> None:
    for one in asked.under_way:
        state = actors.result(one.created["id"])["state"]
        if isinstance(one.told, httpx.Response):
            assert (one.told.status_code, state) == (200, "verified")
        elif state == "scanned":  # it never arrived, and may be sent again
            good(actors.http.post(one.target, data=dict(one.form)))
            assert actors.result(one.created["id"])["state"] == "verified"
        else:  # it arrived, and was judged or interrupted
            assert state in {"received", "verified"}
            assert refusal(actors.http.post(one.target, data=dict(one.form))) == (409, "session.spent")
