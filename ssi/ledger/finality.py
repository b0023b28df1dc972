"""How sure is what a ledger says?"""

from __future__ import annotations

from enum import Enum


class Finality(Enum):
    """How sure it is that a block stays.

    PENDING: not in a block, in one with too few blocks on top, or in one that the chain no longer has: ask again.
    CONFIRMED: enough blocks are on top of it. FINALIZED: the chain's own rule says that it never goes away.
    """

    PENDING = "pending"
    CONFIRMED = "confirmed"
    FINALIZED = "finalized"
