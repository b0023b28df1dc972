"""Other methods, as far as DIDKit resolves them without a network: what it cannot ask for remains unknown.

DIDKit runs apart and reaches nothing (`ssi.legacy.engine`). It knows did:tz, did:onion, did:ion and did:sol, but asks
servers for the newest state of such a DID: without them it refuses, and so the answer here is "could not be asked". It
is never the document that the DID would have if nothing had been changed since. did:pkh in its older spelling changes
never, and is resolved.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from ssi.dids.document import DidDocument, parse
from ssi.dids.sources import Resolved, Sources, Version, only_current
from ssi.encoding import read_json_object
from ssi.errors import Malformed, Unavailable
from ssi.legacy.engine import engine

_MAX_DOCUMENT: Final = 262_144


@dataclass(frozen=True)
class ThroughDidkit:
    """One method by its name; a `dids.Method`."""

    NAME: str

    def resolve(self, did: str, *, sources: Sources, version: Version, now: datetime) -> Resolved:
        """What DIDKit says. Raises Unavailable (`did.unavailable`) where it would have to ask somebody."""
        only_current(version)
        try:
            return Resolved(by_didkit(did))
        except Malformed as malformed:
            if malformed.code != "did.didkit":
                raise
            raise Unavailable(
                "did.unavailable",
                f"A did:{self.NAME} is resolved by asking its network, which is not reached from here.",
            ) from None


@lru_cache(maxsize=256)
def by_didkit(did: str) -> DidDocument:
    """The document of a DID whose document never changes.

    Raises Malformed (`did.didkit`) where DIDKit refuses, Unsupported (`didkit.unavailable`), Unavailable (`didkit.*`).
    """
    try:
        told = engine().call("dereference_did_url", did, "{}")
    except Malformed:
        raise Malformed("did.didkit", "DIDKit finds no document for the DID.") from None
    return parse(read_json_object(told, what="DID document", max_bytes=_MAX_DOCUMENT), did=did)


METHODS: Final = tuple(ThroughDidkit(name) for name in ("tz", "ion", "onion", "sol", "webkey", "btcr"))
