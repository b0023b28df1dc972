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
from service.app import body_limit, json_answer
from service.crosssite import open_to_all
from ssi.encoding import Json, write_json
from ssi.errors import Refused, Unavailable
from ssi.oid4vci import OAuthError, TokenRequest, authorization_server_url, metadata_url
from ssi.oid4vci.credential import MAX_REQUEST_BYTES
from wallet.issuer import catalog, kinds
from wallet.issuer.office import Office

_BEARER: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 §2.1
_CHALLENGED: Final = frozenset({"invalid_token", "insufficient_scope"})
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def blueprint(office: Office, *, now: Callable[[], datetime]) -> Blueprint:
    """All wallet-facing endpoints of one office."""
    made = Blueprint("protocol", __name__)
    _add_metadata(made, office)
    _add_issuance(made, office, now=now)
    _add_status(made, office, now=now)
    made.register_error_handler(OAuthError, on_oauth_error)
    made.register_error_handler(Unavailable, _on_unavailable)
    made.after_request(_open)
    return made


def on_oauth_error(error: OAuthError) -> Response:
    """A protocol refusal with its status; authorization errors also as a challenge (RFC 6750 §3)."""
    response = json_answer(error.json, status=error.status)
    if error.error in _CHALLENGED or isinstance(error, _UnreadableToken):
        challenge = f'Bearer error="{error.error}", error_description="{error.detail}"'
        response.headers["WWW-Authenticate"] = challenge if _scheme() == "bearer" else "Bearer"
    if error.error == "invalid_client":
        response.headers["WWW-Authenticate"] = "Basic"  # RFC 6749 §5.2: the scheme that was tried
    return response


def _on_unavailable(error: Unavailable) -> Response:
    response = json_answer(OAuthError("temporarily_unavailable", error.detail).json, status=503)
    response.headers["Retry-After"] = "5"
    return response


def _open(response: Response) -> Response:
    """Wallets and verifiers in browsers may call from anywhere: nothing here knows cookies."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
        response.headers["Access-Control-Max-Age"] = "600"
    return response


def _add_metadata(made: Blueprint, office: Office) -> None:
    base = office.settings.base_url
    issuer = catalog.issuer_metadata(base, name=office.settings.display_name, offered=office.offered)
    path = urlsplit(base).path
    documents: dict[str, tuple[str, Json]] = {
        urlsplit(metadata_url(base)).path: ("issuer_metadata", issuer.json),
        urlsplit(authorization_server_url(base)).path: ("server_metadata", catalog.authorization_server(base).json),
        f"/.well-known/jwt-vc-issuer{path}": ("jwt_vc_issuer", office.identity.issuer_metadata),
        f"{path}/did.json" if path else "/.well-known/did.json": ("did_document", office.identity.did_document),
        "/jwks": ("jwks", office.identity.jwks),
    }
    for rule, (name, document) in documents.items():
        made.add_url_rule(rule, name, _document(document))
    body = read(kinds.TYPE_METADATA)
    made.add_url_rule("/vct/verified-person", "type_metadata", open_to_all(lambda: _public(body)))


def _document(document: Json) -> Callable[[], Response]:
    body = write_json(document)
    return open_to_all(lambda: _public(body))


def _public(body: bytes, *, media_type: str = "application/json", seconds: int = 300) -> Response:
    response = Response(body, mimetype=media_type)
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    return response


def _add_issuance(made: Blueprint, office: Office, *, now: Callable[[], datetime]) -> None:
    @made.get("/offers/<secret>")
    @open_to_all
    def offer(secret: str) -> Response:
        """The Credential Offer that a link refers to (OpenID4VCI 1.0 §4.1.3)."""
        if not _ID.fullmatch(secret):
            raise Refused("offer.unknown", "There is no such offer. The link may be incomplete.")
        return json_answer(office.offers.open(secret, now=now()).json)

    @made.post("/token")
    @open_to_all
    def token() -> Response:
        """The token endpoint (§6)."""
        if request.mimetype != "application/x-www-form-urlencoded":
            raise OAuthError("invalid_request", "Send the parameters as application/x-www-form-urlencoded.")
        if "Authorization" in request.headers:
            raise OAuthError("invalid_client", "This server knows no client authentication; send none.")
        parsed = TokenRequest.parse(request.form.items(multi=True))
        return json_answer(office.offers.redeem(parsed, now=now()).json)

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
        access_token = _bearer(request.headers.get("Authorization"))
        return json_answer(office.issuing.issue(access_token, _credential_body, now=now()).json)


def _credential_body() -> bytes:
    if request.mimetype == "application/jwt":
        raise OAuthError("invalid_encryption_parameters", "This issuer takes unencrypted requests only.")
    if request.mimetype != "application/json":
        raise OAuthError("invalid_credential_request", "Send the request as application/json.")
    return request.get_data()


class _UnreadableToken(OAuthError):
    """No access token can be read in the Authorization header: answered with a challenge all the same (RFC 6750 §3)."""


def _scheme() -> str:
    """The authentication scheme of the request; a challenge names an error only if it was tried (RFC 6750 §3.1)."""
    return request.headers.get("Authorization", "").partition(" ")[0].lower()


def _bearer(header: str | None) -> str:
    """The access token (RFC 6750 §2.1). Raises OAuthError (invalid_token, invalid_request)."""
    if header is None:
        raise OAuthError("invalid_token", "An access token is needed.")
    if _scheme() != "bearer":
        raise OAuthError("invalid_token", "Send the access token as a Bearer token.")
    token = header.partition(" ")[2].strip()
    if not _BEARER.fullmatch(token):
        raise _UnreadableToken("invalid_request", "The Authorization header cannot be read.")
    return token


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
