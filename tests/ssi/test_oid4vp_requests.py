"""Requests: what a verifier signs, what a wallet reads, and every reason not to answer."""

from __future__ import annotations

import doctest
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from ssi import dcql
from ssi.encoding import b64url, seconds
from ssi.errors import Malformed, Refused, SsiError, Unavailable
from ssi.jose import jws
from ssi.jose.jwe import DecryptionKey
from ssi.keys import PublicKey, SoftwareSigner
from ssi.model import Issuer, ResolvedKey
from ssi.oid4vp import (
    DIRECT_POST,
    DIRECT_POST_JWT,
    AuthorizationRequest,
    RequestLink,
    SignedRequest,
    askers,
    drafts,
    open_request,
    parse_link,
    read_request_form,
    request_form,
    sign_request,
    x509_hash_client_id,
)
from tests.support import NOW

QUERY = {
    "credentials": [
        {
            "id": "person",
            "format": "dc+sd-jwt",
            "meta": {"vct_values": ["urn:facet:credential:verified-person:1"]},
            "claims": [{"path": ["age_over_18"]}],
        }
    ]
}
URI = "https://rp.test/oid4vp/1/request"
ANSWER = "https://rp.test:8443/oid4vp/1/response?session=a%2Fb"
HOUR = timedelta(hours=1)


def certificate(signer: SoftwareSigner, ca: SoftwareSigner, *dns: str, organization: str = "Example Shop") -> bytes:
    public, key = signer.public.native, ca.native
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")]))
        .public_key(public)
        .serial_number(7)
        .not_valid_before(NOW - HOUR)
        .not_valid_after(NOW + HOUR)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in dns]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


CA = SoftwareSigner.generate("ES256")
SIGNER = SoftwareSigner.generate("ES256")
LEAF = certificate(SIGNER, CA, "rp.test", "*.shop.test")
CLIENT = x509_hash_client_id(LEAF)
LINK = RequestLink(CLIENT, URI)
DID = "did:example:123"
DID_CLIENT = f"decentralized_identifier:{DID}"
ENC_KEY = DecryptionKey.generate()


@dataclass(frozen=True)
class Keys:
    """A resolver that knows a few DID URLs."""

    known: Mapping[str, PublicKey]

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        raise Unavailable("test.none", "Not asked here.")

    def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
        if kid not in self.known:
            raise Refused("key.unknown", "The DID has no such key.")
        return self.known[kid]


KEYS = Keys({f"{DID}#key-1": SIGNER.public})
NOBODY = Keys({})


def asked(**changes: Any) -> AuthorizationRequest:
    base = AuthorizationRequest(
        client_id=CLIENT,
        nonce="n-0S6_WzA2Mj.~",
        response_uri=ANSWER,
        response_mode=DIRECT_POST,
        query=dcql.parse(QUERY),
        state="s-1",
    )
    return replace(base, **changes)


def encrypted(**changes: Any) -> AuthorizationRequest:
    return asked(response_mode=DIRECT_POST_JWT, encryption_keys=(ENC_KEY.public_jwk,), **changes)


def signed(request: AuthorizationRequest, **options: Any) -> str:
    return sign_request(request, **{"signer": SIGNER, "x5c": (LEAF,), "now": NOW, "lifetime": HOUR, **options})


def opened(token: str, link: RequestLink = LINK, *, now: datetime = NOW, **options: Any) -> SignedRequest:
    return open_request(token, link=link, keys=options.pop("keys", NOBODY), now=now, **options)


def raw(changes: Mapping[str, Any], *, header: Mapping[str, Any] | None = None, signer: SoftwareSigner = SIGNER) -> str:
    """A request object with members changed, added, or (as None) left out."""
    claims = {**asked().parameters(), "aud": "https://self-issued.me/v2", **changes}
    head = {"typ": "oauth-authz-req+jwt", "x5c": [b64encode(LEAF).decode()], **(header or {})}
    return jws.sign({name: value for name, value in claims.items() if value is not None}, signer=signer, header=head)


