"""bbs-2023 against the vectors of Data Integrity BBS 1.0: all four features, every value that is given."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ssi import bbs, jsonld
from ssi.bbs import BbsSigner
from ssi.encoding import b64url, unb64url
from ssi.errors import SsiError
from ssi.keys import PublicKey
from ssi.suites import bbs_2023, bbs_bound, bbs_values, components, selective
from ssi.suites.bbs_bound import Held
from ssi.suites.bbs_values import Base, Derived, Feature
from ssi.suites.configuration import canonical_options
from tests.conftest import VECTORS

FOLDER = VECTORS / "vc-di-bbs"
SETS = {  # by folder: document, mandatory pointers, selective pointers
    "": ("windDoc", "windMandatory", "windSelective"),
    "prc/": ("prCredUnsigned", "prCredMandatory", "prCredSelective"),
    "HolderBinding/": ("FeatureInputs/license", "FeatureInputs/licenseMandatory", "FeatureInputs/licenseSelective"),
    "Pseudonym/": ("FeatureInputs/license", "FeatureInputs/licenseMandatory", "FeatureInputs/licenseSelective"),
    "PseudonymHB/": ("FeatureInputs/license", "FeatureInputs/licenseMandatory", "FeatureInputs/licenseSelective"),
}
FEATURES = {"": Feature.BASELINE, "prc/": Feature.BASELINE, "HolderBinding/": Feature.HOLDER_BINDING}
FEATURES |= {"Pseudonym/": Feature.PSEUDONYM, "PseudonymHB/": Feature.HOLDER_BINDING_PSEUDONYM}
SUFFIXES = {"HolderBinding/": b"BLIND_H2G_HM2S_", "Pseudonym/": b"H2G_HM2S_PSEUDONYM_"}
SUFFIXES |= {"PseudonymHB/": SUFFIXES["Pseudonym/"]}
each = pytest.mark.parametrize("folder", list(SETS))
baseline = pytest.mark.parametrize("folder", ["", "prc/"])


def read(name: str) -> Any:
    path = FOLDER / f"{name}.json"
    if not path.exists():
        pytest.skip("no specification vectors (FACET_VECTORS)")
    return json.loads(path.read_text())


def raw(name: str, member: str) -> bytes:
    return bytes.fromhex(read(name)[member])


def document_of(folder: str) -> dict[str, Any]:
    """The document that was signed; `prCredUnsigned` has another description than what the vectors sign."""
    return split(read(f"{folder}addSignedSDBase"))[0] if folder == "prc/" else dict(read(SETS[folder][0]))


def mapped(value: Any) -> list[tuple[Any, Any]]:
    """A JavaScript Map as the vectors write it."""
    return [tuple(pair) for pair in value["value"]]


def hmac_key() -> bytes:
    return bytes.fromhex(read("BBSKeyMaterial")["hmacKeyString"])


def key() -> PublicKey:
    return PublicKey.bbs(raw("BBSKeyMaterial", "publicKeyHex"))


def signer() -> BbsSigner:
    return BbsSigner.from_secret(raw("BBSKeyMaterial", "privateKeyHex"))


def options(folder: str) -> dict[str, Any]:
    found: dict[str, Any] = read(f"{folder}addProofConfig")
    return {name: value for name, value in found.items() if name != "@context"}


def split(document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A signed document without its proof, and the proof."""
    return {name: value for name, value in document.items() if name != "proof"}, document["proof"]


def given(*pieces: bytes) -> Callable[[int], bytes]:
    """Randomness that was fixed in advance."""
    left = iter(pieces)
    return lambda size: next(left)[:size]


def mocked(folder: str, count: int) -> Callable[[int], bytes]:
    """The vectors' random scalars: the draft's mocked ones, under the bare name of the interface."""
    dst = bbs.SHA256.id + SUFFIXES.get(folder, b"H2G_HM2S_")
    stream = bbs.SHA256.expand(raw("BBSDeriveMaterial", "pseudoRandSeedHex"), dst, 48 * count)
    return given(*(stream[at : at + 48] for at in range(0, len(stream), 48)))


def held(folder: str) -> Held:
    """The holder's secrets in the vectors."""
    return Held(
        FEATURES[folder],
        raw("FeatureInputs/holderSecret", "holderSecretHex"),
        raw("FeatureInputs/proverNym", "proverNymHex"),
        raw(f"{folder}commitmentInfo", "secretProverBlind"),
    )


