"""How sure a block is is said anew each time it is asked: also after a reorganisation."""

from __future__ import annotations

from ssi.ledger.chain import Finality
from ssi.ledger.rpc import RpcError
from tests.ledger import nodes
from tests.ledger.deployed import Actor
from tests.ledger.faulty import Refusing
from tests.ledger.writers import chain


def test_a_block_grows_from_pending_to_final(own_node: nodes.Node) -> None:
    asked = chain(own_node, confirmations=3, finalized=5)
    own_node.mine(1)
    block = asked.head()
    seen = []
    for _ in range(6):
        seen.append(asked.finality(block.number, block.hash))
        own_node.mine(1)
    assert seen == [Finality.PENDING] * 2 + [Finality.CONFIRMED] * 3 + [Finality.FINALIZED]


def test_the_chains_own_word_for_final_is_used(own_node: nodes.Node) -> None:
    own_node.mine(70)
    asked = chain(own_node)
    last = asked.final()
    assert last is not None
    assert asked.finality(last.number, last.hash) is Finality.FINALIZED
    if last.number < asked.head().number:  # the real node lags as Ethereum does; the embedded chain is final at once
        after = asked.block(last.number + 1)
        assert after is not None
        assert asked.finality(after.number, after.hash) is Finality.CONFIRMED
    deaf = chain(own_node, Refusing(own_node.rpc, "eth_getBlockByNumber", RpcError(-32602, "unknown tag")))
    assert deaf.final() is None


def test_after_a_reorganisation_a_block_is_pending_again(own_node: nodes.Node) -> None:
    asked = chain(own_node, finalized=50)
    own_node.mine(5)
    block = asked.head()
    assert asked.finality(block.number, block.hash) is Finality.CONFIRMED
    assert own_node.reorg is not None
    Actor(own_node).send("0x" + "11" * 20, b"")
    own_node.reorg(3)
    own_node.mine(2)
    assert asked.finality(block.number, block.hash) is Finality.PENDING
    assert asked.finality(10**6, bytes(32)) is Finality.PENDING
