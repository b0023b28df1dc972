"""Hostile inputs: the most CPU time and the most memory that any input of `tests.fuzz.hostile` costs, by target."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

from tests.bench.measure import Row
from tests.fuzz.hostile import Zoo
from tests.fuzz.targets import TARGETS, Target

TITLE = "Hostile inputs: 50 ms and 64 MiB each"
MS = 50.0
MIB = 64.0
_ROUNDS = 2
_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def rows() -> list[Row]:
    """Two rows for each target: its worst input by time and its worst by memory."""
    return [row for target in TARGETS for row in worst(target)]


def worst(target: Target) -> tuple[Row, Row]:
    """Each round has new inputs, so that nothing is remembered of the last; the least disturbed round counts."""
    for seed in target.seeds():
        _attempt(target, seed)
    ms: dict[str, float] = {}
    for salt in range(_ROUNDS):
        for name, data in Zoo(salt).of(target):
            ms[name] = min(ms.get(name, float("inf")), _milliseconds(target, data))
    mib = {name: _mebibytes(target, data) for name, data in Zoo(_ROUNDS).of(target)}
    return _row(target.name, ms, "ms", MS), _row(target.name, mib, "MiB", MIB)


def _row(target: str, found: dict[str, float], unit: str, limit: float) -> Row:
    name, most = max(found.items(), key=lambda item: item[1])
    note = f"{name}, the worst of {len(found)}"
    return Row(f"hostile {target}", round(most, 3), unit, note, round(most / limit, 3), f"<= {limit:g}", most <= limit)


def _attempt(target: Target, data: bytes) -> None:
    try:
        target.attempt(data)
    except AssertionError:  # the target's own question is whether an honest input was changed, and none is honest here
        return


def _milliseconds(target: Target, data: bytes) -> float:
    start = time.process_time()
    _attempt(target, data)
    return (time.process_time() - start) * 1000


def _mebibytes(target: Target, data: bytes) -> float:
    """What Python takes at most, or what the process grows by, libraries in other languages included."""
    return max(_traced(target, data), _grown(target, data)) / 1_048_576


def _traced(target: Target, data: bytes) -> float:
    tracemalloc.start()
    try:
        _attempt(target, data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _grown(target: Target, data: bytes) -> float:
    """The growth of the resident set at its highest; 0 where the system does not tell."""
    try:
        _FORGET.write_text("5")
        before = _kibibytes("VmRSS")
        _attempt(target, data)
        return (_kibibytes("VmHWM") - before) * 1024
    except OSError:
        return 0


def _kibibytes(name: str) -> int:
    found = (line for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return int(next(found).split()[1])
