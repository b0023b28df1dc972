"""Token Status List: has this credential been withdrawn, by the list that its issuer publishes?

The checker keeps lists while they are fresh and never reads trouble as an answer. Token Status List §8.3: when the list
cannot be had, is stale, has the wrong type, subject or signer, "no statement about the status of the Referenced Token
can be made". So these are UNKNOWN, which no verdict accepts, and not FAIL: the holder cannot help what the list's host
serves, and a person must not be called revoked because a server is down or compromised. An index out of bounds is in
the credential itself and "MUST be rejected": FAIL.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from ssi.caching import Cache, Kept
from ssi.encoding import Json, seconds
from ssi.errors import Refused, SsiError, Unavailable
from ssi.fetch import Fetch
from ssi.jose.jws import MAX_JWS_BYTES
from ssi.model import Check, Finding, Issuer, KeyResolver, Outcome, StatusRef, TrustPolicy
from ssi.status import cwt
from ssi.status.anchored import Served
from ssi.status.bits import StatusList, read_list
from ssi.status.token import LEEWAY, TYP, StatusListToken, issue, read

__all__ = ["KIND", "Checker", "StatusList", "StatusListToken", "checker", "issue", "read", "read_list"]

KIND: Final = "token_status_list"
VALID: Final = 0
INVALID: Final = 1
SUSPENDED: Final = 2
ACCEPT: Final = f"application/{TYP}, application/{cwt.TYP};q=0.9"
RETRY: Final = timedelta(seconds=10)
"""After a failure, how long nobody asks again; also the shortest `ttl` that is followed (§11.5 asks for bounds)."""


@dataclass(frozen=True)
class _Known:
    """What the checker knows of one list: the last good token, and the trouble of the last attempt to get one."""

    token: StatusListToken | None
    trouble: SsiError | None

    @cached_property
    def evidence(self) -> dict[str, Json]:
        """What a machine can re-check; without the index, which is as good as a name (§12.5)."""
        if self.token is None:
            return {}
        expires = self.token.expires_at
        times = {"issued_at": seconds(self.token.issued_at), "expires_at": seconds(expires) if expires else None}
        return {"list": self.token.uri, **times, **({"refresh": self.trouble.code} if self.trouble else {})}


class Checker:
    """Checks against published lists; implements `model.StatusChecker`. Safe to share between threads.

    `max_age` is how old (by `iat`) a list may be that is still relied on. A list is asked for again after its `ttl`, or
    after half of `max_age` without one; while that fails, the kept one serves until it is expired or too old.
    """

    def __init__(
        self, *, fetch: Fetch, keys: KeyResolver, trust: TrustPolicy, max_age: timedelta, size: int = 64
    ) -> None:
        if max_age <= RETRY:
            raise ValueError(f"status lists need a max_age above {RETRY}")
        self._fetch, self._keys, self._trust, self._max_age = fetch, keys, trust, max_age
        self._cache: Cache[tuple[str, Issuer], _Known] = Cache(size=size)

    def check(self, status: StatusRef, *, issuer: Issuer, now: datetime) -> Finding:
        """PASS `status.valid`; FAIL `status.revoked`, `status.suspended`, `status.index`; else UNKNOWN.

        UNKNOWN codes: `status.unavailable`, `status.stale`, `status.unreliable` (the list that was served cannot be
        relied on; `evidence["cause"]` says why), `status.unknown_value`.
        """
        return self.look(status, issuer=issuer, now=now)[0]

    def look(
        self, status: StatusRef, *, issuer: Issuer, now: datetime, newer_than: datetime | None = None
    ) -> tuple[Finding, Served | None]:
        """`check`, and the list that the finding is from (`anchored.Looks`)."""
        known = self._cache.get(
            (status.uri, issuer),
            now=now,
            load=lambda before: self._load(before, status.uri, issuer, now),
            newer_than=newer_than,
            meanwhile=lambda kept: now < kept.until + RETRY and self._usable(kept.value.token, now),
        )
        token = known.token
        if token is None or not self._usable(token, now):
            return _undecided(known, status.uri), None
        served = Served(token.uri, token.statuses.digest, token.issued_at)
        try:
            value = token.statuses.get(status.index)
        except Refused as refused:
            return Finding(Check.STATUS, Outcome.FAIL, refused.code, refused.detail, known.evidence), served
        return _judged(value, known.evidence), served

    def _usable(self, token: StatusListToken | None, now: datetime) -> bool:
        """May the list still be relied on: not expired (§13.7), not older than `max_age`, not of the future?"""
        if token is None:
            return False
        if token.expires_at is not None and now >= token.expires_at:
            return False
        return token.issued_at - LEEWAY <= now <= token.issued_at + self._max_age

    def _load(self, before: Kept[_Known] | None, uri: str, issuer: Issuer, now: datetime) -> Kept[_Known]:
        try:
            body = self._get(uri)
            reader = cwt.read if cwt.is_message(body) else read
            token = reader(body, uri=uri, issuer=issuer, keys=self._keys, trust=self._trust, now=now)
        except SsiError as error:
            trouble = type(error)(error.code, error.detail)  # without the frames of a raised one
            return Kept(_Known(before.value.token if before is not None else None, trouble), now, now + RETRY)
        if before is not None and before.value.token is not None and before.value.token.issued_at > token.issued_at:
            token = before.value.token  # a host that goes back to an older list does not undo a revocation
        return Kept(_Known(token, None), now, now + self._fresh_for(token, now))

    def _fresh_for(self, token: StatusListToken, now: datetime) -> timedelta:
        """Counted from now, which spreads the readers' requests (§13.7), but not beyond the end of what is usable."""
        end = token.issued_at + self._max_age
        if token.expires_at is not None:
            end = min(end, token.expires_at)
        patience = self._max_age / 2 if token.ttl is None else max(RETRY, min(token.ttl, self._max_age / 2))
        return min(patience, end - now) if end > now else RETRY

    def _get(self, uri: str) -> bytes:
        response = self._fetch.get(uri, accept=ACCEPT, max_bytes=MAX_JWS_BYTES)
        if not 200 <= response.status < 300:
            raise Unavailable("status.http", f"The status list's host answered with {response.status}.")
        return response.body if cwt.is_message(response.body) else response.body.strip()


