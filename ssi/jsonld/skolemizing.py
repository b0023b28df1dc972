"""How does a part of a document stay recognizable? Every node without an identifier gets one, and loses it again.

Selective disclosure compares the statements of a part with those of the whole. Blank nodes have no names to compare, so
the whole document is skolemized first and parts are taken from that (vc-di-ecdsa §3.4.6 to §3.4.8). The specification
goes through the expanded form and back; here the same objects get identifiers where they stand, so that pointers keep
meaning what they meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ssi.encoding import Json, read_json_object, write_json
from ssi.errors import Malformed
from ssi.jsonld import refusals
from ssi.jsonld.blanknodes import Labels
from ssi.jsonld.labelling import read_quad
from ssi.jsonld.limits import DEFAULT, Limits
from ssi.jsonld.walking import Walk

_URN: Final = "urn:facet:bnid:"
_MARK: Final = f"<{_URN}"
_MAX_BYTES: Final = 16 * 1_048_576


def skolemized(document: Mapping[str, Json], *, limits: Limits = DEFAULT) -> dict[str, Json]:
    """A copy of the document in which every blank node has an identifier of its own [skolemizeCompactJsonLd].

    The copy is for `select`, `to_quads` and `deskolemized`, never to be sent or shown.
    Raises as `check` does, and Malformed (`jsonld.blank_node`) for a document that has such identifiers already, or
    that refers to blank nodes by text alone.
    """
    _check_size(document, limits)
    copy = read_json_object(write_json(document), max_bytes=_MAX_BYTES)
    labels = Labels()
    walk = Walk(limits=limits, labels=labels)
    walk.document(copy)
    if labels.by_text or any(_URN in line for line in walk.lines):
        raise Malformed("jsonld.blank_node", "The document names blank nodes in a way that a selection cannot keep.")
    for (element, name), label in labels.unnamed:
        element[name] = _URN + label[2:]
    return copy


def _check_size(document: Mapping[str, Json], limits: Limits) -> None:
    """Refuse to copy what is too large to be read anyway: values and statements are much the same number."""
    level: list[Json] = [dict(document)]
    count = 0
    while level:
        count += sum(len(each) for each in level)
        if count > 4 * limits.quads:
            refusals.too_large()
        below = (each for value in level for each in (value.values() if isinstance(value, dict) else value))
        level = [each for each in below if isinstance(each, dict | list)]


def deskolemized(lines: Iterable[str]) -> list[str]:
    """The statements of a skolemized document, or of a selection, with their blank nodes back [deskolemizeNQuads].

    The same node has the same label in every selection. Literals stay as they are, whatever they contain.
    Raises Malformed (`jsonld.nquads`).
    """
    return [_deskolemized(line) if _MARK in line else line for line in lines]


def _deskolemized(line: str) -> str:
    if line.startswith(_MARK) and line.find(_MARK, 1) < 0:  # the subject alone: most lines
        end = line.index(">")
        return f"_:{line[len(_MARK) : end]}{line[end + 1 :]}"
    parts = (f"_:{part[len(_MARK) : -1]}" if part.startswith(_MARK) else part for part in read_quad(line) if part)
    return " ".join(parts) + " .\n"
