"""A vault: everything that one person keeps, opened by one key and closed to everybody else.

A record belongs to a kind, a vault, an id and a version; it opens only there. Another person's record does not exist
here, whatever its id: the answer to a guess is the answer to a mistake.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from sqlalchemy import Engine

from ssi.encoding import Json, b64url, read_json_object, seconds, write_json
from ssi.errors import Refused
from wallet.holder import store
from wallet.holder.sealing import Key, Random, place
from wallet.holder.store import RecordRow

ID_BYTES = 16
MAX_LISTED = 500


def new_id(random: Random = os.urandom) -> str:
    """An id that nobody can guess: 128 random bits."""
    return b64url(random(ID_BYTES))


@dataclass(frozen=True)
class Record:
    """A record as its owner reads it. `version` 0 means that it has not been kept yet."""

    kind: str
    id: str
    data: Mapping[str, Json] = field(repr=False)
    version: int = 0
    lookup: bytes | None = field(default=None, repr=False)
    expires: int | None = None


@dataclass(frozen=True)
class Vault:
    """One person's opened vault. Whoever holds this value may read and change everything in it."""

    id: str
    epoch: int
    key: Key = field(repr=False)
    engine: Engine = field(repr=False, compare=False)
    random: Random = field(default=os.urandom, repr=False, compare=False)

    @cached_property
    def _records(self) -> Key:
        return self.key.derive("facet-vault records")

    @cached_property
    def _index(self) -> Key:
        return self.key.derive("facet-vault index")

    def new(self, kind: str, data: Mapping[str, Json], *, lookup: str = "", until: datetime | None = None) -> Record:
        """A record that does not exist yet, with an id of its own; `put` keeps it.

        `lookup` is a value to find it by (stored blinded), `until` when it may be forgotten.
        """
        blinded = None if not lookup else self._blind(kind, lookup)
        return Record(kind, new_id(self.random), data, 0, blinded, None if until is None else seconds(until))

    def get(self, kind: str, id: str) -> Record:
        """The record with this id. Raises Refused (`record.absent`) when this vault has none, (`sealing.altered`)."""
        row = store.get_record(self.engine, vault=self.id, kind=kind, id=id)
        if row is None:
            raise Refused("record.absent", "There is nothing here with that address.")
        return self._open(row)

    def find(self, kind: str, lookup: str) -> Record | None:
        """The record that was given this lookup value."""
        row = store.find_record(self.engine, vault=self.id, kind=kind, lookup=self._blind(kind, lookup))
        return None if row is None else self._open(row)

    def all(self, kind: str, *, limit: int = MAX_LISTED) -> tuple[Record, ...]:
        """The newest records of a kind, newest first. Raises Refused (`sealing.altered`) when one was tampered with."""
        return tuple(self._open(row) for row in store.list_records(self.engine, vault=self.id, kind=kind, limit=limit))

    def commit(self, *put: Record, remove: tuple[Record, ...] = ()) -> tuple[Record, ...]:
        """Keep and remove these records, all or none; returns the kept ones with their new versions.

        Raises Refused (`record.conflict`) when one of them has changed since it was read.
        """
        kept = tuple(Record(r.kind, r.id, r.data, r.version + 1, r.lookup, r.expires) for r in put)
        deletes = [self._row(record, b"") for record in remove]
        store.apply(self.engine, puts=[self._seal(record) for record in kept], deletes=deletes)
        return kept

    def put(self, record: Record) -> Record:
        """Keep one record; see `commit`."""
        return self.commit(record)[0]

    def _blind(self, kind: str, lookup: str) -> bytes:
        return self._index.blind(f"{kind}|{lookup}")

    def _row(self, record: Record, sealed: bytes) -> RecordRow:
        return RecordRow(self.id, record.kind, record.id, record.version, sealed, record.lookup, record.expires)

    def _place(self, row: RecordRow) -> bytes:
        lookup = b64url(row.lookup) if row.lookup is not None else "-"
        return place(row.kind, row.vault, row.id, row.version, lookup, "-" if row.expires is None else row.expires)

    def _seal(self, record: Record) -> RecordRow:
        row = self._row(record, b"")
        sealed = self._records.seal(write_json(record.data), bound_to=self._place(row), random=self.random)
        return self._row(record, sealed)

    def _open(self, row: RecordRow) -> Record:
        data = self._records.open(row.sealed, bound_to=self._place(row))
        return Record(row.kind, row.id, read_json_object(data, what="record"), row.version, row.lookup, row.expires)


def changed(record: Record, **members: Json) -> Record:
    """The same record with these members replaced, to be kept with `put`."""
    return Record(record.kind, record.id, {**record.data, **members}, record.version, record.lookup, record.expires)
