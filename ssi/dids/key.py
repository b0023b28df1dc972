"""did:key: the identifier is the public key (did:key method 0.9). Nothing is looked up, nothing can be changed."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final

from ssi.dids import multikey
from ssi.dids.document import DidDocument, parse
from ssi.errors import Malformed
from ssi.fetch import Fetch
from ssi.keys import PublicKey

NAME: Final = "key"
_PREFIX: Final = "did:key:"
SIGNS: Final = ("authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation")
"""What a did:key's one key may be used for."""


def from_public(key: PublicKey) -> str:
    """The DID of a public key."""
    return _PREFIX + multikey.encode(key)


def url(key: PublicKey) -> str:
    """The DID URL of the key's one verification method: what a `kid` says."""
    name = multikey.encode(key)
    return f"{_PREFIX}{name}#{name}"


def resolve(did: str, *, fetch: Fetch, now: datetime) -> DidDocument:  # needs neither; the table's shape does
    """Expand the DID into its document, without a derived encryption key ("Document Creation Algorithm").

    Raises Malformed (`did.key`, `multikey.*`, `encoding.*`), Unsupported (`multikey.type`).
    """
    return expand(did)


@lru_cache(maxsize=1024)
def expand(did: str) -> DidDocument:
    """`resolve`, which needs nothing but the DID."""
    if not did.startswith(_PREFIX):
        raise Malformed("did.key", "The DID is not a did:key.")
    name = did[len(_PREFIX) :]
    multikey.decode(name)  # step 3: a key that cannot be read has no document, not an empty one
    method = f"{did}#{name}"
    document = {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "verificationMethod": [{"id": method, "type": "Multikey", "controller": did, "publicKeyMultibase": name}],
        **{relationship: [method] for relationship in SIGNS},
    }
    return parse(document, did=did)
