"""X.509 chains: is this leaf certified, now, by an authority that the reader has chosen?

A chain comes as `x5c` has it: DER, leaf first, each next certificate certifying the one before (RFC 7515 §4.1.6),
without the trust anchor (HAIP 1.0 §5, §6.1.1). Path logic, name constraints and path lengths are `cryptography`'s; an
Ed25519 leaf is accepted, an Ed25519 authority is not, because that verifier has none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification
from cryptography.x509.oid import NameOID

from ssi.encoding import printable
from ssi.errors import Malformed, Refused
from ssi.keys import PublicKey
from ssi.trust import rules

MAX_CERTIFICATES: Final = 8
MAX_CERTIFICATE_BYTES: Final = 16_384
_MAX_PEM_BYTES: Final = 1_048_576
_MAX_NAME: Final = 200
_MAX_SUBJECT: Final = 1000


@dataclass(frozen=True)
class Leaf:
    """What the certificate that signed says of itself. It proves nothing until its chain is validated.

    `sha256` is over the DER bytes; `dns_names` are lower case; `name` is what a page shows. Its texts hold nothing that
    could make them look like others (`ssi.encoding.printable`).
    """

    public: PublicKey
    subject: str
    common_name: str | None
    organization: str | None
    dns_names: tuple[str, ...]
    uris: tuple[str, ...]
    ip_addresses: tuple[str, ...]
    sha256: bytes
    not_before: datetime
    not_after: datetime

    @property
    def name(self) -> str:
        """The organization, else the common name, else the whole subject."""
        return self.organization or self.common_name or self.subject


@dataclass(frozen=True)
class Chain:
    """A validated chain: its leaf, the authority that it ends in, and the time in which all of it is valid."""

    leaf: Leaf
    ca_subject: str
    anchor_sha256: bytes
    not_before: datetime
    not_after: datetime

    @property
    def leaf_public(self) -> PublicKey:
        """The key that the leaf certifies."""
        return self.leaf.public

    @property
    def subject(self) -> str:
        """The leaf's subject (RFC 4514)."""
        return self.leaf.subject

    @property
    def organization(self) -> str | None:
        """The leaf's organization, if it has one."""
        return self.leaf.organization

    @property
    def dns_names(self) -> tuple[str, ...]:
        """The leaf's DNS names, lower case."""
        return self.leaf.dns_names

    @property
    def leaf_sha256(self) -> bytes:
        """SHA-256 over the leaf's DER bytes."""
        return self.leaf.sha256


def read_certificates(pem: bytes) -> tuple[bytes, ...]:
    """Every certificate of a PEM file, in its order, as DER. Raises Malformed (`trust.pem`) also when there is none."""
    if len(pem) > _MAX_PEM_BYTES:
        raise Malformed("trust.pem", "The PEM file is too large.")
    try:
        return tuple(certificate.public_bytes(Encoding.DER) for certificate in x509.load_pem_x509_certificates(pem))
    except rules.UNREADABLE:
        raise Malformed("trust.pem", "The file holds no readable PEM certificates.") from None


def authority(der: bytes) -> str:
    """The subject (RFC 4514) of an authority's certificate, for a page and to find a bad file when it is configured.

    Raises Malformed (`trust.certificate`).
    """
    try:
        return _load(der).subject.rfc4514_string()
    except rules.UNREADABLE:
        raise Malformed("trust.certificate", "The certificate cannot be read.") from None


def leaf(x5c: Sequence[bytes]) -> Leaf:
    """Read the first certificate of a chain without trusting it.

    Raises Malformed (`trust.certificate`, `trust.chain_size`), Unsupported (`key.type`).
    """
    return _leaf(_bounded(x5c)[0])


def validate_chain(x5c: Sequence[bytes], *, anchors: Sequence[bytes], now: datetime) -> Chain:
    """Follow a chain to one of `anchors` (DER) and check all of it at `now` (RFC 5280 §6, HAIP 1.0 §6.1.1).

    What does not depend on time is worked out once per chain; a chain seen before costs one look-up.
    Raises Refused (`trust.anchor_in_chain`, `trust.self_signed`, `trust.unknown_anchor`, `trust.chain`,
    `trust.expired`, `trust.not_yet_valid`), Malformed (`trust.certificate`, `trust.chain_size`), and
    Unsupported (`key.type`).
    """
    paths = _paths(_bounded(x5c), tuple(anchors))
    for path in paths:
        if path.not_before <= now <= path.not_after:
            return path
    if all(now > path.not_after for path in paths):
        raise Refused("trust.expired", "A certificate of the signer's chain has expired.")
    raise Refused("trust.not_yet_valid", "A certificate of the signer's chain is not valid yet.")


def has_self_signed(x5c: Sequence[bytes]) -> bool:
    """Is any certificate of the chain signed by its own key? Raises Malformed (`trust.certificate`, ...)."""
    return any(rules.self_signed(_load(der)) for der in _bounded(x5c))


def anchor_in_chain(x5c: Sequence[bytes], *, anchors: Sequence[bytes]) -> bool:
    """Does the chain carry one of the trust anchors itself (HAIP 1.0 §4.1, §4.5.1, §5: it must not)?"""
    return not set(x5c).isdisjoint(anchors)


