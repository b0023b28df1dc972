"""One chain, as its nodes tell it: blocks, logs, contracts, and how sure each of them is.

A node is believed no more than needed: that it serves the right chain is checked before its first answer is used, and
an answer that does not fit its question is `Unavailable`, never "there is nothing".
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from ssi.encoding import Json
from ssi.errors import Refused, Unavailable, Unsupported
from ssi.ledger import facts, logproofs
from ssi.ledger.facts import Block, Log, Mined, reading
from ssi.ledger.finality import Finality
from ssi.ledger.hexes import data, keccak, quantity, read_count, read_data, read_quantity
from ssi.ledger.rpc import Call, Rpc, RpcError, call_many, plain
from ssi.ledger.scanning import Topics, checked, scan, wanted

__all__ = ["Block", "Chain", "Finality", "Log", "Mined", "Topics"]

BlockName = int | bytes | str | None
"""A block by number, by hash, or by tag ("latest", "safe", "finalized", "earliest", "pending"); None is the newest."""

_OTHER_NUMBERS: Final = frozenset({42_161, 42_170, 421_614})
"""Arbitrum's: contracts there see numbers of another chain's blocks; an event's "previous change" leads nowhere."""
_REVERTED: Final = 3
_NO_END: Final = 2**64


@dataclass(frozen=True)
class Fees:
    """What gas costs now, in wei: the base fee of the newest block (None on chains without), and the usual tip."""

    base: int | None
    tip: int


