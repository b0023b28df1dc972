"""Are a node's logs those of the block? Rebuilt from all its receipts, whose root stands in the block's header.

What is proven: the logs are those of a block of this hash, unaltered, and of such a block none is left out. Whether the
chain has that block must be known otherwise (a checkpoint, a quorum). A block that the node names no logs of is looked
at only if its header's bloom filter says that it may have some, and only where `every` header is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import rlp
from trie.hexary import HexaryTrie

from ssi.encoding import Json
from ssi.errors import Malformed, Unavailable
from ssi.ledger import facts
from ssi.ledger.facts import Log, reading
from ssi.ledger.hexes import data, keccak, quantity, read_address, read_data, read_quantity
from ssi.ledger.proofs import Header
from ssi.ledger.rpc import call_many
from ssi.ledger.scanning import Topics, fits

if TYPE_CHECKING:
    from ssi.ledger.chain import Chain

_BLOOM_BITS: Final = 2047
_BLOOM_SIZE: Final = 256
_TYPED: Final = 0x7F


def verified(
    chain: Chain, address: str, topics: Topics, first: int, last: int, *, every: bool = False
) -> tuple[Log, ...]:
    """The logs of a contract between two blocks, each proven by its block's receipts root.

    With `every`, the headers of all blocks are asked for, so that a block whose logs are all left out shows, too; each
    must be the next one's parent, so that who knows the last of them knows them all.
    Raises Unavailable (`ledger.log_missing`, `ledger.log_altered`, `ledger.protocol`, …).
    """
    told = chain.logs(address, topics, first, last)
    numbers = range(first, last + 1) if every else sorted({log.block_number for log in told})
    found: list[Log] = []
    blocks = chain.blocks(list(numbers))
    if len(blocks) != len(numbers):
        raise Unavailable("ledger.log_missing", "The node leaves out blocks that its chain must have.")
    before: Header | None = None
    for number, block in blocks.items():
        header = _header(block.header)
        if header.hash != block.hash or header.number != number:
            raise _altered()
        if every and before is not None and header.parent != before.hash:
            raise _altered()
        before = header
        if every and not _may_hold(read_data(block.header.get("logsBloom"), _BLOOM_SIZE), address, topics):
            continue
        logs = _logs(chain, block.header, header.receipts_root)
        found += [log for log in logs if log.address == address.lower() and fits(log.topics, topics)]
    if [_place(log) for log in found] != [_place(log) for log in told]:
        raise Unavailable("ledger.log_missing", "The node leaves out logs that the block's header vouches for.")
    if [_told(log) for log in found] != [_told(log) for log in told]:
        raise _altered()
    return tuple(found)


def receipts_root(receipts: Sequence[Mapping[str, Json]]) -> bytes:
    """The root that a block with these receipts has (Yellow Paper §4.4.1, EIP-2718), in the order of transactions."""
    made: Any = HexaryTrie({})
    for place, receipt in enumerate(receipts):
        made[rlp.encode(place)] = _encoded(receipt)
    return bytes(made.root_hash)


def _logs(chain: Chain, block: Mapping[str, Json], root: bytes) -> list[Log]:
    """All logs of a block, from receipts that together have the root."""
    hashes = block.get("transactions")
    if not isinstance(hashes, list):
        raise _altered()
    calls = [("eth_getTransactionReceipt", [data(reading(_hash, one))]) for one in hashes]
    receipts = call_many(chain.rpc, calls)
    if reading(receipts_root, receipts) != root:
        raise _altered()
    made: list[Log] = []
    for place, receipt in enumerate(receipts):
        for log in receipt["logs"]:
            # where a log stands is not hashed: it is counted here, and the block is the one that was asked for
            counted = {
                "blockNumber": block["number"],
                "blockHash": block["hash"],
                "logIndex": quantity(len(made)),
                "transactionHash": data(_hash(hashes[place])),
                "blockTimestamp": block["timestamp"],
            }
            made.append(reading(facts.log, {**log, **counted}))
    return made


def _encoded(receipt: Mapping[str, Json]) -> bytes:
    kind = read_quantity(receipt.get("type", "0x0"))
    if kind > _TYPED:
        raise Malformed("ledger.receipt", "The receipt is of a kind that cannot be.")
    logs = [
        [
            bytes.fromhex(read_address(log["address"].lower())[2:]),
            [read_data(topic, 32) for topic in log["topics"]],
            read_data(log["data"]),
        ]
        for log in receipt["logs"]
    ]
    status = b"\x01" if read_quantity(receipt["status"]) else b""
    spent = read_quantity(receipt["cumulativeGasUsed"])
    number = spent.to_bytes((spent.bit_length() + 7) // 8, "big")
    body: bytes = rlp.encode([status, number, read_data(receipt["logsBloom"], _BLOOM_SIZE), logs])
    return bytes([kind]) + body if kind else body


def _may_hold(bloom: bytes, address: str, topics: Topics) -> bool:
    """May a block with this bloom filter hold such logs (Yellow Paper §4.4.3)?"""
    wanted: list[Sequence[bytes]] = [[bytes.fromhex(address[2:])]]
    wanted += [[one] if isinstance(one, bytes) else list(one) for one in topics if one is not None]
    bits = int.from_bytes(bloom, "big")
    return all(any(_mask(word) & bits == _mask(word) for word in words) for words in wanted)


def _mask(word: bytes) -> int:
    digest, mask = keccak(word), 0
    for at in (0, 2, 4):
        mask |= 1 << (int.from_bytes(digest[at : at + 2], "big") & _BLOOM_BITS)
    return mask


def _header(block: Mapping[str, Json]) -> Header:
    try:
        return Header.from_json(block)
    except Malformed:
        raise _altered() from None


def _hash(transaction: Json) -> bytes:
    """Transactions are named by hash, or told whole."""
    return read_data(transaction["hash"] if isinstance(transaction, Mapping) else transaction, 32)


def _place(log: Log) -> tuple[int, bytes, int]:
    return log.block_number, log.block_hash, log.log_index


def _told(log: Log) -> tuple[object, ...]:
    return log.topics, log.data, log.transaction_hash


def _altered() -> Unavailable:
    return Unavailable("ledger.log_altered", "The node's logs are not those that the block's header vouches for.")
