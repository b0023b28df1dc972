"""The event index: a contract's logs on this machine's disk, so that each is asked for once.

Every block with logs, and every place up to which was read, is kept with its hash. When the chain no longer has the
newest of these, what came after their last common block is thrown away and read again. Each piece is written in one
transaction that names where it begins: it may be killed at any time, and several processes may read and write at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ssi.errors import Unavailable
from ssi.ledger import database
from ssi.ledger.chain import Block, Chain, Log

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS contracts (
    id INTEGER PRIMARY KEY, chain TEXT NOT NULL, address TEXT NOT NULL, UNIQUE (chain, address)
);
CREATE TABLE IF NOT EXISTS marks (
    contract INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (contract, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS logs (
    contract INTEGER NOT NULL, about BLOB, block INTEGER NOT NULL, place INTEGER NOT NULL, topics BLOB NOT NULL,
    data BLOB NOT NULL, block_hash BLOB NOT NULL, transaction_hash BLOB NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (contract, block, place)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS logs_about ON logs (contract, about, block, place)
"""
_TRIES: Final = 5
"""How often the chain may become another while it is read."""
_RACES: Final = 100
"""How often another process may be quicker; what it has read needs not be read again."""
_WORD: Final = 32


@dataclass(frozen=True)
class Synced:
    """The block up to which the index now has everything, and how many logs came in."""

    head: Block
    logs_added: int


class _OvertakenError(Exception):
    """Another process has written to the index meanwhile."""


@dataclass(frozen=True)
class _Mark:
    """A block up to which all was read."""

    number: int
    hash: bytes


class EventIndex:
    """The index in a file. `first` names, by contract, a block not later than its creation (0 for others)."""

    def __init__(self, path: Path, *, first: int = 0) -> None:
        self.path = path
        self._first = first

    def sync(self, chain: Chain, address: str) -> Synced:
        """Read what is new, throw away what the chain no longer has.

        Costs one question when nothing is new. Raises Unavailable (`ledger.*`), and Refused as the chain does.
        """
        name, changed = _name(chain, address), 0
        for _ in range(_RACES):
            head = chain.head()
            mark = self._newest(name)
            if mark == _Mark(head.number, head.hash):
                return Synced(head, 0)
            start = self._ancestor(chain, name, mark)
            try:
                added = self._read(chain, address, name, start, head)
            except _OvertakenError:  # by somebody who has got further
                continue
            if added is not None:
                return Synced(head, added)
            changed += 1
            if changed == _TRIES:
                break
        raise Unavailable("ledger.reorganising", "The chain changes faster than it can be read.")

    def logs(self, chain: Chain, address: str, topic: bytes) -> tuple[Log, ...]:
        """The logs whose second topic this is, in the chain's order, as far as was read; nobody is asked."""
        lower = address.lower()
        with database.reading(self.path, _SCHEMA) as connection:
            rows = connection.execute(_LOGS, (*_name(chain, address), topic)).fetchall()
        return tuple(
            [
                Log(lower, _topics(joined, topic), told, block, block_hash, transaction, place, at)
                for joined, told, block, block_hash, transaction, place, at in rows
            ]
        )

    def _newest(self, name: tuple[str, str]) -> _Mark | None:
        with database.reading(self.path, _SCHEMA) as connection:
            return _newest(connection, name)

    def _ancestor(self, chain: Chain, name: tuple[str, str], newest: _Mark | None) -> _Mark | None:
        """The newest mark that the chain still has; all newer ones are removed with their logs."""
        if newest is None:
            return None
        with database.reading(self.path, _SCHEMA) as connection:
            marks = [_Mark(*row) for row in connection.execute(_MARKS, name).fetchall()]
        kept = _last_common(chain, marks)
        if kept != newest:
            number = -1 if kept is None else kept.number
            with database.transaction(self.path, _SCHEMA) as connection:
                _cut(connection, name, number)
        return kept

    def _read(self, chain: Chain, address: str, name: tuple[str, str], start: _Mark | None, head: Block) -> int | None:
        """Read from after `start` up to `head`; None when the chain became another meanwhile."""
        added = 0
        first = self._first if start is None else start.number + 1
        for _, end, logs in chain.scanned(address, (), first, head.number):
            times = {log.block_number for log in logs if log.at is None}
            blocks = chain.blocks(sorted({*times, end, head.number}))
            if head.number not in blocks or blocks[head.number].hash != head.hash or end not in blocks:
                return None
            if any(log.at is None and blocks[log.block_number].hash != log.block_hash for log in logs):
                return None
            reached = _Mark(end, blocks[end].hash)
            self._keep(name, start, reached, logs, blocks)
            start, added = reached, added + len(logs)
        return added

    def _keep(
        self,
        name: tuple[str, str],
        start: _Mark | None,
        reached: _Mark,
        logs: Sequence[Log],
        blocks: Mapping[int, Block],
    ) -> None:
        """Write one piece, if the index still ends where the piece begins."""
        with database.transaction(self.path, _SCHEMA) as connection:
            if _newest(connection, name) != start:
                raise _OvertakenError
            connection.execute("INSERT OR IGNORE INTO contracts (chain, address) VALUES (?, ?)", name)
            contract = connection.execute(f"SELECT {_CONTRACT}", name).fetchone()[0]
            connection.executemany(
                "INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        contract,
                        log.topics[1] if len(log.topics) > 1 else None,
                        log.block_number,
                        log.log_index,
                        b"".join(log.topics),
                        log.data,
                        log.block_hash,
                        log.transaction_hash,
                        blocks[log.block_number].at if log.at is None else log.at,
                    )
                    for log in logs
                ],
            )
            marks = {(contract, log.block_number, log.block_hash) for log in logs}
            connection.executemany(
                "INSERT OR REPLACE INTO marks VALUES (?, ?, ?)", [*marks, (contract, reached.number, reached.hash)]
            )

    def forget(self, chain: Chain, address: str) -> None:
        """Throw away what is kept of a contract: its next `sync` reads it anew, for it was told wrongly."""
        with database.transaction(self.path, _SCHEMA) as connection:
            _cut(connection, _name(chain, address), -1)


