"""BBS signatures over messages as bytes: sign and verify all, prove and verify some (IRTF BBS §3.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from py_arkworks_bls12381 import Scalar

from ssi.bbs import core, curve, proofs
from ssi.bbs.ciphersuites import SHA256, Ciphersuite, Interface, generators
from ssi.bbs.core import Statement
from ssi.bbs.curve import Random


def sign(
    secret: bytes, public: bytes, header: bytes, messages: Sequence[bytes], *, suite: Ciphersuite = SHA256
) -> bytes:
    """`Sign` (§3.5.1): an 80-byte signature over a header and messages in their order.

    Raises Malformed (`bbs.scalar`, `bbs.key`), Unsupported (`bbs.messages`).
    """
    curve.public_point(public)
    return core.sign(curve.scalar(secret), _statement(public, header, messages, suite))


def verify(
    public: bytes, signature: bytes, header: bytes, messages: Sequence[bytes], *, suite: Ciphersuite = SHA256
) -> None:
    """`Verify` (§3.5.2): return when the signature is the key's over exactly this header and these messages.

    Raises Refused (`bbs.signature`), Malformed (`bbs.*`), Unsupported (`bbs.messages`).
    """
    core.verify(signature, _statement(public, header, messages, suite))


def prove(  # noqa: PLR0917  (the draft's own arguments, in its own order)
    public: bytes,
    signature: bytes,
    header: bytes,
    presentation_header: bytes,
    messages: Sequence[bytes],
    disclosed_indexes: Sequence[int],
    *,
    random: Random,
    suite: Ciphersuite = SHA256,
) -> bytes:
    """`ProofGen` (§3.5.3): a proof that shows the messages at these indexes, and of the others only how many they are.

    The signature is not verified here: a holder does that once, on receipt. A proof from a false one is refused by
    every verifier. Raises Malformed (`bbs.*`), Unsupported (`bbs.messages`), Refused (`bbs.random`).
    """
    statement = _statement(public, header, messages, suite)
    curve.public_point(public)
    hidden = proofs.split(len(messages), disclosed_indexes)
    shown = {index: statement.scalars[index] for index in disclosed_indexes}
    blinds = proofs.blinds(len(hidden), random=random)
    interface = statement.interface

    def challenge(initial: proofs.Initial) -> Scalar:
        return proofs.challenge_of(interface, initial.octets(), shown, presentation_header)

    return proofs.make(signature, statement, hidden, blinds, challenge)


def verify_proof(
    public: bytes,
    proof: bytes,
    header: bytes,
    presentation_header: bytes,
    disclosed: Mapping[int, bytes],
    *,
    suite: Ciphersuite = SHA256,
) -> None:
    """`ProofVerify` (§3.5.4): return when the prover knows a signature of the key's over what is shown, by index.

    Raises Refused (`bbs.proof`), Malformed (`bbs.*`), Unsupported (`bbs.messages`).
    """
    interface = Interface(suite)
    count = core.bounded(proofs.hidden_count(proof) + len(disclosed))
    indexes = proofs.shown_order(count, disclosed)
    parts = proofs.read(proof)
    proofs.hides_signature(parts, public)  # first, since it needs no generators
    scalars = dict(zip(indexes, interface.scalars([disclosed[index] for index in indexes]), strict=True))
    shown = proofs.Shown(interface, public, generators(interface, count + 1), header, scalars)

    def challenge(initial: proofs.Initial) -> Scalar:
        return proofs.challenge_of(interface, initial.octets(), scalars, presentation_header)

    proofs.verify(parts, shown, challenge)


def _statement(public: bytes, header: bytes, messages: Sequence[bytes], suite: Ciphersuite) -> Statement:
    interface = Interface(suite)
    count = core.bounded(len(messages))
    return Statement(interface, public, generators(interface, count + 1), header, interface.scalars(messages))
