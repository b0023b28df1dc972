"""Hot statements do what the same statements do by SQLAlchemy's own way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.exc import IntegrityError, OperationalError

from service import hot, store
from ssi.errors import Unavailable

METADATA = MetaData()
THINGS = Table(
    "things",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(20), nullable=False, unique=True),
    Column("members", JSON),
    Column("maybe", JSON(none_as_null=True)),
    Column("good", Boolean, nullable=False),
)
ADD = insert(THINGS)
BY_NAME = select(THINGS).where(THINGS.c.name == bindparam("this"), THINGS.c.id > 0)
CHANGE = update(THINGS).where(THINGS.c.name == bindparam("this")).values(members=bindparam("new"), good=False)
ROW: dict[str, Any] = {"id": 1, "name": "a", "members": ["x", {"ä": 1}], "maybe": None, "good": True}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = store.engine(f"sqlite:///{tmp_path / 'hot.db'}")
    METADATA.create_all(made)
    yield made
    made.dispose()


def test_what_one_way_writes_the_other_reads(engine: Engine) -> None:
    with store.writing(engine) as connection:
        assert hot.run(connection, ADD, ROW) == 1
        connection.execute(ADD, {**ROW, "id": 2, "name": "b", "maybe": {"k": [1]}})
        assert hot.run(connection, ADD, {"id": 3, "name": "c", "good": False}) == 1
    with store.reading(engine) as connection:
        for name in ("a", "b", "c"):
            (slow,) = connection.execute(BY_NAME, {"this": name}).mappings().all()
            assert hot.first(connection, BY_NAME, {"this": name}) == dict(slow)
        assert hot.first(connection, BY_NAME, {"this": "d"}) is None
        assert [row["id"] for row in hot.every(connection, select(THINGS).order_by(THINGS.c.id))] == [1, 2, 3]
        null = connection.exec_driver_sql("SELECT maybe IS NULL, members FROM things WHERE id = 1").one()
        assert tuple(null) == (1, '["x", {"\\u00e4": 1}]')


def test_changes_belong_to_the_callers_transaction(engine: Engine) -> None:
    def fails() -> None:
        with store.writing(engine) as connection:
            hot.run(connection, ADD, ROW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    with store.writing(engine) as connection:
        assert hot.first(connection, BY_NAME, {"this": "a"}) is None
        hot.run(connection, ADD, ROW)
        assert hot.run(connection, CHANGE, {"this": "a", "new": {"z": None}}) == 1
        assert hot.run(connection, CHANGE, {"this": "b", "new": []}) == 0
    with store.reading(engine) as connection:
        found = connection.execute(select(THINGS)).mappings().one()
        assert (found["members"], found["good"]) == ({"z": None}, False)


def test_errors_are_of_the_kinds_that_sqlalchemy_has_and_hold_no_values(engine: Engine) -> None:
    with store.writing(engine) as connection:
        hot.run(connection, ADD, {**ROW, "name": "secret"})
    with pytest.raises(IntegrityError) as caught, store.writing(engine) as connection:
        hot.run(connection, ADD, {**ROW, "id": 2, "name": "secret"})
    assert "secret" not in str(caught.value)
    gone = update(Table("gone", MetaData(), Column("id", Integer))).values(id=1)
    with pytest.raises(Unavailable) as away, store.writing(engine) as connection:
        hot.run(connection, gone)
    assert isinstance(away.value.__cause__, OperationalError)
    with pytest.raises(KeyError), store.writing(engine) as connection:
        hot.first(connection, BY_NAME, {})


def test_who_watches_the_statements_of_an_engine_sees_them(engine: Engine) -> None:
    seen: list[str] = []

    def watch(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", watch)
    event.listen(engine, "after_cursor_execute", watch)
    with store.writing(engine) as connection:
        hot.run(connection, ADD, ROW)
    assert [one for one in seen if one.startswith("INSERT")] == [seen[-1]] * 2


def test_statements_are_written_for_postgresql_too() -> None:
    dialect = psycopg.dialect()  # type: ignore[no-untyped-call]
    ready = hot._prepared(BY_NAME.with_for_update(), dialect, ())
    assert ready.sql.endswith("FOR UPDATE")
    assert ready.arrange({"this": "a"})["this"] == "a"
    adding = hot._prepared(ADD, dialect, tuple(ROW))
    assert "%(name)s" in adding.sql
    assert adding.arrange(ROW)["good"] is True