_CONTRACT: Final = "(SELECT id FROM contracts WHERE chain = ? AND address = ?)"
_MARKS: Final = f"SELECT number, hash FROM marks WHERE contract = {_CONTRACT} ORDER BY number"  # noqa: S608  (constants)
_LOGS: Final = (
    "SELECT topics, data, block, block_hash, transaction_hash, place, at FROM logs"  # noqa: S608  (constants)
    f" WHERE contract = {_CONTRACT} AND about = ? ORDER BY block, place"
)


def _name(chain: Chain, address: str) -> tuple[str, str]:
    """The contract's name in the index: another chain of the same number has another beginning."""
    return f"{chain.chain_id}:{chain.beginning().hex()}", address.lower()


def _newest(connection: sqlite3.Connection, name: tuple[str, str]) -> _Mark | None:
    row = connection.execute(f"{_MARKS} DESC LIMIT 1", name).fetchone()
    return None if row is None else _Mark(*row)


def _cut(connection: sqlite3.Connection, name: tuple[str, str], number: int) -> None:
    """Remove all of a contract that is after this block."""
    for table, column in (("logs", "block"), ("marks", "number")):
        connection.execute(
            f"DELETE FROM {table} WHERE contract = {_CONTRACT} AND {column} > ?",  # noqa: S608  (constants)
            (*name, number),
        )


def _last_common(chain: Chain, marks: Sequence[_Mark]) -> _Mark | None:
    """The newest mark that the chain has: what it has ends somewhere, so the middle of what is left is asked for.

    The newest ones are looked at first, in steps that double, for most reorganisations are short.
    """
    low, high, step = 0, len(marks), 1  # marks[:low] are on the chain, marks[high:] are not
    while low < high:
        place = max(low, high - step)
        found = chain.block(marks[place].number)
        if found is not None and found.hash == marks[place].hash:
            low, step = place + 1, max(1, (high - place - 1) // 2)
        else:
            high, step = place, step * 2
    return marks[low - 1] if low else None


def _topics(joined: bytes, second: bytes) -> tuple[bytes, ...]:
    if len(joined) == 2 * _WORD:  # nearly all
        return joined[:_WORD], second
    return tuple([joined[at : at + _WORD] for at in range(0, len(joined), _WORD)])
