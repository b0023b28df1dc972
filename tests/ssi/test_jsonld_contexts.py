"""The pinned contexts: unchanged, as published, readable, and the only ones."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

import schemas
from ssi import jsonld
from ssi.errors import Malformed, SsiError, Unsupported
from ssi.jsonld import contexts
from ssi.jsonld.limits import Budget
from ssi.jsonld.processing import embedded, of_property, of_types
from ssi.jsonld.terms import ABSENT, EMPTY
from tests.conftest import VECTORS
from tests.ssi.linked import EX, V2

ENOUGH = Budget(10**6)

PUBLISHED = {
    "https://www.w3.org/2018/credentials/v1": "vcdm2-contexts/contexts/credentials/v1",
    "https://www.w3.org/ns/credentials/v2": "vcdm2-contexts/contexts/credentials/v2",
    "https://www.w3.org/ns/credentials/examples/v2": "vcdm2-contexts/contexts/credentials/examples/v2",
    "https://www.w3.org/ns/credentials/undefined-terms/v2": "vcdm2-contexts/contexts/credentials/undefined-terms/v2",
    "https://w3id.org/security/data-integrity/v1": "di-contexts/contexts/data-integrity/v1",
    "https://w3id.org/security/data-integrity/v2": "di-contexts/contexts/data-integrity/v2",
    "https://w3id.org/security/multikey/v1": "di-contexts/contexts/multikey/v1",
    "https://w3id.org/security/jwk/v1": "di-contexts/contexts/jwk/v1",
    "https://www.w3.org/ns/cid/v1": "cid-contexts/context/v1.jsonld",
    "https://www.w3.org/ns/did/v1": "did-contexts/context/v1",
    "https://w3id.org/vc/status-list/2021/v1": "bitstring-contexts/contexts/2021/v1.jsonld",
}
"""What each specification's own repository has at this address."""


@pytest.mark.parametrize("url", schemas.CONTEXTS)
def test_every_pinned_context_has_its_hash(url: str) -> None:
    name, digest = schemas.CONTEXTS[url]
    assert hashlib.sha256(schemas.read(name)).hexdigest() == digest
    assert jsonld.loaded(url)


def test_the_base_context_of_vcdm_2_is_the_one_that_the_recommendation_names() -> None:
    digest = "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"  # VCDM 2.0, appendix B.1
    assert schemas.CONTEXTS["https://www.w3.org/ns/credentials/v2"][1] == digest


@pytest.mark.parametrize("url", PUBLISHED)
def test_pinned_contexts_are_as_published(url: str) -> None:
    path = VECTORS / PUBLISHED[url]
    if not path.exists():
        pytest.skip("no specification vectors (FACET_VECTORS)")
    assert schemas.read(schemas.CONTEXTS[url][0]) == path.read_bytes()


def test_every_context_file_is_in_the_table_and_in_the_notice() -> None:
    folder = Path(schemas.__file__).parent / "contexts"
    assert {f"contexts/{path.name}" for path in folder.glob("*.jsonld")} == {
        name for name, _ in schemas.CONTEXTS.values()
    }
    notice = (folder / "NOTICE.md").read_text("utf-8")
    assert all(path.stem.rsplit("-", 1)[0] in notice for path in folder.glob("*.jsonld"))


@pytest.mark.parametrize("url", schemas.CONTEXTS)
def test_every_pinned_context_can_be_used_with_all_that_is_scoped_in_it(url: str) -> None:
    active = embedded(EMPTY, url, budget=ENOUGH)
    for name, term in active.terms.items():
        if term.scoped is not ABSENT:
            inner = (
                of_types(active, [name], budget=ENOUGH)
                if name[0].isupper()
                else of_property(active, term, budget=ENOUGH)
            )
            assert inner is not active


@pytest.mark.parametrize("url", ["https://example.com", "", "v2", "https://www.w3.org/ns/credentials/v2#", "file:///x"])
def test_any_other_context_is_refused_at_once(url: str) -> None:
    with pytest.raises(Unsupported) as refusal:
        jsonld.check({"@context": [V2, url], "type": "VerifiableCredential"})
    assert refusal.value.code == "jsonld.context_unknown"


def test_a_changed_context_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {"https://ex.example/changed": ("contexts/credentials-v2.jsonld", "00" * 32)}
    monkeypatch.setattr(schemas, "CONTEXTS", changed)
    with pytest.raises(Malformed) as refusal:
        contexts.loaded("https://ex.example/changed")
    assert refusal.value.code == "jsonld.context_changed"


