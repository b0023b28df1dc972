"""Signing in: pushed requests, the applicant's pages, codes and what becomes of them, with a refusal for every rule."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from ssi.keys import SoftwareSigner
from ssi.oauth import AuthorizationServer, clients, dpop, pkce
from ssi.oid4vci import read_offer
from tests.issuer.applicant import BACK, CLIENT, HTML, OTHER, SCOPE, Applicant, listed, offered
from tests.issuer.world import BASE, World, error

DETAILS = [{"type": "openid_credential", "credential_configuration_id": "VerifiedPerson"}]


@pytest.fixture
def me(world: World) -> Applicant:
    return Applicant(listed(world))


class TestMetadata:
    def test_the_server_says_what_it_wants(self, me: Applicant) -> None:
        body = me.world.get("/.well-known/oauth-authorization-server").data
        server = AuthorizationServer.parse(body, issuer=BASE)
        assert server.supports_code
        assert server.supports_pre_authorized
        assert (server.par_required, server.iss_in_response, server.anonymous_access) == (True, True, True)
        assert (server.pkce_methods, server.response_types) == (("S256",), ("code",))
        assert server.par_endpoint == f"{BASE}/par"
        assert server.authorization_endpoint == f"{BASE}/authorize"
        assert set(server.dpop_algs) == {"ES256", "ES384", "EdDSA"}
        assert SCOPE in server.scopes

    def test_a_desk_without_sign_in_has_none_of_it(self, world: World) -> None:
        world.options = {"WAYS": "code"}
        server = AuthorizationServer.parse(world.get("/.well-known/oauth-authorization-server").data, issuer=BASE)
        assert not server.supports_code
        assert "authorization_code" not in server.grant_types
        assert world.post("/par", data={}).status_code == 404
        assert world.get("/authorize").status_code == 404
        made = world.apply().json["id"]
        answer = world.desk("POST", f"/desk/applications/{made}/offer", data={"way": "sign-in"})
        assert (answer.status_code, answer.json["error"]) == (400, "offer.way")


class TestOffer:
    def test_it_names_the_grant_and_no_code_of_its_own(self, me: Applicant) -> None:
        reference, uri, tx_code = offered(me.world, kind=["VerifiedPerson", "VerifiedPersonMdoc"])
        offer = read_offer(me.world.get(uri).data)
        assert offer.configuration_ids == ("VerifiedPerson", "VerifiedPersonMdoc")
        assert offer.pre_authorized is None
        assert offer.authorization_code is not None
        assert offer.authorization_code.issuer_state
        assert len(tx_code) == 6
        state = me.world.desk("GET", f"/desk/applications/{reference}").json["offer"]
        assert (state["way"], state["types"]) == ("sign-in", list(offer.configuration_ids))

    def test_its_state_is_no_pre_authorized_code(self, me: Applicant) -> None:
        _, uri, tx_code = offered(me.world)
        offer = read_offer(me.world.get(uri).data)
        assert offer.authorization_code is not None
        answer = me.world.redeem(str(offer.authorization_code.issuer_state), tx_code)
        assert error(answer) == (400, "invalid_grant")


class TestPushing:
    def test_a_request_is_kept_for_one_browser(self, me: Applicant) -> None:
        offered(me.world)
        answer = me.push()
        assert answer.status_code == 201
        assert answer.headers["Cache-Control"] == "no-store"
        assert 5 <= answer.json["expires_in"] <= 600
        assert answer.json["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
        assert answer.json["request_uri"].rsplit(":", 1)[1] not in json.dumps(me.world.rows("authorizations"))

    @pytest.mark.parametrize(
        ("changes", "status", "code"),
        [
            ({"client_id": "https://unknown.test"}, 401, "invalid_client"),
            ({"redirect_uri": f"{BACK}/"}, 400, "invalid_request"),
            ({"redirect_uri": f"{BACK}?x=1"}, 400, "invalid_request"),
            ({"redirect_uri": "https://other.test/cb"}, 400, "invalid_request"),
            ({"redirect_uri": "http://127.0.0.1:8001/cb"}, 400, "invalid_request"),
            ({"redirect_uri": "javascript:alert(1)"}, 400, "invalid_request"),
            ({"scope": ("everything",)}, 400, "invalid_scope"),
            ({"scope": ()}, 400, "invalid_scope"),
            ({"details": ("Nope",)}, 400, "invalid_authorization_details"),
            ({"details": ("VerifiedPerson",), "locations": (OTHER,)}, 400, "invalid_authorization_details"),
            ({"code_challenge": "short"}, 400, "invalid_request"),
        ],
    )
    def test_flawed_requests(self, me: Applicant, changes: dict[str, Any], status: int, code: str) -> None:
        assert error(me.push(**changes)) == (status, code)
        assert me.world.rows("authorizations") == []

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge_method": ""}, "invalid_request"),
            ({"code_challenge": ""}, "invalid_request"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"request_uri": "urn:x"}, "invalid_request"),
        ],
    )
    def test_pkce_and_code_are_musts(self, me: Applicant, changes: dict[str, str], code: str) -> None:
        assert error(me.world.post("/par", data={**me.query().form, **changes})) == (400, code)

    def test_unknown_scopes_and_parameters_are_ignored(self, me: Applicant) -> None:
        form = {**me.query(scope=("openid", SCOPE, "x")).form, "resource": BASE, "user_hint": "x"}
        assert me.world.post("/par", data=form).status_code == 201

    def test_a_proof_binds_the_code_to_its_key(self, me: Applicant) -> None:
        assert me.key is not None
        proof = {dpop.HEADER: me.proof("/par")}
        assert me.push(proof, dpop_jkt=me.key.public.kid).status_code == 201
        assert error(me.push(proof, dpop_jkt=me.key.public.kid)) == (400, "invalid_dpop_proof")  # a replay
        other = SoftwareSigner.generate("ES256").public.kid
        assert error(me.push({dpop.HEADER: me.proof("/par")}, dpop_jkt=other)) == (400, "invalid_dpop_proof")
        assert error(me.push({dpop.HEADER: me.proof("/token")})) == (400, "invalid_dpop_proof")
        stale = me.proof("/par", nonce="made-up")
        answer = me.push({dpop.HEADER: stale})
        assert error(answer) == (400, "use_dpop_nonce")
        assert answer.headers[dpop.NONCE_HEADER]

    def test_get_is_no_push(self, me: Applicant) -> None:
        assert me.world.get("/par", query_string=me.query().form).status_code == 405


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    pairs=st.lists(
        st.tuples(
            st.sampled_from(["client_id", "redirect_uri", "scope", "state", "authorization_details", "dpop_jkt", "x"]),
            st.text(max_size=40),
        ),
        max_size=5,
    ),
    header=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
)
def test_hostile_requests_are_refused_in_order(me: Applicant, pairs: list[tuple[str, str]], header: str) -> None:
    form = MultiDict([*me.query().form.items(), *pairs])
    for headers in ({}, {dpop.HEADER: header}, {clients.HEADER: header, clients.POP_HEADER: header}):
        for path in ("/par", "/token"):
            answer = me.world.post(path, data=form, headers=headers)
            assert answer.status_code == 201 or 400 <= answer.status_code < 500
            assert answer.headers["Cache-Control"] == "no-store"


class TestPages:
    def test_from_the_request_to_the_code(self, me: Applicant) -> None:
        reference, uri, tx_code = offered(me.world)
        grant = read_offer(me.world.get(uri).data).authorization_code
        assert grant is not None
        browser = me.browser()
        pushed = me.push(issuer_state=grant.issuer_state, state="a b")
        arrived = me.arrive(browser, pushed.json["request_uri"])
        assert arrived.headers["Location"].endswith("/authorize/sign-in")
        page = browser.get("/authorize/sign-in", base_url=BASE, headers=HTML)
        assert page.headers["Cache-Control"] == "no-store"
        assert f'value="{reference}"' in page.text
        assert "A Wallet" in page.text
        assert "form-action 'self' https://wallet.test;" in page.headers["Content-Security-Policy"]
        typed = f"{tx_code[:3]} {tx_code[3:]}"
        assert me.sign_in(browser, reference.lower().replace("-", " "), typed).status_code == 303
        question = browser.get("/authorize/allow", base_url=BASE, headers=HTML)
        assert "Give A Wallet your card?" in question.text
        assert "SD-JWT" in question.text
        answer = browser.post("/authorize/allow", base_url=BASE, headers=HTML)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith(f"{BACK}?")
        assert answer.headers["Cache-Control"] == "no-store"
        query = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
        assert (query["state"], query["iss"], set(query)) == ("a b", BASE, {"code", "state", "iss"})
        assert query["code"] not in json.dumps(me.world.rows("authorizations"))
        assert query["code"] not in answer.text
        over = browser.get("/authorize/allow", base_url=BASE, headers=HTML)
        assert over.status_code == 410

    def test_the_wallet_may_begin_by_itself(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        browser = me.browser()
        me.arrive(browser, me.push().json["request_uri"])
        assert reference not in browser.get("/authorize/sign-in", base_url=BASE, headers=HTML).text
        assert me.sign_in(browser, reference, tx_code).status_code == 303

    def test_a_no_goes_back_with_state_and_iss(self, me: Applicant) -> None:
        offered(me.world)
        browser = me.browser()
        me.arrive(browser, me.push().json["request_uri"])
        answer = me.allow(browser, "refuse")
        assert (answer.error, answer.state, answer.iss, answer.code) == ("access_denied", "st", BASE, None)

    def test_a_card_that_was_not_offered_is_not_given(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        browser = me.browser()
        me.arrive(browser, me.push(scope=("verified_person_mdoc",)).json["request_uri"])
        me.sign_in(browser, reference, tx_code)
        page = browser.get("/authorize/allow", base_url=BASE, headers=HTML)
        assert "There is nothing here for this request" in page.text
        assert me.allow(browser).error == "invalid_scope"

    def test_no_yes_before_signing_in(self, me: Applicant) -> None:
        offered(me.world)
        browser = me.browser()
        me.arrive(browser, me.push().json["request_uri"])
        assert browser.get("/authorize/allow", base_url=BASE, headers=HTML).status_code == 303
        assert browser.post("/authorize/allow", base_url=BASE, headers=HTML).status_code == 403

    def test_a_request_uri_is_good_once_and_for_its_wallet(self, me: Applicant) -> None:
        offered(me.world)
        request_uri = me.push().json["request_uri"]
        head = me.world.client().head(
            "/authorize", query_string={"client_id": CLIENT, "request_uri": request_uri}, base_url=BASE
        )
        assert head.status_code == 200
        assert me.arrive(me.browser(), request_uri, OTHER).status_code == 400
        browser = me.browser()
        assert me.arrive(browser, request_uri).status_code == 303
        assert me.arrive(browser, request_uri).status_code == 303  # the same browser: a reload
        again = me.arrive(me.browser(), request_uri)
        assert again.status_code == 400
        assert "Location" not in again.headers
        me.allow(browser, "refuse")
        assert me.arrive(browser, request_uri).status_code == 400

    def test_a_request_uri_expires(self, me: Applicant) -> None:
        pushed = me.push().json
        request_uri = pushed["request_uri"]
        me.world.clock.pass_time(seconds=pushed["expires_in"])
        assert me.arrive(me.browser(), request_uri).status_code == 400

    @pytest.mark.parametrize(
        "query",
        [
            {},
            {"client_id": CLIENT},
            {"client_id": CLIENT, "request_uri": "https://evil.test/r"},
            {"client_id": CLIENT, "redirect_uri": "https://evil.test", "response_type": "code", "scope": SCOPE},
            {"client_id": [CLIENT, OTHER], "request_uri": "urn:x"},
        ],
    )
    def test_what_was_not_pushed_gets_a_page_and_no_redirect(self, me: Applicant, query: dict[str, Any]) -> None:
        answer = me.browser().get("/authorize", query_string=query, base_url=BASE, headers=HTML)
        assert answer.status_code == 400
        assert "Location" not in answer.headers
        assert "evil" not in answer.text

    def test_a_sign_in_ends_after_a_while(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world, way="sign-in")
        browser = me.browser()
        me.arrive(browser, me.push().json["request_uri"])
        me.world.clock.pass_time(minutes=15)
        assert me.sign_in(browser, reference, tx_code).status_code == 410
        assert me.browser().get("/authorize/sign-in", base_url=BASE, headers=HTML).status_code == 410

    def test_wrong_codes_cost_tries_of_the_offer(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        wrong = "000000" if tx_code != "000000" else "000001"
        for _ in range(3):
            browser = me.browser()
            me.arrive(browser, me.push().json["request_uri"])
            for _ in range(2):
                answer = me.sign_in(browser, reference, wrong)
                if answer.status_code == 303:
                    pytest.fail("a wrong code was taken")
                assert answer.status_code == 401
                assert "do not belong together" in answer.text
        answer = me.sign_in(browser, reference, tx_code)
        assert answer.status_code == 401
        state = me.world.desk("GET", f"/desk/applications/{reference}").json["offer"]["state"]
        assert state == "blocked"

    def test_what_cannot_be_a_code_costs_nothing(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        browser = me.browser()
        me.arrive(browser, me.push().json["request_uri"])
        for typed in ("", "12", "12ab56", "1234567", "١٢٣٤٥٦", *["12345"] * 5):
            answer = me.sign_in(browser, reference, typed)
            assert (answer.status_code, "The code has 6 digits." in answer.text) == (401, True)
        assert me.sign_in(browser, reference, f"{tx_code[:3]} {tx_code[3:]}").status_code == 303

    def test_unknown_references_cost_tries_of_the_request(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        browser = me.browser()
        me.arrive(browser, me.push().json["request_uri"])
        for _ in range(5):
            assert me.sign_in(browser, "BBBB-BBBB", tx_code).status_code == 401
        assert me.sign_in(browser, reference, tx_code).status_code == 410

    def test_only_an_open_offer_to_sign_in_for_lets_in(self, me: Applicant) -> None:
        by_code, _, tx_code = me.world.offered()
        reference, _, late = offered(me.world)
        browser = me.browser()
        me.arrive(browser, me.push().json["request_uri"])
        assert me.sign_in(browser, by_code, tx_code).status_code == 401
        _, fresh = me.world.offer(reference, way="sign-in")
        assert me.sign_in(browser, reference, late).status_code == (303 if late == fresh else 401)
        assert me.sign_in(browser, reference, fresh).status_code == 303

    def test_a_foreign_page_cannot_say_yes(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        browser = me.browser()
        me.arrive(browser, me.push().json["request_uri"])
        me.sign_in(browser, reference, tx_code)
        foreign = {**HTML, "Sec-Fetch-Site": "cross-site"}
        assert browser.post("/authorize/allow", base_url=BASE, headers=foreign).status_code == 403
        assert me.allow(browser).code


class TestCode:
    def test_it_becomes_a_token_and_a_card(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        code = me.code(reference, tx_code)
        answer = me.redeem(code)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        assert (answer.json["token_type"], answer.json["expires_in"]) == ("DPoP", 300)
        assert "authorization_details" not in answer.json  # by scope only
        body = {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": [me.world.proof()]}}
        card = me.credential(answer.json["access_token"], body)
        assert card.status_code == 200, card.text
        assert card.headers[dpop.NONCE_HEADER]
        assert me.world.desk("GET", f"/desk/applications/{reference}").json["state"] == "accepted"

    def test_details_bring_identifiers(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world, kind=["VerifiedPerson", "VerifiedPersonMdoc"])
        code = me.code(reference, tx_code, details=("VerifiedPerson",), scope=("verified_person_mdoc",))
        token = me.redeem(code).json
        assert [each["credential_configuration_id"] for each in token["authorization_details"]] == ["VerifiedPerson"]
        named = token["authorization_details"][0]["credential_identifiers"][0]
        for body in ({"credential_identifier": named}, {"credential_configuration_id": "VerifiedPersonMdoc"}):
            proofs = {"jwt": [me.world.proof(signer=SoftwareSigner.generate("ES256"))]}
            answer = me.credential(token["access_token"], {**body, "proofs": proofs})
            assert answer.status_code == 200, answer.text

    def test_a_token_request_may_ask_for_less(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world, kind=["VerifiedPerson", "VerifiedPersonMdoc"])
        code = me.code(reference, tx_code, scope=(SCOPE, "verified_person_mdoc"))
        assert me.redeem(code, authorization_details=json.dumps(DETAILS)).status_code == 200
        assert me.world.rows("grants")[0]["configuration_ids"] == '["VerifiedPerson"]'

    def test_the_second_use_revokes_what_the_first_gave(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        code = me.code(reference, tx_code)
        first = me.redeem(code).json
        assert error(me.redeem(code)) == (400, "invalid_grant")
        body = {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": [me.world.proof()]}}
        assert error(me.credential(first["access_token"], body)) == (401, "invalid_token")
        assert error(me.refresh(first["refresh_token"])) == (400, "invalid_grant")

    def test_a_code_lives_for_a_minute(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        code = me.code(reference, tx_code)
        me.world.clock.pass_time(seconds=60)
        assert error(me.redeem(code)) == (400, "invalid_grant")
        assert me.world.rows("grants") == []

    @pytest.mark.parametrize(
        "changes",
        [
            {"code_verifier": None},
            {"code_verifier": pkce.new_verifier(lambda size: b"\x08" * size)},
            {"redirect_uri": None},
            {"redirect_uri": "http://127.0.0.1:8000/cb"},
            {"client_id": OTHER},
            {"client_id": None},
            {"code": "made-up"},
        ],
    )
    def test_it_is_good_only_for_who_asked(self, me: Applicant, changes: dict[str, str | None]) -> None:
        reference, _, tx_code = offered(me.world)
        code = me.code(reference, tx_code)
        assert error(me.redeem(code, **changes)) == (400, "invalid_grant")
        assert me.world.rows("tokens") == []

    @pytest.mark.parametrize("by_header", [True, False])
    def test_it_is_bound_to_the_key_it_was_asked_with(self, me: Applicant, by_header: bool) -> None:
        reference, _, tx_code = offered(me.world)
        assert me.key is not None
        if by_header:
            browser = me.browser()
            pushed = me.push({dpop.HEADER: me.proof("/par")})
            me.arrive(browser, pushed.json["request_uri"])
            me.sign_in(browser, reference, tx_code)
            code = str(me.allow(browser).code)
        else:
            code = me.code(reference, tx_code, dpop_jkt=me.key.public.kid)
        own, me.key = me.key, SoftwareSigner.generate("ES256")
        assert error(me.redeem(code)) == (400, "invalid_grant")
        assert error(me.redeem(code, {})) == (400, "invalid_grant")
        me.key = own
        assert me.redeem(code).status_code == 200

    def test_an_offer_becomes_one_grant(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        codes = [me.code(reference, tx_code) for _ in range(2)]
        assert me.redeem(codes[0]).status_code == 200
        assert error(me.redeem(codes[1])) == (400, "invalid_grant")

    def test_without_a_key_it_is_a_bearer_token_without_refresh(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        me.key = None
        token = me.redeem(me.code(reference, tx_code), {}).json
        assert token["token_type"] == "Bearer"
        assert "refresh_token" not in token
        assert me.world.credential(token["access_token"]).status_code == 200

    def test_a_newer_offer_ends_what_was_granted(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        token = me.redeem(me.code(reference, tx_code)).json
        me.world.offer(reference, way="sign-in")
        body = {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": [me.world.proof()]}}
        assert error(me.credential(token["access_token"], body)) == (401, "invalid_token")
        assert error(me.refresh(token["refresh_token"])) == (400, "invalid_grant")
