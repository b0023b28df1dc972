"""The curve BLS12-381: which bytes are points and scalars, and how points are summed and paired.

All arithmetic is arkworks' (`py_arkworks_bls12381`), which is not constant time: docs/adr/0009-bbs.md says what that
means. What arkworks leaves open is closed here: identity points, encodings that are not the canonical one, zero scalars
and sums over lists of unequal length are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from ssi.errors import Malformed, Refused

POINT: Final = 48
SCALAR: Final = 32
PUBLIC: Final = 96
EXPANDED: Final = 48  # expand_len of both ciphersuites (§7.2): enough bytes for a scalar without bias

_IDENTITY: Final = G1Point.identity()
_IDENTITY_2: Final = G2Point.identity()
_BASE_2: Final = G2Point()

Random = Callable[[int], bytes]
"""Where secrets come from: so many bytes, uniformly random and never given twice (`secrets.token_bytes`)."""


def g1(data: bytes) -> G1Point:
    """Read a compressed point of G1 (§4.2.4.3 `octets_to_point_E1`, subgroup check, not the identity).

    Raises Malformed (`bbs.point`).
    """
    try:
        point = G1Point.from_compressed_bytes(data)
    except ValueError:
        raise Malformed("bbs.point", "A point of the BBS value is not on its curve.") from None
    if point == _IDENTITY or point.to_compressed_bytes() != data:
        raise Malformed("bbs.point", "A point of the BBS value is the identity or not in its one encoding.")
    return point


@lru_cache(maxsize=1024)
def public_point(data: bytes) -> G2Point:
    """Read a public key (§4.2.4.6 `octets_to_pubkey`), once per key. Raises Malformed (`bbs.key`)."""
    try:
        point = G2Point.from_compressed_bytes(data)
    except ValueError:
        raise Malformed("bbs.key", "The BBS public key is not a point on its curve.") from None
    if point == _IDENTITY_2 or point.to_compressed_bytes() != data:
        raise Malformed("bbs.key", "The BBS public key is the identity or not in its one encoding.")
    return point


def public_octets(secret: Scalar) -> bytes:
    """The public key of a secret one (§3.4.2 `SkToPk`), 96 bytes."""
    return (_BASE_2 * secret).to_compressed_bytes()


def scalar(data: bytes) -> Scalar:
    """Read a scalar: 32 bytes, more than zero and less than the groups' order. Raises Malformed (`bbs.scalar`)."""
    try:
        value = Scalar.from_be_bytes(data)
    except ValueError:
        raise Malformed("bbs.scalar", "A number of the BBS value is not below the order of the curve.") from None
    if value.is_zero():
        raise Malformed("bbs.scalar", "A number of the BBS value is zero.")
    return value


def reduced(data: bytes) -> Scalar:
    """A number of any length modulo the order: `OS2IP(data) mod r`."""
    return Scalar.from_be_bytes_mod_order(data)


def random_scalars(count: int, *, random: Random) -> list[Scalar]:
    """So many random scalars (§4.2.1). Raises Refused (`bbs.random`) when the source gives less than it was asked."""
    found = []
    for _ in range(count):
        data = random(EXPANDED)
        value = reduced(data)
        if len(data) != EXPANDED or value.is_zero():
            raise Refused("bbs.random", "The source of randomness does not give random bytes.")
        found.append(value)
    return found


def total(points: Sequence[G1Point], scalars: Sequence[Scalar]) -> G1Point:
    """The sum of points times scalars. Raises ValueError when they are not equally many (a fault of this package)."""
    if len(points) != len(scalars):
        raise ValueError(f"{len(points)} points for {len(scalars)} scalars")
    return G1Point.multiexp_unchecked(list(points), list(scalars))


def paired(left: G1Point, public: G2Point, right: G1Point) -> bool:
    """Is h(left, public) equal to h(right, BP2)? One product of two pairings."""
    return GT.pairing_check([left, -right], [public, _BASE_2])


def inverse(value: Scalar) -> Scalar:
    """One divided by a scalar. Raises Refused (`bbs.random`) for zero, which no honest input gives."""
    if value.is_zero():
        raise Refused("bbs.random", "The BBS value cannot be made from these inputs.")
    return value.inverse()
