"""What does this document say? One walk checks every member and writes every statement (JSON-LD 1.1 API §5.1, §8.1).

Expansion and conversion to RDF are one pass, so that nothing is written unchecked and nothing checked is left out. That
is JSON-LD's safe mode by construction: each member ends as a statement or as a refusal. Refused are terms that the
contexts do not define, relative IRIs, `@index` (which no statement carries), `null` and empty arrays (which somebody
could add to a signed document without touching a statement), and the rarer constructs that this house does not read:
`@reverse`, `@nest`, `@included`, `@import`, `@base`, maps by index, id and type, and `@direction` in a context.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.jsonld import refusals
from ssi.jsonld.blanknodes import Bearer, Labels
from ssi.jsonld.iris import KEYWORDS, RDF, absolute, keyword_like
from ssi.jsonld.limits import Budget, Limits
from ssi.jsonld.literals import quoted
from ssi.jsonld.processing import embedded, of_property
from ssi.jsonld.scoping import entered, keyed, typed
from ssi.jsonld.terms import ABSENT, EMPTY, Active, Term, compact_iri
from ssi.jsonld.values import json_literal, language_map, literal, text, value_object

_TYPE: Final = f"<{RDF}type>"
_FIRST: Final = f"<{RDF}first>"
_REST: Final = f"<{RDF}rest>"
_NIL: Final = f"<{RDF}nil>"
_NO_STATEMENT: Final = frozenset({"@id", "@context"})


class _Place(NamedTuple):
    """Where a value stands: the statement that it completes, and what holds there."""

    subject: str
    predicate: str
    term: Term
    active: Active
    graph: str
    depth: int


class Walk:
    """One walk over one document; `lines` are its statements as N-Quads, each with its line end, in no order."""

    def __init__(self, *, limits: Limits, labels: Labels) -> None:
        self.lines: list[str] = []
        self._limits = limits
        self._labels = labels
        self._budget = Budget(limits.contexts)
        self._characters = limits.characters

    def document(self, document: dict[str, Json]) -> None:
        """Write down everything that the document says. Raises Malformed or Unsupported (`jsonld.*`, `jcs.value`)."""
        active = embedded(EMPTY, document["@context"], budget=self._budget) if "@context" in document else EMPTY
        contents = [name for name in document if name != "@context"]
        if len(contents) == 1 and active.means(contents[0]) == "@graph":
            self._graph(document[contents[0]], active, "", 0)
        else:
            self._said(document, active, "", 0)

    def _graph(self, value: Json, active: Active, graph: str, depth: int) -> None:
        """The nodes of a graph, each of which must say something."""
        for each in value if isinstance(value, list) else [value]:
            if not isinstance(each, dict):
                refusals.not_a_value("a graph that holds something other than objects")
            self._said(each, entered(each, active, None, budget=self._budget), graph, depth + 1)

    def _said(self, element: dict[str, Json], active: Active, graph: str, depth: int) -> None:
        before = len(self.lines)
        if keyed(element, active, "@value") or keyed(element, active, "@list") or keyed(element, active, "@set"):
            refusals.not_a_value("a value that belongs to no object")
        self._node(element, active, graph, depth)
        if len(self.lines) == before:
            refusals.unsigned("An object of the document")

    def _node(self, element: dict[str, Json], outer: Active, graph: str, depth: int) -> str:
        """Write what a node object says and answer with the node's own name (API §5.1.2 steps 10 to 13)."""
        if depth > self._limits.depth:
            refusals.too_deep()
        active = typed(element, outer, budget=self._budget)
        subject = self._subject(element, active)
        self._room(len(element), len(subject) + len(graph))
        terms, is_silent = active.terms, active.is_silent
        for name, value in element.items():
            term = terms.get(name) or _named(name, active)
            iri = term.iri
            if type(value) is str and (term.is_typed or (term.is_text and is_silent)):  # most members, at once
                self.lines.append(f"{subject} {term.predicate} {quoted(value)}{term.suffix}{graph} .\n")
            elif type(value) is str and term.is_reference:
                self.lines.append(f"{subject} {term.predicate} {self._iri(value, active, None)}{graph} .\n")
            elif iri is None:
                refusals.uncovered(name) if term.uncovered else refusals.undefined(name)
            elif iri[0] != "@":
                self._property(_Place(subject, term.predicate, term, active, graph, depth), value)
            elif iri == "@type":
                self._types(subject, value, outer, graph)
            elif iri == "@graph":
                self._graph(value, active, f" {subject}", depth)
            elif iri not in _NO_STATEMENT:
                refusals.misplaced(iri)
        return subject

    def _room(self, statements: int, width: int) -> None:
        """Make sure of room for statements that repeat so many characters each. Raises Malformed (`jsonld.size`)."""
        self._characters -= statements * width
        if len(self.lines) + statements > self._limits.quads or self._characters < 0:
            refusals.too_large()

    def _subject(self, element: dict[str, Json], active: Active) -> str:
        name = keyed(element, active, "@id")
        if name is None:
            return self._labels.fresh(element)
        if sum(each in element for each in active.keywords["@id"]) > 1:
            raise Malformed("jsonld.relative_id", "An object of the document has two identifiers.")
        return self._iri(element[name], active, (element, name))

    def _iri(self, value: Json, active: Active, bearer: Bearer | None) -> str:
        """The name of the node that an identifier stands for. Raises Malformed (`jsonld.relative_id`)."""
        if isinstance(value, str):
            if value.startswith("_:"):
                return self._labels.stated(value, bearer)
            colon = value.find(":", 1)
            if colon > 0 and value[:colon] in active.terms:
                value = compact_iri(active.terms, value, colon) or ""
            if absolute(value):
                return f"<{value}>"
        raise Malformed("jsonld.relative_id", "The document has an identifier that is no absolute IRI.")

    def _types(self, subject: str, value: Json, active: Active, graph: str) -> None:
        values = value if isinstance(value, list) else [value]
        if not values:
            refusals.unsigned("An empty array of types")
        self._room(len(values), len(subject) + len(graph))
        for each in values:
            name = self._vocabulary(each, active, "relative_type")
            self.lines.append(f"{subject} {_TYPE} {name}{graph} .\n")

    def _vocabulary(self, value: Json, active: Active, code: str) -> str:
        """What a name stands for among types and `@vocab` values: a term, an IRI, or a word of the vocabulary."""
        if isinstance(value, str):
            if value.startswith("_:"):
                return self._labels.stated(value, None)
            iri = active.expand(value, vocab=True)
            if iri is not None and absolute(iri):
                return f"<{iri}>"
        raise Malformed(f"jsonld.{code}", "The document has a type or name that its contexts do not define.")

    def _property(self, place: _Place, value: Json) -> None:
        """Write the statements of one member (API §5.1.2 steps 13.5 to 13.13)."""
        term, active = place.term, place.active
        if term.uncovered:
            refusals.uncovered(term.name)
        objects: list[str]
        if term.coercion == "@json":
            objects = [json_literal(value)]
        elif term.is_list:
            objects = [self._list(place, _inside(value, active, "@list"))]
        elif term.is_language_map and isinstance(value, dict):
            self._room(sum(len(each) if isinstance(each, list) else 1 for each in value.values()), 0)
            objects = language_map(value, term, active)
        elif term.is_graph:
            objects = [self._named_graph(place, each) for each in self._flat(place, value)]
        elif isinstance(value, bool | str):
            objects = [self._scalar(place, value)]
        elif isinstance(value, dict) and not keyed(value, active, "@set"):
            objects = [self._object(place, value)]
        else:
            objects = [self._object(place, each) for each in self._flat(place, value)]
        if len(objects) > 1:
            self._room(len(objects), len(place.subject) + len(place.predicate) + len(place.graph))
        self.lines += [f"{place.subject} {place.predicate} {each}{place.graph} .\n" for each in objects]

    def _flat(self, place: _Place, value: Json) -> list[Json]:
        """The values of a set, those of sets within it included: RDF knows one level (API §5.1.2 step 5)."""
        found: list[Json] = []
        pending = [(_inside(value, place.active, "@set"), 0)]
        while pending:
            each, level = pending.pop()
            if level > self._limits.depth:
                refusals.too_deep()
            if isinstance(each, list):
                if not each:
                    refusals.unsigned(f"The empty array in {place.term.name[:64]!r}")
                self._room(len(found) + len(pending) + len(each), 0)
                pending += [(_inside(below, place.active, "@set"), level + 1) for below in reversed(each)]
            else:
                found.append(each)
        return found

    def _named_graph(self, place: _Place, value: Json) -> str:
        """A graph of its own for one value (`"@container": "@graph"`, API §5.1.2 step 13.12)."""
        if not isinstance(value, dict):
            refusals.not_a_value(f"a value of {place.term.name[:64]!r} that is no object")
        name = self._labels.joint(place.subject, place.predicate)
        self._said(value, entered(value, place.active, place.term, budget=self._budget), f" {name}", place.depth + 1)
        return name

    def _object(self, place: _Place, value: Json) -> str:
        """One value as the object of a statement: a literal, a reference, a list, or a node that says more."""
        if not isinstance(value, dict):
            return self._scalar(place, value)
        active = entered(value, place.active, place.term, budget=self._budget)
        if keyed(value, active, "@value"):
            return value_object(value, active)
        if keyed(value, active, "@list"):
            return self._list(place._replace(active=active), _inside(value, active, "@list"))
        if len(value) == 1 and keyed(value, active, "@id"):
            return self._subject(value, active)
        return self._node(value, active, place.graph, place.depth + 1)

    def _scalar(self, place: _Place, value: Json) -> str:
        """Text, a number or a boolean as its term says that it be read (API §5.3.2)."""
        term, active = place.term, place.active
        if term.scoped is not ABSENT:
            active = of_property(active, term, budget=self._budget)
            term = active.terms.get(term.name, term)
        coercion = term.coercion
        if isinstance(value, str):
            if coercion is None or coercion == "@none":
                return text(value, term, active)
            if coercion == "@id":
                return self._iri(value, active, None)
            if coercion == "@vocab":
                return self._vocabulary(value, active, "undefined_term")
        return literal(value, None if coercion is None or coercion[0] == "@" else coercion)

    def _list(self, place: _Place, value: Json) -> str:
        """An ordered list as RDF has it, cell by cell (API §8.2.3)."""
        values = value if isinstance(value, list) else [value]
        if place.depth > self._limits.depth:
            refusals.too_deep()
        self._room(len(values), len(place.graph))
        cells = [self._labels.joint(place.subject, place.predicate) for _ in values]
        for cell, rest, each in zip(cells, [*cells[1:], _NIL], values, strict=False):
            inner = place._replace(subject=cell, predicate=_FIRST, depth=place.depth + 1)
            first = self._list(inner, each) if isinstance(each, list) else self._object(inner, each)
            self.lines.append(f"{cell} {_FIRST} {first}{place.graph} .\n")
            self.lines.append(f"{cell} {_REST} {rest}{place.graph} .\n")
        return cells[0] if cells else _NIL


def _named(name: str, active: Active) -> Term:
    """What a name means that is no term: a keyword, an IRI, or a word of the vocabulary."""
    if name in KEYWORDS:
        return Term(name)
    if keyword_like(name):
        raise Malformed("jsonld.keyword", "The document has a member with the form of a keyword that is none.")
    iri = active.expand(name, vocab=True)
    if iri is None or not (absolute(iri) or iri.startswith("_:")):
        refusals.undefined(name)
    return Term(iri, name=name)


def _inside(value: Json, active: Active, keyword: str) -> Json:
    """What an object of `@list` or `@set` holds, beside which nothing may stand; any other value as it is."""
    name = keyed(value, active, keyword) if isinstance(value, dict) else None
    if name is None:
        return value
    for other in value:
        means = active.means(other)
        if means not in (keyword, "@context"):
            refusals.misplaced(means)
    return value[name]
