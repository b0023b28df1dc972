"""The FAPI 2.0 modules of the issuer's HAIP plan: does the desk's authorization server keep FAPI 2.0's rules?

An attested wallet with DPoP at a desk that keeps to HAIP. Whatever ends with a card is tried for both formats.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from ssi.keys import SoftwareSigner
from ssi.oauth import AuthorizationServer, Callback, clients
from tests.issuer.applicant import CLIENT, HTML, OTHER
from tests.issuer.world import BASE, World, error
from tests.plans.requesting import Caller


@pytest.fixture
def caller(desks: dict[bool, World]) -> Caller:
    return Caller(desks[True], "sd_jwt_vc", True)


@pytest.fixture
def either(desks: dict[bool, World], kind: str) -> Caller:
    return Caller(desks[True], kind, True)


def begun(caller: Caller, **changes: Any) -> tuple[FlaskClient, str]:
    """A browser with a pushed request, and the request's address."""
    answer = caller.applicant.push(**{"scope": (caller.scope,), **changes})
    assert answer.status_code == 201, answer.text
    return caller.applicant.browser(), answer.json["request_uri"]


def authorized(caller: Caller, extra: dict[str, str] | None = None, **changes: Any) -> Callback:
    """What comes back after the person has said yes; `extra` stands beside the request in the address."""
    wallet, (reference, tx_code) = caller.applicant, caller.offered()
    browser, uri = begun(caller, **changes)
    query = {"client_id": CLIENT, "request_uri": uri, **(extra or {})}
    assert browser.get("/authorize", query_string=query, base_url=BASE, headers=HTML).status_code == 303
    assert wallet.sign_in(browser, reference, tx_code).status_code == 303
    return wallet.allow(browser)


def finished(caller: Caller, back: Callback, headers: dict[str, str] | None = None) -> None:
    """The card, by the code that came back."""
    assert (back.error, back.iss) == (None, BASE)
    token = caller.applicant.redeem(str(back.code), headers)
    assert token.status_code == 200, token.text
    caller.cards(caller.asked(token.json["access_token"]))


def other_wallet(caller: Caller) -> dict[str, str]:
    """Another client by the same provider: its attestation and proof of possession."""
    provider, instance = caller.applicant.provider, SoftwareSigner.generate("ES256")
    assert provider is not None
    challenge = caller.world.post("/challenge").json["attestation_challenge"]
    terms = {"audience": BASE, "now": caller.world.clock(), "jti": secrets.token_urlsafe(), "challenge": challenge}
    pop = clients.make_pop(signer=instance, client_id=OTHER, **terms)
    return {clients.HEADER: provider.attestation(instance, client_id=OTHER), clients.POP_HEADER: pop}


# --- discovery, and what must succeed ---------------------------------------------------------------------------------


@pytest.mark.module("fapi2-security-profile-final-discovery-end-point-verification")
def test_the_server_announces_what_the_profile_wants(caller: Caller) -> None:
    answer = caller.world.get("/.well-known/oauth-authorization-server")
    server = AuthorizationServer.parse(answer.data, issuer=BASE)
    assert (server.response_types, server.pkce_methods) == (("code",), ("S256",))
    assert (server.par_required, server.iss_in_response) == (True, True)
    assert server.auth_methods == ("attest_jwt_client_auth",)
    assert "ES256" in server.dpop_algs
    assert not {"none", "RS256"} & set(server.dpop_algs)
    assert {"authorization_code", "refresh_token"} <= set(server.grant_types)
    endpoints = ("authorization_endpoint", "token_endpoint", "pushed_authorization_request_endpoint")
    assert {urlsplit(answer.json[name]).scheme for name in endpoints} == {"https"}


@pytest.mark.module(
    "fapi2-security-profile-final-happy-flow", "fapi2-security-profile-final-par-without-duplicate-parameters"
)
def test_two_people_sign_in_and_get_sender_constrained_tokens(either: Caller) -> None:
    """The authorization endpoint gets no more than `client_id` and `request_uri`."""
    for _ in range(2):
        token = either.token()
        assert error(either.ask(token["access_token"], {"Authorization": f"Bearer {token['access_token']}"}))[0] == 401
        either.cards(either.asked(token["access_token"]))


@pytest.mark.module("fapi2-security-profile-final-user-rejects-authentication")
def test_a_person_may_say_no(caller: Caller) -> None:
    caller.offered()
    browser, uri = begun(caller)
    caller.applicant.arrive(browser, uri)
    back = caller.applicant.allow(browser, "refuse")
    assert (back.error, back.state, back.iss, back.code) == ("access_denied", "st", BASE, None)


@pytest.mark.module(
    "fapi2-security-profile-final-ensure-authorization-request-without-state-success",
    "fapi2-security-profile-final-ensure-authorization-request-with-long-state",
)
@pytest.mark.parametrize("state", [None, "s" * 128, "s" * 1024])
def test_state_comes_back_as_it_was(either: Caller, state: str | None) -> None:
    back = authorized(either, state=state)
    assert back.state == state
    finished(either, back)


