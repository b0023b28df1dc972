"""The COSE working group's examples and RFC 8152's: what was signed elsewhere verifies here, if unbroken."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from ssi.cose import mac0, sign1
from ssi.cose.cbor import decode
from ssi.encoding import b64url
from ssi.errors import SsiError, Unsupported
from ssi.keys import PublicKey, SoftwareSigner
from tests.conftest import VECTORS

FOLDER = VECTORS / "cose-examples"
NAMES = (
    *(f"sign1-tests/sign-pass-0{number}" for number in (2, 3)),
    *(f"ecdsa-examples/ecdsa-sig-0{number}" for number in (1, 2, 3)),
    "eddsa-examples/eddsa-sig-01",
    "RFC8152/Appendix_C_2_1",
)
REFUSED = (*(f"sign1-tests/sign-fail-0{number}" for number in (1, 2, 3, 4, 6, 7)), "ecdsa-examples/ecdsa-sig-04")


def example(name: str) -> dict[str, Any]:
    path = FOLDER / f"{name}.json"
    if not path.exists():
        pytest.skip("no specification vectors (FACET_VECTORS)")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def key_of(found: dict[str, Any]) -> PublicKey:
    """The example's key; those of Ed25519 come in hex."""
    jwk = {name: value for name, value in found["input"]["sign0"]["key"].items() if name in ("kty", "crv", "x", "y")}
    if "x_hex" in found["input"]["sign0"]["key"]:
        jwk["x"] = b64url(bytes.fromhex(found["input"]["sign0"]["key"]["x_hex"]))
    return PublicKey.from_jwk(jwk)


def external(found: dict[str, Any]) -> bytes:
    return bytes.fromhex(found["input"]["sign0"].get("external", ""))


@pytest.mark.parametrize("name", NAMES)
def test_examples_verify(name: str) -> None:
    found = example(name)
    message = sign1.parse(bytes.fromhex(found["output"]["cbor"]))
    assert message.payload == found["input"]["plaintext"].encode()
    sign1.verify(message, key_of(found), external_aad=external(found))
    with pytest.raises(SsiError):
        sign1.verify(message, key_of(found), external_aad=external(found) + b"\0")
    with pytest.raises(SsiError):
        sign1.verify(message, SoftwareSigner.generate(message.alg).public, external_aad=external(found))


@pytest.mark.parametrize("name", REFUSED)
def test_broken_examples_do_not_verify(name: str) -> None:
    found = example(name)
    with pytest.raises(SsiError):
        sign1.verify(sign1.parse(bytes.fromhex(found["output"]["cbor"])), key_of(found), external_aad=external(found))


@dataclass(frozen=True)
class Recorder:
    """Signs nothing, and keeps what it was asked to sign."""

    public: PublicKey
    asked: list[bytes] = field(default_factory=list)
    kid: str = "11"

    def sign(self, message: bytes) -> bytes:
        self.asked.append(message)
        return b""


@pytest.mark.parametrize("name", NAMES)
def test_what_is_signed_is_what_the_example_says(name: str) -> None:
    found = example(name)
    message, recorder = sign1.parse(bytes.fromhex(found["output"]["cbor"])), Recorder(key_of(found))
    sign1.sign(message.payload or b"", protected=message.protected, signer=recorder, external_aad=external(found))
    assert recorder.asked == [bytes.fromhex(found["intermediates"]["ToBeSign_hex"])]


def test_an_algorithm_that_is_not_signed_for_is_refused() -> None:
    """sign-pass-01 has it among the unprotected headers, where RFC 9052 §3.1 does not want it."""
    with pytest.raises(Unsupported) as refusal:
        sign1.parse(bytes.fromhex(example("sign1-tests/sign-pass-01")["output"]["cbor"]))
    assert refusal.value.code == "cose.alg"


def test_the_mac_structure_is_that_of_the_rfc() -> None:
    """RFC 8152 C.6.1 uses AES-MAC, which is not accepted; what is authenticated is the same for all algorithms."""
    found = example("RFC8152/Appendix_C_6_1")
    message = bytes.fromhex(found["output"]["cbor"])
    headers, _, payload, _ = decode(message).value
    assert mac0.to_be_authenticated(headers, b"", payload) == bytes.fromhex(found["intermediates"]["ToMac_hex"])
    with pytest.raises(Unsupported) as refusal:
        mac0.parse(message)
    assert refusal.value.code == "cose.alg"
