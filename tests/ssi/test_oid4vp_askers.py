"""Askers with an attestation or known beforehand, answers by fragment, and what an asker is told that is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.encoding import b64url, seconds, unb64url
from ssi.errors import Malformed, Refused, SsiError, Unavailable, Unsupported
from ssi.jose import jwe, jws
from ssi.jose.jwe import DecryptionKey
from ssi.keys import PublicKey, SoftwareSigner
from ssi.model import Issuer, MethodKey, ResolvedKey
from ssi.oid4vp import (
    FRAGMENT,
    FRAGMENT_JWT,
    Client,
    RequestLink,
    SignedRequest,
    VerifierInfo,
    WalletMetadata,
    attestation,
    decline,
    decrypt_request,
    encrypt_request,
    fragment_url,
    open_request,
    parse_link,
    read_clients,
    read_response,
    read_wallet_call,
    refuse,
    request_form,
    respond,
    sign_request,
    unsigned_request,
)
from tests.ssi.test_oid4vp_requests import (
    ANSWER,
    CLIENT,
    ENC_KEY,
    HOUR,
    LEAF,
    LINK,
    NOBODY,
    SIGNER,
    URI,
    asked,
    encrypted,
    raw,
    signed,
)
from tests.support import NOW

ATTESTER = SoftwareSigner.generate("ES256")
ATTESTED = "verifier_attestation:shop.example"
ATTESTED_LINK = RequestLink(ATTESTED, URI)


class Attesters:
    """Knows the attester's key, by its address."""

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        if issuer.id != "https://attester.test":
            raise Unavailable("test.none", "Not reachable.")
        return ResolvedKey(ATTESTER.public, "issuer-metadata")

    def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
        raise Unavailable("test.none", "Not asked here.")

    def method_key(self, url: str, *, relationship: str, now: datetime) -> MethodKey:
        raise Unavailable("test.none", "Not asked here.")


def attest(**changes: Any) -> str:
    given_ = {
        "signer": ATTESTER,
        "issuer": "https://attester.test",
        "client": "shop.example",
        "key": SIGNER.public,
        "now": NOW,
        "lifetime": HOUR,
    }
    return attestation.make(**{**given_, **changes})


def attested(token: str, **options: Any) -> SignedRequest:
    return open_request(token, link=ATTESTED_LINK, keys=Attesters(), now=NOW, **options)


def with_attestation(jwt: Any, *, signer: SoftwareSigner = SIGNER, **changes: Any) -> str:
    claims = {**asked(client_id=ATTESTED).parameters(), **changes}
    header = {"typ": "oauth-authz-req+jwt", **({} if jwt is None else {"jwt": jwt})}
    return jws.sign(claims, signer=signer, header=header)


