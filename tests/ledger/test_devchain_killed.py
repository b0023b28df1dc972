"""A process that is killed while it writes leaves a whole block or none, whenever that happens."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import rlp
from trie import HexaryTrie

from ssi.ledger.account import SoftwareAccount
from ssi.ledger.devchain import CHAIN_ID, DevChain, mining, store
from ssi.ledger.devchain.accounts import NO_CODE
from ssi.ledger.devchain.blocks import NO_TRIE, Header
from tests.ledger.raw import KEEPER, dynamic, word

NOW = 1_795_400_000
ROUNDS = 12


class Scene:
    """A file with a contract in it, and an account that writes to it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "chain.db"
        self.account = SoftwareAccount.generate()
        with self.open() as chain:
            sent = chain.call(
                "eth_sendRawTransaction", [dynamic(self.account, chain_id=CHAIN_ID, nonce=0, data=KEEPER)]
            )
            receipt: Any = chain.call("eth_getTransactionReceipt", [sent])
        self.keeper = receipt["contractAddress"]

    def open(self) -> DevChain:
        return DevChain(self.path, clock=lambda: NOW, faucet=[self.account.address])

    def keeps(self, nonce: int) -> str:
        """The transaction with this nonce: it keeps the nonce's number in the slot of the same number."""
        to, data = bytes.fromhex(self.keeper[2:]), word(nonce) + word(nonce)
        return dynamic(self.account, chain_id=CHAIN_ID, nonce=nonce, to=to, data=data)

    def written(self) -> int:
        """How many transactions the file holds, after checking that it holds them wholly."""
        with sqlite3.connect(self.path) as file:
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        kept = store.Store(self.path)
        with kept.reading() as session, self.open() as chain:
            newest = mining.head(session).number
            parent = b""
            for height in range(newest + 1):
                block: Any = session.block(height)
                header = Header.read(block.header)
                assert header.hash() == block.hash
                assert height == 0 or header.parent == parent
                parent = block.hash
                _walk(session, header.state_root)
                self._whole(session, chain, height, header)
            count = int(str(chain.call("eth_getTransactionCount", [self.account.address, "latest"])), 16)
            assert count == newest
        kept.close()
        return count

    def _whole(self, session: store.Session, chain: DevChain, height: int, header: Header) -> None:
        """Each block but the first has its transaction, and each but the contract's own its log."""
        rows = session.transactions(height)
        assert len(rows) == (height > 0)
        for row in rows:
            assert _only(rows[0].receipt) == header.receipts_root
            receipt: Any = chain.call("eth_getTransactionReceipt", ["0x" + row.hash.hex()])
            assert receipt["status"] == "0x1"
            assert len(receipt["logs"]) == (height > 1)
        if height > 1:
            asked = [{"to": self.keeper, "data": "0x" + word(height - 1).hex()}, hex(height)]
            assert int(str(chain.call("eth_call", asked)), 16) == height - 1


def _only(item: bytes) -> bytes:
    trie = HexaryTrie({})
    trie[rlp.encode(0)] = item
    return bytes(trie.root_hash)


def _walk(session: store.Session, root: bytes) -> None:
    """Every node, every contract's code and storage below a state root is there."""
    for account in _leaves(session, root):
        _, _, storage_root, code_hash = rlp.decode(account)
        assert code_hash == NO_CODE or session.node(code_hash)
        list(_leaves(session, storage_root))


def _leaves(session: store.Session, root: bytes) -> Iterator[bytes]:
    found = None if root == NO_TRIE else session.node(root)
    assert found is not None or root == NO_TRIE
    yield from _below(session, rlp.decode(found) if found else b"")


def _below(session: store.Session, node: Any) -> Iterator[bytes]:
    if isinstance(node, bytes):
        yield from _leaves(session, node) if node else ()
    elif len(node) == 17:
        for child in node[:16]:
            yield from _below(session, child)
    elif node[0][0] >> 4 >= 2:
        yield node[1]
    else:
        yield from _below(session, node[1])


def _in_child(work: Callable[[], None]) -> int:
    """Start a process that does this work; its id."""
    child = os.fork()
    if child:
        return child
    try:
        work()
    finally:
        os._exit(0)


