"""The journal's files: for nobody else's eyes, and every fault of theirs is an error of this house."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ssi.errors import Unavailable
from ssi.ledger.finality import Finality
from ssi.ledger.journal import Attempt, Journal
from tests.ledger import nodes
from tests.ledger.deployed import Deployed, deploy
from tests.ledger.writers import NOW, Scene, scene

ACCOUNT = "1:00:0x" + "11" * 20


@pytest.fixture
def at(embedded_node: nodes.Node, tmp_path: Path, request: pytest.FixtureRequest) -> Scene:
    deployments: dict[str, Deployed] = request.getfixturevalue("_deployments")
    if "embedded" not in deployments:
        deployments["embedded"] = deploy(embedded_node)
    return scene(deployments["embedded"], tmp_path)


@pytest.fixture
def open_mask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def changed(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.usefixtures("open_mask")
def test_the_files_are_the_owners_alone(at: Scene) -> None:
    at.write("one")
    modes = {file.name: file.stat().st_mode & 0o777 for file in at.path.parent.iterdir()}
    assert modes["writes.db.lock"] == 0o600
    assert set(modes.values()) == {0o600}


def test_a_lock_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("content")
    (tmp_path / "writes.db.lock").symlink_to(other)
    with pytest.raises(Unavailable, match=r"ledger\.store"), Journal(tmp_path / "writes.db").locked():
        pass
    assert other.read_text() == "content"


def test_a_disk_that_knows_no_locks_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuses)
    with pytest.raises(Unavailable, match=r"ledger\.store"), Journal(tmp_path / "writes.db").locked():
        pass


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE writes SET state = 'nonsense'",
        "UPDATE writes SET fee = 'nonsense'",
        "UPDATE attempts SET max_fee = 'nonsense'",
        "UPDATE attempts SET tip = x'00'",
        "DROP TABLE attempts",
    ],
)
def test_a_journal_with_altered_content_is_unavailable(at: Scene, statement: str) -> None:
    at.write("one")
    changed(at.path, statement)
    with pytest.raises(Unavailable, match=r"ledger\.store"):
        at.write("one")
    assert at.count() == 1


def test_a_cut_journal_is_unavailable_or_whole(at: Scene) -> None:
    """Cut anywhere but at nothing: what was written is never written again because of it."""
    at.write("one")
    changed(at.path, "PRAGMA wal_checkpoint(TRUNCATE)")
    whole = at.path.read_bytes()
    for size in (100, 512, 4096, len(whole) // 2, len(whole) - 1):
        for name in ("writes.db-wal", "writes.db-shm"):
            at.path.with_name(name).unlink(missing_ok=True)
        at.path.write_bytes(whole[:size])
        with suppress(Unavailable):
            at.write("one")
        assert at.count() == 1


def test_a_transaction_signed_anew_counts_although_it_was_given_up_before(tmp_path: Path) -> None:
    """The same account signs the same content at the same place with the same bytes."""
    journal = Journal(tmp_path / "writes.db")
    attempt = Attempt(b"h" * 32, b"raw", 21_000, 2, 1, 0)
    entry = journal.open(ACCOUNT, "one", None, b"x", at=0)
    for _ in range(2):
        journal.record(entry, 5, attempt)
        assert [one.hash for one in journal.entry(entry).attempts] == [attempt.hash]
        journal.release(entry)
        assert journal.entry(entry).attempts == ()


def test_a_filler_without_a_place_is_not_sent(at: Scene) -> None:
    """A process was killed between opening it and signing it, and the gap has closed since."""
    at.write("one")
    writer = at.writer()
    writer.journal.open(writer._account, "gap 7", at.account.address, b"", at=0)
    writer.resume(NOW)
    assert at.count() == 1
    assert [write.intent for write in at.writer().writes()] == ["one"]
    assert at.write("two").state is Finality.FINALIZED
