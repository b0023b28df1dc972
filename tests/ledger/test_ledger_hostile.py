"""A node that answers with what cannot be: each such answer is an error of this house, nothing of it is believed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ssi.errors import Refused, SsiError, Unavailable
from ssi.ledger import hexes
from ssi.ledger.chain import Chain
from ssi.ledger.finality import Finality
from ssi.ledger.quorum import QuorumRpc
from ssi.ledger.rpc import HttpRpc, RpcError
from tests.ledger import nodes
from tests.ledger.deployed import Deployed
from tests.ledger.faulty import Counting, Down, Limited, Lying, Refusing, Web
from tests.ledger.writers import NOW, Scene, attributes, chain, scene, topics_of

GIANT = hex(2**255)


@pytest.fixture
def at(embedded_node: nodes.Node, tmp_path: Path, request: pytest.FixtureRequest) -> Scene:
    deployments: dict[str, Deployed] = request.getfixturevalue("_deployments")
    from tests.ledger.deployed import deploy

    if "embedded" not in deployments:
        deployments["embedded"] = deploy(embedded_node)
    return scene(deployments["embedded"], tmp_path)


# Numbers


@pytest.mark.parametrize("name", ["gasUsed", "blockNumber", "status"])
def test_a_receipt_with_a_number_that_no_chain_has_is_an_error(at: Scene, name: str) -> None:
    lying = Lying(at.deployed.node.rpc, eth_getTransactionReceipt=lambda told: told and told | {name: GIANT})
    with pytest.raises(Unavailable, match=r"ledger\.protocol"):
        at.write("one", rpc=lying)
    assert (at.write("one").state, at.told()) == (Finality.FINALIZED, ["one"])


@pytest.mark.parametrize("name", ["number", "timestamp"])
def test_a_block_with_a_number_that_no_chain_has_is_an_error(at: Scene, name: str) -> None:
    lying = Lying(at.deployed.node.rpc, eth_getBlockByNumber=lambda told: told | {name: GIANT})
    with pytest.raises(Unavailable, match=r"ledger\.protocol"):
        at.chain(lying).head()


@pytest.mark.parametrize("count", [2**255, 2**63, 10**6, 100])
def test_an_invented_place_is_not_taken(at: Scene, count: int) -> None:
    """The account's transactions would have to fill all places before it, and pay for each."""

    class Waiting(Counting):
        def call(self, method: str, params: Any) -> Any:
            told = super().call(method, params)
            return hex(count) if method == "eth_getTransactionCount" and params[1] == "pending" else told

    with pytest.raises(Unavailable, match=r"ledger\.(behind|protocol)"):
        at.write("one", rpc=Waiting(at.deployed.node.rpc))
    assert at.write("one").state is Finality.FINALIZED
    assert (at.told(), at.count()) == (["one"], 1)


def test_a_place_far_ahead_is_not_paid_for(at: Scene) -> None:
    """What a node has made the journal believe stops there: another node is not sent thousands of fillers."""
    ahead = Lying(at.deployed.node.rpc, eth_getTransactionCount=lambda _: hex(5_000))
    with suppress(Unavailable):  # the embedded chain does not keep what cannot come next
        at.write("one", rpc=ahead)
    counting = Counting(at.deployed.node.rpc)
    with pytest.raises(Unavailable, match=r"ledger\.behind"):
        at.write("two", rpc=counting)
    assert (counting.asked["eth_sendRawTransaction"], at.count()) == (0, 0)


# A place that was given up by mistake


def test_a_place_given_up_on_a_lie_can_be_used_again(at: Scene) -> None:
    """A node says that another transaction has the place for ever; the next one knows nothing of that."""
    node = at.deployed.node
    keeping = Lying(node.rpc, eth_sendRawTransaction=lambda told: told)
    keeping.call = lambda method, params: (  # type: ignore[method-assign]  # takes it, and sends it to nobody
        "0x" + "00" * 32 if method == "eth_sendRawTransaction" else node.rpc.call(method, params)
    )
    assert at.write("one", rpc=keeping).state is Finality.PENDING
    with pytest.raises(Unavailable, match=r"ledger\.timeout"):
        at.write("one", rpc=Refusing(_Taken(node.rpc), "eth_estimateGas", Unavailable("ledger.timeout", "")))
    for _ in range(2):
        assert at.write("one").state is Finality.FINALIZED
    assert (at.told(), at.count()) == (["one"], 1)


class _Taken:
    """Says that the account has sent a transaction more than it has."""

    def __init__(self, rpc: Any) -> None:
        self._rpc = rpc

    def call(self, method: str, params: Any) -> Any:
        told = self._rpc.call(method, params)
        return hex(int(told, 16) + 1) if method == "eth_getTransactionCount" else told


# Why did it fail?


@pytest.mark.parametrize(
    "trouble", [Unavailable("ledger.timeout", "It was slow."), RpcError(-32000, "missing trie node")]
)
def test_a_silence_about_the_reason_is_no_reason(at: Scene, trouble: Exception) -> None:
    """Nobody could say why it failed, so it is tried again as any failure without a reason."""
    scant = Lying(at.deployed.node.rpc, eth_estimateGas=lambda _: hex(1_000))
    refusing = Refusing(scant, "eth_call", trouble)
    with suppress(Unavailable):
        at.write("one", rpc=refusing)
    at.write("one")
    assert at.write("one").state is Finality.FINALIZED
    assert at.told() == ["one"]


