"""Issued credentials on record: find a card with its copies, revoke it, suspend it, let it count again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, RowMapping, Select, func, select, update

from service.store import reading, writing
from ssi.encoding import Json, seconds
from ssi.errors import Malformed, Refused
from wallet.issuer.statuses import Status
from wallet.issuer.store import BATCHES, CREDENTIALS, STATUS_LISTS

MAX_REASON: Final = 200
_LISTED: Final = 200


@dataclass(frozen=True)
class Told:
    """What a wallet said became of the credentials (OpenID4VCI 1.0 §11), in its own words."""

    event: str
    text: str | None
    at: datetime

    @property
    def json(self) -> dict[str, Json]:
        """For the API and the command line."""
        return {"event": self.event, "description": self.text, "at": self.at.isoformat()}


@dataclass(frozen=True)
class Record:
    """One batch of copies of a card, issued together: when, to which application, and how they stand.

    `id`, `list_id` and `index` are those of one of the `copies`. It says nothing about the person.
    """

    id: str
    application_id: str
    configuration_id: str
    status: Status
    reason: str | None
    issued_at: datetime
    expires_at: datetime
    changed_at: datetime | None
    list_id: str
    index: int
    copies: int
    told: Told | None

    def state(self, *, now: datetime) -> str:
        """A word for pages: valid, suspended, revoked or expired."""
        return "expired" if self.status is Status.VALID and now >= self.expires_at else self.status.name.lower()

    def json(self, *, now: datetime) -> dict[str, Json]:
        """For the API and the command line."""
        return {
            "id": self.id,
            "application_id": self.application_id,
            "type": self.configuration_id,
            "copies": self.copies,
            "state": self.state(now=now),
            "reason": self.reason,
            "issued_at": self.issued_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "changed_at": None if self.changed_at is None else self.changed_at.isoformat(),
            "status_list": self.list_id,
            "status_index": self.index,
            "notification": None if self.told is None else self.told.json,
        }


@dataclass(frozen=True)
class Records:
    """The desk's register of what it issued."""

    store: Engine

    def all(self) -> tuple[Record, ...]:
        """The latest batches, newest first."""
        latest = select(BATCHES.c.id).where(BATCHES.c.issued_at.is_not(None)).order_by(BATCHES.c.issued_at.desc())
        query = _records(CREDENTIALS.c.batch_id.in_(latest.limit(_LISTED)), first=True)
        with reading(self.store) as connection:
            rows = connection.execute(query.order_by(CREDENTIALS.c.issued_at.desc(), CREDENTIALS.c.id)).mappings()
            return tuple(_record(row) for row in rows)

    def get(self, credential_id: str) -> Record:
        """The batch of one credential. Raises Refused (`credential.unknown`)."""
        with reading(self.store) as connection:
            return _found(connection, credential_id)

    def of_application(self, application_id: str) -> Record | None:
        """The latest batch of an application, if anything was issued."""
        query = _records(CREDENTIALS.c.application_id == application_id, first=True)
        with reading(self.store) as connection:
            row = connection.execute(query.order_by(CREDENTIALS.c.issued_at.desc())).mappings().first()
        return None if row is None else _record(row)

    def mark(self, credential_id: str, status: Status, *, reason: str, now: datetime) -> Record:
        """Give a card another status: every copy, in every form, that its application has had.

        The lists are signed anew at the next request, and no further copies are issued while the card does not count.
        Repeating changes nothing. Raises Refused (`credential.unknown`, `credential.revoked` because revoking is
        final), Malformed (`credential.reason`).
        """
        text = " ".join(reason.split())
        if len(text) > MAX_REASON or not text.isprintable():
            raise Malformed("credential.reason", f"Give a reason of at most {MAX_REASON} characters.")
        with writing(self.store) as connection:
            record = _found(connection, credential_id, lock=True)
            if record.status is status:
                return record
            if record.status is Status.REVOKED:
                raise Refused("credential.revoked", "A revoked credential stays revoked. Issue a new one instead.")
            _mark(connection, record.application_id, status, reason=text, now=now)
            return _found(connection, credential_id)


def _mark(connection: Connection, application_id: str, status: Status, *, reason: str, now: datetime) -> None:
    copies = (CREDENTIALS.c.application_id == application_id, CREDENTIALS.c.status != int(Status.REVOKED))
    lists = select(CREDENTIALS.c.list_id).where(*copies).distinct()
    changes = STATUS_LISTS.c.changes + 1
    connection.execute(update(STATUS_LISTS).where(STATUS_LISTS.c.id.in_(lists)).values(changes=changes))
    values = {"status": int(status), "reason": reason or None, "changed_at": seconds(now)}
    connection.execute(update(CREDENTIALS).where(*copies).values(values))


def _records(*conditions: Any, first: bool) -> Select[Any]:
    """Credentials with their batches and how many copies these have; `first`: one of each batch only."""
    copies = CREDENTIALS.alias("copies")
    own = copies.c.batch_id == CREDENTIALS.c.batch_id
    number = select(func.count()).select_from(copies).where(own).scalar_subquery()
    told = (BATCHES.c.event, BATCHES.c.event_text, BATCHES.c.event_at)
    query = select(CREDENTIALS, *told, number.label("copies")).join(BATCHES, BATCHES.c.id == CREDENTIALS.c.batch_id)
    if first:
        query = query.where(CREDENTIALS.c.id == select(func.min(copies.c.id)).where(own).scalar_subquery())
    return query.where(*conditions)


def _found(connection: Connection, credential_id: str, *, lock: bool = False) -> Record:
    query = _records(CREDENTIALS.c.id == credential_id, first=False)
    row = connection.execute(query.with_for_update(of=CREDENTIALS) if lock else query).mappings().first()
    if row is None:
        raise Refused("credential.unknown", "There is no such credential.")
    return _record(row)


def _record(row: RowMapping) -> Record:
    changed, event = row["changed_at"], row["event"]
    told = None if event is None else Told(event, row["event_text"], datetime.fromtimestamp(row["event_at"], UTC))
    return Record(
        id=row["id"],
        application_id=row["application_id"],
        configuration_id=row["configuration_id"],
        status=Status(row["status"]),
        reason=row["reason"],
        issued_at=datetime.fromtimestamp(row["issued_at"], UTC),
        expires_at=datetime.fromtimestamp(row["expires_at"], UTC),
        changed_at=None if changed is None else datetime.fromtimestamp(changed, UTC),
        list_id=row["list_id"],
        index=row["list_index"],
        copies=row["copies"],
        told=told,
    )
