"""The endpoints that wallets and verifiers call: metadata, offers, token, nonce, credential, keys and status lists.

They read no cookie, answer in JSON (or the media type of their specification), and may be called from any origin.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, request

from schemas import read
from service.app import json_answer
from service.crosssite import open_to_all
from ssi.encoding import Json, write_json
from ssi.errors import Refused, Unavailable
from ssi.oauth import AuthorizationServer, OAuthError, clients, dpop
from ssi.oid4vci import authorization_server_url
from wallet.issuer import catalog, kinds
from wallet.issuer.office import Office
from wallet.issuer.web import bearer, credentials, tokens

_EXPOSED: Final = f"{dpop.NONCE_HEADER}, {clients.CHALLENGE_HEADER}, WWW-Authenticate, Retry-After"
_TAKEN: Final = f"Authorization, Content-Type, Accept, {dpop.HEADER}, {clients.HEADER}, {clients.POP_HEADER}"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def blueprint(office: Office, *, now: Callable[[], datetime]) -> Blueprint:
    """All wallet-facing endpoints of one office."""
    made = Blueprint("protocol", __name__)
    _add_metadata(made, office)
    _add_offers(made, office, now=now)
    tokens.add(made, office, now=now)
    credentials.add(made, office, now=now)
    _add_status(made, office, now=now)
    made.register_error_handler(OAuthError, on_oauth_error)
    made.register_error_handler(Unavailable, _on_unavailable)

    def dressed(response: Response) -> Response:
        tokens.dress(response, office, now=now())
        credentials.dress(response, office, now=now())
        return _open(response)

    made.after_request(dressed)
    return made


def on_oauth_error(error: OAuthError) -> Response:
    """A protocol refusal with its status; authorization errors also as a challenge (RFC 6750 §3)."""
    response = json_answer(error.json, status=error.status)
    if request.endpoint in credentials.PROTECTED:
        bearer.challenge(response, error)
    if error.error == "invalid_client" and "Authorization" in request.headers:
        response.headers["WWW-Authenticate"] = "Basic"  # RFC 6749 §5.2: the scheme that was tried
    return response


def _on_unavailable(error: Unavailable) -> Response:
    response = json_answer(OAuthError("temporarily_unavailable", error.detail).json, status=503)
    response.headers["Retry-After"] = "5"
    return response


def _open(response: Response) -> Response:
    """Wallets and verifiers in browsers may call from anywhere: nothing here knows cookies."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = _EXPOSED
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Headers"] = _TAKEN
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
        response.headers["Access-Control-Max-Age"] = "600"
    return response


def _add_metadata(made: Blueprint, office: Office) -> None:
    base = office.settings.base_url
    path = urlsplit(base).path
    documents: dict[str, tuple[str, Json]] = {
        urlsplit(authorization_server_url(base)).path: ("server_metadata", _server(office).json),
        f"/.well-known/jwt-vc-issuer{path}": ("jwt_vc_issuer", office.identity.issuer_metadata),
        f"{path}/did.json" if path else "/.well-known/did.json": ("did_document", office.identity.did_document),
        "/jwks": ("jwks", office.identity.jwks),
    }
    for rule, (name, document) in documents.items():
        made.add_url_rule(rule, name, _document(document))
    body = read(kinds.TYPE_METADATA)
    made.add_url_rule("/vct/verified-person", "type_metadata", open_to_all(lambda: _public(body)))


def _server(office: Office) -> AuthorizationServer:
    return catalog.authorization_server(
        office.settings.base_url,
        offered=office.offered,
        ways=office.settings.ways,
        attested=office.clients.trust is not None,
        required=office.clients.required,
    )


def _document(document: Json) -> Callable[[], Response]:
    body = write_json(document)
    return open_to_all(lambda: _public(body))


def _public(body: bytes, *, media_type: str = "application/json", seconds: int = 300) -> Response:
    response = Response(body, mimetype=media_type)
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    return response


def _add_offers(made: Blueprint, office: Office, *, now: Callable[[], datetime]) -> None:
    @made.get("/offers/<secret>")
    @open_to_all
    def offer(secret: str) -> Response:
        """The Credential Offer that a link refers to (OpenID4VCI 1.0 §4.1.3)."""
        if not _ID.fullmatch(secret):
            raise Refused("offer.unknown", "There is no such offer. The link may be incomplete.")
        return json_answer(office.offers.open(secret, now=now()).json)


def _add_status(made: Blueprint, office: Office, *, now: Callable[[], datetime]) -> None:
    ttl = int(office.settings.status_ttl.total_seconds())

    @made.get("/status/<list_id>")
    @open_to_all
    def status(list_id: str) -> Response:
        """A Status List Token (Token Status List §8.1); never an old one, for there is no history here (§8.4)."""
        if "time" in request.args:
            abort(501)
        token = office.publisher.token(list_id, now=now())
        return _public(token.encode(), media_type="application/statuslist+jwt", seconds=ttl)

    @made.get("/status/<list_id>/<purpose>")
    @open_to_all
    def bitstring(list_id: str, purpose: str) -> Response:
        """A status list for W3C credentials (Bitstring Status List 1.0 §2.2)."""
        document = office.bitstrings.document(list_id, purpose, now=now())
        return _public(document, media_type="application/vc", seconds=ttl)
