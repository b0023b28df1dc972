"""The wallet's tables: where do sealed vaults and their records stand? Nothing here can read what it keeps.

A name, a claim, a passphrase or a key never reaches this module unsealed; it sees blinded names, random ids,
ciphertext, and for unfinished business the time when it may be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Delete,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    RowMapping,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    Update,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from service.store import reading, writing
from ssi.encoding import read_json_object, seconds, write_json
from ssi.errors import Refused
from wallet.holder.passphrase import Derivation

METADATA = MetaData()

_VAULTS = Table(
    "vaults",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("name", LargeBinary(32), nullable=False, unique=True),
    Column("derivation", Text, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("service_key", String(16), nullable=False),
)
_RECORDS = Table(
    "records",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("vault", String(32), ForeignKey("vaults.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("id", String(32), nullable=False),
    Column("version", Integer, nullable=False),
    Column("lookup", LargeBinary(32)),
    Column("expires", Integer),
    Column("sealed", LargeBinary, nullable=False),
    UniqueConstraint("vault", "kind", "id"),
    UniqueConstraint("vault", "kind", "lookup"),
)
_EXPIRES = Index("records_expires", _RECORDS.c.expires)
_ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("who", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("not_before", Integer, nullable=False),
    Column("last", Integer, nullable=False),
)


@dataclass(frozen=True)
class VaultRow:
    """A vault as it stands: its wrapped key, how to unwrap it, and the epoch that its live cookies carry."""

    id: str
    name: bytes
    derivation: Derivation
    wrapped_key: bytes
    epoch: int
    service_key: str


@dataclass(frozen=True)
class RecordRow:
    """A sealed record: what it belongs to is in the clear and authenticated; what it says is not readable here."""

    vault: str
    kind: str
    id: str
    version: int
    sealed: bytes
    lookup: bytes | None = None
    expires: int | None = None


def add_vault(engine: Engine, vault: VaultRow) -> None:
    """Keep a new vault. Raises Refused (`account.taken`) when its name is in use."""
    try:
        with writing(engine) as connection:
            connection.execute(insert(_VAULTS).values(_vault_values(vault)))
    except IntegrityError:
        raise Refused("account.taken", "That name is taken in this wallet. Choose another.") from None


def find_vault(engine: Engine, names: Sequence[bytes]) -> VaultRow | None:
    """The vault under one of these blinded names."""
    return _vault(engine, select(_VAULTS).where(_VAULTS.c.name.in_(names)))


def vault_by_id(engine: Engine, vault: str) -> VaultRow | None:
    """The vault with an id."""
    return _vault(engine, select(_VAULTS).where(_VAULTS.c.id == vault))


def replace_vault(engine: Engine, vault: VaultRow, *, was: VaultRow) -> bool:
    """Store a re-wrapped vault unless somebody else changed it meanwhile: then theirs stands. Its epoch stays."""
    same = (_VAULTS.c.id == was.id) & (_VAULTS.c.wrapped_key == was.wrapped_key)
    values = {name: value for name, value in _vault_values(vault).items() if name != "epoch"}
    with writing(engine) as connection:
        return connection.execute(update(_VAULTS).where(same).values(values)).rowcount == 1


def raise_epoch(engine: Engine, vault: str) -> None:
    """End every session of a vault, wherever a cookie of it may be."""
    with writing(engine) as connection:
        connection.execute(update(_VAULTS).where(_VAULTS.c.id == vault).values(epoch=_VAULTS.c.epoch + 1))


def remove_vault(engine: Engine, vault: str) -> None:
    """Forget a vault and every record of it."""
    with writing(engine) as connection:
        connection.execute(delete(_RECORDS).where(_RECORDS.c.vault == vault))
        connection.execute(delete(_VAULTS).where(_VAULTS.c.id == vault))


def count_vaults(engine: Engine) -> int:
    """How many vaults there are: all that an operator can see of them. Also the store's health check."""
    with reading(engine) as connection:
        return connection.execute(select(func.count()).select_from(_VAULTS)).scalar_one()


def get_record(engine: Engine, *, vault: str, kind: str, id: str) -> RecordRow | None:
    """A record of this vault, kind and id; another vault's records do not exist here."""
    return _first(engine, (_RECORDS.c.vault == vault) & (_RECORDS.c.kind == kind) & (_RECORDS.c.id == id))


def find_record(engine: Engine, *, vault: str, kind: str, lookup: bytes) -> RecordRow | None:
    """The record of this vault and kind with a blinded lookup value."""
    return _first(engine, (_RECORDS.c.vault == vault) & (_RECORDS.c.kind == kind) & (_RECORDS.c.lookup == lookup))


