"""BBS keys: a secret scalar that signs many messages at once, and its public point (IRTF BBS §3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn

from ssi.bbs import blind, curve, pseudonyms
from ssi.bbs.ciphersuites import SHA256, Ciphersuite
from ssi.bbs.curve import Random
from ssi.bbs.signatures import sign
from ssi.errors import Malformed, Unsupported
from ssi.keys import PublicKey

_MATERIAL: Final = 32


def secret_key(material: bytes, info: bytes = b"", *, dst: bytes | None = None, suite: Ciphersuite = SHA256) -> bytes:
    """`KeyGen` (§3.4.1): the secret key of secret key material, 32 bytes. Raises Malformed (`bbs.material`)."""
    if len(material) < _MATERIAL or len(info) > 65535:
        raise Malformed("bbs.material", "Key material for BBS has at least 32 bytes.")
    data = material + len(info).to_bytes(2, "big") + info
    found = suite.hash_to_scalar(data, suite.id + b"KEYGEN_DST_" if dst is None else dst)
    return curve.scalar(found.to_be_bytes()).to_be_bytes()


def public_key(secret: bytes) -> bytes:
    """`SkToPk` (§3.4.2): the public key as 96 bytes. Raises Malformed (`bbs.scalar`)."""
    return curve.public_octets(curve.scalar(secret))


@dataclass(frozen=True)
class BbsSigner:
    """A BBS key held in this process's memory. It signs headers with messages, and never shows its secret."""

    public: PublicKey
    _secret: bytes = field(repr=False, compare=False)
    name: str = ""

    @property
    def kid(self) -> str:
        """Its given name, else its thumbprint."""
        return self.name or self.public.kid

    @staticmethod
    def generate(*, random: Random, name: str = "") -> BbsSigner:
        """Make a fresh key. Raises Malformed (`bbs.material`) when the source gives too few bytes."""
        return BbsSigner.from_secret(secret_key(random(_MATERIAL)), name=name)

    @staticmethod
    def from_secret(secret: bytes, *, name: str = "") -> BbsSigner:
        """Load a secret key of 32 bytes. Raises Malformed (`bbs.scalar`)."""
        return BbsSigner(PublicKey.bbs(public_key(secret)), secret, name)

    def secret(self) -> bytes:
        """The secret, for a store that encrypts it. Never log, send or print it."""
        return self._secret

    def sign(self, message: bytes) -> NoReturn:
        """A BBS key signs messages together, never one as JOSE would. Raises Unsupported (`bbs.one_message`)."""
        raise Unsupported("bbs.one_message", "A BBS key does not sign in JOSE form.")

    def sign_all(self, header: bytes, messages: Sequence[bytes]) -> bytes:
        """Sign a header and messages in their order: 80 bytes. Raises Unsupported (`bbs.messages`)."""
        return sign(self._secret, self.public.x, header, messages)

    def sign_blind(self, commitment: bytes, header: bytes, messages: Sequence[bytes]) -> bytes:
        """Sign with one secret that the holder has committed to (`ssi.bbs.blind`). Raises like `blind.sign`."""
        return blind.sign(self._secret, self.public.x, commitment, header, messages)

    def sign_nym(
        self, commitment: bytes, entropy: bytes, header: bytes, messages: Sequence[bytes], *, secrets: int
    ) -> bytes:
        """Sign with a pseudonym secret, and so many others (`ssi.bbs.pseudonyms`). Raises like `pseudonyms.sign`."""
        return pseudonyms.sign(self._secret, self.public.x, commitment, entropy, header, messages, secrets=secrets)
