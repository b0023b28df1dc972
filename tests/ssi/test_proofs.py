"""Proofs on documents: what adding writes, and what verifying compares."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssi import suites
from ssi.errors import Malformed, SsiError, Unavailable, Unsupported
from ssi.model import Check, Outcome
from ssi.suites import options, proofs
from tests.ssi.proving import CREDENTIAL, CREDENTIAL_1, SIGNERS, Keys, method, secured
from tests.support import NOW

EDDSA = suites.by_name("eddsa-rdfc-2022")
JCS = suites.by_name("eddsa-jcs-2022")
KEY = method(SIGNERS["EdDSA"].public)


def judged(document: dict[str, Any], **changes: Any) -> proofs.Proven:
    """The one proof's verdict."""
    given_ = {"keys": Keys(), "purpose": "assertionMethod", "now": NOW, **changes}
    (proven,) = proofs.verify(document, **given_)
    return proven


def code(document: dict[str, Any], **changes: Any) -> str:
    """Why the proof does not hold."""
    outcome = judged(document, **changes).outcome
    assert (outcome.check, outcome.outcome) == (Check.SIGNATURE, Outcome.FAIL)
    return outcome.code


def test_a_proof_says_all_that_it_was_asked_to() -> None:
    document = secured(
        EDDSA,
        purpose="authentication",
        expires=NOW + timedelta(hours=1),
        domain=("verifier.test", "other.test"),
        challenge="c-1",
        nonce="n-1",
        proof_id="urn:uuid:1f0a1c2e-0000-4000-8000-000000000001",
    )
    value = document["proof"].pop("proofValue")
    assert value.startswith("z")
    assert document["proof"] == {
        "id": "urn:uuid:1f0a1c2e-0000-4000-8000-000000000001",
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-11-20T12:00:00Z",
        "expires": "2026-11-20T13:00:00Z",
        "verificationMethod": KEY,
        "proofPurpose": "authentication",
        "domain": ["verifier.test", "other.test"],
        "challenge": "c-1",
        "nonce": "n-1",
    }


def test_what_is_proven_says_whose_key_and_which_proof() -> None:
    document = secured(EDDSA)
    proven = judged(document)
    assert (proven.suite, proven.verification_method, proven.proof) == ("eddsa-rdfc-2022", KEY, document["proof"])
    assert proven.controller == KEY.partition("#")[0]
    assert proven.outcome.evidence == {"suite": "eddsa-rdfc-2022"}


def test_the_key_is_asked_for_by_its_purpose() -> None:
    keys = Keys()
    judged(secured(EDDSA, purpose="authentication"), keys=keys, purpose="authentication")
    assert keys.asked == [(KEY, "authentication")]
    assert code(secured(EDDSA), keys=Keys(forbidden=("assertionMethod",))) == "did.no_such_key"


def test_a_key_that_cannot_be_asked_for_now_is_neither_yes_nor_no() -> None:
    outcome = judged(secured(EDDSA), keys=Keys(trouble=Unavailable("fetch.unreachable", "Nobody answers."))).outcome
    assert (outcome.outcome, outcome.code) == (Outcome.UNKNOWN, "fetch.unreachable")


def test_a_key_of_an_unknown_kind_fails() -> None:
    assert code(secured(EDDSA), keys=Keys(trouble=Unsupported("did.method", "Not that."))) == "did.method"


# --- comparisons ------------------------------------------------------------------------------------------------------


def test_another_purpose_is_refused() -> None:
    assert code(secured(EDDSA, purpose="authentication")) == "proof.purpose"
    assert code(secured(EDDSA), purpose="authentication") == "proof.purpose"


def test_a_purpose_that_nobody_asks_for_is_refused() -> None:
    document = secured(EDDSA)
    document["proof"]["proofPurpose"] = "keyAgreement"
    assert code(document, purpose="keyAgreement") == "proof.purpose"


@pytest.mark.parametrize("asked", ["other.test", ("verifier.test", "other.test"), ()])
def test_another_domain_is_refused(asked: Any) -> None:
    assert code(secured(EDDSA, domain="verifier.test"), domain=asked) == "proof.domain"


def test_a_domain_that_is_missing_is_refused() -> None:
    assert code(secured(EDDSA), domain="verifier.test") == "proof.domain"


