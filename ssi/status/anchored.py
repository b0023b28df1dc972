"""Anchored lists: is the status list that was served the newest that its issuer has made?

A host can go on serving an old list, in which what has been revoked since is valid, until that list expires. An issuer
that anchors each new list on a ledger (`TrustAnchor.setHead`: the SHA-256 of the statuses themselves, which signing the
list anew does not change) lets everybody see that there is a newer one. The list is the host's, and not the holder's:
what does not fit is UNKNOWN, which no verdict accepts, and never "revoked".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from ssi.caching import Cache, Kept
from ssi.encoding import Json, seconds
from ssi.errors import SsiError, Unavailable
from ssi.ledger import anchor
from ssi.model import Check, Finding, Issuer, Outcome, StatusRef

if TYPE_CHECKING:
    from ssi.ledger.chain import Chain

GRACE: Final = timedelta(minutes=10)
"""How long after it was signed a list may be without its anchor: it is published first, and mined later."""
LEEWAY: Final = timedelta(seconds=60)
"""How far the clocks of an issuer and of a chain may be apart."""
FRESH: Final = timedelta(seconds=30)
RETRY: Final = timedelta(seconds=10)
"""After trouble, how long nobody asks again; also the shortest time between two looks for a newer list."""

IdentityOf = Callable[[Issuer, datetime], str | None]
"""The address that an issuer has proven to be on the ledger, as `ssi.trust.accreditation.IdentityOf`."""


@dataclass(frozen=True)
class Served:
    """A list as it was served: where, the SHA-256 of its statuses, and when it says that it was made."""

    uri: str
    digest: bytes
    issued_at: datetime | None


class Looks(Protocol):
    """A checker that also says what it looked at: those of the two kinds of lists."""

    def look(
        self, status: StatusRef, *, issuer: Issuer, now: datetime, newer_than: datetime | None = None
    ) -> tuple[Finding, Served | None]:
        """The finding, and the list that it is from; None where there was none that could be relied on.

        A list that was fetched before `newer_than` is asked for again.
        """


@dataclass(frozen=True)
class _Known:
    """What the ledger says about an issuer's list: its head, if it has one; or why that is not known."""

    head: anchor.Head | None
    evidence: dict[str, Json]
    has_identity: bool = True
    trouble: SsiError | None = None


