"""Running contracts: what does a transaction do to the state?

It is py-evm that runs them, by the rules of the Prague fork.

The only module that knows the virtual machine, and slow to import (about two seconds), so it is imported when the
first contract is run. It reads state through a function and returns what is new; writing is the caller's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth.constants import BLANK_ROOT_HASH
from eth.db.account import AccountDB
from eth.db.atomic import AtomicDB
from eth.db.backends.base import BaseDB
from eth.exceptions import OutOfGas, Revert, VMError
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.forks.prague.state import PragueState
from eth.vm.interrupt import EVMMissingData
from trie.exceptions import MissingTrieNode

from ssi.ledger.devchain.errors import damaged
from ssi.ledger.devchain.work import BYTES_COPIED, MESSAGE, PRECOMPILED, Work

Precompiled = Callable[[Any], Any]
Read = Callable[[bytes], bytes | None]
_TYPE: Final = 2
_RULES: Final[Any] = PragueVM  # our Transaction has what it looks for, and not its base classes


@dataclass(frozen=True)
class Surroundings:
    """What a contract can learn about the block that it runs in; `hashes` are the blocks before, newest first."""

    chain_id: int
    number: int
    at: int
    base_fee: int
    gas_limit: int
    mix: bytes
    hashes: Iterable[bytes]
    coinbase: bytes = bytes(20)


@dataclass(frozen=True)
class Transaction:
    """What is asked of the machine; `to` is empty for a new contract. Nothing here is checked again.

    The names are those that py-evm looks for.
    """

    sender: bytes
    to: bytes
    value: int
    data: bytes
    gas: int
    intrinsic_gas: int
    max_fee_per_gas: int
    max_priority_fee_per_gas: int
    access_list: tuple[tuple[bytes, tuple[int, ...]], ...] = ()
    type_id: int = _TYPE


@dataclass(frozen=True)
class Outcome:
    """What came of it. `error` is None, or a few words; `output` is then what the contract said while reverting."""

    output: bytes
    error: str | None
    reverted: bool
    gas_used: int
    gas_needed: int
    logs: tuple[tuple[bytes, tuple[bytes, ...], bytes], ...]
    created: bytes | None
    state_root: bytes
    nodes: Mapping[bytes, bytes]


def run(read: Read, root: bytes, around: Surroundings, transaction: Transaction, work: Work) -> Outcome:
    """Run a transaction on the state below `root`. Of `nodes`, those that are new are for keeping.

    Its gas is its own; `work` is for what takes much longer than its gas says. Raises RpcError (-32005) without enough,
    and Unavailable (`ledger.store`) where state is missing.
    """
    try:
        return _run(_New(read), root, around, transaction, work)
    except (EVMMissingData, MissingTrieNode):
        raise damaged() from None


def _run(new: _New, root: bytes, around: Surroundings, transaction: Transaction, work: Work) -> Outcome:
    state: Any = _State(AtomicDB(new), _context(around), root)  # type: ignore[arg-type]  # a NewType of bytes
    state.work = work
    state.lock_changes()
    executor = state.get_transaction_executor()
    message = executor.build_evm_message(transaction)
    computation = executor.build_computation(message, transaction)
    executor.finalize_computation(transaction, computation)
    state.clear_transient_storage()
    used = int(_RULES.finalize_gas_used(transaction, computation))
    consumed = transaction.gas - int(computation.get_gas_remaining())
    error = computation.error if computation.is_error else None
    state.persist()
    return Outcome(
        output=bytes(computation.output),
        error=None if error is None else _words(error),
        reverted=isinstance(error, Revert),
        gas_used=used,
        gas_needed=max(consumed, used),
        logs=tuple(
            (bytes(address), tuple(topic.to_bytes(32, "big") for topic in topics), bytes(data))
            for address, topics, data in computation.get_log_entries()
        ),
        created=bytes(message.storage_address) if message.is_create and error is None else None,
        state_root=bytes(state.state_root),
        nodes=new.written,
    )


def credited(read: Read, root: bytes | None, amounts: Mapping[bytes, int]) -> tuple[bytes, Mapping[bytes, bytes]]:
    """Add to balances, in wei: the new root, and the nodes to keep. Without a root, the state is empty before."""
    new = _New(read)
    accounts = AccountDB(AtomicDB(new), root or BLANK_ROOT_HASH)  # type: ignore[arg-type]  # a NewType of bytes
    for address, wei in amounts.items():
        accounts.set_balance(address, accounts.get_balance(address) + wei)  # type: ignore[arg-type]  # the same
    accounts.persist()
    return bytes(accounts.state_root), new.written


def _counted(precompiled: Mapping[Any, Precompiled]) -> dict[Any, Precompiled]:
    """The machine's own contracts, by address; of some, work is counted beside their gas."""
    weights = {address: PRECOMPILED.get(int.from_bytes(address, "big")) for address in precompiled}
    return {
        address: compute if (times := weights[address]) is None else _weighed(compute, times)
        for address, compute in precompiled.items()
    }


def _weighed(compute: Precompiled, times: int) -> Precompiled:
    """A contract of the machine's own that asks for its work before it is done."""

    def weighed(computation: Any) -> Any:
        consume = computation.consume_gas

        def paid(amount: int, reason: str) -> None:
            consume(amount, reason)
            computation.state.work.spend(amount * times)

        computation.consume_gas = paid
        return compute(computation)

    return weighed


class _Computation(PragueComputation):
    """Prague's rules, with work counted: what a call is given is copied, for the same gas whatever its length."""

    _precompiles = _counted(PragueComputation.get_precompiles())

    def __init__(self, state: Any, message: Any, transaction_context: Any) -> None:
        state.work.spend(MESSAGE + len(message.data) // BYTES_COPIED)
        super().__init__(state, message, transaction_context)


class _State(PragueState):
    """Prague's rules, with work counted."""

    computation_class = _Computation


class _New(BaseDB):
    """What the machine reads, with what it writes on top; the machine deletes nothing that was kept before."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.written: dict[bytes, bytes] = {}

    def __getitem__(self, key: bytes) -> bytes:
        found = self.written.get(key)
        if found is None:
            found = self._read(key)
        if found is None:
            raise KeyError(key)
        return found

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.written[key] = value

    def __delitem__(self, key: bytes) -> None:
        self.written.pop(key, None)

    def _exists(self, key: bytes) -> bool:
        return key in self.written or self._read(key) is not None


def _context(around: Surroundings) -> ExecutionContext:
    return ExecutionContext(
        coinbase=around.coinbase,  # type: ignore[arg-type]  # py-evm's NewTypes of bytes and int
        timestamp=around.at,
        block_number=around.number,  # type: ignore[arg-type]  # the same
        difficulty=0,
        mix_hash=around.mix,  # type: ignore[arg-type]  # the same
        gas_limit=around.gas_limit,
        prev_hashes=around.hashes,  # type: ignore[arg-type]  # the same
        chain_id=around.chain_id,
        base_fee_per_gas=around.base_fee,
        excess_blob_gas=0,
    )


def _words(error: VMError) -> str:
    if isinstance(error, Revert):
        return "execution reverted"
    return "out of gas" if isinstance(error, OutOfGas) else f"{type(error).__name__}: {error}"[:200]
