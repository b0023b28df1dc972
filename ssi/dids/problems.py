"""Why could a DID not be resolved? In the words and numbers that DID Resolution gives to each reason ("Errors")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ssi.errors import Malformed, SsiError, Unavailable, Unsupported

_DID: Final = "https://www.w3.org/ns/did#"
_SECURITY: Final = "https://w3id.org/security#"  # errors of Controlled Identifiers 1.0 §3.5

_TYPES: Final[Mapping[str, tuple[str, int]]] = {
    "invalidDid": (_DID + "INVALID_DID", 400),
    "invalidDidUrl": (_DID + "INVALID_DID_URL", 400),
    "invalidOptions": (_DID + "INVALID_OPTIONS", 400),
    "invalidPublicKey": (_DID + "INVALID_DID", 400),
    "invalidPublicKeyLength": (_DID + "INVALID_DID", 400),
    "invalidPublicKeyType": (_DID + "INVALID_OPTIONS", 400),
    "unsupportedPublicKeyType": (_DID + "INVALID_OPTIONS", 400),
    "notFound": (_DID + "NOT_FOUND", 404),
    "representationNotSupported": (_DID + "REPRESENTATION_NOT_SUPPORTED", 406),
    "internalError": (_DID + "INTERNAL_ERROR", 500),
    "invalidDidDocument": (_DID + "INVALID_DID_DOCUMENT", 500),
    "invalidVerificationMethod": (_SECURITY + "INVALID_VERIFICATION_METHOD", 500),
    "invalidRelationshipForVerificationMethod": (_SECURITY + "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD", 500),
    "featureNotSupported": (_DID + "FEATURE_NOT_SUPPORTED", 501),
    "methodNotSupported": (_DID + "METHOD_NOT_SUPPORTED", 501),
}
"""Each reason by its older word (did:key 0.9): the present draft's type, and its HTTP status."""

_REASONS: Final[Mapping[str, str]] = {
    "did.method": "methodNotSupported",
    "did.not_found": "notFound",
    "did.no_such_version": "notFound",
    "did.version_unknown": "notFound",
    "did.syntax": "invalidDid",
    "did.web": "invalidDid",
    "did.ethr": "invalidDid",
    "did.time": "invalidOptions",
    "did.key_format": "invalidPublicKeyType",
    "did.key_format_unknown": "unsupportedPublicKeyType",
    "multikey.type": "unsupportedPublicKeyType",
    "key.type": "unsupportedPublicKeyType",
    "multikey.length": "invalidPublicKeyLength",
    "multikey.key": "invalidPublicKey",
    "key.point": "invalidPublicKey",
}
_WRITTEN_OUT: Final = ("did:key:", "did:jwk:", "did:peer:", "did:pkh:")  # whose document is the DID itself


_OF_LOGS: Final = (
    "did.webvh",
    "did.document",
    "did.id",
    "did.service",
    "encoding.",
    "suite.",
    "multikey.",
    "key.",
    "jcs.",
)
"""Errors of a did:webvh's log: "any error that renders the DID invalid during resolution" is the DID's own there."""


class Problem(SsiError):
    """A reason by its older word, and a sentence; `type`, `title` and `status` as the present draft has them."""

    @property
    def name(self) -> str:
        """The older word ("invalidDid")."""
        return self.code

    @property
    def type(self) -> str:
        """The error's type, a URL."""
        return _TYPES[self.code][0]

    @property
    def title(self) -> str:
        """A few words."""
        return self.type.partition("#")[2].replace("_", " ").capitalize()

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _TYPES[self.code][1]


def problem_of(error: SsiError, did: str) -> Problem:
    """The reason for what `dids.resolve` raised."""
    return Problem(_REASONS.get(error.code) or _reason(error, did), error.detail)


def _reason(error: SsiError, did: str) -> str:
    """The reason by the error's kind. What could not be asked is never called invalid."""
    if isinstance(error, Problem):
        return error.code
    if isinstance(error, Unavailable):
        return "internalError"
    if _is_of_the_did(error, did):
        return "invalidDid"
    if isinstance(error, Unsupported):
        return "featureNotSupported"
    if error.code == "did.version":
        return "invalidOptions"
    return "invalidDidDocument" if isinstance(error, Malformed) or error.code.startswith("did.") else "internalError"


def _is_of_the_did(error: SsiError, did: str) -> bool:
    """Is the DID itself at fault, and not a document that somebody serves for it?"""
    if did.startswith("did:webvh:"):
        return error.code.startswith(_OF_LOGS)
    return isinstance(error, Malformed) and did.startswith(_WRITTEN_OUT)
