"""The verifier's memory: one row for each request, changed only by statements that say what must still be true."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import (
    Column,
    Engine,
    Executable,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from service.store import reading, writing
from verifier.direct import Direct

METADATA = MetaData()

REQUESTS = Table(
    "verifier_requests",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("scan_id", String(64), nullable=False, unique=True),
    Column("here_id", String(64), nullable=False, unique=True),
    Column("browser", String(64)),
    Column("ask", LargeBinary, nullable=False),
    Column("nonce", String(64), nullable=False, unique=True),
    Column("state", String(64), nullable=False),
    Column("key", LargeBinary),
    Column("return_to", Text),
    Column("created_at", Integer, nullable=False),
    Column("expires_at", Integer, nullable=False, index=True),
    Column("scanned_at", Integer),
    Column("spent_at", Integer),
    Column("door", String(8)),
    Column("response_code", String(64), unique=True),
    Column("returned_at", Integer),
    Column("outcome", String(24)),
    Column("findings", LargeBinary),
    Column("claims", LargeBinary),
    Column("claims_until", Integer, index=True),
)

API_KEYS = Table(
    "verifier_api_keys",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("created_at", Integer, nullable=False),
)


@dataclass(frozen=True)
class Record:
    """One request as the store has it; times are seconds since 1970, identifiers of people and keys are digests.

    `scan_id` and `here_id` name the request towards wallets: one for the QR code, one for the same device. `browser` is
    the digest of the cookie that began it. `key` and `claims` are sealed. `spent_at` is when a response used the nonce.
    """

    id: str
    scan_id: str
    here_id: str
    browser: str | None
    ask: bytes
    nonce: str
    state: str
    key: bytes | None
    return_to: str | None
    created_at: int
    expires_at: int
    scanned_at: int | None = None
    spent_at: int | None = None
    door: str | None = None
    response_code: str | None = None
    returned_at: int | None = None
    outcome: str | None = None
    findings: bytes | None = None
    claims: bytes | None = None
    claims_until: int | None = None


@dataclass(frozen=True)
class Result:
    """What is written when a response has been judged."""

    outcome: str
    findings: bytes
    claims: bytes | None = None
    claims_until: int | None = None


_ROW, _API = REQUESTS.c, API_KEYS.c
_THIS = _ROW.id == bindparam("this")

# Statements are built once: building costs more than running them.
_ADD = insert(REQUESTS)
_FIND = select(REQUESTS).where(_THIS)
_FIND_PUBLIC = select(REQUESTS).where(or_(_ROW.scan_id == bindparam("public"), _ROW.here_id == bindparam("public")))
_FIND_CODE = select(REQUESTS).where(_ROW.response_code == bindparam("code"))
_SCAN = update(REQUESTS).where(_THIS, _ROW.scanned_at.is_(None)).values(scanned_at=bindparam("at"))
_SPEND = (
    update(REQUESTS)
    .where(_THIS, _ROW.spent_at.is_(None), _ROW.expires_at > bindparam("at"))
    .values(spent_at=bindparam("at"), door=bindparam("by"), response_code=bindparam("code"))
)
_RECORD = (
    update(REQUESTS)
    .where(_THIS, _ROW.spent_at.is_not(None), _ROW.outcome.is_(None))
    .values(
        key=None,
        outcome=bindparam("verdict"),
        findings=bindparam("found"),
        claims=bindparam("sealed"),
        claims_until=bindparam("until"),
    )
)
_RETURN = update(REQUESTS).where(_THIS, _ROW.returned_at.is_(None)).values(returned_at=bindparam("at"))
_ERASE = update(REQUESTS).where(_ROW.claims.is_not(None), _ROW.claims_until <= bindparam("at")).values(claims=None)
_UNKEY = (
    update(REQUESTS)
    .where(_ROW.expires_at <= bindparam("at"), _ROW.spent_at.is_(None), _ROW.key.is_not(None))
    .values(key=None)
)
_ERASE_STRAYED = (
    update(REQUESTS)
    .where(
        _ROW.claims.is_not(None), _ROW.door == "here", _ROW.returned_at.is_(None), _ROW.expires_at <= bindparam("at")
    )
    .values(claims=None)
)
_REJECT = (
    update(REQUESTS)
    .where(_THIS, _ROW.returned_at.is_(None), _ROW.outcome.is_not(None), _ROW.outcome != "declined")
    .values(returned_at=bindparam("at"), outcome=bindparam("verdict"), findings=bindparam("found"), claims=None)
)
_FORGET = delete(REQUESTS).where(
    (_ROW.expires_at <= bindparam("at")) | (_ROW.spent_at.is_(None) & (_ROW.expires_at <= bindparam("unanswered")))
)
UNANSWERED = 3600
"""Seconds for which a request that nobody answered is remembered: anybody can make one."""

_ADD_KEY = insert(API_KEYS)
_FIND_KEY = select(_API.name).where(_API.digest == bindparam("this"))


@dataclass(frozen=True)
class Store:
    """The statements over one database. Each method is one transaction. All raise Unavailable (`store.unavailable`)."""

    engine: Engine

    @cached_property
    def direct(self) -> Direct:
        """The short way, for the statements on the path of an answer."""
        return Direct(self.engine)

    def add(self, record: Record) -> None:
        """Keep a new request."""
        with writing(self.engine) as connection:
            connection.execute(_ADD, record.__dict__)

    def find(self, request_id: str) -> Record | None:
        """By its own, secret id."""
        return self._one(_FIND, this=request_id) if _is_name(request_id) else None

    def find_public(self, public_id: str) -> Record | None:
        """By either of the ids that wallets know."""
        return self._one(_FIND_PUBLIC, public=public_id) if _is_name(public_id) else None

    def find_code(self, digest: str) -> Record | None:
        """By the digest of the response code that a wallet was sent back with."""
        return self._one(_FIND_CODE, code=digest)

    def mark_scanned(self, request_id: str, *, at: int) -> None:
        """Note the first time that a wallet fetched the request."""
        self._change(_SCAN, this=request_id, at=at)

    def spend(self, request_id: str, *, at: int, door: str, response_code: str | None) -> bool:
        """Use the nonce up. True for exactly one caller, ever, and only before the request expires.

        This does not wait for the disk: `record`, which comes after it in the same log, does. A power failure between
        the two leaves a request that was never answered, and nobody has been told otherwise.
        """
        values = {"this": request_id, "at": at, "by": door, "code": response_code}
        return self.direct.changed(_SPEND, values, synced=False) == 1

    def record(self, request_id: str, result: Result) -> bool:
        """Write the judgement of a spent request, once; its decryption key is no longer needed and goes."""
        return self._change(
            _RECORD,
            this=request_id,
            verdict=result.outcome,
            found=result.findings,
            sealed=result.claims,
            until=result.claims_until,
        )

    def mark_returned(self, request_id: str, *, at: int) -> None:
        """Note that the wallet led the person back to where the request began."""
        self._change(_RETURN, this=request_id, at=at)

    def reject(self, request_id: str, result: Result, *, at: int) -> bool:
        """Replace the judgement of an answer whose wallet came back to the wrong place; its claims go."""
        return self._change(_REJECT, this=request_id, at=at, verdict=result.outcome, found=result.findings)

    def sweep(self, *, now: int, forget_before: int) -> None:
        """Erase claims whose time is up and keys of expired requests; forget requests that expired long ago.

        Those that nobody answered are forgotten after an hour. Claims go, too, when nobody can come back for them any
        more (HAIP 1.0 §5.1).
        """
        with writing(self.engine) as connection:
            connection.execute(_ERASE, {"at": now})
            connection.execute(_ERASE_STRAYED, {"at": now})
            connection.execute(_UNKEY, {"at": now})
            connection.execute(_FORGET, {"at": forget_before, "unanswered": now - UNANSWERED})

    def add_api_key(self, digest: str, *, name: str, at: int) -> None:
        """Let whoever holds the key with this SHA-256 digest use the REST API."""
        with writing(self.engine) as connection:
            connection.execute(_ADD_KEY, {"digest": digest, "name": name, "created_at": at})

    def knows_api_key(self, digest: str) -> bool:
        """Is this the digest of a key that was made for the REST API?"""
        with reading(self.engine) as connection:
            return connection.execute(_FIND_KEY, {"this": digest}).first() is not None

    def _one(self, statement: Executable, **values: Any) -> Record | None:
        row = self.direct.row(statement, values)
        return None if row is None else Record(*row)

    def _change(self, statement: Executable, **values: Any) -> bool:
        return self.direct.changed(statement, values) == 1


def _is_name(text: str) -> bool:
    """Could it be an id at all? What some databases cannot even compare (a zero byte) is no outage of theirs."""
    return text.isascii() and text.isprintable() and len(text) <= 64
