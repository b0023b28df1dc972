"""JWT VC: verify a credential of 15 claims, against one bare verification of its signature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

from ssi import formats
from ssi.cose import sign1
from ssi.dids import key
from ssi.encoding import unb64url
from ssi.issuerkeys import Keys
from ssi.keys import SoftwareSigner
from ssi.model import Credential, Draft, Issuer, Outcome
from tests.bench import floor
from tests.bench.measure import Operation, Row, at_most, cpu_ms
from tests.support import InMemoryFetch

TITLE = "JWT VC: 15 claims"
FORMATS = ("vc+jwt", "jwt_vc_json", "vc+sd-jwt", "vc+cose")
LIMIT = 1.6
"""What verifying a vc+jwt may cost, in bare verifications; nothing is asked of the others."""
_WELL = (Outcome.PASS, Outcome.NOT_ASKED)
CLAIMS: dict[str, Any] = {
    "given_name": "Erika",
    "family_name": "Mustermann",
    "birthdate": "1984-01-26",
    "age_over_16": True,
    "age_over_18": True,
    "age_over_21": True,
    "age_over_65": False,
    "birth_family_name": "Gabler",
    "place_of_birth": "Berlin",
    "email": "erika@mustermann.example",
    "phone_number": "+49-123-4567890",
    "nationalities": ["DE", "FR"],
    "document": {"type": "passport", "number": "C01X00T478"},
    "issuing_country": "DE",
    "street_address": "Heidestraße 17, 51147 Köln",
}


@dataclass(frozen=True)
class Case:
    """One credential of one format, signed by a did:key of one algorithm."""

    format_id: str
    signer: SoftwareSigner
    now: datetime

    def issue(self) -> Credential:
        draft = Draft(
            "ExamplePersonCredential",
            Issuer(key.from_public(self.signer.public)),
            CLAIMS,
            tuple((name,) for name in CLAIMS) if self.format_id == "vc+sd-jwt" else (),
            valid_from=self.now - timedelta(days=1),
            valid_until=self.now + timedelta(days=365),
            document={
                "@context": ["https://www.w3.org/ns/credentials/examples/v2"],
                "id": "urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5",
            },
        )
        holder = SoftwareSigner.generate("ES256").public
        return formats.by_id(self.format_id).issue(draft, signer=self.signer, holder=holder, now=self.now)

    def verifier(self, credential: Credential) -> Operation:
        read, keys = formats.by_id(self.format_id), Keys(InMemoryFetch({}))

        def verify() -> None:
            for finding in read.check(credential, keys=keys, now=self.now).findings:
                if finding.outcome not in _WELL:
                    raise ValueError("the credential was refused")

        return verify


def rows() -> list[Row]:
    """Each format, with ES256 and with EdDSA; keys and what repeats are known by then, as in a service that runs."""
    now = datetime.now(UTC)
    return [row for alg in ("ES256", "EdDSA") for row in _compare(SoftwareSigner.generate(alg), alg, now)]


def _compare(signer: SoftwareSigner, alg: str, now: datetime) -> list[Row]:
    cases = {name: Case(name, signer, now) for name in FORMATS}
    wires = {name: case.issue() for name, case in cases.items()}
    contenders: dict[str, Operation] = {}
    for name, case in cases.items():
        contenders[name] = case.verifier(wires[name])
        contenders[f"floor {name}"] = _floor(signer, wires[name])
    ms = cpu_ms(contenders)
    bare = f"cryptography {version('cryptography')}, one verification"
    return [
        at_most(f"{name} verify {alg}", ms[name], bare, ms[f"floor {name}"], LIMIT if name == "vc+jwt" else None)
        for name in FORMATS
    ]


def _floor(signer: SoftwareSigner, credential: Credential) -> Operation:
    """The credential's own signature over its own bytes, and nothing else."""
    if credential.format == "vc+cose":
        message = sign1.parse(unb64url(credential.wire))
        size = len(message.payload or b"")
        return floor.verify(signer.public, bytes(size), signer.sign(bytes(size)))
    token = credential.wire.split("~")[0]
    head, body, tail = token.split(".")
    return floor.verify(signer.public, f"{head}.{body}".encode(), unb64url(tail))
