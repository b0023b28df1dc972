"""Status: has this credential been withdrawn? One file per mechanism, one table."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Protocol

from ssi.fetch import Fetch
from ssi.model import Check, Finding, Issuer, KeyResolver, Outcome, StatusChecker, StatusRef, TrustPolicy
from ssi.status import anchored, bitchecker, token_status_list
from ssi.status.anchored import Anchors, Looks
from ssi.status.bitchecker import Opener

__all__ = ["Anchors", "Checker", "Mechanism", "Opener", "kinds"]


class ListChecker(StatusChecker, Looks, Protocol):
    """A checker that can be compared with a ledger."""


class Mechanism(Protocol):
    """A way of publishing statuses. A mechanism is a module of `ssi.status` with these names, in its one table."""

    @property
    def KIND(self) -> str:  # a module constant  # noqa: N802  (a constant of the module that implements it)
        """What `StatusRef.kind` says."""

    def checker(
        self, *, fetch: Fetch, keys: KeyResolver, trust: TrustPolicy, max_age: timedelta, opener: Opener | None
    ) -> ListChecker:
        """A checker for this kind of status."""


_ALL: Final[tuple[Mechanism, ...]] = (token_status_list, bitchecker)


def kinds() -> tuple[str, ...]:
    """The kinds of status that can be checked here."""
    return tuple(mechanism.KIND for mechanism in _ALL)


class Checker:
    """Checks every kind of status in the table; implements `model.StatusChecker`.

    `trust` says who else than a credential's issuer may sign lists (it is asked about the types `statuslist+jwt`,
    `statuslist+cwt` and `BitstringStatusListCredential`); `max_age` how old a list may be that is relied on. `opener`
    reads lists that are credentials themselves (`ssi.formats.anyvc`); without it these are UNKNOWN. With `anchors`,
    lists are compared with what their issuers have anchored on a ledger.
    """

    def __init__(
        self,
        *,
        fetch: Fetch,
        keys: KeyResolver,
        trust: TrustPolicy,
        max_age: timedelta,
        opener: Opener | None = None,
        anchors: Anchors | None = None,
    ) -> None:
        self._by_kind: dict[str, StatusChecker] = {}
        for mechanism in _ALL:
            made = mechanism.checker(fetch=fetch, keys=keys, trust=trust, max_age=max_age, opener=opener)
            self._by_kind[mechanism.KIND] = made if anchors is None else anchored.Checker(made, anchors)

    def check(self, status: StatusRef, *, issuer: Issuer, now: datetime) -> Finding:
        """What the mechanism finds; UNKNOWN `status.kind` for one that is not in the table."""
        found = self._by_kind.get(status.kind)
        if found is None:
            detail = "The credential's status is published in a way that this service cannot read."
            return Finding(Check.STATUS, Outcome.UNKNOWN, "status.kind", detail, {"kind": status.kind})
        return found.check(status, issuer=issuer, now=now)
