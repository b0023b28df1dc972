"""Authorizing: a wallet asks (PAR), a person signs in and says yes, and the wallet gets a code (OpenID4VCI 1.0 §5).

A pushed request is opened by one browser, once. The person signs in with the reference of their application and the six
digits that the desk has told them; wrong ones cost tries of the request and of the offer. Nobody is sent anywhere that
was not checked when the request was pushed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, RowMapping, insert, select, update

from service.store import reading, writing
from ssi.encoding import Json, seconds
from ssi.errors import Refused
from ssi.oauth import AuthorizationQuery, Callback, OAuthError, PushedResponse
from wallet.issuer import codes, grants, offers
from wallet.issuer.clients import Wallet, check_redirect
from wallet.issuer.grants import Replay
from wallet.issuer.marks import Marks
from wallet.issuer.settings import SIGN_IN
from wallet.issuer.store import AUTHORIZATIONS, OFFERS

REQUEST_URI: Final = "urn:ietf:params:oauth:request_uri:"
REQUEST_LIFETIME: Final = timedelta(seconds=90)  # RFC 9126 §2.2 recommends 5 to 600 seconds
SESSION_LIFETIME: Final = timedelta(minutes=15)
CODE_LIFETIME: Final = timedelta(seconds=60)
REMEMBERED: Final = timedelta(days=1)
"""How long a code is known after it was given out: until then its second use revokes what the first one gave."""
TRIES: Final = 5
_WRONG: Final = "The reference and the code do not belong together, or the offer is over."
_OVER: Final = "This sign-in is over. Go back to your wallet and begin again."


@dataclass(frozen=True)
class Asked:
    """What a pushed request asks for: `named` are the configurations that came as authorization details."""

    client_id: str
    redirect_uri: str
    code_challenge: str
    configuration_ids: tuple[str, ...]
    named: tuple[str, ...] = ()
    state: str | None = None
    dpop_jkt: str | None = None
    issuer_state_hash: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Authorization:
    """A request as its person sees it.

    `reference` is what the offer behind it suggests. `cards` are there after signing in; there may be none.
    """

    id: str
    client_name: str
    redirect_uri: str
    signed_in: bool
    reference: str = ""
    cards: tuple[str, ...] = ()


@dataclass(frozen=True)
class Authorizing:
    """The authorization side of the desk. `issuer` is its identifier; `scopes` maps configurations to their scope."""

    store: Engine
    issuer: str
    scopes: Mapping[str, str]
    marks: Marks
    random: codes.Random

    def push(
        self, query: AuthorizationQuery, wallet: Wallet, *, jkt: str | None, replays: tuple[Replay, ...], now: datetime
    ) -> PushedResponse:
        """Keep a wallet's request (RFC 9126); `jkt` is the key of a DPoP proof that came with it (RFC 9449 §10.1).

        Raises OAuthError: invalid_client, invalid_request, invalid_scope, invalid_authorization_details,
        invalid_dpop_proof.
        """
        if wallet.client_id is None:
            raise OAuthError("invalid_client", "This wallet is not known here, and brings no attestation.")
        check_redirect(wallet, query.redirect_uri)
        if jkt is not None and query.dpop_jkt not in (None, jkt):
            raise OAuthError("invalid_dpop_proof", "The dpop_jkt is not the key of the DPoP proof.")
        asked = self._asked(query, wallet.client_id, jkt=jkt or query.dpop_jkt)
        secret = codes.token(self.random)
        with writing(self.store) as connection:
            grants.spend_all(connection, replays)
            connection.execute(
                insert(AUTHORIZATIONS).values(
                    id=self.random(16).hex(),
                    request_hash=codes.hashed(secret),
                    query=asdict(asked),
                    client_name=wallet.name,
                    instance=wallet.instance,
                    expires_at=seconds(now + REQUEST_LIFETIME),
                    tries_left=TRIES,
                )
            )
        return PushedResponse(REQUEST_URI + secret, int(REQUEST_LIFETIME.total_seconds()))

    def open(self, client_id: str, request_uri: str, *, known: str | None, now: datetime) -> str:
        """A browser comes with a pushed request, the first that may: its id. `known` is the one that it has already.

        Raises Refused (`authorize.request`): unknown, used, expired, or another wallet's.
        """
        secret = request_uri.removeprefix(REQUEST_URI)
        with writing(self.store) as connection:
            found = select(AUTHORIZATIONS).where(AUTHORIZATIONS.c.request_hash == codes.hashed(secret))
            row = connection.execute(found.with_for_update()).mappings().first()
            if row is not None and row["opened_at"] is not None and row["id"] == known:
                return str(row["id"])
            over = row is None or row["opened_at"] is not None or row["expires_at"] <= seconds(now)
            if row is None or over or read_asked(row["query"]).client_id != client_id:
                raise Refused(
                    "authorize.request", "This link is over, or was opened before. Begin again in your wallet."
                )
            _change(connection, row["id"], opened_at=seconds(now), expires_at=seconds(now + SESSION_LIFETIME))
            return str(row["id"])

    def session(self, authorization_id: str, *, now: datetime) -> Authorization:
        """A request that a browser has opened and nobody has answered. Raises Refused (`authorize.over`)."""
        with reading(self.store) as connection:
            row = _open_row(connection, authorization_id, now=now)
            return _shown(connection, row, row["offer_id"])

    def sign_in(self, authorization_id: str, *, reference: str, code: str, now: datetime) -> Authorization:
        """The person shows that an offer is theirs. A wrong code costs a try of the request, and of the offer.

        What cannot be a code costs nothing. Raises Refused (`authorize.wrong`, `authorize.over`).
        """
        typed = "".join(code.split())
        if not (typed.isascii() and typed.isdigit() and len(typed) == codes.TX_CODE_LENGTH):
            self.session(authorization_id, now=now)
            raise Refused("authorize.wrong", f"The code has {codes.TX_CODE_LENGTH} digits.")
        with writing(self.store) as connection:
            row = _open_row(connection, authorization_id, now=now, lock=True)
            offer = _signed(connection, self.marks, reference, code, now=now)
            if offer is None:
                _change(connection, row["id"], tries_left=row["tries_left"] - 1)
            else:
                _change(connection, row["id"], offer_id=offer["id"])
                shown = _shown(connection, row, offer["id"])
        if offer is None:
            raise Refused("authorize.wrong", _WRONG)
        return shown

    def allow(self, authorization_id: str, *, now: datetime) -> str:
        """The person's yes: where to send them, with a code. Raises Refused (`authorize.over`, `authorize.sign_in`)."""
        with writing(self.store) as connection:
            row = _open_row(connection, authorization_id, now=now, lock=True)
            if row["offer_id"] is None:
                raise Refused("authorize.sign_in", "Sign in first.")
            if not _shown(connection, row, row["offer_id"]).cards:
                return self._answered(connection, row, "invalid_scope", "Nothing of this is offered here.", now=now)
            code = codes.token(self.random)
            _change(
                connection,
                row["id"],
                answered_at=seconds(now),
                code_hash=codes.hashed(code),
                expires_at=seconds(now + REMEMBERED),
            )
        asked = read_asked(row["query"])
        return Callback(code=code, state=asked.state, iss=self.issuer).url(asked.redirect_uri)

    def refuse(self, authorization_id: str, *, now: datetime) -> str:
        """The person's no: where to send them. Raises Refused (`authorize.over`)."""
        with writing(self.store) as connection:
            row = _open_row(connection, authorization_id, now=now, lock=True)
            return self._answered(connection, row, "access_denied", "The person did not allow it.", now=now)

    def _answered(self, connection: Connection, row: RowMapping, error: str, said: str, *, now: datetime) -> str:
        _change(connection, row["id"], answered_at=seconds(now))
        asked = read_asked(row["query"])
        return Callback(error=error, error_description=said, state=asked.state, iss=self.issuer).url(asked.redirect_uri)

    def _asked(self, query: AuthorizationQuery, client_id: str, *, jkt: str | None) -> Asked:
        """The configurations asked for by scope and by details (§5.1.1, §5.1.2); unknown scopes are ignored."""
        if query.locations and self.issuer not in query.locations:
            raise OAuthError("invalid_authorization_details", "The authorization details are for another issuer.")
        named = query.details or ()
        if not set(named) <= set(self.scopes):
            raise OAuthError("invalid_authorization_details", "This issuer does not know this configuration.")
        scoped = tuple(name for name, scope in self.scopes.items() if scope in query.scope)
        if not named and not scoped:
            raise OAuthError("invalid_scope", "The request names no credential that this issuer knows.")
        return Asked(
            client_id=client_id,
            redirect_uri=query.redirect_uri,
            code_challenge=query.code_challenge,
            configuration_ids=tuple(dict.fromkeys((*named, *scoped))),
            named=named,
            state=query.state,
            dpop_jkt=jkt,
            issuer_state_hash=None if query.issuer_state is None else codes.hashed(query.issuer_state),
        )


