"""Proofs of knowing a signature: some messages shown, the rest and the signature hidden (IRTF BBS §3.6.3-§3.7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from py_arkworks_bls12381 import G1Point, Scalar

from ssi.bbs import core, curve
from ssi.bbs.ciphersuites import Generators, Interface
from ssi.bbs.core import Statement
from ssi.bbs.curve import Random
from ssi.errors import Malformed, Refused

FLOOR: Final = 3 * curve.POINT + 4 * curve.SCALAR


@dataclass(frozen=True)
class Initial:
    """What prover and verifier both arrive at and hash: three points that hide the signature, two commitments."""

    a_bar: G1Point
    b_bar: G1Point
    d: G1Point
    t1: G1Point
    t2: G1Point
    domain: Scalar

    def octets(self, more: bytes = b"") -> bytes:
        """The points, what other interfaces commit to besides, and the domain, as the challenge hashes them."""
        points = (self.a_bar, self.b_bar, self.d, self.t1, self.t2)
        return b"".join([*(point.to_compressed_bytes() for point in points), more, self.domain.to_be_bytes()])


@dataclass(frozen=True)
class Proof:
    """A proof's parts (§4.2.4.5), each checked to be a point or a scalar that may stand there."""

    a_bar: G1Point
    b_bar: G1Point
    d: G1Point
    e: Scalar
    r1: Scalar
    r3: Scalar
    hidden: tuple[Scalar, ...]
    challenge: Scalar

    def octets(self) -> bytes:
        """`proof_to_octets` (§4.2.4.4)."""
        points = (self.a_bar, self.b_bar, self.d)
        numbers = (self.e, self.r1, self.r3, *self.hidden, self.challenge)
        return b"".join([*(p.to_compressed_bytes() for p in points), *(n.to_be_bytes() for n in numbers)])


Challenge = Callable[[Initial], Scalar]
"""How the challenge is drawn from what was committed to; interfaces hash more than the core does."""


