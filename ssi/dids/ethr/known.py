"""Documents that were made before are not made again while the ledger says the same.

A registry's reader gives the same event objects again as long as they are the same events. And between two of the
moments at which something runs out, a document does not change with time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from ssi.dids.document import DidDocument
from ssi.dids.ethr import changes, document, fold, identifier
from ssi.dids.ethr.changes import Change
from ssi.dids.ethr.fold import Moment, State
from ssi.dids.ethr.forms import Form

_KEPT: Final = 64
"""How many histories and documents are kept."""


class Told:
    """A history as a registry told it. Two are the same when they are the same events, object by object."""

    __slots__ = ("_key", "address", "chain_id", "events")

    def __init__(self, events: Sequence[Any], *, chain_id: int, address: str) -> None:
        self._key = (chain_id, address, *map(id, events))  # the ids stay theirs as long as the events are held here
        self.events, self.address, self.chain_id = events, address, chain_id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Told) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=_KEPT)
def read(told: Told) -> tuple[tuple[Change, ...], tuple[int, ...]]:
    """The changes, and the seconds at which anything runs out, in order. Raises Refused (`did.too_large`)."""
    found = changes.read(told.events)
    return found, tuple(sorted({change.until for change in found if change.until}))


def written(told: Told, did: str, *, moment: Moment, form: Form) -> tuple[State, DidDocument]:
    """What stands at the moment, and its document. Raises Refused (`did.too_large`)."""
    _, ends = read(told)
    return _written(told, did, _Span(bisect_left(ends, moment.now), moment), form)


class _Span:
    """A moment, equal to all others of the same cut between the same two ends."""

    __slots__ = ("_key", "moment")

    def __init__(self, passed: int, moment: Moment) -> None:
        self._key = (passed, moment.block, moment.time)
        self.moment = moment

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Span) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=_KEPT)
def _written(told: Told, did: str, span: _Span, form: Form) -> tuple[State, DidDocument]:
    found, _ = read(told)
    state = fold.state(found, address=told.address, moment=span.moment, every_name_counts=form.every_name_counts)
    return state, document.write(identifier.read(did), state, chain_id=told.chain_id, form=form)
