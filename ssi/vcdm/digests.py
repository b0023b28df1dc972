"""Digests: is this the very resource that the issuer meant (VCDM 2.0 §5.3, SRI §3.5, Data Integrity §2.6)?"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import schemas
from ssi.encoding import Json, unb64url, unbase58
from ssi.errors import Malformed
from ssi.vcdm.contexts import V2
from ssi.vcdm.values import bad, objects, one_id

MEMBER: Final = "relatedResource"
_MAX_SRI: Final = 1024
_STRONGEST_FIRST: Final = ("sha512", "sha384", "sha256")
_BY_LENGTH: Final = {64: "sha512", 48: "sha384", 32: "sha256"}
_MULTIHASH: Final = {b"\x12\x20": "sha256", b"\x20\x30": "sha384", b"\x13\x40": "sha512"}

_EARLIER: Final[Mapping[str, Mapping[str, str]]] = {
    # The base context as it stood from July 2024 until the Recommendation of May 2025. It was published at the same
    # URL, so that credentials of that time have its digests, and so has the W3C's own test suite.
    V2: {
        "sha256": "24a18c90e9856d526111f29376e302d970b2bd10182e33959995b0207d7043b9",
        "sha384": "35239c36999d2155312091af194a1edb61634d6ad789a5e5b19f2aebdd762dd9d1dcaada40eda7ef921c6b8c0ae107a0",
        "sha512": "cb1336dfa8670d80d03344b3b0cc25faf4d45201823c35f39bb1afe5a9f911f6"
        "15ff4ec80ec5f2f89e33d14e96bec8be78e38df35b918c9cd5f3b3449bd6c88f",
    }
}

Digest = tuple[str, bytes]
"""A hash function's name, as hashlib has it, and a value."""


def sri(value: str) -> tuple[Digest, ...]:
    """The digests of an `sriString` that count: all of its strongest known hash function (SRI §3.3.4).

    Raises Malformed (`vcdm.digest`) when there is none that can be read.
    """
    found: list[Digest] = []
    if len(value) > _MAX_SRI:
        raise Malformed("vcdm.digest", "The digest of a resource cannot be read.")
    for expression in value.split():
        name, _, text = expression.partition("-")
        try:
            plain = text.partition("?")[0].translate(_STANDARD)
            raw = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        except (binascii.Error, ValueError):
            continue
        if _BY_LENGTH.get(len(raw)) == name:
            found.append((name, raw))
    return _strongest(found)


_STANDARD: Final = str.maketrans("-_", "+/", "=")


def multibase(value: Json) -> tuple[Digest, ...]:
    """The digests of a `digestMultibase`, which is one value or a list: multihashes, or bare SHA-2 values.

    Raises Malformed (`vcdm.digest`).
    """
    every = value if isinstance(value, list) else [value]
    return _strongest([found for one in every[:16] if (found := _multibase(one)) is not None])


def _multibase(value: Json) -> Digest | None:
    if not isinstance(value, str) or len(value) > 200:
        return None
    try:
        raw = unb64url(value[1:]) if value[:1] == "u" else unbase58(value[1:]) if value[:1] == "z" else b""
    except Malformed:
        return None
    name, raw = (_MULTIHASH[raw[:2]], raw[2:]) if raw[:2] in _MULTIHASH and len(raw) - 2 == raw[1] else ("", raw)
    known = _BY_LENGTH.get(len(raw))
    return (known, raw) if known is not None and name in ("", known) else None


def _strongest(found: list[Digest]) -> tuple[Digest, ...]:
    for name in _STRONGEST_FIRST:
        if chosen := tuple(one for one in found if one[0] == name):
            return chosen
    raise Malformed("vcdm.digest", "The digest of a resource cannot be read.")


def stated(entry: Mapping[str, Json]) -> tuple[tuple[Digest, ...], ...]:
    """What an object states as digests of a resource: by `digestSRI`, by `digestMultibase`, or both.

    Raises Malformed (`vcdm.digest`).
    """
    found: list[tuple[Digest, ...]] = []
    if "digestSRI" in entry:
        text = entry["digestSRI"]
        every = text if isinstance(text, list) else [text]
        if not every or not all(isinstance(one, str) for one in every):
            raise Malformed("vcdm.digest", "The digest of a resource cannot be read.")
        found.append(sri(" ".join(every)))
    if "digestMultibase" in entry:
        found.append(multibase(entry["digestMultibase"]))
    return tuple(found)


def matches(data: bytes, entry: Mapping[str, Json]) -> bool:
    """Does the resource have every digest that the entry states? Raises Malformed (`vcdm.digest`)."""
    return all(
        any(hmac.compare_digest(hashlib.new(name, data).digest(), raw) for name, raw in digests)
        for digests in stated(entry)
    )


def related_resources(document: Mapping[str, Json]) -> None:
    """Check `relatedResource`: its form, and its digests of the contexts that are pinned here (§5.3).

    Raises Malformed (`vcdm.relatedResource`, `vcdm.digest`, `vcdm.digest_mismatch`).
    """
    seen: set[str] = set()
    for entry in objects(document, MEMBER):
        url = one_id(entry, member=MEMBER, required=True) or ""
        if url in seen:
            raise bad(MEMBER, "Two related resources have the same `id`.")
        seen.add(url)
        if not isinstance(entry.get("mediaType", ""), str):
            raise bad(MEMBER, "The media type of a related resource is not a string.")
        digests = stated(entry)
        if not digests:
            raise bad(MEMBER, "A related resource has no digest.")
        _compare(url, digests)


def _compare(url: str, digests: tuple[tuple[Digest, ...], ...]) -> None:
    if url not in schemas.CONTEXTS:
        return  # nothing here makes use of it
    if not all(any(raw in _known(url, name) for name, raw in some) for some in digests):
        raise Malformed("vcdm.digest_mismatch", "A related resource is not the one that the issuer meant.")


@lru_cache(maxsize=128)  # only URLs of the house's own table
def _known(url: str, name: str) -> tuple[bytes, ...]:
    """The digests of every text that this context is known to have had."""
    own = hashlib.new(name, schemas.read(schemas.CONTEXTS[url][0])).digest()
    earlier = _EARLIER.get(url, {}).get(name)
    return (own, bytes.fromhex(earlier)) if earlier else (own,)
