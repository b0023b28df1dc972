"""DCQL over a wallet with a credential of every format: matched, shown with the least that answers, and judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cryptography import x509

from ssi import dcql
from ssi.encoding import b64url
from ssi.model import Check, ClaimPath, Finding, Opened, Outcome
from tests.ssi.holdings import HELD, HIDING, SHOWING, SUBJECT, Held, by_id
from tests.ssi.mdocs import MDL

WALLET = [held.holding for held in HELD]
every_card = pytest.mark.parametrize("held", HELD, ids=lambda held: held.id)
every_hiding = pytest.mark.parametrize("held", HIDING, ids=lambda held: held.id)
every_showing = pytest.mark.parametrize("held", SHOWING, ids=lambda held: held.id)
JSON_CARDS = pytest.mark.parametrize(
    "held", [one for one in HELD if one.id not in ("mso_mdoc", "ldp_vc-1.1")], ids=lambda held: held.id
)
LINKED = {"ldp_vc", "ldp_vc-ecdsa-sd", "ldp_vc-bbs", "ldp_vc-1.1"}
SECRETS = ("Mustermann", "C01X00T478", "Heidestrasse", "DE-Freistaat", "FR-Republique", "Optics", "1984-01-26")


def query(*credentials: dict[str, Any], sets: list[dict[str, Any]] | None = None) -> dcql.Query:
    return dcql.parse({"credentials": list(credentials), **({"credential_sets": sets} if sets else {})})


def answers(asked: dcql.Query, held: Held, query_id: str = "q") -> dcql.Candidate:
    """The candidate that is this credential; the wallet may have others that answer."""
    (candidate,) = (one for one in dcql.match(asked, WALLET).options.get(query_id, ()) if one.holding_id == held.id)
    return candidate


def unanswered(asked: dcql.Query, held: Held) -> str:
    """Why this credential alone does not answer."""
    (missing,) = dcql.match(asked, [held.holding]).missing
    return missing.code


def shown(held: Held, candidate: dcql.Candidate) -> tuple[Opened, str]:
    """What arrives: opened, and all that stands on the wire."""
    presentation = held.present(*candidate.paths)
    opened = held.verify(presentation)
    judged = {finding.outcome for finding in opened.findings if finding.check is not Check.STATUS}  # these have none
    assert judged == {Outcome.PASS}
    return opened, held.sample.plain(presentation.wire).decode("utf-8", "replace")


def satisfied(asked: dcql.Query, **presented: list[Opened]) -> Finding:
    """The one finding on an answer."""
    (finding,) = dcql.satisfied(asked, presented)
    return finding


def claim(held: Held, *path: str | int | None, **more: Any) -> dict[str, Any]:
    return {"path": [*held.root, *path], **more}


def given_name(held: Held) -> str:
    return "givenName" if held.id == "ldp_vc-1.1" else "given_name"


# --- each format by itself --------------------------------------------------------------------------------------------


@every_card
def test_one_claim_is_answered_with_the_least_that_shows_it(held: Held) -> None:
    asked = query(held.asked(claims=[claim(held, given_name(held))]))
    candidate = answers(asked, held)
    assert candidate.paths == ((*held.root, given_name(held)),)
    opened, wire = shown(held, candidate)
    assert satisfied(asked, q=[opened]).outcome is Outcome.PASS
    assert "Erika" in wire
    if held.sample.hides:
        assert [secret for secret in SECRETS if secret in wire] == []
        assert candidate.shown == candidate.paths
        assert set(candidate.hidden) == set(held.opened.disclosed) - set(candidate.paths)


@every_card
def test_without_claims_only_what_cannot_be_hidden_is_shown(held: Held) -> None:
    asked = query(held.asked())
    candidate = answers(asked, held)
    assert (candidate.paths, candidate.shown) == ((), ())
    opened, wire = shown(held, candidate)
    assert satisfied(asked, q=[opened]).outcome is Outcome.PASS
    assert ("Erika" in wire) != held.sample.hides


@every_showing
def test_what_cannot_be_hidden_is_listed_as_always_shown(held: Held) -> None:
    candidate = answers(query(held.asked(claims=[claim(held, given_name(held))])), held)
    assert (candidate.shown, candidate.hidden) == ((), ())
    assert set(candidate.always) == {(name,) for name in held.opened.claims}


@every_card
@pytest.mark.parametrize(("values", "answered"), [(["Max", "Erika"], True), (["Max"], False), ([True], False)])
def test_values_are_matched_in_every_format(held: Held, values: list[Any], *, answered: bool) -> None:
    asked = query(held.asked(claims=[claim(held, given_name(held), values=values)]))
    assert (unanswered(asked, held) == "dcql.no_claims") if not answered else answers(asked, held)
    opened = held.verify(held.present((*held.root, given_name(held))))
    assert (satisfied(asked, q=[opened]).outcome is Outcome.PASS) == answered


@every_card
def test_a_claim_that_is_not_there_is_not_answered(held: Held) -> None:
    asked = query(held.asked(claims=[claim(held, given_name(held)), claim(held, "shoe_size")]))
    assert unanswered(asked, held) == "dcql.no_claims"
    opened = held.verify(held.present((*held.root, given_name(held))))
    assert satisfied(asked, q=[opened]).code == "dcql.claims"


@every_hiding
def test_the_first_set_of_claims_that_can_be_answered_is_shown_and_no_other(held: Held) -> None:
    asked = query(
        held.asked(
            claims=[
                claim(held, "shoe_size", id="none"),
                claim(held, "given_name", id="other", values=["Max"]),
                claim(held, "age_over_18", id="age", values=[True]),
                claim(held, "family_name", id="name"),
            ],
            claim_sets=[["none", "name"], ["other"], ["age"], ["name", "age"]],
        )
    )
    candidate = answers(asked, held)
    assert candidate.paths == ((*held.root, "age_over_18"),)
    opened, wire = shown(held, candidate)
    assert satisfied(asked, q=[opened]).outcome is Outcome.PASS
    assert "Erika" not in wire
    assert "Mustermann" not in wire


@every_card
def test_a_type_that_is_not_asked_for_is_no_answer(held: Held) -> None:
    other = {
        "dc+sd-jwt": {"vct_values": ["urn:other"]},
        "mso_mdoc": {"doctype_value": "org.other"},
    }.get(held.sample.format.ID, {"type_values": [["https://other.test/#ExamplePersonCredential"]]})
    asked = query(held.asked(meta=other))
    assert unanswered(asked, held) == "dcql.no_type"
    opened = held.verify(held.present())
    assert satisfied(asked, q=[opened]).code == "dcql.meta"


@every_card
def test_an_authority_by_key_identifier_fits_those_that_have_certificates(held: Held) -> None:
    asked = query(held.asked(trusted_authorities=[{"type": "aki", "values": ["AAAA"]}]))
    assert unanswered(asked, held) == "dcql.no_authority"


def test_an_authority_is_found_by_a_mobile_documents_certificate() -> None:
    held = by_id("mso_mdoc")
    leaf = x509.load_der_x509_certificate(held.opened.issuer.x5c[0])
    named = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier or b""
    authorities = [{"type": "aki", "values": ["AAAA", b64url(named)]}]
    assert answers(query(held.asked(trusted_authorities=authorities)), held)


# --- arrays and objects -----------------------------------------------------------------------------------------------


@JSON_CARDS
@pytest.mark.parametrize(
    ("path", "values", "least"),
    [
        (("nationalities", 1), ["AT-Kaiserreich"], {"AT-Kaiserreich"}),
        (("nationalities", None), ["AT-Kaiserreich"], {"AT-Kaiserreich"}),
        (("degrees", 1, "name"), ["Optics"], {"Optics"}),
        (("degrees", None, "name"), ["Optics"], {"Optics"}),
        (("address", "geo", "lat"), ["50.9375"], {"50.9375"}),
    ],
)
def test_parts_are_the_same_ones_for_holder_and_verifier(
    held: Held, path: ClaimPath, values: list[Any], least: set[str]
) -> None:
    asked = query(held.asked(claims=[claim(held, *path, values=values)]))
    opened, wire = shown(held, answers(asked, held))
    assert satisfied(asked, q=[opened]).outcome is Outcome.PASS
    other = query(held.asked(claims=[claim(held, *path, values=["other"])]))
    assert satisfied(other, q=[opened]).code == "dcql.claims"
    beside = {"DE-Freistaat", "AT-Kaiserreich", "FR-Republique", "Physics", "Optics", "50.9375", "6.9603"}
    if held.sample.hides:
        array = isinstance(path[1], int) or path[1] is None
        with_it = {  # an array of a linked document is shown whole
            "nationalities": {"DE-Freistaat", "AT-Kaiserreich", "FR-Republique"},
            "degrees": {"Physics", "Optics"},
        }
        expected = with_it[str(path[0])] if held.id in LINKED and array else least
        assert {text for text in beside if text in wire} == expected
        assert "Mustermann" not in wire


@JSON_CARDS
@pytest.mark.parametrize("path", [("nationalities", 3), ("nationalities", "x"), ("given_name", None), ("address", 0)])
def test_paths_that_lead_nowhere_are_not_answered(held: Held, path: ClaimPath) -> None:
    assert unanswered(query(held.asked(claims=[claim(held, *path)])), held) == "dcql.no_claims"


@JSON_CARDS
def test_an_object_that_is_asked_for_comes_with_all_that_is_in_it(held: Held) -> None:
    asked = query(held.asked(claims=[claim(held, "address")]))
    opened, wire = shown(held, answers(asked, held))
    assert satisfied(asked, q=[opened]).outcome is Outcome.PASS
    assert all(text in wire for text in ("Heidestrasse", "Koeln", "6.9603"))
    assert ("Physics" in wire) != held.sample.hides


def test_paths_into_a_mobile_document_are_a_namespace_and_an_element() -> None:
    held = by_id("mso_mdoc")
    for path in (
        [MDL],
        [MDL, None],
        [None, "given_name"],
        [MDL, "driving_privileges", 0],
        [MDL, "driving_privileges", None, "codes"],
        ["org.example.extra", "club", "member"],
        ["org.example.other", "club"],
    ):
        assert unanswered(query(held.asked(claims=[{"path": path}])), held) == "dcql.no_claims", path
    asked = query(held.asked(claims=[{"path": ["org.example.extra", "club"], "intent_to_retain": True}]))
    opened, _ = shown(held, answers(asked, held))
    assert opened.claims == {"org.example.extra": {"club": {"member": True, "since": 1999}}}
    assert satisfied(asked, q=[opened]).outcome is Outcome.PASS
    deeper = query(held.asked(claims=[{"path": ["org.example.extra", "club", "member"]}]))
    assert satisfied(deeper, q=[opened]).code == "dcql.claims"  # the verifier reads its own query no other way


@pytest.mark.parametrize(("value", "kept"), [(True, True), (False, False), ("yes", False), (None, False)])
def test_only_a_plain_yes_is_an_intent_to_retain(value: Any, *, kept: bool) -> None:
    held = by_id("mso_mdoc")
    asked = query(held.asked(claims=[claim(held, "given_name", intent_to_retain=value)]))
    assert asked.credentials[0].claims[0].retained == kept


@pytest.mark.parametrize("name", ["vc+jwt", "vc+sd-jwt", "vc+cose", "ldp_vc", "ldp_vc-ecdsa-sd", "ldp_vc-bbs"])
def test_paths_into_a_w3c_credential_start_at_its_root(name: str) -> None:
    held = by_id(name)
    asked = query(held.asked(claims=[{"path": ["evidence", None, "verifier"], "values": ["Officer Dibble"]}]))
    opened, _ = shown(held, answers(asked, held))
    assert satisfied(asked, q=[opened]).outcome is Outcome.PASS
    assert unanswered(query(held.asked(claims=[{"path": ["given_name"]}])), held) == "dcql.no_claims"
    for path in (["credentialSubject", "id"], ["issuer"], ["type", None], ["type", 1], ["id"], ["@context", 0]):
        asked = query(held.asked(claims=[{"path": path}]))
        opened, wire = shown(held, answers(asked, held))
        assert satisfied(asked, q=[opened]).outcome is Outcome.PASS, path
        assert ("Mustermann" in wire) != held.sample.hides


# --- several at once --------------------------------------------------------------------------------------------------


def test_any_of_several_formats_answers_and_each_is_held_to_its_own_query() -> None:
    each = [by_id(name) for name in ("dc+sd-jwt", "ldp_vc-ecdsa-sd", "mso_mdoc", "ldp_vc-1.1")]
    asked = query(
        *(held.asked(f"q{at}", claims=[claim(held, given_name(held))]) for at, held in enumerate(each)),
        sets=[{"options": [["q0"], ["q1"], ["q2"]]}, {"options": [["q3"]], "required": False}],
    )
    matched = dcql.match(asked, WALLET)
    assert matched.suggested == ("q0",)
    assert [one.options for one in matched.sets] == [(("q0",), ("q1",), ("q2",)), (("q3",),)]
    opened = [shown(held, answers(asked, held, f"q{at}"))[0] for at, held in enumerate(each)]
    for at in range(3):
        assert satisfied(asked, **{f"q{at}": [opened[at]]}).outcome is Outcome.PASS
    assert satisfied(asked, q2=[opened[2]], q3=[opened[3]]).outcome is Outcome.PASS
    assert satisfied(asked, q3=[opened[3]]).code == "dcql.missing"
    assert {one.code for one in dcql.satisfied(asked, {"q0": [opened[2]]})} == {"dcql.meta"}


def test_without_some_formats_the_next_option_is_suggested_and_nothing_else_is_told() -> None:
    sd_jwt, mdoc = by_id("dc+sd-jwt"), by_id("mso_mdoc")
    asked = query(
        sd_jwt.asked("a", claims=[claim(sd_jwt, "given_name")]),
        mdoc.asked("b", claims=[claim(mdoc, "given_name")]),
        sets=[{"options": [["a"], ["b"]]}],
    )
    matched = dcql.match(asked, [mdoc.holding])
    assert (matched.suggested, [(one.query_id, one.code) for one in matched.missing]) == (
        ("b",),
        [("a", "dcql.no_format")],
    )
    assert not dcql.match(asked, [by_id("vc+jwt").holding]).answerable


def test_several_credentials_answer_one_query_where_that_is_asked() -> None:
    by_ecdsa, by_bbs = by_id("ldp_vc-ecdsa-sd"), by_id("ldp_vc-bbs")
    for multiple in (True, False):
        asked = query(by_bbs.asked(multiple=multiple, claims=[claim(by_bbs, "given_name", values=["Erika"])]))
        opened = [shown(held, answers(asked, held))[0] for held in (by_ecdsa, by_bbs)]
        assert (satisfied(asked, q=opened).outcome is Outcome.PASS) == multiple


def test_credentials_of_one_format_are_told_apart_by_their_expanded_types() -> None:
    old = by_id("ldp_vc-1.1")
    asked = query(old.asked())
    assert [one.holding_id for one in dcql.match(asked, WALLET).options["q"]] == ["ldp_vc-1.1"]
    either = query(old.asked(meta={"type_values": [*old.meta["type_values"], *by_id("ldp_vc").meta["type_values"]]}))
    assert {one.holding_id for one in dcql.match(either, WALLET).options["q"]} == LINKED


def test_an_answer_without_proof_of_its_holder_is_possible_only_where_that_is_enough() -> None:
    held = by_id("vc+jwt")
    unbound = replace(held.holding, opened=replace(held.opened, holder=None))
    asked = query(held.asked())
    assert dcql.match(asked, [unbound]).missing[0].code == "dcql.no_binding"
    free = query(held.asked(require_cryptographic_holder_binding=False))
    assert dcql.match(free, [unbound]).answerable


def test_the_subject_and_beside_it_make_the_whole_of_a_w3c_credential() -> None:
    """`always` of a hiding card are its mechanics and what its issuer put beside the subject."""
    candidate = answers(query(by_id("ldp_vc-bbs").asked()), by_id("ldp_vc-bbs"))
    names = {path for path in candidate.always if path[0] != "credentialSubject"}
    assert {"evidence", "termsOfUse", "name", "id"} <= {str(path[0]) for path in names}
    assert {path for path in candidate.always if path[0] == SUBJECT} == {(SUBJECT, "id")}