@pytest.mark.parametrize(
    ("given_", "asked"),
    [
        ("verifier.test", "verifier.test"),
        ("verifier.test", ("verifier.test",)),
        (("b.test", "a.test"), ("a.test", "b.test")),
        ("verifier.test", None),
    ],
)
def test_domains_are_a_set(given_: Any, asked: Any) -> None:
    assert judged(secured(EDDSA, domain=given_), domain=asked).outcome.outcome is Outcome.PASS


def test_another_challenge_is_refused() -> None:
    assert code(secured(EDDSA, challenge="c-1"), challenge="c-2") == "proof.challenge"
    assert code(secured(EDDSA), challenge="c-2") == "proof.challenge"
    assert judged(secured(EDDSA, challenge="c-1"), challenge="c-1").outcome.outcome is Outcome.PASS


def test_a_proof_ends_when_it_says() -> None:
    document = secured(EDDSA, expires=NOW)
    assert code(document) == "proof.expired"
    assert judged(document, now=NOW - timedelta(seconds=1)).outcome.outcome is Outcome.PASS


def test_a_proof_from_the_future_is_refused() -> None:
    document = secured(EDDSA, created=NOW + proofs.LEEWAY)
    assert judged(document).outcome.outcome is Outcome.PASS
    assert code(document, now=NOW - timedelta(seconds=1)) == "proof.created_in_future"


def test_a_proof_need_not_say_when_it_was_made() -> None:
    document = secured(EDDSA, created=None)
    assert "created" not in document["proof"]
    assert judged(document).outcome.outcome is Outcome.PASS


# --- form -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["type", "proofPurpose", "verificationMethod"])
@pytest.mark.parametrize("value", [None, "", 1, ["x"], {"id": "x"}])
def test_what_every_proof_must_say_is_a_text(name: str, value: Any) -> None:
    document = secured(EDDSA)
    document["proof"][name] = value
    assert code(document) == "proof.incomplete"
    del document["proof"][name]
    assert code(document) == "proof.incomplete"


@pytest.mark.parametrize("name", ["created", "expires"])
@pytest.mark.parametrize(
    "value",
    [
        "2026-11-20T12:00:00",
        "2026-11-20",
        "2026-11-20 12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T12:00:00+25:00",
        "2026-11-20T12:00:00z",
        "invalidDate",
        "",
        None,
        1,
        ["2026-11-20T12:00:00Z"],
        "2026-11-20T12:00:00Z\n",
        "٢٠٢٦-11-20T12:00:00Z",
    ],
)
def test_times_have_a_zone_and_exist(name: str, value: Any) -> None:
    document = secured(EDDSA)
    document["proof"][name] = value
    assert code(document) == "proof.time"


@pytest.mark.parametrize(
    "value", ["2026-11-20T12:00:00Z", "2026-11-20T13:00:00.123456789+01:00", "2026-11-20T01:00:00-11:00"]
)
def test_times_in_any_zone_are_read(value: str) -> None:
    proof = {"type": "T", "proofPurpose": "p", "verificationMethod": "did:example:a#b", "created": value}
    created = options.read(proof).created
    assert created is not None
    assert abs(created - NOW) < timedelta(seconds=1)


@pytest.mark.parametrize("method_", ["key-1", "#key-1", "did:key:z6 Mk#x", "did:", "x" * 3000, "did:key:<z>#x"])
def test_a_verification_method_is_a_url(method_: str) -> None:
    document = secured(EDDSA)
    document["proof"]["verificationMethod"] = method_
    assert code(document) == "proof.url"


@pytest.mark.parametrize("name", ["challenge", "nonce", "id"])
@pytest.mark.parametrize("value", [None, 1, ["x"], "", "x" * 3000])
def test_other_options_are_texts(name: str, value: Any) -> None:
    document = secured(EDDSA)
    document["proof"][name] = value
    assert code(document) == "proof.text"


@pytest.mark.parametrize("name", ["domain", "previousProof"])
@pytest.mark.parametrize("value", [None, 1, [], [1], [["x"]], "", [""], ["x"] * 17, {"x": 1}])
def test_lists_are_of_texts(name: str, value: Any) -> None:
    document = secured(EDDSA)
    document["proof"][name] = value
    assert code(document) == "proof.text"


def test_an_identifier_that_is_no_url_is_refused() -> None:
    with pytest.raises(Malformed):
        secured(EDDSA, proof_id="first")


@pytest.mark.parametrize("document", [{}, *({"proof": proof} for proof in (None, [], "proof", 1, [1], [{}, None]))])
def test_a_document_without_proofs_cannot_be_judged(document: Any) -> None:
    with pytest.raises(Malformed) as refusal:
        judged({**CREDENTIAL, **document})
    assert refusal.value.code in ("proof.none", "proof.form")