def list_records(engine: Engine, *, vault: str, kind: str, limit: int) -> tuple[RecordRow, ...]:
    """The newest records of a kind, newest first."""
    wanted = (_RECORDS.c.vault == vault) & (_RECORDS.c.kind == kind)
    query = select(_RECORDS).where(wanted).order_by(_RECORDS.c.seq.desc()).limit(limit)
    with reading(engine) as connection:
        return tuple(_record(row) for row in connection.execute(query).mappings())


def apply(engine: Engine, *, puts: Iterable[RecordRow], deletes: Iterable[RecordRow]) -> None:
    """All of these changes, or none of them.

    A record of version 1 must not exist yet; any other replaces, and a deletion removes, exactly the version before
    it. Raises Refused (`record.conflict`) when somebody else was quicker.
    """
    try:
        with writing(engine) as connection:
            for row in deletes:
                _changed(connection, delete(_RECORDS).where(_exactly(row, row.version)))
            for row in puts:
                _put(connection, row)
    except IntegrityError:
        raise _conflict() from None


def _put(connection: Connection, row: RecordRow) -> None:
    if row.version == 1:
        connection.execute(insert(_RECORDS).values(_record_values(row)))
    else:
        _changed(connection, update(_RECORDS).where(_exactly(row, row.version - 1)).values(_record_values(row)))


def forget_expired(engine: Engine, *, now: datetime) -> None:
    """Remove unfinished business whose time is over, and old failed attempts."""
    with writing(engine) as connection:
        connection.execute(delete(_RECORDS).where(_RECORDS.c.expires < seconds(now)))
        connection.execute(delete(_ATTEMPTS).where(_ATTEMPTS.c.last < seconds(now - timedelta(days=1))))


def note_attempt(engine: Engine, who: bytes, *, now: datetime, delay: Sequence[int]) -> int:
    """Count one attempt before it is made; 0 when it may go ahead, else the seconds to wait (then it counts nothing).

    `delay[n]` is the pause after the n-th failure in a row (the last one holds for all later ones).
    """
    try:
        return _note_attempt(engine, who, moment=seconds(now), delay=delay)
    except IntegrityError:  # two first attempts at once (not on SQLite, where writers queue): the later one waits
        return max(delay[1], 1)


def _note_attempt(engine: Engine, who: bytes, *, moment: int, delay: Sequence[int]) -> int:
    with writing(engine) as connection:
        row = connection.execute(select(_ATTEMPTS).where(_ATTEMPTS.c.who == who).with_for_update()).mappings().first()
        if row is not None and row["not_before"] > moment:
            return int(row["not_before"]) - moment
        failures = min((int(row["failures"]) if row is not None else 0) + 1, len(delay) - 1)
        values = {"failures": failures, "not_before": moment + delay[failures], "last": moment}
        if row is None:
            connection.execute(insert(_ATTEMPTS).values(who=who, **values))
        else:
            connection.execute(update(_ATTEMPTS).where(_ATTEMPTS.c.who == who).values(values))
    return 0


def clear_attempts(engine: Engine, who: Sequence[bytes]) -> None:
    """Forget the failures of somebody who has succeeded."""
    with writing(engine) as connection:
        connection.execute(delete(_ATTEMPTS).where(_ATTEMPTS.c.who.in_(who)))


def _vault(engine: Engine, query: Select[tuple[object, ...]]) -> VaultRow | None:
    with reading(engine) as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        return None
    derivation = Derivation.read(read_json_object(row["derivation"], what="vault's key derivation"))
    return VaultRow(row["id"], row["name"], derivation, row["wrapped_key"], row["epoch"], row["service_key"])


def _vault_values(vault: VaultRow) -> dict[str, object]:
    return {
        "id": vault.id,
        "name": vault.name,
        "derivation": write_json(vault.derivation.json()).decode(),
        "wrapped_key": vault.wrapped_key,
        "epoch": vault.epoch,
        "service_key": vault.service_key,
    }


def _first(engine: Engine, condition: ColumnElement[bool]) -> RecordRow | None:
    with reading(engine) as connection:
        row = connection.execute(select(_RECORDS).where(condition)).mappings().first()
    return None if row is None else _record(row)


def _record(row: RowMapping) -> RecordRow:
    names = ("vault", "kind", "id", "version", "sealed", "lookup", "expires")
    return RecordRow(**{name: row[name] for name in names})


def _record_values(row: RecordRow) -> dict[str, object]:
    return {field.name: getattr(row, field.name) for field in fields(row)}


def _exactly(row: RecordRow, version: int) -> ColumnElement[bool]:
    same = (_RECORDS.c.vault == row.vault) & (_RECORDS.c.kind == row.kind) & (_RECORDS.c.id == row.id)
    return same & (_RECORDS.c.version == version)


def _changed(connection: Connection, statement: Update | Delete) -> None:
    """Execute a change that must find its one row."""
    if connection.execute(statement).rowcount != 1:
        raise _conflict()


def _conflict() -> Refused:
    return Refused("record.conflict", "This was changed a moment ago, perhaps in another window. Look again.")
