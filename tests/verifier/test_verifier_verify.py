from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import dcql, jose
from ssi.dids import key as did_key
from ssi.encoding import b64url, unb64url
from ssi.errors import Refused
from ssi.formats import sdjwt
from ssi.formats.typemetadata import Types
from ssi.issuerkeys import Keys
from ssi.keys import SoftwareSigner
from ssi.model import Challenge, Check, Credential, Disclosure, Finding, Issuer, Outcome, Presentation, StatusRef
from ssi.trust.policies import AnyOf, Issuers, UnsafeAnyone
from tests.ssi.drafts import HOLDER, JWT_VC
from tests.support import NOW, InMemoryFetch
from tests.verifier.world import ISSUER, LIST, PERSON, World
from verifier.policy import ESSENTIAL, MustEqual, Policy
from verifier.verify import Answer, Verdict, VerificationResult, Verifier, conclude

CHALLENGE = Challenge(nonce="kq3Zr0lXbV9mJ1c7Yw2hTg", audience="x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk")
AGE = [["age_over_18"]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("facet")


@pytest.fixture
def world(folder: Path) -> World:
    return World(folder)


def judge(world: World, presentation: Presentation, **policy: Any) -> VerificationResult:
    made = Policy(**{"trust": world.trust, "types": frozenset({PERSON}), **policy})
    return world.verifier().verify(presentation, challenge=CHALLENGE, policy=made, now=world.clock())


def outcome(result: VerificationResult | Answer, check: Check) -> Outcome:
    (found,) = {finding.outcome for finding in result.findings if finding.check is check}
    return found


def code(result: VerificationResult | Answer, check: Check) -> str:
    return next(finding.code for finding in result.findings if finding.check is check)


def refused(result: VerificationResult | Answer) -> None:
    assert not result.accepted
    with pytest.raises(Refused):
        _ = result.claims
    with pytest.raises(Refused):
        _ = result.opened


def test_a_genuine_presentation_is_verified_and_every_check_is_told(world: World) -> None:
    result = judge(world, world.present(CHALLENGE, AGE))
    assert result.verdict is Verdict.VERIFIED
    assert result.claims["age_over_18"] is True
    assert "birthdate" not in result.claims
    assert [finding.check for finding in result.findings] == list(Check)
    asked_not = {finding.check for finding in result.findings if finding.outcome is Outcome.NOT_ASKED}
    assert asked_not == {Check.LEDGER, Check.PRESENCE, Check.RULE}
    assert all(finding.detail.endswith(".") for finding in result.findings)


def test_claims_unlike_the_description_of_their_type_are_not_verified(world: World) -> None:
    nothing_can_be_hidden = world.credential(disclosable=())
    result = judge(world, world.present(CHALLENGE, AGE, credential=nothing_can_be_hidden))
    assert result.verdict is Verdict.NOT_VERIFIED
    assert {one.code for one in result.findings if one.outcome is Outcome.FAIL} == {"schema.disclosable"}
    refused(result)


def test_rules_decide(world: World) -> None:
    shown = world.present(CHALLENGE, AGE)
    over = MustEqual(("age_over_18",), True)
    assert judge(world, shown, rules=(over,)).verdict is Verdict.VERIFIED
    result = judge(world, shown, rules=(over, MustEqual(("age_over_65",), True)))
    assert result.verdict is Verdict.NOT_VERIFIED
    refused(result)


def flip_disclosure(wire: str) -> str:
    token, disclosure, proof = wire.split("~")
    opened = unb64url(disclosure).replace(b"true", b"null")
    return "~".join((token, b64url(opened), proof))


def flip_signature(wire: str) -> str:
    token, rest = wire.split("~", 1)
    head, signature = token.rsplit(".", 1)
    changed = bytearray(unb64url(signature))
    changed[5] ^= 1
    return f"{head}.{b64url(bytes(changed))}~{rest}"


@pytest.mark.parametrize(
    "spoil",
    [
        flip_disclosure,
        flip_signature,
        lambda wire: wire.rsplit("~", 1)[0] + "~",
        lambda wire: wire[: len(wire) // 2],
        lambda wire: "~".join([*wire.split("~")[:-2], wire.split("~")[-1]]),
        lambda _wire: "",
        lambda _wire: "~~~",
        lambda wire: "ey.ey.ey~" + wire,
    ],
)
def test_a_spoilt_presentation_is_not_verified(world: World, spoil: Callable[[str], str]) -> None:
    shown = world.present(CHALLENGE, AGE)
    result = judge(world, replace(shown, wire=spoil(shown.wire)))
    assert result.verdict is Verdict.NOT_VERIFIED
    refused(result)


@pytest.mark.parametrize("other", [replace(CHALLENGE, nonce="other"), replace(CHALLENGE, audience="x509_hash:other")])
def test_a_presentation_for_somebody_else_or_another_time_is_not_verified(world: World, other: Challenge) -> None:
    result = judge(world, world.present(other, AGE))
    assert outcome(result, Check.HOLDER_BINDING) is Outcome.FAIL
    assert outcome(result, Check.SIGNATURE) is Outcome.PASS
    assert result.verdict is Verdict.NOT_VERIFIED
    refused(result)


def test_expired_revoked_and_of_another_type(world: World) -> None:
    expired = world.credential(valid_until=NOW - timedelta(seconds=1))
    result = judge(world, world.present(CHALLENGE, AGE, credential=expired))
    assert outcome(result, Check.VALIDITY) is Outcome.FAIL
    assert result.verdict is Verdict.NOT_VERIFIED
    other = judge(world, world.present(CHALLENGE, AGE), types=frozenset({"urn:other"}))
    assert code(other, Check.TYPE) == "type.unexpected"
    assert PERSON not in str(other.findings)
    assert other.verdict is Verdict.NOT_VERIFIED
    world.revoked.add(7)
    revoked = judge(world, world.present(CHALLENGE, AGE))
    assert code(revoked, Check.STATUS) == "status.revoked"
    assert revoked.verdict is Verdict.NOT_VERIFIED
    for one in (result, other, revoked):
        refused(one)


def test_a_status_list_out_of_reach_is_neither_yes_nor_no(world: World) -> None:
    del world.pages[LIST]
    result = judge(world, world.present(CHALLENGE, AGE))
    assert outcome(result, Check.STATUS) is Outcome.UNKNOWN
    assert result.verdict is Verdict.COULD_NOT_CHECK
    refused(result)
    without = judge(world, world.present(CHALLENGE, AGE), required=ESSENTIAL - {Check.STATUS})
    assert without.verdict is Verdict.VERIFIED


def test_a_credential_without_a_status_cannot_be_withdrawn(world: World) -> None:
    result = judge(world, world.present(CHALLENGE, AGE, credential=world.credential(statuses=())))
    assert code(result, Check.STATUS) == "status.none"
    assert result.verdict is Verdict.VERIFIED


def test_a_strangers_status_list_is_never_fetched(world: World, tmp_path: Path) -> None:
    stranger = World(tmp_path)
    bait = stranger.credential(statuses=(StatusRef("token_status_list", "https://bait.test/list", 1),))
    stranger_shown = stranger.present(CHALLENGE, AGE, credential=bait)
    result = judge(world, stranger_shown)
    assert outcome(result, Check.SIGNATURE) is Outcome.PASS
    assert outcome(result, Check.TRUST) is Outcome.FAIL
    assert outcome(result, Check.STATUS) is Outcome.NOT_ASKED
    spoilt = judge(world, replace(stranger_shown, wire=flip_signature(stranger_shown.wire)))
    assert outcome(spoilt, Check.STATUS) is Outcome.NOT_ASKED
    assert world.fetch.calls == []
    refused(result)


def test_an_issuer_may_be_trusted_by_its_did(world: World) -> None:
    signer = SoftwareSigner.generate("EdDSA")
    did = did_key.from_public(signer.public)
    issuer = Issuer(did, f"{did}#{did.removeprefix('did:key:')}")
    shown = world.present(CHALLENGE, AGE, credential=world.credential(signer=signer, issuer=issuer, statuses=()))
    listed = AnyOf((world.trust, Issuers({did: None})))
    assert judge(world, shown, trust=listed).verdict is Verdict.VERIFIED
    assert judge(world, shown).verdict is Verdict.NOT_VERIFIED


def test_a_foreign_certificate_does_not_become_trusted_by_naming_a_listed_issuer(world: World, tmp_path: Path) -> None:
    stranger = World(tmp_path)
    listed = AnyOf((world.trust, Issuers({ISSUER: None})))
    shown = stranger.present(CHALLENGE, AGE, credential=stranger.credential(statuses=()))
    result = judge(world, shown, trust=listed)
    assert outcome(result, Check.TRUST) is Outcome.FAIL
    assert result.verdict is Verdict.NOT_VERIFIED


def test_another_kind_of_credential_that_is_also_of_the_asked_type_needs_trust_for_that_type(world: World) -> None:
    signer = SoftwareSigner.generate("ES256")
    did = did_key.from_public(signer.public)
    club = world.credential(
        signer=signer,
        issuer=Issuer(did, f"{did}#{did.removeprefix('did:key:')}"),
        type="urn:club-card",
        statuses=(),
    )
    token, rest = club.wire.split("~", 1)
    parsed = jose.parse(token, typ=None)
    both = jose.sign({**parsed.claims, "aka_vcts": [PERSON]}, signer=signer, header=parsed.header)
    shown = world.present(CHALLENGE, AGE, credential=replace(club, wire=f"{both}~{rest}"))
    for_clubs = Issuers({did: frozenset({"urn:club-card"})})
    for_people = Issuers({did: frozenset({PERSON})})
    assert judge(world, shown, trust=for_clubs).verdict is Verdict.NOT_VERIFIED
    assert judge(world, shown, trust=for_people).verdict is Verdict.VERIFIED


@pytest.mark.parametrize("others", [5, "x", [[]], {PERSON: 1}, [PERSON]])
def test_second_types_are_a_word_of_sd_jwts_alone(world: World, others: Any) -> None:
    """In another format a member of that name means nothing, and its form is anybody's."""
    held = jose.parse(JWT_VC.issued().wire, typ=None)
    document = {**held.claims["vc"], "aka_vcts": others}
    wire = jose.sign({**held.claims, "vc": document}, signer=JWT_VC.issuer, header=held.header)
    card = Credential(JWT_VC.format.ID, wire)
    shown = JWT_VC.format.derive(card, disclose=Disclosure(()), challenge=CHALLENGE, holder=HOLDER, now=NOW)
    result = judge(world, shown, trust=UnsafeAnyone())
    assert (outcome(result, Check.TYPE), outcome(result, Check.SIGNATURE)) == (Outcome.FAIL, Outcome.PASS)


def test_a_card_that_counts_for_one_question_does_not_answer_another_by_its_second_type(world: World) -> None:
    signer = SoftwareSigner.generate("ES256")
    did = did_key.from_public(signer.public)
    issuer = Issuer(did, f"{did}#{did.removeprefix('did:key:')}")
    club = world.credential(signer=signer, issuer=issuer, type="urn:club-card", statuses=())
    token, rest = club.wire.split("~", 1)
    parsed = jose.parse(token, typ=None)
    both = jose.sign({**parsed.claims, "aka_vcts": [PERSON]}, signer=signer, header=parsed.header)
    shown = world.present(CHALLENGE, AGE, credential=replace(club, wire=f"{both}~{rest}"))
    asked = [{"id": name, "format": sdjwt.ID, "meta": {"vct_values": [name]}} for name in ("urn:club-card", PERSON)]
    either = dcql.parse(
        {
            "credentials": [{**one, "id": id} for one, id in zip(asked, ("club", "person"), strict=True)],
            "credential_sets": [{"options": [["club"], ["person"]]}],
        }
    )
    policy = Policy(trust=Issuers({did: frozenset({"urn:club-card"})}), types=frozenset({"urn:club-card", PERSON}))

    def answered(query_id: str) -> Answer:
        return world.verifier().verify_response(
            either, {query_id: (shown,)}, challenge=CHALLENGE, policy=policy, now=world.clock()
        )

    assert answered("club").verdict is Verdict.VERIFIED
    assert answered("person").verdict is Verdict.NOT_VERIFIED
    refused(answered("person"))


@given(st.text(max_size=200) | st.text(alphabet="ey.~ABCabc01_-", max_size=200))
def test_no_text_whatever_is_verified_or_breaks_the_verifier(text: str) -> None:
    result = _verify_text(text)
    assert result.verdict is Verdict.NOT_VERIFIED
    assert {finding.check for finding in result.findings} == set(Check)


def _verify_text(text: str) -> VerificationResult:
    class Nobody:
        def check(self, *_args: Any, **_named: Any) -> Finding:
            raise AssertionError("no status is asked of an unreadable presentation")

    policy = Policy(trust=UnsafeAnyone(), types=frozenset({PERSON}))
    verifier = Verifier(Keys(InMemoryFetch({})), Nobody(), Types(None))
    return verifier.verify(Presentation(sdjwt.ID, text), challenge=CHALLENGE, policy=policy, now=NOW)


def test_the_verdict_needs_every_required_check_to_pass() -> None:
    both = frozenset({Check.SIGNATURE, Check.TRUST})

    def finding(check: Check, outcome: Outcome) -> Finding:
        return Finding(check, outcome, "x", "X.")

    signed = finding(Check.SIGNATURE, Outcome.PASS)
    assert conclude([signed, finding(Check.TRUST, Outcome.PASS)], both) is Verdict.VERIFIED
    assert conclude([signed], both) is Verdict.COULD_NOT_CHECK
    assert conclude([signed, finding(Check.TRUST, Outcome.NOT_ASKED)], both) is Verdict.COULD_NOT_CHECK
    assert conclude([signed, finding(Check.TRUST, Outcome.UNKNOWN)], both) is Verdict.COULD_NOT_CHECK
    passed = finding(Check.TRUST, Outcome.PASS)
    assert conclude([signed, passed, finding(Check.TRUST, Outcome.UNKNOWN)], both) is Verdict.COULD_NOT_CHECK
    assert conclude([signed, passed, finding(Check.SCHEMA, Outcome.FAIL)], both) is Verdict.NOT_VERIFIED
    assert conclude([signed, passed, finding(Check.SCHEMA, Outcome.UNKNOWN)], both) is Verdict.VERIFIED


def query(*claims: dict[str, Any], **more: Any) -> dcql.Query:
    one = {"id": "person", "format": sdjwt.ID, "meta": {"vct_values": [PERSON]}, "claims": list(claims), **more}
    return dcql.parse({"credentials": [one]})


def respond(world: World, asked: dcql.Query, presented: dict[str, tuple[Presentation, ...]]) -> Answer:
    policy = Policy(trust=world.trust, types=frozenset({PERSON}))
    return world.verifier().verify_response(asked, presented, challenge=CHALLENGE, policy=policy, now=NOW)


def test_a_response_must_answer_the_query(world: World) -> None:
    asked = query({"path": ["given_name"]}, {"path": ["age_over_18"], "values": [True]})
    full = world.present(CHALLENGE, [["given_name"], ["age_over_18"]])
    answer = respond(world, asked, {"person": (full,)})
    assert answer.verdict is Verdict.VERIFIED
    assert answer.claims["person"][0]["given_name"] == "Eileen"
    for presented in (
        {},
        {"person": ()},
        {"person": (world.present(CHALLENGE, [["given_name"]]),)},
        {"person": (full, full)},
        {"person": (full,), "other": (Presentation("", full.wire),)},
        {"other": (full,)},
    ):
        spoilt = respond(world, asked, presented)
        assert spoilt.verdict is Verdict.NOT_VERIFIED, presented
        refused(spoilt)


def test_what_was_not_asked_for_is_not_even_opened(world: World) -> None:
    asked, full = query({"path": ["age_over_18"]}), world.present(CHALLENGE, AGE)
    for presented in ({"person": (full, full)}, {"person": (full,), "other": (full,)}):
        answer = respond(world, asked, presented)
        assert answer.verdict is Verdict.NOT_VERIFIED
        assert answer.results == {}
        assert {one.code for one in answer.findings if one.outcome is Outcome.FAIL} <= {
            "dcql.multiple",
            "dcql.unexpected",
        }


def test_a_value_other_than_asked_is_refused(world: World) -> None:
    asked = query({"path": ["age_over_65"], "values": [True]})
    answer = respond(world, asked, {"person": (world.present(CHALLENGE, [["age_over_65"]]),)})
    assert answer.verdict is Verdict.NOT_VERIFIED
    refused(answer)


def test_one_bad_presentation_spoils_the_response(world: World) -> None:
    asked = query({"path": ["given_name"]}, multiple=True)
    good = world.present(CHALLENGE, [["given_name"]])
    bad = replace(good, wire=flip_signature(good.wire))
    assert respond(world, asked, {"person": (good, good)}).verdict is Verdict.VERIFIED
    assert respond(world, asked, {"person": (good, bad)}).verdict is Verdict.NOT_VERIFIED


def test_an_undecided_presentation_leaves_the_response_undecided(world: World) -> None:
    asked = query({"path": ["given_name"]})
    shown = world.present(CHALLENGE, [["given_name"]])
    del world.pages[LIST]
    answer = respond(world, asked, {"person": (shown,)})
    assert answer.verdict is Verdict.COULD_NOT_CHECK
    refused(answer)
