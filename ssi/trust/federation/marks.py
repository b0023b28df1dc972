"""Trust marks: has somebody whom the anchor accredits for it marked this entity (OpenID Federation §7)?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from ssi.encoding import Json, instant
from ssi.errors import Malformed, Refused, SsiError
from ssi.jose import jws
from ssi.trust.federation import statements
from ssi.trust.federation.chains import Chain
from ssi.trust.federation.statements import entity_id, timely

MARK: Final = "trust-mark+jwt"
DELEGATION: Final = "trust-mark-delegation+jwt"
_MAX_BYTES: Final = 65_536
_MAX_MARKS: Final = 64

Resolve = Callable[[str], Chain]
"""Finds the chain of a trust mark's issuer; raises like `Search.chain`."""


def valid(chain: Chain, kind: str, *, resolve: Resolve, now: datetime) -> datetime | None:
    """Return when the chain's subject has a valid mark of this type: until when, or None for one without an end.

    Raises Refused (`trust.federation_no_mark`, or what the first mark of the type is refused for) when it has none,
    Malformed, Unsupported, and Unavailable when the mark's issuer could not be asked about.
    """
    problem: SsiError = Refused(
        "trust.federation_no_mark", "The entity has not been marked for this by the federation."
    )
    for token in _marks(chain.subject.claims.get("trust_marks", []), kind):
        try:
            return _judged(token, kind, chain, resolve, now)
        except SsiError as error:
            problem = error
    raise problem


def _marks(value: Json, kind: str) -> list[str]:
    """The marks of one type that a configuration carries (§3.1.2)."""
    if not isinstance(value, list) or len(value) > _MAX_MARKS or not all(isinstance(each, Mapping) for each in value):
        raise _malformed()
    found = [each.get("trust_mark") for each in value if each.get("trust_mark_type") == kind]
    if not all(isinstance(token, str) for token in found):
        raise _malformed()
    return found


def _judged(token: str, kind: str, chain: Chain, resolve: Resolve, now: datetime) -> datetime | None:
    """§7.3, step by step; trust in the mark's issuer comes first."""
    mark = jws.parse(token, typ=(MARK,), max_bytes=_MAX_BYTES)
    claims = mark.claims
    issuer = entity_id(claims.get("iss"))
    if claims.get("trust_mark_type") != kind or claims.get("sub") != chain.subject.subject:
        raise Refused("trust.federation_mark", "The trust mark is of another type, or another entity's.")
    until = _times(claims, now)
    anchor = chain.anchor
    if not _accredited(anchor.claims.get("trust_mark_issuers", {}), kind, issuer, anchor.subject):
        raise Refused("trust.federation_mark_issuer", "The trust mark's issuer is not one that the anchor accredits.")
    keys = anchor.keys if issuer == anchor.subject else _issuer(issuer, anchor.subject, resolve)
    statements.verify(mark, keys)
    owners = anchor.claims.get("trust_mark_owners", {})
    if not isinstance(owners, Mapping):
        raise _malformed()
    if kind not in owners and "delegation" not in claims:
        return until
    return _earlier(until, _delegated(claims.get("delegation"), owners.get(kind), kind, issuer, now))


def _issuer(issuer: str, anchor: str, resolve: Resolve) -> statements.Keys:
    found = resolve(issuer)
    if found.anchor.subject != anchor:
        raise Refused("trust.federation_mark_issuer", "The trust mark's issuer is of another federation.")
    return found.subject.keys


def _accredited(issuers: Json, kind: str, issuer: str, anchor: str) -> bool:
    """§3.1.2 `trust_mark_issuers`: an empty list means anyone in the federation; of other types the anchor alone."""
    if not isinstance(issuers, Mapping):
        raise _malformed()
    if kind not in issuers:
        return issuer == anchor
    listed = issuers[kind]
    if not isinstance(listed, list):
        raise _malformed()
    return not listed or issuer in listed


def _delegated(token: Json, owner: Json, kind: str, issuer: str, now: datetime) -> datetime | None:
    """§7.2.2: the type's owner, whom the anchor knows, lets this issuer issue it."""
    if not isinstance(token, str) or not isinstance(owner, Mapping):
        raise Refused(
            "trust.federation_mark_delegation", "The trust mark's type has an owner who has not delegated it."
        )
    delegation = jws.parse(token, typ=(DELEGATION,), max_bytes=_MAX_BYTES)
    claims = delegation.claims
    if (claims.get("sub"), claims.get("iss"), claims.get("trust_mark_type")) != (issuer, owner.get("sub"), kind):
        raise Refused(
            "trust.federation_mark_delegation", "The delegation is not for this mark, its issuer and its owner."
        )
    until = _times(claims, now)
    statements.verify(delegation, statements.read_keys(owner.get("jwks")))
    return until


def _times(claims: Mapping[str, Json], now: datetime) -> datetime | None:
    issued, until = instant(claims, "iat"), instant(claims, "exp")
    if issued is None:
        raise _malformed()
    timely(issued, until, now=now)
    return until


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((each for each in (one, other) if each is not None), default=None)


def _malformed() -> Malformed:
    return Malformed("trust.federation_mark_form", "A trust mark, or a list of them, is not made as it must be.")