def code_of(token: str, link: RequestLink = LINK, **options: Any) -> str:
    with pytest.raises(SsiError) as refusal:
        opened(token, link, **options)
    return refusal.value.code


# what is made is read


def test_the_request_object_says_what_the_specification_wants() -> None:
    token = jws.parse(signed(encrypted(purpose="Show that you are of age.")), typ=None)
    assert token.header["typ"] == "oauth-authz-req+jwt"
    assert jws.x5c(token.header) == (LEAF,)
    claims = token.claims
    assert claims["aud"] == "https://self-issued.me/v2"
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["response_uri"] == ANSWER
    assert claims["client_metadata"]["jwks"] == {"keys": [ENC_KEY.public_jwk]}
    # HAIP 1.0 §5: both, whatever the wallet will choose
    assert claims["client_metadata"]["encrypted_response_enc_values_supported"] == ["A128GCM", "A256GCM"]
    assert claims["client_metadata"]["vp_formats_supported"]["dc+sd-jwt"]["kb-jwt_alg_values"]
    # only what the specification defines (§5.1): the purpose is one of the things said about the asker
    assert set(claims["client_metadata"]) == {
        *("jwks", "encrypted_response_enc_values_supported", "vp_formats_supported"),
    }
    assert claims["verifier_info"] == [
        {"format": "urn:facet:purpose:1", "data": {"purpose": "Show that you are of age."}}
    ]
    assert not {
        "iss",
        "redirect_uri",
        "purpose",
        "client_id_scheme",
        "presentation_definition",
        "request_uri_method",
    } & set(claims)


@pytest.mark.parametrize("request_made", [asked(), encrypted(), encrypted(purpose="Why"), asked(state=None)])
def test_a_signed_request_is_read_as_it_was_asked(request_made: AuthorizationRequest) -> None:
    token = signed(request_made)
    read = opened(token)
    expected = request_made if request_made.encryption_keys else replace(request_made, enc_values=("A128GCM",))
    assert read.request == expected
    assert read.request.query.json == QUERY
    assert read.raw == token
    assert (read.asker.name, read.asker.prefix, read.asker.authenticated) == ("Example Shop", "x509_hash", True)
    assert read.asker.issuer == Issuer(None, x5c=(LEAF,))
    assert read.asker.client_id == CLIENT


def test_a_san_dns_asker_is_named_by_its_certificate() -> None:
    request = asked(client_id="x509_san_dns:rp.test")
    asker = opened(signed(request), RequestLink("x509_san_dns:rp.test", URI)).asker
    assert (asker.prefix, asker.name, asker.authenticated) == ("x509_san_dns", "Example Shop", True)


def test_a_did_asker_is_named_by_its_did() -> None:
    link = RequestLink(DID_CLIENT, URI)
    signer = replace(SIGNER, name=f"{DID}#key-1")
    read = opened(signed(asked(client_id=DID_CLIENT), signer=signer, x5c=()), link, keys=KEYS)
    assert read.asker.issuer == Issuer(DID, kid=f"{DID}#key-1")
    assert (read.asker.name, read.asker.prefix) == (DID, "decentralized_identifier")
    relative = raw({"client_id": DID_CLIENT}, header={"kid": "#key-1"})
    assert opened(relative, link, keys=KEYS).asker.issuer.kid == f"{DID}#key-1"


def test_an_ed25519_certificate_signs_too() -> None:
    signer = SoftwareSigner.generate("EdDSA")
    assert isinstance(signer.native, ed25519.Ed25519PrivateKey)
    leaf = certificate(signer, CA, "rp.test")
    client = x509_hash_client_id(leaf)
    token = signed(asked(client_id=client), signer=signer, x5c=(leaf,))
    assert opened(token, RequestLink(client, URI)).asker.authenticated