def code(call: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(SsiError) as refusal:
        call(*arguments, **options)
    return refusal.value.code


# verifier attestations


def test_an_attested_asker_signs_with_the_key_that_was_attested() -> None:
    request = asked(client_id=ATTESTED)
    token = sign_request(request, signer=SIGNER, x5c=(), now=NOW, lifetime=HOUR, attestation=attest())
    header = jws.parse(token, typ=None).header
    assert {"jwt", "typ"} <= set(header)
    assert not {"x5c", "kid"} & set(header)
    asker = attested(token).asker
    assert (asker.name, asker.prefix, asker.authenticated) == ("shop.example", "verifier_attestation", True)
    assert asker.issuer.id == "https://attester.test"  # who has to be trusted is who attests
    assert asker.statement == attestation.ATTESTATION_TYPE == "verifier-attestation+jwt"
    assert attested(with_attestation(attest(redirect_uris=[ANSWER]))).request.destination == ANSWER


STRANGER = SoftwareSigner.generate("ES256")


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (with_attestation(None), "oid4vp.attestation"),
        (with_attestation(5), "encoding.text"),
        (with_attestation(attest(), signer=STRANGER), "jose.signature"),
        (with_attestation(attest(key=STRANGER.public)), "jose.signature"),
        (with_attestation(attest(signer=STRANGER)), "jose.signature"),
        (with_attestation(attest(client="another.example")), "oid4vp.attestation"),
        (with_attestation(attest(issuer="https://elsewhere.test")), "test.none"),
        (with_attestation(attest(lifetime=timedelta(seconds=-61))), "oid4vp.attestation_expired"),
        (with_attestation(attest(redirect_uris=["https://rp.test/other"])), "oid4vp.response_uri"),
        (with_attestation(signed(asked())), "jose.typ"),
    ],
)
def test_attestations_that_prove_nothing(token: str, expected: str) -> None:
    assert code(attested, token) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"exp": None}, "oid4vp.attestation"),
        ({"iss": None}, "encoding.missing"),
        ({"sub": None}, "encoding.missing"),
        ({"cnf": None}, "oid4vp.attestation"),
        ({"cnf": {"jwk": {"kty": "EC"}}}, "key.type"),
        ({"nbf": seconds(NOW + HOUR)}, "oid4vp.attestation_expired"),
        ({"redirect_uris": "x"}, "oid4vp.attestation"),
        ({"redirect_uris": []}, "oid4vp.response_uri"),
        ({"unknown": 1, "iat": 5}, None),
    ],
)
def test_what_an_attestation_must_say(changes: dict[str, Any], expected: str | None) -> None:
    claims = {**jws.parse(attest(), typ=None).claims, **changes}
    said = {name: value for name, value in claims.items() if value is not None}
    token = with_attestation(jws.sign(said, signer=ATTESTER, header={"typ": "verifier-attestation+jwt"}))
    if expected is None:
        assert attested(token).asker.name == "shop.example"
    else:
        assert code(attested, token) == expected


def test_requests_that_no_wallet_would_take_are_not_signed() -> None:
    options: dict[str, Any] = {"signer": SIGNER, "now": NOW, "lifetime": HOUR}
    assert code(sign_request, asked(client_id=ATTESTED), x5c=(), **options) == "oid4vp.client_id"
    assert code(sign_request, asked(), x5c=(LEAF,), attestation=attest(), **options) == "oid4vp.client_id"


# clients known beforehand

SIGNING = {**SIGNER.public.jwk, "use": "sig", "kid": "s-1", "alg": "ES256"}
METADATA: dict[str, Any] = {"vp_formats_supported": {"dc+sd-jwt": {}}, "jwks": {"keys": [SIGNING, ENC_KEY.public_jwk]}}
SHOP = Client("shop-7", "The Shop", (ANSWER,), (), METADATA)
QUIET = replace(SHOP, metadata={"vp_formats_supported": {}})


def known(token: str | None, client: Client = SHOP, link: RequestLink | None = None) -> SignedRequest:
    used = link or RequestLink(client.client_id, URI)
    return open_request(token, link=used, keys=NOBODY, now=NOW, clients={client.client_id: client})


def of_shop(*, kid: str | None = "s-1", signer: SoftwareSigner = SIGNER, **changes: Any) -> str:
    claims = {**encrypted(client_id="shop-7").parameters(), "client_metadata": None, **changes}
    header = {"typ": "oauth-authz-req+jwt", **({"kid": kid} if kid else {})}
    return jws.sign({name: one for name, one in claims.items() if one is not None}, signer=signer, header=header)


def test_a_known_client_goes_by_what_is_known_of_it() -> None:
    read = known(of_shop())
    assert (read.asker.name, read.asker.prefix, read.asker.authenticated) == ("The Shop", "pre-registered", True)
    assert read.request.encryption_keys == (ENC_KEY.public_jwk,)
    assert known(of_shop(kid=None)).asker.name == "The Shop"  # it has only one key


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (of_shop(client_metadata={"vp_formats_supported": {}}), "oid4vp.known_client"),  # §8.5: invalid_client
        (of_shop(response_uri="https://rp.test/other"), "oid4vp.response_uri"),
        (of_shop(kid="s-2"), "oid4vp.kid"),
        (of_shop(signer=STRANGER), "jose.signature"),
    ],
)
def test_a_known_client_may_not_be_somebody_else(token: str, expected: str) -> None:
    assert code(known, token) == expected


