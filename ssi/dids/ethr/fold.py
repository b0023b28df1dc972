"""What stands after these changes: who controls the DID, and which delegates, keys and services does it have?

did:ethr method specification, "Read (Resolve)". The rules are ERC-1056's and the specification's: an entry holds to
the second that `validTo` names; whatever comes later for the same name and value replaces it or, when it has run out,
takes it away; every event counts, so that ids stay what they were; an owner of nobody ends everything.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ssi.dids.ethr.changes import DELEGATES, NOBODY, SERVICES, Change, Entry
from ssi.errors import Refused

MAX_ENTRIES: Final = 2_048


class Shown(NamedTuple):
    """An entry that stands, its number, and the last second for which it does."""

    entry: Entry
    number: int
    until: int


@dataclass(frozen=True)
class Moment:
    """Up to which block or time changes count (None: all), and the second at which the rest must still hold."""

    now: int
    block: int | None = None
    time: int | None = None

    def covers(self, change: Change) -> bool:
        """Had this change been made by then?"""
        return (self.block is None or change.block <= self.block) and (self.time is None or change.at <= self.time)


@dataclass(frozen=True)
class State:
    """What stands. `version` is the last change before, `following` the first after, None where there is none.

    `agreements` are all keys for key agreement that were there at any time, also those that no longer stand.
    """

    controller: str
    entries: tuple[Shown, ...] = ()
    services: tuple[Shown, ...] = ()
    agreements: tuple[Shown, ...] = ()
    version: Change | None = None
    following: Change | None = None

    @property
    def deactivated(self) -> bool:
        """Has the DID been given to nobody?"""
        return self.controller == NOBODY


def state(changes: Sequence[Change], *, address: str, moment: Moment, every_name_counts: bool) -> State:
    """Fold the changes, oldest first, for the identity of this address.

    With `every_name_counts` off, an attribute that holds is not counted if its name is of no form that a document
    shows, but is once it has run out: so the published resolver counts, whose ids therefore change with time.
    Raises Refused (`did.too_large`).
    """
    controller, version = address, None
    following = next((change for change in changes if not moment.covers(change)), None)
    counts = {DELEGATES: 0, SERVICES: 0}
    standing: dict[str, dict[Hashable, Shown]] = {DELEGATES: {}, SERVICES: {}}
    agreements: dict[Hashable, Shown] = {}
    for change in changes:
        if change is following:
            break
        version = change
        if change.owner is not None:
            controller = change.owner
            if controller == NOBODY:
                return State(NOBODY, version=version, following=None)
            continue
        if change.counter is None:
            continue
        holds = change.until >= moment.now and change.until > 0
        if change.known or every_name_counts or not holds:
            counts[change.counter] += 1
        if not holds:
            standing[change.counter].pop(change.subject, None)
        elif change.entry is not None:
            shown = Shown(change.entry, counts[change.counter], change.until)
            standing[change.counter][change.subject] = shown
            if change.entry.purpose == "enc" and change.entry.section == "pub":
                agreements[change.subject] = shown
    if sum(map(len, standing.values())) > MAX_ENTRIES:
        raise Refused("did.too_large", f"The DID has more than {MAX_ENTRIES} keys and services.")
    entries, services = (tuple(standing[kind].values()) for kind in (DELEGATES, SERVICES))
    return State(controller, entries, services, tuple(agreements.values()), version, following)
