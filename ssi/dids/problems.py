"""Why could a DID not be resolved? In the words and numbers that DID Resolution gives to each reason ("Errors")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ssi.errors import Malformed, SsiError, Unavailable

_TYPES: Final[Mapping[str, tuple[str, int]]] = {
    "invalidDid": ("INVALID_DID", 400),
    "invalidDidUrl": ("INVALID_DID_URL", 400),
    "invalidPublicKey": ("INVALID_DID", 400),
    "invalidPublicKeyLength": ("INVALID_DID", 400),
    "invalidPublicKeyType": ("INVALID_OPTIONS", 400),
    "unsupportedPublicKeyType": ("INVALID_OPTIONS", 400),
    "notFound": ("NOT_FOUND", 404),
    "representationNotSupported": ("REPRESENTATION_NOT_SUPPORTED", 406),
    "internalError": ("INTERNAL_ERROR", 500),
    "invalidDidDocument": ("INVALID_DID_DOCUMENT", 500),
    "featureNotSupported": ("FEATURE_NOT_SUPPORTED", 501),
    "methodNotSupported": ("METHOD_NOT_SUPPORTED", 501),
}
"""Each reason by its older word (did:key 0.9): the present draft's type, and its HTTP status."""

_REASONS: Final[Mapping[str, str]] = {
    "did.method": "methodNotSupported",
    "did.not_found": "notFound",
    "did.syntax": "invalidDid",
    "did.web": "invalidDid",
    "did.key_format": "invalidPublicKeyType",
    "did.key_format_unknown": "unsupportedPublicKeyType",
    "multikey.type": "unsupportedPublicKeyType",
    "key.type": "unsupportedPublicKeyType",
    "multikey.length": "invalidPublicKeyLength",
    "multikey.key": "invalidPublicKey",
    "key.point": "invalidPublicKey",
}
_WRITTEN_OUT: Final = ("did:key:", "did:jwk:")  # whose document is the DID itself


class Problem(SsiError):
    """A reason by its older word, and a sentence; `type`, `title` and `status` as the present draft has them."""

    @property
    def name(self) -> str:
        """The older word ("invalidDid")."""
        return self.code

    @property
    def type(self) -> str:
        """The error's type, a URL."""
        return "https://www.w3.org/ns/did#" + _TYPES[self.code][0]

    @property
    def title(self) -> str:
        """A few words."""
        return _TYPES[self.code][0].replace("_", " ").capitalize()

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _TYPES[self.code][1]


def problem_of(error: SsiError, did: str) -> Problem:
    """The reason for what `dids.resolve` raised."""
    if isinstance(error, Unavailable):
        return Problem("internalError", error.detail)
    found = _REASONS.get(error.code)
    if found is None and isinstance(error, Malformed):
        found = "invalidDid" if did.startswith(_WRITTEN_OUT) else "invalidDidDocument"
    return Problem(found or "internalError", error.detail)