def chain(length: int) -> dict[str, Any]:
    return {f"t{n}": f"t{n + 1}:x" for n in range(length)} | {f"t{length}": EX}


@pytest.mark.parametrize(
    ("context", "code"),
    [
        (5, "jsonld.context"),
        ([[5]], "jsonld.context"),
        ({"@version": 1.0}, "jsonld.context"),
        ({"@protected": 1}, "jsonld.context"),
        ({"@propagate": "no"}, "jsonld.context"),
        ({"@import": V2}, "jsonld.construct"),
        ({"@base": EX}, "jsonld.construct"),
        ({"@vocab": 1}, "jsonld.context"),
        ({"@vocab": ""}, "jsonld.vocab"),
        ({"@vocab": "relative"}, "jsonld.vocab"),
        ({"@vocab": "https://ex.example/a b"}, "jsonld.vocab"),
        ({"@language": 1}, "jsonld.context"),
        ({"@language": "no language"}, "jsonld.context"),
        ({"@direction": "up"}, "jsonld.context"),
        ({"@foo": EX}, "jsonld.keyword"),
        ({"a": "@foo"}, "jsonld.keyword"),
        ({"a": {"@id": "@foo"}}, "jsonld.keyword"),
        ({"a": {"@id": EX, "@type": "@foo"}}, "jsonld.keyword"),
        ({"": EX}, "jsonld.context"),
        ({"@id": EX}, "jsonld.context"),
        ({"@type": {"@id": EX}}, "jsonld.context"),
        ({"@type": {"@container": "@list"}}, "jsonld.context"),
        ({"a": 1}, "jsonld.context"),
        ({"a": {"@id": EX, "other": 1}}, "jsonld.context"),
        ({"a": {"@id": 1}}, "jsonld.context"),
        ({"a": {"@id": "@context"}}, "jsonld.context"),
        ({"a": "relative"}, "jsonld.context"),
        ({"a": {"@type": "@id"}}, "jsonld.context"),
        ({"a/b": {"@type": "@id"}}, "jsonld.context"),
        ({"urn:x:a": "urn:x:b"}, "jsonld.context"),
        ({"https://ex.example/ b": {"@type": "@id"}}, "jsonld.context"),
        ({"a": "b:x", "b": "a:x"}, "jsonld.context"),
        ({"a": {"@id": EX, "@type": 1}}, "jsonld.context"),
        ({"a": {"@id": EX, "@type": "relative"}}, "jsonld.context"),
        ({"a": {"@id": EX, "@container": "@no"}}, "jsonld.context"),
        ({"a": {"@id": EX, "@container": 1}}, "jsonld.context"),
        ({"a": {"@id": EX, "@container": ["@list", "@set"]}}, "jsonld.context"),
        ({"a": {"@id": EX, "@language": 1}}, "jsonld.context"),
        ({"a": {"@id": EX, "@direction": 1}}, "jsonld.context"),
        ({"a": {"@id": EX, "@prefix": 1}}, "jsonld.context"),
        ({"a:b": {"@id": "urn:x", "@prefix": True}}, "jsonld.context"),
        ({"a": {"@id": "@type", "@prefix": True}}, "jsonld.context"),
        ({"a": {"@id": EX, "@protected": 1}}, "jsonld.context"),
        ([{f"a{n}": EX + "x" * n for n in range(400)}] * 9, "jsonld.context_size"),
        (chain(40), "jsonld.context"),
        ([{"a": EX}] * 20, "jsonld.context_size"),
        ({"a": {"@id": EX, "@context": [{"b": EX}] * 20}}, "jsonld.context_size"),
        ({"a": EX + "x" * 40_000}, "jsonld.context_size"),
        ({"a": {"@id": EX, "@context": "https://ex.example/unknown"}}, "jsonld.context_unknown"),
        ({1: EX}, "jsonld.context"),
    ],
)
def test_a_context_that_breaks_a_rule_is_refused(context: Any, code: str) -> None:
    with pytest.raises(SsiError) as refusal:
        jsonld.check({"@context": context, "@id": "urn:x:1", "a": "b"})
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "context",
    [
        {"@version": 1.1, "@base": None, "@language": None, "@direction": None, "a": EX},
        {"a": {"@id": EX, "@prefix": False, "@container": ["@set"]}},
        {"@vocab": EX},
        {"ex": EX, "@vocab": "ex:more/"},
        [{"ex": EX}, {"@vocab": "ex:more/"}],
        [{"ex": EX}, {"@vocab": "ex"}],
        {"@type": {"@container": "@set", "@protected": True}, "a": EX},
        {"a": "b:x", "b": EX},
        {"b": EX, "a": {"@id": "b:x", "@type": "@none"}},
        {"ex": EX, "ex:b": {"@type": "@id"}, "a": EX},
        {"ex": EX, "ex:b": "https://ex.example/b", "a": EX},
        {"a": EX, "@propagate": True},
        {"@vocab": EX, "a": {"@type": "@id"}, "c": "a"},
        {"@vocab": EX, "a": "word"},
        {"b": EX, "a": "b"},
        {"@context": {"a": EX}},
        chain(8) | {"a": "t0:y"},
    ],
)
def test_a_context_that_keeps_the_rules_is_read(context: Any) -> None:
    document = {"@context": context, "@id": "urn:x:1", "a": "urn:x:2"}
    if context == [{"ex": EX}, {"@vocab": "ex:more/"}]:
        assert jsonld.to_quads(document) == [f'<urn:x:1> <{EX}more/a> "urn:x:2" .\n']
    assert len(jsonld.to_quads(document)) == 1


