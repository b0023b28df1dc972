"""Receipts: what leads from one credential to the ledger, for the wallet that asks with its leaf?

A leaf is a salted digest which only the issuer's tree and the credential's holder know, so whoever asks with one may
have its receipt. The salt is not here: the wallet adds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, select

from service.store import reading
from ssi.cose import cbor
from ssi.encoding import Json, b64url, unb64url
from ssi.errors import Malformed
from ssi.ledger.finality import Finality
from ssi.ledger.merkle import SIZE
from wallet.issuer import leaves
from wallet.issuer.crowns import Crown
from wallet.issuer.store import ANCHORS, LEAVES

MOST: Final = 64
"""How many leaves one question may have: a full batch of copies."""


@dataclass(frozen=True)
class Receipts:
    """Makes receipts. What one costs does not depend on how large its batch is, nor on who asked for which before."""

    store: Engine

    def of(self, entries: Sequence[bytes]) -> tuple[dict[str, Json] | None, ...]:
        """For each leaf entry its receipt without the salt; None while there is none, and for what is no leaf."""
        with reading(self.store) as connection:
            rows = {bytes(row.entry): row for row in connection.execute(_found(entries)).all()}
            crowns = {id: leaves.crown(connection, id) for id in {row.anchor for row in rows.values()}}
            made = {entry: _one(connection, entry, row, crowns[row.anchor]) for entry, row in rows.items()}
        return tuple(made.get(entry) for entry in entries)


def _one(connection: Connection, entry: bytes, row: Any, crown: Crown) -> dict[str, Json]:
    index, path = crown.prove(entry, leaves.run(connection, row.anchor, crown.first(entry)))
    return {**row.proof, "path": b64url(cbor.encode([crown.size, index, list(path)]))}


def _found(entries: Sequence[bytes]) -> Any:
    return (
        select(LEAVES.c.entry, LEAVES.c.anchor, ANCHORS.c.proof)
        .join(ANCHORS, ANCHORS.c.id == LEAVES.c.anchor)
        .where(LEAVES.c.entry.in_(entries), _FINAL)
    )


_FINAL: Final = ANCHORS.c.proof.is_not(None) & (ANCHORS.c.finality == Finality.FINALIZED.value)
"""A receipt from a block that is not final could be of one that the chain loses, and nobody asks for another."""


def read_question(value: Json) -> tuple[bytes, ...]:
    """The leaf entries that a wallet asks for: `{"entries": [base64url, …]}`. Raises Malformed (`ledger.question`)."""
    entries = value.get("entries") if isinstance(value, dict) else None
    if isinstance(entries, list) and 0 < len(entries) <= MOST and all(isinstance(one, str) for one in entries):
        found = tuple(unb64url(one, what="leaf") for one in entries)
        if all(len(one) == SIZE for one in found):
            return found
    raise Malformed("ledger.question", f"Ask with 1 to {MOST} leaves, each 32 bytes in base64url.")
