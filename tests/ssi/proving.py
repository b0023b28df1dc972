"""Documents with proofs for tests: signers of each kind, keys by did:key, and honest documents to tamper with."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ssi import legacy
from ssi.bbs.keys import BbsSigner
from ssi.dids import multikey
from ssi.errors import Refused, Unsupported
from ssi.keys import PublicKey, Signer, SoftwareSigner
from ssi.legacy import secp256k1
from ssi.model import Issuer, MethodKey, ResolvedKey
from ssi.suites import Suite, proofs
from tests.support import NOW

CREDENTIALS_1 = "https://www.w3.org/2018/credentials/v1"
CREDENTIALS_2 = "https://www.w3.org/ns/credentials/v2"
CITIZENSHIP = "https://w3id.org/citizenship/v4rc1"

CREDENTIAL: Mapping[str, Any] = {
    "@context": [CREDENTIALS_2, CITIZENSHIP],
    "id": "urn:uuid:8f1f1d3a-6a0e-4a5b-9f2e-0d6b8a3f7c11",
    "type": ["VerifiableCredential", "PermanentResidentCardCredential"],
    "issuer": {"id": "did:example:issuer", "name": "Government of Utopia"},
    "name": "Permanent Resident Card",
    "validFrom": "2026-01-01T00:00:00Z",
    "validUntil": "2027-01-01T00:00:00Z",
    "credentialSubject": {
        "type": ["PermanentResident", "Person"],
        "givenName": "ERIKA",
        "familyName": 'O"HARA \\ Ünal',
        "birthDate": "1978-07-17",
        "permanentResidentCard": {"type": "PermanentResidentCard", "identifier": "83627465", "lprCategory": "C09"},
    },
}
"""A credential of data model 2.0 with nodes that have no name, one node with two types, and text to escape."""

CREDENTIAL_1: Mapping[str, Any] = {
    "@context": [CREDENTIALS_1, "https://w3id.org/citizenship/v1"],
    "id": "https://issuer.test/credentials/83627465",
    "type": ["VerifiableCredential", "PermanentResidentCard"],
    "issuer": "did:example:issuer",
    "issuanceDate": "2026-01-01T00:00:00Z",
    "credentialSubject": {
        "id": "did:example:subject",
        "type": ["PermanentResident", "Person"],
        "givenName": "ERIKA",
        "birthCountry": "Bahamas",
    },
}
"""A credential of data model 1.1, whose contexts do not define Data Integrity's terms."""


def seeded(seed: int = 1) -> Any:
    """A source of bytes that is the same in each run."""
    return random.Random(seed).randbytes


def signers(seed: int) -> dict[str, Signer]:
    """One of each kind of key that a suite takes."""
    made: dict[str, Signer] = {name: SoftwareSigner.generate(name) for name in ("EdDSA", "ES256", "ES384")}
    return {**made, "ES256K": secp256k1.generate(), "BBS": BbsSigner.generate(random=seeded(seed))}


SIGNERS: Mapping[str, Signer] = signers(1)
STRANGERS: Mapping[str, Signer] = signers(2)


def document_for(suite: Suite, signer: Signer | None = None) -> Mapping[str, Any]:
    """A credential that the suite can sign: those that DIDKit signs are of data model 1.1 and by their own issuer."""
    if suite.NAME not in legacy.PROOF_TYPES:
        return CREDENTIAL
    signer = signer or SIGNERS[suite.ALGORITHMS[0]]
    return {**CREDENTIAL_1, "issuer": method(signer.public).partition("#")[0]}


def method(key: PublicKey) -> str:
    """The verification method of a key as did:key."""
    text = multikey.encode(key)
    return f"did:key:{text}#{text}"


@dataclass(frozen=True)
class Keys:
    """A resolver of did:key, for every purpose but those in `forbidden`; `trouble` is what it raises instead."""

    forbidden: tuple[str, ...] = ()
    trouble: Exception | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        raise Unsupported("test.unused", "Proofs name verification methods.")

    def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
        raise Unsupported("test.unused", "Proofs name verification methods.")

    def method_key(self, url: str, *, relationship: str, now: datetime) -> MethodKey:
        self.asked.append((url, relationship))
        if self.trouble:
            raise self.trouble
        did, _, fragment = url.partition("#")
        if did != f"did:key:{fragment}" or relationship in self.forbidden:
            raise Refused("did.no_such_key", "There is no such key for this purpose.")
        return MethodKey(multikey.decode(fragment), did)


def secured(suite: Suite, document: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The document with the suite's proof as its signer makes it, by the first kind of key that the suite takes."""
    signer = changes.pop("signer", None) or SIGNERS[suite.ALGORITHMS[0]]
    given = {"verification_method": method(signer.public), "created": NOW, "random": seeded(3), **changes}
    return proofs.add(document or document_for(suite, signer), suite=suite, signer=signer, **given)


def shown(suite: Suite, document: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A document that a verifier accepts: as signed, or all of it derived where the suite is selective."""
    made = secured(suite, document, **changes)
    if not suite.SELECTIVE:
        return made
    pointers = [f"/{name}" for name in made if name not in ("@context", "proof")]
    return proofs.derive(made, pointers=pointers, random=seeded(4))


def tampered(value: Any) -> Iterator[tuple[str, Any]]:
    """Copies of a JSON value with one thing changed, removed or added in each, and what that was."""
    if isinstance(value, Mapping):
        for name, below in value.items():
            yield f"without {name}", {key: item for key, item in value.items() if key != name}
            for what, changed in tampered(below):
                yield f"{name}: {what}", {**copy.deepcopy(dict(value)), name: changed}
    elif isinstance(value, list):
        for place, below in enumerate(value):
            for what, changed in tampered(below):
                yield f"[{place}]: {what}", [*value[:place], changed, *value[place + 1 :]]
    elif isinstance(value, str):
        yield "another text", value + "x"
    else:
        yield "another value", None
