"""Proofs of state: what did a contract's storage hold at a block, without trust in the node that says so?

A node answers `eth_getProof` (EIP-1186) with the nodes of Merkle Patricia tries (Yellow Paper, Appendix D) that lead
from a block's state root to an account, and from the account's storage root to a slot. Each must hash to what the one
before names; there must be no more of them and no fewer. So all trust is in the hash of a block's header, which comes
from a checkpoint, from a quorum of nodes, or through headers that lead up to such a block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import rlp

from ssi.encoding import Json
from ssi.errors import Malformed, Refused, Unsupported
from ssi.ledger import hexes, rlpitems
from ssi.ledger.hexes import keccak

MAX_NODE: Final = 1024
"""Bytes of one node of a trie; a full branch has 532."""
MAX_NODES: Final = 66
"""A key of 32 bytes has 64 nibbles."""
MAX_HEADER: Final = 8192
EMPTY_TRIE: Final = keccak(b"\x80")
EMPTY_CODE: Final = keccak(b"")

_BRANCH: Final = 17
_SHORT: Final = 2
_WORD: Final = 32

_FIELDS: Final[tuple[tuple[str, int], ...]] = (
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", 256),
    ("difficulty", 0),
    ("number", 0),
    ("gasLimit", 0),
    ("gasUsed", 0),
    ("timestamp", 0),
    ("extraData", -1),
    ("mixHash", 32),
    ("nonce", 8),
    ("baseFeePerGas", 0),  # London (EIP-1559)
    ("withdrawalsRoot", 32),  # Shanghai (EIP-4895)
    ("blobGasUsed", 0),  # Cancun (EIP-4844)
    ("excessBlobGas", 0),
    ("parentBeaconBlockRoot", 32),  # Cancun (EIP-4788)
    ("requestsHash", 32),  # Prague (EIP-7685)
)
"""A header's fields in their order, and their bytes: 0 for numbers, -1 for any bytes."""
_AT: Final = {name: place for place, (name, _) in enumerate(_FIELDS)}
_ALWAYS: Final = 15
_MOST_FIELDS: Final = 32


@dataclass(frozen=True)
class Header:
    """A block's header, as it is hashed (Yellow Paper §4.4.3); later forks may append fields, which are hashed too."""

    number: int
    parent: bytes
    state_root: bytes
    receipts_root: bytes
    at: int
    raw: bytes = field(repr=False)
    hash: bytes

    @staticmethod
    def from_rlp(raw: bytes) -> Header:
        """Read a header as ledgers hash it. Raises Malformed (`ledger.header`, `ledger.rlp`)."""
        if len(raw) > MAX_HEADER:
            raise Malformed("ledger.header", "The block's header is too large.")
        parts = rlpitems.read_strings(raw, most=_MOST_FIELDS)
        if len(parts) < _ALWAYS or any(
            size > 0 and len(part) != size for part, (_, size) in zip(parts, _FIELDS, strict=False)
        ):
            raise Malformed("ledger.header", "This is not the header of a block.")
        return Header(
            number=rlpitems.number(parts[_AT["number"]]),
            parent=parts[_AT["parentHash"]],
            state_root=parts[_AT["stateRoot"]],
            receipts_root=parts[_AT["receiptsRoot"]],
            at=rlpitems.number(parts[_AT["timestamp"]]),
            raw=raw,
            hash=keccak(raw),
        )

    @staticmethod
    def from_json(block: Mapping[str, Json]) -> Header:
        """Write a node's answer to `eth_getBlockByNumber` as it is hashed; it must have the hash that the node says.

        Raises Malformed (`ledger.header`), Unsupported (`ledger.header`) where other fields than these are hashed.
        """
        last = max((place for place, (name, _) in enumerate(_FIELDS) if block.get(name) is not None), default=0)
        parts = [_field(block.get(name), size) for name, size in _FIELDS[: max(last + 1, _ALWAYS)]]
        header = Header.from_rlp(rlp.encode(parts))
        if header.hash != hexes.read_data(block.get("hash"), _WORD):
            raise Unsupported("ledger.header", "The block's header has fields that are not known here.")
        return header


@dataclass(frozen=True)
class Account:
    """What a ledger's state holds of an account or contract."""

    nonce: int
    balance: int
    storage_root: bytes
    code_hash: bytes


NO_ACCOUNT: Final = Account(0, 0, EMPTY_TRIE, EMPTY_CODE)
"""What has never been used."""