def test_a_request_by_value_in_the_link_is_opened() -> None:
    link = RequestLink(CLIENT, request=signed(asked()))
    assert open_request(None, link=link, keys=NOBODY, now=NOW).request.nonce == asked().nonce


def test_requests_that_no_wallet_would_take_are_not_signed() -> None:
    other = SoftwareSigner.generate("ES256")
    for request, options in (
        (asked(client_id="x509_hash:abc"), {}),
        (asked(), {"x5c": (certificate(other, CA, "rp.test"),)}),
        (asked(), {"x5c": ()}),
        (asked(client_id="x509_san_dns:rp.test"), {"x5c": ()}),
        (asked(client_id=DID_CLIENT), {"x5c": ()}),
        (asked(client_id=DID_CLIENT), {"signer": replace(SIGNER, name=f"{DID}#key-1")}),
        (asked(client_id=f"redirect_uri:{ANSWER}"), {}),
    ):
        with pytest.raises(Refused) as refusal:
            signed(request, **options)
        assert refusal.value.code == "oid4vp.client_id"


@pytest.mark.parametrize(
    ("data", "purpose"),
    [
        ({"purpose": "Why"}, "Why"),
        ({"purpose": ""}, None),
        ({"purpose": "Why\u202e"}, None),
        ({"purpose": 5}, None),
        ("Why", None),
    ],
)
def test_a_purpose_is_a_sentence_or_nothing(data: object, purpose: str | None) -> None:
    token = raw({"verifier_info": [{"format": "urn:facet:purpose:1", "data": data}]})
    read = opened(token).request
    assert (read.purpose, read.verifier_info) == (purpose, ())
    assert opened(raw({"purpose": "As before"})).request.purpose == "As before"


# who asks


def test_another_key_or_a_changed_request_is_refused() -> None:
    assert code_of(raw({}, signer=SoftwareSigner.generate("ES256"))) == "jose.signature"
    assert code_of(raw({}, signer=SoftwareSigner.generate("EdDSA"))) == "jose.key_alg"
    head, _, tail = signed(asked()).split(".")
    body = b64url(json.dumps({**asked().parameters(), "nonce": "changed"}).encode())
    assert code_of(f"{head}.{body}.{tail}") == "jose.signature"


def test_another_certificate_is_refused_even_of_the_same_key() -> None:
    again = certificate(SIGNER, CA, "rp.test", organization="Other")
    assert code_of(raw({}, header={"x5c": [b64encode(again).decode()]})) == "oid4vp.certificate"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"x5c": []}, "jose.x5c"),
        ({"x5c": ["AAAA"]}, "trust.certificate"),
        ({"typ": "JWT"}, "jose.typ"),
        ({"typ": None}, "jose.typ"),
        ({"crit": ["x"]}, "jose.crit"),
    ],
)
def test_headers_that_are_refused(header: Mapping[str, Any], code: str) -> None:
    assert code_of(raw({}, header=header)) == code


def test_a_request_without_certificate_is_refused() -> None:
    token = jws.sign(asked().parameters(), signer=SIGNER, header={"typ": "oauth-authz-req+jwt"})
    assert code_of(token) == "oid4vp.certificate"


@pytest.mark.parametrize(
    ("name", "uri", "code"),
    [
        ("other.test", ANSWER, "oid4vp.certificate"),
        ("a.shop.test", "https://a.shop.test/", "oid4vp.certificate"),
        ("rp.test", "https://other.test/response", "oid4vp.response_uri"),
        ("rp.test", "https://rp.test.other.test/", "oid4vp.response_uri"),
    ],
)
def test_san_dns_binds_the_certificate_and_the_answers_host(name: str, uri: str, code: str) -> None:
    client = f"x509_san_dns:{name}"
    assert code_of(raw({"client_id": client, "response_uri": uri}), RequestLink(client, URI)) == code


