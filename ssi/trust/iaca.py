"""Issuing authorities of mobile documents: is this signer certified as ISO/IEC 18013-5 Annex B wants it?

Beyond the chain itself (`ssi.trust.x509`): the profiles of the IACA root certificate (B.1.2) and of the document
signer's (B.1.4), and what the two have in common. Certificate revocation lists are named in both and not fetched here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID, ObjectIdentifier

from ssi.encoding import Json
from ssi.errors import Malformed, SsiError
from ssi.model import Check, Finding, Issuer, Outcome, TrustPolicy
from ssi.trust import rules
from ssi.trust import x509 as chains
from ssi.trust.policies import AnyOf, Except

SIGNER_PURPOSE: Final = ObjectIdentifier("1.0.18013.5.1.2")
"""The extended key usage of a document signer (Table B.3)."""

_SIGNER_LIFE: Final = timedelta(days=457)
_ROOT_LIFE: Final = timedelta(days=20 * 365 + 5)
_MAX_SERIAL: Final = 2**159 - 1  # 20 octets of DER, and positive
_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_FORBIDDEN: Final = frozenset(
    (
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.INHIBIT_ANY_POLICY,
        ExtensionOID.FRESHEST_CRL,
    )
)
_ROOT_CRITICAL: Final = frozenset((ExtensionOID.KEY_USAGE, ExtensionOID.BASIC_CONSTRAINTS))
_SIGNER_CRITICAL: Final = frozenset((ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE))

T = TypeVar("T", bound=x509.ExtensionType)
Rule = tuple[str, Callable[[x509.Certificate], bool]]


STATES: Final = frozenset({"org.iso.18013.5.1.mDL", "eu.europa.ec.eudi.pid.1"})
"""Document types that only a state's document signers issue."""


@dataclass(frozen=True)
class Iaca:
    """Whoever one of these authorities has certified as a document signer may issue these types; None means any type.

    `anchors` are IACA root certificates as DER. Raises ValueError when there is none, or no type; Malformed
    (`trust.certificate`) for an unreadable one.
    """

    anchors: tuple[bytes, ...]
    types: frozenset[str] | None

    def __post_init__(self) -> None:
        if not self.anchors:
            raise ValueError("a trust policy needs at least one authority")
        if self.types is not None and not self.types:
            raise ValueError("a trust policy with no types trusts nobody: name the types, or None for any")
        for der in self.anchors:
            chains.authority(der)

    def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:
        """PASS `trust.iaca`; FAIL `trust.no_chain`, `trust.type`, the broken chain's code, or `trust.iaca_…`."""
        if not issuer.x5c:
            return _no("trust.no_chain", "The issuer has sent no certificate that a trusted authority has signed.")
        try:
            chain = chains.validate_chain(issuer.x5c, anchors=self.anchors, now=now)
            root = next(der for der in self.anchors if hashlib.sha256(der).digest() == chain.anchor_sha256)
            broken = _broken(issuer.x5c[0], root)
        except SsiError as error:
            return _no(error.code, error.detail)
        evidence = {
            "subject": chain.subject,
            "authority": chain.ca_subject,
            "leaf_sha256": chain.leaf_sha256.hex(),
            "anchor_sha256": chain.anchor_sha256.hex(),
        }
        if broken is not None:
            return _no(broken, "A certificate of the issuer is not made as it must be for mobile documents.", evidence)
        if self.types is not None and credential_type not in self.types:
            return _no("trust.type", f"{chain.leaf.name} is not trusted for this type of credential.", evidence)
        detail = f"{chain.leaf.name} is certified by a trusted authority for mobile documents."
        return Finding(Check.TRUST, Outcome.PASS, "trust.iaca", detail, evidence)


def beside(general: TrustPolicy | None, anchors: Sequence[bytes]) -> TrustPolicy:
    """These authorities for the documents of `STATES`, and for those alone; everything else is judged by `general`."""
    states = Iaca(tuple(anchors), STATES)
    return states if general is None else AnyOf((Except(general, STATES), states))


def place(x5c: tuple[bytes, ...]) -> tuple[str | None, str | None]:
    """Country and state of a document signer, as its certificate's subject names them; they prove nothing by that.

    Raises Malformed (`trust.certificate`, `trust.chain_size`).
    """
    chains.leaf(x5c)  # of acceptable size, and readable
    return _place(x5c[0])


@lru_cache(maxsize=128)
def _place(der: bytes) -> tuple[str | None, str | None]:
    subject = x509.load_der_x509_certificate(der).subject
    return _one(subject, NameOID.COUNTRY_NAME), _one(subject, NameOID.STATE_OR_PROVINCE_NAME)


@lru_cache(maxsize=128)
def _broken(signer: bytes, root: bytes) -> str | None:
    """The code of the first rule of Annex B that one of them, or the two together, break. Raises Malformed."""
    try:
        leaf, authority = x509.load_der_x509_certificate(signer), x509.load_der_x509_certificate(root)
        for prefix, certificate, profile in (("root", authority, _ROOT), ("signer", leaf, _SIGNER)):
            for name, holds in (*_COMMON, *profile):
                if not holds(certificate):
                    return f"trust.iaca_{prefix}_{name}"
        return None if _belong_together(leaf, authority) else "trust.iaca_pair"
    except rules.UNREADABLE:
        raise Malformed("trust.certificate", "The certificate cannot be read.") from None


