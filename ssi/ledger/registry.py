"""Identity registries (ERC-1056), ours and those deployed elsewhere: who owns an identity, and what happened to it?

Call data is made by `ssi.ledger.registrycalls`, whose names are here, too.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from ssi.errors import Unavailable
from ssi.ledger import abi, slots
from ssi.ledger.hexes import read_address
from ssi.ledger.registrycalls import (
    NOBODY,
    SignedCall,
    add_delegate,
    change_owner,
    deploy_data,
    revoke_attribute,
    revoke_delegate,
    set_attribute,
)
from ssi.ledger.registryevents import RegistryEvent, State, complete, read, require_complete

if TYPE_CHECKING:
    from ssi.ledger.chain import Block, Chain, Log
    from ssi.ledger.index import EventIndex

__all__ = [
    "CONTRACT",
    "NOBODY",
    "Registry",
    "RegistryEvent",
    "SignedCall",
    "add_delegate",
    "change_owner",
    "deploy_data",
    "revoke_attribute",
    "revoke_delegate",
    "set_attribute",
]

CONTRACT: Final = abi.contract("IdentityRegistry")
_KEPT: Final = 64  # identities whose events stay decoded in memory
_TRIES: Final = 2  # a block may arrive, or be replaced, between two questions


@dataclass(frozen=True)
class _Kept:
    """The events of an identity, and at which head of the chain they were all that its state there accounts for."""

    head: bytes
    state: State
    events: tuple[RegistryEvent, ...]


class Registry:
    """The registry at an address. `first` is a block that is not later than its creation: scans begin there."""

    def __init__(self, chain: Chain, address: str, *, index: EventIndex | None = None, first: int = 0) -> None:
        self.chain = chain
        self.address = address.lower()
        self.index = index
        self._first = first
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    @cached_property
    def ours(self) -> bool:
        """Is the code there that of our IdentityRegistry, which counts events and ends identities for ever?"""
        return self.chain.code(self.address) == CONTRACT.code()

    def owner(self, identity: str, *, block: int | None = None) -> str:
        """Who may write about the identity. From our registry `NOBODY` once it has ended; others name the identity."""
        answer = self.chain.call(self.address, abi.encode(CONTRACT, "identityOwner", identity), block=block)
        owner: str = abi.decode(CONTRACT, "identityOwner", answer)[0]
        return owner

    def changed(self, identity: str, *, block: int | None = None) -> int:
        """The block of the identity's last event, 0 when it has none."""
        return self._number("changed", identity, block)

    def nonce(self, identity: str, *, block: int | None = None) -> int:
        """The number for the identity's next signed call; in our registry the number of its events."""
        return self._number("nonce", identity, block)

    def state(self, identity: str, *, block: int | None = None) -> State:
        """What the registry knows about the identity beyond its events; of ours with one question."""
        if self.ours:
            return slots.read_state(self.chain.storage(self.address, slots.identity_slot(identity), block=block))
        answer = self.chain.call(self.address, abi.encode(CONTRACT, "owners", identity), block=block)
        return State(abi.decode(CONTRACT, "owners", answer)[0], self.changed(identity, block=block))

    def events(self, identity: str, *, upto: int | None = None) -> tuple[RegistryEvent, ...]:
        """All events of the identity in the order of the chain, up to and including block `upto`.

        All that the registry knows at the chain's head are looked at, whatever `upto` is: that they are complete can
        only be seen from the end. Raises Unavailable (`ledger.log_missing`, and what the chain raises).
        """
        found = self._events(read_address(identity))
        return found if upto is None else tuple(event for event in found if event.block_number <= upto)

    def _events(self, identity: str) -> tuple[RegistryEvent, ...]:
        for attempt in range(_TRIES):
            head = self.index.sync(self.chain, self.address).head if self.index else self.chain.head()
            with self._lock:
                kept = self._kept.get(identity)
            if kept is not None and kept.head == head.hash:
                return kept.events
            state = self.state(identity, block=head.number)
            if kept is not None and kept.state == state and self._stands(kept):
                events = kept.events
            else:
                events = self._decoded(self._logs(identity, head, again=attempt > 0), kept.events if kept else ())
            if complete(events, state) or attempt == _TRIES - 1:
                require_complete(events, state)
                self._keep(identity, _Kept(head.hash, state, events))
                return events
        raise AssertionError("unreachable")  # pragma: no cover

    def _stands(self, kept: _Kept) -> bool:
        """Is the block of the last event still on the chain, and with it all before it?"""
        if not kept.events:
            return True
        block = self.chain.block(kept.events[-1].block_number)
        return block is not None and block.hash == kept.events[-1].block_hash

    def _logs(self, identity: str, head: Block, *, again: bool) -> Sequence[Log]:
        """The logs up to the head. `again`: those of the index were not complete; perhaps a node told it wrongly."""
        topic = bytes(12) + bytes.fromhex(identity[2:])
        indexed = () if self.index is None else self.index.logs(self.chain, self.address, topic)
        indexed = tuple(log for log in indexed if log.block_number <= head.number)
        if self.index is not None and not again:
            return indexed
        told = self.chain.logs(self.address, (None, topic), self._first, head.number)
        if self.index is not None and [log._replace(at=None) for log in told] != [
            log._replace(at=None) for log in indexed
        ]:
            self.index.forget(self.chain, self.address)
        return told

    def _decoded(self, logs: Sequence[Log], before: Sequence[RegistryEvent]) -> tuple[RegistryEvent, ...]:
        """The events of logs in the chain's order; what was decoded before and did not change is taken as it is."""
        ordered = sorted(logs, key=lambda log: (log.block_number, log.log_index))
        known = len(before)
        if not known or len(ordered) < known or not _same(ordered[known - 1], before[-1]):
            before, known = (), 0
        fresh = ordered[known:]
        times = self._times(fresh)
        return (*before, *(event for log in fresh if (event := read(log, at=times[log.block_number])) is not None))

    def _times(self, logs: Sequence[Log]) -> dict[int, int]:
        """When the blocks of these logs were made, asked in one go for those that do not say so themselves."""
        times = {log.block_number: log.at for log in logs if log.at is not None}
        missing = {log.block_number: log.block_hash for log in logs if log.block_number not in times}
        if missing:
            for number, block in self.chain.blocks(sorted(missing)).items():
                if block.hash != missing[number]:
                    raise Unavailable("ledger.log_missing", "The chain changed while its events were read.")
                times[number] = block.at
        return times

    def _keep(self, identity: str, kept: _Kept) -> None:
        with self._lock:
            self._kept[identity] = kept
            self._kept.move_to_end(identity)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)

    def _number(self, function: str, identity: str, block: int | None) -> int:
        answer = self.chain.call(self.address, abi.encode(CONTRACT, function, identity), block=block)
        return int(abi.decode(CONTRACT, function, answer)[0])


def _same(log: Log, event: RegistryEvent) -> bool:
    return (log.block_hash, log.log_index) == (event.block_hash, event.log_index)
