"""Credentials against the JSON Schemas that they name: three outcomes, and no schema that can hold anybody up."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssi import vcdm
from ssi.encoding import Json
from ssi.errors import SsiError, Unavailable, Unsupported
from ssi.model import Finding, Outcome
from ssi.vcdm import patterns, schema
from ssi.vcdm.evaluation import conforms
from tests.ssi.vcdms import credential

URL = "https://issuer.test/schemas/email.json"
VERSION = "https://json-schema.org/draft/2020-12/schema"
EMAIL = {  # the example of VC JSON Schema §4.3
    "$id": URL,
    "$schema": VERSION,
    "type": "object",
    "properties": {
        "credentialSubject": {
            "type": "object",
            "properties": {"emailAddress": {"type": "string", "format": "email"}},
            "required": ["emailAddress"],
        }
    },
}
RIGHT = {"emailAddress": "subject@example.com"}


def written(document: Any) -> bytes:
    return json.dumps(document).encode()


def judged(document: Any, subject: dict[str, Any] | None = None, **members: Any) -> Finding:
    """What is found of a credential whose schema is `document` (bytes as they are)."""
    named = {"id": URL, "type": "JsonSchema", **members}
    data = document if isinstance(document, bytes | None) else written(document)
    model = vcdm.credential(credential(credentialSubject=subject or RIGHT, credentialSchema=named, proof={"type": "X"}))
    return schema.judge(model, documents=lambda url: data if url == URL else None)


def asked(document: Json, **keywords: Any) -> bool:
    return conforms(document, written({"$schema": VERSION, **keywords}))


def refused(document: Json, **keywords: Any) -> str:
    with pytest.raises(SsiError) as refusal:
        asked(document, **keywords)
    return refusal.value.code


def test_a_credential_conforms_or_does_not_or_nobody_can_tell() -> None:
    assert (judged(EMAIL).outcome, judged(EMAIL).code) == (Outcome.PASS, "schema.conforms")
    for subject in ({"emailAddress": "not an email"}, {"name": "Erika"}):
        assert (judged(EMAIL, subject).outcome, judged(EMAIL, subject).code) == (Outcome.FAIL, "schema.violated")
    assert (judged(None).outcome, judged(None).code) == (Outcome.UNKNOWN, "schema.unavailable")
    newer = judged({**EMAIL, "$schema": "https://json-schema.org/draft/2030-01/schema"})
    assert (newer.outcome, newer.code) == (Outcome.UNKNOWN, "schema.version")
    assert judged(EMAIL, type="ExampleSchema").code == "schema.type"
    assert judged(EMAIL).evidence == {"schema": URL}
    assert "subject@" not in repr(judged(EMAIL))


def test_a_credential_that_names_no_schema_is_not_asked() -> None:
    assert schema.judge(vcdm.credential(credential())).code == "schema.none"
    assert schema.judge(vcdm.credential(credential())).outcome is Outcome.NOT_ASKED


def test_every_schema_counts_and_a_no_outweighs_what_is_not_known() -> None:
    other = {"id": "https://issuer.test/other", "type": "JsonSchema"}
    both = [{"id": URL, "type": "JsonSchema"}, other]
    for known, outcome in (
        ({URL: EMAIL, other["id"]: EMAIL}, Outcome.PASS),
        ({URL: EMAIL}, Outcome.UNKNOWN),
        ({other["id"]: {**EMAIL, "required": ["missing"]}}, Outcome.FAIL),
    ):
        model = vcdm.credential(credential(credentialSubject=RIGHT, credentialSchema=both))
        data = {url: written(document) for url, document in known.items()}
        assert schema.judge(model, documents=data.get).outcome is outcome


def test_a_host_that_is_down_is_no_answer() -> None:
    def down(url: str) -> bytes:
        raise Unavailable("fetch.timeout", "No answer.")

    model = vcdm.credential(credential(credentialSchema={"id": URL, "type": "JsonSchema"}))
    assert schema.judge(model, documents=down).outcome is Outcome.UNKNOWN


def test_the_digest_in_the_credential_is_the_schemas() -> None:
    digest = base64.b64encode(hashlib.sha384(written(EMAIL)).digest()).decode()
    assert judged(EMAIL, digestSRI=f"sha384-{digest}").outcome is Outcome.PASS
    other = judged({**EMAIL, "title": "x"}, digestSRI=f"sha384-{digest}")
    assert (other.outcome, other.code) == (Outcome.FAIL, "schema.digest")


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"{", "encoding.json"),
        (b"[" * 200, "encoding.json"),
        (b"[]", "schema.form"),
        (b"{}", "schema.version"),
        (b" " * 70_000, "encoding.json_size"),
        (written({"$schema": VERSION, "properties": 5}), "schema.form"),
    ],
)
def test_what_is_no_schema_fails(document: bytes, code: str) -> None:
    assert judged(document).code == code
    assert judged(document).outcome is Outcome.FAIL


# --- a schema that is a credential ------------------------------------------------------------------------------------


def held(**changes: Any) -> dict[str, Any]:
    """The verified credential that holds the schema (VC JSON Schema §3.2)."""
    members = {
        "id": URL,
        "type": ["VerifiableCredential", "JsonSchemaCredential"],
        "credentialSchema": {"id": schema.META_SCHEMA, "type": "JsonSchema"},
        "credentialSubject": {"id": f"{URL}#1", "type": "JsonSchema", "jsonSchema": EMAIL},
    }
    return credential(**{**members, **changes})


def through(document: dict[str, Any] | None, subject: dict[str, Any] = RIGHT) -> str:
    named = {"id": URL, "type": "JsonSchemaCredential"}
    model = vcdm.credential(credential(credentialSubject=subject, credentialSchema=named))
    return schema.judge(model, credentials={URL: document}.get).code


def test_a_schema_may_itself_be_a_verified_credential() -> None:
    assert through(held()) == "schema.conforms"
    assert through(held(), {"name": "Erika"}) == "schema.violated"
    assert through(None) == "schema.unavailable"
    assert through(held(issuer=5)) == "vcdm.issuer"
    for wrong in (
        {"type": "VerifiableCredential"},
        {"credentialSubject": {"type": "Other", "jsonSchema": EMAIL}},
        {"credentialSubject": {"type": "JsonSchema", "jsonSchema": "x"}},
        {"credentialSubject": [{"type": "JsonSchema", "jsonSchema": EMAIL}] * 2},
        {"credentialSchema": {"id": "https://else.test/schema", "type": "JsonSchema"}},
    ):
        assert through(held(**wrong)) == "schema.credential"


# --- keywords ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keywords", "right", "wrong"),
    [
        ({"pattern": "^[A-Z]{3}$"}, "ABC", "ABCD"),
        ({"patternProperties": {"^x-": {"type": "string"}}}, {"x-a": "b", "y": 5}, {"x-a": 5}),
        ({"properties": {"a": True}, "additionalProperties": False}, {"a": 1}, {"a": 1, "b": 1}),
        ({"patternProperties": {"^x": True}, "additionalProperties": False}, {"x1": 1}, {"y": 1}),
        ({"additionalProperties": {"type": "integer"}}, {"a": 1}, {"a": "b"}),
        ({"uniqueItems": True}, [1, True, "1", [1], {"a": 1}], [{"a": 1, "b": 2}, {"b": 2.0, "a": 1}]),
        ({"uniqueItems": False}, [1, 1], None),
        ({"allOf": [{"properties": {"a": True}}], "unevaluatedProperties": False}, {"a": 1}, {"b": 1}),
        ({"prefixItems": [True], "unevaluatedItems": False}, [1], [1, 2]),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}, 5, "5"),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": False}}, None, 5),
        ({"properties": {"a": {"$ref": "#"}}, "maxProperties": 1}, {"a": {"a": {}}}, {"a": {"a": 1, "b": 2}}),
        ({"anyOf": [{"type": "null"}, {"$ref": "#/allOf/0"}], "allOf": [{"maximum": 9}]}, 5, 10),
        ({"format": "date"}, "2026-01-01", "2026-1-1"),
        ({"format": "date"}, "2026-12-31", "2026-13-01"),
        ({"format": "date-time"}, "2026-01-01T00:00:00+01:00", "2026-01-01T00:00:00"),
        ({"format": "date-time"}, 5, "12026-01-01T00:00:00Z"),
        ({"format": "uri"}, "did:example:a", "a"),
        ({"format": "uuid"}, "7a5d4b1e-21bc-4a8e-9e7b-0a0d9a3f5c11", "7a5d4b1e"),
        ({"format": "anything"}, "anything", None),
        ({"type": ["string", "null"], "enum": ["a", None]}, None, "b"),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1, "b": 1}, {"a": 1}),
    ],
)
def test_keywords_do_what_they_say(keywords: dict[str, Any], right: Json, wrong: Json) -> None:
    if right is not None:
        assert asked(right, **keywords)
    if wrong is not None:
        assert not asked(wrong, **keywords)


@pytest.mark.parametrize(
    "version", ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2019-09/schema"]
)
def test_older_versions_are_read_as_they_were(version: str) -> None:
    tuples = written({"$schema": version, "items": [{"type": "integer"}], "additionalItems": False})
    assert conforms([1], tuples)
    assert not conforms([1, 2], tuples)


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "text"},
        {"type": []},
        {"type": 5},
        {"enum": "a"},
        {"required": "a"},
        {"required": [1]},
        {"minLength": -1},
        {"minLength": True},
        {"maximum": "9"},
        {"multipleOf": 0},
        {"uniqueItems": 1},
        {"pattern": 5},
        {"items": [True]},
        {"allOf": {}},
        {"allOf": []},
        {"$defs": []},
        {"not": 5},
        {"dependencies": 5},
        {"dependentRequired": {"a": "b"}},
        {"$ref": "#/nowhere"},
        {"$ref": "#/allOf/7", "allOf": [True]},
    ],
)
def test_a_keyword_of_a_wrong_form_is_refused(wrong: dict[str, Any]) -> None:
    assert refused({}, **wrong) == "schema.form"


def test_nothing_is_fetched_and_nothing_leads_astray() -> None:
    assert refused({}, **{"$ref": "https://else.test/schema"}) == "schema.remote"
    assert refused({}, **{"$ref": 5}) == "schema.remote"
    assert refused({}, **{"$ref": "#/enum", "enum": [1]}) == "schema.reference"
    assert refused({}, **{"$ref": "#name"}) == "schema.reference"
    assert refused({}, properties={"a": {"$id": "https://else.test/schema"}}) == "schema.embedded"
    assert refused({}, properties={"a": {"$schema": VERSION}}) == "schema.embedded"
    assert refused({}, **{"$dynamicRef": "#a"}) == "schema.dynamic"


# --- bombs ------------------------------------------------------------------------------------------------------------


def doubling(levels: int) -> dict[str, Any]:
    """A schema that refers twice to the next, and so on: 2^levels looks at one value."""
    names = {f"n{level}": {"allOf": [{"$ref": f"#/$defs/n{level + 1}"}] * 2} for level in range(levels)}
    return {"$ref": "#/$defs/n0", "$defs": {**names, f"n{levels}": {"type": "object"}}}


@pytest.mark.parametrize(
    ("document", "keywords"),
    [
        ({}, {"$ref": "#"}),
        ({}, doubling(40)),
        ({"a": "x" * 500_000}, {"oneOf": [{"properties": {"a": {"const": str(n)}}} for n in range(200)]}),
        ({"a": list(range(50_000))}, {"properties": {"a": {"items": {"type": "integer"}}}}),
        ({"a": list(range(150_000))}, {"properties": {"a": {"uniqueItems": True}}}),
        ("a" * 100_000 + "b", {"pattern": "(a+)+$"}),
    ],
)
def test_what_takes_too_long_ends_unanswered(document: Json, keywords: dict[str, Any]) -> None:
    assert refused(document, **keywords) == "schema.work"


def test_schemas_have_bounds_of_their_own() -> None:
    assert refused({}, anyOf=[{} for _ in range(1200)]) == "schema.size"
    assert refused({}, **doubling(40), unevaluatedProperties=False) == "schema.unevaluated"
    assert refused({}, properties={"a": {"$ref": "#"}}, unevaluatedProperties=False) == "schema.unevaluated"
    assert refused({}, patternProperties={"a": True}, unevaluatedProperties=False) == "schema.unevaluated"
    assert not asked({"b": 1}, **doubling(3), unevaluatedProperties=False)


# --- patterns ---------------------------------------------------------------------------------------------------------

ATOMS = st.sampled_from(
    ["a", "b", "[ab]", "[^a]", ".", r"\d", r"\w", r"\.", r"[\]a]", "[a-c&]", r"\u0061", r"\x62", "-", "}"]
)
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{2,}", "{0}", "*?"])).map(
            lambda pair: f"({pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=300)
@given(
    pattern=PATTERNS,
    begin=st.sampled_from(["", "^"]),
    end=st.sampled_from(["", "$"]),
    text=st.text(alphabet="abc1.]&-}", max_size=8),
)
def test_patterns_match_as_they_do_elsewhere(pattern: str, begin: str, end: str, text: str) -> None:
    whole = f"{begin}(?:{pattern}){end}"
    spent: list[int] = []
    assert patterns.compiled(whole).search(text, spend=spent.append) == bool(re.search(whole, text, re.ASCII))


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            r"(a)\1",
            r"(?=a)b",
            r"(?<n>a)",
            r"a\b",
            r"\p{L}",
            r"\ud83d\ude00",
            "a**",
            "*a",
            "(a",
            "a)",
            "[]",
            "[b-a]",
            "a{3,2}",
        ),
        *(
            "{2}",
            "^^a",
            "a$$",
            "$^",
            "((((a{1,9}){1,9}){1,9}){1,9}){1,9}",
            "a{999}",
            "a" * 600,
            "(" * 40 + ")" * 40,
            "\\",
        ),
    ],
)
def test_patterns_that_are_not_matched_here_say_so(pattern: str) -> None:
    with pytest.raises(Unsupported) as refusal:
        patterns.compiled(pattern)
    assert refusal.value.code == "vcdm.pattern"
    assert refused({}, patternProperties={pattern: True}) == "vcdm.pattern"


def test_a_pattern_reads_each_character_once() -> None:
    spent: list[int] = []
    assert not patterns.compiled("(a+)+$").search("a" * 10_000 + "b", spend=spent.append)
    assert sum(spent) < 10_100


# --- anything ---------------------------------------------------------------------------------------------------------

KEYWORDS = (
    "type", "properties", "a", "$ref", "$defs", "allOf", "oneOf", "not", "items", "pattern", "required", "enum", "if",
    "then", "additionalProperties", "patternProperties", "uniqueItems", "unevaluatedProperties", "minimum",
)  # fmt: skip
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(["a", "string", "^a", "#", "#/$defs/a", "integer"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYWORDS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(document=JSON, keywords=JSON)
def test_any_schema_is_evaluated_as_the_library_does_or_refused(document: Json, keywords: Json) -> None:
    if not isinstance(keywords, dict):
        return
    whole = {**keywords, "$schema": VERSION}
    try:
        found = conforms(document, written(whole))
    except SsiError:
        return
    validator = jsonschema.Draft202012Validator(whole)
    assert found == validator.is_valid(document)


@given(schema_bytes=st.binary(max_size=60))
def test_readers_raise_only_ssi_error(schema_bytes: bytes) -> None:
    try:
        conforms({}, schema_bytes)
    except SsiError:
        return