def test_protected_terms_hold() -> None:
    protected = {"@protected": True, "a": EX + "a", "T": EX + "T"}
    said = {"@id": "urn:x:1", "a": "b"}
    same = jsonld.to_quads({"@context": [protected, {"a": EX + "a"}], **said})
    assert same == jsonld.to_quads({"@context": protected, **said})
    for second in ({"a": EX + "b"}, None, {"a": None}):
        with pytest.raises(Malformed, match=r"protected.*jsonld.context"):
            jsonld.check({"@context": [protected, second], **said})
    scoped = {"p": {"@id": EX + "p", "@context": {"a": EX + "b"}}, "n": {"@id": EX + "n", "@context": None}}
    changed = jsonld.to_quads({"@context": [protected, scoped], "@id": "urn:x:1", "p": {"a": "b"}, "a": "c"})
    assert any(f"<{EX}b>" in line for line in changed), "a property's own context may redefine"
    typed = {"T": {"@id": EX + "T", "@context": {"a": EX + "b"}}}
    with pytest.raises(Malformed, match=r"protected.*jsonld.context"):
        jsonld.check({"@context": [{"@protected": True, "a": EX + "a"}, typed], **said, "@type": "T"})


def test_contexts_are_compiled_once() -> None:
    first = embedded(EMPTY, [V2, "https://www.w3.org/ns/credentials/examples/v2"], budget=ENOUGH)
    assert embedded(EMPTY, [V2, "https://www.w3.org/ns/credentials/examples/v2"], budget=ENOUGH) is first
    assert of_types(first, ["VerifiableCredential"], budget=ENOUGH) is of_types(
        first, ["VerifiableCredential", "Unscoped"], budget=ENOUGH
    )
    assert embedded(first, {"x": EX}, budget=ENOUGH) is embedded(first, {"x": EX}, budget=ENOUGH)
    assert embedded(first, V2, budget=ENOUGH) is embedded(first, [V2], budget=ENOUGH)


def test_what_is_remembered_of_one_context_is_bounded() -> None:
    active = embedded(EMPTY, {f"T{n}": {"@id": f"{EX}{n}", "@context": {"a": EX}} for n in range(200)}, budget=ENOUGH)
    for n in range(200):
        of_types(active, [f"T{n}"], budget=ENOUGH)
    assert len(active.kept) <= 64


def test_what_contexts_cost_one_document_is_bounded() -> None:
    types = {f"T{n}": {"@id": f"{EX}{n}", "@context": {"a": f"{EX}{n}"}} for n in range(12)}
    subsets = [[f"T{n}" for n in range(12) if number >> n & 1] for number in range(1, 4000)]
    with pytest.raises(Malformed) as refusal:
        jsonld.check({"@context": {**types, "p": EX}, "p": [{"@type": subset} for subset in subsets]})
    assert refusal.value.code == "jsonld.context_size"
    within = [{"@context": [f"https://w3id.org/vdl/v{1 + n % 2}" for n in order], "@type": EX} for order in ORDERS]
    with pytest.raises(SsiError) as refusal:
        jsonld.check({"@context": {"p": {"@id": EX, "@context": None}}, "p": within})
    assert refusal.value.code == "jsonld.context_size"


ORDERS = [[number >> bit & 1 for bit in range(12)] for number in range(3000)]
