"""Is this small and plain enough to be handed to DIDKit, whose time and memory grow with what it is given?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ssi import jsonld
from ssi.encoding import Json, write_json
from ssi.errors import Malformed, Unsupported

MAX_BYTES: Final = 262_144
MAX_DEPTH: Final = 24
MAX_VALUES: Final = 2048
MAX_WORK: Final = 65_536
"""Objects times terms defined beside them, which is what DIDKit's time grows with; a scoped term counts four times."""


CONTEXTS: Final = frozenset(
    (
        "https://www.w3.org/2018/credentials/v1",
        "https://www.w3.org/ns/did/v1",
        "https://w3id.org/security/suites/ed25519-2020/v1",
        "https://w3id.org/security/suites/jws-2020/v1",
        "https://w3id.org/vc/status-list/2021/v1",
        "https://w3id.org/citizenship/v1",
    )
)
"""The contexts that DIDKit holds in the same words as we do (tests compare them, term by term)."""


def text(document: Mapping[str, Json]) -> str:
    """The document as JSON text. Raises Malformed (`didkit.depth`, `didkit.size`, `encoding.json`)."""
    _walk(document)
    data = write_json(document)
    if len(data) > MAX_BYTES:
        raise Malformed("didkit.size", f"The document is larger than {MAX_BYTES} bytes.")
    return data.decode()


def safe_text(document: Mapping[str, Json], *, proof: Mapping[str, Json] | None = None) -> str:
    """The document, with its proof, as JSON text; none of the document is left unsigned by JSON-LD processing.

    DIDKit drops relative identifiers and types, with all that hangs on them, as well as terms defined as null and
    unknown keywords: they could then be altered at will. It also computes without end on many alike blank nodes.
    And of some contexts it holds older texts, in which other terms are defined than in those that we check with.
    Raises Malformed (`didkit.*`), Unsupported (`didkit.context_unknown`), Malformed and Unsupported (`jsonld.*`).
    """
    written = text(document if proof is None else {**document, "proof": proof})
    if _work(document) > MAX_WORK:
        raise Malformed("didkit.work", "The document defines too much for as many objects as it has.")
    if not _named_contexts(document) <= CONTEXTS:
        raise Unsupported("didkit.context_unknown", "The document has a context that DIDKit does not know as it is.")
    jsonld.canonical(document)
    return written


def _walk(document: Json) -> None:
    """Counts level by level, without recursion; a repeated or circular object counts each time it is met."""
    level, depth, values, characters = [document], 0, 0, 0
    while level:
        values += len(level)
        characters += sum(len(item) for item in level if isinstance(item, str))
        if depth > MAX_DEPTH:
            raise Malformed("didkit.depth", f"The document is nested deeper than {MAX_DEPTH} levels.")
        if values > MAX_VALUES or characters > MAX_BYTES:
            raise Malformed("didkit.size", "The document holds too much.")
        below: list[Json] = []
        for item in level:
            if isinstance(item, Mapping):
                characters += sum(len(name) for name in item if isinstance(name, str))
                below += item.values()
            elif isinstance(item, list | tuple):
                below += item
            if len(below) > MAX_VALUES:
                raise Malformed("didkit.size", "The document holds too much.")
        level, depth = below, depth + 1


def _work(document: Mapping[str, Json]) -> int:
    """DIDKit copies whatever is defined for each object, and reads a term's own context anew wherever it is used."""
    objects, terms, rest = 0, 0, list[Json]([document])
    while rest:
        item = rest.pop()
        if isinstance(item, Mapping):
            objects += 1
            terms += _defined(item.get("@context"))
            rest += [value for name, value in item.items() if name != "@context"]
        elif isinstance(item, list | tuple):
            rest += item
    return objects * terms


def _defined(contexts: Json, weight: int = 1) -> int:
    """Terms that inline contexts define, weighed; no deeper than `_walk` lets anything be."""
    found = 0
    for context in contexts if isinstance(contexts, list | tuple) else [contexts]:
        if isinstance(context, Mapping):
            found += weight * len(context)
            scoped = [one["@context"] for one in context.values() if isinstance(one, Mapping) and "@context" in one]
            found += sum(_defined(one, 4) for one in scoped)
    return found


def _named_contexts(document: Mapping[str, Json]) -> set[str]:
    """Every URL that stands for a context, anywhere in the document and in its contexts."""
    found: set[str] = set()
    rest: list[Json] = [document]
    while rest:
        item = rest.pop()
        if isinstance(item, Mapping):
            for name in ("@context", "@import"):
                value = item.get(name)
                found |= {each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)}
            rest += item.values()
        elif isinstance(item, list):
            rest += item
    return found
