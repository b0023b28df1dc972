"""Type metadata: read strictly, inherited by the rules, checked for integrity, and held against credentials."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from ssi.errors import Malformed, Refused, SsiError
from ssi.fetch import Response
from ssi.formats import typemetadata
from ssi.formats.typemetadata import Types, check_integrity, inherit, judge, parse
from ssi.model import Issuer, Opened, Outcome
from tests.support import NOW, InMemoryFetch

TYPE = "https://types.test/card"
OPENED = Opened("dc+sd-jwt", TYPE, Issuer("https://issuer.test"), {}, ())


def document(**members: Any) -> bytes:
    return json.dumps({"vct": TYPE, **members}).encode()


def served(**documents: bytes) -> Types:
    world = {f"https://types.test/{name}": Response(200, "", {}, body) for name, body in documents.items()}
    return Types(InMemoryFetch(world))


def judged(claims: dict[str, Any], rules: list[dict[str, Any]], *, complete: bool = True, **opened: Any) -> str:
    types = served(card=document(claims=rules))
    return judge(replace(OPENED, claims=claims, **opened), types=types, complete=complete, now=NOW).code


def test_every_own_type_is_readable_and_names_itself() -> None:
    for vct in schemas.TYPES:
        metadata = Types(None).of(vct, None, now=NOW)
        assert metadata is not None
        assert metadata.types == (vct,)
        assert all(rule.label("en") for rule in metadata.claims)
        assert all(rule.label("de-AT") == rule.label("en") for rule in metadata.claims)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[]", "encoding.json_object"),
        (b"{}", "type.vct"),
        (b'{"vct":"https://types.test/other"}', "type.vct"),
        (document(claims={}), "type.claims"),
        (document(claims=[1]), "type.claims"),
        (document(claims=[{}]), "path.form"),
        (document(claims=[{"path": []}]), "path.form"),
        (document(claims=[{"path": [-1]}]), "path.form"),
        (document(claims=[{"path": ["a"], "sd": "sometimes"}]), "type.claims"),
        (document(claims=[{"path": ["a"], "sd": ["always"]}]), "type.claims"),
        (document(claims=[{"path": ["a"], "mandatory": "yes"}]), "type.claims"),
        (document(claims=[{"path": ["a"], "display": [{"locale": "en"}]}]), "encoding.missing"),
        (document(display=[{"locale": "en"}]), "encoding.missing"),
        (document(display="en"), "type.display"),
        (document(extends=7), "encoding.text"),
    ],
)
def test_documents_that_are_refused(body: bytes, code: str) -> None:
    with pytest.raises(SsiError) as refusal:
        parse(body, vct=TYPE)
    assert refusal.value.code == code


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.sampled_from(["always", "en", TYPE]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["vct", "claims", "path", "sd", "display", "locale", "label"]), inner)
        ),
        max_leaves=12,
    )
)
def test_the_reader_raises_only_ssi_error(value: Any) -> None:
    members = {**value, "vct": TYPE} if isinstance(value, dict) else value
    try:
        parse(json.dumps(members).encode(), vct=TYPE)
    except SsiError:
        return


def test_mandatory_claims_bind_the_holders_check_only() -> None:
    rules = [{"path": ["name"], "mandatory": True}]
    assert judged({}, rules) == "schema.missing"
    assert judged({}, rules, complete=False) == "schema.conforms"
    assert judged({"name": "A"}, rules) == "schema.conforms"


def test_claims_are_disclosable_as_the_type_says() -> None:
    always, never = [{"path": ["name"], "sd": "always"}], [{"path": ["name"], "sd": "never"}]
    claims = {"name": "A"}
    assert judged(claims, always) == "schema.disclosable"
    assert judged(claims, always, disclosed=(("name",),)) == "schema.conforms"
    assert judged(claims, never, disclosed=(("name",),)) == "schema.disclosable"
    assert judged(claims, never) == "schema.conforms"


def test_a_hidden_array_element_counts_as_disclosable() -> None:
    rules = [{"path": ["nationalities", None], "sd": "always"}]
    found = judged(
        {"nationalities": ["US"]},
        rules,
        complete=False,
        disclosed=(("nationalities", 1),),
        closed=frozenset({("nationalities", 0)}),
    )
    assert found == "schema.conforms"


def test_a_claim_of_another_kind_is_a_failure() -> None:
    assert judged({"document": "passport"}, [{"path": ["document", "number"]}]) == "schema.kind"


def test_what_is_not_known_is_not_a_pass() -> None:
    unreachable = judge(OPENED, types=served(), complete=True, now=NOW)
    assert (unreachable.outcome, unreachable.code) == (Outcome.UNKNOWN, "fetch.unreachable")
    gone = Types(InMemoryFetch({TYPE: Response(404, TYPE, {}, b"")}))
    assert judge(OPENED, types=gone, complete=True, now=NOW).outcome is Outcome.UNKNOWN
    unknown = judge(replace(OPENED, type="urn:somebody:else"), types=Types(None), complete=True, now=NOW)
    assert (unknown.outcome, unknown.code) == (Outcome.NOT_ASKED, "schema.unknown_type")
    broken = judge(OPENED, types=served(card=b"{"), complete=True, now=NOW)
    assert (broken.outcome, broken.code) == (Outcome.FAIL, "encoding.json")


def test_without_a_fetch_nobody_is_asked() -> None:
    assert Types(None).of(TYPE, None, now=NOW) is None


def test_a_description_is_fetched_once() -> None:
    fetch = InMemoryFetch({TYPE: Response(200, TYPE, {}, document())})
    types = Types(fetch)
    for _ in range(3):
        types.of(TYPE, None, now=NOW)
    assert len(fetch.calls) == 1


def test_types_extend_each_other_by_the_rules() -> None:
    base = {"claims": [{"path": ["name"], "mandatory": True, "sd": "always"}]}
    parent = json.dumps({"vct": "https://types.test/base", **base}).encode()
    own = [{"path": ["name"], "display": [{"locale": "en", "label": "Name"}]}, {"path": ["age"]}]
    child = document(extends="https://types.test/base", claims=own)
    metadata = served(card=child, base=parent).of(TYPE, None, now=NOW)
    assert metadata is not None
    assert metadata.types == (TYPE, "https://types.test/base")
    name, age = metadata.claims
    assert (name.mandatory, name.sd, name.label("en")) == (True, "always", "Name")
    assert age.path == ("age",)


@pytest.mark.parametrize("change", [{"sd": "never"}, {"sd": "allowed"}, {"mandatory": False}])
def test_a_type_may_not_loosen_what_it_extends(change: dict[str, Any]) -> None:
    parent = parse(document(claims=[{"path": ["a"], "mandatory": True, "sd": "always"}]), vct=TYPE)
    child = parse(document(claims=[{"path": ["a"], **change}]), vct=TYPE)
    with pytest.raises(Malformed) as refusal:
        inherit(child, parent)
    assert refusal.value.code == "type.override"


def test_circles_and_long_chains_of_types_end() -> None:
    circle = served(card=document(extends=TYPE))
    with pytest.raises(Refused) as refusal:
        circle.of(TYPE, None, now=NOW)
    assert refusal.value.code == "type.extends"
    chain = {
        f"t{i}": json.dumps({"vct": f"https://types.test/t{i}", "extends": f"https://types.test/t{i + 1}"}).encode()
        for i in range(20)
    }
    with pytest.raises(Refused):
        served(**chain).of("https://types.test/t0", None, now=NOW)


def test_an_unknown_parent_is_not_a_pass() -> None:
    finding = judge(OPENED, types=served(card=document(extends="urn:unknown")), complete=True, now=NOW)
    assert finding.outcome is Outcome.UNKNOWN


def sri(name: str, body: bytes) -> str:
    return f"{name}-{base64.b64encode(hashlib.new(name, body).digest()).decode()}"


def test_integrity_uses_the_strongest_digest_given() -> None:
    body = document()
    for name in ("sha256", "sha384", "sha512"):
        check_integrity(body, sri(name, body))
    check_integrity(body, f"{sri('sha256', b'other')} {sri('sha512', body)}")
    check_integrity(body, f"{sri('sha256', b'other')} {sri('sha256', body)}?option")
    wrong = (
        sri("sha256", b"other"),
        f"{sri('sha256', body)} {sri('sha512', b'other')}",
        "md5-AAAA",
        "sha256-!!",
        "",
        "sha256",
    )
    for integrity in wrong:
        with pytest.raises(Refused):
            check_integrity(body, integrity)


def test_integrity_in_the_credential_is_held() -> None:
    body = document()
    types = served(card=body)
    good = replace(OPENED, claims={"vct#integrity": sri("sha256", body)})
    bad = replace(OPENED, claims={"vct#integrity": sri("sha256", b"other")})
    assert judge(good, types=types, complete=True, now=NOW).outcome is Outcome.PASS
    assert judge(bad, types=types, complete=True, now=NOW).code == "type.integrity"


def test_the_module_names_no_network_of_its_own() -> None:
    assert not hasattr(typemetadata, "BoundedFetch")
