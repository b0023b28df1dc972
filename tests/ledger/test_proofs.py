"""Proofs of state: those of both nodes, of a trie made here, and what forgers make of them; headers of every fork."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.ledger import hexes, proofs, rlpitems
from ssi.ledger.hexes import keccak
from ssi.ledger.proofs import Header
from tests.ledger.nodes import ETHER, Node

# --- the nodes' own ---------------------------------------------------------------------------------------------------


def newest(node: Node) -> Any:
    return node.rpc.call("eth_getBlockByNumber", ["latest", False])


def asked(node: Node, address: str, block: str) -> Any:
    return node.rpc.call("eth_getProof", [address, ["0x" + bytes(32).hex()], block])


def test_headers_of_both_nodes_are_hashed_as_they_say(node: Node) -> None:
    block = newest(node)
    header = Header.from_json(block)
    assert "0x" + header.hash.hex() == block["hash"]
    assert Header.from_rlp(header.raw) == header
    assert header.number == int(block["number"], 16)
    assert header.at == int(block["timestamp"], 16)


def test_headers_of_both_nodes_follow_on_each_other(node: Node) -> None:
    node.mine(3)
    last = int(newest(node)["number"], 16)
    chain = [
        Header.from_json(node.rpc.call("eth_getBlockByNumber", [hex(last - back), False])) for back in (3, 2, 1, 0)
    ]
    assert proofs.descends(chain[1:], chain[0]) == chain[-1]
    assert proofs.descends([], chain[0]) == chain[0]
    for wrong in (chain[2:], [chain[2], chain[1]], [chain[1], chain[1]]):
        with pytest.raises(Refused) as refusal:
            proofs.descends(wrong, chain[0])
        assert refusal.value.code == "ledger.headers"


def test_a_lying_block_is_noticed(node: Node) -> None:
    block = newest(node)
    for name, value in (("stateRoot", "0x" + bytes(32).hex()), ("number", "0x1"), ("hash", "0x" + bytes(32).hex())):
        with pytest.raises(Unsupported):
            Header.from_json({**block, name: value})
    for name in ("parentHash", "stateRoot", "number"):
        with pytest.raises(Malformed):
            Header.from_json({**block, name: None})


def test_accounts_that_are_there_and_that_are_not(node: Node) -> None:
    rich = node.account(wei=3 * ETHER)
    node.mine(1)
    block = newest(node)
    root = Header.from_json(block).state_root
    there = asked(node, rich.address, block["number"])
    nodes = [hexes.read_data(one) for one in there["accountProof"]]
    account = proofs.account_proof(root, rich.address, nodes)
    assert (account.nonce, account.balance) == (0, 3 * ETHER)
    assert (account.storage_root, account.code_hash) == (proofs.EMPTY_TRIE, proofs.EMPTY_CODE)
    nobody = "0x" + secrets.token_bytes(20).hex()
    missing = [hexes.read_data(one) for one in asked(node, nobody, block["number"])["accountProof"]]
    assert proofs.account_proof(root, nobody, missing) == proofs.NO_ACCOUNT
    for wrong in (nodes[:-1], missing, [*nodes, nodes[-1]]):
        with pytest.raises(Refused):
            proofs.account_proof(root, rich.address, wrong)
    for wrong in (missing[:-1], [*missing, nodes[-1]]):
        with pytest.raises(Refused):
            proofs.account_proof(root, nobody, wrong)


# --- tries of our own -------------------------------------------------------------------------------------------------


def made(values: dict[bytes, bytes]) -> HexaryTrie:
    trie = HexaryTrie({})
    for key, value in values.items():
        trie[key] = value
    return trie


def nodes_of(trie: HexaryTrie, key: bytes) -> list[bytes]:
    """What a node would send: those that stand inside others are not sent on their own."""
    found = [rlp.encode(node) for node in trie.get_proof(key)]
    return [one for place, one in enumerate(found) if place == 0 or len(one) >= 32]


KEYS = st.binary(min_size=2, max_size=2)


@given(st.dictionaries(KEYS, st.binary(min_size=1, max_size=40), min_size=1, max_size=30), KEYS)
def test_what_a_trie_holds_and_what_it_does_not(values: dict[bytes, bytes], other: bytes) -> None:
    """Short keys and values, so that small nodes stand inside others."""
    trie = made(values)
    for key in [*values, other]:
        assert proofs.walk(trie.root_hash, key, nodes_of(trie, key)) == values.get(key)


@given(st.dictionaries(KEYS, st.binary(min_size=1, max_size=40), min_size=2, max_size=30), KEYS, st.data())
def test_no_change_to_a_proof_goes_unnoticed(values: dict[bytes, bytes], other: bytes, data: st.DataObject) -> None:
    trie = made(values)
    key = data.draw(st.sampled_from([*values, other]))
    nodes = nodes_of(trie, key)
    place = data.draw(st.integers(0, len(nodes) - 1))
    kind = data.draw(st.sampled_from(["flip", "drop", "repeat", "more", "cut"]))
    if kind == "flip":
        at = data.draw(st.integers(0, len(nodes[place]) - 1))
        bit = data.draw(st.integers(0, 7))
        nodes[place] = nodes[place][:at] + bytes([nodes[place][at] ^ 1 << bit]) + nodes[place][at + 1 :]
    elif kind == "drop":
        nodes.pop(place)
    elif kind == "repeat":
        nodes.insert(place, nodes[place])
    elif kind == "more":
        nodes.append(b"\x80")
    else:
        nodes[place] = nodes[place][:-1]
    with pytest.raises(SsiError):
        proofs.walk(trie.root_hash, key, nodes)


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_random_nodes_under_their_own_root_raise_nothing_else(nodes: list[bytes]) -> None:
    """Even where the first hashes to the root: forgers choose the bytes, not what they mean."""
    root = keccak(nodes[0]) if nodes else bytes(32)
    for key in (b"\x00\x00", keccak(b"x")):
        try:
            proofs.walk(root, key, nodes)
        except SsiError:
            continue


PIECES = st.recursive(
    st.binary(max_size=40),
    lambda inner: st.lists(inner, min_size=2, max_size=2) | st.lists(inner, min_size=17, max_size=17),
    max_leaves=20,
)


@given(PIECES)
def test_well_formed_nonsense_raises_nothing_else(piece: Any) -> None:
    node = rlp.encode(piece)
    for key in (b"\x00\x00", b"\xff\xff"):
        try:
            proofs.walk(keccak(node), key, [node])
        except SsiError:
            continue


def test_an_empty_trie_holds_nothing() -> None:
    assert proofs.storage_proof(proofs.EMPTY_TRIE, 5, []) == 0
    assert proofs.storage_proof(proofs.EMPTY_TRIE, 5, [b"\x80"]) == 0
    for wrong in ([b"\x80", b"\x80"], [b""], [b"\xc0"]):
        with pytest.raises(Refused):
            proofs.storage_proof(proofs.EMPTY_TRIE, 5, wrong)


def test_huge_proofs_are_not_looked_at() -> None:
    trie = made({b"ab": b"x" * 40})
    (node,) = nodes_of(trie, b"ab")
    for wrong in ([node] * 67, [node + bytes(proofs.MAX_NODE)], []):
        with pytest.raises(Refused):
            proofs.walk(trie.root_hash, b"ab", wrong)


def test_a_value_with_leading_zeros_is_no_number() -> None:
    key = keccak((7).to_bytes(32, "big"))
    for value, wanted in ((rlp.encode(b"\x09"), 9), (rlp.encode(b"\x00\x09"), None), (b"\x81\x09", None)):
        trie = made({key: value})
        if wanted is not None:
            assert proofs.storage_proof(trie.root_hash, 7, nodes_of(trie, key)) == wanted
            continue
        with pytest.raises(Malformed):
            proofs.storage_proof(trie.root_hash, 7, nodes_of(trie, key))


# --- headers of every fork --------------------------------------------------------------------------------------------

ZERO = "0x" + bytes(32).hex()
OLD: dict[str, str] = {
    "parentHash": ZERO,
    "sha3Uncles": ZERO,
    "miner": "0x" + bytes(20).hex(),
    "stateRoot": ZERO,
    "transactionsRoot": ZERO,
    "receiptsRoot": ZERO,
    "logsBloom": "0x" + bytes(256).hex(),
    "difficulty": "0x0",
    "number": "0x10",
    "gasLimit": "0x1",
    "gasUsed": "0x0",
    "timestamp": "0x5",
    "extraData": "0x",
    "mixHash": ZERO,
    "nonce": "0x" + bytes(8).hex(),
}
LATER = (
    {"baseFeePerGas": "0x7"},
    {"withdrawalsRoot": ZERO},
    {"blobGasUsed": "0x0", "excessBlobGas": "0x0", "parentBeaconBlockRoot": ZERO},
    {"requestsHash": ZERO},
)


@pytest.mark.parametrize("forks", range(5))
def test_a_header_has_the_fields_of_its_fork(forks: int) -> None:
    block: dict[str, Any] = dict(OLD)
    for more in LATER[:forks]:
        block |= more
    raw = rlp.encode([_bytes(value) for value in block.values()])
    header = Header.from_json({**block, "hash": "0x" + keccak(raw).hex(), "size": "0x5", "uncles": []})
    assert (header.raw, header.number, header.at) == (raw, 16, 5)
    assert len(rlpitems.read_strings(raw, most=32)) == (15, 16, 17, 20, 21)[forks]
    later = rlp.encode([*(_bytes(value) for value in block.values()), bytes(32)])
    assert replace(Header.from_rlp(later), raw=raw, hash=header.hash) == header  # of a fork that is still to come


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xc0",
        b"\x80",
        rlp.encode([b""] * 15),
        rlp.encode([b""] * 33),
        rlp.encode([bytes(32)] * 14),
        b"\xf8\x01" + bytes(8),
        b"\xf8",
        b"\xb9\x00\x01a",
        b"\xc1" * proofs.MAX_HEADER * 2,
        b"\xc2\x81\x01",
        b"\xc3\xc2\xc1\xc0",
    ],
)
def test_other_bytes_are_no_header(raw: bytes) -> None:
    with pytest.raises(Malformed):
        Header.from_rlp(raw)


@given(st.binary(max_size=120))
def test_lists_are_read_as_strictly_as_they_are_written(data: bytes) -> None:
    try:
        items = rlpitems.read_list(data, most=40)
    except Malformed:
        return
    head = data[: len(data) - sum(len(item.raw) for item in items)]
    assert head + b"".join(item.raw for item in items) == data
    if all(not item.is_list for item in items):
        assert rlp.encode([item.content for item in items]) == data


def _bytes(value: str) -> bytes:
    if (len(value) % 2 == 0 and len(value) != 4) or value == "0x":
        return bytes.fromhex(value[2:])
    number = int(value, 16)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
