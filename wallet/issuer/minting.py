"""Minting: the credentials of one batch, alike in all but what must tell them apart.

Copies of one card are for one showing each, and nobody shall see that two showings are of the same card: each copy has
its own key, its own salts and its own place in the status list, drawn at random, and all of them the times of the whole
day (OpenID4VCI 1.0 §15.4.1). The desk's record has the real time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import Connection, insert

from service import hot
from ssi.encoding import Json, seconds, wire_json
from ssi.errors import Unavailable
from ssi.formats import by_id
from ssi.keys import PublicKey, Signer
from ssi.model import Draft, Issuer
from ssi.oid4vci import OAuthError
from ssi.trust import x509
from wallet.issuer import codes, kinds
from wallet.issuer.desk import Application
from wallet.issuer.identity import Identity
from wallet.issuer.kinds import Kind
from wallet.issuer.leaves import Leaves
from wallet.issuer.person import Person
from wallet.issuer.statuses import Publisher, Status
from wallet.issuer.store import CREDENTIALS

DENIED: Final = "credential_request_denied"
_RECORD: Final = insert(CREDENTIALS)


@dataclass(frozen=True)
class Issued:
    """What is on record about a credential: never its contents. `holder` is the thumbprint of its key."""

    id: str
    batch_id: str
    holder: str
    list_id: str
    index: int
    status: Status
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Place:
    """Where new credentials belong: the request that asked for them, and whose they are."""

    grant_id: str
    batch_id: str
    application_id: str
    configuration_id: str


@dataclass(frozen=True)
class Minted:
    """Credentials as they go into a response, and for each what its ledger receipt can be had with, or None."""

    credentials: tuple[Json, ...]
    promises: tuple[Mapping[str, Json] | None, ...] = ()


@dataclass(frozen=True)
class Mint:
    """Records and signs credentials; `leaves` where they are anchored on a ledger, too.

    `still`: are the desk's keys still those of `identity`? A request whose body came slowly may have outlived them.
    """

    identity: Identity
    publisher: Publisher
    validity: timedelta
    random: codes.Random
    leaves: Leaves | None = None
    still: Callable[[], bool] = field(default=lambda: True, repr=False)

    def record(
        self, connection: Connection, place: Place, holders: Sequence[str], application: Application, *, now: datetime
    ) -> tuple[Issued, ...]:
        """New credentials on record, one for each holder key, in the caller's transaction.

        Raises OAuthError (`credential_request_denied`), Unavailable (`identity.expired`).
        """
        expires = self._until(application, place.configuration_id, now=now)
        list_id, indexes = self.publisher.allocate(connection, len(holders), random=self.random)
        at = now.replace(microsecond=0)
        made = tuple(
            Issued(self.random(12).hex(), place.batch_id, holder, list_id, index, Status.VALID, at, expires)
            for holder, index in zip(holders, indexes, strict=True)
        )
        for one in made:
            hot.run(connection, _RECORD, _row(one, place))
        return made

    def sign(
        self,
        connection: Connection,
        application: Application,
        configuration_id: str,
        pairs: Sequence[tuple[Issued, PublicKey]],
    ) -> Minted:
        """The credentials for a response, in the caller's transaction.

        The same record and key make the same credential again, which is a leaf of its own: its signature differs.
        Raises Unavailable (`identity.replaced`): with another key all is as it should be.
        """
        if not self.still():
            raise Unavailable("identity.replaced", "The keys of this desk have just been changed. Try again.")
        kind, signer = self._kind(configuration_id)
        form, issuer, person = by_id(kind.format), kind.issuer(self.identity, signer), person_of(application)
        made: list[Json] = []
        promises: list[Mapping[str, Json] | None] = []
        for issued, key in pairs:
            since = self._since(issued)
            claims = person.claims(today=since.date(), evidence=application.evidence or {})
            draft = Draft(
                type=kind.type,
                issuer=issuer,
                claims=kind.content(claims),
                disclosable=kind.hides(claims),
                valid_from=since,
                valid_until=issued.expires_at,
                statuses=self.publisher.refs(issued.list_id, issued.index, kind.status),
                document=kind.document,
            )
            wire = form.issue(draft, signer=signer, holder=key, now=since).wire
            made.append(wire_json(wire))
            if self.leaves is not None:
                core = form.core(wire) if (issuer.id or "").startswith("did:") else None  # no other name has an account
                promises.append(self.leaves.add(connection, core))
        return Minted(tuple(made), tuple(promises))

    def _since(self, issued: Issued) -> datetime:
        """The start of the day of issue, but never before the desk's certificate is good."""
        return max(_day(issued.issued_at), x509.leaf(self.identity.x5c).not_before)

    def _kind(self, configuration_id: str) -> tuple[Kind, Signer]:
        kind = kinds.by_id(configuration_id)
        signer = None if kind is None else kind.signer(self.identity)
        if kind is None or signer is None:
            raise OAuthError("unknown_credential_configuration", "This issuer no longer knows this configuration.")
        return kind, signer

    def _until(self, application: Application, configuration_id: str, *, now: datetime) -> datetime:
        """The end of the credentials' time: never after that of the document, or of the desk's certificate."""
        if self.identity.ended:
            raise OAuthError(DENIED, "This desk has given up its identity, and issues nothing any more.")
        kind, signer = self._kind(configuration_id)
        issuer: Issuer = kind.issuer(self.identity, signer)
        good_until = self.identity.good_until_for(issuer)
        last_day = date.fromisoformat(person_of(application).document_expiry)
        end = datetime.combine(last_day, time(23, 59, 59), UTC)
        if end <= now:
            raise OAuthError(DENIED, "The document of this application has expired.")
        if good_until <= now:  # the desk's to mend: the offer stays good until then
            raise Unavailable("identity.expired", "The certificate of this desk has expired; nothing can be issued.")
        return min(_day(now) + self.validity, end, good_until)


def person_of(application: Application) -> Person:
    """Whose application it is. Raises OAuthError (`credential_request_denied`) when that has been erased."""
    if application.person is None:
        raise OAuthError(DENIED, "The data of this application has been erased. Start again at the desk.")
    return application.person


def read_issued(row: Mapping[Any, Any]) -> Issued:
    """A credential's record from its row."""
    return Issued(
        id=row["id"],
        batch_id=row["batch_id"],
        holder=row["holder"],
        list_id=row["list_id"],
        index=row["list_index"],
        status=Status(row["status"]),
        issued_at=datetime.fromtimestamp(row["issued_at"], UTC),
        expires_at=datetime.fromtimestamp(row["expires_at"], UTC),
    )


def _row(made: Issued, place: Place) -> dict[str, Json]:
    return {
        "id": made.id,
        "grant_id": place.grant_id,
        "batch_id": place.batch_id,
        "application_id": place.application_id,
        "configuration_id": place.configuration_id,
        "holder": made.holder,
        "list_id": made.list_id,
        "list_index": made.index,
        "status": int(made.status),
        "issued_at": seconds(made.issued_at),
        "expires_at": seconds(made.expires_at),
    }


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
