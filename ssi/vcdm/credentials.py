"""Credentials: does this document say all that a verifiable credential must, in the form that it must have?

W3C VC Data Model 2.0, and 1.1 for credentials of that time; the first context tells which. Whether JSON-LD can make
sense of the terms is for `ssi.jsonld`, whether somebody signed it for `ssi.suites`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ssi.encoding import Json
from ssi.model import Check, Finding, Outcome, StatusRef
from ssi.vcdm import statuses
from ssi.vcdm.contexts import profile
from ssi.vcdm.digests import related_resources, stated
from ssi.vcdm.values import bad, language_value, moment, named_party, objects, one_id, typed_objects, types

CREDENTIAL: Final = "VerifiableCredential"
LEEWAY: Final = timedelta(seconds=60)
"""How far the issuer's clock may be ahead of ours; an expired credential is expired."""

_TYPED_2: Final = ("refreshService", "termsOfUse", "evidence", "confidenceMethod", "renderMethod")
_TYPED_1: Final = ("termsOfUse", "evidence")
_IN_FORCE = Finding(Check.VALIDITY, Outcome.PASS, "vcdm.in_force", "The credential is within its time of validity.")


@dataclass(frozen=True)
class SchemaRef:
    """A `credentialSchema`: its URL, its types, and its members, among them digests if there are any."""

    url: str
    types: tuple[str, ...]
    members: Mapping[str, Json]


@dataclass(frozen=True)
class Model:
    """A credential that keeps the rules of its data model, with what everybody needs of it."""

    profile: str
    contexts: tuple[Json, ...]
    types: tuple[str, ...]
    issuer_id: str
    subjects: tuple[Mapping[str, Json], ...]
    id: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    statuses: tuple[StatusRef, ...] = ()
    schemas: tuple[SchemaRef, ...] = ()
    document: Mapping[str, Json] = field(default_factory=dict, repr=False)

    @property
    def type(self) -> str:
        """The most specific type: the last that is not `VerifiableCredential`, if there is one."""
        for one in reversed(self.types):
            if one != CREDENTIAL:
                return one
        return CREDENTIAL

    @property
    def subject_ids(self) -> tuple[str, ...]:
        """Whom the credential is about, as far as it names them."""
        return tuple(one["id"] for one in self.subjects if "id" in one)


def credential(document: Mapping[str, Json]) -> Model:
    """Read a credential, with or without its proof. Raises Malformed (`vcdm.<member>`), Unsupported (`vcdm.year`)."""
    version, contexts = profile(document)
    kinds = types(document)
    if CREDENTIAL not in kinds:
        raise bad("type", "The document is not a verifiable credential by its type.")
    two = version == "2.0"
    valid_from, valid_until = _period_2(document) if two else _period_1(document)
    found = Model(
        profile=version,
        contexts=contexts,
        types=kinds,
        issuer_id=_issuer(document),
        subjects=_subjects(document),
        id=one_id(document, member="id"),
        valid_from=valid_from,
        valid_until=valid_until,
        statuses=statuses.refs(document, id_required=not two),
        schemas=_schemas(document),
        document=document,
    )
    _other_members(document, two=two)
    proofs(document)
    return found


def proofs(document: Mapping[str, Json]) -> tuple[Mapping[str, Json], ...]:
    """The embedded proofs: objects that say their type; () when there is none. Raises Malformed (`vcdm.proof`)."""
    return tuple(one for one, _ in typed_objects(document, "proof"))


def validity(model: Model, *, now: datetime) -> Finding:
    """A VALIDITY finding: is the credential within its time (§4.9)? `validUntil` is the last moment of it."""
    if model.valid_until is not None and now > model.valid_until:
        return Finding(Check.VALIDITY, Outcome.FAIL, "vcdm.expired", "The credential has expired.")
    if model.valid_from is not None and model.valid_from > now + LEEWAY:
        return Finding(Check.VALIDITY, Outcome.FAIL, "vcdm.not_yet_valid", "The credential is not valid yet.")
    return _IN_FORCE


def _issuer(document: Mapping[str, Json]) -> str:
    """§4.7."""
    issuer = document.get("issuer")
    found = named_party(issuer, member="issuer")
    if isinstance(issuer, Mapping):
        language_value(issuer, "name")
        language_value(issuer, "description")
    return found


def _subjects(document: Mapping[str, Json]) -> tuple[Mapping[str, Json], ...]:
    """§4.8: one or more objects, each with at least one claim."""
    found = objects(document, "credentialSubject")
    if not found or not all(found):
        raise bad("credentialSubject", "The credential is about nobody, or says nothing of a subject.")
    for subject in found:
        one_id(subject, member="credentialSubject")
    return found


def _period_2(document: Mapping[str, Json]) -> tuple[datetime | None, datetime | None]:
    """§4.9."""
    start = moment(document, "validFrom", zone_required=True)
    end = moment(document, "validUntil", zone_required=True)
    if start is not None and end is not None and start > end:
        raise bad("validUntil", "The credential ends before it begins.")
    return start, end


def _period_1(document: Mapping[str, Json]) -> tuple[datetime | None, datetime | None]:
    """VCDM 1.1 §4.6, §4.8."""
    start = moment(document, "issuanceDate", zone_required=False)
    if start is None:
        raise bad("issuanceDate", "The credential does not say when it was issued.")
    return start, moment(document, "expirationDate", zone_required=False)


def _schemas(document: Mapping[str, Json]) -> tuple[SchemaRef, ...]:
    """§4.11."""
    found = []
    for one, kinds in typed_objects(document, "credentialSchema", id_required=True):
        stated(one)
        found.append(SchemaRef(one["id"], kinds, one))
    return tuple(found)


def _other_members(document: Mapping[str, Json], *, two: bool) -> None:
    if two:
        language_value(document, "name")
        language_value(document, "description")
        related_resources(document)
    for member in _TYPED_2 if two else _TYPED_1:
        for _ in typed_objects(document, member):
            pass
    if not two:
        for _ in typed_objects(document, "refreshService", id_required=True):  # VCDM 1.1 §5.4
            pass
    for subject in objects(document, "credentialSubject") if two else ():
        for _ in typed_objects(subject, "confidenceMethod"):  # VC Confidence Method: also of a subject
            pass
