"""secp256k1: the curve of older credentials and of blockchain accounts, for the proofs in this room only.

Its algorithm is not in `ssi.keys.ALGORITHMS`: no token, certificate or other proof in the house is signed with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from ssi.encoding import Json, unb64url
from ssi.errors import Malformed
from ssi.keys import Algorithm, PublicKey, SoftwareSigner

ES256K: Final = Algorithm("ES256K", "EC", "secp256k1", 64, ec.SECP256K1(), hashes.SHA256())
"""ECDSA over secp256k1 with SHA-256 (RFC 8812 §3.2)."""

_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def generate() -> SoftwareSigner:
    """A fresh key."""
    native = ec.generate_private_key(ec.SECP256K1())
    return SoftwareSigner(public(native.public_key()), native)


def public(native: ec.EllipticCurvePublicKey) -> PublicKey:
    """Wrap a `cryptography` key of this curve."""
    point = native.public_numbers()
    return PublicKey(ES256K, point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big"), _native=native)


def from_point(data: bytes) -> PublicKey:
    """Read a SEC 1 point, compressed or not. Raises Malformed (`key.point`)."""
    try:
        return public(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), data))
    except (ValueError, UnsupportedAlgorithm):
        raise Malformed("key.point", "The key is not a point on its curve.") from None


def low(signature: bytes) -> bytes:
    """The same signature (r || s) with the smaller of its two possible `s`; other sizes as they are.

    Both are valid (RFC 8812 asks for neither), but DIDKit accepts only this one.
    """
    s = int.from_bytes(signature[32:], "big")
    if len(signature) != ES256K.size or not _ORDER // 2 < s < _ORDER:
        return signature
    return signature[:32] + (_ORDER - s).to_bytes(32, "big")


def is_jwk(jwk: Json) -> bool:
    """Is this the JWK of a key on this curve (RFC 8812 §3.1)?"""
    return isinstance(jwk, Mapping) and (jwk.get("kty"), jwk.get("crv")) == ("EC", "secp256k1")


def from_jwk(jwk: Mapping[str, Json]) -> PublicKey:
    """Read such a JWK. Raises Malformed (`key.jwk`, `key.private`, `key.use`, `key.point`, `encoding.*`)."""
    x, y = jwk.get("x"), jwk.get("y")
    if "d" in jwk:
        raise Malformed("key.private", "The key holds private members where only a public key belongs.")
    if jwk.get("use", "sig") != "sig":
        raise Malformed("key.use", "The key is not meant for verifying signatures.")
    if not isinstance(x, str) or not isinstance(y, str):
        raise Malformed("key.jwk", "The key's coordinates are missing.")
    point = [unb64url(part, what="key") for part in (x, y)]
    if any(len(part) != 32 for part in point):
        raise Malformed("key.point", "The key's coordinates are of the wrong size.")
    return from_point(b"\x04" + b"".join(point))
