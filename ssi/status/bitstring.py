"""Bitstring Status List 1.0: the credential that holds a list, and the entry by which another credential points at it.

How such lists are fetched and judged is in `ssi.status.bitchecker`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.model import Opened, StatusRef
from ssi.status.bitlist import MIN_ENTRIES, SIZES, Bitstring
from ssi.vcdm import V2
from ssi.vcdm.statuses import BITSTRING

__all__ = ["KIND", "MIN_ENTRIES", "SIZES", "TYPE", "Bitstring", "BitstringList", "credential", "entry", "read"]

KIND: Final = BITSTRING
TYPE: Final = "BitstringStatusListCredential"
"""The type of a list's credential; also the "credential type" that a trust policy is asked about for its issuer."""
SUBJECT: Final = "BitstringStatusList"
_STATUS: Final = "https://www.w3.org/ns/credentials/status#"
_MESSAGES: Final[Mapping[str, Json]] = {
    "statusSize": {"@id": f"{_STATUS}statusSize", "@type": "http://www.w3.org/2001/XMLSchema#integer"},
    "statusMessages": {
        "@id": f"{_STATUS}statusMessage",
        "@context": {"status": f"{_STATUS}status", "message": f"{_STATUS}message"},
    },
}
"""What §2.2 demands of lists of messages and the base context does not define."""
_LONGEST: Final = 10 * 365 * 86_400


# --- issuing ----------------------------------------------------------------------------------------------------------


def entry(status: StatusRef) -> dict[str, Json]:
    """The `credentialStatus` object by which a credential names its place in a list (§2.1)."""
    written: dict[str, Json] = {
        "id": f"{status.uri}#{status.index}",
        "type": KIND,
        "statusPurpose": status.purpose,
        "statusListIndex": str(status.index),
        "statusListCredential": status.uri,
    }
    if status.size > 1:
        written["statusSize"] = status.size
    if status.messages:
        written["statusMessage"] = _messages(status.messages)
    return written


def credential(
    bits: Bitstring,
    *,
    uri: str,
    issuer: str,
    purposes: Sequence[str],
    now: datetime,
    expires: datetime,
    ttl: timedelta,
    size: int = 1,
    messages: Sequence[tuple[str, str]] = (),
) -> dict[str, Json]:
    """The unsecured credential to publish at `uri` once it is signed (§2.2, §3.1).

    `messages` says what the values of `size` bits mean, which a list for the purpose "message" must say.
    Raises Malformed (`status.purpose`, `status.bits`, `status.size`, `status.ttl`, `status.messages`).
    """
    if not purposes or not all(purposes):
        raise Malformed("status.purpose", "A status list needs a purpose.")
    if size not in SIZES or bits.entries(size) < MIN_ENTRIES:
        raise Malformed("status.size", f"A status list has {MIN_ENTRIES} entries or more, of 1, 2, 4 or 8 bits.")
    if ttl < timedelta(seconds=1) or expires <= now:
        raise Malformed("status.ttl", "A status list needs a positive ttl and an expiry that is still to come.")
    if (messages or "message" in purposes) and len(messages) != 1 << size:
        raise Malformed("status.messages", "A list of messages needs one for each value that its entries can have.")
    subject: dict[str, Json] = {
        "id": f"{uri}#list",
        "type": SUBJECT,
        "statusPurpose": purposes[0] if len(purposes) == 1 else list(purposes),
        "encodedList": bits.encoded,
        "ttl": int(ttl.total_seconds()) * 1000,
        **({"statusSize": size, "statusMessages": _messages(messages)} if messages else {}),
    }
    return {
        "@context": [V2, dict(_MESSAGES)] if messages else [V2],
        "id": uri,
        "type": ["VerifiableCredential", TYPE],
        "issuer": issuer,
        "validFrom": _stamp(now),
        "validUntil": _stamp(expires),
        "credentialSubject": subject,
    }


def _messages(messages: Sequence[tuple[str, str]]) -> list[Json]:
    return [{"status": value, "message": message} for value, message in messages]


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BitstringList:
    """What a list's credential says, whoever signed it; `id` is None when it does not say where it is published."""

    id: str | None
    bits: Bitstring
    purposes: frozenset[str]
    valid_from: datetime | None
    valid_until: datetime | None
    ttl: timedelta | None


def read(opened: Opened) -> BitstringList:
    """The list in a credential that was opened (§2.2). Raises Malformed (`status.*`, `encoding.base64url`)."""
    types, subject = opened.claims.get("type"), opened.claims.get("credentialSubject")
    if isinstance(subject, list) and len(subject) == 1:
        subject = subject[0]
    if not _is(types, TYPE) or not isinstance(subject, Mapping) or not _is(subject.get("type"), SUBJECT):
        raise Malformed("status.list", "What is published as a status list is not one by its type.")
    named = opened.claims.get("id")
    return BitstringList(
        id=named if isinstance(named, str) else None,
        bits=Bitstring.read(subject.get("encodedList")),
        purposes=_purposes(subject.get("statusPurpose")),
        valid_from=opened.valid_from,
        valid_until=opened.valid_until,
        ttl=_ttl(subject),
    )


def _is(types: Json, wanted: str) -> bool:
    return types == wanted or (isinstance(types, list) and wanted in types)


def _purposes(value: Json) -> frozenset[str]:
    every = value if isinstance(value, list) else [value]
    if not every or not all(isinstance(one, str) and one for one in every):
        raise Malformed("status.purpose", "The status list does not say its purpose.")
    return frozenset(every)


def _ttl(subject: Mapping[str, Json]) -> timedelta | None:
    """`ttl`, which is in milliseconds."""
    if "ttl" not in subject:
        return None
    value = subject["ttl"]
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise Malformed("status.ttl", "The status list's ttl is not a positive number.")
    return timedelta(seconds=min(value / 1000, _LONGEST))
