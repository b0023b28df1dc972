"""Shapes: is this JSON Schema one that can be evaluated here, within bounds and without asking anybody?

The check is of the schema alone and is done once per schema: its version, its size, the form of every keyword, its
patterns, and that every `$ref` leads to a place in the same document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final
from urllib.parse import unquote

from ssi.encoding import Json
from ssi.errors import Malformed, Unsupported
from ssi.vcdm.patterns import compiled

VERSIONS: Final[Mapping[str, str]] = {
    "https://json-schema.org/draft/2020-12/schema": "2020-12",
    "https://json-schema.org/draft/2019-09/schema": "2019-09",
    "http://json-schema.org/draft-07/schema": "draft-07",
}
MAX_NODES: Final = 1000
MAX_UNFOLDED: Final = 2000
_TYPES: Final = frozenset(("null", "boolean", "object", "array", "number", "string", "integer"))

_SCHEMA: Final = frozenset(
    (
        "additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not",
        "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
    )
)  # fmt: skip
_LIST: Final = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
_MAP: Final = frozenset(("$defs", "definitions", "dependentSchemas", "patternProperties", "properties"))
_REFUSED: Final = frozenset(("$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$anchor"))
"""Ways to refer that depend on the way through the document; no credential schema that was met has them."""


def version(schema: Json) -> str:
    """The specification that a schema is of. Raises Malformed, Unsupported (`schema.version`)."""
    if not isinstance(schema, Mapping):
        raise Malformed("schema.form", "The schema is not a JSON object.")
    named = schema.get("$schema")
    if not isinstance(named, str):  # VC JSON Schema §4.1: such a schema "MUST NOT be processed"
        raise Malformed("schema.version", "The schema does not say which version of JSON Schema it is.")
    found = VERSIONS.get(named.removesuffix("#"))
    if found is None:
        raise Unsupported("schema.version", "The schema is of a version of JSON Schema that is not read here.")
    return found


def check(schema: Mapping[str, Json], *, kind: str) -> None:
    """Return when the schema, of this version, can be evaluated.

    Raises Malformed (`schema.form`), Unsupported (`schema.*`, `vcdm.pattern`).
    """
    walk = _Walk(schema)
    walk.node(schema, root=True)
    for one in walk.nodes.values():
        walk.follow(one)
        if kind == "2020-12" and isinstance(one.get("items"), list):
            raise _bad()
    if any("unevaluatedProperties" in one or "unevaluatedItems" in one for one in walk.nodes.values()):
        walk.refuse_unfolding(kind)


def _bad() -> Malformed:
    return Malformed("schema.form", "The schema is not a right JSON Schema.")


class _Walk:
    """One look at every schema in the document; `nodes` are those found, by identity."""

    def __init__(self, document: Mapping[str, Json]) -> None:
        self.document = document
        self.nodes: dict[int, Mapping[str, Json]] = {}

    def node(self, schema: Json, *, root: bool = False) -> None:
        if not _is_schema(schema):
            raise _bad()
        if isinstance(schema, bool):
            return
        self.nodes[id(schema)] = schema
        if len(self.nodes) > MAX_NODES:
            raise Unsupported("schema.size", "The schema is too large.")
        if not root and ("$schema" in schema or "$id" in schema):
            raise Unsupported("schema.embedded", "The schema has others inside it, which is not supported here.")
        if not _REFUSED.isdisjoint(schema):
            raise Unsupported("schema.dynamic", "The schema refers in a way that is not supported here.")
        _plain(schema)
        for below in _below(schema):
            self.node(below)

    def follow(self, schema: Mapping[str, Json]) -> Json:
        """Where the schema's `$ref` leads; None without one."""
        if "$ref" not in schema:
            return None
        reference = schema["$ref"]
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise Unsupported("schema.remote", "The schema refers to another document.")
        target: Json = self.document
        for part in reference[1:].split("/")[1:]:
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(target, list) and name.isdecimal() and len(name) < 6 and int(name) < len(target):
                target = target[int(name)]
            elif isinstance(target, Mapping) and name in target:
                target = target[name]
            else:
                raise _bad()
        if reference[1:2] not in ("", "/") or not (id(target) in self.nodes or isinstance(target, bool)):
            raise Unsupported("schema.reference", "The schema refers to something that is no schema.")
        return target

    def refuse_unfolding(self, kind: str) -> None:
        """What looks for unevaluated members walks the schema with all its references unfolded."""
        if kind != "2020-12" or any("patternProperties" in one for one in self.nodes.values()):
            raise Unsupported(
                "schema.unevaluated", "The schema asks for unevaluated members in a way not supported here."
            )
        if self._unfolded(self.document, {}) > MAX_UNFOLDED:
            raise Unsupported("schema.unevaluated", "The schema refers to itself, and asks for unevaluated members.")

    def _unfolded(self, schema: Json, known: dict[int, int]) -> int:
        if not isinstance(schema, Mapping):
            return 1
        if id(schema) not in known:
            known[id(schema)] = MAX_UNFOLDED + 1  # what comes back to itself never ends
            below = [*_below(schema), self.follow(schema)]
            known[id(schema)] = min(MAX_UNFOLDED + 1, 1 + sum(self._unfolded(one, known) for one in below))
        return known[id(schema)]


