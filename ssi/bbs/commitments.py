"""Commitments: a holder has secrets signed that the issuer never sees (draft-irtf-cfrg-bbs-blind-signatures).

Blind signatures (`ssi.bbs.blind`) and pseudonyms (`ssi.bbs.pseudonyms`) share this. Section numbers are those of the
draft's text of March 2025, which the vectors of Data Integrity BBS 1.0 were made with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from py_arkworks_bls12381 import G1Point, Scalar

from ssi.bbs import core, curve
from ssi.bbs.ciphersuites import Interface, generators
from ssi.bbs.core import Statement
from ssi.bbs.curve import Random
from ssi.errors import Malformed, Refused

FLOOR: Final = curve.POINT + 2 * curve.SCALAR
MAX_SECRETS: Final = 8
"""Secrets under one commitment. Data Integrity BBS knows at most two."""


@dataclass(frozen=True)
class Commitment:
    """What a holder sends to an issuer (`octets`), and the secret blind that it keeps for its proofs."""

    octets: bytes
    blind: bytes = field(repr=False)


def commit(interface: Interface, secrets: Sequence[Scalar], *, random: Random) -> Commitment:
    """`CoreCommit` (§4.3.1): commit to the secrets and prove to know them."""
    bases = generators(interface, len(secrets) + 1, blind=True).points
    blind, *blinds = curve.random_scalars(len(secrets) + 2, random=random)
    hidden = (blind, *secrets)
    point, traced = curve.total(bases, hidden), curve.total(bases, blinds)
    challenge = _challenge(interface, len(secrets), point, traced)
    answers = [mask + value * challenge for mask, value in zip(blinds, hidden, strict=True)]
    octets = b"".join(number.to_be_bytes() for number in (*answers, challenge))
    return Commitment(point.to_compressed_bytes() + octets, blind.to_be_bytes())


def opened(interface: Interface, octets: bytes, *, secrets: int) -> G1Point:
    """`deserialize_and_validate_commit` (§4.1.2): the point, once its proof holds for so many secrets.

    Raises Malformed (`bbs.length`, `bbs.point`, `bbs.scalar`), Refused (`bbs.commitment`).
    """
    if len(octets) != FLOOR + secrets * curve.SCALAR or secrets > MAX_SECRETS:
        raise Malformed("bbs.length", "The commitment is not of the length that it must have.")
    point = curve.g1(octets[: curve.POINT])
    starts = range(curve.POINT, len(octets), curve.SCALAR)
    *answers, challenge = (curve.scalar(octets[at : at + curve.SCALAR]) for at in starts)
    bases = generators(interface, secrets + 1, blind=True).points
    traced = curve.total((*bases, point), (*answers, -challenge))  # CoreCommitVerify (§4.3.2)
    if _challenge(interface, secrets, point, traced) != challenge:
        raise Refused("bbs.commitment", "The commitment's proof does not hold.")
    return point


def _challenge(interface: Interface, secrets: int, point: G1Point, traced: G1Point) -> Scalar:
    """`calculate_blind_challenge` (§5.3)."""
    bases = generators(interface, secrets + 1, blind=True).octets
    ends = point.to_compressed_bytes() + traced.to_compressed_bytes()
    return interface.digest(secrets.to_bytes(8, "big") + bases + ends)


def statement(
    interface: Interface, public: bytes, header: bytes, messages: Sequence[bytes], hidden: Sequence[Scalar]
) -> Statement:
    """All that such a signature is about (`prepare_parameters`, §5.1): `hidden` are the blind and then the secrets."""
    count = core.bounded(len(messages) + len(hidden)) - len(hidden)
    bases = generators(interface, count + 1) + generators(interface, len(hidden), blind=True)
    return Statement(interface, public, bases, header, [*interface.scalars(messages), *hidden])


def sign(
    interface: Interface,
    keys: tuple[bytes, bytes],
    committed: G1Point,
    header: bytes,
    messages: Sequence[bytes],
    *,
    secrets: int,
) -> bytes:
    """`FinalizeBlindSign` (§4.3.3) over messages and a commitment to so many secrets; `keys` are secret and public.

    As the vectors have it, e is hashed from SK and B alone; B holds the domain. No verifier ever computes e.
    """
    key = curve.scalar(keys[0])
    curve.public_point(keys[1])
    count = core.bounded(len(messages) + secrets + 1) - secrets
    bases = generators(interface, count)
    bound = core.domain(interface, keys[1], bases + generators(interface, secrets + 1, blind=True), header)
    own = curve.total(bases.points, [bound, *interface.scalars(messages)])
    point = interface.suite.p1 + own + committed
    return core.seal(key, interface.digest(key.to_be_bytes() + point.to_compressed_bytes()), point)
