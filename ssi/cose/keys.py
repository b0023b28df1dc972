"""COSE_Key: a public key as CBOR has it (RFC 9052 §7, RFC 9053 §7)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from ssi.cose.cbor import Cbor, labelled
from ssi.cose.headers import NAMES
from ssi.encoding import b64url
from ssi.errors import Malformed, Unsupported
from ssi.keys import ALGORITHMS, PublicKey

KTY: Final = 1
ALG: Final = 3
KEY_OPS: Final = 4
CRV: Final = -1
X: Final = -2
Y: Final = -3
_PRIVATE: Final = -4
_OKP, _EC2 = 1, 2
_LONGEST: Final = 66  # bytes of a coordinate on P-521
_USES: Final = frozenset((2, 7, 8, "verify", "deriveKey", "deriveBits"))
"""What a public key may be for: verifying, or agreeing on a key (RFC 9052 §7.1)."""

_CURVES: Final[Mapping[tuple[int, int], str]] = MappingProxyType(
    {(_EC2, 1): "ES256", (_EC2, 2): "ES384", (_EC2, 3): "ES512", (_OKP, 6): "EdDSA"}
)
_NUMBERS: Final = MappingProxyType({name: numbers for numbers, name in _CURVES.items()})


def write(key: PublicKey) -> dict[int, Cbor]:
    """A public key as a COSE_Key, required members only. Raises Unsupported (`key.type`)."""
    numbers = _NUMBERS.get(key.algorithm.name)
    if numbers is None:
        raise Unsupported("key.type", "The key cannot be written as a COSE key.")
    kty, crv = numbers
    return {KTY: kty, CRV: crv, X: key.x, Y: key.y} if key.y else {KTY: kty, CRV: crv, X: key.x}


def read(value: Cbor) -> PublicKey:
    """Read a COSE_Key. Private members are refused, so that none is ever stored by accident.

    `kid` and other members that say nothing of the key itself are ignored.
    Raises Malformed (`key.cose`, `key.private`, `key.use`, `key.point`, `cbor.label`), Unsupported (`key.type`).
    """
    if not isinstance(value, dict):
        raise Malformed("key.cose", "The key is not a COSE key.")
    labelled(value, what="key")
    if _PRIVATE in value:
        raise Malformed("key.private", "The key holds private members where only a public key belongs.")
    kty, crv = value.get(KTY), value.get(CRV)
    name = _CURVES.get((kty, crv)) if type(kty) is int and type(crv) is int else None
    if name is None:
        raise Unsupported("key.type", "The key is not of a type this service accepts (P-256, P-384, P-521, Ed25519).")
    if ALG in value and _algorithm(value[ALG]) != name:
        raise Malformed("key.cose", "The key names an algorithm that it cannot serve.")
    operations = value.get(KEY_OPS, (2,))
    if not isinstance(operations, list | tuple) or not any(use in operations for use in _USES):
        raise Malformed("key.use", "The key is not meant for verifying signatures or for agreeing on keys.")
    x, y = value.get(X), value.get(Y, b"")
    if not isinstance(x, bytes) or len(x) > _LONGEST or not _is_coordinate(y):
        raise Malformed("key.cose", "The key's coordinates are missing.")
    return _point(name, x, y)


def _is_coordinate(y: Cbor) -> bool:
    return isinstance(y, bool) or (isinstance(y, bytes) and len(y) <= _LONGEST)


def _algorithm(value: Cbor) -> str | None:
    return NAMES.get(value) if type(value) is int else None


@lru_cache(maxsize=4096, typed=True)
def _point(name: str, x: bytes, y: bytes | bool) -> PublicKey:
    """The point, loaded once per key; `y` as a boolean is its sign (RFC 9053 §7.1.1)."""
    found = ALGORITHMS[name]
    if not isinstance(y, bool):
        return PublicKey.from_jwk({"kty": found.kty, "crv": found.crv, "x": b64url(x), "y": b64url(y)})
    if found.curve is None:
        raise Malformed("key.cose", "The key's coordinates are missing.")
    try:
        prefix = b"\x03" if y else b"\x02"
        return PublicKey.from_native(ec.EllipticCurvePublicKey.from_encoded_point(found.curve, prefix + x))
    except (ValueError, UnsupportedAlgorithm):
        raise Malformed("key.point", "The key is not a point on its curve.") from None
