"""Authorization messages: what was asked reads back, and an answer counts only from the server that was asked."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.errors import Malformed, Refused, SsiError
from ssi.oauth import (
    AuthorizationQuery,
    AuthorizationServer,
    Callback,
    OAuthError,
    PushedResponse,
    authorize_url,
    check,
    details,
    pkce,
)
from ssi.oauth.authorization import query_of

ISSUER = "https://as.example"
VERIFIER = pkce.new_verifier(lambda size: b"\x01" * size)
ASKED = AuthorizationQuery(
    "https://wallet.example",
    "https://wallet.example/authorized",
    pkce.challenge(VERIFIER),
    state="s",
    scope=("a", "b"),
    details=("Person", "Pass"),
    issuer_state="i",
    dpop_jkt="x" * 43,
    locations=(ISSUER,),
)


class TestPkce:
    def test_a_verifier_belongs_to_its_challenge(self) -> None:
        pkce.check(VERIFIER, challenge=pkce.challenge(VERIFIER))
        assert pkce.is_challenge(pkce.challenge(VERIFIER))

    @pytest.mark.parametrize("verifier", [None, "", "short", "x" * 43, "x" * 129, "ü" * 50, f"{VERIFIER}\n"])
    def test_another_verifier_is_no_grant(self, verifier: str | None) -> None:
        with pytest.raises(OAuthError) as caught:
            pkce.check(verifier, challenge=pkce.challenge(VERIFIER))
        assert caught.value.error == "invalid_grant"

    def test_a_plain_challenge_is_none(self) -> None:
        with pytest.raises(OAuthError):
            pkce.check(VERIFIER, challenge=VERIFIER)


class TestQuery:
    def test_a_request_reads_back(self) -> None:
        for asked in (ASKED, AuthorizationQuery("c", "https://w.example", pkce.challenge(VERIFIER))):
            assert AuthorizationQuery.parse(asked.form.items()) == asked

    def test_unknown_parameters_are_ignored_and_empty_ones_absent(self) -> None:
        form = {**ASKED.form, "user_hint": "x", "state": "", "response_mode": "query"}
        assert AuthorizationQuery.parse(form.items()).state is None

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"response_type": None}, "invalid_request"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_mode": "fragment"}, "invalid_request"),
            ({"client_id": None}, "invalid_request"),
            ({"redirect_uri": None}, "invalid_request"),
            ({"code_challenge": None}, "invalid_request"),
            ({"code_challenge": "x" * 44}, "invalid_request"),
            ({"code_challenge_method": None}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"dpop_jkt": "short"}, "invalid_request"),
            ({"state": "x" * 3000}, "invalid_request"),
            ({"request_uri": "urn:x"}, "invalid_request"),
            ({"request": "a.b.c"}, "invalid_request"),
            ({"authorization_details": "[]"}, "invalid_authorization_details"),
            ({"authorization_details": '[{"type": "payment"}]'}, "invalid_authorization_details"),
            (
                {"authorization_details": json.dumps([{"type": details.TYPE, "credential_configuration_id": 1}])},
                "invalid_authorization_details",
            ),
            (
                {
                    "authorization_details": json.dumps(
                        [{"type": details.TYPE, "credential_configuration_id": "a", "locations": ISSUER}]
                    )
                },
                "invalid_authorization_details",
            ),
        ],
    )
    def test_flawed_requests(self, changes: dict[str, str | None], error: str) -> None:
        form = {name: value for name, value in {**ASKED.form, **changes}.items() if value is not None}
        with pytest.raises(OAuthError) as caught:
            AuthorizationQuery.parse(form.items())
        assert caught.value.error == error

    def test_a_repeated_parameter_is_refused(self) -> None:
        with pytest.raises(OAuthError):
            AuthorizationQuery.parse([*ASKED.form.items(), ("client_id", "other")])

    @given(st.lists(st.tuples(st.sampled_from([*ASKED.form, "x"]), st.text())))
    def test_hostile_requests_raise_only_our_error(self, pairs: list[tuple[str, str]]) -> None:
        with contextlib.suppress(OAuthError):
            AuthorizationQuery.parse([*pairs, *((n, v) for n, v in ASKED.form.items() if n not in dict(pairs))])


class TestPushed:
    def test_a_response_reads_back(self) -> None:
        made = PushedResponse("urn:ietf:params:oauth:request_uri:x", 60)
        assert PushedResponse.parse(json.dumps(made.json).encode()) == made
        url = authorize_url("https://as.example/a?t=1", client_id="c d", request_uri=made.request_uri)
        assert url == "https://as.example/a?t=1&client_id=c+d&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Ax"

    @pytest.mark.parametrize(
        "body", [b"{}", b'{"request_uri": "u"}', b'{"request_uri": "u", "expires_in": 0}', b'{"request_uri": 1}', b"x"]
    )
    def test_broken_responses(self, body: bytes) -> None:
        with pytest.raises(Malformed):
            PushedResponse.parse(body)


class TestCallback:
    @pytest.mark.parametrize(
        ("redirect", "expected"),
        [
            ("https://w.example/cb", "https://w.example/cb?code=c&state=s&iss=https%3A%2F%2Fas.example"),
            ("https://w.example/cb?a=%20", "https://w.example/cb?a=%20&code=c&state=s&iss=https%3A%2F%2Fas.example"),
            ("app.wallet:/cb?", "app.wallet:/cb?code=c&state=s&iss=https%3A%2F%2Fas.example"),
        ],
    )
    def test_it_travels_in_the_query(self, redirect: str, expected: str) -> None:
        made = Callback(code="c", state="s", iss=ISSUER)
        assert made.url(redirect) == expected
        pairs = [pair for pair in query_of(expected) if pair[0] != "a"]
        assert Callback.parse(pairs) == made
        assert check(made, state="s", issuer=ISSUER, iss_required=True) == "c"

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"state": "other"}, "oauth.state"),
            ({"state": None}, "oauth.state"),
            ({"iss": "https://evil.example"}, "oauth.iss"),
            ({"iss": None}, "oauth.iss"),
            ({"iss": f"{ISSUER}/"}, "oauth.iss"),
            ({"iss": "https://evil.example", "code": None, "error": "access_denied"}, "oauth.iss"),
        ],
    )
    def test_answers_of_others_do_not_count(self, changes: dict[str, Any], code: str) -> None:
        callback = Callback(**{"code": "c", "state": "s", "iss": ISSUER, **changes})
        with pytest.raises(Refused) as caught:
            check(callback, state="s", issuer=ISSUER, iss_required=True)
        assert caught.value.code == code

    def test_iss_may_be_missing_only_where_it_was_not_promised(self) -> None:
        assert check(Callback(code="c", state="s"), state="s", issuer=ISSUER, iss_required=False) == "c"
        with pytest.raises(Refused):
            check(Callback(code="c", state="s", iss="x"), state="s", issuer=ISSUER, iss_required=False)

    def test_a_refusal_of_the_server_is_its_own(self) -> None:
        with pytest.raises(OAuthError) as caught:
            check(Callback(error="access_denied", state="s", iss=ISSUER), state="s", issuer=ISSUER, iss_required=True)
        assert caught.value.error == "access_denied"

    @pytest.mark.parametrize("pairs", [[], [("code", "a"), ("error", "b")], [("code", "a"), ("code", "b")]])
    def test_what_is_no_answer(self, pairs: list[tuple[str, str]]) -> None:
        with pytest.raises(Malformed):
            Callback.parse(pairs)

    @given(st.text())
    def test_hostile_queries_raise_only_our_errors(self, text: str) -> None:
        with contextlib.suppress(SsiError):
            Callback.parse(query_of(f"https://w.example/cb?{text}"))


class TestServer:
    FULL = AuthorizationServer(
        ISSUER,
        f"{ISSUER}/token",
        grant_types=("authorization_code",),
        anonymous_access=True,
        authorization_endpoint=f"{ISSUER}/authorize",
        par_endpoint=f"{ISSUER}/par",
        par_required=True,
        challenge_endpoint=f"{ISSUER}/challenge",
        auth_methods=("none", "attest_jwt_client_auth"),
        response_types=("code",),
        scopes=("a",),
        pkce_methods=("S256",),
        dpop_algs=("ES256",),
        attestation_algs=("ES256",),
        attestation_pop_algs=("ES256",),
        iss_in_response=True,
    )

    def test_it_reads_back(self) -> None:
        assert AuthorizationServer.parse(json.dumps(self.FULL.json).encode(), issuer=ISSUER) == self.FULL
        assert self.FULL.supports_code
        assert not self.FULL.supports_pre_authorized

    def test_what_is_not_said_is_the_specifications_default(self) -> None:
        body = json.dumps({"issuer": ISSUER, "token_endpoint": f"{ISSUER}/token"}).encode()
        found = AuthorizationServer.parse(body, issuer=ISSUER)
        assert found.auth_methods == ("client_secret_basic",)
        assert found.grant_types == ("authorization_code", "implicit")
        assert (found.par_required, found.iss_in_response, found.dpop_algs) == (False, False, ())
        assert not found.supports_code

    @pytest.mark.parametrize(
        "change",
        [
            {"issuer": f"{ISSUER}/"},
            {"token_endpoint": "ftp://as.example"},
            {"pushed_authorization_request_endpoint": "http://as.example/par"},
            {"scopes_supported": "a"},
            {"dpop_signing_alg_values_supported": [1]},
        ],
    )
    def test_broken_metadata(self, change: dict[str, Any]) -> None:
        with pytest.raises(Malformed):
            AuthorizationServer.parse(json.dumps({**self.FULL.json, **change}).encode(), issuer=ISSUER)
