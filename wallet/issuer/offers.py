"""Offers: how does an approved person get to their cards, by a code in the wallet or by signing in at this desk?

An offer's link holds a secret; the pre-authorized code or the `issuer_state` is worked out from it, and of both only
hashes are kept. Either way the desk tells the person a six-digit code by mouth or on paper, which must be typed into
the wallet (OpenID4VCI 1.0 §13.5.2) or into this desk's sign-in page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, bindparam, insert, select, update

from service import hot
from service.store import reading, writing
from ssi.encoding import seconds
from ssi.errors import Refused
from ssi.oid4vci import CredentialOffer, OfferReference, PreAuthorized, TxCode, offer_link
from ssi.oid4vci.offer import AuthorizationCode
from wallet.issuer import codes, grants
from wallet.issuer.grants import ACCESS_LIFETIME
from wallet.issuer.marks import Marks
from wallet.issuer.settings import CODE, SIGN_IN, WAYS
from wallet.issuer.store import APPLICATIONS, CREDENTIALS, GRANTS, OFFERS, sweep

OPEN: Final = frozenset({"waiting", "opened"})
_THIS: Final = OFFERS.c.id == bindparam("offer")
_BY_LINK: Final = select(OFFERS).where(OFFERS.c.link_hash == bindparam("link"))
_OPENED: Final = update(OFFERS).where(_THIS, OFFERS.c.opened_at.is_(None)).values(opened_at=bindparam("at"))
_LOCK_APPLICATION: Final = (
    select(APPLICATIONS.c.id)
    .where(APPLICATIONS.c.id == select(OFFERS.c.application_id).where(_THIS).scalar_subquery())
    .with_for_update()
)
_LOCK_OFFER: Final = select(OFFERS).where(_THIS).with_for_update()
_TX: Final = "transaction code"
IDENTITY_ENDED: Final = "This desk has given up its identity, and issues nothing any more."
_TX_HINT: Final = "The desk shows you this code, or reads it out to you."


@dataclass(frozen=True)
class MadeOffer:
    """A fresh offer; its link and transaction code are known only here and now."""

    application_id: str
    expires_at: datetime
    link: str = field(repr=False)
    secret: str = field(repr=False)
    tx_code: str = field(repr=False)
    way: str = CODE


@dataclass(frozen=True)
class OfferState:
    """What the desk sees of an offer.

    `word`: waiting, opened, redeemed, held, released, refused, accepted, expired, blocked, replaced or ended
    (the desk has given up its identity).
    """

    word: str
    expires_at: datetime
    configuration_ids: tuple[str, ...]
    way: str = CODE
    held: bool = False

    @property
    def final(self) -> bool:
        """Can it change no more?"""
        return self.word in {"accepted", "expired", "blocked", "replaced", "refused", "ended"}

    @property
    def configuration_id(self) -> str:
        """The first of its cards."""
        return self.configuration_ids[0]


@dataclass(frozen=True)
class Offers:
    """Makes offers and shows them to wallets."""

    store: Engine
    base_url: str
    lifetime: timedelta
    tries: int
    marks: Marks
    random: codes.Random
    ways: tuple[str, ...] = WAYS
    ended: bool = False
    """Has the desk given up its identity? Then nothing is offered any more."""

    def make(
        self,
        application_id: str,
        *,
        configuration_ids: tuple[str, ...],
        now: datetime,
        way: str | None = None,
        held: bool = False,
        coded: bool = True,
    ) -> MadeOffer:
        """An offer for an approved application; earlier offers to it that still wait are replaced.

        Without `coded` whoever has the link has the cards: for trials with made-up people only.

        Raises Refused (`application.unknown`, `offer.declined`, `offer.issued`, `offer.erased`, `offer.way`,
        `offer.identity_ended`).
        """
        self._check_lasting()
        chosen = self.ways[0] if way is None else way
        if chosen not in self.ways or not configuration_ids:
            raise Refused("offer.way", "This desk does not make offers of that kind.")
        secret, tx = codes.token(self.random), codes.tx_code(self.random)
        code_hash, until = codes.hashed(codes.code_of(secret)), now + self.lifetime
        with writing(self.store) as connection:
            sweep(connection, now=seconds(now))
            _check_offerable(connection, application_id)
            stale = update(OFFERS).where(OFFERS.c.application_id == application_id, OFFERS.c.replaced_at.is_(None))
            connection.execute(stale.values(replaced_at=seconds(now)))
            grants.revoke(connection, GRANTS.c.application_id == application_id, now=now)
            connection.execute(
                insert(OFFERS).values(
                    application_id=application_id,
                    configuration_ids=list(configuration_ids),
                    way=chosen,
                    held=held,
                    link_hash=codes.hashed(secret),
                    code_hash=code_hash,
                    tx_hash=self.marks.of(_TX, f"{code_hash} {tx}") if coded else None,
                    tries_left=self.tries,
                    created_at=seconds(now),
                    expires_at=seconds(until),
                )
            )
            keep = update(APPLICATIONS).where(APPLICATIONS.c.id == application_id)
            needed = seconds(until + 2 * ACCESS_LIFETIME)
            connection.execute(keep.where(APPLICATIONS.c.erase_at < needed).values(erase_at=needed))
        return MadeOffer(application_id, until, self.link(secret), secret, tx, chosen)

    def link(self, secret: str) -> str:
        """The link for the QR code: by reference, so that the code stays small."""
        return offer_link(OfferReference(f"{self.base_url}/offers/{secret}"))

    def open(self, secret: str, *, now: datetime) -> CredentialOffer:
        """The offer that a wallet fetches by its link.

        Raises Refused (`offer.unknown`, `offer.over`, `offer.identity_ended`).
        """
        self._check_lasting()
        with reading(self.store) as connection:
            row = hot.first(connection, _BY_LINK, {"link": codes.hashed(secret)})
            if row is None:
                raise Refused("offer.unknown", "There is no such offer. The link may be incomplete.")
        if word_of(row, now=now) not in OPEN:
            raise Refused("offer.over", "This offer has been used or has expired. Ask the desk for a new one.")
        if row["opened_at"] is None:
            with writing(self.store) as connection:
                hot.run(connection, _OPENED, {"offer": row["id"], "at": seconds(now)})
        code, cards = codes.code_of(secret), tuple(row["configuration_ids"])
        if row["way"] == SIGN_IN:
            return CredentialOffer(self.base_url, cards, authorization_code=AuthorizationCode(code))
        tx = None if row["tx_hash"] is None else TxCode("numeric", codes.TX_CODE_LENGTH, _TX_HINT)
        return CredentialOffer(self.base_url, cards, PreAuthorized(code, tx))

    def state(self, application_id: str, *, now: datetime) -> OfferState | None:
        """How the application's latest offer stands, or None when there was none."""
        return self.states((application_id,), now=now).get(application_id)

    def states(self, application_ids: tuple[str, ...], *, now: datetime) -> dict[str, OfferState]:
        """How the latest offers of several applications stand."""
        query = select(OFFERS).where(OFFERS.c.application_id.in_(application_ids)).order_by(OFFERS.c.id)
        with reading(self.store) as connection:
            rows = connection.execute(query).mappings().all()
            issued = issued_offers(connection, tuple(row["id"] for row in rows))
        found = {row["application_id"]: _state(row, issued=row["id"] in issued, now=now) for row in rows}
        if not self.ended:
            return found
        return {name: one if one.final else replace(one, word="ended") for name, one in found.items()}

    def _check_lasting(self) -> None:
        if self.ended:
            raise Refused("offer.identity_ended", IDENTITY_ENDED)