def test_a_suite_that_is_not_known_fails() -> None:
    document = secured(EDDSA)
    for name, value in (("cryptosuite", "unheard-2026"), ("type", "UnheardOf2026")):
        assert code({**document, "proof": {**document["proof"], name: value}}) == "suite.unknown"


# --- contexts ---------------------------------------------------------------------------------------------------------


def test_a_context_is_appended_only_where_terms_are_missing() -> None:
    assert secured(EDDSA)["@context"] == CREDENTIAL["@context"]
    assert secured(EDDSA, CREDENTIAL_1)["@context"] == [*CREDENTIAL_1["@context"], EDDSA.CONTEXT]
    older = suites.by_name("Ed25519Signature2020")
    assert secured(older)["@context"] == [*CREDENTIAL["@context"], older.CONTEXT]
    assert secured(EDDSA, {**CREDENTIAL_1, "@context": CREDENTIAL_1["@context"][0]} | PLAIN)["@context"] == [
        CREDENTIAL_1["@context"][0],
        EDDSA.CONTEXT,
    ]


PLAIN = {"type": ["VerifiableCredential"], "credentialSubject": {"id": "did:example:subject"}}


def test_a_document_without_contexts_gets_those_of_its_proof() -> None:
    document = secured(JCS, {"myWebsite": "https://hello.world.test/"})
    assert document["@context"] == [JCS.CONTEXT]
    assert document["proof"]["@context"] == [JCS.CONTEXT]
    assert judged(document).outcome.outcome is Outcome.PASS
    assert code({**document, "@context": []}) == "suite.context"


def test_plain_json_without_contexts_verifies_by_its_bytes() -> None:
    bare = {"myWebsite": "https://hello.world.test/"}
    given_ = {"type": "DataIntegrityProof", "cryptosuite": JCS.NAME, "verificationMethod": KEY}
    proof = JCS.sign(
        bare, {**given_, "proofPurpose": "assertionMethod"}, signer=SIGNERS["EdDSA"], mandatory=None, random=bytes
    )
    assert "@context" not in proof
    assert judged({**bare, "proof": proof}).outcome.outcome is Outcome.PASS


def test_contexts_may_be_appended_to_signed_json_but_not_put_before() -> None:
    document = secured(JCS)
    more = {**document, "@context": [*document["@context"], "https://w3id.org/security/multikey/v1"]}
    assert judged(more).outcome.outcome is Outcome.PASS
    for contexts in (["https://w3id.org/security/multikey/v1", *document["@context"]], document["@context"][:1], None):
        assert code({**document, "@context": contexts}) == "suite.context"


def test_a_proof_with_other_contexts_than_its_document_is_refused_where_they_are_not_signed() -> None:
    document = secured(EDDSA)
    same = {**document, "proof": {**document["proof"], "@context": document["@context"]}}
    assert judged(same).outcome.outcome is Outcome.PASS
    document["proof"]["@context"] = ["https://www.w3.org/ns/credentials/v2"]
    assert code(document) == "suite.context"


def test_a_document_of_data_model_1_without_the_terms_does_not_verify() -> None:
    document = secured(EDDSA, CREDENTIAL_1)
    assert code({**document, "@context": CREDENTIAL_1["@context"]}).startswith("jsonld.")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    ["id", "type", "cryptosuite", "created", "expires", "proofPurpose", "domain", "challenge", "previousProof", "nonce"]
)


@settings(max_examples=150)
@given(
    members=st.dictionaries(MEMBERS, JSON, max_size=3),
    more=st.lists(st.dictionaries(MEMBERS, JSON, max_size=3) | JSON, max_size=3),
    document=st.dictionaries(st.sampled_from(["@context", "type", "id", "proof"]), JSON, max_size=2),
)
def test_arbitrary_json_raises_nothing_but_ssi_errors(members: Any, more: Any, document: Any) -> None:
    proof = {**READY["proof"], **members}
    for value in ({**READY, "proof": proof}, {**READY, "proof": [proof, *more]}, {**READY, **document}, document):
        try:
            found = proofs.verify(value, keys=Keys(), purpose="assertionMethod", now=NOW)
        except SsiError:
            continue
        if proofs.verdict(found).outcome is Outcome.PASS:
            assert value == {**READY, "proof": value["proof"]}


READY = secured(EDDSA)
