"""Secrets of the holder under a BBS signature, and pseudonyms: the cryptography of Data Integrity BBS's vectors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

import pytest

from ssi.bbs import blind, commitments, pseudonyms
from ssi.bbs.blind import Secrets, Signed
from ssi.bbs.ciphersuites import SHA256
from ssi.bbs.keys import BbsSigner, secret_key
from ssi.bbs.pseudonyms import NymSecrets
from ssi.errors import SsiError
from tests.conftest import VECTORS

FOLDER = VECTORS / "vc-di-bbs"
PRESENTATION = bytes.fromhex("113377aa")
CONTEXT = b"https://verifier.test"


def read(name: str) -> Any:
    """A file of the vectors, or a skip when they are not here."""
    path = FOLDER / f"{name}.json"
    if not path.exists():
        pytest.skip("no specification vectors (FACET_VECTORS)")
    return json.loads(path.read_text())


def raw(name: str, member: str) -> bytes:
    return bytes.fromhex(read(name)[member])


def signed(folder: str) -> Signed:
    """The base signature of a folder with what it is over."""
    messages = [line.encode() for _, line in read(f"{folder}/addBaseTransform")["nonMandatory"]["value"]]
    made = f"{folder}/addRawBaseSignatureInfo"
    return Signed(raw("BBSKeyMaterial", "publicKeyHex"), raw(made, "bbsSignature"), raw(made, "bbsHeader"), messages)


def mocked(suffix: bytes, total: int) -> Callable[[int], bytes]:
    """The vectors' random source: the draft's mocked one, under the bare name of the interface."""
    seed = raw("BBSDeriveMaterial", "pseudoRandSeedHex")
    stream = SHA256.expand(seed, SHA256.id + suffix, 48 * total)
    pieces = iter([stream[at : at + 48] for at in range(0, len(stream), 48)])
    return lambda size: next(pieces)


def test_holder_binding_vectors() -> None:
    base, blinded = signed("HolderBinding"), "HolderBinding/commitmentInfo"
    secrets = Secrets((raw("FeatureInputs/holderSecret", "holderSecretHex"),), raw(blinded, "secretProverBlind"))
    commitment, key = raw(blinded, "commitmentWithProof"), raw("BBSKeyMaterial", "privateKeyHex")
    assert blind.sign(key, base.public, commitment, base.header, base.messages) == base.signature
    blind.verify(base, secrets)
    derived = read("HolderBinding/derivedDisclosureData")
    indexes, proof = derived["adjSelectiveIndexes"], bytes.fromhex(derived["bbsProof"])
    shown = {index: base.messages[index] for index in indexes}
    blind.verify_proof(base.public, proof, base.header, PRESENTATION, shown, messages=len(base.messages))
    random = mocked(b"BLIND_H2G_HM2S_", 5 + len(base.messages) + 2 - len(indexes))
    assert blind.prove(base, secrets, PRESENTATION, indexes, random=random) == proof


@pytest.mark.parametrize("folder", ["Pseudonym", "PseudonymHB"])
def test_pseudonym_vectors(folder: str) -> None:
    base, blinded = signed(folder), f"{folder}/commitmentInfo"
    held = (raw("FeatureInputs/holderSecret", "holderSecretHex"),) if folder == "PseudonymHB" else ()
    entropy = raw("FeatureInputs/signerNymEntropy", "signerNymEntropyHex")
    prover_nym = raw("FeatureInputs/proverNym", "proverNymHex")
    secrets = NymSecrets(prover_nym, entropy, raw(blinded, "secretProverBlind"), held)
    assert secrets.secret().to_be_bytes().hex() == "0" + read(f"{folder}/nymSecret")["nymSecretHex"]
    commitment, key = raw(blinded, "commitmentWithProof"), raw("BBSKeyMaterial", "privateKeyHex")
    made = pseudonyms.sign(key, base.public, commitment, entropy, base.header, base.messages, secrets=len(held))
    assert made == base.signature
    pseudonyms.verify(base, secrets)
    derived, context = (
        read(f"{folder}/derivedDisclosureData"),
        read("FeatureInputs/verifierInfo")["verifierId"].encode(),
    )
    indexes, proof = derived["adjSelectiveIndexes"], bytes.fromhex(derived["bbsProof"])
    check = partial(
        pseudonyms.verify_proof,
        base.public,
        proof,
        base.header,
        PRESENTATION,
        {index: base.messages[index] for index in indexes},
        messages=len(base.messages),
        secrets=len(held),
    )
    check(pseudonym=bytes.fromhex(derived["pseudonym"]), context=context)
    total = 5 + len(base.messages) + 2 + len(held) - len(indexes)
    random = mocked(b"H2G_HM2S_PSEUDONYM_", total)
    again = pseudonyms.prove(base, secrets, PRESENTATION, context, indexes, random=random)
    assert again == (proof, bytes.fromhex(derived["pseudonym"]))


# --- our own, from end to end -----------------------------------------------------------------------------------------

SECRET = secret_key(b"not a secret, for tests only, 32+")
PUBLIC = BbsSigner.from_secret(SECRET).public.x
HEADER, MESSAGES, HELD = b"header", [b"name", b"birthdate", b"portrait"], b"the holder's secret"


def source(seed: bytes = b"seed") -> Callable[[int], bytes]:
    """Bytes that look random and are the same in every run."""
    numbers = count()
    return lambda size: hashlib.shake_256(seed + next(numbers).to_bytes(4, "big")).digest(size)


def code(call: Callable[[], object]) -> str:
    with pytest.raises(SsiError) as caught:
        call()
    return caught.value.code


def bound() -> tuple[Signed, Secrets]:
    """A signature bound to a holder's secret, and what the holder keeps."""
    commitment = blind.commit([HELD], random=source())
    signature = blind.sign(SECRET, PUBLIC, commitment.octets, HEADER, MESSAGES)
    return Signed(PUBLIC, signature, HEADER, MESSAGES), Secrets((HELD,), commitment.blind)


