"""Proof values with several parts: a three-byte header that says which, then one CBOR array, in base64url.

This is the form that selective suites use (Data Integrity ECDSA 1.0 §3.5.2 and §3.5.7, Data Integrity BBS 1.0 §3.3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ssi.cose import cbor
from ssi.encoding import Json, b64url, unb64url
from ssi.errors import Malformed

MAX_CHARACTERS: Final = 262_144
MAX_POINTERS: Final = 512
MAX_POINTER_LENGTH: Final = 1024


def pack(header: bytes, parts: Sequence[object]) -> str:
    r"""The header and the parts as a `proofValue`.

    >>> pack(b"\xd9\x5d\x00", [1])
    'u2V0AgQE'
    """
    return "u" + b64url(header + cbor.encode(list(parts)))


def unpack(proof: Mapping[str, Json], *, headers: Sequence[bytes], count: int) -> tuple[bytes, list[cbor.Cbor]]:
    """Which of the headers the proof's value has, and its parts, of which there must be `count`.

    Raises Malformed (`suite.proof_value`, `suite.header`, `suite.components`, `encoding.base64url`, `cbor.*`).
    """
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("u") or len(value) > MAX_CHARACTERS:
        raise Malformed("suite.proof_value", "The proof's value is not in base64url, or too long.")
    data = unb64url(value[1:], what="proof's value")
    header = next((known for known in headers if data.startswith(known)), None)
    if header is None:
        raise Malformed("suite.header", "The proof's value does not begin as its cryptographic suite has it.")
    parts = cbor.decode(data[len(header) :], what="proof's value", max_bytes=MAX_CHARACTERS)
    if not isinstance(parts, list) or len(parts) != count:
        raise Malformed("suite.components", "The proof's value does not have the parts that it should have.")
    return header, parts


def octets(value: cbor.Cbor, size: int) -> bytes:
    """A byte string of one size. Raises Malformed (`suite.components`)."""
    if not isinstance(value, bytes) or len(value) != size:
        raise Malformed("suite.components", "A part of the proof's value is not of the size that it should have.")
    return value


def list_of_octets(value: cbor.Cbor, size: int) -> tuple[bytes, ...]:
    """Byte strings of one size. Raises Malformed (`suite.components`)."""
    return tuple(octets(item, size) for item in _listed(value))


def indexes(value: cbor.Cbor) -> tuple[int, ...]:
    """Places counted from 0, none named twice. Raises Malformed (`suite.components`)."""
    listed = _listed(value)
    if any(type(item) is not int or item < 0 for item in listed) or len(set(listed)) != len(listed):
        raise Malformed("suite.components", "A part of the proof's value is not a list of places.")
    return tuple(listed)


def pointers(value: cbor.Cbor) -> tuple[str, ...]:
    """JSON pointers, bounded. Raises Malformed (`suite.components`)."""
    listed = _listed(value)
    if len(listed) > MAX_POINTERS:
        raise Malformed("suite.components", f"There are more than {MAX_POINTERS} pointers.")
    if any(not isinstance(item, str) or len(item) > MAX_POINTER_LENGTH for item in listed):
        raise Malformed("suite.components", "A part of the proof's value is not a list of pointers.")
    return tuple(listed)


def _listed(value: cbor.Cbor) -> Sequence[cbor.Cbor]:
    if not isinstance(value, list):
        raise Malformed("suite.components", "A part of the proof's value is not a list.")
    return value
