"""What every cryptographic suite promises, whichever it is: the tests go over the one table of suites."""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssi import legacy, suites
from ssi.dids import multikey
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.keys import PublicKey
from ssi.model import Outcome
from ssi.suites import Suite, proofs
from tests.ssi.proving import CREDENTIAL_1, SIGNERS, STRANGERS, Keys, document_for, method, secured, shown, tampered
from tests.support import NOW

EVERY = tuple(suite for suite in suites.every() if legacy.available() or suite.NAME not in legacy.PROOF_TYPES)
"""All of the table, but for what DIDKit signs where there is no DIDKit."""

every_suite = pytest.mark.parametrize("suite", EVERY, ids=lambda suite: suite.NAME)
each_key = pytest.mark.parametrize(
    ("suite", "algorithm"),
    [pytest.param(suite, name, id=f"{suite.NAME}-{name}") for suite in EVERY for name in suite.ALGORITHMS],
)
OPTIONS: dict[str, Any] = {"challenge": "c-1", "domain": "verifier.test"}
MORE: dict[str, Any] = {**OPTIONS, "nonce": "n-1", "expires": NOW.replace(year=2030)}


def public(document: dict[str, Any]) -> PublicKey:
    return multikey.decode(document["proof"]["verificationMethod"].partition("#")[2])


def parts(document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    bare = {name: value for name, value in document.items() if name != "proof"}
    return bare, document["proof"]


def value_member(suite: Suite) -> str:
    return "jws" if suite.NAME in legacy.PROOF_TYPES else "proofValue"


def holds(suite: Suite, document: dict[str, Any], key: PublicKey | None = None) -> bool:
    bare, proof = parts(document)
    try:
        suite.verify(bare, proof, key=key or public(document))
    except SsiError:
        return False
    return True


def test_suites_are_found_by_their_own_names_only() -> None:
    assert [suites.by_name(suite.NAME) for suite in suites.every()] == list(suites.every())
    assert len({suite.NAME for suite in suites.every()}) == len(suites.every())
    for name in ("", "EDDSA-RDFC-2022", "DataIntegrityProof", "unheard_of"):
        with pytest.raises(Unsupported) as refusal:
            suites.by_name(name)
        assert refusal.value.code == "suite.unknown"


@every_suite
def test_a_proof_names_its_suite(suite: Suite) -> None:
    proof = secured(suite)["proof"]
    assert suites.of(proof) is suite
    for wrong in ({**proof, "type": "Other"}, {**proof, "cryptosuite": "other"}, {**proof, "cryptosuite": 1}, {}):
        with pytest.raises(Unsupported):
            suites.of(wrong)


@each_key
def test_what_is_signed_verifies(suite: Suite, algorithm: str) -> None:
    document = shown(suite, signer=SIGNERS[algorithm])
    assert holds(suite, document, SIGNERS[algorithm].public)
    (proven,) = proofs.verify(document, keys=Keys(), purpose="assertionMethod", now=NOW)
    assert proven.outcome.outcome is Outcome.PASS
    assert f"{proven.controller}#{proven.controller}".replace("#did:key:", "#") == proven.verification_method


@every_suite
def test_a_document_of_data_model_1_verifies_with_the_terms_it_needs(suite: Suite) -> None:
    document = shown(suite, CREDENTIAL_1 | {"issuer": document_for(suite)["issuer"]})
    defined = suite.CONTEXT in CREDENTIAL_1["@context"]
    assert document["@context"] == [*CREDENTIAL_1["@context"], *([] if defined else [suite.CONTEXT])]
    assert holds(suite, document)


@every_suite
def test_another_key_is_refused(suite: Suite) -> None:
    document = shown(suite)
    bare, proof = parts(document)
    with pytest.raises(Refused):
        suite.verify(bare, proof, key=STRANGERS[suite.ALGORITHMS[0]].public)


@every_suite
def test_a_key_of_another_kind_is_not_taken(suite: Suite) -> None:
    bare, proof = parts(shown(suite))
    other = next(signer for name, signer in SIGNERS.items() if name not in suite.ALGORITHMS)
    with pytest.raises((Unsupported, Malformed)):
        suite.verify(bare, proof, key=other.public)
    with pytest.raises(Unsupported):
        secured(suite, signer=other)


@every_suite
def test_whatever_is_changed_in_the_document_is_noticed(suite: Suite) -> None:
    document = shown(suite)
    bare, proof = parts(document)
    for what, changed in tampered({name: value for name, value in bare.items() if name != "@context"}):
        assert not holds(suite, {"@context": bare["@context"], **changed, "proof": proof}), what


@every_suite
def test_whatever_is_changed_in_the_proof_is_noticed(suite: Suite) -> None:
    document = shown(suite, **(OPTIONS if suite.NAME in legacy.PROOF_TYPES else MORE))
    assert holds(suite, document)
    key = public(document)
    for what, changed in tampered({name: value for name, value in document["proof"].items() if name != "@context"}):
        if what != "without @context":
            proof = {**{k: v for k, v in document["proof"].items() if k == "@context"}, **changed}
            assert not holds(suite, {**document, "proof": proof}, key), what


@every_suite
def test_members_that_are_added_to_a_proof_are_not_ignored(suite: Suite) -> None:
    document = shown(suite)
    for name, value in (("unheardOf", "x"), ("nonce", "x"), ("domain", "other.test"), ("challenge", "c")):
        assert not holds(suite, {**document, "proof": {**document["proof"], name: value}}), name


@every_suite
def test_members_that_are_added_to_a_document_are_not_ignored(suite: Suite) -> None:
    document = shown(suite)
    for name, value in (("unheardOf", "x"), ("description", "x"), ("termsOfUse", {"type": "TermsOfUse"})):
        assert not holds(suite, {**document, name: value}), name
        subject = {**document["credentialSubject"], name: value}
        assert not holds(suite, {**document, "credentialSubject": subject}), name


@every_suite
@pytest.mark.parametrize(
    "value", [None, 1, "", "z", "u", "z0", "zz", "mAAAA", "u2V0AgA", "u2V0BgA", "z" + "1" * 500, []]
)
def test_a_value_that_is_no_proof_value_is_malformed(suite: Suite, value: Any) -> None:
    bare, proof = parts(shown(suite))
    with pytest.raises(Malformed):
        suite.verify(bare, {**proof, value_member(suite): value}, key=SIGNERS[suite.ALGORITHMS[0]].public)


@every_suite
def test_a_proof_value_cut_short_or_in_another_base_is_refused(suite: Suite) -> None:
    bare, proof = parts(shown(suite))
    made = proof[value_member(suite)]
    for value in (made[:-3], made[1:], "m" + made[1:]):
        with pytest.raises(SsiError):
            suite.verify(bare, {**proof, value_member(suite): value}, key=SIGNERS[suite.ALGORITHMS[0]].public)


@every_suite
def test_a_proof_of_another_suite_is_not_handled(suite: Suite) -> None:
    bare, proof = parts(shown(suite))
    with pytest.raises(Malformed):
        suite.verify(bare, {**proof, "type": "Other"}, key=SIGNERS[suite.ALGORITHMS[0]].public)


@every_suite
def test_inputs_are_left_as_they_were(suite: Suite) -> None:
    before = copy.deepcopy(dict(document_for(suite)))
    document = shown(suite)
    kept = copy.deepcopy(document)
    assert holds(suite, document)
    assert (before, kept) == (document_for(suite), document)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["@context", "id", "type", "issuer", "credentialSubject", "validFrom", "evidence"])