def test_only_the_holder_of_the_secret_can_prove() -> None:
    base, secrets = bound()
    blind.verify(base, secrets)
    check = partial(blind.verify_proof, PUBLIC, header=HEADER, presentation_header=b"", messages=3)
    check(proof=blind.prove(base, secrets, b"", [1], random=source()), disclosed={1: b"birthdate"})
    stolen = replace(secrets, committed=(b"a guess",))
    assert code(lambda: blind.verify(base, stolen)) == "bbs.signature"
    forged = blind.prove(base, stolen, b"", [1], random=source())
    assert code(lambda: check(proof=forged, disclosed={1: b"birthdate"})) == "bbs.proof"
    assert HELD.hex() not in repr(secrets)
    assert "the holder" not in repr(secrets)


def test_a_proof_is_for_its_own_number_of_messages_and_secrets() -> None:
    base, secrets = bound()
    proof = blind.prove(base, secrets, b"", [1], random=source())
    check = partial(blind.verify_proof, PUBLIC, proof, HEADER, b"", {1: b"birthdate"})
    assert code(lambda: check(messages=2)) == "bbs.length"
    assert code(lambda: check(messages=2, secrets=2)) == "bbs.proof"
    assert code(lambda: check(messages=3, secrets=0)) == "bbs.length"
    assert code(lambda: check(messages=-1, secrets=5)) == "bbs.length"
    assert code(lambda: blind.prove(base, secrets, b"", [3], random=source())) == "bbs.indexes"


def test_commitments_prove_what_they_hold() -> None:
    commitment = blind.commit([HELD], random=source()).octets
    sign = partial(blind.sign, SECRET, PUBLIC, header=HEADER, messages=MESSAGES)
    assert code(lambda: sign(commitment=commitment[:-1])) == "bbs.length"
    assert code(lambda: sign(commitment=commitment, secrets=2)) == "bbs.length"
    assert code(lambda: sign(commitment=bytes(48 + 64 + 32 * 9), secrets=9)) == "bbs.length"
    assert code(lambda: sign(commitment=bytes(48) + commitment[48:])) == "bbs.point"
    assert code(lambda: sign(commitment=commitment[:-32] + bytes(32))) == "bbs.scalar"
    assert code(lambda: sign(commitment=commitment[:-1] + bytes([commitment[-1] ^ 1]))) == "bbs.commitment"
    assert "blind" not in repr(commitments.Commitment(b"", b"blind"))
    many = [b""] * 200
    assert code(lambda: sign(commitment=commitment, messages=many)) == "bbs.messages"
    other_interface = pseudonyms.commit(pseudonyms.fresh(random=source()), random=source()).octets
    assert code(lambda: sign(commitment=other_interface)) == "bbs.commitment"


def pseudonymous(held: tuple[bytes, ...] = ()) -> tuple[Signed, NymSecrets]:
    """A signature with a pseudonym secret in it, and what the holder keeps."""
    prover_nym, entropy = pseudonyms.fresh(random=source(b"nym")), pseudonyms.fresh(random=source(b"entropy"))
    commitment = pseudonyms.commit(prover_nym, held, random=source())
    signature = pseudonyms.sign(SECRET, PUBLIC, commitment.octets, entropy, HEADER, MESSAGES, secrets=len(held))
    return Signed(PUBLIC, signature, HEADER, MESSAGES), NymSecrets(prover_nym, entropy, commitment.blind, held)


@pytest.mark.parametrize("held", [(), (HELD,)])
def test_a_pseudonym_is_one_per_context(held: tuple[bytes, ...]) -> None:
    base, secrets = pseudonymous(held)
    pseudonyms.verify(base, secrets)
    proof, here = pseudonyms.prove(base, secrets, b"1", CONTEXT, [0], random=source(b"1"))
    again, same = pseudonyms.prove(base, secrets, b"2", CONTEXT, [], random=source(b"2"))
    _, elsewhere = pseudonyms.prove(base, secrets, b"1", b"https://other.test", [0], random=source(b"1"))
    assert here == same != elsewhere
    assert proof != again
    check = partial(pseudonyms.verify_proof, PUBLIC, proof, HEADER, b"1", {0: b"name"}, messages=3, secrets=len(held))
    check(pseudonym=here, context=CONTEXT)
    assert code(lambda: check(pseudonym=elsewhere, context=CONTEXT)) == "bbs.proof"
    assert code(lambda: check(pseudonym=here, context=b"https://other.test")) == "bbs.proof"
    assert code(lambda: check(pseudonym=b"\xc0" + bytes(47), context=CONTEXT)) == "bbs.point"
    assert code(lambda: check(pseudonym=b"", context=CONTEXT)) == "bbs.point"


def test_another_persons_pseudonym_cannot_be_borrowed() -> None:
    base, secrets = pseudonymous()
    borrowed = replace(secrets, prover_nym=pseudonyms.fresh(random=source(b"another's")))
    assert code(lambda: pseudonyms.verify(base, borrowed)) == "bbs.signature"
    proof, nym = pseudonyms.prove(base, borrowed, b"", CONTEXT, [], random=source())
    check = partial(pseudonyms.verify_proof, PUBLIC, proof, HEADER, b"", {}, messages=3)
    assert code(lambda: check(pseudonym=nym, context=CONTEXT)) == "bbs.proof"
    assert code(lambda: pseudonyms.commit(bytes(32), random=source())) == "bbs.scalar"
    assert secrets.prover_nym.hex() not in repr(secrets)
