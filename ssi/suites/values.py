"""What are all proofs made of: their type, the form of a signature in them, and the keys that a suite takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ssi.encoding import Json, base58, unbase58
from ssi.errors import Malformed, Unsupported
from ssi.keys import PublicKey

DATA_INTEGRITY_PROOF: Final = "DataIntegrityProof"
DATA_INTEGRITY_CONTEXT: Final = "https://w3id.org/security/data-integrity/v2"

Random = Callable[[int], bytes]
"""A source of secure random bytes, `secrets.token_bytes` outside tests."""

_LONGEST = 140  # base58 digits of the largest signature: 96 bytes make at most 132


def write(signature: bytes) -> str:
    r"""A signature as a `proofValue`: Multibase in base58btc (Controlled Identifiers 1.0 §2.4).

    >>> write(b"\x00\x01")
    'z12'
    """
    return "z" + base58(signature)


def read(proof: Mapping[str, Json], *, size: int) -> bytes:
    """The signature in a `proofValue`. Raises Malformed (`suite.proof_value`, `suite.signature_size`)."""
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("z") or len(value) > _LONGEST:
        raise Malformed("suite.proof_value", "The proof's value is not a signature in base58btc.")
    signature = unbase58(value[1:])
    if len(signature) != size:
        raise Malformed("suite.signature_size", "The proof's value is not of the size that its signature has.")
    return signature


def takes(algorithms: tuple[str, ...], key: PublicKey) -> None:
    """Return when the key is of one of the algorithms. Raises Unsupported (`suite.key`)."""
    if key.algorithm.name not in algorithms:
        raise Unsupported("suite.key", "The key is not of a kind that the proof's cryptographic suite takes.")


def is_of(proof: Mapping[str, Json], *, type: str, name: str) -> None:  # noqa: A002  (the proof's own word)
    """Return when the proof names this suite (step 1 of each suite's "Transformation").

    Raises Malformed (`suite.mismatch`).
    """
    if proof.get("type") != type or proof.get("cryptosuite", type) != (name if type == DATA_INTEGRITY_PROOF else type):
        raise Malformed("suite.mismatch", "The proof does not name the cryptographic suite that is to handle it.")
