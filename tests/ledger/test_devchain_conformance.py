"""The embedded chain and the real node answer the same questions alike; whatever one hashes, anybody can re-hash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import rlp
from trie import HexaryTrie

from ssi.ledger.hexes import keccak
from ssi.ledger.rpc import RpcError
from tests.ledger.keeping import Scene
from tests.ledger.nodes import Node
from tests.ledger.raw import KEEPER, TOLD, dynamic, number_bytes, word

_HEADER = tuple(
    "parentHash sha3Uncles miner stateRoot transactionsRoot receiptsRoot logsBloom difficulty number gasLimit gasUsed "  # noqa: SIM905  (twenty-one names of EIPs in their order)
    "timestamp extraData mixHash nonce baseFeePerGas withdrawalsRoot blobGasUsed excessBlobGas parentBeaconBlockRoot "
    "requestsHash".split()
)
_NUMBERS = frozenset(_HEADER[7:12]) | {"baseFeePerGas", "blobGasUsed", "excessBlobGas"}


@pytest.fixture
def scene(node: Node) -> Scene:
    return Scene.of(node)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _item(name: str, value: str) -> bytes:
    return number_bytes(int(value, 16)) if name in _NUMBERS else _bytes(value)


def _trie_root(items: list[bytes]) -> bytes:
    trie = HexaryTrie({})
    for place, item in enumerate(items):
        trie[rlp.encode(place)] = item
    return bytes(trie.root_hash)


def _receipt(receipt: Mapping[str, Any]) -> bytes:
    logs = [
        [_bytes(log["address"]), [_bytes(t) for t in log["topics"]], _bytes(log["data"])] for log in receipt["logs"]
    ]
    gas = number_bytes(int(receipt["cumulativeGasUsed"], 16))
    body = rlp.encode([number_bytes(int(receipt["status"], 16)), gas, _bytes(receipt["logsBloom"]), logs])
    kind = int(receipt["type"], 16)
    return bytes([kind]) + body if kind else body


def test_a_blocks_header_hashes_to_its_hash(scene: Scene) -> None:
    receipt = scene.keep(1, 2)
    block = scene.ask("eth_getBlockByHash", receipt["blockHash"], False)
    header = rlp.encode([_item(name, block[name]) for name in _HEADER])
    assert "0x" + keccak(header).hex() == block["hash"] == receipt["blockHash"]
    by_number = scene.ask("eth_getBlockByNumber", receipt["blockNumber"], False)
    assert by_number == block
    assert block["transactions"] == [receipt["transactionHash"]]


def test_the_roots_of_a_block_can_be_computed_again(scene: Scene) -> None:
    keeper, kinds = _bytes(scene.keeper), []
    for receipt in (
        scene.keep(1, 2),
        scene.send_legacy(to=keeper, data=word(1) + word(3)),
        scene.send_listed(to=keeper, data=word(1) + word(4), accesses=[[keeper, [word(1)]]]),
    ):
        kinds.append(receipt["type"])
        block = scene.ask("eth_getBlockByHash", receipt["blockHash"], True)
        receipts = scene.ask("eth_getBlockReceipts", receipt["blockNumber"])
        assert [one["transactionHash"] for one in receipts] == [receipt["transactionHash"]]
        assert _trie_root([_receipt(one) for one in receipts]).hex() == block["receiptsRoot"][2:]
        assert receipts == [receipt]
        (sent,) = block["transactions"]
        assert sent == scene.ask("eth_getTransactionByHash", receipt["transactionHash"])
        assert (sent["type"], sent["from"]) == (receipt["type"], receipt["from"])
    assert kinds == ["0x2", "0x0", "0x1"]
    assert sent["accessList"] == [{"address": scene.keeper, "storageKeys": [_hex(word(1))]}]


def test_what_a_receipt_says(scene: Scene) -> None:
    receipt = scene.keep(5, 7)
    assert (receipt["status"], receipt["type"], receipt["transactionIndex"]) == ("0x1", "0x2", "0x0")
    assert receipt["from"] == scene.account.address.lower()
    assert (receipt["to"], receipt["contractAddress"]) == (scene.keeper, None)
    (log,) = receipt["logs"]
    assert log["address"] == scene.keeper
    assert [_bytes(topic) for topic in log["topics"]] == [TOLD, word(5)]
    assert _bytes(log["data"]) == word(7)
    assert (log["logIndex"], log["removed"]) == ("0x0", False)
    assert log["blockHash"] == receipt["blockHash"]
    assert log["transactionHash"] == receipt["transactionHash"]
    base = int(scene.ask("eth_getBlockByHash", receipt["blockHash"], False)["baseFeePerGas"], 16)
    assert int(receipt["effectiveGasPrice"], 16) == base + 1
    failed = scene.send(to=_bytes(scene.keeper))
    assert (failed["status"], failed["logs"]) == ("0x0", [])


def test_both_nodes_give_answers_of_one_shape(embedded_node: Node, anvil_node: Node) -> None:
    shapes = []
    for node in (embedded_node, anvil_node):
        scene = Scene.of(node)
        receipt = scene.keep(1, 2)
        old = scene.send_legacy(to=_bytes(scene.keeper), data=word(1) + word(3))
        created = scene.ask("eth_getTransactionByHash", receipt["transactionHash"])
        before = scene.ask("eth_getTransactionByHash", old["transactionHash"])
        block = scene.ask("eth_getBlockByHash", receipt["blockHash"], True)
        proof = scene.ask("eth_getProof", scene.keeper, [_hex(word(1)), _hex(word(2))], receipt["blockNumber"])
        logs = scene.ask("eth_getLogs", {"address": scene.keeper, "fromBlock": "0x0"})
        fees = scene.ask("eth_feeHistory", "0x2", "latest", [50.0])
        shapes.append(
            [
                _shape(one)
                for one in (
                    receipt,
                    receipt["logs"][0],
                    created,
                    before,
                    block,
                    proof,
                    proof["storageProof"][0],
                    logs[0],
                )
            ]
        )
        assert created == block["transactions"][0]
        assert len(fees["baseFeePerGas"]) == 3
        assert len(fees["reward"]) == 2
    for ours, theirs in zip(*shapes, strict=True):
        assert ours == theirs


def _shape(answer: Mapping[str, Any]) -> set[str]:
    """The members and their types, but for those that only one node has."""
    return {
        f"{name} {type(value).__name__}"
        for name, value in answer.items()
        if name not in ("blobGasPrice", "blockTimestamp")
    }


def test_the_same_work_costs_the_same_gas(embedded_node: Node, anvil_node: Node) -> None:
    costs = []
    for node in (embedded_node, anvil_node):
        scene = Scene.of(node)
        done = [scene.keep(1, 2), scene.keep(1, 3), scene.keep(1, 0), scene.keep(2, 2**255), scene.keep(1, 1)]
        failed = scene.send(to=_bytes(scene.keeper))
        plain = scene.send(to=bytes(19) + b"\x77", value=1)
        told = scene.send(to=bytes(19) + b"\x77", data=bytes(100) + b"\x01" * 100)
        short = scene.send(to=_bytes(scene.keeper), data=word(8) + word(9), gas=30_000)
        listed = scene.send(
            to=_bytes(scene.keeper), data=word(8) + word(9), accesses=[[_bytes(scene.keeper), [word(8)]]]
        )
        made = scene.send(data=KEEPER)
        costs.append([one["gasUsed"] for one in (*done, failed, plain, told, short, listed, made)])
    assert costs[0] == costs[1]


def test_an_account_and_its_slots_are_proved(scene: Scene) -> None:
    for slot in range(12):
        scene.keep(slot, slot + 1)
    receipt = scene.keep(3, 0)
    block = scene.ask("eth_getBlockByHash", receipt["blockHash"], False)
    found = scene.ask("eth_getProof", scene.keeper, [_hex(word(slot)) for slot in (0, 3, 7, 99)], block["number"])
    account = rlp.decode(_proved(_bytes(block["stateRoot"]), _bytes(scene.keeper), found["accountProof"]))
    assert account[2] == _bytes(found["storageHash"])
    assert account[3] == _bytes(found["codeHash"]) == keccak(_bytes(scene.ask("eth_getCode", scene.keeper, "latest")))
    assert [one["value"] for one in found["storageProof"]] == ["0x1", "0x0", "0x8", "0x0"]
    for slot, one in zip((0, 3, 7, 99), found["storageProof"], strict=True):
        kept = _proved(account[2], word(slot), one["proof"])
        assert int.from_bytes(rlp.decode(kept) if kept else b"", "big") == int(one["value"], 16)
        assert int(one["key"], 16) == slot
    assert _proved(_bytes(block["stateRoot"]), b"\x01" * 20, _absent(scene, block["number"])) == b""


def _absent(scene: Scene, number: str) -> list[str]:
    found: list[str] = scene.ask("eth_getProof", "0x" + "01" * 20, [], number)["accountProof"]
    return found


def _proved(root: bytes, key: bytes, nodes: list[str]) -> bytes:
    listed = [rlp.decode(_bytes(node)) for node in nodes]
    return bytes(HexaryTrie.get_from_proof(root, keccak(key), listed))


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def test_logs_are_found_by_address_and_topics(scene: Scene) -> None:
    receipts = [scene.keep(slot, 1) for slot in (1, 2, 1, 3)]
    other = Scene.of(scene.node)
    other.keep(1, 1)
    first, last = receipts[0]["blockNumber"], receipts[-1]["blockNumber"]
    everywhere = {"address": scene.keeper, "fromBlock": "0x0", "toBlock": "latest"}
    told, one, two = _hex(TOLD), _hex(word(1)), _hex(word(2))

    def found(**wanted: Any) -> list[int]:
        logs = scene.ask("eth_getLogs", {**everywhere, **wanted})
        assert [log["blockNumber"] for log in logs] == sorted((log["blockNumber"] for log in logs), key=_number)
        return [int(log["topics"][1], 16) for log in logs]

    assert found() == [1, 2, 1, 3]
    assert found(topics=[]) == found(topics=[None]) == found(topics=[told]) == [1, 2, 1, 3]
    assert found(topics=[None, one]) == found(topics=[told, [one]]) == [1, 1]
    assert found(topics=[[told, one], [one, two]]) == [1, 2, 1]
    assert found(topics=[one]) == []
    assert found(fromBlock=receipts[1]["blockNumber"], toBlock=receipts[2]["blockNumber"]) == [2, 1]
    assert found(address=[scene.keeper, other.keeper], fromBlock=first, topics=[None, one]) == [1, 1, 1]
    assert found(address=[], fromBlock=first, toBlock=last) == [1, 2, 1, 3]
    in_block = {"blockHash": receipts[3]["blockHash"], "address": scene.keeper}
    assert [log["topics"][1] for log in scene.ask("eth_getLogs", in_block)] == [_hex(word(3))]
    assert scene.ask("eth_getLogs", in_block) == receipts[3]["logs"]


def _number(text: str) -> int:
    return int(text, 16)


def test_calls_read_the_present_and_the_past(scene: Scene) -> None:
    before, after = scene.keep(1, 10), scene.keep(1, 20)
    asked = {"to": scene.keeper, "data": _hex(word(1))}
    assert scene.ask("eth_call", asked, "latest") == _hex(word(20))
    assert scene.ask("eth_call", asked, before["blockNumber"]) == _hex(word(10))
    assert scene.ask("eth_call", asked, {"blockHash": after["blockHash"]}) == _hex(word(20))
    assert scene.ask("eth_getStorageAt", scene.keeper, "0x1", before["blockNumber"]) == _hex(word(10))
    nonce = scene.ask("eth_getTransactionCount", scene.account.address, before["blockNumber"])
    assert int(nonce, 16) == scene.nonce - 1
    assert int(scene.ask("eth_getTransactionCount", scene.account.address, "pending"), 16) == scene.nonce
    assert scene.ask("eth_getCode", scene.account.address, "latest") == "0x"


@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas"])
def test_a_refusal_carries_what_the_contract_said(method: str, scene: Scene) -> None:
    with pytest.raises(RpcError) as refusal:
        scene.ask(method, {"from": scene.account.address, "to": scene.keeper}, "latest")
    assert refusal.value.rpc_code == 3
    assert refusal.value.data == "0x08c379a0" + _hex(word(32) + word(2) + b"no".ljust(32, b"\0"))[2:]
    assert "execution reverted" in str(refusal.value)


@pytest.mark.parametrize("work", ["first", "again", "clear", "make", "give", "data"])
def test_an_estimate_is_enough_and_not_much_more(work: str, scene: Scene) -> None:
    scene.keep(7, 7)
    keeper = _bytes(scene.keeper)
    fields: dict[str, Any] = {
        "first": {"to": keeper, "data": word(1) + word(1)},
        "again": {"to": keeper, "data": word(7) + word(8)},
        "clear": {"to": keeper, "data": word(7) + word(0)},
        "make": {"data": KEEPER},
        "give": {"to": bytes(19) + b"\x55", "value": 5},
        "data": {"to": bytes(19) + b"\x55", "data": b"\x01" * 300},
    }[work]
    asked = {"from": scene.account.address, **{name: _json(value) for name, value in fields.items()}}
    estimated = int(scene.ask("eth_estimateGas", asked), 16)
    receipt = scene.send(**fields, gas=estimated)
    assert receipt["status"] == "0x1"
    used = int(receipt["gasUsed"], 16)
    assert used <= estimated
    if work != "clear":  # what is cleared is paid back only at the end
        assert estimated <= used * 1.03 + 100


def _json(value: Any) -> str:
    return hex(value) if isinstance(value, int) else _hex(value)


def test_wrong_transactions_are_refused_in_words_that_clients_know(scene: Scene) -> None:
    chain, poor = scene.node.chain_id, scene.node.account(wei=0)
    kept = dynamic(scene.account, chain_id=chain, nonce=scene.nonce, to=bytes(20))
    scene.ask("eth_sendRawTransaction", kept)
    scene.nonce += 1
    wrong = {
        "nonce too low": dynamic(scene.account, chain_id=chain, nonce=scene.nonce - 1, to=bytes(20), value=2),
        "insufficient funds": dynamic(poor, chain_id=chain, nonce=0, to=bytes(20)),
        "intrinsic gas too low": dynamic(scene.account, chain_id=chain, nonce=scene.nonce, to=bytes(20), gas=20_000),
        "chain id": dynamic(scene.account, chain_id=chain + 1, nonce=scene.nonce, to=bytes(20)),
        "max fee per gas less than block base fee": dynamic(
            scene.account, chain_id=chain, nonce=scene.nonce, to=bytes(20), max_fee=1, tip=0
        ),
    }
    for words, raw in wrong.items():
        with pytest.raises(RpcError, match=f"(?i){words}"):
            scene.ask("eth_sendRawTransaction", raw)
    with pytest.raises(RpcError):
        scene.ask("eth_sendRawTransaction", kept)
    assert int(scene.ask("eth_getTransactionCount", scene.account.address, "latest"), 16) == scene.nonce


def test_what_is_not_there_is_null(scene: Scene) -> None:
    nowhere = "0x" + "12" * 32
    assert scene.ask("eth_getBlockByHash", nowhere, False) is None
    assert scene.ask("eth_getBlockByNumber", "0xffffff", False) is None
    assert scene.ask("eth_getTransactionByHash", nowhere) is None
    assert scene.ask("eth_getTransactionReceipt", nowhere) is None
    with pytest.raises(RpcError):
        scene.ask("eth_noSuchMethod")


def test_a_reorganisation_takes_back_what_was_written(own_node: Node) -> None:
    assert own_node.reorg is not None
    scene = Scene.of(own_node)
    first, second = scene.keep(1, 1), scene.keep(1, 2)
    own_node.reorg(1)
    assert scene.ask("eth_blockNumber") == second["blockNumber"]
    replaced = scene.ask("eth_getBlockByNumber", second["blockNumber"], False)
    assert replaced["hash"] != second["blockHash"]
    assert replaced["parentHash"] == first["blockHash"]
    assert scene.ask("eth_getTransactionReceipt", second["transactionHash"]) is None
    assert scene.ask("eth_call", {"to": scene.keeper, "data": _hex(word(1))}, "latest") == _hex(word(1))
    scene.nonce -= 1
    assert scene.keep(1, 2)["status"] == "0x1"
