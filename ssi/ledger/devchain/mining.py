"""New blocks: each transaction that is right is mined at once, in a block of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Final

from ssi.ledger.devchain import blocks, wire
from ssi.ledger.devchain.accounts import account
from ssi.ledger.devchain.blocks import Header, Withdrawal
from ssi.ledger.devchain.errors import refused
from ssi.ledger.devchain.store import BlockRow, LogRow, Session, TransactionRow
from ssi.ledger.devchain.wire import Signed
from ssi.ledger.devchain.work import Work

if TYPE_CHECKING:
    from ssi.ledger.devchain.machine import Outcome, Surroundings

FAUCET: Final = 1_000_000 * 10**18
_GWEI: Final = 10**9
_ANCESTORS: Final = 256


def begin(session: Session, *, chain_id: int, faucet: Sequence[bytes], at: int) -> None:
    """Make the first block, with money for the faucet's accounts."""
    root, nodes = _machine().credited(session.node, None, dict.fromkeys(faucet, FAUCET))
    session.put_fact("chain_id", chain_id)
    session.put_nodes(nodes)
    _put(session, blocks.after(None, state_root=root, at=at))


def send(session: Session, signed: Signed, *, chain_id: int, at: int) -> bytes:
    """Check a transaction, mine it, and return its hash. A failing contract is mined too: its receipt says so.

    Raises RpcError in the words of other nodes; nothing is written then.
    """
    header = check(session, signed, chain_id=chain_id, at=at)
    outcome = execute(session, header, signed, chain_id=chain_id)
    bloom = blocks.bloom_of(outcome.logs)
    receipt = blocks.receipt(
        signed.kind, ok=outcome.error is None, gas=outcome.gas_used, bloom=bloom, logs=outcome.logs
    )
    header = replace(
        header,
        state_root=outcome.state_root,
        transactions_root=blocks.root([signed.raw]),
        receipts_root=blocks.root([receipt]),
        bloom=bloom,
        gas_used=outcome.gas_used,
    )
    session.put_nodes(outcome.nodes)
    _put(session, header)
    session.put_transaction(
        TransactionRow(
            hash=signed.hash,
            number=header.number,
            sender=signed.sender,
            raw=signed.raw,
            receipt=receipt,
            gas_used=outcome.gas_used,
            price=signed.price(header.base_fee),
            created=outcome.created,
        )
    )
    session.put_logs(LogRow(header.number, place, *one) for place, one in enumerate(outcome.logs))
    return signed.hash


def empty(session: Session, count: int, *, at: int, extra: bytes = b"") -> None:
    """Mine blocks in which nothing happens."""
    for _ in range(count):
        parent = head(session)
        _put(session, blocks.after(parent, state_root=parent.state_root, at=at, extra=extra))


def give(session: Session, amounts: Mapping[bytes, int], *, at: int) -> None:
    """Mine a block that brings money from nowhere, in wei rounded up to the gwei: for tests."""
    parent = head(session)
    whole = {address: -(-wei // _GWEI) for address, wei in amounts.items()}
    root, nodes = _machine().credited(
        session.node, parent.state_root, {address: gwei * _GWEI for address, gwei in whole.items()}
    )
    given = [Withdrawal(parent.number, place, address, gwei) for place, (address, gwei) in enumerate(whole.items())]
    session.put_nodes(nodes)
    _put(session, blocks.after(parent, state_root=root, at=at, withdrawals=given), given)


def reorganise(session: Session, depth: int, *, at: int) -> None:
    """Replace the newest blocks by as many empty ones: what they held is gone, for tests."""
    old = head(session)
    if not 0 < depth <= old.number:
        raise refused("reorg depth exceeds the chain")
    session.cut(old.number - depth)
    empty(session, depth, at=at, extra=old.hash()[:8])


def execute(session: Session, header: Header, signed: Signed, *, chain_id: int, work: Work | None = None) -> Outcome:
    """Run a transaction on the state of `header`, in a block that looks like it; `work` bounds what nobody pays for."""
    machine = _machine()
    transaction = machine.Transaction(
        sender=signed.sender,
        to=signed.to,
        value=signed.value,
        data=signed.data,
        gas=signed.gas,
        intrinsic_gas=wire.intrinsic(signed.data, signed.accesses, creates=not signed.to),
        max_fee_per_gas=signed.max_fee,
        max_priority_fee_per_gas=signed.tip,
        access_list=tuple(
            (address, tuple(int.from_bytes(slot, "big") for slot in slots)) for address, slots in signed.accesses
        ),
    )
    around = surroundings(session, header, chain_id=chain_id)
    outcome: Outcome = machine.run(session.node, header.state_root, around, transaction, work or Work())
    return outcome


def surroundings(session: Session, header: Header, *, chain_id: int) -> Surroundings:
    """What contracts see of the block with this header."""
    made: Surroundings = _machine().Surroundings(
        chain_id=chain_id,
        number=header.number,
        at=header.at,
        base_fee=header.base_fee,
        gas_limit=header.gas_limit,
        mix=header.mix,
        hashes=_before(session, header.number),
        coinbase=header.coinbase,
    )
    return made


def head(session: Session) -> Header:
    """The newest block's header."""
    row = session.head()
    if row is None:
        raise refused("the chain has no first block")
    return Header.read(row.header)


def check(session: Session, signed: Signed, *, chain_id: int, at: int, early: bool = False) -> Header:
    """Can the transaction be mined? The header of the block that it would come into.

    `early` leaves out what may come right by itself before it is asked again: that others with lower numbers are
    missing. Raises RpcError in the words of other nodes.
    """
    parent = head(session)
    header = blocks.after(parent, state_root=parent.state_root, at=at)
    if signed.chain_id != chain_id:
        raise refused(f"invalid chain id for signer: have {signed.chain_id} want {chain_id}")
    if session.transaction(signed.hash) is not None:
        raise refused("already known")
    who = account(session.node, header.state_root, signed.sender)
    if signed.nonce < who.nonce or (signed.nonce > who.nonce and not early):
        side = "low" if signed.nonce < who.nonce else "high"
        raise refused(f"nonce too {side}: next nonce {who.nonce}, tx nonce {signed.nonce}")
    if signed.gas > header.gas_limit:
        raise refused("exceeds block gas limit")
    if signed.tip > signed.max_fee:
        raise refused("max priority fee per gas higher than max fee per gas")
    needed = wire.least(signed.data, signed.accesses, creates=not signed.to)
    if signed.gas < needed:
        raise refused(f"intrinsic gas too low: gas {signed.gas}, minimum needed {needed}")
    if signed.max_fee < header.base_fee:
        raise refused(f"max fee per gas less than block base fee: {signed.max_fee} < {header.base_fee}")
    if who.balance < signed.gas * signed.max_fee + signed.value:
        raise refused("insufficient funds for gas * price + value")
    return header


def _put(session: Session, header: Header, withdrawals: Sequence[Withdrawal] = ()) -> None:
    kept = blocks.write_withdrawals(withdrawals)
    session.put_block(BlockRow(header.number, header.hash(), header.at, header.encoded(), kept))


def _before(session: Session, number: int) -> Iterator[bytes]:
    for earlier in range(number - 1, max(number - 1 - _ANCESTORS, -1), -1):
        row = session.block(earlier)
        if row is not None:
            yield row.hash


def _machine() -> ModuleType:
    """The virtual machine, which takes about two seconds to import: only who runs contracts waits for it."""
    from ssi.ledger.devchain import machine  # noqa: PLC0415  (the reason is in the docstring)

    return machine
