"""Core operations: a signature over scalars and generators, made and verified (IRTF BBS §3.6.1, §3.6.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from py_arkworks_bls12381 import G1Point, Scalar

from ssi.bbs import curve
from ssi.bbs.ciphersuites import Generators, Interface
from ssi.errors import Malformed, Refused, Unsupported

SIGNATURE: Final = curve.POINT + curve.SCALAR
MAX_MESSAGES: Final = 128
"""Messages under one signature: with more, the first proof of its size would cost more than 50 ms of one processor."""


@dataclass(frozen=True)
class Statement:
    """What a signature is about: who signed, the header, and every message as a scalar beside its generator."""

    interface: Interface
    public: bytes
    generators: Generators
    header: bytes
    scalars: Sequence[Scalar] = field(repr=False)

    def domain(self) -> Scalar:
        """`calculate_domain` (§4.2.3)."""
        return domain(self.interface, self.public, self.generators, self.header)

    def point(self, domain: Scalar) -> G1Point:
        """B: the point that is signed, P1 + Q_1 * domain + H_1 * msg_1 + … (§3.6.1 step 3)."""
        return self.interface.suite.p1 + curve.total(self.generators.points, [domain, *self.scalars])


def domain(interface: Interface, public: bytes, generators: Generators, header: bytes) -> Scalar:
    """`calculate_domain` (§4.2.3): signer, generators, interface and header in one scalar."""
    count = (len(generators.points) - 1).to_bytes(8, "big")
    size = len(header).to_bytes(8, "big")
    return interface.digest(public + count + generators.octets + interface.api_id + size + header)


def bounded(count: int) -> int:
    """The count of messages, when it is one that this house signs. Raises Unsupported (`bbs.messages`)."""
    if count > MAX_MESSAGES:
        raise Unsupported("bbs.messages", f"A BBS signature is over at most {MAX_MESSAGES} messages here.")
    return count


def read_signature(octets: bytes) -> tuple[G1Point, Scalar]:
    """`octets_to_signature` (§4.2.4.3). Raises Malformed (`bbs.length`, `bbs.point`, `bbs.scalar`)."""
    if len(octets) != SIGNATURE:
        raise Malformed("bbs.length", f"A BBS signature has {SIGNATURE} bytes.")
    return curve.g1(octets[: curve.POINT]), curve.scalar(octets[curve.POINT :])


def sign(secret: Scalar, statement: Statement) -> bytes:
    """`CoreSign` (§3.6.1): deterministic, 80 bytes."""
    bound = statement.domain()
    parts = (secret, *statement.scalars, bound)
    e = statement.interface.digest(b"".join(part.to_be_bytes() for part in parts))
    return seal(secret, e, statement.point(bound))


def seal(secret: Scalar, e: Scalar, point: G1Point) -> bytes:
    """The signature (A, e) with A = B * 1/(SK + e) (§3.6.1 steps 4 and 5).

    arkworks takes longer over some numbers than over others. So what it inverts and multiplies with is never SK + e or
    its inverse but these under masks, which nobody without SK can know and which no other signature has.
    """
    known = secret.to_be_bytes() + e.to_be_bytes() + point.to_compressed_bytes()
    stream = hashlib.shake_256(b"facet bbs masks" + known).digest(2 * curve.EXPANDED)
    mask, part = (curve.reduced(half) for half in (stream[: curve.EXPANDED], stream[curve.EXPANDED :]))
    whole = curve.inverse((secret + e) * mask) * mask
    return (point * (whole - part) + point * part).to_compressed_bytes() + e.to_be_bytes()


def verify(signature: bytes, statement: Statement) -> None:
    """`CoreVerify` (§3.6.2). Raises Refused (`bbs.signature`), Malformed."""
    public = curve.public_point(statement.public)
    a, e = read_signature(signature)
    # h(A, W) * h(A * e - B, BP2) = 1
    if not curve.paired(a, public, statement.point(statement.domain()) - a * e):
        raise Refused("bbs.signature", "The BBS signature does not match.")
