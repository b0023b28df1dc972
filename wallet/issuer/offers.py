"""Offers: how an approved application becomes an access token that fetches one credential, once.

An offer's link holds a secret; the pre-authorized code is worked out from it, and of both only hashes are kept. A
transaction code, which the desk tells the person by mouth or on paper, must come with it (OpenID4VCI 1.0 §13.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, RowMapping, insert, select, update

from service.store import reading, writing
from ssi.encoding import seconds
from ssi.errors import Refused
from ssi.oid4vci import (
    CredentialOffer,
    OAuthError,
    OfferReference,
    PreAuthorized,
    TokenRequest,
    TokenResponse,
    TxCode,
    offer_link,
)
from wallet.issuer import codes
from wallet.issuer.store import APPLICATIONS, CREDENTIALS, OFFERS, sweep

ACCESS_LIFETIME: Final = timedelta(minutes=5)  # OpenID4VCI 1.0 §13.10: longer ones are long-lived
_TX_HINT: Final = "The desk shows you this code, or reads it out to you."


@dataclass(frozen=True)
class MadeOffer:
    """A fresh offer; its link and transaction code are known only here and now."""

    application_id: str
    expires_at: datetime
    link: str = field(repr=False)
    secret: str = field(repr=False)
    tx_code: str = field(repr=False)


@dataclass(frozen=True)
class OfferState:
    """What the desk sees of an offer: waiting, opened, redeemed, accepted, expired, blocked or replaced."""

    word: str
    expires_at: datetime
    configuration_id: str

    @property
    def final(self) -> bool:
        """Can it change no more?"""
        return self.word in {"accepted", "expired", "blocked", "replaced"}


@dataclass(frozen=True)
class Offers:
    """Makes offers, shows them to wallets, and exchanges their codes for access tokens."""

    store: Engine
    base_url: str
    scopes: Mapping[str, str]
    lifetime: timedelta
    tries: int
    random: codes.Random

    def make(self, application_id: str, *, configuration_id: str, now: datetime) -> MadeOffer:
        """An offer for an approved application; earlier offers to it that still wait are replaced.

        Raises Refused (`application.unknown`, `offer.declined`, `offer.issued`, `offer.erased`).
        """
        secret, tx = codes.token(self.random), codes.tx_code(self.random)
        code, until = codes.code_of(secret), now + self.lifetime
        with writing(self.store) as connection:
            sweep(connection, now=seconds(now))
            _check_offerable(connection, application_id)
            stale = update(OFFERS).where(OFFERS.c.application_id == application_id, OFFERS.c.replaced_at.is_(None))
            connection.execute(stale.values(replaced_at=seconds(now), access_hash=None))
            connection.execute(
                insert(OFFERS).values(
                    application_id=application_id,
                    configuration_id=configuration_id,
                    link_hash=codes.hashed(secret),
                    code_hash=codes.hashed(code),
                    tx_hash=codes.tx_hash(code, tx),
                    tries_left=self.tries,
                    created_at=seconds(now),
                    expires_at=seconds(until),
                )
            )
            keep = update(APPLICATIONS).where(APPLICATIONS.c.id == application_id)
            needed = seconds(until + 2 * ACCESS_LIFETIME)
            connection.execute(keep.where(APPLICATIONS.c.erase_at < needed).values(erase_at=needed))
        return MadeOffer(application_id, until, self.link(secret), secret, tx)

    def link(self, secret: str) -> str:
        """The link for the QR code: by reference, so that the code stays small."""
        return offer_link(OfferReference(f"{self.base_url}/offers/{secret}"))

    def open(self, secret: str, *, now: datetime) -> CredentialOffer:
        """The offer that a wallet fetches by its link. Raises Refused (`offer.unknown`, `offer.over`)."""
        with reading(self.store) as connection:
            row = _offer(connection, OFFERS.c.link_hash == codes.hashed(secret))
            if row is None:
                raise Refused("offer.unknown", "There is no such offer. The link may be incomplete.")
            state = _state(row, issued=False, now=now)
        if state.word not in {"waiting", "opened"}:
            raise Refused("offer.over", "This offer has been used or has expired. Ask the desk for a new one.")
        if row["opened_at"] is None:
            with writing(self.store) as connection:
                opened = update(OFFERS).where(OFFERS.c.id == row["id"], OFFERS.c.opened_at.is_(None))
                connection.execute(opened.values(opened_at=seconds(now)))
        tx = TxCode("numeric", codes.TX_CODE_LENGTH, _TX_HINT)
        grant = PreAuthorized(codes.code_of(secret), tx)
        return CredentialOffer(self.base_url, (row["configuration_id"],), grant)

    def redeem(self, request: TokenRequest, *, now: datetime) -> TokenResponse:
        """Exchange a pre-authorized code for an access token, once. A wrong transaction code costs one try.

        Raises OAuthError: invalid_grant, invalid_request, invalid_scope, invalid_authorization_details.
        """
        with writing(self.store) as connection:  # a refusal is decided inside, and raised when the try is recorded
            answer = self._redeemed(connection, request, now=now)
        if isinstance(answer, OAuthError):
            raise answer
        return answer

    def _redeemed(self, connection: Connection, request: TokenRequest, *, now: datetime) -> TokenResponse | OAuthError:
        row = _offer(connection, OFFERS.c.code_hash == codes.hashed(request.code), lock=True)
        if row is None or _state(row, issued=False, now=now).word not in {"waiting", "opened"}:
            return OAuthError("invalid_grant", "The pre-authorized code is unknown, used or expired.")
        if request.tx_code is None:
            return OAuthError("invalid_request", "This offer needs the transaction code that the desk has given.")
        asked = self._check_scope(request, row["configuration_id"])
        if asked is not None:
            return asked
        if not codes.same(codes.tx_hash(request.code, request.tx_code), row["tx_hash"]):
            left = row["tries_left"] - 1
            connection.execute(update(OFFERS).where(OFFERS.c.id == row["id"]).values(tries_left=left))
            hint = f"{left} left" if left else "the offer is void now"
            return OAuthError("invalid_grant", f"The transaction code is wrong; tries: {hint}.")
        access = codes.token(self.random)
        connection.execute(
            update(OFFERS)
            .where(OFFERS.c.id == row["id"])
            .values(
                redeemed_at=seconds(now),
                access_hash=codes.hashed(access),
                access_expires_at=seconds(now + ACCESS_LIFETIME),
                by_identifier=request.details is not None,
            )
        )
        named = {name: (identifier(row["id"]),) for name in request.details or ()}
        return TokenResponse(access, int(ACCESS_LIFETIME.total_seconds()), named)

    def _check_scope(self, request: TokenRequest, configuration_id: str) -> OAuthError | None:
        if request.details is not None and request.details != (configuration_id,):
            return OAuthError("invalid_authorization_details", "The offer is for another credential configuration.")
        if request.scope is not None and request.scope.split() != [self.scopes[configuration_id]]:
            return OAuthError("invalid_scope", "The offer is for another scope.")
        return None

    def state(self, application_id: str, *, now: datetime) -> OfferState | None:
        """How the application's latest offer stands, or None when there was none."""
        return self.states((application_id,), now=now).get(application_id)

    def states(self, application_ids: tuple[str, ...], *, now: datetime) -> dict[str, OfferState]:
        """How the latest offers of several applications stand."""
        query = (
            select(OFFERS, CREDENTIALS.c.id.label("credential_id"))
            .outerjoin(CREDENTIALS, CREDENTIALS.c.offer_id == OFFERS.c.id)
            .where(OFFERS.c.application_id.in_(application_ids))
            .order_by(OFFERS.c.id)
        )
        with reading(self.store) as connection:
            rows = connection.execute(query).mappings().all()
        return {row["application_id"]: _state(row, issued=row["credential_id"] is not None, now=now) for row in rows}


