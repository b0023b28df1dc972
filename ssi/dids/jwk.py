"""did:jwk: the identifier is the public key as a JWK in base64url (did:jwk method). Nothing is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final

from ssi.dids.document import DidDocument, parse
from ssi.dids.sources import Resolved, Sources, Version, only_current
from ssi.encoding import Json, b64url, read_json_object, unb64url, write_json
from ssi.errors import Malformed
from ssi.keys import PublicKey

NAME: Final = "jwk"
_PREFIX: Final = "did:jwk:"
_SIGNS: Final = ("authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation")


def from_public(key: PublicKey) -> str:
    """The DID of a public key, from its required JWK members only."""
    return _PREFIX + b64url(write_json(dict(key.jwk)))


def url(key: PublicKey) -> str:
    """The DID URL of the key's one verification method: what a `kid` says."""
    return from_public(key) + "#0"


def resolve(did: str, *, sources: Sources, version: Version, now: datetime) -> Resolved:  # needs neither; the table
    """Expand the DID into its document. Raises Malformed (`did.jwk`, `key.*`, `encoding.*`)."""
    only_current(version)
    return Resolved(expand(did))


@lru_cache(maxsize=1024)
def expand(did: str) -> DidDocument:
    """`resolve`, which needs nothing but the DID."""
    if not did.startswith(_PREFIX):
        raise Malformed("did.jwk", "The DID is not a did:jwk.")
    jwk = read_json_object(unb64url(did[len(_PREFIX) :], what="did:jwk"), what="did:jwk", max_bytes=4096)
    method = did + "#0"
    document: dict[str, Json] = {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"],
        "id": did,
        "verificationMethod": [{"id": method, "type": "JsonWebKey2020", "controller": did, "publicKeyJwk": jwk}],
        **{name: [method] for name in _relationships(jwk)},
    }
    return parse(document, did=did)


def _relationships(jwk: Mapping[str, Json]) -> tuple[str, ...]:
    """The JWK's `use` decides: "sig" never agrees on keys, "enc" does nothing else (did:jwk, "Read")."""
    use = jwk.get("use")
    if use == "enc":
        return ("keyAgreement",)
    return _SIGNS if use == "sig" else (*_SIGNS, "keyAgreement")
