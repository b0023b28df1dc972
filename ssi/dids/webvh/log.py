"""A did:webvh log, verified entry by entry (did:webvh 1.0, "Read (Resolve)").

Every entry's place, time, parameters, proofs and hash are checked, none is skipped. What comes after the first entry
that fails is not looked at; the versions before it may still be asked for by name (step 11.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ssi.dids.webvh import entries, hashing, parameters, place, witnesses
from ssi.dids.webvh.entries import Entry
from ssi.dids.webvh.parameters import Parameters, Witnesses
from ssi.errors import Malformed, Refused, SsiError

TOLERANCE: Final = timedelta(minutes=5)
"""How far an entry's time may lie ahead of ours."""


@dataclass(frozen=True)
class Verified:
    """One entry that holds, and the parameters after it. `witness`: who had to approve it."""

    entry: Entry
    parameters: Parameters
    witness: Witnesses | None


@dataclass(frozen=True)
class Log:
    """The entries that hold, oldest first, and why the next one does not; `problem` None when all of them do."""

    versions: tuple[Verified, ...]
    problem: SsiError | None = field(default=None, compare=False)

    @property
    def last(self) -> Verified:
        """The newest entry that holds."""
        return self.versions[-1]

    @property
    def scid(self) -> str:
        """The DID's self-certifying identifier."""
        return self.last.parameters.scid


def verify(log: bytes, *, now: datetime, approvals: Callable[[], bytes]) -> Log:
    """Verify a log. `approvals` gives the witnesses' proofs, and is called only if an entry needs any.

    Raises Refused, Malformed and Unsupported (`did.webvh_*`, `suite.*`) when not even the first entry holds, and what
    `approvals` raises.
    """
    problem: SsiError | None = None
    found: list[Verified] = []
    try:
        for verified in each(entries.lines(log), now=now):
            found.append(verified)  # noqa: PERF402  (what came before an error is kept)
    except SsiError as error:
        if not found:
            raise
        problem = error
    needed = [each.witness for each in found]
    if any(needed):
        numbers = {each.entry.version_id: each.entry.number for each in found}
        given = witnesses.Approvals(approvals(), numbers=numbers, now=now)
        unapproved = witnesses.first_unapproved(needed, given)
        if unapproved is not None:
            problem = Refused("did.webvh_unwitnessed", "Too few witnesses have approved an entry of the DID's log.")
            found = found[:unapproved]
    if not found and problem is not None:
        raise problem
    return Log(tuple(found), problem)


def each(lines: list[bytes], *, now: datetime) -> Iterator[Verified]:
    """The entries one by one, verified but for the approvals of witnesses. Raises like `following`."""
    before: Verified | None = None
    for line in lines:
        before = _first(entries.read(line), now) if before is None else following(before, entries.read(line), now=now)
        yield before


def _first(entry: Entry, now: datetime) -> Verified:
    """The first entry, which says by which keys it is to be verified, and is bound to them by the SCID (step 5)."""
    current = parameters.first(entry.parameters)
    if entry.number != 1:
        raise Malformed("did.webvh_entry", "The DID's log does not begin with its first entry.")
    _check_time(entry, now)
    if hashing.has_placeholder(entry.json):  # it would hash like the SCID: two first entries of one DID (create, 5.2)
        raise Refused("did.webvh_scid", "The log's first entry still has the placeholder of its identifier.")
    if hashing.scid(entry.json, current.scid) != current.scid:
        raise Refused("did.webvh_scid", "The log's first entry is not the one that the DID was made of.")
    _check(entry, current.scid, current.update_keys, current, now)
    return Verified(entry, current, current.witness)


def following(before: Verified, entry: Entry, *, now: datetime) -> Verified:
    """The entry after `before`. Raises Refused, Malformed, Unsupported (`did.webvh_*`, `suite.*`)."""
    old = before.parameters
    if old.deactivated:
        raise Refused("did.webvh_deactivated", "The DID's log goes on after the DID was given up.")
    if entry.number != before.entry.number + 1:
        raise Malformed("did.webvh_entry", "The entries of the DID's log are not numbered one after the other.")
    if entry.at <= before.entry.at:
        raise Malformed("did.webvh_time", "An entry of the DID's log is not later than the one before it.")
    _check_time(entry, now)
    current = old.after(entry.parameters)
    allowed = old.update_keys
    if old.next_key_hashes:  # pre-rotation: all keys of the entry were announced, and they sign it (step 7)
        allowed = current.update_keys
        if any(hashing.of_key(key) not in old.next_key_hashes for key in allowed):
            raise Refused("did.webvh_rotation", "An entry of the log brings a key that was not announced before.")
    _check(entry, before.entry.version_id, allowed, current, now)
    _check_move(before, entry)
    return Verified(entry, current, old.witness or current.witness)


def _check_time(entry: Entry, now: datetime) -> None:
    if entry.at > now + TOLERANCE:
        raise Refused("did.webvh_time", "An entry of the DID's log lies in the future.")


def _check(entry: Entry, previous: str, allowed: tuple[str, ...], current: Parameters, now: datetime) -> None:
    """Proofs (step 2), hash (step 3) and the document's name (step 6)."""
    bare = {name: value for name, value in entry.json.items() if name != "proof"}
    for proof in entry.proofs:
        entries.check(bare, proof, allowed=allowed, now=now)
    if hashing.of_entry(entry.json, previous) != entry.hash:
        raise Refused("did.webvh_hash", "An entry of the DID's log is not the one that its number is bound to.")
    if place.read(entry.did).scid != current.scid:
        raise Refused("did.webvh_scid", "A document of the log has another self-certifying identifier than the DID.")


def _check_move(before: Verified, entry: Entry) -> None:
    """May the DID's place change, and does the new document name the old one ("DID Portability")?"""
    if entry.did == before.entry.did:
        return
    if not before.parameters.portable:
        raise Refused("did.webvh_move", "The DID moves to another place although it may not.")
    names = entry.state.get("alsoKnownAs")
    if not isinstance(names, list) or before.entry.did not in names:
        raise Refused("did.webvh_move", "The DID moves to another place and does not say where it was before.")