@pytest.mark.parametrize("kid", [None, "", "key-1", f"{DID}", f"{DID}#", "did:example:456#key-1", f"{DID}4#key-1"])
def test_a_did_asker_must_name_a_key_of_its_own_did(kid: str | None) -> None:
    token = raw({"client_id": DID_CLIENT}, header={} if kid is None else {"kid": kid})
    assert code_of(token, RequestLink(DID_CLIENT, URI), keys=KEYS) == "oid4vp.kid"


def test_a_did_key_that_does_not_exist_is_the_resolvers_refusal() -> None:
    token = raw({"client_id": DID_CLIENT}, header={"kid": f"{DID}#key-2"})
    assert code_of(token, RequestLink(DID_CLIENT, URI), keys=KEYS) == "key.unknown"


def test_link_and_request_must_name_the_same_asker() -> None:
    other = x509_hash_client_id(b"other")
    assert code_of(raw({"client_id": other})) == "oid4vp.client_id_mismatch"
    assert code_of(signed(asked()), RequestLink(other, URI)) == "oid4vp.client_id_mismatch"
    assert code_of(raw({"client_id": CLIENT.partition(":")[2]})) == "oid4vp.client_id_mismatch"
    assert code_of(raw({"client_id": None})) == "oid4vp.client_id_mismatch"


@pytest.mark.parametrize(
    "client_id",
    [
        "origin:https://a.test",
        "unknown:a",
        "plain",
        ":",
        "x509_hash:",
    ],
)
def test_unknown_prefixes_and_unregistered_clients_are_refused(client_id: str) -> None:
    assert code_of(raw({"client_id": client_id}), RequestLink(client_id, URI)) == "oid4vp.client_id_prefix"


def test_an_asker_of_a_federation_is_told_apart_from_nonsense() -> None:
    client_id = "openid_federation:https://a.test"
    assert code_of(raw({"client_id": client_id}), RequestLink(client_id, URI)) == "oid4vp.federation"


# unsigned requests


def unsigned_parameters(**changes: Any) -> dict[str, Any]:
    return {**asked(client_id=f"redirect_uri:{ANSWER}").parameters(), **changes}


def in_link(parameters: Mapping[str, Any]) -> RequestLink:
    flat = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    return parse_link("openid4vp://?" + urlencode(flat))


def test_an_unsigned_request_in_the_link_is_read_and_its_asker_unverified() -> None:
    read = open_request(None, link=in_link(unsigned_parameters()), keys=NOBODY, now=NOW)
    assert read.request.query.json == QUERY
    assert (read.asker.name, read.asker.authenticated, read.raw) == ("rp.test", False, "")
    assert read.asker.issuer == Issuer(None)


def test_the_answers_address_may_stand_in_the_name_alone() -> None:
    parameters = unsigned_parameters()
    del parameters["response_uri"]
    assert open_request(None, link=in_link(parameters), keys=NOBODY, now=NOW).request.response_uri == ANSWER


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"response_uri": "https://other.test/"}, "oid4vp.response_uri"),
        ({"client_id": CLIENT}, "oid4vp.unsigned"),
        ({"client_id": "x509_san_dns:rp.test"}, "oid4vp.unsigned"),
        ({"client_id": "plain"}, "oid4vp.client_id_prefix"),
        ({"dcql_query": "{"}, "encoding.json"),
        ({"dcql_query": "[]"}, "encoding.json_object"),
        ({"client_metadata": "x"}, "encoding.json"),
        ({"transaction_data": "x"}, "encoding.json"),
        ({"client_id": "redirect_uri:x", "response_uri": "x"}, "oid4vp.url"),
    ],
)
def test_unsigned_requests_that_are_refused(changes: Mapping[str, Any], code: str) -> None:
    with pytest.raises(SsiError) as refusal:
        open_request(None, link=in_link(unsigned_parameters(**changes)), keys=NOBODY, now=NOW)
    assert refusal.value.code == code


def test_a_link_that_points_to_a_request_is_no_request_itself() -> None:
    link = in_link(unsigned_parameters(request_uri=URI))
    with pytest.raises(Malformed) as refusal:
        open_request(None, link=link, keys=NOBODY, now=NOW)
    assert refusal.value.code == "oid4vp.link"


