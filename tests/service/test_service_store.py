"""Is the store durable and free of surprises between writers?"""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, event, func, insert, inspect, select, text, update
from sqlalchemy.exc import IntegrityError

from service.store import create, engine, ping, reading, writing
from ssi.errors import Malformed, Refused, Unavailable

METADATA = MetaData()
COUNTERS = Table("counters", METADATA, Column("id", Integer, primary_key=True), Column("n", Integer, nullable=False))


def test_sqlite_is_durable_and_strict(tmp_path: Path) -> None:
    store = engine(f"sqlite:///{tmp_path}/deep/down/x.db")
    with reading(store) as connection:
        pragma = {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in _PRAGMAS}
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


_PRAGMAS = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")


def test_writers_that_read_first_never_lose_an_update(tmp_path: Path) -> None:
    store = engine(f"sqlite:///{tmp_path}/x.db")
    create(METADATA, store)
    with writing(store) as connection:
        connection.execute(insert(COUNTERS).values(id=1, n=0))

    def work() -> None:
        for _ in range(20):
            with writing(store) as connection:
                n = connection.execute(select(COUNTERS.c.n)).scalar_one()
                connection.execute(update(COUNTERS).values(n=n + 1))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(store) as connection:
        assert connection.execute(select(COUNTERS.c.n)).scalar_one() == 80


def test_a_reader_waits_for_no_writer_and_sees_no_half_change(tmp_path: Path) -> None:
    store = engine(f"sqlite:///{tmp_path}/x.db")
    create(METADATA, store)
    with writing(store) as writer:
        writer.execute(insert(COUNTERS).values(id=1, n=1))
        with reading(store) as reader:
            assert reader.execute(select(func.count()).select_from(COUNTERS)).scalar_one() == 0


def test_errors_do_not_show_what_was_to_be_stored() -> None:
    store = engine("sqlite://")
    create(METADATA, store)
    with writing(store) as connection:
        row = insert(COUNTERS).values(id=4711, n=19900101)
        connection.execute(row)
        with pytest.raises(IntegrityError) as error:
            connection.execute(row)
    assert "19900101" not in str(error.value)


def test_an_exception_undoes_the_whole_transaction() -> None:
    store = engine("sqlite://")
    create(METADATA, store)

    def stumble() -> None:
        with writing(store) as connection:
            connection.execute(insert(COUNTERS).values(id=1, n=1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stumble()
    with reading(store) as connection:
        assert connection.execute(select(func.count()).select_from(COUNTERS)).scalar_one() == 0


def test_our_own_mistakes_are_not_called_outages() -> None:
    store = engine("sqlite://")
    create(METADATA, store)
    with pytest.raises(IntegrityError), writing(store) as connection:
        connection.execute(insert(COUNTERS).values(id=1, n=None))


def test_a_database_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(Unavailable, match=r"store\.unavailable"):
        ping(engine(f"sqlite:///{tmp_path}/folder.db"))


def test_starting_together_makes_the_tables_once(tmp_path: Path) -> None:
    url, failures = f"sqlite:///{tmp_path}/x.db", []

    def start() -> None:
        try:
            create(METADATA, engine(url))
        except Exception as error:  # noqa: BLE001  (collected from the thread and looked at below)
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    ping(engine(url))


@pytest.mark.parametrize("url", ["", "nonsense", "mysql9://x", "sqlite:///a\0b/c.db"])
def test_an_unusable_url_is_malformed(url: str) -> None:
    with pytest.raises(Malformed, match=r"store\.url"):
        engine(url)


def test_postgresql_takes_plain_begin_and_the_psycopg_driver() -> None:
    pytest.importorskip("psycopg")
    store = engine("postgresql://user@localhost/x")
    assert store.driver == "psycopg"
    assert not event.contains(store, "begin", __import__("service.store", fromlist=["_begin"])._begin)


def test_tables_of_another_version_end_the_start_and_stay_as_they_are(tmp_path: Path) -> None:
    store = engine(f"sqlite:///{tmp_path}/x.db")
    with writing(store) as connection:
        connection.exec_driver_sql(f"CREATE TABLE {METADATA.sorted_tables[0].name} (unheard_of INTEGER)")
    with pytest.raises(Refused, match=r"store\.version"):
        create(METADATA, store)
    with reading(store) as connection:
        columns = inspect(connection).get_columns(METADATA.sorted_tables[0].name)
    assert [column["name"] for column in columns] == ["unheard_of"]