def read_asked(query: Mapping[str, Json]) -> Asked:
    """What was asked for, as a request's row keeps it."""
    kept: dict[str, Any] = {**query, **{name: tuple(query[name]) for name in ("configuration_ids", "named")}}
    return Asked(**kept)


def _open_row(connection: Connection, authorization_id: str, *, now: datetime, lock: bool = False) -> RowMapping:
    query = select(AUTHORIZATIONS).where(AUTHORIZATIONS.c.id == authorization_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if row is None or row["opened_at"] is None or row["answered_at"] is not None or row["tries_left"] <= 0:
        raise Refused("authorize.over", _OVER)
    if row["expires_at"] <= seconds(now):
        raise Refused("authorize.over", _OVER)
    return row


def _change(connection: Connection, authorization_id: str, **values: object) -> None:
    connection.execute(update(AUTHORIZATIONS).where(AUTHORIZATIONS.c.id == authorization_id).values(values))


def _signed(connection: Connection, marks: Marks, reference: str, code: str, *, now: datetime) -> RowMapping | None:
    """The open offer of this application, if the code is its; else None, and a try of the offer is gone."""
    latest = (
        select(OFFERS)
        .where(OFFERS.c.application_id == _tidy(reference), OFFERS.c.way == SIGN_IN)
        .where(OFFERS.c.replaced_at.is_(None))
        .with_for_update()
    )
    row = connection.execute(latest).mappings().first()
    if row is None or offers.word_of(row, now=now) not in offers.OPEN:
        return None
    if offers.is_tx_code(marks, row, "".join(code.split())):
        return row
    left = update(OFFERS).where(OFFERS.c.id == row["id"]).values(tries_left=row["tries_left"] - 1)
    connection.execute(left)
    return None


def _tidy(reference: str) -> str:
    """A reference as people type it: `k7f2 9qxm` is `K7F2-9QXM`."""
    letters = "".join(letter for letter in reference.upper() if letter.isalnum())[:8]
    return f"{letters[:4]}-{letters[4:]}"


def _shown(connection: Connection, row: RowMapping, offer_id: int | None) -> Authorization:
    asked = read_asked(row["query"])
    known = OFFERS.c.id == offer_id if offer_id is not None else OFFERS.c.code_hash == asked.issuer_state_hash
    offer = connection.execute(select(OFFERS).where(known, OFFERS.c.way == SIGN_IN)).mappings().first()
    offered = () if offer is None or offer_id is None else offer["configuration_ids"]
    return Authorization(
        id=str(row["id"]),
        client_name=str(row["client_name"]),
        redirect_uri=asked.redirect_uri,
        signed_in=offer_id is not None,
        reference="" if offer is None else offer["application_id"],
        cards=tuple(name for name in asked.configuration_ids if name in offered),
    )