def identifier(offer_id: int, configuration_id: str) -> str:
    """The credential identifier of an offer's one dataset in one of its forms (OpenID4VCI 1.0 §6.2)."""
    return f"offer-{offer_id}-{configuration_id}"


def is_tx_code(marks: Marks, row: Mapping[Any, Any], tx: str) -> bool:
    """Is this the six-digit code of the offer?"""
    return row["tx_hash"] is not None and marks.matches(_TX, f"{row['code_hash']} {tx}", row["tx_hash"])


def locked_offer(connection: Connection, offer_id: int) -> Mapping[Any, Any]:
    """An offer, to be changed; its application first, as everywhere (no deadlock)."""
    hot.first(connection, _LOCK_APPLICATION, {"offer": offer_id})
    (row,) = hot.every(connection, _LOCK_OFFER, {"offer": offer_id})
    return row


def issued_offers(connection: Connection, offer_ids: tuple[int, ...]) -> frozenset[int]:
    """Those of the offers from which a credential was issued."""
    query = (
        select(GRANTS.c.offer_id)
        .join(CREDENTIALS, CREDENTIALS.c.grant_id == GRANTS.c.id)
        .where(GRANTS.c.offer_id.in_(offer_ids))
    )
    return frozenset(row.offer_id for row in connection.execute(query))


def _state(row: Mapping[Any, Any], *, issued: bool, now: datetime) -> OfferState:
    until = datetime.fromtimestamp(row["expires_at"], UTC)
    word = "accepted" if issued else word_of(row, now=now)
    return OfferState(word, until, tuple(row["configuration_ids"]), row["way"], row["held"])


def word_of(row: Mapping[Any, Any], *, now: datetime) -> str:
    """How an offer stands from which nothing was issued."""
    at = seconds(now)
    if row["replaced_at"] is not None:
        return "replaced"
    if row["tries_left"] <= 0:
        return "blocked"
    if row["redeemed_at"] is not None and row["held"]:
        return row["ruling"] or "held"
    if row["redeemed_at"] is not None:
        return "redeemed" if at < row["access_until"] else "expired"
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