# Several nodes


@pytest.mark.parametrize("logs", [5, None, "x", {"a": 1}, [7]])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_malformed_receipt_of_three_changes_nothing(at: Scene, place: int, logs: Any) -> None:
    done = at.write("one")
    rpc = at.deployed.node.rpc
    members = [rpc, rpc, rpc]
    members[place] = Lying(rpc, eth_getTransactionReceipt=lambda told: told | {"logs": logs})
    assert done.transaction_hash is not None
    found = at.chain(QuorumRpc(members, 2)).receipt(done.transaction_hash)
    assert found == at.chain(QuorumRpc([rpc, rpc], 2)).receipt(done.transaction_hash)
    alone = at.chain(QuorumRpc([members[place]], 1))
    with pytest.raises(Unavailable, match=r"ledger\.protocol"):
        alone.receipt(done.transaction_hash)


@pytest.mark.parametrize("told", [7, "0x", GIANT, {}, "0x" + "00" * 32])
def test_one_that_answers_a_transaction_with_nonsense_stops_no_write(at: Scene, told: Any) -> None:
    rpc = at.deployed.node.rpc
    liar = Lying(rpc, eth_sendRawTransaction=lambda _: told)
    assert at.write("one", rpc=QuorumRpc([liar, rpc, rpc], 2)).state is Finality.FINALIZED
    with pytest.raises(Unavailable, match=r"ledger\.protocol"):
        at.write("two", rpc=QuorumRpc([liar], 1))
    assert at.write("two").state is Finality.FINALIZED
    assert (at.told(), at.count()) == (["one", "two"], 2)


@pytest.mark.parametrize("advice", [GIANT, "0x0", "nonsense", None, {}])
@pytest.mark.parametrize("method", ["eth_estimateGas", "eth_maxPriorityFeePerGas"])
def test_one_bad_adviser_of_three_neither_stops_nor_prices_a_write(at: Scene, method: str, advice: Any) -> None:
    rpc = at.deployed.node.rpc
    liar = Lying(rpc, **{method: lambda _: advice})
    members = [liar, _Later(rpc), _Later(rpc)]
    assert at.chain(QuorumRpc(members, 2)).fees() == at.chain().fees()
    assert at.write("one", rpc=QuorumRpc(members, 2)).state is Finality.FINALIZED


class _Later:
    """Answers a moment after others."""

    def __init__(self, rpc: Any) -> None:
        self._rpc = rpc

    def call(self, method: str, params: Any) -> Any:
        import time

        time.sleep(0.02)
        return self._rpc.call(method, params)


# Logs


def test_a_withheld_block_is_no_proof_that_it_holds_nothing(deployed: Deployed) -> None:
    actor, node = attributes(deployed, 1), deployed.node
    head = chain(node).head().number

    class Withholding(Lying):
        def call(self, method: str, params: Any) -> Any:
            if method == "eth_getBlockByNumber" and params[0] == hexes.quantity(head):
                return None
            return super().call(method, params)

    lying = chain(node, Withholding(node.rpc, eth_getLogs=lambda _: []))
    with pytest.raises(Unavailable, match=r"ledger\.log_missing"):
        lying.verified_logs(deployed.registry, topics_of(actor.address), head - 2, head, every=True)


def test_a_block_of_another_chain_between_is_noticed(deployed: Deployed) -> None:
    """Each header hashes rightly, and none belongs to the next."""
    from ssi.ledger.proofs import Header

    actor, node = attributes(deployed, 1), deployed.node
    head = chain(node).head().number

    def other(told: Any) -> Any:
        if told["number"] != hexes.quantity(head - 1):
            return told
        changed = {**told, "extraData": "0x" + "ab" * 8, "hash": "0x" + "00" * 32}
        for _ in range(2):
            changed["hash"] = _hash_of(changed)
        assert Header.from_json(changed)
        return changed

    lying = chain(node, Lying(node.rpc, eth_getBlockByNumber=other))
    with pytest.raises(Unavailable, match=r"ledger\.log_altered"):
        lying.verified_logs(deployed.registry, topics_of(actor.address), head - 2, head, every=True)


def _hash_of(block: Any) -> str:
    import rlp

    from ssi.ledger import proofs

    last = max(place for place, (name, _) in enumerate(proofs._FIELDS) if block.get(name) is not None)
    fields = proofs._FIELDS[: last + 1]
    return hexes.data(hexes.keccak(rlp.encode([proofs._field(block.get(name), size) for name, size in fields])))


@pytest.mark.parametrize("transactions", [[{}], [7], [None], {"a": 1}, None])
def test_a_block_without_readable_transactions_is_an_error(deployed: Deployed, transactions: Any) -> None:
    actor, node = attributes(deployed, 1), deployed.node
    lying = chain(node, Lying(node.rpc, eth_getBlockByNumber=lambda told: told | {"transactions": transactions}))
    head = lying.head().number
    with pytest.raises(SsiError):
        lying.verified_logs(deployed.registry, topics_of(actor.address), head, head)