def purposes(x5c: Sequence[bytes]) -> frozenset[str]:
    """What the leaf's extended key usage allows it for, as dotted OIDs; none when it has no such extension.

    Raises Malformed (`trust.certificate`, `trust.chain_size`).
    """
    return _purposes(_bounded(x5c)[0])


@lru_cache(maxsize=1024)
def _purposes(der: bytes) -> frozenset[str]:
    try:
        found = _load(der).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        return frozenset(each.dotted_string for each in found.value)
    except x509.ExtensionNotFound:
        return frozenset()
    except rules.UNREADABLE:
        raise Malformed("trust.certificate", "The certificate cannot be read.") from None


def is_self_signed(der: bytes) -> bool:
    """Does the certificate's own key verify its signature? Raises Malformed (`trust.certificate`)."""
    return rules.self_signed(_load(der))


@lru_cache(maxsize=1024)
def issuer_name(der: bytes) -> bytes:
    """The issuer's name of a certificate, as DER. Raises Malformed (`trust.certificate`)."""
    try:
        return _load(der).issuer.public_bytes()
    except rules.UNREADABLE:
        raise Malformed("trust.certificate", "The certificate cannot be read.") from None


def _bounded(x5c: Sequence[bytes]) -> tuple[bytes, ...]:
    if not 1 <= len(x5c) <= MAX_CERTIFICATES:
        raise Malformed("trust.chain_size", f"A certificate chain has one to {MAX_CERTIFICATES} certificates.")
    if any(len(der) > MAX_CERTIFICATE_BYTES for der in x5c):
        raise Malformed("trust.chain_size", f"A certificate is larger than {MAX_CERTIFICATE_BYTES} bytes.")
    return tuple(x5c)


@lru_cache(maxsize=2048)
def _leaf(der: bytes) -> Leaf:
    certificate = _load(der)
    try:
        names = _alternative_names(certificate)
        return Leaf(
            public=PublicKey.from_native(certificate.public_key()),
            subject=printable(certificate.subject.rfc4514_string(), limit=_MAX_SUBJECT),
            common_name=_attribute(certificate, NameOID.COMMON_NAME),
            organization=_attribute(certificate, NameOID.ORGANIZATION_NAME),
            dns_names=tuple(name.lower() for name in names.get_values_for_type(x509.DNSName)),
            uris=tuple(names.get_values_for_type(x509.UniformResourceIdentifier)),
            ip_addresses=tuple(str(address) for address in names.get_values_for_type(x509.IPAddress)),
            sha256=hashlib.sha256(der).digest(),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )
    except rules.UNREADABLE:
        raise Malformed("trust.certificate", "The certificate cannot be read.") from None


def _load(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except rules.UNREADABLE:
        raise Malformed("trust.certificate", "The certificate cannot be read.") from None


def _alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return x509.SubjectAlternativeName([])


def _attribute(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str | None:
    found = certificate.subject.get_attributes_for_oid(oid)
    value = found[0].value if found else None
    return printable(value, limit=_MAX_NAME) if isinstance(value, str) else None


@lru_cache(maxsize=1024)
def _paths(x5c: tuple[bytes, ...], anchors: tuple[bytes, ...]) -> tuple[Chain, ...]:
    """All that can be said of a chain without a clock: one `Chain` per anchor that it leads to, at least one."""
    if anchor_in_chain(x5c, anchors=anchors):
        raise Refused("trust.anchor_in_chain", "The certificate chain includes the trust anchor itself.")
    signer = _leaf(x5c[0])
    certificates = [_load(der) for der in x5c]
    if any(rules.self_signed(certificate) for certificate in certificates):
        raise Refused("trust.self_signed", "The certificate chain includes a self-signed certificate.")
    named = [(der, anchor) for der in anchors if _certifies(anchor := _load(der), certificates[-1])]
    if not named:
        raise Refused("trust.unknown_anchor", "The certificate chain does not lead to a trusted authority.")
    paths = tuple(path for der, anchor in named if (path := _path(signer, certificates, der, anchor)) is not None)
    if not paths:
        raise Refused("trust.chain", "A signature in the certificate chain is bad, or it breaks a rule.")
    return paths


def _certifies(anchor: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Does the certificate name this anchor as its issuer? The signature is the path's to check."""
    try:
        return anchor.subject == certificate.issuer
    except rules.UNREADABLE:
        raise Malformed("trust.certificate", "The certificate cannot be read.") from None


def _path(signer: Leaf, certificates: list[x509.Certificate], der: bytes, anchor: x509.Certificate) -> Chain | None:
    """The chain up to one anchor, checked at a moment at which all its certificates are valid; None when it breaks."""
    whole = [*certificates, anchor]
    try:
        start = max(certificate.not_valid_before_utc for certificate in whole)
        end = min(certificate.not_valid_after_utc for certificate in whole)
        store = verification.Store([anchor])
        policy = verification.PolicyBuilder().time(start).store(store).max_chain_depth(len(certificates))
        policy = policy.extension_policies(ca_policy=rules.authority_policy(), ee_policy=rules.signer_policy())
        found = policy.build_client_verifier().verify(certificates[0], certificates[1:]).chain
    except (verification.VerificationError, *rules.UNREADABLE):
        return None
    # RFC 7515 §4.1.6: the order is the signer's to get right; nothing in the header may be beside the path.
    if found != whole:
        return None
    return Chain(signer, anchor.subject.rfc4514_string(), hashlib.sha256(der).digest(), start, end)
