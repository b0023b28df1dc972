"""Status List Tokens: a status list that its issuer has signed and dated (Token Status List §5.1, §8.3)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from ssi.encoding import Json, instant, seconds, text
from ssi.errors import Malformed, Refused, Unavailable
from ssi.jose import jws
from ssi.keys import Signer
from ssi.model import Issuer, KeyResolver, Outcome, TrustPolicy
from ssi.status.bits import StatusList, read_list

TYP: Final = "statuslist+jwt"
"""The token's media type; also the "credential type" that a trust policy is asked about for a list's signer."""
LEEWAY: Final = timedelta(seconds=60)
"""How far ahead the issuer's clock may be."""
_LONGEST: Final = 10 * 365 * 86_400


@dataclass(frozen=True)
class StatusListToken:
    """A verified token: its list, when it was signed, until when it may be relied on, how long it may be kept."""

    uri: str
    statuses: StatusList
    issued_at: datetime
    expires_at: datetime | None
    ttl: timedelta | None


def issue(
    statuses: StatusList,
    *,
    uri: str,
    signer: Signer,
    x5c: Sequence[bytes],
    now: datetime,
    ttl: timedelta,
    expires: datetime,
) -> str:
    """Sign a list for publication at `uri` (§5.1). `x5c` is DER, leaf first; without it the header names the `kid`.

    Raises Malformed (`status.ttl`) unless `ttl` is positive and `expires` after `now`.
    """
    if ttl < timedelta(seconds=1) or expires <= now:
        raise Malformed("status.ttl", "A status list needs a positive ttl and an expiry that is still to come.")
    chain = [base64.b64encode(der).decode("ascii") for der in x5c]
    header = {"typ": TYP, **({"x5c": chain} if chain else {"kid": signer.kid})}
    claims = {
        "sub": uri,
        "iat": seconds(now),
        "exp": seconds(expires),
        "ttl": int(ttl.total_seconds()),
        "status_list": statuses.json,
    }
    return jws.sign(claims, signer=signer, header=header)


def read(
    token: bytes | str, *, uri: str, issuer: Issuer, keys: KeyResolver, trust: TrustPolicy, now: datetime
) -> StatusListToken:
    """Verify a token fetched from `uri` for a credential of `issuer` (§8.3 steps 3 to 5).

    Its signer must be the credential's issuer (same key, or same identifier), or one whose certificate `trust` accepts
    for `TYP`. Raises Refused (`status.subject`, `status.expired`, `status.not_yet`, `status.signer`, `jose.signature`
    …), Malformed, Unsupported, Unavailable.
    """
    parsed = jws.parse(token, typ={TYP})
    claims = parsed.claims
    said = Said(claims, jws.x5c(parsed.header), text(parsed.header, "kid", what="status list"))
    signer, times = examined(said, TYP, uri=uri, issuer=issuer, trust=trust, now=now)
    jws.verify(parsed, keys.issuer_key(signer, alg=parsed.alg, now=now).key)
    return StatusListToken(uri, read_list(claims.get("status_list")), *times)  # unpacked only once it is known whose


class Said(NamedTuple):
    """What a status list token says of itself: its claims by their JWT names, and who signed it."""

    claims: Mapping[str, Json]
    x5c: tuple[bytes, ...]
    kid: str | None


Times = tuple[datetime, datetime | None, timedelta | None]
"""`iat`, `exp` and `ttl`."""


def examined(
    said: Said, kind: str, *, uri: str, issuer: Issuer, trust: TrustPolicy, now: datetime
) -> tuple[Issuer, Times]:
    """Who must have signed a token, and its times, once it is the right one and in force (§8.3 steps 3 and 4)."""
    if text(said.claims, "sub", what="status list") != uri:
        raise Refused("status.subject", "The status list is not the one that the credential names.")
    times = _times(said.claims, now)
    return _signer(said, kind, issuer, trust, now), times


def _times(claims: Mapping[str, Json], now: datetime) -> Times:
    """`iat`, `exp` and `ttl`, checked (§8.3 step 4; `nbf` by RFC 7519 §4.1.5)."""
    issued, expires = instant(claims, "iat"), instant(claims, "exp")
    if issued is None:
        raise Malformed("status.iat", "The status list does not say when it was issued.")
    if max(issued, instant(claims, "nbf") or issued) > now + LEEWAY:
        raise Refused("status.not_yet", "The status list is dated in the future.")
    if expires is not None and now >= expires:
        raise Refused("status.expired", "The status list has expired.")
    return issued, expires, _ttl(claims)


def _ttl(claims: Mapping[str, Json]) -> timedelta | None:
    value = claims.get("ttl")
    if value is None and "ttl" not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise Malformed("status.ttl", "The status list's ttl is not a positive number.")
    return timedelta(seconds=min(value, _LONGEST))


def _signer(said: Said, kind: str, issuer: Issuer, trust: TrustPolicy, now: datetime) -> Issuer:
    """Who must have signed the list, as something that a `KeyResolver` finds the key of (§11.3)."""
    if said.x5c:
        if not issuer.x5c or said.x5c[0] != issuer.x5c[0]:
            demand(trust, Issuer(None, x5c=said.x5c), kind, now)
        return Issuer(None, x5c=said.x5c)
    iss = text(said.claims, "iss", what="status list")
    if iss is not None and issuer.id is not None and iss != issuer.id:
        raise Refused("status.signer", "The status list was signed by somebody else than the credential's issuer.")
    if issuer.x5c:
        return Issuer(None, x5c=issuer.x5c)  # its `kid`, if any, refers to the key of the credential
    if issuer.id is None and issuer.kid is not None:
        return Issuer(issuer.kid.partition("#")[0], said.kid or issuer.kid)
    return Issuer(issuer.id, said.kid or issuer.kid)


def demand(trust: TrustPolicy, signer: Issuer, kind: str, now: datetime) -> None:
    """Return when `trust` lets somebody else than the credential's issuer sign lists of this kind.

    Raises Refused and Unavailable (`status.signer`).
    """
    finding = trust.judge(signer, kind, now=now)
    if finding.outcome is Outcome.UNKNOWN:
        raise Unavailable("status.signer", "Whether the status list's signer is trusted could not be found out.")
    if finding.outcome is not Outcome.PASS:
        raise Refused("status.signer", "The status list's signer is not trusted for status lists.")
