"""One chain: it is the right one, its answers fit their questions, and how sure a block is is said anew each time."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.errors import Refused, Unavailable, Unsupported
from ssi.ledger import hexes, registry
from ssi.ledger.chain import Chain
from ssi.ledger.registry import Registry
from ssi.ledger.rpc import RpcError
from tests.ledger import nodes
from tests.ledger.deployed import Actor, Deployed
from tests.ledger.faulty import Counting, Down, Limited, Lying, Refusing
from tests.ledger.raw import KEEPER, word
from tests.ledger.writers import attributes, chain, topics_of

# Is it the right chain, and are the contracts there?


def test_a_node_of_another_chain_is_refused_before_anything_is_believed(node: nodes.Node) -> None:
    wrong = Counting(Lying(node.rpc, eth_chainId=lambda _: "0x1"))
    asked = chain(node, wrong)
    for ask in (asked.head, lambda: asked.code("0x" + "11" * 20), lambda: asked.logs("0x" + "11" * 20, (), 0, 1)):
        with pytest.raises(Refused, match=r"ledger\.wrong_chain"):
            ask()
    assert set(wrong.asked) == {"eth_chainId"}


def test_a_chain_with_another_beginning_is_refused(node: nodes.Node) -> None:
    with pytest.raises(Refused, match=r"ledger\.wrong_chain"):
        chain(node, genesis=bytes(32)).head()
    assert chain(node, genesis=chain(node).beginning()).head()


def test_a_chain_without_the_checkpoints_is_refused(deployed: Deployed) -> None:
    node = deployed.node
    known = chain(node).block(1)
    assert known is not None
    assert chain(node, checkpoints={1: known.hash}).head()
    for checkpoints in ({1: bytes(32)}, {10**9: known.hash}):
        with pytest.raises(Refused, match=r"ledger\.wrong_chain"):
            chain(node, checkpoints=checkpoints).head()


def test_contracts_must_be_there_and_be_the_right_ones(deployed: Deployed) -> None:
    node, nobody = deployed.node, "0x" + "11" * 20
    code_hash = hexes.keccak(registry.CONTRACT.code())
    right = chain(node, contracts={deployed.registry: code_hash})
    assert right.require_code(deployed.registry, code_hash) == registry.CONTRACT.code()
    with pytest.raises(Refused, match=r"ledger\.no_contract"):
        chain(node, contracts={nobody: code_hash}).head()
    with pytest.raises(Refused, match=r"ledger\.other_contract"):
        chain(node, contracts={deployed.anchor: code_hash}).head()
    with pytest.raises(Refused, match=r"ledger\.no_contract"):
        right.require_code(nobody)


def test_a_registry_that_was_never_deployed_is_no_empty_registry(node: nodes.Node) -> None:
    """ "BAD_DATA", or a DID without a past, is what others make of it (veramo #1444)."""
    nowhere = Registry(chain(node), "0x" + "22" * 20)
    for ask in (nowhere.owner, nowhere.changed, nowhere.events, nowhere.state, nowhere.nonce):
        with pytest.raises(Refused, match=r"ledger\.no_contract"):
            ask("0x" + "33" * 20)


@pytest.mark.parametrize("number", [42_161, 42_170, 421_614])
def test_chains_with_other_block_numbers_are_unsupported(number: int) -> None:
    with pytest.raises(Unsupported, match=r"ledger\.chain"):
        Chain(Down(), chain_id=number, genesis=None)


def test_a_node_that_is_away_is_unavailable() -> None:
    asked = Chain(Down(), chain_id=1, genesis=None)
    for ask in (asked.head, asked.check, lambda: asked.receipt(bytes(32)), lambda: asked.finality(1, bytes(32))):
        with pytest.raises(Unavailable, match=r"ledger\.unavailable"):
            ask()


# Logs


@pytest.mark.parametrize(
    ("blocks", "logs", "words", "code"),
    [
        (7, 10**9, "block range is too wide", -32000),
        (3, 10**9, "exceed maximum block range: 5000", -32602),
        (10**9, 2, "query returned more than 10000 results", -32005),
        (1, 10**9, "Log response size exceeded.", -32602),
        (10**9, 1, "query timeout exceeded", -32000),
    ],
)
def test_scans_shrink_until_the_node_answers(deployed: Deployed, blocks: int, logs: int, words: str, code: int) -> None:
    actor, node = attributes(deployed, 7), deployed.node
    limited = Limited(node.rpc, blocks=blocks, logs=logs, words=words, code=code)
    head = chain(node).head().number
    first = max(0, head - 60)
    found = chain(node, limited).logs(deployed.registry, topics_of(actor.address), first, head)
    assert found == chain(node).logs(deployed.registry, topics_of(actor.address), first, head)
    assert len(found) == 7
    places = [place for start, end in limited.scans for place in range(start, end + 1)]
    assert places == list(range(first, head + 1))


def test_an_answer_that_is_too_large_or_slow_halves_as_well(deployed: Deployed) -> None:
    actor, node = attributes(deployed, 3), deployed.node
    trouble = [Unavailable("ledger.too_large", ""), Unavailable("ledger.timeout", "")]
    asked = chain(node, Refusing(node.rpc, "eth_getLogs", *trouble))
    assert len(asked.logs(deployed.registry, topics_of(actor.address), 0, chain(node).head().number)) == 3


def test_a_block_that_no_node_tells_ends_the_scan(deployed: Deployed) -> None:
    attributes(deployed, 1)
    node = deployed.node
    with pytest.raises(Unavailable, match=r"ledger\.too_many"):
        chain(node, Limited(node.rpc, blocks=0, words="limit")).logs(
            deployed.registry, (), 0, chain(node).head().number
        )


def test_other_errors_do_not_halve(deployed: Deployed) -> None:
    counted = Counting(Refusing(deployed.node.rpc, "eth_getLogs", *[RpcError(-32601, "no such method")] * 9))
    with pytest.raises(RpcError):
        chain(deployed.node, counted).logs(deployed.registry, (), 0, 5)
    assert counted.asked["eth_getLogs"] == 1


def test_pieces_are_as_small_as_asked_for(deployed: Deployed) -> None:
    asked = chain(deployed.node)
    head = asked.head().number
    pieces = [(first, last) for first, last, _ in asked.scanned(deployed.registry, (), 0, head, most=4)]
    assert [place for first, last in pieces for place in range(first, last + 1)] == list(range(head + 1))
    assert max(last - first for first, last in pieces) <= 3


def lies(log: dict[str, Any]) -> dict[str, Any]:
    """Logs that do not fit the question, by name."""
    return {
        "another contract": log | {"address": "0x" + "11" * 20},
        "another topic": log | {"topics": [log["topics"][0], "0x" + "00" * 32]},
        "fewer topics": log | {"topics": log["topics"][:1]},
        "a later block": log | {"blockNumber": "0xfffffff"},
        "removed": log | {"removed": True},
        "no data": {name: value for name, value in log.items() if name != "data"},
        "half a byte": log | {"data": "0x0"},
        "five topics": log | {"topics": log["topics"] * 3},
    }


@pytest.mark.parametrize("lie", sorted(lies({"topics": [0, 0]})))
def test_logs_that_do_not_fit_the_question_are_no_answer(deployed: Deployed, lie: str) -> None:
    actor, node = attributes(deployed, 2), deployed.node
    lying = chain(node, Lying(node.rpc, eth_getLogs=lambda logs: [logs[0], lies(logs[1])[lie]]))
    with pytest.raises(Unavailable, match=r"ledger\.protocol"):
        lying.logs(deployed.registry, topics_of(actor.address), 0, lying.head().number)


def test_logs_that_contradict_each_other_are_no_answer(deployed: Deployed) -> None:
    actor, node = attributes(deployed, 2), deployed.node
    for change in (
        lambda logs: [logs[0], logs[0]],
        lambda logs: [logs[0], logs[1] | {"blockNumber": logs[0]["blockNumber"], "logIndex": "0x9"}],
    ):
        lying = chain(node, Lying(node.rpc, eth_getLogs=change))
        with pytest.raises(Unavailable, match=r"ledger\.protocol"):
            lying.logs(deployed.registry, topics_of(actor.address), 0, lying.head().number)


def test_one_block_is_asked_for_by_its_hash(deployed: Deployed) -> None:
    actor = attributes(deployed, 2)
    asked = chain(deployed.node)
    first, second = asked.logs(deployed.registry, topics_of(actor.address), 0, asked.head().number)
    assert asked.logs_of(deployed.registry, second.block_hash) == (second,)
    assert asked.logs_of(deployed.registry, first.block_hash) == (first,)


# Calls


def test_a_refusal_is_told_in_the_contracts_words(deployed: Deployed) -> None:
    with pytest.raises(Refused, match=r"bad_actor.*ledger\.reverted"):
        chain(deployed.node).call(deployed.registry, registry.set_attribute("0x" + "11" * 20, b"x", b"y", 1))


def test_a_call_may_ask_about_the_past(node: nodes.Node) -> None:
    actor = Actor(node)
    keeper = actor.deploys(KEEPER)
    asked = chain(node)
    before = asked.head().number
    actor.send(keeper, word(1) + word(7))
    assert asked.call(keeper, word(1)) == word(7)
    assert asked.call(keeper, word(1), block=before) == word(0)
    assert (asked.storage(keeper, 1), asked.storage(keeper, 1, block=before)) == (7, 0)
    assert asked.proof(keeper, [1], asked.head().number)["storageProof"][0]["value"] == "0x7"


def test_other_errors_stay_what_they_are(deployed: Deployed) -> None:
    asked = chain(deployed.node, Refusing(deployed.node.rpc, "eth_call", RpcError(-32000, "header not found")))
    with pytest.raises(Unavailable, match=r"header not found.*ledger\.rpc"):
        asked.call(deployed.registry, b"")


def test_what_comes_of_another_transaction_is_no_answer(node: nodes.Node) -> None:
    actor = Actor(node)
    actor.deploys(KEEPER)
    asked = chain(node)
    assert asked.receipt(bytes(32)) is None
    last = asked.head().header["transactions"][0]
    known = bytes.fromhex(last[2:])
    done = asked.receipt(known)
    assert done is not None
    assert done.succeeded
    assert done.fee == done.gas_used * done.gas_price > 0
    lying = chain(
        node, Lying(node.rpc, eth_getTransactionReceipt=lambda told: told | {"transactionHash": "0x" + "00" * 32})
    )
    with pytest.raises(Unavailable, match=r"ledger\.protocol"):
        lying.receipt(known)


@pytest.mark.parametrize("number", [0, 1])
def test_another_block_than_asked_for_is_no_answer(node: nodes.Node, number: int) -> None:
    lying = chain(node, Lying(node.rpc, eth_getBlockByNumber=lambda block: block and block | {"number": "0x63"}))
    with pytest.raises(Unavailable, match=r"ledger\.protocol"):
        lying.block(number)


def test_several_blocks_are_asked_for_at_once(node: nodes.Node) -> None:
    asked = chain(node)
    found = asked.blocks([0, 10**9])
    assert list(found) == [0]
    assert found[0] == asked.block(0) == asked.block(found[0].hash)
    assert asked.block(bytes(32)) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["0x", "0x1", "0x" + "00" * 32]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["hash", "number", "logs", "status", "topics", "blockHash"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(JSON)
def test_whatever_a_node_answers_only_our_errors_come_of_it(said: Any) -> None:
    class Says:
        def call(self, method: str, params: Any) -> Any:
            return "0x1" if method == "eth_chainId" else said

    asked = Chain(Says(), chain_id=1, genesis=None)
    at = "0x" + "11" * 20
    for ask in (
        asked.head,
        lambda: asked.block(bytes(32)),
        lambda: asked.blocks([1]),
        lambda: asked.logs(at, (), 0, 9),
        lambda: asked.logs_of(at, bytes(32)),
        lambda: asked.verified_logs(at, (), 0, 1, every=True),
        lambda: asked.call(at, b""),
        lambda: asked.code(at),
        lambda: asked.storage(at, 1),
        lambda: asked.proof(at, [1], 1),
        lambda: asked.balance(at),
        lambda: asked.nonce(at),
        lambda: asked.receipt(bytes(32)),
        lambda: asked.finality(1, bytes(32)),
        asked.fees,
        lambda: asked.estimate(at, at, b""),
        lambda: asked.send(b""),
    ):
        with suppress(Unavailable, Refused):
            ask()
