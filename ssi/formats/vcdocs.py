"""W3C documents: how does a draft become a credential of the VC Data Model, and what does such a credential say?

What the formats over W3C documents share, however each secures them. A credential's claims are the whole document, so
that claims paths start at its root (OpenID4VP 1.0 B.1.2); a draft's paths start at its subject.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from ssi import vcdm
from ssi.dids import key as did_key
from ssi.encoding import Json
from ssi.errors import Malformed, Refused, Unsupported
from ssi.formats import vcshapes
from ssi.formats.paths import itself, select
from ssi.formats.vctypes import expanded
from ssi.keys import PublicKey
from ssi.model import ClaimPath, Disclosure, Draft, Finding, Issuer, Opened, StatusRef
from ssi.status import bitstring
from ssi.vcdm import V1, V2

SUBJECT: Final = "credentialSubject"

MECHANICS: Final[frozenset[ClaimPath]] = frozenset(
    (
        *(("@context",), ("type",), ("issuer",), ("validFrom",), ("validUntil",), ("issuanceDate",)),
        *(("expirationDate",), ("credentialStatus",), ("credentialSchema",), ("proof",)),
        (SUBJECT, "id"),
    )
)
"""What a credential says of itself. The subject's `id` is the holder's key; the credential's own is not among them, nor
what kind of thing or person its subject is said to be."""

_WRITTEN: Final = frozenset(
    (
        *("type", SUBJECT, "credentialStatus", "validFrom", "validUntil", "issuanceDate", "expirationDate"),
        *("proof", "vc", "vp", "iss", "sub", "aud", "iat", "exp", "nbf", "jti", "cnf", "nonce", "status", "_sd_alg"),
    )
)
"""Members that a draft's document may not have, because formats write them."""


# --- writing ----------------------------------------------------------------------------------------------------------


def write(draft: Draft, *, holder: PublicKey | None, now: datetime, context: str = V2) -> dict[str, Json]:
    """The unsecured document of a draft, bound to the did:key of the holder's key. `context` says which data model.

    Raises Malformed (`vc.issuer`, `vc.type`, `vc.reserved_member`, `vcdm.*`), Unsupported (`vc.status`).
    """
    if not draft.issuer.id:
        raise Malformed("vc.issuer", "A W3C credential needs an issuer that is named by a URL.")
    if not draft.type:
        raise Malformed("vc.type", "The draft has no type.")
    if not _WRITTEN.isdisjoint(draft.document):
        raise Malformed("vc.reserved_member", "The draft's document has a member that the format writes itself.")
    times = ("issuanceDate", "expirationDate") if context == V1 else ("validFrom", "validUntil")
    start = draft.valid_from or (now if context == V1 else None)  # VCDM 1.1 §4.6: issuanceDate is a must
    document = {
        "@context": [context, *_further(draft.document.get("@context"))],
        **{name: value for name, value in draft.document.items() if name not in ("@context", "issuer")},
        "type": ["VerifiableCredential", draft.type],
        "issuer": _issuer(draft),
        **{name: when(at) for name, at in zip(times, (start, draft.valid_until), strict=True) if at is not None},
        SUBJECT: _subject(draft.claims, holder),
    }
    listed = [bitstring.entry(status) for status in draft.statuses if status.kind == bitstring.KIND]
    if listed:
        document["credentialStatus"] = listed[0] if len(listed) == 1 else listed
    return document


def prefixed(paths: Sequence[ClaimPath]) -> tuple[ClaimPath, ...]:
    """A draft's paths as they are in the document.

    >>> prefixed([("given_name",)])
    (('credentialSubject', 'given_name'),)
    """
    return tuple((SUBJECT, *path) for path in paths)


def when(moment: datetime) -> str:
    """A dateTimeStamp (VCDM 2.0 §4.9) to the second.

    >>> when(datetime(2026, 1, 1, tzinfo=UTC))
    '2026-01-01T00:00:00Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _further(contexts: Json) -> list[Json]:
    if contexts is None:
        return []
    return [one for one in (contexts if isinstance(contexts, list | tuple) else [contexts]) if one not in (V1, V2)]


def _issuer(draft: Draft) -> Json:
    """The issuer's identifier, or with what else the draft says of it an object with that `id`."""
    described = draft.document.get("issuer")
    if described is None:
        return draft.issuer.id
    if not isinstance(described, Mapping) or described.get("id", draft.issuer.id) != draft.issuer.id:
        raise Malformed("vc.issuer", "The draft's document names another issuer than the draft.")
    return {**described, "id": draft.issuer.id}


def _subject(claims: Mapping[str, Json], holder: PublicKey | None) -> dict[str, Json]:
    if holder is None:
        return dict(claims)
    if "id" in claims:
        raise Malformed("vc.reserved_member", "The draft's claims name a subject, which the format does itself.")
    return {"id": did_key.from_public(holder), **claims}


def only_bitstrings(statuses: Sequence[StatusRef]) -> None:
    """Return when all statuses are of the kind that `credentialStatus` holds. Raises Unsupported (`vc.status`)."""
    if any(status.kind != bitstring.KIND for status in statuses):
        raise Unsupported("vc.status", "The status mechanism is not one that this format can name.")


# --- reading ----------------------------------------------------------------------------------------------------------


