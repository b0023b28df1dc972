"""The credential and nonce endpoints' messages: which credential, bound to which keys (OpenID4VCI 1.0 §7, §8)?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ssi.encoding import Json, read_json_object, required_text, text
from ssi.errors import Malformed
from ssi.oid4vci.errors import OAuthError

MAX_REQUEST_BYTES: Final = 262_144
_MAX_PROOFS: Final = 64
_MALFORMED: Final = "invalid_credential_request"


@dataclass(frozen=True)
class CredentialRequest:
    """A wallet's request: exactly one of configuration and identifier, and the proofs of one type.

    `proof_type` and `proofs` are None and empty when the request carried none, which §8.2 allows only for
    configurations without key binding.
    """

    configuration_id: str | None = None
    identifier: str | None = None
    proof_type: str | None = None
    proofs: tuple[str, ...] = ()

    @property
    def json(self) -> dict[str, Json]:
        """The request body."""
        members: dict[str, Json] = {}
        if self.configuration_id is not None:
            members["credential_configuration_id"] = self.configuration_id
        if self.identifier is not None:
            members["credential_identifier"] = self.identifier
        if self.proof_type is not None:
            members["proofs"] = {self.proof_type: list(self.proofs)}
        return members

    @staticmethod
    def parse(body: bytes) -> CredentialRequest:
        """Read a request body. Unknown members are ignored (§8.2).

        Raises OAuthError: invalid_credential_request, invalid_proof, invalid_encryption_parameters.
        """
        members = _once(body)
        configuration = _text(members, "credential_configuration_id")
        identifier = _text(members, "credential_identifier")
        if (configuration is None) == (identifier is None):
            raise OAuthError(_MALFORMED, "Send exactly one of credential_configuration_id and credential_identifier.")
        if "credential_response_encryption" in members:
            raise OAuthError("invalid_encryption_parameters", "This issuer does not encrypt its responses.")
        if "proofs" not in members:
            return CredentialRequest(configuration, identifier)
        kind, proofs = _proofs(members["proofs"])
        return CredentialRequest(configuration, identifier, kind, proofs)


@dataclass(frozen=True)
class CredentialResponse:
    """What came back: credentials at once, or a transaction to ask about again after `interval` seconds."""

    credentials: tuple[Json, ...] = ()
    transaction_id: str | None = None
    interval: int | None = None
    notification_id: str | None = None

    @property
    def json(self) -> dict[str, Json]:
        """The response body."""
        if self.transaction_id is not None:
            return {"transaction_id": self.transaction_id, "interval": self.interval or 5}
        members: dict[str, Json] = {"credentials": [{"credential": credential} for credential in self.credentials]}
        if self.notification_id is not None:
            members["notification_id"] = self.notification_id
        return members

    @staticmethod
    def parse(body: bytes) -> CredentialResponse:
        """Read a successful response. Raises Malformed (`oid4vci.credential_response`, `encoding.*`)."""
        members = read_json_object(body, what="credential response")
        transaction = text(members, "transaction_id", what="credential response")
        if (transaction is None) == ("credentials" not in members):
            raise Malformed("oid4vci.credential_response", "The issuer sent neither a credential nor a promise of one.")
        if transaction is not None:
            return CredentialResponse(transaction_id=transaction, interval=_interval(members))
        return CredentialResponse(
            credentials=_credentials(members["credentials"]),
            notification_id=text(members, "notification_id", what="credential response"),
        )


@dataclass(frozen=True)
class NonceResponse:
    """A fresh challenge for key proofs (§7.2)."""

    c_nonce: str

    @property
    def json(self) -> dict[str, Json]:
        """The response body."""
        return {"c_nonce": self.c_nonce}

    @staticmethod
    def parse(body: bytes) -> NonceResponse:
        """Read a nonce response. Raises Malformed (`encoding.*`)."""
        members = read_json_object(body, what="nonce response", max_bytes=65_536)
        return NonceResponse(required_text(members, "c_nonce", what="nonce response"))


def _once(body: bytes) -> Mapping[str, Json]:
    """The body's members; a name given twice is refused here, where §8.3.1.2 asks for it."""
    try:
        members = read_json_object(body, what="credential request", max_bytes=MAX_REQUEST_BYTES)
    except Malformed as error:
        raise OAuthError(_MALFORMED, error.detail) from None
    pairs: list[tuple[str, Json]] = json.loads(body, object_pairs_hook=list, parse_int=str, parse_float=str)
    if len(pairs) != len(members):
        raise OAuthError(_MALFORMED, "The credential request repeats a parameter.")
    return members


def _text(members: Mapping[str, Json], name: str) -> str | None:
    value = members.get(name)
    if name in members and (not isinstance(value, str) or not value):
        raise OAuthError(_MALFORMED, f"{name} is not a string.")
    return value


def _proofs(value: Json) -> tuple[str, tuple[str, ...]]:
    if not isinstance(value, dict) or len(value) != 1:
        raise OAuthError("invalid_proof", "The proofs parameter must hold exactly one proof type.")
    kind, proofs = next(iter(value.items()))
    if not isinstance(proofs, list) or not 0 < len(proofs) <= _MAX_PROOFS:
        raise OAuthError("invalid_proof", "The proofs parameter must hold a non-empty array of proofs.")
    if not all(isinstance(proof, str) for proof in proofs):
        raise OAuthError("invalid_proof", "A key proof is not a string.")
    return kind, tuple(proofs)


def _credentials(value: Json) -> tuple[Json, ...]:
    refusal = Malformed("oid4vci.credential_response", "The credentials in the issuer's response cannot be read.")
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_PROOFS:
        raise refusal
    found = [item.get("credential") if isinstance(item, dict) else None for item in value]
    if not all(isinstance(credential, str | dict) and credential for credential in found):
        raise refusal
    return tuple(found)


def _interval(members: Mapping[str, Json]) -> int:
    interval = members.get("interval")
    if isinstance(interval, bool) or not isinstance(interval, int) or interval <= 0:
        raise Malformed("oid4vci.credential_response", "The issuer does not say when to ask again.")
    return interval