@pytest.mark.module(
    "fapi2-security-profile-final-ensure-different-state-inside-and-outside-request-object",
    "fapi2-security-profile-final-state-only-outside-request-object-not-used",
)
@pytest.mark.parametrize("inside", ["the-right-one", None])
def test_only_the_pushed_state_counts(caller: Caller, inside: str | None) -> None:
    back = authorized(caller, {"state": "another-one"}, state=inside)
    assert back.state == inside
    finished(caller, back)


@pytest.mark.module("fapi2-security-profile-final-access-token-type-header-case-sensitivity")
@pytest.mark.parametrize("scheme", ["dpop", "DPOP", "dPoP"])
def test_the_scheme_is_read_in_any_case(caller: Caller, scheme: str) -> None:
    access = caller.access()
    caller.cards(caller.ask(access, caller.bound("/credential", access, scheme=scheme)))


@pytest.mark.module(
    "fapi2-security-profile-final-ensure-dpopproof-with-iat-10seconds-before-succeeds",
    "fapi2-security-profile-final-ensure-dpopproof-with-iat-10seconds-after-succeeds",
)
@pytest.mark.parametrize("seconds", [-10, 10])
def test_clocks_may_differ_by_ten_seconds(either: Caller, seconds: int) -> None:
    """At all three endpoints that read proofs."""
    wallet, when = either.applicant, either.world.clock() + timedelta(seconds=seconds)
    headers = wallet.headers("/par", now=when)
    back = authorized(either, headers=headers)
    token = wallet.redeem(str(back.code), wallet.headers("/token", nonce=wallet.nonce(), now=when))
    assert token.status_code == 200, token.text
    access = token.json["access_token"]
    either.cards(either.ask(access, either.bound("/credential", access, now=when)))


@pytest.mark.module("fapi2-security-profile-final-plain-fapi-tolerate-unregistered-redirect-uri")
def test_an_attested_wallet_names_its_own_way_back(caller: Caller) -> None:
    back = authorized(caller, redirect_uri="https://wallet.test/another-way-back")
    token = caller.applicant.redeem(str(back.code), redirect_uri="https://wallet.test/another-way-back")
    assert token.status_code == 200


# --- DPoP -------------------------------------------------------------------------------------------------------------


@pytest.mark.module(
    "fapi2-security-profile-final-ensure-dpopproof-at-par-endpoint-binding-success",
    "fapi2-security-profile-final-ensure-dpop-auth-code-binding-success",
)
@pytest.mark.parametrize("way", ["proof", "jkt", "both"])
def test_a_code_is_bound_to_a_key_at_the_push(either: Caller, way: str) -> None:
    wallet = either.applicant
    assert wallet.key is not None
    bound = {} if way == "proof" else {"dpop_jkt": wallet.key.public.kid}
    headers = wallet.attested() if way == "jkt" else wallet.headers("/par")
    finished(either, authorized(either, headers=headers, **bound))


@pytest.mark.module("fapi2-security-profile-final-ensure-mismatched-dpop-jkt-fails")
def test_a_proof_with_another_key_than_the_pushed_one_is_refused(caller: Caller) -> None:
    other = SoftwareSigner.generate("ES256").public.kid
    answer = caller.applicant.push(caller.applicant.headers("/par"), scope=(caller.scope,), dpop_jkt=other)
    assert error(answer) == (400, "invalid_dpop_proof")


@pytest.mark.module(
    "fapi2-security-profile-final-ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt",
    "fapi2-security-profile-final-ensure-token-endpoint-fails-with-mismatched-dpop-jkt",
)
@pytest.mark.parametrize("way", ["proof", "jkt"])
def test_a_code_is_redeemed_with_the_key_of_the_push_alone(caller: Caller, way: str) -> None:
    wallet = caller.applicant
    assert wallet.key is not None
    bound = {"dpop_jkt": wallet.key.public.kid} if way == "jkt" else {}
    back = authorized(caller, headers=wallet.attested() if way == "jkt" else wallet.headers("/par"), **bound)
    wallet.key = SoftwareSigner.generate("ES256")
    assert error(wallet.redeem(str(back.code)))[1] in ("invalid_grant", "invalid_dpop_proof")


@pytest.mark.module("fapi2-security-profile-final-ensure-holder-of-key-required")
def test_no_token_without_a_key(caller: Caller) -> None:
    code = caller.code()
    assert error(caller.applicant.redeem(code, caller.applicant.attested())) == (400, "invalid_dpop_proof")


# --- pushed requests --------------------------------------------------------------------------------------------------


@pytest.mark.module(
    "fapi2-security-profile-final-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds",
    "fapi2-security-profile-final-par-attempt-reuse-request_uri",
)
def test_a_request_is_spent_by_the_answer_and_not_by_looking(caller: Caller) -> None:
    wallet, (reference, tx_code) = caller.applicant, caller.offered()
    browser, uri = begun(caller)
    assert wallet.arrive(browser, uri).status_code == 303
    assert wallet.arrive(browser, uri).status_code == 303
    assert wallet.sign_in(browser, reference, tx_code).status_code == 303
    finished(caller, wallet.allow(browser))
    for again in (browser, wallet.browser()):
        answer = wallet.arrive(again, uri)
        assert answer.status_code == 400
        assert "Location" not in answer.headers


