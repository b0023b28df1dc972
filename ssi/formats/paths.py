"""Claims paths: which claims does a pointer select, and which disclosures does showing them take?

Claims path pointers are those of OpenID4VP 1.0 §7.1 and of SD-JWT VC Type Metadata ("Claim Path"), which agree. Array
indexes count the elements of the array as it was issued: `closed` names the elements that stayed hidden and are
therefore missing from the processed claims, so that index 1 means the same element to holder and verifier.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import NamedTuple

from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.model import ClaimPath

MAX_PATH_LENGTH = 32
NOTHING_CLOSED: Set[ClaimPath] = frozenset()


class Selected(NamedTuple):
    """One selected claim: its concrete path (names and indexes only) and its value."""

    path: ClaimPath
    value: Json


def parse_path(value: object) -> ClaimPath:
    """Read a claims path pointer: a non-empty array of names, non-negative integers and nulls (OpenID4VP 1.0 §7).

    >>> parse_path(["degrees", None, "type"])
    ('degrees', None, 'type')

    Raises Malformed (`path.form`).
    """
    if not isinstance(value, list | tuple) or not 0 < len(value) <= MAX_PATH_LENGTH:
        raise Malformed("path.form", "A claims path is not an array of names, indexes and nulls.")
    for part in value:
        if part is None or isinstance(part, str):
            continue
        if isinstance(part, bool) or not isinstance(part, int) or part < 0:
            raise Malformed("path.form", "A claims path holds something that is no name, index or null.")
    return tuple(value)


def selected(claims: Json, path: ClaimPath, *, closed: Set[ClaimPath] = NOTHING_CLOSED) -> list[Selected]:
    """The claims that a path selects, in document order; an empty list when there are none (OpenID4VP 1.0 §7.1.1).

    Raises Malformed (`path.not_object`, `path.not_array`) where the path walks into a claim of another kind.
    """
    current = [Selected((), claims)]
    for part in path:
        below: list[Selected] = []
        for at, value in current:
            if isinstance(part, str):
                below += _member(at, value, part)
            else:
                below += _elements(at, value, part, closed)
        current = below
    return current


def select(claims: Json, path: ClaimPath, *, closed: Set[ClaimPath] = NOTHING_CLOSED) -> list[ClaimPath]:
    """The concrete paths of `selected`.

    >>> select({"degrees": [{"type": "B"}, {"type": "M"}]}, ("degrees", None, "type"))
    [('degrees', 0, 'type'), ('degrees', 1, 'type')]
    """
    return [found.path for found in selected(claims, path, closed=closed)]


def _member(at: ClaimPath, value: Json, name: str) -> list[Selected]:
    """§7.1.1 step 2.1."""
    if not isinstance(value, Mapping):
        raise Malformed("path.not_object", "A claims path names a member of something that is not an object.")
    return [Selected((*at, name), value[name])] if name in value else []


def _elements(at: ClaimPath, value: Json, index: int | None, closed: Set[ClaimPath]) -> list[Selected]:
    """§7.1.1 steps 2.2 and 2.3."""
    if not isinstance(value, list | tuple):
        raise Malformed("path.not_array", "A claims path points at an element of something that is not an array.")
    every = placed(at, value, closed)
    return every if index is None else [found for found in every if found.path[-1] == index]


def placed(at: ClaimPath, array: Iterable[Json], closed: Set[ClaimPath]) -> list[Selected]:
    """The elements of the processed array at `at`, each with its place in the array as issued."""
    found: list[Selected] = []
    index = 0
    for element in array:
        while closed and (*at, index) in closed:
            index += 1
        found.append(Selected((*at, index), element))
        index += 1
    return found


def shown_by(disclosed: Iterable[ClaimPath], wanted: Iterable[ClaimPath]) -> tuple[ClaimPath, ...]:
    """The disclosures that showing `wanted` takes: those on the way to a wanted claim, its own, and those inside it.

    All paths are concrete (names and indexes).

    >>> shown_by([("a",), ("a", "x"), ("a", "y"), ("b",)], [("a", "x")])
    (('a',), ('a', 'x'))
    """
    wishes = set(wanted)
    on_the_way = {wish[:length] for wish in wishes for length in range(1, len(wish) + 1)}
    return tuple(path for path in disclosed if path in on_the_way or _inside(path, wishes))


def _inside(path: ClaimPath, wishes: Set[ClaimPath]) -> bool:
    return any(path[:length] in wishes for length in range(1, len(path)))


def itself(_claims: Mapping[str, Json], path: ClaimPath) -> ClaimPath:
    """`Format.whole` of formats that show each claim without those around it, or show all claims anyway."""
    return path


def unhidable(claims: Mapping[str, Json], disclosed: Iterable[ClaimPath]) -> tuple[ClaimPath, ...]:
    """The claims that every presentation shows: whole objects, or their members where some of those can be hidden.

    >>> unhidable({"id": 1, "subject": {"id": 2, "name": 3}}, [("subject", "name")])
    (('id',), ('subject', 'id'))
    """
    hideable = frozenset(disclosed)
    above = {path[:length] for path in hideable for length in range(1, len(path))}
    found: list[ClaimPath] = []

    def look(at: ClaimPath, value: Mapping[str, Json]) -> None:
        for name, inner in value.items():
            path = (*at, name)
            if path in above and path not in hideable and isinstance(inner, Mapping):
                look(path, inner)
            elif path not in hideable:
                found.append(path)

    look((), claims)
    return tuple(found)
