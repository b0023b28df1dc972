"""did:key documents in the form that somebody asked for: another way to write the key, a derived encryption key.

did:key 0.9, "Document Creation Algorithm"; `ssi.dids.key` gives the one form that this house itself reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ssi.dids import key, multikey
from ssi.dids.multikey import Multikey
from ssi.encoding import Json, b64url, base58
from ssi.errors import Malformed, Unsupported

MULTIKEY: Final = "Multikey"
_CONTEXTS: Final[Mapping[str, str]] = {
    "Multikey": "https://w3id.org/security/multikey/v1",
    "JsonWebKey": "https://w3id.org/security/jwk/v1",
    "JsonWebKey2020": "https://w3id.org/security/suites/jws-2020/v1",
    "Ed25519VerificationKey2020": "https://w3id.org/security/suites/ed25519-2020/v1",
    "X25519KeyAgreementKey2020": "https://w3id.org/security/suites/x25519-2020/v1",
}
"""How a key can be written, and the context that defines it ("Context Creation Algorithm")."""

_ONLY_FOR: Final = {"Ed25519VerificationKey2020": "ed25519-pub", "X25519KeyAgreementKey2020": "x25519-pub"}
_AS_JWK: Final = ("JsonWebKey", "JsonWebKey2020")

_EXPERIMENTAL: Final = (
    "Ed25519VerificationKey2018",
    "X25519KeyAgreementKey2019",
    "EcdsaSecp256k1VerificationKey2019",
    "P256Key2021",
)
"""Forms that are known, and written for nobody."""

_PRIME: Final = 2**255 - 19
_X25519: Final = b"\xec\x01"


@dataclass(frozen=True)
class Form:
    """What was asked for: `publicKeyFormat`, and `enableEncryptionKeyDerivation`."""

    name: str = MULTIKEY
    encryption: bool = False


def document(did: str, form: Form) -> dict[str, Json]:
    """The DID's document in that form.

    Raises Malformed (`multikey.*`), Unsupported (`multikey.type`, `did.key_format_unknown`, `did.key_format`).
    """
    return described(did, did.removeprefix("did:key:"), form)


def described(did: str, name: str, form: Form) -> dict[str, Json]:
    """The document of any DID that consists of one Multikey, `name`. Raises like `document`."""
    found = multikey.read(name)
    methods = [_method(did, name, found, form)]
    if form.encryption and not found.agrees:
        methods.append(_encryption_method(did, found, form))
    first, contexts = f"{did}#{name}", [_CONTEXTS[method["type"]] for method in methods]
    built: dict[str, Json] = {
        "@context": ["https://www.w3.org/ns/did/v1", *dict.fromkeys(contexts)],
        "id": did,
        "verificationMethod": methods,
        **{each: [first] for each in key.relationships(found)},
    }
    return {**built, "keyAgreement": [methods[-1]["id"]]} if form.encryption else built


def montgomery(public: bytes) -> bytes:
    """The X25519 key that belongs to an Ed25519 key: u = (1 + y) / (1 - y) (RFC 7748 §4.1).

    Raises Malformed (`multikey.key`) for the one point that has none.
    """
    y = int.from_bytes(public, "little") & ((1 << 255) - 1)
    if (1 - y) % _PRIME == 0:
        raise Malformed("multikey.key", "No encryption key belongs to the key.")
    return ((1 + y) * pow(1 - y, -1, _PRIME) % _PRIME).to_bytes(32, "little")


def _method(did: str, name: str, found: Multikey, form: Form) -> dict[str, Json]:
    """The key itself ("Signature Method Creation Algorithm", steps 6 to 13)."""
    if form.name in _EXPERIMENTAL:
        raise Unsupported("did.key_format", "The key is not written in this form here.")
    if form.name not in _CONTEXTS:
        raise Unsupported("did.key_format_unknown", "The form in which the key was asked for is not known.")
    if _ONLY_FOR.get(form.name, found.kind) != found.kind or (form.name in _AS_JWK and found.jwk is None):
        raise Unsupported("did.key_format", "The key is not of a kind that can be written in this form.")
    shown = {"publicKeyJwk": dict(found.jwk or {})} if form.name in _AS_JWK else {"publicKeyMultibase": name}
    return {"id": f"{did}#{name}", "type": form.name, "controller": did, **shown}


def _encryption_method(did: str, found: Multikey, form: Form) -> dict[str, Json]:
    """The key that an Ed25519 key gives for encryption ("Encryption Method Creation Algorithm")."""
    if found.kind != "ed25519-pub":
        raise Unsupported("did.key_format", "An encryption key is derived from Ed25519 keys only.")
    raw = montgomery(found.raw)
    name = "z" + base58(_X25519 + raw)
    kind = "X25519KeyAgreementKey2020" if form.name == "Ed25519VerificationKey2020" else form.name
    jwk = {"kty": "OKP", "crv": "X25519", "x": b64url(raw)}
    shown = {"publicKeyJwk": jwk} if kind in _AS_JWK else {"publicKeyMultibase": name}
    return {"id": f"{did}#{name}", "type": kind, "controller": did, **shown}
