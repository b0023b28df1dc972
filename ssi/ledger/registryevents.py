"""Events of an identity registry (ERC-1056): what happened to an identity, and are these events all of them?

Each event names the block of the identity's event before it, so a missing, repeated or invented event breaks the chain.
One gap is left by ERC-1056: of several events in one block only the first leads out of it, so the loss of a later one
does not show. Our registry counts its events, which closes that gap; for others a quorum of nodes must do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ssi.errors import Malformed, Unavailable
from ssi.ledger import abi

if TYPE_CHECKING:
    from ssi.ledger.chain import Log

_CONTRACT: Final = abi.contract("IdentityRegistry")
OWNER_CHANGED: Final = abi.topic(_CONTRACT, "DIDOwnerChanged")
DELEGATE_CHANGED: Final = abi.topic(_CONTRACT, "DIDDelegateChanged")
ATTRIBUTE_CHANGED: Final = abi.topic(_CONTRACT, "DIDAttributeChanged")


@dataclass(frozen=True, slots=True)
class RegistryEvent:
    """One event: `name` is ERC-1056's; `at` is the block's time in seconds since 1970.

    `fields` holds owner | delegateType, delegate, validTo | name, value, validTo: addresses as lower-case "0x…" text,
    delegateType, name and value as bytes, validTo in seconds since 1970.
    """

    name: str
    identity: str
    block_number: int
    block_hash: bytes
    at: int
    log_index: int
    previous_change: int
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class State:
    """What the registry says about an identity at a block.

    `owner` is zero when it was never set, or was set to zero; `count` is how many events there are, where it counts.
    """

    owner: str
    changed: int
    count: int | None = None


def read(log: Log, *, at: int) -> RegistryEvent | None:
    """The event that a log tells, None for a log of another kind. Raises Malformed (`ledger.event`)."""
    topics, data = log.topics, log.data
    kind = topics[0] if topics else b""
    read_fields = _READERS.get(kind)
    if read_fields is None:
        return None
    if len(topics) != 2 or len(topics[1]) != 32 or len(data) < 64:
        raise Malformed("ledger.event", "A log of the registry has not the form of its event.")
    name, previous, fields = read_fields(data)
    identity = "0x" + topics[1][12:].hex()
    return RegistryEvent(
        name, identity, log.block_number, log.block_hash, at, log.log_index, int.from_bytes(previous, "big"), fields
    )


def complete(events: Sequence[RegistryEvent], state: State) -> bool:
    """Are these, in this order, all events that led to this state?"""
    place, before = (-1, -1), 0
    for event in events:
        here = (event.block_number, event.log_index)
        if here <= place or event.previous_change != before:
            return False
        place, before = here, event.block_number
    owner = next((event.fields["owner"] for event in reversed(events) if event.name == "DIDOwnerChanged"), _NOBODY)
    return before == state.changed and owner == state.owner and state.count in (None, len(events))


def require_complete(events: Sequence[RegistryEvent], state: State) -> None:
    """Raises Unavailable (`ledger.log_missing`) unless `complete`: what a node left out or invented is no history."""
    if not complete(events, state):
        raise Unavailable("ledger.log_missing", "The node's events of this identity are not complete or not true.")


def _owner(data: bytes) -> tuple[str, bytes, dict[str, Any]]:
    if len(data) != 64:
        raise Malformed("ledger.event", "An event of a new owner has not the form that it must have.")
    return "DIDOwnerChanged", data[32:], {"owner": "0x" + data[12:32].hex()}


def _delegate(data: bytes) -> tuple[str, bytes, dict[str, Any]]:
    if len(data) != 128:
        raise Malformed("ledger.event", "An event of a delegate has not the form that it must have.")
    fields = {
        "delegateType": data[:32],
        "delegate": "0x" + data[44:64].hex(),
        "validTo": int.from_bytes(data[64:96], "big"),
    }
    return "DIDDelegateChanged", data[96:], fields


def _attribute(data: bytes) -> tuple[str, bytes, dict[str, Any]]:
    """Four words (name, where the value is, validTo, previousChange), then the value: its length and its bytes."""
    size = int.from_bytes(data[128:160], "big")
    if len(data) < 160 or data[32:64] != _AFTER_FOUR_WORDS or len(data) != 160 + (size + 31) // 32 * 32:
        raise Malformed("ledger.event", "An event of an attribute has not the form that it must have.")
    fields = {"name": data[:32], "value": data[160 : 160 + size], "validTo": int.from_bytes(data[64:96], "big")}
    return "DIDAttributeChanged", data[96:128], fields


_NOBODY: Final = "0x" + "00" * 20
_AFTER_FOUR_WORDS: Final = (128).to_bytes(32, "big")
_READERS: Final = {OWNER_CHANGED: _owner, DELEGATE_CHANGED: _delegate, ATTRIBUTE_CHANGED: _attribute}
