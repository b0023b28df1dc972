"""What the profiles ask of certificates beyond the path: anchors, self-signed leaves, names and purposes (HAIP 1.0)."""

from __future__ import annotations

import pytest
from cryptography import x509 as native

from ssi.errors import Malformed, Refused
from ssi.keys import SoftwareSigner
from ssi.model import Issuer, Outcome
from ssi.trust import x509
from ssi.trust.policies import Anchors, ForPurpose, any_of
from tests.ssi.certificates import CERTIFIES, SIGNS, root, usage
from tests.support import NOW

ROOT = root()
KEY = SoftwareSigner.generate("ES256").public
LEAF = ROOT.certify(KEY)


def test_an_anchor_in_the_chain_is_seen_wherever_it_stands() -> None:
    assert not x509.anchor_in_chain((LEAF,), anchors=(ROOT.der,))
    for chain in ((LEAF, ROOT.der), (ROOT.der, LEAF), (ROOT.der,)):
        assert x509.anchor_in_chain(chain, anchors=(root("Other").der, ROOT.der))
        with pytest.raises(Refused) as caught:
            x509.validate_chain(chain, anchors=(ROOT.der,), now=NOW)
        assert caught.value.code == "trust.anchor_in_chain"


def test_self_signed_is_found_by_verifying() -> None:
    assert x509.is_self_signed(ROOT.der)
    assert not x509.is_self_signed(LEAF)
    with pytest.raises(Malformed):
        x509.is_self_signed(b"junk")
    with pytest.raises(Malformed):
        x509.issuer_name(b"junk")


def test_a_key_that_may_not_sign_signs_for_nobody() -> None:
    for allowed in ((), ("key_agreement",), ("content_commitment",)):
        chain = (ROOT.certify(KEY, extensions=((usage(*allowed), True),)),)
        with pytest.raises(Refused) as caught:
            x509.validate_chain(chain, anchors=(ROOT.der,), now=NOW)
        assert caught.value.code == "trust.chain"
    assert x509.validate_chain((ROOT.certify(KEY, extensions=((usage(SIGNS), True),)),), anchors=(ROOT.der,), now=NOW)


def test_name_constraints_of_an_authority_bind_the_names_of_its_signers() -> None:
    permitted = native.NameConstraints([native.DNSName("issuer.test")], None)
    excluded = native.NameConstraints(None, [native.DNSName("evil.test")])
    for constraints, good, bad in ((permitted, "a.issuer.test", "a.other.test"), (excluded, "a.test", "a.evil.test")):
        middle = ROOT.authority("Constrained", extensions=((usage(CERTIFIES), True), (constraints, True)))
        assert x509.validate_chain(
            (middle.certify(KEY, dns=(good,), uris=()), middle.der), anchors=(ROOT.der,), now=NOW
        ).dns_names == (good,)
        with pytest.raises(Refused) as caught:
            x509.validate_chain((middle.certify(KEY, dns=(bad,), uris=()), middle.der), anchors=(ROOT.der,), now=NOW)
        assert caught.value.code == "trust.chain"


def test_purposes_are_what_the_certificate_says_and_nothing_when_it_says_nothing() -> None:
    reader = "1.0.18013.5.1.6"
    purposes = native.ExtendedKeyUsage([native.ObjectIdentifier(reader)])
    chain = (ROOT.certify(KEY, extensions=((usage(SIGNS), True), (purposes, True))),)
    assert x509.purposes(chain) == {reader}
    assert x509.purposes((LEAF,)) == frozenset()
    with pytest.raises(Malformed):
        x509.purposes((b"junk",))
    policy = ForPurpose(Anchors((ROOT.der,), None), frozenset({reader}))
    assert policy.judge(Issuer(None, None, chain), "any", now=NOW).outcome is Outcome.PASS
    refused = policy.judge(Issuer(None, None, (LEAF,)), "any", now=NOW)
    assert (refused.outcome, refused.code) == (Outcome.FAIL, "trust.purpose")
    assert policy.judge(Issuer(None), "any", now=NOW).code == "trust.no_chain"
    with pytest.raises(ValueError, match="purpose"):
        ForPurpose(Anchors((ROOT.der,), None), frozenset())


def test_any_of_takes_what_is_there() -> None:
    one = Anchors((ROOT.der,), None)
    assert any_of(()) is None
    assert any_of((None, None)) is None
    assert any_of((None, one)) is one
    assert any_of((one, one)).judge(Issuer(None, None, (LEAF,)), "any", now=NOW).outcome is Outcome.PASS  # type: ignore[union-attr]