def unsecured(parameters: Mapping[str, Any], **header: Any) -> str:
    head = {"alg": "none", "typ": "oauth-authz-req+jwt", **header}
    return f"{b64url(json.dumps(head).encode())}.{b64url(json.dumps(parameters).encode())}."


def test_an_unsecured_object_is_taken_only_for_an_asker_that_cannot_sign() -> None:
    link = RequestLink(f"redirect_uri:{ANSWER}", URI)
    read = opened(unsecured(unsigned_parameters()), link)
    assert not read.asker.authenticated
    assert code_of(unsecured(asked().parameters())) == "jose.alg"
    assert code_of(raw({"client_id": link.client_id}), link) == "oid4vp.signed"
    assert code_of(unsecured(unsigned_parameters()) + "AAAA", link) == "oid4vp.signed"
    assert code_of(unsecured(unsigned_parameters(), typ="JWT"), link) == "jose.typ"
    assert code_of("a" * 300_000, link) == "jose.size"
    assert code_of(unsecured(unsigned_parameters(exp=1)), link) == "oid4vp.expired"


# what a request must and must not say


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"nonce": None}, "oid4vp.nonce"),
        ({"nonce": ""}, "oid4vp.nonce"),
        ({"nonce": 5}, "encoding.text"),
        ({"nonce": "a\nb"}, "oid4vp.nonce"),
        ({"nonce": "a" * 2000}, "oid4vp.nonce"),
        ({"state": 5}, "encoding.text"),
        ({"state": "é"}, "oid4vp.state"),
        ({"response_type": None}, "oid4vp.response_type"),
        ({"response_type": "code"}, "oid4vp.response_type"),
        ({"response_type": "vp_token id_token"}, "oid4vp.response_type"),
        ({"response_mode": None}, "oid4vp.response_mode"),
        ({"response_mode": "fragment"}, "oid4vp.redirect_uri"),
        ({"response_mode": "fragment", "response_uri": None}, "oid4vp.url"),
        ({"response_mode": "query"}, "oid4vp.response_mode"),
        ({"response_mode": "dc_api.jwt"}, "oid4vp.response_mode"),
        ({"response_mode": ["direct_post"]}, "oid4vp.response_mode"),
        ({"response_uri": None}, "oid4vp.url"),
        ({"response_uri": "http://rp.test/"}, "oid4vp.url"),
        ({"response_uri": "https://rp.test/#x"}, "oid4vp.url"),
        ({"response_uri": "https://u:p@rp.test/"}, "oid4vp.url"),
        ({"response_uri": "https://[rp/"}, "oid4vp.url"),
        ({"response_uri": "https://rp.test:x/"}, "oid4vp.url"),
        ({"response_uri": 5}, "oid4vp.url"),
        ({"redirect_uri": ANSWER}, "oid4vp.redirect_uri"),
        ({"response_uri": None, "redirect_uri": ANSWER}, "oid4vp.redirect_uri"),
        ({"dcql_query": None}, "oid4vp.dcql_query"),
        ({"dcql_query": None, "scope": "com.example.card"}, "oid4vp.scope"),
        ({"dcql_query": {"credentials": []}}, "dcql.credentials"),
        ({"dcql_query": json.dumps(QUERY)}, "dcql.form"),
        ({"client_metadata": []}, "oid4vp.client_metadata"),
        ({"client_metadata": {"vp_formats_supported": []}}, "oid4vp.client_metadata"),
        ({"aud": "https://other.test"}, "oid4vp.audience"),
        ({"aud": []}, "oid4vp.audience"),
        ({"aud": 5}, "oid4vp.audience"),
        ({"exp": seconds(NOW) - 61}, "oid4vp.expired"),
        ({"iat": seconds(NOW) + 61}, "oid4vp.not_yet_valid"),
        ({"nbf": seconds(NOW) + 61}, "oid4vp.not_yet_valid"),
        ({"exp": "soon"}, "encoding.numeric_date"),
    ],
)
def test_requests_that_are_refused(changes: Mapping[str, Any], code: str) -> None:
    found = code_of(raw(changes))
    assert found == code or (code == "dcql.form" and found.startswith("dcql."))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://anybody.test"},
        {"unknown": {"deep": [1]}},
        {"scope": "openid"},
        {"aud": None},
        {"aud": URI},
        {"aud": ["https://a.test", "https://self-issued.me/v2"]},
        {"exp": seconds(NOW) - 59, "iat": seconds(NOW) + 59},
        {"client_metadata": None},
        {"client_metadata": {"logo_uri": "x", "client_name": "Mallory Bank", "vp_formats_supported": {}}},
        {"client_metadata": {"vp_formats_supported": {}, "vp_formats": {}}},
        {"client_id_scheme": "x509_hash"},
        {"purpose": {"not": "text"}},
        {"request_uri_method": "POST"},
        {"verifier_info": [{"format": "jwt", "data": "x"}]},
    ],
)
def test_what_peers_add_is_borne(changes: Mapping[str, Any]) -> None:
    read = opened(raw(changes))
    assert read.request.response_uri == ANSWER
    assert read.asker.name == "Example Shop"
    assert read.request.purpose is None