def identifier(offer_id: int) -> str:
    """The credential identifier of an offer's one dataset (OpenID4VCI 1.0 §6.2)."""
    return f"offer-{offer_id}"


def _offer(connection: Connection, condition: object, *, lock: bool = False) -> RowMapping | None:
    query = select(OFFERS).where(condition)  # type: ignore[arg-type]  # a column comparison, always
    return connection.execute(query.with_for_update() if lock else query).mappings().first()


def _state(row: RowMapping, *, issued: bool, now: datetime) -> OfferState:
    until = datetime.fromtimestamp(row["expires_at"], UTC)
    return OfferState(_word(row, issued=issued, at=seconds(now)), until, row["configuration_id"])


def _word(row: RowMapping, *, issued: bool, at: int) -> str:
    if issued:
        return "accepted"
    if row["replaced_at"] is not None:
        return "replaced"
    if row["tries_left"] <= 0:
        return "blocked"
    if row["redeemed_at"] is not None:
        return "redeemed" if at < row["access_expires_at"] else "expired"
    if at >= row["expires_at"]:
        return "expired"
    return "waiting" if row["opened_at"] is None else "opened"


def _check_offerable(connection: Connection, application_id: str) -> None:
    query = select(APPLICATIONS).where(APPLICATIONS.c.id == application_id).with_for_update()
    row = connection.execute(query).mappings().first()
    if row is None:
        raise Refused("application.unknown", "There is no such application.")
    if row["decision"] != "approved":
        raise Refused("offer.declined", "This application was declined, so nothing can be offered.")
    issued = select(CREDENTIALS.c.id).where(CREDENTIALS.c.application_id == application_id)
    if connection.execute(issued).first() is not None:
        raise Refused("offer.issued", "The credential of this application has already been issued.")
    if row["subject"] is None:
        raise Refused("offer.erased", "The data of this application has been erased. Start a new application.")
