"""Newer: does a ledger know of a later version of a DID than the one that is kept here?

A DID that has been resolved is kept for minutes, and for as long a key that was replaced meanwhile would count. Where
its head is on a ledger (docs/adr/0016) that need not be: the head is one short question.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ssi.caching import Cache, Kept
from ssi.dids import Resolved
from ssi.errors import SsiError
from ssi.ledger.anchor import TrustAnchor, name_hash
from ssi.ledger.ledger import Ledgers

LOOK: Final = timedelta(seconds=5)
"""The time between two looks at one DID's head."""
RETRY: Final = timedelta(seconds=10)
"""After trouble, how long nobody asks again."""
_WEBVH: Final = "did:webvh:"


@dataclass(frozen=True)
class _Head:
    """The number of the newest version that the ledger has, 0 for none or unknown, and when that was asked."""

    number: int
    at: datetime


class Newer:
    """Looks at the heads of DIDs. Safe to share between threads: while one looks, others take what was seen last."""

    def __init__(self, ledgers: Ledgers, *, size: int = 256) -> None:
        self._ledgers = ledgers
        self._heads: Cache[tuple[str, str], _Head] = Cache(size=size)

    def seen(self, did: str, found: Resolved, *, now: datetime) -> datetime | None:
        """When it was seen that the ledger has a later version than this.

        None where it has none, where the DID has no head there, and where the ledger cannot be asked.
        """
        identity, version = found.evidence.get("identity"), found.evidence.get("version")
        contract = self._contract(found.evidence.get("chain_id"))
        if contract is None or not did.startswith(_WEBVH) or not isinstance(identity, str) or version is None:
            return None
        subject = name_hash(did.removeprefix(_WEBVH).partition(":")[0])

        def load(_before: Kept[_Head] | None) -> Kept[_Head]:
            try:
                head = contract.head(identity, subject)
            except SsiError:
                return Kept(_Head(0, now), now, now + RETRY)
            return Kept(_Head(0 if head is None else head.number, now), now, now + LOOK)

        newest = self._heads.get((did, identity), now=now, load=load, meanwhile=lambda _kept: True)
        return newest.at if newest.number > version else None

    def _contract(self, chain_id: object) -> TrustAnchor | None:
        ledger = self._ledgers.by_network.get(hex(chain_id)) if isinstance(chain_id, int) else None
        return None if ledger is None else ledger.anchor
