"""Encrypted tokens: the specification's own example, the round trip, and everything that is refused."""

from __future__ import annotations

import json
import warnings

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from hypothesis import given
from hypothesis import strategies as st

from ssi.encoding import b64url, unb64url
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.jose import jwe
from ssi.jose.jwe import DecryptionKey
from ssi.keys import SoftwareSigner

KEY = DecryptionKey.generate()

# OpenID4VP 1.0 §8.3, the non-normative example with its key
EXAMPLE_KEY = {
    "kty": "EC", "kid": "ac", "use": "enc", "crv": "P-256", "alg": "ECDH-ES",
    "x": "YO4epjifD-KWeq1sL2tNmm36BhXnkJ0He-WqMYrp9Fk",
    "y": "Hekpm0zfK7C-YccH5iBjcIXgf6YdUvNUac_0At55Okk",
    "d": "Et-3ce0omz8_TuZ96Df9lp0GAaaDoUnDe6X-CRO7Aww",
}  # fmt: skip
EXAMPLE = (
    "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTEyOEdDTSIsImtpZCI6ImFjIiwiZXBrIjp7Imt0eSI6IkVDIiwieCI6Im5ubVZwbTNWM2piaGNhZlFhUk"
    "JrU1ZOSGx3Wkh3dC05ck9wSnVmeVlJdWsiLCJ5IjoicjRmakRxd0p5czlxVU9QLV9iM21SNVNaRy0tQ3dPMm1pYzVWU05UWU45ZyIsImNydiI6IlAt"
    "MjU2In19..uAYcHRUSSn2X0WPX.yVzlGSYG4qbg0bq18JcUiDRw56yVnbKR8E7S7YlEtzT00RqE3Pw5oTpUG3hdLN4taHZ9gC1kwak8JOnJgQ.1wR0"
    "24_3-qtAlx1oFIUpQQ"
)


def test_the_specifications_example_opens() -> None:
    key = DecryptionKey.from_json(json.dumps(EXAMPLE_KEY).encode())
    assert key.public_jwk == {name: value for name, value in EXAMPLE_KEY.items() if name != "d"}
    opened = jwe.decrypt(EXAMPLE, keys=(KEY, key))
    assert json.loads(opened) == {"vp_token": {"example_credential_id": ["eyJhb...YMetA"]}}


@pytest.mark.parametrize("enc", jwe.ENC_VALUES)
def test_round_trip_names_the_key(enc: str) -> None:
    token = jwe.encrypt(b'{"a":1}', jwk=KEY.public_jwk, enc=enc)
    header = json.loads(unb64url(token.split(".")[0]))
    assert (header["alg"], header["enc"], header["kid"]) == ("ECDH-ES", enc, KEY.kid)
    assert "d" not in header["epk"]
    assert jwe.decrypt(token, keys=(DecryptionKey.generate(), KEY)) == b'{"a":1}'


def test_two_encryptions_share_no_ephemeral_key() -> None:
    first, second = (jwe.encrypt(b"x", jwk=KEY.public_jwk, enc="A256GCM") for _ in range(2))
    assert json.loads(unb64url(first.split(".")[0]))["epk"] != json.loads(unb64url(second.split(".")[0]))["epk"]


def test_party_information_and_extra_members_of_the_ephemeral_key_are_borne() -> None:
    token = jwe.encrypt(b"x", jwk=KEY.public_jwk, enc="A128GCM", apu=b64url(b"wallet"), apv=b64url(b"nonce"))
    assert jwe.decrypt(token, keys=(KEY,)) == b"x"
    # a peer's token whose epk has a kid: made by the same library with an ephemeral key that has one
    assert jwe.decrypt(peer_token(b"hello"), keys=(KEY,)) == b"hello"


def peer_token(plaintext: bytes) -> str:
    """What a widely deployed wallet sends: apu, apv and an epk with a `kid` of its own."""
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    numbers = ephemeral.public_key().public_numbers()
    epk = {"kty": "EC", "crv": "P-256", "kid": "peer", "x": b64url(numbers.x.to_bytes(32, "big")),
           "y": b64url(numbers.y.to_bytes(32, "big"))}  # fmt: skip
    header = {
        "alg": "ECDH-ES",
        "enc": "A128GCM",
        "kid": KEY.kid,
        "apu": b64url(b"abc"),
        "apv": b64url(b"de"),
        "epk": epk,
    }
    head = b64url(json.dumps(header).encode())
    native = KEY.public.native
    assert isinstance(native, ec.EllipticCurvePublicKey)
    shared = ephemeral.exchange(ec.ECDH(), native)
    info = b"".join(len(part).to_bytes(4, "big") + part for part in (b"A128GCM", b"abc", b"de")) + (128).to_bytes(
        4, "big"
    )
    cek = ConcatKDFHash(SHA256(), 16, info).derive(shared)
    sealed = AESGCM(cek).encrypt(b"n" * 12, plaintext, head.encode())
    return f"{head}..{b64url(b'n' * 12)}.{b64url(sealed[:-16])}.{b64url(sealed[-16:])}"


