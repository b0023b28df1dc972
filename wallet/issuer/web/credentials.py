"""The credential issuer's endpoints for wallets: its metadata, nonces, credentials, promises of them, notifications.

Requests and responses may be encrypted (OpenID4VCI 1.0 §10); error responses never are (§8.3.1.2).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Final, TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, request

from service.app import body_limit, json_answer
from service.crosssite import open_to_all
from ssi.caching import Cache, Kept
from ssi.encoding import write_json
from ssi.oid4vci import (
    CredentialRequest,
    CredentialResponse,
    DeferredRequest,
    Notification,
    OAuthError,
    ResponseEncryption,
    encryption,
    metadata_url,
    signed,
)
from ssi.oid4vci.bodies import MAX_REQUEST_BYTES
from wallet.issuer import catalog, marks
from wallet.issuer.issuing import Shown
from wallet.issuer.office import Office
from wallet.issuer.web import bearer

_Request = TypeVar("_Request", CredentialRequest, DeferredRequest)
PROTECTED: Final = frozenset({"protocol.credential", "protocol.deferred_credential", "protocol.notification"})
"""The endpoints that take an access token."""

_METADATA_SECONDS: Final = 300
_SIGNED_FOR: Final = timedelta(hours=24)
_SIGNED_AGAIN: Final = timedelta(hours=1)


def add(made: Blueprint, office: Office, *, now: Callable[[], datetime]) -> None:
    """Add the endpoints."""
    _add_metadata(made, office, now=now)
    _add_issuance(made, office, now=now)

    @made.post("/notification")
    @open_to_all
    @body_limit(MAX_REQUEST_BYTES)
    def notification() -> Response:
        """The notification endpoint (§11)."""
        moment = now()
        office.issuing.note(_shown(office, now=moment), _notification, now=moment)
        return current_app.response_class(status=204)


def dress(response: Response, office: Office, *, now: datetime) -> None:
    """Hand out the DPoP nonce for the next proof (RFC 9449 §9; HAIP 1.0 §4: the nonce endpoint, too)."""
    if request.endpoint in PROTECTED or request.endpoint == "protocol.nonce":
        bearer.give_nonce(response, office, marks.RESOURCE, now=now)


def _add_metadata(made: Blueprint, office: Office, *, now: Callable[[], datetime]) -> None:
    document = catalog.issuer_metadata(
        office.settings.base_url,
        name=office.settings.display_name,
        offered=office.offered,
        batch_size=office.settings.issuance.batch_size,
        policies=office.sealing.policies,
    ).json
    plain = write_json(document)
    kept: Cache[str, bytes] = Cache(size=1)

    def sealed(moment: datetime) -> bytes:
        def load(_before: Kept[bytes] | None) -> Kept[bytes]:
            identity = office.identity
            token = signed.sign(document, signer=identity.signer, x5c=identity.x5c, now=moment, lifetime=_SIGNED_FOR)
            return Kept(token.encode(), moment, moment + _SIGNED_AGAIN)

        return kept.get("", now=moment, load=load)

    def issuer_metadata() -> Response:
        """The Credential Issuer Metadata, signed where the wallet asks for that (§12.2.2, §12.2.3)."""
        chosen = request.accept_mimetypes.best_match(("application/json", signed.MEDIA_TYPE), "application/json")
        body = plain if chosen == "application/json" else sealed(now())
        response = Response(body, mimetype=chosen)
        response.headers["Cache-Control"] = f"public, max-age={_METADATA_SECONDS}"
        response.headers["Vary"] = "Accept"
        return response

    path = urlsplit(metadata_url(office.settings.base_url)).path
    made.add_url_rule(path, "issuer_metadata", open_to_all(issuer_metadata))


def _add_issuance(made: Blueprint, office: Office, *, now: Callable[[], datetime]) -> None:
    @made.post("/nonce")
    @open_to_all
    def nonce() -> Response:
        """The nonce endpoint (§7); its answer is never stored (the default of all pages here)."""
        return json_answer(office.issuing.nonce(now=now()).json)

    @made.post("/credential")
    @open_to_all
    @body_limit(MAX_REQUEST_BYTES)
    def credential() -> Response:
        """The credential endpoint (§8)."""
        moment = now()
        read = cache(lambda: _read(office, CredentialRequest.parse))
        response = office.issuing.issue(_shown(office, now=moment), read, now=moment)
        return _answer(response, read().encryption)

    @made.post("/deferred_credential")
    @open_to_all
    @body_limit(MAX_REQUEST_BYTES)
    def deferred_credential() -> Response:
        """The deferred credential endpoint (§9)."""
        moment = now()
        read = cache(lambda: _read(office, DeferredRequest.parse))
        response = office.issuing.deferred(_shown(office, now=moment), read, now=moment)
        return _answer(response, read().encryption)


def _shown(office: Office, *, now: datetime) -> Shown:
    access = bearer.access(office, now=now)
    return Shown(access.token, access.jkt)


def _read(office: Office, parse: Callable[[bytes], _Request]) -> _Request:
    """The request, in clear; that its response can be encrypted as it asks is known before anything is done."""
    body, sealed = office.sealing.open(request.get_data(), media_type=request.mimetype)
    found = parse(body)
    office.sealing.check(found.encryption, sealed=sealed)
    return found


def _notification() -> Notification:
    if request.mimetype != "application/json":
        raise OAuthError("invalid_notification_request", "Send the notification as application/json.")
    return Notification.parse(request.get_data())


def _answer(response: CredentialResponse, asked: ResponseEncryption | None) -> Response:
    """200 with credentials, 202 with the promise of them (§8.3); encrypted, when the wallet has asked for that."""
    status = 200 if response.transaction_id is None else 202
    if asked is None:
        return json_answer(response.json, status=status)
    return current_app.response_class(asked.seal(response.json), status, mimetype=encryption.MEDIA_TYPE)
