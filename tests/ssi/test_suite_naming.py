"""Names that a signature over RDF does not cover: members are found where everybody looks for them, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import schemas
from ssi import jsonld, legacy, suites
from ssi.errors import Malformed, SsiError
from ssi.jsonld.limits import DEFAULT, Budget
from ssi.jsonld.processing import embedded
from ssi.jsonld.terms import EMPTY
from ssi.model import Outcome
from ssi.suites import Suite, naming, proofs
from tests.ssi.proving import CREDENTIAL, SIGNERS, Keys, document_for, secured, shown
from tests.support import NOW

CRED = naming.CREDENTIALS
RDF_SUITES = [s for s in suites.every() if "jcs" not in s.NAME and s.NAME not in legacy.PROOF_TYPES]
each_suite = pytest.mark.parametrize("suite", RDF_SUITES, ids=lambda suite: suite.NAME)
STATUS = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "7"}
DOCUMENT = {
    **CREDENTIAL,
    "credentialStatus": {**STATUS, "statusListCredential": "https://issuer.test/status/1"},
    "credentialSubject": {**CREDENTIAL["credentialSubject"], "id": "did:example:subject"},
}
DATE = "http://www.w3.org/2001/XMLSchema#dateTime"


def renamed(document: dict[str, Any], old: str, new: str, value: Any = None) -> dict[str, Any]:
    """The document with one member under another name, in its place."""
    return {(new if name == old else name): (value or item if name == old else item) for name, item in document.items()}


def in_subject(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda document: {**document, "credentialSubject": change(document["credentialSubject"])}


def with_context(context: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Any], Any]:
    return lambda document: change({**document, "@context": [*document["@context"], context]})


UNTIL = {"@value": CREDENTIAL["validUntil"], "@type": DATE}
HIDDEN: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "an IRI for validUntil": lambda d: renamed(d, "validUntil", f"{CRED}validUntil", UNTIL),
    "an IRI for credentialStatus": lambda d: renamed(d, "credentialStatus", f"{CRED}credentialStatus"),
    "the keyword for a subject's id": in_subject(lambda subject: renamed(subject, "id", "@id")),
    "the keyword for a type": lambda d: renamed(d, "type", "@type"),
    "an IRI for a claim": in_subject(lambda s: renamed(s, "givenName", "https://schema.org/givenName")),
    "a term of one's own": with_context(
        {"until": {"@id": f"{CRED}validUntil", "@type": DATE}}, lambda d: renamed(d, "validUntil", "until")
    ),
    "a name of one's own for the id": with_context({"me": "@id"}, in_subject(lambda s: renamed(s, "id", "me"))),
    "a prefix of one's own": with_context({"c": CRED}, lambda d: renamed(d, "credentialStatus", "c:credentialStatus")),
    "a term through a prefix": with_context(
        {"c": CRED, "state": {"@id": "c:credentialStatus", "@type": "@id"}},
        lambda d: renamed(d, "credentialStatus", "state"),
    ),
    "a context inside": lambda d: {
        **d,
        "credentialSubject": renamed({"@context": {"me": "@id"}, **d["credentialSubject"]}, "id", "me"),
    },
}


def statements(document: dict[str, Any]) -> list[str]:
    return jsonld.canonical({name: value for name, value in document.items() if name != "proof"}).decode().split("\n")


@pytest.mark.parametrize("hide", HIDDEN.values(), ids=HIDDEN)
def test_the_same_statements_under_another_name_are_refused(hide: Any) -> None:
    """Each of these leaves every signed statement as it is: without this check the signature would hold."""
    assert statements(hide(DOCUMENT)) == statements(DOCUMENT)
    with pytest.raises(Malformed) as refusal:
        naming.check(hide(DOCUMENT))
    assert refusal.value.code == "suite.name"


@each_suite
@pytest.mark.parametrize("hide", HIDDEN.values(), ids=HIDDEN)
def test_no_suite_verifies_or_signs_them(suite: Suite, hide: Any) -> None:
    document = shown(suite, DOCUMENT)
    assert proofs.verify(document, keys=Keys(), purpose="assertionMethod", now=NOW)[0].outcome.outcome is Outcome.PASS
    (proven,) = proofs.verify(hide(document), keys=Keys(), purpose="assertionMethod", now=NOW)
    assert (proven.outcome.outcome, proven.outcome.code) == (Outcome.FAIL, "suite.name")
    with pytest.raises(Malformed) as refusal:
        secured(suite, hide(DOCUMENT))
    assert refusal.value.code == "suite.name"


@each_suite
def test_a_proof_cannot_hide_its_end(suite: Suite) -> None:
    document = shown(suite, expires=NOW)
    proof = document["proof"]
    value = {"@value": proof["expires"], "@type": DATE}
    for name, context in (
        ("https://w3id.org/security#expiration", {}),
        ("end", {"end": {"@id": "https://w3id.org/security#expiration", "@type": DATE}}),
    ):
        hidden = {**document, "proof": renamed(proof, "expires", name, value if ":" in name else None)}
        hidden["@context"] = [*document["@context"], context] if context else document["@context"]
        (proven,) = proofs.verify(hidden, keys=Keys(), purpose="assertionMethod", now=NOW)
        assert (proven.outcome.outcome, proven.outcome.code) == (Outcome.FAIL, "suite.name")


@pytest.mark.skipif(not legacy.available(), reason="no didkit wheel for this platform")
@pytest.mark.parametrize("name", legacy.PROOF_TYPES)
def test_nor_do_the_older_suites(name: str) -> None:
    suite = suites.by_name(name)
    ends = {**document_for(suite), "expirationDate": "2027-01-01T00:00:00Z"}
    document = shown(suite, ends)
    end = {"@value": ends["expirationDate"], "@type": DATE}
    for hidden in (
        renamed(document, "expirationDate", f"{CRED}expirationDate", end),
        in_subject(lambda subject: renamed(subject, "id", "@id"))(document),
        with_context({"me": "@id"}, in_subject(lambda subject: renamed(subject, "id", "me")))(document),
    ):
        (proven,) = proofs.verify(hidden, keys=Keys(), purpose="assertionMethod", now=NOW)
        assert (proven.outcome.outcome, proven.outcome.code) == (Outcome.FAIL, "suite.name")


def test_signed_json_covers_its_names() -> None:
    suite = suites.by_name("eddsa-jcs-2022")
    document = secured(suite, DOCUMENT)
    for hide in HIDDEN.values():
        (proven,) = proofs.verify(hide(document), keys=Keys(), purpose="assertionMethod", now=NOW)
        assert proven.outcome.code == "suite.signature"


@pytest.mark.parametrize(
    "context",
    [
        {"ExampleCredential": "https://example.test/#ExampleCredential"},
        {"@vocab": "https://example.test/#"},
        {"@context": {"alumniOf": "https://example.test/alumniOf"}},
        [{"name": "https://schema.org/name", "description": "https://schema.org/description"}],
    ],
)
def test_ordinary_contexts_of_ones_own_are_fine(context: Any) -> None:
    contexts = [*CREDENTIAL["@context"][:1], *(context if isinstance(context, list) else [context])]
    document = {"@context": contexts, "type": "VerifiableCredential", "name": "x"}
    try:
        jsonld.check(document)
    except Malformed:  # a context that JSON-LD does not have
        return
    naming.check(document)


def test_text_with_a_language_is_fine() -> None:
    naming.check({**CREDENTIAL, "name": {"@value": "Ausweis", "@language": "de"}})
    naming.check({"@context": {"site": "https://terms.test/site"}, "@id": "urn:x:y", "site": "x"})


@pytest.mark.parametrize("url", schemas.CONTEXTS)
def test_the_pinned_contexts_have_one_name_for_each_thing(url: str) -> None:
    """What lets a document pass unread whose contexts are all pinned, on its own and with the credentials' context."""
    for first in ((), (CREDENTIAL["@context"][0],), ("https://www.w3.org/2018/credentials/v1",)):
        try:
            start = embedded(EMPTY, [*first, url], budget=Budget(DEFAULT.contexts))
        except SsiError:  # two contexts that cannot stand together, or one that needs another that is not pinned
            continue
        for active in scopes(start):
            odd = {n: t.iri for n, t in active.terms.items() if t.iri and naming._is_odd(n, t.iri, active)}
            assert odd == {}


def scopes(active: Any) -> list[Any]:
    """The context and those that its terms bring with them, two levels deep."""
    found = [active]
    for _ in range(2):
        for one in list(found):
            for term in one.terms.values():
                if isinstance(term.scoped, dict | list | str):
                    try:
                        found.append(embedded(one, term.scoped, budget=Budget(DEFAULT.contexts)))
                    except Malformed:
                        continue
        if len(found) > 200:
            break
    return found


def test_a_signer_of_our_own_is_not_hindered() -> None:
    assert secured(suites.by_name("eddsa-rdfc-2022"), DOCUMENT, signer=SIGNERS["EdDSA"])["proof"]
