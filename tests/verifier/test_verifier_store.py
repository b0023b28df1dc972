from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg

from service import store as service_store
from ssi.errors import Malformed, Refused, Unavailable
from tests.verifier.world import Wallet, World
from verifier import direct
from verifier import store as verifier_store
from verifier.sealing import Sealer, key_file
from verifier.store import METADATA, Record, Result, Store


def record(name: str = "a", **changes: object) -> Record:
    plain = {
        "id": f"id-{name}", "scan_id": f"scan-{name}", "here_id": f"here-{name}", "browser": None, "ask": b"{}",
        "nonce": f"nonce-{name}", "state": "s", "key": b"k", "return_to": None, "created_at": 100, "expires_at": 400,
    }  # fmt: skip
    return Record(**{**plain, **changes})  # type: ignore[arg-type]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = service_store.engine(f"sqlite:///{tmp_path / 'v.db'}")
    service_store.create(METADATA, made)
    yield made
    made.dispose()


def spend(store: Store, *, at: int = 200) -> bool:
    return store.spend("id-a", at=at, door="scan", response_code=None)


def test_a_nonce_is_spent_once_however_many_ask_at_the_same_time(engine: Engine) -> None:
    store = Store(engine)
    store.add(record())
    start, won = threading.Barrier(8), []

    def race() -> None:
        start.wait()
        won.append(spend(store))

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


def test_nothing_is_spent_after_the_end_or_of_an_unknown_request(engine: Engine) -> None:
    store = Store(engine)
    store.add(record())
    assert not spend(store, at=400)
    assert not store.spend("id-b", at=200, door="scan", response_code=None)
    assert spend(store, at=399)


def test_a_result_needs_a_spent_nonce_and_is_written_once(engine: Engine) -> None:
    store = Store(engine)
    store.add(record())
    assert not store.record("id-a", Result("verified", b"[]"))
    assert spend(store)
    assert store.record("id-a", Result("not_verified", b"[1]"))
    assert not store.record("id-a", Result("verified", b"[2]", b"claims", 900))
    found = store.find("id-a")
    assert found is not None
    assert (found.outcome, found.findings, found.claims, found.key) == ("not_verified", b"[1]", None, None)


def test_wallets_find_a_request_by_either_public_name_and_never_by_its_secret_one(engine: Engine) -> None:
    store = Store(engine)
    store.add(record())
    assert store.find_public("scan-a") == store.find_public("here-a") == store.find("id-a")
    assert store.find_public("id-a") is None
    assert store.find("scan-a") is None


@pytest.mark.parametrize("name", ["scan-a\0", "\0", "scän-a", "scan-a\n", "s" * 65])
def test_what_cannot_be_a_name_is_not_looked_up(engine: Engine, name: str) -> None:
    """PostgreSQL refuses a zero byte as a broken statement: a stranger's typing would read as a mistake of ours."""
    store = Store(engine)
    store.__dict__["direct"] = None  # whoever asks the database now fails
    assert store.find_public(name) is None
    assert store.find(name) is None


def test_two_requests_never_share_a_nonce(engine: Engine) -> None:
    store = Store(engine)
    store.add(record())
    with pytest.raises(Exception, match="UNIQUE"):
        store.add(record("b", nonce="nonce-a"))


def test_sweeping_erases_what_is_due_and_nothing_else(engine: Engine) -> None:
    store = Store(engine)
    for name in "ab":
        store.add(record(name))
        assert store.spend(f"id-{name}", at=200, door="scan", response_code=None)
        store.record(f"id-{name}", Result("verified", b"[]", b"sealed", 500 if name == "a" else 900))
    store.add(record("c"))
    store.sweep(now=500, forget_before=0)
    first, second, third = (store.find(f"id-{name}") for name in "abc")
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.claims, second.claims, third.key) == (None, b"sealed", None)
    assert first.outcome == "verified"
    store.sweep(now=500, forget_before=400)
    assert store.find("id-a") is None


def test_what_nobody_answered_is_forgotten_after_an_hour(engine: Engine) -> None:
    store = Store(engine)
    for name in "ab":
        store.add(record(name))
    assert store.spend("id-a", at=200, door="scan", response_code=None)
    expired = 400 + 3600
    store.sweep(now=expired - 1, forget_before=0)
    assert store.find("id-b") is not None
    store.sweep(now=expired, forget_before=0)
    assert (store.find("id-a") is None, store.find("id-b") is None) == (False, True)


def test_sealed_values_open_only_in_their_place_and_with_their_key() -> None:
    sealer = Sealer.from_key(b"k" * 32, random=os.urandom)
    sealed = sealer.seal(b"secret", context="claims:1")
    assert sealer.seal(b"secret", context="claims:1") != sealed
    assert sealer.open(sealed, context="claims:1") == b"secret"
    other = Sealer.from_key(b"l" * 32, random=os.urandom)
    for opener, data, context in [
        (sealer, sealed, "claims:2"),
        (other, sealed, "claims:1"),
        (sealer, sealed[:-1] + b"\0", "claims:1"),
        (sealer, b"", "claims:1"),
    ]:
        with pytest.raises(Refused, match="seal"):
            opener.open(data, context=context)
    assert "k" * 32 not in repr(sealer)