def _below(schema: Mapping[str, Json]) -> Iterator[Json]:
    """The schemas directly inside one."""
    for keyword, value in schema.items():
        if keyword in _LIST or (keyword == "items" and isinstance(value, list)):
            yield from value
        elif keyword in _MAP:
            yield from value.values()
        elif keyword in _SCHEMA:
            yield value
        elif keyword == "dependencies":
            yield from (one for one in value.values() if not isinstance(one, list))


def _plain(schema: Mapping[str, Json]) -> None:
    """The form of the keywords, as far as it is not that of schemas."""
    if not all(_FORMS[keyword](value) for keyword, value in schema.items() if keyword in _FORMS):
        raise _bad()
    for pattern in (*schema.get("patternProperties", ()), *([schema["pattern"]] if "pattern" in schema else [])):
        compiled(pattern)


def _is_count(value: Json) -> bool:
    return type(value) in (int, float) and value >= 0 and value == int(value)


def _is_number(value: Json) -> bool:
    return type(value) in (int, float)


def _is_positive(value: Json) -> bool:
    return _is_number(value) and value > 0


def _is_type(value: Json) -> bool:
    every = value if isinstance(value, list) else [value]
    return bool(every) and all(isinstance(one, str) and one in _TYPES for one in every)


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_list(value: Json) -> bool:
    return isinstance(value, list)


def _is_map(value: Json) -> bool:
    return isinstance(value, Mapping)


def _is_schema(value: Json) -> bool:
    return isinstance(value, bool | Mapping)


def _is_names(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _are_needed(value: Json) -> bool:
    return isinstance(value, Mapping) and all(_is_names(one) for one in value.values())


def _are_dependencies(value: Json) -> bool:
    return isinstance(value, Mapping) and all(_is_names(one) or _is_schema(one) for one in value.values())


_FORMS: Final[Mapping[str, Callable[[Json], bool]]] = {
    **dict.fromkeys(
        ("maxContains", "maxItems", "maxLength", "maxProperties", "minContains", "minItems", "minLength"), _is_count
    ),
    "minProperties": _is_count,
    **dict.fromkeys(("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum"), _is_number),
    **dict.fromkeys(_MAP, _is_map),
    **dict.fromkeys(_LIST, lambda value: isinstance(value, list) and bool(value)),
    **dict.fromkeys(("format", "pattern"), _is_text),
    "multipleOf": _is_positive,
    "required": _is_names,
    "type": _is_type,
    "enum": _is_list,
    "uniqueItems": lambda value: isinstance(value, bool),
    "dependentRequired": _are_needed,
    "dependencies": _are_dependencies,
}
