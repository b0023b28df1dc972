"""Redeeming: how does a code or a refresh token become an access token (OpenID4VCI 1.0 §6)?

Everything that one request spends (a try, a code, a proof) is spent in one transaction. A refusal that must be
remembered is decided inside it and raised after it; any other takes the transaction back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, bindparam, select, update

from service import hot
from service.store import writing
from ssi.encoding import seconds
from ssi.oauth import OAuthError, pkce
from ssi.oid4vci import AUTHORIZATION_CODE, PRE_AUTHORIZED_CODE, REFRESH_TOKEN, TokenRequest, TokenResponse
from wallet.issuer import authorizing, codes, grants, offers
from wallet.issuer.clients import Wallet
from wallet.issuer.grants import ACCESS_LIFETIME, Grant, Replay
from wallet.issuer.marks import Marks
from wallet.issuer.settings import CODE
from wallet.issuer.store import AUTHORIZATIONS, GRANTS, OFFERS

_Answer = TokenResponse | OAuthError
_BY_CODE: Final = select(OFFERS.c.id).where(OFFERS.c.code_hash == bindparam("code"), OFFERS.c.way == CODE)
_REDEEMED: Final = (
    update(OFFERS)
    .where(OFFERS.c.id == bindparam("offer"))
    .values(redeemed_at=bindparam("at"), access_until=bindparam("until"))
)


@dataclass(frozen=True)
class Redeemer:
    """Who redeems: the wallet, and the thumbprint of the key of its DPoP proof, if it brought one."""

    wallet: Wallet
    jkt: str | None = None
    replays: tuple[Replay, ...] = ()


@dataclass(frozen=True)
class Redeeming:
    """The token endpoint's work. `scopes` maps configurations to their scope; `issuer` is this desk's identifier."""

    store: Engine
    issuer: str
    scopes: Mapping[str, str]
    marks: Marks
    random: codes.Random

    def redeem(self, request: TokenRequest, by: Redeemer, *, now: datetime) -> TokenResponse:
        """Exchange what the request brings, once.

        Raises OAuthError: invalid_grant, invalid_request, invalid_client, invalid_scope, invalid_dpop_proof,
        invalid_authorization_details.
        """
        self._check_locations(request)
        with writing(self.store) as connection:
            grants.spend_all(connection, by.replays)
            answer = _REDEEM[request.grant](self, connection, request, by, now)
        if isinstance(answer, OAuthError):
            raise answer
        return answer

    def pre_authorized(self, connection: Connection, request: TokenRequest, by: Redeemer, now: datetime) -> _Answer:
        """A pre-authorized code and its transaction code (§6.1); a wrong transaction code costs one try."""
        found = hot.first(connection, _BY_CODE, {"code": codes.hashed(request.code)})
        row = None if found is None else offers.locked_offer(connection, found["id"])
        if row is None or offers.word_of(row, now=now) not in offers.OPEN:
            if row is not None and self._knows(row, request):  # all that it needs, twice: it was stolen
                grants.revoke(connection, GRANTS.c.offer_id == row["id"], now=now)
            return OAuthError("invalid_grant", "The pre-authorized code is unknown, used or expired.")
        coded = row["tx_hash"] is not None
        if request.tx_code is None and coded:
            return OAuthError("invalid_request", "This offer needs the transaction code that the desk has given.")
        if request.tx_code is not None and not coded:  # §6.3
            return OAuthError("invalid_request", "This offer has no transaction code.")
        asked = self._asked(request, tuple(row["configuration_ids"]))
        if request.tx_code is not None and not offers.is_tx_code(self.marks, row, request.tx_code):
            left = row["tries_left"] - 1
            connection.execute(update(OFFERS).where(OFFERS.c.id == row["id"]).values(tries_left=left))
            hint = f"{left} left" if left else "the offer is void now"
            return OAuthError("invalid_grant", f"The transaction code is wrong; tries: {hint}.")
        return self._begin(connection, row, by, asked, named=request.details or (), now=now)

    def authorized(self, connection: Connection, request: TokenRequest, by: Redeemer, now: datetime) -> _Answer:
        """An authorization code (RFC 6749 §4.1.3), with PKCE and the key it is bound to (RFC 9449 §10)."""
        code = select(AUTHORIZATIONS).where(AUTHORIZATIONS.c.code_hash == codes.hashed(request.code))
        row = connection.execute(code).mappings().first()
        if row is None:
            return OAuthError("invalid_grant", "The code is unknown or has expired.")
        offer = offers.locked_offer(connection, row["offer_id"])
        row = connection.execute(code.with_for_update()).mappings().one()
        if row["grant_id"] is not None:  # RFC 6749 §4.1.2: used twice, so somebody has stolen it
            grants.revoke(connection, GRANTS.c.id == row["grant_id"], now=now)
            return OAuthError("invalid_grant", "The code has been used before. What it gave is revoked.")
        asked = authorizing.read_asked(row["query"])
        _check_code(request, by, row, asked, now=now)
        if offers.word_of(offer, now=now) not in offers.OPEN:
            return OAuthError("invalid_grant", "The offer has been used or has expired.")
        allowed = tuple(name for name in asked.configuration_ids if name in offer["configuration_ids"])
        reduced = self._asked(request, allowed)
        named = request.details or tuple(name for name in asked.named if name in reduced)
        return self._begin(connection, offer, by, reduced, named=named, now=now, authorization=row["id"])

    def refresh(self, connection: Connection, request: TokenRequest, by: Redeemer, now: datetime) -> _Answer:
        """A refresh token (RFC 6749 §6)."""
        return grants.refreshed(
            connection,
            request.code,
            jkt=by.jkt,
            client_id=by.wallet.client_id,
            instance=by.wallet.instance,
            random=self.random,
            now=now,
        )

    def _begin(
        self,
        connection: Connection,
        offer: Mapping[Any, Any],
        by: Redeemer,
        configuration_ids: tuple[str, ...],
        *,
        named: tuple[str, ...],
        now: datetime,
        authorization: str | None = None,
    ) -> TokenResponse:
        """Use the offer up, and begin the grant that it becomes."""
        spent = {"at": seconds(now), "until": seconds(now + ACCESS_LIFETIME)}
        hot.run(connection, _REDEEMED, {"offer": offer["id"], **spent})
        grant = Grant(
            id=self.random(16).hex(),
            application_id=offer["application_id"],
            offer_id=offer["id"],
            configuration_ids=configuration_ids,
            identifiers={name: offers.identifier(offer["id"], name) for name in named},
            client_id=by.wallet.client_id,
            jkt=by.jkt,
            instance=by.wallet.instance,
        )
        answer = grants.begin(connection, grant, random=self.random, now=now)
        if authorization is not None:
            used = update(AUTHORIZATIONS).where(AUTHORIZATIONS.c.id == authorization)
            connection.execute(used.values(grant_id=grant.id))
        return answer

    def _asked(self, request: TokenRequest, allowed: tuple[str, ...]) -> tuple[str, ...]:
        """The configurations that this request narrows the grant to (§6.1.1). Raises OAuthError."""
        scoped = None if request.scope is None else {n for n in allowed if self.scopes[n] in request.scope.split()}
        if request.details is not None and not set(request.details) <= set(allowed):
            raise OAuthError("invalid_authorization_details", "The offer is for another credential configuration.")
        if scoped is not None and not scoped:
            raise OAuthError("invalid_scope", "The offer is for another scope.")
        if request.details is None and scoped is None:
            return allowed
        return tuple(name for name in allowed if name in (request.details or ()) or name in (scoped or ()))

    def _knows(self, offer: Mapping[Any, Any], request: TokenRequest) -> bool:
        """Does this request bring all that the offer needs? The link alone must not end other people's tokens."""
        return offer["tx_hash"] is None or offers.is_tx_code(self.marks, offer, request.tx_code or "")

    def _check_locations(self, request: TokenRequest) -> None:
        if request.locations and self.issuer not in request.locations:
            raise OAuthError("invalid_authorization_details", "The authorization details are for another issuer.")


