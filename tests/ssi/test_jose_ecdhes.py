"""Direct key agreement: the RFC's example, and another implementation that reads ours and whose tokens we read."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe as other
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from ssi.encoding import b64url, unb64url
from ssi.errors import Malformed, Refused
from ssi.jose import ecdhes, jwe
from ssi.jose.ecdhes import Terms
from ssi.jose.jwe import DecryptionKey
from ssi.keys import PublicKey, SoftwareSigner

# RFC 7518 Appendix C
ALICE = {
    "kty": "EC", "crv": "P-256", "kid": "alice",
    "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0", "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
    "d": "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo",
}  # fmt: skip
BOB = {
    "kty": "EC", "crv": "P-256", "kid": "bob",
    "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ", "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
    "d": "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw",
}  # fmt: skip
KEY = DecryptionKey.generate()
THEIRS = ECKey.import_key(json.loads(KEY.to_json()))
REGISTRY = other.JWERegistry(algorithms=["ECDH-ES", *jwe.ENC_VALUES, "DEF"], strict_check_header=False)


def test_the_rfcs_example_gives_its_key_from_either_side() -> None:
    alice, bob = (DecryptionKey.from_json(json.dumps(one).encode()) for one in (ALICE, BOB))
    terms = Terms("A128GCM", b"Alice", b"Bob")
    for own, public in ((alice, bob.public), (bob, alice.public)):
        shared = ecdhes._agreed(own.native, public)
        assert b64url(ecdhes.derive_key(shared, terms)) == "VqqN6vgjbSBcIijNcacQGg"


@settings(max_examples=40)
@given(st.binary(min_size=1, max_size=300), st.sampled_from(jwe.ENC_VALUES), st.binary(max_size=20), st.binary())
def test_another_implementation_reads_what_we_write_and_we_what_it_writes(
    plain: bytes, enc: str, apu: bytes, apv: bytes
) -> None:
    parties = {"apu": b64url(apu), "apv": b64url(apv)}
    token = jwe.encrypt(plain, jwk=KEY.public_jwk, enc=enc, **parties)
    assert other.decrypt_compact(token, THEIRS, registry=REGISTRY).plaintext == plain
    theirs = other.encrypt_compact({"alg": "ECDH-ES", "enc": enc, **parties}, plain, THEIRS, registry=REGISTRY)
    assert jwe.decrypt(theirs, keys=(KEY,)) == plain


def test_compressed_tokens_are_the_same_to_another_implementation() -> None:
    plain = b"claims " * 400
    token = jwe.encrypt(plain, jwk=KEY.public_jwk, enc="A128GCM", zip="DEF")
    assert len(token) < len(plain)
    assert other.decrypt_compact(token, THEIRS, registry=REGISTRY).plaintext == plain
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "zip": "DEF"}
    theirs = other.encrypt_compact(header, plain, THEIRS, registry=REGISTRY)
    assert jwe.decrypt(theirs, keys=(KEY,), inflate=len(plain)) == plain


@pytest.mark.parametrize("part", [0, 2, 3, 4])
def test_a_changed_bit_is_refused_by_both(part: int) -> None:
    token = jwe.encrypt(b'{"a":1}', jwk=KEY.public_jwk, enc="A256GCM")
    parts = [bytearray(unb64url(one)) for one in token.split(".")]
    if part == 0:  # one letter in a member that nothing else looks at
        header = {**json.loads(parts[0]), "note": "x"}
        parts[0] = bytearray(json.dumps(header).encode())
    else:
        parts[part][3] ^= 1
    changed = ".".join(b64url(bytes(one)) for one in parts)
    with pytest.raises(Refused, match=r"jose\.jwe_tag"):
        jwe.decrypt(changed, keys=(DecryptionKey.generate(), KEY))
    with pytest.raises((JoseError, ValueError)):
        other.decrypt_compact(changed, THEIRS, registry=REGISTRY)


def test_terms_and_keys_that_differ_open_nothing() -> None:
    ephemeral, header = ec.generate_private_key(ec.SECP256R1()), b"header"
    sender, terms = PublicKey.from_native(ephemeral.public_key()), Terms("A256GCM", b"", b"n")
    sealed = ecdhes.seal(b"x", own=ephemeral, other=KEY.public, terms=terms, header=header)
    assert ecdhes.unseal(sealed, own=KEY.native, other=sender, terms=terms, header=header) == b"x"
    stranger = DecryptionKey.generate()
    elsewhere = SoftwareSigner.generate("ES384").public
    for own, point, said, protected in (
        (stranger.native, sender, terms, header),
        (KEY.native, stranger.public, terms, header),
        (KEY.native, elsewhere, terms, header),
        (KEY.native, sender, terms._replace(apv=b"m"), header),
        (KEY.native, sender, terms._replace(apu=b"n", apv=b""), header),
        (KEY.native, sender, terms._replace(enc="A128GCM"), header),
        (KEY.native, sender, terms, b"Header"),
    ):
        with pytest.raises(Refused, match=r"jose\.jwe_tag"):
            ecdhes.unseal(sealed, own=own, other=point, terms=said, header=protected)


def test_a_stored_key_whose_halves_do_not_belong_together_is_refused() -> None:
    mixed = {**BOB, "d": ALICE["d"]}
    with pytest.raises(Malformed, match=r"jose\.jwe_key"):
        DecryptionKey.from_json(json.dumps(mixed).encode())
