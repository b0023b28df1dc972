"""Batches: what did one credential request ask for, does it still wait, and what did the wallet say became of it?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, RowMapping, insert, select, update

from service import hot
from ssi.encoding import Json, seconds
from ssi.keys import PublicKey
from ssi.oid4vci import Notification, OAuthError
from wallet.issuer import codes
from wallet.issuer.grants import Grant
from wallet.issuer.minting import Place
from wallet.issuer.store import BATCHES

_BEGIN: Final = insert(BATCHES)
_ID: Final = re.compile(r"[0-9a-f]{32}")
_NO_NOTIFICATION: Final = "There is no such notification_id for this access token."
_NO_TRANSACTION: Final = "The transaction_id is unknown, or its credentials have been fetched."


@dataclass(frozen=True)
class Waiting:
    """A batch that waits to be released, and the keys that it will be bound to."""

    place: Place
    keys: tuple[PublicKey, ...]

    @property
    def holders(self) -> frozenset[str]:
        """The thumbprints of its keys."""
        return frozenset(key.kid for key in self.keys)


def begin(
    connection: Connection, grant: Grant, configuration_id: str, *, random: codes.Random, now: datetime, issued: bool
) -> Place:
    """A new batch on record; `issued` at once, or to wait."""
    made = Place(grant.id, random(16).hex(), grant.application_id, configuration_id)
    row = {
        "id": made.batch_id,
        "grant_id": made.grant_id,
        "application_id": made.application_id,
        "configuration_id": made.configuration_id,
        "created_at": seconds(now),
        "issued_at": seconds(now) if issued else None,
    }
    hot.run(connection, _BEGIN, row)
    return made


def wait(connection: Connection, place: Place, keys: Sequence[PublicKey], *, random: codes.Random) -> str:
    """Let a batch wait, for these keys, under a fresh transaction_id; an earlier one of it ends."""
    transaction = codes.token(random)
    jwks: list[Json] = [dict(key.jwk) for key in keys]
    values = {"transaction_hash": codes.hashed(transaction), "keys": jwks}
    connection.execute(update(BATCHES).where(BATCHES.c.id == place.batch_id).values(values))
    return transaction


def waiting(connection: Connection, grant: Grant, configuration_id: str) -> tuple[Waiting, ...]:
    """The grant's batches of this configuration that wait."""
    query = select(BATCHES).where(BATCHES.c.grant_id == grant.id, BATCHES.c.transaction_hash.is_not(None))
    rows = connection.execute(query.where(BATCHES.c.configuration_id == configuration_id)).mappings()
    return tuple(_waiting(row) for row in rows)


def of_transaction(connection: Connection, grant: Grant, transaction_id: str) -> Waiting:
    """The batch that waits under a transaction_id. Raises OAuthError (`invalid_transaction_id`)."""
    query = select(BATCHES).where(
        BATCHES.c.transaction_hash == codes.hashed(transaction_id), BATCHES.c.grant_id == grant.id
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        raise OAuthError("invalid_transaction_id", _NO_TRANSACTION)
    return _waiting(row)


def finish(connection: Connection, place: Place, *, now: datetime) -> None:
    """The batch is issued: its transaction ends (§9.1), and its keys are with its credentials now."""
    done = {"issued_at": seconds(now), "transaction_hash": None, "keys": None}
    connection.execute(update(BATCHES).where(BATCHES.c.id == place.batch_id).values(done))


def drop(connection: Connection, *conditions: object) -> None:
    """Batches that will never be issued wait no longer."""
    waits = update(BATCHES).where(BATCHES.c.transaction_hash.is_not(None), *conditions)  # type: ignore[arg-type]  # column comparisons, always
    connection.execute(waits.values(transaction_hash=None, keys=None))


def note(connection: Connection, grant: Grant, said: Notification, *, now: datetime) -> None:
    """Record what a wallet says of a batch; the same again changes nothing (§11).

    Raises OAuthError (`invalid_notification_id`).
    """
    if not _ID.fullmatch(said.id):  # nothing else was ever given out, and no database looks for U+0000
        raise OAuthError("invalid_notification_id", _NO_NOTIFICATION)
    known = (BATCHES.c.id == said.id, BATCHES.c.grant_id == grant.id, BATCHES.c.issued_at.is_not(None))
    row = connection.execute(select(BATCHES.c.event, BATCHES.c.event_text).where(*known)).first()
    if row is None:
        raise OAuthError("invalid_notification_id", _NO_NOTIFICATION)
    if (row.event, row.event_text) != (said.event, said.description):
        told = {"event": said.event, "event_text": said.description, "event_at": seconds(now)}
        connection.execute(update(BATCHES).where(*known).values(told))


def _waiting(row: RowMapping) -> Waiting:
    place = Place(row["grant_id"], row["id"], row["application_id"], row["configuration_id"])
    return Waiting(place, tuple(PublicKey.from_jwk(jwk) for jwk in row["keys"] or ()))
