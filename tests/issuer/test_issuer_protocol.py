"""Bad input at the wallet-facing endpoints: each gets the specification's own code and status, and changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from service.bootstrap import bootstrap
from ssi.oid4vci import PRE_AUTHORIZED_CODE
from tests.issuer.world import BASE, World, error


class TestToken:
    def test_a_code_is_good_once(self, world: World) -> None:
        _, uri, tx_code = world.offered()
        code = world.code(uri)
        assert world.redeem(code, tx_code).status_code == 200
        assert error(world.redeem(code, tx_code)) == (400, "invalid_grant")
        assert world.get(uri).status_code == 410

    def test_a_code_used_twice_ends_what_it_gave(self, world: World) -> None:
        """Only with its transaction code: whoever saw the offer's link alone must not end other people's tokens."""
        _, uri, tx_code = world.offered()
        code = world.code(uri)
        access = world.redeem(code, tx_code).json["access_token"]
        wrong = "000000" if tx_code != "000000" else "000001"
        assert error(world.redeem(code, wrong)) == (400, "invalid_grant")
        assert world.credential(access).status_code == 200
        assert error(world.redeem(code, tx_code)) == (400, "invalid_grant")
        assert error(world.credential(access)) == (401, "invalid_token")

    def test_a_code_expires(self, world: World) -> None:
        _, uri, tx_code = world.offered()
        code = world.code(uri)
        world.clock.pass_time(minutes=15)
        assert error(world.redeem(code, tx_code)) == (400, "invalid_grant")
        assert world.get(uri).status_code == 410

    def test_the_transaction_code_must_come_along(self, world: World) -> None:
        _, uri, tx_code = world.offered()
        code = world.code(uri)
        assert error(world.redeem(code, None)) == (400, "invalid_request")
        assert error(world.redeem(code, "")) == (400, "invalid_request")
        assert world.redeem(code, tx_code).status_code == 200

    def test_wrong_transaction_codes_are_counted_and_void_the_offer(self, world: World) -> None:
        identifier, uri, tx_code = world.offered()
        code = world.code(uri)
        wrong = "000000" if tx_code != "000000" else "000001"
        for _ in range(5):
            assert error(world.redeem(code, wrong)) == (400, "invalid_grant")
        assert error(world.redeem(code, tx_code)) == (400, "invalid_grant")
        assert world.desk("GET", f"/desk/applications/{identifier}").json["offer"]["state"] == "blocked"
        uri, tx_code = world.offer(identifier)
        assert world.token(uri, tx_code).status_code == 200

    def test_a_newer_offer_replaces_the_older_one(self, world: World) -> None:
        identifier, uri, tx_code = world.offered()
        code = world.code(uri)
        access = world.redeem(code, tx_code).json["access_token"]
        world.offer(identifier)
        assert error(world.redeem(code, tx_code)) == (400, "invalid_grant")
        assert error(world.credential(access)) == (401, "invalid_token")

    @pytest.mark.parametrize(
        ("form", "expected"),
        [
            ({}, "invalid_request"),
            ({"grant_type": "authorization_code", "code": "x"}, "invalid_grant"),
            ({"grant_type": "authorization_code"}, "invalid_request"),
            ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
            ({"grant_type": "refresh_token"}, "invalid_request"),
            ({"grant_type": "password", "code": "x"}, "unsupported_grant_type"),
            ({"grant_type": PRE_AUTHORIZED_CODE}, "invalid_request"),
            ({"grant_type": PRE_AUTHORIZED_CODE, "pre-authorized_code": "nope"}, "invalid_grant"),
            ({"grant_type": [PRE_AUTHORIZED_CODE] * 2, "pre-authorized_code": "x"}, "invalid_request"),
        ],
    )
    def test_flawed_requests(self, world: World, form: dict[str, Any], expected: str) -> None:
        answer = world.post("/token", data=form, content_type="application/x-www-form-urlencoded")
        assert error(answer) == (400, expected)
        assert answer.headers["Cache-Control"] == "no-store"

    def test_parameters_in_the_address_are_not_parameters(self, world: World) -> None:
        _, uri, tx_code = world.offered()
        query = {"grant_type": PRE_AUTHORIZED_CODE, "pre-authorized_code": world.code(uri), "tx_code": tx_code}
        answer = world.post("/token", query_string=query, content_type="application/x-www-form-urlencoded")
        assert error(answer) == (400, "invalid_request")

    @pytest.mark.parametrize(
        ("more", "expected"),
        [
            ({"scope": "everything"}, "invalid_scope"),
            ({"authorization_details": "[]"}, "invalid_authorization_details"),
            (
                {"authorization_details": '[{"type": "openid_credential", "credential_configuration_id": "Other"}]'},
                "invalid_authorization_details",
            ),
        ],
    )
    def test_more_than_was_offered_is_refused_without_spending_the_code(
        self, world: World, more: dict[str, str], expected: str
    ) -> None:
        _, uri, tx_code = world.offered()
        code = world.code(uri)
        assert error(world.redeem(code, tx_code, **more)) == (400, expected)
        assert world.redeem(code, tx_code).status_code == 200

    def test_json_is_not_a_token_request(self, world: World) -> None:
        assert error(world.post("/token", json={"grant_type": PRE_AUTHORIZED_CODE})) == (400, "invalid_request")

    def test_client_authentication_is_not_known_here(self, world: World) -> None:
        form = {"grant_type": PRE_AUTHORIZED_CODE, "pre-authorized_code": "x"}
        answer = world.post("/token", data=form, headers={"Authorization": "Basic eDp5"})
        assert error(answer) == (401, "invalid_client")
        assert answer.headers["WWW-Authenticate"] == "Basic"

    def test_wrong_methods_and_oversize_bodies(self, world: World) -> None:
        assert world.get("/token").status_code == 405
        answer = world.post("/token", data={"grant_type": "x" * 300_000})
        assert answer.status_code == 413
        assert answer.is_json


class TestNonce:
    def test_a_nonce_is_fresh_and_uncacheable(self, world: World) -> None:
        one, other = world.post("/nonce"), world.post("/nonce", data=b"ignored")
        assert one.headers["Cache-Control"] == "no-store"
        assert one.json["c_nonce"] != other.json["c_nonce"]
        assert world.get("/nonce").status_code == 405

    def test_a_nonce_is_good_once_and_not_for_long(self, world: World) -> None:
        nonce = world.nonce()
        body = {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": [world.proof(nonce=nonce)]}}
        assert world.credential(world.granted(), body).status_code == 200
        assert error(world.credential(world.granted(), body)) == (400, "invalid_nonce")
        stale = world.nonce()
        world.clock.pass_time(minutes=5)
        body["proofs"] = {"jwt": [world.proof(nonce=stale)]}
        assert error(world.credential(world.granted(), body)) == (400, "invalid_nonce")

    def test_old_nonces_are_swept_away(self, world: World) -> None:
        assert world.credential(world.granted()).status_code == 200
        assert len(world.rows("nonces")) == 1  # used ones only are kept
        world.clock.pass_time(minutes=7)
        world.apply()
        assert world.rows("nonces") == []

    def test_nonces_and_codes_are_kept_as_hashes_only(self, world: World) -> None:
        _, uri, tx_code = world.offered()
        code, nonce = world.code(uri), world.nonce()
        access = world.redeem(code, tx_code).json["access_token"]
        kept = json.dumps([world.rows(table) for table in ("offers", "nonces")])
        for secret in (uri.rsplit("/", 1)[1], code, nonce, access, tx_code):
            assert secret not in kept


class TestCredential:
    def test_no_token_no_credential(self, world: World) -> None:
        answer = world.post("/credential", json={})
        assert error(answer) == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"] == 'Bearer, DPoP algs="ES256 ES384 EdDSA"'
        answer = world.credential("made-up")
        assert error(answer) == (401, "invalid_token")
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
        other = world.post("/credential", json={}, headers={"Authorization": "DPoP x"})
        assert error(other) == (401, "invalid_dpop_proof")
        assert other.headers["WWW-Authenticate"].startswith('DPoP error="invalid_dpop_proof"')
        unknown = world.post("/credential", json={}, headers={"Authorization": "Basic eDp5"})
        assert error(unknown) == (401, "invalid_token")
        broken = world.post("/credential", json={}, headers={"Authorization": "Bearer a b"})
        assert error(broken) == (400, "invalid_request")
        assert 'error="invalid_request"' in broken.headers["WWW-Authenticate"]

    def test_the_scheme_is_read_without_case(self, world: World) -> None:
        access = world.granted()
        body = {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": [world.proof()]}}
        answer = world.post("/credential", json=body, headers={"Authorization": f"BEARER {access}"})
        assert answer.status_code == 200

    def test_an_access_token_expires(self, world: World) -> None:
        access = world.granted()
        world.clock.pass_time(minutes=5)
        assert error(world.credential(access)) == (401, "invalid_token")

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"credential_configuration_id": "Nope"}, "unknown_credential_configuration"),
            ({"credential_configuration_id": 7}, "invalid_credential_request"),
            ({"credential_configuration_id": None}, "invalid_credential_request"),
            ({"credential_identifier": "x"}, "invalid_credential_request"),
            ({"credential_configuration_id": ..., "credential_identifier": "x"}, "unknown_credential_identifier"),
            ({"credential_configuration_id": ...}, "invalid_credential_request"),
            ({"proofs": ...}, "invalid_proof"),
            ({"proofs": ..., "proof": {"proof_type": "jwt", "jwt": "x"}}, "invalid_proof"),
            ({"proofs": {}}, "invalid_proof"),
            ({"proofs": {"jwt": []}}, "invalid_proof"),
            ({"proofs": {"jwt": ["nonsense"]}}, "invalid_proof"),
            ({"proofs": {"di_vp": [{}]}}, "invalid_proof"),
            ({"proofs": {"attestation": ["x"]}}, "invalid_proof"),
            ({"credential_response_encryption": {"jwk": {}}}, "invalid_encryption_parameters"),
        ],
    )
    def test_flawed_requests(self, world: World, change: dict[str, Any], expected: str) -> None:
        access = world.granted()
        right = {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": [world.proof()]}, "unknown": 1}
        body = {name: value for name, value in {**right, **change}.items() if value is not ...}
        assert error(world.credential(access, body)) == (400, expected)
        assert world.rows("credentials") == []
        assert world.credential(access, right).status_code == 200  # nothing was spent by the refusal

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"nonce": None}, "invalid_proof"),
            ({"nonce": "made-up"}, "invalid_nonce"),
            ({"audience": "https://other.test"}, "invalid_proof"),
            ({"audience": f"{BASE}/"}, "invalid_proof"),
            ({"kid": "not-a-did"}, "invalid_proof"),
            ({"kid": "did:key:zNonsense#zNonsense"}, "invalid_proof"),
        ],
    )
    def test_flawed_proofs(self, world: World, changes: dict[str, Any], expected: str) -> None:
        body = {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": [world.proof(**changes)]}}
        assert error(world.credential(world.granted(), body)) == (400, expected)

    def test_a_proof_cannot_send_the_desk_to_an_address(self, world: World) -> None:
        """Only the methods in the metadata are looked up: asking a host that is not there would be a 503."""
        proof = world.proof(kid="did:web:asleep.test#1")
        body = {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": [proof]}}
        assert error(world.credential(world.granted(), body)) == (400, "invalid_proof")

    def test_an_expired_certificate_issues_nothing_and_spends_nothing(self, world: World) -> None:
        _ = world.app
        world.clock.pass_time(days=366)
        access = world.granted()
        answer = world.credential(access)
        assert error(answer) == (503, "temporarily_unavailable")
        assert answer.headers["Retry-After"]
        assert world.rows("credentials") == []
        bootstrap(world.folder, hosts=(), base_urls={"issuer": BASE}, now=world.clock())
        world.app = world.start()
        assert world.credential(access).status_code == 200

    def test_erased_data_cannot_be_issued(self, world: World) -> None:
        access = world.granted()
        with world.database.begin() as connection:
            connection.execute(text("UPDATE applications SET subject = NULL"))
        assert error(world.credential(access)) == (400, "credential_request_denied")
        assert world.rows("credentials") == []

    def test_an_expired_document_cannot_be_issued_for(self, world: World) -> None:
        made = world.apply(document_expiry="2026-11-20")
        world.clock.pass_time(hours=11, minutes=58)
        uri, tx_code = world.offer(made.json["id"])
        access = world.token(uri, tx_code).json["access_token"]
        world.clock.pass_time(minutes=3)
        assert error(world.credential(access)) == (400, "credential_request_denied")

    @pytest.mark.parametrize(
        ("content_type", "expected"),
        [
            ("text/plain", "invalid_credential_request"),
            ("application/x-www-form-urlencoded", "invalid_credential_request"),
            ("application/jwt", "invalid_encryption_parameters"),
        ],
    )
    def test_other_content_types(self, world: World, content_type: str, expected: str) -> None:
        headers = {"Authorization": f"Bearer {world.granted()}"}
        assert error(world.post("/credential", data=b"{}", content_type=content_type, headers=headers)) == (
            400,
            expected,
        )

    def test_oversize_bodies(self, world: World) -> None:
        headers = {"Authorization": f"Bearer {world.granted()}"}
        answer = world.post("/credential", json={"x": "y" * 300_000}, headers=headers)
        assert answer.status_code == 413
        assert answer.is_json


class TestPublic:
    def test_the_status_list_is_signed_once_and_served_until_stale(self, world: World) -> None:
        world.issued()
        path = f"/status/{world.rows('status_lists')[0]['id']}"
        first = world.get(path)
        assert first.mimetype == "application/statuslist+jwt"
        assert first.headers["Cache-Control"] == "public, max-age=60"
        assert first.headers["Access-Control-Allow-Origin"] == "*"
        world.clock.pass_time(seconds=30)
        assert world.get(path).data == first.data
        assert world.get(path, query_string={"time": "1"}).status_code == 501  # no list of another time, not this one
        world.clock.pass_time(seconds=40)
        assert world.get(path).data != first.data

    def test_a_change_is_published_at_once(self, world: World) -> None:
        world.issued()
        path = f"/status/{world.rows('status_lists')[0]['id']}"
        first = world.get(path)
        world.desk("POST", f"/desk/credentials/{world.rows('credentials')[0]['id']}/revoke")
        assert world.get(path).data != first.data

    def test_indexes_are_drawn_at_random_and_never_twice(self, world: World) -> None:
        world.options = {"STATUS_SIZE": "1024"}
        for _ in range(12):
            world.issued()
        places = [(row["list_id"], row["list_index"]) for row in world.rows("credentials")]
        assert len(set(places)) == 12
        assert [index for _, index in places] != sorted(index for _, index in places)

    def test_a_half_full_list_is_followed_by_another(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("wallet.issuer.statuses._FULL", 3 / 1024)
        world.options = {"STATUS_SIZE": "1024"}
        for _ in range(4):
            world.issued()
        assert [row["allocated"] for row in world.rows("status_lists")] == [3, 1]

    def test_the_metadata_describes_the_claims_in_their_order(self, world: World) -> None:
        document = world.get("/.well-known/openid-credential-issuer").json
        configuration = document["credential_configurations_supported"]["VerifiedPerson"]
        metadata = configuration["credential_metadata"]
        assert [claim["path"] for claim in metadata["claims"]][:2] == [["given_name"], ["family_name"]]
        assert ["document", "number"] in [claim["path"] for claim in metadata["claims"]]
        assert metadata["display"][0]["name"] == "Verified person"
        assert configuration["scope"]
        assert configuration["cryptographic_binding_methods_supported"] == ["jwk", "did:key", "did:jwk"]
        assert document["nonce_endpoint"] == f"{BASE}/nonce"

    @pytest.mark.parametrize("path", ["/status/none", "/offers/none", "/offers/..%2f", "/nothing", "/status/"])
    def test_what_is_not_there(self, world: World, path: str) -> None:
        answer = world.get(path, headers={"Accept": "application/json"})
        assert answer.status_code == 404
        assert answer.is_json

    def test_wallets_in_browsers_may_call(self, world: World) -> None:
        answer = world.client().options("/credential", base_url=BASE)
        assert answer.status_code == 200
        assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
        foreign = {"Origin": "https://wallet.example", "Sec-Fetch-Site": "cross-site"}
        assert world.post("/nonce", headers=foreign).status_code == 200

    def test_the_type_metadata_is_published(self, world: World) -> None:
        assert world.get("/vct/verified-person").json["vct"] == "urn:facet:credential:verified-person:1"

    def test_a_base_address_with_a_path_moves_the_well_known_documents(self, world: World) -> None:
        world.options = {"BASE_URL": f"{BASE}/town"}
        found = world.client().get("/.well-known/openid-credential-issuer/town", base_url=BASE)
        assert found.json["credential_issuer"] == f"{BASE}/town"
        assert world.get("/.well-known/jwt-vc-issuer/town").json["issuer"] == f"{BASE}/town"
        assert world.get("/town/did.json").json["id"] == "did:web:issuer.test:town"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    body=st.binary(max_size=200)
    | st.dictionaries(st.text(max_size=8), st.none() | st.text(max_size=8)).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_hostile_bodies_are_refused_in_order(world: World, body: bytes) -> None:
    access = world.__dict__.setdefault("_access", None) or world.granted()
    world.__dict__["_access"] = access
    for path, content_type in (("/token", "application/x-www-form-urlencoded"), ("/credential", "application/json")):
        answer = world.post(path, data=body, content_type=content_type, headers={"Authorization": f"Bearer {access}"})
        assert 400 <= answer.status_code < 500
        error(answer)
