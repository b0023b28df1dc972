"""Hot statements: how does a transaction run a statement that every request runs, for little more than its own cost?

SQLAlchemy writes the SQL once and knows how a database wants its values; building a statement anew for each request,
and its execution layer, cost several times what the database does for one row (docs/adr/0005). A hot statement is
built once, names its values by `bindparam`, and runs on the driver's connection inside the caller's transaction. Who
watches an engine's statements sees it like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Dialect, Executable, Insert
from sqlalchemy.exc import DBAPIError

Values = Mapping[str, Any]
Row = dict[str, Any]

_NONE: Final[Values] = {}


def first(connection: Connection, statement: Executable, values: Values = _NONE) -> Row | None:
    """The first row that a query finds, by the columns' names. Raises SQLAlchemyError as `connection.execute` does."""
    return next(iter(every(connection, statement, values)), None)


def every(connection: Connection, statement: Executable, values: Values = _NONE) -> list[Row]:
    """All rows that a query finds. Raises like `first`."""
    ready = _prepared(statement, connection.dialect, ())
    rows: list[Sequence[Any]] = _executed(connection, ready, values, lambda cursor: cursor.fetchall())
    return [ready.read(row) for row in rows]


def run(connection: Connection, statement: Executable, values: Values = _NONE) -> int:
    """How many rows an insert (of these values), update or delete has changed. Raises like `first`."""
    columns = tuple(values) if isinstance(statement, Insert) else ()
    ready = _prepared(statement, connection.dialect, columns)
    count: int = _executed(connection, ready, values, lambda cursor: cursor.rowcount)
    return count


class _Prepared(NamedTuple):
    sql: str
    arrange: Callable[[Values], Any]
    read: Callable[[Sequence[Any]], Row]


def _executed(connection: Connection, ready: _Prepared, values: Values, read: Callable[[Any], Any]) -> Any:
    errors: Any = connection.dialect.loaded_dbapi.Error
    arranged, watchers = ready.arrange(values), connection.dispatch
    cursor = connection.connection.cursor()
    try:
        for watch in watchers.before_cursor_execute:
            watch(connection, cursor, ready.sql, arranged, None, False)
        cursor.execute(ready.sql, arranged)
        for watch in watchers.after_cursor_execute:
            watch(connection, cursor, ready.sql, arranged, None, False)
        return read(cursor)
    except errors as error:  # the kinds of error stay SQLAlchemy's; the values stay out of them
        raise DBAPIError.instance(ready.sql, None, error, errors, hide_parameters=True) from error
    finally:
        cursor.close()


@lru_cache(maxsize=256)
def _prepared(statement: Executable, dialect: Dialect, columns: tuple[str, ...]) -> _Prepared:
    """A statement's text in a dialect, how its driver wants the values, and how it gives them back."""
    keys = list(columns) or None
    compiled = statement.compile(dialect=dialect, column_keys=keys)  # type: ignore[attr-defined]  # every Core statement has it
    constants = {name: bind.value for bind, name in compiled.bind_names.items() if not bind.required}
    writers = {
        name: processor
        for bind, name in compiled.bind_names.items()
        if (processor := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None
    }
    order: list[str] | None = compiled.positiontup

    def arrange(values: Values) -> Any:
        given = {**constants, **values}
        for name, processor in writers.items():
            given[name] = processor(given[name])
        return given if order is None else tuple([given[name] for name in order])

    results = getattr(compiled, "_result_columns", None) or ()
    names = [entry.keyname for entry in results]
    readers = [entry.type.dialect_impl(dialect).result_processor(dialect, None) for entry in results]
    special = [(name, reader) for name, reader in zip(names, readers, strict=True) if reader is not None]

    def read(row: Sequence[Any]) -> Row:
        found = dict(zip(names, row, strict=True))
        for name, reader in special:
            found[name] = reader(found[name])
        return found

    return _Prepared(str(compiled), arrange, read)
