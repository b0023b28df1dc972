"""ecdsa-sd-2023: the Working Group's vectors step by step, and what a derived proof may not do."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from ssi.cose import cbor
from ssi.dids import multikey
from ssi.encoding import b64url, unb64url, unbase58
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.keys import PublicKey
from ssi.suites import components, configuration, selective
from ssi.suites import ecdsa_sd_2023 as suite
from tests.conftest import VECTORS
from tests.ssi.proving import CREDENTIAL, SIGNERS, secured, seeded

FOLDER = VECTORS / "vc-di-ecdsa"
vectors = pytest.mark.skipif(not FOLDER.is_dir(), reason="no specification vectors (FACET_VECTORS)")
each_example = pytest.mark.parametrize(("name", "start"), [("prc", "prCred"), ("employ", "employ")])


class Deterministic:
    """A P-256 key whose signatures are those of RFC 6979, as the vectors have them."""

    kid = "vector"

    def __init__(self, secret: str) -> None:
        self.native = ec.derive_private_key(int.from_bytes(unbase58(secret[1:])[2:], "big"), ec.SECP256R1())
        self.public = PublicKey.from_native(self.native.public_key())

    def sign(self, message: bytes) -> bytes:
        return suite.raw_signature(self.native, message)


class Example:
    """One of the vectors' two examples, which their base document is part of."""

    def __init__(self, name: str, start: str) -> None:
        self.folder = FOLDER / "ecdsa-sd-2023" / name
        self.keys = json.loads((FOLDER / "ecdsa-sd-2023" / "SDKeyMaterial.json").read_text())
        self.hmac_key = bytes.fromhex(self.keys["hmacKeyString"])
        self.mandatory = tuple(self.file(FOLDER / f"{start}Mandatory.json"))
        self.selective = tuple(self.file(FOLDER / f"{start}Selective.json"))
        self.document = self.read("addSignedSDBase")
        self.proof = self.document.pop("proof")
        self.options = {name: value for name, value in self.read("addProofConfig").items() if name != "@context"}

    def file(self, path: Path) -> Any:
        return json.loads(path.read_text("utf-8"))

    def read(self, name: str) -> Any:
        return self.file(self.folder / f"{name}.json")

    def grouped(self) -> selective.Grouped:
        combined = (*self.mandatory, *self.selective)
        selections = {"mandatory": self.mandatory, "selective": self.selective, "combined": combined}
        return selective.group(self.document, make_labels=selective.hmac_labels(self.hmac_key), selections=selections)

    def base(self) -> suite.Base:
        return suite.create(
            self.document,
            self.options,
            signer=Deterministic(self.keys["baseKeyPair"]["secretKeyMultibase"]),
            mandatory=self.mandatory,
            hmac_key=self.hmac_key,
            keypair=Deterministic(self.keys["proofKeyPair"]["secretKeyMultibase"]).native,
        )


@vectors
@each_example
def test_base_proof_step_by_step(name: str, start: str) -> None:
    example = Example(name, start)
    grouped = example.grouped()
    assert list(grouped.lines) == example.read("addBaseDocHMACCanon")
    transform = example.read("addBaseTransform")
    fixed = grouped.groups["mandatory"].places
    for member, wanted in (("mandatory", True), ("nonMandatory", False)):
        expected = dict(transform[member]["value"])
        assert {p: line for p, line in enumerate(grouped.lines) if (p in fixed) is wanted} == expected
    assert tuple(transform["mandatoryPointers"]) == example.mandatory
    canonical = (example.folder / "addProofConfigCanon.txt").read_text()
    assert configuration.canonical_options(example.document, example.options).decode() == canonical
    hashes = example.read("addHashData")
    data = suite.sign_data(example.document, example.options, b"", [grouped.lines[place] for place in sorted(fixed)])
    assert data.hex() == hashes["proofHash"] + hashes["mandatoryHash"]
    base, raw = example.base(), example.read("addRawBaseSignatureInfo")
    assert base.signature.hex() == raw["baseSignature"]
    assert [signature.hex() for signature in base.signatures] == raw["signatures"]
    assert multikey.decode(raw["publicKey"]) == multikey.decode("u" + b64url(base.public_key))
    assert suite.write_base(base) == example.proof["proofValue"]
    for pointed in example.read("addPointerValues"):
        value: Any = example.document
        for step in pointed["pointer"].split("/")[1:]:
            value = value[int(step) if isinstance(value, list) else step]
        assert value == pointed["value"]


