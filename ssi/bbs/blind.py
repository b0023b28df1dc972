"""Blind BBS signatures: bound to secrets of the holder, without which nobody can prove anything from them.

draft-irtf-cfrg-bbs-blind-signatures, text of March 2025 (the "anonymous holder binding" of Data Integrity BBS 1.0).
Committed secrets are never shown here: that part of the draft has no use in this house.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from py_arkworks_bls12381 import Scalar

from ssi.bbs import commitments, core, curve, proofs
from ssi.bbs.ciphersuites import SHA256, Ciphersuite, Interface, generators
from ssi.bbs.commitments import Commitment
from ssi.bbs.curve import Random
from ssi.errors import Malformed

_SUFFIX = b"BLIND_H2G_HM2S_"


@dataclass(frozen=True)
class Secrets:
    """What a holder keeps beside such a signature: its committed secrets and the blind of their commitment."""

    committed: tuple[bytes, ...] = field(repr=False)
    blind: bytes = field(repr=False)


@dataclass(frozen=True)
class Signed:
    """A signature with all that it is over: what proofs are made from."""

    public: bytes
    signature: bytes = field(repr=False)
    header: bytes
    messages: Sequence[bytes] = field(repr=False)


def commit(secrets: Sequence[bytes], *, random: Random, suite: Ciphersuite = SHA256) -> Commitment:
    """`Commit` (§4.1.1): what the holder sends, and the blind that it keeps. Raises Refused (`bbs.random`)."""
    interface = Interface(suite, _SUFFIX)
    return commitments.commit(interface, interface.scalars(secrets), random=random)


def sign(
    secret: bytes,
    public: bytes,
    commitment: bytes,
    header: bytes,
    messages: Sequence[bytes],
    *,
    secrets: int = 1,
    suite: Ciphersuite = SHA256,
) -> bytes:
    """`BlindSign` (§4.2.1) over the issuer's messages and a commitment to so many secrets.

    Raises Refused (`bbs.commitment`), Malformed (`bbs.*`), Unsupported (`bbs.messages`).
    """
    interface = Interface(suite, _SUFFIX)
    point = commitments.opened(interface, commitment, secrets=secrets)
    return commitments.sign(interface, (secret, public), point, header, messages, secrets=secrets)


def verify(signed: Signed, secrets: Secrets, *, suite: Ciphersuite = SHA256) -> None:
    """`VerifyBlindSign` (§4.2.2): for the holder, on receipt. Raises Refused (`bbs.signature`), Malformed."""
    core.verify(signed.signature, _statement(signed, secrets, suite))


def prove(
    signed: Signed,
    secrets: Secrets,
    presentation_header: bytes,
    disclosed_indexes: Sequence[int],
    *,
    random: Random,
    suite: Ciphersuite = SHA256,
) -> bytes:
    """`BlindProofGen` (§4.2.3): show some of the issuer's messages, and prove to know all secrets."""
    made_of = _statement(signed, secrets, suite)
    proofs.split(len(signed.messages), disclosed_indexes)
    hidden = proofs.split(len(made_of.scalars), disclosed_indexes)
    shown = {index: made_of.scalars[index] for index in disclosed_indexes}

    def challenge(initial: proofs.Initial) -> Scalar:
        return proofs.challenge_of(made_of.interface, initial.octets(), shown, presentation_header)

    return proofs.make(signed.signature, made_of, hidden, proofs.blinds(len(hidden), random=random), challenge)


def verify_proof(
    public: bytes,
    proof: bytes,
    header: bytes,
    presentation_header: bytes,
    disclosed: Mapping[int, bytes],
    *,
    messages: int,
    secrets: int = 1,
    suite: Ciphersuite = SHA256,
) -> None:
    """`BlindProofVerify` (§4.2.4) of a signature over so many of the issuer's messages and so many secrets.

    Raises Refused (`bbs.proof`), Malformed (`bbs.*`), Unsupported (`bbs.messages`).
    """
    interface = Interface(suite, _SUFFIX)
    parts, shown = read_proof(interface, public, proof, header, disclosed, messages=messages, hidden=secrets + 1)

    def challenge(initial: proofs.Initial) -> Scalar:
        return proofs.challenge_of(interface, initial.octets(), shown.scalars, presentation_header)

    proofs.verify(parts, shown, challenge)


def read_proof(
    interface: Interface,
    public: bytes,
    proof: bytes,
    header: bytes,
    disclosed: Mapping[int, bytes],
    *,
    messages: int,
    hidden: int,
) -> tuple[proofs.Proof, proofs.Shown]:
    """A proof's parts and what it shows, when it hides exactly the holder's scalars and the messages not disclosed."""
    total = core.bounded(proofs.hidden_count(proof) + len(disclosed))
    if messages < 0 or total != messages + hidden:
        raise Malformed("bbs.length", "The BBS proof is not of the length that its statement asks for.")
    indexes = proofs.shown_order(messages, disclosed)
    parts = proofs.read(proof)
    proofs.hides_signature(parts, public)
    scalars = dict(zip(indexes, interface.scalars([disclosed[index] for index in indexes]), strict=True))
    bases = generators(interface, messages + 1) + generators(interface, hidden, blind=True)
    return parts, proofs.Shown(interface, public, bases, header, scalars)


def _statement(signed: Signed, secrets: Secrets, suite: Ciphersuite) -> core.Statement:
    interface = Interface(suite, _SUFFIX)
    hidden = [curve.scalar(secrets.blind), *interface.scalars(secrets.committed)]
    return commitments.statement(interface, signed.public, signed.header, signed.messages, hidden)
