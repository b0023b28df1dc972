"""What a certificate must be to stand in a chain: a signer, or an authority, and never signed by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PSS, PKCS1v15
from cryptography.x509 import verification

from ssi.errors import Malformed

_LONGEST_EXPONENT: Final = 64
"""Bits of an RSA key's public exponent: everybody's has 17, and one as long as the key costs a hundred times more."""

UNREADABLE: Final = (
    ValueError,
    TypeError,
    OverflowError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
)
"""All that `cryptography` raises, at once or on a first look at a part, for a certificate that cannot be read."""


def signer_policy() -> verification.ExtensionPolicy:
    """A leaf signs messages: it is no authority, and its key usage, when stated, allows signatures."""
    any_way, policy = verification.Criticality.AGNOSTIC, verification.ExtensionPolicy.permit_all()
    policy = policy.may_be_present(x509.BasicConstraints, any_way, _is_no_authority)
    return policy.may_be_present(x509.KeyUsage, any_way, _may(lambda usage: usage.digital_signature))


def authority_policy() -> verification.ExtensionPolicy:
    """An authority says that it is one (RFC 5280 §4.2.1.9) and may sign certificates (§4.2.1.3)."""
    any_way, policy = verification.Criticality.AGNOSTIC, verification.ExtensionPolicy.permit_all()
    policy = policy.require_present(x509.BasicConstraints, any_way, _is_authority)
    return policy.may_be_present(x509.KeyUsage, any_way, _may(lambda usage: usage.key_cert_sign))


def _is_authority(_policy: object, _certificate: object, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError("not an authority")


def _is_no_authority(_policy: object, _certificate: object, constraints: x509.BasicConstraints | None) -> None:
    if constraints is not None and constraints.ca:
        raise ValueError("an authority where a signer belongs")


def _may(allowed: Callable[[x509.KeyUsage], bool]) -> Callable[[object, object, x509.KeyUsage | None], None]:
    def judge(_policy: object, _certificate: object, usage: x509.KeyUsage | None) -> None:
        if usage is not None and not allowed(usage):
            raise ValueError("the key is for something else")

    return judge


def self_signed(certificate: x509.Certificate) -> bool:
    """Does its own key verify its signature? Names do not count: they are the forger's to choose (HAIP issue 236).

    Raises Malformed (`trust.certificate`).
    """
    try:
        key, how = certificate.public_key(), certificate.signature_algorithm_parameters
        signature, message = certificate.signature, certificate.tbs_certificate_bytes
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(how, ec.ECDSA):
            key.verify(signature, message, how)
        elif isinstance(key, rsa.RSAPublicKey) and isinstance(how, PKCS1v15 | PSS):
            digest = certificate.signature_hash_algorithm
            if digest is None:
                return False
            if key.public_numbers().e.bit_length() > _LONGEST_EXPONENT:
                raise Malformed("trust.certificate", "A key of the certificate chain takes too long to verify with.")
            key.verify(signature, message, how, digest)
        else:
            return False  # the algorithm is another kind's: its own key has not made this signature
    except InvalidSignature:
        return False
    except UNREADABLE:
        raise Malformed("trust.certificate", "The certificate cannot be read.") from None
    return True
