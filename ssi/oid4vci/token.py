"""The token endpoint's messages: how does a code or a refresh token become an access token (OpenID4VCI 1.0 §6)?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ssi.encoding import Json, read_json_object, required_text, text
from ssi.errors import Malformed, Unsupported
from ssi.oauth import details
from ssi.oauth.authorization import once
from ssi.oauth.errors import OAuthError
from ssi.oauth.server import AUTHORIZATION_CODE, PRE_AUTHORIZED_CODE, REFRESH_TOKEN

DETAILS_TYPE: Final = details.TYPE
BEARER: Final = "Bearer"
DPOP: Final = "DPoP"
_LONGEST: Final = 2**31 - 1
"""No lifetime is read as longer than this (seconds): some servers send huge numbers for "never"."""
_CODES: Final[Mapping[str, str]] = {
    PRE_AUTHORIZED_CODE: "pre-authorized_code",
    AUTHORIZATION_CODE: "code",
    REFRESH_TOKEN: "refresh_token",
}
"""Every grant, and the parameter in which it brings its secret."""


@dataclass(frozen=True)
class TokenRequest:
    """A wallet's request for an access token.

    `code` is what the grant brings: the pre-authorized code, the authorization code or the refresh token. `details` are
    the credential configurations asked for through `authorization_details`, `locations` the issuers named there; None
    when that parameter was not used, and then the answer names no credential identifiers either (§6.2, §8.2).
    """

    code: str = field(repr=False)
    tx_code: str | None = field(default=None, repr=False)
    details: tuple[str, ...] | None = None
    scope: str | None = None
    client_id: str | None = None
    grant: str = PRE_AUTHORIZED_CODE
    redirect_uri: str | None = None
    code_verifier: str | None = field(default=None, repr=False)
    locations: tuple[str, ...] = ()

    @property
    def form(self) -> dict[str, str]:
        """The body, for `application/x-www-form-urlencoded`."""
        members: dict[str, str | None] = {
            "grant_type": self.grant,
            _CODES[self.grant]: self.code,
            "tx_code": self.tx_code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.code_verifier,
            "scope": self.scope,
            "client_id": self.client_id,
        }
        if self.details is not None:
            members["authorization_details"] = details.written(self.details, locations=self.locations)
        return {name: value for name, value in members.items() if value is not None}

    @staticmethod
    def parse(pairs: Iterable[tuple[str, str]]) -> TokenRequest:
        """Read the decoded form. Unknown parameters are ignored; empty ones count as absent (RFC 6749 §3.2).

        Raises OAuthError: invalid_request, unsupported_grant_type, invalid_authorization_details.
        """
        members = once(pairs)
        grant = members.get("grant_type")
        if grant is None:
            raise OAuthError("invalid_request", "The grant_type parameter is missing.")
        if grant not in _CODES:
            raise OAuthError("unsupported_grant_type", "This grant type is not supported.")
        code = members.get(_CODES[grant])
        if code is None:
            raise OAuthError("invalid_request", f"The {_CODES[grant]} parameter is missing.")
        raw = members.get("authorization_details")
        asked = None if raw is None else details.read(raw)
        by_code = grant == AUTHORIZATION_CODE
        return TokenRequest(
            code=code,
            tx_code=members.get("tx_code") if grant == PRE_AUTHORIZED_CODE else None,  # §6.1: only there
            details=None if asked is None else asked.configuration_ids,
            scope=members.get("scope"),
            client_id=members.get("client_id"),
            grant=grant,
            redirect_uri=members.get("redirect_uri") if by_code else None,
            code_verifier=members.get("code_verifier") if by_code else None,
            locations=() if asked is None else asked.locations,
        )


@dataclass(frozen=True)
class TokenResponse:
    """An access token, how many seconds it lasts, and the dataset identifiers by configuration, where given.

    `token_type` is "Bearer" or "DPoP" (RFC 9449 §5); whether that is what was asked for is the wallet's to judge.
    """

    access_token: str = field(repr=False)
    expires_in: int | None = None
    identifiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    token_type: str = BEARER
    refresh_token: str | None = field(default=None, repr=False)

    @property
    def json(self) -> dict[str, Json]:
        """The response body."""
        members: dict[str, Json] = {"access_token": self.access_token, "token_type": self.token_type}
        if self.expires_in is not None:
            members["expires_in"] = self.expires_in
        if self.refresh_token is not None:
            members["refresh_token"] = self.refresh_token
        if self.identifiers:
            members["authorization_details"] = details.granted(self.identifiers)
        return members

    @staticmethod
    def parse(body: bytes) -> TokenResponse:
        """Read a successful response. Unknown members are ignored.

        Raises Malformed (`oid4vci.token_response`, `encoding.*`), Unsupported (`oid4vci.token_type`).
        """
        members = read_json_object(body, what="token response")
        token = required_text(members, "access_token", what="token response")
        if not token.isascii() or not token.isprintable() or " " in token:
            raise Malformed("oid4vci.token_response", "The access token holds characters that no token may have.")
        expires = members.get("expires_in")
        if expires is not None and (isinstance(expires, bool) or not isinstance(expires, int) or expires < 0):
            raise Malformed("oid4vci.token_response", "The lifetime of the access token is not a number of seconds.")
        return TokenResponse(
            token,
            None if expires is None else min(expires, _LONGEST),
            details.read_granted(members.get("authorization_details", [])),
            token_type=_token_type(members),
            refresh_token=text(members, "refresh_token", what="token response") or None,
        )


def _token_type(members: Mapping[str, Json]) -> str:
    """The type in one spelling: it is compared without case (RFC 6749 §5.1)."""
    said = required_text(members, "token_type", what="token response").lower()
    known = {name.lower(): name for name in (BEARER, DPOP)}
    if said not in known:
        raise Unsupported("oid4vci.token_type", "The issuer's access token is of a type this wallet cannot use.")
    return known[said]