def _ended(child: int) -> bool:
    """Wait for a process; was it killed?"""
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("chain"))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", ["put_nodes", "put_block", "put_transaction", "put_logs", "COMMIT"])
def test_killed_at_each_step_of_a_write(step: str, after: bool, scene: Scene) -> None:
    before = scene.written()

    def write() -> None:
        with scene.open() as chain:
            _killing(step, after=after)
            chain.call("eth_sendRawTransaction", [scene.keeps(before)])

    assert _ended(_in_child(write))
    kept = step == "COMMIT" and after
    assert scene.written() == before + kept
    with scene.open() as chain:
        chain.call("eth_sendRawTransaction", [scene.keeps(before + kept)])
    assert scene.written() == before + kept + 1


def _killing(step: str, *, after: bool) -> None:
    """From now on, this process dies before or after this step of a write."""
    if step == "COMMIT":
        own = store.Store._transaction

        def committed(self: store.Store, begin: str) -> Any:
            return _Dying(own(self, begin), after=after) if "IMMEDIATE" in begin else own(self, begin)

        store.Store._transaction = committed  # type: ignore[assignment]
        return
    done = getattr(store.Session, step)

    def dies(self: store.Session, rows: Any) -> None:
        if after:
            done(self, rows)
        _die()

    setattr(store.Session, step, dies)


class _Dying:
    """A transaction whose process dies when it would commit, or right after."""

    def __init__(self, inner: Any, *, after: bool) -> None:
        self._inner, self._after = inner, after

    def __enter__(self) -> Any:
        return self._inner.__enter__()

    def __exit__(self, *error: Any) -> Any:
        if self._after:
            self._inner.__exit__(*error)
        _die()


def test_killed_at_any_moment(scene: Scene) -> None:
    chance = random.Random(7)
    for _ in range(ROUNDS):
        before = scene.written()
        hears, tells = os.pipe()

        def write(before: int = before, tells: int = tells) -> None:
            with scene.open() as chain:
                for nonce in range(before, before + 1_000):
                    chain.call("eth_sendRawTransaction", [scene.keeps(nonce)])
                    os.write(tells, b".")

        child = _in_child(write)
        os.close(tells)
        told = len(os.read(hears, 1))
        for _ in range(chance.randrange(60_000)):  # a moment that nobody chose
            pass
        os.kill(child, signal.SIGKILL)
        assert _ended(child)
        while more := os.read(hears, 100):
            told += len(more)
        os.close(hears)
        assert scene.written() - before in (told, told + 1)  # what was answered is there, and at most what was not yet


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    accounts = [SoftwareAccount.generate() for _ in range(3)]
    with scene.open() as chain:
        for nonce, account in enumerate(accounts, start=1):
            to = bytes.fromhex(account.address[2:])
            raw = dynamic(scene.account, chain_id=CHAIN_ID, nonce=nonce, to=to, value=10**18)
            chain.call("eth_sendRawTransaction", [raw])

        def work(account: Any) -> None:
            for nonce in range(8):
                raw = dynamic(account, chain_id=CHAIN_ID, nonce=nonce, to=bytes(20), value=1)
                chain.call("eth_sendRawTransaction", [raw])

        children = [_in_child(lambda account=account: work(account)) for account in accounts]  # type: ignore[misc]
        assert not any(_ended(child) for child in children)
        assert chain.call("eth_blockNumber") == hex(4 + 24)
        assert {chain.call("eth_getTransactionCount", [one.address, "latest"]) for one in accounts} == {"0x8"}


def test_several_processes_make_the_file_at_once(tmp_path: Path) -> None:
    rich = [SoftwareAccount.generate().address for _ in range(6)]
    for name in ("a", "b", "c"):
        path = tmp_path / f"{name}.db"

        def work(address: str, path: Path = path) -> None:
            DevChain(path, clock=lambda: NOW, faucet=[address]).close()
            path.with_suffix(f".{address}").write_text("done")

        children = [_in_child(lambda address=address: work(address)) for address in rich]  # type: ignore[misc]
        assert not any(_ended(child) for child in children)
        assert all(path.with_suffix(f".{address}").exists() for address in rich)
        with DevChain(path, clock=lambda: NOW) as chain:
            balances = sorted(str(chain.call("eth_getBalance", [address, "latest"])) for address in rich)
        assert balances == ["0x0"] * 5 + [hex(mining.FAUCET)]
