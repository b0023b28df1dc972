"""The `proofValue` of bbs-2023: what the vectors have is read and written byte for byte, everything else is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssi.cose import cbor
from ssi.encoding import b64url, unb64url
from ssi.errors import SsiError
from ssi.suites import bbs_values
from ssi.suites.bbs_values import Base, Derived, Feature
from tests.conftest import VECTORS

FOLDER = VECTORS / "vc-di-bbs"
BASE = Base(b"s" * 80, b"h" * 64, b"p" * 96, b"k" * 32, ("/issuer",))
DERIVED = Derived(b"proof", {0: 1, 1: 0}, (0, 1), (0, 3), b"nonce")


def vector(name: str) -> Any:
    path = FOLDER / f"{name}.json"
    if not path.exists():
        pytest.skip("no specification vectors (FACET_VECTORS)")
    return json.loads(path.read_text())


def code(call: Callable[[], object]) -> str:
    with pytest.raises(SsiError) as caught:
        call()
    return caught.value.code


def value(kind: int, *parts: Any) -> dict[str, Any]:
    return {"proofValue": "u" + b64url(bytes((0xD9, 0x5D, kind)) + cbor.encode_in_order(list(parts)))}


@pytest.mark.parametrize("folder", ["prc/", "", "HolderBinding/"])
def test_vectors_are_read_and_written_as_they_are(folder: str) -> None:
    proof = vector(f"{folder}addSignedSDBase")["proof"]
    assert bbs_values.read_base(proof).write() == proof["proofValue"]
    proof = vector(f"{folder}derivedRevealDocument")["proof"]
    assert bbs_values.read_derived(proof).write() == proof["proofValue"]


def test_a_base_proof_of_the_pseudonym_vectors_is_read() -> None:
    """Theirs holds the entropy as a tagged number, which the text forbids; it is read, and written as bytes."""
    base = bbs_values.read_base(vector("PseudonymHB/addSignedSDBase")["proof"])
    assert base.feature is Feature.HOLDER_BINDING_PSEUDONYM
    assert base.nym_entropy.hex() == vector("FeatureInputs/signerNymEntropy")["signerNymEntropyHex"]
    assert bbs_values.read_base({"proofValue": base.write()}) == base


@pytest.mark.parametrize("feature", list(Feature))
def test_what_is_written_is_read(feature: Feature) -> None:
    entropy = b"e" * 32 if feature.nym else b""
    base = Base(BASE.signature, BASE.header, BASE.public, BASE.hmac_key, BASE.pointers, feature, entropy)
    assert bbs_values.read_base({"proofValue": base.write()}) == base
    nym = ("context", b"n" * 48) if feature.nym else ("", b"")
    messages = 0 if feature is Feature.BASELINE else 7
    derived = Derived(b"proof", {0: 1}, (0,), (), b"", feature, messages, *nym)
    assert bbs_values.read_derived({"proofValue": derived.write()}) == derived


@pytest.mark.parametrize(("number", "found"), [(5, bytes(31) + b"\x05"), (2**64, bytes(23) + b"\x01" + bytes(8))])
def test_entropy_is_read_as_a_number_too(number: int, found: bytes) -> None:
    parts = [BASE.signature, BASE.header, BASE.public, BASE.hmac_key, ["/issuer"]]
    assert bbs_values.read_base(value(6, *parts, number)).nym_entropy == found
    assert code(lambda: bbs_values.read_base(value(6, *parts, 2**256))) in PARTS
    assert code(lambda: bbs_values.read_base(value(6, *parts, -1))) in PARTS


def test_base_and_derived_proofs_are_not_taken_for_each_other() -> None:
    assert code(lambda: bbs_values.read_derived({"proofValue": BASE.write()})) == "suite.base_proof"
    assert code(lambda: bbs_values.read_base({"proofValue": DERIVED.write()})) == "suite.derived_proof"


@pytest.mark.parametrize(
    "written", [None, 7, "", "u", "z2V0D", "u2V0", "u2V0D", "u2V0K", "uAAAA", "u" + "A" * 70_000, "u2V0Dé"]
)
def test_other_values_are_refused(written: Any) -> None:
    for read in (bbs_values.read_base, bbs_values.read_derived):
        assert code(partial(read, {"proofValue": written})).split(".")[0] in ("suite", "encoding", "cbor")


PARTS = ("suite.components", "suite.labels")
BAD_BASES: list[list[Any]] = [
    [],
    [b"s" * 79, b"h" * 64, b"p" * 96, b"k" * 32, []],
    [b"s" * 80, b"h" * 63, b"p" * 96, b"k" * 32, []],
    [b"s" * 80, b"h" * 64, b"p" * 95, b"k" * 32, []],
    [b"s" * 80, b"h" * 64, b"p" * 96, b"k" * 31, []],
    [b"s" * 80, b"h" * 64, b"p" * 96, "k" * 32, []],
    [b"s" * 80, b"h" * 64, b"p" * 96, b"k" * 32, "/issuer"],
    [b"s" * 80, b"h" * 64, b"p" * 96, b"k" * 32, [1]],
    [b"s" * 80, b"h" * 64, b"p" * 96, b"k" * 32, [""] * 1001],
    [b"s" * 80, b"h" * 64, b"p" * 96, b"k" * 32, [], b""],
]
BAD_DERIVED: list[list[Any]] = [
    [],
    ["proof", {}, [], [], b""],
    [b"proof", [], [], [], b""],
    [b"proof", {"c14n0": 0}, [], [], b""],
    [b"proof", {0: -1}, [], [], b""],
    [b"proof", {0: True}, [], [], b""],
    [b"proof", {0: 1, 1: 1}, [], [], b""],
    [b"proof", {0: 10_001}, [], [], b""],
    [b"proof", {}, [1, 0], [], b""],
    [b"proof", {}, [0, 0], [], b""],
    [b"proof", {}, [-1], [], b""],
    [b"proof", {}, [2**70], [], b""],
    [b"proof", {}, "0", [], b""],
    [b"proof", {}, [], [1.0], b""],
    [b"proof", {}, [], [], ""],
    [b"proof", {}, [], [], b"", 3],
]


@pytest.mark.parametrize("parts", BAD_BASES)
def test_base_proofs_with_other_parts_are_refused(parts: list[Any]) -> None:
    assert code(lambda: bbs_values.read_base(value(2, *parts))) in PARTS


@pytest.mark.parametrize("parts", BAD_DERIVED)
def test_derived_proofs_with_other_parts_are_refused(parts: list[Any]) -> None:
    assert code(lambda: bbs_values.read_derived(value(3, *parts))) in PARTS


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (5, []),
        (5, ["3"]),
        (5, [-1]),
        (5, [10_001]),
        (7, [3]),
        (7, [b"context", b"n" * 48, 3]),
        (7, ["context", b"n" * 47, 3]),
        (9, ["context", b"n" * 48, True]),
    ],
)
def test_features_have_parts_of_their_own(kind: int, more: list[Any]) -> None:
    assert code(lambda: bbs_values.read_derived(value(kind, b"proof", {}, [], [], b"", *more))) in PARTS


def test_a_value_that_is_no_list_is_refused() -> None:
    octets = bytes((0xD9, 0x5D, 0x03)) + cbor.encode({})
    assert code(lambda: bbs_values.read_derived({"proofValue": "u" + b64url(octets)})) in PARTS
    tagged = bytes((0xD9, 0x5D, 0x03)) + b"\xd8\x63" + unb64url(DERIVED.write()[1:])[3:]
    assert code(lambda: bbs_values.read_derived({"proofValue": "u" + b64url(tagged)})) in PARTS


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(kind: int, octets: bytes) -> None:
    proof = {"proofValue": "u" + b64url(bytes((0xD9, 0x5D, kind)) + octets)}
    for read in (bbs_values.read_base, bbs_values.read_derived):
        with pytest.raises(SsiError):
            read(proof)
