"""A wallet with a credential of every format and suite, each saying much the same of one person.

The claims have all shapes that hiding has to do with: plain ones, an object, plain and other arrays, things with names
and types of their own, and in W3C documents members beside the subject.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any

from ssi import suites
from ssi.dcql import Holding
from ssi.dids import key as did_key
from ssi.encoding import b64url, write_json
from ssi.keys import SoftwareSigner
from ssi.model import ClaimPath, Credential, Disclosure, Draft, Issuer, Opened, Presentation
from ssi.suites import proofs
from tests.ssi import drafts
from tests.ssi.drafts import CHALLENGE, HOLDER, MDL, Sample
from tests.support import NOW

SUBJECT = "credentialSubject"
PORTRAIT = b64url(bytes.fromhex("ffd8ffe000104a464946000101") + bytes(3000))
PERSON: Mapping[str, Any] = {
    "given_name": "Erika",
    "family_name": "Mustermann",
    "age_over_18": True,
    "nationalities": ["DE-Freistaat", "AT-Kaiserreich", "FR-Republique"],
    "address": {"street": "Heidestrasse", "town": "Koeln", "geo": {"lat": "50.9375", "lon": "6.9603"}},
    "degrees": [{"type": "BachelorDegree", "name": "Physics"}, {"type": "MasterDegree", "name": "Optics"}],
    "document": {"type": "Passport", "number": "C01X00T478"},
    "portrait": "data:image/jpeg;base64,/9j/4AAQ" + "A" * 4000,
}
BESIDE: Mapping[str, Any] = {
    "@context": [drafts.EXAMPLES],
    "id": "urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5",
    "name": "Card of Person",
    "evidence": [
        {"type": ["DocumentVerification"], "verifier": "Officer Dibble", "evidenceDocument": "DriversLicense"}
    ],
    "termsOfUse": [{"type": "HouseRules", "obligation": "Wipe your feet"}],
}
ELEMENTS: Mapping[str, Any] = {
    MDL: {
        "given_name": "Erika",
        "family_name": "Mustermann",
        "birth_date": "1984-01-26",
        "age_over_18": True,
        "portrait": PORTRAIT,
        "driving_privileges": [{"vehicle_category_code": "B", "codes": [{"code": "78"}]}],
    },
    "org.example.extra": {"club": {"member": True, "since": 1999}, "colours": ["mauve", "teal"]},
}


def every_path(claims: Any, *, arrays: bool = True, at: ClaimPath = ()) -> Iterator[ClaimPath]:
    """The path of everything in some claims; without what is in arrays, if they have no parts."""
    inside: Any = claims.items() if isinstance(claims, Mapping) else enumerate(claims)
    for name, value in inside:
        yield (*at, name)
        if isinstance(value, Mapping) or (arrays and isinstance(value, list)):
            yield from every_path(value, arrays=arrays, at=(*at, name))


@dataclass(frozen=True)
class Held:
    """A credential of `HOLDER`, as their wallet has it."""

    sample: Sample
    credential: Credential

    @property
    def id(self) -> str:
        return self.sample.id

    @cached_property
    def opened(self) -> Opened:
        return self.sample.format.check(self.credential, keys=self.sample.keys, now=NOW)

    @property
    def holding(self) -> Holding:
        return Holding(self.id, self.sample.format.ID, self.opened)

    @property
    def root(self) -> ClaimPath:
        """What stands before the names of the person's claims."""
        return (MDL,) if self.sample.format.ID == "mso_mdoc" else self.sample.root

    @property
    def meta(self) -> dict[str, Any]:
        """How a query asks for its type."""
        if self.sample.format.ID == "dc+sd-jwt":
            return {"vct_values": [self.opened.type]}
        if self.sample.format.ID == "mso_mdoc":
            return {"doctype_value": self.opened.type}
        return {"type_values": [["https://www.w3.org/2018/credentials#VerifiableCredential", self.iri]]}

    @property
    def iri(self) -> str:
        """The credential's own type, expanded."""
        if self.opened.type == "PermanentResidentCard":
            return "https://w3id.org/citizenship#PermanentResidentCard"
        return f"https://www.w3.org/ns/credentials/examples#{self.opened.type}"

    def asked(self, query_id: str = "q", **members: Any) -> dict[str, Any]:
        """A credential query for it."""
        return {"id": query_id, "format": self.sample.format.ID, "meta": self.meta, **members}

    def present(self, *paths: ClaimPath) -> Presentation:
        return self.sample.format.derive(
            self.credential, disclose=Disclosure(paths), challenge=CHALLENGE, holder=HOLDER, now=NOW
        )

    def verify(self, presentation: Presentation) -> Opened:
        return self.sample.opened(presentation)


