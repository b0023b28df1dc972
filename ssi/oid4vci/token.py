"""The token endpoint's messages: how a pre-authorized code becomes an access token (OpenID4VCI 1.0 §6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ssi.encoding import Json, read_json, read_json_object, required_text, write_json
from ssi.errors import Malformed, SsiError, Unsupported
from ssi.oid4vci.errors import OAuthError
from ssi.oid4vci.offer import PRE_AUTHORIZED_CODE

DETAILS_TYPE = "openid_credential"
_MAX_DETAILS = 16


@dataclass(frozen=True)
class TokenRequest:
    """A wallet's request for an access token.

    `details` are the credential configurations asked for through `authorization_details`; None when that parameter
    was not used, and then the answer names no credential identifiers either (§6.2, §8.2).
    """

    code: str = field(repr=False)
    tx_code: str | None = field(default=None, repr=False)
    details: tuple[str, ...] | None = None
    scope: str | None = None
    client_id: str | None = None

    @property
    def form(self) -> dict[str, str]:
        """The body, for `application/x-www-form-urlencoded`."""
        members = {"grant_type": PRE_AUTHORIZED_CODE, "pre-authorized_code": self.code}
        if self.tx_code is not None:
            members["tx_code"] = self.tx_code
        if self.details is not None:
            details = [{"type": DETAILS_TYPE, "credential_configuration_id": name} for name in self.details]
            members["authorization_details"] = write_json(details).decode()
        if self.client_id is not None:
            members["client_id"] = self.client_id
        return members

    @staticmethod
    def parse(pairs: Iterable[tuple[str, str]]) -> TokenRequest:
        """Read the decoded form. Unknown parameters are ignored; empty ones count as absent (RFC 6749 §3.2).

        Raises OAuthError: invalid_request, unsupported_grant_type, invalid_authorization_details.
        """
        members = _once(pairs)
        grant = members.get("grant_type")
        if grant is None:
            raise OAuthError("invalid_request", "The grant_type parameter is missing.")
        if grant != PRE_AUTHORIZED_CODE:
            raise OAuthError("unsupported_grant_type", f"Only {PRE_AUTHORIZED_CODE} is supported.")
        code = members.get("pre-authorized_code")
        if code is None:
            raise OAuthError("invalid_request", "The pre-authorized_code parameter is missing.")
        details = members.get("authorization_details")
        return TokenRequest(
            code=code,
            tx_code=members.get("tx_code"),
            details=None if details is None else _details(details),
            scope=members.get("scope"),
            client_id=members.get("client_id"),
        )


@dataclass(frozen=True)
class TokenResponse:
    """An access token, how many seconds it lasts, and the dataset identifiers by configuration, where given."""

    access_token: str = field(repr=False)
    expires_in: int | None = None
    identifiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def json(self) -> dict[str, Json]:
        """The response body."""
        members: dict[str, Json] = {"access_token": self.access_token, "token_type": "Bearer"}
        if self.expires_in is not None:
            members["expires_in"] = self.expires_in
        if self.identifiers:
            members["authorization_details"] = [
                {"type": DETAILS_TYPE, "credential_configuration_id": name, "credential_identifiers": list(identifiers)}
                for name, identifiers in self.identifiers.items()
            ]
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
        if required_text(members, "token_type", what="token response").lower() != "bearer":
            raise Unsupported("oid4vci.token_type", "The issuer's access token is of a type this wallet cannot use.")
        expires = members.get("expires_in")
        if expires is not None and (isinstance(expires, bool) or not isinstance(expires, int) or expires < 0):
            raise Malformed("oid4vci.token_response", "The lifetime of the access token is not a number of seconds.")
        return TokenResponse(token, expires, _identifiers(members.get("authorization_details", [])))


def _once(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    members: dict[str, str] = {}
    for name, value in pairs:
        if name in members:
            raise OAuthError("invalid_request", "A parameter is repeated.")  # RFC 6749 §3.2
        members[name] = value
    return {name: value for name, value in members.items() if value}


def _details(raw: str) -> tuple[str, ...]:
    refusal = OAuthError("invalid_authorization_details", "The authorization_details parameter cannot be used.")
    try:
        value = read_json(raw, what="authorization_details", max_bytes=16_384)
    except SsiError:
        raise refusal from None
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_DETAILS:
        raise refusal
    names: list[str] = []
    for item in value:
        name = item.get("credential_configuration_id") if isinstance(item, dict) else None
        if not isinstance(name, str) or item.get("type") != DETAILS_TYPE:
            raise refusal
        names.append(name)
    return tuple(dict.fromkeys(names))


def _identifiers(details: Json) -> Mapping[str, tuple[str, ...]]:
    refusal = Malformed("oid4vci.token_response", "The authorization details of the token response cannot be read.")
    if not isinstance(details, list) or not all(isinstance(item, dict) for item in details):
        raise refusal
    found: dict[str, tuple[str, ...]] = {}
    for item in details:
        if item.get("type") != DETAILS_TYPE:
            continue
        name, identifiers = item.get("credential_configuration_id"), item.get("credential_identifiers")
        if not isinstance(name, str) or not isinstance(identifiers, list) or not identifiers:
            raise refusal
        if not all(isinstance(identifier, str) and identifier for identifier in identifiers):
            raise refusal
        found[name] = tuple(identifiers)
    return found
