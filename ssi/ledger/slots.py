"""Storage slots: where the house's contracts keep an answer, and what the 32 bytes there mean.

Together with `eth_getProof` and a block's state root this shows what a contract knows without trust in the node that
was asked. The layout is in the artifacts (`storageLayout`); tests compare it, and live chains, with this module.
Slots and values are non-negative integers below 2^256.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from ssi.ledger.hexes import keccak, read_address
from ssi.ledger.registryevents import State

_IDENTITIES: Final = 0  # IdentityRegistry
_ANCHORED, _HEADS, _ACCREDITATIONS = 0, 1, 2  # TrustAnchor


class Rights(IntFlag):
    """What an accreditation allows: to issue credentials of the type, to accredit others for it, or both."""

    ISSUE = 1
    ACCREDIT = 2


@dataclass(frozen=True)
class Anchored:
    """Since when a digest is anchored: the block and its time in seconds since 1970."""

    block_number: int
    at: int


@dataclass(frozen=True)
class Head:
    """The newest stated state of something that changes: its digest and number; block and time of the statement."""

    digest: bytes
    number: int
    block_number: int
    at: int


@dataclass(frozen=True)
class Accreditation:
    """It stands at a time t (seconds since 1970) when granted_at <= t < until; `block_number` is of its last change."""

    rights: Rights
    until: int
    granted_at: int
    block_number: int
    withdrawn: bool = False

    def allows(self, right: Rights, *, at: int) -> bool:
        """Did it grant this right at that time?"""
        return right in self.rights and self.granted_at <= at < self.until


@dataclass(frozen=True)
class Standing:
    """What our registry keeps of an identity: who owns it (zero when it has ended), and its last change."""

    owner: str
    ended: bool
    changed: int
    count: int


def identity_slot(identity: str) -> int:
    """IdentityRegistry: all about an identity but its delegates. Raises Malformed (`ledger.address`)."""
    return _member(_IDENTITIES, _address(identity))


owner_slot = identity_slot


def anchored_slot(identity: str, digest: bytes) -> int:
    """TrustAnchor: since when a digest is anchored."""
    return _member(_ANCHORED, _address(identity), digest)


def head_slots(identity: str, subject: bytes) -> tuple[int, int]:
    """TrustAnchor: the digest of a head, and its number and times."""
    first = _member(_HEADS, _address(identity), subject)
    return first, (first + 1) % 2**256


def accreditation_slot(accreditor: str, subject: str, type_hash: bytes) -> int:
    """TrustAnchor: one accreditation."""
    return _member(_ACCREDITATIONS, _address(accreditor), _address(subject), type_hash)


def read_standing(identity: str, value: int) -> Standing:
    """What `identity_slot` holds."""
    owner, ended, changed, count = _split(value, 160, 8, 48, 40)
    shown = f"0x{owner:040x}" if owner or ended else identity.lower()
    return Standing(shown, bool(ended), changed, count)


def read_state(value: int) -> State:
    """What `identity_slot` holds, in the terms in which ERC-1056 answers."""
    owner, _, changed, count = _split(value, 160, 8, 48, 40)
    return State(f"0x{owner:040x}", changed, count)


def read_anchored(value: int) -> Anchored | None:
    """What `anchored_slot` holds; None when the digest is not anchored."""
    number, at = _split(value, 64, 64)
    return Anchored(number, at) if number else None


def read_head(values: tuple[int, int]) -> Head | None:
    """What `head_slots` hold; None when nothing was stated."""
    number, block, at = _split(values[1], 64, 64, 64)
    return Head(values[0].to_bytes(32, "big"), number, block, at) if number else None


def read_accreditation(value: int) -> Accreditation | None:
    """What `accreditation_slot` holds; None when nothing was ever granted."""
    rights, withdrawn, until, granted_at, block = _split(value, 8, 8, 64, 64, 64)
    return Accreditation(Rights(rights), until, granted_at, block, bool(withdrawn)) if block else None


def _member(slot: int, *keys: bytes) -> int:
    """The place of a value in nested mappings: keccak(key ‖ slot), once per key (Solidity, "Layout in Storage")."""
    for key in keys:
        slot = int.from_bytes(keccak(key.rjust(32, b"\x00") + slot.to_bytes(32, "big")), "big")
    return slot


def _split(value: int, *widths: int) -> list[int]:
    """The numbers packed into a slot, lowest bits first."""
    parts = []
    for width in widths:
        parts.append(value & ((1 << width) - 1))
        value >>= width
    return parts


def _address(text: str) -> bytes:
    return bytes.fromhex(read_address(text)[2:])
