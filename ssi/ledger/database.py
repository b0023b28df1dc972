"""Files of this room: SQLite, safe against being killed, and open to several processes at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ssi.errors import Unavailable

_SECONDS: Final = 10.0
"""How long one process waits for another's transaction."""


@contextmanager
def transaction(path: Path, schema: str) -> Iterator[sqlite3.Connection]:
    """A transaction that is written whole, on the disk, or not at all. Raises Unavailable (`ledger.store`)."""
    with _opened(path, schema) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")  # what ends otherwise is rolled back when the connection is closed


@contextmanager
def reading(path: Path, schema: str) -> Iterator[sqlite3.Connection]:
    """A connection that sees one state while it is open. Raises Unavailable (`ledger.store`)."""
    with _opened(path, schema) as connection:
        connection.execute("BEGIN")
        yield connection


@contextmanager
def _opened(path: Path, schema: str) -> Iterator[sqlite3.Connection]:
    connection = None
    try:
        connection = sqlite3.connect(path, timeout=_SECONDS, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        if not connection.execute("PRAGMA user_version").fetchone()[0]:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(f"BEGIN IMMEDIATE; {schema}; PRAGMA user_version = 1; COMMIT")
        yield connection
    except sqlite3.Error as error:
        raise Unavailable("ledger.store", f"The ledger's file {path.name} cannot be used: {error}.") from error
    finally:
        if connection is not None:
            connection.close()
