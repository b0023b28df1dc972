"""What strangers ask of the embedded chain for nothing has a bound: work is counted here, and never timed."""

from __future__ import annotations

import io
import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rlp

from ssi.fetch import Response
from ssi.ledger import registry
from ssi.ledger.account import SoftwareAccount
from ssi.ledger.devchain import CHAIN_ID, DevChain, machine, methods, store
from ssi.ledger.devchain.facade import answer, app, reply
from ssi.ledger.devchain.work import Door, Work
from ssi.ledger.hexes import keccak
from ssi.ledger.rpc import HttpRpc, RpcError
from tests.ledger.raw import dynamic

NOW = 1_795_400_000
CALL_GAS = 300_000
ENDLESS = {"data": "0x5b600060002050600056"}  # hashes nothing, again and again
BUSY = "the request asks for too much work: ask for less at once"


@pytest.fixture(scope="module")
def rich() -> SoftwareAccount:
    return SoftwareAccount.generate()


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory, rich: SoftwareAccount) -> Iterator[DevChain]:
    path = tmp_path_factory.mktemp("chain") / "c.db"
    with DevChain(path, clock=lambda: NOW, faucet=[rich.address], call_gas=CALL_GAS) as made:
        made.call(
            "eth_sendRawTransaction",
            [dynamic(rich, chain_id=CHAIN_ID, nonce=0, data=registry.deploy_data(), gas=2_000_000)],
        )
        yield made


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The gas of each run of the virtual machine."""
    seen: list[int] = []
    own = machine.run

    def counted(read: Any, root: Any, around: Any, transaction: Any, work: Any) -> Any:
        seen.append(transaction.gas)
        return own(read, root, around, transaction, work)

    monkeypatch.setattr(machine, "run", counted)
    return seen


def ask(chain: DevChain, *questions: tuple[str, list[Any]]) -> list[Any]:
    """The answers to a batch: results, or errors as (code, words)."""
    body = [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        for number, (method, params) in enumerate(questions)
    ]
    found = json.loads(answer(chain, json.dumps(body).encode()))
    assert [one["id"] for one in found] == list(range(len(questions)))
    return [one["result"] if "result" in one else (one["error"]["code"], one["error"]["message"]) for one in found]


def alone(chain: DevChain, method: str, *params: Any) -> Any:
    return ask(chain, (method, list(params)))[0]


@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas"])
def test_a_batch_of_endless_calls_runs_a_few(method: str, chain: DevChain, runs: list[int]) -> None:
    found = ask(chain, *[(method, [ENDLESS, "latest"])] * 100)
    assert found == [(-32_000, "out of gas")] * 4 + [(-32_005, BUSY)] * 96
    assert runs == [CALL_GAS] * 4


def test_a_batch_of_ordinary_questions_is_answered(chain: DevChain, rich: SoftwareAccount) -> None:
    found: Any = chain.call("eth_getBlockByNumber", ["0x1", True])
    made: Any = chain.call("eth_getTransactionReceipt", [found["transactions"][0]["hash"]])
    owner = {"to": made["contractAddress"], "data": "0x8733d4e8" + rich.address[2:].rjust(64, "0")}
    assert ask(chain, *[("eth_call", [owner, "latest"])] * 100) == ["0x" + rich.address[2:].rjust(64, "0")] * 100
    whole = ask(chain, *[("eth_getBlockByNumber", ["0x1", True])] * 100)
    assert whole == [found] * 100


def test_who_owns_the_chain_is_not_bounded(chain: DevChain) -> None:
    for _ in range(6):
        with pytest.raises(RpcError, match="out of gas"):
            chain.call("eth_call", [ENDLESS, "latest"])


@pytest.mark.parametrize(
    ("place", "data"),
    [
        (0x09, (200_000).to_bytes(4, "big") + bytes(208) + b"\x01"),  # 200,000 rounds for as much gas
        (0x08, bytes(192) * 6),  # pairings
        (0x0F, bytes(384) * 6),
    ],
    ids=["blake2", "alt_bn128", "bls12-381"],
)
def test_what_takes_longer_than_its_gas_says_is_not_begun(place: int, data: bytes, chain: DevChain) -> None:
    address = place.to_bytes(20, "big").hex()
    assert alone(chain, "eth_call", {"to": "0x" + address, "data": "0x" + data.hex()}, "latest") == (-32_005, BUSY)


@pytest.mark.parametrize(("place", "size"), [(0x08, 192 * 5), (0x0F, 384 * 5)], ids=["alt_bn128", "bls12-381"])
def test_nor_where_a_contract_asks_for_it(place: int, size: int, chain: DevChain) -> None:
    zeros = f"5f5f61{size:04x}5f73{place.to_bytes(20, 'big').hex()}5afa"
    assert alone(chain, "eth_call", {"data": "0x" + zeros}, "latest") == (-32_005, BUSY)


def test_large_input_is_counted(chain: DevChain) -> None:
    again = "5b" + "5f5f620186a05f60995afa50" * 200 + "5f56"  # 100,000 bytes for each call
    assert alone(chain, "eth_call", {"data": "0x" + again}, "latest") == (-32_005, BUSY)


def test_proofs_logs_and_fees_are_counted(chain: DevChain, monkeypatch: Any) -> None:
    slots = ["eth_getProof", ["0x" + "11" * 20, [hex(slot) for slot in range(64)], "latest"]]
    answers = ask(chain, *[tuple(slots)] * 100)  # type: ignore[list-item]  # a pair
    assert sum(isinstance(one, dict) for one in answers) == 4 * CALL_GAS // (1_000 + 65 * 1_000)
    assert set(answers[-80:]) == {(-32_005, BUSY)}
    spent: list[int] = []
    monkeypatch.setattr(Work, "spend", lambda _, units: spent.append(units))
    alone(chain, "eth_feeHistory", "0x400", "latest", [])
    assert sum(spent) == 1_000 + 128 * 100


def test_percentiles_are_few_numbers_that_rise(chain: DevChain, monkeypatch: Any) -> None:
    counted: list[int] = []
    own = methods._paid
    monkeypatch.setattr(methods, "_paid", lambda asked, header: counted.append(header.number) or own(asked, header))
    whole = alone(chain, "eth_feeHistory", "0x2", "latest", list(range(100)))
    assert [len(one) for one in whole["reward"]] == [100, 100]
    assert counted == [0, 1]  # each block is looked at once, however many are asked for
    assert "reward" not in alone(chain, "eth_feeHistory", "0x2", "latest", [])
    for wrong in ([1] * 101, ["50"], [True], [None], [-1], [101], [50, 20]):
        assert alone(chain, "eth_feeHistory", "0x1", "latest", wrong)[0] == -32_602, wrong


def test_addresses_are_not_passed_over(chain: DevChain) -> None:
    many = ["0x" + number.to_bytes(20, "big").hex() for number in range(1_001)]
    assert alone(chain, "eth_getLogs", {"fromBlock": "0x0", "address": many}) == (-32_602, "too many addresses")
    assert alone(chain, "eth_getLogs", {"fromBlock": "0x0", "address": many[1:]}) == []


def test_code_that_is_too_long_is_refused_in_a_call_as_in_a_transaction(chain: DevChain, rich: SoftwareAccount) -> None:
    data = bytes(49_153)
    for method in ("eth_call", "eth_estimateGas"):
        found = alone(chain, method, {"data": "0x" + data.hex()}, "latest")
        assert found == (-32_000, "max initcode size exceeded")
    raw = dynamic(rich, chain_id=CHAIN_ID, nonce=1, data=data, gas=3_000_000)
    assert alone(chain, "eth_sendRawTransaction", raw) == (-32_000, "max initcode size exceeded")


def nested(depth: int) -> bytes:
    """Lists in lists."""
    found = b"\xc0"
    for _ in range(depth):
        found = bytes(rlp.codec.length_prefix(len(found), 0xC0)) + found
    return found


@pytest.mark.parametrize(
    "raw",
    [
        b"\x02" + nested(30_000),
        nested(30_000),
        b"\x02" + rlp.encode([[]] * 100_000),
        b"\x02" + rlp.encode([b"\x01"] * 8 + [[[b"\1" * 20, []]] * 3_000] + [b"", b"\1", b"\1", b"\1"]),
        b"\x02" + rlp.encode([b"\x01"] * 8 + [b"\1" * 20] + [b"", b"\1", b"\1"]),
        b"\x02" + rlp.encode([b"\x01"] * 5 + [[b""] * 20] + [b"", b"", [], b"", b"\1", b"\1"]),
    ],
    ids=["deep", "deep-legacy", "wide", "one-too-many", "no-list", "list-for-bytes"],
)
def test_nested_rlp_is_not_followed(raw: bytes, chain: DevChain, monkeypatch: Any) -> None:
    monkeypatch.setattr(rlp, "decode", None)  # which follows, as deep as it goes
    assert alone(chain, "eth_sendRawTransaction", "0x" + raw.hex()) == (
        -32_000,
        "the transaction is not the RLP of its type",
    )


def test_large_transactions_are_counted_and_bounded(chain: DevChain) -> None:
    sent = ("eth_sendRawTransaction", ["0x02" + "c0" * 100_000])
    assert [code for code, _ in ask(chain, *[sent] * 5)] == [-32_000] * 3 + [-32_005] * 2
    assert alone(chain, "eth_sendRawTransaction", "0x02" + "00" * 131_072)[1].startswith("transaction has no bytes, or")


def test_who_cannot_pay_does_not_keep_writers_waiting(
    tmp_path: Path, rich: SoftwareAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_PATIENCE", 0.0)
    path = tmp_path / "c.db"
    poor = SoftwareAccount.generate()
    with DevChain(path, clock=lambda: NOW, faucet=[rich.address]) as chain, sqlite3.connect(path) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = {
            "insufficient funds": dynamic(poor, chain_id=CHAIN_ID, nonce=0, to=bytes(20), value=1),
            "invalid chain id": dynamic(rich, chain_id=5, nonce=0, to=bytes(20)),
            "the transaction is not the RLP": "0x02c0",
            "intrinsic gas too low": dynamic(rich, chain_id=CHAIN_ID, nonce=0, to=bytes(20), gas=20_999),
        }
        for words, raw in refused.items():
            with pytest.raises(RpcError, match=words):
                chain.call("eth_sendRawTransaction", [raw])
        other.execute("ROLLBACK")
        first, second = (dynamic(rich, chain_id=CHAIN_ID, nonce=nonce, to=bytes(20)) for nonce in range(2))
        with pytest.raises(RpcError, match="nonce too high"):
            chain.call("eth_sendRawTransaction", [second])
        sent = chain.call("eth_sendRawTransaction", [first])
        with pytest.raises(RpcError, match="already known"):
            chain.call("eth_sendRawTransaction", [first])
        assert sent == "0x" + keccak(bytes.fromhex(first[2:])).hex()


def test_few_work_and_few_wait() -> None:
    door = Door(working=1, waiting=1)
    first, second = threading.Event(), threading.Event()
    order: list[str] = []

    def waits() -> None:
        first.set()
        with door.entered() as entered:
            order.append("waited" if entered else "sent away")
            second.set()

    with door.entered() as entered:
        assert entered
        waiting = threading.Thread(target=waits)
        waiting.start()
        first.wait()
        while door._here._value:  # until the other stands at the door
            second.wait(0.001)
        with door.entered() as third:
            assert not third
        order.append("worked")
    waiting.join()
    assert order == ["worked", "waited"]
    with door.entered() as entered:
        assert entered


def test_without_a_place_one_is_told_to_come_again(chain: DevChain, monkeypatch: Any) -> None:
    monkeypatch.setattr(chain, "door", Door(working=1, waiting=0))
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}).encode()

    def post() -> tuple[str, dict[str, str], bytes]:
        seen: list[Any] = []
        asked = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
        start = lambda status, headers: seen.extend([status, dict(headers)])  # noqa: E731  (two lines of a protocol)
        parts = app(chain)({**asked, "wsgi.input": io.BytesIO(body)}, start)
        return seen[0], seen[1], b"".join(parts)

    with chain.door.entered():
        status, headers, found = post()
        assert status.startswith("429")
        assert headers["Retry-After"] == "1"
        assert json.loads(found)["error"]["code"] == -32_005
    assert post()[0] == "200 OK"


def test_our_own_client_comes_again(chain: DevChain, monkeypatch: Any) -> None:
    monkeypatch.setattr(chain, "door", Door(working=1, waiting=0))
    held = chain.door.entered()
    held.__enter__()
    waited: list[float] = []

    class Network:
        """The facade, without a network."""

        def post(self, url: str, *, body: bytes, **_: Any) -> Any:
            found = reply(chain, body)
            return Response(int(found.status[:3]), url, {k.lower(): v for k, v in found.headers}, found.body)

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        held.__exit__(None, None, None)

    network: Any = Network()
    rpc = HttpRpc("https://node.test", fetch=network, sleep=sleep)
    assert rpc.call_many([("eth_chainId", []), ("eth_blockNumber", [])]) == (hex(CHAIN_ID), "0x1")
    assert waited == [1.0]