@pytest.mark.module("fapi2-security-profile-final-par-attempt-to-use-expired-request_uri")
def test_a_request_expires(caller: Caller) -> None:
    pushed = caller.applicant.push(scope=(caller.scope,)).json
    caller.world.clock.pass_time(seconds=pushed["expires_in"] + 1)
    answer = caller.applicant.arrive(caller.applicant.browser(), pushed["request_uri"])
    assert (answer.status_code, "Location" in answer.headers) == (400, False)


@pytest.mark.module("fapi2-security-profile-final-par-attempt-to-use-request_uri-for-different-client")
def test_a_request_is_of_one_client(caller: Caller) -> None:
    browser, uri = begun(caller)
    answer = caller.applicant.arrive(browser, uri, OTHER)
    assert (answer.status_code, "Location" in answer.headers) == (400, False)


@pytest.mark.module("fapi2-security-profile-final-ensure-unsigned-authorization-request-without-using-par-fails")
def test_what_was_not_pushed_is_refused(caller: Caller) -> None:
    query = caller.applicant.query(scope=(caller.scope,)).form
    answer = caller.applicant.browser().get("/authorize", query_string=query, base_url=BASE, headers=HTML)
    assert (answer.status_code, "Location" in answer.headers) == (400, False)


@pytest.mark.module("fapi2-security-profile-final-par-attempt-invalid-http-method")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_requests_are_posted(caller: Caller, method: str) -> None:
    form, headers = caller.applicant.query(scope=(caller.scope,)).form, caller.applicant.attested()
    answer = caller.world.client().open("/par", method=method, data=form, headers=headers, base_url=BASE)
    assert answer.status_code == 405


@pytest.mark.module(
    "fapi2-security-profile-final-ensure-request-object-without-redirect-uri-fails",
    "fapi2-security-profile-final-ensure-redirect-uri-in-authorization-request",
    "fapi2-security-profile-final-ensure-response-type-code-idtoken-fails",
    "fapi2-security-profile-final-ensure-response-type-token-fails",
    "fapi2-security-profile-final-par-authorization-request-containing-request_uri-form-param",
    "fapi2-security-profile-final-par-ensure-pkce-required",
    "fapi2-security-profile-final-par-plain-pkce-rejected",
)
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"redirect_uri": None}, "invalid_request"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:random"}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
    ids=["redirect_uri", "code-id_token", "token", "request_uri", "no-pkce", "plain-pkce"],
)
def test_a_flawed_request_is_refused_at_the_push(caller: Caller, change: dict[str, str | None], code: str) -> None:
    form = {**caller.applicant.query(scope=(caller.scope,)).form, **change}
    data = {name: value for name, value in form.items() if value is not None}
    assert error(caller.world.post("/par", data=data, headers=caller.applicant.attested())) == (400, code)


# --- codes and tokens -------------------------------------------------------------------------------------------------


@pytest.mark.module(
    "fapi2-security-profile-final-ensure-pkce-code-verifier-required",
    "fapi2-security-profile-final-incorrect-pkce-code-verifier-rejected",
)
@pytest.mark.parametrize("verifier", [None, "w" * 43])
def test_a_code_needs_its_verifier(caller: Caller, verifier: str | None) -> None:
    assert error(caller.applicant.redeem(caller.code(), code_verifier=verifier)) == (400, "invalid_grant")


@pytest.mark.module("fapi2-security-profile-final-attempt-reuse-authorization-code-after-one-second")
def test_a_code_used_again_ends_its_tokens(either: Caller) -> None:
    code = either.code()
    access = either.applicant.redeem(code).json["access_token"]
    either.world.clock.pass_time(seconds=1)
    assert error(either.applicant.redeem(code)) == (400, "invalid_grant")
    assert error(either.asked(access)) == (401, "invalid_token")


@pytest.mark.module("fapi2-security-profile-final-ensure-token-endpoint-fails-with-expired-auth-code")
def test_a_code_is_good_for_sixty_seconds(caller: Caller) -> None:
    code = caller.code()
    caller.world.clock.pass_time(seconds=61)
    assert error(caller.applicant.redeem(code)) == (400, "invalid_grant")


@pytest.mark.module("fapi2-security-profile-final-ensure-authorization-code-is-bound-to-client")
def test_a_code_is_of_one_client(caller: Caller) -> None:
    wallet, code = caller.applicant, caller.code()
    headers = {**wallet.headers("/token", nonce=wallet.nonce()), **other_wallet(caller)}
    assert error(wallet.redeem(code, headers, client_id=OTHER)) == (400, "invalid_grant")


@pytest.mark.module("fapi2-security-profile-final-ensure-client-id-in-token-endpoint")
def test_who_asks_is_who_is_attested(caller: Caller) -> None:
    assert error(caller.applicant.redeem(caller.code(), client_id=OTHER)) == (401, "invalid_client")
