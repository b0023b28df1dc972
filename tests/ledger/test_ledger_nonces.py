"""Places among an account's transactions, prices, reorganisations: whatever becomes of them, a write is one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ssi.errors import Refused
from ssi.ledger import registry
from ssi.ledger.chain import Fees, Finality
from ssi.ledger.hexes import data, keccak
from ssi.ledger.pricing import Bid, bid, higher
from ssi.ledger.transactions import Transaction, sign
from ssi.ledger.writing import Journal
from tests.ledger import nodes
from tests.ledger.deployed import Deployed, deploy
from tests.ledger.faulty import Lying
from tests.ledger.writers import CAP, NOW, Scene, scene

GWEI = 10**9


class Waiting(nodes.UrlRpc):
    """The real node, asked without waiting for blocks."""

    def _mined(self, transaction_hash: str) -> None:
        pass


@pytest.fixture(scope="module")
def slow_node() -> Iterator[Deployed]:
    """A real node with our contracts that makes blocks only when it is told to."""
    reason = nodes.anvil_missing()
    if reason is not None:
        pytest.skip(reason)
    with nodes.anvil() as node:
        deployed = deploy(node)
        node.rpc.call("evm_setAutomine", [False])
        object.__setattr__(node, "rpc", Waiting(str(node.url)))
        yield deployed


@pytest.fixture
def at(slow_node: Deployed, tmp_path: Path) -> Scene:
    """A scene on it; what the one before it left waiting is thrown away."""
    found = scene(slow_node, tmp_path)
    slow_node.node.rpc.call("anvil_dropAllTransactions")
    base(found, GWEI)
    return found


def base(at: Scene, fee: int) -> None:
    """Have the next block cost this, and make it."""
    at.deployed.node.rpc.call("anvil_setNextBlockBaseFeePerGas", [hex(fee)])
    at.deployed.node.mine(1)


def drop(at: Scene, transaction_hash: bytes | None) -> None:
    """Have the node forget a transaction that waits."""
    assert transaction_hash is not None
    at.deployed.node.rpc.call("anvil_dropTransaction", [data(transaction_hash)])


def foreign(at: Scene, nonce: int) -> None:
    """A transaction of the same account that no journal knows, at a price that takes the place of others."""
    asked = Transaction(nonce, "0x" + "66" * 20, b"", 21_000, 90 * GWEI, 80 * GWEI, 1)
    signed = sign(asked, at.account, at.deployed.node.chain_id)
    at.deployed.node.rpc.call("eth_sendRawTransaction", [data(signed.raw)])


def fees_of(at: Scene) -> list[tuple[int, int]]:
    """Place and highest price of each transaction that waits for this account."""
    content = at.deployed.node.rpc.call("txpool_content")["pending"]
    waiting = next((of for address, of in content.items() if address.lower() == at.account.address), {})
    return sorted((int(nonce), int(one["maxFeePerGas"], 16)) for nonce, one in waiting.items())


# Waiting


def test_a_write_waits_for_its_block(at: Scene) -> None:
    first = at.write("one")
    assert (first.state, first.block_number, first.gas_used) == (Finality.PENDING, None, None)
    assert first.transaction_hash is not None
    assert at.write("one") == first
    at.deployed.node.mine(1)
    done = at.write("one")
    assert (done.state, done.transaction_hash) == (Finality.FINALIZED, first.transaction_hash)
    assert at.told() == ["one"]


def test_what_the_node_forgot_is_sent_again(at: Scene) -> None:
    first = at.write("one")
    drop(at, first.transaction_hash)
    assert at.write("one").transaction_hash == first.transaction_hash
    at.deployed.node.mine(1)
    assert (at.write("one").state, at.told()) == (Finality.FINALIZED, ["one"])


def test_several_wait_in_their_order(at: Scene) -> None:
    for name in ("one", "two", "three"):
        at.write(name)
    assert [place for place, _ in fees_of(at)] == [0, 1, 2]
    at.deployed.node.mine(1)
    assert at.told() == ["one", "two", "three"]


def test_a_refusal_in_the_block_is_told_in_the_contracts_words(at: Scene) -> None:
    """When it was sent nothing stood against it; the write before it changed that."""
    nobody = registry.change_owner(at.account.address, "0x" + "77" * 20)
    at.writer().write("give away", at.deployed.registry, nobody, now=NOW)
    assert at.write("one").state is Finality.PENDING
    at.deployed.node.mine(1)
    for _ in range(2):
        with pytest.raises(Refused, match=r"failed in its block.*bad_actor.*ledger\.reverted"):
            at.write("one")
    assert [write.state for write in at.writer().resume(NOW)] == [Finality.FINALIZED, "failed"]
    assert at.count() == 2


def test_a_write_that_had_too_little_gas_is_tried_again(at: Scene) -> None:
    scant = Lying(at.deployed.node.rpc, eth_estimateGas=lambda _: hex(1_000))
    at.write("one", rpc=scant)
    at.deployed.node.mine(1)
    assert at.told() == []
    at.write("one")
    at.deployed.node.mine(1)
    assert at.write("one").state is Finality.FINALIZED
    assert (at.told(), at.count()) == (["one"], 2)


# Gaps


def test_a_gap_is_closed_by_what_the_journal_has_for_it(at: Scene) -> None:
    first = at.write("one")
    at.write("two")
    drop(at, first.transaction_hash)
    at.write("three")
    at.deployed.node.mine(1)
    assert at.told() == ["one", "two", "three"]


def test_a_gap_that_nobody_remembers_is_closed_with_nothing(at: Scene) -> None:
    other = Journal(at.path.with_name("other.db"))
    lost = at.write("lost", journal=other)
    at.write("one")
    drop(at, lost.transaction_hash)
    at.writer().resume(NOW)
    at.deployed.node.mine(1)
    assert at.told() == ["one"]
    assert {write.intent: write.state for write in at.writer().resume(NOW)} == {
        "gap 0": Finality.FINALIZED,
        "one": Finality.FINALIZED,
    }
    at.write("lost", journal=other)  # its place was taken by the filler, for ever: it gets another
    at.deployed.node.mine(1)
    assert at.write("lost", journal=other).state is Finality.FINALIZED
    assert (at.told(), at.count()) == (["one", "lost"], 3)


# Places taken by others


def test_a_place_taken_by_another_is_given_up_only_when_that_is_final(at: Scene) -> None:
    at.finalized = 3
    first = at.write("one")
    foreign(at, 0)
    at.deployed.node.mine(1)
    for _ in range(2):
        assert at.write("one").state is Finality.PENDING
        at.deployed.node.mine(1)
    assert at.count() == 1
    at.deployed.node.mine(1)
    again = at.write("one")
    assert again.transaction_hash != first.transaction_hash
    at.deployed.node.mine(1)
    assert at.write("one").state is Finality.CONFIRMED
    assert (at.told(), at.count()) == (["one"], 2)


# Prices


def test_a_spike_of_the_price_is_met_by_a_higher_bid_in_the_same_place(at: Scene) -> None:
    first = at.write("one")
    before = fees_of(at)[0][1]
    drop(at, first.transaction_hash)
    base(at, before * 3)
    second = at.write("one")
    assert second.transaction_hash != first.transaction_hash
    ((place, after),) = fees_of(at)
    assert place == 0
    assert before * 3 < after <= CAP
    at.deployed.node.mine(1)
    done = at.write("one")
    assert (done.state, done.transaction_hash) == (Finality.FINALIZED, second.transaction_hash)
    assert (at.told(), at.count()) == (["one"], 1)


def test_a_spike_above_the_cap_is_a_refusal_that_leaves_the_write_open(at: Scene) -> None:
    first = at.write("one")
    drop(at, first.transaction_hash)
    base(at, CAP * 2)
    for name in ("one", "two"):
        with pytest.raises(Refused, match=r"ledger\.fee_cap"):
            at.write(name)
    assert {write.state for write in at.writer().resume(NOW)} == {Finality.PENDING}
    base(at, GWEI)
    at.writer().resume(NOW)
    at.deployed.node.mine(1)
    assert {write.state for write in at.writer().resume(NOW)} == {Finality.FINALIZED}
    assert (at.told(), at.count()) == (["one", "two"], 2)


def test_what_waits_too_long_is_offered_for_more_up_to_the_cap(at: Scene) -> None:
    at.write("one")
    prices = [fees_of(at)[0][1]]
    for minutes in range(4, 240, 4):
        at.writer().resume(NOW + timedelta(minutes=minutes))
        prices.append(fees_of(at)[0][1])
    assert prices[1] * 1000 >= prices[0] * 1125
    assert prices == sorted(prices)
    assert max(prices) <= CAP
    assert prices[-1] == prices[-2]
    at.deployed.node.mine(1)
    assert (at.write("one").state, at.told(), at.count()) == (Finality.FINALIZED, ["one"], 1)


def test_an_older_bid_that_was_taken_after_all_counts(at: Scene) -> None:
    first = at.write("one")
    raw = at.writer().journal.entries(at.writer()._account)[0].attempts[0].raw
    at.writer().resume(NOW + timedelta(minutes=10))
    at.deployed.node.rpc.call("anvil_dropAllTransactions")
    at.deployed.node.rpc.call("eth_sendRawTransaction", [data(raw)])
    at.deployed.node.mine(1)
    done = at.write("one")
    assert (done.state, done.transaction_hash) == (
        Finality.FINALIZED,
        first.transaction_hash == keccak(raw) and keccak(raw),
    )
    assert at.told() == ["one"]


@pytest.mark.parametrize(
    ("fees", "cap", "wanted"),
    [
        (Fees(10, 2), 100, Bid(22, 2)),
        (Fees(60, 2), 100, Bid(100, 2)),
        (Fees(99, 5), 100, Bid(100, 1)),
        (Fees(100, 5), 100, Bid(100, 0)),
        (Fees(0, 0), 0, Bid(0, 0)),
        (Fees(None, 7), 100, Bid(7, 7)),
    ],
)
def test_bids_leave_room_under_the_cap(fees: Fees, cap: int, wanted: Bid) -> None:
    assert bid(fees, cap=cap) == wanted


@pytest.mark.parametrize("fees", [Fees(101, 1), Fees(None, 101)])
def test_there_is_no_bid_above_the_cap(fees: Fees) -> None:
    with pytest.raises(Refused, match=r"ledger\.fee_cap"):
        bid(fees, cap=100)


@pytest.mark.parametrize("last", [Bid(1, 0), Bid(8, 8), Bid(1000, 1), Bid(999_999_999, 7)])
def test_a_higher_bid_is_an_eighth_higher_in_both(last: Bid) -> None:
    found = higher(last, Fees(1, 1), cap=10**12)
    assert found is not None
    assert found.max_fee * 8 >= last.max_fee * 9
    assert found.tip * 8 >= last.tip * 9
    assert found.tip <= found.max_fee
    assert higher(last, Fees(1, 1), cap=last.max_fee) is None


# Reorganisations


def test_a_write_that_a_reorganisation_took_back_is_written_again(own_node: nodes.Node, tmp_path: Path) -> None:
    at = scene(deploy(own_node), tmp_path, finalized=50)
    own_node.mine(3)
    at.write("zero")
    done: Any = at.write("one")
    assert done.state is Finality.CONFIRMED
    assert own_node.reorg is not None
    own_node.reorg(2)
    assert at.told() == []
    resumed = at.writer().resume(NOW)
    assert [(write.intent, write.state) for write in resumed] == [
        ("zero", Finality.CONFIRMED),
        ("one", Finality.CONFIRMED),
    ]
    assert resumed[1].transaction_hash == done.transaction_hash
    assert at.write("one").block_number != done.block_number or own_node.name == "anvil"
    assert (at.told(), at.count()) == (["zero", "one"], 2)


def test_a_reorganisation_that_takes_back_only_the_first_of_two_keeps_their_order(
    own_node: nodes.Node, tmp_path: Path
) -> None:
    at = scene(deploy(own_node), tmp_path, finalized=50)
    own_node.mine(3)
    for name in ("one", "two", "three"):
        at.write(name)
    assert own_node.reorg is not None
    own_node.reorg(2)
    assert at.write("three").state is Finality.CONFIRMED
    at.writer().resume(NOW)
    assert (at.told(), at.count()) == (["one", "two", "three"], 3)
