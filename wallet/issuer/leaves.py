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
from ssi.ledger.merkle import Tree
from wallet.issuer.codes import Random
from wallet.issuer.store import ANCHORS, LEAVES

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
    built = tree(connection, id)
    row = {"id": id, "root": built.root, "size": len(built), "closed_at": now}
    connection.execute(insert(ANCHORS).values(row))
    return len(built)


def entries(connection: Connection, id: str) -> list[bytes]:
    """The entries of a closed batch in the order of its tree."""
    rows = connection.execute(select(LEAVES.c.entry).where(LEAVES.c.anchor == id)).scalars()
    return sorted(bytes(entry) for entry in rows)


def tree(connection: Connection, id: str) -> Tree:
    """The tree of a closed batch."""
    return Tree(b"".join(entries(connection, id)))
