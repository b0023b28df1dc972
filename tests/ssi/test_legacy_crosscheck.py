"""Two makers of credentials of data model 1.1, DIDKit and ourselves: each verifies what the other made."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ssi import legacy, suites
from ssi.dids import key
from ssi.errors import Refused
from ssi.formats import jwtvcjson
from ssi.issuerkeys import Keys
from ssi.keys import SoftwareSigner
from ssi.legacy import JWT, methods
from ssi.legacy.engine import engine
from ssi.model import Credential, Disclosure, Draft, Issuer, Outcome, Presentation
from ssi.suites import proofs
from tests.ssi.legacies import CHALLENGE, SIGNERS, credential, did
from tests.support import NOW, InMemoryFetch

pytestmark = pytest.mark.skipif(not legacy.available(), reason="no didkit wheel for this platform")

KEYS = Keys(InMemoryFetch({}))
ALGS = ["EdDSA", "ES256"]


def real() -> datetime:
    """Now: DIDKit looks at the clock, whatever we say, and our presentations last for minutes only."""
    return datetime.now(UTC)


def ours(issuer: SoftwareSigner, holder: SoftwareSigner) -> Credential:
    draft = Draft(
        "PersonCredential",
        Issuer(did(issuer), key.url(issuer.public)),
        {"given_name": "Ada"},
        valid_from=real() - timedelta(days=1),
        valid_until=real() + timedelta(days=1),
    )
    return jwtvcjson.issue(draft, signer=issuer, holder=holder.public, now=real())


def outcomes(opened: Any) -> set[Outcome]:
    return {finding.outcome for finding in opened.findings}


@pytest.mark.parametrize("alg", ALGS)
def test_didkit_verifies_ours(alg: str) -> None:
    issuer, holder = SoftwareSigner.generate(alg), SIGNERS[alg]
    made = ours(issuer, holder)
    legacy.verify(made.wire, proof_type=JWT, now=real())
    shown = jwtvcjson.derive(made, disclose=Disclosure(()), challenge=CHALLENGE, holder=holder, now=real())
    found = legacy.verify_presentation(shown.wire, proof_type=JWT, challenge=CHALLENGE, now=real())
    assert found.holder == did(holder)
    assert found.credentials[0]["credentialSubject"]["given_name"] == "Ada"
    with pytest.raises(Refused):
        legacy.verify_presentation(shown.wire, proof_type=JWT, challenge=replace(CHALLENGE, nonce="x"), now=real())


@pytest.mark.parametrize("alg", ALGS)
def test_we_verify_what_didkit_made(alg: str) -> None:
    issuer, holder = SoftwareSigner.generate(alg), SIGNERS[alg]
    wire = legacy.issue(credential(issuer, holder), signer=issuer, proof_type=JWT, now=NOW)
    assert isinstance(wire, str)
    opened = jwtvcjson.check(Credential(jwtvcjson.ID, wire), keys=KEYS, now=NOW)
    assert outcomes(opened) == {Outcome.PASS, Outcome.NOT_ASKED}  # nobody presents it yet
    assert opened.claims["credentialSubject"]["given_name"] == "Ada"
    forged = wire[:-8] + "AAAAAAAA"
    assert Outcome.FAIL in outcomes(jwtvcjson.check(Credential(jwtvcjson.ID, forged), keys=KEYS, now=NOW))


@pytest.mark.parametrize("alg", ALGS)
def test_we_verify_presentations_that_didkit_made(alg: str) -> None:
    issuer, holder = SoftwareSigner.generate(alg), SIGNERS[alg]
    wire = legacy.issue(credential(issuer, holder), signer=issuer, proof_type=JWT, now=NOW)
    shown = legacy.present((wire,), holder=did(holder), signer=holder, proof_type=JWT, challenge=CHALLENGE, now=NOW)
    assert isinstance(shown, str)
    opened = jwtvcjson.open(Presentation(jwtvcjson.ID, shown), challenge=CHALLENGE, keys=KEYS, now=NOW)
    assert outcomes(opened) == {Outcome.PASS}


# --- Ed25519Signature2020, which DIDKit knows as well -----------------------------------------------------------------

ISSUER = SIGNERS["EdDSA"]
SUITE = suites.by_name("Ed25519Signature2020")


def didkit(call: str, document: Any, options: dict[str, str], *secret: str) -> Any:
    return json.loads(engine().call(call, json.dumps(document), json.dumps(options), *secret))


def signed() -> dict[str, Any]:
    return proofs.add(
        credential(ISSUER, evidence=[{"type": ["VerifiableCredential"], "given_name": "x"}] * 2),
        suite=SUITE,
        signer=ISSUER,
        verification_method=key.url(ISSUER.public),
        created=NOW,
    )


def test_didkit_verifies_our_linked_data() -> None:
    document = signed()
    assert didkit("verify_credential", document, {"proofPurpose": "assertionMethod"})["errors"] == []
    document["credentialSubject"]["given_name"] = "Eve"
    assert didkit("verify_credential", document, {"proofPurpose": "assertionMethod"})["errors"]


def test_we_verify_didkits_linked_data() -> None:
    options = {
        "type": SUITE.NAME,
        "proofPurpose": "assertionMethod",
        "verificationMethod": key.url(ISSUER.public),
        "created": "2026-11-19T00:00:00Z",
    }
    terms = [*credential(ISSUER)["@context"], SUITE.CONTEXT]
    secret = json.dumps(methods.private_jwk(ISSUER))
    document = didkit("issue_credential", credential(ISSUER, **{"@context": terms}), options, secret)
    proof = {name: value for name, value in document["proof"].items() if name != "@context"}
    for changes, outcome in (({}, Outcome.PASS), ({"id": "urn:uuid:other"}, Outcome.FAIL)):
        found = {**document, **changes, "proof": proof}
        assert proofs.verdict(proofs.verify(found, keys=KEYS, purpose="assertionMethod", now=NOW)).outcome is outcome
