"""Certificates: a small authority of one's own, and the leaves that it signs.

For trials and closed deployments. The certificates satisfy RFC 5280 and what HAIP 1.0 asks of issuers and relying
parties: no leaf signs itself, a leaf may only make signatures, an authority may only sign leaves.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ssi.errors import Malformed
from ssi.keys import SoftwareSigner

AUTHORITY_LIFETIME: Final = timedelta(days=3650)
LEAF_LIFETIME: Final = timedelta(days=365)
_BACKDATED: Final = timedelta(hours=1)  # peers' clocks may be a little behind ours


@dataclass(frozen=True)
class Authority:
    """A certification authority: its certificate, and the key that signs leaves."""

    certificate: x509.Certificate
    signer: SoftwareSigner


@dataclass(frozen=True)
class Leaf:
    """What a leaf certificate says: a name for people, DNS names or addresses, URIs, and whether it serves TLS."""

    name: str
    organization: str
    hosts: Sequence[str]
    uris: Sequence[str] = ()
    tls: bool = False


def new_key() -> SoftwareSigner:
    """A fresh P-256 key, the curve that every peer of HAIP 1.0 must know."""
    return SoftwareSigner.generate("ES256")


def new_authority(name: str, *, now: datetime) -> Authority:
    """A root authority that may sign leaves and no further authorities."""
    signer = new_key()
    subject = _subject(name, "Facet")
    builder = _builder(subject, signer, issuer=subject, until=now + AUTHORITY_LIFETIME, now=now)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(ca=True), critical=True)
    return Authority(builder.sign(_native(signer), hashes.SHA256()), signer)


def issue(authority: Authority, leaf: Leaf, *, key: SoftwareSigner, now: datetime) -> x509.Certificate:
    """A certificate for `key`, signed by `authority`, never outliving it."""
    until = min(now + LEAF_LIFETIME, authority.certificate.not_valid_after_utc)
    issuer = authority.certificate.subject
    builder = _builder(_subject(leaf.name, leaf.organization), key, issuer=issuer, until=until, now=now)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(ca=False), critical=True)
    if leaf.tls:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(_alternative_names(leaf), critical=False)
    identifier = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    authority_id = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    builder = builder.add_extension(authority_id, critical=False)
    return builder.sign(_native(authority.signer), hashes.SHA256())


def fits(
    certificate: x509.Certificate, leaf: Leaf, *, key: SoftwareSigner, authority: Authority, now: datetime
) -> bool:
    """Does this certificate still say what `leaf` says, for this key, from this authority, with 30 days to go?"""
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        names == _alternative_names(leaf)
        and certificate.public_key() == key.public.native
        and certificate.not_valid_after_utc - now > timedelta(days=30)
    )


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """A certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(signer: SoftwareSigner) -> bytes:
    """A private key as unencrypted PKCS#8 PEM, for a file that only its role may read."""
    return signer.native.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read_certificate(pem: bytes) -> x509.Certificate:
    """The first certificate of a PEM file. Raises Malformed (`minting.certificate`)."""
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise Malformed("minting.certificate", "The file holds no certificate.") from None


def _builder(
    subject: x509.Name, key: SoftwareSigner, *, issuer: x509.Name, until: datetime, now: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(issuer_name=issuer, subject_name=subject, public_key=key.public.native)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - _BACKDATED).not_valid_after(until)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public.native), critical=False)


def _subject(name: str, organization: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )


def _alternative_names(leaf: Leaf) -> x509.SubjectAlternativeName:
    hosts = [_host(host) for host in dict.fromkeys(leaf.hosts)]
    return x509.SubjectAlternativeName([*hosts, *(x509.UniformResourceIdentifier(uri) for uri in leaf.uris)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _native(signer: SoftwareSigner) -> ec.EllipticCurvePrivateKey:
    if not isinstance(signer.native, ec.EllipticCurvePrivateKey):
        raise Malformed("minting.key", "An authority signs with an elliptic curve key.")
    return signer.native


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