def in_link(parameters: dict[str, Any]) -> RequestLink:
    flat = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    return parse_link("openid4vp://?" + urlencode(flat))


def test_a_known_client_without_keys_is_known_by_where_its_answers_go() -> None:
    parameters = asked(client_id="shop-7").parameters()
    del parameters["client_metadata"]
    assert known(None, QUIET, in_link(parameters)).asker.name == "The Shop"
    assert code(known, None, QUIET, in_link({**parameters, "response_uri": "https://x.test"})) == "oid4vp.response_uri"
    assert code(known, None, SHOP, in_link(parameters)) in ("oid4vp.unsigned", "oid4vp.encryption_key")


def test_a_name_with_an_unknown_prefix_may_be_a_known_client_but_no_known_prefix_is() -> None:
    odd = replace(QUIET, client_id="did:example:9")
    parameters = asked(client_id="did:example:9").parameters()
    del parameters["client_metadata"]
    assert known(None, odd, in_link(parameters)).asker.prefix == "pre-registered"
    for name in ("x509_san_dns:rp.test", "origin:https://rp.test"):
        forged = replace(QUIET, client_id=name)
        assert code(known, None, forged, in_link({**parameters, "client_id": name})) in (
            "oid4vp.unsigned",
            "oid4vp.client_id_prefix",
        )


def test_the_list_of_known_clients_is_read_strictly() -> None:
    entry = {"name": "The Shop", "redirect_uris": [ANSWER], "metadata": METADATA}
    assert read_clients(json.dumps({"shop-7": entry}).encode()) == {"shop-7": SHOP}
    for wrong in (5, {}, {**entry, "name": ""}, {**entry, "redirect_uris": "x"}, {**entry, "redirect_uris": []},
                  {**entry, "other": 1}, {**entry, "redirect_uris": ["http://x.test"]}, {**entry, "metadata": []},
                  {**entry, "metadata": {"jwks": {"keys": [{"use": "sig", "kty": "oct"}]}}}):  # fmt: skip
        with pytest.raises(Malformed):
            read_clients(json.dumps({"shop-7": wrong}).encode())


# posted for: what a wallet says, and requests that are encrypted to it


def test_a_request_is_encrypted_to_the_wallets_fresh_key() -> None:
    key = DecryptionKey.generate()
    call = read_wallet_call(request_form(LINK, wallet_nonce="w-1", key=key))
    assert call.nonce == "w-1"
    assert call.metadata.encryption_keys == (key.public_jwk,)
    call.metadata.check(encrypted(), alg="ES256")
    token = signed(asked(), wallet_nonce="w-1")
    secret = encrypt_request(token, call.metadata)
    head = json.loads(unb64url(secret.split(".")[0]))
    assert (head["cty"], head["kid"], head["alg"]) == ("oauth-authz-req+jwt", key.kid, "ECDH-ES")
    assert decrypt_request(secret, keys=(key,)) == token
    assert decrypt_request(token, keys=(key,)) == token
    assert code(decrypt_request, secret, keys=(DecryptionKey.generate(),)) == "jose.jwe_key"
    binary = jwe.encrypt(b"\xff", jwk=key.public_jwk, enc="A128GCM")
    assert code(decrypt_request, binary, keys=(key,)) == "oid4vp.request"


def test_a_wallet_without_a_usable_key_gets_the_request_as_it_is() -> None:
    for jwks in ([], [{"kty": "RSA"}], [{**ENC_KEY.public_jwk, "alg": "ECDH-ES+A256KW"}], "x"):
        form = {"wallet_metadata": json.dumps({"vp_formats_supported": {}, "jwks": {"keys": jwks}})}
        assert encrypt_request("a.b.c", read_wallet_call(form).metadata) == "a.b.c"
    foreign = replace(
        read_wallet_call({}).metadata, encryption_keys=(ENC_KEY.public_jwk,), request_enc=("A128CBC-HS256",)
    )
    assert encrypt_request("a.b.c", foreign) == "a.b.c"


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"vp_formats_supported": {"mso_mdoc": {}}}, "oid4vp.wallet_formats"),
        ({"client_id_prefixes_supported": ["x509_san_dns", "pre-registered"]}, "oid4vp.wallet_prefix"),
        ({"response_modes_supported": ["direct_post"]}, "oid4vp.wallet_mode"),
        ({"request_object_signing_alg_values_supported": ["EdDSA"]}, "oid4vp.wallet_alg"),
        ({"authorization_encryption_enc_values_supported": ["A256CBC-HS512"]}, "oid4vp.wallet_enc"),
    ],
)
def test_a_verifier_sees_what_a_wallet_cannot_do(metadata: dict[str, Any], expected: str) -> None:
    call = read_wallet_call({"wallet_metadata": json.dumps(metadata)})
    with pytest.raises(Unsupported) as refusal:
        call.metadata.check(encrypted(), alg="ES256")
    assert refusal.value.code == expected
    WalletMetadata().check(encrypted(), alg="ES256")  # who says nothing excludes nothing


