"""Who is trusted for what, and that nothing empty or unproved is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from ssi.errors import Malformed
from ssi.keys import SoftwareSigner
from ssi.model import Check, Finding, Issuer, Outcome, TrustPolicy
from ssi.trust.policies import AllOf, Anchors, AnyOf, Issuers, UnsafeAnyone
from tests.ssi.certificates import root
from tests.support import NOW

PERSON = "urn:test:person"
KEY = SoftwareSigner.generate("ES256")
ROOT = root()
LEAF = ROOT.certify(KEY.public)
CERTIFIED = Issuer("https://issuer.test", x5c=(LEAF,))
LISTED = Issuer("https://issuer.test", kid="k")
ANCHORS = Anchors((ROOT.der,), frozenset({PERSON}))
LIST = Issuers({"https://issuer.test": frozenset({PERSON}), "did:key:z6Mk": None})


class Undecided:
    def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:
        return Finding(Check.TRUST, Outcome.UNKNOWN, "trust.list_unavailable", "The list could not be had.")


def verdict(
    policy: TrustPolicy, issuer: Issuer, credential_type: str = PERSON, now: datetime = NOW
) -> tuple[Outcome, str]:
    finding = policy.judge(issuer, credential_type, now=now)
    assert finding.check is Check.TRUST
    return finding.outcome, finding.code


@pytest.mark.parametrize(
    "make",
    [
        lambda: Anchors((), None),
        lambda: Anchors((ROOT.der,), frozenset()),
        lambda: Issuers({}),
        lambda: Issuers({"x": frozenset()}),
        lambda: AnyOf(()),
        lambda: AllOf(()),
    ],
)
def test_empty_policies_refuse_to_exist(make: Callable[[], TrustPolicy]) -> None:
    with pytest.raises(ValueError, match="trust policy"):
        make()


def test_an_unreadable_anchor_is_found_when_it_is_configured() -> None:
    with pytest.raises(Malformed):
        Anchors((b"not a certificate",), None)


def test_anchors_trust_whom_they_certify_for_their_types() -> None:
    assert verdict(ANCHORS, CERTIFIED) == (Outcome.PASS, "trust.anchored")
    assert verdict(Anchors((ROOT.der,), None), CERTIFIED, "anything") == (Outcome.PASS, "trust.anchored")
    assert verdict(ANCHORS, CERTIFIED, "urn:test:driver") == (Outcome.FAIL, "trust.type")
    assert verdict(ANCHORS, LISTED) == (Outcome.FAIL, "trust.no_chain")
    assert verdict(ANCHORS, Issuer(None, x5c=(root("Other").certify(KEY.public),))) == (
        Outcome.FAIL,
        "trust.unknown_anchor",
    )
    assert verdict(ANCHORS, Issuer(None, x5c=(b"junk",))) == (Outcome.FAIL, "trust.certificate")
    assert verdict(ANCHORS, CERTIFIED, now=NOW + timedelta(days=9999)) == (Outcome.FAIL, "trust.expired")


def test_an_anchored_finding_can_be_rechecked_and_a_refused_one_says_who_asked() -> None:
    evidence = ANCHORS.judge(CERTIFIED, PERSON, now=NOW).evidence
    assert set(evidence) == {"subject", "authority", "leaf_sha256", "anchor_sha256"}
    stranger = Issuer(None, x5c=(root("Other").certify(KEY.public, common="Stranger"),))
    assert "Stranger" in ANCHORS.judge(stranger, PERSON, now=NOW).evidence["claimed_subject"]


def test_listed_issuers_are_trusted_for_their_types() -> None:
    assert verdict(LIST, LISTED) == (Outcome.PASS, "trust.listed")
    assert verdict(LIST, LISTED, "urn:test:driver") == (Outcome.FAIL, "trust.type")
    assert verdict(LIST, Issuer("https://other.test")) == (Outcome.FAIL, "trust.unknown_issuer")
    assert verdict(LIST, Issuer("did:key:z6Mk", kid="#z6Mk"), "anything") == (Outcome.PASS, "trust.listed")
    assert verdict(LIST, Issuer(None)) == (Outcome.FAIL, "trust.unknown_issuer")


def test_without_iss_the_did_of_the_kid_is_the_issuer() -> None:
    assert verdict(LIST, Issuer(None, kid="did:key:z6Mk#z6Mk")) == (Outcome.PASS, "trust.listed")
    assert verdict(LIST, Issuer(None, kid="https://issuer.test")) == (Outcome.FAIL, "trust.unknown_issuer")
    assert verdict(LIST, Issuer("https://other.test", kid="did:key:z6Mk#z6Mk")) == (
        Outcome.FAIL,
        "trust.unknown_issuer",
    )


def test_a_listed_name_beside_a_certificate_proves_nothing() -> None:
    assert verdict(LIST, CERTIFIED) == (Outcome.FAIL, "trust.signed_with_certificate")


def test_any_of_takes_the_first_yes_then_the_undecided_then_the_telling_no() -> None:
    both = AnyOf((LIST, ANCHORS))
    assert verdict(both, CERTIFIED) == (Outcome.PASS, "trust.anchored")
    assert verdict(both, LISTED) == (Outcome.PASS, "trust.listed")
    assert verdict(both, CERTIFIED, "urn:test:driver") == (Outcome.FAIL, "trust.type")
    assert verdict(AnyOf((LIST, Undecided())), CERTIFIED)[0] is Outcome.UNKNOWN
    assert verdict(AnyOf((Undecided(), ANCHORS)), CERTIFIED)[0] is Outcome.PASS


def test_all_of_needs_every_yes() -> None:
    assert verdict(AllOf((ANCHORS, UnsafeAnyone())), CERTIFIED) == (Outcome.PASS, "trust.anchored")
    assert verdict(AllOf((UnsafeAnyone(), ANCHORS)), LISTED) == (Outcome.FAIL, "trust.no_chain")
    assert verdict(AllOf((ANCHORS, Undecided())), CERTIFIED)[0] is Outcome.UNKNOWN
    assert verdict(AllOf((Undecided(), ANCHORS)), LISTED)[0] is Outcome.FAIL


def test_trusting_anyone_says_so() -> None:
    assert verdict(UnsafeAnyone(), Issuer(None)) == (Outcome.PASS, "trust.unsafe_anyone")
