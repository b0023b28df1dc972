"""Parameters of JSON-RPC methods, read once: blocks, addresses, calls, filters (execution-apis)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ssi.encoding import Json
from ssi.ledger.devchain.blocks import Header
from ssi.ledger.devchain.errors import refused, unreadable
from ssi.ledger.devchain.store import BlockRow, Session
from ssi.ledger.devchain.wire import Accesses
from ssi.ledger.hexes import read_data, read_quantity

_NEWEST: Final = frozenset({"latest", "pending", "safe", "finalized"})
_BEHIND: Final = {"safe": 1, "finalized": 2}
_MAX_TOPICS: Final = 4
_MAX_CHOICES: Final = 1_000
_MAX_PERCENTILES: Final = 100


@dataclass(frozen=True)
class Call:
    """What `eth_call` and `eth_estimateGas` ask for; None is what was not said."""

    sender: bytes
    to: bytes
    value: int
    data: bytes
    gas: int | None
    max_fee: int | None
    accesses: Accesses


@dataclass(frozen=True)
class Filter:
    """Which logs are wanted; an empty choice takes all."""

    first: int
    last: int
    addresses: tuple[bytes, ...]
    topics: tuple[tuple[bytes, ...], ...]


def at(params: Sequence[Json], place: int) -> Json:
    """The parameter at this place; None where it was left out."""
    return params[place] if place < len(params) else None


def address(value: Json) -> bytes:
    """An address as bytes."""
    return read_data(value, 20)


def hash_(value: Json) -> bytes:
    """A hash as bytes."""
    return read_data(value, 32)


def slot(value: Json) -> bytes:
    """A storage slot as 32 bytes; short forms are filled up from the left."""
    if not isinstance(value, str) or not value.startswith("0x") or not 2 < len(value) <= 66:
        raise unreadable("invalid storage key")
    return read_data("0x" + value[2:].rjust(64, "0"), 32)


def block(session: Session, value: Json, *, depth: int) -> BlockRow | None:
    """The block that a number, a tag or an EIP-1898 object names; None where there is none.

    `depth` is by how many blocks "safe" lies behind the newest one; "finalized" is twice as far.
    """
    if isinstance(value, Mapping):
        if isinstance(value.get("blockHash"), str):
            return session.block_with(hash_(value["blockHash"]))
        value = value.get("blockNumber")
    if value == "earliest":
        return session.block(0)
    if value is None or (isinstance(value, str) and value in _NEWEST):
        newest = session.head()
        behind = _BEHIND.get(str(value), 0) * depth
        return newest if newest is None or behind == 0 else session.block(max(newest.number - behind, 0))
    return session.block(_height(value))


def state(session: Session, value: Json, *, depth: int) -> Header:
    """The header of the block whose state is asked for. Raises RpcError (-32000) where there is no such block."""
    found = block(session, value, depth=depth)
    if found is None:
        raise refused("header not found")
    return Header.read(found.header)


def call(value: Json) -> Call:
    """A call object. `input` is the newer name of `data`; both may be there if they agree."""
    if not isinstance(value, Mapping):
        raise unreadable("the call is not an object")
    old, new = value.get("data"), value.get("input")
    if old is not None and new is not None and old != new:
        raise unreadable('both "data" and "input" are set and not equal')
    said = new if new is not None else old
    price = value.get("maxFeePerGas", value.get("gasPrice"))
    return Call(
        sender=bytes(20) if value.get("from") is None else address(value["from"]),
        to=b"" if value.get("to") is None else address(value["to"]),
        value=_optional(value.get("value")) or 0,
        data=b"" if said is None else read_data(said),
        gas=_optional(value.get("gas")),
        max_fee=_optional(price),
        accesses=_accesses(value.get("accessList")),
    )


def logs(session: Session, value: Json, *, depth: int) -> Filter:
    """A filter for logs. Raises RpcError for ranges that run backwards, and for blocks that are not there."""
    if not isinstance(value, Mapping):
        raise unreadable("the filter is not an object")
    if value.get("blockHash") is not None:
        if value.get("fromBlock") is not None or value.get("toBlock") is not None:
            raise unreadable("cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other")
        found = session.block_with(hash_(value["blockHash"]))
        if found is None:
            raise refused("unknown block")
        first = last = found.number
    else:
        first = _bound(session, value.get("fromBlock"), depth)
        last = _bound(session, value.get("toBlock"), depth)
        if first > last:
            raise unreadable("invalid block range params")
    addresses = value.get("address")
    named = addresses if isinstance(addresses, list) else [] if addresses is None else [addresses]
    if len(named) > _MAX_CHOICES:
        raise unreadable("too many addresses")
    return Filter(first, last, tuple(address(one) for one in named), _topics(value.get("topics")))


def percentiles(value: Json) -> int:
    """How many percentiles of rewards are asked for: rising numbers from 0 to 100 (`eth_feeHistory`)."""
    listed = value if isinstance(value, list) else []
    if len(listed) > _MAX_PERCENTILES or any(
        isinstance(one, bool) or not isinstance(one, int | float) for one in listed
    ):
        raise unreadable("the reward percentiles are not numbers, or are too many")
    if any(not 0 <= one <= 100 for one in listed) or any(one > two for one, two in pairwise(listed)):
        raise unreadable("the reward percentiles do not rise from 0 to 100")
    return len(listed)


def _bound(session: Session, value: Json, depth: int) -> int:
    """A block's height, which for a number may lie above the newest one."""
    if isinstance(value, str) and value.startswith("0x"):
        return _height(value)
    found = block(session, value, depth=depth)
    return 0 if found is None else found.number


def _height(value: Json) -> int:
    height = read_quantity(value)
    if height >= 1 << 63:
        raise unreadable("the block number is too large")
    return height


def _topics(value: Json) -> tuple[tuple[bytes, ...], ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > _MAX_TOPICS:
        raise unreadable("exceed max topics")
    listed = [one if isinstance(one, list) else [one] for one in value]
    choices = [[] if None in choice else choice for choice in listed]  # null stands for any topic
    if any(len(choice) > _MAX_CHOICES for choice in choices):
        raise unreadable("too many topics")
    return tuple(tuple(hash_(topic) for topic in choice) for choice in choices)


def _accesses(value: Json) -> Accesses:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise unreadable("the access list is not a list")
    return tuple(_access(one) for one in value)


def _access(value: Json) -> tuple[bytes, tuple[bytes, ...]]:
    if not isinstance(value, Mapping):
        raise unreadable("the access list is not a list of objects")
    slots = value.get("storageKeys")
    return address(value.get("address")), tuple(hash_(key) for key in (slots if isinstance(slots, list) else []))


def _optional(value: Json) -> int | None:
    return None if value is None else read_quantity(value)
