"""Transactions written by hand, and a contract in bytes: what the nodes' own tests send.

The contract keeps words: 64 bytes of call data are (slot, word), kept and told in a log with the topics 0xaa and the
slot; 32 bytes are a slot, whose word it answers; none at all make it revert with the reason "no".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rlp

from ssi.ledger.hexes import keccak

_RUNTIME = bytes.fromhex(
    "368015603157602014602457"  # size 0: revert; size 32: answer
    "60203560003555"  # keep
    "602035600052600035"  # the word into memory; the slot as second topic
    "60aa60206000a200"  # tell
    "5b6000355460005260206000f3"  # answer
    "5b6308c379a060e01b600052602060045260026024"
    "52616e6f60f01b60445260646000fd"  # revert
)
KEEPER = bytes.fromhex(f"60{len(_RUNTIME):02x}80600b6000396000f3") + _RUNTIME
TOLD = (0xAA).to_bytes(32, "big")


def word(number: int) -> bytes:
    """32 bytes."""
    return number.to_bytes(32, "big")


def number_bytes(value: int) -> bytes:
    """A number as RLP wants it."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def dynamic(
    account: Any,
    *,
    chain_id: int,
    nonce: int,
    to: bytes = b"",
    value: int = 0,
    data: bytes = b"",
    gas: int = 200_000,
    max_fee: int = 3 * 10**9,
    tip: int = 1,
    accesses: Sequence[Any] = (),
) -> str:
    """A signed transaction with dynamic fees (EIP-1559), as hex."""
    n = number_bytes
    fields = [n(chain_id), n(nonce), n(tip), n(max_fee), n(gas), to, n(value), data, list(accesses)]
    r, s, parity = account.sign_digest(keccak(b"\x02" + rlp.encode(fields)))
    return "0x02" + rlp.encode([*fields, n(parity), n(r), n(s)]).hex()


def legacy(
    account: Any,
    *,
    chain_id: int | None,
    nonce: int,
    to: bytes = b"",
    value: int = 0,
    data: bytes = b"",
    gas: int = 200_000,
    price: int = 3 * 10**9,
) -> str:
    """A signed transaction of the old kind, as hex; bound to a chain by EIP-155 unless `chain_id` is None."""
    n = number_bytes
    fields = [n(nonce), n(price), n(gas), to, n(value), data]
    bound = [] if chain_id is None else [n(chain_id), b"", b""]
    r, s, parity = account.sign_digest(keccak(rlp.encode([*fields, *bound])))
    v = 27 + parity if chain_id is None else 35 + 2 * chain_id + parity
    return "0x" + rlp.encode([*fields, n(v), n(r), n(s)]).hex()


def listed(
    account: Any, *, chain_id: int, nonce: int, to: bytes, data: bytes, accesses: Sequence[Any], gas: int = 200_000
) -> str:
    """A signed transaction with an access list and a price of the old kind (EIP-2930), as hex."""
    n = number_bytes
    fields = [n(chain_id), n(nonce), n(3 * 10**9), n(gas), to, b"", data, list(accesses)]
    r, s, parity = account.sign_digest(keccak(b"\x01" + rlp.encode(fields)))
    return "0x01" + rlp.encode([*fields, n(parity), n(r), n(s)]).hex()