@vectors
@each_example
def test_the_base_document_in_canonical_form(name: str, start: str) -> None:
    example = Example(name, start)
    lines = selective.labeled(example.document, {f"c14n{number}": f"c14n{number}" for number in range(9)})
    assert list(lines) == example.read("addBaseDocCanon")


@vectors
@each_example
def test_derived_proof_step_by_step(name: str, start: str) -> None:
    example = Example(name, start)
    grouped = example.grouped()
    for group, places in example.read("derivedGroupIndexes").items():
        if group != "nonMandatoryIndexes":
            assert sorted(grouped.groups[group.removesuffix("Indexes")].places) == places
    everything = example.read("derivedAllGroupData")["groups"]
    for group, found in everything.items():
        expected = dict(found["matching"]["value"])
        assert {place: grouped.lines[place] for place in grouped.groups[group].places} == expected
    assert suite.write_base(example.base()) == example.proof["proofValue"]
    recovered, base = example.read("derivedRecoveredBaseData"), example.base()
    assert recovered["baseSignature"] == base.signature.hex()
    assert recovered["signatures"] == [signature.hex() for signature in base.signatures]
    shown, derived = suite.disclose(example.document, base, pointers=example.selective)
    assert shown == example.read("derivedUnsignedReveal")
    assert list(derived.mandatory) == example.read("derivedAdjMandatoryIndexes")["adjMandatoryIndexes"]
    filtered = example.read("derivedAdjSignatures")["filteredSignatures"]
    data = example.read("derivedDisclosureData")
    assert [signature.hex() for signature in derived.signatures] == filtered == data["signatures"]
    assert derived.labels == dict(data["labelMap"]["value"])
    whole = suite.derive(example.document, example.proof, pointers=example.selective, challenge=b"", random=bytes)
    assert whole == example.read("derivedRevealDocument")


@vectors
@each_example
def test_derived_proof_verifies_step_by_step(name: str, start: str) -> None:
    example = Example(name, start)
    document = example.read("derivedRevealDocument")
    proof = document.pop("proof")
    parsed, data = example.read("verifyDerivedProofValue"), example.read("verifyCreateVerifyData")
    labels = dict(parsed["labelMap"])
    lines = selective.labeled(document, labels)
    assert list(lines) == example.read("verifyNQuads")
    assert [line for p, line in enumerate(lines) if p not in parsed["mandatoryIndexes"]] == data["nonMandatory"]
    suite.verify(document, proof, key=multikey.decode(example.keys["baseKeyPair"]["publicKeyMultibase"]))
    suite.check_base(
        example.document, example.proof, key=multikey.decode(example.keys["baseKeyPair"]["publicKeyMultibase"])
    )


# --- what a derived proof may not do ----------------------------------------------------------------------------------


POINTERS = ("/credentialSubject/permanentResidentCard/lprCategory", "/validUntil")


def derived(**changes: Any) -> tuple[dict[str, Any], list[Any]]:
    """A derived document and the parts of its proof's value."""
    bare = {name: value for name, value in CREDENTIAL.items() if name != "proof"}
    base = secured(suite, **changes)["proof"]
    made = suite.derive(bare, base, pointers=POINTERS, challenge=b"", random=seeded())
    return made, cbor.decode(unb64url(made["proof"]["proofValue"][1:])[3:])


def judged(document: dict[str, Any], parts: list[Any], header: bytes = b"\xd9\x5d\x01") -> None:
    value = "u" + b64url(header + cbor.encode_in_order(parts))
    bare = {name: value for name, value in document.items() if name != "proof"}
    suite.verify(bare, {**document["proof"], "proofValue": value}, key=SIGNERS["ES256"].public)


