"""Presentations of data model 1.1: every gap that DIDKit leaves open is closed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ssi import legacy
from ssi.encoding import b64url, read_json, unb64url, write_json
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.keys import SoftwareSigner
from ssi.legacy import JWT
from tests.ssi.legacies import CHALLENGE, OTHER, SIGNERS, WAYS, credential, did, method
from tests.support import NOW

pytestmark = pytest.mark.skipif(not legacy.available(), reason="no didkit wheel for this platform")

ISSUER, HOLDER = OTHER, SIGNERS["EdDSA"]
TYPE = "Ed25519Signature2018"


def issued(*, proof_type: str = TYPE, holder: SoftwareSigner = HOLDER, **changes: Any) -> Any:
    return legacy.issue(credential(ISSUER, holder, **changes), signer=ISSUER, proof_type=proof_type, now=NOW)


def presented(*credentials: Any, proof_type: str = TYPE, holder: SoftwareSigner = HOLDER) -> Any:
    return legacy.present(
        credentials, holder=did(holder), signer=holder, proof_type=proof_type, challenge=CHALLENGE, now=NOW
    )


def opened(
    presentation: Any, *, proof_type: str = TYPE, challenge: Any = CHALLENGE, now: Any = NOW
) -> legacy.Presented:
    return legacy.verify_presentation(presentation, proof_type=proof_type, challenge=challenge, now=now)


def token(claims: dict[str, Any], signer: SoftwareSigner = HOLDER) -> str:
    head = {"alg": signer.public.algorithm.name, "kid": method(signer)}
    signed = f"{b64url(write_json(head))}.{b64url(write_json(claims))}"
    return f"{signed}.{b64url(signer.sign(signed.encode()))}"


def claims(wire: str, **changes: Any) -> dict[str, Any]:
    found = {**read_json(unb64url(wire.split(".")[1])), **changes}
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize(("proof_type", "alg"), WAYS)
def test_a_holder_presents(proof_type: str, alg: str) -> None:
    holder = SIGNERS[alg]
    inside = [issued(holder=holder)] + ([issued(holder=holder, proof_type=JWT)] if proof_type == JWT else [])
    found = opened(presented(*inside, proof_type=proof_type, holder=holder), proof_type=proof_type)
    assert found.holder == did(holder)
    assert [each["credentialSubject"]["given_name"] for each in found.credentials] == ["Ada"] * len(inside)
    assert all("proof" not in each for each in found.credentials)


@pytest.mark.parametrize("proof_type", [TYPE, JWT])
def test_a_forged_credential_inside_is_found(proof_type: str) -> None:
    forged = {**issued(), "credentialSubject": {"id": did(HOLDER), "given_name": "Eve"}}
    with pytest.raises(Refused, match=r"didkit\.proof"):
        opened(presented(forged, proof_type=proof_type), proof_type=proof_type)
    with pytest.raises(Refused, match=r"didkit\.proof"):
        opened(presented(issued(id="urn:uuid:another"), forged, proof_type=proof_type), proof_type=proof_type)
    bare = credential(ISSUER, HOLDER)
    with pytest.raises(Malformed, match=r"didkit\.no_proof"):
        opened(presented(bare, proof_type=proof_type), proof_type=proof_type)


@pytest.mark.parametrize("proof_type", [TYPE, JWT])
def test_an_expired_credential_inside_is_found(proof_type: str) -> None:
    expired = issued(expirationDate="2026-11-19T00:00:00Z")
    with pytest.raises(Refused, match=r"didkit\.expired"):
        opened(presented(expired, proof_type=proof_type), proof_type=proof_type)


@pytest.mark.parametrize("proof_type", [TYPE, JWT])
def test_a_stolen_credential_is_no_use(proof_type: str) -> None:
    for subject in ({"id": did(OTHER), "given_name": "Ada"}, {"given_name": "Ada"},
                    [{"id": did(HOLDER)}, {"id": did(OTHER)}]):  # fmt: skip
        with pytest.raises(Refused, match=r"didkit\.not_the_subject"):
            opened(presented(issued(credentialSubject=subject), proof_type=proof_type), proof_type=proof_type)


@pytest.mark.parametrize("proof_type", [TYPE, JWT])
def test_it_answers_one_challenge_for_one_audience(proof_type: str) -> None:
    found = presented(issued(), proof_type=proof_type)
    with pytest.raises(Refused, match=r"didkit\.challenge"):
        opened(found, proof_type=proof_type, challenge=replace(CHALLENGE, nonce="other"))
    with pytest.raises(Refused, match=r"didkit\.audience"):
        opened(found, proof_type=proof_type, challenge=replace(CHALLENGE, audience="https://other.example"))
    for empty in (replace(CHALLENGE, nonce=""), replace(CHALLENGE, audience="")):
        with pytest.raises(Refused, match=r"didkit\.challenge"):
            opened(found, proof_type=proof_type, challenge=empty)


def test_what_a_token_leaves_out_is_missed() -> None:
    wire = presented(issued(), proof_type=JWT)
    opened(token(claims(wire)), proof_type=JWT)
    opened(token(claims(wire, aud=[CHALLENGE.audience], exp=int(NOW.timestamp()) + 10**8)), proof_type=JWT)
    for changes, code in [
        ({"aud": None}, "didkit.audience"),
        ({"aud": [CHALLENGE.audience, "https://other.example"]}, "didkit.audience"),
        ({"nonce": None}, "didkit.challenge"),
        ({"exp": int(NOW.timestamp())}, "didkit.expired"),
        ({"iat": int(NOW.timestamp()) + 61}, "didkit.not_yet_valid"),
        ({"iss": None}, "encoding.missing"),
        ({"iss": did(OTHER)}, "didkit.issuer"),
        ({"vp": None}, "didkit.jwt"),
        ({"vp": {**claims(wire)["vp"], "holder": did(OTHER)}}, "didkit.jwt_conflict"),
        ({"vp": {**claims(wire)["vp"], "type": "Other"}}, "didkit.type"),
        ({"vp": {**claims(wire)["vp"], "verifiableCredential": []}}, "didkit.credentials"),
    ]:
        with pytest.raises(SsiError) as caught:
            opened(token(claims(wire, **changes)), proof_type=JWT)  # type: ignore[arg-type]  (whatever claims)
        assert caught.value.code == code
    with pytest.raises(Refused, match=r"didkit\.proof"):
        opened(wire[:-8] + "AAAAAAAA", proof_type=JWT)


def test_the_holder_is_named_and_is_the_signer() -> None:
    found = presented(issued())
    nobody = {name: value for name, value in found.items() if name != "holder"}
    with pytest.raises(Malformed, match=r"didkit\.holder"):
        opened(nobody)
    with pytest.raises(Refused, match=r"didkit\.holder"):
        opened({**found, "holder": did(OTHER)})
    with pytest.raises(SsiError):
        legacy.present((issued(),), holder=did(OTHER), signer=HOLDER, proof_type=TYPE, challenge=CHALLENGE, now=NOW)


def test_every_proof_is_for_this_purpose_and_type() -> None:
    found = presented(issued())
    proof = found["proof"]
    for changed, code in [
        ({"proofPurpose": "assertionMethod"}, "didkit.purpose"),
        ({"challenge": None}, "didkit.challenge"),
        ({"domain": None}, "didkit.audience"),
        ({"type": "JsonWebSignature2020"}, "didkit.proof_type"),
        ({"created": "2026-11-21T00:00:00Z"}, "didkit.not_yet_valid"),
        ({"created": "2026-11-19T00:00:00Z"}, "didkit.proof"),
    ]:
        other = {name: value for name, value in {**proof, **changed}.items() if value is not None}
        for proofs in (other, [proof, other], [other, proof]):
            with pytest.raises(SsiError) as caught:
                opened({**found, "proof": proofs})
            assert caught.value.code == code


def test_a_credential_cannot_be_swapped_after_signing() -> None:
    found = presented(issued())
    with pytest.raises(Refused, match=r"didkit\.proof"):
        opened({**found, "verifiableCredential": [issued(id="urn:uuid:another")]})
    with pytest.raises(SsiError):  # a token among linked data would be signed by nobody
        presented(issued(proof_type=JWT))


@pytest.mark.parametrize("other", ["x", JWT, TYPE, "JsonWebSignature2020"])
def test_only_the_kind_that_is_accepted(other: str) -> None:
    found, wire = presented(issued()), presented(issued(), proof_type=JWT)
    if other != TYPE:
        with pytest.raises(Unsupported, match="proof_type"):
            opened(found, proof_type=other)
    if other != JWT:
        with pytest.raises(Unsupported, match="proof_type"):
            opened(wire, proof_type=other)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"@context": ["https://www.w3.org/ns/credentials/v2"]}, "didkit.context"),
        ({"type": ["Other"]}, "didkit.type"),
        ({"holder": 5}, "didkit.holder"),
        ({"holder": {}}, "didkit.holder"),
        ({"proof": []}, "didkit.no_proof"),
    ],
)
def test_only_presentations_of_this_model(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Malformed) as caught:
        opened({**presented(issued()), **changes})
    assert caught.value.code == code


def test_many_credentials_are_too_many() -> None:
    found = issued()
    for number in (0, 17):
        with pytest.raises(SsiError):
            opened(presented(*[found] * number))
    with pytest.raises(Malformed, match=r"didkit\.credential\]"):
        legacy.credentials.verified(5, now=NOW)