@pytest.mark.parametrize(
    ("changes", "client_id", "version"),
    [
        ({"dcql_query": None, "presentation_definition": {}}, CLIENT, "draft 25 or older"),
        ({"dcql_query": None, "presentation_definition_uri": "x"}, CLIENT, "draft 25 or older"),
        ({"client_id_scheme": "x509_san_dns"}, "rp.test", "draft 21 or older"),
        ({"client_metadata_uri": "https://rp.test/m"}, "rp.test", "draft 20 or older"),
        ({}, "did:example:123", "draft 25 or older"),
        ({}, "x509_san_uri:https://rp.test", "draft 24 or older"),
        ({"client_metadata": {"vp_formats": {"vc+sd-jwt": {}}}}, CLIENT, "draft 26 or older"),
        ({"dcql_query": None, "verifier_attestations": []}, CLIENT, "draft 26, 27 or 28"),
        (
            {"dcql_query": None, "client_metadata": {"authorization_encrypted_response_alg": "ECDH-ES"}},
            CLIENT,
            "draft 25 or older",
        ),
    ],
)
def test_drafts_are_refused_by_name(changes: Mapping[str, Any], client_id: str, version: str) -> None:
    with pytest.raises(SsiError) as refusal:
        opened(raw({"client_id": client_id, **changes}), RequestLink(client_id, URI))
    assert refusal.value.code == "oid4vp.draft"
    assert version in refusal.value.detail


# encryption


def test_keys_that_cannot_be_used_are_passed_over() -> None:
    odd = [
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": "RSA-OAEP", "kid": "r", "use": "enc"},
        {"kty": "OKP", "crv": "X25519", "x": "WPX7wnwq10hFNK9aDSyG1QlLswE_CJY14LdhcFUIVVc", "alg": "ECDH-ES"},
        {**ENC_KEY.public_jwk, "use": "sig"},
        "nonsense",
    ]
    metadata = {"vp_formats_supported": {}, "jwks": {"keys": [*odd, ENC_KEY.public_jwk]}}
    read = opened(raw({"response_mode": DIRECT_POST_JWT, "client_metadata": metadata}))
    assert read.request.encryption_keys == (ENC_KEY.public_jwk,)
    assert read.request.enc_values == ("A128GCM",)


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({}, "oid4vp.encryption_key"),
        ({"jwks": []}, "oid4vp.encryption_key"),
        ({"jwks": {"keys": {}}}, "oid4vp.encryption_key"),
        ({"jwks": {"keys": []}}, "oid4vp.encryption_key"),
        ({"jwks": {"keys": [{"kty": "RSA"}]}}, "oid4vp.encryption_key"),
        ({"jwks": {"keys": [ENC_KEY.public_jwk]}, "encrypted_response_enc_values_supported": []}, "oid4vp.enc"),
        ({"jwks": {"keys": [ENC_KEY.public_jwk]}, "encrypted_response_enc_values_supported": "A128GCM"}, "oid4vp.enc"),
        ({"jwks": {"keys": [ENC_KEY.public_jwk]}, "encrypted_response_enc_values_supported": [5]}, "oid4vp.enc"),
        (
            {"jwks": {"keys": [ENC_KEY.public_jwk]}, "encrypted_response_enc_values_supported": ["A128CBC-HS256"]},
            "oid4vp.enc",
        ),
    ],
)
def test_encryption_that_cannot_be_done_is_refused(metadata: Mapping[str, Any], code: str) -> None:
    assert code_of(raw({"response_mode": DIRECT_POST_JWT, "client_metadata": metadata})) == code