def test_what_was_derived_holds_and_has_the_sizes_it_should() -> None:
    document, parts = derived()
    judged(document, parts)
    assert [len(parts[0]), len(parts[1])] == [64, 35]
    assert all(len(signature) == 64 for signature in parts[2])
    assert all(len(label) == 32 for label in parts[3].values())


def changed(place: int, change: Callable[[Any], Any]) -> Callable[[list[Any]], list[Any]]:
    return lambda parts: [*parts[:place], change(parts[place]), *parts[place + 1 :]]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda parts: parts[:4], "suite.components"),
        (lambda parts: [*parts, 1], "suite.components"),
        (lambda parts: {"0": 1}, "suite.components"),
        (changed(0, lambda signature: signature[:63]), "suite.components"),
        (changed(0, lambda signature: "text"), "suite.components"),
        (changed(1, lambda key: key + b"\0"), "suite.components"),
        (changed(1, lambda key: b"\xed\x01" + key[2:]), "suite.proof_key"),
        (changed(1, lambda key: key[:2] + b"\x05" + key[3:]), "suite.proof_key"),
        (changed(2, lambda found: found[:-1]), "suite.signatures"),
        (changed(2, lambda found: [*found, found[0]]), "suite.signatures"),
        (changed(2, lambda found: [found[0][:-1], *found[1:]]), "suite.components"),
        (changed(2, lambda found: {0: found[0]}), "suite.components"),
        (changed(2, lambda found: [found[0]] * 600), "suite.statements"),
        (changed(3, list), "suite.components"),
        (changed(3, lambda labels: {}), "suite.labels"),
        (changed(3, lambda labels: {str(number): label for number, label in labels.items()}), "suite.components"),
        (changed(3, lambda labels: dict.fromkeys(labels, labels[0])), "suite.labels"),
        (changed(3, lambda labels: {**labels, 0: labels[0][:31]}), "suite.components"),
        (changed(3, lambda labels: {**labels, "2": labels[0]}), "suite.components"),
        (changed(4, lambda places: places[:-1]), "suite.signatures"),
        (changed(4, lambda places: [*places, places[0]]), "suite.components"),
        (changed(4, lambda places: [*places, 500]), "suite.components"),
        (changed(4, lambda places: [-1, *places]), "suite.components"),
        (changed(4, lambda places: [False, *places[1:]]), "suite.components"),
        (changed(4, lambda places: "text"), "suite.components"),
    ],
)
def test_parts_that_are_not_as_they_should_be_are_malformed(change: Callable[[Any], Any], code: str) -> None:
    document, parts = derived()
    with pytest.raises(Malformed) as refusal:
        judged(document, change(parts))
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "change",
    [
        changed(0, lambda signature: bytes(64)),
        changed(2, lambda found: [*found[1:], found[0]]),
        changed(3, lambda labels: {number: bytes([number]) * 32 for number in labels}),
        changed(4, lambda places: [*places[:-1], next(n for n in range(9) if n not in places)]),
    ],
)
def test_parts_that_are_false_are_refused(change: Callable[[Any], Any]) -> None:
    document, parts = derived()
    with pytest.raises(Refused) as refusal:
        judged(document, change(parts))
    assert refusal.value.code == "suite.signature"


def test_a_key_of_ones_own_does_not_help() -> None:
    """The proof's key is under the issuer's signature: nobody can add statements with a key made afterwards."""
    document, parts = derived()
    own = ec.generate_private_key(ec.SECP256R1())
    key = PublicKey.from_native(own.public_key())
    lines = selective.labeled(
        {name: value for name, value in document.items() if name != "proof"},
        {f"c14n{number}": "u" + b64url(label) for number, label in parts[3].items()},
    )
    open_ = [line for place, line in enumerate(lines) if place not in parts[4]]
    parts[1] = b"\x80\x24" + bytes([2 + (key.y[-1] & 1)]) + key.x
    parts[2] = [suite.raw_signature(own, line.encode()) for line in open_]
    with pytest.raises(Refused):
        judged(document, parts)