# --- the issuer -------------------------------------------------------------------------------------------------------


@each
def test_statements_and_their_lasting_labels(folder: str) -> None:
    document, mandatory = document_of(folder), read(SETS[folder][1])
    assert list(jsonld.canonicalize(jsonld.to_quads(document)).lines) == read(f"{folder}addBaseDocCanon")
    grouped = selective.group(
        document, make_labels=selective.shuffled_labels(hmac_key()), selections={"mandatory": mandatory}
    )
    assert list(grouped.lines) == read(f"{folder}addBaseDocHMACCanon")
    transformed = read(f"{folder}addBaseTransform")
    assert mandatory == transformed["mandatoryPointers"]
    fixed = sorted(grouped.groups["mandatory"].places)
    assert [(place, grouped.lines[place]) for place in fixed] == mapped(transformed["mandatory"])
    data = bbs_2023.hash_data(document, options(folder), pointers=mandatory, hmac_key=hmac_key())
    assert [line.decode() for line in data.messages] == [line for _, line in mapped(transformed["nonMandatory"])]
    hashes = read(f"{folder}addHashData")
    assert data.header.hex() == hashes["proofHash"] + hashes["mandatoryHash"]


@each
def test_the_proof_configuration(folder: str) -> None:
    document = document_of(folder)
    made = canonical_options(document, options(folder))
    assert made.decode() == (FOLDER / f"{folder}addProofConfigCanon.txt").read_text()
    assert hashlib.sha256(made).hexdigest() == read(f"{folder}addHashData")["proofHash"]


@baseline
def test_base_proof(folder: str) -> None:
    document, mandatory = document_of(folder), read(SETS[folder][1])
    expected = read(f"{folder}addSignedSDBase")
    made = bbs_2023.sign(document, options(folder), signer=signer(), mandatory=mandatory, random=given(hmac_key()))
    assert made == expected["proof"]
    recovered = bbs_values.read_base(made)
    assert recovered.signature == raw(f"{folder}addRawBaseSignatureInfo", "bbsSignature")
    assert recovered.signature == raw(f"{folder}derivedRecoveredBaseData", "bbsSignature")
    assert list(bbs_2023.check_base(*split(expected), key=key())) == mandatory


# --- the holder -------------------------------------------------------------------------------------------------------


@each
def test_what_is_shown_and_where_it_stands(folder: str) -> None:
    document, mandatory, chosen = document_of(folder), *(read(name) for name in SETS[folder][1:])
    base = Base(bytes(80), bytes(64), bytes(96), hmac_key(), tuple(mandatory))
    shown = bbs_2023.disclose(document, base, pointers=chosen)
    assert shown.document == read(f"{folder}derivedUnsignedReveal")
    indexes = read(f"{folder}derivedAdjIndexes")
    assert list(shown.mandatory) == indexes["adjMandatoryIndexes"]
    assert list(shown.selective) == indexes["adjSelectiveIndexes"]
    disclosed = mapped(read(f"{folder}derivedDisclosureData")["labelMap"])
    assert {f"c14n{number}": f"b{label}" for number, label in shown.labels.items()} == dict(disclosed)


@baseline
def test_derived_proof(folder: str) -> None:
    chosen, expected = read(SETS[folder][2]), read(f"{folder}derivedRevealDocument")
    document, proof = split(read(f"{folder}addSignedSDBase"))
    messages = len(mapped(read(f"{folder}addBaseTransform")["nonMandatory"]))
    count = 5 + messages - len(read(f"{folder}derivedAdjIndexes")["adjSelectiveIndexes"])
    challenge = raw("BBSDeriveMaterial", "presentationHeaderHex")
    made = bbs_2023.derive(document, proof, pointers=chosen, challenge=challenge, random=mocked(folder, count))
    assert made == expected
    assert made["proof"]["proofValue"] == expected["proof"]["proofValue"]


# --- the verifier -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", [folder for folder in SETS if folder])  # the first set does not have them
def test_statements_that_a_verifier_finds(folder: str) -> None:
    labels = dict(mapped(read(f"{folder}derivedDisclosureData")["labelMap"]))
    document, _ = split(read(f"{folder}derivedRevealDocument"))
    assert list(selective.labeled(document, labels)) == read(f"{folder}verifyNQuads")


