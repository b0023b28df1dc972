"""Sealing: what this service must keep but nobody who reads its database may read (claims, decryption keys)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ssi.errors import Malformed, Refused

KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True)
class Sealer:
    """AES-256-GCM under one local key; every sealed value is tied to its place by a context string."""

    _cipher: AESGCM = field(repr=False)
    _random: Callable[[int], bytes] = field(repr=False)

    @staticmethod
    def from_key(key: bytes, *, random: Callable[[int], bytes]) -> Sealer:
        """Raises Malformed (`seal.key`) when the key is not 32 bytes."""
        if len(key) != KEY_BYTES:
            raise Malformed("seal.key", f"The sealing key must be exactly {KEY_BYTES} bytes.")
        return Sealer(AESGCM(key), random)

    def seal(self, data: bytes, *, context: str) -> bytes:
        """Nonce and ciphertext. The same data sealed twice looks different."""
        nonce = self._random(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data, context.encode())

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """The data again. Raises Refused (`seal.broken`) for other keys, places or bytes."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError):
            raise Refused("seal.broken", "A sealed value of this service's store cannot be opened.") from None


def key_file(path: Path, *, random: Callable[[int], bytes]) -> bytes:
    """The key in a file; made, for its owner only, when the file is missing.

    Complete or absent: the key is written aside and linked into place, so of several workers that start together
    exactly one makes it. Replicas that share a database must share this file. Raises Malformed (`seal.key`).
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{random(8).hex()}")
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(random(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, path)
        except FileExistsError:
            pass  # another worker was first: its key is the key
        finally:
            aside.unlink()
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise Malformed("seal.key", f"The file of the sealing key must hold exactly {KEY_BYTES} bytes.")
    return key
