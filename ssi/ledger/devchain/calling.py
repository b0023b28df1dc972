"""Calls that write nothing: what would a contract answer, and how much gas would a transaction need?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ssi.ledger.devchain import accounts, mining, wire
from ssi.ledger.devchain.blocks import GAS_LIMIT, Header
from ssi.ledger.devchain.errors import refused, reverted
from ssi.ledger.devchain.params import Call
from ssi.ledger.devchain.store import Session
from ssi.ledger.devchain.wire import Signed
from ssi.ledger.devchain.work import Work

if TYPE_CHECKING:
    from ssi.ledger.devchain.machine import Outcome

_NEAR: Final = 0.015  # as near as an estimate must come to the least gas that suffices


@dataclass(frozen=True)
class Place:
    """Where a call is made: on the state after the block of `header`, for so much work."""

    session: Session
    header: Header
    chain_id: int
    work: Work


def answer(place: Place, call: Call, *, most: int) -> bytes:
    """What a contract answers, for `most` gas at most.

    Raises RpcError (3 where it reverts, -32005 where the work does not suffice).
    """
    outcome = _run(place, call, min(call.gas or most, most))
    _raise(outcome)
    return outcome.output


def estimate(place: Place, call: Call, *, most: int) -> int:
    """The gas that a transaction needs, at most 1.5 % too much. Raises RpcError as `answer` does."""
    session, header = place.session, place.header
    if not call.data and call.to and not accounts.code(session.node, header.state_root, call.to):
        _run(place, call, most)
        return wire.least(call.data, call.accesses, creates=False)
    most = min(call.gas or most, most, _affordable(session, header, call))
    outcome = _run(place, call, most)
    _raise(outcome)
    least = outcome.gas_used - 1
    # A call hands on 63/64 of its gas at most (EIP-150), so a little more than what was used may be needed.
    guess = min(most, (outcome.gas_needed + 2_300) * 64 // 63)
    while most - least > 1 and (most - least) / most > _NEAR:
        tried = guess if least < guess < most else (most + least) // 2
        guess = 0
        if _run(place, call, tried).error is None:
            most = tried
        else:
            least = tried
    return most


def _run(place: Place, call: Call, gas: int) -> Outcome:
    session, header, chain_id = place.session, place.header, place.chain_id
    wire.fits(call.to, call.data)
    needed = wire.least(call.data, call.accesses, creates=not call.to)
    if gas < needed:
        raise refused(f"intrinsic gas too low: gas {gas}, minimum needed {needed}")
    if call.value > accounts.account(session.node, header.state_root, call.sender).balance:
        raise refused("insufficient funds for gas * price + value")
    asked = Signed(
        b"", b"", 2, chain_id, 0, 0, 0, gas, call.to, call.value, call.data, call.accesses, 0, 0, 0, call.sender
    )
    due = wire.intrinsic(call.data, call.accesses, creates=not call.to)
    place.work.need(gas - due)
    outcome = mining.execute(session, replace(header, base_fee=0), asked, chain_id=chain_id, work=place.work)
    place.work.spend(outcome.gas_needed - due)
    return outcome


def _raise(outcome: Outcome) -> None:
    if outcome.reverted:
        raise reverted(outcome.output)
    if outcome.error is not None:
        raise refused(outcome.error)


def _affordable(session: Session, header: Header, call: Call) -> int:
    """The gas that the sender can pay for, if a price was said."""
    if not call.max_fee:
        return GAS_LIMIT
    balance = accounts.account(session.node, header.state_root, call.sender).balance
    if balance < call.value:
        raise refused("insufficient funds for gas * price + value")
    return (balance - call.value) // call.max_fee


def fees(session: Session, count: int, newest: int) -> list[Header]:
    """The headers of the `count` blocks up to `newest`, for `eth_feeHistory`."""
    rows = [session.block(number) for number in range(max(newest - count + 1, 0), newest + 1)]
    return [Header.read(row.header) for row in rows if row is not None]
