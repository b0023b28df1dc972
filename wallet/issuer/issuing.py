"""Issuing: a batch of credentials for one request, each to a key that the wallet has proved to hold.

Nothing is ever half done. One transaction spends the nonces, allocates status indexes and records the credentials, and
only then is the answer sent. If the answer is lost, a wallet asks again with the same keys and a fresh nonce, and gets
the same credentials again: same status indexes, same records. A grant never yields more than a few batches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, bindparam, select, update

from service import hot
from service.store import reading, writing
from ssi.encoding import seconds
from ssi.keys import PublicKey
from ssi.model import KeyResolver
from ssi.oid4vci import (
    Configuration,
    CredentialRequest,
    CredentialResponse,
    DeferredRequest,
    NonceResponse,
    Notification,
    OAuthError,
    proof,
)
from wallet.issuer import batches, grants
from wallet.issuer.attesting import Attesting
from wallet.issuer.binding import Listed
from wallet.issuer.desk import KEEP_HELD, Application, read_application
from wallet.issuer.grants import Grant
from wallet.issuer.minting import DENIED, Issued, Mint, Minted, read_issued
from wallet.issuer.nonces import Nonces
from wallet.issuer.releases import REFUSED, RELEASED
from wallet.issuer.statuses import Status
from wallet.issuer.store import APPLICATIONS, CREDENTIALS, GRANTS, OFFERS

CAP: Final = 5
"""How many full batches of one configuration a grant yields; who needs more starts again at the desk."""
INTERVAL: Final = 10
"""Seconds after which a wallet may ask again for what waits to be released (§8.3)."""


@dataclass(frozen=True)
class Limits:
    """How many copies one request may ask for, and how long the person's data stays for more of them."""

    batch_size: int
    keep: timedelta


@dataclass(frozen=True)
class Shown:
    """An access token as a wallet shows it: with the key `jkt`, or as a Bearer token."""

    token: str
    jkt: str | None = None


