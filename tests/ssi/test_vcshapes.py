"""Shapes: what is remembered of credentials that are alike changes no verdict on any of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import vcdm
from ssi.errors import SsiError
from ssi.formats import vcdocs, vcenvelope, vcshapes
from tests.conftest import VECTORS

V2 = "https://www.w3.org/ns/credentials/v2"
WHOLE: dict[str, Any] = {
    "@context": [V2],
    "id": "urn:uuid:1",
    "type": ["VerifiableCredential"],
    "issuer": "did:example:1",
    "validFrom": "2026-01-01T00:00:00Z",
    "validUntil": "2027-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:2", "name": "A"},
    "credentialStatus": {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "1",
        "statusListCredential": "https://issuer.test/1",
    },
}


def outcome(read: Callable[[dict[str, Any]], object], document: dict[str, Any]) -> object:
    try:
        return read(document)
    except SsiError as error:
        return error.code


def slow(document: dict[str, Any]) -> vcdm.Model:
    model = vcdm.credential(document)
    vcdm.refuse_unknown_terms(document)
    return model


def agree(document: dict[str, Any]) -> None:
    """The short way and the long way say the same of a document, at the first time and at the second."""
    expected = outcome(slow, document)
    for _ in range(2):
        found = outcome(vcshapes.credential, document)
        if found is not None:
            assert (found == expected) or (isinstance(found, str) and isinstance(expected, str))


def test_the_short_way_is_taken() -> None:
    assert isinstance(vcshapes.credential(WHOLE), vcdm.Model)
    assert vcdocs.read(WHOLE) == slow(WHOLE)


VALUE = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just({}) | st.just([]) | st.just([{}])
STRANGE = st.sampled_from(
    ["urn:x", "2026-06-01T00:00:00Z", "2028-01-01T00:00:00+01:00", {"id": "urn:y"}, {"id": 1}, {"type": "X"}, [V2]]
)
NAMES = [*WHOLE, "name", "proof", "evidence", "credentialSchema", "unheard_of", "issuanceDate"]


@given(
    st.dictionaries(st.sampled_from(NAMES), VALUE | STRANGE, max_size=3), st.sets(st.sampled_from(NAMES), max_size=2)
)
def test_no_change_makes_a_difference(changes: dict[str, Any], gone: set[str]) -> None:
    agree({name: value for name, value in {**WHOLE, **changes}.items() if name not in gone})


@given(st.dictionaries(st.sampled_from(["id", "type", "confidenceMethod", "name"]), VALUE | STRANGE))
def test_no_subject_makes_a_difference(subject: dict[str, Any]) -> None:
    agree({**WHOLE, "credentialSubject": subject})


@pytest.mark.skipif(not VECTORS.is_dir(), reason="no specification vectors (FACET_VECTORS)")
def test_the_suites_inputs_are_judged_alike() -> None:
    every = sorted((VECTORS / "vcdm2-inputs").glob("*.json"))
    assert len(every) > 50
    for path in every:
        document = json.loads(path.read_text())
        if isinstance(document, dict):
            agree(document)


def test_older_and_larger_documents_take_the_long_way() -> None:
    assert vcshapes.credential({**WHOLE, "name": "x" * 5000}) is None
    old = {**WHOLE, "@context": ["https://www.w3.org/2018/credentials/v1"], "issuanceDate": "2026-01-01T00:00:00Z"}
    assert vcshapes.credential({**old, "credentialStatus": {"id": "urn:x", "type": "X"}}) is None
    with pytest.raises(SsiError) as refused:
        vcdocs.read({name: value for name, value in old.items() if name not in ("credentialStatus", "validFrom")})
    assert refused.value.code in ("vc.data_model", "vcdm.term")


def test_members_of_the_envelope_are_no_members_of_the_data_model() -> None:
    assert vcenvelope.MEMBERS.isdisjoint(WHOLE)