def _rich(sample: Sample) -> Sample:
    """The sample with all that there is to say of the person; where anything can be hidden, all of it can."""
    if sample.format.ID == "mso_mdoc":
        paths = tuple((space, element) for space, values in ELEMENTS.items() for element in values)
        return replace(sample, draft=replace(sample.draft, claims=ELEMENTS, disclosable=paths))
    linked = sample.format.ID == "ldp_vc"
    hideable = tuple(every_path(PERSON, arrays=not linked)) if sample.hides else ()
    if linked:
        hideable = tuple(path for path in hideable if path[-1] != "type")
    beside = BESIDE if sample.root and sample.format.ID != "jwt_vc_json" else sample.draft.document
    return replace(sample, draft=replace(sample.draft, claims=PERSON, disclosable=hideable, document=beside))


def _held(sample: Sample) -> Held:
    rich = _rich(sample)
    return Held(rich, rich.issued())


_NOTARY = SoftwareSigner.generate("EdDSA")


def _old() -> Held:
    """A credential of the Data Model 1.1 with an Ed25519Signature2020, as many were issued before Data Integrity."""
    issuer = did_key.from_public(_NOTARY.public)
    document = {
        "@context": ["https://www.w3.org/2018/credentials/v1", "https://w3id.org/citizenship/v1"],
        "id": "urn:uuid:b5a1f4c2-6a57-4a0c-9f2f-1f6c0d4f5b10",
        "type": ["VerifiableCredential", "PermanentResidentCard"],
        "issuer": issuer,
        "issuanceDate": "2026-01-01T00:00:00Z",
        "expirationDate": "2036-01-01T00:00:00Z",
        "name": "Permanent Resident Card",
        "credentialSubject": {
            "id": did_key.from_public(HOLDER.public),
            "type": ["PermanentResident", "Person"],
            "givenName": "Erika",
            "familyName": "Mustermann",
            "birthDate": "1984-01-26T00:00:00Z",
            "gender": "Female",
        },
    }
    signed = proofs.add(
        document,
        suite=suites.by_name("Ed25519Signature2020"),
        signer=_NOTARY,
        verification_method=did_key.url(_NOTARY.public),
        created=NOW - timedelta(days=1),
    )
    draft = Draft("PermanentResidentCard", Issuer(issuer), {})
    sample = replace(drafts.LDP, name="ldp_vc-1.1", issuer=_NOTARY, draft=draft, secrets=())
    return Held(sample, Credential("ldp_vc", write_json(signed).decode()))


HELD: tuple[Held, ...] = (*(_held(sample) for sample in drafts.SAMPLES), _old())
HIDING = tuple(one for one in HELD if one.sample.hides)
SHOWING = tuple(one for one in HELD if not one.sample.hides)


def by_id(name: str) -> Held:
    return next(one for one in HELD if one.id == name)


# --- selective documents with contexts and pointers of their own ------------------------------------------------------

_DESK = SoftwareSigner.generate("ES256")


def linked(claims: Mapping[str, Any], *, context: str, mandatory: tuple[str, ...]) -> Held:
    """A document by ecdsa-sd-2023 whose issuer chose these JSON pointers to be always shown."""
    issuer = did_key.from_public(_DESK.public)
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2", context],
        "type": ["VerifiableCredential", "VerifiedPersonCredential"],
        "issuer": issuer,
        "credentialSubject": {"id": did_key.from_public(HOLDER.public), **claims},
    }
    signed = proofs.add(
        document,
        suite=suites.by_name("ecdsa-sd-2023"),
        signer=_DESK,
        verification_method=did_key.url(_DESK.public),
        created=NOW - timedelta(days=1),
        mandatory=mandatory,
    )
    draft = Draft("VerifiedPersonCredential", Issuer(issuer), {})
    sample = replace(drafts.LDP_ECDSA_SD, name="linked", issuer=_DESK, draft=draft, secrets=())
    return Held(sample, Credential("ldp_vc", write_json(signed).decode()))


VERIFIED_PERSON = linked(
    {
        "given_name": "Erika",
        "family_name": "Mustermann",
        "nationalities": ["DE"],
        "document": {"type": "passport", "number": "C01X00T478", "issuing_country": "DE"},
        "biometric_evidence": {"method": "face comparison", "result": {"score": "good enough", "liveness": "none"}},
    },
    context="urn:facet:context:verified-person:1",
    mandatory=("/issuer",),
)
"""In its context `type` of a document is a claim like any other, and the evidence a single JSON literal."""

SPARSE = linked(
    {
        "nationalities": ["DE-Freistaat", "AT-Kaiserreich", "FR-Republique"],
        "degrees": [
            {"type": "BachelorDegree", "name": "Physics with maths"},
            {"type": "MasterDegree", "name": "Optics with lasers", "grade": {"mark": "excellent", "at": "Koeln-Uni"}},
        ],
        "family_name": "Mustermann",
        "names": {"0": "Erika-Maria", "1": "Erika-Johanna"},
    },
    context=drafts.EXAMPLES,
    mandatory=("/issuer", "/credentialSubject/nationalities/1", "/credentialSubject/degrees/1/name",
               "/credentialSubject/names/0"),
)  # fmt: skip
"""Parts of arrays are mandatory, and a name that looks like an index."""
