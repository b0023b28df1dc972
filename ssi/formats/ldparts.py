"""Parts: which parts of a W3C document can be hidden, and which JSON pointers name those that are to be shown?

Selective suites hide members of objects. An array is shown whole or not at all, since its elements have no order in
JSON-LD, and a JSON literal is a single value; an object's identifier and types come along with whatever of it is shown
(Data Integrity ECDSA 1.0 §3.4.11). What is which the contexts say: a member named `type` may be a claim like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ssi.encoding import Json
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.formats.paths import select
from ssi.jsonld import pointers
from ssi.jsonld.limits import DEFAULT, Budget
from ssi.jsonld.scoping import entered, typed
from ssi.jsonld.terms import EMPTY, Active, Term
from ssi.model import ClaimPath

ALWAYS: Final[tuple[ClaimPath, ...]] = (
    *(("issuer",), ("validFrom",), ("validUntil",), ("issuanceDate",), ("expirationDate",)),
    *(("credentialStatus",), ("credentialSchema",), ("credentialSubject", "id")),
)
"""What a presentation must have to be judged at all: who says it, until when, and whom it is about."""

_ALONG: Final = frozenset((("@context",), ("id",), ("type",)))
_PROOF: Final = "proof"
_ROOT: Final[ClaimPath] = ()


@dataclass(frozen=True)
class _Node:
    """An object or an array in a document, and what its contexts make of it."""

    value: Mapping[str, Json] | list[Json]
    at: ClaimPath
    active: Active
    term: Term | None
    budget: Budget

    def members(self) -> Iterator[tuple[ClaimPath, Json, _Node | None]]:
        """What can be chosen by itself in here: where it stands, its value, and itself if it has parts in turn."""
        if isinstance(self.value, list):
            for index, inner in enumerate(self.value):
                path = (*self.at, index)
                yield path, inner, self._below(inner, path, self.active, self.term)
            return
        active, along = self._inside(self.value)
        for name, inner in self.value.items():
            if name not in along:
                path = (*self.at, name)
                yield path, inner, self._below(inner, path, active, active.terms.get(name))

    def member(self, name: str) -> tuple[bool, _Node | None]:
        """Can the object's member of this name be chosen by itself, and has it parts in turn?"""
        if not isinstance(self.value, Mapping) or name not in self.value:
            return False, None
        active, along = self._inside(self.value)
        below = self._below(self.value[name], (*self.at, name), active, active.terms.get(name))
        return name not in along, below

    def _inside(self, value: Mapping[str, Json]) -> tuple[Active, frozenset[str]]:
        """What holds inside the object, and the names of what comes along with whatever is chosen of it."""
        active = typed(value, entered(value, self.active, self.term, budget=self.budget), budget=self.budget)
        along = {"@context", *active.keywords["@id"], *active.keywords["@type"], *([] if self.at else [_PROOF])}
        return active, frozenset(along)

    def _below(self, value: Json, at: ClaimPath, active: Active, term: Term | None) -> _Node | None:
        """The value, if it has parts; a plain one, a JSON literal, an ordered list and a value object have none."""
        single = term is not None and (term.is_list or term.is_language_map or term.coercion == "@json")
        if single or not isinstance(value, Mapping | list):
            return None
        literal = isinstance(value, Mapping) and any(name in value for name in active.keywords["@value"])
        return None if literal else _Node(value, at, active, term, self.budget)


def _whole_of(document: Mapping[str, Json]) -> _Node:
    return _Node(document, (), EMPTY, None, Budget(DEFAULT.contexts))


# --- for the issuer ---------------------------------------------------------------------------------------------------


def mandatory(document: Mapping[str, Json], hideable: Sequence[ClaimPath]) -> tuple[str, ...]:
    """The pointers of all that cannot be hidden when only `hideable` can.

    Raises Malformed (`ldp.path`) for what the document does not have, Unsupported (`ldp.cannot_hide`) for what this
    way of hiding cannot; and as contexts do that are not known (`jsonld.*`).
    """
    root = _whole_of(document)
    for path in hideable:
        _refuse_indivisible(root, path)
    found = list(_kept(root, frozenset(hideable)))
    return tuple(_pointer(path) for path in dict.fromkeys((*found, *_present(document, ALWAYS))))


