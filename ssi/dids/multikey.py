"""Multikey: a public key as one short text that says which kind of key it is (W3C Controlled Identifiers §2.2.2).

`z` and base58btc over the key kind's multicodec (an unsigned varint) and the raw key: 32 bytes for Ed25519, a
compressed point for P-256, P-384, P-521, secp256k1 and BLS12-381 (did:key 0.9, "Signature Method Creation Algorithm").
Kinds that this house does not verify with (X25519, RSA …) are read as well: a document may hold them, for others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from ssi.bbs import curve
from ssi.encoding import Json, b64url, base58, read_json_object, unb64url, unbase58
from ssi.errors import Malformed, Unsupported
from ssi.keys import BBS, EDDSA, ES256, ES384, ES512, Algorithm, PublicKey
from ssi.legacy import secp256k1
from ssi.legacy.secp256k1 import ES256K

_MAX_TEXT: Final = 1024
_RSA_BITS: Final = range(2048, 8193)


@dataclass(frozen=True)
class Multikey:
    """A key as it was read: its multicodec name, its bytes, and as a JWK where one is defined for its kind.

    `key` is None where this house does not verify with keys of the kind; `agrees`: it serves key agreement only.
    """

    kind: str
    raw: bytes
    key: PublicKey | None = None
    jwk: Mapping[str, Json] | None = None
    agrees: bool = False


@dataclass(frozen=True)
class _Kind:
    """A row of the table: the multicodec's name and varint, the raw key's length (None: it varies), how it is read."""

    name: str
    prefix: bytes
    length: int | None
    read: Callable[[bytes], tuple[PublicKey | None, Mapping[str, Json] | None]]
    agrees: bool = False


def _verifies(algorithm: Algorithm) -> Callable[[bytes], tuple[PublicKey | None, Mapping[str, Json] | None]]:
    def read(raw: bytes) -> tuple[PublicKey, Mapping[str, Json]]:
        key = _load(raw, algorithm)
        return key, key.jwk

    return read


def _okp(crv: str) -> Callable[[bytes], tuple[None, Mapping[str, Json]]]:
    """Keys of RFC 8037 that are any bytes of their length."""
    return lambda raw: (None, {"crv": crv, "kty": "OKP", "x": b64url(raw)})


def _opaque(raw: bytes) -> tuple[None, None]:
    """A kind that no JWK is defined for, and that nobody here computes with."""
    return None, None


def _rsa(raw: bytes) -> tuple[None, Mapping[str, Json]]:
    """An RSA key as a PKCS #1 structure in DER (RFC 8017 A.1.1)."""
    try:
        key = serialization.load_der_public_key(raw)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size not in _RSA_BITS:
        raise Malformed("multikey.key", "The key is not an RSA key of a size in use.")
    if key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1) != raw:
        raise Malformed("multikey.key", "The RSA key is not in the one form that it has here.")
    numbers = key.public_numbers()
    n, e = (number.to_bytes((number.bit_length() + 7) // 8, "big") for number in (numbers.n, numbers.e))
    return None, {"e": b64url(e), "kty": "RSA", "n": b64url(n)}


def _g1(raw: bytes) -> tuple[None, Mapping[str, Json]]:
    _on_curve(curve.g1, raw)
    return None, {"crv": "BLS12381G1", "kty": "OKP", "x": b64url(raw)}


def _g1_and_g2(raw: bytes) -> tuple[None, None]:
    _on_curve(curve.g1, raw[:48])
    _on_curve(curve.public_point, raw[48:])
    return None, None


def _jwk(raw: bytes) -> tuple[PublicKey | None, Mapping[str, Json]]:
    """A JWK in its canonical form (multicodec `jwk_jcs-pub`), as did:key of EBSI has it."""
    jwk = read_json_object(raw, what="key", max_bytes=_MAX_TEXT)
    if "d" in jwk or "k" in jwk:
        raise Malformed("key.private", "The key holds private members where only a public key belongs.")
    try:
        return (secp256k1.from_jwk(jwk) if secp256k1.is_jwk(jwk) else PublicKey.from_jwk(jwk)), jwk
    except Unsupported:
        return None, jwk


_KINDS: Final[tuple[_Kind, ...]] = (
    _Kind("ed25519-pub", b"\xed\x01", 32, _verifies(EDDSA)),
    _Kind("p256-pub", b"\x80\x24", 33, _verifies(ES256)),
    _Kind("p384-pub", b"\x81\x24", 49, _verifies(ES384)),
    _Kind("p521-pub", b"\x82\x24", 67, _verifies(ES512)),
    _Kind("bls12_381-g2-pub", b"\xeb\x01", 96, _verifies(BBS)),
    _Kind("secp256k1-pub", b"\xe7\x01", 33, _verifies(ES256K)),
    _Kind("jwk_jcs-pub", b"\xd1\xd6\x03", None, _jwk),
    _Kind("x25519-pub", b"\xec\x01", 32, _okp("X25519"), agrees=True),
    _Kind("x448-pub", b"\x84\x24", 56, _okp("X448"), agrees=True),
    _Kind("ed448-pub", b"\x83\x24", 57, _okp("Ed448")),
    _Kind("bls12_381-g1-pub", b"\xea\x01", 48, _g1),
    _Kind("bls12_381-g1g2-pub", b"\xee\x01", 144, _g1_and_g2),
    _Kind("rsa-pub", b"\x85\x24", None, _rsa),
    _Kind("sr25519-pub", b"\xef\x01", 32, _opaque),
    _Kind("sm2-pub", b"\x86\x24", 33, _opaque),
)
"""Multicodec names and codes (0xed, 0x1200 …, as varints)."""

_CODES: Final[Mapping[str, str]] = {
    EDDSA.name: "ed25519-pub",
    ES256.name: "p256-pub",
    ES384.name: "p384-pub",
    ES512.name: "p521-pub",
    BBS.name: "bls12_381-g2-pub",
    ES256K.name: "secp256k1-pub",
}


def encode(key: PublicKey) -> str:
    """The key as a Multikey text, in base58btc."""
    sign = bytes([2 + (key.y[-1] & 1)]) if key.y else b""
    prefix = next(kind.prefix for kind in _KINDS if kind.name == _CODES[key.algorithm.name])
    return "z" + base58(prefix + sign + key.x)


@lru_cache(maxsize=4096)
def read(text: str) -> Multikey:
    """Read a Multikey text; base64url (`u`) is read as well, as did:key 0.9 allows it.

    Raises Malformed (`multikey.encoding`, `multikey.length`, `multikey.key`, `key.point`, `encoding.*`) and Unsupported
    (`multikey.type`) for a kind that is not known.
    """
    if text.startswith("z"):
        data = unbase58(text[1:], max_length=_MAX_TEXT)
    elif text.startswith("u") and len(text) <= _MAX_TEXT:
        data = unb64url(text[1:], what="key")
    else:
        raise Malformed("multikey.encoding", "The key is not in a Multibase encoding that is read here.")
    for kind in _KINDS:
        if data.startswith(kind.prefix):
            return _read(kind, data[len(kind.prefix) :])
    raise Unsupported("multikey.type", "The key is not of a type this service knows.")


def decode(text: str) -> PublicKey:
    """The key of a Multikey text that this house verifies with. Raises like `read`, and Unsupported for all others."""
    key = read(text).key
    if key is None:
        raise Unsupported(
            "multikey.type",
            "The key is not of a type this service accepts (P-256, P-384, P-521, Ed25519, BLS12-381 G2).",
        )
    return key


def _read(kind: _Kind, raw: bytes) -> Multikey:
    if kind.length is not None and len(raw) != kind.length:
        raise Malformed("multikey.length", "The key is not of the length that its type has.")
    key, jwk = kind.read(raw)
    return Multikey(kind.name, raw, key, jwk, kind.agrees)


def _load(raw: bytes, algorithm: Algorithm) -> PublicKey:
    if algorithm is BBS:
        _on_curve(curve.public_point, raw)
        return PublicKey.bbs(raw)
    try:
        if algorithm.curve is None:
            return PublicKey.from_native(ed25519.Ed25519PublicKey.from_public_bytes(raw))
        native = ec.EllipticCurvePublicKey.from_encoded_point(algorithm.curve, raw)
    except (ValueError, UnsupportedAlgorithm):
        raise Malformed("multikey.key", "The key is not a point on its curve.") from None
    return secp256k1.public(native) if algorithm is ES256K else PublicKey.from_native(native)


def _on_curve(point: Callable[[bytes], object], raw: bytes) -> None:
    try:
        point(raw)
    except Malformed:
        raise Malformed("multikey.key", "The key is not a point on its curve.") from None
