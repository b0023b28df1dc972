"""Transactions: what is signed, and the bytes that are sent (EIP-1559, and the older form bound by EIP-155)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import rlp

from ssi.errors import Refused
from ssi.ledger.account import LedgerSigner, recover
from ssi.ledger.hexes import keccak

_DYNAMIC: Final = b"\x02"


@dataclass(frozen=True)
class Transaction:
    """A transaction of type 2 (EIP-1559). Amounts in wei; `to` is None where a contract is created."""

    nonce: int
    to: str | None
    data: bytes = field(repr=False)
    gas: int
    max_fee_per_gas: int
    max_priority_fee_per_gas: int
    value: int = 0


@dataclass(frozen=True)
class LegacyTransaction:
    """A transaction of the older kind, for chains without a base fee; always bound to its chain (EIP-155)."""

    nonce: int
    to: str | None
    data: bytes = field(repr=False)
    gas: int
    gas_price: int
    value: int = 0


@dataclass(frozen=True)
class Signed:
    """A transaction ready to be sent: its bytes, and the hash by which the chain knows it."""

    raw: bytes = field(repr=False)
    hash: bytes


def sign(transaction: Transaction | LegacyTransaction, signer: LedgerSigner, chain_id: int) -> Signed:
    """Sign for one chain. Raises Refused (`ledger.signer`) when the handle signs for another account than it says."""
    if isinstance(transaction, Transaction):
        fields = _dynamic(transaction, chain_id)
        digest = keccak(_DYNAMIC + rlp.encode(fields))
        r, s, parity = _signed(digest, signer)
        raw = _DYNAMIC + rlp.encode([*fields, _number(parity), _number(r), _number(s)])
        return Signed(raw, keccak(raw))
    old = _legacy(transaction)
    r, s, parity = _signed(keccak(rlp.encode([*old, _number(chain_id), b"", b""])), signer)
    raw = rlp.encode([*old, _number(35 + 2 * chain_id + parity), _number(r), _number(s)])
    return Signed(raw, keccak(raw))


def _signed(digest: bytes, signer: LedgerSigner) -> tuple[int, int, int]:
    r, s, parity = signer.sign_digest(digest)
    if recover(digest, r, s, parity) != signer.address.lower():
        raise Refused("ledger.signer", "The key signs for another account than the one it was taken for.")
    return r, s, parity


def _dynamic(one: Transaction, chain_id: int) -> list[object]:
    """The signed fields in EIP-1559's order; the access list is empty."""
    fees = [_number(one.max_priority_fee_per_gas), _number(one.max_fee_per_gas), _number(one.gas)]
    return [_number(chain_id), _number(one.nonce), *fees, _place(one.to), _number(one.value), one.data, []]


def _legacy(one: LegacyTransaction) -> list[bytes]:
    return [_number(one.nonce), _number(one.gas_price), _number(one.gas), _place(one.to), _number(one.value), one.data]


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _place(to: str | None) -> bytes:
    return b"" if to is None else bytes.fromhex(to[2:])
