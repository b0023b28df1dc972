"""Disclosures: which salted digest stands for which claim (RFC 9901 §4.2)?

What hiding (`ssi.formats.hiding`) and opening (`ssi.formats.opening`) share: hash functions, reserved names, digests.
"""

from __future__ import annotations

import hashlib
from binascii import b2a_base64
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from ssi.errors import Unsupported

Hash = Callable[[bytes], Any]
"""A constructor of `hashlib`."""

HASHES: Final[Mapping[str, Hash]] = {
    "sha-256": hashlib.sha256,
    "sha-384": hashlib.sha384,
    "sha-512": hashlib.sha512,
}
"""The hash functions accepted in `_sd_alg`, by their IANA name (RFC 9901 §4.1.1)."""

RESERVED: Final = frozenset(("_sd", "...", "_sd_alg"))
"""The mechanism's own names, which no claim may have (RFC 9901 §4.1 rule 7, §4.1.1)."""

MAX_DISCLOSURES = 1024
TO_URL = bytes.maketrans(b"+/", b"-_")
"""From the base64 alphabet to that of base64url."""


def hash_named(name: object) -> Hash:
    """The hash function of an `_sd_alg` value. Raises Unsupported (`sdjwt.sd_alg`)."""
    found = HASHES.get(name) if isinstance(name, str) else None
    if found is None:
        raise Unsupported("sdjwt.sd_alg", "The credential's disclosures use a hash function that is not accepted.")
    return found


def digest(text: bytes, hash_new: Hash = hashlib.sha256) -> str:
    """The base64url digest of a text as it is on the wire (RFC 9901 §4.2.3).

    >>> digest(b"WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0")
    'w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs'
    """
    return b2a_base64(hash_new(text).digest(), newline=False).translate(TO_URL, b"=").decode("ascii")


def digests(texts: Sequence[bytes], hash_new: Hash) -> tuple[str, ...]:
    """The `digest` of each text, all encoded at once, which is twice as fast as one by one.

    Zero bytes fill each digest up to a multiple of three, so that its characters end where the next one's begin, and
    the characters that come of the filling are cut off.
    """
    if len(texts) < 2:
        return tuple(digest(text, hash_new) for text in texts)
    raw = [hashed.digest() for hashed in map(hash_new, texts)]
    fill = b"\x00" * (-len(raw[0]) % 3)
    encoded = b2a_base64(fill.join(raw) + fill, newline=False).translate(TO_URL).decode("ascii")
    found: tuple[str, ...] = _cutter(len(raw), len(raw[0]), len(fill))(encoded)
    return found


@lru_cache(maxsize=256)
def _cutter(count: int, size: int, fill: int) -> itemgetter[Any]:
    """What cuts the characters of `count` filled-up digests of `size` bytes apart."""
    length, step = (size * 8 + 5) // 6, (size + fill) // 3 * 4
    return itemgetter(*(slice(start, start + length) for start in range(0, count * step, step)))
