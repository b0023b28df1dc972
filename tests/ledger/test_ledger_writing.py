"""Writing: what is asked for once or often is written once, within its bounds, and refusals say why."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ssi.errors import Refused, Unavailable
from ssi.ledger import registry
from ssi.ledger.chain import Finality
from ssi.ledger.hexes import contract_address
from ssi.ledger.rpc import RpcError
from ssi.ledger.writing import Journal
from tests.ledger import nodes
from tests.ledger.deployed import Deployed, deploy
from tests.ledger.faulty import Counting, Down, Lying, Refusing
from tests.ledger.writers import NOW, Scene, fails_when_paid, scene


@pytest.fixture
def at(deployed: Deployed, tmp_path: Path) -> Scene:
    return scene(deployed, tmp_path)


def test_the_same_intent_is_written_once(at: Scene) -> None:
    first = at.write("one")
    assert first.state is Finality.FINALIZED
    assert first.block_number is not None
    assert first.gas_used is not None
    assert 30_000 < first.gas_used < 80_000
    assert first.fee_paid is not None
    assert first.fee_paid >= first.gas_used
    for _ in range(3):
        assert at.write("one") == first
    assert at.write("two") != first
    assert at.told() == ["one", "two"]
    assert [write.intent for write in at.writer().writes()] == ["two", "one"]


def test_a_name_stands_for_one_thing(at: Scene) -> None:
    at.write("one")
    writer = at.writer()
    with pytest.raises(Refused, match=r"ledger\.intent"):
        writer.write("one", at.deployed.registry, at.content("another"), now=NOW)
    with pytest.raises(Refused, match=r"ledger\.intent"):
        writer.write("one", at.deployed.anchor, at.content("one"), now=NOW)
    assert at.told() == ["one"]


def test_a_contract_is_created_once(at: Scene) -> None:
    writer = at.writer()
    for _ in range(2):
        done = writer.write("create", None, registry.deploy_data(), now=NOW)
    assert done.transaction_hash is not None
    mined = at.chain().receipt(done.transaction_hash)
    assert mined is not None
    assert mined.contract == contract_address(at.account.address, 0)
    assert at.count() == 1


def test_a_refusal_is_told_before_anything_is_sent_and_leaves_no_trace(at: Scene) -> None:
    writer = at.writer()
    foreign = registry.set_attribute("0x" + "11" * 20, b"x", b"y", 1)
    with pytest.raises(Refused, match=r"bad_actor.*ledger\.reverted"):
        writer.write("not mine", at.deployed.registry, foreign, now=NOW)
    assert (at.count(), writer.writes()) == (0, ())


def test_bounds_of_gas_and_price_hold(at: Scene) -> None:
    with pytest.raises(Refused, match=r"ledger\.gas_cap"):
        at.write("one", max_gas=21_000)
    with pytest.raises(Refused, match=r"ledger\.fee_cap"):
        at.write("one", max_fee_per_gas=1)
    assert at.count() == 0
    assert [write.state for write in at.writer().writes()] == [Finality.PENDING]
    assert at.write("one").state is Finality.FINALIZED  # the intent had stayed open
    assert at.told() == ["one"]


def test_an_account_without_money_is_told_so(at: Scene) -> None:
    at.account = at.deployed.node.account(wei=0)
    with pytest.raises(Refused, match=r"ledger\.funds"):
        at.write("one")
    at.deployed.node.give(at.account.address, 1000)
    with pytest.raises(Refused, match=r"ledger\.funds"):
        at.write("one")
    at.deployed.node.give(at.account.address, 10**18)
    assert at.writer().resume(NOW)[0].state is Finality.FINALIZED
    assert at.told() == ["one"]


def test_what_no_contract_would_read_is_not_written(at: Scene) -> None:
    """A call to an address without code succeeds on every chain, and does nothing."""
    with pytest.raises(Refused, match=r"ledger\.no_contract"):
        at.writer().write("one", "0x" + "55" * 20, b"\x01\x02", now=NOW)
    assert at.count() == 0


def test_what_fails_in_its_block_is_a_refusal_for_good(at: Scene) -> None:
    writer = at.writer()
    done = writer.write("create", None, fails_when_paid(), now=NOW)
    assert done.transaction_hash is not None
    there = contract_address(at.account.address, 0)
    assert [writer.write("fails", there, b"\x01", now=NOW).state for _ in range(2)] == [Finality.PENDING] * 2
    for _ in range(2):  # what nobody can explain is tried three times
        with pytest.raises(Refused, match=r"failed in its block.*ledger\.reverted"):
            writer.write("fails", there, b"\x01", now=NOW)
    assert at.count() == 4
    failed = writer.writes()[0]
    assert (failed.state, failed.block_number is None) == ("failed", False)
    assert at.write("after").state is Finality.FINALIZED


def test_confirmations_are_said_as_they_come(own_node: nodes.Node, tmp_path: Path) -> None:
    at = scene(deploy(own_node), tmp_path, finalized=4)
    assert at.write("one").state is Finality.CONFIRMED
    own_node.mine(3)
    assert at.write("one").state is Finality.CONFIRMED
    own_node.mine(1)
    assert [write.state for write in at.writer().resume(NOW)] == [Finality.FINALIZED]
    assert at.writer().resume(NOW) == ()


def test_a_final_write_asks_nobody(at: Scene) -> None:
    done = at.write("one")
    rpc = Counting(at.deployed.node.rpc)
    assert at.write("one", rpc=rpc) == done
    assert set(rpc.asked) <= {"eth_chainId", "eth_getBlockByNumber"}  # which chain is it?


def test_a_write_asks_little(at: Scene) -> None:
    at.write("one")
    rpc = Counting(at.deployed.node.rpc)
    at.write("two", rpc=rpc)
    assert sum(rpc.asked.values()) <= 18


def test_a_node_that_is_away_loses_nothing(at: Scene) -> None:
    writer = at.writer(rpc=Down())
    with pytest.raises(Unavailable, match=r"ledger\.unavailable"):
        writer.write("one", at.deployed.registry, at.content("one"), now=NOW)
    assert at.write("one").state is Finality.FINALIZED


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "method",
    ["eth_getCode", "eth_estimateGas", "eth_getBalance", "eth_getTransactionCount", "eth_sendRawTransaction"],
)
def test_a_node_that_falls_silent_at_any_step_loses_and_doubles_nothing(at: Scene, method: str, after: bool) -> None:
    silent = Refusing(at.deployed.node.rpc, method, Unavailable("ledger.timeout", ""), after=after)
    writer = at.writer(rpc=silent)
    with pytest.raises(Unavailable, match=r"ledger\.timeout"):
        writer.write("one", at.deployed.registry, at.content("one"), now=NOW)
    assert [write.state for write in writer.resume(NOW)] == [Finality.FINALIZED]
    assert at.write("one", rpc=silent).state is Finality.FINALIZED
    assert (at.told(), at.count()) == (["one"], 1)


def test_words_that_mean_the_node_has_it_are_no_errors(at: Scene) -> None:
    for words in ("already known", "nonce too low: next nonce 1, tx nonce 0", "AlreadyKnown: already imported"):
        known = Refusing(at.deployed.node.rpc, "eth_sendRawTransaction", RpcError(-32000, words), after=True)
        assert at.write(words, rpc=known).state is Finality.FINALIZED
    assert len(at.told()) == at.count() == 3


def test_words_about_money_are_a_refusal_and_leave_the_write_open(at: Scene) -> None:
    words = RpcError(-32000, "insufficient funds for gas * price + value")
    with pytest.raises(Refused, match=r"ledger\.funds"):
        at.write("one", rpc=Refusing(at.deployed.node.rpc, "eth_sendRawTransaction", words))
    with pytest.raises(Refused, match=r"ledger\.funds"):
        at.write("two", rpc=Refusing(at.deployed.node.rpc, "eth_estimateGas", words))
    with pytest.raises(Unavailable, match=r"ledger\.rpc"):
        at.write("two", rpc=Refusing(at.deployed.node.rpc, "eth_estimateGas", RpcError(-32000, "out of memory")))
    assert [write.state for write in at.writer().resume(NOW)] == [Finality.FINALIZED] * 2
    assert at.told() == ["one", "two"]


def test_a_lying_node_makes_no_second_write(at: Scene) -> None:
    """It says that the transaction is in no block, but its place is taken: that is waited for, not written again."""
    at.finalized = 10**6
    at.write("one")
    lying = Lying(at.deployed.node.rpc, eth_getTransactionReceipt=lambda _: None)
    for _ in range(3):
        assert at.write("one", rpc=lying).state is Finality.PENDING
    assert at.write("one").state is Finality.CONFIRMED
    assert (at.told(), at.count()) == (["one"], 1)


def test_two_that_write_at_once_take_turns(at: Scene) -> None:
    failed: list[Any] = []

    def writes(name: str) -> None:
        try:
            rpc = nodes.UrlRpc(at.deployed.node.url) if at.deployed.node.url else at.deployed.node.rpc
            for place in range(4):
                at.write(f"{name} {place}", rpc=rpc)
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=writes, args=(name,)) for name in ("a", "b", "a")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(at.told()) == [f"{name} {place}" for name in "ab" for place in range(4)]
    assert at.count() == 8


def test_two_journals_of_one_account_do_not_lose_a_write(at: Scene) -> None:
    """A second journal, as after a restored backup, does not know the first one's transactions."""
    at.write("one")
    other = Journal(at.path.with_name("other.db"))
    assert at.write("two", journal=other).state is Finality.FINALIZED
    assert at.write("three").state is Finality.FINALIZED
    assert at.told() == ["one", "two", "three"]


def test_a_journal_that_cannot_be_used_is_unavailable(at: Scene, tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"nonsense" * 99)
    for path in (tmp_path / "broken.db", tmp_path / "nowhere" / "writes.db"):
        with pytest.raises(Unavailable, match=r"ledger\.store"):
            at.write("one", journal=Journal(path))
    assert at.count() == 0


def test_nothing_of_the_key_is_told(at: Scene) -> None:
    at.write("one")
    secret = at.account._key.secret
    shown = repr(at.writer()) + repr(at.writer().writes()) + repr(at.writer().journal.entries(""))
    assert secret.hex() not in shown
    assert secret not in at.path.read_bytes()


def test_patience_does_not_raise_the_price_of_what_is_in_a_block(at: Scene) -> None:
    at.finalized = 10**6
    first = at.write("one")
    later = at.writer().resume(NOW + timedelta(days=1))
    assert [(write.transaction_hash, write.fee_paid) for write in later] == [(first.transaction_hash, first.fee_paid)]
