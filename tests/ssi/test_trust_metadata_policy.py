"""Metadata policy (OpenID Federation §6.1): operators, what may stand together, merging, order, application."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssi.errors import Malformed, Refused, SsiError
from ssi.trust.federation.operators import ABSENT, OPERATORS, applied, combined, merged
from tests.ssi.federations import Member, issuer, world
from tests.ssi.test_trust_federation import LEAF, MIDDLE, TOP, federation
from tests.support import NOW

KIND = "openid_credential_issuer"

ACTIONS: list[tuple[dict[str, Any], Any, Any]] = [
    ({"value": "a"}, "b", "a"),
    ({"value": ["a"]}, ABSENT, ["a"]),
    ({"value": None}, "b", ABSENT),
    ({"value": False}, True, False),
    ({"add": ["a", "b"]}, ["b", "c"], ["b", "c", "a"]),
    ({"add": ["a"]}, ABSENT, ["a"]),
    ({"default": 5}, ABSENT, 5),
    ({"default": 5}, 6, 6),
    ({"default": False}, ABSENT, False),
    ({"one_of": ["a", "b"]}, "b", "b"),
    ({"one_of": ["a", "b"]}, ABSENT, ABSENT),
    ({"subset_of": ["a", "b", "c"]}, ["a", "e"], ["a"]),  # the table of §6.1.3.1.8
    ({"subset_of": ["a", "b", "c"]}, ["d", "e"], []),
    ({"essential": True, "subset_of": ["a", "b", "c"]}, ["d", "e"], []),
    ({"essential": False, "subset_of": ["a", "b", "c"]}, ABSENT, ABSENT),
    ({"superset_of": ["a"]}, ["a", "b"], ["a", "b"]),
    ({"superset_of": ["a"]}, ["a"], ["a"]),
    ({"superset_of": ["a"]}, ABSENT, ABSENT),
    ({"essential": True}, {"any": "thing"}, {"any": "thing"}),
    ({"essential": False}, ABSENT, ABSENT),
    ({"default": "a", "one_of": ["a", "b"]}, ABSENT, "a"),
    ({"default": ["a"], "add": ["b"]}, ABSENT, ["b"]),  # add comes before default
    ({"add": ["b"], "subset_of": ["a", "b"]}, ["a", "x"], ["a", "b"]),
    ({"value": ["a", "b"], "add": ["b"], "subset_of": ["a", "b", "c"], "superset_of": ["a"]}, ["z"], ["a", "b"]),
    ({"subset_of": [{"x": 1, "y": 2}]}, [{"y": 2, "x": 1}, {"x": 2}], [{"y": 2, "x": 1}]),
]

ERRORS: list[tuple[dict[str, Any], Any]] = [
    ({"one_of": ["a", "b"]}, "c"),
    ({"one_of": [1]}, True),  # true is not 1
    ({"superset_of": ["a"]}, ["b"]),
    ({"essential": True}, ABSENT),
    ({"essential": True, "subset_of": ["a"]}, ABSENT),
    ({"add": ["a"]}, "a"),
    ({"subset_of": ["a"]}, "a"),
    ({"superset_of": ["a"]}, "a"),
]

ALONE: list[dict[str, Any]] = [
    {"add": "a"},
    {"add": [None]},
    {"default": None},
    {"one_of": "a"},
    {"subset_of": {"a": 1}},
    {"superset_of": 7},
    {"essential": "yes"},
    {"essential": 1},
]

TOGETHER: list[tuple[dict[str, Any], bool]] = [
    ({"value": ["a", "b"], "add": ["a"]}, True),
    ({"value": ["a"], "add": ["b"]}, False),
    ({"value": None, "add": ["b"]}, False),
    ({"value": "a", "default": "b"}, True),
    ({"value": None, "default": "b"}, False),
    ({"value": "a", "one_of": ["a"]}, True),
    ({"value": "c", "one_of": ["a"]}, False),
    ({"value": None, "one_of": ["a"]}, False),
    ({"value": ["a"], "subset_of": ["a", "b"]}, True),
    ({"value": ["c"], "subset_of": ["a", "b"]}, False),
    ({"value": "a", "subset_of": ["a", "b"]}, False),
    ({"value": None, "subset_of": ["a", "b"]}, False),
    ({"value": ["a", "b"], "superset_of": ["a"]}, True),
    ({"value": ["b"], "superset_of": ["a"]}, False),
    ({"value": None, "superset_of": ["a"]}, False),
    ({"value": None, "essential": False}, True),
    ({"value": None, "essential": True}, False),
    ({"add": ["a"], "default": ["b"]}, True),
    ({"add": ["a"], "one_of": ["a"]}, False),
    ({"add": ["a"], "subset_of": ["a"]}, True),
    ({"add": ["b"], "subset_of": ["a"]}, False),
    ({"add": ["b"], "superset_of": ["a"]}, True),
    ({"add": ["b"], "essential": True}, True),
    ({"default": "b", "one_of": ["a"]}, True),
    ({"one_of": ["a"], "subset_of": ["a"]}, False),
    ({"one_of": ["a"], "superset_of": ["a"]}, False),
    ({"one_of": ["a"], "essential": True}, True),
    ({"subset_of": ["a", "b"], "superset_of": ["a"]}, True),
    ({"subset_of": ["b"], "superset_of": ["a"]}, False),
]

MERGES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any] | None]] = [
    ({"value": "a"}, {"value": "a"}, {"value": "a"}),
    ({"value": "a"}, {"value": "b"}, None),
    ({"value": 1}, {"value": True}, None),
    ({"value": {"a": 1, "b": 2}}, {"value": {"b": 2, "a": 1}}, {"value": {"a": 1, "b": 2}}),
    ({"add": ["a"]}, {"add": ["b", "a"]}, {"add": ["a", "b"]}),
    ({"default": "a"}, {"default": "a"}, {"default": "a"}),
    ({"default": "a"}, {"default": "b"}, None),
    ({"one_of": ["a", "b"]}, {"one_of": ["b", "c"]}, {"one_of": ["b"]}),
    ({"one_of": ["a"]}, {"one_of": ["b"]}, None),
    ({"subset_of": ["a", "b"]}, {"subset_of": ["b", "c"]}, {"subset_of": ["b"]}),
    ({"subset_of": ["a"]}, {"subset_of": ["b"]}, {"subset_of": []}),
    ({"superset_of": ["a"]}, {"superset_of": ["b"]}, {"superset_of": ["a", "b"]}),
    ({"essential": False}, {"essential": True}, {"essential": True}),
    ({"essential": True}, {"essential": False}, {"essential": True}),
    ({"one_of": ["a", "b"]}, {"default": "a"}, {"one_of": ["a", "b"], "default": "a"}),
    ({"subset_of": ["a"]}, {"add": ["b"]}, None),  # each alone is good, together they are not
    ({"value": "a"}, {"one_of": ["b"]}, None),
    ({"essential": True}, {"value": None}, None),
]


@pytest.mark.parametrize(("policy", "parameter", "expected"), ACTIONS)
def test_an_operator_does_what_it_says(policy: dict[str, Any], parameter: Any, expected: Any) -> None:
    found = applied(combined(policy), parameter)
    assert found is expected if expected is ABSENT else found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("policy", "parameter"), ERRORS)
def test_a_parameter_that_does_not_meet_its_policy_is_an_error(policy: dict[str, Any], parameter: Any) -> None:
    with pytest.raises(Refused) as caught:
        applied(combined(policy), parameter)
    assert caught.value.code == "trust.federation_policy"


@pytest.mark.parametrize("policy", ALONE)
def test_an_operator_takes_only_values_of_its_kind(policy: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        combined(policy)


@pytest.mark.parametrize(("policy", "allowed"), TOGETHER)
def test_operators_stand_together_only_as_they_may(policy: dict[str, Any], allowed: bool) -> None:
    if allowed:
        assert combined(policy) == policy
    else:
        with pytest.raises(Refused):
            combined(policy)


@pytest.mark.parametrize(("superior", "subordinate", "expected"), MERGES)
def test_policies_merge_to_one_that_is_no_less_strict(
    superior: dict[str, Any], subordinate: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    if expected is None:
        with pytest.raises(Refused):
            merged(superior, subordinate)
    else:
        assert merged(superior, subordinate) == expected


def test_the_operators_are_applied_in_the_order_of_the_specification() -> None:
    names = [operator.name for operator in OPERATORS]
    assert names == ["value", "add", "default", "one_of", "subset_of", "superset_of", "essential"]


# --- a whole chain ----------------------------------------------------------------------------------------------------


def resolved(
    own: dict[str, Any], *, middle: dict[str, Any] | None = None, top: dict[str, Any] | None = None, kind: str = KIND
) -> dict[str, Any]:
    leaf, between, anchor = issuer(LEAF, MIDDLE), Member(MIDDLE, (TOP,)), Member(TOP)
    leaf.metadata = {kind: own}
    between.about[LEAF], anchor.about[MIDDLE] = middle or {}, top or {}
    found = federation(anchor, world(leaf, between, anchor)).resolve(LEAF, now=NOW)
    return dict(found.metadata[kind])


def policy(**parameters: Any) -> dict[str, Any]:
    return {"metadata_policy": {KIND: parameters}}


def test_the_superior_comes_before_the_subordinate() -> None:
    found = resolved(
        {"algs": ["a", "b", "c"], "contacts": ["leaf"]},
        middle=policy(algs={"subset_of": ["a", "b"]}, contacts={"add": ["middle"]}),
        top=policy(algs={"subset_of": ["b", "c"]}, contacts={"add": ["top"]}),
    )
    assert found["algs"] == ["b"]
    assert sorted(found["contacts"]) == ["leaf", "middle", "top"]


def test_a_subordinate_cannot_loosen_what_its_superior_demands() -> None:
    with pytest.raises(SsiError) as caught:
        resolved({"a": "x"}, middle=policy(a={"value": "x"}), top=policy(a={"value": "y"}))
    assert caught.value.code == "trust.federation_policy"


def test_metadata_of_the_immediate_superior_comes_before_all_policy() -> None:
    stated = {"metadata": {KIND: {"a": "superior"}, "openid_provider": {"b": 1}}}
    assert resolved({"a": "own"}, middle=stated)["a"] == "superior"
    assert resolved({"a": "own"}, middle={**stated, **policy(a={"one_of": ["superior"]})})["a"] == "superior"
    with pytest.raises(SsiError):
        resolved({"a": "own"}, middle={**stated, **policy(a={"one_of": ["own"]})})
    assert resolved({"a": "own"}, top={"metadata": {KIND: {"a": "far"}}})["a"] == "own"


def test_metadata_of_a_superior_makes_no_entity_type_that_the_subject_is_not() -> None:
    leaf, top = issuer(LEAF, TOP), Member(TOP)
    top.about[LEAF] = {
        "metadata": {"openid_provider": {"b": 1}},
        "metadata_policy": {"openid_provider": {"c": {"value": 1}}},
    }
    assert "openid_provider" not in federation(top, world(leaf, top)).resolve(LEAF, now=NOW).metadata


def test_unknown_operators_are_ignored_unless_they_are_critical() -> None:
    assert resolved({"a": "x"}, top=policy(a={"regexp": "^y", "essential": True}))["a"] == "x"
    with pytest.raises(SsiError) as caught:
        resolved({"a": "x"}, top={**policy(a={"regexp": "^y"}), "metadata_policy_crit": ["regexp"]})
    assert caught.value.code == "trust.federation_crit"


def test_a_scope_is_treated_as_the_list_that_it_is() -> None:
    assert resolved({"scope": "a b c"}, top=policy(scope={"subset_of": ["c", "a"]}))["scope"] == "a c"
    assert resolved({}, top=policy(scope={"default": "a b"}))["scope"] == "a b"
    assert resolved({"scope": "x"}, top=policy(scope={"value": ["a"]}))["scope"] == "a"


@pytest.mark.parametrize("value", [[], {KIND: []}, {KIND: {"a": ["value"]}}, "x", {KIND: {"a": None}}])
def test_a_policy_of_another_form_is_refused(value: Any) -> None:
    with pytest.raises(Malformed) as caught:
        resolved({"a": "x"}, top={"metadata_policy": value})
    assert caught.value.code == "trust.federation_policy_form"


LISTS = st.lists(st.sampled_from("abcd"), max_size=4, unique=True)
POLICIES = st.fixed_dictionaries(
    {}, optional={"add": LISTS, "subset_of": LISTS, "superset_of": LISTS, "default": LISTS, "essential": st.booleans()}
)


@settings(max_examples=300)
@given(superior=POLICIES, subordinate=POLICIES, parameter=st.one_of(st.just(ABSENT), LISTS))
def test_whatever_a_subordinate_adds_its_superiors_demands_hold(
    superior: dict[str, Any], subordinate: dict[str, Any], parameter: Any
) -> None:
    try:
        found = applied(merged(combined(superior), combined(subordinate)), parameter)
    except Refused:
        return
    if found is ABSENT:
        assert not superior.get("essential")
        assert not {"add", "default"} & set(superior)
        return
    assert set(superior.get("superset_of", ())) <= set(found)
    assert set(superior.get("add", ())) <= set(found)
    if "subset_of" in superior:
        assert set(found) <= set(superior["subset_of"])
