"""DIDs: which key does this identifier have? One file per method, one table."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import Final, Protocol

from ssi.dids import jwk, key, web
from ssi.dids.document import DidDocument, VerificationMethod, split
from ssi.errors import Unsupported
from ssi.fetch import Fetch
from ssi.keys import PublicKey

__all__ = ["DidDocument", "Method", "VerificationMethod", "expand", "methods", "resolve", "split", "verification_key"]


class Method(Protocol):
    """A DID method. A method is a module of `ssi.dids` with these names, listed in its one table."""

    @property
    def NAME(self) -> str:  # a module constant  # noqa: N802  (a constant of the module that implements it)
        """The method's name in a DID: "key" in did:key."""

    def resolve(self, did: str, *, fetch: Fetch, now: datetime) -> DidDocument:
        """The DID's document now. Raises SsiError; Unavailable when it could not be asked."""


_ALL: Final[tuple[Method, ...]] = (key, jwk, web)
_BY_NAME: Final = {method.NAME: method for method in _ALL}
_EXPANDED: Final = MappingProxyType({key.NAME: key.expand, jwk.NAME: jwk.expand})


def methods() -> tuple[str, ...]:
    """The names of the methods that are resolved here, for metadata and `--help`."""
    return tuple(_BY_NAME)


def resolve(did: str, *, fetch: Fetch, now: datetime) -> DidDocument:
    """Resolve a DID. Raises Malformed (`did.*`), Unsupported (`did.method`), and what the method raises."""
    did, fragment = split(did)
    if fragment is not None:
        raise Unsupported("did.url", "This is a key's URL where a DID belongs.")
    method = _BY_NAME.get(did.split(":", 2)[1])
    if method is None:
        raise Unsupported("did.method", "The DID's method is not one this service resolves.")
    return method.resolve(did, fetch=fetch, now=now)


def expand(did: str) -> DidDocument:
    """The document of a DID that is made of its key, which nobody need be asked for.

    Raises Malformed (`did.*`, `multikey.*`, …), Unsupported (`did.method`).
    """
    found = _EXPANDED.get(did.split(":", 2)[1]) if did.startswith("did:") else None
    if found is None:
        raise Unsupported("did.method", "The DID is not one that is made of its key.")
    return found(did)


def verification_key(did_url: str, *, relationship: str, fetch: Fetch, now: datetime) -> PublicKey:
    """The key that a DID URL names, if its document allows `relationship` ("assertionMethod", "authentication").

    Raises like `resolve`, and Refused (`did.no_such_key`, `did.which_key`, `did.revoked_key`), Unsupported
    (`did.key_type`).
    """
    did, _ = split(did_url)
    return resolve(did, fetch=fetch, now=now).key(did_url, relationship=relationship, now=now)
