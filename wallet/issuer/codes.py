"""Codes and tokens: made at random, handed out once, and kept only as hashes."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Final

from ssi.encoding import b64url

TX_CODE_LENGTH: Final = 6
Random = Callable[[int], bytes]
"""A source of `n` unpredictable bytes."""

_REFERENCE: Final = "23456789BCDFGHJKLMNPQRSTVWXZ"  # no vowels, nothing that looks like something else


def token(random: Random) -> str:
    """A 256-bit bearer value."""
    return b64url(random(32))


def tx_code(random: Random) -> str:
    """Six digits that a person reads out or types."""
    limit = 10**TX_CODE_LENGTH
    return str(int.from_bytes(random(16), "big") % limit).zfill(TX_CODE_LENGTH)


def reference(random: Random) -> str:
    """A short name for an application that people can say: `K7F2-9QXM`."""
    letters = "".join(_REFERENCE[byte % len(_REFERENCE)] for byte in random(8))
    return f"{letters[:4]}-{letters[4:]}"


def hashed(value: str) -> str:
    """How a code is kept. All codes hashed this way hold 256 random bits, so a plain digest hides them.

    >>> hashed("x") == hashed("x")
    True
    """
    return hashlib.sha256(value.encode()).hexdigest()


def code_of(link_secret: str) -> str:
    """The pre-authorized code that belongs to an offer link.

    It is worked out from the link's secret, so that the offer can be fetched while neither is kept.
    """
    return b64url(hashlib.sha256(b"facet pre-authorized code " + link_secret.encode()).digest())


def same(one: str, other: str) -> bool:
    """Equal, compared in constant time."""
    return secrets.compare_digest(one.encode(), other.encode())
