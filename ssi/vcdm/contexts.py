"""Contexts: does `@context` begin with the base context of the version, and is the rest URLs and objects (§4.3)?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import schemas
from ssi.encoding import Json, read_json_object
from ssi.errors import Malformed
from ssi.vcdm.values import bad, is_url

V2: Final = "https://www.w3.org/ns/credentials/v2"
V1: Final = "https://www.w3.org/2018/credentials/v1"
UNDEFINED_TERMS: Final = "https://www.w3.org/ns/credentials/undefined-terms/v2"
PROFILES: Final[Mapping[str, str]] = {V2: "2.0", V1: "1.1"}
MAX_CONTEXTS: Final = 32


def profile(document: Mapping[str, Json]) -> tuple[str, tuple[Json, ...]]:
    """The data model's version by the first context, and all contexts. Raises Malformed (`vcdm.context`)."""
    contexts = document.get("@context")
    if not isinstance(contexts, list) or not 0 < len(contexts) <= MAX_CONTEXTS:
        raise bad("context", "`@context` is missing, or not an ordered set of contexts.")
    first = contexts[0]
    version = PROFILES.get(first) if isinstance(first, str) else None
    if version is None:
        raise bad("context", "The first context is not the base context of the data model.")
    seen: set[str] = set()
    for one in contexts:
        if isinstance(one, str) and is_url(one) and one not in seen:
            seen.add(one)
        elif not isinstance(one, Mapping):
            raise bad("context", "A context is neither a URL nor an object, or is named twice.")
    if UNDEFINED_TERMS in seen and contexts[-1] != UNDEFINED_TERMS:  # §5.2.1
        raise bad("context", "The context for undefined terms is not the last one.")
    return version, tuple(contexts)


def _known_terms(document: Mapping[str, Json]) -> frozenset[str] | None:
    """The terms that a document's contexts define for its top level, or None when a context is not known here.

    `@vocab` defines no term. Terms come from the contexts themselves and from those scoped to the document's types.
    """
    found: set[str] = set()
    types = document.get("type")
    names = tuple(one for one in (types if isinstance(types, list) else [types]) if isinstance(one, str))
    for context in profile(document)[1]:
        if isinstance(context, str):
            terms = _terms_of(context)
            if terms is None:
                return None
            found |= terms[0]
            found.update(*(terms[1].get(name, frozenset()) for name in names))
        else:
            inner = context.get("@context")  # a context may be wrapped in an object, as in a document
            terms_here = inner if isinstance(inner, Mapping) else context
            found |= {name for name in terms_here if not name.startswith("@")}
    return frozenset(found)


def refuse_unknown_terms(document: Mapping[str, Json]) -> None:
    """Refuse a top-level member that no context defines.

    For credentials that are secured without JSON-LD processing (VC-JOSE-COSE), where nothing else would notice.
    Raises Malformed (`vcdm.term`, `vcdm.context`).
    """
    known = _known_terms(document)
    if known is not None and any(name not in known and name != "@context" and ":" not in name for name in document):
        raise Malformed("vcdm.term", "The document has a member that none of its contexts defines.")


@lru_cache(maxsize=64)  # only URLs of the house's own table get an entry of any size
def _terms_of(url: str) -> tuple[frozenset[str], Mapping[str, frozenset[str]]] | None:
    pinned = schemas.CONTEXTS.get(url)
    if pinned is None:
        return None
    context = read_json_object(schemas.read(pinned[0]), what="context").get("@context")
    terms: set[str] = set()
    scoped: dict[str, frozenset[str]] = {}
    for layer in context if isinstance(context, list) else [context]:
        if not isinstance(layer, Mapping):
            continue
        terms.update(name for name in layer if not name.startswith("@"))
        for name, definition in layer.items():
            inner = definition.get("@context") if isinstance(definition, Mapping) else None
            if isinstance(inner, Mapping):
                scoped[name] = frozenset(one for one in inner if not one.startswith("@"))
    return frozenset(terms), scoped
