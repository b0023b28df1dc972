"""The desk's main job in one process: from an application to a credential that checks, and to its revocation."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from ssi.dids import key as did_key
from ssi.dids import multikey
from ssi.encoding import b64url
from ssi.formats import by_id
from ssi.issuerkeys import Keys
from ssi.keys import ALGORITHMS, SoftwareSigner
from ssi.model import Check, Credential, Opened, Outcome
from ssi.oid4vci import AuthorizationServer, CredentialResponse, IssuerMetadata, OfferReference, parse_offer, read_offer
from ssi.status import Checker
from ssi.trust.policies import Anchors, Issuers
from tests.issuer.world import BASE, PERSON, World, payload


def opened(world: World, wire: str) -> Opened:
    return by_id("dc+sd-jwt").check(Credential("dc+sd-jwt", wire), keys=Keys(world.fetch), now=world.clock())


def status_of(world: World, found: Opened) -> str:
    assert found.statuses
    trust = Anchors(world.anchors, None)
    checker = Checker(fetch=world.fetch, keys=Keys(world.fetch), trust=trust, max_age=timedelta(hours=1))
    return checker.check(found.statuses[0], issuer=found.issuer, now=world.clock()).code


def test_an_applicant_gets_a_credential_that_checks(world: World) -> None:
    made = world.apply()
    assert made.json["decision"] == "approved"
    answer = world.desk("POST", f"/desk/applications/{made.json['id']}/offer")
    reference = parse_offer(answer.json["offer_uri"])
    assert isinstance(reference, OfferReference)
    assert answer.json["qr_svg"].startswith("<svg")
    offer = read_offer(world.get(reference.uri).data)
    assert offer.issuer == BASE
    assert offer.pre_authorized is not None
    assert offer.pre_authorized.tx_code is not None
    assert offer.pre_authorized.tx_code.length == len(answer.json["tx_code"]) == 6
    metadata = IssuerMetadata.parse(world.get("/.well-known/openid-credential-issuer").data, issuer=BASE)
    server = AuthorizationServer.parse(world.get("/.well-known/oauth-authorization-server").data, issuer=BASE)
    assert server.supports_pre_authorized
    assert server.anonymous_access
    assert server.token_endpoint == f"{BASE}/token"
    configuration = metadata.configurations[offer.configuration_ids[0]]
    assert set(configuration.proof_algs["jwt"]) == set(ALGORITHMS)
    token = world.redeem(offer.pre_authorized.code, answer.json["tx_code"])
    assert token.status_code == 200
    assert token.headers["Cache-Control"] == "no-store"
    assert token.json["token_type"] == "Bearer"
    assert token.json["expires_in"] <= 300
    response = world.credential(token.json["access_token"])
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    wire = CredentialResponse.parse(response.data).credentials[0]
    found = opened(world, wire)
    assert [
        f.code for f in found.findings if f.outcome is not Outcome.PASS and f.check is not Check.HOLDER_BINDING
    ] == []
    assert found.type == configuration.vct
    assert found.holder == world.holder.public
    assert found.claims["given_name"] == PERSON["given_name"]
    assert found.claims["nationalities"] == ["DE"]
    assert found.claims["document"]["number"] == PERSON["document_number"]
    # birthday tomorrow: seventeen today
    assert [found.claims[f"age_over_{age}"] for age in (16, 18, 21, 65)] == [True, False, False, False]
    assert Anchors(world.anchors, None).judge(found.issuer, found.type, now=world.clock()).outcome is Outcome.PASS
    assert status_of(world, found) == "status.valid"
    state = world.desk("GET", f"/desk/applications/{made.json['id']}").json
    assert state["state"] == "accepted"


def test_everything_about_the_person_can_be_hidden(world: World) -> None:
    wire = world.issued()
    assert set(payload(wire)) == {
        "iss", "vct", "iat", "nbf", "exp", "cnf", "status", "_sd", "_sd_alg",
    }  # fmt: skip


def test_ages_are_worked_out_on_the_day_of_issue(world: World) -> None:
    made = world.apply()
    world.clock.pass_time(hours=14)
    uri, tx_code = world.offer(made.json["id"])
    answer = world.credential(world.token(uri, tx_code).json["access_token"])
    found = opened(world, answer.json["credentials"][0]["credential"])
    assert found.claims["age_over_18"] is True


def test_a_credential_never_outlives_the_document_or_the_certificate(world: World) -> None:
    found = opened(world, world.issued())
    assert found.valid_until is not None
    assert found.valid_until < world.clock() + timedelta(days=365)  # the certificate was made an hour earlier
    made = world.apply(document_expiry="2026-12-24")
    uri, tx_code = world.offer(made.json["id"])
    answer = world.credential(world.token(uri, tx_code).json["access_token"])
    short = opened(world, answer.json["credentials"][0]["credential"])
    assert short.valid_until is not None
    assert short.valid_until.isoformat() == "2026-12-24T23:59:59+00:00"


@pytest.mark.parametrize("alg", sorted(ALGORITHMS))
def test_holders_may_use_every_listed_algorithm(world: World, alg: str) -> None:
    world.holder = SoftwareSigner.generate(alg)
    assert opened(world, world.issued()).holder == world.holder.public


def test_a_holder_may_bind_to_a_did(world: World) -> None:
    did = did_key.from_public(world.holder.public)
    body = {
        "credential_configuration_id": "VerifiedPerson",
        "proofs": {"jwt": [world.proof(kid=f"{did}#{did.removeprefix('did:key:')}")]},
    }
    answer = world.credential(world.granted(), body)
    assert answer.status_code == 200, answer.text
    assert opened(world, answer.json["credentials"][0]["credential"]).holder == world.holder.public


@pytest.mark.parametrize(("way", "identifier"), [("did", "did:web:issuer.test"), ("metadata", BASE)])
def test_the_desk_can_be_identified_otherwise(world: World, way: str, identifier: str) -> None:
    world.options = {"IDENTIFY_BY": way}
    found = opened(world, world.issued())
    assert [f.code for f in found.findings if f.outcome is Outcome.FAIL] == []
    assert (found.issuer.id, found.issuer.x5c) == (identifier, ())
    trust = Issuers({identifier: None})
    assert trust.judge(found.issuer, found.type, now=world.clock()).outcome is Outcome.PASS
    assert status_of(world, found) == "status.valid"


def test_all_three_ways_are_published_at_once(world: World) -> None:
    document = world.get("/.well-known/did.json").json
    metadata = world.get("/.well-known/jwt-vc-issuer").json
    keys = world.get("/jwks").json
    assert document["id"] == "did:web:issuer.test"
    assert metadata == {"issuer": BASE, "jwks": keys}
    method = document["verificationMethod"][0]
    assert method["type"] == "Multikey"
    assert b64url(multikey.decode(method["publicKeyMultibase"]).x) == keys["keys"][0]["x"]
    assert "d" not in json.dumps([method, keys["keys"][0]["crv"]]).split('"')


def test_authorization_details_bring_an_identifier_that_must_be_used(world: World) -> None:
    _, uri, tx_code = world.offered()
    details = json.dumps([{"type": "openid_credential", "credential_configuration_id": "VerifiedPerson"}])
    token = world.token(
        uri, tx_code, authorization_details=details, scope="verified_person", resource=BASE, user_pin="1"
    )
    named = token.json["authorization_details"][0]["credential_identifiers"]
    access = token.json["access_token"]
    by_configuration = world.credential(access)
    assert (by_configuration.status_code, by_configuration.json["error"]) == (400, "invalid_credential_request")
    other = {"credential_identifier": "offer-999", "proofs": {"jwt": [world.proof()]}}
    assert world.credential(access, other).json["error"] == "unknown_credential_identifier"
    right = {"credential_identifier": named[0], "proofs": {"jwt": [world.proof()]}}
    assert world.credential(access, right).status_code == 200


def test_a_revoked_credential_is_revoked_for_everybody(world: World) -> None:
    found = opened(world, world.issued())
    listed = world.desk("GET", "/desk/credentials").json["credentials"]
    assert [each["state"] for each in listed] == ["valid"]
    done = world.desk("POST", f"/desk/credentials/{listed[0]['id']}/revoke", json={"reason": "reported lost"})
    assert (done.status_code, done.json["state"], done.json["reason"]) == (200, "revoked", "reported lost")
    assert status_of(world, found) == "status.revoked"
    again = world.desk("POST", f"/desk/credentials/{listed[0]['id']}/revoke")
    assert (again.status_code, again.json["reason"]) == (200, "reported lost")
    undone = world.desk("POST", f"/desk/credentials/{listed[0]['id']}/resume")
    assert undone.status_code == 409
    assert status_of(world, found) == "status.revoked"


def test_a_suspended_credential_can_count_again(world: World) -> None:
    found = opened(world, world.issued())
    identifier = world.desk("GET", "/desk/credentials").json["credentials"][0]["id"]
    world.desk("POST", f"/desk/credentials/{identifier}/suspend")
    assert status_of(world, found) == "status.suspended"
    world.desk("POST", f"/desk/credentials/{identifier}/resume")
    assert status_of(world, found) == "status.valid"


def test_a_declined_applicant_gets_reasons_and_no_offer(world: World) -> None:
    world.matcher.accepts = False
    made = world.apply()
    assert (made.status_code, made.json["decision"], made.json["evidence"]) == (201, "declined", None)
    assert made.json["reasons"]
    assert all(reason["code"] and reason["detail"] for reason in made.json["reasons"])
    refused = world.desk("POST", f"/desk/applications/{made.json['id']}/offer")
    assert (refused.status_code, refused.json["error"]) == (409, "offer.declined")
    assert world.rows("offers") == []
