"""Shape: does a JSON-LD document's JSON say what its signed statements say?

A suite over RDF signs statements, and one set of statements can be written as many JSON documents. A holder could
rename a member by a context of his own ("over_18" for what the issuer called "over_16"), or write `validUntil` as a
full IRI, so that who reads the JSON does not see it. Data Integrity 1.0 §4.6 asks for contexts to be validated; here
only contexts that are pinned count, which do not have two names for one thing, and only the compacted form that VCDM
2.0 §6.1.2 demands: members by their names, no keywords but those of values, booleans as JSON has them (`"false"` and
`[false]` make the statement that `false` makes, and programs take them for true), and what a credential says of itself
at its top, not where it is mentioned once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

import schemas
from ssi.encoding import Json, read_json_object
from ssi.errors import Malformed

_VALUE: Final = frozenset(("@value", "@type", "@language", "@direction"))
_BOOLEAN: Final = (":boolean", "#boolean")
_OF_ITSELF: Final = frozenset(
    (
        *("issuer", "credentialSubject", "credentialStatus", "credentialSchema", "validFrom", "validUntil"),
        *("issuanceDate", "expirationDate", "evidence", "termsOfUse", "refreshService", "relatedResource"),
    )
)
"""What programs look for at the top of a credential."""
_OVER_JSON: Final = frozenset(("eddsa-jcs-2022", "ecdsa-jcs-2019"))
Document = Mapping[str, Json]


def signs_json(proof: Document) -> bool:
    """Whether the proof is over the JSON itself, contexts and names included."""
    return proof.get("cryptosuite") in _OVER_JSON


def check(document: Document) -> None:
    """Return when everybody reads the same in the document, whether by its JSON or by its statements.

    Raises Malformed (`ldp.inline_context`, `ldp.not_compacted`).
    """
    names = tuple(_contexts(document))
    literal = frozenset(name for url in names for name in _terms(url, ("@json",)))
    boolean = frozenset(name for url in names for name in _terms(url, _BOOLEAN))
    itself, level = document.get("id"), [*_members({**document, "id": None}, literal, boolean)]
    while level:
        below: list[Json] = []
        for value in level:
            if isinstance(value, list):
                if any(isinstance(each, bool) for each in value):
                    raise _not_compacted()
                below += value
            elif isinstance(value, dict):
                if itself is not None and value.get("id") == itself and not _OF_ITSELF.isdisjoint(value):
                    raise _not_compacted()
                below += _members(value, literal, boolean)
        level = below


def _members(node: Document, literal: frozenset[str], boolean: frozenset[str]) -> Iterator[Json]:
    """What is inside an object of the document; the inside of JSON literals is not JSON-LD."""
    if "@value" in node:
        is_boolean = isinstance(node["@value"], bool) or str(node.get("@type")).endswith(_BOOLEAN)
        if not node.keys() <= _VALUE or is_boolean:
            raise _not_compacted()
        return
    for _ in _contexts(node):  # raises for a context of its own
        pass
    for name, value in node.items():
        if _plain(name) and name not in literal:
            if isinstance(value, str) and name in boolean:
                raise _not_compacted()
            yield value


def _plain(name: str) -> bool:
    """Whether to look inside a member. Raises Malformed (`ldp.not_compacted`) for a keyword or an IRI as its name."""
    if name == "@context":
        return False
    if name.startswith("@") or ":" in name:
        raise _not_compacted()
    return name != "proof"  # the suites' own


def _contexts(node: Document) -> Iterator[str]:
    value = node.get("@context", [])
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, str):
            detail = "The credential brings meanings of words along, which its signature does not cover."
            raise Malformed("ldp.inline_context", detail)
        yield one


def _not_compacted() -> Malformed:
    return Malformed("ldp.not_compacted", "The credential is written so that what it says can be overlooked.")


def _terms(url: str, types: tuple[str, ...]) -> frozenset[str]:
    return _pinned_terms(url, types) if url in schemas.CONTEXTS else frozenset()


@lru_cache(maxsize=128)
def _pinned_terms(url: str, types: tuple[str, ...]) -> frozenset[str]:
    """The terms of a pinned context whose values are of one of these types: JSON literals, booleans."""
    level: list[Json] = [read_json_object(schemas.read(schemas.CONTEXTS[url][0]), what="context")]
    found = set()
    while level:
        below: list[Json] = []
        for one in level:
            if isinstance(one, list):
                below += one
            elif isinstance(one, dict):
                found |= {
                    name
                    for name, term in one.items()
                    if isinstance(term, dict) and str(term.get("@type")).endswith(types)
                }
                below += one.values()
        level = below
    return frozenset(found)
