"""A leaf's path from its run and the batch's crown: the same as from the whole tree, and at the cost of one run."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, text

from service.store import writing
from ssi.ledger import merkle
from ssi.ledger.merkle import Tree
from tests.issuer.ledgerworld import LedgerWorld
from wallet.issuer import crowns, leaves
from wallet.issuer.crowns import Crown
from wallet.issuer.store import LEAVES


def batch(size: int, name: str = "") -> list[bytes]:
    return sorted(sha256(f"{name} {number}".encode()).digest() for number in range(size))


def runs(entries: list[bytes], length: int) -> Callable[[bytes], list[bytes]]:
    """What the store answers: the run that begins with an entry."""
    return lambda first: entries[entries.index(first) : entries.index(first) + length]


@pytest.mark.parametrize("size", [*range(1, 40), 63, 64, 65])
def test_paths_and_root_are_those_of_the_whole_tree(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(crowns, "RUN", 4)
    entries = batch(size)
    tree, crown, run = Tree(b"".join(entries)), Crown.of(entries), runs(entries, 4)
    assert (crown.root, crown.size) == (tree.root, len(tree))
    for index, entry in enumerate(entries):
        assert crown.prove(entry, run(crown.first(entry))) == (index, tree.prove(index))


def test_at_its_real_length_a_path_verifies_in_every_run() -> None:
    entries = batch(3 * crowns.RUN + 7)
    crown, run = Crown.of(entries), runs(entries, crowns.RUN)
    for entry in (entries[0], entries[crowns.RUN - 1], entries[crowns.RUN], entries[-1]):
        index, path = crown.prove(entry, run(crown.first(entry)))
        leaf = merkle.leaf_hash(entry)
        merkle.verify_inclusion(crown.root, size=len(entries), index=index, leaf=leaf, path=path)


@pytest.fixture
def world(tmp_path: Path) -> LedgerWorld:
    return LedgerWorld(tmp_path)


def test_who_asks_for_many_large_batches_makes_nobody_build_them(
    world: LedgerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowns, "RUN", 8)
    monkeypatch.setattr(leaves, "_RUN", leaves._RUN.limit(8))
    mine = []
    for name in "abcdefgh":
        entries = batch(100, name)
        mine.append(entries[42])
        with writing(world.office.store) as connection:
            connection.execute(insert(LEAVES), [{"entry": one} for one in entries])
        assert world.turn().closed == 100
    built, read = counted(world, monkeypatch)
    assert all(receipt is not None for receipt in world.asked(*mine))
    assert sum(built) <= len(mine) * 8
    assert sum(read) <= len(mine) * 8


def counted(world: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], list[int]]:
    """How many leaves are put into trees, and how many are read from the store, from now on."""
    built, read = list[int](), list[int]()
    real_tree, real_run = Tree.__init__, leaves.run

    def tree(self: Tree, entries: Any) -> None:
        built.append(len(entries) // merkle.SIZE)
        real_tree(self, entries)

    def run(*given: Any) -> list[bytes]:
        found = real_run(*given)
        read.append(len(found))
        return found

    monkeypatch.setattr(Tree, "__init__", tree)
    monkeypatch.setattr(leaves, "run", run)
    return built, read


def test_a_run_is_found_without_looking_at_its_batch(world: LedgerWorld) -> None:
    told = list[str]()
    with writing(world.office.store) as connection:

        def note(_connection: Any, _cursor: Any, statement: str, given: Any, *_more: Any) -> None:
            told.append(statement)

        event.listen(connection, "before_cursor_execute", note)
        leaves.run(connection, "ab", bytes(32))
        plan = connection.execute(text("EXPLAIN QUERY PLAN " + told[0].replace("?", "'x'"))).all()
    assert len(plan) == 1, "found in order: nothing is sorted"
    assert "USING COVERING INDEX leaves_by_anchor (anchor=? AND entry>?)" in plan[0][3]
