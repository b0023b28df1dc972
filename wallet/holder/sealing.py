"""Sealing: how is a piece of data made unreadable, and unmovable, for everyone without its key?

AES-256-GCM under a key that serves one purpose, with a fresh random nonce; what the data belongs to is authenticated
with it, so that a sealed value put in another's place does not open.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ssi.errors import Malformed, Refused

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16

Random = Callable[[int], bytes]
"""A source of that many unpredictable bytes: `os.urandom` outside tests."""


@dataclass(frozen=True)
class Key:
    """32 secret bytes from which keys for single purposes are derived. Never shown by `repr`."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise Malformed("sealing.key", f"A sealing key has {KEY_BYTES} bytes.")

    @staticmethod
    def generate(random: Random = os.urandom) -> Key:
        """A fresh key."""
        return Key(random(KEY_BYTES))

    def derive(self, purpose: str) -> Key:
        """The key for one purpose (HKDF-SHA-256, RFC 5869): none of them tells anything about another."""
        function = HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode())
        return Key(function.derive(self.secret))

    def seal(self, plain: bytes, *, bound_to: bytes, random: Random = os.urandom) -> bytes:
        """Nonce, ciphertext and tag; opens only together with the same `bound_to`."""
        nonce = random(NONCE_BYTES)
        return nonce + AESGCM(self.secret).encrypt(nonce, plain, bound_to)

    def open(self, sealed: bytes, *, bound_to: bytes) -> bytes:
        """What was sealed. Raises Refused (`sealing.altered`) under another key, another place, or a changed byte."""
        if len(sealed) < NONCE_BYTES + TAG_BYTES:
            raise Refused("sealing.altered", "The sealed data is damaged.")
        try:
            return AESGCM(self.secret).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
        except InvalidTag:
            raise Refused("sealing.altered", "The sealed data was changed, moved, or has another key.") from None

    def blind(self, value: str) -> bytes:
        """A stand-in for a value, for finding it again without storing it (HMAC-SHA-256)."""
        return hmac.digest(self.secret, value.encode("utf-8", "surrogatepass"), "sha256")


def place(*parts: str | int) -> bytes:
    """Where sealed data belongs, in an encoding that no two different places share: each part with its length.

    >>> place("card", "v1", 2)
    b'4:card|2:v1|1:2'
    """
    texts = [str(part) for part in parts]
    return "|".join(f"{len(text)}:{text}" for text in texts).encode("utf-8", "surrogatepass")