def hidden_count(octets: bytes) -> int:
    """How many messages a proof hides, from its length alone. Raises Malformed (`bbs.length`), Unsupported."""
    rest = len(octets) - FLOOR
    if rest < 0 or rest % curve.SCALAR:
        raise Malformed("bbs.length", "The BBS proof is not of a length that a proof can have.")
    return core.bounded(rest // curve.SCALAR)


def read(octets: bytes) -> Proof:
    """`octets_to_proof` (§4.2.4.5). Raises Malformed (`bbs.length`, `bbs.point`, `bbs.scalar`), Unsupported."""
    hidden_count(octets)
    a_bar, b_bar, d = (curve.g1(octets[at : at + curve.POINT]) for at in range(0, 3 * curve.POINT, curve.POINT))
    starts = range(3 * curve.POINT, len(octets), curve.SCALAR)
    e, r1, r3, *hidden, challenge = (curve.scalar(octets[at : at + curve.SCALAR]) for at in starts)
    return Proof(a_bar, b_bar, d, e, r1, r3, tuple(hidden), challenge)


def split(count: int, shown: Sequence[int]) -> list[int]:
    """The indexes below `count` that are not shown. Raises Malformed (`bbs.indexes`) for any that cannot be shown."""
    chosen = set(shown)
    if len(chosen) != len(shown) or any(type(index) is not int or not 0 <= index < count for index in chosen):
        raise Malformed("bbs.indexes", "The indexes of shown messages are repeated or not those of messages.")
    return [index for index in range(count) if index not in chosen]


def shown_order(count: int, shown: Mapping[int, object]) -> list[int]:
    """The shown indexes in their order. Raises Malformed (`bbs.indexes`) like `split`."""
    split(count, list(shown))
    return sorted(shown)


def challenge_of(
    interface: Interface, committed: bytes, shown: Mapping[int, Scalar], presentation_header: bytes
) -> Scalar:
    """`ProofChallengeCalculate` (§3.7.4) over the octets of what was committed to, what is shown, and the header."""
    parts = [len(shown).to_bytes(8, "big")]
    for index in sorted(shown):
        parts += (index.to_bytes(8, "big"), shown[index].to_be_bytes())
    size = len(presentation_header).to_bytes(8, "big")
    return interface.digest(b"".join([*parts, committed, size, presentation_header]))


def make(
    signature: bytes, statement: Statement, hidden: Sequence[int], blinds: Sequence[Scalar], challenge: Challenge
) -> bytes:
    """`CoreProofGen` (§3.6.3) from 5 + U random scalars, the last U of them for the hidden messages in their order."""
    a, e = core.read_signature(signature)
    r1, r2, e_blind, r1_blind, r3_blind, *message_blinds = blinds
    bound, points = statement.domain(), statement.generators.points
    # ProofInit (§3.7.1)
    d = statement.point(bound) * r2
    a_bar = a * (r1 * r2)
    b_bar = curve.total((d, a_bar), (r1, -e))
    t1 = curve.total((a_bar, d), (e_blind, r1_blind))
    t2 = curve.total((d, *(points[index + 1] for index in hidden)), (r3_blind, *message_blinds))
    c = challenge(Initial(a_bar, b_bar, d, t1, t2, bound))
    # ProofFinalize (§3.7.2)
    answers = tuple(blind + statement.scalars[at] * c for blind, at in zip(message_blinds, hidden, strict=True))
    r1_answer, r3_answer = r1_blind - r1 * c, r3_blind - curve.inverse(r2) * c
    return Proof(a_bar, b_bar, d, e_blind + e * c, r1_answer, r3_answer, answers, c).octets()


@dataclass(frozen=True)
class Shown:
    """What a verifier knows of a signature: who made it, the header, and the messages that were shown to it."""

    interface: Interface
    public: bytes
    generators: Generators
    header: bytes
    scalars: Mapping[int, Scalar]


def hides_signature(proof: Proof, public: bytes) -> None:
    """Does the proof hide a signature of this key: h(Abar, W) * h(Bbar, -BP2) = 1 (§3.6.4 step 6)?

    It says nothing yet of messages: `verify` does. Raises Refused (`bbs.proof`), Malformed (`bbs.key`).
    """
    if not curve.paired(proof.a_bar, curve.public_point(public), proof.b_bar):
        raise Refused("bbs.proof", "The BBS proof does not match what is shown.")


def verify(proof: Proof, shown: Shown, challenge: Challenge) -> None:
    """The rest of `CoreProofVerify` (§3.6.4 steps 1 to 5), after `hides_signature`. Raises Refused (`bbs.proof`)."""
    if challenge(_retrace(proof, shown)) != proof.challenge:
        raise Refused("bbs.proof", "The BBS proof does not match what is shown.")


def _retrace(proof: Proof, shown: Shown) -> Initial:
    """`ProofVerifyInit` (§3.7.3), with Bv and T2 in one sum."""
    points, c = shown.generators.points, proof.challenge
    hidden = split(len(points) - 1, list(shown.scalars))
    bound = core.domain(shown.interface, shown.public, shown.generators, shown.header)
    t1 = curve.total((proof.b_bar, proof.a_bar, proof.d), (c, proof.e, proof.r1))
    bases = [shown.interface.suite.p1, points[0], *(points[index + 1] for index in shown.scalars), proof.d]
    factors = [c, bound * c, *(value * c for value in shown.scalars.values()), proof.r3]
    t2 = curve.total([*bases, *(points[index + 1] for index in hidden)], [*factors, *proof.hidden])
    return Initial(proof.a_bar, proof.b_bar, proof.d, t1, t2, bound)


def blinds(hidden: int, *, random: Random) -> list[Scalar]:
    """The 5 + U random scalars of a proof (§3.6.3 step 1)."""
    return curve.random_scalars(5 + hidden, random=random)
