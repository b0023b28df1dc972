from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from ssi import jose, oid4vp
from ssi.encoding import b64url, unb64url
from ssi.errors import Refused
from tests.support import NOW
from tests.verifier.world import BASE, LIST, Wallet, World
from verifier.web import keep_sweeping
from verifier.web.context import Context

MODES = ["direct_post", "direct_post.jwt"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def client(world: World) -> Iterator[FlaskClient]:
    """The relying party's program."""
    with world.app().test_client(use_cookies=False) as made:
        yield made


@pytest.fixture
def wallet(world: World, client: FlaskClient) -> Wallet:
    return Wallet(world, client.application.test_client(use_cookies=False))


def create(world: World, client: FlaskClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/api/requests", json={"template": "identity", **body}, headers=world.authorized)
    assert answer.status_code == 201, answer.json
    made: dict[str, Any] = answer.json
    return made


def look(world: World, client: FlaskClient, request_id: str, query: str = "") -> dict[str, Any]:
    answer = client.get(f"/api/requests/{request_id}{query}", headers=world.authorized)
    assert answer.status_code == 200, answer.json
    told: dict[str, Any] = answer.json
    return told


def finding(told: dict[str, Any], check: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in told["findings"] if one["check"] == check)
    return found


@pytest.mark.parametrize("mode", MODES)
def test_asked_answered_verified(world: World, client: FlaskClient, wallet: Wallet, mode: str) -> None:
    made = create(world, client, response_mode=mode, purpose="Open an account")
    assert made["state"] == "created"
    assert look(world, client, made["id"])["verdict"] is None
    request = wallet.open(made["link"])
    assert request.purpose == "Open an account"
    assert request.response_mode == mode
    assert look(world, client, made["id"])["state"] == "scanned"
    answer = wallet.post(request, wallet.answer(request))
    assert (answer.status_code, answer.json) == (200, {})
    told = look(world, client, made["id"])
    assert told["state"] == told["verdict"] == "verified"
    assert told["claims"] == {"person": [{"given_name": "Eileen", "family_name": "Collins", "birthdate": "1956-11-19"}]}
    assert told["credentials"][0]["issuer"] == "Facet Desk"
    every = "format type signature holder_binding validity status trust ledger schema presence rule"
    assert {one["check"] for one in told["findings"]} == set(every.split())
    assert all(one["detail"] for one in told["findings"])


@pytest.mark.parametrize("mode", MODES)
def test_a_replayed_response_is_refused_and_changes_nothing(
    world: World, client: FlaskClient, wallet: Wallet, mode: str
) -> None:
    made = create(world, client, response_mode=mode)
    request = wallet.open(made["link"])
    form = wallet.answer(request)
    assert wallet.post(request, form).status_code == 200
    before = look(world, client, made["id"])
    for again in (form, wallet.answer(request), oid4vp.decline(request, description="No.")):
        answer = wallet.post(request, again)
        assert answer.status_code == 409
        assert answer.json["error"] == "session.spent"
    assert look(world, client, made["id"]) == before
    with pytest.raises(Refused, match="spent"):
        wallet.open(made["link"])


def test_a_presentation_of_another_request_is_refused(world: World, client: FlaskClient, wallet: Wallet) -> None:
    first, second = (create(world, client, response_mode="direct_post") for _ in range(2))
    one, two = wallet.open(first["link"]), wallet.open(second["link"])
    assert one.nonce != two.nonce
    stolen = {"vp_token": wallet.answer(one)["vp_token"], "state": two.state or ""}
    answer = wallet.post(two, stolen)
    assert answer.status_code == 400
    assert answer.json["error"] == "session.presentation_refused"
    told = look(world, client, second["id"])
    assert told["verdict"] == "not_verified"
    assert finding(told, "holder_binding")["outcome"] == "fail"
    assert "claims" not in told
    assert "credentials" not in told
    assert "Eileen" not in json.dumps(told)


def test_a_tampered_disclosure_is_not_verified_and_its_claims_are_kept_nowhere(
    world: World, client: FlaskClient, wallet: Wallet
) -> None:
    made = create(world, client, response_mode="direct_post")
    request = wallet.open(made["link"])
    wire = wallet.presentation(request)
    parts = wire.split("~")
    parts[1] = b64url(unb64url(parts[1]).replace(b"Eileen", b"Ellen"))
    answer = wallet.post(request, oid4vp.respond(request, {"person": ["~".join(parts)]}))
    assert answer.status_code == 400
    told = look(world, client, made["id"])
    assert told["verdict"] == "not_verified"
    assert "Collins" not in json.dumps(told)
    assert b"Collins" not in (world.folder / "verifier.db").read_bytes()


def test_a_revoked_credential_is_not_verified_and_the_wallet_is_not_told_why(
    world: World, client: FlaskClient, wallet: Wallet
) -> None:
    world.revoked.add(7)
    made = create(world, client)
    request = wallet.open(made["link"])
    answer = wallet.post(request, wallet.answer(request))
    assert (answer.status_code, answer.json) == (200, {})
    told = look(world, client, made["id"])
    assert told["verdict"] == "not_verified"
    assert finding(told, "status")["code"] == "status.revoked"
    assert "claims" not in told


def test_an_unreachable_status_list_reads_as_could_not_check(world: World, client: FlaskClient, wallet: Wallet) -> None:
    del world.pages[LIST]
    made = create(world, client)
    request = wallet.open(made["link"])
    wallet.post(request, wallet.answer(request))
    told = look(world, client, made["id"])
    assert told["verdict"] == "could_not_check"
    assert finding(told, "status")["outcome"] == "unknown"
    assert "claims" not in told


@pytest.mark.parametrize("mode", MODES)
def test_a_person_may_decline(world: World, client: FlaskClient, wallet: Wallet, mode: str) -> None:
    made = create(world, client, response_mode=mode)
    request = wallet.open(made["link"])
    assert wallet.post(request, oid4vp.decline(request, description="No.")).status_code == 200
    told = look(world, client, made["id"])
    assert (told["state"], told["verdict"], told["findings"]) == ("declined", None, [])


def test_a_wallet_that_cannot_answer_is_neither_yes_nor_no(world: World, client: FlaskClient, wallet: Wallet) -> None:
    for error, code in [
        ("vp_formats_not_supported", "wallet.vp_formats_not_supported"),
        ("<b>odd", "wallet.other_error"),
    ]:
        made = create(world, client, response_mode="direct_post")
        request = wallet.open(made["link"])
        form = {"error": error, "error_description": "<script>", "state": request.state or ""}
        assert wallet.post(request, form).status_code == 200
        told = look(world, client, made["id"])
        assert told["verdict"] == "could_not_check"
        assert finding(told, "format")["code"] == code
        assert "<script>" not in json.dumps(told)


def test_a_request_may_be_fetched_again_until_it_expires(world: World, client: FlaskClient, wallet: Wallet) -> None:
    made = create(world, client)
    first = wallet.open(made["link"])
    world.clock.move(seconds=200)
    second = wallet.open(made["link"])
    assert (first.nonce, first.state, first.encryption_keys) == (second.nonce, second.state, second.encryption_keys)
    form = wallet.answer(second)
    world.clock.move(seconds=100)
    with pytest.raises(Refused, match="expired"):
        wallet.open(made["link"])
    answer = wallet.post(second, form)
    assert (answer.status_code, answer.json["error"]) == (410, "session.expired")
    told = look(world, client, made["id"])
    assert (told["state"], told["verdict"]) == ("expired", None)


def test_a_posted_wallet_nonce_comes_back_signed(world: World, client: FlaskClient, wallet: Wallet) -> None:
    made = create(world, client)
    path = made["request_uri"].removeprefix(BASE)
    answer = wallet.client.post(path, data={"wallet_nonce": "qPmxiNFCR3QTm19POc8u", "wallet_metadata": "{}", "x": "y"})
    assert answer.status_code == 200
    token = jose.parse(answer.get_data(), typ=("oauth-authz-req+jwt",))
    assert token.claims["wallet_nonce"] == "qPmxiNFCR3QTm19POc8u"
    assert token.claims["aud"] == "https://self-issued.me/v2"
    assert "wallet_nonce" not in jose.parse(wallet.client.get(path).get_data(), typ=("oauth-authz-req+jwt",)).claims
    assert wallet.client.post(path).status_code == 200


def test_each_request_has_a_key_of_its_own_that_lies_sealed(world: World, client: FlaskClient, wallet: Wallet) -> None:
    keys = []
    for _ in range(2):
        made = create(world, client)
        request = wallet.open(made["link"])
        keys += [key["x"] for key in request.encryption_keys]
    assert len(set(keys)) == 2
    rows = sqlite3.connect(world.folder / "verifier.db").execute("SELECT key FROM verifier_requests").fetchall()
    assert all(sealed and keys[0].encode() not in sealed for (sealed,) in rows)
    wallet.post(request, wallet.answer(request))
    (left,) = sqlite3.connect(world.folder / "verifier.db").execute(
        "SELECT count(*) FROM verifier_requests WHERE key IS NOT NULL"
    ).fetchone()  # fmt: skip
    assert left == 1


def test_only_what_was_asked_is_kept(world: World, client: FlaskClient, wallet: Wallet) -> None:
    made = create(world, client, template="over-18", response_mode="direct_post")
    request = wallet.open(made["link"])
    too_much = world.present(oid4vp.challenge(request), [["age_over_18"], ["given_name"], ["document"]])
    wallet.post(request, oid4vp.respond(request, {"person": [too_much.wire]}))
    told = look(world, client, made["id"])
    assert told["verdict"] == "verified"
    assert told["claims"] == {"person": [{"age_over_18": True}]}


def test_claims_are_erased_when_their_time_is_up(world: World, client: FlaskClient, wallet: Wallet) -> None:
    made = create(world, client)
    request = wallet.open(made["link"])
    wallet.post(request, wallet.answer(request))
    told = look(world, client, made["id"])
    assert told["claims_state"] == "kept"
    assert told["claims_until"] == "2026-11-20T12:10:00Z"
    world.clock.move(minutes=10)
    told = look(world, client, made["id"])
    assert (told["verdict"], told["claims_state"]) == ("verified", "erased")
    assert "claims" not in told
    Context.of(client.application).sessions.sweep()
    rows = sqlite3.connect(world.folder / "verifier.db").execute("SELECT claims, outcome FROM verifier_requests")
    assert rows.fetchall() == [(None, "verified")]
    world.clock.move(days=2)
    Context.of(client.application).sessions.sweep()
    assert client.get(f"/api/requests/{made['id']}", headers=world.authorized).status_code == 404


def test_no_retention_means_that_nothing_is_shown_later(world: World) -> None:
    with world.app(retention_seconds="0").test_client() as client:
        wallet = Wallet(world, client)
        made = create(world, client)
        request = wallet.open(made["link"])
        wallet.post(request, wallet.answer(request))
        told = look(world, client, made["id"])
        assert (told["verdict"], told["claims_state"]) == ("verified", "erased")


def test_a_check_that_died_reads_as_interrupted_and_stays_so(
    world: World, client: FlaskClient, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create(world, client)
    request = wallet.open(made["link"])
    form = wallet.answer(request)

    class Killed(BaseException):
        """The process ends here."""

    def die(*_args: Any, **_named: Any) -> None:
        raise Killed

    store = type(Context.of(client.application).sessions.store)
    with monkeypatch.context() as patch:
        patch.setattr(store, "record", die)
        with pytest.raises(Killed):
            wallet.post(request, form)
    assert look(world, client, made["id"])["state"] == "received"
    assert wallet.post(request, form).status_code == 409
    world.clock.move(seconds=31)
    told = look(world, client, made["id"])
    assert told["verdict"] == "could_not_check"
    assert finding(told, "format")["code"] == "session.interrupted"
    assert "interrupted" in finding(told, "format")["detail"]
    assert "claims" not in told
    assert wallet.post(request, form).json["error"] == "session.spent"


def test_a_judgement_that_comes_too_late_is_not_recorded_as_a_verdict(
    world: World, client: FlaskClient, wallet: Wallet
) -> None:
    made = create(world, client)
    request = wallet.open(made["link"])
    form = wallet.answer(request)
    slow = world.pages[LIST]

    def after_a_minute(*args: Any) -> Any:
        world.clock.move(minutes=1)
        return slow(*args)

    world.pages[LIST] = after_a_minute
    wallet.post(request, form)
    assert look(world, client, made["id"])["verdict"] == "could_not_check"


def test_a_query_and_a_policy_of_the_relying_partys_own(world: World, client: FlaskClient, wallet: Wallet) -> None:
    query = {
        "credentials": [
            {
                "id": "who",
                "format": "dc+sd-jwt",
                "meta": {"vct_values": ["urn:facet:credential:verified-person:1"]},
                "claims": [{"path": ["nationalities", 1]}, {"path": ["document", "issuing_country"]}],
            }
        ]
    }
    policy = {"rules": [{"path": ["document", "issuing_country"], "equals": "US", "passed": "Issued in the US."}]}
    body = {"dcql_query": query, "policy": policy, "title": "Own"}
    answer = client.post("/api/requests", json=body, headers=world.authorized)
    assert answer.status_code == 201
    request = wallet.open(answer.json["link"])
    wallet.post(request, wallet.answer(request))
    told = look(world, client, answer.json["id"])
    assert told["verdict"] == "verified"
    assert told["claims"] == {"who": [{"nationalities": ["IE"], "document": {"issuing_country": "US"}}]}
    assert "Issued in the US." in [one["detail"] for one in told["findings"]]


def test_an_untrusted_issuer_is_not_verified(world: World, client: FlaskClient, tmp_path: Path) -> None:
    stranger = World(tmp_path / "stranger")
    made = create(world, client)
    wallet = Wallet(world, client)
    request = wallet.open(made["link"])
    world.holder = stranger.holder
    form = wallet.answer(request, credential=stranger.credential(statuses=()))
    assert wallet.post(request, form).status_code == 200
    told = look(world, client, made["id"])
    assert told["verdict"] == "not_verified"
    assert finding(told, "trust")["outcome"] == "fail"
    assert finding(told, "signature")["outcome"] == "pass"


def test_the_api_clients_own_same_device_flow_needs_the_response_code(
    world: World, client: FlaskClient, wallet: Wallet
) -> None:
    made = create(world, client, redirect_uri="https://shop.test/back?order=1")
    request = wallet.open(made["same_device_link"])
    answer = wallet.post(request, wallet.answer(request))
    target = urlsplit(answer.json["redirect_uri"])
    assert answer.json["redirect_uri"].startswith("https://shop.test/back?order=1&response_code=")
    code = parse_qs(target.query)["response_code"][0]
    for query in ("", "?response_code=wrong"):
        told = look(world, client, made["id"], query)
        assert (told["state"], told["awaiting_return"], told["findings"]) == ("received", True, [])
        assert "claims" not in told
    told = look(world, client, made["id"], f"?response_code={code}")
    assert told["verdict"] == "verified"
    assert look(world, client, made["id"])["verdict"] == "verified"


def test_the_qr_code_is_a_picture_for_as_long_as_it_works(world: World, client: FlaskClient, wallet: Wallet) -> None:
    made = create(world, client)
    path = made["qr_svg_url"].removeprefix(BASE)
    answer = wallet.client.get(path)
    assert answer.mimetype == "image/svg+xml"
    assert answer.get_data(as_text=True).startswith("<svg")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    world.clock.move(minutes=6)
    assert wallet.client.get(path).status_code == 410


def test_the_request_object_is_what_haip_asks_for(world: World, client: FlaskClient) -> None:
    made = create(world, client)
    token = jose.parse(client.get(made["request_uri"].removeprefix(BASE)).get_data(), typ=("oauth-authz-req+jwt",))
    claims = token.claims
    assert claims["client_id"].startswith("x509_hash:")
    assert len(jose.x5c(token.header)) == 1
    assert claims["client_metadata"]["encrypted_response_enc_values_supported"] == ["A128GCM", "A256GCM"]
    assert claims["exp"] - claims["iat"] == 300
    assert "redirect_uri" not in claims
    assert made["id"] not in json.dumps(claims)
    assert claims["iat"] == NOW.timestamp()


def test_of_answers_that_come_at_once_one_counts(world: World, client: FlaskClient, wallet: Wallet) -> None:
    made = create(world, client, response_mode="direct_post")
    request = wallet.open(made["link"])
    forms = [wallet.answer(request) for _ in range(4)]
    start, statuses = threading.Barrier(4), []

    def post(form: dict[str, str]) -> None:
        other = Wallet(world, client.application.test_client(use_cookies=False))
        start.wait()
        statuses.append(other.post(request, form).status_code)

    threads = [threading.Thread(target=post, args=(form,)) for form in forms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409, 409, 409]
    assert look(world, client, made["id"])["verdict"] == "verified"


def test_sweeping_goes_on_by_itself(world: World, client: FlaskClient, wallet: Wallet) -> None:
    made = create(world, client)
    request = wallet.open(made["link"])
    wallet.post(request, wallet.answer(request))
    world.clock.move(minutes=11)
    stop = keep_sweeping(Context.of(client.application).sessions, every=0.01)
    database = sqlite3.connect(world.folder / "verifier.db")
    for _ in range(100):
        if database.execute("SELECT claims FROM verifier_requests").fetchone() == (None,):
            break
        time.sleep(0.02)
    stop()
    assert database.execute("SELECT claims, outcome FROM verifier_requests").fetchall() == [(None, "verified")]
