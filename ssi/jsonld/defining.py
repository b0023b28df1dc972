"""Create Term Definition: from an entry of a context to a `Term` (JSON-LD 1.1 API §4.2.2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn

from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.jsonld.iris import KEYWORDS, MAX_TERM, absolute, keyword_like, language_tag
from ssi.jsonld.terms import ABSENT, Term, compact_iri

_ENTRIES: Final = frozenset(
    {"@id", "@reverse", "@container", "@context", "@direction", "@index", "@language", "@nest"}
    | {"@prefix", "@protected", "@type"}
)
_COVERED_CONTAINERS: Final = frozenset({"@set", "@list", "@graph", "@language"})
_CONTAINERS: Final = _COVERED_CONTAINERS | {"@index", "@id", "@type"}
_MAX_CHAIN: Final = 16
_GEN_DELIMS: Final = tuple(":/?#[]@")


@dataclass(frozen=True)
class Definitions:
    """One context object being read: the terms so far, the entries still to define, and the rules that hold for them.

    `terms` starts as a copy of the context that is being extended. `done` and `started` are filled on the way: a name
    that is met again while it is being defined goes in a circle.
    """

    terms: dict[str, Term]
    local: Mapping[str, Json]
    vocab: str | None
    protected: bool
    override: bool
    done: set[str] = field(default_factory=set)
    started: list[str] = field(default_factory=list)

    def define(self, name: str) -> None:
        """Define `name` from the local context, once. Raises Malformed (`jsonld.context`, `jsonld.keyword`)."""
        if name in self.done:
            return
        if name in self.started or len(self.started) > _MAX_CHAIN:
            _refuse(name, "is defined in a circle, or through too many others")
        self.started.append(name)
        if not name or name in KEYWORDS:
            self._keyword(name)
        elif keyword_like(name):
            raise Malformed("jsonld.keyword", "A context defines a name with the form of a keyword that is none.")
        else:
            before = self.terms.pop(name, None)
            term = self._read(name, self.local[name])
            if before is not None and before.is_protected and not self.override:
                if before != term:
                    _refuse(name, "is protected, and a later context defines it differently")
                term = before
            self.terms[name] = term
        self.started.pop()
        self.done.add(name)

    def _keyword(self, name: str) -> None:
        value = self.local[name]
        # Step 5: only @type may be named, and only to say that it is a set or protected: neither changes a statement.
        if name != "@type" or not isinstance(value, dict) or not value or value.keys() - {"@container", "@protected"}:
            _refuse(name, "redefines a keyword")
        if value.get("@container", "@set") != "@set":
            _refuse(name, "has a container that types cannot have")

    def _read(self, name: str, value: Json) -> Term:
        is_simple = isinstance(value, str)
        if value is None or is_simple:
            value = {"@id": value}
        if not isinstance(value, dict) or value.keys() - _ENTRIES:
            _refuse(name, "has a definition that is not one of JSON-LD")
        protected = value.get("@protected", self.protected)
        if not isinstance(protected, bool):
            _refuse(name, "is neither protected nor not")
        if "@reverse" in value:  # its own rules need not be checked: any use is refused
            return Term(None, uncovered="@reverse", is_protected=protected, name=name)
        iri = self._iri(name, value)
        coercion = self._coercion(name, value)
        if len(iri or "") > MAX_TERM or len(coercion or "") > MAX_TERM:
            _refuse(name, f"stands for an IRI of more than {MAX_TERM} characters")
        term = Term(
            iri=iri,
            coercion=coercion,
            scoped=value.get("@context", ABSENT),
            is_prefix=self._prefix(name, iri, value, is_simple=is_simple),
            uncovered="@nest" if "@nest" in value else "@index" if "@index" in value else "",
            is_protected=protected,
            name=name,
        )
        return _with_language(name, _with_container(name, term, value.get("@container")), value)

    def _iri(self, name: str, value: Mapping[str, Json]) -> str | None:
        given = value.get("@id", name)
        if given is None:
            return None
        if not isinstance(given, str):
            _refuse(name, "has an @id that is not text")
        if given != name:
            return self._given_iri(name, given)
        iri = self._implied_iri(name)
        if not absolute(iri):
            _refuse(name, "stands for no absolute IRI")
        return iri

    def _given_iri(self, name: str, given: str) -> str:
        iri = self.expand(given)
        if iri is None or iri == "@context" or not (iri in KEYWORDS or iri.startswith("_:") or absolute(iri)):
            _refuse(name, "stands for no absolute IRI")
        if ":" in name[1:-1] or "/" in name:  # step 14.2.5: what looks like an IRI must stand for that IRI
            self.done.add(name)
            if self.expand(name) != iri:
                _refuse(name, "looks like an IRI and stands for another one")
        return iri

    def _implied_iri(self, name: str) -> str:
        colon = name.find(":", 1)
        if colon > 0:  # step 15
            prefix, suffix = name[:colon], name[colon + 1 :]
            if prefix in self.local and not suffix.startswith("//"):
                self.define(prefix)
            term = self.terms.get(prefix)
            return term.iri + suffix if term is not None and term.iri is not None else name
        if "/" in name or self.vocab is None:  # steps 16 and 18: relative without a base, or nothing to stand for
            _refuse(name, "stands for no absolute IRI")
        return self.vocab + name

    def _coercion(self, name: str, value: Mapping[str, Json]) -> str | None:
        if "@type" not in value:
            return None
        given = value["@type"]
        if not isinstance(given, str):
            _refuse(name, "has a @type that is not text")
        coercion = self.expand(given)
        if coercion == "@none":
            return "@none"
        if coercion not in ("@id", "@vocab", "@json") and (coercion is None or not absolute(coercion)):
            _refuse(name, "has a @type that is no absolute IRI")
        return coercion

    def _prefix(self, name: str, iri: str | None, value: Mapping[str, Json], *, is_simple: bool) -> bool:
        plain = ":" not in name and "/" not in name
        if "@prefix" not in value:
            return plain and is_simple and iri is not None and (iri.startswith("_:") or iri.endswith(_GEN_DELIMS))
        given = value["@prefix"]
        if not isinstance(given, bool) or not plain or (given and iri in KEYWORDS):
            _refuse(name, "cannot be a prefix")
        return given

    def expand(self, name: str) -> str | None:
        """What `name` stands for, vocabulary-relative, defining on the way what it is made of (API §5.2.2)."""
        if name in KEYWORDS:
            return name
        if keyword_like(name):
            raise Malformed("jsonld.keyword", "A context uses a name with the form of a keyword that is none.")
        if name in self.local and name not in self.done:
            self.define(name)
        if name in self.terms:
            return self.terms[name].iri
        colon = name.find(":", 1)
        if colon > 0:
            prefix = name[:colon]
            if prefix in self.local and prefix not in self.done and not name.startswith("//", colon + 1):
                self.define(prefix)
            full = compact_iri(self.terms, name, colon)
            if full is not None:
                return full
        return name if self.vocab is None else self.vocab + name


def _with_container(name: str, term: Term, given: Json) -> Term:
    """The term with its containers (API §4.2.2 step 19)."""
    if given is None:
        return term
    containers = frozenset(given if isinstance(given, list) else (given,)) if _texts(given) else frozenset({""})
    if containers - _CONTAINERS or ("@list" in containers and len(containers) > 1):
        _refuse(name, "has a container that is none")
    return dataclasses.replace(
        term,
        is_list="@list" in containers,
        is_graph="@graph" in containers,
        is_language_map="@language" in containers,
        uncovered=term.uncovered or next(iter(sorted(containers - _COVERED_CONTAINERS)), ""),
    )


def _texts(given: Json) -> bool:
    return isinstance(given, str) or (isinstance(given, list) and all(isinstance(each, str) for each in given))


def _with_language(name: str, term: Term, value: Mapping[str, Json]) -> Term:
    """The term with its language and direction (API §4.2.2 steps 22 and 23), which a @type makes void."""
    if "@type" in value:
        return term
    language, direction = value.get("@language"), value.get("@direction")
    if language is not None and not (isinstance(language, str) and language_tag(language)):
        _refuse(name, "has a @language that is no language tag")
    if direction not in (None, "ltr", "rtl"):
        _refuse(name, "has a @direction that is none")
    return dataclasses.replace(
        term,
        language=language.lower() if language else None,
        has_language="@language" in value,
        has_direction=(direction is not None) if "@direction" in value else None,
    )


def _refuse(name: str, why: str) -> NoReturn:
    raise Malformed("jsonld.context", f"The term {name[:64]!r} of a JSON-LD context {why}.")
