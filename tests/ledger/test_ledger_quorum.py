"""Several nodes: what enough of them say counts, and where they contradict each other nobody is believed."""

from __future__ import annotations

from typing import Any

import pytest

from ssi.errors import Refused, Unavailable
from ssi.ledger import hexes
from ssi.ledger.chain import Chain
from ssi.ledger.quorum import QuorumRpc
from ssi.ledger.rpc import RpcError
from tests.ledger import nodes
from tests.ledger.deployed import Deployed, deploy
from tests.ledger.faulty import Counting, Down, Lying, Refusing, Slow, alter_log, drop_log


def chain(node: nodes.Node, *members: Any, quorum: int = 2) -> Chain:
    return Chain(QuorumRpc(members, quorum), chain_id=node.chain_id, genesis=None)


@pytest.fixture(scope="module")
def there(embedded_node: nodes.Node) -> tuple[nodes.Node, Deployed, str]:
    """A node with a registry, and an identity with three events."""
    from ssi.ledger import registry

    found = deploy(embedded_node)
    actor = found.actor()
    for place in range(3):
        actor.does(found.registry, registry.set_attribute(actor.address, b"x", bytes([place]), 100))
    return embedded_node, found, actor.address


@pytest.mark.parametrize(("members", "quorum"), [(0, 0), (2, 1), (3, 1), (3, 4), (4, 2), (1, 0)])
def test_a_quorum_is_more_than_half(members: int, quorum: int) -> None:
    with pytest.raises(ValueError, match="half"):
        QuorumRpc([Down()] * members, quorum)


def liars(rpc: Any, place: str) -> Any:
    """Nodes that lie in one way each."""
    changes: dict[str, dict[str, Any]] = {
        "drops a log": {"eth_getLogs": drop_log(1)},
        "alters a log": {"eth_getLogs": alter_log(1)},
        "has no logs": {"eth_getLogs": lambda _: []},
        "another chain": {"eth_chainId": lambda _: "0x1"},
        "other blocks": {"eth_getBlockByNumber": lambda block: block | {"hash": "0x" + "00" * 32}},
        "no blocks": {"eth_getBlockByNumber": lambda _: None},
        "far ahead": {"eth_getBlockByNumber": lambda block: block | {"number": "0xffffff"}},
        "far behind": {"eth_getBlockByNumber": lambda block: block | {"number": "0x0"}},
        "no code": {"eth_getCode": lambda _: "0x"},
        "other answers": {"eth_call": lambda _: "0x" + "00" * 32},
        "nonsense": {"eth_getLogs": lambda _: 7, "eth_getBlockByNumber": lambda _: 7, "eth_call": lambda _: {}},
    }
    return Lying(rpc, **changes[place])


LIES = [
    *("drops a log", "alters a log", "has no logs", "another chain", "other blocks", "no blocks", "far ahead"),
    *("far behind", "no code", "other answers", "nonsense"),
]


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_liar_of_three_changes_nothing(there: tuple[nodes.Node, Deployed, str], lie: str, place: int) -> None:
    node, deployed, identity = there
    members = [node.rpc, node.rpc, node.rpc]
    members[place] = liars(node.rpc, lie)
    asked, honest = chain(node, *members), chain(node, node.rpc, quorum=1)
    topics = (None, bytes(12) + bytes.fromhex(identity[2:]))
    head = asked.head()
    assert head == honest.head()
    assert len(asked.logs(deployed.registry, topics, 0, head.number)) == 3
    assert asked.code(deployed.registry) == honest.code(deployed.registry)
    word = hexes.keccak(b"identityOwner(address)")[:4] + bytes(12) + bytes.fromhex(identity[2:])
    assert asked.call(deployed.registry, word)[12:].hex() == identity[2:]
    assert asked.blocks([1, 2]) == honest.blocks([1, 2])


@pytest.mark.parametrize("lie", ["drops a log", "alters a log", "has no logs"])
def test_one_of_two_that_lies_leaves_no_answer(there: tuple[nodes.Node, Deployed, str], lie: str) -> None:
    node, deployed, _ = there
    asked = chain(node, node.rpc, liars(node.rpc, lie))
    with pytest.raises(Unavailable, match=r"ledger\.disagreement"):
        asked.logs(deployed.registry, (), 0, asked.head().number)


def test_three_answers_of_three_are_a_disagreement(there: tuple[nodes.Node, Deployed, str]) -> None:
    node, deployed, _ = there
    asked = chain(node, node.rpc, liars(node.rpc, "drops a log"), liars(node.rpc, "has no logs"))
    with pytest.raises(Unavailable, match=r"ledger\.disagreement"):
        asked.logs(deployed.registry, (), 0, asked.head().number)


