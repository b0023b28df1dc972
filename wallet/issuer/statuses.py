"""Status publication: which index does a credential get, and what does the published list say of it?

Token Status List, two bits to a credential (valid, revoked, suspended: "Status Types Values"). Indexes are drawn at
random among the free ones ("Linkability Mitigation"; HAIP 1.0 §6.1), so that their order tells nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Final

from sqlalchemy import Connection, Engine, Float, Integer, RowMapping, bindparam, insert, select, update

from service import hot
from service.store import reading, writing
from ssi.encoding import read_json_object, seconds, unb64url
from ssi.errors import Refused
from ssi.jose import jws
from ssi.model import StatusRef
from ssi.status import bitlist
from ssi.status import token_status_list as tsl
from wallet.issuer.bitstrings import PURPOSES
from wallet.issuer.codes import Random
from wallet.issuer.identity import Identity
from wallet.issuer.store import CREDENTIALS, STATUS_LISTS

BITS: Final = 2
LIFETIME: Final = timedelta(hours=24)
"""How long a published list may be used at all (`exp`); `ttl` says when to ask for a newer one."""

_FULL: Final = 0.5  # beyond this share a new list is begun, so that a free index is found in two draws
_DRAWS: Final = 200

# Statements of the way to a credential, made once: to put one together costs more than to run it.
_ROOMY: Final = (
    select(STATUS_LISTS.c.id, STATUS_LISTS.c.size)
    .where(STATUS_LISTS.c.allocated < STATUS_LISTS.c.size * bindparam("full", type_=Float))
    .with_for_update()
)
_GROWN: Final = (
    update(STATUS_LISTS)
    .where(STATUS_LISTS.c.id == bindparam("list"))
    .values(allocated=STATUS_LISTS.c.allocated + bindparam("number", type_=Integer))
)
_TAKEN: Final = select(CREDENTIALS.c.list_index).where(
    CREDENTIALS.c.list_id == bindparam("list"), CREDENTIALS.c.list_index.in_(bindparam("indexes", expanding=True))
)


class Status(IntEnum):
    """Token Status List, "Status Types Values"."""

    VALID = tsl.VALID
    REVOKED = tsl.INVALID
    SUSPENDED = tsl.SUSPENDED


@dataclass(frozen=True)
class Publisher:
    """Publishes this desk's status lists at `<base_url>/status/<list id>`."""

    store: Engine
    identity: Identity
    base_url: str
    ttl: timedelta
    size: int

    def uri(self, list_id: str) -> str:
        """Where a list is published."""
        return f"{self.base_url}/status/{list_id}"

    def names(self, list_id: str) -> tuple[str, ...]:
        """The addresses of a list in all the ways in which it is published."""
        return (self.uri(list_id), *(f"{self.uri(list_id)}/{purpose}" for purpose in PURPOSES))

    def refs(self, list_id: str, index: int, kind: str) -> tuple[StatusRef, ...]:
        """What a credential says about where its status stands: in one list of both, or in a list for each purpose."""
        if kind == tsl.KIND:
            return (StatusRef(tsl.KIND, self.uri(list_id), index),)
        return tuple(StatusRef(kind, f"{self.uri(list_id)}/{purpose}", index, purpose) for purpose in PURPOSES)

    def allocate(self, connection: Connection, number: int, *, random: Random) -> tuple[str, tuple[int, ...]]:
        """Free indexes of one list, in the caller's transaction: the credentials must be recorded in the same one.

        Each is drawn at random, so that not even those of one batch lie together. Raises Refused (`status.full`).
        """
        row = hot.first(connection, _ROOMY, {"full": _FULL})
        list_id, size = (row["id"], row["size"]) if row else (self._begin(connection, random), self.size)
        found: dict[int, None] = {}
        for _ in range(_DRAWS):
            drawn = {int.from_bytes(random(8), "big") % size: None for _ in range(number - len(found))}
            taken = self._taken(connection, list_id, drawn)
            found |= {index: None for index in drawn if index not in taken}
            if len(found) == number:
                hot.run(connection, _GROWN, {"list": list_id, "number": number})
                return list_id, tuple(found)
        raise Refused("status.full", "No free place was found in the status list.")

    def token(self, list_id: str, *, now: datetime) -> str:
        """The signed list: the last one while it is fresh and nothing changed, else a new one.

        Raises Refused (`status.unknown_list`).
        """
        with reading(self.store) as connection:
            row = self._row(connection, list_id)
        if self._fresh(row, now=now):
            return str(row["token"])
        with writing(self.store) as connection:
            row = self._row(connection, list_id)
            return str(row["token"]) if self._fresh(row, now=now) else self._sign(connection, row, now=now)

    def digests(self, connection: Connection, list_id: str) -> dict[str, bytes]:
        """The digest of what each published form of a list says now, by its address: the ledger keeps the newest.

        Raises Refused (`status.unknown_list`).
        """
        row = self._row(connection, list_id)
        marked = {int(one.list_index): int(one.status) for one in self._marked(connection, list_id)}
        both = tsl.StatusList.blank(int(row["size"]), bits=BITS).changed(marked)
        blank = bitlist.Bitstring.blank(max(int(row["size"]), bitlist.MIN_ENTRIES))
        found = {self.uri(list_id): both.digest}
        for purpose, status in PURPOSES.items():
            single = blank.changed({index: 1 for index, value in marked.items() if value == status})
            found[f"{self.uri(list_id)}/{purpose}"] = single.digest
        return found

    def _marked(self, connection: Connection, list_id: str) -> Sequence[Any]:
        """The places in a list that are not simply valid."""
        query = select(CREDENTIALS.c.list_index, CREDENTIALS.c.status).where(
            CREDENTIALS.c.list_id == list_id, CREDENTIALS.c.status != int(Status.VALID)
        )
        return connection.execute(query).all()

    def _begin(self, connection: Connection, random: Random) -> str:
        list_id = random(8).hex()
        connection.execute(insert(STATUS_LISTS).values(id=list_id, size=self.size, allocated=0, changes=0))
        return list_id

    def _taken(self, connection: Connection, list_id: str, indexes: Collection[int]) -> frozenset[int]:
        rows = connection.execute(_TAKEN, {"list": list_id, "indexes": list(indexes)})
        return frozenset(int(row.list_index) for row in rows)

    def _row(self, connection: Connection, list_id: str) -> RowMapping:
        row = connection.execute(select(STATUS_LISTS).where(STATUS_LISTS.c.id == list_id)).mappings().first()
        if row is None:
            raise Refused("status.unknown_list", "There is no such status list.")
        return row

    def _fresh(self, row: RowMapping, *, now: datetime) -> bool:
        if row["token"] is None or row["token_changes"] != row["changes"] or not self._own(str(row["token"])):
            return False
        age = seconds(now) - int(row["token_at"])
        return 0 <= age < self.ttl.total_seconds()

    def _own(self, token: str) -> bool:
        """Is it signed with the key, and says so in the way, with which it would be signed now?"""
        head = unb64url(token.partition(".")[0], what="header of a status list")  # its payload may be megabytes
        header, x5c = read_json_object(head, what="header of a status list"), self.identity.issuer.x5c
        return jws.x5c(header) == x5c and (bool(x5c) or header.get("kid") == self.identity.signer.kid)

    def _sign(self, connection: Connection, row: RowMapping, *, now: datetime) -> str:
        marked = self._marked(connection, str(row["id"]))
        blank = tsl.StatusList.blank(int(row["size"]), bits=BITS)
        statuses = blank.changed({int(row.list_index): int(row.status) for row in marked})
        token = self._issue(statuses, str(row["id"]), now=now)
        connection.execute(
            update(STATUS_LISTS)
            .where(STATUS_LISTS.c.id == row["id"])
            .values(token=token, token_changes=row["changes"], token_at=seconds(now))
        )
        return token

    def _issue(self, statuses: tsl.StatusList, list_id: str, *, now: datetime) -> str:
        """Sign in the way that credentials name their issuer: the same chain, or the same key by its `kid`."""
        return tsl.issue(
            statuses,
            uri=self.uri(list_id),
            signer=self.identity.signer,
            x5c=self.identity.issuer.x5c,
            now=now,
            ttl=self.ttl,
            expires=now + LIFETIME,
        )
