"""did:ethr when node, registry or author mean harm: a refusal or "could not ask", and never another document."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from ssi.dids import ethr
from ssi.dids.sources import CURRENT, Resolved, Sources
from ssi.errors import Refused, SsiError, Unavailable
from ssi.ledger import registry
from tests.ledger import ethr_histories as histories
from tests.ledger import nodes
from tests.ledger.ethr_ledger import known
from tests.support import InMemoryFetch

NETWORK = "0x7a69"
IDENTITY, OTHER = "0x" + "a1" * 20, "0x" + "a2" * 20
DID = f"did:ethr:{NETWORK}:{IDENTITY}"
Change = Callable[[Any], Any]


@dataclass(frozen=True)
class Lying:
    """A node whose answers to some questions are changed on the way."""

    rpc: Any
    lies: dict[str, Change]

    def call(self, method: str, params: Sequence[Any] = ()) -> Any:
        answer = self.rpc.call(method, params)
        return self.lies[method](answer) if method in self.lies else answer


@dataclass(frozen=True)
class Place:
    """A node, and a registry in which the identity has a few events."""

    node: nodes.Node
    registry: histories.Freely

    def resolve(self, *, rpc: Any = None, address: str | None = None, did: str = DID) -> Resolved:
        ledgers = known(self.node, address or self.registry.address, networks=(NETWORK,), rpc=rpc)
        sources = Sources(InMemoryFetch({}), ledgers)
        return ethr.resolve(did, sources=sources, version=CURRENT, now=datetime.now(UTC))

    def lied_to(self, **lies: Change) -> Resolved:
        return self.resolve(rpc=Lying(self.node.rpc, lies))


@pytest.fixture(scope="module", params=("npm", "ours"))
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    reason = nodes.anvil_missing()
    if reason is not None:
        pytest.skip(reason)
    code = histories.npm_registry() if request.param == "npm" else registry.deploy_data()
    began = int(time.time()) - histories.DAY
    with nodes.anvil(options=[*histories.Freely.OPTIONS, str(began)]) as node:
        made = histories.Freely(node.rpc, code, random=Random(1))
        name = b"did/pub/Ed25519/veriKey".ljust(32, b"\0")
        for identity in (IDENTITY, OTHER, IDENTITY, IDENTITY, OTHER):
            value = Random(identity).randbytes(32)
            data = histories.call("setAttribute(address,bytes32,bytes,uint256)", identity, name, value, 2**32)
            made.send([(identity, data)], seconds=1)
        yield Place(node, made)


def test_the_truth(place: Place) -> None:
    assert list(place.resolve().document.methods) == [f"{DID}#controller", f"{DID}#delegate-3"]


def _without(number: int) -> Change:
    return lambda logs: [log for place, log in enumerate(logs) if place != number]


def _with(**members: Any) -> Change:
    return lambda logs: [{**logs[0], **members}, *logs[1:]]


def _revoked(logs: Any) -> Any:
    """The first key's validity, set to zero."""
    data = logs[0]["data"]
    return [{**logs[0], "data": data[: 2 + 128] + "0" * 64 + data[2 + 192 :]}, *logs[1:]]


METHODS = ("eth_getLogs", "eth_getBlockByNumber", "eth_call", "eth_getCode", "eth_getStorageAt")
LIES: dict[str, Change] = {
    "the first is left out": _without(0),
    "one is left out": _without(1),
    "the last is left out": _without(2),
    "all are left out": lambda logs: [],
    "one comes twice": lambda logs: [logs[0], *logs],
    "one of another contract": _with(address="0x" + "66" * 20),
    "one that was removed": _with(removed=True),
    "one of another block": _with(blockNumber="0x3"),
    "one without data": _with(data="0x"),
    "one with half a word": _with(data="0x1234"),
    "one with more than bytes": _with(data="0xzz"),
    "no list": lambda logs: {"logs": logs},
    "nothing": lambda logs: None,
}


@pytest.mark.parametrize("lie", LIES)
def test_a_node_that_lies_about_logs(place: Place, lie: str) -> None:
    with pytest.raises((Unavailable, Refused)):
        place.lied_to(eth_getLogs=LIES[lie])


def test_what_one_node_alone_can_lie_about(place: Place) -> None:
    """The chain of events binds their order and number, not their content: for that there is the quorum of nodes."""
    assert place.lied_to(eth_getLogs=_revoked).metadata == place.resolve().metadata


def test_a_log_of_another_identity(place: Place) -> None:
    def swapped(logs: Any) -> Any:
        return [{**logs[0], "topics": [logs[0]["topics"][0], "0x" + "00" * 12 + OTHER[2:]]}, *logs[1:]]

    with pytest.raises((Unavailable, Refused)):
        place.lied_to(eth_getLogs=swapped)


def test_no_registry_is_not_an_empty_document(place: Place) -> None:
    with pytest.raises((Refused, Unavailable)):
        place.resolve(address="0x" + "99" * 20)


def test_another_contract_is_not_an_empty_document(place: Place) -> None:
    """A contract that answers every question with nothing."""
    place.node.rpc.call("anvil_setCode", ["0x" + "98" * 20, "0x600000"])
    with pytest.raises((Refused, Unavailable)):
        place.resolve(address="0x" + "98" * 20)


def test_another_chain_is_refused(place: Place) -> None:
    with pytest.raises((Refused, Unavailable)):
        place.lied_to(eth_chainId=lambda answer: "0x1", net_version=lambda answer: "1")


def test_a_node_that_is_away(place: Place) -> None:
    class Away:
        def call(self, method: str, params: Sequence[Any] = ()) -> Any:
            raise Unavailable("ledger.unavailable", "Nobody answers.")

    with pytest.raises(Unavailable):
        place.resolve(rpc=Away())


@pytest.mark.parametrize(
    "method", ["eth_getLogs", "eth_getBlockByNumber", "eth_call", "eth_getCode", "eth_getStorageAt"]
)
@pytest.mark.parametrize("answer", [None, {}, [], "0x", "0xzz", "", 1, -1, True, [[]], [{}], [None], "0x" + "ff" * 40])
def test_answers_of_no_kind(place: Place, method: str, answer: Any) -> None:
    """Whatever comes instead of an answer, only our errors go out, or the truth."""
    truth = place.resolve()
    try:
        found = place.lied_to(**{method: lambda _: answer})
    except SsiError:
        return
    assert found.document == truth.document


def test_a_value_that_is_a_bomb(place: Place) -> None:
    """Kilobytes of brackets are a text; what is larger than anything honest is refused."""
    bomber = "0x" + "b0" * 19 + f"{id(place) % 256:02x}"
    name = b"did/svc/A".ljust(32, b"\0")
    call = "setAttribute(address,bytes32,bytes,uint256)"
    place.registry.send([(bomber, histories.call(call, bomber, name, b"[" * 4_000, 2**32))], seconds=1)
    did = f"did:ethr:{NETWORK}:{bomber}"
    service = place.resolve(did=did).document.json["service"][0]
    assert service["serviceEndpoint"] == "[" * 4_000
    place.registry.send([(bomber, histories.call(call, bomber, name, b"x" * 4_100, 2**32))], seconds=1)
    with pytest.raises(Refused, match=r"did\.too_large"):
        place.resolve(did=did)