def test_who_is_away_is_left_out_as_long_as_enough_remain(there: tuple[nodes.Node, Deployed, str]) -> None:
    node, deployed, _ = there
    asked = chain(node, Down(), node.rpc, node.rpc)
    assert asked.code(deployed.registry)
    with pytest.raises(Unavailable, match=r"ledger\.unavailable"):
        chain(node, Down(), node.rpc, Down()).head()
    with pytest.raises(Unavailable, match=r"ledger\.unavailable"):
        chain(node, Down(), node.rpc).code(deployed.registry)


def test_nobody_waits_for_who_is_slow(there: tuple[nodes.Node, Deployed, str]) -> None:
    node, deployed, _ = there
    slow = Slow(node.rpc)
    asked = chain(node, slow, node.rpc, node.rpc)
    try:
        assert asked.block(1) is not None
        assert asked.logs(deployed.registry, (), 0, 3) is not None
        assert not slow.answered, "what two said was enough"
    finally:
        slow.let_go.set()


def test_a_wrong_chain_of_all_is_refused(there: tuple[nodes.Node, Deployed, str]) -> None:
    node, _, _ = there
    wrong = liars(node.rpc, "another chain")
    with pytest.raises(Refused, match=r"ledger\.wrong_chain"):
        chain(node, wrong, wrong, node.rpc).head()


def test_a_contracts_refusal_is_an_answer(there: tuple[nodes.Node, Deployed, str]) -> None:
    from ssi.ledger import registry

    node, deployed, _ = there
    asked = chain(node, node.rpc, node.rpc, Lying(node.rpc, eth_call=lambda _: "0x"))
    with pytest.raises(Refused, match=r"bad_actor.*ledger\.reverted"):
        asked.call(deployed.registry, registry.set_attribute("0x" + "11" * 20, b"x", b"y", 1))


def test_a_limit_of_one_is_a_limit_of_all(there: tuple[nodes.Node, Deployed, str]) -> None:
    node, deployed, _ = there
    limit = RpcError(-32005, "query returned more than 10000 results")
    asked = chain(node, node.rpc, Refusing(node.rpc, "eth_getLogs", limit))
    head = asked.head().number
    assert len(asked.logs(deployed.registry, (), 0, head)) == len(
        chain(node, node.rpc, quorum=1).logs(deployed.registry, (), 0, head)
    )


def test_what_is_sent_goes_to_all(there: tuple[nodes.Node, Deployed, str]) -> None:
    node, _, _ = there
    known = Refusing(node.rpc, "eth_sendRawTransaction", *[RpcError(-32000, "already known")] * 9)
    counted = [Counting(one) for one in (known, node.rpc, Down())]
    account = node.account()
    from ssi.ledger.transactions import Transaction, sign

    raw = sign(Transaction(0, account.address, b"", 21_000, 10**10, 1), account, node.chain_id)
    assert QuorumRpc(counted, 2).call("eth_sendRawTransaction", [hexes.data(raw.raw)]) == hexes.data(raw.hash)
    assert [one.asked["eth_sendRawTransaction"] for one in counted] == [1, 1, 1]
    with pytest.raises(RpcError, match="already known"):
        QuorumRpc([known, Down()], 2).call("eth_sendRawTransaction", [hexes.data(raw.raw)])
    with pytest.raises(Unavailable, match=r"ledger\.unavailable"):
        QuorumRpc([Down(), Down()], 2).call("eth_sendRawTransaction", [hexes.data(raw.raw)])


def test_advice_is_taken_from_anybody_who_has_some(there: tuple[nodes.Node, Deployed, str]) -> None:
    node, _, _ = there
    members = [Down(), Refusing(node.rpc, "eth_estimateGas", RpcError(3, "execution reverted")), node.rpc]
    asked = QuorumRpc(members, 2)
    assert asked.call("eth_estimateGas", [{"to": "0x" + "11" * 20}]) == hex(21_000)
    with pytest.raises(RpcError):
        QuorumRpc([Down(), Refusing(node.rpc, "eth_estimateGas", RpcError(3, "execution reverted"))], 2).call(
            "eth_estimateGas", [{"to": "0x" + "11" * 20}]
        )


def test_numbers_of_waiting_transactions_are_those_that_enough_know(there: tuple[nodes.Node, Deployed, str]) -> None:
    node, _, _ = there
    ahead = Lying(node.rpc, eth_getTransactionCount=lambda _: "0x99")
    assert chain(node, ahead, node.rpc, node.rpc).nonce("0x" + "22" * 20, block="pending") == 0
