"""The store: one SQLAlchemy engine, durable by default, whose writers never trip over each other.

SQLite runs in WAL mode with synchronous=FULL: what was answered for is on disk. A transaction is BEGIN IMMEDIATE unless
opened by `reading`, so none ever fails for having read before it wrote; PostgreSQL needs nothing of the sort.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from ssi.errors import Malformed, Refused, Unavailable

BUSY_MS = 10_000
_CREATE_LOCK = 0x6661636574  # "facet", the PostgreSQL advisory lock under which tables are made


def engine(database_url: str) -> Engine:
    """An engine for a database URL: `sqlite:///file.db`, `sqlite://` (in memory, for tests), `postgresql+psycopg://…`.

    Raises Malformed (`store.url`) when the URL cannot be used.
    """
    try:
        url = make_url(database_url)
        if url.get_backend_name() == "postgresql" and url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() != "sqlite":
            # errors are logged, and what is stored is personal: so they never show a statement's values
            return create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=8, max_overflow=56)
        return _sqlite(url.render_as_string(hide_password=False), file=url.database)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError, OSError):
        raise Malformed("store.url", "--database-url is not a database this service can open.") from None


def _sqlite(url: str, *, file: str | None) -> Engine:
    """A SQLite engine whose connections are set up, and whose transactions begin, as this house needs them."""
    arguments = {"check_same_thread": False, "timeout": BUSY_MS / 1000}
    options: dict[str, Any] = {"connect_args": arguments, "hide_parameters": True}
    if file in {None, "", ":memory:"}:
        options["poolclass"] = StaticPool
    else:
        options.update(pool_size=8, max_overflow=56)  # no thread ever waits for a connection
        Path(str(file)).parent.mkdir(parents=True, exist_ok=True)
    made = create_engine(url, **options)
    event.listen(made, "connect", _prepare)
    event.listen(made, "begin", _begin)
    return made


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver begins no transactions of its own: `_begin` does
    for pragma in (
        f"busy_timeout={BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # what was deleted is overwritten, not left in free pages
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("facet_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@contextmanager
def writing(store: Engine) -> Iterator[Connection]:
    """A transaction that may write; committed at the end, rolled back on any exception.

    Raises Unavailable (`store.unavailable`) when the database cannot be reached or stays busy.
    """
    with _translated(), store.begin() as connection:
        yield connection


@contextmanager
def reading(store: Engine) -> Iterator[Connection]:
    """A transaction that only reads, and so waits for no writer. Raises like `writing`."""
    with _translated(), store.connect().execution_options(facet_reads=True) as connection, connection.begin():
        yield connection


@contextmanager
def _translated() -> Iterator[None]:
    """A database that cannot be reached is neither yes nor no; a broken rule of the schema stays an error of ours."""
    try:
        yield
    except SQLAlchemyError as error:
        if not is_outage(error):
            raise
        raise unavailable() from error


def is_outage(error: SQLAlchemyError) -> bool:
    """Is this the database being away or busy (rather than our own mistake)?"""
    return type(error).__name__ in {"OperationalError", "InterfaceError", "TimeoutError", "DisconnectionError"}


def unavailable() -> Unavailable:
    """The answer to a person or peer while the database is away."""
    return Unavailable(
        "store.unavailable", "The service cannot reach its database now. Nothing was changed. Try again."
    )


def create(metadata: MetaData, store: Engine) -> None:
    """Make the tables that are missing; safe when several workers start at once.

    Raises like `writing`, and Refused (`store.version`) for tables of another version: they are left as they are.
    """
    with writing(store) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CREATE_LOCK})
        metadata.create_all(connection)
        found = inspect(connection)
        for table in metadata.sorted_tables:
            missing = set(table.columns.keys()) - {column["name"] for column in found.get_columns(table.name)}
            if missing:
                sentence = "The database was made by another version of this service. Give this one a fresh --data."
                raise Refused("store.version", sentence)


def ping(store: Engine) -> None:
    """Return when the database answers: the health check. Raises Unavailable (`store.unavailable`)."""
    with reading(store) as connection:
        connection.execute(text("SELECT 1"))
