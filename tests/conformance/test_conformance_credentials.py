"""Does each desk issue what the verifier accepts, and does the verifier accept nothing else?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.conformance.town import EXAMPLES, ISSUER, PROOF_ONLY, V2, Town
from tests.support import NOW
from wallet.issuer.conformance.desks import _PATHS

HIDING = ("ecdsa-sd-2023@P-256", "bbs-2023")
PATHS = tuple(path for path, _, _ in _PATHS)
WHOLE = tuple(path for path in PATHS if path not in HIDING)


@pytest.mark.parametrize("path", WHOLE)
@pytest.mark.parametrize("options", [{}, PROOF_ONLY, {"checks": ["proof", "credentialStatus"]}])
def test_what_a_desk_issues_is_accepted(town: Town, path: str, options: dict[str, Any]) -> None:
    answer = town.verify(town.issued(path), **options)
    assert (answer.status_code, answer.json["verified"]) == (200, True), answer.json


@pytest.mark.parametrize("path", HIDING)
def test_what_can_hide_is_accepted_once_derived_and_never_as_it_was_issued(town: Town, path: str) -> None:
    base = town.issued(path, mandatoryPointers=["/issuer", "/validFrom"])
    assert town.verify(base, **PROOF_ONLY).status_code == 400
    derived = town.derived(base, "/credentialSubject/alumniOf")
    assert town.verify(derived).status_code == 200
    assert derived["validFrom"] == "2026-01-01T00:00:00Z"
    assert "name" not in derived["credentialSubject"]
    derived["credentialSubject"]["alumniOf"] = "Elsewhere"
    assert town.verify(derived, **PROOF_ONLY).status_code == 400


@pytest.mark.parametrize("path", [path for path in WHOLE if path != "vc-jwt"])
def test_a_changed_document_is_refused(town: Town, path: str) -> None:
    credential = town.issued(path)
    credential["credentialSubject"]["alumniOf"] = "Elsewhere"
    for options in ({}, PROOF_ONLY):
        answer = town.verify(credential, **options)
        assert (answer.status_code, answer.json["verified"], answer.json["error"]) == (400, False, "suite.signature")


def test_a_changed_token_is_refused(town: Town) -> None:
    credential = town.issued("vc-jwt")
    credential["id"] = credential["id"][:-4] + "AAAA"
    assert town.verify(credential, **PROOF_ONLY).status_code == 400


@pytest.mark.parametrize("path", WHOLE)
def test_the_issuer_must_have_signed_unless_only_the_proof_is_asked_about(town: Town, path: str) -> None:
    credential = town.issued(path, town.credential(path, issuer="https://vc.example/issuers/5678"))
    answer = town.verify(credential)
    assert answer.status_code == 400
    if path == "vc-jwt":  # a token's key is looked for at its issuer's, so that there is none to ask about alone
        assert town.verify(credential, **PROOF_ONLY).status_code == 400
        return
    assert answer.json["error"] == "conformance.issuer"
    assert town.verify(credential, **PROOF_ONLY).status_code == 200


def test_an_expired_credential_is_refused_unless_only_the_proof_is_asked_about(town: Town) -> None:
    credential = town.issued("vcdm", town.credential("vcdm", validUntil="2026-11-20T11:00:00Z"))
    assert town.verify(credential).json["error"] == "vcdm.expired"
    assert town.verify(credential, **PROOF_ONLY).status_code == 200


@pytest.mark.parametrize("checks", ["proof", 1, {}, [1], ["proof", None]])
def test_checks_that_are_no_list_of_names_are_refused(town: Town, checks: Any) -> None:
    answer = town.verify(town.issued("vcdm"), checks=checks)
    assert (answer.status_code, answer.json["error"]) == (400, "request.checks")


def test_an_empty_list_of_checks_leaves_nothing_out(town: Town) -> None:
    credential = town.issued("vcdm", town.credential("vcdm", issuer="https://vc.example/issuers/5678"))
    assert town.verify(credential, checks=[]).status_code == 400


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "wrong",
    [
        {"@context": [EXAMPLES, V2]},
        {"@context": [V2, "https://example.com"]},
        {"type": ["ExampleAlumniCredential"]},
        {"issuer": None},
        {"issuer": 4},
        {"issuer": "no url"},
        {"validFrom": "yesterday"},
        {"credentialSubject": None},
        {"credentialSubject": []},
        {"credentialSubject": "Alice"},
        {"credentialStatus": {"type": "BitstringStatusListEntry", "statusListIndex": True}},
        {"id": "not a url"},
    ],
)
def test_a_credential_that_breaks_a_rule_of_the_model_is_not_issued(
    town: Town, path: str, wrong: dict[str, Any]
) -> None:
    answer = town.issue(path, town.credential(path, **wrong))
    assert answer.status_code == 400, answer.json
    assert set(answer.json) == {"error", "error_description"}


@pytest.mark.parametrize("path", [path for path in PATHS if "jcs" not in path])
def test_a_term_that_no_context_defines_is_not_signed(town: Town, path: str) -> None:
    credential = town.credential(path, **{"@context": [V2], "type": ["VerifiableCredential"], "unheardOf": "x"})
    del credential["credentialSubject"]["alumniOf"]
    assert town.issue(path, credential).status_code == 400


@pytest.mark.parametrize("path", HIDING)
@pytest.mark.parametrize("pointers", [["/nothing/here"], ["no pointer"], "issuer", [1], ["/issuer"] * 1000])
def test_mandatory_pointers_must_be_pointers_to_something(town: Town, path: str, pointers: Any) -> None:
    assert town.issue(path, town.credential(path), mandatoryPointers=pointers).status_code == 400


def test_pointers_are_refused_where_nothing_can_be_hidden(town: Town) -> None:
    answer = town.issue("vcdm", town.credential("vcdm"), mandatoryPointers=["/issuer"])
    assert (answer.status_code, answer.json["error"]) == (400, "suite.indivisible")


def test_unknown_options_are_ignored(town: Town) -> None:
    assert town.issue("vcdm", town.credential("vcdm"), somethingElse={"a": 1}).status_code == 201


def test_a_second_proof_joins_the_first(town: Town) -> None:
    both = town.issued("ecdsa-rdfc-2019@P-384", town.issued("vcdm"))
    assert [proof["cryptosuite"] for proof in both["proof"]] == ["eddsa-rdfc-2022", "ecdsa-rdfc-2019"]
    assert town.verify(both).status_code == 200
    both["proof"][0]["created"] = "2020-01-01T00:00:00Z"
    assert town.verify(both, **PROOF_ONLY).status_code == 400


def test_a_credential_without_a_proof_is_refused(town: Town) -> None:
    assert town.verify(town.credential("vcdm"), **PROOF_ONLY).json["error"] == "proof.none"


def test_only_a_base_proof_can_be_derived_from(town: Town) -> None:
    for credential in (town.issued("vcdm"), town.credential("vcdm"), "text", None):
        answer = town.issuer.post("/credentials/derive", json={"verifiableCredential": credential})
        assert answer.status_code == 400


@pytest.mark.parametrize("path", HIDING)
def test_nothing_is_derived_from_a_base_proof_that_does_not_hold(town: Town, path: str) -> None:
    base = town.issued(path)
    base["credentialSubject"]["alumniOf"] = "Elsewhere"
    answer = town.issuer.post("/credentials/derive", json={"verifiableCredential": base})
    assert answer.status_code == 400


def test_every_start_has_keys_of_its_own(town: Town) -> None:
    other = Town()
    assert not set(town.dids.values()) & set(other.dids.values())
    assert {did.removeprefix("did:key:")[:4] for did in town.dids.values()} == {"z6Mk", "zDna", "z82L", "zUC7"}


# --- statuses ---------------------------------------------------------------------------------------------------------


def test_a_listed_credential_names_lists_that_say_nothing_against_it(town: Town) -> None:
    credential = town.issued("bitstring")
    entries = credential["credentialStatus"]
    assert [entry["statusPurpose"] for entry in entries] == ["revocation", "suspension"]
    answer = town.verify(credential)
    assert answer.status_code == 200
    assert [one["outcome"] for one in answer.json["findings"] if one["check"] == "status"] == ["pass", "pass"]
    for entry in entries:
        published = town.issuer.get(entry["statusListCredential"].removeprefix(ISSUER))
        assert published.mimetype == "application/vc"
        assert town.verify(published.get_json(force=True)).status_code == 200


def test_a_list_is_served_as_json_to_those_who_know_no_credentials(town: Town) -> None:
    answer = town.issuer.get("/status/revocation", headers={"Accept": "application/ld+json, application/json"})
    assert answer.mimetype == "application/ld+json"
    assert town.issuer.get("/status/other").status_code == 400


def test_a_status_that_cannot_be_asked_is_no_yes(town: Town) -> None:
    credential = town.issued("bitstring")
    del town.network[ISSUER]
    answer = town.verify(credential)
    assert (answer.status_code, answer.json["verified"]) == (400, False)
    assert town.verify(credential, **PROOF_ONLY).status_code == 200


def test_a_credential_with_a_status_is_not_listed_again(town: Town) -> None:
    entry = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "1"}
    entry["statusListCredential"] = "https://elsewhere.test/list"
    assert town.issue("bitstring", town.credential("bitstring", credentialStatus=entry)).status_code == 400


def test_lists_are_fresh_for_their_time(town: Town) -> None:
    credential = town.issued("bitstring")
    town.now = NOW + timedelta(days=60)
    assert town.verify(credential).status_code == 400
