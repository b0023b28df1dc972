"""What may a transaction cost? Bids for gas under a cap, and better bids when the price rises (EIP-1559)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ssi.errors import Refused
from ssi.ledger.chain import Fees

_MORE: Final = 1_125
"""Nodes take a transaction in another's place only if both its bounds are at least an eighth higher (thousandths)."""


@dataclass(frozen=True)
class Bid:
    """Bounds in wei per gas: at most `max_fee` in all, of which `tip` at most goes to whoever makes the block."""

    max_fee: int
    tip: int


def bid(fees: Fees, *, cap: int) -> Bid:
    """A bid that still counts when the base fee has doubled, under the cap. Raises Refused (`ledger.fee_cap`)."""
    base = fees.base or 0
    if base > cap or (fees.base is None and fees.tip > cap):
        raise too_dear(max(base, fees.tip), cap)
    tip = min(fees.tip, cap - base)
    return Bid(min(cap, 2 * base + tip), tip)


def higher(last: Bid, fees: Fees, *, cap: int) -> Bid | None:
    """A bid that may take the place of the last one; None when it would be above the cap."""
    now = Bid(2 * (fees.base or 0) + fees.tip, fees.tip)
    least = Bid(_raised(last.max_fee), _raised(last.tip))
    if least.max_fee > cap or (fees.base or 0) > cap:
        return None
    return Bid(min(cap, max(least.max_fee, now.max_fee)), min(cap, max(least.tip, now.tip)))


def too_dear(price: int, cap: int) -> Refused:
    """The refusal, with both prices in wei per gas."""
    return Refused("ledger.fee_cap", f"Gas costs {price} wei now, more than the {cap} that may be paid; try later.")


def _raised(price: int) -> int:
    return (price * _MORE + 999) // 1_000 + 1
