"""Multikey: a public key as one short text that says which kind of key it is (W3C Controlled Identifiers §2.2.2).

`z` and base58btc over the key kind's multicodec (an unsigned varint) and the raw key: 32 bytes for Ed25519, a
compressed point for P-256, P-384, P-521, secp256k1 and BLS12-381 G2 (did:key 0.9, "Signature Method Creation
Algorithm").
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from ssi.encoding import base58, unb64url, unbase58
from ssi.errors import Malformed, Unsupported
from ssi.keys import BBS, EDDSA, ES256, ES384, ES512, Algorithm, NativePublic, PublicKey
from ssi.legacy import secp256k1
from ssi.legacy.secp256k1 import ES256K

_PREFIXES: Final[tuple[tuple[bytes, Algorithm, int], ...]] = (
    (b"\xed\x01", EDDSA, 32),
    (b"\x80\x24", ES256, 33),
    (b"\x81\x24", ES384, 49),
    (b"\x82\x24", ES512, 67),
    (b"\xeb\x01", BBS, 96),
    (b"\xe7\x01", ES256K, 33),
)
"""Multicodec prefix (0xed, 0x1200 to 0x1202, 0xeb, 0xe7 as varints), algorithm, length of the raw key."""


def encode(key: PublicKey) -> str:
    """The key as a Multikey text, in base58btc."""
    prefix = next(prefix for prefix, algorithm, _ in _PREFIXES if algorithm == key.algorithm)
    sign = bytes([2 + (key.y[-1] & 1)]) if key.y else b""
    return "z" + base58(prefix + sign + key.x)


@lru_cache(maxsize=4096)
def decode(text: str) -> PublicKey:
    """Read a Multikey text; base64url (`u`) is read as well, as did:key 0.9 allows it.

    Raises Malformed (`multikey.encoding`, `multikey.length`, `multikey.key`, `key.point`, `encoding.*`) and Unsupported
    (`multikey.type`).
    """
    if text.startswith("z"):
        data = unbase58(text[1:])
    elif text.startswith("u") and len(text) <= 512:
        data = unb64url(text[1:], what="key")
    else:
        raise Malformed("multikey.encoding", "The key is not in a Multibase encoding that is read here.")
    for prefix, algorithm, length in _PREFIXES:
        if data.startswith(prefix):
            return _load(data[len(prefix) :], algorithm, length)
    raise Unsupported(
        "multikey.type", "The key is not of a type this service accepts (P-256, P-384, P-521, Ed25519, BLS12-381 G2)."
    )


def _load(raw: bytes, algorithm: Algorithm, length: int) -> PublicKey:
    native: NativePublic
    if len(raw) != length:
        raise Malformed("multikey.length", "The key is not of the length that its type has.")
    if algorithm is BBS:
        return PublicKey.bbs(raw)
    try:
        if algorithm.curve is None:
            native = ed25519.Ed25519PublicKey.from_public_bytes(raw)
        else:
            native = ec.EllipticCurvePublicKey.from_encoded_point(algorithm.curve, raw)
    except (ValueError, UnsupportedAlgorithm):
        raise Malformed("multikey.key", "The key is not a point on its curve.") from None
    if isinstance(native, ec.EllipticCurvePublicKey) and algorithm is ES256K:
        return secp256k1.public(native)
    return PublicKey.from_native(native)
