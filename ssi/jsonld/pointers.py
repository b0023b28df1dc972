"""Which parts of a document does this JSON Pointer mean, and what is the least document that holds them?

JSON Pointer is RFC 6901; the selection is selectJsonLd of the selective disclosure suites (vc-di-ecdsa §3.4.13).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.jsonld.limits import DEFAULT, Budget
from ssi.jsonld.scoping import entered, typed
from ssi.jsonld.terms import EMPTY, Active, Term

MAX_PARTS: Final = 32
_index = re.compile(r"0|[1-9][0-9]{0,8}").fullmatch
_wrong_escape = re.compile(r"~(?![01])").search

Wanted = dict[Any, "Wanted"] | None
"""What is selected below a value, by member name or array index; None for all of it."""


def parse(pointer: str) -> tuple[str, ...]:
    """The reference tokens of a JSON Pointer (RFC 6901 §3 and §4).

    >>> parse("/a~1b/0")
    ('a/b', '0')

    Raises Malformed (`jsonld.pointer`).
    """
    if not isinstance(pointer, str) or (pointer and pointer[0] != "/") or _wrong_escape(pointer):
        raise Malformed("jsonld.pointer", "The text is not a JSON Pointer.")
    parts = pointer.split("/")[1:]
    if len(parts) > MAX_PARTS:
        raise Malformed("jsonld.pointer", f"The JSON Pointer has more than {MAX_PARTS} parts.")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def resolve(document: Json, pointer: str) -> Json:
    """The value at this place. Raises Malformed (`jsonld.pointer`, `jsonld.pointer_unmatched`)."""
    value = document
    for part in parse(pointer):
        value = value[_key(value, part)]
    return value


def select(document: Mapping[str, Json], pointers: Iterable[str]) -> dict[str, Json]:
    """The least document that holds what the pointers mean (vc-di-ecdsa §3.4.11 to §3.4.13).

    Their targets are whole; each object on the way has its identifier and types. Arrays close up around what is
    selected; no pointer at all leaves the document's own identifier and types. Identifiers and types are what the
    contexts say, whatever they are called; and a context inside the document goes with its object, whose members would
    mean nothing without. Values are shared with the document, not copied.
    Raises Malformed (`jsonld.pointer`, `jsonld.pointer_unmatched`; `jsonld.pointer_inside` for a part of a literal or
    of an ordered list, which are one statement or one chain of them) and as `check` does for contexts.
    """
    root: dict[Any, Wanted] = {}
    for pointer in pointers:
        parts = parse(pointer)
        if not parts:
            return dict(document)
        _want(root, document, parts)
    return _Selection(Budget(DEFAULT.contexts)).of_object(document, root, EMPTY, None)


def _want(wanted: dict[Any, Wanted], value: Json, parts: tuple[str, ...]) -> None:
    for depth, part in enumerate(parts, 1):
        key = _key(value, part)
        value = value[key]
        if depth == len(parts):
            wanted[key] = None
            return
        below = wanted.setdefault(key, {})
        if below is None:  # all of it is selected already; what follows must still be there
            for rest in parts[depth:]:
                value = value[_key(value, rest)]
            return
        wanted = below


def _key(value: Json, part: str) -> str | int:
    """The key under which a reference token finds its value (RFC 6901 §4)."""
    if isinstance(value, Mapping) and part in value:
        return part
    if isinstance(value, list) and _index(part) and int(part) < len(value):
        return int(part)
    raise Malformed("jsonld.pointer_unmatched", "A JSON Pointer means nothing in this document.")


@dataclass(frozen=True)
class _Selection:
    """One selection from one document, and what it may spend on the document's contexts."""

    budget: Budget

    def of_value(self, source: Json, wanted: Wanted, active: Active, term: Term | None) -> Json:
        if wanted is None:
            return source
        if term is not None and (term.is_list or term.coercion == "@json"):
            raise Malformed("jsonld.pointer_inside", "A JSON Pointer means a part of something that has no parts.")
        if isinstance(source, list):
            return [self.of_value(source[index], wanted[index], active, term) for index in sorted(wanted)]
        return self.of_object(source, wanted, active, term)

    def of_object(
        self, source: Mapping[str, Json], wanted: dict[Any, Wanted], active: Active, term: Term | None
    ) -> dict[str, Json]:
        active = typed(source, entered(source, active, term, budget=self.budget), budget=self.budget)
        if any(name in active.keywords["@value"] for name in source):
            raise Malformed("jsonld.pointer_inside", "A JSON Pointer means a part of something that has no parts.")
        kept = {"@context", *active.keywords["@id"], *active.keywords["@type"]}
        return {
            name: self.of_value(value, wanted[name], active, active.terms.get(name)) if name in wanted else value
            for name, value in source.items()
            if name in wanted or (name in kept and not _is_blank(value))
        }


def _is_blank(value: Json) -> bool:
    return isinstance(value, str) and value.startswith("_:")
