"""Types: which IRIs do the short type names of a W3C document stand for (OpenID4VP 1.0 B.1.1)?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from ssi import jsonld
from ssi.encoding import Json, read_json, write_json
from ssi.errors import SsiError

_MAX_CONTEXTS: Final = 4096
_MAX_TYPES: Final = 32
_NODE: Final = "urn:facet:node"
_TYPE: Final = f"<{_NODE}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <"


def expanded(document: Mapping[str, Json]) -> frozenset[str]:
    """The fully expanded types of a document; a type that no context defines stays as it is.

    Never raises: what cannot be expanded is compared as it stands, and then matches only what asks for just that.
    """
    types, contexts = document.get("type", ()), document.get("@context", [])
    try:
        raw = write_json(contexts)
    except SsiError:
        return frozenset()
    names = [one for one in (types[:_MAX_TYPES] if isinstance(types, list) else [types]) if isinstance(one, str)]
    if len(raw) > _MAX_CONTEXTS:
        return frozenset(names)
    return frozenset(_expand(raw, name) for name in names)


@lru_cache(maxsize=256)
def _expand(contexts: bytes, name: str) -> str:
    """One type, by those of the contexts that are known here."""
    every = read_json(contexts)
    known = [one for one in (every if isinstance(every, list) else [every]) if _is_known(one)]
    try:
        quads = jsonld.to_quads({"@context": known, "@id": _NODE, "@type": [name]})
    except SsiError:
        return name
    return next((line[len(_TYPE) :].partition(">")[0] for line in quads if line.startswith(_TYPE)), name)


def _is_known(context: Json) -> bool:
    if not isinstance(context, str):
        return True
    try:
        jsonld.loaded(context)
    except SsiError:
        return False
    return True
