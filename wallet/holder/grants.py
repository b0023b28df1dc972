"""Grants: what lets this wallet ask an issuer for more copies of a card, without the person?

A grant is kept when a card came with a refresh token, and belongs to all cards that came with it: when the issuer
changes the token, it changes for all of them. Sealed like the cards themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from ssi.encoding import Json, seconds
from ssi.errors import Refused
from ssi.oid4vci import TokenResponse
from ssi.oid4vci.token import BEARER
from wallet.holder.keystore import VaultKeys
from wallet.holder.vault import Record, Vault

KIND: Final = "grant"
PAUSE: Final = timedelta(minutes=10)
"""After an issuer could not give more copies, it is left alone for so long."""

LEASE: Final = timedelta(seconds=40)


@dataclass(frozen=True)
class Grant:
    """What an issuer has granted. `dpop` and `instance` name the keys that its tokens are bound to; "" for none.

    `access_token` serves, while it lives (`access_until`), to tell the issuer at `notify` that a card was removed.
    `again_at`: the issuer is not asked for more copies before then. `busy_until`: somebody is renewing the tokens; a
    refresh token that were used twice could end the grant.
    """

    record: Record
    issuer: str
    server: str
    notify: str | None = None
    dpop: str = ""
    instance: str = ""
    refresh_token: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    token_type: str = BEARER
    access_until: int = 0
    again_at: int = 0
    busy_until: int = 0

    @property
    def id(self) -> str:
        """The record's id, by which cards name it."""
        return self.record.id

    def token(self, *, now: datetime) -> TokenResponse | None:
        """The access token, while it lives."""
        if self.access_token is None or self.access_until <= seconds(now):
            return None
        return TokenResponse(self.access_token, token_type=self.token_type)

    def renewed(self, token: TokenResponse, *, now: datetime) -> Grant:
        """The same grant with the tokens of an answer; an answer without a refresh token leaves the old one valid."""
        return replace(
            self,
            access_token=token.access_token,
            token_type=token.token_type,
            access_until=seconds(now) + (token.expires_in or 0),
            refresh_token=token.refresh_token or self.refresh_token,
            busy_until=0,
        )


def fresh(vault: Vault, *, issuer: str, server: str, notify: str | None, dpop: str, instance: str) -> Grant:
    """A grant that is not kept yet."""
    return Grant(vault.new(KIND, {}), issuer, server, notify, dpop, instance)


def get_grant(vault: Vault, id: str) -> Grant:
    """A grant. Raises Refused (`record.absent`)."""
    return read(vault.get(KIND, id))


def as_record(grant: Grant) -> Record:
    """The grant's record, to be kept together with others."""
    members = ("issuer", "server", "notify", "dpop", "instance", "refresh_token", "access_token", "token_type")
    data: dict[str, Json] = {name: getattr(grant, name) for name in members}
    data |= {"access_until": grant.access_until, "again_at": grant.again_at, "busy_until": grant.busy_until}
    return replace(grant.record, data=data)


def reserve(vault: Vault, id: str, *, now: datetime) -> Grant:
    """Take a grant to renew its tokens. Raises Refused (`offer.busy`, `record.conflict`) while somebody else does."""
    grant = get_grant(vault, id)
    if grant.busy_until > seconds(now):
        raise Refused("offer.busy", "Your wallet is already renewing its access to this issuer.")
    reserved = replace(grant, busy_until=seconds(now + LEASE))
    return replace(reserved, record=vault.put(as_record(reserved)))


def later(grant: Grant, *, now: datetime) -> Record:
    """The grant's record with a pause before the next try."""
    return as_record(replace(grant, again_at=seconds(now + PAUSE)))


def over(grant: Grant) -> Record:
    """The grant's record when the issuer will not honour it any more."""
    return as_record(replace(grant, refresh_token=None, access_token=None))


def read(record: Record) -> Grant:
    """The grant in a record."""
    return Grant(record, **record.data)


def forgotten(vault: Vault, grant: Grant, others: Iterable[str]) -> tuple[Record, ...]:
    """What is removed with a card of this grant: the grant and its keys, unless `others` (grants of cards) need it."""
    if grant.id in set(others):
        return ()
    keys = (VaultKeys(vault).record(kid) for kid in (grant.dpop, grant.instance) if kid)
    return (grant.record, *(key for key in keys if key is not None))
