"""Heads: of what does the ledger keep the newest state, so that nobody can show an older one?

Of each status list that stands at an address, and of the desk's own DID. On the ledger each is a digest with a number
that only rises.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, select

from ssi.ledger.finality import Finality
from ssi.ledger.writing import Write
from wallet.issuer.identity import newest
from wallet.issuer.statuses import Publisher
from wallet.issuer.store import HEADS, STATUS_LISTS


@dataclass(frozen=True)
class Head:
    """The newest state of one thing: its name (the list's address, or the SCID of the DID), a number and a digest."""

    name: str
    number: int
    digest: bytes


def finality(write: Write) -> str:
    """How final a write is, as the tables have it."""
    return write.state.value if isinstance(write.state, Finality) else write.state


def intent(head: Head) -> str:
    """Under which name the journal of writes knows a head."""
    return f"head {head.name} {head.number}"


def of_log(log: bytes) -> Head:
    """The head of the desk's did:webvh log: of its SCID, the newest version ("4-Qm…")."""
    entry = newest(log)
    version = str(entry["versionId"])
    scid = str(entry["state"]["id"]).split(":")[2]
    return Head(scid, int(version.split("-", 1)[0]), sha256(version.encode()).digest())


def of_lists(connection: Connection, publisher: Publisher) -> Iterator[Head]:
    """The heads of all status lists, in all the ways they are published; only of those that have changed since."""
    known = {row.subject: row for row in connection.execute(select(HEADS)).all()}
    for row in connection.execute(select(STATUS_LISTS.c.id, STATUS_LISTS.c.changes)).all():
        number = int(row.changes) + 1
        held = [known.get(name) for name in publisher.names(row.id)]
        if any(one is None or one.number < number or one.finality != Finality.FINALIZED.value for one in held):
            for name, digest in publisher.digests(connection, row.id).items():
                yield Head(name, number, digest)


def is_open(connection: Connection, head: Head) -> bool:
    """Is there anything to do for it: is it new, or its write not final?"""
    row = _row(connection, head)
    return row is None or row.number < head.number or row.finality != Finality.FINALIZED.value


def note(connection: Connection, head: Head, write: Write, *, now: int) -> bool:
    """Record how a state stands on the ledger, in the caller's transaction; was there anything new?"""
    values: dict[str, Any] = {
        "number": head.number,
        "digest": head.digest,
        "tx": write.transaction_hash,
        "block": write.block_number,
        "gas": write.gas_used,
        "finality": finality(write),
    }
    row = _row(connection, head)
    if row is None:
        connection.execute(HEADS.insert().values(subject=head.name, stated_at=now, **values))
        return True
    if all(getattr(row, name) == value for name, value in values.items()):
        return False
    connection.execute(HEADS.update().where(HEADS.c.subject == head.name).values(stated_at=now, **values))
    return True


def _row(connection: Connection, head: Head) -> Any:
    return connection.execute(select(HEADS).where(HEADS.c.subject == head.name)).first()
