"""Safe mode: what no statement would carry is refused, so what is signed is what is read."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import jsonld
from ssi.encoding import MAX_JSON_DEPTH
from ssi.errors import Malformed, SsiError, Unsupported
from tests.ssi.linked import DID, EX, PERSON, RICH, V2, documents, json_values

NESTED: Any = {"plain": "end"}
for _ in range(40):
    NESTED = {"scoped": NESTED}
LISTS: Any = ["end"]
for _ in range(40):
    LISTS = [LISTS]


def rich(**members: Any) -> dict[str, Any]:
    """A document in the terms of RICH."""
    return {"@context": RICH, "id": "urn:x:1", **members}


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("jsonld.undefined_term", rich(unknown="x")),
    ("jsonld.undefined_term", rich(plain={"unknown": "x"})),
    ("jsonld.undefined_term", {"@context": {"a": None, "b": EX}, "@id": "urn:x:1", "b": "x", "a": "x"}),
    ("jsonld.undefined_term", {"@context": {"@vocab": EX}, "@id": "urn:x:1", "a b": "x"}),
    ("jsonld.undefined_term", {"plain": "no context at all"}),
    ("jsonld.undefined_term", rich(**{"un:defined value": "x"})),
    ("jsonld.undefined_term", rich(word="unknown")),
    ("jsonld.undefined_term", rich(word="@foo x")),
    ("jsonld.keyword", rich(word="@foo")),
    ("jsonld.keyword", rich(**{"@foo": "x"})),
    ("jsonld.keyword", rich(**{"@base": "x"})),
    ("jsonld.keyword", rich(plain={"@list": ["x"], "@id": "urn:x:2"})),
    ("jsonld.keyword", rich(**{"@language": "en"})),
    ("jsonld.relative_type", rich(type="unknown")),
    ("jsonld.relative_type", rich(type=["Kind", "unknown"])),
    ("jsonld.relative_type", rich(type=5)),
    ("jsonld.relative_type", rich(type=[{"@id": "urn:x:2"}])),
    ("jsonld.relative_type", rich(type=None)),
    ("jsonld.relative_type", rich(type="https://ex.example/a b")),
    ("jsonld.relative_type", rich(plain={"@value": "x", "@type": "unknown"})),
    ("jsonld.relative_type", rich(plain={"@value": "x", "@type": ["xsd:date"]})),
    ("jsonld.relative_type", rich(plain={"@value": "x", "@type": "xsd:date", "@language": "en"})),
    ("jsonld.relative_id", {**rich(plain="x"), "id": "relative"}),
    ("jsonld.relative_id", {**rich(plain="x"), "id": ""}),
    ("jsonld.relative_id", {**rich(plain="x"), "id": None}),
    ("jsonld.relative_id", {**rich(plain="x"), "id": ["urn:x:1"]}),
    ("jsonld.relative_id", {**rich(plain="x"), "id": "https://ex.example/a b"}),
    ("jsonld.relative_id", {**rich(plain="x"), "id": "https://ex.example/a\u00a0b"}),
    ("jsonld.relative_id", {**rich(plain="x"), "id": "https://ex.example/> <urn:x:2"}),
    ("jsonld.relative_id", {**rich(plain="x"), "id": "https://ex.example/\n"}),
    ("jsonld.relative_id", {**rich(plain="x"), "@id": "urn:x:2"}),
    ("jsonld.relative_id", {**rich(plain="x"), "id": "@type"}),
    ("jsonld.relative_id", rich(ref="relative")),
    ("jsonld.relative_id", rich(ref={"id": "relative"})),
    ("jsonld.blank_node", {**rich(plain="x"), "id": "_:a b"}),
    ("jsonld.blank_node", {**rich(plain="x"), "id": "_:"}),
    ("jsonld.direction", rich(plain={"@value": "x", "@language": "ar", "@direction": "up"})),
    ("jsonld.direction", rich(**{"@direction": "rtl"})),
    ("jsonld.size", rich(id="urn:" + "x" * 1_000_000, plain=["x", "y", "z", "u", "v"])),
    ("jsonld.size", {**rich(**{"ex:" + "x" * 1_000_000: ["x", "y", "z", "u", "v"]})}),
    ("jsonld.context", {"@context": {"a": EX + "x" * 3000}, "a": "x"}),
    ("jsonld.vocab", {"@context": {"@vocab": EX + "x" * 3000}, "a": "x"}),
    ("jsonld.direction", {"@context": [RICH, {"@direction": "rtl"}], "plain": "x"}),
    ("jsonld.direction", {"@context": [RICH, {"@direction": "rtl"}], "names": {"en": "x"}}),
    ("jsonld.direction", {"@context": {"a": {"@id": EX, "@direction": "ltr"}}, "a": "x"}),
    ("jsonld.unsigned", rich(plain=None)),
    ("jsonld.unsigned", rich(plain=[])),
    ("jsonld.unsigned", rich(plain=["x", None])),
    ("jsonld.unsigned", rich(plain=["x", []])),
    ("jsonld.unsigned", rich(plain={"@set": []})),
    ("jsonld.unsigned", rich(plain={"@value": None})),
    ("jsonld.unsigned", rich(plain={"@value": None, "@type": "xsd:date"})),
    ("jsonld.unsigned", rich(plain={"@value": "x", "@index": "i"})),
    ("jsonld.unsigned", rich(plain={"@list": ["x"], "@index": "i"})),
    ("jsonld.unsigned", rich(plain={"plain": "x", "@index": "i"})),
    ("jsonld.unsigned", rich(list=["x", None])),
    ("jsonld.unsigned", rich(type=[])),
    ("jsonld.unsigned", rich(names={})),
    ("jsonld.unsigned", rich(names={"en": []})),
    ("jsonld.unsigned", rich(graph={"id": "urn:x:2"})),
    ("jsonld.unsigned", rich()),
    ("jsonld.unsigned", {}),
    ("jsonld.unsigned", {"@context": RICH, "@graph": [{"id": "urn:x:1"}]}),
    ("jsonld.language", rich(plain={"@value": "x", "@language": "not a tag"})),
    ("jsonld.language", rich(plain={"@value": "x", "@language": None})),
    ("jsonld.language", rich(plain={"@value": 5, "@language": "en"})),
    ("jsonld.language", rich(names={"en": 5})),
    ("jsonld.language", rich(names={"not a tag": "x"})),
    ("jsonld.number", rich(plain=2**53)),
    ("jsonld.number", rich(plain=-(2**53))),
    ("jsonld.number", rich(plain=10**400)),
    ("jsonld.number", rich(plain=1e22)),
    ("jsonld.number", rich(plain=1e-7)),
    ("jsonld.number", rich(plain=float("nan"))),
    ("jsonld.number", rich(plain=float("inf"))),
    ("jsonld.number", rich(double=2.0**53)),
    ("jsonld.value", rich(plain={"@value": {"a": 1}})),
    ("jsonld.value", rich(plain={"@value": "x", "plain": "y"})),
    ("jsonld.value", rich(plain=(1, 2))),
    ("jsonld.value", rich(graph="x")),
    ("jsonld.value", rich(graph={"@value": "x"})),
    ("jsonld.value", {"@context": RICH, "@value": "x"}),
    ("jsonld.value", {"@context": RICH, "@list": ["x"]}),
    ("jsonld.value", {"@context": RICH, "@graph": ["x"]}),
    ("jsonld.value", rich(plain={"@set": ["x"], "plain": "y"})),
    ("jsonld.construct", rich(**{"@reverse": {"plain": "x"}})),
    ("jsonld.construct", rich(**{"@included": [{"plain": "x"}]})),
    ("jsonld.construct", rich(**{"@nest": {"plain": "x"}})),
    ("jsonld.construct", rich(**{"_:predicate": "x"})),
    ("jsonld.construct", {"@context": {"a": {"@reverse": EX}}, "@id": "urn:x:1", "a": "x"}),
    ("jsonld.construct", {"@context": {"a": {"@id": EX, "@nest": "b"}}, "@id": "urn:x:1", "a": "x"}),
    ("jsonld.construct", {"@context": {"a": {"@id": EX, "@container": "@index"}}, "a": {"b": "x"}}),
    ("jsonld.construct", {"@context": {"a": {"@id": EX, "@container": "@index", "@index": EX}}, "a": {"b": "x"}}),
    ("jsonld.construct", {"@context": {"a": {"@id": EX, "@container": ["@graph", "@id"]}}, "a": {"b": "x"}}),
    ("jsonld.construct", {"@context": {"a": {"@id": EX, "@container": "@type"}}, "a": {"b": {"@id": "urn:x:1"}}}),
    ("jsonld.depth", rich(scoped=NESTED)),
    ("jsonld.depth", rich(plain=LISTS)),
    ("jsonld.depth", rich(list=LISTS)),
    ("jsonld.size", rich(plain=[str(number) for number in range(5000)])),
    ("jsonld.size", rich(list=["x"] * 5000)),
    ("jsonld.size", rich(graph=[{"plain": "x"}] * 5000)),
    ("jsonld.size", rich(plain=[{"plain": "x", "silent": "y"} for _ in range(4000)])),
    ("jsonld.size", rich(**{f"ex:p{number}": "x" for number in range(5000)})),
    ("jcs.value", rich(json={"n": 2**60})),
    ("jcs.value", rich(plain={"@value": float("nan"), "@type": "@json"})),
]


@pytest.mark.parametrize(("code", "document"), REFUSED, ids=[f"{n}-{code}" for n, (code, _) in enumerate(REFUSED)])
def test_what_would_be_dropped_or_misread_is_refused(code: str, document: dict[str, Any]) -> None:
    with pytest.raises(SsiError) as refusal:
        jsonld.canonical(document)
    assert refusal.value.code == code


def test_refusals_name_terms_and_never_values() -> None:
    with pytest.raises(Malformed, match="'unknown'") as refusal:
        jsonld.check(rich(unknown="a secret"))
    assert "secret" not in str(refusal.value)
    with pytest.raises(Malformed) as refusal:
        jsonld.check(rich(ref="a secret"))
    assert "secret" not in str(refusal.value)
    with pytest.raises(Malformed) as refusal:
        jsonld.check(rich(**{"x" * 500: 1}))
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize("member", ["nickname", "ageOver18", "Given_Name"])
def test_nothing_can_be_added_to_a_credential_that_its_contexts_do_not_define(member: str) -> None:
    jsonld.check(PERSON)
    subject = {**PERSON["credentialSubject"], member: "x"}
    with pytest.raises(Malformed) as refusal:
        jsonld.check({**PERSON, "credentialSubject": subject})
    assert refusal.value.code == "jsonld.undefined_term"


@pytest.mark.parametrize("value", [None, [], [[]], {"@set": []}])
def test_nothing_can_be_added_that_makes_no_statement(value: Any) -> None:
    before = jsonld.canonical(PERSON)
    with pytest.raises(Malformed) as refusal:
        jsonld.canonical({**PERSON, "credentialSubject": {**PERSON["credentialSubject"], "age_over_21": value}})
    assert refusal.value.code == "jsonld.unsigned"
    assert jsonld.canonical(PERSON) == before


def test_a_vocabulary_defines_everything_below_it() -> None:
    document = {"@context": [V2, "https://www.w3.org/ns/credentials/examples/v2"], "anything": "x"}
    assert b"<https://www.w3.org/ns/credentials/examples#anything>" in jsonld.canonical(document)


@pytest.mark.parametrize(
    ("member", "line"),
    [
        ({"plain": 5}, '"5"^^<http://www.w3.org/2001/XMLSchema#integer>'),
        ({"plain": 5.0}, '"5"^^<http://www.w3.org/2001/XMLSchema#integer>'),
        ({"plain": -0.0}, '"0"^^<http://www.w3.org/2001/XMLSchema#integer>'),
        ({"plain": 2**53 - 1}, '"9007199254740991"^^<http://www.w3.org/2001/XMLSchema#integer>'),
        ({"plain": 1.5}, '"1.5E0"^^<http://www.w3.org/2001/XMLSchema#double>'),
        ({"plain": -0.0000015}, '"-1.5E-6"^^<http://www.w3.org/2001/XMLSchema#double>'),
        ({"double": 5}, '"5.0E0"^^<http://www.w3.org/2001/XMLSchema#double>'),
        ({"date": 1.5}, '"1.5E0"^^<http://www.w3.org/2001/XMLSchema#date>'),
        ({"plain": True}, '"true"^^<http://www.w3.org/2001/XMLSchema#boolean>'),
        ({"string": False}, '"false"'),
        ({"ref": 5}, '"5"^^<http://www.w3.org/2001/XMLSchema#integer>'),
        ({"french": "x"}, '"x"@fr-be'),
        ({"plain": {"@value": "x", "@language": "EN-us"}}, '"x"@en-us'),
        ({"names": {"@none": "x"}}, '"x"'),
        ({"names": "x"}, '"x"'),
        (
            {"plain": 'say "\\\b\t\n\f\r\x00\x1f\x7f"\u2028'},
            '"say \\"\\\\\\b\\t\\n\\f\\r\\u0000\\u001F\\u007F\\"\u2028"',
        ),
        (
            {"json": {"b": 1.0, "a": None}},
            '"{\\"a\\":null,\\"b\\":1}"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>',
        ),
        ({"list": []}, "<http://www.w3.org/1999/02/22-rdf-syntax-ns#nil>"),
        ({"plain": {"@list": []}}, "<http://www.w3.org/1999/02/22-rdf-syntax-ns#nil>"),
        ({"plain": {"@set": [["x"]]}}, '"x"'),
        ({"ref": "ex:y"}, f"<{EX}y>"),
        ({"ref": {"@id": DID}}, f"<{DID}>"),
        ({"word": "Kind"}, f"<{EX}Kind>"),
    ],
)
def test_values_are_written_as_every_processor_writes_them(member: dict[str, Any], line: str) -> None:
    (statement,) = jsonld.to_quads(rich(**member))
    assert statement.split(" ", 2)[2] == f"{line} .\n"


def test_graphs_can_be_named_or_not() -> None:
    node = {"id": "urn:x:1", "plain": "x"}
    assert jsonld.to_quads({"@context": RICH, "@graph": [node]}) == [f'<urn:x:1> <{EX}plain> "x" .\n']
    assert jsonld.to_quads({"@context": RICH, "@graph": node}) == [f'<urn:x:1> <{EX}plain> "x" .\n']
    named = jsonld.to_quads({"@context": RICH, "id": "urn:x:2", "@graph": [node]})
    assert named == [f'<urn:x:1> <{EX}plain> "x" <urn:x:2> .\n']


def test_contexts_inside_a_document_hold_below_them() -> None:
    inner = {"@context": {"here": EX + "h"}, "here": "x", "plain": "y"}
    lines = jsonld.to_quads(rich(plain=inner))
    assert any(f"<{EX}h>" in line for line in lines)
    with pytest.raises(Malformed):
        jsonld.check(rich(plain=inner, here="x"))


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(sorted(RICH)),
    lambda below: (
        st.lists(below, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [*RICH, "@id", "@value", "@list", "@set", "@graph", "@type", "@context", "@language", "@index"]
            )
            | st.text(max_size=6),
            below,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from([*RICH, "@graph", "@context"]) | st.text(max_size=6), json_like, max_size=6))
def test_any_document_is_read_or_refused(document: dict[str, Any]) -> None:
    for contexts in (document.get("@context"), RICH, [V2, RICH]):
        try:
            jsonld.canonical({**document, "@context": contexts})
            jsonld.deskolemized(jsonld.to_quads(jsonld.skolemized({**document, "@context": contexts})))
        except SsiError:
            pass


@given(st.dictionaries(st.sampled_from([*RICH, "@vocab", "@protected"]) | st.text(max_size=6), json_like, max_size=6))
def test_any_context_is_read_or_refused(context: dict[str, Any]) -> None:
    with contextlib.suppress(Malformed, Unsupported):
        jsonld.canonical({"@context": [RICH, context], "id": "urn:x:1", "plain": "x", "scoped": {"plain": "y"}})


@given(documents, json_values)
def test_every_member_of_a_document_is_signed(document: dict[str, Any], value: Any) -> None:
    before = jsonld.canonical(document)
    for name in document:
        if name not in ("@context", "id"):
            assert jsonld.canonical({**{k: v for k, v in document.items() if k != name}, "silent": "\x01"}) != before
    assert jsonld.canonical({**document, "json": [value, "\x01"]}) != before


def test_documents_as_deep_as_json_is_read_here_do_not_exhaust_the_stack() -> None:
    value: Any = {"plain": "x"}
    for _ in range(MAX_JSON_DEPTH - 2):
        value = {"set": value}
    jsonld.check({"@context": RICH, **value})
