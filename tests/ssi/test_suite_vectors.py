"""The Working Group's vectors for eddsa, ecdsa and Ed25519Signature2020: verified, and made again to the byte."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from ssi import jcs, jsonld, suites
from ssi.dids import multikey
from ssi.encoding import unbase58
from ssi.keys import PublicKey, SoftwareSigner
from ssi.model import Outcome
from ssi.suites import Suite, configuration, options, proofs, values
from tests.conftest import VECTORS
from tests.ssi.proving import Keys
from tests.support import NOW

EDDSA, ECDSA = VECTORS / "vc-di-eddsa", VECTORS / "vc-di-ecdsa"
CHAIN = EDDSA / "proof-set-chain"
pytestmark = pytest.mark.skipif(not EDDSA.is_dir(), reason="no specification vectors (FACET_VECTORS)")

FOLDERS = {
    "eddsa-rdfc-2022": EDDSA / "eddsa-rdfc-2022",
    "eddsa-rdfc-2022 employ": EDDSA / "eddsa-rdfc-2022" / "employ",
    "eddsa-jcs-2022": EDDSA / "eddsa-jcs-2022",
    "Ed25519Signature2020": EDDSA / "Ed25519Signature2020",
    **{f"ecdsa-rdfc-2019 {curve}": ECDSA / f"ecdsa-rdfc-2019-{curve}" for curve in ("p256", "p384")},
    **{f"ecdsa-rdfc-2019 {curve} employ": ECDSA / f"ecdsa-rdfc-2019-{curve}" / "employ" for curve in ("p256", "p384")},
    **{f"ecdsa-jcs-2019 {curve}": ECDSA / f"ecdsa-jcs-2019-{curve}" for curve in ("p256", "p384")},
}
each_folder = pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)


def read(folder: Path, prefix: str) -> Any:
    (path,) = folder.glob(f"{prefix}*")
    text = path.read_text("utf-8")
    return json.loads(text) if path.suffix == ".json" else text


def signed(folder: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], Suite]:
    """A signed document of a folder, without its proof, the proof, its options, and its suite."""
    document = read(folder, "signed")
    proof = document.pop("proof")
    return document, proof, {name: value for name, value in proof.items() if name != "proofValue"}, suites.of(proof)


def key_of(proof: dict[str, Any]) -> PublicKey:
    return multikey.decode(proof["verificationMethod"].partition("#")[2])


def ed25519_signer(pair: dict[str, str]) -> SoftwareSigner:
    secret = pair.get("privateKeyMultibase") or pair["secretKeyMultibase"]
    native = ed25519.Ed25519PrivateKey.from_private_bytes(unbase58(secret[1:])[2:])
    return SoftwareSigner(PublicKey.from_native(native.public_key()), native)


@each_folder
def test_a_signed_document_verifies(folder: Path) -> None:
    (proven,) = proofs.verify(read(folder, "signed"), keys=Keys(), purpose="assertionMethod", now=NOW)
    assert proven.outcome.outcome is Outcome.PASS


@each_folder
def test_each_step_gives_the_bytes_of_the_vector(folder: Path) -> None:
    document, proof, plain, suite = signed(folder)
    key = key_of(proof)
    name = "sha384" if key.algorithm.name == "ES384" else "sha256"
    if "jcs" in suite.NAME:
        canonical, configured = jcs.canonicalize(document), jcs.canonicalize(plain)
    else:
        canonical = jsonld.canonical(document, hash=name)
        configured = configuration.canonical_options(document, plain, hash=name)
    assert canonical.decode() == read(folder, "canonDoc")
    assert configured.decode() == read(folder, "proofCanon")
    hashes = [hashlib.new(name, data).hexdigest() for data in (configured, canonical)]
    assert hashes == [read(folder, "proofHash"), read(folder, "docHash")]
    assert "".join(hashes) == read(folder, "combinedHash")
    signature = values.read(proof, size=key.algorithm.size)
    assert signature.hex() == read(folder, "sigHex")
    assert values.write(signature) == read(folder, "sigBTC58")
    config = read(folder, "proofConfig")
    assert {"@context": document["@context"], **plain} == {"@context": document["@context"], **config}


@each_folder
def test_ours_on_their_documents_verifies_with_the_same_options(folder: Path) -> None:
    document, proof, plain, suite = signed(folder)
    signer = SoftwareSigner.generate(key_of(proof).algorithm.name)
    made = suite.sign(document, plain, signer=signer, mandatory=None, random=bytes)
    suite.verify(document, made, key=signer.public)
    assert {**made, "proofValue": ""} == {**proof, "proofValue": ""}


@pytest.mark.parametrize(
    "name", ["eddsa-rdfc-2022", "eddsa-rdfc-2022 employ", "eddsa-jcs-2022", "Ed25519Signature2020"]
)
def test_ed25519_proofs_are_made_again_to_the_byte(name: str) -> None:
    document, proof, plain, suite = signed(FOLDERS[name])
    signer = ed25519_signer(json.loads((EDDSA / "keyPair.json").read_text()))
    made = suite.sign(document, plain, signer=signer, mandatory=None, random=bytes)
    assert made == proof


@pytest.mark.parametrize("name", ["signedProofSet1", "signedProofSet2", "signedProofChain1", "signedProofChain2"])
def test_sets_and_chains_verify(name: str) -> None:
    document = json.loads((CHAIN / f"{name}.json").read_text())
    found = proofs.verify(document, keys=Keys(), purpose="assertionMethod", now=NOW)
    assert len(found) == len(document["proof"]) if isinstance(document["proof"], list) else 1
    assert proofs.verdict(found).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("start", "config", "pair", "result"),
    [
        ("signedProofSet1", "proofSetConfig2", "keyPair2", "signedProofSet2"),
        ("signedProofSet2", "proofChainConfig1", "keyPair3", "signedProofChain1"),
        ("signedProofChain1", "proofChainConfig2", "keyPair4", "signedProofChain2"),
    ],
)
def test_sets_and_chains_are_made_again_to_the_byte(start: str, config: str, pair: str, result: str) -> None:
    document, options_, pairs, expected = (
        json.loads((CHAIN / f"{name}.json").read_text()) for name in (start, config, "multiKeyPairs", result)
    )
    made = proofs.add(
        document,
        suite=suites.by_name("eddsa-rdfc-2022"),
        signer=ed25519_signer(pairs[pair]),
        verification_method=options_["verificationMethod"],
        created=options.read(options_).created,
        previous=options_.get("previousProof"),
        proof_id=options_.get("id"),
    )
    assert made == expected


@pytest.mark.parametrize("name", ["proofChainTempDoc1", "proofChainTempDoc2"])
def test_what_a_chained_proof_is_over_is_the_document_with_the_proofs_before_it(name: str) -> None:
    number = name[-1]
    temporary = json.loads((CHAIN / f"{name}.json").read_text())
    proof = json.loads((CHAIN / f"proofChainConfigSigned{number}.json").read_text())
    suites.of(proof).verify(temporary, proof, key=key_of(proof))


def test_the_key_pairs_are_their_own() -> None:
    for path in (ECDSA / "p256KeyPair.json", ECDSA / "p384KeyPair.json"):
        pair = json.loads(path.read_text())
        key = multikey.decode(pair["publicKeyMultibase"])
        secret = pair.get("privateKeyMultibase") or pair["secretKeyMultibase"]
        number = int.from_bytes(unbase58(secret[1:])[2:], "big")
        assert isinstance(key.algorithm.curve, ec.EllipticCurve)
        assert PublicKey.from_native(ec.derive_private_key(number, key.algorithm.curve).public_key()) == key
