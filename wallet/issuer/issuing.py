"""Issuing: one credential for one offer, to whoever proves to hold the key it is bound to.

Nothing is ever half done. One transaction spends the nonce, allocates the status index and records the credential, and
only then is the answer sent. If the answer is lost, a wallet asks again with the same key and a fresh nonce, and gets
the same credential again: same status index, same record. Another key is refused, so an offer never yields two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, RowMapping, delete, insert, select, update

from service.store import reading, writing
from ssi.encoding import seconds, wire_json
from ssi.errors import Unavailable
from ssi.formats import by_id
from ssi.model import Draft, KeyResolver
from ssi.oid4vci import Configuration, CredentialRequest, CredentialResponse, NonceResponse, OAuthError, proof
from wallet.issuer import codes, kinds
from wallet.issuer.binding import Listed
from wallet.issuer.desk import KEEP_ISSUED, Application, read_application
from wallet.issuer.identity import Identity
from wallet.issuer.offers import identifier
from wallet.issuer.person import Person
from wallet.issuer.statuses import Publisher, Status
from wallet.issuer.store import APPLICATIONS, CREDENTIALS, NONCES, OFFERS

NONCE_LIFETIME: Final = timedelta(minutes=5)
_DENIED: Final = "credential_request_denied"


@dataclass(frozen=True)
class Issued:
    """What is on record about a credential: never its contents."""

    id: str
    application_id: str
    configuration_id: str
    list_id: str
    index: int
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Issuing:
    """The nonce and credential endpoints' work (OpenID4VCI 1.0 §7, §8)."""

    store: Engine
    identity: Identity
    publisher: Publisher
    configurations: dict[str, Configuration]
    validity: timedelta
    keys: KeyResolver
    random: codes.Random

    def nonce(self, *, now: datetime) -> NonceResponse:
        """A fresh challenge, good for one key proof within five minutes."""
        value = codes.token(self.random)
        with writing(self.store) as connection:
            connection.execute(
                insert(NONCES).values(hash=codes.hashed(value), expires_at=seconds(now + NONCE_LIFETIME))
            )
        return NonceResponse(value)

    def issue(self, access_token: str, body: Callable[[], bytes], *, now: datetime) -> CredentialResponse:
        """Answer a credential request; its body is asked for only when the access token is good.

        Raises OAuthError with the codes of §8.3.1, Unavailable (`identity.expired`) under an expired certificate.
        """
        with reading(self.store) as connection:
            offer = _granted(connection, access_token, now=now)
        request = CredentialRequest.parse(body())
        configuration = self._configuration(request, offer)
        shown = self._proof(request, configuration, now=now)
        with writing(self.store) as connection:
            application = _application(connection, offer["application_id"])  # first, as in `Offers.make`: no deadlock
            offer = _granted(connection, access_token, now=now, lock=True)
            _spend(connection, shown.nonce, now=now)
            issued = self._recorded(connection, offer, application, holder=shown.key.kid, now=now)
            wire = self._sign(configuration, application, issued, shown, now=now)
        return CredentialResponse((wire_json(wire),))

    def _configuration(self, request: CredentialRequest, offer: RowMapping) -> Configuration:
        name = offer["configuration_id"]
        named = identifier(offer["id"]) if offer["by_identifier"] else None
        if request.identifier is not None and request.identifier != named:
            raise OAuthError("unknown_credential_identifier", "The access token is not for this credential identifier.")
        if request.identifier is None and named is not None:  # §8.2
            raise OAuthError("invalid_credential_request", "Use the credential_identifier of the token response.")
        if request.configuration_id is not None and request.configuration_id not in self.configurations:
            raise OAuthError("unknown_credential_configuration", "This issuer does not know this configuration.")
        if request.configuration_id not in (None, name):
            raise OAuthError("insufficient_scope", "The access token is not for this credential configuration.")
        return self.configurations[name]

    def _proof(self, request: CredentialRequest, configuration: Configuration, *, now: datetime) -> proof.Proof:
        if request.proof_type is None:
            raise OAuthError("invalid_proof", "The proofs parameter is missing.")
        if request.proof_type not in configuration.proof_algs:
            raise OAuthError("invalid_proof", "This issuer takes key proofs of type jwt only.")
        if len(request.proofs) != 1:
            raise OAuthError("invalid_proof", "This issuer binds one credential to one key; send one proof.")
        algs = configuration.proof_algs[request.proof_type]
        audience, keys = self.identity.base_url, Listed(self.keys, configuration.binding_methods)
        return proof.verify(request.proofs[0], audience=audience, algs=algs, keys=keys, now=now)

    def _recorded(
        self, connection: Connection, offer: RowMapping, application: Application, *, holder: str, now: datetime
    ) -> Issued:
        """The offer's credential on record: a new one, or the one whose answer got lost."""
        found = select(CREDENTIALS).where(CREDENTIALS.c.offer_id == offer["id"])
        row = connection.execute(found).mappings().first()
        if row is not None:
            if row["holder"] != holder or row["status"] != int(Status.VALID):
                raise OAuthError(_DENIED, "The credential of this offer has already been issued.")
            return _issued(row)
        list_id, index = self.publisher.allocate(connection, random=self.random)
        made = Issued(
            id=self.random(12).hex(),
            application_id=application.id,
            configuration_id=offer["configuration_id"],
            list_id=list_id,
            index=index,
            issued_at=now.replace(microsecond=0),
            expires_at=self._until(application, self._good_until(offer["configuration_id"]), now=now),
        )
        _record(connection, made, offer_id=offer["id"], holder=holder)
        return made

    def _good_until(self, configuration_id: str) -> datetime:
        """How long the desk's own name is good in credentials of this kind."""
        kind = kinds.by_id(configuration_id)
        signer = None if kind is None else kind.signer(self.identity)
        if kind is None or signer is None:
            return self.identity.good_until
        return self.identity.good_until_for(kind.issuer(self.identity, signer))

    def _until(self, application: Application, good_until: datetime, *, now: datetime) -> datetime:
        """The end of the credential's time: never after that of the document, or of the desk's certificate."""
        last_day = date.fromisoformat(_person(application).document_expiry)
        end = datetime.combine(last_day, time(23, 59, 59), UTC)
        if end <= now:
            raise OAuthError(_DENIED, "The document of this application has expired.")
        if good_until <= now:  # the desk's to mend: the offer stays good until then
            raise Unavailable("identity.expired", "The certificate of this desk has expired; nothing can be issued.")
        return min((now + self.validity).replace(microsecond=0), end, good_until)

    def _sign(
        self,
        configuration: Configuration,
        application: Application,
        issued: Issued,
        shown: proof.Proof,
        *,
        now: datetime,
    ) -> str:
        kind = kinds.by_id(configuration.id)
        signer = None if kind is None else kind.signer(self.identity)
        if kind is None or signer is None:
            raise OAuthError("unknown_credential_configuration", "This issuer no longer knows this configuration.")
        claims = _person(application).claims(today=issued.issued_at.date(), evidence=application.evidence or {})
        draft = Draft(
            type=kind.type,
            issuer=kind.issuer(self.identity, signer),
            claims=kind.content(claims),
            disclosable=kind.hides(claims),
            valid_from=issued.issued_at,
            valid_until=issued.expires_at,
            statuses=self.publisher.refs(issued.list_id, issued.index, kind.status),
            document=kind.document,
        )
        return by_id(kind.format).issue(draft, signer=signer, holder=shown.key, now=now).wire


