"""did:key: the identifier is the public key (did:key method 0.9). Nothing is looked up, nothing can be changed."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final

from ssi.dids import multikey
from ssi.dids.document import DidDocument, parse
from ssi.dids.multikey import Multikey
from ssi.dids.sources import Resolved, Sources, Version, only_current
from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.keys import PublicKey

NAME: Final = "key"
_PREFIX: Final = "did:key:"
SIGNS: Final = ("authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation")
"""What a did:key's one key may be used for, if it signs."""


def from_public(key: PublicKey) -> str:
    """The DID of a public key."""
    return _PREFIX + multikey.encode(key)


def url(key: PublicKey) -> str:
    """The DID URL of the key's one verification method: what a `kid` says."""
    name = multikey.encode(key)
    return f"{_PREFIX}{name}#{name}"


def relationships(found: Multikey) -> tuple[str, ...]:
    """What a key of this kind may be used for: keys that only agree on secrets (X25519, X448) sign nothing."""
    return ("keyAgreement",) if found.agrees else SIGNS


def resolve(did: str, *, sources: Sources, version: Version, now: datetime) -> Resolved:  # needs neither; the table
    """Expand the DID into its document, without a derived encryption key ("Document Creation Algorithm").

    Raises Malformed (`did.key`, `multikey.*`, `encoding.*`), Unsupported (`multikey.type`, `did.version`).
    """
    only_current(version)
    return Resolved(expand(did))


@lru_cache(maxsize=1024)
def expand(did: str) -> DidDocument:
    """`resolve`, which needs nothing but the DID."""
    if not did.startswith(_PREFIX):
        raise Malformed("did.key", "The DID is not a did:key.")
    name = did[len(_PREFIX) :]
    found = multikey.read(name)  # step 3: a key that cannot be read has no document, not an empty one
    method = f"{did}#{name}"
    document: dict[str, Json] = {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "verificationMethod": [{"id": method, "type": "Multikey", "controller": did, "publicKeyMultibase": name}],
        **{relationship: [method] for relationship in relationships(found)},
    }
    return parse(document, did=did)
