"""What is this value as an RDF literal, by its term or by its own type and language?

JSON-LD 1.1 API §5.3.2 and §8.2.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ssi import jcs
from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.jsonld import refusals
from ssi.jsonld.iris import RDF, absolute, language_tag
from ssi.jsonld.literals import STRING, native, quoted, suffix
from ssi.jsonld.terms import Active, Term

_OF_VALUES: Final = frozenset({"@value", "@type", "@language", "@direction", "@context"})
_DIRECTED: Final = "https://www.w3.org/ns/i18n#"


def text(value: str, term: Term, active: Active) -> str:
    """Text in the language that its term or the context states. Raises Malformed (`jsonld.direction`)."""
    if active.has_direction if term.has_direction is None else term.has_direction:
        refusals.direction()
    language = term.language if term.has_language else active.language
    return f"{quoted(value)}@{language}" if language else quoted(value)


def literal(value: Json, datatype: str | None) -> str:
    """Text, a number or a boolean, of a datatype if one is given.

    Raises Malformed (`jsonld.unsigned`, `jsonld.number`, `jsonld.value`).
    """
    if isinstance(value, str):
        return quoted(value) + suffix(datatype or STRING)
    if isinstance(value, bool | int | float):
        return native(value, datatype)
    return refusals.unsigned("A value that is null") if value is None else refusals.not_a_value("a value that is none")


def json_literal(value: Json) -> str:
    """Any JSON value, written in its canonical form (API §8.2.2 step 7). Raises Malformed (`jcs.value`)."""
    return f"{quoted(jcs.canonicalize(value).decode())}^^<{RDF}JSON>"


def language_map(value: Mapping[str, Json], term: Term, active: Active) -> list[str]:
    """Texts by language (API §5.1.2 step 13.7). Raises Malformed (`jsonld.language`, `jsonld.unsigned`)."""
    if active.has_direction if term.has_direction is None else term.has_direction:
        refusals.direction()
    found = []
    for tag, texts in value.items():
        for each in texts if isinstance(texts, list) else [texts]:
            if not isinstance(each, str) or not (tag == "@none" or language_tag(tag)):
                raise Malformed("jsonld.language", f"The member {term.name[:64]!r} is no map of texts by language.")
            found.append(quoted(each) if tag == "@none" else f"{quoted(each)}@{tag.lower()}")
    if not found or [] in value.values():
        refusals.unsigned(f"The map in {term.name[:64]!r}, or a part of it, is empty and")
    return found


def value_object(element: Mapping[str, Json], active: Active) -> str:
    """A value with its type or language beside it (API §5.1.2 step 15). Raises Malformed (`jsonld.*`)."""
    parts: dict[str, Json] = {}
    for name, value in element.items():
        keyword = active.means(name)
        if keyword not in _OF_VALUES or keyword in parts:
            refusals.misplaced(keyword)
        parts[keyword] = value
    value = parts["@value"]
    if "@type" in parts:
        return _typed(value, parts["@type"], active, is_bare=parts.keys().isdisjoint(("@language", "@direction")))
    if "@direction" in parts:
        return _directed(value, parts)
    if "@language" in parts:
        language = parts["@language"]
        if not isinstance(language, str) or not language_tag(language) or not isinstance(value, str):
            raise Malformed("jsonld.language", "The document has a text whose language is no language tag.")
        return f"{quoted(value)}@{language.lower()}"
    return literal(value, None)


def _directed(value: Json, parts: Mapping[str, Json]) -> str:
    """Text with its base direction, in a datatype for each language and direction (API §8.2.2 step 13).

    That is the "i18n-datatype" way. The other is to drop the direction, which then no signature would cover.
    """
    language, direction = parts.get("@language", ""), parts["@direction"]
    if not isinstance(value, str) or direction not in ("ltr", "rtl"):
        refusals.direction()
    if "@language" in parts and not (isinstance(language, str) and language_tag(language)):
        raise Malformed("jsonld.language", "The document has a text whose language is no language tag.")
    return f"{quoted(value)}^^<{_DIRECTED}{language.lower()}_{direction}>"


def _typed(value: Json, given: Json, active: Active, *, is_bare: bool) -> str:
    datatype = active.expand(given, vocab=True) if isinstance(given, str) else None
    if datatype == "@json" and is_bare:
        return json_literal(value)
    if datatype is None or not absolute(datatype) or not is_bare:
        raise Malformed("jsonld.relative_type", "The document has a value whose type is no absolute IRI.")
    return literal(value, datatype)
