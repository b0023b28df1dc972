from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.errors import Malformed, SsiError
from ssi.model import Check, Issuer, Opened, Outcome
from ssi.trust.policies import UnsafeAnyone
from tests.support import NOW
from verifier import ask as asking
from verifier.policy import ESSENTIAL, MustEqual, Policy

PERSON = "urn:facet:credential:verified-person:1"
QUERY = {
    "credentials": [
        {"id": "p", "format": "dc+sd-jwt", "meta": {"vct_values": [PERSON]}, "claims": [{"path": ["given_name"]}]}
    ]
}


def opened(claims: dict[str, Any]) -> Opened:
    return Opened("dc+sd-jwt", PERSON, Issuer("https://issuer.test"), claims, ())


@pytest.mark.parametrize(
    "made",
    [
        lambda: Policy(trust=UnsafeAnyone(), types=frozenset()),
        lambda: Policy(trust=UnsafeAnyone(), types=frozenset({PERSON}), required=frozenset()),
        lambda: Policy(trust=UnsafeAnyone(), types=frozenset({PERSON}), required=ESSENTIAL - {Check.SIGNATURE}),
        lambda: Policy(trust=UnsafeAnyone(), types=frozenset({PERSON}), required=ESSENTIAL - {Check.TRUST}),
        lambda: Policy(trust=None, types=frozenset({PERSON})),  # type: ignore[arg-type]
    ],
)
def test_a_policy_that_verifies_nothing_refuses_to_exist(made: Any) -> None:
    with pytest.raises(ValueError, match="policy"):
        made()


def test_a_rule_makes_its_check_required() -> None:
    policy = Policy(trust=UnsafeAnyone(), types=frozenset({PERSON}), rules=(MustEqual(("a",), True),))
    assert Check.RULE in policy.demands
    assert Check.RULE not in replace(policy, rules=()).demands


@pytest.mark.parametrize(
    ("claims", "path", "value", "outcome"),
    [
        ({"age_over_18": True}, ("age_over_18",), True, Outcome.PASS),
        ({"age_over_18": False}, ("age_over_18",), True, Outcome.FAIL),
        ({"age_over_18": 1}, ("age_over_18",), True, Outcome.FAIL),
        ({"age_over_18": "true"}, ("age_over_18",), True, Outcome.FAIL),
        ({}, ("age_over_18",), True, Outcome.FAIL),
        ({"age_over_18": True}, ("age_over_18", "deep"), True, Outcome.FAIL),
        ({"nationalities": ["US", "US"]}, ("nationalities", None), "US", Outcome.PASS),
        ({"nationalities": ["US", "IE"]}, ("nationalities", None), "US", Outcome.FAIL),
        ({"nationalities": []}, ("nationalities", None), "US", Outcome.FAIL),
    ],
)
def test_must_equal_compares_type_and_value(claims: Any, path: Any, value: Any, outcome: Outcome) -> None:
    finding = MustEqual(path, value).judge(opened(claims), now=NOW)
    assert (finding.check, finding.outcome) == (Check.RULE, outcome)
    assert "US" not in json.dumps(dict(finding.evidence))


def test_every_template_is_a_question_that_can_be_asked() -> None:
    assert {"over-18", "identity", "nationality"} <= set(asking.templates())
    for template in asking.templates().values():
        assert asking.read(template.ask.json) == template.ask
        if template.transaction is not None:  # only a form that can sign it
            assert [one.format for one in template.ask.query.credentials] == ["dc+sd-jwt"]
            continue
        assert template.ask.policy(UnsafeAnyone()).types == {PERSON, "VerifiedPersonCredential"}
        assert [one.format for one in template.ask.query.credentials] == ["dc+sd-jwt", "ldp_vc", "mso_mdoc"]
        assert [one.options for one in template.ask.query.sets] == [(("person",), ("person_w3c",), ("person_mdoc",))]
        assert template.summary
        assert template.ask.purpose


def test_an_ask_survives_the_store() -> None:
    body = {
        "title": "Bar",
        "purpose": "Sell you a drink",
        "dcql_query": QUERY,
        "response_mode": "direct_post",
        "policy": {
            "required": ["signature", "trust", "holder_binding"],
            "rules": [{"path": ["a", 0, None], "equals": 3}],
        },
    }
    ask = asking.parse(body)
    assert asking.read(ask.json) == ask
    assert ask.required == {Check.SIGNATURE, Check.TRUST, Check.HOLDER_BINDING}
    assert ask.rules[0].path == ("a", 0, None)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"dcql_query": None}, "dcql.query"),
        ({"policy": {"requierd": ["trust"]}}, "request.unknown_member"),
        ({"polcy": {}}, "request.unknown_member"),
        ({"policy": []}, "request.policy"),
        ({"policy": {"required": []}}, "request.required"),
        ({"policy": {"required": ["trust"]}}, "request.required"),
        ({"policy": {"required": ["trust", "signature", "vibes"]}}, "request.required"),
        ({"policy": {"rules": [1]}}, "request.rules"),
        ({"policy": {"rules": [{"path": ["a"]}]}}, "request.rules"),
        ({"policy": {"rules": [{"path": [], "equals": 1}]}}, "path.form"),
        ({"response_mode": "query"}, "request.response_mode"),
        ({"purpose": "a\nb"}, "request.purpose"),
        ({"purpose": "x" * 301}, "request.purpose"),
        ({"title": 7}, "encoding.text"),
    ],
)
def test_conditions_that_cannot_be_kept_are_refused(change: dict[str, Any], code: str) -> None:
    with pytest.raises(Malformed) as caught:
        asking.parse({"dcql_query": QUERY, **change})
    assert caught.value.code == code


def test_a_query_must_name_types_formats_and_the_holder() -> None:
    credential = QUERY["credentials"][0]
    for change, code in [
        ({"meta": {}}, "request.types"),
        ({"meta": {"vct_values": []}}, "request.types"),
        ({"format": "mso_paper"}, "format.unknown"),
        ({"require_cryptographic_holder_binding": False}, "request.holder_binding"),
    ]:
        with pytest.raises(SsiError) as caught:
            asking.parse({"dcql_query": {"credentials": [{**credential, **change}]}})
        assert caught.value.code == code


def test_a_template_may_be_varied_but_not_mixed_with_another_query() -> None:
    assert asking.from_body({"template": "identity", "purpose": "Why not"}).purpose == "Why not"
    for body in ({"template": "nope"}, {"template": "identity", "dcql_query": QUERY}):
        with pytest.raises(Malformed) as caught:
            asking.from_body(body)
        assert caught.value.code == "request.template"


def test_whoever_names_the_checks_of_a_template_keeps_its_rules() -> None:
    whole = asking.from_body({"template": "over-18"})
    names = [check.value for check in whole.required]
    assert whole.rules
    assert asking.from_body({"template": "over-18", "policy": {"required": names}}) == whole
    assert asking.from_body({"template": "over-18", "policy": {"rules": []}}).rules == ()
    with pytest.raises(Malformed):
        asking.from_body({"template": "over-18", "policy": ["rules"]})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
MEMBERS = st.sampled_from(["title", "purpose", "dcql_query", "policy", "response_mode", "template", "x"])


@given(st.dictionaries(MEMBERS, JSON | st.just(QUERY), max_size=5))
def test_any_body_is_an_ask_or_an_ssi_error(body: dict[str, Any]) -> None:
    try:
        ask = asking.from_body(body)
    except SsiError:
        return
    assert asking.read(ask.json) == ask
