"""The Digital Credentials API: unsigned, signed and multi-signed requests of a page, answers bound to its origin."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import dcql, formats
from ssi.encoding import b64url, read_json_object, unb64url
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.formats import mdoc, sdjwt
from ssi.jose.jwe import DecryptionKey
from ssi.model import Credential, Disclosure, Draft, Issuer, Outcome, Presentation, ResolvedKey
from ssi.oid4vp import (
    DC_API,
    DC_API_JWT,
    DC_PROTOCOLS,
    MULTISIGNED_PROTOCOL,
    SIGNED_PROTOCOL,
    UNSIGNED_PROTOCOL,
    AuthorizationRequest,
    Client,
    PageReader,
    PageSigner,
    RequestSigner,
    SignedRequest,
    VerifierInfo,
    assigned,
    challenges,
    decline_page,
    open_page_request,
    page_request,
    read_page_response,
    respond_to_page,
)
from ssi.trust import x509
from tests.ssi import mdocs
from tests.ssi.test_oid4vp_requests import CLIENT, DID, DID_CLIENT, KEYS, LEAF, QUERY, SIGNER
from tests.support import NOW

ORIGIN = "https://rp.test"
KEY = DecryptionKey.generate()
HOLDER = mdocs.HOLDER
HOUR = timedelta(hours=1)
BY_HASH = RequestSigner(CLIENT, SIGNER, (LEAF,))
BY_DID = RequestSigner(DID_CLIENT, replace(SIGNER, name=f"{DID}#key-1"))


def asked(mode: str = DC_API_JWT, **changes: Any) -> AuthorizationRequest:
    base = AuthorizationRequest(
        client_id=CLIENT,
        nonce="n-0S6_WzA2Mj",
        origin=ORIGIN,
        expected_origins=(ORIGIN, "https://other.test"),
        response_mode=mode,
        query=dcql.parse(QUERY),
        encryption_keys=(KEY.public_jwk,) if mode == DC_API_JWT else (),
        state="never sent",
    )
    return replace(base, **changes)


def made(request: AuthorizationRequest, *signers: RequestSigner | PageSigner) -> dict[str, Any]:
    return page_request(request, signers=signers, now=NOW, lifetime=HOUR)


def opened(call: dict[str, Any], *, origin: str = ORIGIN, **options: Any) -> SignedRequest:
    return open_page_request(call["protocol"], call["data"], PageReader(origin, KEYS, NOW, **options))


def code_of(call: dict[str, Any], **options: Any) -> str:
    with pytest.raises(SsiError) as refusal:
        opened(call, **options)
    return refusal.value.code


# requests


def test_an_unsigned_request_rests_on_the_pages_origin_alone() -> None:
    call = made(asked())
    assert call["protocol"] == UNSIGNED_PROTOCOL == "openid4vp-v1-unsigned"
    assert not {"client_id", "expected_origins", "state", "response_uri", "aud"} & set(call["data"])
    read = opened(call, origin="https://anybody.test")
    assert (read.request.client_id, read.request.audience) == ("", "origin:https://anybody.test")
    assert (read.asker.authenticated, read.asker.name) == (False, "anybody.test")


def test_parameters_that_mean_nothing_in_unsigned_requests_are_ignored() -> None:
    call = made(asked())
    call["data"] |= {"client_id": CLIENT, "expected_origins": ["https://other.test"], "state": 5, "iss": "x"}
    read = opened(call)
    assert (read.request.client_id, read.request.expected_origins, read.request.state) == ("", (), None)


def test_a_signed_request_names_its_asker_and_the_pages_that_may_send_it() -> None:
    call = made(asked(), BY_HASH)
    assert (call["protocol"], set(call["data"])) == (SIGNED_PROTOCOL, {"request"})
    read = opened(call)
    assert (read.asker.client_id, read.asker.authenticated) == (CLIENT, True)
    assert read.request.audience == f"origin:{ORIGIN}"  # A.4: also for signed requests
    assert code_of(call, origin="https://rp.test.evil.test") == "oid4vp.origin"
    assert code_of(call, origin="https://RP.test") == "oid4vp.origin"  # simple string comparison


def test_a_signed_request_without_origins_is_neither_made_nor_taken() -> None:
    with pytest.raises(Refused) as refusal:
        made(asked(expected_origins=()), BY_HASH)
    assert refusal.value.code == "oid4vp.expected_origins"
    body = b64url(json.dumps({**asked(expected_origins=()).parameters()}).encode())
    head = b64url(json.dumps({**BY_HASH.header(), "alg": "ES256"}).encode())
    token = f"{head}.{body}.{b64url(SIGNER.sign(f'{head}.{body}'.encode()))}"
    assert code_of({"protocol": SIGNED_PROTOCOL, "data": {"request": token}}) == "oid4vp.expected_origins"


def test_a_san_dns_asker_may_ask_from_any_page_it_expects() -> None:
    signer = RequestSigner("x509_san_dns:rp.test", SIGNER, (LEAF,))
    read = opened(made(asked(), signer), origin="https://other.test")  # §5.9.3: the host rule is for redirects
    assert read.asker.prefix == "x509_san_dns"


def test_a_request_for_another_way_of_answering_is_refused() -> None:
    call = made(asked())
    call["data"]["response_mode"] = "direct_post"
    assert code_of(call) == "oid4vp.response_mode"


@pytest.mark.parametrize("protocol", ["openid4vp-v2-unsigned", "openid4vp-v1-", "org-iso-mdoc", ""])
def test_other_protocols_are_refused(protocol: str) -> None:
    assert code_of({"protocol": protocol, "data": made(asked())["data"]}) == "oid4vp.protocol"


def test_a_page_that_asks_by_a_draft_is_told_apart() -> None:
    assert code_of({"protocol": "openid4vp", "data": made(asked())["data"]}) == "oid4vp.draft"


# several signatures


def test_each_signature_names_its_own_asker_and_what_is_said_of_it() -> None:
    info = VerifierInfo("registration", "eyJ.a.b", ("person",))
    call = made(asked(), PageSigner(BY_HASH, (info,)), BY_DID)
    assert call["protocol"] == MULTISIGNED_PROTOCOL
    request = call["data"]["request"]
    assert not {"client_id", "verifier_info"} & set(read_json_object(unb64url(request["payload"])))
    heads = [read_json_object(unb64url(one["protected"])) for one in request["signatures"]]
    assert [head["client_id"] for head in heads] == [CLIENT, DID_CLIENT]
    assert ["verifier_info" in head for head in heads] == [True, False]
    why = made(asked(purpose="Why"), PageSigner(BY_HASH, (info,)), BY_DID)
    assert (opened(why).request.purpose, opened(why).request.verifier_info) == ("Why", (info,))
    read = opened(call)
    assert (read.asker.client_id, read.request.verifier_info) == (CLIENT, (info,))
    assert json.loads(read.raw) == request


def test_the_wallet_takes_the_asker_that_it_trusts() -> None:
    call = made(asked(), BY_HASH, BY_DID)
    assert opened(call, trusted=lambda asker: asker.prefix == "decentralized_identifier").asker.client_id == DID_CLIENT
    assert opened(call, trusted=lambda _: False).asker.client_id == CLIENT


def test_one_invalid_signature_among_several_counts_for_nothing() -> None:
    call = made(asked(), BY_HASH, BY_DID)
    signatures = call["data"]["request"]["signatures"]
    signatures[0]["signature"] = b64url(bytes(64))
    assert opened(call).asker.client_id == DID_CLIENT
    signatures[1]["signature"] = b64url(bytes(64))
    assert code_of(call) == "jose.signature"


def test_identities_that_cannot_be_checked_are_passed_over() -> None:
    attested = RequestSigner("verifier_attestation:shop", SIGNER, attestation="no.token.here")
    assert opened(made(asked(), attested, BY_HASH)).asker.client_id == CLIENT
    registered = RequestSigner("shop-7", SIGNER)
    assert opened(made(asked(), registered, BY_HASH)).asker.client_id == CLIENT
    assert code_of(made(asked(), registered, registered)) == "oid4vp.client_id_prefix"


def test_every_signature_is_for_this_page() -> None:
    assert code_of(made(asked(), BY_HASH, BY_DID), origin="https://evil.test") == "oid4vp.origin"


def test_what_belongs_to_a_signature_may_not_stand_in_the_payload() -> None:
    call = made(asked(), BY_HASH, BY_DID)
    request = call["data"]["request"]
    payload = {**read_json_object(unb64url(request["payload"])), "client_id": CLIENT}
    body = b64url(json.dumps(payload).encode())
    for one in request["signatures"]:
        one["signature"] = b64url(SIGNER.sign(f"{one['protected']}.{body}".encode()))
    request["payload"] = body
    assert code_of(call) == "oid4vp.signatures"


@pytest.mark.parametrize(
    "request_",
    [
        None,
        "a.b.c",
        {},
        {"payload": "e30"},
        {"payload": "e30", "signatures": []},
        {"payload": "e30", "signatures": [5]},
    ],
)
def test_what_is_not_signed_several_times_is_refused(request_: Any) -> None:
    assert code_of({"protocol": MULTISIGNED_PROTOCOL, "data": {"request": request_}}) == "oid4vp.signatures"


def test_a_known_client_is_known_by_its_pages() -> None:
    jwk = {**SIGNER.public.jwk, "use": "sig", "kid": SIGNER.kid}
    metadata = {"vp_formats_supported": {}, "jwks": {"keys": [jwk, KEY.public_jwk]}}
    clients = {"shop": Client("shop", "The Shop", (), (ORIGIN,), metadata)}
    bare = {**asked(client_id="shop").parameters()}
    del bare["client_metadata"]
    body = b64url(json.dumps(bare).encode())
    head = b64url(json.dumps({"typ": "oauth-authz-req+jwt", "alg": "ES256", "kid": SIGNER.kid}).encode())
    token = f"{head}.{body}.{b64url(SIGNER.sign(f'{head}.{body}'.encode()))}"
    call = {"protocol": SIGNED_PROTOCOL, "data": {"request": token}}
    assert opened(call, clients=clients).asker.name == "The Shop"
    elsewhere = {"shop": replace(clients["shop"], origins=("https://elsewhere.test",))}
    assert code_of(call, clients=elsewhere) == "oid4vp.response_uri"


# answers


def _credential(kind: str) -> Credential:
    if kind == "mso_mdoc":
        return mdocs.issued()
    draft = Draft(
        "urn:facet:credential:verified-person:1",
        Issuer(None, x5c=(LEAF,)),
        {"age_over_18": True, "given_name": "Ada"},
        disclosable=(("age_over_18",), ("given_name",)),
    )
    return sdjwt.issue(draft, signer=SIGNER, holder=HOLDER.public, now=NOW)


MDL_QUERY = {
    "credentials": [
        {
            "id": "person",
            "format": "mso_mdoc",
            "meta": {"doctype_value": mdocs.MDL_TYPE},
            "claims": [{"path": [mdocs.MDL, "given_name"], "intent_to_retain": False}],
        }
    ]
}


class AnyKeys:
    """Whoever signed with a certificate: its key."""

    def issuer_key(self, issuer: Issuer, **_: Any) -> ResolvedKey:
        return ResolvedKey(x509.leaf(issuer.x5c).public, "x5c")


@pytest.mark.parametrize("kind", ["dc+sd-jwt", "mso_mdoc"])
@pytest.mark.parametrize("signers", [(), (BY_HASH,), (BY_HASH, BY_DID)], ids=["unsigned", "signed", "multisigned"])
@pytest.mark.parametrize("mode", [DC_API, DC_API_JWT])
def test_from_page_to_wallet_and_back(kind: str, signers: tuple[RequestSigner, ...], mode: str) -> None:
    query = dcql.parse(QUERY if kind == "dc+sd-jwt" else MDL_QUERY)
    request = asked(mode, query=query)
    call = json.loads(json.dumps(made(request, *signers)))
    read = opened(call).request
    bound = assigned(read, {"person": kind})["person"]
    path = ("age_over_18",) if kind == "dc+sd-jwt" else (mdocs.MDL, "given_name")
    form = formats.by_id(kind)
    shown = form.derive(_credential(kind), disclose=Disclosure((path,)), challenge=bound, holder=HOLDER, now=NOW)
    data = json.loads(json.dumps(respond_to_page(read, {"person": [shown.wire]})))
    assert set(data) == ({"response"} if mode == DC_API_JWT else {"vp_token"})
    answer = read_page_response(data, response_mode=mode, keys=(KEY,))
    assert answer.vp_token is not None
    ((challenge,),) = challenges(request, answer.vp_token).values()
    (wire,) = answer.vp_token["person"]
    for expected, mine in ((True, challenge), (False, replace(challenge, audience="origin:https://evil.test"))):
        result = form.open(Presentation(kind, wire), challenge=mine, keys=AnyKeys(), now=NOW)  # type: ignore[arg-type]
        (binding,) = [one for one in result.findings if one.check.value == "holder_binding"]
        assert (binding.outcome is Outcome.PASS) is expected, binding


def test_a_presentation_for_a_link_is_none_for_a_page() -> None:
    request = asked(DC_API_JWT, query=dcql.parse(MDL_QUERY))
    bound = assigned(request, {"person": "mso_mdoc"})["person"]
    assert (bound.response_uri, bound.response_key) == (None, KEY.thumbprint)
    other = replace(bound, response_key=DecryptionKey.generate().thumbprint)
    shown = mdoc.derive(_credential("mso_mdoc"), disclose=Disclosure(()), challenge=other, holder=HOLDER, now=NOW)
    result = mdoc.open(shown, challenge=bound, keys=AnyKeys(), now=NOW)  # type: ignore[arg-type]  # one question
    (binding,) = [one for one in result.findings if one.check.value == "holder_binding"]
    assert binding.outcome is Outcome.FAIL  # B.2.6.2: re-encrypted to another key


def test_a_no_to_a_page_is_one_word() -> None:
    assert decline_page() == {"error": "access_denied"}
    for mode in (DC_API, DC_API_JWT):
        answer = read_page_response({"error": "invalid_request"}, response_mode=mode, keys=(KEY,))
        assert (answer.error, answer.vp_token, answer.state) == ("invalid_request", None, None)


@pytest.mark.parametrize(
    ("data", "mode", "code"),
    [
        ({"vp_token": {"person": ["a~"]}}, DC_API_JWT, "oid4vp.not_encrypted"),
        ({"vp_token": {"person": "a~"}}, DC_API, "oid4vp.vp_token"),
        ({"vp_token": '{"person":["a~"]}'}, DC_API, "oid4vp.vp_token"),
        ({}, DC_API, "oid4vp.vp_token"),
        ([], DC_API, "oid4vp.page_response"),
        ({"response": 5}, DC_API_JWT, "encoding.text"),
        ({"vp_token": {"person": ["a~"]}}, "direct_post", "oid4vp.response_mode"),
    ],
)
def test_page_answers_that_are_refused(data: Any, mode: str, code: str) -> None:
    with pytest.raises(SsiError) as refusal:
        read_page_response(data, response_mode=mode, keys=(KEY,))
    assert refusal.value.code == code


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(DC_PROTOCOLS), json_values, st.dictionaries(st.sampled_from(
    ["request", "response_mode", "nonce", "dcql_query", "client_metadata", "verifier_info", "transaction_data"]
), json_values, max_size=3))  # fmt: skip
def test_reader_raises_only_ssi_error_for_any_page(protocol: str, value: Any, changes: dict[str, Any]) -> None:
    for data in (
        value,
        {**made(asked())["data"], **changes},
        {"request": value},
        {"request": {"payload": "e30", "signatures": value}},
    ):
        try:
            open_page_request(protocol, data, PageReader(ORIGIN, KEYS, NOW))
        except SsiError:
            continue


def test_a_page_without_an_origin_is_not_answered() -> None:
    with pytest.raises(Malformed):
        opened(made(asked()), origin="")
    with pytest.raises(Unsupported):
        opened({"protocol": "x", "data": {}})
