"""The authorization endpoint's messages: what does a client ask a person to allow, and what came back?

Pushed requests (RFC 9126) with PKCE (RFC 7636), a DPoP key (RFC 9449 §10), `issuer_state` (OpenID4VCI 1.0 §5.1.3), and
answers that name who gave them (RFC 9207).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from ssi.encoding import Json, read_json_object, required_text
from ssi.errors import Malformed, Refused
from ssi.oauth import details as authorization_details
from ssi.oauth import pkce
from ssi.oauth.errors import OAuthError

MAX_VALUE: Final = 2048
_NEEDED: Final = ("client_id", "redirect_uri", "code_challenge")
_ERROR_TEXT: Final = 300
_LONGEST: Final = 86_400
"""No request is believed to be kept for longer than this (seconds)."""


@dataclass(frozen=True)
class AuthorizationQuery:
    """A request for a code. `scope` and `details` say which credentials; both may be given (OpenID4VCI 1.0 §5.1.2)."""

    client_id: str
    redirect_uri: str
    code_challenge: str
    state: str | None = None
    scope: tuple[str, ...] = ()
    details: tuple[str, ...] | None = None
    issuer_state: str | None = field(default=None, repr=False)
    dpop_jkt: str | None = None
    locations: tuple[str, ...] = ()

    @property
    def form(self) -> dict[str, str]:
        """The parameters, for a pushed request's body."""
        members = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_challenge": self.code_challenge,
            "code_challenge_method": pkce.METHOD,
            "state": self.state,
            "scope": " ".join(self.scope) or None,
            "issuer_state": self.issuer_state,
            "dpop_jkt": self.dpop_jkt,
        }
        if self.details is not None:
            members["authorization_details"] = authorization_details.written(self.details, locations=self.locations)
        return {name: value for name, value in members.items() if value is not None}

    @staticmethod
    def parse(pairs: Iterable[tuple[str, str]]) -> AuthorizationQuery:
        """Read a pushed request. Unknown parameters are ignored; empty ones count as absent (RFC 6749 §3.1).

        Raises OAuthError: invalid_request, unsupported_response_type, invalid_authorization_details.
        """
        members = once(pairs)
        for name in ("request", "request_uri"):  # RFC 9126 §2.1; and this house takes no signed request objects
            if name in members:
                raise OAuthError("invalid_request", f"The {name} parameter does not belong here.")
        if "response_type" not in members:
            raise OAuthError("invalid_request", "The response_type parameter is missing.")
        if members["response_type"] != "code":
            raise OAuthError("unsupported_response_type", "Only the response type code is supported.")
        if members.get("response_mode", "query") != "query":
            raise OAuthError("invalid_request", "Only the response mode query is supported.")
        _check_needed(members)
        details = members.get("authorization_details")
        asked = None if details is None else authorization_details.read(details)
        return AuthorizationQuery(
            client_id=members["client_id"],
            redirect_uri=members["redirect_uri"],
            code_challenge=members["code_challenge"],
            state=members.get("state"),
            scope=tuple(dict.fromkeys(members.get("scope", "").split())),
            details=None if asked is None else asked.configuration_ids,
            issuer_state=members.get("issuer_state"),
            dpop_jkt=members.get("dpop_jkt"),
            locations=() if asked is None else asked.locations,
        )


def _check_needed(members: Mapping[str, str]) -> None:
    for name in _NEEDED:
        if name not in members:
            raise OAuthError("invalid_request", f"The {name} parameter is missing.")
    if members.get("code_challenge_method") != pkce.METHOD:  # RFC 7636 §4.3: absent would mean "plain"
        raise OAuthError("invalid_request", "Only the code challenge method S256 is supported.")
    if not pkce.is_challenge(members["code_challenge"]):
        raise OAuthError("invalid_request", "The code_challenge is no S256 challenge.")
    if any(len(members.get(name, "")) > MAX_VALUE for name in ("state", "client_id", "redirect_uri", "issuer_state")):
        raise OAuthError("invalid_request", "A parameter is too long.")
    if "dpop_jkt" in members and not pkce.is_challenge(members["dpop_jkt"]):  # also base64url of 32 bytes
        raise OAuthError("invalid_request", "The dpop_jkt is no thumbprint of a key.")