class Chain:
    """A chain by its id and genesis.

    `confirmations` is how many blocks, the block itself included, make it CONFIRMED. `finalized` is "tag" where the
    chain itself says what is final (Ethereum and most rollups), or the number of blocks after which it is held to be.
    `contracts` (address to hash of the code) and `checkpoints` (number to hash of the block) must be on the chain.
    Everything here raises Unavailable (`ledger.*`) when it could not be asked, and Refused (`ledger.wrong_chain`).
    """

    def __init__(
        self,
        rpc: Rpc,
        *,
        chain_id: int,
        genesis: bytes | None,
        confirmations: int = 1,
        finalized: Literal["tag"] | int = "tag",
        contracts: Mapping[str, bytes] = MappingProxyType({}),
        checkpoints: Mapping[int, bytes] = MappingProxyType({}),
    ) -> None:
        """Raises Unsupported (`ledger.chain`) for chains whose contracts see other block numbers than their nodes."""
        if chain_id in _OTHER_NUMBERS:
            raise Unsupported("ledger.chain", "On this chain contracts see other block numbers than its nodes tell.")
        self.rpc, self.chain_id, self.genesis = rpc, chain_id, genesis
        self.confirmations, self.finalized = confirmations, finalized
        self.contracts, self.checkpoints = contracts, checkpoints
        self._checked = False
        self._beginning = genesis
        self._based: bool | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        """The chain's number."""
        return f"Chain({self.chain_id})"

    def check(self) -> None:
        """Does the node serve this chain, with what must be on it? Asked by itself before the first answer is used.

        Raises Refused (`ledger.wrong_chain`, `ledger.no_contract`, `ledger.other_contract`).
        """
        found = reading(read_quantity, self._rpc("eth_chainId", []))
        if found != self.chain_id:
            raise Refused("ledger.wrong_chain", f"The node serves chain {found}, not {self.chain_id}.")
        blocks = {**self.checkpoints, **({} if self.genesis is None else {0: self.genesis})}
        calls: list[Call] = [("eth_getBlockByNumber", [quantity(number), False]) for number in blocks]
        calls += [("eth_getCode", [address, "latest"]) for address in self.contracts]
        answers = call_many(self.rpc, calls)
        for (number, known), answer in zip(blocks.items(), answers, strict=False):
            if answer is None or _this(answer, number).hash != known:
                raise Refused("ledger.wrong_chain", f"The node's chain {found} has another block {number}.")
        for code_hash, answer in zip(self.contracts.values(), answers[len(blocks) :], strict=True):
            _code(reading(read_data, answer), code_hash)
        self._checked = True

    # Blocks

    def head(self) -> Block:
        """The newest block."""
        found = self.block("latest")
        if found is None:
            raise Unavailable("ledger.protocol", "The ledger's node knows no newest block.")
        return found

    def block(self, name: BlockName) -> Block | None:
        """A block of the chain, None where it has none of this number, hash or name."""
        if isinstance(name, bytes):
            answer = self._ask("eth_getBlockByHash", [data(name), False])
        else:
            answer = self._ask("eth_getBlockByNumber", [_named(name), False])
        return None if answer is None else _this(answer, name)

    def blocks(self, numbers: Sequence[int]) -> Mapping[int, Block]:
        """Several blocks by number, asked in one go; those that are not there are left out."""
        self._ensure()
        answers = call_many(self.rpc, [("eth_getBlockByNumber", [quantity(number), False]) for number in numbers])
        pairs = zip(numbers, answers, strict=True)
        return {n: _this(a, n) for n, a in pairs if a is not None}

    def finality(self, block_number: int, block_hash: bytes) -> Finality:
        """How sure a block is now; PENDING, too, when the chain no longer has it (ask again after reorganisations)."""
        canonical = self.block(block_number)
        if canonical is None or canonical.hash != block_hash:
            return Finality.PENDING
        final = self.final()
        if final is not None and block_number <= final.number:
            return Finality.FINALIZED
        depth = self.head().number - block_number + 1
        return Finality.CONFIRMED if depth >= self.confirmations else Finality.PENDING

    def final(self) -> Block | None:
        """The newest block that is final, None while none is (or the node does not know the word)."""
        if self.finalized != "tag":
            number = self.head().number - self.finalized
            return self.block(number) if number >= 0 else None
        try:
            return self.block("finalized")
        except RpcError:
            return None

    def beginning(self) -> bytes:
        """The hash of the chain's first block."""
        if self._beginning is None:
            first = self.block(0)
            if first is None:
                raise Unavailable("ledger.protocol", "The ledger's node does not know the chain's first block.")
            self._beginning = first.hash
        return self._beginning

    # Contracts

    def logs(self, address: str, topics: Topics, first: int, last: int) -> tuple[Log, ...]:
        """The logs of a contract in blocks `first` to `last`, in the chain's order.

        Asked for in pieces that halve as often as the node refuses. `topics` are as JSON-RPC has them: None for any, a
        value, or several of which one must fit. Raises Unavailable (`ledger.too_many`; `ledger.log_missing` where the
        chain was reorganised between two pieces).
        """
        found: list[Log] = []
        newest: Block | None = None
        for _, end, logs in self.scanned(address, topics, first, last):
            found += logs
            if end < last and newest is None:
                newest = self.block(last)
        if newest is not None and self.block(last) != newest:
            raise Unavailable("ledger.log_missing", "The chain changed while its logs were read.")
        return tuple(found)

    def scanned(
        self, address: str, topics: Topics, first: int, last: int, *, most: int | None = None
    ) -> Iterator[tuple[int, int, tuple[Log, ...]]]:
        """`logs` piece by piece: first and last block, and the logs between; no piece has more than `most` blocks."""
        self._ensure()
        filters = wanted(address, topics)
        for start, end, answer in scan(lambda more: self._rpc("eth_getLogs", [{**filters, **more}]), first, last, most):
            yield start, end, reading(checked, answer, address, topics, start, end)

    def logs_of(self, address: str, block_hash: bytes) -> tuple[Log, ...]:
        """The logs of a contract in one block, named by its hash (EIP-234)."""
        answer = self._ask("eth_getLogs", [wanted(address, ()) | {"blockHash": data(block_hash)}])
        return reading(checked, answer, address, (), 0, _NO_END, block_hash=block_hash)

    def verified_logs(
        self, address: str, topics: Topics, first: int, last: int, *, every: bool = False
    ) -> tuple[Log, ...]:
        """`logs`, each proven by its block's receipts root, with `every` header looked at (`ssi.ledger.logproofs`)."""
        return logproofs.verified(self, address, topics, first, last, every=every)

    def call(self, to: str, what: bytes, *, block: BlockName = None, sender: str | None = None) -> bytes:
        """What a function of a contract answers, changing nothing.

        Raises Refused (`ledger.reverted`; `ledger.no_contract` where nothing lies at the address).
        """
        asked = {"to": to, "data": data(what)} | ({"from": sender} if sender else {})
        try:
            answer = reading(read_data, self._ask("eth_call", [asked, _named(block)]))
        except RpcError as error:
            if is_revert(error):
                raise Refused("ledger.reverted", f"The contract refuses: {why(error)}") from None
            raise
        if not answer:
            self.require_code(to)
        return answer

    def code(self, address: str, *, block: BlockName = None) -> bytes:
        """The code at an address, b"" where there is none."""
        return reading(read_data, self._ask("eth_getCode", [address, _named(block)]))

    def require_code(self, address: str, code_hash: bytes | None = None) -> bytes:
        """The code at an address. Raises Refused (`ledger.no_contract`; `ledger.other_contract` for another hash)."""
        return _code(self.code(address), code_hash)

    def storage(self, address: str, slot: int, *, block: BlockName = None) -> int:
        """What lies in a slot of a contract's storage."""
        answer = self._ask("eth_getStorageAt", [address, quantity(slot), _named(block)])
        return int.from_bytes(reading(read_data, answer, 32), "big")

    def proof(self, address: str, slots: Sequence[int], block: BlockName) -> Mapping[str, Json]:
        """Account and storage proof (EIP-1186) at a block, as the node tells it: nothing of it is verified here."""
        words = [data(slot.to_bytes(32, "big")) for slot in slots]
        answer = self._ask("eth_getProof", [address, words, _named(block)])
        if not isinstance(answer, Mapping):
            raise Unavailable("ledger.protocol", "The ledger's node does not answer as its protocol says.")
        return answer

    # Accounts and transactions

    def balance(self, address: str, *, block: BlockName = None) -> int:
        """What an account owns, in wei."""
        return reading(read_quantity, self._ask("eth_getBalance", [address, _named(block)]))

    def nonce(self, address: str, *, block: BlockName = None) -> int:
        """How many transactions an account has sent; with "pending" also those that wait."""
        return reading(read_count, self._ask("eth_getTransactionCount", [address, _named(block)]))

    def receipt(self, transaction_hash: bytes) -> Mined | None:
        """What came of a transaction, None while it is in no block."""
        answer = self._ask("eth_getTransactionReceipt", [data(transaction_hash)])
        if answer is None or (isinstance(answer, Mapping) and answer.get("blockHash") is None):
            return None
        found = reading(facts.mined, answer)
        if found.transaction_hash != transaction_hash:
            raise Unavailable("ledger.protocol", "The ledger's node tells of another transaction than was asked for.")
        return found

    def fees(self) -> Fees:
        """What gas costs now."""
        head = self.head().header
        base = None if head.get("baseFeePerGas") is None else reading(read_quantity, head["baseFeePerGas"])
        method = "eth_gasPrice" if base is None else "eth_maxPriorityFeePerGas"
        return Fees(base, reading(read_quantity, self._ask(method, [])))

    def has_base_fee(self) -> bool:
        """Does the chain price gas as EIP-1559 says?"""
        if self._based is None:
            self._based = self.head().header.get("baseFeePerGas") is not None
        return self._based

    def estimate(self, sender: str, to: str | None, what: bytes) -> int:
        """How much gas a transaction would take. Raises RpcError as the node does, also for reverts (`is_revert`)."""
        asked = {"from": sender, "data": data(what)} | ({"to": to} if to else {})
        return reading(read_quantity, self._ask("eth_estimateGas", [asked, "latest"]))

    def send(self, raw: bytes) -> bytes:
        """Give a signed transaction to the chain; its hash. Raises RpcError as the node does."""
        return reading(read_data, self._ask("eth_sendRawTransaction", [data(raw)]), 32)

    def _ensure(self) -> None:
        if not self._checked:
            with self._lock:
                if not self._checked:
                    self.check()

    def _ask(self, method: str, params: Sequence[Json]) -> Json:
        self._ensure()
        return self._rpc(method, params)

    def _rpc(self, method: str, params: Sequence[Json]) -> Json:
        return self.rpc.call(method, params)