def account_proof(state_root: bytes, address: str, proof: Sequence[bytes]) -> Account:
    """The account at an address (20 bytes in hex), proven; `NO_ACCOUNT` where there is provably none.

    Raises Refused (`ledger.proof`), Malformed (`ledger.address`, `ledger.rlp`).
    """
    raw = bytes.fromhex(hexes.read_address(address)[2:])
    found = walk(state_root, keccak(raw), proof)
    if found is None:
        return NO_ACCOUNT
    parts = rlpitems.read_strings(found, most=4)
    if len(parts) != 4 or len(parts[2]) != _WORD or len(parts[3]) != _WORD:
        raise _broken()
    return Account(rlpitems.number(parts[0]), rlpitems.number(parts[1]), parts[2], parts[3])


def storage_proof(storage_root: bytes, slot: int, proof: Sequence[bytes]) -> int:
    """The value of a slot, proven; 0 where there is provably none. Raises Refused (`ledger.proof`), Malformed."""
    found = walk(storage_root, keccak(slot.to_bytes(_WORD, "big")), proof)
    return 0 if found is None else rlpitems.number(rlpitems.string(found))


def descends(headers: Sequence[Header], last: Header) -> Header:
    """The newest of headers that follow on `last`, each the child of the one before.

    What a block's hash proves, it proves of the blocks before it; so headers lead from an old block up to one that is
    known, and never from a known one to a newer, which anybody could make up. Raises Refused (`ledger.headers`).
    """
    for header in headers:
        if header.parent != last.hash or header.number != last.number + 1:
            raise Refused("ledger.headers", "The headers of the ledger's blocks do not follow on each other.")
        last = header
    return last


def walk(root: bytes, key: bytes, proof: Sequence[bytes]) -> bytes | None:
    """What a trie holds under a key, by the nodes that lead there; None where they prove that it holds nothing.

    Raises Refused (`ledger.proof`) for a missing, foreign or superfluous node, Malformed (`ledger.rlp`).
    """
    if len(proof) > MAX_NODES or any(len(node) > MAX_NODE for node in proof):
        raise _broken()
    if root == EMPTY_TRIE:
        if list(proof) not in ([], [b"\x80"]):
            raise _broken()
        return None
    path, wanted, found = _nibbles(key), root, None
    nodes = iter(proof)
    while wanted:
        node = next(nodes, b"") if len(wanted) == _WORD else wanted  # shorter ones stand inside their parents
        if len(wanted) == _WORD and keccak(node) != wanted:
            raise _broken()
        wanted, path, found = _step(node, path)
    if next(nodes, None) is not None:
        raise _broken()
    return found


def _step(node: bytes, path: tuple[int, ...]) -> tuple[bytes, tuple[int, ...], bytes | None]:
    """From a node down: the node to go on with (b"" for none), the path that is left, and the value at the end."""
    items = rlpitems.read_list(node, most=_BRANCH)
    if len(items) == _BRANCH:
        if not path:
            return b"", (), _value(items[16])
        return _child(items[path[0]]), path[1:], None
    if len(items) != _SHORT or items[0].is_list:
        raise _broken()
    is_leaf, part = _compact(items[0].content)
    if is_leaf:
        return b"", (), _value(items[1]) if part == path else None
    if not part or path[: len(part)] != part:
        if not part:
            raise _broken()
        return b"", (), None
    below = _child(items[1])
    if not below:
        raise _broken()
    return below, path[len(part) :], None


def _child(item: rlpitems.Item) -> bytes:
    """The hash of a child of 32 bytes and more, a smaller child itself, or b"" for none."""
    if item.is_list:
        if len(item.raw) >= _WORD:
            raise _broken()
        return item.raw
    if len(item.content) not in (0, _WORD):
        raise _broken()
    return item.content


def _value(item: rlpitems.Item) -> bytes | None:
    if item.is_list:
        raise _broken()
    return item.content or None


def _compact(data: bytes) -> tuple[bool, tuple[int, ...]]:
    """Hex-prefix encoding: is it a leaf's, and which part of the path (Yellow Paper, Appendix C)?"""
    nibbles = _nibbles(data)
    if not nibbles or nibbles[0] > 3 or (not nibbles[0] & 1 and nibbles[1] != 0):
        raise _broken()
    return nibbles[0] >= 2, nibbles[1 if nibbles[0] & 1 else 2 :]


def _nibbles(data: bytes) -> tuple[int, ...]:
    return tuple(half for byte in data for half in (byte >> 4, byte & 15))


def _field(value: Json, size: int) -> bytes:
    if size:
        return hexes.read_data(value, size if size > 0 else None)
    number = hexes.read_quantity(value)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _broken() -> Refused:
    return Refused("ledger.proof", "What should prove the ledger's state does not prove it.")
