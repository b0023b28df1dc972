"""Grants: what may the bearer of this access token have, and with which key must they come?

A grant is one person's yes to one wallet. Its access tokens are short-lived; those that are bound to a key (RFC 9449)
have a refresh token beside them. Revoking a grant ends all of its tokens (RFC 6749 §4.1.2, RFC 9700 §4.14).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from service import hot
from ssi.encoding import seconds
from ssi.oauth import OAuthError
from ssi.oid4vci import TokenResponse
from ssi.oid4vci.token import BEARER, DPOP
from wallet.issuer import codes
from wallet.issuer.store import GRANTS, REPLAYS, TOKENS

ACCESS_LIFETIME: Final = timedelta(minutes=5)  # OpenID4VCI 1.0 §13.10: longer ones are long-lived
REFRESH_LIFETIME: Final = timedelta(days=30)
_ACCESS: Final = "access"
_REFRESH: Final = "refresh"
_GOOD: Final = (  # made once: to put a statement together costs more than to run it
    select(GRANTS, TOKENS.c.jkt.label("token_jkt"))
    .join(TOKENS, TOKENS.c.grant_id == GRANTS.c.id)
    .where(
        TOKENS.c.hash == bindparam("hash"), TOKENS.c.kind == bindparam("kind"), TOKENS.c.expires_at > bindparam("now")
    )
    .where(GRANTS.c.revoked_at.is_(None))
)
_LOCKED: Final = _GOOD.with_for_update(of=GRANTS)
_BEGUN: Final = insert(GRANTS)
_MADE: Final = insert(TOKENS)
_LIFETIMES: Final = {_ACCESS: ACCESS_LIFETIME, _REFRESH: REFRESH_LIFETIME}


@dataclass(frozen=True)
class Grant:
    """What was allowed, to whom. `identifiers` names the datasets by configuration, for those asked for by details.

    `client_id` is None for an anonymous wallet, `jkt` for a token that is bound to no key, `instance` for a wallet
    without attestation.
    """

    id: str
    application_id: str
    offer_id: int
    configuration_ids: tuple[str, ...]
    identifiers: Mapping[str, str] = field(default_factory=dict)
    client_id: str | None = None
    jkt: str | None = None
    instance: str | None = None


@dataclass(frozen=True)
class Replay:
    """Something that may be used once: its name, until when it could be used again, what a second use is called."""

    name: str = field(repr=False)
    until: datetime
    error: str = "invalid_dpop_proof"


def begin(connection: Connection, grant: Grant, *, random: codes.Random, now: datetime) -> TokenResponse:
    """Record a grant and make its first tokens."""
    row = {
        "id": grant.id,
        "offer_id": grant.offer_id,
        "application_id": grant.application_id,
        "configuration_ids": list(grant.configuration_ids),
        "identifiers": dict(grant.identifiers),
        "client_id": grant.client_id,
        "instance": grant.instance,
        "jkt": grant.jkt,
        "created_at": seconds(now),
    }
    hot.run(connection, _BEGUN, row)
    again = None if grant.jkt is None else _token(connection, grant, _REFRESH, random=random, now=now)
    return _response(connection, grant, random=random, now=now, refresh_token=again)


def refreshed(
    connection: Connection,
    refresh_token: str,
    *,
    jkt: str | None,
    client_id: str | None,
    instance: str | None,
    random: codes.Random,
    now: datetime,
) -> TokenResponse:
    """Another access token, bound to the key `jkt`, for a refresh token, which stays.

    A refresh token is good only for its wallet: for the one with the attested key (Attestation-Based Client
    Authentication, "Refresh token binding"), else for the one with the DPoP key (RFC 9449 §5). Raises OAuthError
    (`invalid_grant`).
    """
    grant = _found(connection, refresh_token, _REFRESH, now=now, lock=True)
    if grant is None or jkt is None or instance != grant.instance:
        raise OAuthError("invalid_grant", "The refresh token is unknown, has expired, or belongs to another wallet.")
    if grant.instance is None and jkt != grant.jkt:
        raise OAuthError("invalid_grant", "The refresh token belongs to another key.")
    if grant.client_id is not None and client_id != grant.client_id:
        raise OAuthError("invalid_grant", "The refresh token belongs to another client.")
    return _response(connection, replace(grant, jkt=jkt), random=random, now=now, refresh_token=None)


def granted(connection: Connection, access_token: str, *, jkt: str | None, now: datetime, lock: bool = False) -> Grant:
    """The grant of an access token, shown with the key `jkt` (None: as a Bearer token).

    Raises OAuthError (`invalid_token`), also for a bound token without its key and a free one with a key.
    """
    grant = _found(connection, access_token, _ACCESS, now=now, lock=lock)
    if grant is None:
        raise OAuthError("invalid_token", "The access token is unknown or has expired.")
    if grant.jkt != jkt:
        raise OAuthError("invalid_token", "The access token is not bound to this key.")
    return grant


def revoke(connection: Connection, *conditions: object, now: datetime) -> None:
    """End the grants that meet the conditions, and with them their tokens."""
    ended = update(GRANTS).where(GRANTS.c.revoked_at.is_(None), *conditions)  # type: ignore[arg-type]  # column comparisons, always
    connection.execute(ended.values(revoked_at=seconds(now)))
    over = select(GRANTS.c.id).where(GRANTS.c.revoked_at.is_not(None), *conditions)  # type: ignore[arg-type]  # the same
    connection.execute(delete(TOKENS).where(TOKENS.c.grant_id.in_(over)))


def spend_all(connection: Connection, replays: Sequence[Replay]) -> None:
    """Use the proofs of a request up. Raises OAuthError when one was used before (RFC 9449 §11.1)."""
    for replay in replays:
        if not spend(connection, replay):
            raise OAuthError(replay.error, "A proof in this request has been used before.")


def spend(connection: Connection, replay: Replay) -> bool:
    """Use something up; False when it was used before."""
    values = {"hash": codes.hashed(replay.name), "expires_at": seconds(replay.until) + 1}
    try:
        with connection.begin_nested():  # two at once: the table's key lets one of them in
            connection.execute(insert(REPLAYS).values(values))
    except IntegrityError:
        return False
    return True


def _response(
    connection: Connection, grant: Grant, *, random: codes.Random, now: datetime, refresh_token: str | None
) -> TokenResponse:
    return TokenResponse(
        _token(connection, grant, _ACCESS, random=random, now=now),
        int(ACCESS_LIFETIME.total_seconds()),
        {name: (identifier,) for name, identifier in grant.identifiers.items()},
        token_type=BEARER if grant.jkt is None else DPOP,
        refresh_token=refresh_token,
    )


def _token(connection: Connection, grant: Grant, kind: str, *, random: codes.Random, now: datetime) -> str:
    made, until = codes.token(random), seconds(now + _LIFETIMES[kind])
    row = {"hash": codes.hashed(made), "grant_id": grant.id, "kind": kind, "jkt": grant.jkt, "expires_at": until}
    hot.run(connection, _MADE, row)
    return made


def _found(connection: Connection, token: str, kind: str, *, now: datetime, lock: bool) -> Grant | None:
    values = {"hash": codes.hashed(token), "kind": kind, "now": seconds(now)}
    row = hot.first(connection, _LOCKED if lock else _GOOD, values)
    return None if row is None else replace(read_grant(row), jkt=row["token_jkt"])


def read_grant(row: Mapping[Any, Any]) -> Grant:
    """A grant from its row."""
    return Grant(
        id=row["id"],
        application_id=row["application_id"],
        offer_id=row["offer_id"],
        configuration_ids=tuple(row["configuration_ids"]),
        identifiers=dict(row["identifiers"]),
        client_id=row["client_id"],
        jkt=row["jkt"],
        instance=row["instance"],
    )
