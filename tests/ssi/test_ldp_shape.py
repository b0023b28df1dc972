"""ldp_vc: what is signed are statements, so a document that states them in other words is not what was signed."""

from __future__ import annotations

import json
from typing import Any

import pytest

import schemas
from ssi import suites
from ssi.dids import key as did_key
from ssi.errors import Malformed
from ssi.formats import ldp, ldshape
from ssi.model import Check, Outcome
from ssi.suites import proofs
from tests.ssi.drafts import LDP_ECDSA_SD
from tests.ssi.ldps import HONEST, KEYS, SUBJECT, Change, card, found, issued, opened
from tests.support import NOW

XSD = "http://www.w3.org/2001/XMLSchema#dateTime"
CREDENTIALS = "https://www.w3.org/2018/credentials#"
TERMS = "https://www.w3.org/ns/credentials/examples#"


def by_iri(vc: dict[str, Any]) -> None:
    """The end of validity, where nobody looks for it."""
    vc[f"{CREDENTIALS}validUntil"] = {"@value": vc.pop("validUntil"), "@type": XSD}


def by_alias(vc: dict[str, Any]) -> None:
    """The same by a word of the holder's own."""
    vc["@context"].append({"until": {"@id": f"{CREDENTIALS}validUntil", "@type": XSD}})
    vc["until"] = vc.pop("validUntil")


def renamed(vc: dict[str, Any]) -> None:
    """A claim under the name of another one."""
    vc["@context"].append({"is_admin": f"{TERMS}age_over_18"})
    vc[SUBJECT]["is_admin"] = vc[SUBJECT].pop("age_over_18")


def renamed_inside(vc: dict[str, Any]) -> None:
    """The same by a context deep in the document."""
    vc[SUBJECT]["document"]["@context"] = {"visa": f"{TERMS}number"}
    vc[SUBJECT]["document"]["visa"] = vc[SUBJECT]["document"].pop("number")


def claim_by_iri(vc: dict[str, Any]) -> None:
    """A claim that is there for machines only."""
    vc[SUBJECT][f"{TERMS}age_over_18"] = vc[SUBJECT].pop("age_over_18")


def split_type(vc: dict[str, Any]) -> None:
    """Half of the types by the keyword."""
    vc["@type"], vc["type"] = vc["type"][1:], vc["type"][:1]


REWRITES = (by_iri, by_alias, renamed, renamed_inside, claim_by_iri, split_type)


@pytest.mark.parametrize("rewrite", REWRITES)
def test_the_same_statements_in_other_words_are_not_what_was_signed(rewrite: Change) -> None:
    credential = issued(disclosable=())
    assert found(ldp.open_credential(credential, keys=KEYS, now=NOW), Check.SIGNATURE).outcome is Outcome.PASS
    rewrite(credential)
    for result in (
        opened({**HONEST, "verifiableCredential": [credential]}),
        ldp.check(card(credential), keys=KEYS, now=NOW),
    ):
        assert found(result, Check.SIGNATURE).outcome is Outcome.FAIL


@pytest.mark.parametrize("rewrite", REWRITES)
def test_a_document_that_can_be_read_two_ways_is_refused_by_its_shape(rewrite: Change) -> None:
    credential = issued(disclosable=())
    ldshape.check(credential)
    rewrite(credential)
    with pytest.raises(Malformed) as refusal:
        ldshape.check(credential)
    assert refusal.value.code in ("ldp.inline_context", "ldp.not_compacted")


def test_values_and_json_literals_are_no_members() -> None:
    contexts = ["https://www.w3.org/ns/credentials/v2"]
    ldshape.check({"@context": contexts, "name": {"@value": "a", "@language": "en"}, "x": [[{"y": 1}]]})
    ldshape.check({"@context": contexts, SUBJECT: {"jsonSchema": {"$id": "a", "urn:x": {"@id": {"@context": {}}}}}})
    for wrong in ({"@value": "a", "name": "b"}, {"@list": []}, {"@id": "urn:x"}, {"x": {"@included": []}}):
        with pytest.raises(Malformed) as refusal:
            ldshape.check({"@context": contexts, SUBJECT: wrong})
        assert refusal.value.code == "ldp.not_compacted"


def test_an_issuer_cannot_bring_contexts_of_its_own() -> None:
    with pytest.raises(Malformed) as refusal:
        issued(document={"@context": [{"@vocab": TERMS}]})
    assert refusal.value.code == "ldp.inline_context"


def test_a_proof_over_the_json_covers_contexts_too() -> None:
    credential = issued(disclosable=())
    del credential["proof"]
    credential["@context"][1] = {"@vocab": TERMS}
    issuer = LDP_ECDSA_SD.issuer
    signed = proofs.add(
        credential,
        suite=suites.by_name("ecdsa-jcs-2019"),
        signer=issuer,
        verification_method=did_key.url(issuer.public),
        created=NOW,
    )
    assert found(ldp.open_credential(signed, keys=KEYS, now=NOW), Check.SIGNATURE).outcome is Outcome.PASS


def test_no_two_names_in_the_pinned_contexts_mean_the_same() -> None:
    """What lets `ldshape` trust every context that is pinned: keep it so when one is added."""
    names: dict[str, set[str]] = {}
    for url, (file, _) in schemas.CONTEXTS.items():
        _named_terms(json.loads(schemas.read(file))["@context"], {}, None, names)
        assert url
    assert len(names) > 250
    assert {iri: sorted(found_) for iri, found_ in names.items() if len(found_) > 1} == {}


def _named_terms(context: Any, outer: dict[str, Any], vocab: str | None, names: dict[str, set[str]]) -> None:
    """Adds to each IRI the names that a context, or one inside it, has for it."""
    if isinstance(context, list):
        for one in context:
            _named_terms(one, outer, vocab, names)
    if not isinstance(context, dict):
        return
    terms = {**outer, **{name: term for name, term in context.items() if not name.startswith("@")}}
    vocab = context.get("@vocab", vocab)
    for name, term in context.items():
        if name.startswith("@") or term is None:
            continue
        iri = term if isinstance(term, str) else term.get("@id", name)
        if iri is not None:
            names.setdefault(_expanded(iri, terms, vocab), set()).add(name)
        if isinstance(term, dict):
            _named_terms(term.get("@context"), terms, vocab, names)


def _expanded(iri: str, terms: dict[str, Any], vocab: str | None) -> str:
    prefix, colon, rest = iri.partition(":")
    if iri.startswith("@") or rest.startswith("//"):
        return iri
    term = terms.get(prefix if colon else iri)
    target = term.get("@id") if isinstance(term, dict) else term
    if target is None or target == iri:
        return iri if colon else f"{vocab or ''}{iri}"
    return _expanded(target, terms, vocab) + rest