@dataclass(frozen=True)
class PushedResponse:
    """Where a pushed request is kept, and for how many seconds (RFC 9126 §2.2)."""

    request_uri: str
    expires_in: int

    @property
    def json(self) -> dict[str, Json]:
        """The response body."""
        return {"request_uri": self.request_uri, "expires_in": self.expires_in}

    @staticmethod
    def parse(body: bytes) -> PushedResponse:
        """Read a successful response. Raises Malformed (`oauth.pushed_response`, `encoding.*`)."""
        members = read_json_object(body, what="response to the pushed request", max_bytes=65_536)
        request_uri = required_text(members, "request_uri", what="response to the pushed request")
        expires = members.get("expires_in")
        if isinstance(expires, bool) or not isinstance(expires, int) or expires <= 0 or len(request_uri) > MAX_VALUE:
            raise Malformed("oauth.pushed_response", "The server does not say where it keeps the request, or how long.")
        return PushedResponse(request_uri, min(expires, _LONGEST))


def authorize_url(endpoint: str, *, client_id: str, request_uri: str) -> str:
    """Where to send the person's browser with a pushed request (RFC 9126 §4)."""
    return _with(endpoint, {"client_id": client_id, "request_uri": request_uri})


@dataclass(frozen=True)
class Callback:
    """What a server's redirect brings: a code or an error (RFC 6749 §4.1.2), the state, and who sent it (RFC 9207)."""

    code: str | None = field(default=None, repr=False)
    error: str | None = None
    error_description: str | None = None
    state: str | None = None
    iss: str | None = None

    def url(self, redirect_uri: str) -> str:
        """The redirect URI with these parameters; a query that it has already stays (RFC 6749 §3.1.2)."""
        names = ("code", "error", "error_description", "state", "iss")
        members = {name: getattr(self, name) for name in names}
        return _with(redirect_uri, {name: value for name, value in members.items() if value is not None})

    @staticmethod
    def parse(pairs: Iterable[tuple[str, str]]) -> Callback:
        """Read a callback's query. Raises Malformed (`oauth.callback`): neither or both of code and error, or twice."""
        try:
            members = once(pairs)
        except OAuthError:
            raise Malformed("oauth.callback", "The answer of the authorization server repeats a parameter.") from None
        code, error = members.get("code"), members.get("error")
        if (code is None) == (error is None):
            raise Malformed("oauth.callback", "The authorization server sent neither a code nor a reason.")
        return Callback(code, error, members.get("error_description"), members.get("state"), members.get("iss"))


def check(callback: Callback, *, state: str, issuer: str, iss_required: bool) -> str:
    """The code of a callback that answers our own request, from the server that it was sent to.

    `iss_required` is what that server's metadata says (`authorization_response_iss_parameter_supported`); an `iss` that
    is there must be right in any case (RFC 9207 §2.4). Raises Refused (`oauth.state`, `oauth.iss`), and OAuthError
    for an error of the server, which is believed only after the same checks.
    """
    if callback.state != state:
        raise Refused("oauth.state", "This answer does not belong to a request of this wallet.")
    if callback.iss != issuer and (callback.iss is not None or iss_required):
        raise Refused("oauth.iss", "This answer does not come from the server that was asked.")
    if callback.error is not None or callback.code is None:
        said = (callback.error_description or "The issuer gave no description.")[:_ERROR_TEXT]
        raise OAuthError((callback.error or "server_error")[:64], said)
    return callback.code


def once(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """The parameters of a form, empty ones left out. Raises OAuthError (`invalid_request`) for a repeated one."""
    members: dict[str, str] = {}
    for name, value in pairs:
        if name in members:
            raise OAuthError("invalid_request", "A parameter is repeated.")  # RFC 6749 §3.1, §3.2
        members[name] = value
    return {name: value for name, value in members.items() if value}


def query_of(url: str) -> list[tuple[str, str]]:
    """The query of a URL as pairs. Raises Malformed (`oauth.callback`)."""
    try:
        return parse_qsl(urlsplit(url).query, keep_blank_values=True, errors="strict", max_num_fields=64)
    except ValueError:
        raise Malformed("oauth.callback", "The answer of the authorization server cannot be read.") from None


def _with(url: str, members: Mapping[str, str]) -> str:
    """`url` with more in its query. What is there is not written anew."""
    base, hash_, fragment = url.partition("#")
    joint = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
    return f"{base}{joint}{urlencode(members)}{hash_}{fragment}"
