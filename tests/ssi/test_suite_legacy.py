"""The older suites, which DIDKit signs and verifies, seen through the same door as all others."""

from __future__ import annotations

from typing import Any

import pytest

from ssi import legacy, suites
from ssi.dids import jwk
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.issuerkeys import Keys
from ssi.keys import SoftwareSigner
from ssi.legacy import PROOF_TYPES, verdicts
from ssi.model import Outcome
from ssi.suites import proofs
from ssi.suites.proofs import Proven
from tests.ssi.legacies import OTHER, SIGNERS, credential, did, method
from tests.support import NOW, InMemoryFetch

pytestmark = pytest.mark.skipif(not legacy.available(), reason="no didkit wheel for this platform")

WAYS = [(suite, alg) for suite, algs in PROOF_TYPES.items() for alg in algs]
KEYS = Keys(InMemoryFetch({}))


def secured(name: str, signer: SoftwareSigner, **options: Any) -> dict[str, Any]:
    document = options.pop("document", None) or credential(signer)
    named = options.pop("verification_method", method(signer))
    return proofs.add(
        document, suite=suites.by_name(name), signer=signer, verification_method=named, created=NOW, **options
    )


def judged(document: Any, **asked: Any) -> Proven:
    (proven,) = proofs.verify(document, **{"keys": KEYS, "purpose": "assertionMethod", "now": NOW, **asked})
    return proven


@pytest.mark.parametrize(("name", "alg"), WAYS)
def test_what_is_signed_verifies_and_nothing_else_does(name: str, alg: str) -> None:
    signer = SIGNERS[alg]
    found = secured(name, signer)
    assert judged(found).outcome.outcome is Outcome.PASS
    assert judged(found).controller == did(signer)
    legacy.verify(found, proof_type=name, now=NOW)
    forged = {**found, "credentialSubject": {**found["credentialSubject"], "given_name": "Eve"}}
    assert (judged(forged).outcome.outcome, judged(forged).outcome.code) == (Outcome.FAIL, "suite.signature")


@pytest.mark.parametrize("alg", SIGNERS)
def test_did_jwk_is_the_same_key_for_both(alg: str) -> None:
    signer = SIGNERS[alg]
    document = credential(signer, issuer=jwk.from_public(signer.public))
    found = secured("JsonWebSignature2020", signer, document=document, verification_method=jwk.url(signer.public))
    assert judged(found).outcome.outcome is Outcome.PASS


@pytest.mark.parametrize("name", PROOF_TYPES)
def test_a_presentation_is_bound_to_who_asked(name: str) -> None:
    signer = SIGNERS[PROOF_TYPES[name][0]]
    document = {
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "type": ["VerifiablePresentation"],
        "holder": did(signer),
        "verifiableCredential": [secured(name, signer)],
    }
    bound = {"domain": "verifier.example", "challenge": "c", "purpose": "authentication"}
    found = secured(name, signer, document=document, **bound)
    assert judged(found, **bound).outcome.outcome is Outcome.PASS
    assert judged(found, **{**bound, "challenge": "d"}).outcome.code == "proof.challenge"
    assert judged(found, **{**bound, "domain": "other.example"}).outcome.code == "proof.domain"


def test_the_key_that_was_resolved_must_be_the_one_that_didkit_finds() -> None:
    found = secured("Ed25519Signature2018", SIGNERS["EdDSA"])
    proof = found.pop("proof")
    suite = suites.of(proof)
    suite.verify(found, proof, key=SIGNERS["EdDSA"].public)
    with pytest.raises(Refused, match=r"didkit\.another_key"):
        suite.verify(found, proof, key=OTHER.public)
    with pytest.raises(Unsupported, match=r"suite\.key"):
        suite.verify(found, proof, key=SIGNERS["ES256"].public)
    with pytest.raises(Malformed, match=r"suite\.mismatch"):
        suite.verify(found, {**proof, "type": "JsonWebSignature2020"}, key=OTHER.public)


def test_the_issuer_is_the_signer_for_didkit_too() -> None:
    found = secured("Ed25519Signature2018", SIGNERS["EdDSA"])
    assert judged({**found, "issuer": did(OTHER)}).outcome.code == "suite.signature"
    with pytest.raises(Malformed, match=r"didkit\.refused"):
        secured("Ed25519Signature2018", SIGNERS["EdDSA"], document=credential(OTHER))


@pytest.mark.parametrize("name", PROOF_TYPES)
def test_signing_needs_the_right_key_document_and_options(name: str) -> None:
    alg = PROOF_TYPES[name][0]
    signer = SIGNERS[alg]
    with pytest.raises(Unsupported, match=r"suite\.key"):
        secured(name, SoftwareSigner.generate("ES384"))
    with pytest.raises(Malformed, match=r"didkit\.context"):
        secured(name, signer, document=credential(signer, **{"@context": ["https://www.w3.org/ns/credentials/v2"]}))
    with pytest.raises(SsiError):
        secured(name, signer, document={**credential(signer), "unknown": "unsigned"})
    for options in ({"nonce": "n"}, {"expires": NOW}, {"proof_id": "urn:x:1"}, {"domain": ["a", "b"]}):
        with pytest.raises(SsiError, match=r"didkit\.proof_member"):
            secured(name, signer, **options)
    with pytest.raises(Unsupported, match=r"suite\.indivisible"):
        secured(name, signer, mandatory=("/issuer",))
    assert not suites.by_name(name).SELECTIVE


def test_in_a_set_every_proof_is_judged_and_chains_are_refused() -> None:
    signer = SIGNERS["EdDSA"]
    both = secured("JsonWebSignature2020", signer, document=secured("Ed25519Signature2018", signer))
    results = proofs.verify(both, keys=KEYS, purpose="assertionMethod", now=NOW)
    assert [each.outcome.outcome for each in results] == [Outcome.PASS, Outcome.PASS]
    first, second = both["proof"]
    both["proof"] = [{**first, "created": "2026-11-19T00:00:00Z"}, second]
    results = proofs.verify(both, keys=KEYS, purpose="assertionMethod", now=NOW)
    assert [each.outcome.outcome for each in results] == [Outcome.FAIL, Outcome.PASS]
    assert proofs.verdict(results).outcome is Outcome.FAIL
    proof = both["proof"][1]
    with pytest.raises(Unsupported, match=r"suite\.chain"):
        suites.of(proof).verify(both, proof, key=signer.public)
    with pytest.raises(Unsupported, match=r"suite\.chain"):
        suites.of(proof).sign(both, proof, signer=signer, mandatory=None, random=bytes)


def test_what_is_not_decided_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    found = secured("Ed25519Signature2018", SIGNERS["EdDSA"])
    monkeypatch.setattr(verdicts, "engine", lambda: legacy.engine.Engine(call_seconds=0))
    assert (judged(found).outcome.outcome, judged(found).outcome.code) == (Outcome.UNKNOWN, "didkit.timeout")
