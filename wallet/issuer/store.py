"""What the desk remembers: applications, offers, nonces, issued credentials and their status lists.

Never a portrait or selfie, and no code in clear. `applications.subject` is the only place with a person's data; it is
emptied at `erase_at` (see `wallet.issuer.desk`). Times are whole seconds since 1970, UTC.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    update,
)

METADATA: Final = MetaData()

APPLICATIONS: Final = Table(
    "applications",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("decision", String(16), nullable=False),  # approved | declined
    Column("reasons", JSON(none_as_null=True), nullable=False),
    Column("evidence", JSON(none_as_null=True)),
    Column("subject", JSON(none_as_null=True)),
    Column("erase_at", BigInteger, nullable=False),
    Index("applications_by_time", "created_at"),
    Index("applications_to_erase", "erase_at"),
)

OFFERS: Final = Table(
    "offers",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("application_id", String(16), ForeignKey("applications.id"), nullable=False),
    Column("configuration_id", String(64), nullable=False),
    Column("link_hash", String(64), nullable=False, unique=True),
    Column("code_hash", String(64), nullable=False, unique=True),
    Column("tx_hash", String(64), nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("opened_at", BigInteger),  # a wallet fetched it
    Column("redeemed_at", BigInteger),  # its code became an access token
    Column("access_hash", String(64), unique=True),
    Column("access_expires_at", BigInteger),
    Column("by_identifier", Boolean, nullable=False, default=False),  # the token response named its dataset
    Column("replaced_at", BigInteger),  # the desk made a newer offer
    Index("offers_by_application", "application_id"),
)

NONCES: Final = Table(
    "nonces",
    METADATA,
    Column("hash", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False),
    Index("nonces_by_expiry", "expires_at"),
)

STATUS_LISTS: Final = Table(
    "status_lists",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("size", Integer, nullable=False),
    Column("allocated", Integer, nullable=False),
    Column("changes", Integer, nullable=False),  # counts status changes
    Column("token", Text),  # the last one signed
    Column("token_changes", Integer),  # the count it was signed at
    Column("token_at", BigInteger),
)

CREDENTIALS: Final = Table(
    "credentials",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("offer_id", Integer, ForeignKey("offers.id"), nullable=False, unique=True),  # one credential to an offer
    Column("application_id", String(16), ForeignKey("applications.id"), nullable=False),
    Column("configuration_id", String(64), nullable=False),
    Column("holder", String(64), nullable=False),  # thumbprint of the key it is bound to
    Column("list_id", String(32), ForeignKey("status_lists.id"), nullable=False),
    Column("list_index", Integer, nullable=False),
    Column("status", Integer, nullable=False),
    Column("reason", String(200)),
    Column("issued_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger),
    UniqueConstraint("list_id", "list_index"),
    Index("credentials_by_time", "issued_at"),
)

FAILURES: Final = Table(
    "failures",
    METADATA,
    Column("source", String(64), primary_key=True),  # a hashed address
    Column("since", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
)


def sweep(connection: Connection, *, now: int) -> int:
    """Erase what is no longer needed: personal data past its time and spent or stale nonces.

    Returns how many applications lost their personal data.
    """
    connection.execute(delete(NONCES).where(NONCES.c.expires_at <= now))
    erased = connection.execute(
        update(APPLICATIONS)
        .where(APPLICATIONS.c.erase_at <= now, APPLICATIONS.c.subject.is_not(None))
        .values(subject=None, evidence=None)
    )
    return int(erased.rowcount)


def scrub(store: Engine) -> bool:
    """Empty SQLite's write-ahead log, where erased data would linger; True when that is done (or needless).

    Pages themselves are overwritten at once (`secure_delete`). While somebody still reads, it has to be tried again.
    """
    if store.dialect.name != "sqlite":
        return True
    connection = store.raw_connection()
    try:
        busy = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        connection.close()
    return not busy