@dataclass(frozen=True)
class Issuing:
    """The work of the nonce, credential, deferred credential and notification endpoints (OpenID4VCI 1.0 §7 to §11)."""

    store: Engine
    mint: Mint
    nonces: Nonces
    attesting: Attesting
    configurations: dict[str, Configuration]
    keys: KeyResolver
    limits: Limits

    def nonce(self, *, now: datetime) -> NonceResponse:
        """A fresh challenge, good for the key proofs of one request within five minutes."""
        return NonceResponse(self.nonces.fresh(now=now))

    def issue(self, shown: Shown, read: Callable[[], CredentialRequest], *, now: datetime) -> CredentialResponse:
        """Answer a credential request, which is read only when the access token is good.

        Raises OAuthError with the codes of §8.3.1, Unavailable (`identity.expired`) under an expired certificate.
        """
        grant = self._granted(shown, now=now)
        request = read()
        configuration = self._configuration(request, grant)
        proofs = self._proofs(request, configuration, now=now)
        keys = tuple(one.key for one in proofs)
        with writing(self.store) as connection:
            application, ruling = _application(connection, grant)  # first, as in `Offers.make`: no deadlock
            self.nonces.spend(connection, proof.nonces(proofs), now=now)
            if ruling is not None and ruling != RELEASED:
                return self._deferred(connection, grant, configuration.id, keys, now=now)
            waiting = () if ruling is None else batches.waiting(connection, grant, configuration.id)
            promised = frozenset[str]().union(*(one.holders for one in waiting))
            return self._issued(connection, grant, configuration.id, keys, application, promised=promised, now=now)

    def deferred(self, shown: Shown, read: Callable[[], DeferredRequest], *, now: datetime) -> CredentialResponse:
        """Answer a deferred credential request: the credentials, or the same transaction again (§9.2).

        Raises OAuthError (`invalid_transaction_id`, `credential_request_denied`, …), Unavailable.
        """
        grant = self._granted(shown, now=now)
        request = read()
        with writing(self.store) as connection:
            application, ruling = _application(connection, grant)
            found = batches.of_transaction(connection, grant, request.transaction_id)
            if ruling == WAITS:
                return CredentialResponse(transaction_id=request.transaction_id, interval=INTERVAL)
            known = _on_record(connection, grant, found.place.configuration_id)
            missing = [key.kid for key in found.keys if key.kid not in known]  # others were asked for anew meanwhile
            made = self.mint.record(connection, found.place, missing, application, now=now)
            batches.finish(connection, found.place, now=now)
            self._keep(connection, application, now=now)
            known |= {one.holder: one for one in made}
            pairs = tuple((known[key.kid], key) for key in found.keys)
            minted = self.mint.sign(connection, application, found.place.configuration_id, pairs)
        return _response(minted, found.place.batch_id)

    def note(self, shown: Shown, read: Callable[[], Notification], *, now: datetime) -> None:
        """Record a notification. Raises OAuthError (`invalid_notification_id`, `invalid_notification_request`, …)."""
        grant = self._granted(shown, now=now)
        said = read()
        with writing(self.store) as connection:
            batches.note(connection, grant, said, now=now)

    def _granted(self, shown: Shown, *, now: datetime) -> Grant:
        with reading(self.store) as connection:
            return grants.granted(connection, shown.token, jkt=shown.jkt, now=now)

    def _configuration(self, request: CredentialRequest, grant: Grant) -> Configuration:
        """What the request names: by the identifier that the token response gave, else by its configuration (§8.2)."""
        named = request.configuration_id
        if request.identifier is not None:
            found = [name for name, identifier in grant.identifiers.items() if identifier == request.identifier]
            if not found:
                raise OAuthError(
                    "unknown_credential_identifier", "The access token is not for this credential identifier."
                )
            named = found[0]
        elif named in grant.identifiers:
            raise OAuthError("invalid_credential_request", "Use the credential_identifier of the token response.")
        if named not in self.configurations:
            raise OAuthError("unknown_credential_configuration", "This issuer does not know this configuration.")
        if named not in grant.configuration_ids:
            raise OAuthError("insufficient_scope", "The access token is not for this credential configuration.")
        return self.configurations[named]

    def _proofs(
        self, request: CredentialRequest, configuration: Configuration, *, now: datetime
    ) -> tuple[proof.Proof, ...]:
        shown = proof.verify_all(
            request,
            configuration,
            audience=self.mint.identity.base_url,
            keys=Listed(self.keys, configuration.binding_methods),
            now=now,
            batch_size=self.limits.batch_size,
            attestations=self.attesting.reads,
        )
        counting = self.attesting.counting(shown, now=now)
        algs = configuration.proof_algs[proof.JWT]
        if any(one.key.algorithm.name not in algs for one in counting):  # attested keys and those of presentations
            raise OAuthError("invalid_proof", "The credential cannot be bound to a key of this algorithm.")
        return counting

    def _issued(
        self,
        connection: Connection,
        grant: Grant,
        configuration_id: str,
        keys: tuple[PublicKey, ...],
        application: Application,
        *,
        promised: frozenset[str],
        now: datetime,
    ) -> CredentialResponse:
        """The credentials for these keys: those on record, whose answer got lost, and new ones for the rest.

        `promised` are the keys of promises not yet called in, which count against the cap like what was issued.
        """
        known = _on_record(connection, grant, configuration_id)
        missing = [key.kid for key in keys if key.kid not in known]
        self._check_cap(len(promised.union(known, missing)))
        batch_id = None
        if missing:
            place = batches.begin(connection, grant, configuration_id, random=self.mint.random, now=now, issued=True)
            made = self.mint.record(connection, place, missing, application, now=now)
            known = {**known, **{one.holder: one for one in made}}
            batch_id = place.batch_id
            self._keep(connection, application, now=now)
        pairs = tuple((known[key.kid], key) for key in keys)
        minted = self.mint.sign(connection, application, configuration_id, pairs)
        return _response(minted, batch_id or pairs[0][0].batch_id)

    def _deferred(
        self,
        connection: Connection,
        grant: Grant,
        configuration_id: str,
        keys: tuple[PublicKey, ...],
        *,
        now: datetime,
    ) -> CredentialResponse:
        """A promise for these keys: the one that got lost, under a fresh name, or a new one."""
        promised = batches.waiting(connection, grant, configuration_id)
        holders = frozenset(key.kid for key in keys)
        again = next((one.place for one in promised if one.holders == holders), None)
        if again is None:
            self._check_cap(sum(len(one.keys) for one in promised) + len(keys))
            if any(one.holders & holders for one in promised):
                raise OAuthError(DENIED, "A credential for one of these keys waits already.")
            again = batches.begin(connection, grant, configuration_id, random=self.mint.random, now=now, issued=False)
        _keep_until(connection, grant.application_id, now + KEEP_HELD)
        return CredentialResponse(
            transaction_id=batches.wait(connection, again, keys, random=self.mint.random), interval=INTERVAL
        )

    def _check_cap(self, number: int) -> None:
        if number > CAP * self.limits.batch_size:
            raise OAuthError(DENIED, "No more copies are issued for this offer. Start again at the desk.")

    def _keep(self, connection: Connection, application: Application, *, now: datetime) -> None:
        """What was issued needs the person's data only for an answer that got lost, or for further copies."""
        until = seconds(now.replace(microsecond=0) + self.limits.keep)
        hot.run(connection, _KEEP, {"application": application.id, "until": until})


