"""Responses: what a wallet sends, what a verifier reads, and what neither takes for an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import dcql
from ssi.encoding import unb64url
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.jose import jwe
from ssi.jose.jwe import DecryptionKey
from ssi.oid4vp import (
    DIRECT_POST,
    DIRECT_POST_JWT,
    AuthorizationRequest,
    Response,
    challenge,
    decline,
    error_for,
    read_receipt,
    read_response,
    respond,
)

QUERY = dcql.parse(
    {
        "credentials": [
            {"id": "person", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:a"]}},
            {"id": "many", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:b"]}, "multiple": True},
        ]
    }
)
KEY = DecryptionKey.generate()
PLAIN = AuthorizationRequest(
    client_id="x509_hash:abc",
    nonce="n-1",
    response_uri="https://rp.test/response?session=a%2Fb",
    response_mode=DIRECT_POST,
    query=QUERY,
    state="s-1",
    transaction_data=("eyJ9",),
)
SECRET = replace(PLAIN, response_mode=DIRECT_POST_JWT, encryption_keys=(KEY.public_jwk,))


def read(form: Mapping[str, str], mode: str = DIRECT_POST) -> Response:
    return read_response(form, response_mode=mode, keys=(KEY,))


def test_an_answer_is_a_form_with_an_object_of_arrays() -> None:
    form = respond(PLAIN, {"person": ["a~"], "many": ("b~", "c~")})
    assert form == {"vp_token": '{"person":["a~"],"many":["b~","c~"]}', "state": "s-1"}
    assert read(form) == Response({"person": ("a~",), "many": ("b~", "c~")}, None, None, "s-1")
    assert "state" not in respond(replace(PLAIN, state=None), {"person": ["a~"]})


@pytest.mark.parametrize(("offered", "chosen"), [(("A128GCM", "A256GCM"), "A256GCM"), (("A128GCM", "X"), "A128GCM")])
def test_an_encrypted_answer_hides_all_of_it(offered: tuple[str, ...], chosen: str) -> None:
    form = respond(replace(SECRET, enc_values=offered), {"person": ["a~"]})
    assert list(form) == ["response"]
    header = json.loads(unb64url(form["response"].split(".")[0]))
    assert (header["alg"], header["enc"], header["kid"]) == ("ECDH-ES", chosen, KEY.kid)
    assert read(form, DIRECT_POST_JWT) == Response({"person": ("a~",)}, None, None, "s-1")


def test_the_first_usable_key_is_chosen_and_bound() -> None:
    request = replace(SECRET, encryption_keys=({"kty": "RSA"}, KEY.public_jwk, DecryptionKey.generate().public_jwk))
    assert read(respond(request, {"person": ["a~"]}), DIRECT_POST_JWT).vp_token == {"person": ("a~",)}
    assert challenge(request).response_key == KEY.thumbprint


def test_the_challenge_has_the_whole_client_id_and_the_address_verbatim() -> None:
    bound = challenge(PLAIN)
    assert (bound.nonce, bound.audience, bound.response_uri) == ("n-1", "x509_hash:abc", PLAIN.response_uri)
    assert bound.transaction_data == ("eyJ9",)
    assert bound.response_key is None
    assert challenge(SECRET).response_key == KEY.thumbprint


@pytest.mark.parametrize("token", [{"other": ["a"]}, {"person": []}, {"person": ["a", "b"]}])
def test_a_wallet_does_not_send_what_was_not_asked(token: Mapping[str, list[str]]) -> None:
    with pytest.raises(Malformed) as refusal:
        respond(PLAIN, token)
    assert refusal.value.code == "oid4vp.vp_token"


def test_an_answer_that_cannot_be_encrypted_is_not_sent_in_clear() -> None:
    for request in (replace(SECRET, encryption_keys=()), replace(SECRET, enc_values=("A128CBC-HS256",))):
        with pytest.raises(Unsupported):
            respond(request, {"person": ["a~"]})


def test_a_refusal_is_told_in_the_requests_own_mode() -> None:
    assert decline(PLAIN, description="The person said no.") == {
        "error": "access_denied",
        "error_description": "The person said no.",
        "state": "s-1",
    }
    hidden = decline(SECRET, description="No.")
    assert list(hidden) == ["response"]
    assert read(hidden, DIRECT_POST_JWT) == Response(None, "access_denied", "No.", "s-1")
    # §8.3.1: where no encryption is possible an error may go in clear
    bare = decline(replace(SECRET, encryption_keys=()), error="invalid_request", description='A "quoted" é\n')
    assert bare == {"error": "invalid_request", "error_description": "A 'quoted' ''", "state": "s-1"}
    assert read(bare, DIRECT_POST_JWT) == Response(None, "invalid_request", "A 'quoted' ''", "s-1")


def test_errors_have_the_specifications_codes() -> None:
    assert error_for(Unsupported("oid4vp.transaction_type", "")) == "invalid_transaction_data"
    assert error_for(Malformed("oid4vp.request_uri_method", "")) == "invalid_request_uri_method"
    assert error_for(Malformed("oid4vp.redirect_uri", "")) == "invalid_request"


def sealed(payload: object, key: DecryptionKey = KEY) -> dict[str, str]:
    return {"response": jwe.encrypt(json.dumps(payload).encode(), jwk=key.public_jwk, enc="A128GCM")}


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", "encoding.json"),
        ("a~b~", "encoding.json"),
        ('["a~"]', "encoding.json_object"),
        ('"a~"', "encoding.json_object"),
        ("{}", "oid4vp.vp_token"),
        ('{"person":"a~"}', "oid4vp.vp_token"),
        ('{"person":[]}', "oid4vp.vp_token"),
        ('{"person":[""]}', "oid4vp.vp_token"),
        ('{"person":[5]}', "oid4vp.vp_token"),
        ('{"person":[["a~"]]}', "oid4vp.vp_token"),
        ('{"person":null}', "oid4vp.vp_token"),
        ('{"person":[["x"]]}', "oid4vp.vp_token"),
        (json.dumps({"person": ["a"] * 65}), "oid4vp.vp_token"),
        (json.dumps({str(n): ["a"] for n in range(65)}), "oid4vp.vp_token"),
    ],
)
def test_tokens_that_are_refused(token: str, code: str) -> None:
    with pytest.raises(SsiError) as refusal:
        read({"vp_token": token, "state": "s-1"})
    assert refusal.value.code == code
    if token.startswith("{"):
        with pytest.raises(SsiError) as refusal:
            read(sealed({"vp_token": json.loads(token)}), DIRECT_POST_JWT)
        assert refusal.value.code == code


@pytest.mark.parametrize(
    ("form", "mode", "code"),
    [
        ({}, DIRECT_POST, "oid4vp.vp_token"),
        ({"error": ""}, DIRECT_POST, "oid4vp.vp_token"),
        ({"error": "access_denied", "vp_token": '{"person":["a"]}'}, DIRECT_POST, "oid4vp.vp_token"),
        ({"response": "a.b.c.d.e"}, DIRECT_POST, "oid4vp.vp_token"),
        ({"vp_token": '{"person":["a"]}'}, DIRECT_POST_JWT, "oid4vp.not_encrypted"),
        ({"error": "x", "vp_token": '{"person":["a"]}'}, DIRECT_POST_JWT, "oid4vp.vp_token"),
        ({}, DIRECT_POST_JWT, "oid4vp.not_encrypted"),
        ({"response": ""}, DIRECT_POST_JWT, "jose.compact"),
        ({"response": "eyJhbGciOiJub25lIn0.e30."}, DIRECT_POST_JWT, "jose.compact"),
        (sealed([]), DIRECT_POST_JWT, "encoding.json_object"),
        (sealed({"vp_token": '{"person":["a"]}'}), DIRECT_POST_JWT, "oid4vp.vp_token"),
        (sealed({"vp_token": None}), DIRECT_POST_JWT, "oid4vp.vp_token"),
        (sealed({"vp_token": {"person": ["a"]}, "state": 5}), DIRECT_POST_JWT, "encoding.text"),
        (sealed({"error": 5}), DIRECT_POST_JWT, "encoding.text"),
        (sealed({"vp_token": {"person": ["a"]}}, DecryptionKey.generate()), DIRECT_POST_JWT, "jose.jwe_key"),
    ],
)
def test_forms_that_are_refused(form: Mapping[str, str], mode: str, code: str) -> None:
    with pytest.raises(SsiError) as refusal:
        read(form, mode)
    assert refusal.value.code == code


def test_what_peers_add_is_borne() -> None:
    form = {"vp_token": '{"person":["a~"]}', "presentation_submission": "{}", "iss": "x", "code": "y"}
    assert read(form) == Response({"person": ("a~",)}, None, None, None)
    inside = {**sealed({"vp_token": {"person": ["a~"]}, "exp": 1}), "state": "outside"}
    assert read(inside, DIRECT_POST_JWT).state == "outside"
    both = {**sealed({"vp_token": {"person": ["a~"]}, "state": "inside"}), "state": "outside", "vp_token": "x"}
    assert read(both, DIRECT_POST_JWT).state == "inside"


def test_long_errors_are_cut() -> None:
    answer = read({"error": "e" * 5000, "error_description": "d" * 5000})
    assert (len(answer.error or ""), len(answer.error_description or "")) == (1024, 1024)


def test_a_receipt_may_say_where_to_go_on() -> None:
    target = "https://rp.test/done#response_code=091535f699ea575c7937fa5f0f454aee"
    assert read_receipt(json.dumps({"redirect_uri": target, "x": 1}).encode()) == target
    assert read_receipt(b"{}") is None


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"redirect_uri":"javascript:alert(1)"}', b'{"redirect_uri":"//rp.test"}', b'{"redirect_uri":5}',
     b'{"redirect_uri":"http://rp.test/"}', b'{"redirect_uri":""}', b'{"redirect_uri":"https://a@rp.test/"}',
     b'{"redirect_uri":"https://rp.test/#\\n"}'],
)  # fmt: skip
def test_receipts_that_are_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_receipt(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from(["vp_token", "state", "error", "error_description", "response", "x"])


@given(st.dictionaries(fields, st.text(max_size=30)), st.sampled_from([DIRECT_POST, DIRECT_POST_JWT]))
def test_reader_raises_only_ssi_error_for_any_form(form: dict[str, str], mode: str) -> None:
    try:
        read(form, mode)
    except SsiError:
        return


@given(json_values | st.dictionaries(fields, json_values))
def test_reader_raises_only_ssi_error_for_any_payload(payload: Any) -> None:
    try:
        read(sealed(payload), DIRECT_POST_JWT)
    except SsiError:
        return


@given(st.binary(max_size=40) | json_values.map(lambda value: json.dumps({"redirect_uri": value}).encode()))
def test_receipt_reader_raises_only_ssi_error(body: bytes) -> None:
    try:
        read_receipt(body)
    except SsiError:
        return


def test_a_wrong_mode_is_not_taken_for_plain() -> None:
    with pytest.raises(Refused):
        read({"vp_token": '{"person":["a"]}'}, "direct_post.jwt")


def test_presentations_that_are_objects_travel_as_objects() -> None:
    """§8.1: "string or object, depending on the Credential Format"; B.1.3.2 has one as an object."""
    token = json.dumps({"person": [{"type": ["VerifiablePresentation"], "n": 1}]})
    tokens = read({"vp_token": token}).vp_token
    assert tokens == {"person": ('{"type":["VerifiablePresentation"],"n":1}',)}
    assert json.loads(respond(PLAIN, tokens)["vp_token"]) == json.loads(token)
