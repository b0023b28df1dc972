"""Leaves: what of a credential goes into the tree whose root the ledger keeps?

A digest of what each of its showings repeats, salted with a secret that only the wallet gets. Nothing here says which
credential a leaf is of, and no order tells it: rows and trees are sorted by value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, insert, select, update

from service import hot
from ssi.encoding import Json, b64url
from ssi.ledger import merkle
from wallet.issuer.codes import Random
from wallet.issuer.crowns import RUN, Crown
from wallet.issuer.store import ANCHORS, CROWNS, LEAVES

PATH: Final = "/ledger/receipts"
_ADD: Final = insert(LEAVES)


@dataclass(frozen=True)
class Leaves:
    """Adds leaves, and tells the wallet how to get the receipt for one; `href` is where it asks."""

    href: str
    random: Random

    def add(self, connection: Connection, core: bytes | None) -> dict[str, Json] | None:
        """A leaf for a credential, in the caller's transaction, and the promise that goes with the credential.

        None for a credential whose showings have nothing in common.
        """
        if core is None:
            return None
        salt = self.random(merkle.SIZE)
        hot.run(connection, _ADD, {"entry": merkle.entry(salt, core)})
        return {"salt": b64url(salt), "href": self.href}


def close(connection: Connection, *, id: str, now: int) -> int:
    """Close a batch over all leaves that are in none, in the caller's transaction; returns how many they are."""
    found = connection.execute(update(LEAVES).where(LEAVES.c.anchor.is_(None)).values(anchor=id))
    if not found.rowcount:
        return 0
    made = Crown.of(entries(connection, id))
    connection.execute(insert(ANCHORS).values(id=id, root=made.root, size=made.size, closed_at=now))
    connection.execute(insert(CROWNS).values(anchor=id, firsts=made.firsts, roots=made.roots))
    return made.size


def entries(connection: Connection, id: str) -> list[bytes]:
    """The entries of a closed batch in the order of its tree."""
    rows = connection.execute(select(LEAVES.c.entry).where(LEAVES.c.anchor == id)).scalars()
    return sorted(bytes(entry) for entry in rows)


def crown(connection: Connection, id: str) -> Crown:
    """The upper part of a closed batch's tree."""
    row = connection.execute(_CROWN.where(ANCHORS.c.id == id)).one()
    return Crown(row.size, bytes(row.firsts), bytes(row.roots))


def run(connection: Connection, id: str, first: bytes) -> list[bytes]:
    """The run of a closed batch's entries that begins with this one."""
    rows = connection.execute(_RUN.where(LEAVES.c.anchor == id, LEAVES.c.entry >= first)).scalars()
    return [bytes(entry) for entry in rows]


_CROWN: Final = select(ANCHORS.c.size, CROWNS.c.firsts, CROWNS.c.roots).join(CROWNS, CROWNS.c.anchor == ANCHORS.c.id)
_RUN: Final = select(LEAVES.c.entry).order_by(LEAVES.c.entry).limit(RUN)
