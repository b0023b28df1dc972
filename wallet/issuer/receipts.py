"""Receipts: what leads from one credential to the ledger, for the wallet that asks with its leaf?

A leaf is a salted digest which only the issuer's tree and the credential's holder know, so whoever asks with one may
have its receipt. The salt is not here: the wallet adds it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, select

from service.store import reading
from ssi.caching import Cache, Kept
from ssi.cose import cbor
from ssi.encoding import Json, b64url, unb64url
from ssi.errors import Malformed
from ssi.ledger.merkle import SIZE, Tree
from wallet.issuer import leaves
from wallet.issuer.store import ANCHORS, LEAVES

MOST: Final = 64
"""How many leaves one question may have: a full batch of copies."""
_KEEP: Final = timedelta(minutes=10)


@dataclass(frozen=True)
class Receipts:
    """Makes receipts; the trees of the last few batches that somebody asked for stay in memory."""

    store: Engine
    _trees: Cache[str, tuple[Tree, tuple[bytes, ...]]] = field(default_factory=lambda: Cache(size=4), repr=False)

    def of(self, entries: Sequence[bytes], *, now: datetime) -> tuple[dict[str, Json] | None, ...]:
        """For each leaf entry its receipt without the salt; None while there is none, and for what is no leaf."""
        with reading(self.store) as connection:
            found = {bytes(row.entry): row for row in connection.execute(_found(entries)).all()}
        return tuple(None if entry not in found else self._one(entry, found[entry], now=now) for entry in entries)

    def _one(self, entry: bytes, row: Any, *, now: datetime) -> dict[str, Json]:
        tree, order = self._trees.get(row.anchor, now=now, load=lambda _: self._loaded(row.anchor, now=now))
        index = bisect_left(order, entry)
        path = cbor.encode([len(tree), index, list(tree.prove(index))])
        return {**row.proof, "path": b64url(path)}

    def _loaded(self, id: str, *, now: datetime) -> Kept[tuple[Tree, tuple[bytes, ...]]]:
        with reading(self.store) as connection:
            entries = leaves.entries(connection, id)
        return Kept((Tree(b"".join(entries)), tuple(entries)), now, now + _KEEP)


def _found(entries: Sequence[bytes]) -> Any:
    return (
        select(LEAVES.c.entry, LEAVES.c.anchor, ANCHORS.c.proof)
        .join(ANCHORS, ANCHORS.c.id == LEAVES.c.anchor)
        .where(LEAVES.c.entry.in_(entries), ANCHORS.c.proof.is_not(None))
    )


def read_question(value: Json) -> tuple[bytes, ...]:
    """The leaf entries that a wallet asks for: `{"entries": [base64url, …]}`. Raises Malformed (`ledger.question`)."""
    entries = value.get("entries") if isinstance(value, dict) else None
    if isinstance(entries, list) and 0 < len(entries) <= MOST and all(isinstance(one, str) for one in entries):
        found = tuple(unb64url(one, what="leaf") for one in entries)
        if all(len(one) == SIZE for one in found):
            return found
    raise Malformed("ledger.question", f"Ask with 1 to {MOST} leaves, each 32 bytes in base64url.")
