"""The journal of writes: what is to be written, and every transaction that was ever signed for it.

A transaction is in the journal, on the disk, before any node sees it. So whatever is killed when: what the chain may
have taken is known here. One process at a time writes for a journal (`locked`).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ssi.errors import Refused, Unavailable
from ssi.ledger import database
from ssi.ledger.finality import Finality

_OWNERS: Final = 0o600
_LOCK_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS writes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, intent TEXT NOT NULL, receiver TEXT,
    data BLOB NOT NULL, opened_at INTEGER NOT NULL, nonce INTEGER, state TEXT NOT NULL DEFAULT 'pending',
    failed INTEGER NOT NULL DEFAULT 0, reason TEXT, hash BLOB, block INTEGER, block_hash BLOB, gas INTEGER, fee TEXT,
    UNIQUE (account, intent), UNIQUE (account, nonce)
);
CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, write INTEGER NOT NULL REFERENCES writes (id), nonce INTEGER NOT NULL,
    hash BLOB NOT NULL UNIQUE, raw BLOB NOT NULL, gas INTEGER NOT NULL, max_fee TEXT NOT NULL, tip TEXT NOT NULL,
    signed_at INTEGER NOT NULL, lost INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS attempts_write ON attempts (write)
"""


@dataclass(frozen=True)
class Attempt:
    """A signed transaction: its hash and bytes, its bounds (gas; wei per gas) and when it was signed (unix seconds)."""

    hash: bytes
    raw: bytes = field(repr=False)
    gas: int
    max_fee: int
    tip: int
    signed_at: int


@dataclass(frozen=True)
class Outcome:
    """What the chain says of a write: its state, and if it is in a block, which, at what cost (gas, wei)."""

    state: Finality = Finality.PENDING
    failed: bool = False
    reason: str | None = None
    hash: bytes | None = None
    block: int | None = None
    block_hash: bytes | None = None
    gas: int | None = None
    fee: int | None = None


@dataclass(frozen=True)
class Spent:
    """What writes have cost: how many are in blocks, their gas, and what was paid (wei, rounded).

    `gas_of_contracts` is the part of the gas that went into putting contracts there.
    """

    writes: int
    gas: int
    fee: int
    gas_of_contracts: int = 0


@dataclass(frozen=True)
class Entry:
    """A write as the journal has it. `attempts` are those that may still be taken, oldest first, all of one nonce.

    `places` is how many nonces it has had.
    """

    id: int
    intent: str
    to: str | None
    data: bytes = field(repr=False)
    opened_at: int
    nonce: int | None
    outcome: Outcome
    attempts: tuple[Attempt, ...]
    places: int


