"""A look at a ledger and at the DIDs that stand on it, for a page: what is known now, and what went wrong in asking?

A look is kept for some seconds, so that readers of a page cost the ledger nothing. When the ledger or a DID's host is
away the last look stays, with the sentence that says so.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from ssi import dids
from ssi.dids.ethr import identifier
from ssi.dids.sources import Resolved, Sources, written
from ssi.dids.timeline import Step, timeline
from ssi.encoding import Json, printable, seconds
from ssi.errors import SsiError
from ssi.ledger import overview
from ssi.ledger.anchor import name_hash
from ssi.ledger.ledger import Ledger
from ssi.ledger.overview import Grant, Member, Overview, Root, Stated
from ssi.ledger.slots import Rights

FRESH: Final = timedelta(seconds=10)
MAX_DIDS: Final = 16
"""How many DIDs' histories a look reads."""
_NO_END: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
_SHOWN: Final = 200
_ETHR: Final = "did:ethr:"
_NOTHING: Final[Mapping[bytes, str]] = {}


@dataclass(frozen=True)
class Problem:
    """Why something could not be asked: the error's code and sentence."""

    code: str
    detail: str

    @property
    def json(self) -> dict[str, Json]:
        """For pages and programs."""
        return {"code": self.code, "detail": self.detail}


@dataclass(frozen=True)
class Past:
    """A DID's history, the oldest step first, and the address that it has proven to be on the ledger."""

    did: str
    address: str | None
    steps: tuple[Step, ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True)
class Look:
    """What is known: `since` is when the ledger last answered, None when it never did; `pasts` are of the issuers."""

    ledger: Ledger
    at: datetime
    since: datetime | None
    overview: Overview | None
    pasts: tuple[Past, ...]
    problem: Problem | None

    def json(self, types: Mapping[bytes, str], described: Mapping[bytes, str] = _NOTHING) -> dict[str, Json]:
        """Plain data; `types` are the names of credential types by their hashes, `described` by their descriptions'."""
        seen, names = self.overview, {one.address: one.did for one in self.pasts if one.address is not None}
        at = seconds(self.at)
        told: dict[str, Json] = {
            "ledger": self._ledger(),
            "looked_at": written(self.at),
            "answered_at": None if self.since is None else written(self.since),
            "problem": None if self.problem is None else self.problem.json,
            "accreditors": [{"address": one, "did": None, "known": False} for one in overview.roots(self.ledger)],
            "issuers": [self._issuer(one, described) for one in self.pasts],
            "cut_off": seen is not None and seen.cut_off,
        }
        if seen is not None:
            tree = _Tree(types, names, at, seen.counting(at=at))
            told["accreditors"] = [tree.member(one, None) for one in seen.accreditors]
        return told

    def _ledger(self) -> dict[str, Json]:
        ledger, seen = self.ledger, self.overview
        told: dict[str, Json] = {
            "name": printable(ledger.name, limit=_SHOWN),
            "development": ledger.development,
            "chain_id": ledger.chain.chain_id,
            "confirmations": ledger.chain.confirmations,
            "registry": ledger.registry.address,
            "anchor": None if ledger.anchor is None else ledger.anchor.address,
        }
        if seen is not None:
            told["block"] = {
                "number": seen.head.number,
                "at": moment(seen.head.at),
                "hash": "0x" + seen.head.hash.hex(),
            }
            told["final"] = None if seen.final is None else {"number": seen.final.number, "at": moment(seen.final.at)}
        return told

    def _issuer(self, past: Past, described: Mapping[bytes, str]) -> dict[str, Json]:
        stated = None
        if self.overview is not None and past.address is not None:
            stated = self.overview.by_address(past.address)
        return {
            "did": past.did,
            "address": past.address,
            "problem": None if past.problem is None else past.problem.json,
            "history": [_step(one) for one in past.steps],
            **_stated(stated, _own(past.did), described),
        }


