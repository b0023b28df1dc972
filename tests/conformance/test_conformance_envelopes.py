"""Are credentials and presentations in envelopes of every kind read, the older tokens among them, and judged?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ssi import jose, vcdm
from ssi.dids import key as did_key
from ssi.encoding import seconds
from ssi.formats import vccose, vcsdjwt
from ssi.keys import SoftwareSigner
from tests.conformance.town import CHALLENGE, DOMAIN, PROOF_ONLY, V2, Town
from tests.support import NOW

PRESENTATION = "EnvelopedVerifiablePresentation"
GOOD = {"challenge": CHALLENGE, "domain": DOMAIN}


class Party:
    """Somebody with a key and a did:key, who signs the older tokens."""

    def __init__(self, alg: str = "ES256") -> None:
        self.signer = SoftwareSigner.generate(alg)
        self.did, self.url = did_key.from_public(self.signer.public), did_key.url(self.signer.public)

    def document(self, **more: Any) -> dict[str, Any]:
        subject = {"id": "did:example:alice", "name": "Alice"}
        return {
            "@context": [V2],
            "type": ["VerifiableCredential"],
            "issuer": self.did,
            "credentialSubject": subject,
            **more,
        }

    def token(self, claims: dict[str, Any], **header: Any) -> bytes:
        head = {"typ": "JWT", "kid": self.url, **header}
        kept = {name: value for name, value in head.items() if value is not None}
        return jose.sign({"iss": self.did, **claims}, signer=self.signer, header=kept).encode()

    def credential(self, header: dict[str, Any] | None = None, **claims: Any) -> dict[str, Any]:
        return vcdm.envelop(self.token({"vc": self.document(), **claims}, **(header or {})), "application/jwt")

    def presentation(self, *credentials: Any, **claims: Any) -> dict[str, Any]:
        document = {
            "@context": [V2],
            "type": ["VerifiablePresentation"],
            "holder": self.did,
            "verifiableCredential": list(credentials),
        }
        token = self.token({"vp": document, "nonce": CHALLENGE, "aud": DOMAIN, **claims})
        return vcdm.envelop(token, "application/jwt", PRESENTATION)


@pytest.mark.parametrize("alg", ["ES256", "ES384", "EdDSA"])
@pytest.mark.parametrize("header", [{}, {"typ": None}])
def test_older_tokens_are_read(town: Town, alg: str, header: dict[str, Any]) -> None:
    party = Party(alg)
    assert town.verify(party.credential(header)).status_code == 200
    assert town.verify_presentation(party.presentation(party.credential(header)), **GOOD).status_code == 200


@pytest.mark.parametrize(
    ("header", "claims", "code"),
    [
        ({"typ": "vc+jwt"}, {}, "jose.typ"),
        ({"kid": "did:example:other#key"}, {}, "issuerkeys.kid_of_another"),
        ({}, {"iss": "did:example:other"}, "conformance.legacy"),
        ({}, {"vc": "no object"}, "conformance.legacy"),
        ({}, {"vc": {}}, "vcdm.context"),
        ({}, {"exp": seconds(NOW - timedelta(days=1))}, "conformance.validity"),
        ({}, {"nbf": seconds(NOW + timedelta(days=1))}, "conformance.validity"),
        ({}, {"exp": "soon"}, "encoding.numeric_date"),
    ],
)
def test_older_tokens_that_break_a_rule_are_refused(
    town: Town, header: dict[str, Any], claims: dict[str, Any], code: str
) -> None:
    answer = town.verify(Party().credential(header, **claims))
    assert (answer.status_code, answer.json["error"]) == (400, code)


def test_an_older_token_signed_by_another_is_refused(town: Town) -> None:
    party, other = Party(), Party()
    forged = vcdm.envelop(other.token({"iss": party.did, "vc": party.document()}, kid=party.url), "application/jwt")
    for options in ({}, PROOF_ONLY):
        assert town.verify(forged, **options).json["error"] == "jose.signature"


def test_an_older_token_whose_signers_key_cannot_be_asked_for_is_no_yes(town: Town) -> None:
    party = Party()
    away = {"iss": "did:web:away.test", "vc": party.document(issuer="did:web:away.test")}
    token = vcdm.envelop(party.token(away, kid="did:web:away.test#key"), "application/jwt")
    answer = town.verify(token, **PROOF_ONLY)
    assert (answer.status_code, answer.json["findings"][0]["outcome"]) == (400, "unknown")


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"nonce": "another"}, "proof.challenge"),
        ({"aud": "https://elsewhere.test"}, "proof.domain"),
        ({"iss": "did:example:other"}, "conformance.legacy"),
        ({"exp": seconds(NOW)}, "conformance.validity"),
    ],
)
def test_older_presentations_for_another_request_are_refused(town: Town, claims: dict[str, Any], code: str) -> None:
    party = Party()
    answer = town.verify_presentation(party.presentation(party.credential(), **claims), **GOOD)
    assert (answer.status_code, answer.json["error"]) == (400, code)


def test_an_older_presentation_is_signed_by_the_holder_it_names(town: Town) -> None:
    party, other = Party(), Party()
    document = {"@context": [V2], "type": ["VerifiablePresentation"], "verifiableCredential": [party.credential()]}
    claims = {"iss": party.did, "vp": {**document, "holder": party.did}, "nonce": CHALLENGE, "aud": DOMAIN}
    token = vcdm.envelop(other.token(claims), "application/jwt", PRESENTATION)
    assert town.verify_presentation(token, **GOOD).json["error"] == "conformance.holder"


@pytest.mark.parametrize("way", ["sd-jwt", "cose"])
def test_credentials_in_other_envelopes_are_read(town: Town, way: str) -> None:
    party = Party()
    secure: Any = vcsdjwt.sign_document if way == "sd-jwt" else vccose.sign_document
    made = secure(party.document(), signer=party.signer, kid=party.url)
    envelope = vcdm.envelop(made if isinstance(made, bytes) else made.encode(), f"application/vc+{way}")
    assert town.verify(envelope).status_code == 200
    other = secure(party.document(), signer=Party().signer, kid=party.url)
    forged = vcdm.envelop(other if isinstance(other, bytes) else other.encode(), f"application/vc+{way}")
    assert town.verify(forged, **PROOF_ONLY).status_code == 400


def test_other_envelopes_are_refused(town: Town) -> None:
    token = Party().token({})
    assert town.verify(vcdm.envelop(token, "text/plain")).json["error"] == "conformance.media_type"
    envelope = vcdm.envelop(token, "application/vp+cose", PRESENTATION)
    assert town.verify_presentation(envelope, **GOOD).json["error"] == "conformance.media_type"