def read(document: Mapping[str, Json]) -> vcdm.Model:
    """What a credential of the Data Model 2.0 says that is secured without JSON-LD processing; all MUSTs are checked.

    What the credentials of one issuer and type have in common is checked once (`vcshapes`).
    Raises Malformed (`vcdm.*`; `vcdm.term` for a member that no context defines; `vc.data_model`), Unsupported.
    """
    model = vcshapes.credential(document)
    if model is None:
        model = vcdm.credential(document)
        vcdm.refuse_unknown_terms(document)
    if model.profile != "2.0":
        raise Malformed("vc.data_model", "The document is not of the data model that this format secures.")
    return model


def subject_id(model: vcdm.Model) -> str | None:
    """The one subject's identifier; None without one, or with several subjects (nobody can be bound to all)."""
    return model.subjects[0].get("id") if len(model.subjects) == 1 else None


class Judged(NamedTuple):
    """What a format found out beside the document: who signed, findings in the order of `Check`, the holder's key."""

    issuer: Issuer
    findings: tuple[Finding, ...]
    holder: PublicKey | None


def opened(
    format_id: str,
    document: Mapping[str, Json],
    model: vcdm.Model,
    judged: Judged,
    *,
    issued_at: datetime | None = None,
) -> Opened:
    """A credential that hides nothing, opened."""
    return Opened(
        format=format_id,
        type=model.type,
        issuer=judged.issuer,
        claims=document,
        findings=judged.findings,
        holder=judged.holder,
        statuses=model.statuses,
        issued_at=issued_at,
        valid_from=model.valid_from,
        valid_until=model.valid_until,
    )


def refuse_missing(document: Mapping[str, Json], disclose: Disclosure) -> None:
    """Return when the document has all that is to be shown. Raises Refused (`vc.no_such_claim`), Malformed."""
    for path in disclose.paths:
        if not select(document, path):
            raise Refused("vc.no_such_claim", "The credential does not have a claim that was to be shown.")


def meets(meta: Mapping[str, Json], found: Opened) -> bool:
    """Has the credential all types of one alternative of `type_values`, in expanded form (OpenID4VP 1.0 B.1.1)?

    An empty `meta` asks for nothing (§6.1); anything else without a list of `type_values` is met by nothing.
    """
    if not meta:
        return True
    wanted = meta.get("type_values")
    if not isinstance(wanted, list | tuple):
        return False
    types = expanded(found.claims)
    return any(isinstance(one, list | tuple) and one and all(name in types for name in one) for one in wanted)


def asked(meta: Mapping[str, Json]) -> tuple[str, ...]:
    """The types that `type_values` name, by their local names and each alternative's last one first; () without any.

    All of an alternative, since their order there says nothing; that a credential has them together is for `meets`.

    >>> asked({"type_values": [["https://www.w3.org/2018/credentials#VerifiableCredential", "https://e.test/#Degree"]]})
    ('Degree',)
    """
    wanted = meta.get("type_values")
    found = [name for one in wanted for name in _local(one)] if isinstance(wanted, list | tuple) else []
    return tuple(dict.fromkeys(found))


def _local(types: Json) -> list[str]:
    names = [re.split("[#/:]", one)[-1] for one in types if isinstance(one, str)] if isinstance(types, list) else []
    return [name for name in reversed(names) if name and name != "VerifiableCredential"]


def within(path: ClaimPath) -> ClaimPath:
    """A claim's path as its subject knows it.

    >>> within(("credentialSubject", "given_name")), within(("credentialSubject",)), within(("evidence", 0))
    (('given_name',), (), ('evidence', 0))
    """
    if path[:1] != (SUBJECT,):
        return path
    return path[2:] if len(path) > 1 and not isinstance(path[1], str) else path[1:]


whole = itself


# --- presentations ----------------------------------------------------------------------------------------------------


def presentation(holder: str, credential: bytes, media_type: str) -> dict[str, Json]:
    """A presentation of one credential in its envelope (VCDM 2.0 §4.13)."""
    return {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": holder,
        "verifiableCredential": [vcdm.envelop(credential, media_type)],
    }


def enveloped(document: Mapping[str, Json]) -> tuple[vcdm.Envelope, ...]:
    """The credentials of a presentation, all of which must be enveloped (VC-JOSE-COSE §3.1.2, §3.2.2, §3.3.2).

    Raises Malformed (`vc.not_enveloped`, `vcdm.*`).
    """
    model = vcdm.presentation(document)
    vcdm.refuse_unknown_terms(document)
    found = tuple(one for one in model.credentials if isinstance(one, vcdm.Envelope))
    if len(found) != len(model.credentials):
        raise Malformed("vc.not_enveloped", "A credential of the presentation is not enveloped.")
    return found


def only_one(document: Mapping[str, Json], media_type: str) -> bytes:
    """The one credential of a presentation, which answers for one (OpenID4VP 1.0 §8.1).

    Raises Malformed (`vc.one_credential`, `vc.not_enveloped`, `vcdm.*`).
    """
    found = enveloped(document)
    if len(found) != 1 or found[0].media_type != media_type:
        raise Malformed("vc.one_credential", "The presentation does not hold exactly one credential of its format.")
    return found[0].data
