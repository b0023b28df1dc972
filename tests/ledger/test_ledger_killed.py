"""A process that writes is killed at every step, for real; whoever comes after neither loses nor doubles the write."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ssi.ledger.chain import Finality
from ssi.ledger.journal import Attempt, Entry
from ssi.ledger.writing import Journal
from tests.ledger import nodes
from tests.ledger.deployed import Deployed
from tests.ledger.faulty import DyingRpc, DyingSigner, die, in_child
from tests.ledger.writers import NOW, Scene, scene


class DyingJournal(Journal):
    """Dies just before, or just after, something is on record."""

    def __init__(self, path: Path, step: str, *, after: bool) -> None:
        super().__init__(path)
        self._step, self._after = step, after

    def _dies(self, step: str, work: Callable[[], Any]) -> Any:
        if step == self._step and not self._after:
            die()
        done = work()
        if step == self._step:
            die()
        return done

    def open(self, *parts: Any, **named: Any) -> Entry:
        return self._dies("open", lambda: Journal.open(self, *parts, **named))  # type: ignore[no-any-return]  # Any

    def record(self, entry: Entry, nonce: int, attempt: Attempt) -> None:
        self._dies("record", lambda: Journal.record(self, entry, nonce, attempt))

    def settle(self, *parts: Any) -> None:
        self._dies("settle", lambda: Journal.settle(self, *parts))


def parts(step: str, at: Scene, rpc: Any, *, after: bool) -> dict[str, Any]:
    """What the writer gets that dies at this step."""
    if step == "sign":
        return {"rpc": rpc, "signer": DyingSigner(at.account, after=after)}
    if step in ("open", "record", "settle"):
        return {"rpc": rpc, "journal": DyingJournal(at.path, step, after=after)}
    return {"rpc": DyingRpc(rpc, step, after=after)}


STEPS = [
    *("open", "eth_estimateGas", "eth_getBalance", "eth_getTransactionCount", "sign", "record"),
    *("eth_sendRawTransaction", "eth_getTransactionReceipt", "settle"),
]


@pytest.fixture
def at(deployed: Deployed, tmp_path: Path) -> Scene:
    return scene(deployed, tmp_path)


def opened(node: nodes.Node) -> Any:
    """The node as a process asks it that was just started: with a connection of its own."""
    return nodes.UrlRpc(node.url) if node.url else node.rpc


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step_the_next_process_finishes_the_write(at: Scene, step: str, after: bool) -> None:
    node = at.deployed.node

    def writes() -> None:
        at.write("one", **parts(step, at, opened(node), after=after))

    assert in_child(writes) == signal.SIGKILL
    resumed = at.writer().resume(NOW)
    assert all(write.state is Finality.FINALIZED for write in resumed)
    assert at.write("one").state is Finality.FINALIZED
    assert (at.told(), at.count()) == (["one"], 1)


@pytest.mark.parametrize("step", ["sign", "record", "eth_sendRawTransaction", "settle"])
def test_killed_again_and_again_it_is_still_written_once(at: Scene, step: str) -> None:
    node = at.deployed.node
    for after in (False, True, False):
        in_child(lambda after=after: at.write("one", **parts(step, at, opened(node), after=after)))  # type: ignore[misc]  # a lambda's default
    assert at.write("two").state is Finality.FINALIZED
    assert at.write("one").state is Finality.FINALIZED
    assert sorted(at.told()) == ["one", "two"]
    assert at.count() == 2


def test_another_write_goes_before_nobody(at: Scene) -> None:
    """What was on record but not sent is sent first, for its place comes first."""
    node = at.deployed.node

    def writes() -> None:
        at.write("one", **parts("eth_sendRawTransaction", at, opened(node), after=False))

    assert in_child(writes) == signal.SIGKILL
    assert at.write("two").state is Finality.FINALIZED
    assert at.told() == ["one", "two"]


def test_processes_that_write_at_once_take_turns(at: Scene) -> None:
    import os

    node = at.deployed.node
    children = []
    for name in "abc":
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for place in range(3):
                    at.write(f"{name} {place}", rpc=opened(node))
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert sorted(at.told()) == [f"{name} {place}" for name in "abc" for place in range(3)]
    assert at.count() == 9


def test_the_lock_of_a_killed_process_holds_up_nobody(at: Scene) -> None:
    def holds() -> None:
        with Journal(at.path).locked():
            die()

    assert in_child(holds) == signal.SIGKILL
    assert at.write("one").state is Finality.FINALIZED