def _refuse_indivisible(root: _Node, path: ClaimPath) -> None:
    value: Json = root.value
    node: _Node | None = root
    for part in path:
        if not isinstance(value, Mapping) or part not in value:
            if isinstance(value, list):
                raise Unsupported("ldp.cannot_hide", "An array is shown whole or not at all.")
            raise Malformed("ldp.path", "A claim that is to be hideable is not there.")
        value = value[str(part)]
        free, node = (False, None) if node is None else node.member(str(part))
        if not free:
            raise Unsupported("ldp.cannot_hide", "What a thing is called cannot be hidden, nor part of a single value.")
    if path in ALWAYS:
        raise Unsupported("ldp.cannot_hide", "What a credential says of itself cannot be hidden.")


def _kept(node: _Node, hidden: frozenset[ClaimPath]) -> Iterator[ClaimPath]:
    for path, _, below in node.members():
        if path in hidden:
            continue
        if below is not None and any(other[: len(path)] == path for other in hidden):
            yield from _kept(below, hidden)
        else:
            yield path


# --- for the holder ---------------------------------------------------------------------------------------------------


def hideable(document: Mapping[str, Json], fixed: Iterable[str]) -> tuple[ClaimPath, ...]:
    """What a holder can show or keep back, where the pointers `fixed` are mandatory; parents before what is in them.

    An array of which only a part is mandatory has its other elements here; `whole` says that they come together.
    Raises Malformed (`jsonld.pointer`, `jsonld.pointer_unmatched`), and as contexts do that are not known.
    """
    places = frozenset((*(_place(document, one) for one in fixed), *_present(document, ALWAYS)))
    if () in places:
        return ()
    above = frozenset(place[:length] for place in places for length in range(len(place)))
    return tuple(_free(_whole_of(document), places, above))


def _free(node: _Node, places: frozenset[ClaimPath], above: frozenset[ClaimPath]) -> Iterator[ClaimPath]:
    for path, value, below in node.members():
        if path in places:
            continue
        if path not in above:
            yield path
        if below is not None and (isinstance(value, Mapping) or path in above):
            yield from _free(below, places, above)


def whole(document: Mapping[str, Json], path: ClaimPath) -> ClaimPath:
    """The least that can be shown with the claim at this concrete path: itself, or the array or literal around it.

    Raises as contexts do that are not known (`jsonld.*`).
    """
    node: _Node | None = _whole_of(document)
    for length in range(1, len(path)):
        if node is None:
            return path[: length - 1]
        if isinstance(node.value, list):
            return node.at
        free, node = node.member(str(path[length - 1]))
        if not free:  # an identifier or types
            return path[:length]
    return path[:-1] if path[1:] and (node is None or isinstance(node.value, list)) else path


def chosen(document: Mapping[str, Json], paths: Iterable[ClaimPath]) -> tuple[str, ...]:
    """The pointers that show the claims at these paths, and what a presentation must always have.

    Raises Refused (`vc.no_such_claim`) for a claim that the document does not have, Malformed (`path.*`), and as
    contexts do that are not known.
    """
    wanted = list(_present(document, ALWAYS))
    for path in paths:
        found = select(document, path)
        if not found:
            raise Refused("vc.no_such_claim", "The credential does not have a claim that was to be shown.")
        wanted += (whole(document, one) for one in found)
    return tuple(dict.fromkeys(_pointer(path) for path in wanted if path not in _ALONG))


def together(claims: Mapping[str, Json], path: ClaimPath) -> ClaimPath:
    """As `whole`; where contexts are not known nothing can be hidden anyway, and the path stands for itself."""
    try:
        return whole(claims, path)
    except SsiError:
        return path


def _present(document: Json, paths: Iterable[ClaimPath]) -> Iterator[ClaimPath]:
    for path in paths:
        node = document
        for part in path:
            node = node.get(part) if isinstance(node, Mapping) else None
        if node is not None:
            yield path


def _place(document: Json, pointer: str) -> ClaimPath:
    """A pointer as a claims path: its numbers are indexes only where there is an array."""
    value, path = document, _ROOT
    for part in pointers.parse(pointer):
        key: str | int = int(part) if isinstance(value, list) and part.isdecimal() else part
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            raise Malformed("jsonld.pointer_unmatched", "A JSON Pointer means nothing in this document.") from None
        path = (*path, key)
    return path


def _pointer(path: ClaimPath) -> str:
    """RFC 6901 §3."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
