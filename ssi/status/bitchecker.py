"""Bitstring Status List 1.0 §3.2: has this credential been withdrawn, by the list that its entry points at?

As with token status lists, trouble is never an answer. A list that cannot be had, is expired, of another purpose, too
short or not signed by whom it should be is the list's fault and not the holder's: UNKNOWN, which no verdict accepts. An
index beyond the end of the list is in the credential itself: FAIL. `evidence["error"]` is the specification's name.

A list's `validFrom` does not say when it was signed, so its age counts from when it was fetched; what bounds the use of
an old list that a host may serve again and again is its `validUntil`. An older list never replaces a newer one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from ssi.caching import Cache, Kept
from ssi.encoding import MAX_JSON_BYTES, Json, printable, seconds
from ssi.errors import Malformed, Refused, SsiError, Unavailable
from ssi.fetch import Fetch
from ssi.model import Check, Finding, Issuer, KeyResolver, Opened, Outcome, StatusRef, TrustPolicy
from ssi.status.anchored import Served
from ssi.status.bitlist import MIN_ENTRIES
from ssi.status.bitstring import KIND, TYPE, BitstringList, read
from ssi.status.token import demand

RETRY: Final = timedelta(seconds=10)
"""After a failure, how long nobody asks again; also the shortest `ttl` that is followed."""
ACCEPT: Final = ", ".join(
    (
        *("application/vc+jwt", "application/vc", "application/vc+sd-jwt", "application/vc+cose"),
        *("application/ld+json;q=0.9", "application/json;q=0.8"),
    )
)
"""Any way of securing a credential (§5)."""
_LONGEST_MESSAGE: Final = 200
_ERRORS: Final = "https://www.w3.org/ns/credentials/status-list#"


class Opener(Protocol):
    """Reads and judges a secured credential by its media type: `ssi.formats.anyvc.open_any` with its keys given."""

    def __call__(self, body: bytes, media_type: str, *, now: datetime) -> Opened:
        """The credential with its findings. Raises SsiError when it cannot be read at all."""


@dataclass(frozen=True)
class _Known:
    """What the checker knows of one list: the last good one, since when, and the trouble of the last attempt."""

    list: BitstringList | None
    fetched_at: datetime
    trouble: SsiError | None


class Checker:
    """Checks against published lists; implements `model.StatusChecker`. Safe to share between threads.

    `max_age` is how long after it was fetched a list is still relied on. A list is asked for again after its `ttl`, or
    after half of `max_age` without one.
    """

    def __init__(
        self, *, fetch: Fetch, trust: TrustPolicy, max_age: timedelta, opener: Opener | None, size: int = 64
    ) -> None:
        if max_age <= RETRY:
            raise ValueError(f"status lists need a max_age above {RETRY}")
        self._fetch, self._trust, self._max_age, self._opener = fetch, trust, max_age, opener
        self._cache: Cache[tuple[str, Issuer], _Known] = Cache(size=size)

    def check(self, status: StatusRef, *, issuer: Issuer, now: datetime) -> Finding:
        """A STATUS finding, with one of these codes by its outcome.

        PASS `status.valid`, `status.message`, `status.refresh`; FAIL `status.revoked`, `status.suspended`,
        `status.index`; UNKNOWN `status.no_opener`, `status.unavailable`, `status.stale`, `status.unreliable`,
        `status.unknown_value`, where `evidence["cause"]` says why.
        """
        return self.look(status, issuer=issuer, now=now)[0]

    def look(
        self, status: StatusRef, *, issuer: Issuer, now: datetime, newer_than: datetime | None = None
    ) -> tuple[Finding, Served | None]:
        """`check`, and the list that the finding is from (`anchored.Looks`)."""
        if self._opener is None:
            detail = "The credential's status is published as a credential, which this service was not set up to read."
            return Finding(Check.STATUS, Outcome.UNKNOWN, "status.no_opener", detail, {"list": status.uri}), None
        opener = self._opener
        known = self._cache.get(
            (status.uri, issuer),
            now=now,
            load=lambda before: self._load(before, status.uri, issuer, opener, now),
            newer_than=newer_than,
            meanwhile=lambda kept: now < kept.until + RETRY and self._usable(kept.value, now),
        )
        if known.list is None or not self._usable(known, now):
            return _undecided(known, status.uri), None
        served = Served(status.uri, known.list.bits.digest, known.list.valid_from)
        return _judged(status, known.list, _evidence(known, status)), served

    def _usable(self, known: _Known, now: datetime) -> bool:
        if known.list is None or now > known.fetched_at + self._max_age:
            return False
        return known.list.valid_until is None or now <= known.list.valid_until

    def _load(
        self, before: Kept[_Known] | None, uri: str, issuer: Issuer, opener: Opener, now: datetime
    ) -> Kept[_Known]:
        kept = before.value if before is not None else None
        try:
            found = self._read(uri, issuer, opener, now)
        except SsiError as error:
            trouble = type(error)(error.code, error.detail)  # without the frames of a raised one
            known = replace(kept, trouble=trouble) if kept is not None else _Known(None, now, trouble)
            return Kept(known, now, now + RETRY)
        if kept is not None and kept.list is not None and _is_older(found, kept.list):
            return Kept(replace(kept, trouble=None), now, now + RETRY)  # a host that goes back undoes no revocation
        return Kept(_Known(found, now, None), now, now + self._fresh_for(found, now))

    def _read(self, uri: str, issuer: Issuer, opener: Opener, now: datetime) -> BitstringList:
        response = self._fetch.get(uri, accept=ACCEPT, max_bytes=MAX_JSON_BYTES)
        if not 200 <= response.status < 300:
            raise Unavailable("status.http", f"The status list's host answered with {response.status}.")
        opened = opener(response.body.strip(), response.headers.get("content-type", ""), now=now)
        _refuse_unproven(opened)
        if not _same(opened.issuer, issuer):
            demand(self._trust, opened.issuer, TYPE, now)
        found = read(opened)
        if found.id not in (None, uri):
            raise Refused("status.subject", "The status list is not the one that the credential names.")
        return found

    def _fresh_for(self, found: BitstringList, now: datetime) -> timedelta:
        patience = self._max_age / 2 if found.ttl is None else max(RETRY, min(found.ttl, self._max_age / 2))
        if found.valid_until is not None:
            patience = max(RETRY, min(patience, found.valid_until - now))
        return patience


def _refuse_unproven(opened: Opened) -> None:
    """Only a list that is proven and in force counts; whoever holds it needs no key for it."""
    for finding in opened.findings:
        if finding.check is Check.HOLDER_BINDING or finding.outcome is Outcome.PASS:
            continue
        if finding.check is Check.SCHEMA and finding.outcome is not Outcome.FAIL:
            continue  # a schema that nobody was asked for says nothing against what was signed
        if finding.check is Check.VALIDITY:
            raise Refused("status.expired", "The status list is outside its time of validity.")
        if finding.outcome is Outcome.UNKNOWN:
            raise Unavailable(finding.code, "The key of the status list's issuer could not be looked up now.")
        raise Refused(finding.code, "The status list is not signed by its issuer.")


def _same(signer: Issuer, other: Issuer) -> bool:
    """The same certificate, or without one the same identifier; what has neither is the same as nothing.

    An identifier beside a certificate is only what the certificate claims, and anybody can make one for themselves.
    """
    if signer.x5c:
        return signer.x5c[:1] == other.x5c[:1]
    return signer.id is not None and signer.id == other.id


def _is_older(found: BitstringList, kept: BitstringList) -> bool:
    return found.valid_from is not None and kept.valid_from is not None and found.valid_from < kept.valid_from


def _evidence(known: _Known, status: StatusRef) -> dict[str, Json]:
    """What a machine can re-check; without the index, which is as good as a name."""
    until = known.list.valid_until if known.list is not None else None
    return {
        "list": status.uri,
        "purpose": status.purpose,
        "fetched_at": seconds(known.fetched_at),
        "expires_at": seconds(until) if until is not None else None,
        **({"refresh": known.trouble.code} if known.trouble is not None else {}),
    }


def _judged(status: StatusRef, found: BitstringList, evidence: dict[str, Json]) -> Finding:
    """§3.2 from the comparison of purposes on."""
    if status.purpose not in found.purposes:
        return _unreliable(evidence, "status.purpose", "STATUS_VERIFICATION_ERROR")
    if found.bits.entries(status.size) < MIN_ENTRIES:
        return _unreliable(evidence, "status.length", "STATUS_LIST_LENGTH_ERROR")
    try:
        value = found.bits.get(status.index, size=status.size)
    except Refused as refused:
        told = {**evidence, "error": _ERRORS + "RANGE_ERROR"}
        return Finding(Check.STATUS, Outcome.FAIL, refused.code, refused.detail, told)
    return _valued(status, value, evidence)


def _valued(status: StatusRef, value: int, evidence: dict[str, Json]) -> Finding:
    if status.purpose == "message":
        told = {**evidence, "value": value, "message": _message(status, value)}
        detail = "The issuer says something about the credential's state, and has not withdrawn it in this list."
        return Finding(Check.STATUS, Outcome.PASS, "status.message", detail, told)
    if value == 0:
        detail = "The issuer has not withdrawn the credential."
        return Finding(Check.STATUS, Outcome.PASS, "status.valid", detail, evidence)
    if status.purpose == "revocation":
        detail = "The issuer has revoked the credential."
        return Finding(Check.STATUS, Outcome.FAIL, "status.revoked", detail, {**evidence, "value": value})
    if status.purpose == "suspension":
        detail = "The issuer has suspended the credential for the time being."
        return Finding(Check.STATUS, Outcome.FAIL, "status.suspended", detail, {**evidence, "value": value})
    if status.purpose == "refresh":
        detail = "The credential is valid, and its issuer has a newer one."
        return Finding(Check.STATUS, Outcome.PASS, "status.refresh", detail, evidence)
    detail = "The issuer has given the credential a status whose meaning is not known here."
    return Finding(Check.STATUS, Outcome.UNKNOWN, "status.unknown_value", detail, {**evidence, "value": value})


def _message(status: StatusRef, value: int) -> str | None:
    """What the entry says that the value means; "set" and "unset" where a bit has no messages (§2.1)."""
    if not status.messages:
        return ("unset", "set")[value] if status.size == 1 else None
    found = next((message for number, message in status.messages if int(number, 16) == value), None)
    return None if found is None else printable(found, limit=_LONGEST_MESSAGE)


def _unreliable(evidence: dict[str, Json], cause: str, error: str) -> Finding:
    detail = "What is published as the credential's status list cannot be relied on."
    told = {**evidence, "cause": cause, "error": _ERRORS + error}
    return Finding(Check.STATUS, Outcome.UNKNOWN, "status.unreliable", detail, told)


def _undecided(known: _Known, uri: str) -> Finding:
    trouble = known.trouble
    evidence: dict[str, Json] = {"list": uri, **({"cause": trouble.code} if trouble is not None else {})}
    if known.list is not None or (trouble is not None and trouble.code == "status.expired"):
        detail = "The credential's status list is too old to be relied on."
        return Finding(Check.STATUS, Outcome.UNKNOWN, "status.stale", detail, evidence)
    if trouble is None or isinstance(trouble, Unavailable) or trouble.code.startswith("fetch."):
        detail = "The credential's status list could not be had."
        told = {**evidence, "error": _ERRORS + "STATUS_RETRIEVAL_ERROR"}
        return Finding(Check.STATUS, Outcome.UNKNOWN, "status.unavailable", detail, told)
    error = "MALFORMED_VALUE_ERROR" if isinstance(trouble, Malformed) else "STATUS_VERIFICATION_ERROR"
    return _unreliable(evidence, trouble.code, error)


def checker(
    *,
    fetch: Fetch,
    keys: KeyResolver,  # the opener has the keys
    trust: TrustPolicy,
    max_age: timedelta,
    opener: Opener | None,
) -> Checker:
    """The checker for this kind of status."""
    return Checker(fetch=fetch, trust=trust, max_age=max_age, opener=opener)


__all__ = ["ACCEPT", "KIND", "RETRY", "Checker", "Opener", "checker"]
