"""mso_mdoc: issued, received, shown and judged; what is hidden stays hidden and what is broken is found."""

from __future__ import annotations

import cbor2
import pytest

from ssi.encoding import unb64url
from ssi.errors import Refused, SsiError, Unavailable, Unsupported
from ssi.formats import mdoc
from ssi.issuerkeys import Keys as ResolverOfTheRoles
from ssi.keys import ALGORITHMS, SoftwareSigner
from ssi.model import Challenge, Check, Credential, Disclosure, Issuer, Outcome, Presentation
from ssi.trust.iaca import Iaca
from tests.ssi.mdocs import (
    AUTHORITY,
    CHALLENGE,
    CLAIMS,
    HOLDER,
    KEYS,
    MDL,
    MDL_TYPE,
    STRANGER,
    Keys,
    draft,
    found,
    issued,
    opened,
    presented,
)
from tests.support import NOW, InMemoryFetch

EVERY = tuple((namespace, name) for namespace, values in CLAIMS.items() for name in values)


def test_the_holder_gets_all_that_was_drafted() -> None:
    received = mdoc.check(issued(), keys=KEYS, now=NOW)
    assert received.claims == CLAIMS
    assert (received.type, received.holder, received.hidden) == (MDL_TYPE, HOLDER.public, 0)
    assert set(received.disclosed) == set(EVERY)
    assert {finding.check: finding.outcome for finding in received.findings} == {
        Check.FORMAT: Outcome.PASS,
        Check.SIGNATURE: Outcome.PASS,
        Check.HOLDER_BINDING: Outcome.NOT_ASKED,
        Check.VALIDITY: Outcome.PASS,
    }


def test_a_presentation_shows_what_was_chosen_and_no_more() -> None:
    shown = opened(presented(issued(decoys=3), (MDL, "given_name"), (MDL, "age_over_18")))
    assert shown.claims == {MDL: {"given_name": "Erika", "age_over_18": True}}
    assert shown.hidden == len(EVERY) - 2 + 2 * 3
    assert {finding.outcome for finding in shown.findings} == {Outcome.PASS}


def test_hidden_elements_are_nowhere_on_the_wire() -> None:
    raw = unb64url(presented(None, (MDL, "given_name")).wire)
    assert b"Erika" in raw
    for hidden in (b"Mustermann", b"family_name", b"1984", b"portrait"):
        assert hidden not in raw


def test_nothing_at_all_may_be_shown() -> None:
    shown = opened(presented(None))
    assert (shown.claims, shown.disclosed) == ({}, ())
    assert {finding.outcome for finding in shown.findings} == {Outcome.PASS}
    assert b"nameSpaces" in unb64url(presented(None).wire)  # the holder's, which are empty


@pytest.mark.parametrize("alg", list(ALGORITHMS))
def test_every_algorithm_of_the_house_serves_issuer_and_holder(alg: str) -> None:
    issuer, holder = SoftwareSigner.generate(alg), SoftwareSigner.generate(alg)
    made = draft(issuer=Issuer(None, None, (AUTHORITY.document_signer(issuer.public),)))
    card = mdoc.issue(made, signer=issuer, holder=holder.public, now=NOW)
    shown = opened(presented(card, (MDL, "given_name"), holder=holder))
    assert {finding.outcome for finding in shown.findings} == {Outcome.PASS}


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "other"},
        {"audience": "x509_hash:other"},
        {"response_uri": "https://verifier.test/other"},
        {"response_key": None},
        {"response_key": bytes(32)},
        {"audience": "origin:https://verifier.test", "response_uri": None},
    ],
)
def test_a_presentation_is_for_one_request_of_one_asker(change: dict[str, str]) -> None:
    other = Challenge(**{**vars(CHALLENGE), **change})
    finding = found(opened(presented(), challenge=other), Check.HOLDER_BINDING)
    assert (finding.outcome, finding.code) == (Outcome.FAIL, "mdoc.device_signature")


def test_the_digital_credentials_api_has_a_transcript_of_its_own() -> None:
    challenge = Challenge(nonce="n", audience="origin:https://verifier.test")
    shown = opened(presented(challenge=challenge), challenge=challenge)
    assert {finding.outcome for finding in shown.findings} == {Outcome.PASS}


@pytest.mark.parametrize("change", [{"nonce": ""}, {"audience": ""}, {"response_uri": None}])
def test_a_challenge_that_binds_to_nothing_is_refused(change: dict[str, str]) -> None:
    empty = Challenge(**{**vars(CHALLENGE), **change})
    for attempt in (lambda: presented(challenge=empty), lambda: opened(presented(), challenge=empty)):
        with pytest.raises(Refused) as refusal:
            attempt()
        assert refusal.value.code == "mdoc.challenge"