@pytest.mark.parametrize("folder", ["", "prc/", "HolderBinding/"])
def test_derived_proofs_hold(folder: str) -> None:
    document, proof = split(read(f"{folder}derivedRevealDocument"))
    bbs_2023.verify(document, proof, key=key())


# --- features ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["HolderBinding/", "Pseudonym/", "PseudonymHB/"])
def test_a_base_proof_over_a_commitment(folder: str) -> None:
    document, mandatory = document_of(folder), read(SETS[folder][1])
    entropy = raw("FeatureInputs/signerNymEntropy", "signerNymEntropyHex") if FEATURES[folder].nym else None
    made = bbs_bound.sign(
        document,
        options(folder),
        signer=signer(),
        feature=FEATURES[folder],
        commitment=raw(f"{folder}commitmentInfo", "commitmentWithProof"),
        mandatory=mandatory,
        random=given(hmac_key()),
        nym_entropy=entropy,
    )
    assert list(bbs_bound.check_base(document, made, key=key(), held=held(folder))) == mandatory
    ours, theirs = bbs_values.read_base(made), bbs_values.read_base(read(f"{folder}addSignedSDBase")["proof"])
    assert ours.signature == theirs.signature == raw(f"{folder}addRawBaseSignatureInfo", "bbsSignature")
    if folder == "HolderBinding/":  # the other two have their entropy in a form that the text forbids
        assert made["proofValue"] == read(f"{folder}addSignedSDBase")["proof"]["proofValue"]
    assert (ours.header, ours.pointers, ours.nym_entropy) == (theirs.header, theirs.pointers, theirs.nym_entropy)


@pytest.mark.parametrize("folder", ["HolderBinding/", "Pseudonym/", "PseudonymHB/"])
def test_a_derived_proof_of_known_secrets(folder: str) -> None:
    document, proof = split(read(f"{folder}addSignedSDBase"))
    feature = FEATURES[folder]
    base = bbs_values.read_base(proof)
    proof |= {"proofValue": replace(base, feature=feature).write()}
    context = read("FeatureInputs/verifierInfo")["verifierId"] if feature.nym else ""
    expected = read(f"{folder}derivedDisclosureData")
    messages = expected["lengthBBSMessages"]
    count = 5 + messages + 1 + feature.held + feature.nym - len(expected["adjSelectiveIndexes"])
    made = bbs_bound.derive(
        document,
        proof,
        held=held(folder),
        pointers=read(SETS[folder][2]),
        challenge=raw("BBSDeriveMaterial", "presentationHeaderHex"),
        context=context,
        random=mocked(folder, count),
    )
    derived = bbs_values.read_derived(made["proof"])
    assert (derived.proof.hex(), derived.messages) == (expected["bbsProof"], messages)
    bbs_2023.verify(*split(made), key=key())
    if feature.nym:
        assert bbs_bound.pseudonym(made["proof"]) == (context, bytes.fromhex(expected["pseudonym"]))
        return
    assert made == read(f"{folder}derivedRevealDocument")


@pytest.mark.parametrize("folder", ["Pseudonym/", "PseudonymHB/"])
def test_pseudonym_vectors_leave_their_context_out(folder: str) -> None:
    """The text has `nym_domain` in the proof, the vectors do not; put there, their proofs hold.

    The vectors without holder binding also begin with the bytes of those with it.
    """
    document, proof = split(read(f"{folder}derivedRevealDocument"))
    with pytest.raises(SsiError) as refused:
        bbs_2023.verify(document, proof, key=key())
    assert refused.value.code == "suite.components"
    octets = unb64url(proof["proofValue"][1:])
    found = components.unpack(proof, headers=(b"\xd9\x5d\x09",), count=7)[1]
    assert octets[2] == 0x09
    context = read("FeatureInputs/verifierInfo")["verifierId"]
    proved, labels, mandatory, chosen, header, nym, messages = found
    places = (tuple(mandatory), tuple(chosen))
    whole = Derived(proved, labels, *places, header, FEATURES[folder], messages, context, nym)
    bbs_2023.verify(document, proof | {"proofValue": whole.write()}, key=key())
    elsewhere = Derived(proved, labels, *places, header, FEATURES[folder], messages, "https://other.test", nym)
    with pytest.raises(SsiError) as refused:
        bbs_2023.verify(document, proof | {"proofValue": elsewhere.write()}, key=key())
    assert refused.value.code == "suite.signature"
    assert "u" + b64url(octets) == proof["proofValue"]
