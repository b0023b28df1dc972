"""The embedded chain by itself: its clock, its file, its first block, its tags, and what it refuses."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st

from ssi.errors import Refused, SsiError, Unavailable
from ssi.ledger.account import SoftwareAccount
from ssi.ledger.devchain import CHAIN_ID, DevChain, methods
from ssi.ledger.devchain.blocks import Header
from ssi.ledger.rpc import RpcError
from tests.ledger import nodes
from tests.ledger.raw import KEEPER, dynamic, legacy, word

START = 1_795_400_000


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> int:
        return self.at


@pytest.fixture(scope="module")
def rich() -> SoftwareAccount:
    return SoftwareAccount.generate()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chain.db"


@pytest.fixture
def chain(path: Path, clock: Clock, rich: SoftwareAccount) -> Iterator[DevChain]:
    with DevChain(path, clock=clock, faucet=[rich.address], playground=True) as made:
        yield made


def pays(account: Any, nonce: int, **fields: Any) -> str:
    """A payment of one wei to nobody."""
    return dynamic(account, **{"chain_id": CHAIN_ID, "nonce": nonce, "to": b"\x09" * 20, "value": 1, **fields})


def number(chain: DevChain) -> int:
    return int(str(chain.call("eth_blockNumber")), 16)


def at(chain: DevChain, block: str = "latest") -> int:
    found: Any = chain.call("eth_getBlockByNumber", [block, False])
    return int(found["timestamp"], 16)


def test_fast_writing_does_not_push_the_time_ahead(chain: DevChain, clock: Clock, rich: SoftwareAccount) -> None:
    for nonce in range(100):
        chain.call("eth_sendRawTransaction", [pays(rich, nonce)])
    chain.call("facet_mine", ["0x3e8"])
    assert number(chain) == 1_100
    assert at(chain) == at(chain, "earliest") == START
    clock.at += 7
    chain.call("eth_sendRawTransaction", [pays(rich, 100)])
    assert at(chain) == clock.at


def test_time_stands_still_while_the_clock_is_behind(chain: DevChain, clock: Clock, rich: SoftwareAccount) -> None:
    clock.at -= 3_600
    chain.call("eth_sendRawTransaction", [pays(rich, 0)])
    assert at(chain) == START


def test_the_first_block_gives_the_faucet_its_money(chain: DevChain, rich: SoftwareAccount) -> None:
    assert chain.call("eth_getBalance", [rich.address, "earliest"]) == hex(10**24)
    assert chain.call("eth_chainId") == hex(0xFACE7)
    assert chain.call("net_version") == "1027303"
    assert "facet" in str(chain.call("web3_clientVersion"))
    first: Any = chain.call("eth_getBlockByNumber", ["0x0", True])
    assert (first["parentHash"], first["transactions"]) == ("0x" + "00" * 32, [])


def test_a_file_that_is_opened_again_holds_what_was_written(
    chain: DevChain, path: Path, clock: Clock, rich: SoftwareAccount
) -> None:
    sent = chain.call("eth_sendRawTransaction", [dynamic(rich, chain_id=CHAIN_ID, nonce=0, data=KEEPER)])
    receipt: Any = chain.call("eth_getTransactionReceipt", [sent])
    kept = pays(rich, 1, to=bytes.fromhex(receipt["contractAddress"][2:]), data=word(1) + word(2), value=0)
    told: Any = chain.call("eth_getTransactionReceipt", [chain.call("eth_sendRawTransaction", [kept])])
    head = chain.call("eth_getBlockByNumber", ["latest", True])
    chain.close()
    stranger = SoftwareAccount.generate()
    with DevChain(path, clock=clock, faucet=[stranger.address]) as again:
        assert again.call("eth_getBlockByNumber", ["latest", True]) == head
        assert again.call("eth_getTransactionReceipt", [told["transactionHash"]]) == told
        assert again.call("eth_getLogs", [{"fromBlock": "0x0"}]) == told["logs"]
        assert again.call("eth_getBalance", [stranger.address, "latest"]) == "0x0"
        with pytest.raises(RpcError, match="does not exist"):
            again.call("facet_mine", ["0x1"])


def test_a_file_of_another_chain_or_of_no_chain_is_refused(
    chain: DevChain, path: Path, clock: Clock, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match=r"ledger\.wrong_chain"):
        DevChain(path, clock=clock, chain_id=5)
    other = tmp_path / "other.db"
    other.write_bytes(b"no database at all" * 100)
    with pytest.raises(Unavailable, match=r"ledger\.store"):
        DevChain(other, clock=clock)
    with pytest.raises(Unavailable, match=r"ledger\.store"):
        DevChain(tmp_path / "nowhere" / "chain.db", clock=clock)


def test_two_that_open_one_file_see_each_others_blocks(
    chain: DevChain, path: Path, clock: Clock, rich: SoftwareAccount
) -> None:
    with DevChain(path, clock=clock) as other:
        for nonce in range(6):
            writer, reader = (chain, other) if nonce % 2 else (other, chain)
            sent = writer.call("eth_sendRawTransaction", [pays(rich, nonce)])
            assert reader.call("eth_getTransactionReceipt", [sent]) is not None
            assert number(reader) == nonce + 1
            assert reader.call("eth_getTransactionCount", [rich.address, "latest"]) == hex(nonce + 1)


def test_many_questions_are_answered_in_order(chain: DevChain, rich: SoftwareAccount) -> None:
    reading = [("eth_blockNumber", []), ("eth_getTransactionCount", [rich.address, "latest"]), ("eth_chainId", [])]
    assert chain.call_many(reading) == ("0x0", "0x0", hex(CHAIN_ID))
    sent = ("eth_sendRawTransaction", [pays(rich, 0)])
    assert chain.call_many([sent, *reading])[1:] == ("0x1", "0x1", hex(CHAIN_ID))
    for wrong in ("eth_nothing", "eth_getBalance"):
        with pytest.raises(RpcError):
            chain.call_many([*reading, (wrong, [])])


def test_work_that_nobody_pays_for_is_bounded(path: Path, clock: Clock) -> None:
    with DevChain(path, clock=clock, call_gas=100_000) as chain:
        for method in ("eth_call", "eth_estimateGas"):
            with pytest.raises(RpcError, match="out of gas"):
                chain.call(method, [{"data": "0x5b600056", "gas": hex(30_000_000)}, "latest"])


def test_many_threads_write_at_once(chain: DevChain) -> None:
    accounts = [SoftwareAccount.generate() for _ in range(4)]
    for account in accounts:
        chain.call("facet_give", [account.address, hex(nodes.ETHER)])
    started, troubles = number(chain), []

    def work(account: SoftwareAccount) -> None:
        try:
            for nonce in range(5):
                chain.call("eth_sendRawTransaction", [pays(account, nonce)])
                chain.call("eth_call", [{"to": "0x" + "00" * 19 + "04", "data": "0x01"}, "latest"])
        except SsiError as trouble:
            troubles.append(trouble)

    threads = [threading.Thread(target=work, args=(account,)) for account in accounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not troubles
    assert number(chain) == started + 20
    assert {chain.call("eth_getTransactionCount", [one.address, "latest"]) for one in accounts} == {"0x5"}


def test_a_transaction_is_mined_once(chain: DevChain, rich: SoftwareAccount) -> None:
    raw = pays(rich, 0)
    chain.call("eth_sendRawTransaction", [raw])
    for wrong, words in ((raw, "already known"), (pays(rich, 0, value=2), "nonce too low"), (pays(rich, 2), "high")):
        with pytest.raises(RpcError, match=words) as refusal:
            chain.call("eth_sendRawTransaction", [wrong])
        assert refusal.value.rpc_code == -32_000
    assert number(chain) == 1


def test_transactions_that_no_node_takes(chain: DevChain, rich: SoftwareAccount) -> None:
    good = pays(rich, 0)
    fields = rlp.decode(bytes.fromhex(good[4:]))
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = (order - int.from_bytes(fields[-1], "big")).to_bytes(32, "big")
    wrong = {
        "EIP-155": legacy(rich, chain_id=None, nonce=0, to=bytes(20)),
        "not supported": "0x03" + good[4:],
        "RLP": good[:-2],
        "v, r, s": "0x02" + rlp.encode([*fields[:-1], high]).hex(),
        "block gas limit": pays(rich, 0, gas=30_000_001),
        "higher than max fee": pays(rich, 0, tip=2, max_fee=1),
        "initcode": pays(rich, 0, to=b"", data=bytes(49_153), gas=1_000_000),
        "funds": pays(rich, 0, value=10**24),
        "no bytes": "0x",
    }
    for words, raw in wrong.items():
        with pytest.raises(RpcError, match=words):
            chain.call("eth_sendRawTransaction", [raw])
    assert number(chain) == 0


def test_tags_and_numbers_name_blocks(path: Path, clock: Clock) -> None:
    with DevChain(path, clock=clock, depth=2, playground=True) as chain:
        chain.call("facet_mine", ["0x9"])
        for tag, wanted in {"latest": 9, "pending": 9, "safe": 7, "finalized": 5, "earliest": 0, "0x3": 3}.items():
            found: Any = chain.call("eth_getBlockByNumber", [tag, False])
            assert int(found["number"], 16) == wanted
    with DevChain(path, clock=clock) as chain:
        sure: Any = chain.call("eth_getBlockByNumber", ["finalized", False])
        assert sure["number"] == "0x9"


def test_base_fees_follow_the_rule_and_stay_low(chain: DevChain, rich: SoftwareAccount) -> None:
    chain.call("facet_mine", ["0x14"])
    history: Any = chain.call("eth_feeHistory", ["0x15", "latest", []])
    fees = [int(fee, 16) for fee in history["baseFeePerGas"]]
    assert fees == sorted(fees, reverse=True)
    assert fees[1] == 10**9 - 10**9 // 8
    full = Header(*_header(gas_used=30_000_000))
    assert full.next_base_fee() == 1_125
    assert Header(*_header(gas_used=15_000_000)).next_base_fee() == 1_000
    assert Header.read(full.encoded()) == full


def _header(*, gas_used: int) -> list[Any]:
    front = [bytes(32), bytes(32), bytes(20), bytes(32), bytes(32), bytes(32), bytes(256), 0, 1, 30_000_000]
    return [*front, gas_used, START, b"", bytes(32), bytes(8), 1_000, bytes(32), 0, 0, bytes(32), bytes(32)]


def test_filters_that_cannot_be_answered(chain: DevChain, rich: SoftwareAccount, monkeypatch: Any) -> None:
    made = chain.call("eth_sendRawTransaction", [dynamic(rich, chain_id=CHAIN_ID, nonce=0, data=KEEPER)])
    receipt: Any = chain.call("eth_getTransactionReceipt", [made])
    for nonce in (1, 2, 3):
        to = bytes.fromhex(receipt["contractAddress"][2:])
        chain.call("eth_sendRawTransaction", [pays(rich, nonce, to=to, data=word(1) + word(2), value=0)])
    wrong: dict[str, tuple[int, dict[str, Any]]] = {
        "range": (-32_602, {"fromBlock": "0x2", "toBlock": "0x1"}),
        "choose": (-32_602, {"blockHash": "0x" + "00" * 32, "fromBlock": "0x0"}),
        "unknown block": (-32_000, {"blockHash": "0x" + "00" * 32}),
        "max topics": (-32_602, {"topics": [None] * 5}),
    }
    for words, (code, wanted) in wrong.items():
        with pytest.raises(RpcError, match=words) as refusal:
            chain.call("eth_getLogs", [wanted])
        assert refusal.value.rpc_code == code
    assert chain.call("eth_getLogs", [{"fromBlock": "0x99", "toBlock": "0x100"}]) == []
    monkeypatch.setattr(methods, "_MAX_LOGS", 2)
    with pytest.raises(RpcError, match="more than 2 results") as refusal:
        chain.call("eth_getLogs", [{"fromBlock": "0x0"}])
    assert refusal.value.rpc_code == -32_005


def test_calls_that_cannot_be_made(chain: DevChain, rich: SoftwareAccount) -> None:
    wrong: dict[str, list[Any]] = {
        "header not found": [{"to": rich.address}, "0x77"],
        "not an object": ["0x"],
        "not equal": [{"data": "0x01", "input": "0x02"}, "latest"],
        "overrides": [{"to": rich.address}, "latest", {rich.address: {}}],
        "intrinsic": [{"to": rich.address, "gas": "0x1"}, "latest"],
        "funds": [{"from": "0x" + "77" * 20, "to": rich.address, "value": "0x1"}, "latest"],
        "InvalidInstruction": [{"data": "0xfe"}, "latest"],
    }
    for words, params in wrong.items():
        with pytest.raises(RpcError, match=words):
            chain.call("eth_call", params)


def test_contracts_see_the_blocks_before_their_own(chain: DevChain) -> None:
    chain.call("facet_mine", ["0x3"])
    for back, wanted in ((1, "0x2"), (3, "0x0"), (4, None)):
        code = f"4360{back:02x}900340600152" + "60216000f3"  # 0x00 and blockhash(number - back)
        block: Any = chain.call("eth_getBlockByNumber", [wanted, False]) if wanted else {"hash": "0x" + "00" * 32}
        assert chain.call("eth_call", [{"data": "0x" + code}, "latest"]) == "0x00" + block["hash"][2:]


def test_an_estimate_asks_what_the_sender_can_pay(chain: DevChain, rich: SoftwareAccount) -> None:
    poor = SoftwareAccount.generate().address
    chain.call("facet_give", [poor, hex(10**15)])
    asked = {"from": poor, "data": "0x" + KEEPER.hex(), "accessList": [{"address": poor, "storageKeys": []}]}
    assert int(str(chain.call("eth_estimateGas", [{**asked, "gasPrice": hex(10**9)}])), 16) > 70_000
    for more in ({"maxFeePerGas": hex(10**11)}, {"maxFeePerGas": hex(10**9), "value": hex(10**16)}):
        with pytest.raises(RpcError, match=r"intrinsic gas|insufficient funds"):
            chain.call("eth_estimateGas", [{**asked, **more}])
    for wrong in ([7], [{"address": "0x1"}], 7):
        with pytest.raises(RpcError):
            chain.call("eth_estimateGas", [{**asked, "accessList": wrong}])


def test_a_broken_file_is_not_an_answer(chain: DevChain, path: Path, clock: Clock) -> None:
    with sqlite3.connect(path) as file:
        file.execute("DROP TABLE blocks")
    with pytest.raises(Unavailable, match=r"ledger\.store"):
        chain.call("eth_blockNumber")
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA user_version = 77")
    with pytest.raises(Refused, match=r"ledger\.store_version"):
        DevChain(path, clock=clock)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevChain]:
    with DevChain(tmp_path_factory.mktemp("chain") / "c.db", clock=Clock(), playground=True) as made:
        yield made


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=9)
    | st.sampled_from(["latest", "0x1", "0x" + "11" * 20]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["to", "data", "from", "topics", "address", "blockHash", "value"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@settings(max_examples=150)
@given(
    method=st.sampled_from(sorted({**methods.READING, **methods.WRITING, **methods.PLAYING})),
    params=st.lists(_JSON, max_size=4),
)
def test_whatever_is_asked_only_known_errors_come(method: str, params: list[Any], quiet: DevChain) -> None:
    try:
        quiet.call(method, params)
    except SsiError:
        return


@settings(max_examples=150)
@given(raw=st.binary(max_size=200) | st.recursive(st.binary(max_size=33), st.lists, max_leaves=14).map(rlp.encode))
def test_whatever_is_sent_only_known_errors_come(raw: bytes, quiet: DevChain) -> None:
    for kind in (b"", b"\x01", b"\x02"):
        with pytest.raises(RpcError):
            quiet.call("eth_sendRawTransaction", ["0x" + (kind + raw).hex()])
