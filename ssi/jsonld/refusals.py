"""Why a document is not read: one sentence for each rule of safe mode. Names of terms may appear, values never."""

from __future__ import annotations

from typing import Final, NoReturn

from ssi.errors import Malformed, Unsupported
from ssi.jsonld.iris import KEYWORDS

_UNCOVERED: Final = frozenset({"@reverse", "@nest", "@included"})


def undefined(name: str) -> NoReturn:
    """A member that the contexts give no meaning: JSON-LD would drop it (`jsonld.undefined_term`)."""
    raise Malformed("jsonld.undefined_term", f"The member {name[:64]!r} is not defined by the document's contexts.")


def unsigned(what: str) -> NoReturn:
    """Something that makes no statement: it could be added to a signed document unnoticed (`jsonld.unsigned`)."""
    raise Malformed("jsonld.unsigned", f"{what} says nothing that a signature would cover.")


def direction() -> NoReturn:
    """A base direction: processors differ in what they make of it, most drop it (`jsonld.direction`)."""
    raise Malformed("jsonld.direction", "The document states a base direction, which no signature would cover.")


def uncovered(name: str) -> NoReturn:
    """A construct of JSON-LD that this house does not read (`jsonld.construct`)."""
    raise Unsupported("jsonld.construct", f"The document uses {name[:64]!r} in a way that is not read here.")


def not_a_value(what: str) -> NoReturn:
    """A structure that JSON-LD does not have, or not there (`jsonld.value`)."""
    raise Malformed("jsonld.value", f"The document has {what}.")


def too_deep() -> NoReturn:
    """More levels than `Limits.depth` (`jsonld.depth`)."""
    raise Malformed("jsonld.depth", "The document is nested too deeply.")


def too_large() -> NoReturn:
    """More statements than `Limits.quads` (`jsonld.size`)."""
    raise Malformed("jsonld.size", "The document makes too many statements.")


def misplaced(keyword: str | None) -> NoReturn:
    """A keyword, or no keyword, where it cannot stand; each has its own reason."""
    if keyword in _UNCOVERED:
        uncovered(str(keyword))
    if keyword == "@direction":
        direction()
    if keyword == "@index":
        unsigned("An @index")
    if keyword in KEYWORDS:
        raise Malformed("jsonld.keyword", f"The document has {keyword} where it has no meaning.")
    not_a_value("a value with a member that it cannot have")