def _granted(connection: Connection, access_token: str, *, now: datetime, lock: bool = False) -> RowMapping:
    query = select(OFFERS).where(OFFERS.c.access_hash == codes.hashed(access_token))
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if row is None or row["replaced_at"] is not None or seconds(now) >= row["access_expires_at"]:
        raise OAuthError("invalid_token", "The access token is unknown or has expired.")
    return row


def _spend(connection: Connection, nonce: str, *, now: datetime) -> None:
    """Use a nonce up; it is given back when the transaction fails, and then nothing was issued."""
    spent = delete(NONCES).where(NONCES.c.hash == codes.hashed(nonce), NONCES.c.expires_at > seconds(now))
    if connection.execute(spent).rowcount != 1:
        raise OAuthError("invalid_nonce", "The c_nonce is unknown, used or expired. Fetch a fresh one.")


def _application(connection: Connection, application_id: str) -> Application:
    found = select(APPLICATIONS).where(APPLICATIONS.c.id == application_id).with_for_update()
    row = connection.execute(found).mappings().first()
    if row is None:
        raise OAuthError(_DENIED, "There is no application for this offer.")
    return read_application(row)


def _person(application: Application) -> Person:
    if application.person is None:
        raise OAuthError(_DENIED, "The data of this application has been erased. Start again at the desk.")
    return application.person


def _record(connection: Connection, made: Issued, *, offer_id: int, holder: str) -> None:
    connection.execute(
        insert(CREDENTIALS).values(
            id=made.id,
            offer_id=offer_id,
            application_id=made.application_id,
            configuration_id=made.configuration_id,
            holder=holder,
            list_id=made.list_id,
            list_index=made.index,
            status=int(Status.VALID),
            issued_at=seconds(made.issued_at),
            expires_at=seconds(made.expires_at),
        )
    )
    erase = seconds(made.issued_at + KEEP_ISSUED)
    connection.execute(update(APPLICATIONS).where(APPLICATIONS.c.id == made.application_id).values(erase_at=erase))


def _issued(row: RowMapping) -> Issued:
    return Issued(
        id=row["id"],
        application_id=row["application_id"],
        configuration_id=row["configuration_id"],
        list_id=row["list_id"],
        index=row["list_index"],
        issued_at=datetime.fromtimestamp(row["issued_at"], UTC),
        expires_at=datetime.fromtimestamp(row["expires_at"], UTC),
    )
