"""Deferred issuance: are the credentials that were promised ready now (OpenID4VCI 1.0 §9)?

The answer is a `CredentialResponse`: credentials, or the same transaction once more (§9.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ssi.encoding import Json
from ssi.oid4vci.bodies import members_once, text_of
from ssi.oid4vci.encryption import ResponseEncryption
from ssi.oid4vci.errors import OAuthError

_MALFORMED: Final = "invalid_credential_request"


@dataclass(frozen=True)
class DeferredRequest:
    """A wallet's question for a transaction; `encryption` counts, whatever the first request asked for (§9.1)."""

    transaction_id: str
    encryption: ResponseEncryption | None = None

    @property
    def json(self) -> dict[str, Json]:
        """The request body."""
        members: dict[str, Json] = {"transaction_id": self.transaction_id}
        if self.encryption is not None:
            members["credential_response_encryption"] = self.encryption.json
        return members

    @staticmethod
    def parse(body: bytes) -> DeferredRequest:
        """Read a request body; unknown members are ignored.

        Raises OAuthError: invalid_credential_request, invalid_encryption_parameters (§9.3).
        """
        members = members_once(body, what="deferred credential request", error=_MALFORMED)
        transaction = text_of(members, "transaction_id", error=_MALFORMED)
        if transaction is None:
            raise OAuthError(_MALFORMED, "The transaction_id parameter is missing.")
        encryption = None
        if "credential_response_encryption" in members:
            encryption = ResponseEncryption.parse(members["credential_response_encryption"])
        return DeferredRequest(transaction, encryption)
