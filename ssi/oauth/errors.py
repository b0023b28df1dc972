"""Authorization or issuance refused: the error codes of OAuth 2.0 and OpenID4VCI 1.0, each with its HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ssi.encoding import Json, read_json
from ssi.errors import Malformed, SsiError, Unavailable

STATUS: Final[Mapping[str, int]] = {
    # RFC 6749 §4.1.2.1, §5.2, RFC 9396 §5 (authorization and token endpoint; OpenID4VCI 1.0 §6.3)
    "invalid_request": 400,
    "invalid_client": 401,
    "invalid_grant": 400,
    "unauthorized_client": 400,
    "access_denied": 400,
    "unsupported_response_type": 400,
    "unsupported_grant_type": 400,
    "invalid_scope": 400,
    "invalid_target": 400,
    "invalid_authorization_details": 400,
    "server_error": 500,
    # RFC 9101 §7 (request_uri; RFC 9126 §4 uses it for pushed requests)
    "invalid_request_uri": 400,
    # RFC 9449 §5, §8 (at a resource: 401, §7.1, §9)
    "invalid_dpop_proof": 400,
    "use_dpop_nonce": 400,
    # OAuth 2.0 Attestation-Based Client Authentication, "Errors"
    "invalid_client_attestation": 401,
    "use_attestation_challenge": 400,
    "use_fresh_attestation": 400,
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
    # OpenID4VCI 1.0 §9.3, §11.3 (deferred credential and notification endpoints)
    "invalid_transaction_id": 400,
    "invalid_notification_id": 400,
    "invalid_notification_request": 400,
    # For what the specifications leave to HTTP
    "temporarily_unavailable": 503,
}
"""Every error code that this house sends, and the status it is sent with."""

_MAX_TEXT = 300


class OAuthError(SsiError):
    """A step was refused, in the words of the protocol.

    `error` is the protocol's code, `status` the HTTP status, `detail` the description (ASCII, no quotes, as
    OpenID4VCI 1.0 §8.3.1.2 and RFC 6749 §5.2 demand), `code` is `"oid4vci."` with the protocol's code.
    """

    def __init__(self, error: str, description: str, *, status: int | None = None) -> None:
        super().__init__(f"oid4vci.{error}", plain(description))
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
    if isinstance(error, str) and 0 < len(error) <= 64 and error == plain(error):
        description = value.get("error_description") if isinstance(value, dict) else None
        return OAuthError(error, _shown(description), status=status)
    if status >= 500 or status == 429:
        return Unavailable("oid4vci.unavailable", "The issuer could not answer just now.")
    return Malformed("oid4vci.error_response", f"The issuer answered with status {status} and no reason.")


def _shown(description: Json) -> str:
    return description if isinstance(description, str) and description else "The issuer gave no description."


def plain(text: str) -> str:
    """Only the characters that an error description may hold: %x20-21 / %x23-5B / %x5D-7E."""
    kept = text.replace('"', "'")[:_MAX_TEXT]
    return "".join(c if " " <= c <= "~" and c != "\\" else "?" for c in kept)