@every_suite
@settings(max_examples=60)
@given(changes=st.dictionaries(NAMES, JSON, max_size=3), of_proof=st.dictionaries(NAMES, JSON, max_size=2), value=JSON)
def test_arbitrary_json_raises_nothing_but_ssi_errors(
    suite: Suite, changes: dict[str, Any], of_proof: dict[str, Any], value: Any
) -> None:
    bare, proof = parts(ready(suite.NAME))
    key = SIGNERS[suite.ALGORITHMS[0]].public
    for document, changed in (({**bare, **changes}, proof), (bare, {**proof, **of_proof}), (changes, of_proof)):
        for final in (changed, {**changed, value_member(suite): value}):
            try:
                suite.verify(document, final, key=key)
            except SsiError:
                continue
            assert (document, final) == (bare, proof)


@lru_cache
def ready(name: str) -> dict[str, Any]:
    """One honest document for all examples of a property."""
    return shown(suites.by_name(name))


@pytest.mark.parametrize("suite", [suite for suite in EVERY if not suite.SELECTIVE], ids=lambda suite: suite.NAME)
def test_nothing_can_be_hidden_where_the_suite_signs_the_whole(suite: Suite) -> None:
    for attempt in (
        lambda: secured(suite, mandatory=("/issuer",)),
        lambda: proofs.derive(secured(suite), pointers=("/issuer",)),
        lambda: suites.selective_of(secured(suite)["proof"]),
    ):
        with pytest.raises(Unsupported) as refusal:
            attempt()
        assert refusal.value.code == "suite.indivisible"


