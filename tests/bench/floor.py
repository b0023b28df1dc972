"""The floor: what do the signatures of a job cost when nothing else is done?

Keys are loaded, messages are at hand and signatures are in the form that the library wants.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from ssi.keys import PublicKey, SoftwareSigner
from tests.bench.measure import Operation

MESSAGE = bytes(64)


def sign(signer: SoftwareSigner, message: bytes = MESSAGE) -> Operation:
    """One bare signature."""
    native = signer.native
    if isinstance(native, ed25519.Ed25519PrivateKey):
        return lambda: native.sign(message)
    scheme = ec.ECDSA(SHA256())
    return lambda: native.sign(message, scheme)


def verify(key: PublicKey, message: bytes, signature: bytes) -> Operation:
    """One bare verification of a signature as JOSE and COSE write it."""
    native = key.native
    if isinstance(native, ed25519.Ed25519PublicKey):
        return lambda: native.verify(signature, message)
    half = len(signature) // 2
    der = encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
    scheme = ec.ECDSA(SHA256())
    return lambda: native.verify(der, message, scheme)