def test_the_sealing_key_is_made_once_by_whoever_is_first(tmp_path: Path) -> None:
    path, found = tmp_path / "verifier" / "seal.key", []
    threads = [threading.Thread(target=lambda: found.append(key_file(path, random=os.urandom))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["seal.key"]
    path.write_bytes(b"short")
    with pytest.raises(Malformed):
        key_file(path, random=os.urandom)


def test_claims_lie_sealed_in_the_database(tmp_path: Path) -> None:
    world = World(tmp_path)
    with world.app().test_client(use_cookies=False) as client:
        made = client.post("/api/requests", json={"template": "identity"}, headers=world.authorized).json
        wallet = Wallet(world, client)
        request = wallet.open(made["link"])
        assert wallet.post(request, wallet.answer(request)).status_code == 200
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("verifier.db*"))
    assert b"verified" in stored
    assert b"Collins" not in stored
    assert b"1956" not in stored


def test_statements_are_written_for_postgresql_too() -> None:
    dialect = psycopg.dialect()  # type: ignore[no-untyped-call]
    sql, arrange = direct._prepared(verifier_store._RECORD, dialect)
    assert sql.startswith("UPDATE verifier_requests SET key=%(key)s")
    values = arrange({"this": "id", "verdict": "verified", "found": b"[]", "sealed": None, "until": None})
    assert values["key"] is None
    assert values["this"] == "id"
    lite, arrange_lite = direct._prepared(verifier_store._SPEND, sqlite.dialect())  # type: ignore[no-untyped-call]
    assert lite.count("?") == len(arrange_lite({"this": "id", "at": 5, "by": "scan", "code": None}))


def test_one_statement_at_a_time_is_durable_or_not_there_at_all(engine: Engine) -> None:
    store = Store(engine)
    store.add(record())
    with pytest.raises(
        sqlite3.IntegrityError
    ):  # an error is the driver's own, and what it left half done is thrown away
        store.direct.changed(verifier_store._ADD, record(nonce="other").__dict__)
    assert spend(store)
    engine.dispose()
    found = store.find("id-a")
    assert found is not None
    assert found.spent_at == 200


def test_kept_connections_are_few_and_the_pool_never_gets_one_that_does_not_wait_for_the_disk(engine: Engine) -> None:
    store, start, told = Store(engine), threading.Barrier(direct.KEPT + 4), []
    for number in range(direct.KEPT + 4):
        store.add(record(str(number)))

    def read(cursor: object) -> int:
        start.wait()  # so that all are out at the same time
        return 1

    def work(number: int) -> None:
        values = {"this": f"id-{number}", "at": 200, "by": "scan", "code": None}
        told.append(store.direct._run(verifier_store._SPEND, values, read, synced=False))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(direct.KEPT + 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [1] * (direct.KEPT + 4)
    assert len(store.direct._relaxed) == direct.KEPT
    assert [one.cursor().execute("PRAGMA synchronous").fetchone() for one in store.direct._relaxed] == [(1,)] * 8
    pooled = [engine.raw_connection() for _ in range(direct.KEPT)]
    assert [one.cursor().execute("PRAGMA synchronous").fetchone() for one in pooled] == [(2,)] * direct.KEPT
    for one in pooled:
        one.close()
    assert store.find("id-3") is not None
    assert [one.cursor().execute("PRAGMA synchronous").fetchone() for one in store.direct._synced] == [(2,)]


def test_a_kept_connection_sees_what_others_write_and_holds_no_old_view(engine: Engine) -> None:
    store, other = Store(engine), Store(engine)
    store.add(record())
    for at in (200, 300):
        found = store.find("id-a")
        assert found is not None
        other.mark_returned("id-a", at=at) if at == 300 else spend(other)
    found = store.find("id-a")
    assert found is not None
    assert (found.spent_at, found.returned_at) == (200, 300)
    connection = sqlite3.connect(str(engine.url.database), isolation_level=None)
    assert (
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    )  # nobody reads, nobody is waited for
    connection.close()


def test_a_database_that_stays_busy_is_unavailable(tmp_path: Path) -> None:
    made = service_store.engine(f"sqlite:///{tmp_path / 'busy.db'}")
    service_store.create(METADATA, made)
    store = Store(made)
    store.add(record())
    event.listen(made, "checkout", lambda connection, *_rest: connection.execute("PRAGMA busy_timeout=20"))
    blocker = sqlite3.connect(tmp_path / "busy.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable):
        spend(store)
    blocker.execute("ROLLBACK")
    blocker.close()
    with service_store.reading(made) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    assert spend(store)
    with service_store.reading(made) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    made.dispose()
