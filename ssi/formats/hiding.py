"""Hiding: how are claims replaced by digests that only their disclosures open (RFC 9901 §4.2)?"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

import orjson  # not ssi.encoding: one call per disclosure

from ssi.encoding import MAX_JSON_DEPTH, Json
from ssi.errors import Malformed
from ssi.formats.disclosures import RESERVED, TO_URL, digests
from ssi.model import ClaimPath

Random = Callable[[int], bytes]
"""A source of secure random bytes, `secrets.token_bytes` outside tests."""

_SALT_BYTES = 18  # 144 bits (§9.3 asks for 128), a whole number of base64 characters
_SALT_LENGTH = 24
_PLAIN = frozenset((str, int, bool, float, type(None)))


class Packed(NamedTuple):
    """A payload with digests in place of hidden claims, and the disclosures that open them."""

    payload: dict[str, Json]
    texts: list[bytes]


def pack(claims: Mapping[str, Json], *, disclosable: tuple[ClaimPath, ...], decoys: int, random: Random) -> Packed:
    """Replace each disclosable claim by its SHA-256 digest, the innermost first (§4.2, §4.2.6).

    `decoys` digests that open nothing are added wherever others are (§4.2.5): in an object sorted in among them, in an
    array at its end, where they move no element. Raises Malformed (`sdjwt.path`, `sdjwt.reserved_name`,
    `encoding.json`).
    """
    _refuse_reserved(claims, 0)
    made = _Packing(random, len(disclosable), decoys)
    try:
        payload = made.hide_members(dict(claims), _plan(disclosable))
    except (orjson.JSONEncodeError, RecursionError):
        raise Malformed("encoding.json", "A claim cannot be written as JSON.") from None
    return Packed(payload, made.texts)


class _Plan(NamedTuple):
    """What to hide at one level: `here` those parts themselves, after what is to be hidden inside those `below`.

    `names` says that all are names of members, and none the index of an element.
    """

    here: tuple[Any, ...]
    below: tuple[tuple[Any, _Plan], ...]
    names: bool


@lru_cache(maxsize=256)
def _plan(disclosable: tuple[ClaimPath, ...]) -> _Plan:
    """The paths as a tree. Credentials of one type share theirs, so it is worth keeping."""
    if len(set(disclosable)) != len(disclosable) or () in disclosable:
        raise Malformed("sdjwt.path", "A disclosable path is empty or stands twice.")
    here: list[str | int] = []
    inside: dict[str | int, list[ClaimPath]] = {}
    for first, *rest in disclosable:
        if first is None:
            raise Malformed("sdjwt.path", "A disclosable path must name one claim exactly.")
        if rest:
            inside.setdefault(first, []).append(tuple(rest))
        else:
            here.append(first)
    below = tuple((part, _plan(tuple(paths))) for part, paths in inside.items())
    return _Plan(tuple(here), below, all(isinstance(part, str) for part in (*here, *inside)))


class _Packing:
    """One walk through the claims of one credential."""

    __slots__ = ("_decoys", "_random", "_salts", "texts")

    def __init__(self, random: Random, count: int, decoys: int) -> None:
        self._random = random
        self._decoys = decoys
        self._salts = _salts(random, count)
        self.texts: list[bytes] = []

    def hide_members(self, node: dict[str, Json], plan: _Plan) -> dict[str, Json]:
        """Move the planned members of an object, a copy that may be changed, into disclosures."""
        if not plan.names:
            raise Malformed("sdjwt.path", "A disclosable path points at nothing.")
        try:
            for name, inside in plan.below:
                node[name] = self._hide_below(node[name], inside)
            contents = [[next(self._salts), name, node.pop(name)] for name in plan.here]
        except KeyError:
            raise Malformed("sdjwt.path", "A disclosable path points at nothing.") from None
        if contents:
            node["_sd"] = sorted((*self._disclose(contents), *self._made_up()))  # §4.2.4.1: in no order of the claims
        return node

    def _hide_below(self, value: Json, plan: _Plan) -> Json:
        if isinstance(value, dict):
            return self.hide_members(dict(value), plan)
        if isinstance(value, list | tuple):
            return self._hide_elements(list(value), plan)
        raise Malformed("sdjwt.path", "A disclosable path leads into a claim that has no parts.")

    def _hide_elements(self, node: list[Json], plan: _Plan) -> list[Json]:
        for index, inside in plan.below:
            at = _within(node, index)
            node[at] = self._hide_below(node[at], inside)
        indexes = [_within(node, index) for index in plan.here]
        if indexes:
            hidden = self._disclose([[next(self._salts), node[index]] for index in indexes])
            for index, digest in zip(indexes, hidden, strict=True):
                node[index] = {"...": digest}
            node += [{"...": digest} for digest in self._made_up()]
        return node

    def _disclose(self, contents: list[list[Json]]) -> tuple[str, ...]:
        """Write the disclosures of one level and give their digests (§4.2.1 to §4.2.3)."""
        lines = b"".join(map(b2a_base64, map(orjson.dumps, contents)))  # each ends with a newline
        texts = lines.translate(TO_URL, b"=").split()
        self.texts += texts
        return digests(texts, sha256)

    def _made_up(self) -> tuple[str, ...]:
        return digests([self._random(32) for _ in range(self._decoys)], sha256) if self._decoys else ()


def _within(node: list[Json], index: object) -> int:
    if not isinstance(index, int) or not 0 <= index < len(node):
        raise Malformed("sdjwt.path", "A disclosable path points at nothing.")
    return index


def _salts(random: Random, count: int) -> Iterator[str]:
    """Fresh salts, all drawn at once."""
    text = b2a_base64(random(_SALT_BYTES * count), newline=False).translate(TO_URL).decode("ascii")
    return iter([text[start : start + _SALT_LENGTH] for start in range(0, len(text), _SALT_LENGTH)])


def _refuse_reserved(value: Json, depth: int) -> None:
    """§4.1 rule 7: a claim set of the issuer's never uses the mechanism's names."""
    if depth > MAX_JSON_DEPTH:
        raise Malformed("sdjwt.depth", f"The claims are nested deeper than {MAX_JSON_DEPTH} levels.")
    if type(value) is dict or isinstance(value, Mapping):
        if not RESERVED.isdisjoint(value):
            raise Malformed("sdjwt.reserved_name", "A claim uses a name that is reserved for digests.")
        value = value.values()
    elif not isinstance(value, list | tuple):
        raise Malformed("encoding.json", "A claim is of no kind that JSON has.")
    for below in value:
        if type(below) not in _PLAIN:
            _refuse_reserved(below, depth + 1)
