"""What does a member's name mean here? Active contexts and the terms that they define (JSON-LD 1.1 API §4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.jsonld.iris import KEYWORDS, absolute, keyword_like
from ssi.jsonld.literals import STRING, suffix


@dataclass(frozen=True)
class Absent:
    """No scoped context at all, as distinct from `"@context": null`."""


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True)
class Term:
    """What one name means: an IRI or keyword, how its values are to be read, and the context that holds below it.

    `iri` None: the context says that the name means nothing. `uncovered`: a construct of JSON-LD that this house does
    not read, so that use of the term is refused. Two definitions are equal whether protected or not (API §4.2.2
    step 27.1).
    """

    iri: str | None
    coercion: str | None = None  # @id, @vocab, @json or a datatype's IRI
    is_list: bool = False
    is_graph: bool = False
    is_language_map: bool = False
    language: str | None = None
    has_language: bool = False  # `"@language": null` is not the same as silence
    has_direction: bool | None = None  # None is silence, False is `"@direction": null`
    scoped: Json = ABSENT
    is_prefix: bool = False
    uncovered: str = ""
    is_protected: bool = field(default=False, compare=False)
    name: str = field(default="", compare=False)
    predicate: str = field(init=False, compare=False)
    suffix: str = field(init=False, compare=False)
    is_text: bool = field(init=False, compare=False)
    is_typed: bool = field(init=False, compare=False)
    is_reference: bool = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """What becomes of text: `is_typed`, always this suffix; `is_text`, none where no language holds; or an IRI."""
        is_datatype = self.coercion is not None and self.coercion[0] != "@"
        is_direct = (
            self.iri is not None
            and self.iri[0] not in "@_"
            and self.scoped is ABSENT
            and not (self.is_list or self.is_graph or self.uncovered)
        )
        object.__setattr__(self, "predicate", f"<{self.iri}>")
        if self.iri is not None and self.iri[0] == "_":  # a blank node as a predicate: RDF has none
            object.__setattr__(self, "uncovered", self.uncovered or "_:")
        object.__setattr__(self, "suffix", suffix(self.coercion or STRING) if is_datatype else "")
        object.__setattr__(self, "is_typed", is_direct and is_datatype)
        object.__setattr__(self, "is_reference", is_direct and self.coercion == "@id")
        is_plain = self.coercion is None and not self.has_language and self.has_direction is None
        object.__setattr__(self, "is_text", is_direct and is_plain)


@dataclass(frozen=True, eq=False)
class Active:
    """An active context (API §4.1). Compared by identity: each is built once and remembered by what it came from.

    `previous` is the context to return to below a type-scoped one; `kept` remembers the contexts that scoped contexts
    of this one lead to, so it grows with the terms of the context and not with the documents that use it.
    """

    terms: Mapping[str, Term]
    vocab: str | None = None
    language: str | None = None
    has_direction: bool = False
    previous: Active | None = None
    kept: dict[Any, Active] = field(default_factory=dict)
    keywords: Mapping[str, tuple[str, ...]] = field(init=False)
    scoping: frozenset[str] = field(init=False)
    is_silent: bool = field(init=False)

    def __post_init__(self) -> None:
        names: dict[str, tuple[str, ...]] = {keyword: (keyword,) for keyword in KEYWORDS}
        for name, term in self.terms.items():
            if term.iri in KEYWORDS:
                names[term.iri] = (*names[term.iri], name)
        object.__setattr__(self, "keywords", names)
        scoping = frozenset(name for name, term in self.terms.items() if term.scoped is not ABSENT)
        object.__setattr__(self, "scoping", scoping)
        object.__setattr__(self, "is_silent", self.language is None and not self.has_direction)

    def means(self, name: str) -> str | None:
        """The keyword that a member's name is or stands for; None for every other name."""
        term = self.terms.get(name)
        iri = name if term is None else term.iri
        return iri if iri in KEYWORDS else None

    def expand(self, name: str, *, vocab: bool) -> str | None:
        """The IRI or keyword that `name` stands for; None where nothing does (API §5.2.2, without local context).

        Relative IRIs are not resolved: documents here have no base, so what comes back without a colon is relative.
        """
        if name in KEYWORDS:
            return name
        term = self.terms.get(name)
        if term is not None and (vocab or term.iri in KEYWORDS):
            return term.iri
        if keyword_like(name):
            raise Malformed("jsonld.keyword", "The document uses a name with the form of a keyword that is none.")
        colon = name.find(":", 1)
        if colon > 0:
            full = compact_iri(self.terms, name, colon)
            if full is not None:
                return full
        if vocab and self.vocab is not None:
            return self.vocab + name
        return name


def compact_iri(terms: Mapping[str, Term], name: str, colon: int) -> str | None:
    """What `prefix:suffix` stands for, or the name itself where it is an absolute IRI or a blank node; else None."""
    prefix, suffix = name[:colon], name[colon + 1 :]
    if prefix == "_" or suffix.startswith("//"):
        return name
    term = terms.get(prefix)
    if term is not None and term.iri is not None and term.is_prefix:
        return term.iri + suffix
    return name if absolute(name) else None


EMPTY: Final = Active({})
"""The initial context: no terms, no vocabulary. Its `kept` is never used (see `ssi.jsonld.processing`)."""
