"""Crowns: how is one leaf's path found without making all of its batch's tree anew?

A batch's leaves are sorted by value and stand in runs of `RUN`. A crown keeps of each run its first entry and the root
over it: enough to know in which run a leaf is, and for the upper part of its path. The lower part is a tree of that one
run, so that a question costs the same however large the batch is, and whoever asks for many batches in turn makes
nobody build them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ssi.ledger.merkle import SIZE, Tree, node_hash

RUN: Final = 1024
"""How many leaves a run has: a power of two, so that the tree's nodes at its height are the runs' roots (RFC 9162)."""


@dataclass(frozen=True)
class Crown:
    """The upper part of a batch's tree: how many leaves it has, and of each run the first entry and the root."""

    size: int
    firsts: bytes
    roots: bytes

    @classmethod
    def of(cls, entries: Sequence[bytes]) -> Crown:
        """The crown of a batch with these entries, sorted, at least one."""
        runs = [entries[start : start + RUN] for start in range(0, len(entries), RUN)]
        return cls(len(entries), b"".join(run[0] for run in runs), b"".join(Tree(b"".join(run)).root for run in runs))

    @property
    def root(self) -> bytes:
        """The root of the whole tree."""
        level = _split(self.roots)
        while len(level) > 1:
            level = _raised(level)
        return level[0]

    def first(self, entry: bytes) -> bytes:
        """With which entry the run begins that a leaf of the batch is in."""
        return _split(self.firsts)[self._run(entry)]

    def prove(self, entry: bytes, run: Sequence[bytes]) -> tuple[int, tuple[bytes, ...]]:
        """The index of a leaf that is in this run, and its path (RFC 9162 §2.1.3.1)."""
        number, place = self._run(entry), bisect_left(run, entry)
        path, level, node = [*Tree(b"".join(run)).prove(place)], _split(self.roots), number
        while len(level) > 1:
            if node ^ 1 < len(level):  # else the node is lifted
                path.append(level[node ^ 1])
            level, node = _raised(level), node >> 1
        return number * RUN + place, tuple(path)

    def _run(self, entry: bytes) -> int:
        return bisect_right(_split(self.firsts), entry) - 1


def _split(run: bytes) -> list[bytes]:
    return [run[start : start + SIZE] for start in range(0, len(run), SIZE)]


def _raised(level: Sequence[bytes]) -> list[bytes]:
    """The level above; a node without a sibling is lifted."""
    whole = len(level) // 2 * 2
    pairs = zip(level[:whole:2], level[1:whole:2], strict=True)
    return [*(node_hash(left, right) for left, right in pairs), *level[whole:]]
