"""A proof's options in canonical form: the short way gives the bytes of the long way, or is not taken."""

from __future__ import annotations

import hashlib
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssi import suites
from ssi.errors import SsiError
from ssi.suites import configuration
from tests.ssi.proving import CREDENTIAL, CREDENTIAL_1, SIGNERS, method

MEMBERS: dict[str, Any] = {
    "id": "urn:uuid:1f0a1c2e-0000-4000-8000-000000000001",
    "created": "2026-11-20T12:00:00Z",
    "expires": "2027-11-20T12:00:00+01:00",
    "challenge": "a challenge, with {braces} <brackets> and 'quotes'",
    "domain": "https://verifier.test/",
    "nonce": "n-1",
    "previousProof": "urn:uuid:1f0a1c2e-0000-4000-8000-000000000002",
}
REQUIRED = {
    "type": "DataIntegrityProof",
    "cryptosuite": "eddsa-rdfc-2022",
    "verificationMethod": method(SIGNERS["EdDSA"].public),
    "proofPurpose": "assertionMethod",
}
CONTEXTS = (
    CREDENTIAL["@context"],
    [*CREDENTIAL_1["@context"], "https://w3id.org/security/data-integrity/v2"],
    [*CREDENTIAL_1["@context"], "https://w3id.org/security/data-integrity/v1"],
    ["https://w3id.org/security/data-integrity/v2"],
    "https://www.w3.org/ns/credentials/v2",
)
each_context = pytest.mark.parametrize("contexts", CONTEXTS, ids=lambda contexts: f"{len(contexts)}")


def both(contexts: Any, options: dict[str, Any]) -> tuple[Any, Any]:
    """What either way makes of the options: bytes, or the error's code."""

    def attempt(way: Any) -> Any:
        try:
            return way()
        except SsiError as refusal:
            return refusal.code

    document = {"@context": contexts}
    short = attempt(lambda: configuration.canonical_options(document, options))
    return short, attempt(lambda: configuration.the_long_way(contexts, options))


@each_context
def test_any_choice_of_members_gives_the_same_bytes(contexts: Any) -> None:
    for count in range(len(MEMBERS) + 1):
        for names in combinations(MEMBERS, count):
            short, long = both(contexts, {**REQUIRED, **{name: MEMBERS[name] for name in names}})
            assert short == long
            assert isinstance(short, bytes) or (short == "jsonld.undefined_term" and "previousProof" in names)


def test_every_suite_gives_the_same_bytes() -> None:
    for suite in suites.every():
        if suite.TYPE != "DataIntegrityProof" and not suite.NAME.endswith("2020"):
            continue
        contexts = [*CREDENTIAL_1["@context"], suite.CONTEXT]
        named = {"cryptosuite": suite.NAME} if suite.TYPE == "DataIntegrityProof" else {}
        members = {"created": MEMBERS["created"], "challenge": "c"}
        rest = {name: value for name, value in REQUIRED.items() if name not in ("type", "cryptosuite")}
        short, long = both(contexts, {"type": suite.TYPE, **named, **rest, **members})
        assert short == long


@each_context
@pytest.mark.parametrize(
    "method_", ["https://issuer.test/keys/1", "did:web:issuer.test#k", "cred:x", "sec:a#b", "urn:x:y"]
)
def test_verification_methods_of_any_scheme_give_the_same_bytes(contexts: Any, method_: str) -> None:
    short, long = both(contexts, {**REQUIRED, "verificationMethod": method_, "id": method_})
    assert short == long


TEXTS = st.text(max_size=12) | st.sampled_from(['"', "\\", "\n", "\0", "mark-of-nonce", "é", "\U0001f600", "{}", "@id"])
VALUES = TEXTS | st.integers() | st.none() | st.lists(TEXTS, max_size=2) | st.dictionaries(TEXTS, TEXTS, max_size=1)
NAMES = st.sampled_from([*MEMBERS, *REQUIRED, "unheardOf", "@id", "@context", "proofValue"])


@settings(max_examples=300)
@given(
    members=st.dictionaries(NAMES, VALUES, max_size=3),
    names=st.sets(st.sampled_from(list(MEMBERS)), max_size=3),
    contexts=st.sampled_from(CONTEXTS) | st.just([]) | st.just(["https://unknown.test/"]),
)
def test_unusual_members_give_the_same_bytes_or_the_same_refusal(members: Any, names: Any, contexts: Any) -> None:
    options = {**REQUIRED, **{name: MEMBERS[name] for name in sorted(names)}, **members}
    if "@context" in options:
        return
    short, long = both(contexts, options)
    assert short == long or (short == "suite.name" and "@id" in members)


def test_contexts_written_into_the_document_take_the_long_way() -> None:
    contexts = [*CREDENTIAL["@context"], {"did": "https://elsewhere.test/"}]
    short, long = both(contexts, dict(REQUIRED))
    assert short == long
    assert b"https://elsewhere.test/" in short


def test_a_document_needs_contexts() -> None:
    for document in ({}, {"@context": None}):
        with pytest.raises(SsiError) as refusal:
            configuration.canonical_options(document, REQUIRED)
        assert refusal.value.code == "suite.context"


@pytest.mark.parametrize(
    "canonical",
    [
        '_:c14n0 <urn:p> "mark-of-nonce"@en .\n_:c14n1 <urn:q> _:c14n0 .\n',
        '_:c14n0 <urn:p> "\\"mark-of-nonce\\"" .\n',
        '_:c14n0 <urn:p> "mark-of-nonce" .\n_:c14n0 <urn:q> "mark-of-nonce" .\n',
        "_:c14n0 <urn:p> <https://vocabulary.test/mark-of-nonce> .\n",
    ],
)
def test_values_that_are_not_simply_written_into_their_place_take_the_long_way(
    canonical: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configuration, "the_long_way", lambda *_, **__: canonical.encode())
    contexts = (f"https://{hashlib.sha256(canonical.encode()).hexdigest()}.test/",)
    assert configuration.canonical_options({"@context": list(contexts)}, {"nonce": "n"}) == canonical.encode()
