"""People and credentials of data model 1.1, for the tests of `ssi.legacy` and of its suites."""

from __future__ import annotations

from typing import Any

from ssi.dids import key
from ssi.keys import SoftwareSigner
from ssi.legacy import JWT, PROOF_TYPES, secp256k1
from ssi.model import Challenge

CHALLENGE = Challenge("a-nonce", "https://verifier.example")
SIGNERS = {
    "EdDSA": SoftwareSigner.generate("EdDSA"),
    "ES256": SoftwareSigner.generate("ES256"),
    "ES256K": secp256k1.generate(),
}
OTHER = SoftwareSigner.generate("EdDSA")
WAYS = [(proof_type, alg) for proof_type, algs in PROOF_TYPES.items() for alg in algs] + [(JWT, alg) for alg in SIGNERS]
"""Every proof type with every algorithm that it takes."""
TERMS = {name: f"https://terms.example/{name}" for name in ("given_name", "degree", "secret", "list")}


def did(signer: SoftwareSigner) -> str:
    return key.from_public(signer.public)


def method(signer: SoftwareSigner) -> str:
    return key.url(signer.public)


def credential(issuer: SoftwareSigner, holder: SoftwareSigner | None = None, /, **changes: Any) -> dict[str, Any]:
    """A small credential; a member changed to None is left out."""
    members = {
        "@context": ["https://www.w3.org/2018/credentials/v1", TERMS],
        "id": "urn:uuid:6f1b6a2e-4d3c-4e69-9a1c-7a2f1d0c9b11",
        "type": ["VerifiableCredential"],
        "issuer": did(issuer),
        "issuanceDate": "2026-11-01T00:00:00Z",
        "credentialSubject": {"id": did(holder or issuer), "given_name": "Ada", "degree": {"given_name": "BSc"}},
    }
    return {name: value for name, value in {**members, **changes}.items() if value is not None}
