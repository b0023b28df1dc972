"""Measuring: what does one operation cost, best of many rounds, contenders taking turns?"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

Operation = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """One measured figure. `ratio` compares it with the peer's as `target` says; None where nothing is asked."""

    name: str
    value: float
    unit: str
    peer: str
    ratio: float | None
    target: str | None
    ok: bool

    def json(self) -> dict[str, Any]:
        """As it goes into `build/bench.json`."""
        return asdict(self)


class Bench(Protocol):
    """A bench is a module with a title and rows."""

    TITLE: str

    def rows(self) -> list[Row]:
        """Measure now."""


def at_most(name: str, value: float, peer: str, other: float, limit: float | None = None) -> Row:
    """A row for `value` milliseconds that may cost at most `limit` times what the peer's does."""
    ratio = value / other
    target = None if limit is None else f"<= {limit:g} x"
    return Row(name, round(value, 5), "ms", peer, round(ratio, 3), target, limit is None or ratio <= limit)


def faster(name: str, value: float, peer: str, other: float, factor: float | None = None) -> Row:
    """A row for `value` milliseconds that must be at least `factor` times as fast as the peer."""
    ratio = other / value
    target = None if factor is None else f">= {factor:g} x faster"
    return Row(name, round(value, 5), "ms", peer, round(ratio, 3), target, factor is None or ratio >= factor)


def cpu_ms(contenders: Mapping[str, Operation], *, rounds: int = 60, batch: int = 25) -> dict[str, float]:
    """CPU milliseconds per operation: the best of `rounds` batches, one batch of each contender per round.

    Interleaving gives everybody the same weather, and the best batch is the one that nothing disturbed.
    """
    best = dict.fromkeys(contenders, float("inf"))
    for operation in contenders.values():
        operation()
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, operation in contenders.items():
                best[name] = min(best[name], _batch(operation, batch))
            gc.collect()
    finally:
        if collecting:
            gc.enable()
    return {name: seconds / batch * 1000 for name, seconds in best.items()}


def _batch(operation: Operation, times: int) -> float:
    start = time.process_time()
    for _ in range(times):
        operation()
    return time.process_time() - start
