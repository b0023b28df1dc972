"""Issued credentials on record: find one, revoke it, suspend it, let it count again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, Engine, RowMapping, select, update

from service.store import reading, writing
from ssi.encoding import Json, seconds
from ssi.errors import Malformed, Refused
from wallet.issuer.statuses import Status
from wallet.issuer.store import CREDENTIALS, STATUS_LISTS

MAX_REASON: Final = 200
_LISTED: Final = 200


@dataclass(frozen=True)
class Record:
    """One issued credential: when, to which application, and how it stands. It says nothing about the person."""

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

    def state(self, *, now: datetime) -> str:
        """A word for pages: valid, suspended, revoked or expired."""
        return "expired" if self.status is Status.VALID and now >= self.expires_at else self.status.name.lower()

    def json(self, *, now: datetime) -> dict[str, Json]:
        """For the API and the command line."""
        return {
            "id": self.id,
            "application_id": self.application_id,
            "type": self.configuration_id,
            "state": self.state(now=now),
            "reason": self.reason,
            "issued_at": self.issued_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "changed_at": None if self.changed_at is None else self.changed_at.isoformat(),
            "status_list": self.list_id,
            "status_index": self.index,
        }


@dataclass(frozen=True)
class Records:
    """The desk's register of what it issued."""

    store: Engine

    def all(self) -> tuple[Record, ...]:
        """The latest credentials, newest first."""
        query = select(CREDENTIALS).order_by(CREDENTIALS.c.issued_at.desc(), CREDENTIALS.c.id).limit(_LISTED)
        with reading(self.store) as connection:
            return tuple(_record(row) for row in connection.execute(query).mappings())

    def get(self, credential_id: str) -> Record:
        """One credential. Raises Refused (`credential.unknown`)."""
        with reading(self.store) as connection:
            return _found(connection, credential_id)

    def of_application(self, application_id: str) -> Record | None:
        """The credential of an application, if one was issued."""
        query = select(CREDENTIALS).where(CREDENTIALS.c.application_id == application_id)
        with reading(self.store) as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _record(row)

    def mark(self, credential_id: str, status: Status, *, reason: str, now: datetime) -> Record:
        """Give a credential another status; its list is signed anew at the next request. Repeating changes nothing.

        Raises Refused (`credential.unknown`, `credential.revoked` because revoking is final), Malformed
        (`credential.reason`).
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
            _mark(connection, record, status, reason=text, now=now)
            return _found(connection, credential_id)


def _mark(connection: Connection, record: Record, status: Status, *, reason: str, now: datetime) -> None:
    connection.execute(
        update(CREDENTIALS)
        .where(CREDENTIALS.c.id == record.id)
        .values(status=int(status), reason=reason or None, changed_at=seconds(now))
    )
    changes = STATUS_LISTS.c.changes + 1
    connection.execute(update(STATUS_LISTS).where(STATUS_LISTS.c.id == record.list_id).values(changes=changes))


def _found(connection: Connection, credential_id: str, *, lock: bool = False) -> Record:
    query = select(CREDENTIALS).where(CREDENTIALS.c.id == credential_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if row is None:
        raise Refused("credential.unknown", "There is no such credential.")
    return _record(row)


def _record(row: RowMapping) -> Record:
    changed = row["changed_at"]
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
    )
