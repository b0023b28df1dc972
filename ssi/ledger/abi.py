"""The house's contracts as values: how a call, an answer, an event and a refusal look in bytes (Solidity ABI)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Protocol

from eth_abi import abi as codec
from eth_abi.exceptions import DecodingError, EncodingError

import schemas
from ssi.errors import Malformed
from ssi.ledger.hexes import keccak

_ERROR: Final = keccak(b"Error(string)")[:4]
_PANIC: Final = keccak(b"Panic(uint256)")[:4]


class LogLike(Protocol):
    """What reading an event needs of a log."""

    @property
    def topics(self) -> Sequence[bytes]:
        """Hash of the event's signature, then its indexed parameters, 32 bytes each."""

    @property
    def data(self) -> bytes:
        """The other parameters, ABI-encoded."""


@dataclass(frozen=True)
class Part:
    """A function, event or error of a contract: its name, its parameters and what they hash to (all 32 bytes)."""

    name: str
    hash: bytes
    types: tuple[str, ...]
    names: tuple[str, ...]
    indexed: tuple[bool, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def selector(self) -> bytes:
        """The first four bytes: what calls and refusals begin with."""
        return self.hash[:4]


@dataclass(frozen=True)
class Event:
    """An event read from a log: its name and its fields by name; addresses are lower-case "0x…" text."""

    name: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Contract:
    """One of the house's contracts, as its artifact describes it."""

    name: str
    functions: Mapping[str, Part] = field(repr=False)
    events: Mapping[str, Part] = field(repr=False)
    by_topic: Mapping[bytes, Part] = field(repr=False)
    errors: Mapping[bytes, Part] = field(repr=False)
    constructor: tuple[str, ...] = field(repr=False)
    creation: bytes = field(repr=False)
    runtime: bytes = field(repr=False)
    immutable: tuple[tuple[int, int], ...] = field(repr=False)

    def deploy_data(self, *arguments: Any) -> bytes:
        """What a transaction without receiver carries to create the contract. Raises Malformed (`ledger.abi`)."""
        return self.creation + encode_values(self.constructor, arguments)

    def code(self, immutable: int = 0) -> bytes:
        """The code that lies at the contract's address, with its one immutable value (0 for contracts without)."""
        made = bytearray(self.runtime)
        for start, length in self.immutable:
            made[start : start + length] = immutable.to_bytes(length, "big")
        return bytes(made)


@lru_cache(maxsize=8)
def contract(name: str) -> Contract:
    """A contract of the house by name: IdentityRegistry or TrustAnchor."""
    artifact = schemas.contract(name)
    parts = [_part(entry) for entry in artifact["abi"] if "name" in entry]
    kinds = [entry["type"] for entry in artifact["abi"] if "name" in entry]
    events = {part.name: part for part, kind in zip(parts, kinds, strict=True) if kind == "event"}
    return Contract(
        name=name,
        functions={part.name: part for part, kind in zip(parts, kinds, strict=True) if kind == "function"},
        events=events,
        by_topic={part.hash: part for part in events.values()},
        errors={part.selector: part for part, kind in zip(parts, kinds, strict=True) if kind == "error"},
        constructor=next(
            (
                tuple(one["type"] for one in entry["inputs"])
                for entry in artifact["abi"]
                if entry["type"] == "constructor"
            ),
            (),
        ),
        creation=bytes.fromhex(artifact["bytecode"][2:]),
        runtime=bytes.fromhex(artifact["deployedBytecode"][2:]),
        immutable=tuple((place["start"], place["length"]) for place in artifact["immutableReferences"]),
    )


def encode_values(types: Sequence[str], arguments: Sequence[Any]) -> bytes:
    """Values as the ABI writes them one after the other. Raises Malformed (`ledger.abi`)."""
    try:
        return codec.encode(types, arguments)
    except (EncodingError, ValueError, TypeError, OverflowError) as error:
        raise Malformed("ledger.abi", "A value does not fit the contract's parameter.") from error


def encode(of: Contract, function: str, *arguments: Any) -> bytes:
    """The call data of a function. Raises Malformed (`ledger.abi`) for arguments that are not of its types."""
    part = of.functions[function]
    return part.selector + encode_values(part.types, arguments)


def decode(of: Contract, function: str, answer: bytes) -> tuple[Any, ...]:
    """What a call of a function answered. Raises Malformed (`ledger.abi`)."""
    return _decode(of.functions[function].outputs, answer)


def topic(of: Contract, event: str) -> bytes:
    """The first topic of an event's logs."""
    return of.events[event].hash


def read_event(of: Contract, log: LogLike) -> Event | None:
    """The event that a log tells; None when the contract has no such event. Raises Malformed (`ledger.abi`)."""
    part = of.by_topic.get(log.topics[0]) if log.topics else None
    if part is None:
        return None
    if len(log.topics) != 1 + sum(part.indexed):
        raise Malformed("ledger.abi", "A log has not as many topics as its event has.")
    topics, values = iter(log.topics[1:]), iter(_decode(_of(part, indexed=False), log.data))
    return Event(
        part.name,
        {
            name: _decode((kind,), next(topics))[0] if indexed else next(values)
            for name, kind, indexed in zip(part.names, part.types, part.indexed, strict=True)
        },
    )


def reason(data: bytes, *contracts: Contract) -> str:
    """Why a call was refused, in the contract's words: `bad_actor`, `NotNewer(…)`, or the bare bytes in hex."""
    if data[:4] == _ERROR:
        return _quiet(("string",), data) or "0x" + data.hex()
    if data[:4] == _PANIC:
        return f"Panic({_quiet(('uint256',), data)})"
    for known in contracts:
        part = known.errors.get(data[:4])
        if part is not None:
            return f"{part.name}({_quiet(part.types, data)})"
    return "0x" + data.hex()


def _part(entry: Mapping[str, Any]) -> Part:
    types = tuple(str(one["type"]) for one in entry.get("inputs", ()))
    return Part(
        name=entry["name"],
        hash=keccak(f"{entry['name']}({','.join(types)})".encode("ascii")),
        types=types,
        names=tuple(str(one["name"]) for one in entry.get("inputs", ())),
        indexed=tuple(bool(one.get("indexed", False)) for one in entry.get("inputs", ())),
        outputs=tuple(str(one["type"]) for one in entry.get("outputs", ())),
    )


def _of(part: Part, *, indexed: bool) -> tuple[str, ...]:
    return tuple(kind for kind, found in zip(part.types, part.indexed, strict=True) if found is indexed)


def _decode(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    try:
        return tuple(codec.decode(types, data))
    except (DecodingError, ValueError, OverflowError) as error:
        raise Malformed("ledger.abi", "The node's answer is not what the contract's function returns.") from error


def _quiet(types: Sequence[str], data: bytes) -> str:
    """The values of a refusal as text, empty when they cannot be read: it is only ever shown."""
    try:
        values = _decode(types, data[4:])
    except Malformed:
        return ""
    return ", ".join("0x" + value.hex() if isinstance(value, bytes) else str(value) for value in values)
