"""Are presentations bound to their challenge and domain, signed by their holder, and full of good credentials?"""

from __future__ import annotations

from typing import Any

import pytest

from ssi import vcdm
from ssi.dids import key as did_key
from ssi.formats import vcjwt
from ssi.keys import SoftwareSigner
from tests.conformance.town import CHALLENGE, DOMAIN, PROOF_ONLY, Town

GOOD = {"challenge": CHALLENGE, "domain": DOMAIN}


@pytest.mark.parametrize("path", ["vcdm", "ecdsa-rdfc-2019@P-256", "eddsa-jcs-2022", "vc-jwt"])
@pytest.mark.parametrize("options", [GOOD, {"challenge": CHALLENGE}, {**GOOD, **PROOF_ONLY}, PROOF_ONLY])
def test_a_presentation_for_us_is_accepted(town: Town, path: str, options: dict[str, Any]) -> None:
    answer = town.verify_presentation(town.presentation(town.issued(path)), **options)
    assert answer.status_code == 200, answer.json


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "request.challenge"),
        ({"domain": DOMAIN}, "request.challenge"),
        ({"challenge": "another"}, "proof.challenge"),
        ({"challenge": CHALLENGE, "domain": "https://elsewhere.test"}, "proof.domain"),
        ({"challenge": "another", **PROOF_ONLY}, "proof.challenge"),
        ({"challenge": 4}, "encoding.text"),
    ],
)
def test_a_presentation_for_another_request_is_refused(town: Town, options: dict[str, Any], code: str) -> None:
    answer = town.verify_presentation(town.presentation(town.issued("vcdm")), **options)
    assert (answer.status_code, answer.json["error"]) == (400, code)


def test_a_presentation_is_made_for_authentication(town: Town) -> None:
    presentation = town.presentation(town.issued("vcdm"), purpose="assertionMethod")
    assert town.verify_presentation(presentation, **GOOD).json["error"] == "proof.purpose"


def test_a_presentation_of_somebody_else_is_refused(town: Town) -> None:
    presentation = town.presentation(town.issued("vcdm"), named="did:example:alice")
    assert town.verify_presentation(presentation, **GOOD).json["error"] == "conformance.holder"
    assert town.verify_presentation(presentation, **GOOD, **PROOF_ONLY).status_code == 200


def test_a_presentation_without_a_proof_is_refused(town: Town) -> None:
    presentation = town.presentation(town.issued("vcdm"))
    del presentation["proof"]
    assert town.verify_presentation(presentation, **GOOD).json["error"] == "proof.none"


@pytest.mark.parametrize("path", ["vcdm", "vc-jwt"])
def test_a_bad_credential_makes_a_bad_presentation(town: Town, path: str) -> None:
    credential = town.issued(path)
    if path == "vcdm":
        credential["credentialSubject"]["alumniOf"] = "Elsewhere"
    else:
        credential["id"] = credential["id"][:-4] + "AAAA"
    answer = town.verify_presentation(town.presentation(credential), **GOOD)
    assert (answer.status_code, answer.json["verified"]) == (400, False)


def test_an_unsecured_credential_makes_a_bad_presentation(town: Town) -> None:
    answer = town.verify_presentation(town.presentation(town.credential("vcdm")), **GOOD)
    assert (answer.status_code, answer.json["error"]) == (400, "proof.none")


# --- enveloped --------------------------------------------------------------------------------------------------------


def enveloped(town: Town, **more: Any) -> dict[str, Any]:
    signer = SoftwareSigner.generate("ES256")
    holder = did_key.from_public(signer.public)
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": holder,
        "verifiableCredential": [town.issued("vc-jwt")],
    }
    claims = {"iss": holder, "nonce": CHALLENGE, "aud": DOMAIN, **more}
    token = vcjwt.sign_document(document, signer=signer, kind="vp", kid=did_key.url(signer.public), claims=claims)
    return vcdm.envelop(token.encode(), "application/vp+jwt", "EnvelopedVerifiablePresentation")


def test_an_enveloped_presentation_for_us_is_accepted(town: Town) -> None:
    assert town.verify_presentation(enveloped(town), **GOOD).status_code == 200
    assert town.verify_presentation(enveloped(town, aud=[DOMAIN, "x"]), **GOOD).status_code == 200


@pytest.mark.parametrize(
    ("more", "code"), [({"nonce": "another"}, "proof.challenge"), ({"aud": "https://elsewhere.test"}, "proof.domain")]
)
def test_an_enveloped_presentation_for_another_request_is_refused(town: Town, more: dict[str, Any], code: str) -> None:
    answer = town.verify_presentation(enveloped(town, **more), **GOOD)
    assert (answer.status_code, answer.json["error"]) == (400, code)


@pytest.mark.parametrize(
    "wrong",
    [
        {"@context": []},
        {"@context": ["https://www.w3.org/ns/credentials/examples/v2"]},
        {"id": "no data url"},
        {"id": "data:application/vp+jwt,"},
        {"id": "data:text/plain,a.b.c"},
        {"type": ["VerifiablePresentation"]},
        {"type": ["EnvelopedVerifiableCredential", "EnvelopedVerifiablePresentation"]},
    ],
)
def test_envelopes_must_be_envelopes(town: Town, wrong: dict[str, Any]) -> None:
    assert town.verify_presentation({**enveloped(town), **wrong}, **GOOD).status_code == 400
    assert town.verify({**town.issued("vc-jwt"), **wrong}).status_code == 400
