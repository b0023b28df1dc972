"""One statement as one transaction, straight to the database's driver: what the path of a wallet's answer can afford.

SQLAlchemy writes the SQL, pools the connections and knows the dialects; its execution layer, its explicit BEGIN and
its COMMIT cost several times what SQLite itself does for one row (see `tests/bench/http.py`). A single statement needs
none of them: it is its own transaction, immediate and durable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Engine, Executable
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import SQLAlchemyError

from service.store import is_outage, unavailable

Values = Mapping[str, Any]

_RELAX: Mapping[str, tuple[str, str | None]] = {
    "sqlite": ("PRAGMA synchronous=NORMAL", "PRAGMA synchronous=FULL"),
    "postgresql": ("SET LOCAL synchronous_commit TO OFF", None),
}
"""How a database is told not to wait for the disk, and how to wait again where that does not end by itself."""


@contextmanager
def executed(engine: Engine, statement: Executable, values: Values, *, synced: bool = True) -> Iterator[DBAPICursor]:
    """The cursor of a statement that was run and, when the block ends well, committed.

    The statement's parameters are plain text, numbers and bytes. With `synced` False the commit is atomic and seen by
    all at once, and outlives this process, but a power failure may undo it until the next synced one. Raises
    Unavailable (`store.unavailable`) when the database cannot be reached or stays busy.
    """
    sql, arrange = _prepared(statement, engine.dialect)
    relax, restore = (None, None) if synced else _RELAX.get(engine.dialect.name, (None, None))
    driver = engine.dialect.loaded_dbapi
    try:
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            if relax is not None:
                cursor.execute(relax)
            cursor.execute(sql, arrange(values))
            yield cursor
            connection.commit()
        finally:
            if restore is not None:
                connection.cursor().execute(restore)
            connection.close()  # rolls back what was not committed
    except (driver.OperationalError, driver.InterfaceError) as error:
        raise unavailable() from error
    except SQLAlchemyError as error:
        if not is_outage(error):
            raise
        raise unavailable() from error


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