def _check_code(
    request: TokenRequest, by: Redeemer, row: Mapping[Any, Any], asked: authorizing.Asked, *, now: datetime
) -> None:
    """Does the code belong to who brings it? Raises OAuthError (`invalid_grant`, `invalid_request`)."""
    if seconds(now) >= row["answered_at"] + int(authorizing.CODE_LIFETIME.total_seconds()):
        raise OAuthError("invalid_grant", "The code is unknown or has expired.")
    if by.wallet.client_id is None or by.wallet.client_id != asked.client_id or by.wallet.instance != row["instance"]:
        raise OAuthError("invalid_grant", "The code was given to another client.")
    if request.redirect_uri != asked.redirect_uri:  # RFC 6749 §4.1.3
        raise OAuthError("invalid_grant", "The redirect_uri is not that of the authorization request.")
    if asked.dpop_jkt is not None and asked.dpop_jkt != by.jkt:  # RFC 9449 §10
        raise OAuthError("invalid_grant", "The code is bound to another DPoP key.")
    pkce.check(request.code_verifier, challenge=asked.code_challenge)


_Redeem = Callable[[Redeeming, Connection, TokenRequest, Redeemer, datetime], _Answer]
_REDEEM: Final[Mapping[str, _Redeem]] = {
    PRE_AUTHORIZED_CODE: Redeeming.pre_authorized,
    AUTHORIZATION_CODE: Redeeming.authorized,
    REFRESH_TOKEN: Redeeming.refresh,
}
"""What the token endpoint does for each grant type."""
