"""Issuance refused: the error codes of OpenID4VCI 1.0 and OAuth 2.0, each with its HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ssi.encoding import Json, read_json
from ssi.errors import Malformed, SsiError, Unavailable

STATUS: Final[Mapping[str, int]] = {
    # RFC 6749 §5.2, RFC 9396 §5 (token endpoint; OpenID4VCI 1.0 §6.3)
    "invalid_request": 400,
    "invalid_client": 401,
    "invalid_grant": 400,
    "unauthorized_client": 400,
    "unsupported_grant_type": 400,
    "invalid_scope": 400,
    "invalid_authorization_details": 400,
    # RFC 6750 §3.1 (credential endpoint, authorization; OpenID4VCI 1.0 §8.3.1.1)
    "invalid_token": 401,
    "insufficient_scope": 403,
    # OpenID4VCI 1.0 §8.3.1.2 (credential endpoint, the request itself)
    "invalid_credential_request": 400,
    "unknown_credential_configuration": 400,
    "unknown_credential_identifier": 400,
    "invalid_proof": 400,
    "invalid_nonce": 400,
    "invalid_encryption_parameters": 400,
    "credential_request_denied": 400,
    # For what the specifications leave to HTTP
    "temporarily_unavailable": 503,
}
"""Every error code that this house sends, and the status it is sent with."""

_MAX_TEXT = 300


class OAuthError(SsiError):
    """An issuance step was refused, in the words of the protocol.

    `error` is the protocol's code, `status` the HTTP status, `detail` the description (ASCII, no quotes, as
    OpenID4VCI 1.0 §8.3.1.2 and RFC 6749 §5.2 demand), `code` is `"oid4vci."` with the protocol's code.
    """

    def __init__(self, error: str, description: str, *, status: int | None = None) -> None:
        super().__init__(f"oid4vci.{error}", _ascii(description))
        self.error = error
        self.status = STATUS.get(error, 400) if status is None else status

    @property
    def json(self) -> dict[str, str]:
        """The response body."""
        return {"error": self.error, "error_description": self.detail}


def read_error(body: bytes, *, status: int) -> SsiError:
    """What an issuer's response with a status of 400 or more means, as an error for the caller to raise.

    An OAuthError when the body names a code, Unavailable (`oid4vci.unavailable`) for a 5xx or 429 without one,
    Malformed (`oid4vci.error_response`) for any other body.
    """
    try:
        value = read_json(body, what="error response", max_bytes=65_536)
    except Malformed:
        value = None
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, str) and 0 < len(error) <= 64 and error == _ascii(error):
        description = value.get("error_description") if isinstance(value, dict) else None
        return OAuthError(error, _shown(description), status=status)
    if status >= 500 or status == 429:
        return Unavailable("oid4vci.unavailable", "The issuer could not answer just now.")
    return Malformed("oid4vci.error_response", f"The issuer answered with status {status} and no reason.")


def _shown(description: Json) -> str:
    return description if isinstance(description, str) and description else "The issuer gave no description."


def _ascii(text: str) -> str:
    """Only the characters that an error description may hold: %x20-21 / %x23-5B / %x5D-7E."""
    kept = text.replace('"', "'")[:_MAX_TEXT]
    return "".join(c if " " <= c <= "~" and c != "\\" else "?" for c in kept)
