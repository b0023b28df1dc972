"""An authorization server's metadata: where is it asked, and what does it want (RFC 8414)?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ssi.encoding import Json, read_json_object, required_text
from ssi.errors import Malformed
from ssi.oauth import details
from ssi.oauth.urls import web_url

PRE_AUTHORIZED_CODE: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
AUTHORIZATION_CODE: Final = "authorization_code"
REFRESH_TOKEN: Final = "refresh_token"  # noqa: S105  (the grant type's name, not a token)
_MAX_LISTED: Final = 512
_URLS: Final[Mapping[str, str]] = {
    "authorization_endpoint": "authorization_endpoint",
    "pushed_authorization_request_endpoint": "par_endpoint",
    "challenge_endpoint": "challenge_endpoint",
}
_LISTS: Final[Mapping[str, str]] = {
    "response_types_supported": "response_types",
    "scopes_supported": "scopes",
    "code_challenge_methods_supported": "pkce_methods",
    "dpop_signing_alg_values_supported": "dpop_algs",
    "client_attestation_signing_alg_values_supported": "attestation_algs",
    "client_attestation_pop_signing_alg_values_supported": "attestation_pop_algs",
    "authorization_details_types_supported": "details_types",
}
_FLAGS: Final[Mapping[str, str]] = {
    "require_pushed_authorization_requests": "par_required",
    "authorization_response_iss_parameter_supported": "iss_in_response",
    "pre-authorized_grant_anonymous_access_supported": "anonymous_access",
}


@dataclass(frozen=True)
class AuthorizationServer:
    """What an OAuth 2.0 authorization server publishes about itself, as far as issuance needs it.

    `par_*` is RFC 9126, `pkce_methods` RFC 7636, `dpop_algs` RFC 9449 §5.1, `iss_in_response` RFC 9207 §3,
    `attestation_*` and `challenge_endpoint` Attestation-Based Client Authentication, `anonymous_access` OpenID4VCI 1.0
    §12.3. Defaults are those of a server that says nothing of it.
    """

    issuer: str
    token_endpoint: str
    grant_types: tuple[str, ...] = (AUTHORIZATION_CODE, "implicit")
    anonymous_access: bool = False
    authorization_endpoint: str | None = None
    par_endpoint: str | None = None
    par_required: bool = False
    challenge_endpoint: str | None = None
    auth_methods: tuple[str, ...] = ("none",)
    response_types: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    pkce_methods: tuple[str, ...] = ()
    dpop_algs: tuple[str, ...] = ()
    attestation_algs: tuple[str, ...] = ()
    attestation_pop_algs: tuple[str, ...] = ()
    iss_in_response: bool = False
    details_types: tuple[str, ...] = (details.TYPE,)

    @property
    def supports_pre_authorized(self) -> bool:
        """Whether the pre-authorized code grant is among the supported ones."""
        return PRE_AUTHORIZED_CODE in self.grant_types

    @property
    def supports_code(self) -> bool:
        """Whether a person can be sent there to sign in."""
        return AUTHORIZATION_CODE in self.grant_types and self.authorization_endpoint is not None

    @property
    def json(self) -> dict[str, Json]:
        """The metadata document; `response_types_supported` only where there is one (OpenID4VCI 1.0 §12.2.4)."""
        members: dict[str, Json] = {"issuer": self.issuer, "token_endpoint": self.token_endpoint}
        members.update({name: getattr(self, field) for name, field in _URLS.items()})
        members.update({name: list(getattr(self, field)) for name, field in _LISTS.items()})
        members["token_endpoint_auth_methods_supported"] = list(self.auth_methods)
        members["grant_types_supported"] = list(self.grant_types)
        members.update({name: getattr(self, field) for name, field in _FLAGS.items()})
        return {name: value for name, value in members.items() if value not in (None, [])}

    @staticmethod
    def parse(body: bytes, *, issuer: str) -> AuthorizationServer:
        """Read the document found at `authorization_server_url(issuer)`.

        Raises Malformed (`oid4vci.metadata_issuer` when it is another server's (RFC 8414 §3.3), …).
        """
        members = read_json_object(body, what="authorization server metadata")
        if required_text(members, "issuer", what="authorization server metadata") != issuer:
            raise Malformed("oid4vci.metadata_issuer", "The metadata found there belongs to another server.")
        return AuthorizationServer(
            issuer=issuer,
            token_endpoint=web_url(members.get("token_endpoint"), what="token endpoint"),
            grant_types=_texts(members, "grant_types_supported") or (AUTHORIZATION_CODE, "implicit"),
            auth_methods=_texts(members, "token_endpoint_auth_methods_supported") or ("client_secret_basic",),
            **{field: _optional_url(members, name) for name, field in _URLS.items()},  # type: ignore[arg-type]  # each group of fields has one type
            **{field: _texts(members, name) for name, field in _LISTS.items()},  # type: ignore[arg-type]  # the same
            **{field: members.get(name) is True for name, field in _FLAGS.items()},  # type: ignore[arg-type]  # the same
        )


def _optional_url(members: Mapping[str, Json], name: str) -> str | None:
    return None if members.get(name) is None else web_url(members[name], what=name.replace("_", " "))


def _texts(members: Mapping[str, Json], name: str) -> tuple[str, ...]:
    value = members.get(name, [])
    if not isinstance(value, list) or len(value) > _MAX_LISTED or not all(isinstance(item, str) for item in value):
        raise Malformed("oid4vci.metadata", f"{name!r} in the metadata is not a list of strings.")
    return tuple(value)
