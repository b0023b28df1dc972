"""What the development chain keeps, in one SQLite file: blocks, transactions with receipts, logs, and state.

A block is written in one IMMEDIATE transaction with all that belongs to it, so a process that is killed leaves the
whole block or nothing of it. Write-ahead logging lets others read meanwhile; `synchronous=FULL` means that what was
answered survives a loss of power. Several threads and processes may open one file: nothing about the chain is kept
outside of it. State is kept as trie nodes under their hashes, which never change, so the past stays readable.

What lies under its hash is compared with it whenever it is read, and the rest has at least the type that it must have:
a file that was cut short or written over is Unavailable (`ledger.store`), and never another chain.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from ssi.errors import Refused, Unavailable
from ssi.ledger.devchain.errors import damaged
from ssi.ledger.hexes import keccak

_VERSION: Final = 1
_PATIENCE: Final = 60.0
_TROUBLE: Final = (sqlite3.Error, UnicodeDecodeError)  # the second where it cannot even read what is wrong with a file
_SCHEMA: Final = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE nodes (hash BLOB PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE blocks (
  number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, at INTEGER NOT NULL, header BLOB NOT NULL,
  withdrawals BLOB NOT NULL);
CREATE TABLE transactions (
  hash BLOB PRIMARY KEY, number INTEGER NOT NULL, sender BLOB NOT NULL, raw BLOB NOT NULL, receipt BLOB NOT NULL,
  gas_used INTEGER NOT NULL, price BLOB NOT NULL, created BLOB) WITHOUT ROWID;
CREATE INDEX transactions_by_block ON transactions (number);
CREATE TABLE logs (
  number INTEGER NOT NULL, position INTEGER NOT NULL, address BLOB NOT NULL,
  topic0 BLOB, topic1 BLOB, topic2 BLOB, topic3 BLOB, data BLOB NOT NULL,
  PRIMARY KEY (number, position)) WITHOUT ROWID;
CREATE INDEX logs_by_subject ON logs (address, topic1, number);
CREATE INDEX logs_by_address ON logs (address, number);
CREATE INDEX logs_by_event ON logs (topic0, number);
"""


@dataclass(frozen=True)
class BlockRow:
    """A block as it is kept: `header` and `withdrawals` are RLP, `at` is its time in seconds since 1970."""

    number: int
    hash: bytes
    at: int
    header: bytes
    withdrawals: bytes


@dataclass(frozen=True)
class TransactionRow:
    """A mined transaction: `raw` as it was sent, `receipt` as the receipts' trie holds it, `price` in wei per gas."""

    hash: bytes
    number: int
    sender: bytes
    raw: bytes
    receipt: bytes
    gas_used: int
    price: int
    created: bytes | None


@dataclass(frozen=True)
class LogRow:
    """A log with the block and the transaction that it came from."""

    number: int
    position: int
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    block_hash: bytes = b""
    transaction_hash: bytes = b""
    at: int = 0