def checker(
    *,
    fetch: Fetch,
    keys: KeyResolver,
    trust: TrustPolicy,
    max_age: timedelta,
    opener: object = None,  # these lists are not credentials
) -> Checker:
    """The checker for this kind of status."""
    return Checker(fetch=fetch, keys=keys, trust=trust, max_age=max_age)


def _judged(value: int, evidence: dict[str, Json]) -> Finding:
    if value == VALID:
        return Finding(
            Check.STATUS, Outcome.PASS, "status.valid", "The issuer has not withdrawn the credential.", evidence
        )
    if value == INVALID:
        return Finding(Check.STATUS, Outcome.FAIL, "status.revoked", "The issuer has revoked the credential.", evidence)
    if value == SUSPENDED:
        detail = "The issuer has suspended the credential for the time being."
        return Finding(Check.STATUS, Outcome.FAIL, "status.suspended", detail, evidence)
    # §7.1: 0x03 and 0x0C to 0x0F mean what an application agrees on, the rest nothing yet.
    detail = "The issuer has given the credential a status whose meaning is not known here."
    return Finding(Check.STATUS, Outcome.UNKNOWN, "status.unknown_value", detail, {**evidence, "value": value})


def _undecided(known: _Known, uri: str) -> Finding:
    trouble = known.trouble
    evidence: dict[str, Json] = {"list": uri, **({"cause": trouble.code} if trouble is not None else {})}
    if known.token is not None or (trouble is not None and trouble.code in ("status.expired", "status.not_yet")):
        code, detail = "status.stale", "The credential's status list is too old to be relied on."
    elif isinstance(trouble, Unavailable) or (trouble is not None and trouble.code.startswith("fetch.")):
        code, detail = "status.unavailable", "The credential's status list could not be had."
    else:
        code, detail = "status.unreliable", "What is published as the credential's status list cannot be relied on."
    return Finding(Check.STATUS, Outcome.UNKNOWN, code, detail, evidence)
