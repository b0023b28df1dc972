"""One statement as one transaction, straight to the database's driver: what the path of a wallet's answer can afford.

SQLAlchemy writes the SQL, pools the connections and knows the dialects; its execution layer, its explicit BEGIN and
its COMMIT cost several times what SQLite itself does for one row (see `tests/bench/http.py`). A single statement needs
none of them: it is its own transaction, immediate and durable. Of a SQLite file's connections a few are kept out of the
pool, each set once to wait for the disk or not to, because taking one out and setting it costs as much as a statement.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Dialect, Engine, Executable, PoolProxiedConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from service.store import is_outage, unavailable

Values = Mapping[str, Any]
Row = tuple[Any, ...]

KEPT: Final = 8
"""How many connections of each sort are kept; the pool holds many more."""
_RELAX: Final[Mapping[str, tuple[str, str | None]]] = {
    "sqlite": ("PRAGMA synchronous=NORMAL", "PRAGMA synchronous=FULL"),
    "postgresql": ("SET LOCAL synchronous_commit TO OFF", None),
}
"""How a database is told not to wait for the disk, and how to wait again where that does not end by itself."""


@dataclass(frozen=True)
class Direct:
    """The way to one database. Its methods raise Unavailable (`store.unavailable`) when it is away or stays busy.

    Values are plain text, numbers and bytes. With `synced` False a commit is atomic and seen by all at once, and
    outlives this process, but a power failure may undo it until the next synced one.
    """

    engine: Engine
    _synced: deque[PoolProxiedConnection] = field(default_factory=deque, repr=False, compare=False)
    _relaxed: deque[PoolProxiedConnection] = field(default_factory=deque, repr=False, compare=False)

    def row(self, statement: Executable, values: Values) -> Row | None:
        """The first row that a query finds."""
        found: Row | None = self._run(statement, values, _first, synced=True)
        return found

    def changed(self, statement: Executable, values: Values, *, synced: bool = True) -> int:
        """How many rows a statement changed."""
        count: int = self._run(statement, values, _count, synced=synced)
        return count

    def _run(self, statement: Executable, values: Values, read: Callable[[Any], Any], *, synced: bool) -> Any:
        engine = self.engine
        driver = engine.dialect.loaded_dbapi
        sql, arrange = _prepared(statement, engine.dialect)
        keeps = engine.dialect.name == "sqlite" and isinstance(engine.pool, QueuePool)
        try:
            if keeps:
                return self._on_kept(sql, arrange(values), read, synced=synced)
            return self._on_pooled(sql, arrange(values), read, synced=synced)
        except (driver.OperationalError, driver.InterfaceError) as error:
            raise unavailable() from error
        except SQLAlchemyError as error:
            if not is_outage(error):
                raise
            raise unavailable() from error

    def _on_kept(self, sql: str, values: Any, read: Callable[[Any], Any], *, synced: bool) -> Any:
        """On a connection that stays out of the pool; in SQLite's autocommit the statement is all there is to do."""
        kept = self._synced if synced else self._relaxed
        try:
            connection = kept.pop()
        except IndexError:
            connection = self.engine.raw_connection()
            if not synced:
                connection.cursor().execute(_RELAX["sqlite"][0])
        whole = False
        try:
            cursor = connection.cursor()
            cursor.execute(sql, values)
            found = read(cursor)
            cursor.close()  # else a query would hold its view of the database
            whole = True
        finally:
            if not whole:
                connection.invalidate()  # neither half a query nor a setting goes back to the pool
        if len(kept) < KEPT:
            kept.append(connection)
        else:
            _give_back(connection, restore=None if synced else _RELAX["sqlite"][1])
        return found

    def _on_pooled(self, sql: str, values: Any, read: Callable[[Any], Any], *, synced: bool) -> Any:
        relax, restore = (None, None) if synced else _RELAX.get(self.engine.dialect.name, (None, None))
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            if relax is not None:
                cursor.execute(relax)
            cursor.execute(sql, values)
            found = read(cursor)
            connection.commit()
        finally:
            _give_back(connection, restore=restore)  # which rolls back what was not committed
        return found


def _give_back(connection: PoolProxiedConnection, *, restore: str | None) -> None:
    try:
        if restore is not None:
            connection.cursor().execute(restore)
    finally:
        connection.close()


def _first(cursor: Any) -> Row | None:
    row = cursor.fetchone()
    return None if row is None else tuple(row)


def _count(cursor: Any) -> int:
    count: int = cursor.rowcount
    return count


@lru_cache(maxsize=128)
def _prepared(statement: Executable, dialect: Dialect) -> tuple[str, Callable[[Values], Any]]:
    """A statement's text in a dialect, and how that dialect's driver wants its values."""
    compiled = statement.compile(dialect=dialect)  # type: ignore[attr-defined]  # every Core statement has it
    constants = {name: bind.value for bind, name in compiled.bind_names.items() if not bind.required}
    order = compiled.positiontup

    def arrange(values: Values) -> Any:
        given = {**constants, **values}
        return given if order is None else tuple([given[name] for name in order])

    return str(compiled), arrange
