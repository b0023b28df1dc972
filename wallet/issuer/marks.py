"""Marks: was this made with this desk's secret, and not long ago?

Nonces for DPoP and challenges for wallet attestations are not kept anywhere: they hold their time and a keyed hash over
it. Six-digit codes are kept as keyed hashes, so that a stolen database is no list to try them against.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ssi.encoding import b64url, seconds, unb64url
from ssi.errors import Malformed

SERVER: Final = "dpop at the authorization server"
RESOURCE: Final = "dpop at the credential endpoint"
CHALLENGE: Final = "wallet attestation"
"""What fresh values are for: one made for one purpose counts for no other (RFC 9449 §8.2, §9)."""
FRESH: Final = timedelta(minutes=5)
_SIZE: Final = 16


@dataclass(frozen=True)
class Marks:
    """Makes and knows marks. The first key makes, all of them are known: keys can be changed while values are out."""

    keys: Sequence[bytes] = field(repr=False)

    def of(self, purpose: str, value: str) -> str:
        """The mark of a value."""
        return _mark(self.keys[0], purpose, value).hex()

    def matches(self, purpose: str, value: str, mark: str) -> bool:
        """Is this the mark of that value?"""
        return any(hmac.compare_digest(_mark(key, purpose, value).hex().encode(), mark.encode()) for key in self.keys)

    def fresh(self, purpose: str, *, now: datetime) -> str:
        """A value that says when it was made."""
        clock = seconds(now).to_bytes(8, "big")
        return b64url(clock + _mark(self.keys[0], purpose, clock.hex())[:_SIZE])

    def is_fresh(self, purpose: str, value: str, *, now: datetime) -> bool:
        """Did `fresh` make this value for this purpose, and not longer ago than `FRESH`?"""
        try:
            data = unb64url(value[:64])
        except Malformed:
            return False
        clock, mark = data[:8], data[8:]
        age = seconds(now) - int.from_bytes(clock, "big")
        if len(mark) != _SIZE or not -60 <= age < FRESH.total_seconds():
            return False
        return any(hmac.compare_digest(_mark(key, purpose, clock.hex())[:_SIZE], mark) for key in self.keys)


def _mark(key: bytes, purpose: str, value: str) -> bytes:
    return hmac.digest(key, f"facet {purpose}\n{value}".encode("utf-8", "surrogatepass"), hashlib.sha256)
