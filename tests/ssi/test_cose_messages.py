"""Signed and authenticated COSE messages, and the keys for them: what is made here is read here, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.cose import cbor, headers, keys, mac0, sign1
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.keys import ALGORITHMS, PublicKey, SoftwareSigner

SIGNER = SoftwareSigner.generate("ES256")
SECRET = bytes(range(32))
KEY: dict[Any, Any] = keys.write(SIGNER.public)


def refusal_of(value: Any) -> str:
    """The code with which a message's array is refused."""
    with pytest.raises(SsiError) as refusal:
        sign1.of(value)
    return refusal.value.code


def protected(members: dict[Any, Any]) -> bytes:
    return cbor.encode(members)


@pytest.mark.parametrize("alg", list(ALGORITHMS))
def test_every_algorithm_signs_and_verifies(alg: str) -> None:
    signer = SoftwareSigner.generate(alg)
    message = sign1.parse(sign1.sign(b"hello", protected={headers.CONTENT_TYPE: "text/plain"}, signer=signer))
    assert (message.alg, message.payload, message.protected[headers.CONTENT_TYPE]) == (alg, b"hello", "text/plain")
    sign1.verify(message, signer.public)
    with pytest.raises(Refused) as refusal:
        sign1.verify(message, SoftwareSigner.generate(alg).public)
    assert refusal.value.code == "cose.signature"
    with pytest.raises(Refused) as refusal:
        sign1.verify(message, SoftwareSigner.generate("ES384" if alg != "ES384" else "ES256").public)
    assert refusal.value.code == "cose.key_alg"


def test_the_tag_may_be_left_out_and_another_may_not_stand_there() -> None:
    made = sign1.sign(b"", protected={}, signer=SIGNER, tagged=False)
    assert made[0] == 0x84
    assert sign1.parse(made) == sign1.parse(b"\xd2" + made) == sign1.parse(b"\xd8\x3d\xd2" + made, cwt=True)
    for other in (b"\xd1", b"\xd8\x3d\xd2", b"\xd9\x03\xe6", b"\xd2\xd2"):
        with pytest.raises(Malformed):
            sign1.parse(other + made)


def test_a_payload_is_there_once() -> None:
    message = sign1.make(b"elsewhere", protected={}, signer=SIGNER, detached=True)
    assert message.payload is None
    sign1.verify(message, SIGNER.public, payload=b"elsewhere")
    attached = sign1.make(b"here", protected={}, signer=SIGNER)
    for wrong, payload in ((message, None), (attached, b"here")):
        with pytest.raises(Malformed) as refusal:
            sign1.verify(wrong, SIGNER.public, payload=payload)
        assert refusal.value.code == "cose.payload"


def test_a_message_says_which_key_and_which_certificates() -> None:
    message = sign1.make(b"", protected={}, signer=SIGNER, unprotected={headers.KID: b"11", headers.X5CHAIN: b"DER"})
    assert (message.kid, message.x5chain) == (b"11", (b"DER",))
    assert sign1.make(b"", protected={headers.X5CHAIN: [b"a", b"b"]}, signer=SIGNER).x5chain == (b"a", b"b")
    assert sign1.make(b"", protected={}, signer=SIGNER).x5chain == ()
    with pytest.raises(Malformed) as refusal:
        _ = sign1.make(b"", protected={headers.KID: "text"}, signer=SIGNER).kid
    assert refusal.value.code == "cose.kid"
    for wrong in ([], [b""], "DER", [b"a"] * 9):
        with pytest.raises(Malformed) as refusal:
            _ = sign1.make(b"", protected={headers.X5CHAIN: wrong}, signer=SIGNER).x5chain
        assert refusal.value.code == "cose.x5chain"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({}, "cose.sign1"),
        ([b"", {}, b""], "cose.sign1"),
        ([b"", {}, "text", b""], "cose.sign1"),
        ([b"", {}, b"", None], "cose.sign1"),
        (["", {}, b"", b""], "cose.protected"),
        ([bytes(70_000), {}, b"", b""], "cose.protected"),
        ([b"\x80", {}, b"", b""], "cbor.map"),
        ([b"", {}, b"", b""], "cose.alg"),
        ([protected({1: -257}), {}, b"", b""], "cose.alg"),
        ([protected({1: "ES256"}), {}, b"", b""], "cose.alg"),
        ([protected({1: -7.0}), {}, b"", b""], "cose.alg"),
        ([protected({1: -7, 1.5: 0}), {}, b"", b""], "cbor.label"),
        ([protected({1: -7}), [], b"", b""], "cose.unprotected"),
        ([protected({1: -7}), {1.5: 0}, b"", b""], "cbor.label"),
        ([protected({1: -7}), {2: [1]}, b"", b""], "cose.unprotected"),
        ([protected({1: -7}), {1: -7}, b"", b""], "cose.label_twice"),
        ([protected({1: -7, 2: []}), {}, b"", b""], "cose.crit"),
        ([protected({1: -7, 2: 1}), {}, b"", b""], "cose.crit"),
        ([protected({1: -7, 2: [4]}), {}, b"", b""], "cose.crit"),
        ([protected({1: -7, 2: [[4]]}), {}, b"", b""], "cose.crit"),
        ([protected({1: -7, 2: ["new"], "new": 1}), {}, b"", b""], "cose.crit"),
    ],
)
def test_what_breaks_a_rule_of_the_headers_is_refused(value: Any, code: str) -> None:
    assert refusal_of(value) == code


