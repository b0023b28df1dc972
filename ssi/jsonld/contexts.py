"""Which JSON-LD contexts does this house know? Those pinned by hash in `schemas`, and no other; nothing is fetched."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

import orjson

import schemas
from ssi.encoding import Json
from ssi.errors import Malformed, Unsupported

MAX_CONTEXTS: Final = 16
"""How many entries a `@context` array may have."""

MAX_INLINE_BYTES: Final = 32_768
"""How large a context written into a document may be; the largest pinned one has about a third of that."""


def loaded(url: str) -> Json:
    """The value of `@context` in the context document at this URL. Callers do not change it.

    Raises Unsupported (`jsonld.context_unknown`) for every URL that is not pinned: contexts are never fetched.
    """
    if url not in schemas.CONTEXTS:
        raise Unsupported("jsonld.context_unknown", "The document uses a JSON-LD context that is not known here.")
    return _read(url)


@lru_cache(maxsize=256)
def _read(url: str) -> Json:
    name, digest = schemas.CONTEXTS[url]
    data = schemas.read(name)
    if hashlib.sha256(data).hexdigest() != digest:
        raise Malformed("jsonld.context_changed", "A pinned context differs from its recorded hash.")
    return orjson.loads(data)["@context"]


def inline_key(context: Json) -> bytes:
    """The bytes under which a context written into a document is remembered.

    Raises Malformed (`jsonld.context_size`, `jsonld.context`).
    """
    try:
        key = orjson.dumps(context)
    except (orjson.JSONEncodeError, RecursionError):
        raise Malformed("jsonld.context", "A context in the document is not JSON.") from None
    if len(key) > MAX_INLINE_BYTES:
        raise Malformed("jsonld.context_size", f"A context in the document is larger than {MAX_INLINE_BYTES} bytes.")
    return key
