"""Data Integrity: sign, derive and verify a credential of 15 claims, against bare primitives and @digitalbazaar/vc."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ssi import suites
from ssi.bbs.keys import BbsSigner
from ssi.dids import key
from ssi.issuerkeys import Keys
from ssi.keys import Signer, SoftwareSigner
from ssi.model import Outcome
from ssi.suites import proofs
from tests import peers
from tests.bench.measure import Operation, Row, at_most, cpu_ms, faster
from tests.support import InMemoryFetch

TITLE = "Data Integrity: 15 claims"
CREDENTIAL: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/citizenship/v4rc1"],
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "PermanentResidentCardCredential"],
    "name": "Permanent Resident Card",
    "description": "Government of Utopia Permanent Resident Card.",
    "validFrom": "2026-01-01T00:00:00Z",
    "validUntil": "2036-01-01T00:00:00Z",
    "credentialSubject": {
        "id": "did:example:b34ca6cd37bbf23",
        "type": ["PermanentResident", "Person"],
        "givenName": "JANE",
        "familyName": "SMITH",
        "additionalName": "ANN",
        "gender": "Female",
        "birthCountry": "Arcadia",
        "birthDate": "1978-07-17T00:00:00Z",
        "height": "170 cm",
        "maritalStatus": "Married",
        "marriageCertificateNumber": "M-1234",
        "commuterClassification": "C1",
        "formerNationality": "Arcadia",
        "residentSince": "2015-01-01T00:00:00Z",
        "permanentResidentCard": {
            "type": ["PermanentResidentCard"],
            "identifier": "83627465",
            "lprCategory": "C09",
            "lprNumber": "999-999-999",
        },
    },
}
MANDATORY = ["/issuer", "/validFrom", "/validUntil"]
SHOWN = ["/credentialSubject/givenName", "/credentialSubject/familyName", "/credentialSubject/birthDate"]
PEERS: Mapping[str, float] = {"eddsa-rdfc-2022": 5.0, "ecdsa-sd-2023": 3.0, "bbs-2023": 30.0}
"""How much faster than the peer each must be. ecdsa-rdfc-2019 is measured, too; nothing is asked of it."""
_ROUNDS = {"bbs-2023": 2}


@dataclass(frozen=True)
class Case:
    """One suite with a signer, its credential as issued and as shown, and the operations on them."""

    name: str
    signer: Signer

    @property
    def unsigned(self) -> dict[str, Any]:
        return {**CREDENTIAL, "issuer": key.from_public(self.signer.public)}

    @property
    def selective(self) -> bool:
        return suites.by_name(self.name).SELECTIVE

    def issue(self) -> dict[str, Any]:
        return proofs.add(
            self.unsigned,
            suite=suites.by_name(self.name),
            signer=self.signer,
            verification_method=key.url(self.signer.public),
            created=datetime.now(UTC),
            mandatory=MANDATORY if self.selective else None,
        )

    def derive(self, issued: Mapping[str, Any]) -> Mapping[str, Any]:
        return proofs.derive(issued, pointers=SHOWN) if self.selective else issued

    def verify(self, shown: Mapping[str, Any], keys: Keys) -> None:
        proven = proofs.verify(shown, keys=keys, purpose="assertionMethod", now=datetime.now(UTC))
        if proofs.verdict(proven).outcome is not Outcome.PASS:
            raise ValueError(f"{self.name}: refused: {proofs.verdict(proven).code}")


def rows() -> list[Row]:
    """Every suite that a peer has, issue, derive and verify."""
    cases = [
        Case("eddsa-rdfc-2022", SoftwareSigner.generate("EdDSA")),
        Case("ecdsa-rdfc-2019", SoftwareSigner.generate("ES256")),
        Case("ecdsa-sd-2023", SoftwareSigner.generate("ES256")),
        Case("bbs-2023", BbsSigner.generate(random=secrets.token_bytes)),
    ]
    peer = None if peers.missing() else peers.Peer()
    try:
        return [row for case in cases for row in _compare(case, peer)]
    finally:
        if peer is not None:
            peer.close()


def _compare(case: Case, peer: peers.Peer | None) -> list[Row]:
    issued = case.issue()
    shown = case.derive(issued)
    keys = Keys(InMemoryFetch({}))
    ours: dict[str, Operation] = {"issue": case.issue, "verify": lambda: case.verify(shown, keys)}
    if case.selective:
        ours["derive"] = lambda: case.derive(issued)
    ms = cpu_ms({**ours, **_floor(case)}, rounds=30, batch=10)
    made = [_to_floor(case, name, ms) for name in ours]
    if peer is not None:
        theirs = _peer(case, peer)
        limit = PEERS.get(case.name)
        made += [
            faster(
                f"{case.name} {name}",
                ms[name],
                "@digitalbazaar/vc 7.3.0",
                theirs[name],
                None if case.name == "eddsa-rdfc-2022" and name == "issue" else limit,
            )
            for name in ours
        ]
    return made


def _floor(case: Case) -> dict[str, Operation]:
    """One bare signature over 64 bytes, and one bare verification of it."""
    if not isinstance(case.signer, SoftwareSigner):
        return {}
    signer, message = case.signer, bytes(64)
    signature = signer.sign(message)
    return {
        "floor issue": lambda: signer.sign(message),
        "floor verify": lambda: signer.public.verify(message, signature),
    }


def _to_floor(case: Case, name: str, ms: Mapping[str, float]) -> Row:
    floor = ms.get(f"floor {name}")
    if floor is None:
        return Row(f"{case.name} {name}", round(ms[name], 5), "ms", "-", None, None, ok=True)
    return at_most(f"{case.name} {name}", ms[name], "one bare signature", floor)


def _peer(case: Case, peer: peers.Peer) -> dict[str, float]:
    did = peer.ask("key", suite=case.name)["did"]
    unsigned = {**CREDENTIAL, "issuer": did}
    issue = {"suite": case.name, "credential": unsigned, "mandatory": MANDATORY}
    issued = shown = peer.ask("issue", **issue)["credential"]
    n = _ROUNDS.get(case.name, 20)
    told = {"issue": peer.milliseconds("issue", n=n, **issue)}
    if case.selective:
        derive = {"suite": case.name, "credential": issued, "pointers": SHOWN}
        shown = peer.ask("derive", **derive)["credential"]
        told["derive"] = peer.milliseconds("derive", n=n, **derive)
    if not peer.ask("verify", suite=case.name, credential=shown)["verified"]:
        raise ValueError(f"{case.name}: the peer refused its own credential")
    told["verify"] = peer.milliseconds("verify", n=n, suite=case.name, credential=shown)
    return told