@given(st.dictionaries(st.sampled_from(["wallet_nonce", "wallet_metadata", "other"]), st.text(max_size=40)))
def test_reader_raises_only_ssi_error_for_any_wallet(form: dict[str, str]) -> None:
    try:
        read_wallet_call(form)
    except SsiError:
        return


def test_an_unsigned_request_object_repeats_the_wallets_nonce() -> None:
    client = f"redirect_uri:{ANSWER}"
    token = unsigned_request(asked(client_id=client), wallet_nonce="w-1")
    read = open_request(token, link=RequestLink(client, URI), keys=NOBODY, now=NOW, wallet_nonce="w-1")
    assert not read.asker.authenticated


def test_a_request_may_be_fetched_twice() -> None:
    for nonce in ("w-1", "w-2"):
        token = signed(asked(), wallet_nonce=nonce)
        assert open_request(token, link=LINK, keys=NOBODY, now=NOW, wallet_nonce=nonce).request.nonce == asked().nonce


# by fragment

BACK = "https://rp.test/back?session=1"


def by_fragment(mode: str = FRAGMENT, **changes: Any) -> Any:
    keys = (ENC_KEY.public_jwk,) if mode == FRAGMENT_JWT else ()
    return asked(response_mode=mode, response_uri=None, redirect_uri=BACK, encryption_keys=keys, **changes)


@pytest.mark.parametrize("mode", [FRAGMENT, FRAGMENT_JWT])
def test_an_answer_by_fragment_goes_where_the_request_says(mode: str) -> None:
    read = open_request(signed(by_fragment(mode)), link=LINK, keys=NOBODY, now=NOW).request
    assert (read.destination, read.response_uri) == (BACK, None)
    address = fragment_url(read, respond(read, {"person": ["a~"]}))
    assert address.startswith(f"{BACK}#")
    form = dict(parse_qsl(urlsplit(address).fragment))
    assert set(form) == ({"response"} if mode == FRAGMENT_JWT else {"vp_token", "state"})
    answer = read_response(form, response_mode=mode, keys=(ENC_KEY,))
    assert (answer.vp_token, answer.state) == ({"person": ("a~",)}, "s-1")
    no = dict(parse_qsl(urlsplit(fragment_url(read, decline(read, description="No."))).fragment))
    assert read_response(no, response_mode=mode, keys=(ENC_KEY,)).error == "access_denied"


def test_fragment_is_what_is_meant_when_no_mode_is_named() -> None:
    client = f"redirect_uri:{BACK}"
    parameters = {**by_fragment(client_id=client).parameters()}
    del parameters["response_mode"]
    read = open_request(None, link=in_link(parameters), keys=NOBODY, now=NOW)
    assert (read.request.response_mode, read.request.redirect_uri) == (FRAGMENT, BACK)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"response_uri": ANSWER}, "oid4vp.redirect_uri"),
        ({"redirect_uri": None}, "oid4vp.url"),
        ({"redirect_uri": "https://rp.test/#x"}, "oid4vp.url"),
        ({"redirect_uri": "javascript:alert(1)"}, "oid4vp.url"),
        ({"redirect_uri": "http://rp.test/"}, "oid4vp.url"),
        ({"client_id": "x509_san_dns:rp.test", "redirect_uri": "https://evil.test/"}, "oid4vp.response_uri"),
    ],
)
def test_fragments_that_are_refused(changes: dict[str, Any], expected: str) -> None:
    token = raw({"response_uri": None, **by_fragment().parameters(), **changes})
    link = RequestLink(changes.get("client_id", CLIENT), URI)
    assert code(open_request, token, link=link, keys=NOBODY, now=NOW) == expected


