"""The house's contracts on a node, and accounts that use them: every call is a real transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ssi.ledger import abi, anchor, registry
from ssi.ledger.rpc import RpcError
from tests.ledger.nodes import Node
from tests.ledger.raw import dynamic

REGISTRY, ANCHOR = registry.CONTRACT, anchor.CONTRACT
GAS = 3_000_000


@dataclass(frozen=True)
class RawLog:
    """A log as bytes."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    log_index: int
    block_hash: bytes


@dataclass(frozen=True)
class Done:
    """What came of a transaction."""

    status: int
    gas: int
    block: int
    contract: str | None
    logs: tuple[RawLog, ...]

    def events(self, of: abi.Contract) -> list[tuple[str, Mapping[str, Any]]]:
        """The events in the contract's words."""
        found = [abi.read_event(of, log) for log in self.logs]
        return [(event.name, event.fields) for event in found if event is not None]


@dataclass
class Actor:
    """An account with money that sends transactions, one after the other."""

    node: Node
    account: Any = None
    nonce: int = field(default=0)

    def __post_init__(self) -> None:
        self.account = self.account or self.node.account()

    @property
    def address(self) -> str:
        """Lower-case text."""
        return str(self.account.address).lower()

    def send(self, to: str | None, data: bytes, *, gas: int = GAS) -> Done:
        """Sends, and waits until it is in a block, whatever comes of it."""
        where = bytes.fromhex(to[2:]) if to else b""
        raw = dynamic(
            self.account, chain_id=self.node.chain_id, nonce=self.nonce, to=where, data=data, gas=gas, max_fee=10**11
        )
        sent = self.node.rpc.call("eth_sendRawTransaction", [raw])
        self.nonce += 1
        receipt = self.node.rpc.call("eth_getTransactionReceipt", [sent])
        return Done(
            int(receipt["status"], 16),
            int(receipt["gasUsed"], 16),
            int(receipt["blockNumber"], 16),
            receipt["contractAddress"],
            tuple(_log(log) for log in receipt["logs"]),
        )

    def does(self, to: str, data: bytes) -> Done:
        """Sends what must succeed."""
        done = self.send(to, data)
        assert done.status == 1, self.why_not(to, data)
        return done

    def is_refused(self, to: str, data: bytes) -> str:
        """Sends what must fail, on chain as well as when simulated; why the contract said it does."""
        why = self.why_not(to, data)
        assert why is not None, "the call would succeed"
        done = self.send(to, data)
        assert (done.status, done.logs) == (0, ())
        return why

    def why_not(self, to: str, data: bytes) -> str | None:
        """The contract's reason for refusing a call of this account, None when it does not refuse."""
        return refusal(self.node, to, data, sender=self.address)

    def deploys(self, code: bytes) -> str:
        """The address of a new contract."""
        done = self.send(None, code, gas=6_000_000)
        assert done.status == 1
        assert done.contract is not None
        return done.contract.lower()


@dataclass(frozen=True)
class Deployed:
    """Our two contracts on a node."""

    node: Node
    registry: str
    anchor: str

    def actor(self) -> Actor:
        """A fresh account with money."""
        return Actor(self.node)

    def asks(self, function: str, *arguments: Any, block: int | None = None, at: str | None = None) -> Any:
        """What a view of the registry or the anchor answers; a single value as it is."""
        of, place = (REGISTRY, self.registry) if function in REGISTRY.functions else (ANCHOR, self.anchor)
        data = "0x" + abi.encode(of, function, *arguments).hex()
        when = "latest" if block is None else hex(block)
        answer = self.node.rpc.call("eth_call", [{"to": at or place, "data": data}, when])
        values = abi.decode(of, function, bytes.fromhex(answer[2:]))
        return values[0] if len(values) == 1 else values

    def slot(self, address: str, slot: int) -> int:
        """What lies in a storage slot."""
        return int(self.node.rpc.call("eth_getStorageAt", [address, hex(slot), "latest"]), 16)

    def time(self, block: int) -> int:
        """When a block was made."""
        return int(self.node.rpc.call("eth_getBlockByNumber", [hex(block), False])["timestamp"], 16)


@dataclass(frozen=True)
class Timed:
    """Our contracts on a node of the test's own, whose time the test moves."""

    deployed: Deployed
    passes: Callable[[int], object]

    def now(self) -> int:
        """The newest block's time."""
        return self.deployed.time(int(self.deployed.node.rpc.call("eth_blockNumber", []), 16))


def refusal(node: Node, to: str, data: bytes, *, sender: str) -> str | None:
    """Why a contract refuses a call, None when it does not."""
    try:
        node.rpc.call("eth_call", [{"from": sender, "to": to, "data": "0x" + data.hex()}, "latest"])
    except RpcError as error:
        told = error.data if isinstance(error.data, str) else "0x"
        return abi.reason(bytes.fromhex(told[2:]), REGISTRY, ANCHOR)
    return None


def deploy(node: Node) -> Deployed:
    """Both contracts, new."""
    actor = Actor(node)
    place = actor.deploys(registry.deploy_data())
    return Deployed(node, place, actor.deploys(anchor.deploy_data(place)))


def _log(log: Mapping[str, Any]) -> RawLog:
    return RawLog(
        log["address"].lower(),
        tuple(bytes.fromhex(topic[2:]) for topic in log["topics"]),
        bytes.fromhex(log["data"][2:]),
        int(log["blockNumber"], 16),
        int(log["logIndex"], 16),
        bytes.fromhex(log["blockHash"][2:]),
    )