selective_suite = pytest.mark.parametrize("suite", [s for s in EVERY if s.SELECTIVE], ids=lambda suite: suite.NAME)


@selective_suite
def test_a_base_proof_is_for_its_holder_only(suite: Suite) -> None:
    document = secured(suite, mandatory=("/issuer", "/validUntil"))
    (proven,) = proofs.received(document, keys=Keys(), now=NOW)
    assert (proven.outcome.outcome, proven.mandatory) == (Outcome.PASS, ("/issuer", "/validUntil"))
    bare, proof = parts(document)
    with pytest.raises(Refused) as refusal:
        suite.verify(bare, proof, key=public(document))
    assert refusal.value.code == "suite.base_proof"
    (judged,) = proofs.verify(document, keys=Keys(), purpose="assertionMethod", now=NOW)
    assert (judged.outcome.outcome, judged.outcome.code) == (Outcome.FAIL, "suite.base_proof")


@selective_suite
def test_a_derived_proof_is_no_base_proof(suite: Suite) -> None:
    document = shown(suite)
    (proven,) = proofs.received(document, keys=Keys(), now=NOW)
    assert (proven.outcome.outcome, proven.outcome.code) == (Outcome.FAIL, "suite.derived_proof")
    with pytest.raises(Refused):
        proofs.derive(document, pointers=("/issuer",))


@selective_suite
def test_a_base_proof_is_checked_against_every_statement(suite: Suite) -> None:
    document = secured(suite)
    bare, proof = parts(document)
    for what, changed in tampered({name: value for name, value in bare.items() if name != "@context"}):
        (proven,) = proofs.received({"@context": bare["@context"], **changed, "proof": proof}, keys=Keys(), now=NOW)
        assert proven.outcome.outcome is Outcome.FAIL, what


@selective_suite
def test_what_is_not_chosen_stays_hidden(suite: Suite) -> None:
    document = proofs.derive(secured(suite), pointers=("/credentialSubject/givenName",))
    assert document["credentialSubject"] == {"type": ["PermanentResident", "Person"], "givenName": "ERIKA"}
    assert set(document) == {"@context", "id", "type", "issuer", "credentialSubject", "proof"}
    assert holds(suite, document)


@selective_suite
def test_what_is_mandatory_is_always_shown(suite: Suite) -> None:
    made = secured(suite, mandatory=("/issuer/id", "/credentialSubject/permanentResidentCard/lprCategory"))
    document = proofs.derive(made, pointers=("/validUntil",))
    assert document["issuer"] == {"id": "did:example:issuer"}
    assert document["credentialSubject"]["permanentResidentCard"] == {
        "type": "PermanentResidentCard",
        "lprCategory": "C09",
    }
    assert holds(suite, document)
    for what, changed in tampered({"credentialSubject": document["credentialSubject"], "issuer": document["issuer"]}):
        bare = {name: value for name, value in document.items() if name not in ("credentialSubject", "issuer")}
        assert not holds(suite, {**bare, **changed}), what


@selective_suite
@pytest.mark.parametrize(
    "pointer", ["/credentialSubject/unheardOf", "/type/9", "issuer", "/issuer/id/x", "/~2", "/type/-"]
)
def test_a_pointer_to_nothing_is_malformed(suite: Suite, pointer: str) -> None:
    with pytest.raises(Malformed) as refusal:
        secured(suite, mandatory=(pointer,))
    assert refusal.value.code == "suite.pointer"
    with pytest.raises(Malformed) as refusal:
        proofs.derive(secured(suite), pointers=(pointer,))
    assert refusal.value.code == "suite.pointer"


@selective_suite
def test_nothing_at_all_is_not_a_choice(suite: Suite) -> None:
    made = secured(suite, mandatory=())
    with pytest.raises(Malformed):
        proofs.derive(made, pointers=())
    assert holds(suite, proofs.derive(made, pointers=("/credentialSubject/givenName",)))


@selective_suite
def test_two_derivations_show_the_same_however_often(suite: Suite) -> None:
    made = secured(suite)
    first = proofs.derive(made, pointers=("/credentialSubject/givenName", "/name"))
    second = proofs.derive(made, pointers=("/name", "/credentialSubject/givenName", "/name"))
    assert parts(first)[0] == parts(second)[0]
    assert holds(suite, first)
    assert holds(suite, second)


def test_the_verification_method_of_a_test_key_is_its_did() -> None:
    assert method(SIGNERS["EdDSA"].public).startswith("did:key:z6Mk")
