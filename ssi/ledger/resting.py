"""Resting: a node that did not answer a moment ago is left in peace, so that nobody waits for it again and again.

For roles that answer people: several questions belong to one answer, and each would wait for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from ssi.encoding import Json
from ssi.errors import Unavailable
from ssi.ledger.rpc import Call, Rpc, call_many

REST: Final = 10.0
_AWAY: Final = frozenset({"ledger.unavailable", "ledger.timeout", "ledger.rate_limited"})
_T = TypeVar("_T")


class RestingRpc:
    """Asks another, unless it was away less than `rest` seconds ago by `clock`, which only has to go forward."""

    def __init__(self, rpc: Rpc, *, clock: Callable[[], float], rest: float = REST) -> None:
        self._rpc, self._clock, self._rest = rpc, clock, rest
        self._until: float | None = None

    def __repr__(self) -> str:
        """Whom it asks."""
        return f"RestingRpc({self._rpc!r})"

    def call(self, method: str, params: Sequence[Json]) -> Json:
        """The result of a method; raises as `Rpc.call`."""
        return self._asked(lambda: self._rpc.call(method, params))

    def call_many(self, calls: Sequence[Call]) -> tuple[Json, ...]:
        """Results in order; raises as `BatchRpc.call_many`."""
        return self._asked(lambda: call_many(self._rpc, calls))

    def _asked(self, ask: Callable[[], _T]) -> _T:
        if self._until is not None and self._clock() < self._until:
            raise Unavailable("ledger.unavailable", "The ledger's node did not answer a moment ago.")
        try:
            found = ask()
        except Unavailable as error:
            if error.code in _AWAY:
                self._until = self._clock() + self._rest
            raise
        self._until = None
        return found
