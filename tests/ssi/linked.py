"""Documents, and somebody else's JSON-LD processor to compare ours with: PyLD, in tests only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyld.jsonld
from hypothesis import strategies as st

import schemas
from ssi import jsonld

V2 = "https://www.w3.org/ns/credentials/v2"
DID = "did:key:z6MkpJySVETLnxhQG9DzEdmKJtysBDjuuTeDfUj1uNNCUqcj"

PERSON: dict[str, Any] = {
    "@context": [V2, schemas.PERSON_CONTEXT],
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "VerifiedPersonCredential"],
    "issuer": {"id": "did:web:desk.example", "name": "Desk"},
    "validFrom": "2026-01-01T00:00:00Z",
    "credentialStatus": {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "5",
        "statusListCredential": "https://desk.example/status/1",
    },
    "credentialSubject": {
        "id": DID,
        "type": "VerifiedPerson",
        "given_name": "Ada",
        "family_name": "Lovelace",
        "birthdate": "1990-12-10",
        "age_over_18": True,
        "age_over_65": False,
        "nationalities": ["NL", "GB"],
        "document": {"type": "passport", "number": "X1", "issuing_country": "NL", "expiry_date": "2031-01-01"},
        "biometric_evidence": {"method": "face", "threshold": 0.5},
        "portrait": "data:image/png;base64,AAAA",
    },
}
"""A credential of the house, with every kind of term that its context has."""

EX = "https://ex.example/"
XSD = "http://www.w3.org/2001/XMLSchema#"
RICH: dict[str, Any] = {
    "@version": 1.1,
    "id": "@id",
    "type": "@type",
    "ex": EX,
    "xsd": XSD,
    "plain": "ex:plain",
    "ref": {"@id": "ex:ref", "@type": "@id"},
    "word": {"@id": "ex:word", "@type": "@vocab"},
    "date": {"@id": "ex:date", "@type": "xsd:date"},
    "double": {"@id": "ex:double", "@type": "xsd:double"},
    "string": {"@id": "ex:string", "@type": "xsd:string"},
    "list": {"@id": "ex:list", "@container": "@list"},
    "set": {"@id": "ex:set", "@container": "@set"},
    "french": {"@id": "ex:french", "@language": "fr-BE"},
    "silent": {"@id": "ex:silent", "@language": None},
    "names": {"@id": "ex:names", "@container": "@language"},
    "json": {"@id": "ex:json", "@type": "@json"},
    "graph": {"@id": "ex:graph", "@container": "@graph"},
    "scoped": {"@id": "ex:scoped", "@context": {"plain": "ex:scopedPlain", "here": "ex:here"}},
    "emptied": {"@id": "ex:emptied", "@context": None},
    "Kind": {"@id": "ex:Kind", "@context": {"plain": "ex:kindPlain", "kept": "ex:kept"}},
    "Lasting": {"@id": "ex:Lasting", "@context": {"@propagate": True, "plain": {"@id": "ex:lastingPlain"}}},
    "Other": "ex:Other",
}
"""A context with everything that the walk reads."""


def _load(url: str, options: Mapping[str, Any]) -> dict[str, Any]:
    return {"contextUrl": None, "documentUrl": url, "document": {"@context": jsonld.loaded(url)}}


def by_pyld(document: Mapping[str, Any]) -> str:
    """The canonical N-Quads that PyLD makes (URDNA2015: the same but for control characters)."""
    options = {
        "algorithm": "URDNA2015",
        "format": "application/n-quads",
        "base": "",
        "documentLoader": _load,
        "rdfDirection": "i18n-datatype",
    }
    text: str = pyld.jsonld.normalize(dict(document), options)
    return "".join(sorted({f"{line}\n" for line in text.split("\n") if line}))  # PyLD repeats some statements


def canonical_by_pyld(quads: str) -> str:
    """The canonical form that PyLD makes of N-Quads."""
    options = {"algorithm": "URDNA2015", "inputFormat": "application/n-quads", "format": "application/n-quads"}
    text: str = pyld.jsonld.normalize(quads, options)
    return text


words = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x2FFF, exclude_characters="\x7f"), max_size=12)
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e6, 1e6).filter(
    lambda n: (n == int(n) or abs(n) >= 1e-6) and str(n) != "-0.0"
)
scalars = words | st.booleans() | numbers
iris = st.sampled_from([DID, "urn:x:1", "https://ex.example/a?b=c#d", "ex:compact", "ex:other"])
json_values = st.recursive(
    scalars | st.none(), lambda below: st.lists(below, max_size=3) | st.dictionaries(words, below, max_size=3)
)
value_objects = st.one_of(
    st.builds(lambda value: {"@value": value}, scalars),
    st.builds(lambda value: {"@value": value, "@type": "xsd:string"}, words),
    st.builds(lambda value: {"@value": value, "@type": "@json"}, json_values),
    st.builds(lambda value, tag: {"@value": value, "@language": tag}, words, st.sampled_from(["en", "de-CH"])),
)


def nodes(below: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Node objects in the terms of RICH, whose values may be `below`."""
    plain = scalars | value_objects | below
    several = plain | st.lists(plain, min_size=1, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            "id": st.uuids().map(lambda name: name.urn),  # others repeat the statements of a node that occurs twice
            "type": st.sampled_from(["Kind", "Other", ["Kind", "Other"], ["Lasting"], ["Kind", "Lasting"]]),
            "plain": several,
            "ref": iris | below,
            "word": st.sampled_from(["Kind", "Other", "plain", "ex:word"]),
            "date": words,
            "double": numbers,
            "string": words | st.booleans(),
            "list": st.lists(plain | st.lists(scalars, max_size=2), max_size=3),
            "set": several,
            "french": words | st.lists(words, min_size=1, max_size=2),
            "silent": words,
            "names": st.dictionaries(st.sampled_from(["en", "nl", "de-CH"]), words, min_size=1),
            "json": json_values,
            "graph": st.builds(lambda node: {**node, "plain": "said"}, below),
            "scoped": below | st.builds(lambda text: {"here": text, "plain": text}, words),
            "emptied": st.just({"@id": "urn:x:2", "https://ex.example/p": "q"}),
            "ex:compact": several,
        },
    )


documents = st.builds(
    lambda node, context: {"@context": context, "id": "urn:x:root", **node, "plain": "said"},
    st.recursive(nodes(st.just({"plain": "leaf"})), nodes, max_leaves=6),
    st.sampled_from([RICH, [V2, RICH], [RICH, {"@language": "es"}], [RICH, {"@vocab": "urn:vocab:"}]]),
)
"""Documents that ours reads; other processors must make the same statements of them."""
