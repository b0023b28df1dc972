"""Issuer-signed items: is this element's value the one whose digest the issuer signed (ISO/IEC 18013-5 §9.1.2.5)?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType
from typing import Final, NamedTuple

from ssi.cose.cbor import Cbor, decode_each, embed, embedded, encode_in_order, received_runs
from ssi.errors import Malformed, Unsupported
from ssi.formats.hiding import Random

SHA256: Final = "SHA-256"
SIZES: Final[Mapping[str, int]] = MappingProxyType({SHA256: 32, "SHA-384": 48, "SHA-512": 64})
"""The digest algorithms (§9.1.2.5, Table 21), and the bytes of their digests."""

_HASHES: Final = MappingProxyType({SHA256: hashlib.sha256, "SHA-384": hashlib.sha384, "SHA-512": hashlib.sha512})

MIN_SALT: Final = 16
"""Bytes of an item's `random`, at least (§9.1.2.5)."""

MAX_ELEMENTS: Final = 512
_SALT: Final = 32
_MEMBERS: Final = itemgetter("digestID", "random", "elementIdentifier", "elementValue")
_NO_DIGESTS: Final[Mapping[int, bytes]] = MappingProxyType({})


class Item(NamedTuple):
    """One element as it came: what it says, and the bytes that its digest is over."""

    namespace: str
    element: str
    value: Cbor
    digest_id: int
    salt: bytes
    raw: bytes


class Packed(NamedTuple):
    """Freshly made items by namespace (embedded CBOR, encoded) and the digests for the issuer to sign."""

    items: dict[str, list[bytes]]
    digests: dict[str, dict[int, bytes]]


def pack(namespaces: Mapping[str, Mapping[str, Cbor]], *, decoys: int, random: Random) -> Packed:
    """Salt and hash every element (SHA-256). Digest identifiers are dealt at random, so that they say nothing.

    `decoys` digests of nothing are added to each namespace.
    """
    items: dict[str, list[bytes]] = {}
    digests: dict[str, dict[int, bytes]] = {}
    for namespace, elements in namespaces.items():
        salts = random(_SALT * len(elements))
        dealt = _shuffled(len(elements) + decoys, random)
        made = [
            embed(encode_in_order(_item(dealt[place], salts[_SALT * place : _SALT * (place + 1)], name, value)))
            for place, (name, value) in enumerate(elements.items())
        ]
        hashed = [hashlib.sha256(raw).digest() for raw in made] + [random(SIZES[SHA256]) for _ in range(decoys)]
        items[namespace] = made
        digests[namespace] = dict(sorted(zip(dealt, hashed, strict=True)))
    return Packed(items, digests)


def read(data: bytes, namespaces: Cbor) -> tuple[Item, ...]:
    """The items of a decoded `nameSpaces`, with their bytes as they stand in `data`.

    Raises Malformed (`mdoc.namespaces`, `mdoc.elements`, `mdoc.item`, `mdoc.element_twice`, `cbor.*`).
    """
    if not isinstance(namespaces, dict):
        raise Malformed("mdoc.namespaces", "The credential's elements are not sorted into namespaces.")
    if sum(len(entries) for entries in namespaces.values() if isinstance(entries, list)) > MAX_ELEMENTS:
        raise Malformed("mdoc.elements", f"The credential has more than {MAX_ELEMENTS} elements.")
    names: list[str] = []
    runs: list[list[bytes]] = []
    for namespace, entries in namespaces.items():
        if not isinstance(namespace, str) or not isinstance(entries, list) or not entries:
            raise Malformed("mdoc.namespaces", "A namespace of the credential has no name or no elements.")
        names += [namespace] * len(entries)
        runs.append([embedded(entry, what="element") for entry in entries])
    members = decode_each([content for run in runs for content in run], what="element")
    found = list(map(_read, names, members, received_runs(data, runs)))
    if len({(item.namespace, item.element) for item in found}) != len(found):
        raise Malformed("mdoc.element_twice", "The credential says the same element twice.")
    return tuple(found)


def problem(items: Sequence[Item], digests: Mapping[str, Mapping[int, bytes]], *, algorithm: str) -> str | None:
    """What is wrong with the first item whose digest is not the one that was signed (§9.3.1 step 3); None is well.

    "mdoc.digest_missing" where no digest stands for it, else "mdoc.digest".
    """
    new = _HASHES[algorithm]
    for item in items:
        signed = digests.get(item.namespace, _NO_DIGESTS).get(item.digest_id)
        if new(item.raw).digest() != signed:
            return "mdoc.digest_missing" if signed is None else "mdoc.digest"
    return None


def known_algorithm(name: Cbor) -> str:
    """The digest algorithm (§9.1.2.5, Table 21). Raises Unsupported (`mdoc.digest_algorithm`)."""
    if not isinstance(name, str) or name not in SIZES:
        raise Unsupported("mdoc.digest_algorithm", "The credential's digests are made in a way that is not accepted.")
    return name


def _read(namespace: str, members: Cbor, raw: bytes) -> Item:
    try:
        digest_id, salt, name, value = _MEMBERS(members)
    except (KeyError, TypeError, IndexError):
        raise _misshapen() from None
    if type(digest_id) is not int or digest_id < 0 or type(salt) is not bytes or type(name) is not str:
        raise _misshapen()
    if len(members) != 4:
        raise _misshapen()
    return Item(namespace, name, value, digest_id, salt, raw)


def _misshapen() -> Malformed:
    return Malformed("mdoc.item", "An element is not of the form that ISO/IEC 18013-5 gives it.")


def _item(digest_id: int, salt: bytes, name: str, value: Cbor) -> dict[str, Cbor]:
    """In the order of §9.1.2.5, which every known wallet writes."""
    return {"digestID": digest_id, "random": salt, "elementIdentifier": name, "elementValue": value}


def _shuffled(count: int, random: Random) -> Sequence[int]:
    """0 to count - 1 in an order that nobody can guess: sorted by 64 random bits each."""
    keys = random(8 * count)
    return sorted(range(count), key=lambda number: keys[8 * number : 8 * number + 8])
