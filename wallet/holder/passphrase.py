"""Passphrases: how does what a person remembers become a key, and is it hard enough to guess?"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from ssi.encoding import Json, b64url, unb64url
from ssi.errors import Malformed, Refused
from wallet.holder.sealing import KEY_BYTES, Key, Random

MIN_LENGTH = 12
MAX_BYTES = 1024
MAX_NAME = 64
SALT_BYTES = 16
_ORDERLY = (
    "0123456789" * 2,
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiop",
    "passphrase",
    "password",
)


@dataclass(frozen=True)
class Cost:
    """What one guess costs (Argon2id, RFC 9106 §3.1): memory in KiB, passes and lanes. Stored with each vault."""

    memory: int = 65_536
    passes: int = 3
    lanes: int = 1


DEFAULT_COST = Cost()


@dataclass(frozen=True)
class Derivation:
    """How one vault's key-encryption key is made from its passphrase: the cost and the vault's own salt."""

    cost: Cost
    salt: bytes

    @staticmethod
    def fresh(cost: Cost, random: Random = os.urandom) -> Derivation:
        """A derivation with a new salt."""
        return Derivation(cost, random(SALT_BYTES))

    def json(self) -> dict[str, Json]:
        """The parameters as they are stored; none of them is secret."""
        cost = self.cost
        return {"kdf": "argon2id", "m": cost.memory, "t": cost.passes, "p": cost.lanes, "salt": b64url(self.salt)}

    @staticmethod
    def read(stored: Mapping[str, Json]) -> Derivation:
        """Read stored parameters. Raises Malformed (`passphrase.parameters`) for another derivation or absurd costs."""
        m, t, p, salt = (stored.get(name) for name in ("m", "t", "p", "salt"))
        if stored.get("kdf") != "argon2id" or not isinstance(salt, str):
            raise Malformed("passphrase.parameters", "The vault's key derivation is not one this wallet knows.")
        if not (isinstance(m, int) and isinstance(t, int) and isinstance(p, int)):
            raise Malformed("passphrase.parameters", "The vault's key derivation has no cost.")
        if not (1 <= p <= 16 and 8 * p <= m <= 4_194_304 and 1 <= t <= 64):
            raise Malformed("passphrase.parameters", "The vault's key derivation has an absurd cost.")
        return Derivation(Cost(m, t, p), unb64url(salt, what="salt"))

    def key(self, passphrase: str, *, pepper: Key) -> Key:
        """The key-encryption key. `pepper` is the service's own secret: a stolen database alone allows no guessing."""
        function = Argon2id(
            salt=self.salt,
            length=KEY_BYTES,
            iterations=self.cost.passes,
            lanes=self.cost.lanes,
            memory_cost=self.cost.memory,
            secret=pepper.secret,
        )
        return Key(function.derive(_bytes(passphrase)))


def _bytes(passphrase: str) -> bytes:
    """The same bytes from every keyboard (NFKC)."""
    return unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogatepass")


def account_name(name: str) -> str:
    """The form in which names are compared: NFKC, case-folded, single spaces.

    >>> account_name("  Ada   Lovelace ")
    'ada lovelace'

    Raises Malformed (`account.name`) for an empty, overlong or unprintable name.
    """
    plain = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    if not plain or len(plain) > MAX_NAME or not plain.isprintable():
        raise Malformed("account.name", f"Choose a name of 1 to {MAX_NAME} letters, digits or signs.")
    return plain


def require_strong(passphrase: str, *, name: str) -> None:
    """Return when the passphrase is fit to protect a vault; it has no second factor and no recovery.

    Raises Refused (`passphrase.short`, `passphrase.long`, `passphrase.guessable`).
    """
    text = unicodedata.normalize("NFKC", passphrase)
    if len(text) < MIN_LENGTH:
        raise Refused("passphrase.short", f"Use at least {MIN_LENGTH} characters. Four or more random words work well.")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise Refused("passphrase.long", f"Use at most {MAX_BYTES} bytes.")
    rest = text.casefold().replace(name.casefold(), "") if name else text.casefold()
    if len(set(rest)) < 5 or _without_runs(rest) < 6:
        raise Refused("passphrase.guessable", "That is too easy to guess. Four or more random words work well.")


def _without_runs(text: str) -> int:
    """How many characters remain when keyboard rows, alphabets, and the most usual words count as nothing."""
    count, index = 0, 0
    while index < len(text):
        run = next((size for size in range(12, 3, -1) if _orderly(text[index : index + size], size)), 0)
        count, index = count + (0 if run else 1), index + (run or 1)
    return count


def _orderly(piece: str, size: int) -> bool:
    return len(piece) == size and any(piece in row or piece[::-1] in row for row in _ORDERLY)
