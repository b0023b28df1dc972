"""DIDs: which key does this identifier have? One file per method, one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Protocol

from ssi.dids import ethr, jwk, key, others, peer, pkh, web, webvh
from ssi.dids.document import DidDocument, VerificationMethod, split
from ssi.dids.sources import CURRENT, Resolved, Sources, Version
from ssi.errors import Unsupported
from ssi.keys import PublicKey

__all__ = [
    "CURRENT",
    "DidDocument",
    "Method",
    "Resolved",
    "Sources",
    "VerificationMethod",
    "Version",
    "expand",
    "history",
    "methods",
    "resolve",
    "split",
    "verification_key",
]


class Method(Protocol):
    """A DID method. A method is a module of `ssi.dids` with these names, listed in its one table."""

    @property
    def NAME(self) -> str:  # a module constant  # noqa: N802  (a constant of the module that implements it)
        """The method's name in a DID: "key" in did:key."""

    def resolve(self, did: str, *, sources: Sources, version: Version, now: datetime) -> Resolved:
        """The DID's document, of the version asked for. Raises SsiError; Unavailable when it could not be asked.

        A method whose documents have no past raises Unsupported (`did.version`) for any version but `CURRENT`.
        """


class History(Protocol):
    """A method's function for its documents' past."""

    def __call__(self, did: str, *, sources: Sources, now: datetime) -> tuple[Resolved, ...]:
        """Every version of the DID's document, the oldest first. Raises like `Method.resolve`."""


_ALL: Final[tuple[Method, ...]] = (key, jwk, peer, pkh, web, webvh, ethr, *others.METHODS)
_BY_NAME: Final = {method.NAME: method for method in _ALL}
_HISTORIES: Final[Mapping[str, History]] = {ethr.NAME: ethr.history, webvh.NAME: webvh.history}
_EXPANDED: Final[Mapping[str, Callable[[str], DidDocument]]] = {
    key.NAME: key.expand,
    jwk.NAME: jwk.expand,
    peer.NAME: peer.expand,
    pkh.NAME: pkh.expand,
}


def methods() -> tuple[str, ...]:
    """The names of the methods that are resolved here, for metadata and `--help`."""
    return tuple(_BY_NAME)


def resolve(did: str, *, sources: Sources, now: datetime, version: Version = CURRENT) -> Resolved:
    """Resolve a DID. Raises Malformed (`did.*`), Unsupported (`did.method`), and what the method raises.

    Unsupported (`did.version`) for a version that its method cannot tell.
    """
    return _method(did).resolve(did, sources=sources, version=version, now=now)


def _method(did: str) -> Method:
    _, fragment = split(did)
    if fragment is not None:
        raise Unsupported("did.url", "This is a key's URL where a DID belongs.")
    method = _BY_NAME.get(did.split(":", 2)[1])
    if method is None:
        raise Unsupported("did.method", "The DID's method is not one this service resolves.")
    return method


def history(did: str, *, sources: Sources, now: datetime) -> tuple[Resolved, ...]:
    """Every version of a DID's document, the oldest first; one for methods that keep no past. Raises like `resolve`."""
    method = _method(did)
    if method.NAME in _HISTORIES:
        return _HISTORIES[method.NAME](did, sources=sources, now=now)
    return (method.resolve(did, sources=sources, version=CURRENT, now=now),)


def expand(did: str) -> DidDocument:
    """The document of a DID that is made of its key, which nobody need be asked for.

    Raises Malformed (`did.*`, `multikey.*`, …), Unsupported (`did.method`).
    """
    found = _EXPANDED.get(did.split(":", 2)[1]) if did.startswith("did:") else None
    if found is None:
        raise Unsupported("did.method", "The DID is not one that is made of its key.")
    return found(did)


def verification_key(did_url: str, *, relationship: str, sources: Sources, now: datetime) -> PublicKey:
    """The key that a DID URL names, if its document allows `relationship` ("assertionMethod", "authentication").

    Raises like `resolve`, and Refused (`did.no_such_key`, `did.which_key`, `did.revoked_key`,
    `did.deactivated`), Unsupported (`did.key_type`).
    """
    did, _ = split(did_url)
    return resolve(did, sources=sources, now=now).key(did_url, relationship=relationship, now=now)
