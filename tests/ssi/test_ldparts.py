"""Parts of linked documents: what can be hidden, and what comes along, is for the contexts to say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import formats, suites
from ssi.errors import SsiError
from ssi.formats import ldparts, pictures
from ssi.formats.paths import select
from ssi.jsonld import pointers
from ssi.oid4vp.abilities import FORMATS
from tests.ssi.drafts import EXAMPLES
from tests.ssi.holdings import SPARSE, SUBJECT, VERIFIED_PERSON, every_path

V2 = "https://www.w3.org/ns/credentials/v2"
PERSON = "urn:facet:context:verified-person:1"
OWN = {
    "identifier": "@id",
    "kind": "@type",
    "steps": {"@id": "https://terms.test/steps", "@container": "@list"},
    "raw": {"@id": "https://terms.test/raw", "@type": "@json"},
    "words": {"@id": "https://terms.test/words", "@container": "@language"},
    "part": "https://terms.test/part",
    "text": "https://terms.test/text",
}
DOCUMENT: dict[str, Any] = {
    "@context": [V2, EXAMPLES, OWN],
    "id": "urn:uuid:1",
    "type": ["VerifiableCredential"],
    "issuer": {"id": "did:example:1", "name": "Desk"},
    "name": {"@value": "Karte", "@language": "de"},
    SUBJECT: {
        "id": "did:example:2",
        "part": {"identifier": "urn:uuid:2", "kind": "Thing", "text": "a", "part": {"text": "b"}},
        "steps": ["one", {"text": "two"}],
        "raw": {"id": "x", "deep": {"a": 1}},
        "words": {"de": "Wort", "en": "word"},
        "0": {"1": "digits"},
    },
}


@pytest.mark.parametrize(
    ("path", "whole"),
    [
        ((SUBJECT, "part", "text"), (SUBJECT, "part", "text")),
        ((SUBJECT, "part", "part", "text"), (SUBJECT, "part", "part", "text")),
        ((SUBJECT, "part", "identifier"), (SUBJECT, "part", "identifier")),
        ((SUBJECT, "steps", 1, "text"), (SUBJECT, "steps")),
        ((SUBJECT, "raw", "deep", "a"), (SUBJECT, "raw")),
        ((SUBJECT, "words", "en"), (SUBJECT, "words")),
        (("name", "@value"), ("name",)),
        (("type", 0), ("type",)),
        (("@context", 0), ("@context",)),
        ((SUBJECT,), (SUBJECT,)),
    ],
)
def test_the_least_that_can_be_shown(path: Any, whole: Any) -> None:
    assert ldparts.whole(DOCUMENT, path) == ldparts.together(DOCUMENT, path) == whole
    assert ldparts.chosen(DOCUMENT, [path])


def test_identifiers_and_types_come_along_whatever_they_are_called() -> None:
    assert ldparts.hideable(DOCUMENT, ["/issuer"]) == (
        ("name",),
        (SUBJECT, "part"),  # not the subject: its id is always shown
        (SUBJECT, "part", "text"),
        (SUBJECT, "part", "part"),
        (SUBJECT, "part", "part", "text"),
        (SUBJECT, "steps"),
        (SUBJECT, "raw"),
        (SUBJECT, "words"),
        (SUBJECT, "0"),
        (SUBJECT, "0", "1"),
    )


def test_a_member_named_type_is_a_claim_where_the_context_says_so() -> None:
    found = {path[1:] for path in VERIFIED_PERSON.opened.disclosed if path[:1] == (SUBJECT,)}
    assert ("document", "type") in found
    assert ("biometric_evidence",) in found
    assert ("biometric_evidence", "method") not in found


@pytest.mark.parametrize(
    "path",
    [
        (SUBJECT, "part", "identifier"),
        (SUBJECT, "part", "kind"),
        (SUBJECT, "raw", "deep"),
        (SUBJECT, "words", "en"),
        (SUBJECT, "steps", 0),
        ("name", "@value"),
        ("id",),
        ("issuer",),
    ],
)
def test_what_has_no_parts_cannot_be_hidden_in_parts(path: Any) -> None:
    with pytest.raises(SsiError) as refusal:
        ldparts.mandatory(DOCUMENT, [path])
    assert refusal.value.code == "ldp.cannot_hide"


def test_numbers_in_pointers_are_indexes_only_in_arrays() -> None:
    found = ldparts.hideable(DOCUMENT, ["/credentialSubject/0/1", "/credentialSubject/steps"])
    assert (SUBJECT, "0", "1") not in found
    assert (SUBJECT, "steps") not in found
    for pointer in ("/credentialSubject/steps/7", "/credentialSubject/x", "/id/0", "nowhere"):
        with pytest.raises(SsiError):
            ldparts.hideable(DOCUMENT, [pointer])


def test_parts_of_arrays_that_are_mandatory_leave_the_others_hideable() -> None:
    found = SPARSE.opened.disclosed
    assert (SUBJECT, "nationalities", 0) in found
    assert (SUBJECT, "nationalities", 1) not in found
    assert (SUBJECT, "degrees", 0) in found
    assert (SUBJECT, "degrees", 1, "grade") in found
    assert (SUBJECT, "degrees", 1, "name") not in found
    assert (SUBJECT, "names", "0") not in found


def test_what_is_mandatory_and_what_is_hideable_are_the_whole() -> None:
    hidden = [(SUBJECT, "part", "text"), (SUBJECT, "raw")]
    fixed = ldparts.mandatory(DOCUMENT, hidden)
    assert set(hidden) <= set(ldparts.hideable(DOCUMENT, fixed))
    shown = pointers.select(DOCUMENT, fixed)
    assert "text" not in shown[SUBJECT]["part"]
    assert shown[SUBJECT]["part"]["part"] == {"text": "b"}


@given(st.data())
def test_readers_raise_only_ssi_error(data: st.DataObject) -> None:
    contexts = st.sampled_from([V2, EXAMPLES, PERSON, "https://unknown.test/", 1, None, {}, {"a": 1}, OWN, ["x"]])
    names = st.sampled_from([*OWN, "@context", "@type", "@value", "id", "type", SUBJECT, "x", "0"])
    value = st.recursive(
        st.none() | st.booleans() | st.integers(0, 3) | names | contexts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
        max_leaves=12,
    )
    document = data.draw(st.dictionaries(names, value, max_size=4))
    document["@context"] = data.draw(st.lists(contexts, max_size=3) | contexts)
    path = tuple(data.draw(st.lists(names | st.integers(0, 3), min_size=1, max_size=4)))
    assert ldparts.together(document, path)
    for attempt in (
        lambda: ldparts.hideable(document, ["/" + "/".join(map(str, path)), "/x/0"]),
        lambda: ldparts.mandatory(document, [path]),
        lambda: ldparts.chosen(document, [path]),
    ):
        try:
            attempt()
        except SsiError:
            continue


def test_every_path_has_a_whole_that_is_around_it() -> None:
    for path in every_path(DOCUMENT):
        whole = ldparts.whole(DOCUMENT, path)
        assert path[: len(whole)] == whole
        assert select(DOCUMENT, whole)


# --- what else is said of formats -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("data:image/png;base64," + "A" * 2000, "A picture (1 kB)"),
        ("data:image/svg+xml,<svg></svg>", "A picture (11 bytes)"),
        ("data:image/jpeg;base64,AAAA", "A picture (3 bytes)"),
        ("_9j_" + "A" * 4092, "A picture (3 kB)"),
        ("iVBORw0KGgo" + "A" * 100, "A picture (83 bytes)"),
        ("AAAADGpQICANCocK" + "A" * 84, "A picture (75 bytes)"),
        ("data:text/plain,hello", None),
        ("iVBORw0KGgo", None),
        ("B" * 100, None),
        ("_9j_" + "A" * 60 + " and words", None),
        (b"bytes", None),
        (None, None),
        (["data:image/png;base64,AAAA"], None),
    ],
)
def test_a_picture_is_known_by_how_it_begins(value: Any, words: str | None) -> None:
    assert pictures.in_words(value) == words


@given(st.text() | st.none() | st.integers())
def test_any_value_can_be_asked_whether_it_is_a_picture(value: Any) -> None:
    assert pictures.size(value) is None or isinstance(value, str)


def test_askers_are_told_every_format_and_suite() -> None:
    assert set(FORMATS) == {known.ID for known in formats.every()}
    linked = FORMATS["ldp_vc"]
    for suite in suites.every():
        assert suite.TYPE in linked["proof_type_values"]
        assert (suite.NAME in linked["cryptosuite_values"]) == (suite.TYPE == "DataIntegrityProof")
    assert -7 in FORMATS["mso_mdoc"]["issuerauth_alg_values"]
