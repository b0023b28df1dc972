"""What the desk remembers: applications, offers, grants, tokens, nonces, credentials, their lists, its ledger writes.

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
    LargeBinary,
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
    Column("configuration_ids", JSON, nullable=False),  # a list of at least one
    Column("way", String(16), nullable=False),  # code | sign-in
    Column("held", Boolean, nullable=False, default=False),  # a colleague must release it
    Column("ruling", String(16)),  # the colleague's word on what was held: released | refused
    Column("link_hash", String(64), nullable=False, unique=True),
    Column("code_hash", String(64), nullable=False, unique=True),  # of the pre-authorized code or the issuer_state
    Column("tx_hash", String(64)),  # None: an offer without a transaction code, which only trials make
    Column("tries_left", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("opened_at", BigInteger),  # a wallet fetched it
    Column("redeemed_at", BigInteger),  # it became a grant
    Column("access_until", BigInteger),  # the end of the first access token
    Column("replaced_at", BigInteger),  # the desk made a newer offer
    Index("offers_by_application", "application_id"),
)

GRANTS: Final = Table(
    "grants",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("offer_id", Integer, ForeignKey("offers.id"), nullable=False),
    Column("application_id", String(16), ForeignKey("applications.id"), nullable=False),
    Column("configuration_ids", JSON, nullable=False),
    Column("identifiers", JSON, nullable=False),  # by configuration; empty where none were asked for
    Column("client_id", String(512)),  # None: an anonymous wallet
    Column("instance", String(64)),  # thumbprint of the wallet's attested key
    Column("jkt", String(64)),  # thumbprint of the key that the first tokens are bound to
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Index("grants_by_offer", "offer_id"),
    Index("grants_by_application", "application_id"),
)

TOKENS: Final = Table(
    "tokens",
    METADATA,
    Column("hash", String(64), primary_key=True),
    Column("grant_id", String(32), ForeignKey("grants.id"), nullable=False),
    Column("kind", String(8), nullable=False),  # access | refresh
    Column("jkt", String(64)),  # thumbprint of the key that it is bound to
    Column("expires_at", BigInteger, nullable=False),
    Index("tokens_by_grant", "grant_id"),
    Index("tokens_by_expiry", "expires_at"),
)

AUTHORIZATIONS: Final = Table(
    "authorizations",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("request_hash", String(64), nullable=False, unique=True),  # of the request_uri
    Column("query", JSON, nullable=False),  # what the wallet asked for
    Column("client_name", String(200), nullable=False),
    Column("instance", String(64)),  # thumbprint of the wallet's attested key
    Column("expires_at", BigInteger, nullable=False),
    Column("opened_at", BigInteger),  # a browser came with it
    Column("tries_left", Integer, nullable=False),
    Column("offer_id", Integer, ForeignKey("offers.id")),  # whose person has signed in
    Column("answered_at", BigInteger),  # allowed or refused
    Column("code_hash", String(64), unique=True),
    Column("grant_id", String(32), ForeignKey("grants.id")),  # what the code became
    Index("authorizations_by_expiry", "expires_at"),
)

REPLAYS: Final = Table(
    "replays",  # proofs that were used once, for as long as they could be used again
    METADATA,
    Column("hash", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False),
    Index("replays_by_expiry", "expires_at"),
)

NONCES: Final = Table(
    "nonces",  # those of key proofs that were used, for as long as they could be used again
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

BATCHES: Final = Table(
    "batches",  # what one credential request asked for: copies of one card, each for a key of its own
    METADATA,
    Column("id", String(32), primary_key=True),  # the notification_id
    Column("grant_id", String(32), ForeignKey("grants.id"), nullable=False),
    Column("application_id", String(16), ForeignKey("applications.id"), nullable=False),
    Column("configuration_id", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("issued_at", BigInteger),  # None while it waits to be released
    Column("transaction_hash", String(64), unique=True),  # while it waits
    Column("keys", JSON(none_as_null=True)),  # the keys to bind, while it waits
    Column("event", String(32)),  # what the wallet said became of it
    Column("event_text", String(300)),
    Column("event_at", BigInteger),
    Index("batches_by_grant", "grant_id"),
    Index("batches_by_time", "issued_at"),
)

CREDENTIALS: Final = Table(
    "credentials",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("grant_id", String(32), ForeignKey("grants.id"), nullable=False),
    Column("batch_id", String(32), ForeignKey("batches.id"), nullable=False),
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
    UniqueConstraint("grant_id", "configuration_id", "holder"),  # one credential to a key
    Index("credentials_by_batch", "batch_id"),
    Index("credentials_by_application", "application_id"),
)

LEAVES: Final = Table(
    "leaves",  # salted digests of credentials; nothing says of which, and no order does: rows stand by their value
    METADATA,
    Column("entry", LargeBinary(32), primary_key=True),
    Column("anchor", String(32)),  # the batch that it is in; None while that is not closed
    Index("leaves_by_anchor", "anchor", "entry"),
    sqlite_with_rowid=False,
)

ANCHORS: Final = Table(
    "anchors",  # closed batches, whose roots are on the ledger or on their way there
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("root", LargeBinary(32), nullable=False),
    Column("size", Integer, nullable=False),
    Column("closed_at", BigInteger, nullable=False),
    Column("tx", LargeBinary(32)),
    Column("block", BigInteger),
    Column("at", BigInteger),  # the block's time
    Column("gas", BigInteger),
    Column("finality", String(16)),  # pending | confirmed | finalized; None: not yet written
    Column("block_hash", LargeBinary(32)),
    Column("proof", JSON(none_as_null=True)),  # a receipt without path and salt, the same for all of the batch
    Index("anchors_by_time", "closed_at"),
    Index("anchors_open", "finality"),
)

CROWNS: Final = Table(
    "crowns",  # of each closed batch what leads to one leaf's path without all the others (wallet.issuer.crowns)
    METADATA,
    Column("anchor", String(32), ForeignKey("anchors.id"), primary_key=True),
    Column("firsts", LargeBinary, nullable=False),
    Column("roots", LargeBinary, nullable=False),
)

HEADS: Final = Table(
    "heads",  # the newest state of each status list and of the desk's DID that is on the ledger
    METADATA,
    Column("subject", String(2048), primary_key=True),  # the list's address, or the DID
    Column("number", BigInteger, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("tx", LargeBinary(32)),
    Column("block", BigInteger),
    Column("gas", BigInteger),
    Column("finality", String(16), nullable=False),
    Column("stated_at", BigInteger, nullable=False),
)

FAILURES: Final = Table(
    "failures",
    METADATA,
    Column("source", String(64), primary_key=True),  # a hashed address
    Column("since", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
)


def sweep(connection: Connection, *, now: int) -> int:
    """Erase what is no longer needed: personal data past its time, and nonces, tokens and requests that are over.

    Returns how many applications lost their personal data.
    """
    for table in (NONCES, TOKENS, AUTHORIZATIONS, REPLAYS):
        connection.execute(delete(table).where(table.c.expires_at <= now))
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
