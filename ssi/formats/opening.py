"""Opening: what does an SD-JWT payload say, with its disclosures put back (RFC 9901 §7.1)?

One look at each disclosure, one walk over the payload. Paths count array elements as issued, so that a disclosure keeps
its place whatever else is shown (see `ssi.formats.paths`).
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Sequence, Set
from operator import itemgetter
from typing import NamedTuple

import orjson  # not ssi.encoding: one call per disclosure; size is bounded before, and depth by the walk

from ssi.encoding import MAX_JSON_DEPTH, Json
from ssi.errors import Malformed
from ssi.formats.disclosures import MAX_DISCLOSURES, Hash, hash_named
from ssi.formats.disclosures import digests as digests_of
from ssi.model import ClaimPath

_CONTAINERS = frozenset((dict, list))
_first = itemgetter(0)


class Unpacked(NamedTuple):
    """A processed payload. `digests` are those of the disclosures, in their order; `places` says where each belongs.

    `closed` are the array elements that stayed hidden, `hidden` counts all digests that did (decoys included).
    """

    claims: dict[str, Json]
    digests: tuple[str, ...]
    places: dict[str, ClaimPath]
    closed: frozenset[ClaimPath]
    hidden: int


def unpack(payload: dict[str, Json], texts: Sequence[bytes], *, sealed: Set[str] = frozenset()) -> Unpacked:
    """Put disclosed claims back in their places (§7.1 steps 3 to 5). The payload is used up: read it no more.

    `sealed` are top-level claims that may not be hidden, nor any part of them. Raises Malformed (`sdjwt.*`) for these
    and for each thing that the specification says "MUST be rejected", Unsupported (`sdjwt.sd_alg`).
    """
    visible = sealed & payload.keys()
    by_digest = _by_digest(texts, hash_named(payload.pop("_sd_alg", "sha-256")))  # steps 2.5, 3.1 and 3.6
    digests, opening = tuple(by_digest), _Opening(by_digest)
    opening.fill_root(payload, sealed)
    if sealed & payload.keys() != visible:
        raise Malformed("sdjwt.sealed", "A claim that must be visible to all came as a disclosure.")
    if len(set(opening.met)) != len(opening.met):  # step 4
        raise Malformed("sdjwt.digest_repeated", "The credential holds a digest twice.")
    if by_digest:  # step 5
        raise Malformed(
            "sdjwt.disclosure_unreferenced", "Something was disclosed that is not part of what the issuer signed."
        )
    return Unpacked(payload, digests, opening.places, frozenset(opening.closed), len(opening.met) - len(opening.places))


def _by_digest(texts: Sequence[bytes], hash_new: Hash) -> dict[str, list[Json]]:
    """What each disclosure says, by the digest that it is known by (step 3.1)."""
    if not texts:
        return {}
    if len(texts) > MAX_DISCLOSURES:
        raise Malformed("sdjwt.too_many", f"The credential has more than {MAX_DISCLOSURES} disclosures.")
    found = dict(zip(digests_of(texts, hash_new), _contents(texts), strict=True))
    if len(found) != len(texts):
        raise Malformed("sdjwt.disclosure_repeated", "The credential carries a disclosure twice.")
    return found


def _contents(texts: Sequence[bytes]) -> list[list[Json]]:
    """What the disclosures say: arrays that begin with a salt (§4.2.1, §4.2.2).

    The alphabet is checked over all of them at once, so that the lenient decoder may decode: it passes over padding
    that is too much. Bits left over in a last character do no harm, as the digest is over the characters.
    """
    together = b"".join(texts)
    try:
        if b"-" in together or b"_" in together:
            together = together.replace(b"-", b"").replace(b"_", b"")
            texts = [text.replace(b"-", b"+").replace(b"_", b"/") for text in texts]
        if together.isalnum():
            found = list(map(orjson.loads, map(a2b_base64, [text + b"==" for text in texts])))
            if set(map(type, found)) == {list}:
                "".join(map(_first, found))  # raises for a salt that is no string
                return found
    except (ValueError, TypeError, IndexError):  # no base64, no JSON; a salt that is no string; an empty array
        pass
    raise Malformed("sdjwt.disclosure_form", "A disclosure is not base64url of a JSON array that begins with a salt.")


class _Opening:
    """One walk through one payload: what was met on the way."""

    __slots__ = ("by_digest", "closed", "met", "places")

    def __init__(self, by_digest: dict[str, list[Json]]) -> None:
        self.by_digest = by_digest  # each is taken out when it is met, so that it opens one place only
        self.met: list[str] = []
        self.places: dict[str, ClaimPath] = {}
        self.closed: list[ClaimPath] = []

    def fill_root(self, payload: dict[str, Json], sealed: Set[str]) -> None:
        """All steps (*) and (**) for the payload, in which nothing below a sealed name may be hidden."""
        self._open_object(payload, ())
        for name, value in [item for item in payload.items() if type(item[1]) in _CONTAINERS]:
            before = len(self.met)
            self._fill(value, (name,))
            if name in sealed and len(self.met) != before:
                raise Malformed("sdjwt.sealed", "A part of a claim that must be visible to all is hidden.")

    def _fill_object(self, node: dict[str, Json], path: ClaimPath) -> None:
        self._open_object(node, path)
        for name, value in node.items():
            if type(value) in _CONTAINERS:
                self._fill(value, (*path, name))

    def _open_object(self, node: dict[str, Json], path: ClaimPath) -> None:
        """Steps 3.3.2 and 3.5 for one object."""
        if "_sd" in node:
            self._open_members(node, path, node.pop("_sd"))
        if "_sd" in node or "..." in node or "_sd_alg" in node:  # step 3.3.2.2, §4.1 rule 7, §4.1.1
            raise Malformed("sdjwt.reserved_name", "The credential uses a name that is reserved for digests.")

    def _fill(self, value: Json, path: ClaimPath) -> None:
        if len(path) > MAX_JSON_DEPTH:
            raise Malformed("sdjwt.depth", f"The credential is nested deeper than {MAX_JSON_DEPTH} levels.")
        if isinstance(value, dict):
            self._fill_object(value, path)
        else:
            self._fill_array(value, path)

    def _open_members(self, node: dict[str, Json], path: ClaimPath, hidden: Json) -> None:
        self._meet(hidden)
        size, before = len(node), len(self.places)
        take, places = self.by_digest.pop, self.places
        try:
            for digest in hidden:
                if (found := take(digest, None)) is not None:  # step 3.3.1
                    _, name, value = found
                    node[name] = value  # step 3.3.2.4
                    places[digest] = (*path, name)
            "".join(node)
        except (ValueError, TypeError):  # step 3.3.2.1: not three elements, or a name that is no string
            raise Malformed("sdjwt.disclosure_form", "A disclosure for a claim is not salt, name and value.") from None
        if len(node) - size != len(places) - before:  # step 3.3.2.3
            raise Malformed("sdjwt.name_repeated", "A disclosure names a claim that is already there.")

    def _fill_array(self, node: list[Json], path: ClaimPath) -> None:
        """Steps 3.3.3 and 3.4 for one array, then the same for all below it."""
        kept: list[Json] = []
        for index, element in enumerate(node):
            value = element
            if isinstance(element, dict) and "..." in element:
                found = self._open_element(element, (*path, index))
                if found is None:  # step 3.4
                    self.closed.append((*path, index))
                    continue
                value = found[1]
            if type(value) in _CONTAINERS:
                self._fill(value, (*path, index))
            kept.append(value)
        node[:] = kept

    def _open_element(self, element: dict[str, Json], path: ClaimPath) -> list[Json] | None:
        digest = element["..."]
        self._meet([digest])
        if len(element) != 1:
            raise Malformed("sdjwt.digest_form", "A hidden array element has more than its digest.")
        found = self.by_digest.pop(digest, None)
        if found is not None:
            if len(found) != 2:  # step 3.3.3.1
                raise Malformed("sdjwt.disclosure_form", "A disclosure for an array element is not salt and value.")
            self.places[digest] = path
        return found

    def _meet(self, hidden: Json) -> None:
        try:
            if isinstance(hidden, list):
                "".join(hidden)  # raises for what is no string
                self.met += hidden
                return
        except TypeError:
            pass
        raise Malformed("sdjwt.digest_form", "The credential holds digests that are not a list of strings.")
