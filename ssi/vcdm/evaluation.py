"""Evaluation: does a document conform to a JSON Schema? By the `jsonschema` library, with the work it does counted.

The library has no limits of its own: references can multiply the work, patterns can take for ever, and an error
quotes what it is about. So the schema's form is checked first (`ssi.vcdm.shapes`), each keyword pays for its work from
a meter, patterns and uniqueness are this house's own, and nothing is ever fetched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Final

from jsonschema import Draft7Validator, Draft201909Validator, Draft202012Validator, FormatChecker, validators
from jsonschema.exceptions import ValidationError
from referencing import Registry

from ssi.encoding import Json, read_json, write_json
from ssi.errors import SsiError, Unsupported
from ssi.vcdm import shapes
from ssi.vcdm.patterns import compiled
from ssi.vcdm.values import is_url, moment

MAX_SCHEMA_BYTES: Final = 65_536
MAX_WORK: Final = 60_000
"""About 40 ms of one processor, in units of a step of a pattern."""
_KEYWORD: Final = 40
_BYTES_PER_UNIT: Final = 256

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class _Meter(FormatChecker):  # type: ignore[misc]  # the library has no types
    """What is left of the work; the library hands it from schema to schema as the checker of formats."""

    def __init__(self, instance: Json) -> None:
        super().__init__(formats=())
        self.left = MAX_WORK
        self.sizes: dict[int, int] = {}
        _measure(instance, self.sizes)
        self.checkers = _FORMATS

    def spend(self, amount: int) -> None:
        """Pay for work. Raises Unsupported (`schema.work`) when there is too much of it."""
        self.left -= amount
        if self.left < 0:
            raise Unsupported("schema.work", "Comparing the credential with its schema takes too long.")

    def look(self, instance: Json) -> None:
        """Pay for one keyword's look at a value."""
        self.spend(_KEYWORD + self.sizes.get(id(instance), 0) // _BYTES_PER_UNIT)


def conforms(document: Json, schema: bytes) -> bool:
    """Does the document conform? Raises Malformed, Unsupported (`schema.*`, `vcdm.pattern`, `encoding.*`)."""
    kind, plain = _prepared(schema)
    meter = _Meter(document)
    try:
        validator = _CLASSES[kind](plain, format_checker=meter, registry=Registry())
        return next(validator.iter_errors(document), None) is None
    except RecursionError:
        raise Unsupported("schema.work", "Comparing the credential with its schema takes too long.") from None


@lru_cache(maxsize=16)  # of strangers' bytes, each up to MAX_SCHEMA_BYTES
def _prepared(schema: bytes) -> tuple[str, Mapping[str, Json]]:
    """The schema's version and the schema without its names, by which the library would look for others."""
    document = read_json(schema, what="schema", max_bytes=MAX_SCHEMA_BYTES)
    kind = shapes.version(document)
    shapes.check(document, kind=kind)
    return kind, {name: value for name, value in document.items() if name not in ("$schema", "$id", "$vocabulary")}


def _measure(value: Json, sizes: dict[int, int]) -> int:
    """Bytes of each value, about, by identity; documents are read with a bound on their depth."""
    if isinstance(value, dict):
        size = sum(len(name) + _measure(one, sizes) for name, one in value.items())
    elif isinstance(value, list):
        size = sum(_measure(one, sizes) for one in value)
    else:
        size = len(value) if isinstance(value, str) else 8
    sizes[id(value)] = size
    return size + 4


# --- keywords ---------------------------------------------------------------------------------------------------------

_Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]
_FAILED: Final = "does not conform"


def _metered(keyword: _Keyword) -> _Keyword:
    def paid(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError] | None:
        validator.format_checker.look(instance)
        return keyword(validator, value, instance, schema)

    return paid


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not compiled(pattern).search(instance, spend=validator.format_checker.spend):
        yield ValidationError(_FAILED)


def _pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for pattern, subschema in patterns.items():
        for name, value in instance.items():
            if compiled(pattern).search(name, spend=validator.format_checker.spend):
                yield from validator.descend(value, subschema)


def _additional_properties(validator: Any, additional: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    patterns, spend = schema.get("patternProperties", ()), validator.format_checker.spend
    for name, value in instance.items():
        if name not in schema.get("properties", ()) and not any(
            compiled(pattern).search(name, spend=spend) for pattern in patterns
        ):
            yield from validator.descend(value, additional)


def _unique_items(validator: Any, unique: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if unique and isinstance(instance, list):
        validator.format_checker.spend(validator.format_checker.sizes.get(id(instance), 0) // 4)
        if len({_written(one) for one in instance}) != len(instance):
            yield ValidationError(_FAILED)


def _written(value: Json) -> bytes:
    """A text that is the same for equal values: members sorted, 1.0 as 1 (JSON Schema Core §4.2.2)."""
    if isinstance(value, dict):
        return b"{" + b",".join(write_json(name) + b":" + _written(value[name]) for name in sorted(value)) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(_written(one) for one in value) + b"]"
    return write_json(int(value) if isinstance(value, float) and value.is_integer() else value)


def _class(base: Any) -> Any:
    own = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
    }
    every = {name: _metered(own.get(name, keyword)) for name, keyword in base.VALIDATORS.items()}
    return validators.extend(base, validators=every)


_CLASSES: Final[Mapping[str, Any]] = {
    "2020-12": _class(Draft202012Validator),
    "2019-09": _class(Draft201909Validator),
    "draft-07": _class(Draft7Validator),
}


# --- formats ----------------------------------------------------------------------------------------------------------


def _is_moment(text: str) -> bool:
    try:
        return moment({"at": text}, "at", zone_required=True) is not None
    except SsiError:
        return False


def _is_date(text: str) -> bool:
    try:
        return len(text) == 10 and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _format(test: Callable[[str], object]) -> tuple[Callable[[object], bool], tuple[type[Exception], ...]]:
    return (lambda value: not isinstance(value, str) or bool(test(value))), ()


_FORMATS: Final[dict[str, Any]] = {
    # VC JSON Schema §4.3.1 shows a wrong `email` as a failure, so formats count; those not here say nothing.
    "date": _format(_is_date),
    "date-time": _format(_is_moment),
    "email": _format(_EMAIL.fullmatch),
    "uri": _format(is_url),
    "uuid": _format(_UUID.fullmatch),
}
