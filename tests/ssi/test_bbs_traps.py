"""What BBS must refuse: points and numbers that prove nothing, lists of the wrong length, and poor randomness."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_arkworks_bls12381 import G1Point, Scalar

from ssi import bbs
from ssi.bbs import curve, proofs
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.keys import MessagesSigner, PublicKey, Signer

HEADER, PRESENTATION = b"header", b"presentation"
MESSAGES = [b"name", b"birthdate", b"", b"name"]
SIGNER = bbs.BbsSigner.from_secret(bbs.secret_key(b"not a secret, for tests only, 32+"))
PUBLIC = SIGNER.public.x
SIGNATURE = SIGNER.sign_all(HEADER, MESSAGES)
ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001


def source(seed: bytes = b"seed") -> Callable[[int], bytes]:
    """Bytes that look random and are the same in every run."""
    numbers = count()
    return lambda size: hashlib.shake_256(seed + next(numbers).to_bytes(4, "big")).digest(size)


def proof(*indexes: int) -> bytes:
    return bbs.prove(PUBLIC, SIGNATURE, HEADER, PRESENTATION, MESSAGES, indexes, random=source())


PROOF = proof(0, 2)
SHOWN = {0: MESSAGES[0], 2: MESSAGES[2]}


def code(call: Callable[[], object]) -> str:
    with pytest.raises(SsiError) as caught:
        call()
    return caught.value.code


def check(octets: bytes = PROOF, public: bytes = PUBLIC, shown: Any = SHOWN) -> None:
    bbs.verify_proof(public, octets, HEADER, PRESENTATION, shown)


def test_signs_and_proves() -> None:
    bbs.verify(PUBLIC, SIGNATURE, HEADER, MESSAGES)
    check()
    for indexes in ((), (0, 1, 2, 3), (3,), (2, 0)):
        bbs.verify_proof(PUBLIC, proof(*indexes), HEADER, PRESENTATION, {i: MESSAGES[i] for i in indexes})
    empty = SIGNER.sign_all(b"", [])
    bbs.verify(PUBLIC, empty, b"", [])
    bbs.verify_proof(PUBLIC, bbs.prove(PUBLIC, empty, b"", b"", [], [], random=source()), b"", b"", {})


def test_two_proofs_share_no_bytes_that_could_link_them() -> None:
    one = bbs.prove(PUBLIC, SIGNATURE, HEADER, PRESENTATION, MESSAGES, [0], random=source(b"a"))
    two = bbs.prove(PUBLIC, SIGNATURE, HEADER, PRESENTATION, MESSAGES, [0], random=source(b"b"))
    parts = [{octets[at : at + 16] for at in range(len(octets) - 15)} for octets in (one, two)]
    assert not parts[0] & parts[1]


@pytest.mark.parametrize("at", [0, 47, 48, 79])
def test_a_changed_signature_is_refused(at: int) -> None:
    changed = bytearray(SIGNATURE)
    changed[at] ^= 1
    assert code(lambda: bbs.verify(PUBLIC, bytes(changed), HEADER, MESSAGES)) in ("bbs.point", "bbs.signature")


def test_a_signature_of_another_is_refused() -> None:
    other = bbs.BbsSigner.generate(random=source()).public.x
    assert code(lambda: bbs.verify(other, SIGNATURE, HEADER, MESSAGES)) == "bbs.signature"
    assert code(lambda: bbs.verify(PUBLIC, SIGNATURE, b"other", MESSAGES)) == "bbs.signature"
    assert code(lambda: bbs.verify(PUBLIC, SIGNATURE, HEADER, MESSAGES[::-1])) == "bbs.signature"
    assert code(lambda: bbs.verify(PUBLIC, SIGNATURE, HEADER, [*MESSAGES, b""])) == "bbs.signature"
    assert code(lambda: bbs.verify(PUBLIC, SIGNATURE, HEADER, MESSAGES, suite=bbs.SHAKE256)) == "bbs.signature"


IDENTITY = b"\xc0" + bytes(47)
OTHER_IDENTITY = b"\xff" * 48  # arkworks reads this as the identity, too
OFF_CURVE = b"\x80" + bytes(46) + b"\x01"


@pytest.mark.parametrize("point", [IDENTITY, OTHER_IDENTITY, OFF_CURVE, bytes(48)])
@pytest.mark.parametrize("at", [0, 48, 96])
def test_points_that_prove_nothing_are_refused(point: bytes, at: int) -> None:
    assert code(lambda: check(PROOF[:at] + point + PROOF[at + 48 :])) == "bbs.point"
    if not at:
        assert code(lambda: bbs.verify(PUBLIC, point + SIGNATURE[48:], HEADER, MESSAGES)) == "bbs.point"


def test_points_outside_the_subgroup_are_refused() -> None:
    for number in range(1, 40):
        encoded = b"\x80" + number.to_bytes(47, "big")
        try:
            outside = not G1Point.from_compressed_bytes_unchecked(encoded).is_in_subgroup()
        except ValueError:
            continue
        assert outside
        assert code(partial(curve.g1, encoded)) == "bbs.point"
        return
    pytest.fail("no point outside the subgroup was found")


@pytest.mark.parametrize("number", [0, ORDER, ORDER + 1, 2**256 - 1])
@pytest.mark.parametrize("at", range(144, 144 + 6 * 32, 32))
def test_numbers_out_of_range_are_refused(number: int, at: int) -> None:
    assert code(lambda: check(PROOF[:at] + number.to_bytes(32, "big") + PROOF[at + 32 :])) == "bbs.scalar"


@pytest.mark.parametrize("number", [0, ORDER])
def test_a_signature_with_a_number_out_of_range_is_refused(number: int) -> None:
    forged = SIGNATURE[:48] + number.to_bytes(32, "big")
    assert code(lambda: bbs.verify(PUBLIC, forged, HEADER, MESSAGES)) == "bbs.scalar"
    assert code(lambda: bbs.BbsSigner.from_secret(number.to_bytes(32, "big"))) == "bbs.scalar"


@pytest.mark.parametrize("key", [b"", bytes(96), b"\xc0" + bytes(95), b"\xff" * 96, PUBLIC[:-1], b"\x80" + bytes(95)])
def test_keys_that_are_no_keys_are_refused(key: bytes) -> None:
    assert code(lambda: bbs.verify(key, SIGNATURE, HEADER, MESSAGES)) == "bbs.key"
    assert code(lambda: check(public=key)) == "bbs.key"
    assert code(lambda: bbs.prove(key, SIGNATURE, HEADER, b"", MESSAGES, [], random=source())) == "bbs.key"
    assert code(lambda: bbs.sign(SIGNER.secret(), key, HEADER, MESSAGES)) == "bbs.key"


@pytest.mark.parametrize("octets", [b"", PROOF[:-1], PROOF + b"\x00", PROOF[:271], SIGNATURE])
def test_proofs_of_no_possible_length_are_refused(octets: bytes) -> None:
    assert code(lambda: check(octets)) == "bbs.length"


def test_a_signature_of_another_length_is_refused() -> None:
    assert code(lambda: bbs.verify(PUBLIC, SIGNATURE + b"\x00", HEADER, MESSAGES)) == "bbs.length"
    assert code(lambda: bbs.prove(PUBLIC, b"", HEADER, b"", MESSAGES, [], random=source())) == "bbs.length"


def test_a_changed_proof_is_refused() -> None:
    assert code(lambda: check(PROOF[:-1] + bytes([PROOF[-1] ^ 1]))) == "bbs.proof"
    assert code(lambda: check(PROOF[-32:].join([PROOF[:144], PROOF[176:]]))) == "bbs.proof"
    assert code(lambda: check(PROOF + (1).to_bytes(32, "big"))) == "bbs.proof"
    assert code(lambda: check(shown={0: b"other", 2: b""})) == "bbs.proof"
    assert code(lambda: check(shown={1: b"name", 2: b""})) == "bbs.proof"
    assert code(lambda: check(shown={0: b"name"})) == "bbs.proof"


@pytest.mark.parametrize("indexes", [[0, 0], [4], [-1], [True], ["0"], [0.0], [None, 1]])
def test_indexes_that_name_no_message_are_refused(indexes: list[Any]) -> None:
    def made() -> None:
        bbs.prove(PUBLIC, SIGNATURE, HEADER, b"", MESSAGES, indexes, random=source())

    assert code(made) == "bbs.indexes"
    if len(set(indexes)) == len(indexes):
        assert code(lambda: check(shown=dict.fromkeys(indexes, b""))) == "bbs.indexes"


def test_too_many_messages_are_refused_before_any_work() -> None:
    many = [b""] * (bbs.MAX_MESSAGES + 1)
    assert code(lambda: SIGNER.sign_all(HEADER, many)) == "bbs.messages"
    assert code(lambda: bbs.verify(PUBLIC, SIGNATURE, HEADER, many)) == "bbs.messages"
    assert code(lambda: bbs.prove(PUBLIC, SIGNATURE, HEADER, b"", many, [], random=source())) == "bbs.messages"
    assert code(lambda: check(bytes(proofs.FLOOR + 32 * len(many)))) == "bbs.messages"
    assert code(lambda: check(bytes(proofs.FLOOR + 32 * 1_000_000))) == "bbs.messages"
    assert code(lambda: check(shown=dict.fromkeys(range(len(many)), b""))) == "bbs.messages"


@pytest.mark.parametrize("random", [lambda size: b"", bytes, lambda size: b"\x01" * (size - 1)])
def test_poor_randomness_is_refused(random: Callable[[int], bytes]) -> None:
    made = lambda: bbs.prove(PUBLIC, SIGNATURE, HEADER, b"", MESSAGES, [], random=random)  # noqa: E731  (one line says it)
    assert code(made) == "bbs.random"


def test_a_proof_from_a_false_signature_convinces_nobody() -> None:
    false = (G1Point() * Scalar(7)).to_compressed_bytes() + (7).to_bytes(32, "big")
    made = bbs.prove(PUBLIC, false, HEADER, PRESENTATION, MESSAGES, [0, 2], random=source())
    assert code(lambda: check(made)) == "bbs.proof"


def test_unequal_lists_are_never_summed() -> None:
    with pytest.raises(ValueError, match="1 points for 2 scalars"):
        curve.total([G1Point()], [Scalar(1), Scalar(2)])
    with pytest.raises(Refused, match=r"bbs\.random"):
        curve.inverse(Scalar(0))


def test_the_signer_is_a_handle() -> None:
    fresh = bbs.BbsSigner.generate(random=secrets.token_bytes, name="bbs-1")
    holder: Signer = fresh
    assert isinstance(fresh, MessagesSigner)
    assert (holder.kid, holder.public.algorithm.name) == ("bbs-1", "BBS")
    assert bbs.BbsSigner.from_secret(fresh.secret()) == bbs.BbsSigner(fresh.public, fresh.secret())
    assert SIGNER.kid == SIGNER.public.kid == PublicKey.bbs(PUBLIC).kid
    assert fresh.secret().hex() not in repr(fresh)
    assert repr(fresh.secret()) not in repr(fresh)
    with pytest.raises(Unsupported, match=r"bbs\.one_message"):
        fresh.sign(b"message")


def test_key_material_is_long_enough() -> None:
    with pytest.raises(Malformed, match=r"bbs\.material"):
        bbs.secret_key(b"too short")
    with pytest.raises(Malformed, match=r"bbs\.material"):
        bbs.BbsSigner.generate(random=lambda size: b"")
    with pytest.raises(Malformed, match=r"bbs\.material"):
        bbs.secret_key(bytes(32), bytes(65536))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.binary(max_size=100), st.dictionaries(st.integers(-2, 300), st.binary(max_size=8)))
def test_any_bytes_are_read_or_refused(octets: bytes, key: bytes, shown: dict[int, bytes]) -> None:
    for public in (PUBLIC, key):
        with pytest.raises(SsiError):
            bbs.verify_proof(public, octets, HEADER, PRESENTATION, shown)
        with pytest.raises(SsiError):
            bbs.verify(public, octets, HEADER, list(shown.values()))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, len(PROOF) - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused(at: int, by: int) -> None:
    changed = bytearray(PROOF)
    changed[at] ^= by
    with pytest.raises(SsiError):
        check(bytes(changed))
