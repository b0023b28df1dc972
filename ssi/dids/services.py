"""Services: where does the subject of a DID document offer what (DID Core 1.1 §5.4)?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ssi.encoding import Json, required_text
from ssi.errors import Malformed

MAX_SERVICES: Final = 64
_MAX_ENDPOINTS: Final = 64


@dataclass(frozen=True)
class Service:
    """One service: its absolute id, its types, and its endpoints as they stand there (URLs, or objects)."""

    id: str
    types: tuple[str, ...]
    endpoints: tuple[Json, ...]

    @property
    def urls(self) -> tuple[str, ...]:
        """The endpoints that are URLs."""
        return tuple(endpoint for endpoint in self.endpoints if isinstance(endpoint, str))


def read(entries: Json, *, did: str) -> tuple[Service, ...]:
    """The services of a document's `service` member. Raises Malformed (`did.service`): also when two have one id."""
    if not isinstance(entries, list) or len(entries) > MAX_SERVICES:
        raise Malformed("did.service", f"The DID document's services are not a list of at most {MAX_SERVICES}.")
    found = tuple(_service(entry, did) for entry in entries)
    if len({service.id for service in found}) != len(found):
        raise Malformed("did.service", "Two services of the DID document have the same id.")
    return found


def absolute(url: str, did: str) -> str:
    """A DID URL of a document: relative ones are the document's own (DID Core 1.1 §3.2.2).

    >>> absolute("#key-1", "did:web:example.com")
    'did:web:example.com#key-1'
    """
    return did + url if url.startswith(("#", "/", "?")) else url


def _service(entry: Json, did: str) -> Service:
    if not isinstance(entry, Mapping):
        raise Malformed("did.service", "A service of the DID document is not an object.")
    types, endpoints = _several(entry.get("type")), _several(entry.get("serviceEndpoint"))
    if not types or not all(isinstance(each, str) for each in types):
        raise Malformed("did.service", "A service of the DID document has no type.")
    if not endpoints or not all(isinstance(each, str | Mapping) for each in endpoints):
        raise Malformed("did.service", "A service of the DID document has no endpoint.")
    return Service(absolute(required_text(entry, "id", what="service"), did), types, endpoints)


def _several(value: Json) -> tuple[Json, ...]:
    """One value, or a list of at most 64."""
    if isinstance(value, list):
        return tuple(value) if len(value) <= _MAX_ENDPOINTS else ()
    return () if value is None else (value,)