def is_revert(error: RpcError) -> bool:
    """Does the node say that the contract refused (error 3, or -32000 and the words)?"""
    return error.rpc_code == _REVERTED or "revert" in error.message.lower()


def why(error: RpcError) -> str:
    """The reason of a revert in words."""
    from ssi.ledger import abi  # noqa: PLC0415  (read only when needed: it takes a moment)

    told = error.data.get("data") if isinstance(error.data, Mapping) else error.data
    if isinstance(told, str) and len(told) > 2:
        known = (abi.contract("IdentityRegistry"), abi.contract("TrustAnchor"))
        return plain(abi.reason(reading(read_data, told), *known))
    return plain(error.message) or "no reason"


def _code(found: bytes, code_hash: bytes | None) -> bytes:
    if not found:
        raise Refused("ledger.no_contract", "No contract lies where one should.")
    if code_hash is not None and keccak(found) != code_hash:
        raise Refused("ledger.other_contract", "The contract is another one than the ledger's declaration says.")
    return found


def _named(name: BlockName) -> str:
    if isinstance(name, bytes):
        return data(name)
    return quantity(name) if isinstance(name, int) else name or "latest"


def _this(answer: Json, name: BlockName) -> Block:
    """The block, if it is the one that was asked for."""
    found = reading(facts.block, answer)
    if (isinstance(name, bytes) and found.hash != name) or (isinstance(name, int) and found.number != name):
        raise Unavailable("ledger.protocol", "The ledger's node tells of another block than was asked for.")
    return found
