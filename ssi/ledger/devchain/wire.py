"""Transactions as others send them: what is asked, by whom, and is the form right?

Legacy transactions (EIP-155), and those with a type (EIP-2718): access lists (2930) and dynamic fees (1559).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import rlp

from ssi.errors import Malformed
from ssi.ledger import rlpitems
from ssi.ledger.account import recover
from ssi.ledger.devchain.errors import refused
from ssi.ledger.hexes import keccak, read_data
from ssi.ledger.rlpitems import Item

_MAX_INITCODE: Final = 49_152
_MAX_RAW: Final = 131_072  # as other nodes' pools have it
_MAX_ACCESSES: Final = 15_789  # more do not fit a block's gas (EIP-2930: 1,900 for a slot)
Accesses = tuple[tuple[bytes, tuple[bytes, ...]], ...]


@dataclass(frozen=True)
class Signed:
    """A signed transaction. `to` is empty where a contract is made; fees are wei per gas; `v` as it was sent."""

    raw: bytes
    hash: bytes
    kind: int
    chain_id: int
    nonce: int
    tip: int
    max_fee: int
    gas: int
    to: bytes
    value: int
    data: bytes
    accesses: Accesses
    v: int
    r: int
    s: int
    sender: bytes

    @property
    def parity(self) -> int:
        """Which of the two possible keys signed."""
        return self.v if self.kind else (self.v - 35) % 2

    def price(self, base_fee: int) -> int:
        """What is paid per gas in a block of this base fee."""
        return min(self.max_fee, base_fee + self.tip)


def read(raw: bytes) -> Signed:
    """Take a transaction apart and find who signed it. Raises RpcError (-32000) in the words that nodes use."""
    if not raw or len(raw) > _MAX_RAW:
        raise refused("transaction has no bytes, or too many")
    kind = 0 if raw[0] >= 0xC0 else raw[0]
    if kind not in _LENGTHS:
        raise refused("transaction type not supported")
    try:
        return _typed(raw) if kind else _legacy(raw)
    except (Malformed, ValueError):
        raise refused("the transaction is not the RLP of its type") from None


def fits(to: bytes, data: bytes) -> None:
    """Is the code of a new contract short enough (EIP-3860)? Raises RpcError (-32000)."""
    if not to and len(data) > _MAX_INITCODE:
        raise refused("max initcode size exceeded")


def intrinsic(data: bytes, accesses: Accesses, *, creates: bool) -> int:
    """The gas that is due before anything runs (EIP-2028, 2930), but for what `initcode` says."""
    zeros = data.count(0)
    gas = 21_000 + 4 * zeros + 16 * (len(data) - zeros)
    gas += 2_400 * len(accesses) + 1_900 * sum(len(slots) for _, slots in accesses)
    return gas + (32_000 if creates else 0)


def initcode(data: bytes) -> int:
    """The gas that the code of a new contract costs by its length; the machine takes it by itself (EIP-3860)."""
    return 2 * ((len(data) + 31) // 32)


def least(data: bytes, accesses: Accesses, *, creates: bool) -> int:
    """The gas that a transaction must bring: what is due at once, or the floor for its data (EIP-7623)."""
    zeros = data.count(0)
    floor = 21_000 + 10 * (zeros + 4 * (len(data) - zeros))
    return max(intrinsic(data, accesses, creates=creates) + (initcode(data) if creates else 0), floor)


_LENGTHS: Final = {0: 9, 1: 11, 2: 12}


def _legacy(raw: bytes) -> Signed:
    items = rlpitems.read_list(raw, most=_LENGTHS[0])
    numbers, to, data, (v, r, s) = _fields(items, _LENGTHS[0], numbers=(0, 1, 2, 4), to=3, data=5)
    nonce, price, gas, value = numbers
    if v < 35:
        raise refused("only replay-protected (EIP-155) transactions allowed over RPC")
    chain_id = (v - 35) // 2
    bound = [rlp.encode(_number(chain_id)), b"\x80\x80"]  # EIP-155
    sender = _signer(_list([*(item.raw for item in items[:6]), *bound]), (v - 35) % 2, r, s)
    return Signed(raw, keccak(raw), 0, chain_id, nonce, price, price, gas, to, value, data, (), v, r, s, sender)


def _typed(raw: bytes) -> Signed:
    kind = raw[0]
    items = rlpitems.read_list(raw[1:], most=_LENGTHS[kind])
    own = 1 if kind == 2 else 0  # one more number for the tip
    places = (0, 1, 2, *((3,) if own else ()), 3 + own, 5 + own)
    numbers, to, data, (v, r, s) = _fields(items, _LENGTHS[kind], numbers=places, to=4 + own, data=6 + own)
    chain_id, nonce, tip, *rest = numbers
    max_fee, gas, value = rest if own else (tip, *rest)
    accesses = tuple(_access(one) for one in _items(items[7 + own]))
    if v > 1:
        raise ValueError
    sender = _signer(bytes([kind]) + _list([item.raw for item in items[:-3]]), v, r, s)
    return Signed(
        raw, keccak(raw), kind, chain_id, nonce, tip, max_fee, gas, to, value, data, accesses, v, r, s, sender
    )


def _fields(
    items: Sequence[Item], length: int, *, numbers: Sequence[int], to: int, data: int
) -> tuple[list[int], bytes, bytes, tuple[int, int, int]]:
    if len(items) != length:
        raise ValueError
    place, content = _bytes(items[to]), _bytes(items[data])
    if len(place) not in (0, 20):
        raise ValueError
    fits(place, content)
    v, r, s = (rlpitems.number(_bytes(item)) for item in items[-3:])
    return [rlpitems.number(_bytes(items[at])) for at in numbers], place, content, (v, r, s)


def _access(item: Item) -> tuple[bytes, tuple[bytes, ...]]:
    address, listed = _items(item)
    slots = tuple(_bytes(slot) for slot in _items(listed))
    if len(_bytes(address)) != 20 or any(len(slot) != 32 for slot in slots):
        raise ValueError
    return address.content, slots


def _items(item: Item) -> tuple[Item, ...]:
    if not item.is_list:
        raise ValueError
    return rlpitems.read_list(item.raw, most=_MAX_ACCESSES)


def _bytes(item: Item) -> bytes:
    if item.is_list:
        raise ValueError
    return item.content


def _list(encoded: Sequence[bytes]) -> bytes:
    """A list of items that are encoded already."""
    content = b"".join(encoded)
    return bytes(rlp.codec.length_prefix(len(content), 0xC0)) + content


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _signer(message: bytes, parity: int, r: int, s: int) -> bytes:
    """The address of the key that signed; `s` must be in the lower half (EIP-2)."""
    try:
        return read_data(recover(keccak(message), r, s, parity), 20)
    except Malformed:
        raise refused("invalid transaction v, r, s values") from None
