"""How keys are written in a did:ethr document: as the published resolver does, or as the specification now says?

The two differ. `PUBLISHED` writes what npm `ethr-did-resolver` 11.1.3 writes, the newest that its registry has, and so
what verifiers meet. `SPECIFIED` follows the method specification of August 2026 ("Known Key Types"): keys in the one
encoding of their type, and contexts for the types that are there. Key material and ids of both are the same, except
that `SPECIFIED` counts every name (ids "MUST be stable") and forgets key agreements that were taken away.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ssi.dids.ethr.changes import Entry
from ssi.dids.ethr.identifier import Identifier
from ssi.encoding import Json, b64url, base58
from ssi.errors import Malformed
from ssi.keys import PublicKey
from ssi.legacy import secp256k1

RECOVERY: Final = "EcdsaSecp256k1RecoveryMethod2020"
_SECP256K1: Final = "EcdsaSecp256k1VerificationKey2019"
_BASE: Final = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/secp256k1recovery-2020/v2")

Members = Mapping[str, Json]


@dataclass(frozen=True)
class Form:
    """A way of writing documents.

    `method` gives a key's type and material (None: it is not shown), `controller_key` those of the key in the
    identifier, `context` the document's `@context` for its verification methods. `recalls` says which keys for key
    agreement are mentioned for ever, also when they are taken away (None: none); nothing of theirs is encoded.
    """

    name: str
    method: Callable[[Entry], Members | None]
    controller_key: Callable[[Identifier, PublicKey], Members]
    context: Callable[[Sequence[Members]], list[Json]]
    every_name_counts: bool
    recalls: Callable[[Entry], bool] | None


_SUFFIXES: Final = {
    "veriKey": "VerificationKey2018",
    "sigAuth": "SignatureAuthentication2018",
    "enc": "KeyAgreementKey2019",
}
_PUBLISHED_TYPES: Final = {
    "Secp256k1VerificationKey2018": _SECP256K1,
    "Secp256k1SignatureAuthentication2018": _SECP256K1,
    "Ed25519SignatureAuthentication2018": "Ed25519VerificationKey2018",
    "Ed25519VerificationKey2018": "Ed25519VerificationKey2018",
    "RSAVerificationKey2018": "RSAVerificationKey2018",
    "X25519KeyAgreementKey2019": "X25519KeyAgreementKey2019",
}
"""The published resolver's types, by algorithm and the older name of the purpose."""


@lru_cache(maxsize=2048)
def _published(entry: Entry) -> Members | None:
    purpose = entry.purpose or ""
    kind = _PUBLISHED_TYPES.get(entry.algorithm + _SUFFIXES.get(purpose, purpose), entry.algorithm)
    if not _shown(entry):
        return None
    if entry.encoding == "pem":
        return {"type": kind, "publicKeyPem": entry.value.decode("utf-8")}
    return {"type": kind, **_encoded(entry)}


def _shown(entry: Entry) -> bool:
    """Can the material be written as its name asks? All can but text that is none."""
    if entry.encoding != "pem":
        return True
    try:
        entry.value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _encoded(entry: Entry) -> Members:
    """The material in the encoding that the attribute's name asks for; hex under another name where it is unknown."""
    if entry.encoding in (None, "hex"):
        return {"publicKeyHex": entry.value.hex()}
    if entry.encoding == "base64":
        return {"publicKeyBase64": base64.b64encode(entry.value).decode("ascii")}
    if entry.encoding == "base58":
        return {"publicKeyBase58": base58(entry.value)}
    return {"value": entry.value.hex()}


def _published_controller(identifier: Identifier, key: PublicKey) -> Members:
    return {"type": _SECP256K1, "publicKeyHex": identifier.text}


def _published_context(methods: Sequence[Members]) -> list[Json]:
    return [*_BASE, "https://w3id.org/security/v3-unstable"]


_PREFIXES: Final = {
    "Ed25519": ("Ed25519VerificationKey2020", b"\xed\x01"),
    "X25519": ("X25519KeyAgreementKey2020", b"\xec\x01"),
    "Multikey": ("Multikey", b""),
}
"""Algorithms whose keys are `publicKeyMultibase`: their type, and the multicodec that goes before the value."""

_CONTEXTS: Final = {
    "Ed25519VerificationKey2020": "https://w3id.org/security/suites/ed25519-2020/v1",
    "X25519KeyAgreementKey2020": "https://w3id.org/security/suites/x25519-2020/v1",
    "Multikey": "https://w3id.org/security/multikey/v1",
}
_TERMS: Final[Mapping[str, Json]] = {
    "publicKeyHex": "https://w3id.org/security#publicKeyHex",
    "publicKeyJwk": {"@id": "https://w3id.org/security#publicKeyJwk", "@type": "@json"},
    "publicKeyBase64": "https://w3id.org/security#publicKeyBase64",
}


@lru_cache(maxsize=2048)
def _specified(entry: Entry) -> Members | None:
    if entry.algorithm == "Secp256k1":
        try:
            return _secp256k1(secp256k1.from_point(entry.value))
        except Malformed:
            return None
    if entry.algorithm in _PREFIXES:
        kind, prefix = _PREFIXES[entry.algorithm]
        return {"type": kind, "publicKeyMultibase": "z" + base58(prefix + entry.value)}
    return {"type": entry.algorithm, **_encoded(entry)}


def _secp256k1(key: PublicKey) -> Members:
    jwk = {"kty": "EC", "crv": "secp256k1", "x": b64url(key.x), "y": b64url(key.y)}
    return {"type": _SECP256K1, "publicKeyJwk": jwk}


def _specified_controller(identifier: Identifier, key: PublicKey) -> Members:
    return _secp256k1(key)


def _specified_context(methods: Sequence[Members]) -> list[Json]:
    types, members = {method["type"] for method in methods}, {name for method in methods for name in method}
    older = ["https://w3id.org/security/v2"] if _SECP256K1 in types or "publicKeyBase58" in members else []
    terms = {name: term for name, term in _TERMS.items() if name in members}
    suites = [context for kind, context in _CONTEXTS.items() if kind in types]
    return [*_BASE, *older, *suites, *([terms] if terms else [])]


PUBLISHED: Final = Form("published", _published, _published_controller, _published_context, False, _shown)
SPECIFIED: Final = Form("specified", _specified, _specified_controller, _specified_context, True, None)
