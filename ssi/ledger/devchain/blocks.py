"""Blocks and receipts of the development chain, in the forms that are hashed (RLP; Prague's header of 21 fields)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

import rlp
from trie.hexary import HexaryTrie

from ssi.ledger.devchain.errors import damaged
from ssi.ledger.hexes import keccak

GAS_LIMIT: Final = 30_000_000
FIRST_BASE_FEE: Final = 10**9
NO_TRIE: Final = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
NO_UNCLES: Final = bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")
NO_REQUESTS: Final = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
_NUMBERS: Final = frozenset({7, 8, 9, 10, 11, 15, 17, 18})
_ELASTICITY, _DENOMINATOR = 2, 8
Log = tuple[bytes, Sequence[bytes], bytes]


@dataclass(frozen=True)
class Header:
    """A block's header. The order of the fields is that of the RLP list (EIP-1559, 4895, 4844, 4788, 7685)."""

    parent: bytes
    uncles: bytes
    coinbase: bytes
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    bloom: bytes
    difficulty: int
    number: int
    gas_limit: int
    gas_used: int
    at: int
    extra: bytes
    mix: bytes
    nonce: bytes
    base_fee: int
    withdrawals_root: bytes
    blob_gas_used: int
    excess_blob_gas: int
    beacon_root: bytes
    requests_hash: bytes

    @classmethod
    def read(cls, encoded: bytes) -> Header:
        """The header that was kept."""
        items: list[bytes] = rlp.decode(encoded)
        values: list[Any] = [
            int.from_bytes(item, "big") if place in _NUMBERS else item for place, item in enumerate(items)
        ]
        return cls(*values)

    def encoded(self) -> bytes:
        """The RLP whose Keccak-256 is the block's hash."""
        return _encode([_number(item) if isinstance(item, int) else item for item in astuple(self)])

    def hash(self) -> bytes:
        """The block's hash."""
        return keccak(self.encoded())

    def next_base_fee(self) -> int:
        """What gas costs at least in the next block, in wei (EIP-1559)."""
        target = self.gas_limit // _ELASTICITY
        delta = self.base_fee * abs(self.gas_used - target) // target // _DENOMINATOR
        return self.base_fee + max(delta, 1) if self.gas_used > target else self.base_fee - delta


@dataclass(frozen=True)
class Withdrawal:
    """Money that comes from outside the chain (EIP-4895); only tests give any."""

    index: int
    validator: int
    address: bytes
    gwei: int


def after(
    parent: Header | None,
    *,
    state_root: bytes,
    at: int,
    extra: bytes = b"",
    withdrawals: Sequence[Withdrawal] = (),
) -> Header:
    """An empty block on top of `parent`, or the first one. Its time is never before its parent's, and may be equal."""
    return Header(
        parent=bytes(32) if parent is None else parent.hash(),
        uncles=NO_UNCLES,
        coinbase=bytes(20),
        state_root=state_root,
        transactions_root=NO_TRIE,
        receipts_root=NO_TRIE,
        bloom=bytes(256),
        difficulty=0,
        number=0 if parent is None else parent.number + 1,
        gas_limit=GAS_LIMIT,
        gas_used=0,
        at=at if parent is None else max(at, parent.at),
        extra=extra,
        mix=bytes(32) if parent is None else keccak(parent.hash()),
        nonce=bytes(8),
        base_fee=FIRST_BASE_FEE if parent is None else parent.next_base_fee(),
        withdrawals_root=root([_encode(fields(one)) for one in withdrawals]),
        blob_gas_used=0,
        excess_blob_gas=0,
        beacon_root=bytes(32),
        requests_hash=NO_REQUESTS,
    )


def fields(withdrawal: Withdrawal) -> list[bytes]:
    """A withdrawal as the list that is encoded."""
    return [item if isinstance(item, bytes) else _number(item) for item in astuple(withdrawal)]


def write_withdrawals(withdrawals: Sequence[Withdrawal]) -> bytes:
    """A block's withdrawals as RLP."""
    return _encode([fields(one) for one in withdrawals])


def read_withdrawals(encoded: bytes) -> tuple[Withdrawal, ...]:
    """The withdrawals that were kept. Raises Unavailable (`ledger.store`)."""
    found = []
    try:
        for index, validator, address, gwei in rlp.decode(encoded):
            numbers = [int.from_bytes(item, "big") for item in (index, validator, gwei)]
            found.append(Withdrawal(numbers[0], numbers[1], address, numbers[2]))
    except (rlp.exceptions.RLPException, ValueError, TypeError):
        raise damaged() from None
    return tuple(found)


def size(header: bytes, transactions: Sequence[bytes], withdrawals: bytes) -> int:
    """How many bytes the whole block has as RLP."""
    listed = [rlp.decode(raw) if raw[0] >= 0xC0 else raw for raw in transactions]
    return len(_encode([rlp.decode(header), listed, [], rlp.decode(withdrawals)]))


def root(items: Sequence[bytes]) -> bytes:
    """The root of the trie that holds these items under their positions (transactions, receipts, withdrawals)."""
    if not items:
        return NO_TRIE
    trie = HexaryTrie({})
    for position, item in enumerate(items):
        trie[rlp.encode(position)] = item
    return bytes(trie.root_hash)


def receipt(kind: int, *, ok: bool, gas: int, bloom: bytes, logs: Sequence[Log]) -> bytes:
    """A receipt as the receipts' trie holds it (EIP-658, EIP-2718); `gas` is that of the block up to here."""
    listed = [[address, list(topics), data] for address, topics, data in logs]
    body = _encode([_number(int(ok)), _number(gas), bloom, listed])
    return bytes([kind]) + body if kind else body


def bloom_of(logs: Sequence[Log]) -> bytes:
    """Which addresses and topics may occur in these logs (2,048 bits; Yellow Paper §4.3.1)."""
    bits = 0
    for address, topics, _ in logs:
        for item in (address, *topics):
            digest = keccak(item)
            for place in (0, 2, 4):
                bits |= 1 << (int.from_bytes(digest[place : place + 2], "big") & 2047)
    return bits.to_bytes(256, "big")


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _encode(item: Any) -> bytes:
    return bytes(rlp.encode(item))
