"""Direct key agreement: which secret do a stranger's passing key and our own key share, and what does it encrypt?

ECDH-ES without key wrapping (RFC 7518 §4.6) and AES-GCM (§5.3), on the bytes of the parts: what a token says and which
of it is allowed is for `ssi.jose.jwe`.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ssi.errors import Refused
from ssi.keys import PublicKey

KEY_BYTES: Final = {"A128GCM": 16, "A256GCM": 32}
"""The size of the content encryption key of each `enc`: none beyond one round of the key derivation."""
IV_BYTES: Final = 12
TAG_BYTES: Final = 16
_FIRST_ROUND: Final = (1).to_bytes(4, "big")
_ECDH: Final = ec.ECDH()


class Terms(NamedTuple):
    """What sender and reader say of the agreement in the token's header: what for, and who they are."""

    enc: str
    apu: bytes
    apv: bytes


def derive_key(shared: bytes, terms: Terms) -> bytes:
    """The content encryption key of a shared secret: Concat KDF with SHA-256 (RFC 7518 §4.6.2), one round."""
    size = KEY_BYTES[terms.enc]
    info = (_sized(terms.enc.encode("ascii")), _sized(terms.apu), _sized(terms.apv), (size * 8).to_bytes(4, "big"))
    return sha256(b"".join((_FIRST_ROUND, shared, *info))).digest()[:size]


def seal(plain: bytes, *, own: ec.EllipticCurvePrivateKey, other: PublicKey, terms: Terms, header: bytes) -> bytes:
    """IV, ciphertext and tag, in this order; `own` is made for this one token, `header` is what is protected along."""
    iv = os.urandom(IV_BYTES)
    return iv + AESGCM(derive_key(_agreed(own, other), terms)).encrypt(iv, plain, header)


def unseal(sealed: bytes, *, own: ec.EllipticCurvePrivateKey, other: PublicKey, terms: Terms, header: bytes) -> bytes:
    """What `seal` made of its plain text. Raises Refused (`jose.jwe_tag`) for other keys, terms, headers or bytes."""
    try:
        cipher = AESGCM(derive_key(_agreed(own, other), terms))
        return cipher.decrypt(sealed[:IV_BYTES], sealed[IV_BYTES:], header)
    except (InvalidTag, ValueError):
        raise Refused("jose.jwe_tag", "The encrypted token was not made for this key, or was changed.") from None


def _agreed(own: ec.EllipticCurvePrivateKey, other: PublicKey) -> bytes:
    """The raw secret (RFC 7518 §4.6.2: Z). Raises ValueError when the keys are not of one curve."""
    native: Any = other.native
    shared: bytes = own.exchange(_ECDH, native)
    return shared


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data
