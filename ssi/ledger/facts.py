"""Blocks, logs and mined transactions, read from a node's JSON once and strictly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, ParamSpec, TypeVar

from ssi.encoding import Json
from ssi.errors import Malformed, Unavailable
from ssi.ledger.hexes import read_address, read_count, read_data, read_quantity

_WORD: Final = 32
_MOST_TOPICS: Final = 4
_T = TypeVar("_T")
_P = ParamSpec("_P")


@dataclass(frozen=True)
class Block:
    """A block: `at` is its time in seconds since 1970, `header` what the node says of it."""

    number: int
    hash: bytes
    parent: bytes
    at: int
    header: Mapping[str, Json] = field(repr=False, compare=False)


class Log(NamedTuple):
    """What a contract told. `address` in lower case; `at` is the block's time where it is known.

    A tuple, for a thousand of them are made three times as fast as dataclasses.
    """

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    log_index: int
    at: int | None = None


@dataclass(frozen=True)
class Mined:
    """A transaction in a block: whether it did what it should, and what it cost (gas, wei per gas)."""

    transaction_hash: bytes
    block_number: int
    block_hash: bytes
    succeeded: bool
    gas_used: int
    gas_price: int
    contract: str | None
    logs: tuple[Log, ...] = field(repr=False)

    @property
    def fee(self) -> int:
        """What was paid, in wei (of a rollup without its data fee)."""
        return self.gas_used * self.gas_price


def reading(read: Callable[_P, _T], *args: _P.args, **named: _P.kwargs) -> _T:
    """What `read` reads of a node's answer. Raises Unavailable (`ledger.protocol`) where the answer is malformed."""
    try:
        return read(*args, **named)
    except (Malformed, KeyError, TypeError, AttributeError, ValueError):
        raise Unavailable("ledger.protocol", "The ledger's node does not answer as its protocol says.") from None


def block(answer: Json) -> Block:
    """A block. Raises Malformed, KeyError or TypeError (see `reading`), as all here."""
    return Block(
        read_count(answer["number"]),
        read_data(answer["hash"], _WORD),
        read_data(answer["parentHash"], _WORD),
        read_count(answer["timestamp"]),
        answer,
    )


def log(answer: Json) -> Log:
    """A log that is on the chain; one that a reorganisation removed is refused."""
    topics = answer["topics"]
    if not isinstance(topics, list) or len(topics) > _MOST_TOPICS or answer.get("removed") not in (False, None):
        raise Malformed("ledger.log", "A log has not the form that it must have.")
    at = answer.get("blockTimestamp")
    return Log(
        read_address(answer["address"].lower()),
        tuple([read_data(topic, _WORD) for topic in topics]),
        read_data(answer["data"]),
        read_count(answer["blockNumber"]),
        read_data(answer["blockHash"], _WORD),
        read_data(answer["transactionHash"], _WORD),
        read_count(answer["logIndex"]),
        None if at is None else read_count(at),
    )


def mined(answer: Json) -> Mined:
    """A transaction receipt; those of before 2017, which tell no success, are refused."""
    contract, status = answer.get("contractAddress"), read_quantity(answer["status"])
    if status > 1:
        raise Malformed("ledger.receipt", "A receipt says neither that it succeeded nor that it failed.")
    return Mined(
        read_data(answer["transactionHash"], _WORD),
        read_count(answer["blockNumber"]),
        read_data(answer["blockHash"], _WORD),
        status == 1,
        read_count(answer["gasUsed"]),
        read_quantity(answer.get("effectiveGasPrice", "0x0")),
        None if contract is None else read_address(contract.lower()),
        tuple(log(one) for one in answer["logs"]),
    )
