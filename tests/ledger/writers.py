"""What the tests of writing share: a writer on a node, and what it has brought about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ssi.ledger import abi, registry
from ssi.ledger.chain import Chain
from ssi.ledger.writing import Journal, Writer
from tests.ledger import nodes
from tests.ledger.deployed import Actor, Deployed

NOW = datetime(2026, 11, 23, tzinfo=UTC)
CAP = 100 * 10**9


def chain(node: nodes.Node, rpc: Any = None, **options: Any) -> Chain:
    """The node's chain, asked through `rpc` if that is another."""
    return Chain(rpc or node.rpc, chain_id=node.chain_id, **{"genesis": None} | options)


def topics_of(identity: str) -> tuple[None, bytes]:
    """What the logs about an identity have as topics."""
    return None, bytes(12) + bytes.fromhex(identity[2:])


def attributes(deployed: Deployed, count: int) -> Actor:
    """A fresh identity with so many attributes, each in a block."""
    actor = deployed.actor()
    for place in range(count):
        actor.does(deployed.registry, registry.set_attribute(actor.address, b"x", bytes([place]), 100))
    return actor


@dataclass
class Scene:
    """An account that writes attributes about itself, through a writer whose parts a test may exchange."""

    deployed: Deployed
    account: Any
    path: Path
    finalized: Any = 0

    def chain(self, rpc: Any = None) -> Chain:
        node = self.deployed.node
        return Chain(rpc or node.rpc, chain_id=node.chain_id, genesis=None, finalized=self.finalized)

    def writer(self, *, rpc: Any = None, signer: Any = None, journal: Any = None, **options: Any) -> Writer:
        bounds = {"max_fee_per_gas": CAP, "max_gas": 3_000_000} | options
        return Writer(self.chain(rpc), signer or self.account, journal or Journal(self.path), **bounds)

    def content(self, text: str) -> bytes:
        """Call data that leaves one event with this text."""
        return registry.set_attribute(self.account.address, b"x", text.encode(), 1000)

    def write(self, intent: str, **parts: Any) -> Any:
        """Write the intent's own name."""
        return self.writer(**parts).write(intent, self.deployed.registry, self.content(intent), now=NOW)

    def told(self) -> list[str]:
        """The texts on the ledger, in order."""
        chain = self.chain()
        topics = (None, bytes(12) + bytes.fromhex(self.account.address[2:]))
        logs = chain.logs(self.deployed.registry, topics, 0, chain.head().number)
        events = [abi.read_event(registry.CONTRACT, log) for log in logs]
        return [event.fields["value"].decode() for event in events if event is not None]

    def count(self) -> int:
        """How many transactions of the account the chain has."""
        return self.chain().nonce(self.account.address)


def scene(deployed: Deployed, path: Path, **options: Any) -> Scene:
    """A fresh account with money, and an empty journal."""
    return Scene(deployed, deployed.node.account(), path / "writes.db", **options)


def fails_when_paid() -> bytes:
    """The code that makes a contract which accepts every call that is simulated, and fails in every block.

    It reverts unless gas is free: GASPRICE, ISZERO, PUSH1 10, JUMPI, PUSH1 0, PUSH1 0, REVERT, JUMPDEST, STOP.
    """
    runtime = bytes.fromhex("3a15600a5760006000fd5b00")
    return bytes.fromhex(f"60{len(runtime):02x}80600b6000396000f3") + runtime
