"""Pointers, selections and skolemization: a part of a document makes the statements that it made in the whole."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from ssi import jsonld
from ssi.errors import Malformed, SsiError
from tests.conftest import VECTORS
from tests.ssi.linked import DID, EX, PERSON, RICH, V2, documents

EXAMPLE = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8}
"""RFC 6901 §5."""


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", EXAMPLE),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ],
)
def test_the_examples_of_rfc_6901(pointer: str, value: Any) -> None:
    assert jsonld.resolve(EXAMPLE, pointer) == value


@pytest.mark.parametrize("pointer", ["foo", "#/foo", "/m~n", "/m~2n", "/m~", "/a" * 40, 5, None])
def test_what_is_no_pointer_is_refused(pointer: Any) -> None:
    with pytest.raises(Malformed) as refusal:
        jsonld.select(PERSON, [pointer])
    assert refusal.value.code == "jsonld.pointer"


@pytest.mark.parametrize(
    "pointer",
    [
        "/no",
        "/type/2",
        "/type/-",
        "/type/01",
        "/type/-1",
        "/type/x",
        "/id/0",
        "/issuer/id/x",
        "/credentialSubject/no",
        "/type/\u0661",
    ],
)
def test_a_pointer_that_means_nothing_is_refused(pointer: str) -> None:
    with pytest.raises(Malformed) as refusal:
        jsonld.select(PERSON, ["/issuer", pointer])
    assert refusal.value.code == "jsonld.pointer_unmatched"
    with pytest.raises(Malformed):
        jsonld.resolve(PERSON, pointer)


HEAD = {name: PERSON[name] for name in ("@context", "id", "type")}


def test_a_selection_has_identifiers_and_types_on_the_way_and_nothing_else() -> None:
    before = copy.deepcopy(PERSON)
    subject = {"id": DID, "type": "VerifiedPerson", "birthdate": "1990-12-10"}
    assert jsonld.select(PERSON, []) == HEAD
    assert jsonld.select(PERSON, ["/issuer"]) == {**HEAD, "issuer": PERSON["issuer"]}
    assert jsonld.select(PERSON, ["/issuer/name", "/issuer"]) == {**HEAD, "issuer": PERSON["issuer"]}
    assert jsonld.select(PERSON, ["/issuer", "/issuer/name"]) == {**HEAD, "issuer": PERSON["issuer"]}
    assert jsonld.select(PERSON, ["/credentialSubject/birthdate"]) == {**HEAD, "credentialSubject": subject}
    assert jsonld.select(PERSON, [""]) == PERSON
    assert before == PERSON


def test_what_is_called_type_but_is_a_claim_stays_hidden() -> None:
    shown = jsonld.select(PERSON, ["/credentialSubject/document/number"])
    assert shown["credentialSubject"] == {"id": DID, "type": "VerifiedPerson", "document": {"number": "X1"}}


def test_what_is_a_type_under_another_name_is_shown() -> None:
    context = {"kind": "@type", "key": "@id", "T": EX + "T", "a": EX + "a", "b": EX + "b"}
    document = {
        "@context": context,
        "key": "urn:x:1",
        "kind": "T",
        "a": {"key": "_:x", "kind": "T", "b": "x", "a": "y"},
    }
    assert jsonld.select(document, ["/a/b"]) == {**document, "a": {"kind": "T", "b": "x"}}


def test_arrays_close_up_in_their_order() -> None:
    document = {"@context": RICH, "set": [{"id": f"urn:x:{n}", "plain": "x", "silent": "y"} for n in range(4)]}
    shown = jsonld.select(document, ["/set/3/plain", "/set/1/silent", "/set/1/plain"])
    assert shown["set"] == [document["set"][1], {"id": "urn:x:3", "plain": "x"}]
    assert jsonld.select(PERSON, ["/credentialSubject/nationalities/1"])["credentialSubject"]["nationalities"] == ["GB"]


@pytest.mark.parametrize("pointer", ["/credentialSubject/biometric_evidence/method"])
def test_a_part_of_a_json_literal_cannot_be_selected(pointer: str) -> None:
    with pytest.raises(Malformed) as refusal:
        jsonld.select(PERSON, [pointer])
    assert refusal.value.code == "jsonld.pointer_inside"
    literal = {"@context": RICH, "id": "urn:x:1", "plain": {"@value": "a", "@type": "xsd:string"}}
    with pytest.raises(Malformed) as refusal:  # or its type alone would be a statement that nobody made
        jsonld.select(literal, ["/plain/@type"])
    assert refusal.value.code == "jsonld.pointer_inside"
    document = {"@context": RICH, "id": "urn:x:1", "list": ["a", "b"]}
    assert jsonld.select(document, ["/list"]) == document
    with pytest.raises(Malformed):
        jsonld.select(document, ["/list/0"])


def test_a_context_inside_goes_with_its_object() -> None:
    inner = {"@context": {"here": EX + "h", "there": EX + "t"}, "here": "x", "there": "y"}
    shown = jsonld.select({"@context": RICH, "id": "urn:x:1", "plain": inner}, ["/plain/here"])
    assert shown["plain"] == {"@context": inner["@context"], "here": "x"}
    assert len(jsonld.to_quads(shown)) == 2


def statements(document: dict[str, Any]) -> list[str]:
    return jsonld.deskolemized(jsonld.to_quads(document))


def test_skolemizing_changes_no_statement() -> None:
    skolemized = jsonld.skolemized(PERSON)
    assert jsonld.canonicalize(statements(skolemized)).lines == jsonld.canonicalize(jsonld.to_quads(PERSON)).lines
    assert skolemized["credentialSubject"]["document"]["@id"]
    assert "@id" not in PERSON["credentialSubject"]["document"]
    assert skolemized["credentialSubject"]["biometric_evidence"] == PERSON["credentialSubject"]["biometric_evidence"]


@given(documents, st.data())
def test_a_part_makes_the_statements_that_it_made_in_the_whole(document: dict[str, Any], data: st.DataObject) -> None:
    skolemized = jsonld.skolemized(document)
    whole = statements(skolemized)
    assert jsonld.canonicalize(whole).lines == jsonld.canonicalize(jsonld.to_quads(document)).lines
    pointers = data.draw(st.lists(st.sampled_from(sorted(paths(skolemized))), unique=True, max_size=4))
    with contextlib.suppress(Malformed):  # parts of JSON literals and of lists
        selected = jsonld.select(skolemized, pointers)
        if pointers:
            assert set(statements(selected)) <= set(whole)


def paths(value: Any, start: str = "") -> set[str]:
    """Every pointer into the members of an object, contexts aside."""
    found = set()
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    for key, below in items:
        if key != "@context":
            pointer = f"{start}/{str(key).replace('~', '~0').replace('/', '~1')}"
            found |= {pointer} | paths(below, pointer)
    return found


def test_the_same_node_keeps_its_label_and_literals_stay_literals() -> None:
    text = "<urn:facet:bnid:b0>"
    with pytest.raises(Malformed) as refusal:
        jsonld.skolemized({"@context": RICH, "id": "urn:x:1", "plain": text})
    assert refusal.value.code == "jsonld.blank_node"
    with pytest.raises(Malformed):
        jsonld.skolemized({"@context": RICH, "id": "urn:facet:bnid:b0", "plain": "x"})
    line = f'<urn:facet:bnid:b0> <urn:p> "{text}" <urn:facet:bnid:b1> .\n'
    assert jsonld.deskolemized([line]) == [f'_:b0 <urn:p> "{text}" _:b1 .\n']
    assert jsonld.deskolemized([f'<urn:x> <urn:p> "{text}" .\n']) == [f'<urn:x> <urn:p> "{text}" .\n']
    with pytest.raises(Malformed):
        jsonld.deskolemized(["<urn:a> <urn:facet:bnid:b0> x"])


def test_stated_labels_are_skolemized_where_a_node_bears_them() -> None:
    document = {"@context": RICH, "id": "_:a", "ref": {"id": "_:b", "plain": "x"}, "scoped": {"@id": "_:a"}}
    whole = jsonld.canonicalize(jsonld.to_quads(document))
    assert jsonld.canonicalize(statements(jsonld.skolemized(document))).lines == whole.lines
    for bearer in ({"ref": "_:a"}, {"type": "_:a"}, {"word": "_:a"}):
        with pytest.raises(Malformed) as refusal:
            jsonld.skolemized({**document, **bearer})
        assert refusal.value.code == "jsonld.blank_node"
        assert jsonld.canonical({**document, **bearer})


def test_named_graphs_and_lists_keep_their_labels_in_a_selection() -> None:
    document = {
        "@context": [V2, RICH],
        "id": "urn:x:1",
        "graph": [{"plain": "x"}, {"plain": "y", "list": [{"plain": "z"}, "w"]}],
        "list": ["a", {"plain": "b"}],
    }
    skolemized = jsonld.skolemized(document)
    whole = set(statements(skolemized))
    for pointer in ("/graph", "/graph/0", "/list"):
        assert set(statements(jsonld.select(skolemized, [pointer]))) <= whole


@pytest.mark.parametrize(
    ("document", "folder"), [("employmentAuth.json", "employ"), ("prCredUnsigned.json", "prc")], ids=["employ", "prc"]
)
def test_mandatory_statements_of_the_ecdsa_specification(document: str, folder: str) -> None:
    root = VECTORS / "vc-di-ecdsa"
    if not root.exists():
        pytest.skip("no specification vectors (FACET_VECTORS)")
    transform = json.loads((root / "ecdsa-sd-2023" / folder / "addBaseTransform.json").read_text())
    skolemized = jsonld.skolemized(json.loads((root / document).read_text()))
    selected = jsonld.canonicalize(statements(jsonld.select(skolemized, transform["mandatoryPointers"])))
    assert len(selected.lines) == len(transform["mandatory"]["value"])
    plain = [line for _, line in transform["mandatory"]["value"] if "_:" not in line]
    assert [line for line in selected.lines if "_:" not in line] == plain


@given(st.text(max_size=20))
def test_any_text_is_a_pointer_or_refused(text: str) -> None:
    for pointer in (text, f"/{text}", f"/credentialSubject/{text}"):
        with contextlib.suppress(Malformed):
            jsonld.select(PERSON, [pointer])


def test_what_cannot_be_read_cannot_be_skolemized() -> None:
    with pytest.raises(Malformed, match=r"jsonld\.size"):
        jsonld.skolemized({"@context": RICH, "plain": [["x"] * 5000] * 4})
    for document in ({"unknown": "x"}, {"@context": RICH, "plain": 2**70}, {"@context": RICH, "plain": "\ud800"}):
        with pytest.raises(SsiError):
            jsonld.skolemized(document)


def test_the_house_has_a_term_for_every_claim_that_it_describes() -> None:
    described = json.loads(schemas.read(schemas.TYPES[schemas.VERIFIED_PERSON]))
    top = {claim["path"][0] for claim in described["claims"]}
    context = jsonld.loaded(schemas.PERSON_CONTEXT)
    assert top <= context.keys()
    parts = {
        claim["path"][1] for claim in described["claims"] if claim["path"][0] == "document" and len(claim["path"]) > 1
    }
    assert parts == context["document"]["@context"].keys() - {"@protected"}