def test_large_presentations_fit() -> None:
    token = jwe.encrypt(b"p" * 300_000, jwk=KEY.public_jwk, enc="A256GCM")
    assert len(jwe.decrypt(token, keys=(KEY,))) == 300_000
    with pytest.raises(Malformed) as refusal:
        jwe.decrypt(token, keys=(KEY,), max_bytes=1000)
    assert refusal.value.code == "jose.size"


def test_only_the_named_key_is_tried_and_without_a_name_all_are() -> None:
    token = jwe.encrypt(b"x", jwk=KEY.public_jwk, enc="A128GCM")
    with pytest.raises(Refused) as refusal:
        jwe.decrypt(token, keys=(DecryptionKey.generate(),))
    assert refusal.value.code == "jose.jwe_key"
    impostor = DecryptionKey.from_json(
        json.dumps({**json.loads(DecryptionKey.generate().to_json()), "kid": KEY.kid}).encode()
    )
    with pytest.raises(Refused) as refusal:
        jwe.decrypt(token, keys=(impostor,))
    assert refusal.value.code == "jose.jwe_tag"
    nameless = jwe.encrypt(b"y", jwk={n: v for n, v in KEY.public_jwk.items() if n != "kid"}, enc="A128GCM")
    assert jwe.decrypt(nameless, keys=(DecryptionKey.generate(), KEY)) == b"y"
    with pytest.raises(Refused):
        jwe.decrypt(nameless, keys=())


def test_the_secret_survives_its_store_and_shows_nowhere_else() -> None:
    again = DecryptionKey.from_json(KEY.to_json())
    assert again == KEY
    assert jwe.decrypt(jwe.encrypt(b"x", jwk=KEY.public_jwk, enc="A256GCM"), keys=(again,)) == b"x"
    assert len(KEY.thumbprint) == 32
    assert "d" not in KEY.public_jwk
    assert str(json.loads(KEY.to_json())["d"]) not in repr(KEY)
    assert "_secret" not in repr(KEY)


@pytest.mark.parametrize("stored", [b"", b"{}", b'{"kid":"a","d":"AA"}', b'{"kid":"a","d":"!"}', b'{"kid":5,"d":"AQ"}',
                                    json.dumps({"kid": "a", "d": b64url(b"\xff" * 32)}).encode()])  # fmt: skip
def test_what_is_no_stored_key(stored: bytes) -> None:
    with pytest.raises(Malformed):
        DecryptionKey.from_json(stored)


def changed(**members: object) -> str:
    head, *rest = jwe.encrypt(b"x", jwk=KEY.public_jwk, enc="A128GCM").split(".")
    header = {**json.loads(unb64url(head)), **members}
    return ".".join((b64url(json.dumps({n: v for n, v in header.items() if v != "absent"}).encode()), *rest))