# --- the rules --------------------------------------------------------------------------------------------------------


def _belong_together(leaf: x509.Certificate, authority: x509.Certificate) -> bool:
    """Table B.3: the issuer's name in the same bytes, the key's identifier, and one country and state for both."""
    above, own = _value(leaf, x509.AuthorityKeyIdentifier), _value(authority, x509.SubjectKeyIdentifier)
    places = (NameOID.COUNTRY_NAME, NameOID.STATE_OR_PROVINCE_NAME)
    return (
        leaf.issuer.public_bytes() == authority.subject.public_bytes()
        and above is not None
        and own is not None
        and above.key_identifier == own.digest
        and all(_one(leaf.subject, each) == _one(authority.subject, each) for each in places)
    )


def _numbered(certificate: x509.Certificate) -> bool:
    return certificate.version is x509.Version.v3 and 0 < certificate.serial_number <= _MAX_SERIAL


def _signed(certificate: x509.Certificate) -> bool:
    algorithm = certificate.signature_algorithm_parameters
    return isinstance(algorithm, ec.ECDSA) and isinstance(certificate.signature_hash_algorithm, _HASHES)


def _named(certificate: x509.Certificate) -> bool:
    """One country in capitals (ISO 3166-1 alpha-2), and a common name."""
    country, common = _one(certificate.subject, NameOID.COUNTRY_NAME), NameOID.COMMON_NAME
    plain = country is not None and len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()
    return plain and len(certificate.subject.get_attributes_for_oid(common)) == 1


def _identified(certificate: x509.Certificate) -> bool:
    own = _value(certificate, x509.SubjectKeyIdentifier)
    expected = x509.SubjectKeyIdentifier.from_public_key(certificate.public_key())
    return own == expected


def _reachable(certificate: x509.Certificate) -> bool:
    """The issuer alternative name says how to reach the authority: by electronic mail or at a URI."""
    names = _value(certificate, x509.IssuerAlternativeName)
    ways = (x509.RFC822Name, x509.UniformResourceIdentifier)
    return names is not None and all(isinstance(name, ways) for name in names)


def _revocable(certificate: x509.Certificate) -> bool:
    """Each distribution point is a URI, for all reasons, and of this authority."""
    points = _value(certificate, x509.CRLDistributionPoints)
    return points is not None and all(
        point.reasons is None
        and point.crl_issuer is None
        and any(isinstance(name, x509.UniformResourceIdentifier) for name in point.full_name or ())
        for point in points
    )


def _allowed(certificate: x509.Certificate) -> bool:
    return _FORBIDDEN.isdisjoint(extension.oid for extension in certificate.extensions)


def _critical(expected: Set[ObjectIdentifier]) -> Callable[[x509.Certificate], bool]:
    return lambda certificate: {each.oid for each in certificate.extensions if each.critical} == expected


def _used_for(*allowed: str) -> Callable[[x509.Certificate], bool]:
    """The key usage is exactly this."""
    expected = x509.KeyUsage(**{name: name in allowed for name in _USAGES})
    return lambda certificate: _value(certificate, x509.KeyUsage) == expected


def _lasts(longest: timedelta) -> Callable[[x509.Certificate], bool]:
    return lambda certificate: certificate.not_valid_after_utc - certificate.not_valid_before_utc <= longest


def _signs_documents(certificate: x509.Certificate) -> bool:
    return _value(certificate, x509.ExtendedKeyUsage) == x509.ExtendedKeyUsage([SIGNER_PURPOSE])


def _is_root(certificate: x509.Certificate) -> bool:
    own = certificate.subject.public_bytes() == certificate.issuer.public_bytes()
    constraints = _value(certificate, x509.BasicConstraints)
    return own and constraints == x509.BasicConstraints(ca=True, path_length=0)


_USAGES: Final = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)
_COMMON: Final[tuple[Rule, ...]] = (
    ("number", _numbered),
    ("signature", _signed),
    ("extension", _allowed),
    ("name", _named),
    ("key_identifier", _identified),
    ("contact", _reachable),
    ("crl", _revocable),
)
_ROOT: Final[tuple[Rule, ...]] = (
    ("usage", _used_for("key_cert_sign", "crl_sign")),
    ("authority", _is_root),
    ("critical", _critical(_ROOT_CRITICAL)),
    ("life", _lasts(_ROOT_LIFE)),
)
_SIGNER: Final[tuple[Rule, ...]] = (
    ("usage", _used_for("digital_signature")),
    ("purpose", _signs_documents),
    ("critical", _critical(_SIGNER_CRITICAL)),
    ("life", _lasts(_SIGNER_LIFE)),
)


# --- parts of a certificate -------------------------------------------------------------------------------------------


def _value(certificate: x509.Certificate, kind: type[T]) -> T | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _one(name: x509.Name, oid: ObjectIdentifier) -> str | None:
    """The attribute, if the name has it exactly once and as text."""
    found = name.get_attributes_for_oid(oid)
    value = found[0].value if len(found) == 1 else None
    return value if isinstance(value, str) else None


def _no(code: str, detail: str, evidence: Mapping[str, Json] | None = None) -> Finding:
    return Finding(Check.TRUST, Outcome.FAIL, code, detail, evidence or {})
