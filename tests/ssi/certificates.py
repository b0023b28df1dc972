"""Certificates for tests: an authority that certifies whatever a test asks for, rules broken included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ssi.keys import PublicKey, SoftwareSigner

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=3650)
SIGNS = "digital_signature"
CERTIFIES = "key_cert_sign"


def name(common: str, organization: str | None = None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organization is not None:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def usage(*allowed: str) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{each: each in allowed for each in names})


@dataclass(frozen=True)
class Authority:
    """A key with a certificate that may, or pretends to, certify others."""

    signer: SoftwareSigner
    subject: x509.Name
    der: bytes

    def certify(
        self,
        public: PublicKey,
        *,
        common: str = "Registry of Persons",
        organization: str | None = "Republic of Utopia",
        dns: Sequence[str] = ("issuer.test",),
        uris: Sequence[str] = ("https://issuer.test",),
        start: datetime = START,
        end: datetime = END,
        extensions: Sequence[tuple[x509.ExtensionType, bool]] = ((usage(SIGNS), True),),
    ) -> bytes:
        names: list[x509.GeneralName] = [x509.DNSName(each) for each in dns]
        names += [x509.UniformResourceIdentifier(each) for each in uris]
        extra = [(x509.SubjectAlternativeName(names), False)] if names else []
        subject = name(common, organization)
        return certificate(subject, self.subject, public, self.signer, start, end, [*extra, *extensions])

    def authority(
        self,
        common: str,
        *,
        alg: str = "ES256",
        pathlen: int | None = None,
        ca: bool = True,
        start: datetime = START,
        end: datetime = END,
        extensions: Sequence[tuple[x509.ExtensionType, bool]] = ((usage(CERTIFIES), True),),
    ) -> Authority:
        signer, subject = SoftwareSigner.generate(alg), name(common)
        whole = [(x509.BasicConstraints(ca, pathlen if ca else None), True), *extensions]
        der = certificate(subject, self.subject, signer.public, self.signer, start, end, whole)
        return Authority(signer, subject, der)


def root(
    common: str = "Utopia Root",
    *,
    alg: str = "ES256",
    pathlen: int | None = None,
    start: datetime = START,
    end: datetime = END,
) -> Authority:
    signer, subject = SoftwareSigner.generate(alg), name(common)
    whole = [(x509.BasicConstraints(True, pathlen), True), (usage(CERTIFIES), True)]
    return Authority(signer, subject, certificate(subject, subject, signer.public, signer, start, end, whole))


def certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public: PublicKey,
    signer: SoftwareSigner,
    start: datetime,
    end: datetime,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> bytes:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public.native)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    digest = None if isinstance(signer.native, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(signer.native, digest).public_bytes(Encoding.DER)