def epk(**members: object) -> dict[str, object]:
    return {**DecryptionKey.generate().public.jwk, **members}


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"alg": "dir"}, "jose.jwe_alg"),
        ({"alg": "ECDH-ES+A128KW"}, "jose.jwe_alg"),
        ({"alg": "RSA-OAEP"}, "jose.jwe_alg"),
        ({"alg": "PBES2-HS256+A128KW", "p2c": 10**9, "p2s": "AA"}, "jose.jwe_alg"),
        ({"alg": ["ECDH-ES"]}, "jose.jwe_alg"),
        ({"enc": "A128CBC-HS256"}, "jose.jwe_enc"),
        ({"enc": "absent"}, "jose.jwe_enc"),
        ({"zip": "DEF"}, "jose.jwe_zip"),
        ({"zip": None}, "jose.jwe_zip"),
        ({"crit": ["x"]}, "jose.crit"),
        ({"kid": 5}, "jose.jwe_header"),
        ({"apu": 5}, "jose.jwe_header"),
        ({"apv": "%"}, "encoding.base64url"),
        ({"epk": "absent"}, "jose.jwe_header"),
        ({"epk": []}, "jose.jwe_header"),
        ({"epk": {}}, "key.type"),
        ({"epk": epk(d="AA")}, "key.private"),
        ({"epk": epk(y=b64url(b"\x01" * 32))}, "key.point"),
        ({"epk": epk(kid=["a"])}, "jose.jwe_header"),
        ({"epk": dict(SoftwareSigner.generate("ES384").public.jwk)}, "jose.jwe_header"),
        ({"epk": dict(SoftwareSigner.generate("EdDSA").public.jwk)}, "jose.jwe_header"),
        ({"extra": 1}, "jose.jwe_tag"),
        ({"enc": "A256GCM"}, "jose.jwe_tag"),
        ({"apu": "YQ"}, "jose.jwe_tag"),
        ({"epk": epk()}, "jose.jwe_tag"),
    ],
)
def test_headers_that_are_refused(members: dict[str, object], code: str) -> None:
    with pytest.raises(SsiError) as refusal:
        jwe.decrypt(changed(**members), keys=(KEY,))
    assert refusal.value.code == code


@pytest.mark.parametrize("part", range(5))
def test_every_changed_part_is_refused(part: int) -> None:
    parts = jwe.encrypt(b"payload", jwk=KEY.public_jwk, enc="A128GCM").split(".")
    for replacement in ("", "AAAA", b64url(bytes(16)), b64url(bytes(12)), "!"):
        if parts[part] != replacement:
            with pytest.raises(SsiError):
                jwe.decrypt(".".join((*parts[:part], replacement, *parts[part + 1 :])), keys=(KEY,))


@pytest.mark.parametrize(
    ("jwk", "usable"),
    [
        (KEY.public_jwk, True),
        ({**KEY.public.jwk, "alg": "ECDH-ES"}, True),
        ({**KEY.public_jwk, "kid": 5}, False),
        (dict(KEY.public.jwk), False),
        ({**KEY.public_jwk, "use": "sig"}, False),
        ({**KEY.public_jwk, "alg": "ECDH-ES+A256KW"}, False),
        ({**KEY.public_jwk, "alg": ["ECDH-ES"]}, False),
        ({**KEY.public_jwk, "y": KEY.public_jwk["x"]}, False),
        ({**KEY.public_jwk, "d": "AA"}, False),
        ({**SoftwareSigner.generate("ES384").public.jwk, "alg": "ECDH-ES"}, False),
        ({"kty": "OKP", "crv": "X25519", "alg": "ECDH-ES", "x": "WPX7wnwq10hFNK9aDSyG1QlLswE_CJY14LdhcFUIVVc"}, False),
        ({"kty": "RSA", "alg": "RSA-OAEP", "n": "AQAB", "e": "AQAB"}, False),
        ("key", False),
        (None, False),
    ],
)
def test_which_keys_can_be_encrypted_to(jwk: object, usable: bool) -> None:
    assert jwe.is_usable(jwk) is usable
    if not usable and isinstance(jwk, dict):
        with pytest.raises(Unsupported):
            jwe.encrypt(b"x", jwk=jwk, enc="A128GCM")


def test_unknown_content_encryption_is_not_made() -> None:
    with pytest.raises(Unsupported) as refusal:
        jwe.encrypt(b"x", jwk=KEY.public_jwk, enc="A128CBC-HS256")
    assert refusal.value.code == "jose.jwe_enc"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    ["alg", "enc", "kid", "apu", "apv", "epk", "typ", "cty", "x5c", "jwk", "jku", "crit", "zip", "b64"]
)


@given(st.text(max_size=60) | st.builds("....".join, st.just(["", ""])))
def test_reader_raises_only_ssi_error_for_any_text(text: str) -> None:
    with pytest.raises(SsiError):
        jwe.decrypt(text, keys=(KEY,))


@given(st.dictionaries(names, json_values, min_size=1), st.dictionaries(st.text(max_size=8), st.text(max_size=5)))
def test_reader_raises_only_ssi_error_for_any_header(header: dict[str, object], extra: dict[str, object]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(SsiError):
            jwe.decrypt(changed(**header), keys=(KEY,))
        with pytest.raises(SsiError):
            jwe.decrypt(changed(epk={**extra, **DecryptionKey.generate().public.jwk}, typ=extra), keys=(KEY,))
