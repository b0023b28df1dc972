"""The credential and nonce endpoints' messages: which credential, bound to which keys (OpenID4VCI 1.0 §7, §8)?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ssi.encoding import Json, read_json_object, required_text, text
from ssi.errors import Malformed
from ssi.oid4vci import drafts
from ssi.oid4vci.bodies import MAX_REQUEST_BYTES, members_once, text_of
from ssi.oid4vci.encryption import MAX_RESPONSE_BYTES, ResponseEncryption
from ssi.oid4vci.errors import OAuthError

__all__ = ["MAX_REQUEST_BYTES", "PROMISE", "CredentialRequest", "CredentialResponse", "NonceResponse"]

PROMISE: Final = "facet_anchor"
_LONGEST_PROMISE: Final = 2048
_MAX_PROOFS: Final = 64
_MALFORMED: Final = "invalid_credential_request"


@dataclass(frozen=True)
class CredentialRequest:
    """A wallet's request: exactly one of configuration and identifier, and the proofs of one type.

    `proof_type` and `proofs` are None and empty when the request carried none, which §8.2 allows only for
    configurations without key binding. Proofs are JWTs, or documents for `di_vp`. `encryption` is how the wallet wants
    the response encrypted; None for not at all.
    """

    configuration_id: str | None = None
    identifier: str | None = None
    proof_type: str | None = None
    proofs: tuple[Json, ...] = ()
    encryption: ResponseEncryption | None = None

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
        if self.encryption is not None:
            members["credential_response_encryption"] = self.encryption.json
        return members

    @staticmethod
    def parse(body: bytes) -> CredentialRequest:
        """Read a request body. Unknown members are ignored (§8.2).

        Raises OAuthError: invalid_credential_request (which names the draft of a wallet that speaks none newer),
        invalid_proof, invalid_encryption_parameters.
        """
        members = members_once(body, what="credential request", error=_MALFORMED)
        drafts.refuse_credential_request(members)
        configuration = text_of(members, "credential_configuration_id", error=_MALFORMED)
        identifier = text_of(members, "credential_identifier", error=_MALFORMED)
        if (configuration is None) == (identifier is None):
            raise OAuthError(_MALFORMED, "Send exactly one of credential_configuration_id and credential_identifier.")
        encryption = None
        if "credential_response_encryption" in members:
            encryption = ResponseEncryption.parse(members["credential_response_encryption"])
        if "proofs" not in members:
            return CredentialRequest(configuration, identifier, encryption=encryption)
        kind, proofs = _proofs(members["proofs"])
        return CredentialRequest(configuration, identifier, kind, proofs, encryption)


@dataclass(frozen=True)
class CredentialResponse:
    """What came back: credentials at once, or a transaction to ask about again after `interval` seconds.

    `promises` are for each credential what its ledger receipt can be had with, or None; () where none has any. It goes
    beside the credential as `facet_anchor`, which wallets that do not know it ignore (§8.3).
    """

    credentials: tuple[Json, ...] = ()
    transaction_id: str | None = None
    interval: int | None = None
    notification_id: str | None = None
    promises: tuple[Mapping[str, Json] | None, ...] = field(default=(), repr=False)

    @property
    def json(self) -> dict[str, Json]:
        """The response body."""
        if self.transaction_id is not None:
            return {"transaction_id": self.transaction_id, "interval": self.interval or 5}
        promises = self.promises or (None,) * len(self.credentials)
        both = zip(self.credentials, promises, strict=True)
        members: dict[str, Json] = {
            "credentials": [
                {"credential": credential, **({} if promise is None else {PROMISE: dict(promise)})}
                for credential, promise in both
            ]
        }
        if self.notification_id is not None:
            members["notification_id"] = self.notification_id
        return members

    @staticmethod
    def parse(body: bytes) -> CredentialResponse:
        """Read a successful response; unknown members are ignored.

        Raises Malformed (`oid4vci.credential_response`, `encoding.*`), Unsupported (`oid4vci.draft`) for a draft's.
        """
        members = read_json_object(body, what="credential response", max_bytes=MAX_RESPONSE_BYTES)
        drafts.refuse_credential_response(members)
        transaction = text(members, "transaction_id", what="credential response")
        if (transaction is None) == ("credentials" not in members):
            raise Malformed("oid4vci.credential_response", "The issuer sent neither a credential nor a promise of one.")
        if transaction is not None:
            return CredentialResponse(transaction_id=transaction, interval=_interval(members))
        return CredentialResponse(
            credentials=_credentials(members["credentials"]),
            notification_id=text(members, "notification_id", what="credential response"),
            promises=_promises(members["credentials"]),
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


def _proofs(value: Json) -> tuple[str, tuple[Json, ...]]:
    if not isinstance(value, dict) or len(value) != 1:
        raise OAuthError("invalid_proof", "The proofs parameter must hold exactly one proof type.")
    kind, proofs = next(iter(value.items()))
    if not isinstance(proofs, list) or not 0 < len(proofs) <= _MAX_PROOFS:
        raise OAuthError("invalid_proof", "The proofs parameter must hold a non-empty array of proofs.")
    if not all(isinstance(proof, _OBJECTS.get(kind, str)) for proof in proofs):
        raise OAuthError("invalid_proof", f"A key proof is not what belongs to the proof type {kind}.")
    if kind == "attestation" and len(proofs) != 1:  # Appendix F
        raise OAuthError("invalid_proof", "The attestation proof type takes exactly one key attestation.")
    return kind, tuple(proofs)


_OBJECTS: Final[Mapping[str, type]] = {"di_vp": dict}
"""Proof types whose proofs are no strings (Appendix F.2)."""


def _credentials(value: Json) -> tuple[Json, ...]:
    refusal = Malformed("oid4vci.credential_response", "The credentials in the issuer's response cannot be read.")
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_PROOFS:
        raise refusal
    found = [item.get("credential") if isinstance(item, dict) else None for item in value]
    if not all(isinstance(credential, str | dict) and credential for credential in found):
        raise refusal
    return tuple(found)


def _promises(entries: list[Mapping[str, Json]]) -> tuple[Mapping[str, Json] | None, ...]:
    """What stands beside each credential; () where nothing does. One that cannot be read is none."""
    found = tuple(_promise(entry.get(PROMISE)) for entry in entries)
    return found if any(one is not None for one in found) else ()


def _promise(value: Json) -> Mapping[str, Json] | None:
    salt, href = (value.get("salt"), value.get("href")) if isinstance(value, dict) else (None, None)
    if not isinstance(salt, str) or not isinstance(href, str) or max(len(salt), len(href)) > _LONGEST_PROMISE:
        return None
    return {"salt": salt, "href": href}


def _interval(members: Mapping[str, Json]) -> int:
    interval = members.get("interval")
    if isinstance(interval, bool) or not isinstance(interval, int) or interval <= 0:
        raise Malformed("oid4vci.credential_response", "The issuer does not say when to ask again.")
    return interval
