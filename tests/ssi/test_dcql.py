"""DCQL: queries are read strictly, matched with the least that answers, and answers are held to all of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import dcql
from ssi.dcql import Holding
from ssi.errors import SsiError
from ssi.keys import SoftwareSigner
from ssi.model import Check, Finding, Issuer, Opened, Outcome

PERSON = "urn:facet:credential:verified-person:1"
CLAIMS: dict[str, Any] = {
    "given_name": "Erika",
    "age_over_18": True,
    "age": 34,
    "nationalities": ["DE", "AT"],
    "document": {"number": "X1", "type": "passport"},
    "degrees": [{"type": "B"}, {"type": "M"}],
}
HOLDER = SoftwareSigner.generate("ES256").public
OPENED = Opened("dc+sd-jwt", PERSON, Issuer("https://issuer.test"), CLAIMS, (), holder=HOLDER)
CARD = Holding("card", "dc+sd-jwt", OPENED)


def asked(query_id: str = "person", **members: Any) -> dict[str, Any]:
    return {"id": query_id, "format": "dc+sd-jwt", "meta": {"vct_values": [PERSON]}, **members}


def claims(*paths: list[Any]) -> list[dict[str, Any]]:
    return [{"path": path} for path in paths]


def matched(*, holdings: tuple[Holding, ...] = (CARD,), **members: Any) -> tuple[dcql.Candidate, ...]:
    return dcql.match(dcql.parse({"credentials": [asked(**members)]}), holdings).options.get("person", ())


def codes(query: dict[str, Any], presented: dict[str, tuple[Opened, ...]]) -> set[str]:
    return {finding.code for finding in dcql.satisfied(dcql.parse(query), presented)}


@pytest.mark.parametrize(
    "query",
    [
        None,
        [],
        {},
        {"credentials": []},
        {"credentials": {}},
        {"credentials": [1]},
        {"credentials": [asked(), asked()]},
        {"credentials": [asked("not an id!")]},
        {"credentials": [asked(meta=None)]},
        {"credentials": [asked(claims=[])]},
        {"credentials": [asked(claims=[{"path": []}])]},
        {"credentials": [asked(claims=[{"path": ["a", -1]}])]},
        {"credentials": [asked(claims=[{"path": ["a", True]}])]},
        {"credentials": [asked(claims=[{"path": ["a"], "values": []}])]},
        {"credentials": [asked(claims=[{"path": ["a"], "values": [1.5]}])]},
        {"credentials": [asked(claim_sets=[["a"]])]},
        {"credentials": [asked(claims=[{"path": ["a"]}], claim_sets=[["a"]])]},
        {"credentials": [asked(claims=[{"id": "a", "path": ["a"]}], claim_sets=[["b"]])]},
        {"credentials": [asked(claims=[{"id": "a", "path": ["a"]}, {"id": "a", "path": ["b"]}])]},
        {"credentials": [asked(multiple="yes")]},
        {"credentials": [asked(trusted_authorities=[])]},
        {"credentials": [asked()], "credential_sets": []},
        {"credentials": [asked()], "credential_sets": [{"options": []}]},
        {"credentials": [asked()], "credential_sets": [{"options": [["other"]]}]},
        {"credentials": [asked()], "credential_sets": [{"options": [["person"]], "required": 1}]},
    ],
)
def test_queries_that_are_refused(query: object) -> None:
    with pytest.raises(SsiError):
        dcql.parse(query)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.sampled_from(["a", "person", "dc+sd-jwt"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["credentials", "id", "format", "meta", "claims", "path", "values", "claim_sets", "options"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=15,
    )
)
def test_the_reader_raises_only_ssi_error(value: object) -> None:
    try:
        dcql.parse(value)
    except SsiError:
        return


def test_a_query_is_sent_as_it_was_written() -> None:
    query = {"credentials": [{**asked(claims=claims(["age"])), "unknown": 1}], "note": "kept"}
    assert dcql.parse(query).json == query


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (["given_name"], [("given_name",)]),
        (["document", "number"], [("document", "number")]),
        (["nationalities", None], [("nationalities", 0), ("nationalities", 1)]),
        (["nationalities", 1], [("nationalities", 1)]),
        (["degrees", None, "type"], [("degrees", 0, "type"), ("degrees", 1, "type")]),
    ],
)
def test_a_path_shows_exactly_what_it_selects(path: list[Any], shown: list[Any]) -> None:
    (candidate,) = matched(claims=claims(path))
    assert candidate.paths == tuple(shown)


@pytest.mark.parametrize(
    "path", [["absent"], ["document", "absent"], ["nationalities", 7], ["given_name", "x"], ["age", None]]
)
def test_a_path_that_selects_nothing_is_not_answered(path: list[Any]) -> None:
    assert matched(claims=claims(path)) == ()


@pytest.mark.parametrize(
    ("path", "values", "answers"),
    [
        (["age_over_18"], [True], True),
        (["age_over_18"], [False], False),
        (["age_over_18"], [1], False),
        (["age"], [34, 35], True),
        (["age"], ["34"], False),
        (["nationalities", None], ["AT", "FR"], True),
        (["nationalities", None], ["FR"], False),
    ],
)
def test_values_match_in_type_and_value(path: list[Any], values: list[Any], *, answers: bool) -> None:
    assert bool(matched(claims=[{"path": path, "values": values}])) is answers


def test_only_the_elements_with_an_asked_value_are_shown() -> None:
    (candidate,) = matched(claims=[{"path": ["nationalities", None], "values": ["AT"]}])
    assert candidate.paths == (("nationalities", 1),)


def test_without_claims_nothing_is_disclosed() -> None:
    (candidate,) = matched()
    assert candidate.paths == ()


def test_the_askers_first_answerable_claim_set_wins() -> None:
    named = [{"id": "x", "path": ["absent"]}, {"id": "a", "path": ["age"]}, {"id": "n", "path": ["given_name"]}]
    (candidate,) = matched(claims=named, claim_sets=[["x"], ["a"], ["n"]])
    assert candidate.paths == (("age",),)


def test_kind_and_format_must_fit() -> None:
    assert matched(meta={"vct_values": ["urn:other"]}) == ()
    assert matched(holdings=(replace(CARD, format="mso_mdoc"),)) == ()
    assert matched(format="unheard_of") == ()


def test_a_credential_bound_to_nobody_is_no_answer() -> None:
    unbound = replace(CARD, opened=replace(OPENED, holder=None))
    assert matched(holdings=(unbound,)) == ()
    assert matched(holdings=(unbound,), require_cryptographic_holder_binding=False)


def test_several_cards_stay_in_the_wallets_order() -> None:
    other = replace(CARD, id="other")
    assert [one.holding_id for one in matched(holdings=(other, CARD))] == ["other", "card"]


SETS = {
    "credentials": [asked("person"), asked("club", meta={"vct_values": ["urn:club"]})],
    "credential_sets": [{"options": [["club"], ["person"]]}, {"options": [["club"]], "required": False}],
}


def test_required_sets_decide_what_is_answerable() -> None:
    assert dcql.match(dcql.parse(SETS), [CARD]).answerable
    assert not dcql.match(dcql.parse(SETS), []).answerable
    both = {"credentials": SETS["credentials"]}
    assert not dcql.match(dcql.parse(both), [CARD]).answerable


def test_an_answer_is_accepted_when_it_answers_all() -> None:
    query = {"credentials": [asked(claims=claims(["age_over_18"]))]}
    found = dcql.satisfied(dcql.parse(query), {"person": (OPENED,)})
    assert found == (Finding(Check.RULE, Outcome.PASS, "dcql.satisfied", "All that was asked for was presented."),)
    assert codes(SETS, {"person": (OPENED,)}) == {"dcql.satisfied"}


@pytest.mark.parametrize(
    ("query", "presented", "code"),
    [
        ({"credentials": [asked()]}, {}, "dcql.missing"),
        (SETS, {}, "dcql.missing"),
        ({"credentials": [asked()]}, {"person": (OPENED,), "other": (OPENED,)}, "dcql.unexpected"),
        ({"credentials": [asked()]}, {"person": (OPENED, OPENED)}, "dcql.multiple"),
        ({"credentials": [asked(claims=claims(["absent"]))]}, {"person": (OPENED,)}, "dcql.claims"),
        (
            {"credentials": [asked(claims=[{"path": ["age_over_18"], "values": [False]}])]},
            {"person": (OPENED,)},
            "dcql.claims",
        ),
        ({"credentials": [asked()]}, {"person": (replace(OPENED, type="urn:other"),)}, "dcql.meta"),
        ({"credentials": [asked()]}, {"person": (replace(OPENED, format="mso_mdoc"),)}, "dcql.meta"),
        (
            {"credentials": [asked(trusted_authorities=[{"type": "aki", "values": ["AAAA"]}])]},
            {"person": (OPENED,)},
            "dcql.authority",
        ),
    ],
)
def test_answers_that_are_refused(query: dict[str, Any], presented: dict[str, tuple[Opened, ...]], code: str) -> None:
    found = dcql.satisfied(dcql.parse(query), presented)
    assert {finding.code for finding in found} == {code}
    assert all(finding.outcome is Outcome.FAIL for finding in found)


def test_more_than_one_is_welcome_where_multiple_was_asked() -> None:
    query = {"credentials": [asked(multiple=True)]}
    assert codes(query, {"person": (OPENED, OPENED)}) == {"dcql.satisfied"}


def test_findings_hold_no_claim_values() -> None:
    query = {"credentials": [asked(claims=[{"path": ["given_name"], "values": ["Max"]}])]}
    assert "Erika" not in repr(dcql.satisfied(dcql.parse(query), {"person": (OPENED,)}))
