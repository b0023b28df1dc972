"""The IRTF draft's fixtures: every key, scalar, generator, signature and proof of both ciphersuites, true and false."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ssi import bbs
from ssi.bbs.ciphersuites import Interface, generators
from ssi.bbs.core import Statement
from ssi.errors import SsiError
from tests.conftest import VECTORS

FOLDER = VECTORS / "bbs-signature"
SUITES = {"bls12-381-sha-256": bbs.SHA256, "bls12-381-shake-256": bbs.SHAKE256}
ABSENT = pytest.param("", "", marks=pytest.mark.skip("no specification vectors (FACET_VECTORS)"))


def files(kind: str) -> list[Any]:
    """Every fixture of a kind in both ciphersuites."""
    found = sorted(path for name in SUITES for path in (FOLDER / name / kind).glob("*.json"))
    return [pytest.param(path.parts[-3], path, id=f"{path.parts[-3]}-{path.stem}") for path in found] or [ABSENT]


def read(path: Path) -> Any:
    """A fixture, or a skip when the vectors are not here."""
    if not path.exists():
        pytest.skip("no specification vectors (FACET_VECTORS)")
    return json.loads(path.read_text())


def fixture(suite: str, name: str) -> Any:
    """A fixture by its ciphersuite and name."""
    return read(FOLDER / suite / f"{name}.json")


def raw(value: str) -> bytes:
    return bytes.fromhex(value)


def mocked(suite: str, seed: bytes, dst: bytes, count: int) -> Callable[[int], bytes]:
    """The fixtures' random source: one long expansion, read in pieces (§8.1)."""
    stream = SUITES[suite].expand(seed, dst, 48 * count)
    pieces = iter([stream[at : at + 48] for at in range(0, len(stream), 48)])
    return lambda size: next(pieces)[:size]


both = pytest.mark.parametrize("suite", list(SUITES))


@both
def test_hash_to_scalar(suite: str) -> None:
    case = fixture(suite, "h2s")
    found = SUITES[suite].hash_to_scalar(raw(case["message"]), raw(case["dst"]))
    assert found.to_be_bytes().hex() == case["scalar"]


@both
def test_messages_to_scalars(suite: str) -> None:
    case, interface = fixture(suite, "MapMessageToScalarAsHash"), Interface(SUITES[suite])
    assert raw(case["dst"]) == interface.api_id + b"MAP_MSG_TO_SCALAR_AS_HASH_"
    found = interface.scalars([raw(each["message"]) for each in case["cases"]])
    assert [value.to_be_bytes().hex() for value in found] == [each["scalar"] for each in case["cases"]]


@both
def test_generators(suite: str) -> None:
    case, interface = fixture(suite, "generators"), Interface(SUITES[suite])
    found = generators(interface, 11)
    assert SUITES[suite].p1.to_compressed_bytes().hex() == case["P1"]
    assert [point.to_compressed_bytes().hex() for point in found.points] == [case["Q1"], *case["MsgGenerators"]]
    assert found.octets.hex() == "".join([case["Q1"], *case["MsgGenerators"]])


@both
def test_key_pair(suite: str) -> None:
    case = fixture(suite, "keypair")
    secret = bbs.secret_key(
        raw(case["keyMaterial"]), raw(case["keyInfo"]), dst=raw(case["keyDst"]), suite=SUITES[suite]
    )
    assert secret.hex() == case["keyPair"]["secretKey"]
    assert bbs.public_key(secret).hex() == case["keyPair"]["publicKey"]


@both
def test_mocked_random_scalars(suite: str) -> None:
    from ssi.bbs.curve import random_scalars

    case = fixture(suite, "mockedRng")
    random = mocked(suite, raw(case["seed"]), raw(case["dst"]), case["count"])
    found = random_scalars(case["count"], random=random)
    assert [value.to_be_bytes().hex() for value in found] == case["mockedScalars"]


@pytest.mark.parametrize(("suite", "path"), files("signature"))
def test_signature(suite: str, path: Path) -> None:
    case, made_with = read(path), SUITES[suite]
    secret, public = raw(case["signerKeyPair"]["secretKey"]), raw(case["signerKeyPair"]["publicKey"])
    header, messages, signature = raw(case["header"]), [raw(m) for m in case["messages"]], raw(case["signature"])
    if not case["result"]["valid"]:
        with pytest.raises(SsiError) as refused:
            bbs.verify(public, signature, header, messages, suite=made_with)
        assert refused.value.code == "bbs.signature"
        return
    bbs.verify(public, signature, header, messages, suite=made_with)
    assert bbs.sign(secret, public, header, messages, suite=made_with) == signature
    interface = Interface(made_with)
    made = Statement(interface, public, generators(interface, len(messages) + 1), header, interface.scalars(messages))
    assert made.domain().to_be_bytes().hex() == case["trace"]["domain"]
    assert made.point(made.domain()).to_compressed_bytes().hex() == case["trace"]["B"]


@pytest.mark.parametrize(("suite", "path"), files("proof"))
def test_proof(suite: str, path: Path) -> None:
    case, made_with = read(path), SUITES[suite]
    public, proof, header = raw(case["signerPublicKey"]), raw(case["proof"]), raw(case["header"])
    presentation, messages = raw(case["presentationHeader"]), [raw(m) for m in case["messages"]]
    shown = {index: messages[index] for index in case["disclosedIndexes"]}
    if not case["result"]["valid"]:
        with pytest.raises(SsiError) as refused:
            bbs.verify_proof(public, proof, header, presentation, shown, suite=made_with)
        assert refused.value.code == "bbs.proof"
        return
    bbs.verify_proof(public, proof, header, presentation, shown, suite=made_with)
    rng = fixture(suite, "mockedRng")
    random = mocked(suite, raw(rng["seed"]), raw(rng["dst"]), 5 + len(messages) - len(shown))
    signature = raw(case["signature"])
    assert (
        bbs.prove(
            public, signature, header, presentation, messages, case["disclosedIndexes"], random=random, suite=made_with
        )
        == proof
    )