def test_cbor_tags_in_the_parts_are_malformed() -> None:
    document, parts = derived()
    with pytest.raises(Malformed):
        judged(document, changed(0, lambda signature: cbor.Tag(64, signature))(parts))


@pytest.mark.parametrize("header", [b"\xd9\x5d\x02", b"\xd9\x5d", b""])
def test_another_header_is_malformed(header: bytes) -> None:
    document, parts = derived()
    with pytest.raises(Malformed):
        judged(document, parts, header)


def test_a_large_value_is_refused_before_it_is_read() -> None:
    document, _ = derived()
    bare = {name: value for name, value in document.items() if name != "proof"}
    for value in (
        "u" + "A" * components.MAX_CHARACTERS,
        "u2V0B" + "n" * 100_000,
        "u" + b64url(b"\xd9\x5d\x01\x9a\xff"),
    ):
        with pytest.raises(Malformed):
            suite.verify(bare, {**document["proof"], "proofValue": value}, key=SIGNERS["ES256"].public)


def test_too_many_statements_are_not_signed() -> None:
    subjects = [{"type": "Person", "givenName": f"N{number}"} for number in range(400)]
    with pytest.raises(SsiError):
        secured(suite, {**CREDENTIAL, "credentialSubject": subjects})


def test_too_many_pointers_are_refused() -> None:
    with pytest.raises(Malformed):
        secured(suite, mandatory=("/issuer",) * (components.MAX_POINTERS + 1))
    with pytest.raises(Malformed):
        secured(suite, mandatory=("/" + "x" * (components.MAX_POINTER_LENGTH + 1),))


def test_a_base_proof_that_lacks_a_signature_gives_nothing() -> None:
    base = secured(suite)["proof"]
    parts = cbor.decode(unb64url(base["proofValue"][1:])[3:])
    parts[3] = parts[3][:-1]
    broken = {**base, "proofValue": "u" + b64url(b"\xd9\x5d\x00" + cbor.encode(parts))}
    with pytest.raises(Malformed) as refusal:
        suite.derive(CREDENTIAL, broken, pointers=("/issuer",), challenge=b"", random=bytes)
    assert refusal.value.code == "suite.signatures"


@pytest.mark.parametrize("pointers", ["/issuer", [1], ["/x" * 600], ["/issuer"] * 600, {0: "/issuer"}])
def test_pointers_in_a_base_proof_that_are_none_are_malformed(pointers: Any) -> None:
    base = secured(suite)["proof"]
    parts = cbor.decode(unb64url(base["proofValue"][1:])[3:])
    parts[4] = pointers
    broken = {**base, "proofValue": "u" + b64url(b"\xd9\x5d\x00" + cbor.encode(parts))}
    with pytest.raises(Malformed) as refusal:
        suite.derive(CREDENTIAL, broken, pointers=("/name",), challenge=b"", random=bytes)
    assert refusal.value.code == "suite.components"


def test_an_ordered_list_is_shown_whole_or_not_at_all() -> None:
    ordered = {"steps": {"@id": "https://terms.test/steps", "@container": "@list"}}
    document = {**CREDENTIAL, "@context": [*CREDENTIAL["@context"], ordered], "steps": ["one", "two", "three"]}
    made = secured(suite, document)
    bare = {name: value for name, value in made.items() if name != "proof"}
    with pytest.raises(Malformed) as refusal:
        suite.derive(bare, made["proof"], pointers=("/steps/1",), challenge=b"", random=bytes)
    assert refusal.value.code == "suite.pointer"
    for pointers in (("/steps",), ("/name",)):
        shown = suite.derive(bare, made["proof"], pointers=pointers, challenge=b"", random=bytes)
        proof = shown.pop("proof")
        suite.verify(shown, proof, key=SIGNERS["ES256"].public)
        assert shown.get("steps") == (["one", "two", "three"] if pointers == ("/steps",) else None)


