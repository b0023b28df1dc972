"""Numbers, bytes and addresses as ledgers write them: hexadecimal text, and Keccak-256 for short names.

Quantities and data are those of the Ethereum JSON-RPC specification; checksummed addresses those of EIP-55.
"""

from __future__ import annotations

import re
from typing import Final

import rlp
from eth_hash.auto import keccak as _keccak

from ssi.encoding import Json
from ssi.errors import Malformed

_QUANTITY: Final = re.compile(r"0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,63})")
_DATA: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_UPPER_FROM: Final = 8  # EIP-55: a letter is upper case where the hash's digit is 8 or more
_KEY_SIZE: Final = 64
_MOST: Final = 2**63 - 1
"""The bound of EIP-1985 for gas, for numbers of blocks and for seconds, and what the house's files can hold."""


def keccak(data: bytes) -> bytes:
    """Keccak-256 (32 bytes), which is not SHA3-256.

    >>> keccak(b"").hex()[:16]
    'c5d2460186f7233c'
    """
    return bytes(_keccak(data))


def quantity(number: int) -> str:
    """A number without leading zeros.

    >>> quantity(0), quantity(1024)
    ('0x0', '0x400')
    """
    if number < 0:
        raise Malformed("ledger.hex", "A ledger's numbers are not negative.")
    return hex(number)


def data(content: bytes) -> str:
    r"""Bytes, two digits each.

    >>> data(b"\x00\x0f"), data(b"")
    ('0x000f', '0x')
    """
    return "0x" + content.hex()


def read_quantity(value: Json) -> int:
    """A number below 2**256. Raises Malformed (`ledger.hex`), for leading zeros too."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise Malformed("ledger.hex", "A number of the ledger is not written as its protocol says.")
    return int(value, 16)


def read_count(value: Json) -> int:
    """A number of blocks, transactions, seconds or gas: one below 2**63. Raises Malformed (`ledger.hex`)."""
    found = read_quantity(value)
    if found > _MOST:
        raise Malformed("ledger.hex", "A number of the ledger is larger than it can be.")
    return found


def read_data(value: Json, size: int | None = None) -> bytes:
    """Bytes, exactly `size` of them if that is given. Raises Malformed (`ledger.hex`)."""
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise Malformed("ledger.hex", "Bytes of the ledger are not written as its protocol says.")
    content = bytes.fromhex(value[2:])
    if size is not None and len(content) != size:
        raise Malformed("ledger.hex", f"A value of the ledger has not the {size} bytes that it must have.")
    return content


def read_address(text: Json) -> str:
    """An address in lower case; mixed case must be the checksum of EIP-55. Raises Malformed (`ledger.address`)."""
    if not isinstance(text, str) or not _ADDRESS.fullmatch(text):
        raise Malformed("ledger.address", "The address is not 20 bytes in hexadecimal.")
    digits, lower = text[2:], text.lower()
    if digits not in (digits.lower(), digits.upper()) and checksummed(lower) != text:
        raise Malformed("ledger.address", "The address does not fit its own checksum: a digit may be wrong.")
    return lower


def checksummed(address: str) -> str:
    """The address with upper-case letters where EIP-55 puts them.

    >>> checksummed("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
    """
    lower = address[2:].lower()
    marks = keccak(lower.encode("ascii")).hex()
    pairs = zip(lower, marks, strict=False)
    return "0x" + "".join(digit.upper() if int(mark, 16) >= _UPPER_FROM else digit for digit, mark in pairs)


def address_of(public_key: bytes) -> str:
    """The lower-case address of a secp256k1 key, x and y of 32 bytes each. Raises Malformed (`ledger.address`)."""
    if len(public_key) != _KEY_SIZE:
        raise Malformed("ledger.address", "Addresses are made of 64 bytes: both coordinates of a key.")
    return "0x" + keccak(public_key)[12:].hex()


def contract_address(sender: str, nonce: int) -> str:
    """Where a contract comes to lie that the sender creates with its transaction of this number."""
    parts = [bytes.fromhex(sender[2:]), nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")]
    return "0x" + keccak(rlp.encode(parts))[12:].hex()
