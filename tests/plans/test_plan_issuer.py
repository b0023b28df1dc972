"""The issuer's two plans: does our desk give a right wallet its card, and a wrong one the error that it should?

As the suite's mock wallet does: pushed request, sign-in, code, DPoP, nonce, proof. In the plain plan the wallet is
known by a list; in the HAIP plan it is attested, and the desk keeps to the profile.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from ssi.issuerkeys import Keys
from ssi.jose import jws
from ssi.jose.jwe import DecryptionKey
from ssi.keys import SoftwareSigner
from ssi.oauth import AuthorizationServer, clients
from ssi.oid4vci import CredentialResponse, IssuerMetadata, signed
from ssi.trust.policies import Anchors
from tests.issuer.applicant import OTHER, Provider
from tests.issuer.world import BASE, World, error
from tests.plans import requesting
from tests.plans.requesting import AUTHORITY, METADATA, Caller, attested_keys, broken

UNKNOWN = {"x_unknown": "ignore me", "x_random_4711": {"a": [1, 2]}}


@pytest.fixture(scope="module")
def attesting(desk_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[bool, World]:
    """Desks that demand key attestations."""
    return {
        haip: requesting.desk(desk_folder, tmp_path_factory.mktemp("keys"), haip=haip, KEY_ATTESTATION="required")
        for haip in (False, True)
    }


@pytest.fixture
def attested(caller: Caller) -> Caller:
    """A wallet with an attestation: in the plain plan, too, where a desk reads it though it does not want it."""
    caller.applicant.provider = Provider(caller.world, AUTHORITY)
    return caller


# --- metadata ---------------------------------------------------------------------------------------------------------


@pytest.mark.module("oid4vci-1_0-issuer-metadata-test")
def test_the_metadata_is_complete_and_names_its_server(caller: Caller) -> None:
    answer = caller.world.get(METADATA, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    said = IssuerMetadata.parse(answer.data, issuer=BASE)
    names = ("credential_endpoint", "nonce_endpoint", "deferred_credential_endpoint", "notification_endpoint")
    assert {urlsplit(answer.json[name]).scheme for name in names} == {"https"}
    card = said.configurations[caller.kind]
    assert (card.format, card.scope) == (caller.format, caller.scope)
    assert card.proof_algs["jwt"]
    listed = answer.json["credential_configurations_supported"]
    assert listed[caller.kind]["credential_signing_alg_values_supported"] == (
        [-7] if caller.format == "mso_mdoc" else ["ES256"]
    )
    if caller.haip:
        assert {one["format"] for one in listed.values()} == {"dc+sd-jwt", "mso_mdoc"}
    server = AuthorizationServer.parse(caller.world.get("/.well-known/oauth-authorization-server").data, issuer=BASE)
    assert server.supports_code
    assert caller.scope in server.scopes


@pytest.mark.module("oid4vci-1_0-issuer-metadata-test-signed")
def test_the_signed_metadata_says_the_same(caller: Caller) -> None:
    answer = caller.world.get(METADATA, headers={"Accept": "application/jwt"})
    assert (answer.status_code, answer.mimetype) == (200, "application/jwt")
    said, signer = signed.open(answer.data, issuer=BASE, keys=Keys(caller.world.fetch), now=caller.world.clock())
    assert said == caller.metadata()
    assert Anchors(caller.world.anchors, None).judge(signer, signed.TYP, now=caller.world.clock()).code == (
        "trust.anchored"
    )
    assert not set(signer.x5c) & set(caller.world.anchors)


# --- what must succeed ------------------------------------------------------------------------------------------------


@pytest.mark.module("oid4vci-1_0-issuer-happy-flow")
def test_a_right_wallet_gets_its_card_whatever_else_it_says(caller: Caller) -> None:
    """Unknown members everywhere are ignored."""
    wallet, world = caller.applicant, caller.world
    reference, tx_code = caller.offered()
    headers = wallet.attested() if caller.haip else {}
    pushed = world.post("/par", data={**wallet.query(scope=(caller.scope,)).form, "x_unknown": "1"}, headers=headers)
    assert pushed.status_code == 201, pushed.text
    browser = wallet.browser()
    wallet.arrive(browser, pushed.json["request_uri"])
    assert wallet.sign_in(browser, reference, tx_code).status_code == 303
    back = wallet.allow(browser)
    assert (back.state, back.iss) == ("st", BASE)
    token = wallet.redeem(str(back.code), x_unknown="2")
    assert (token.status_code, token.headers["Cache-Control"]) == (200, "no-store")
    access = token.json["access_token"]
    answer = caller.asked(access, **UNKNOWN)
    (card,) = caller.cards(answer)
    assert card.holder == caller.key.public
    assert answer.headers["Cache-Control"] == "no-store"
    assert caller.tell(access, answer.json["notification_id"], **UNKNOWN).status_code == 204


@pytest.mark.module("oid4vci-1_0-issuer-happy-flow-additional-requests")
def test_more_requests_with_the_same_token_are_answered(caller: Caller) -> None:
    access = caller.access()
    caller.cards(caller.asked(access))
    for more in (
        {"x-fapi-customer-ip-address": "2001:db8::1893:25c8:1946"},
        {"Accept": "application/json;charset=UTF-8"},
        {"Accept": "application/json, application/*+json, */*"},
        {},
    ):
        again = caller.ask(access, {**caller.bound("/credential", access), **more}, json=caller.body())
        assert [card.holder for card in caller.cards(again)] == [caller.key.public]


@pytest.mark.module("oid4vci-1_0-issuer-happy-flow-multiple-clients")
def test_two_wallets_get_their_cards_one_after_the_other(caller: Caller) -> None:
    (first,) = caller.cards(caller.asked(caller.access()))
    second = Caller(caller.world, caller.form, caller.haip)
    there = f"{OTHER}/cb"
    wallet = second.applicant
    if wallet.provider is not None:
        provider = wallet.provider
        wallet.attested = lambda **pop: {  # type: ignore[method-assign]  # another client by the same provider
            clients.HEADER: provider.attestation(wallet.instance, client_id=OTHER),
            clients.POP_HEADER: clients.make_pop(
                signer=wallet.instance, audience=BASE, now=second.world.clock(), client_id=OTHER,
                jti=secrets.token_urlsafe(),
                challenge=second.world.post("/challenge").json["attestation_challenge"], **pop,
            ),
        }  # fmt: skip
    reference, tx_code = second.offered()
    pushed = wallet.push(client_id=OTHER, redirect_uri=there, scope=(second.scope,))
    assert pushed.status_code == 201, pushed.text
    browser = wallet.browser()
    wallet.arrive(browser, pushed.json["request_uri"], OTHER)
    wallet.sign_in(browser, reference, tx_code)
    token = wallet.redeem(str(wallet.allow(browser).code), client_id=OTHER, redirect_uri=there)
    (card,) = second.cards(second.asked(token.json["access_token"]))
    assert (first.holder, card.holder) == (caller.key.public, second.key.public)


@pytest.mark.module("oid4vci-1_0-issuer-happy-flow-skip-notification")
def test_a_wallet_that_never_says_what_became_of_it_is_served(caller: Caller) -> None:
    access = caller.access()
    assert caller.asked(access).json["notification_id"]
    caller.world.clock.pass_time(minutes=2)
    caller.cards(caller.asked(access))
    caller.cards(caller.asked(caller.access()))


@pytest.mark.module("oid4vci-1_0-issuer-batch-issuance")
def test_a_batch_has_one_card_for_each_key(caller: Caller) -> None:
    size = caller.metadata().batch_size
    assert size > 1
    keys = [SoftwareSigner.generate("ES256") for _ in range(size)]
    cards = caller.cards(caller.asked(caller.access(), **caller.proofs(*keys)))
    assert [card.holder for card in cards] == [key.public for key in keys]
    said = [{name: one for name, one in card.claims.items() if name not in ("cnf", "status")} for card in cards]
    assert said == [said[0]] * size


# --- what must be refused at the credential endpoint ------------------------------------------------------------------


def refused(caller: Caller, answer: TestResponse, code: str, status: int = 400) -> None:
    assert error(answer) == (status, code)
    assert caller.nothing_issued


@pytest.mark.module("oid4vci-1_0-issuer-fail-invalid-nonce")
def test_a_proof_for_another_nonce_is_refused(caller: Caller) -> None:
    answer = caller.asked(caller.access(), **caller.proofs(nonce="a-nonce-that-this-desk-never-gave"))
    refused(caller, answer, "invalid_nonce")


@pytest.mark.module("oid4vci-1_0-issuer-fail-invalid-jwt-proof-signature")
def test_a_broken_proof_is_refused(caller: Caller) -> None:
    (proof,) = caller.proofs()["proofs"]["jwt"]
    refused(caller, caller.asked(caller.access(), proofs={"jwt": [broken(proof)]}), "invalid_proof")


@pytest.mark.module("oid4vci-1_0-issuer-fail-invalid-key-attestation-signature")
@pytest.mark.parametrize("way", ["jwt", "attestation"])
@pytest.mark.parametrize("haip", [False, True], ids=["plain", "haip"])
def test_a_broken_key_attestation_is_refused(attesting: dict[bool, World], kind: str, haip: bool, way: str) -> None:
    world = attesting[haip]
    caller = Caller(world, kind, haip)
    access, nonce = caller.access(), world.nonce()
    right = attested_keys(world, [caller.key], nonce=nonce)

    def proofs(attestation: str) -> dict[str, Any]:
        if way == "attestation":
            return {"attestation": [attestation]}
        return {"jwt": [world.proof(signer=caller.key, nonce=nonce, key_attestation=attestation)]}

    refused(caller, caller.asked(access, proofs=proofs(broken(right))), "invalid_proof")
    caller.cards(caller.asked(access, proofs=proofs(right)))


@pytest.mark.module("oid4vci-1_0-issuer-fail-missing-proof")
def test_a_request_without_a_proof_is_refused(caller: Caller) -> None:
    refused(caller, caller.asked(caller.access(), proofs=None), "invalid_proof")


@pytest.mark.module("oid4vci-1_0-issuer-fail-unsupported-encryption-algorithm")
def test_an_answer_encrypted_in_an_unknown_way_is_refused(caller: Caller) -> None:
    policy, key, access = caller.metadata().request_encryption, DecryptionKey.generate(), caller.access()
    assert policy is not None

    def sealed(enc: str) -> TestResponse:
        wanted = {"jwk": key.public_jwk, "enc": enc}
        headers = {**caller.bound("/credential", access), "Content-Type": "application/jwt"}
        return caller.ask(access, headers, data=policy.seal(caller.body(credential_response_encryption=wanted)))

    refused(caller, sealed("UNSUPPORTED-ENC"), "invalid_encryption_parameters")
    right = sealed("A256GCM")
    asked = caller.metadata().response_encryption
    assert asked is not None
    reading = asked.ask(key)
    assert (right.mimetype, reading is not None) == ("application/jwt", True), right.text
    assert reading is not None
    (wire,) = CredentialResponse.parse(reading.open(right.text, key=key)).credentials
    assert caller.opened(str(wire)).holder == caller.key.public


@pytest.mark.module("oid4vci-1_0-issuer-fail-unknown-credential-configuration")
def test_an_unknown_configuration_is_refused(caller: Caller) -> None:
    answer = caller.asked(caller.access(), credential_configuration_id="NoSuchCard")
    refused(caller, answer, "unknown_credential_configuration")


@pytest.mark.module("oid4vci-1_0-issuer-fail-unknown-credential-identifier")
def test_an_unknown_identifier_is_refused(caller: Caller) -> None:
    """With `authorization_details` the token names identifiers; the suite asks for one that it never named."""
    changes = {"details": (caller.kind,)}
    token = caller.token(**(changes if caller.haip else {**changes, "scope": ()}))
    (detail,) = token["authorization_details"]
    access = token["access_token"]
    wrong = caller.asked(access, credential_configuration_id=None, credential_identifier="no-such-identifier")
    refused(caller, wrong, "unknown_credential_identifier")
    (identifier,) = detail["credential_identifiers"]
    caller.cards(caller.asked(access, credential_configuration_id=None, credential_identifier=identifier))


@pytest.mark.module("oid4vci-1_0-issuer-fail-on-access-token-in-query")
def test_a_token_in_the_address_counts_for_nothing(caller: Caller) -> None:
    access = caller.access()
    headers = caller.bound("/credential", access)
    del headers["Authorization"]
    answer = caller.ask(access, headers, json=caller.body(), query_string={"access_token": access})
    refused(caller, answer, "invalid_token", 401)


# --- what must be refused of a client attestation ---------------------------------------------------------------------


def pushed(caller: Caller, *, attestation: str | None = None, **pop: Any) -> TestResponse:
    """A pushed request whose attestation or proof of possession is another than the right one."""
    headers = caller.applicant.attested(**pop)
    if attestation is not None:
        headers[clients.HEADER] = attestation
    return caller.applicant.push(headers, scope=(caller.scope,))


def attestation_of(caller: Caller, **changes: Any) -> str:
    assert caller.applicant.provider is not None
    return caller.applicant.provider.attestation(caller.applicant.instance, **changes)


@pytest.mark.module("oid4vci-1_0-issuer-fail-invalid-client-attestation-signature")
def test_a_broken_attestation_is_refused(attested: Caller) -> None:
    assert pushed(attested).status_code == 201
    assert error(pushed(attested, attestation=broken(attestation_of(attested)))) == (401, "invalid_client")


@pytest.mark.module("oid4vci-1_0-issuer-fail-invalid-client-attestation-pop-signature")
def test_a_broken_proof_of_possession_is_refused(attested: Caller) -> None:
    headers = attested.applicant.attested()
    headers[clients.POP_HEADER] = broken(headers[clients.POP_HEADER])
    assert error(attested.applicant.push(headers, scope=(attested.scope,))) == (401, "invalid_client")


@pytest.mark.module("oid4vci-1_0-issuer-fail-client-attestation-exp-in-past")
def test_an_attestation_of_the_past_is_refused(attested: Caller) -> None:
    old = jws.parse(attestation_of(attested), typ=None)
    header = {name: value for name, value in old.header.items() if name != "alg"}
    assert attested.applicant.provider is not None
    past = int(attested.world.clock().timestamp()) - 600
    token = jws.sign({**old.claims, "exp": past}, signer=attested.applicant.provider.signer, header=header)
    assert error(pushed(attested, attestation=token)) == (401, "invalid_client")


@pytest.mark.module("oid4vci-1_0-issuer-fail-client-attestation-no-sub")
def test_an_attestation_about_nobody_is_refused(attested: Caller) -> None:
    old = jws.parse(attestation_of(attested), typ=None)
    header = {name: value for name, value in old.header.items() if name != "alg"}
    assert attested.applicant.provider is not None
    claims = {name: value for name, value in old.claims.items() if name != "sub"}
    token = jws.sign(claims, signer=attested.applicant.provider.signer, header=header)
    assert error(pushed(attested, attestation=token)) == (401, "invalid_client")


@pytest.mark.module("oid4vci-1_0-issuer-fail-client-attestation-pop-wrong-aud")
def test_a_proof_of_possession_for_somebody_else_is_refused(attested: Caller) -> None:
    assert error(pushed(attested, audience="https://other-server.test")) == (401, "invalid_client")


@pytest.mark.module("oid4vci-1_0-issuer-fail-mismatched-client-attestation-pop-key")
def test_a_proof_of_possession_with_another_key_is_refused(attested: Caller) -> None:
    assert error(pushed(attested, signer=SoftwareSigner.generate("ES256"))) == (401, "invalid_client")