class Session:
    """One transaction of the database: all that is read in it belongs to one moment of the chain."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def end(self) -> None:
        """Let go of the file: the machine's caches keep what they read from, this object included, for a long time."""
        del self._connection

    def version(self) -> int:
        """Which layout of tables the file has; 0 for none."""
        return int(self._one("PRAGMA user_version")[0])

    def prepare(self) -> int:
        """Make the tables; the layout that the file has then."""
        for statement in filter(str.strip, _SCHEMA.split(";")):
            self._connection.execute(statement)
        self._connection.execute(f"PRAGMA user_version = {_VERSION}")
        return _VERSION

    def fact(self, name: str) -> int | None:
        """A number that was fixed when the chain was made."""
        row = self._one("SELECT value FROM facts WHERE name = ?", name)
        return None if row is None else _typed(row, int)[0]

    def put_fact(self, name: str, value: int) -> None:
        """Fix a number for the life of the chain."""
        self._connection.execute("INSERT INTO facts VALUES (?, ?)", (name, value))

    def node(self, key: bytes) -> bytes | None:
        """The trie node or the code with this hash."""
        row = self._one("SELECT body FROM nodes WHERE hash = ?", key)
        return None if row is None else _under(key, _typed(row, bytes)[0])

    def put_nodes(self, nodes: Mapping[bytes, bytes]) -> None:
        """Keep trie nodes and code under their hashes."""
        self._connection.executemany("INSERT OR IGNORE INTO nodes VALUES (?, ?)", nodes.items())

    def head(self) -> BlockRow | None:
        """The newest block; None before the chain was made."""
        return _block(self._one("SELECT * FROM blocks ORDER BY number DESC LIMIT 1"))

    def block(self, number: int) -> BlockRow | None:
        """The block of this height."""
        return _block(self._one("SELECT * FROM blocks WHERE number = ?", number))

    def block_with(self, block_hash: bytes) -> BlockRow | None:
        """The block with this hash."""
        return _block(self._one("SELECT * FROM blocks WHERE hash = ?", block_hash))

    def put_block(self, row: BlockRow) -> None:
        """Add a block; its height must be free."""
        values = (row.number, row.hash, row.at, row.header, row.withdrawals)
        self._connection.execute("INSERT INTO blocks VALUES (?, ?, ?, ?, ?)", values)

    def cut(self, above: int) -> None:
        """Forget the blocks above this height and all that was in them (a reorganisation)."""
        for table in ("logs", "transactions", "blocks"):
            self._connection.execute(f"DELETE FROM {table} WHERE number > ?", (above,))  # noqa: S608  (our own names)

    def transaction(self, transaction_hash: bytes) -> TransactionRow | None:
        """The mined transaction with this hash."""
        row = self._one("SELECT * FROM transactions WHERE hash = ?", transaction_hash)
        return None if row is None else _transaction(row)

    def transactions(self, number: int) -> tuple[TransactionRow, ...]:
        """The transactions of a block: one or none, because each is mined at once."""
        rows = self._connection.execute("SELECT * FROM transactions WHERE number = ?", (number,))
        return tuple(_transaction(row) for row in rows)

    def put_transaction(self, row: TransactionRow) -> None:
        """Add a mined transaction."""
        price = row.price.to_bytes(32, "big")
        values = (row.hash, row.number, row.sender, row.raw, row.receipt, row.gas_used, price, row.created)
        self._connection.execute("INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)

    def put_logs(self, rows: Iterable[LogRow]) -> None:
        """Add a block's logs."""
        self._connection.executemany(
            "INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(row.number, row.position, row.address, *_four(row.topics), row.data) for row in rows],
        )

    def logs(
        self,
        first: int,
        last: int,
        addresses: Sequence[bytes],
        topics: Sequence[Sequence[bytes]],
        limit: int,
    ) -> tuple[LogRow, ...]:
        """The logs of these blocks: of any of the addresses (none: of all), each topic one of those given (or any).

        At most `limit` rows, in the order in which they were written.
        """
        conditions, values = ["l.number BETWEEN ? AND ?"], [first, last]
        choices = [("address", addresses), *((f"topic{place}", of) for place, of in enumerate(topics))]
        for column, wanted in choices:
            if wanted:
                conditions.append(f"l.{column} IN ({', '.join('?' * len(wanted))})")
                values.extend(wanted)  # type: ignore[arg-type]  # SQLite takes any mixture of numbers and bytes
        if topics:
            conditions.append(f"l.topic{len(topics) - 1} IS NOT NULL")
        where = " AND ".join(conditions)
        query = (
            "SELECT l.*, b.hash, t.hash, b.at FROM logs l JOIN blocks b ON b.number = l.number"  # noqa: S608  (ours)
            f" JOIN transactions t ON t.number = l.number WHERE {where} ORDER BY l.number, l.position LIMIT ?"
        )
        return tuple(_log(row) for row in self._connection.execute(query, (*values, limit)))

    def _one(self, query: str, *values: Any) -> Any:
        return self._connection.execute(query, values).fetchone()


class Store:
    """The file. Connections are kept for reuse within a process, and never carried over into another."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._owner = os.getpid()
        with self.reading() as session:
            known = session.version()
        if known == 0:
            with self.writing() as session:
                known = session.prepare()
        if known != _VERSION:
            raise Refused("ledger.store_version", "The file of the development chain was made by another version.")

    def reading(self) -> AbstractContextManager[Session]:
        """A view of one moment of the chain. Raises Unavailable (`ledger.store`)."""
        return self._transaction("BEGIN")

    def writing(self) -> AbstractContextManager[Session]:
        """The only writer, until the block ends; an exception undoes all. Raises Unavailable (`ledger.store`)."""
        return self._transaction("BEGIN IMMEDIATE")

    def close(self) -> None:
        """Close the connections that nobody is using."""
        while self._owner == os.getpid() and self._idle:
            self._idle.pop().close()

    def _transaction(self, begin: str) -> AbstractContextManager[Session]:
        return _Transaction(self._borrow, self._idle.append, begin)

    def _borrow(self) -> sqlite3.Connection:
        if self._owner != os.getpid():  # a fork: SQLite forbids using, and even closing, what the parent opened
            self._idle, self._owner = [], os.getpid()
        with suppress(IndexError):
            return self._idle.pop()
        connection = None
        try:
            connection = sqlite3.connect(
                self._path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        except _TROUBLE as trouble:
            if connection is not None:
                connection.close()
            raise _unavailable() from trouble
        return connection


class _Transaction:
    """A transaction of the database; the connection goes back to where it came from unless it failed."""

    def __init__(self, borrow: Callable[[], sqlite3.Connection], give_back: Callable[..., None], begin: str) -> None:
        self._connection, self._give_back, self._begin = borrow(), give_back, begin

    def __enter__(self) -> Session:
        try:
            self._connection.execute(self._begin)
        except _TROUBLE as trouble:
            self._connection.close()
            raise _unavailable() from trouble
        self._session = Session(self._connection)
        return self._session

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._session.end()
        try:
            self._connection.execute("COMMIT" if kind is None else "ROLLBACK")
        except _TROUBLE as trouble:
            self._connection.close()
            raise _unavailable() from trouble
        if isinstance(error, _TROUBLE):
            self._connection.close()
            raise _unavailable() from error
        self._give_back(self._connection)


def _unavailable() -> Unavailable:
    return Unavailable("ledger.store", "The file of the development chain cannot be used.")


def _typed(row: Any, *kinds: Any) -> Any:
    """The row, if its values are of these types: SQLite itself takes any value in any column."""
    if len(row) != len(kinds) or not all(map(isinstance, row, kinds)):
        raise damaged()
    return row


@lru_cache(maxsize=8192)
def _under(key: bytes, content: bytes) -> bytes:
    """The content, if this is its hash. What was compared once is known again by its bytes."""
    if keccak(content) != key:
        raise damaged()
    return content


def _block(row: Any) -> BlockRow | None:
    if row is None:
        return None
    found = BlockRow(*_typed(row, int, bytes, int, bytes, bytes))
    _under(found.hash, found.header)
    return found


def _transaction(row: Any) -> TransactionRow:
    transaction_hash, number, sender, raw, receipt, gas_used, price, created = _typed(
        row, bytes, int, bytes, bytes, bytes, int, bytes, bytes | None
    )
    return TransactionRow(
        transaction_hash,
        number,
        sender,
        _under(transaction_hash, raw),
        receipt,
        gas_used,
        int.from_bytes(price, "big"),
        created,
    )


def _log(row: Any) -> LogRow:
    number, position, address, *topics, data, block_hash, transaction_hash, at = _typed(
        row, int, int, bytes, *(bytes | None,) * 4, bytes, bytes, bytes, int
    )
    kept = tuple(topic for topic in topics if topic is not None)
    return LogRow(number, position, address, kept, data, block_hash, transaction_hash, at)


def _four(topics: tuple[bytes, ...]) -> tuple[bytes | None, ...]:
    return (*topics, *(None,) * (4 - len(topics)))