WAITS: Final = "waits"
"""That nobody has ruled yet on what was offered to be held."""

# Statements of the way to a credential, made once: to put one together costs more than to run it.
_GRANTED: Final = (
    select(APPLICATIONS, OFFERS.c.held, OFFERS.c.ruling)
    .join(GRANTS, GRANTS.c.application_id == APPLICATIONS.c.id)
    .join(OFFERS, OFFERS.c.id == GRANTS.c.offer_id)
    .where(GRANTS.c.id == bindparam("grant"), GRANTS.c.revoked_at.is_(None))
    .with_for_update(of=[APPLICATIONS, GRANTS])
)
_HAD: Final = select(CREDENTIALS).where(CREDENTIALS.c.application_id == bindparam("application"))
_KEEP: Final = (
    update(APPLICATIONS).where(APPLICATIONS.c.id == bindparam("application")).values(erase_at=bindparam("until"))
)


def _response(minted: Minted, notification_id: str) -> CredentialResponse:
    return CredentialResponse(minted.credentials, notification_id=notification_id, promises=minted.promises)


def _application(connection: Connection, grant: Grant) -> tuple[Application, str | None]:
    """The grant's application, locked with the grant, and how a held offer stands: None where it was not held.

    Raises OAuthError (`invalid_token` when the grant was revoked in between, `credential_request_denied`).
    """
    row = hot.first(connection, _GRANTED, {"grant": grant.id})
    if row is None:
        raise OAuthError("invalid_token", "The access token has been revoked.")
    if row["held"] and row["ruling"] == REFUSED:
        raise OAuthError(DENIED, "The desk has refused this credential.")
    return read_application(row), (row["ruling"] or WAITS) if row["held"] else None


def _on_record(connection: Connection, grant: Grant, configuration_id: str) -> dict[str, Issued]:
    """What the grant has yielded of this configuration, by holder key.

    Raises OAuthError (`credential_request_denied`) when what the application has had was withdrawn since.
    """
    rows = hot.every(connection, _HAD, {"application": grant.application_id})
    if any(row["status"] != int(Status.VALID) for row in rows):
        raise OAuthError(DENIED, "The card has been issued, and withdrawn since.")
    own = (row for row in rows if (row["grant_id"], row["configuration_id"]) == (grant.id, configuration_id))
    return {row["holder"]: read_issued(row) for row in own}


def _keep_until(connection: Connection, application_id: str, moment: datetime) -> None:
    one = update(APPLICATIONS).where(APPLICATIONS.c.id == application_id)
    connection.execute(one.where(APPLICATIONS.c.erase_at < seconds(moment)).values(erase_at=seconds(moment)))