class Looking:
    """Looks at a ledger, and at these DIDs beside those in its tree. Safe to share between threads.

    Nobody waits longer than `patience` seconds: a ledger that takes longer is looked at in the background, and until
    then the last look is told. `known` are digests that are not of batches (`ssi.ledger.overview`), `host` is where the
    ledger's node is: of a development chain, the desk that runs it.
    """

    def __init__(
        self,
        ledger: Ledger,
        sources: Sources,
        *,
        names: Sequence[str] = (),
        known: Collection[bytes] = (),
        host: str = "",
        fresh: timedelta = FRESH,
        patience: float = 3.0,
    ) -> None:
        self.ledger, self.host = ledger, host
        self._sources, self._names, self._known = sources, tuple(names), frozenset(known)
        self._fresh, self._patience = fresh, patience
        self._lock = threading.Lock()
        self._last: Look | None = None
        self._busy: threading.Thread | None = None

    def look(self, *, now: datetime, anew: bool = False) -> Look:
        """What is known now; `anew` asks even if that was done a moment ago. Raises nothing of the ledger's."""
        with self._lock:
            if not anew and self._last is not None and self._last.at <= now < self._last.at + self._fresh:
                return self._last
            if self._busy is None:
                self._busy = threading.Thread(target=self._refresh, args=(now,), name="look", daemon=True)
                self._busy.start()
            busy = self._busy
        busy.join(self._patience)
        with self._lock:
            last = self._last
        if not busy.is_alive() and last is not None:
            return last
        return self._without(Problem("ledger.slow", "The ledger takes long to answer."), last, now)

    def _refresh(self, now: datetime) -> None:
        found = None
        try:
            found = self._asked(self._last, now)
        except SsiError as error:
            found = self._without(Problem(error.code, error.detail), self._last, now)
        finally:
            with self._lock:
                self._last, self._busy = found or self._last, None

    def _asked(self, last: Look | None, now: datetime) -> Look:
        pasts = self._pasts(self._names, last, now)
        also = [one.address for one in pasts if one.address is not None]
        seen = overview.survey(self.ledger, also=also, known=self._known)
        rest = self._unnamed(seen, also)
        pasts = (*pasts, *self._pasts(rest[: MAX_DIDS - len(pasts)], last, now))
        return Look(self.ledger, now, now, seen, pasts, None)

    def _without(self, problem: Problem, last: Look | None, now: datetime) -> Look:
        """What is left where the ledger does not answer."""
        if last is None:
            pasts = tuple(Past(name, None, (), problem) for name in self._names)
            return Look(self.ledger, now, None, None, pasts, problem)
        return replace(last, at=now, problem=problem)

    def _unnamed(self, seen: Overview, known: Sequence[str]) -> list[str]:
        """Those in the tree who may issue and have no DID here but the one that each address is."""
        network = self.ledger.networks[0]
        addresses = dict.fromkeys(
            one.address
            for root in seen.accreditors
            for one in root.walk()
            if any(Rights.ISSUE in grant.grant.rights for grant in one.grants)
        )
        return [f"{_ETHR}{network}:{address}" for address in addresses if address not in known]

    def _pasts(self, names: Sequence[str], last: Look | None, now: datetime) -> tuple[Past, ...]:
        before = {} if last is None else {one.did: one for one in last.pasts}
        return tuple(self._past(name, before.get(name), now) for name in names[:MAX_DIDS])

    def _past(self, name: str, before: Past | None, now: datetime) -> Past:
        try:
            versions = dids.history(name, sources=self._sources, now=now)
        except SsiError as error:
            problem = Problem(error.code, error.detail)
            return (
                Past(name, None, (), problem) if before is None else Past(name, before.address, before.steps, problem)
            )
        return Past(name, self._address(name, versions[-1]), timeline(versions))

    def _address(self, name: str, newest: Resolved) -> str | None:
        """The address behind a DID: of a did:ethr its own; of others the one under which their head is on the ledger.

        That a document names an address proves nothing: the address has to name the DID, too.
        """
        if name.startswith(_ETHR):
            return identifier.read(name).address
        said = newest.evidence.get("identity")
        ours = newest.evidence.get("chain_id") == self.ledger.chain.chain_id
        return said.lower() if ours and isinstance(said, str) else None


def moment(at: int) -> str | None:
    """A time of the ledger as text; None for those beyond all calendars.

    >>> moment(0)
    '1970-01-01T00:00:00Z'
    """
    return written(datetime.fromtimestamp(at, UTC)) if 0 <= at < _NO_END else None


def _step(step: Step) -> dict[str, Json]:
    at = None if step.at is None else written(step.at)
    told = {"at": at, "version": step.version, "changes": list(step.words)}
    return {**told, "recorded": _recorded(step), "ledger": dict(step.evidence)}


def _recorded(step: Step) -> Json:
    """How sure the ledger is of a version, None for one that it does not have.

    What a ledger keeps of a did:webvh is its newest version there, and with it all versions before.
    """
    number = (step.version or "").partition("-")[0]
    anchored = step.evidence.get("anchored_version")
    if anchored is not None and not (number.isdigit() and int(number) <= anchored):
        return None
    return step.evidence.get("finality")


def _own(did: str) -> bytes | None:
    """What the ledger calls the log of a did:webvh."""
    return name_hash(did.split(":")[2]) if did.startswith("did:webvh:") else None


def _stated(stated: Stated | None, own: bytes | None, described: Mapping[bytes, str]) -> dict[str, Json]:
    if stated is None:
        return {"ended": None, "anchors": None, "descriptions": [], "states": []}
    return {
        "ended": stated.ended,
        "anchors": {
            "count": stated.anchors,
            "newest": [_root(one) for one in stated.newest],
        },
        "descriptions": [{"of": described.get(one.digest), **_root(one)} for one in stated.described],
        "states": [
            {
                "about": "did" if one.subject == own else "list",
                "subject": "0x" + one.subject.hex(),
                "number": one.number,
                "block": one.block_number,
                "at": moment(one.at),
                "finality": one.finality.value,
            }
            for one in stated.states
        ],
    }


def _root(one: Root) -> dict[str, Json]:
    return {
        "root": "0x" + one.digest.hex(),
        "block": one.block_number,
        "at": moment(one.at),
        "finality": one.finality.value,
    }


@dataclass(frozen=True)
class _Tree:
    """Writes the tree: with names of types and of addresses, and which grants count at a time."""

    types: Mapping[bytes, str]
    names: Mapping[str, str]
    at: int
    counting: frozenset[tuple[str, str, bytes]]

    def member(self, one: Member, above: str | None) -> dict[str, Json]:
        """One with all below it."""
        return {
            "address": one.address,
            "did": self.names.get(one.address),
            "known": True,
            "ended": one.ended,
            "again": one.again,
            "grants": [self._grant(grant, (above or "", one.address, grant.type_hash)) for grant in one.grants],
            "below": [self.member(each, one.address) for each in one.below],
        }

    def _grant(self, one: Grant, edge: tuple[str, str, bytes]) -> dict[str, Json]:
        grant = one.grant
        return {
            "type": self.types.get(one.type_hash),
            "type_hash": "0x" + one.type_hash.hex(),
            "rights": list(overview.allowed(grant.rights)),
            "state": one.state(at=self.at),
            "counts": edge in self.counting,
            "granted_at": moment(grant.granted_at),
            "until": moment(grant.until),
            "block": grant.block_number,
            "finality": one.finality.value,
        }
