"""Authorities of mobile documents: what ISO/IEC 18013-5 Annex B asks of two certificates, broken rule by rule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ssi.errors import Malformed
from ssi.keys import ALGORITHMS, SoftwareSigner
from ssi.model import Finding, Issuer, Outcome
from ssi.trust import iaca as module
from ssi.trust.iaca import Iaca, place
from ssi.trust.policies import Anchors
from tests.ssi.certificates import root as other_root
from tests.ssi.certificates import usage
from tests.ssi.mdocs import AUTHORITY, CERTIFICATE, MDL_TYPE, SIGNER_EKU, START, STRANGER, contact, crl, iaca, name
from tests.ssi.mdocs import Iaca as Authority
from tests.ssi.test_mdoc_vectors import THEN, raw
from tests.support import NOW

TYPES = frozenset({MDL_TYPE})


def judged(*x5c: bytes, anchors: tuple[bytes, ...] = (AUTHORITY.der,), **changes: Any) -> Finding:
    given = {"types": TYPES, "credential_type": MDL_TYPE, "now": NOW, **changes}
    policy = Iaca(anchors, given["types"])
    return policy.judge(Issuer(None, None, x5c), given["credential_type"], now=given["now"])


def signer_under(authority: Authority, **changes: Any) -> Finding:
    return judged(authority.document_signer(STRANGER.public, **changes), anchors=(authority.der,))


def test_a_document_signer_is_certified() -> None:
    finding = judged(CERTIFICATE)
    assert (finding.outcome, finding.code) == (Outcome.PASS, "trust.iaca")
    assert finding.evidence["authority"] == "CN=Utopia IACA,C=UT"
    assert judged(CERTIFICATE, types=None, credential_type="anything").outcome is Outcome.PASS


@pytest.mark.parametrize("alg", list(ALGORITHMS))
def test_a_document_signer_may_have_any_key_of_the_house(alg: str) -> None:
    certificate = AUTHORITY.document_signer(SoftwareSigner.generate(alg).public)
    assert judged(certificate).outcome is Outcome.PASS


@pytest.mark.parametrize("alg", ["ES384", "ES512"])
def test_an_authority_may_have_a_longer_key(alg: str) -> None:
    assert signer_under(iaca(alg=alg)).outcome is Outcome.PASS


def test_a_certificate_that_hides_something_unreadable_is_refused() -> None:
    """The chain's own check refuses such an authority before; this is for the day on which it does not."""
    garbage = x509.UnrecognizedExtension(x509.IssuerAlternativeName.oid, b"garbage")
    authority = iaca(changes={x509.IssuerAlternativeName: (garbage, False)})
    certificate = authority.document_signer(STRANGER.public)
    assert judged(certificate, anchors=(authority.der,)).outcome is Outcome.FAIL
    with pytest.raises(Malformed) as refusal:
        module._broken(certificate, authority.der)
    assert refusal.value.code == "trust.certificate"


def test_a_policy_names_somebody() -> None:
    with pytest.raises(ValueError, match="at least one authority"):
        Iaca((), None)
    with pytest.raises(ValueError, match="no types"):
        Iaca((AUTHORITY.der,), frozenset())
    with pytest.raises(Malformed):
        Iaca((b"DER",), None)


def test_chains_and_types_are_judged_as_elsewhere() -> None:
    old = AUTHORITY.document_signer(STRANGER.public, days=30)
    for finding, code in (
        (judged(), "trust.no_chain"),
        (judged(CERTIFICATE, credential_type="other"), "trust.type"),
        (judged(CERTIFICATE, anchors=(iaca().der,)), "trust.chain"),
        (judged(CERTIFICATE, anchors=(iaca(subject=name("Other IACA")).der,)), "trust.unknown_anchor"),
        (judged(b"DER"), "trust.certificate"),
        (judged(CERTIFICATE, AUTHORITY.der), "trust.anchor_in_chain"),
        (judged(old), "trust.expired"),
        (judged(CERTIFICATE, now=START - timedelta(days=1)), "trust.not_yet_valid"),
    ):
        assert (finding.outcome, finding.code) == (Outcome.FAIL, code)


def test_an_ordinary_authority_is_none_for_mobile_documents() -> None:
    authority = other_root()
    finding = judged(authority.certify(STRANGER.public), anchors=(authority.der,))
    assert (finding.outcome, finding.code) == (Outcome.FAIL, "trust.iaca_root_name")