def test_critical_headers_that_are_understood_do_no_harm() -> None:
    message = sign1.parse(sign1.sign(b"", protected={headers.CRIT: [headers.KID], headers.KID: b"1"}, signer=SIGNER))
    sign1.verify(message, SIGNER.public)


def test_long_protected_headers_are_read_too() -> None:
    message = sign1.parse(sign1.sign(b"", protected={headers.X5CHAIN: bytes(1000)}, signer=SIGNER))
    assert message.x5chain == (bytes(1000),)


@dataclass(frozen=True)
class Foreign:
    """A key of an algorithm that COSE has no number for here."""

    public: PublicKey
    kid: str = ""

    def sign(self, message: bytes) -> bytes:
        return b""


def test_a_key_without_a_cose_algorithm_signs_nothing() -> None:
    with pytest.raises(Unsupported) as refusal:
        sign1.make(b"", protected={}, signer=Foreign(PublicKey.bbs(bytes(96))))
    assert refusal.value.code == "cose.alg"
    with pytest.raises(Unsupported) as refusal:
        keys.write(PublicKey.bbs(bytes(96)))
    assert refusal.value.code == "key.type"


# --- authentication codes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("alg", "size"), [(5, 32), (6, 48), (7, 64)])
def test_codes_are_whole_hmacs(alg: int, size: int) -> None:
    made = mac0.make(b"hello", key=SECRET, alg=alg)
    message = mac0.parse(cbor.encode(cbor.Tag(mac0.TAG, made.array)))
    assert (message.alg, len(message.mac), message.payload) == (alg, size, b"hello")
    mac0.verify(message, SECRET)
    for key, aad in ((SECRET[1:], b""), (SECRET, b"other")):
        with pytest.raises(Refused) as refusal:
            mac0.verify(message, key, external_aad=aad)
        assert refusal.value.code == "cose.mac"


def test_a_code_may_be_over_something_that_is_elsewhere() -> None:
    made = mac0.make(b"elsewhere", key=SECRET, detached=True)
    assert mac0.parse(cbor.encode(made.array)) == made
    mac0.verify(made, SECRET, payload=b"elsewhere")
    with pytest.raises(Malformed):
        mac0.verify(made, SECRET)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([], "cose.mac0"),
        ([b"", {}, b"", "mac"], "cose.mac0"),
        ([b"", {}, 1, b""], "cose.mac0"),
        ([b"", {}, b"", b""], "cose.alg"),
        ([protected({1: 4}), {}, b"", b""], "cose.alg"),
        ([protected({1: -7}), {}, b"", b""], "cose.alg"),
    ],
)
def test_other_codes_are_refused(value: Any, code: str) -> None:
    with pytest.raises(SsiError) as refusal:
        mac0.of(value)
    assert refusal.value.code == code
    with pytest.raises(Unsupported):
        mac0.make(b"", key=SECRET, alg=4)


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", list(ALGORITHMS))
def test_keys_come_back_as_they_went(alg: str) -> None:
    public = SoftwareSigner.generate(alg).public
    assert keys.read(keys.write(public)) == public
    assert keys.read(cbor.decode(cbor.encode(keys.write(public)))) == public


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512"])
def test_a_point_may_come_with_only_the_sign_of_its_y(alg: str) -> None:
    public = SoftwareSigner.generate(alg).public
    assert keys.read({**keys.write(public), keys.Y: bool(public.y[-1] & 1)}) == public
    assert keys.read({**keys.write(public), keys.Y: not public.y[-1] & 1}) != public


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([], "key.cose"),
        ({**KEY, 1.5: 0}, "cbor.label"),
        ({**KEY, -4: b""}, "key.private"),
        ({**KEY, 1: 3}, "key.type"),
        ({**KEY, 1: 2.0}, "key.type"),
        ({**KEY, -1: 8}, "key.type"),
        ({**KEY, -1: []}, "key.type"),
        ({**KEY, 3: -35}, "key.cose"),
        ({**KEY, 3: []}, "key.cose"),
        ({**KEY, 4: [1]}, "key.use"),
        ({**KEY, 4: 2}, "key.use"),
        ({**KEY, -2: "x"}, "key.cose"),
        ({**KEY, -3: 7}, "key.cose"),
        ({**KEY, -3: bytes(67)}, "key.cose"),
        ({**KEY, -3: b""}, "key.point"),
        ({**KEY, -3: bytes(32)}, "key.point"),
        ({**KEY, -2: b"\xff" * 32, -3: True}, "key.point"),
        ({1: 1, -1: 6, -2: bytes(32), -3: True}, "key.cose"),
        ({1: 1, -1: 6, -2: bytes(31)}, "key.point"),
    ],
)
def test_what_is_no_public_key_of_the_house_is_refused(value: Any, code: str) -> None:
    with pytest.raises(SsiError) as refusal:
        keys.read(value)
    assert refusal.value.code == code


def test_members_that_say_more_of_a_key_are_allowed() -> None:
    assert keys.read({**KEY, 2: b"kid", 3: -9, 4: [2, 7], "more": 1}) == SIGNER.public


@given(data=st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: b"\x84\x43\xa1\x01\x26\xa0" + tail))
def test_readers_raise_only_ssi_error(data: bytes) -> None:
    for read in (sign1.parse, mac0.parse, lambda raw: keys.read(cbor.decode(raw))):
        try:
            read(data)
        except SsiError:
            continue