def test_a_scan_during_which_the_chain_was_reorganised_is_no_answer(own_node: nodes.Node) -> None:
    """One piece would be told of the chain as it was, and the next of another."""
    from tests.ledger.deployed import deploy

    deployed = deploy(own_node)
    actor = attributes(deployed, 4)
    head = chain(own_node).head().number
    limited = Limited(own_node.rpc, blocks=2, words="block range is too wide")
    assert len(chain(own_node, limited).logs(deployed.registry, topics_of(actor.address), head - 3, head)) == 4

    class Reorganising(Limited):
        def call(self, method: str, params: Any) -> Any:
            told = super().call(method, params)
            if len(self.scans) == 2 and method == "eth_getLogs":
                assert own_node.reorg is not None
                own_node.reorg(3)
                own_node.mine(3)
            return told

    shifting = chain(own_node, Reorganising(own_node.rpc, blocks=2, words="block range is too wide"))
    with pytest.raises(Unavailable, match=r"ledger\.log_missing"):
        shifting.logs(deployed.registry, topics_of(actor.address), head - 3, head)


# Words


def test_what_a_node_says_of_a_refusal_is_shown_without_addresses_and_control_characters(at: Scene) -> None:
    words = "execution reverted at https://user:sekrit@up.test/v3/sekrit-key \x1b[2J\u202e"
    rpc = at.deployed.node.rpc
    calling = at.chain(Refusing(rpc, "eth_call", RpcError(3, words)))
    estimating = Refusing(rpc, "eth_estimateGas", RpcError(3, words))
    asks: tuple[Callable[[], Any], ...] = (
        lambda: calling.call(at.deployed.registry, b"\x01\x02\x03\x04"),
        lambda: at.write("one", rpc=estimating),
    )
    for ask in asks:
        with pytest.raises(Refused, match=r"ledger\.reverted") as caught:
            ask()
        assert "sekrit" not in str(caught.value)
        assert caught.value.detail.isprintable()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://node.test/v3/0123456789abcdef", "project id 0123456789abcdef was not found"),
        ("https://node.test/?apikey=0123456789abcdef", "invalid key (0123456789abcdef)"),
        ("https://node.test/rpc/0123%34abcdef9", "node.test/rpc/0123%34abcdef9 is forbidden"),
    ],
)
def test_a_node_that_repeats_our_key_does_not_make_us_tell_it(url: str, words: str) -> None:
    class Talking:
        def call(self, method: str, params: Any) -> Any:
            raise RpcError(-32000, words)

    asked = HttpRpc(url, fetch=Web(Talking()), sleep=[].append)
    for ask in (lambda: asked.call("x", []), lambda: asked.call_many([("x", []), ("y", [])])):
        with pytest.raises(RpcError) as caught:
            ask()
        for key in ("0123456789abcdef", "0123%34abcdef9"):
            assert key not in f"{caught.value} {caught.value.message} {caught.value.args}"


@pytest.mark.parametrize("words", ["AlreadyKnown", "Known transaction", "OldNonce", "Nonce too low. Expected nonce"])
def test_other_nodes_words_for_the_same_are_understood(at: Scene, words: str) -> None:
    known = Refusing(at.deployed.node.rpc, "eth_sendRawTransaction", RpcError(-32010, words), after=True)
    assert at.write("one", rpc=known).state is Finality.FINALIZED


@pytest.mark.parametrize(
    "words", ["FeeTooLow", "ReplacementNotAllowed", "Gas price below configured minimum gas price"]
)
def test_other_nodes_words_for_a_low_price_raise_it(at: Scene, words: str) -> None:
    low = Refusing(at.deployed.node.rpc, "eth_sendRawTransaction", RpcError(-32010, words))
    assert at.write("one", rpc=low).state is Finality.FINALIZED
    assert at.count() == 1


@pytest.mark.parametrize("words", ["Upfront cost exceeds account balance", "InsufficientFunds"])
def test_other_nodes_words_for_no_money_are_a_refusal(at: Scene, words: str) -> None:
    poor = Refusing(at.deployed.node.rpc, "eth_sendRawTransaction", RpcError(-32010, words))
    with pytest.raises(Refused, match=r"ledger\.funds"):
        at.write("one", rpc=poor)


def test_a_base_fee_of_null_is_a_chain_without_one(at: Scene) -> None:
    old = Lying(at.deployed.node.rpc, eth_getBlockByNumber=lambda told: told | {"baseFeePerGas": None})
    assert at.chain(old).fees().base is None
    assert not at.chain(old).has_base_fee()


def test_nobody_is_asked_after_a_wrong_answer_about_the_chain() -> None:
    with pytest.raises(Unavailable, match=r"ledger\.unavailable"):
        Chain(Down(), chain_id=1, genesis=None).check()


def test_writes_after_a_refusal_of_the_first_go_on(at: Scene) -> None:
    assert at.write("after").state is Finality.FINALIZED
    assert at.writer().resume(NOW) == ()