def test_a_document_answers_for_no_transaction() -> None:
    challenge = Challenge(**{**vars(CHALLENGE), "transaction_data": ("e30",)})
    with pytest.raises(Unsupported) as refusal:
        presented(challenge=challenge)
    assert refusal.value.code == "mdoc.transaction_data"
    finding = found(opened(presented(), challenge=challenge), Check.HOLDER_BINDING)
    assert (finding.outcome, finding.code) == (Outcome.FAIL, "mdoc.transaction_data")


def test_nobody_else_presents() -> None:
    with pytest.raises(Refused) as refusal:
        presented(holder=STRANGER)
    assert refusal.value.code == "mdoc.not_the_holder"


@pytest.mark.parametrize(
    "path", [(MDL,), (MDL, "unheard_of"), ("other", "given_name"), (MDL, "given_name", 0), (MDL, None)]
)
def test_only_elements_that_are_there_can_be_shown(path: tuple[str, ...]) -> None:
    with pytest.raises(Refused) as refusal:
        presented(None, path)
    assert refusal.value.code == "mdoc.no_such_claim"


def test_what_was_issued_is_not_a_presentation_and_the_reverse() -> None:
    finding = found(opened(issued().wire), Check.HOLDER_BINDING)
    assert (finding.outcome, finding.code) == (Outcome.FAIL, "mdoc.device_missing")
    with pytest.raises(SsiError) as refusal:
        mdoc.check(Credential(mdoc.ID, presented().wire), keys=KEYS, now=NOW)
    assert refusal.value.code == "mdoc.issuer_auth"


def test_an_unknown_key_is_no_and_an_unreachable_one_is_neither() -> None:
    for trouble, outcome in (
        (Refused("issuer.no_key", "No such key."), Outcome.FAIL),
        (Unavailable("fetch.timeout", "No answer."), Outcome.UNKNOWN),
    ):
        assert found(opened(presented(), keys=Keys(trouble)), Check.SIGNATURE).outcome is outcome


def test_the_issuers_key_is_found_and_its_authority_judged() -> None:
    """The whole way, with the resolver and the trust policy that the roles use."""
    shown = opened(presented(None, (MDL, "given_name")), keys=ResolverOfTheRoles(InMemoryFetch({})))
    assert {finding.outcome for finding in shown.findings} == {Outcome.PASS}
    assert found(shown, Check.SIGNATURE).evidence == {"alg": "ES256", "method": "x5c"}
    verdict = Iaca((AUTHORITY.der,), frozenset({MDL_TYPE})).judge(shown.issuer, shown.type, now=NOW)
    assert verdict.outcome is Outcome.PASS


def test_types_are_asked_for_by_doctype() -> None:
    shown = opened(presented())
    assert mdoc.meets({}, shown)
    assert mdoc.meets({"doctype_value": MDL_TYPE}, shown)
    assert not mdoc.meets({"doctype_value": "other"}, shown)
    assert not mdoc.meets({"vct_values": [MDL_TYPE]}, shown)
    assert mdoc.asked({"doctype_value": MDL_TYPE}) == (MDL_TYPE,)
    assert mdoc.asked({"doctype_value": 1}) == mdoc.asked({}) == ()
    assert mdoc.within((MDL, "given_name")) == ("given_name",)
    assert mdoc.within((MDL,)) == ()


def test_elements_have_the_types_of_their_standard() -> None:
    credential = cbor2.loads(unb64url(issued().wire))
    items = [cbor2.loads(tagged.value) for tagged in credential["nameSpaces"][MDL]]
    values = {item["elementIdentifier"]: item["elementValue"] for item in items}
    assert values["birth_date"].isoformat() == "1984-01-26"  # a date, so tag 1004
    assert values["expiry_date"].tzinfo is not None  # a time, so tag 0
    assert isinstance(values["portrait"], bytes)
    assert values["driving_privileges"][0]["issue_date"].isoformat() == "2003-02-01"
    assert sorted(item["digestID"] for item in items) == list(range(len(items)))


def test_digests_are_dealt_anew_each_time() -> None:
    orders = set()
    for _ in range(5):
        credential = cbor2.loads(unb64url(issued().wire))
        orders.add(tuple(cbor2.loads(tagged.value)["digestID"] for tagged in credential["nameSpaces"][MDL]))
    assert len(orders) > 1


def test_findings_hold_no_claim_values() -> None:
    assert "Erika" not in repr(opened(presented(None, (MDL, "given_name"))).findings)


def test_a_whole_document_can_be_shown() -> None:
    shown = mdoc.derive(issued(), disclose=Disclosure(EVERY), challenge=CHALLENGE, holder=HOLDER, now=NOW)
    assert opened(Presentation(mdoc.ID, shown.wire)).claims == CLAIMS
