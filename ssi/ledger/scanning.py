"""Scanning for logs: which pieces does a node answer, and does its answer fit the question?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from ssi.encoding import Json
from ssi.errors import Unavailable
from ssi.ledger import facts
from ssi.ledger.facts import Log
from ssi.ledger.hexes import data, quantity
from ssi.ledger.rpc import RpcError

Topics = Sequence[bytes | Sequence[bytes] | None]
"""By position: any (None), this one, or one of these."""

_TOO_MUCH: Final = re.compile(
    r"range|limit|too (many|large|big|wide)|more than|exceed|results|time(d )?.?out|response size|span", re.IGNORECASE
)
_TOO_LARGE: Final = frozenset({"ledger.too_large", "ledger.timeout"})
_LIMIT_EXCEEDED: Final = -32005


def wanted(address: str, topics: Topics) -> dict[str, Json]:
    """The part of the filter that names the contract and the topics."""
    named = [_topic(topic) for topic in topics]
    return {"address": address, **({"topics": named} if named else {})}


def scan(
    ask: Callable[[Mapping[str, Json]], Json], first: int, last: int, most: int | None = None
) -> Iterator[tuple[int, int, Json]]:
    """The answers for blocks `first` to `last`, piece by piece, in order.

    A piece that the node refuses as too large is halved, down to one block, and what it answers grows again up to half
    of what it refused. Raises Unavailable (`ledger.too_many`) when it refuses a single block.
    """
    at, size = first, last - first + 1 if most is None else most
    ceiling = size
    while at <= last:
        end = min(at + size, last + 1) - 1
        try:
            answer = ask({"fromBlock": quantity(at), "toBlock": quantity(end)})
        except Unavailable as error:
            if not _is_too_much(error):
                raise
            if at == end:
                raise Unavailable(
                    "ledger.too_many", "The ledger's node refuses to tell the logs of one block."
                ) from error
            size = ceiling = (end - at + 1) // 2
            continue
        yield at, end, answer
        at, size = end + 1, min(size * 2, ceiling)


def checked(
    answer: Json, address: str, topics: Topics, first: int, last: int, *, block_hash: bytes | None = None
) -> tuple[Log, ...]:
    """The logs of an answer in the chain's order, if each fits the question and no two contradict each other.

    Raises Unavailable (`ledger.protocol`), and what `facts.log` raises.
    """
    if not isinstance(answer, list):
        raise TypeError
    found = sorted(map(facts.log, answer), key=lambda log: (log.block_number, log.log_index))
    hashes: dict[int, bytes] = {}
    place = (-1, -1)
    for log in found:
        here = (log.block_number, log.log_index)
        right = log.address == address.lower() and first <= log.block_number <= last and fits(log.topics, topics)
        agrees = hashes.setdefault(log.block_number, block_hash or log.block_hash) == log.block_hash
        if not (right and agrees and here > place):
            raise Unavailable("ledger.protocol", "The ledger's node tells logs that do not fit what was asked.")
        place = here
    return tuple(found)


def fits(found: Sequence[bytes], topics: Topics) -> bool:
    """Are a log's topics such as were asked for?"""
    if len(found) < len(topics):
        return False
    return all(
        want is None or (one == want if isinstance(want, bytes) else one in want)
        for one, want in zip(found, topics, strict=False)
    )


def _topic(topic: bytes | Sequence[bytes] | None) -> Json:
    if topic is None or isinstance(topic, bytes):
        return None if topic is None else data(topic)
    return [data(one) for one in topic]


def _is_too_much(error: Unavailable) -> bool:
    if isinstance(error, RpcError):
        return error.rpc_code == _LIMIT_EXCEEDED or _TOO_MUCH.search(error.message) is not None
    return error.code in _TOO_LARGE