class Journal:
    """The journal in a file. Everything here raises Unavailable (`ledger.store`) where the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only one, of all processes and threads, that writes for this journal; others wait.

        The operating system ends the lock of a process that is killed.
        """
        try:
            _make(self.path)
            lock = os.open(self.path.with_name(self.path.name + ".lock"), _LOCK_FLAGS, _OWNERS)
        except OSError as error:
            raise _unlockable(error) from error
        with os.fdopen(lock, "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as error:
                raise _unlockable(error) from error
            yield

    def open(self, account: str, intent: str, to: str | None, data: bytes, *, at: int) -> Entry:
        """The write of this name, opened if it is new. Raises Refused (`ledger.intent`) if the name was another's."""
        with database.transaction(self.path, _SCHEMA) as connection:
            connection.execute(
                "INSERT OR IGNORE INTO writes (account, intent, receiver, data, opened_at) VALUES (?, ?, ?, ?, ?)",
                (account, intent, to, data, at),
            )
            found = _one(connection, "account = ? AND intent = ?", (account, intent))
        if found is None or (found.to, found.data) != (to, data):
            raise Refused("ledger.intent", "Under this name something else was to be written.")
        return found

    def entry(self, entry: Entry) -> Entry:
        """The entry as it stands now."""
        with database.reading(self.path, _SCHEMA) as connection:
            found = _one(connection, "id = ?", (entry.id,))
        if found is None:
            raise Unavailable("ledger.store", "The journal has lost a write.")
        return found

    def entries(self, account: str, *, open_only: bool = False) -> tuple[Entry, ...]:
        """All writes of an account in the order of opening; with `open_only` those that are not final, or failed."""
        where = "account = ?" + (" AND (state != 'finalized' OR failed)" if open_only else "")
        with database.reading(self.path, _SCHEMA) as connection:
            return _entries(connection, where, (account,))

    def spent(self, account: str) -> Spent:
        """What an account's writes have cost so far."""
        with database.reading(self.path, _SCHEMA) as connection:
            count, gas, fee, created = connection.execute(
                "SELECT count(*), coalesce(sum(gas), 0), total(CAST(fee AS REAL)),"
                " coalesce(sum(CASE WHEN receiver IS NULL THEN gas END), 0) FROM writes"
                " WHERE account = ? AND block IS NOT NULL",
                (account,),
            ).fetchone()
        return Spent(count, gas, round(fee), created)

    def at_nonce(self, account: str, nonce: int) -> Entry | None:
        """The write that uses this number of the account's transactions."""
        with database.reading(self.path, _SCHEMA) as connection:
            return _one(connection, "account = ? AND nonce = ?", (account, nonce))

    def next_nonce(self, account: str) -> int:
        """The number after the highest that a write of the account uses."""
        with database.reading(self.path, _SCHEMA) as connection:
            row = connection.execute("SELECT max(nonce) FROM writes WHERE account = ?", (account,)).fetchone()
        return 0 if row[0] is None else int(row[0]) + 1

    def record(self, entry: Entry, nonce: int, attempt: Attempt) -> None:
        """Put a signed transaction on record, before it is sent."""
        with database.transaction(self.path, _SCHEMA) as connection:
            connection.execute("UPDATE writes SET nonce = ? WHERE id = ?", (nonce, entry.id))
            connection.execute(
                "INSERT INTO attempts (write, nonce, hash, raw, gas, max_fee, tip, signed_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                # the same bytes, signed again for a place that had been given up
                " ON CONFLICT (hash) DO UPDATE SET write = excluded.write, lost = 0",
                (
                    entry.id,
                    nonce,
                    attempt.hash,
                    attempt.raw,
                    attempt.gas,
                    str(attempt.max_fee),
                    str(attempt.tip),
                    attempt.signed_at,
                ),
            )

    def release(self, entry: Entry) -> None:
        """The entry's number is used for ever, and has brought nothing about: it may get another."""
        with database.transaction(self.path, _SCHEMA) as connection:
            connection.execute("UPDATE attempts SET lost = 1 WHERE write = ?", (entry.id,))
            connection.execute(
                "UPDATE writes SET nonce = NULL, state = 'pending', failed = 0, reason = NULL, hash = NULL,"
                " block = NULL, block_hash = NULL, gas = NULL, fee = NULL WHERE id = ?",
                (entry.id,),
            )

    def settle(self, entry: Entry, outcome: Outcome) -> None:
        """Record what the chain says of a write."""
        fee = None if outcome.fee is None else str(outcome.fee)
        with database.transaction(self.path, _SCHEMA) as connection:
            connection.execute(
                "UPDATE writes SET state = ?, failed = ?, reason = ?, hash = ?, block = ?, block_hash = ?, gas = ?,"
                " fee = ? WHERE id = ?",
                (
                    outcome.state.value,
                    outcome.failed,
                    outcome.reason,
                    outcome.hash,
                    outcome.block,
                    outcome.block_hash,
                    outcome.gas,
                    fee,
                    entry.id,
                ),
            )

    def forget(self, entry: Entry) -> None:
        """Strike out a write for which nothing was ever signed."""
        with database.transaction(self.path, _SCHEMA) as connection:
            connection.execute(
                "DELETE FROM writes WHERE id = ? AND NOT EXISTS (SELECT 1 FROM attempts WHERE write = writes.id)",
                (entry.id,),
            )

    def strike(self, entry: Entry) -> None:
        """Strike out a filler of a gap that has lost its place: there is nothing that it was to bring about."""
        with database.transaction(self.path, _SCHEMA) as connection:
            connection.execute("DELETE FROM attempts WHERE write = ?", (entry.id,))
            connection.execute("DELETE FROM writes WHERE id = ?", (entry.id,))

    def places(self, account: str, first: int, end: int) -> int:
        """How many numbers from `first` to before `end` the account's writes use."""
        with database.reading(self.path, _SCHEMA) as connection:
            row = connection.execute(
                "SELECT count(*) FROM writes WHERE account = ? AND nonce >= ? AND nonce < ?", (account, first, end)
            ).fetchone()
        return int(row[0])


_COLUMNS: Final = (
    "SELECT id, intent, receiver, data, opened_at, nonce,"
    " (SELECT count(DISTINCT nonce) FROM attempts WHERE write = writes.id),"
    " state, failed, reason, hash, block, block_hash, gas, fee FROM writes WHERE "
)
_ATTEMPTS: Final = (
    "SELECT hash, raw, gas, max_fee, tip, signed_at FROM attempts WHERE write = ? AND NOT lost ORDER BY id"
)


def _one(connection: sqlite3.Connection, where: str, values: Sequence[Any]) -> Entry | None:
    return next(iter(_entries(connection, where, values)), None)


def _entries(connection: sqlite3.Connection, where: str, values: Sequence[Any]) -> tuple[Entry, ...]:
    rows = connection.execute(f"{_COLUMNS}{where} ORDER BY id", values).fetchall()
    try:
        return tuple(_entry(row, connection.execute(_ATTEMPTS, (row[0],)).fetchall()) for row in rows)
    except (TypeError, ValueError):
        raise Unavailable("ledger.store", "The journal holds what was never written into it.") from None


def _make(path: Path) -> None:
    """Make the file if there is none, for its owner alone; SQLite gives the files beside it the same rights."""
    with suppress(FileExistsError):  # then it is not opened here: to close it would end SQLite's own locks on it
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWNERS))


def _unlockable(error: OSError) -> Unavailable:
    return Unavailable("ledger.store", f"The journal cannot be locked ({error.strerror}).")


def _entry(row: Sequence[Any], attempts: Sequence[Sequence[Any]]) -> Entry:
    number, intent, to, data, opened_at, nonce, places = row[:7]
    state, failed, reason, found, block, block_hash, gas, fee = row[7:]
    return Entry(
        number,
        intent,
        to,
        data,
        opened_at,
        nonce,
        Outcome(
            Finality(state),
            bool(failed),
            reason,
            found,
            block,
            block_hash,
            gas,
            None if fee is None else int(fee),
        ),
        tuple(
            Attempt(found, raw, gas, int(max_fee), int(tip), signed_at)
            for found, raw, gas, max_fee, tip, signed_at in attempts
        ),
        places,
    )