def test_a_statement_that_cannot_be_read_is_malformed() -> None:
    with pytest.raises(Malformed) as refusal:
        selective.relabeled(["<urn:s> <urn:p> _:c14n0\n"], {"c14n0": "x"})
    assert refusal.value.code == "jsonld.nquads"
    graph = "_:c14n0 <urn:p> _:c14n1 _:c14n0 .\n"
    assert selective.relabeled([graph], {"c14n0": "x", "c14n1": "y"}) == ("_:x <urn:p> _:y _:x .\n",)


def test_secrets_are_drawn_afresh_for_each_proof() -> None:
    first, second = (secured(suite, random=seeded(number))["proof"]["proofValue"] for number in (1, 2))
    parts = [cbor.decode(unb64url(value[1:])[3:]) for value in (first, second)]
    assert parts[0][1] != parts[1][1]
    assert parts[0][2] != parts[1][2]


def test_blank_nodes_in_text_are_left_alone() -> None:
    text = "_:c14n0 <urn:x> _:c14n1 ."
    made = secured(suite, {**CREDENTIAL, "description": text})
    bare = {name: value for name, value in made.items() if name != "proof"}
    shown = suite.derive(bare, made["proof"], pointers=("/description",), challenge=b"", random=bytes)
    assert shown["description"] == text
    proof = shown.pop("proof")
    suite.verify(shown, proof, key=SIGNERS["ES256"].public)


def test_labels_follow_the_key() -> None:
    canonical = {"b0": "c14n0", "b1": "c14n1", "b2": "c14n2"}
    assert selective.hmac_labels(b"k" * 32)(canonical) != selective.hmac_labels(b"l" * 32)(canonical)
    shuffled = selective.shuffled_labels(b"k" * 32)(canonical)
    assert sorted(shuffled.values()) == ["b0", "b1", "b2"]
    hmacs = selective.hmac_labels(b"k" * 32)(canonical)
    assert sorted(canonical, key=lambda node: hmacs[node]) == sorted(canonical, key=lambda node: shuffled[node])


def test_another_curve_cannot_sign() -> None:
    with pytest.raises(Unsupported) as refusal:
        secured(suite, signer=SIGNERS["ES384"])
    assert refusal.value.code == "suite.key"


PARTS = st.recursive(
    st.integers() | st.binary(max_size=70) | st.text(max_size=5) | st.booleans() | st.none() | st.floats(),
    lambda below: st.lists(below, max_size=6) | st.dictionaries(st.integers() | st.text(max_size=3), below, max_size=3),
    max_leaves=12,
)


@settings(max_examples=150)
@given(parts=PARTS, place=st.integers(0, 5), rest=st.binary(max_size=20), base=st.booleans())
def test_arbitrary_parts_raise_nothing_but_ssi_errors(parts: Any, place: int, rest: bytes, base: bool) -> None:
    document, honest = made_once()
    changed_ = parts if place == 5 else [*honest[:place], parts, *honest[place + 1 :]]
    header = b"\xd9\x5d\x00" if base else b"\xd9\x5d\x01"
    proof = {**document["proof"], "proofValue": "u" + b64url(header + cbor.encode_in_order(changed_) + rest)}
    bare = {name: value for name, value in document.items() if name != "proof"}
    for attempt in (
        lambda: suite.verify(bare, proof, key=SIGNERS["ES256"].public),
        lambda: suite.check_base(bare, proof, key=SIGNERS["ES256"].public),
        lambda: suite.derive(bare, proof, pointers=("/issuer",), challenge=b"", random=bytes),
    ):
        try:
            attempt()
        except SsiError:
            continue
        assert changed_ == honest
        assert not rest


@lru_cache
def made_once() -> tuple[dict[str, Any], list[Any]]:
    return derived()


def test_base_parts_keep_their_order() -> None:
    base = suite.Base(b"s" * 64, b"p" * 35, b"h" * 32, (b"1" * 64,), ("/issuer",))
    assert suite.write_base(replace(base, hmac_key=b"i" * 32)) != suite.write_base(base)
    assert suite.write_base(base).startswith("u2V0A")