# verifier info


def test_verifier_info_is_carried_as_it_came() -> None:
    info = (VerifierInfo("jwt", "eyJ.a.b", ("person",)), VerifierInfo("urn:x", {"name": "Shop"}))
    assert (
        open_request(signed(asked(verifier_info=info)), link=LINK, keys=NOBODY, now=NOW).request.verifier_info == info
    )


INFO = {"format": "jwt", "data": "x"}


@pytest.mark.parametrize(
    "value",
    [
        *([], {}, "x", [5], [{"format": "jwt"}], [{"data": "x"}], [{**INFO, "format": ""}], [{**INFO, "data": 5}]),
        *([{**INFO, "credential_ids": []}], [{**INFO, "credential_ids": ["nobody"]}], [INFO] * 17),
    ],
)
def test_verifier_info_that_is_refused(value: Any) -> None:
    assert code(open_request, raw({"verifier_info": value}), link=LINK, keys=NOBODY, now=NOW) == "oid4vp.verifier_info"


# what an asker is told


def told(token: str, link: RequestLink = LINK) -> tuple[str, dict[str, str]] | None:
    with pytest.raises(SsiError) as problem:
        open_request(token, link=link, keys=NOBODY, now=NOW)
    refusal = refuse(problem.value, token, link=link, keys=NOBODY, now=NOW)
    return None if refusal is None else (refusal.response_uri, dict(refusal.form))


PAY = b64url(json.dumps({"type": "urn:unknown", "credential_ids": ["person"]}).encode())


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"nonce": None}, "invalid_request"),
        ({"redirect_uri": ANSWER}, "invalid_request"),  # §8.2: both
        ({"dcql_query": None}, "invalid_request"),
        ({"dcql_query": {"credentials": []}}, "invalid_request"),
        ({"dcql_query": None, "scope": "x"}, "invalid_scope"),
        ({"response_type": "code"}, "unsupported_response_type"),
        ({"response_mode": "query"}, "invalid_request"),
        ({"transaction_data": [PAY]}, "invalid_transaction_data"),
        ({"dcql_query": {"credentials": [{"id": "a", "format": "ac_vp", "meta": {}}]}}, "vp_formats_not_supported"),
    ],
)
def test_an_authenticated_asker_is_told_what_is_wrong_with_its_request(changes: dict[str, Any], error: str) -> None:
    assert told(raw(changes)) == (ANSWER, {"error": error, "state": "s-1"})


def test_nobody_else_is_told_anything() -> None:
    wrong = {"nonce": None}
    assert told(raw(wrong, signer=STRANGER)) is None
    assert told(raw({**wrong, "response_uri": "http://rp.test/"})) is None
    assert told(raw({**wrong, "response_mode": "fragment"})) is None
    assert told(raw({**wrong, "exp": seconds(NOW - HOUR)})) is None
    assert told(raw({"client_id": "x509_hash:other"})) is None
    assert told("a.b.c") is None
    assert told(raw({**wrong, "client_id": "x509_san_dns:rp.test", "response_uri": "https://evil.test/"}),
                RequestLink("x509_san_dns:rp.test", URI)) is None  # fmt: skip
    assert refuse(Malformed("x", "y"), None, link=LINK, keys=NOBODY, now=NOW) is None


def test_the_attesters_word_does_not_travel() -> None:
    """An attestation of one attester, signed request of another client: the names must agree (§5.9.3)."""
    token = with_attestation(attest(), client_id="verifier_attestation:another.example")
    link = RequestLink("verifier_attestation:another.example", URI)
    with pytest.raises(Refused) as refusal:
        open_request(token, link=link, keys=Attesters(), now=NOW)
    assert refusal.value.code == "oid4vp.attestation"
