"""What strangers may have done here for nothing: so much work for one request, and so few requests at once.

A unit of work is the time that one gas of ordinary instructions takes (about half a microsecond); what asks for no gas
is counted in the same unit, roughly as it was measured. Time itself is not looked at, so the same request always
gets the same answer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from ssi.ledger.devchain.errors import too_many

QUESTION: Final = 1_000
"""Any question at all."""
RAW_BYTE: Final = 3
"""A byte of a transaction that is sent, which may be an item of a list."""
BLOCK: Final = 100
"""A block that is read."""
LOG: Final = 100
"""A log that is found."""
SLOT: Final = 1_000
"""A slot of storage with its proof."""
MESSAGE: Final = 100
"""A call of a contract by another, beside its gas."""
BYTES_COPIED: Final = 64
"""So many bytes that a call is given are one unit more."""

_WORKING: Final = 2
_WAITING: Final = 6

PRECOMPILED: Final[Mapping[int, int]] = {
    0x07: 5,  # a point of alt_bn128 times a number (EIP-196)
    0x08: 10,  # pairings on alt_bn128 (EIP-197)
    0x09: 16,  # rounds of BLAKE2b (EIP-152)
    0x0C: 12,  # BLS12-381 (EIP-2537): sums of multiples in G1,
    0x0D: 6,  # an addition in G2,
    0x0E: 25,  # sums of multiples in G2,
    0x0F: 44,  # pairings,
    0x11: 18,  # and a number mapped to G2
}
"""Contracts of the machine's own, by address, that take much longer here than their gas says: so many times."""


class Work:
    """How much may still be done for one request; without a bound where the owner of the chain asks."""

    def __init__(self, units: int | None = None) -> None:
        self._left = units

    def need(self, units: int) -> None:
        """Is there still so much? Raises RpcError (-32005) if not; nothing is taken yet."""
        if self._left is not None and units > self._left:
            raise too_many("the request asks for too much work: ask for less at once")

    def spend(self, units: int) -> None:
        """Take so much. Raises RpcError (-32005) where there was less; then there is nothing left."""
        if self._left is not None:
            short = units > self._left
            self._left = max(self._left - units, 0)
            if short:
                raise too_many("the request asks for too much work: ask for less at once")


class Door:
    """Lets few in at once, lets a few more wait, and sends away the rest: they should ask again later."""

    def __init__(self, *, working: int = _WORKING, waiting: int = _WAITING) -> None:
        self._working = threading.BoundedSemaphore(working)
        self._here = threading.BoundedSemaphore(working + waiting)

    @contextmanager
    def entered(self) -> Iterator[bool]:
        """While the block lasts, one more works; False if there was no place, not even to wait."""
        if not self._here.acquire(blocking=False):
            yield False
            return
        try:
            with self._working:
                yield True
        finally:
            self._here.release()