# fetching by POST


def test_the_wallets_nonce_must_come_back() -> None:
    form = request_form(RequestLink(CLIENT, URI, "post"), wallet_nonce="w-1")
    metadata = json.loads(form["wallet_metadata"])
    assert "x509_hash" in metadata["client_id_prefixes_supported"]
    assert "ES256" in metadata["request_object_signing_alg_values_supported"]
    nonce = read_request_form({**form, "unknown": "x"})
    assert nonce == "w-1"
    assert opened(signed(asked(), wallet_nonce=nonce), wallet_nonce="w-1").request.nonce
    assert code_of(signed(asked()), wallet_nonce="w-1") == "oid4vp.wallet_nonce"
    assert code_of(signed(asked(), wallet_nonce="w-2"), wallet_nonce="w-1") == "oid4vp.wallet_nonce"
    assert read_request_form({}) is None


def test_signing_algorithms_are_not_named_where_nothing_can_be_signed() -> None:
    form = request_form(RequestLink("redirect_uri:https://rp.test/", URI, "post"), wallet_nonce="w")
    assert "request_object_signing_alg_values_supported" not in form["wallet_metadata"]


@pytest.mark.parametrize("nonce", ["", "a" * 513, "a\nb", "é"])
def test_wallet_nonces_that_are_refused(nonce: str) -> None:
    with pytest.raises(Malformed):
        read_request_form({"wallet_nonce": nonce})


# hostile bytes

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(sorted({*asked().parameters(), "redirect_uri", "aud", "exp", "iat", "nbf", "transaction_data",
                                "scope", "purpose", "wallet_nonce", "verifier_info"}))  # fmt: skip


@given(st.text(max_size=60))
def test_reader_raises_only_ssi_error_for_any_token(token: str) -> None:
    for client_id in (CLIENT, f"redirect_uri:{ANSWER}", "plain"):
        with pytest.raises(SsiError):
            opened(token, RequestLink(client_id, URI))


@given(st.dictionaries(names, json_values, max_size=4))
def test_reader_raises_only_ssi_error_for_any_claims(changes: dict[str, Any]) -> None:
    try:
        opened(raw(changes))
    except SsiError:
        return


@given(st.fixed_dictionaries({}, optional={
    "jwks": json_values, "vp_formats_supported": json_values, "encrypted_response_enc_values_supported": json_values,
}), st.dictionaries(st.sampled_from(["x5c", "kid", "typ"]), json_values, max_size=1))  # fmt: skip
def test_reader_raises_only_ssi_error_for_any_metadata(metadata: dict[str, Any], header: dict[str, Any]) -> None:
    try:
        opened(raw({"client_metadata": metadata, "response_mode": DIRECT_POST_JWT}, header=header))
    except SsiError:
        return


def test_examples_in_docstrings_hold() -> None:
    assert doctest.testmod(askers).failed == 0
    assert doctest.testmod(drafts).failed == 0
