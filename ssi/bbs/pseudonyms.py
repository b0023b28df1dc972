"""Pseudonyms: a holder is the same to one verifier each time, and somebody else to every other one.

draft-irtf-cfrg-bbs-per-verifier-linkability, text of April 2025, which the vectors of Data Integrity BBS 1.0 were made
with: one secret `nym_secret`, the sum of the holder's `prover_nym` and the issuer's `signer_nym_entropy`, is signed as
the last message, and a pseudonym is that secret times a point hashed from the context.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from py_arkworks_bls12381 import G1Point, Scalar

from ssi.bbs import blind, commitments, core, curve, proofs
from ssi.bbs.blind import Signed
from ssi.bbs.ciphersuites import SHA256, Ciphersuite, Interface, generators
from ssi.bbs.commitments import Commitment
from ssi.bbs.curve import Random

_SUFFIX = b"H2G_HM2S_PSEUDONYM_"


@dataclass(frozen=True)
class NymSecrets:
    """What a holder keeps: both parts of its pseudonym secret, other committed secrets, and the commitment's blind."""

    prover_nym: bytes = field(repr=False)
    signer_nym_entropy: bytes = field(repr=False)
    blind: bytes = field(repr=False)
    committed: tuple[bytes, ...] = field(default=(), repr=False)

    def secret(self) -> Scalar:
        """`nym_secret` = `prover_nym` + `signer_nym_entropy`. Raises Malformed (`bbs.scalar`)."""
        return curve.scalar((curve.scalar(self.prover_nym) + curve.scalar(self.signer_nym_entropy)).to_be_bytes())


def fresh(*, random: Random) -> bytes:
    """A `prover_nym` or a `signer_nym_entropy`: a random scalar of 32 bytes. Raises Refused (`bbs.random`)."""
    return curve.random_scalars(1, random=random)[0].to_be_bytes()


def commit(
    prover_nym: bytes, secrets: Sequence[bytes] = (), *, random: Random, suite: Ciphersuite = SHA256
) -> Commitment:
    """`CommitWithNym`: to the secrets and, last, to the holder's part of its pseudonym secret."""
    interface = Interface(suite, _SUFFIX)
    return commitments.commit(interface, [*interface.scalars(secrets), curve.scalar(prover_nym)], random=random)


def sign(  # noqa: PLR0917  (the draft's own arguments, in its own order)
    secret: bytes,
    public: bytes,
    commitment: bytes,
    signer_nym_entropy: bytes,
    header: bytes,
    messages: Sequence[bytes],
    *,
    secrets: int = 0,
    suite: Ciphersuite = SHA256,
) -> bytes:
    """`BlindSignWithNym`: over a commitment to so many secrets and a `prover_nym`, plus the issuer's entropy.

    Raises Refused (`bbs.commitment`), Malformed (`bbs.*`), Unsupported (`bbs.messages`).
    """
    interface = Interface(suite, _SUFFIX)
    point = commitments.opened(interface, commitment, secrets=secrets + 1)
    nym_base = generators(interface, secrets + 2, blind=True).points[-1]
    point += nym_base * curve.scalar(signer_nym_entropy)
    return commitments.sign(interface, (secret, public), point, header, messages, secrets=secrets + 1)


def verify(signed: Signed, secrets: NymSecrets, *, suite: Ciphersuite = SHA256) -> None:
    """`VerifyFinalizeWithNym`: for the holder, on receipt. Raises Refused (`bbs.signature`), Malformed."""
    core.verify(signed.signature, _statement(signed, secrets, suite))


def prove(
    signed: Signed,
    secrets: NymSecrets,
    presentation_header: bytes,
    context: bytes,
    disclosed_indexes: Sequence[int],
    *,
    random: Random,
    suite: Ciphersuite = SHA256,
) -> tuple[bytes, bytes]:
    """`ProofGenWithNym`: a proof, and the pseudonym (48 bytes) that the holder has in this context."""
    made_of = _statement(signed, secrets, suite)
    proofs.split(len(signed.messages), disclosed_indexes)
    hidden = proofs.split(len(made_of.scalars), disclosed_indexes)
    shown = {index: made_of.scalars[index] for index in disclosed_indexes}
    blinds = proofs.blinds(len(hidden), random=random)
    base = _base(made_of.interface, context)  # PseudonymProofInit
    pseudonym = base * secrets.secret()
    nym = _octets(pseudonym, base, base * blinds[-1])

    def challenge(initial: proofs.Initial) -> Scalar:
        return proofs.challenge_of(made_of.interface, initial.octets(nym), shown, presentation_header)

    proof = proofs.make(signed.signature, made_of, hidden, blinds, challenge)
    return proof, pseudonym.to_compressed_bytes()


def verify_proof(
    public: bytes,
    proof: bytes,
    header: bytes,
    presentation_header: bytes,
    disclosed: Mapping[int, bytes],
    *,
    pseudonym: bytes,
    context: bytes,
    messages: int,
    secrets: int = 0,
    suite: Ciphersuite = SHA256,
) -> None:
    """`ProofVerifyWithNym`: the proof holds, and the pseudonym is its prover's in this context.

    Raises Refused (`bbs.proof`), Malformed (`bbs.*`), Unsupported (`bbs.messages`).
    """
    interface = Interface(suite, _SUFFIX)
    point = curve.g1(pseudonym)
    made_of = blind.read_proof(interface, public, proof, header, disclosed, messages=messages, hidden=secrets + 2)
    parts, shown = made_of
    base = _base(interface, context)  # PseudonymProofVerifyInit
    nym = _octets(point, base, curve.total((base, point), (parts.hidden[-1], -parts.challenge)))

    def challenge(initial: proofs.Initial) -> Scalar:
        return proofs.challenge_of(interface, initial.octets(nym), shown.scalars, presentation_header)

    proofs.verify(parts, shown, challenge)


def _base(interface: Interface, context: bytes) -> G1Point:
    return interface.suite.to_curve(context, interface.api_id)


def _octets(*points: G1Point) -> bytes:
    return b"".join(point.to_compressed_bytes() for point in points)


def _statement(signed: Signed, secrets: NymSecrets, suite: Ciphersuite) -> core.Statement:
    interface = Interface(suite, _SUFFIX)
    hidden = [curve.scalar(secrets.blind), *interface.scalars(secrets.committed), secrets.secret()]
    return commitments.statement(interface, signed.public, signed.header, signed.messages, hidden)