class Anchors:
    """The heads of status lists on one ledger. Safe to share between threads.

    `required`: a credential whose issuer has anchored no list, or whose ledger cannot be asked, is UNKNOWN; otherwise
    the finding only says so. A list that does not fit its anchor is UNKNOWN either way.
    """

    def __init__(
        self,
        *,
        chain: Chain,
        contract: anchor.TrustAnchor,
        identity_of: IdentityOf,
        required: bool,
        grace: timedelta = GRACE,
        fresh: timedelta = FRESH,
        size: int = 256,
    ) -> None:
        self._chain, self._contract, self._identity_of = chain, contract, identity_of
        self._required, self._grace, self._fresh = required, grace, fresh
        self._cache: Cache[tuple[Issuer, str], _Known] = Cache(size=size)

    def agrees(self, served: Served, *, issuer: Issuer, now: datetime) -> bool:
        """Is this the list whose digest the ledger has? False also where the ledger says nothing."""
        head = self._known(served.uri, issuer, now).head
        return head is not None and head.digest == served.digest

    def anchors(self, served: Served, *, issuer: Issuer, now: datetime) -> bool:
        """Does the ledger have the digest of any list from there?"""
        return self._known(served.uri, issuer, now).head is not None

    def judge(self, finding: Finding, served: Served, *, issuer: Issuer, now: datetime) -> Finding:
        """The finding with what the ledger says in `evidence["ledger"]`, or UNKNOWN in its place.

        `evidence["ledger"]["list"]` is "anchored", "newer" (within the time of grace), "none" or "unknown". UNKNOWN
        codes: `status.stale` (the ledger has a newer list), `status.unanchored` (this one was never anchored, or none
        was and one must be), `status.ledger_unavailable`.
        """
        known = self._known(served.uri, issuer, now)
        if known.head is None:
            return self._without(finding, known)
        if known.head.digest == served.digest:
            return _told(finding, known, "anchored")
        if served.issued_at is None or seconds(served.issued_at + LEEWAY) < known.head.at:
            detail = "The credential's status list is not the newest: its issuer has anchored another one since."
            return _unknown(finding, known, "status.stale", detail, "superseded")
        if now <= served.issued_at + self._grace:
            return _told(finding, known, "newer")
        detail = "The credential's status list is not the one whose digest its issuer has anchored."
        return _unknown(finding, known, "status.unanchored", detail, "other")

    def _without(self, finding: Finding, known: _Known) -> Finding:
        if known.trouble is not None:
            if self._required:
                detail = "Whether the credential's status list is the newest could not be found out on the ledger."
                return _unknown(finding, known, "status.ledger_unavailable", detail, known.trouble.code)
            return _told(finding, known, "unknown")
        if self._required:
            detail = "The credential's issuer has not anchored its status list on the ledger."
            return _unknown(finding, known, "status.unanchored", detail, "none")
        return _told(finding, known, "none") if known.has_identity else finding

    def _known(self, uri: str, issuer: Issuer, now: datetime) -> _Known:
        return self._cache.get(
            (issuer, uri),
            now=now,
            load=lambda _before: self._load(uri, issuer, now),
            meanwhile=lambda kept: now < kept.until + RETRY,
        )

    def _load(self, uri: str, issuer: Issuer, now: datetime) -> Kept[_Known]:
        try:
            known, patience = self._asked(uri, issuer, now), self._fresh
        except SsiError as error:
            trouble = SsiError(error.code, error.detail)  # without the frames of a raised one
            known, patience = _Known(None, {"cause": error.code}, trouble=trouble), RETRY
        return Kept(known, now, now + patience)

    def _asked(self, uri: str, issuer: Issuer, now: datetime) -> _Known:
        address = self._identity_of(issuer, now)
        if address is None:
            return _Known(None, {}, has_identity=False)
        newest = self._chain.head()
        told: dict[str, Json] = {"chain_id": self._chain.chain_id, "block": newest.number, "block_at": newest.at}
        head = self._contract.head(address, anchor.name_hash(uri), block=newest.number)
        if head is None:
            return _Known(None, told)
        block = self._chain.block(head.block_number)
        if block is None:
            raise Unavailable("ledger.no_block", "The ledger's node does not have a block that it spoke of.")
        finality = self._chain.finality(block.number, block.hash)
        stated = {"anchored_in": head.block_number, "anchored_at": head.at, "number": head.number}
        return _Known(head, {**told, **stated, "finality": finality.value})


class Checker:
    """A checker whose lists are compared with the ledger; implements `model.StatusChecker`."""

    def __init__(self, looks: Looks, anchors: Anchors) -> None:
        self._looks, self._anchors = looks, anchors

    def check(self, status: StatusRef, *, issuer: Issuer, now: datetime) -> Finding:
        """What the list says, if it is the one that the ledger has; as the list's checker, and `Anchors.judge`."""
        finding, served = self._looks.look(status, issuer=issuer, now=now)
        if served is None:
            return finding
        if self._anchors.anchors(served, issuer=issuer, now=now) and not self._anchors.agrees(
            served, issuer=issuer, now=now
        ):  # there may be a newer one than the one that is kept here
            finding, served = self._looks.look(status, issuer=issuer, now=now, newer_than=now - RETRY)
            if served is None:
                return finding
        return self._anchors.judge(finding, served, issuer=issuer, now=now)


def _told(finding: Finding, known: _Known, word: str) -> Finding:
    return replace(finding, evidence={**finding.evidence, "ledger": {**known.evidence, "list": word}})


def _unknown(finding: Finding, known: _Known, code: str, detail: str, cause: str) -> Finding:
    evidence = {**finding.evidence, "ledger": known.evidence, "cause": cause}
    return Finding(Check.STATUS, Outcome.UNKNOWN, code, detail, evidence)
