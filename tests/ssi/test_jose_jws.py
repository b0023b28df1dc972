"""Signed tokens: what is read, what is refused, and that only SsiError comes out of hostile bytes."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.encoding import b64url
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.jose import jws
from ssi.keys import ALGORITHMS, SoftwareSigner

SIGNERS = {name: SoftwareSigner.generate(name) for name in ALGORITHMS}


def token(header: object, payload: bytes = b"{}", signature: bytes = b"s" * 64) -> str:
    return ".".join((b64url(json.dumps(header).encode()), b64url(payload), b64url(signature)))


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_what_is_signed_verifies_with_that_key_only(alg: str) -> None:
    signer = SIGNERS[alg]
    made = jws.sign({"iss": "me"}, signer=signer, header={"typ": "kb+jwt", "alg": "none"})
    read = jws.parse(made, typ=("kb+jwt",))
    jws.verify(read, signer.public)
    assert (read.alg, read.claims, read.payload) == (alg, {"iss": "me"}, b'{"iss":"me"}')
    for name, other in SIGNERS.items():
        key = SoftwareSigner.generate(alg).public if name == alg else other.public
        with pytest.raises(Refused) as refusal:
            jws.verify(read, key)
        assert refusal.value.code == ("jose.signature" if name == alg else "jose.key_alg")


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_every_changed_part_breaks_the_signature(alg: str) -> None:
    head, body, tail = jws.sign(b"abc", signer=SIGNERS[alg], header={"a": "b"}).split(".")
    changed = (
        f"{b64url(json.dumps({'alg': alg, 'a': 'c'}).encode())}.{body}.{tail}",
        f"{head}.{b64url(b'abd')}.{tail}",
        f"{head}..{tail}",
        f"{head}.{body}.",
        f"{head}.{body}.{b64url(bytes(ALGORITHMS[alg].size))}",
        f"{head}.{body}.{b64url(b'x' + bytes(ALGORITHMS[alg].size))}",
    )
    for text in changed:
        with pytest.raises(Refused) as refusal:
            jws.verify(jws.parse(text, typ=None), SIGNERS[alg].public)
        assert refusal.value.code == "jose.signature"


def test_bytes_are_signed_as_they_are_and_read_as_they_came() -> None:
    made = jws.sign(b'{ "a":1 }', signer=SIGNERS["EdDSA"], header={})
    read = jws.parse(made.encode(), typ=None)
    assert read.payload == b'{ "a":1 }'
    assert read.signing_input == made.rpartition(".")[0].encode()


@pytest.mark.parametrize("alias", [("Ed25519", "EdDSA"), ("ESP256", "ES256"), ("ESP384", "ES384")])
def test_fully_specified_algorithm_names_are_the_same_algorithms(alias: tuple[str, str]) -> None:
    name, alg = alias
    body = f"{b64url(json.dumps({'alg': name}).encode())}.{b64url(b'{}')}"
    read = jws.parse(f"{body}.{b64url(SIGNERS[alg].sign(body.encode()))}", typ=None)
    assert read.alg == alg
    jws.verify(read, SIGNERS[alg].public)


@pytest.mark.parametrize(
    ("typ", "accepted"),
    [
        ("kb+jwt", True),
        ("KB+JWT", True),
        ("application/kb+jwt", True),
        ("Application/KB+jwt", True),
        ("jwt", False),
        ("kb+jwt ", False),
        ("", False),
        (None, False),
        (5, False),
        (["kb+jwt"], False),
    ],
)
def test_types_are_compared_as_media_types(typ: object, accepted: bool) -> None:
    header = {"alg": "ES256"} if typ is None else {"alg": "ES256", "typ": typ}
    if accepted:
        assert jws.parse(token(header), typ=("dc+sd-jwt", "kb+jwt")).header["typ"] == typ
        assert jws.parse(token(header), typ=("application/kb+jwt",)).header["typ"] == typ
        return
    with pytest.raises(Malformed) as refusal:
        jws.parse(token(header), typ=("dc+sd-jwt", "kb+jwt"))
    assert refusal.value.code == "jose.typ"


@pytest.mark.parametrize(
    "alg", ["none", "None", "", "HS256", "RS256", "PS256", "ES521", "es256", 5, None, ["ES256"], {}]
)
def test_only_algorithms_of_the_allow_list_are_read(alg: object) -> None:
    with pytest.raises(Unsupported) as refusal:
        jws.parse(token({"alg": alg}), typ=None)
    assert refusal.value.code == "jose.alg"


@pytest.mark.parametrize("crit", [[], ["exp"], ["b64"], "b64", None])
def test_critical_extensions_are_refused(crit: object) -> None:
    with pytest.raises(Unsupported) as refusal:
        jws.parse(token({"alg": "ES256", "crit": crit, "b64": False}), typ=None)
    assert refusal.value.code == "jose.crit"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "jose.compact"),
        ("a.b", "jose.compact"),
        ("a.b.c.d", "jose.compact"),
        ("é.a.a", "jose.compact"),
        ("..", "encoding.json"),
        ("W10.e30.", "encoding.json_object"),
        ("e30=.e30.", "encoding.base64url"),
        (" e30.e30.", "encoding.base64url"),
        (b"\xff.\xff.\xff", "encoding.base64url"),
        ('{"payload":"","signatures":[]}', "jose.compact"),
    ],
)
def test_what_is_no_compact_token(text: str | bytes, code: str) -> None:
    with pytest.raises(Malformed) as refusal:
        jws.parse(text, typ=None)
    assert refusal.value.code == code


def test_size_limits_hold_before_any_work() -> None:
    with pytest.raises(Malformed) as refusal:
        jws.parse("a" * (jws.MAX_JWS_BYTES + 1), typ=None)
    assert refusal.value.code == "jose.size"
    with pytest.raises(Malformed) as refusal:
        jws.parse(token({"alg": "ES256"}), typ=None, max_bytes=10)
    assert refusal.value.code == "jose.size"
    with pytest.raises(Malformed) as refusal:
        jws.parse(token({"alg": "ES256", "x": "y" * jws.MAX_HEADER_BYTES}), typ=None)
    assert refusal.value.code == "encoding.json_size"


def test_a_key_in_the_header_is_never_used() -> None:
    mallory = SoftwareSigner.generate("ES256")
    header = {"jwk": dict(mallory.public.jwk), "jku": "https://mallory.test", "x5u": "https://mallory.test"}
    read = jws.parse(jws.sign({}, signer=mallory, header=header), typ=None)
    with pytest.raises(Refused):
        jws.verify(read, SIGNERS["ES256"].public)


def test_claims_must_be_an_object() -> None:
    with pytest.raises(Malformed) as refusal:
        _ = jws.parse(jws.sign(b"[1]", signer=SIGNERS["ES256"], header={}), typ=None).claims
    assert refusal.value.code == "encoding.json_object"


def test_x5c_is_der_leaf_first() -> None:
    chain = [b64encode(b"leaf").decode(), b64encode(b"ca!").decode()]
    assert jws.x5c({"x5c": chain}) == (b"leaf", b"ca!")
    assert jws.x5c({}) == ()


@pytest.mark.parametrize(
    "chain",
    [[], None, "bGVhZg==", {}, [5], [""], ["bGVhZg"], ["bGVh Zg=="], ["__4="], ["bGVhZg==\n"], ["é"], ["YQ=="] * 9,
     ["A" * (jws.MAX_CERTIFICATE_TEXT + 4)]],
)  # fmt: skip
def test_x5c_that_is_none(chain: object) -> None:
    with pytest.raises(Malformed) as refusal:
        jws.x5c({"x5c": chain})
    assert refusal.value.code == "jose.x5c"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.text(max_size=80) | st.binary(max_size=80))
def test_parser_raises_only_ssi_error_for_any_text(text: str | bytes) -> None:
    try:
        jws.parse(text, typ=("jwt",))
    except SsiError:
        return


@given(st.dictionaries(st.sampled_from(["alg", "typ", "crit", "x5c", "kid"]), json_values), st.binary(max_size=30))
def test_parser_raises_only_ssi_error_for_any_header(header: dict[str, object], payload: bytes) -> None:
    try:
        read = jws.parse(token({"alg": "ES256", "typ": "jwt", **header}, payload), typ=("jwt",))
        jws.x5c(read.header)
        _ = read.claims
    except SsiError:
        return


@given(st.binary(max_size=140))
def test_verify_refuses_any_other_signature(signature: bytes) -> None:
    read = jws.parse(token({"alg": "ES256"}, b"{}", signature), typ=None)
    with pytest.raises(Refused):
        jws.verify(read, SIGNERS["ES256"].public)
