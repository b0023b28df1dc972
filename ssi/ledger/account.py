"""Accounts on a ledger: handles that sign transactions and never show their key."""

from __future__ import annotations

from typing import Final, Protocol

import coincurve
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ssi.errors import Malformed
from ssi.ledger.hexes import address_of

_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_SIZE: Final = 32


class LedgerSigner(Protocol):
    """Somebody who can sign for an account; the key may be elsewhere."""

    @property
    def address(self) -> str:
        """The account's address, lower-case "0x…" text."""

    def sign_digest(self, digest: bytes) -> tuple[int, int, int]:
        """Sign 32 bytes: r, s (the smaller of the two possible) and the parity of y (0 or 1)."""


class SoftwareAccount:
    """An account whose secp256k1 key is in this process's memory."""

    __slots__ = ("_key", "address")

    def __init__(self, key: coincurve.PrivateKey) -> None:
        self._key = key
        self.address = address_of(self.public_point)

    @classmethod
    def generate(cls) -> SoftwareAccount:
        """A fresh key from the system's randomness."""
        return cls(coincurve.PrivateKey())

    @classmethod
    def from_secret(cls, secret: bytes) -> SoftwareAccount:
        """The account of a secret number (32 bytes, big-endian). Raises Malformed (`ledger.key`)."""
        if len(secret) != _SIZE or not 0 < int.from_bytes(secret, "big") < _ORDER:
            raise Malformed("ledger.key", "The secret is not one of this kind of account.")
        return cls(coincurve.PrivateKey(secret))

    @classmethod
    def from_pem(cls, pem: bytes) -> SoftwareAccount:
        """The account of an unencrypted PEM file. Raises Malformed (`ledger.key`)."""
        try:
            native = serialization.load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise Malformed("ledger.key", "The file holds no key that this service can read.") from None
        if not isinstance(native, ec.EllipticCurvePrivateKey) or native.curve.name != "secp256k1":
            raise Malformed("ledger.key", "The file's key is not one of a ledger's account.")
        return cls.from_secret(native.private_numbers().private_value.to_bytes(_SIZE, "big"))

    def pem(self) -> bytes:
        """The key as PEM (PKCS #8, unencrypted): for the file of whoever owns the account, and nobody else."""
        native = ec.derive_private_key(int.from_bytes(self._key.secret, "big"), ec.SECP256K1())
        return native.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def public_point(self) -> bytes:
        """Both coordinates of the public key, 32 bytes each."""
        return bytes(self._key.public_key.format(compressed=False)[1:])

    def sign_digest(self, digest: bytes) -> tuple[int, int, int]:
        """Sign 32 bytes: r, low s (EIP-2) and the parity of y; the same digest gives the same signature (RFC 6979)."""
        if len(digest) != _SIZE:
            raise Malformed("ledger.digest", "Accounts sign digests of 32 bytes.")
        signed = self._key.sign_recoverable(digest, hasher=None)
        return int.from_bytes(signed[:32], "big"), int.from_bytes(signed[32:64], "big"), signed[64]

    def __repr__(self) -> str:
        """The address and nothing of the key."""
        return f"SoftwareAccount({self.address})"


def recover(digest: bytes, r: int, s: int, y_parity: int) -> str:
    """The address whose key signed the digest so. Raises Malformed (`ledger.signature`)."""
    if not (0 < r < _ORDER and 0 < s <= _ORDER // 2 and y_parity in (0, 1) and len(digest) == _SIZE):
        raise Malformed("ledger.signature", "The signature is not one that ledgers accept.")
    x = r.to_bytes(_SIZE, "big")
    try:
        point = coincurve.PublicKey(bytes([2 + y_parity]) + x)
    except ValueError as error:
        raise Malformed("ledger.signature", "The signature is not one that ledgers accept.") from error
    factor, number = s.to_bytes(_SIZE, "big"), int.from_bytes(digest, "big") % _ORDER
    if number and point.multiply(factor) == coincurve.PrivateKey.from_int(number).public_key:
        raise Malformed("ledger.signature", "The signature fits no key at all.")
    key = coincurve.PublicKey.from_signature_and_message(x + factor + bytes([y_parity]), digest, hasher=None)
    return address_of(key.format(compressed=False)[1:])