IAN, CRL = x509.IssuerAlternativeName, x509.CRLDistributionPoints
SKI, EKU, KU, BC = x509.SubjectKeyIdentifier, x509.ExtendedKeyUsage, x509.KeyUsage, x509.BasicConstraints
POINT = x509.UniformResourceIdentifier("https://utopia.test/iaca.crl")
COMMON: list[tuple[str, dict[Any, Any]]] = [
    ("extension", {x509.PolicyConstraints: (x509.PolicyConstraints(1, None), False)}),
    ("extension", {x509.FreshestCRL: (x509.FreshestCRL(list(crl("https://utopia.test/delta"))), False)}),
    ("key_identifier", {SKI: None}),
    ("key_identifier", {SKI: (SKI(bytes(20)), False)}),
    ("contact", {IAN: None}),
    ("contact", {IAN: (IAN([x509.DNSName("utopia.test")]), False)}),
    ("crl", {CRL: None}),
    ("crl", {CRL: (CRL([x509.DistributionPoint([x509.DNSName("utopia.test")], None, None, None)]), False)}),
    (
        "crl",
        {
            CRL: (
                CRL([x509.DistributionPoint([POINT], None, frozenset([x509.ReasonFlags.key_compromise]), None)]),
                False,
            )
        },
    ),
    ("crl", {CRL: (CRL([x509.DistributionPoint([POINT], None, None, [x509.DNSName("other.test")])]), False)}),
    ("critical", {IAN: (contact(), True)}),
]


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        *COMMON,
        ("usage", {KU: None}),
        ("usage", {KU: (usage("digital_signature", "key_agreement"), True)}),
        ("critical", {KU: (usage("digital_signature"), False)}),
        ("purpose", {EKU: None}),
        ("purpose", {EKU: (EKU([ExtendedKeyUsageOID.CLIENT_AUTH]), True)}),
        ("purpose", {EKU: (EKU([SIGNER_EKU, ExtendedKeyUsageOID.CLIENT_AUTH]), True)}),
        ("critical", {EKU: (EKU([SIGNER_EKU]), False)}),
    ],
)
def test_a_document_signers_certificate_keeps_its_profile(rule: str, changes: dict[Any, Any]) -> None:
    finding = signer_under(AUTHORITY, changes=changes)
    assert (finding.outcome, finding.code) in (
        (Outcome.FAIL, f"trust.iaca_signer_{rule}"),
        (Outcome.FAIL, "trust.chain"),  # the path itself already refuses it
    )


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        *COMMON,
        ("usage", {KU: (usage("key_cert_sign"), True)}),
        ("authority", {BC: (BC(True, None), True)}),
        ("authority", {BC: (BC(True, 1), True)}),
        ("critical", {BC: (BC(True, 0), False)}),
    ],
)
def test_an_authoritys_certificate_keeps_its_profile(rule: str, changes: dict[Any, Any]) -> None:
    finding = signer_under(iaca(changes=changes))
    assert (finding.outcome, finding.code) in (
        (Outcome.FAIL, f"trust.iaca_root_{rule}"),
        (Outcome.FAIL, "trust.chain"),
    )


@pytest.mark.parametrize("country", [None, "ut", "U1"])
def test_names_have_a_country(country: str | None) -> None:
    authority = iaca(subject=name("Utopia IACA", country))
    assert signer_under(authority, subject=name("DS", country)).code == "trust.iaca_root_name"
    assert signer_under(AUTHORITY, subject=name("DS", country)).code == "trust.iaca_signer_name"


def test_names_have_one_common_name() -> None:
    nameless = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "UT")])
    assert signer_under(AUTHORITY, subject=nameless).code == "trust.iaca_signer_name"


def test_a_signer_is_of_its_authoritys_country_and_state() -> None:
    assert signer_under(AUTHORITY, subject=name("DS", "XX")).code == "trust.iaca_pair"
    assert signer_under(AUTHORITY, subject=name("DS", "UT", "North")).code == "trust.iaca_pair"
    north = iaca(subject=name("IACA", "UT", "North"))
    assert signer_under(north).code == "trust.iaca_pair"
    assert signer_under(north, subject=name("DS", "UT", "North")).code == "trust.iaca"
    assert place((north.document_signer(STRANGER.public, subject=name("DS", "UT", "North")),)) == ("UT", "North")
    assert place((CERTIFICATE,)) == ("UT", None)


def test_a_signer_names_its_authoritys_key() -> None:
    wrong = x509.AuthorityKeyIdentifier(bytes(20), None, None)
    for changes in ({x509.AuthorityKeyIdentifier: (wrong, False)}, {x509.AuthorityKeyIdentifier: None}):
        assert signer_under(AUTHORITY, changes=changes).code in ("trust.iaca_pair", "trust.chain")


def test_certificates_do_not_last_too_long() -> None:
    assert signer_under(AUTHORITY, days=458).code == "trust.iaca_signer_life"
    assert signer_under(iaca(days=7306)).code == "trust.iaca_root_life"
    assert signer_under(iaca(days=7305)).code == "trust.iaca"


def test_serial_numbers_have_at_most_twenty_octets() -> None:
    assert signer_under(AUTHORITY, serial=2**159 - 1).code == "trust.iaca"


def test_the_standards_own_example_is_anchored_but_for_its_revocation_lists() -> None:
    """Annex D's certificates name them by DNS name, where Annex B wants a URI; everything else is in order."""
    finding = judged(raw("document_signer"), anchors=(raw("iaca"),), now=THEN)
    assert (finding.outcome, finding.code) == (Outcome.FAIL, "trust.iaca_root_crl")
    assert finding.evidence["authority"] == "C=US,CN=utopia iaca"


def test_states_documents_are_for_these_authorities_alone() -> None:
    """Else any certificate under a relying party's ordinary authorities could sign a driving licence."""
    general, issuer = Anchors((AUTHORITY.der,), None), Issuer(None, x5c=(CERTIFICATE,))
    both, others = module.beside(general, (AUTHORITY.der,)), module.beside(general, (another().der,))
    for kind in module.STATES:
        assert both.judge(issuer, kind, now=NOW).code == "trust.iaca"
        assert others.judge(issuer, kind, now=NOW).outcome is Outcome.FAIL
    for policy in (both, others):
        assert policy.judge(issuer, "urn:club-card", now=NOW).code == "trust.anchored"
    assert module.beside(None, (AUTHORITY.der,)).judge(issuer, "urn:club-card", now=NOW).outcome is Outcome.FAIL


def another() -> Authority:
    return iaca()
