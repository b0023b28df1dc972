"""Keys: every algorithm of the table signs and verifies, and no wrong key, point or algorithm is let in."""

from __future__ import annotations

import doctest

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from ssi import keys
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.keys import ALGORITHMS, PublicKey, SoftwareSigner

EVERY = sorted(ALGORITHMS)


def test_examples_in_docstrings_hold() -> None:
    assert doctest.testmod(keys).failed == 0


@pytest.mark.parametrize("alg", EVERY)
def test_signs_verifies_and_survives_its_encodings(alg: str) -> None:
    signer = SoftwareSigner.generate(alg)
    signature = signer.sign(b"message")
    assert len(signature) == ALGORITHMS[alg].size
    again = PublicKey.from_jwk(dict(signer.public.jwk))
    again.verify(b"message", signature)
    assert again == signer.public
    assert SoftwareSigner.from_pkcs8(signer.pkcs8()).public == signer.public
    assert signer.kid == again.kid


@pytest.mark.parametrize("alg", EVERY)
@pytest.mark.parametrize("spoil", ["message", "signature", "length", "zero", "other key"])
def test_every_wrong_signature_is_refused(alg: str, spoil: str) -> None:
    signer = SoftwareSigner.generate(alg)
    message, signature, key = b"message", signer.sign(b"message"), signer.public
    if spoil == "message":
        message = b"massage"
    elif spoil == "signature":
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    elif spoil == "length":
        signature += b"\x00"
    elif spoil == "zero":
        signature = bytes(len(signature))
    else:
        key = SoftwareSigner.generate(alg).public
    with pytest.raises(Refused) as refusal:
        key.verify(message, signature)
    assert refusal.value.code == "key.signature"


def test_thumbprint_is_that_of_rfc_7638_members_only() -> None:
    # RFC 8037 Appendix A.3
    key = PublicKey.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    assert key.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"d": "AA"}, "key.private"),
        ({"k": "AA"}, "key.private"),
        ({"kty": "RSA"}, "key.type"),
        ({"crv": "secp256k1"}, "key.type"),
        ({"crv": ["P-256"]}, "key.type"),
        ({"alg": "ES384"}, "key.jwk"),
        ({"alg": ["ES256"]}, "key.jwk"),
        ({"x": None}, "key.jwk"),
        ({"x": "AA"}, "key.point"),
        ({"y": ""}, "key.point"),
        ({"x": "A" * 43}, "key.point"),
        ({"x": "not base64"}, "encoding.base64url"),
    ],
)
def test_jwks_that_are_refused(change: dict[str, object], code: str) -> None:
    jwk = {**SoftwareSigner.generate("ES256").public.jwk, **change}
    with pytest.raises(SsiError) as refusal:
        PublicKey.from_jwk(jwk)
    assert refusal.value.code == code


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "alg", "d"]), inner, max_size=6)
        ),
        max_leaves=8,
    )
)
def test_jwk_reader_raises_only_ssi_error(jwk: object) -> None:
    try:
        PublicKey.from_jwk(jwk)
    except SsiError:
        return


@pytest.mark.parametrize("name", ["none", "HS256", "RS256", "es256", "", None, 7, ["ES256"]])
def test_algorithms_outside_the_table_are_unsupported(name: object) -> None:
    with pytest.raises(Unsupported):
        keys.algorithm(name)


def test_fully_specified_names_mean_the_same_keys() -> None:
    assert keys.algorithm("ESP256") is keys.ES256
    jwk = {**SoftwareSigner.generate("EdDSA").public.jwk, "alg": "Ed25519"}
    assert PublicKey.from_jwk(jwk).algorithm is keys.EDDSA


def test_foreign_private_keys_are_refused() -> None:
    with pytest.raises(Malformed):
        SoftwareSigner.from_pkcs8(b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n")
    native = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    der = native.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(Unsupported):
        SoftwareSigner.from_pkcs8(der)
    with pytest.raises(Unsupported):
        PublicKey.from_native(native.public_key())
    with pytest.raises(Unsupported):
        PublicKey.from_native(ec.generate_private_key(ec.SECP256K1()).public_key())


def test_a_bbs_key_is_known_by_its_bytes_and_signs_no_single_message() -> None:
    raw = bytes(range(96))
    key = PublicKey.bbs(raw)
    assert (key.algorithm, key.x, key) == (keys.BBS, raw, PublicKey.bbs(raw))
    assert key.jwk == {"crv": "BLS12381G2", "kty": "OKP", "x": keys.b64url(raw)}
    with pytest.raises(Unsupported):
        key.verify(b"message", bytes(80))
    with pytest.raises(Unsupported):
        _ = key.native
    with pytest.raises(Unsupported):  # no token names such a key
        PublicKey.from_jwk(key.jwk)
    with pytest.raises(Malformed):
        PublicKey.bbs(raw[:95])


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512"])
def test_two_keys_of_one_curve_agree_on_a_secret(alg: str) -> None:
    one, other = SoftwareSigner.generate(alg), SoftwareSigner.generate(alg)
    assert one.exchange(other.public) == other.exchange(one.public)
    for stranger in (SoftwareSigner.generate("EdDSA"), SoftwareSigner.generate("ES384" if alg == "ES256" else "ES256")):
        with pytest.raises(Refused):
            one.exchange(stranger.public)
        with pytest.raises(Refused):
            stranger.exchange(one.public)


def test_a_signer_never_shows_its_secret() -> None:
    signer = SoftwareSigner.generate("ES256")
    assert "private" not in repr(signer).lower()
    assert signer.pkcs8().hex() not in repr(signer)


def test_jwk_set_names_each_key() -> None:
    signer = SoftwareSigner.generate("ES384")
    assert keys.jwk_set({"a": signer.public})["keys"][0] == {
        **signer.public.jwk,
        "kid": "a",
        "alg": "ES384",
        "use": "sig",
    }
