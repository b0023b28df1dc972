"""ldp_vc beyond what all formats promise: whose proof it is, what comes along when parts are shown, and older kinds."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import suites
from ssi.dids import key as did_key
from ssi.errors import Malformed, Refused, SsiError, Unavailable, Unsupported
from ssi.formats import ldp, ldparts
from ssi.keys import SoftwareSigner
from ssi.model import (
    Check,
    ClaimPath,
    Disclosure,
    Finding,
    Issuer,
    Opened,
    Outcome,
    StatusRef,
)
from ssi.suites import proofs
from tests.ssi.drafts import CHALLENGE, HOLDER, LDP, LDP_ECDSA_SD, STRANGER, Resolver
from tests.ssi.ldps import (
    HONEST,
    KEYS,
    NOTARY,
    SD,
    SUBJECT,
    Change,
    card,
    found,
    issued,
    opened,
    presented,
    shown,
)
from tests.support import NOW

# --- whose proof it is ------------------------------------------------------------------------------------------------


def test_a_key_of_somebody_else_does_not_speak_for_the_issuer() -> None:
    forged = {**issued(disclosable=()), "issuer": did_key.from_public(NOTARY.public)}
    del forged["proof"]
    method = did_key.url(HOLDER.public)
    forged = proofs.add(
        forged, suite=suites.by_name("ecdsa-rdfc-2019"), signer=HOLDER, verification_method=method, created=NOW
    )
    for result in (opened(presented(forged)), ldp.check(card(forged), keys=KEYS, now=NOW)):
        signature = found(result, Check.SIGNATURE)
        assert (signature.outcome, signature.code) == (Outcome.FAIL, "ldp.issuer_binding")
    assert ldp.open_credential(forged, keys=KEYS, now=NOW).issuer == Issuer(forged["issuer"])


def test_a_notary_may_sign_beside_the_issuer_but_not_instead() -> None:
    both = proofs.add(
        issued(disclosable=()),
        suite=suites.by_name("eddsa-rdfc-2022"),
        signer=NOTARY,
        verification_method=did_key.url(NOTARY.public),
        created=NOW,
    )
    result = opened(presented(both))
    assert {finding.outcome for finding in result.findings} == {Outcome.PASS}
    assert result.issuer.kid == did_key.url(LDP_ECDSA_SD.issuer.public)
    alone = {**both, "proof": both["proof"][1]}
    assert found(opened(presented(alone)), Check.SIGNATURE).code == "ldp.issuer_binding"
    both["proof"][1]["proofValue"] = both["proof"][0]["proofValue"]
    assert found(opened(presented(both)), Check.SIGNATURE).outcome is Outcome.FAIL


CHANGES: list[tuple[str, Change, str]] = [
    ("another value", lambda vc: vc[SUBJECT].update(given_name="Max"), "suite.signature"),
    ("another member", lambda vc: vc[SUBJECT].update(name="Max"), "suite.signature"),
    ("a member without a meaning", lambda vc: vc.update({"@context": vc["@context"][:1]}), "jsonld."),
    ("another issuer", lambda vc: vc.update(issuer=did_key.from_public(NOTARY.public)), "suite.signature"),
    ("a longer validity", lambda vc: vc.update(validUntil="2030-01-01T00:00:00Z"), "suite.signature"),
    ("another purpose", lambda vc: vc["proof"].update(proofPurpose="authentication"), "proof.purpose"),
    ("a suite of no name", lambda vc: vc["proof"].update(cryptosuite="none"), "suite.unknown"),
    ("a key of no kind", lambda vc: vc["proof"].update(verificationMethod="did:key:x#x"), ""),
]


@pytest.mark.parametrize(("change", "code"), [pytest.param(c, code, id=name) for name, c, code in CHANGES])
@pytest.mark.parametrize("disclosable", [(), SD.disclosable], ids=["whole", "selective"])
def test_what_was_signed_cannot_be_changed(change: Change, code: str, disclosable: tuple[ClaimPath, ...]) -> None:
    presentation = shown(issued(disclosable=disclosable), (SUBJECT, "given_name"))
    (credential,) = presentation["verifiableCredential"]
    change(credential)
    signature = found(ldp.open_credential(credential, keys=KEYS, now=NOW), Check.SIGNATURE)
    assert signature.outcome is Outcome.FAIL
    assert signature.code.startswith(code) or disclosable
    presentation["verifiableCredential"] = [credential]
    assert found(opened(presentation), Check.SIGNATURE) == signature


def test_a_base_proof_is_not_for_verifiers() -> None:
    assert found(opened(presented(issued())), Check.SIGNATURE).code == "suite.base_proof"
    assert found(ldp.open_credential(issued(), keys=KEYS, now=NOW), Check.SIGNATURE).code == "suite.base_proof"


def test_a_derived_proof_is_not_for_holders() -> None:
    (derived,) = shown(issued())["verifiableCredential"]
    assert found(ldp.check(card(derived), keys=KEYS, now=NOW), Check.SIGNATURE).outcome is Outcome.FAIL


# --- who shows it -----------------------------------------------------------------------------------------------------


HOLDERS: list[tuple[str, dict[str, Any], str]] = [
    ("a thief", {"by": STRANGER}, "vp.other_holder"),
    ("a thief who says so", {"by": STRANGER, "document": {"holder": did_key.from_public(HOLDER.public)}}, "vp.other"),
    ("another name", {"document": {"holder": did_key.from_public(STRANGER.public)}}, "vp.holder"),
    ("another purpose", {"purpose": "assertionMethod"}, "proof.purpose"),
    ("another request", {"challenge": "other"}, "proof.challenge"),
    ("no request", {"challenge": None}, "proof.challenge"),
    ("another asker", {"domain": "https://else.test"}, "proof.domain"),
    ("no asker", {"domain": None}, "proof.domain"),
    ("several askers", {"domain": [CHALLENGE.audience, "https://else.test"]}, "proof.domain"),
    ("long ago", {"created": NOW - timedelta(minutes=6)}, "vp.old"),
    ("not yet", {"created": NOW + timedelta(minutes=6)}, "proof.created_in_future"),
    ("over", {"expires": NOW}, "proof.expired"),
]


@pytest.mark.parametrize(("changes", "code"), [pytest.param(c, code, id=name) for name, c, code in HOLDERS])
def test_only_its_holder_shows_it_now_and_to_this_asker(changes: dict[str, Any], code: str) -> None:
    binding = found(opened(presented(issued(disclosable=()), **changes)), Check.HOLDER_BINDING)
    assert binding.outcome is Outcome.FAIL
    assert binding.code.startswith(code)


def test_a_presentation_may_leave_out_holder_and_date() -> None:
    presentation = presented(
        issued(disclosable=()), created=None, document={"holder": {"id": did_key.from_public(HOLDER.public)}}
    )
    assert found(opened(presentation), Check.HOLDER_BINDING).outcome is Outcome.PASS
    assert opened(presentation).holder == HOLDER.public


def test_a_presentation_without_a_proof_shows_no_holder() -> None:
    bare = {name: value for name, value in shown(issued(disclosable=())).items() if name != "proof"}
    assert found(opened(bare), Check.HOLDER_BINDING).code == "vp.missing"


def test_a_credential_without_a_holder_is_shown_by_nobody() -> None:
    wire = ldp.issue(replace(SD, disclosable=()), signer=LDP_ECDSA_SD.issuer, holder=None, now=NOW)
    assert found(ldp.check(wire, keys=KEYS, now=NOW), Check.HOLDER_BINDING).code == "vc.unbound"
    assert found(opened(presented(json.loads(wire.wire))), Check.HOLDER_BINDING).code == "vp.unbound"
    with pytest.raises(Refused) as refusal:
        ldp.derive(wire, disclose=Disclosure(()), challenge=CHALLENGE, holder=HOLDER, now=NOW)
    assert refusal.value.code == "vp.not_the_holder"


def test_transactions_are_not_confirmed_in_this_format() -> None:
    asked = replace(CHALLENGE, transaction_data=("e30",))
    with pytest.raises(Unsupported):
        ldp.derive(card(issued()), disclose=Disclosure(()), challenge=asked, holder=HOLDER, now=NOW)
    assert found(opened(shown(issued()), challenge=asked), Check.HOLDER_BINDING).code == "vp.transaction"


def test_a_holders_key_is_looked_up_only_for_what_an_issuer_signed() -> None:
    presentation = presented(issued())
    assert found(opened(presentation), Check.HOLDER_BINDING).code == "kb.not_looked_up"
    down = Resolver(trouble=Unavailable("fetch.timeout", "No answer."))
    assert found(opened(shown(issued()), keys=down), Check.SIGNATURE).outcome is Outcome.UNKNOWN


# --- what is in a presentation ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("held", [[], None, "envelope", "two", "token"])
def test_a_presentation_answers_with_one_document(held: Any) -> None:
    credential = issued(disclosable=())
    envelope = {
        "@context": "https://www.w3.org/ns/credentials/v2",
        "type": "EnvelopedVerifiableCredential",
        "id": "data:application/vc+jwt,a.b.c",
    }
    credentials = {"envelope": [envelope], "two": [credential, credential], "token": ["a.b.c"]}.get(str(held), held)
    presentation = shown(credential)
    presentation["verifiableCredential"] = credentials
    if credentials is None:
        del presentation["verifiableCredential"]
    with pytest.raises(Malformed):
        opened(presentation)


def test_a_presentation_of_several_is_judged_whole() -> None:
    credential, other = issued(disclosable=()), issued(disclosable=(), type="ExampleOtherCredential")
    both = presented(credential, document={"verifiableCredential": [credential, other]})
    result = ldp.open_presentation(both, keys=KEYS, now=NOW, challenge=CHALLENGE.nonce, domain=CHALLENGE.audience)
    assert result.proof.outcome is Outcome.PASS
    assert [one.type for one in result.credentials if isinstance(one, Opened)] == [
        "ExamplePersonCredential",
        "ExampleOtherCredential",
    ]
    other[SUBJECT]["given_name"] = "Max"
    forged = presented(credential, document={"verifiableCredential": [credential, other]})
    result = ldp.open_presentation(forged, keys=KEYS, now=NOW, challenge=None, domain=None)
    outcomes = [found(one, Check.SIGNATURE).outcome for one in result.credentials if isinstance(one, Opened)]
    assert outcomes == [Outcome.PASS, Outcome.FAIL]


def test_a_presentation_of_several_has_bounds_and_a_holder() -> None:
    def judge(document: dict[str, Any]) -> Finding:
        return ldp.open_presentation(document, keys=KEYS, now=NOW, challenge=None, domain=None).proof

    credential = issued(disclosable=())
    with pytest.raises(Malformed) as refusal:
        judge({**presented(credential), "verifiableCredential": [{"x": 1}] * 2})
    assert refusal.value.code == "vcdm.context"
    crowd = {**presented(credential), "verifiableCredential": [credential] * 17}
    with pytest.raises(Malformed) as refusal:
        judge(crowd)
    assert refusal.value.code == "ldp.many"
    other = presented(credential, document={"holder": did_key.from_public(STRANGER.public)})
    assert judge(other).code == "ldp.holder"
    assert judge({name: value for name, value in other.items() if name != "proof"}).code == "vp.missing"


def test_who_shows_may_also_say() -> None:
    did = did_key.from_public(HOLDER.public)
    said = {name: value for name, value in issued(disclosable=()).items() if name != "proof"} | {"issuer": did}
    result = ldp.open_presentation(presented(said), keys=KEYS, now=NOW, challenge=None, domain=None)
    (own,) = result.credentials
    assert isinstance(own, Opened)
    assert (found(own, Check.SIGNATURE).outcome, own.issuer.id) == (Outcome.PASS, did)
    borrowed = presented({**said, "issuer": SD.issuer.id})
    with pytest.raises(Malformed) as refusal:
        ldp.open_presentation(borrowed, keys=KEYS, now=NOW, challenge=None, domain=None)
    assert refusal.value.code == "vcdm.holder"


# --- what can be hidden -----------------------------------------------------------------------------------------------

STATUS = StatusRef("BitstringStatusListEntry", "https://issuer.test/status/3", 94567)
CITY: dict[str, Any] = {
    "given_name": "Erika",
    "nationalities": ["DE", "FR"],
    "address": {"city": "Köln", "street": "Heidestraße 17", "codes": [{"kind": "zip", "value": "51147"}]},
    "a~b/c": "odd",
}


def test_arrays_are_shown_whole_and_objects_by_member() -> None:
    hideable: tuple[ClaimPath, ...] = (("nationalities",), ("address",), ("address", "street"), ("a~b/c",))
    document = issued(claims=CITY, disclosable=hideable, statuses=(STATUS,))
    holder = ldp.check(card(document), keys=KEYS, now=NOW)
    assert set(holder.disclosed) == {
        (SUBJECT, *path) for path in (*hideable, ("address", "city"), ("address", "codes"))
    }
    for path, expected in (
        (("nationalities", 0), {"nationalities": ["DE", "FR"]}),
        (("nationalities", None), {"nationalities": ["DE", "FR"]}),
        (("address", "city"), {"address": {"city": "Köln"}}),
        (("address", "codes", 0, "value"), {"address": {"codes": [{"kind": "zip", "value": "51147"}]}}),
        (("address",), {"address": CITY["address"]}),
        (("a~b/c",), {"a~b/c": "odd"}),
        (("given_name",), {}),
    ):
        result = opened(shown(document, (SUBJECT, *path)))
        subject = {name: value for name, value in result.claims[SUBJECT].items() if name not in ("id", "given_name")}
        assert subject == expected
        assert {finding.outcome for finding in result.findings} == {Outcome.PASS}
    everything = opened(shown(document, (SUBJECT,), ("id",), ("type",), ("issuer",)))
    assert {**everything.claims[SUBJECT], "id": 0} == {**CITY, "id": 0}


@pytest.mark.parametrize(
    ("hideable", "code"),
    [
        ((("nobody",),), "ldp.path"),
        ((("given_name", "first"),), "ldp.path"),
        ((("address", 0),), "ldp.path"),
        ((("nationalities", 0),), "ldp.cannot_hide"),
        ((("address", "codes", 0, "value"),), "ldp.cannot_hide"),
        ((("id",),), "ldp.cannot_hide"),
    ],
)
def test_what_cannot_be_hidden_is_said_at_issue(hideable: tuple[ClaimPath, ...], code: str) -> None:
    with pytest.raises(SsiError) as refusal:
        issued(claims=CITY, disclosable=hideable)
    assert refusal.value.code == code


def test_a_presentation_always_has_what_it_takes_to_judge_it() -> None:
    document = issued(statuses=(STATUS,))
    del document["proof"]
    bare = proofs.add(  # an issuer who makes nothing mandatory but its own name
        document,
        suite=suites.by_name("ecdsa-sd-2023"),
        signer=LDP_ECDSA_SD.issuer,
        verification_method=did_key.url(LDP_ECDSA_SD.issuer.public),
        created=NOW,
    )
    result = opened(shown(bare))
    assert {finding.outcome for finding in result.findings} == {Outcome.PASS}
    assert (result.statuses, result.valid_until) == ((STATUS,), SD.valid_until)
    assert result.claims.keys() == document.keys()
    assert result.claims[SUBJECT] == {"id": did_key.from_public(HOLDER.public)}
    assert (SUBJECT, "given_name") in ldp.check(card(bare), keys=KEYS, now=NOW).disclosed


def test_pointers_and_paths_agree() -> None:
    document = {"issuer": "x", "a": {"b": 1, "c": [1]}, "d/e": 2, SUBJECT: {"id": "y", "f": {"g": 3}}}
    fixed = ldparts.mandatory(document, [("a", "b"), (SUBJECT, "f")])
    assert fixed == ("/issuer", "/a/c", "/d~1e", f"/{SUBJECT}/id")
    assert ldparts.hideable(document, fixed) == (("a", "b"), (SUBJECT, "f"), (SUBJECT, "f", "g"))
    assert ldparts.hideable(document, ("/a", "/d~1e", f"/{SUBJECT}")) == ()
    assert ldparts.chosen(document, [("a", "c", 0)]) == ("/issuer", f"/{SUBJECT}/id", "/a/c")


def test_a_document_has_bounds() -> None:
    for claims in ({"x": [[]] * 2000}, {f"x{n}": "" for n in range(2000)}):
        document = {**issued(), SUBJECT: claims}
        for attempt in (
            lambda document=document: ldp.check(card(document), keys=KEYS, now=NOW),
            lambda document=document: opened({**HONEST, "verifiableCredential": [document]}),
            lambda document=document: ldp.open_credential(document, keys=KEYS, now=NOW),
        ):
            with pytest.raises(Malformed) as refusal:
                attempt()
            assert refusal.value.code == "ldp.size"


# --- schemas, algorithms, older kinds ---------------------------------------------------------------------------------


def test_a_schema_that_is_not_at_hand_is_not_known_to_hold() -> None:
    members = {**SD.document, "credentialSchema": {"id": "https://issuer.test/schema", "type": "JsonSchema"}}
    whole = issued(disclosable=(), document=members)
    assert found(opened(shown(whole)), Check.SCHEMA).outcome is Outcome.UNKNOWN
    assert found(opened(shown(issued(document=members))), Check.SCHEMA).outcome is Outcome.NOT_ASKED
    schema = b'{"$schema": "https://json-schema.org/draft/2020-12/schema", "required": ["nothing"]}'
    lookups = (lambda url: schema, lambda url: None)
    result = ldp.open_credential(whole, keys=KEYS, now=NOW, lookups=lookups)
    assert found(result, Check.SCHEMA).code == "schema.violated"


def test_keys_without_a_suite_are_refused() -> None:
    for signer, changes, code in (
        (SoftwareSigner.generate("ES512"), {"disclosable": ()}, "ldp.algorithm"),
        (SoftwareSigner.generate("EdDSA"), {}, "ldp.cannot_hide"),
    ):
        with pytest.raises(Unsupported) as refusal:
            ldp.issue(replace(SD, **changes), signer=signer, holder=HOLDER.public, now=NOW)
        assert refusal.value.code == code
    with pytest.raises(Unsupported):
        issued(statuses=(StatusRef("token_status_list", "https://issuer.test/s", 1),))


def test_types_are_met_in_their_expanded_form() -> None:
    result = opened(shown(issued()))
    assert ldp.meets({"type_values": [["https://www.w3.org/ns/credentials/examples#ExamplePersonCredential"]]}, result)
    assert not ldp.meets({"type_values": [["https://www.w3.org/ns/credentials/examples#Other"]]}, result)


@pytest.mark.parametrize("name", ["Ed25519Signature2020", "Ed25519Signature2018", "eddsa-rdfc-2022"])
def test_credentials_of_the_old_model_are_held_and_shown(name: str) -> None:
    issuer, holder, suite = LDP.issuer, SoftwareSigner.generate("EdDSA"), suites.by_name(name)
    document = {
        "@context": ["https://www.w3.org/2018/credentials/v1", "https://w3id.org/citizenship/v1"],
        "type": ["VerifiableCredential", "PermanentResidentCard"],
        "issuer": did_key.from_public(issuer.public),
        "issuanceDate": "2026-01-01T00:00:00Z",
        "expirationDate": "2027-01-01T00:00:00Z",
        SUBJECT: {"id": did_key.from_public(holder.public), "type": "PermanentResident", "givenName": "ERIKA"},
    }
    method = did_key.url(issuer.public)
    signed = proofs.add(document, suite=suite, signer=issuer, verification_method=method, created=NOW)
    assert found(ldp.check(card(signed), keys=KEYS, now=NOW), Check.SIGNATURE).outcome is Outcome.PASS
    presentation = shown(signed, (SUBJECT, "givenName"), holder=holder)
    assert presentation["@context"][0] == "https://www.w3.org/2018/credentials/v1"
    old = {"Ed25519Signature2020", "Ed25519Signature2018"}
    assert (presentation["proof"]["type"] == "Ed25519Signature2020") == (name in old)
    result = opened(presentation)
    assert {finding.outcome for finding in result.findings} == {Outcome.PASS}
    assert result.type == "PermanentResidentCard"


# --- anything ---------------------------------------------------------------------------------------------------------

MEMBERS = st.sampled_from(["@context", "type", "holder", "verifiableCredential", "proof", "id"])
INNER = st.sampled_from(["@context", "type", "issuer", "proof", "validUntil", SUBJECT, "credentialStatus"])
JUNK = st.sampled_from(
    [None, True, 5, -1.5, "", "x", [], {}, [None], ["x"], [{}], {"id": 5}, {"type": "x"}, "did:key:z"]
)


@given(member=MEMBERS, inner=INNER, proof=st.sampled_from(sorted(HONEST["proof"])), junk=JUNK, where=st.integers(0, 3))
def test_readers_raise_only_ssi_error(member: str, inner: str, proof: str, junk: Any, where: int) -> None:
    document = copy.deepcopy(HONEST)
    credential = document["verifiableCredential"][0]
    place, name = ((document, member), (credential, inner), (document["proof"], proof), (credential["proof"], proof))[
        where
    ]
    place[name] = junk
    for attempt in (
        lambda: opened(document),
        lambda: ldp.open_presentation(document, keys=KEYS, now=NOW, challenge=None, domain=None),
        lambda: ldp.check(card(credential), keys=KEYS, now=NOW),
    ):
        try:
            attempt()
        except SsiError:
            continue
