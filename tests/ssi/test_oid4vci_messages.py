"""Messages of the credential side: encryption, deferral, notifications, offers, and peers that speak a draft."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.encoding import unb64url
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.jose import jwe
from ssi.jose.jwe import DecryptionKey
from ssi.keys import SoftwareSigner
from ssi.oid4vci import (
    AuthorizationCode,
    CredentialOffer,
    CredentialRequest,
    CredentialResponse,
    DeferredRequest,
    Notification,
    OAuthError,
    PreAuthorized,
    RequestPolicy,
    ResponseEncryption,
    ResponsePolicy,
    drafts,
    encryption,
    notification,
    read_offer,
)

ISSUER = "https://issuer.example"
KEY = DecryptionKey.generate()
OTHER = DecryptionKey.generate()
REQUESTS, RESPONSES = encryption.policies([KEY], required=False)
JSONISH: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


class TestEncryption:
    def test_requests_are_sealed_for_the_issuer_alone(self) -> None:
        request = CredentialRequest("Person", None, "jwt", ("a.b.c",), RESPONSES.ask(OTHER))
        token = REQUESTS.seal(request.json)
        opened = encryption.open_request(token.encode(), keys=[KEY], max_bytes=262_144)
        assert CredentialRequest.parse(opened) == request
        with pytest.raises(OAuthError) as caught:
            encryption.open_request(token.encode(), keys=[OTHER], max_bytes=262_144)
        assert caught.value.error == "invalid_encryption_parameters"

    def test_the_kid_of_the_chosen_key_goes_along(self) -> None:
        head = REQUESTS.seal({}).partition(".")[0]
        header = json.loads(unb64url(head))
        assert (header["kid"], header["alg"], header["enc"], header["zip"]) == (KEY.kid, "ECDH-ES", "A256GCM", "DEF")

    @pytest.mark.parametrize("zipped", [None, "DEF"])
    @pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
    def test_responses_are_sealed_as_the_wallet_asked(self, enc: str, zipped: str | None) -> None:
        asked = ResponseEncryption.parse({"jwk": OTHER.public_jwk, "enc": enc} | ({"zip": zipped} if zipped else {}))
        response = CredentialResponse(("a~" * 20_000,), notification_id="n")
        token = asked.seal(response.json)
        assert (len(token) < 2_000) is (zipped is not None)
        assert CredentialResponse.parse(asked.open(token, key=OTHER)) == response
        with pytest.raises(Refused):
            asked.open(token, key=KEY)

    def test_compression_that_nobody_asked_for_is_refused(self) -> None:
        asked = ResponseEncryption(OTHER.public_jwk, "A128GCM")
        token = ResponseEncryption(OTHER.public_jwk, "A128GCM", "DEF").seal({})
        with pytest.raises(Unsupported):
            asked.open(token, key=OTHER)

    def test_a_few_bytes_do_not_become_many(self) -> None:
        bomb = jwe.encrypt(b" " * 1_000_000, jwk=KEY.public_jwk, enc="A128GCM", zip="DEF")
        with pytest.raises(OAuthError) as caught:
            encryption.open_request(bomb.encode(), keys=[KEY], max_bytes=262_144)
        assert caught.value.error == "invalid_encryption_parameters"
        assert len(jwe.decrypt(bomb, keys=[KEY], inflate=1_000_000)) == 1_000_000
        with pytest.raises(Malformed):
            jwe.decrypt(bomb, keys=[KEY], inflate=999_999)
        with pytest.raises(Unsupported):
            jwe.decrypt(bomb, keys=[KEY])

    @pytest.mark.parametrize(
        "change",
        [
            {"jwk": None},
            {"jwk": {}},
            {"jwk": {k: v for k, v in OTHER.public_jwk.items() if k != "alg"}},
            {"jwk": {**OTHER.public_jwk, "alg": "RSA-OAEP"}},
            {"jwk": {**OTHER.public_jwk, "use": "sig"}},
            {"jwk": {**OTHER.public_jwk, "x": OTHER.public_jwk["y"]}},
            {"jwk": {**OTHER.public_jwk, "d": "AAAA"}},
            {"jwk": {**SoftwareSigner.generate("ES384").public.jwk, "alg": "ECDH-ES"}},
            {"enc": None},
            {"enc": "A128CBC-HS256"},
            {"enc": "XC20P"},
            {"zip": "GZIP"},
            {"zip": None},
        ],
    )
    def test_parameters_that_cannot_be_used_are_named(self, change: dict[str, Any]) -> None:
        asked = {"jwk": OTHER.public_jwk, "enc": "A128GCM", **change}
        request = {"credential_configuration_id": "a", "credential_response_encryption": asked}
        with pytest.raises(OAuthError) as caught:
            CredentialRequest.parse(body(request))
        assert caught.value.error == "invalid_encryption_parameters"

    def test_policies_read_back(self) -> None:
        assert RequestPolicy.parse(json.loads(body(REQUESTS.json))) == REQUESTS
        assert ResponsePolicy.parse(json.loads(body(RESPONSES.json))) == RESPONSES
        assert REQUESTS.json["jwks"]["keys"][0]["kid"] == KEY.kid
        assert "d" not in REQUESTS.json["jwks"]["keys"][0]

    def test_a_wallet_takes_the_key_and_algorithm_it_can_use(self) -> None:
        rsa = {"kty": "RSA", "alg": "RSA-OAEP-256", "kid": "r", "n": "AQAB", "e": "AQAB"}
        policy = RequestPolicy((rsa, KEY.public_jwk), ("A128CBC-HS256", "A128GCM"))
        assert policy.usable
        assert encryption.open_request(policy.seal({}).encode(), keys=[KEY], max_bytes=99_999) == b"{}"
        assert not RequestPolicy((rsa,), ("A128GCM",)).usable
        with pytest.raises(Unsupported):
            RequestPolicy((KEY.public_jwk,), ("A128CBC-HS256",)).seal({})
        assert ResponsePolicy(("RSA-OAEP",), ("A128GCM",)).ask(OTHER) is None
        assert ResponsePolicy(("ECDH-ES",), ("A128GCM",)).ask(OTHER) == ResponseEncryption(OTHER.public_jwk, "A128GCM")

    @given(JSONISH)
    def test_hostile_policies_raise_only_our_errors(self, value: Any) -> None:
        for read in (RequestPolicy.parse, ResponsePolicy.parse, ResponseEncryption.parse):
            with contextlib.suppress(SsiError):
                read(value)
            with contextlib.suppress(SsiError):
                read({"jwks": {"keys": [value]}, "enc_values_supported": value, "jwk": value, "enc": value})


class TestDeferred:
    def test_a_request_reads_back(self) -> None:
        for request in (DeferredRequest("t"), DeferredRequest("t", RESPONSES.ask(OTHER))):
            assert DeferredRequest.parse(body(request.json)) == request
        assert DeferredRequest.parse(body({"transaction_id": "t", "other": 1})) == DeferredRequest("t")

    @pytest.mark.parametrize(
        ("sent", "error"),
        [
            (b"", "invalid_credential_request"),
            (b"{}", "invalid_credential_request"),
            (b'{"transaction_id": 1}', "invalid_credential_request"),
            (b'{"transaction_id": "a", "transaction_id": "b"}', "invalid_credential_request"),
            (b'{"transaction_id": "a", "credential_response_encryption": 1}', "invalid_encryption_parameters"),
        ],
    )
    def test_broken_requests_get_their_code(self, sent: bytes, error: str) -> None:
        with pytest.raises(OAuthError) as caught:
            DeferredRequest.parse(sent)
        assert caught.value.error == error


class TestNotification:
    def test_a_request_reads_back(self) -> None:
        for event in notification.EVENTS:
            sent = Notification("n", event, "Out of storage.")
            assert Notification.parse(body(sent.json)) == sent
        assert Notification("n", notification.DELETED, 'a "b" \\ ü').json["event_description"] == "a 'b' ? ?"

    @pytest.mark.parametrize(
        "sent",
        [
            b"",
            b"[]",
            b"{}",
            b'{"notification_id": "n"}',
            b'{"event": "credential_accepted"}',
            b'{"notification_id": "n", "event": "Credential_Accepted"}',
            b'{"notification_id": 1, "event": "credential_accepted"}',
            b'{"notification_id": "n", "notification_id": "m", "event": "credential_accepted"}',
            b'{"notification_id": "n", "event": "credential_accepted", "event_description": 1}',
            b'{"notification_id": "n", "event": "credential_accepted", "event_description": "a\\"b"}',
        ],
    )
    def test_broken_requests_are_refused(self, sent: bytes) -> None:
        with pytest.raises(OAuthError) as caught:
            Notification.parse(sent)
        assert (caught.value.error, caught.value.status) == ("invalid_notification_request", 400)

    @given(st.binary() | JSONISH.map(body))
    def test_hostile_bodies_raise_only_our_errors(self, sent: bytes) -> None:
        for read in (Notification.parse, DeferredRequest.parse, CredentialRequest.parse):
            with contextlib.suppress(OAuthError):
                read(sent)


class TestOffers:
    def test_both_grants_read_back(self) -> None:
        for code in (AuthorizationCode("state"), AuthorizationCode(), AuthorizationCode(None, f"{ISSUER}/as")):
            offer = CredentialOffer(ISSUER, ("a", "b"), PreAuthorized("c"), authorization_code=code)
            read = read_offer(body(offer.json))
            assert (read.authorization_code, read.pre_authorized) == (code, PreAuthorized("c"))
            assert set(read.grants) == {"authorization_code", "urn:ietf:params:oauth:grant-type:pre-authorized_code"}
        assert "state" not in repr(AuthorizationCode("state"))

    def test_an_offer_without_grants_says_so(self) -> None:
        assert read_offer(body(CredentialOffer(ISSUER, ("a",)).json)) == CredentialOffer(ISSUER, ("a",))

    def test_a_state_that_is_no_text_is_refused(self) -> None:
        offer = CredentialOffer(ISSUER, ("a",)).json | {"grants": {"authorization_code": {"issuer_state": 1}}}
        with pytest.raises(Malformed):
            read_offer(body(offer))


class TestDrafts:
    @pytest.mark.parametrize(
        ("offer", "version"),
        [
            ({"credential_issuer": ISSUER, "credentials": ["Person"]}, "draft 12"),
            ({"credential_issuer": ISSUER, "credentials": [{"format": "jwt_vc_json"}]}, "draft 12"),
            (
                {
                    "credential_issuer": ISSUER,
                    "credential_configuration_ids": ["a"],
                    "grants": {"pre": {"pre-authorized_code": "x", "user_pin_required": True}},
                },
                "draft 12",
            ),
        ],
    )
    def test_offers_of_drafts_are_named(self, offer: dict[str, Any], version: str) -> None:
        with pytest.raises(Unsupported) as caught:
            read_offer(body(offer))
        assert caught.value.code == "oid4vci.draft"
        assert version in caught.value.detail
        assert "1.0" in caught.value.detail

    @pytest.mark.parametrize(
        ("metadata", "version"),
        [
            ({"credentials_supported": []}, "draft 12 or older"),
            (
                {"credential_configurations_supported": {"a": {"format": "x"}}, "batch_credential_endpoint": "u"},
                "draft 13 or older",
            ),
            ({"credential_configurations_supported": {"a": {"format": "vc+sd-jwt"}}}, "draft 14 or older"),
            (
                {"credential_configurations_supported": {"a": {"format": "dc+sd-jwt", "display": []}}},
                "draft 15 or older",
            ),
            ({"credential_configurations_supported": {"a": {"format": "x", "claims": []}}}, "draft 15 or older"),
        ],
    )
    def test_metadata_of_drafts_is_named(self, metadata: dict[str, Any], version: str) -> None:
        assert drafts.of_metadata(metadata) == version
        with pytest.raises(Unsupported) as caught:
            drafts.refuse_metadata(metadata)
        assert version in caught.value.detail

    def test_what_is_complete_by_the_final_text_is_read_as_such(self) -> None:
        entry = {"format": "vc+sd-jwt", "display": [], "credential_metadata": {}}
        both = {"credential_configurations_supported": {"a": entry}, "credentials_supported": {}}
        assert drafts.of_metadata(both) is None
        assert drafts.of_metadata({"credential_configurations_supported": {"a": {"format": "dc+sd-jwt"}}}) is None
        request = {"credential_configuration_id": "a", "format": "x", "proof": {}, "proofs": {"jwt": ["a"]}}
        assert drafts.of_credential_request(request) is None
        assert drafts.of_credential_response({"credentials": [{"credential": "x"}], "credential": "x"}) is None
        assert drafts.of_token_request({"tx_code": "1", "user_pin": "1"}) is None
        assert drafts.of_token_request({"user_pin": "1"}) == "draft 12 or older"

    @pytest.mark.parametrize(
        ("request_", "version"),
        [
            ({"format": "jwt_vc_json", "proof": {"proof_type": "jwt", "jwt": "x"}}, "draft 14 or older"),
            ({"credential_configuration_id": "a", "proof": {"proof_type": "jwt", "jwt": "x"}}, "draft 15 or older"),
            ({"credential_identifier": "a", "proofs": {"ldp_vp": [{}]}}, "draft 15 or older"),
        ],
    )
    def test_requests_of_drafts_are_refused_by_name(self, request_: dict[str, Any], version: str) -> None:
        with pytest.raises(OAuthError) as caught:
            CredentialRequest.parse(body(request_))
        assert caught.value.error == ("invalid_credential_request" if "14" in version else "invalid_proof")
        assert version in caught.value.detail

    @pytest.mark.parametrize("response", [{"credential": "a"}, {"credentials": ["a~"]}])
    def test_responses_of_drafts_are_named(self, response: dict[str, Any]) -> None:
        with pytest.raises(Unsupported) as caught:
            CredentialResponse.parse(body(response))
        assert "draft 14 or older" in caught.value.detail

    @given(JSONISH)
    def test_hostile_members_raise_nothing(self, value: Any) -> None:
        names = ("grants", "credential_configurations_supported", "proofs", "credentials", "format")
        for name in names:
            for judge in (drafts.of_offer, drafts.of_metadata, drafts.of_credential_request):
                judge({name: value})
            drafts.of_credential_response({name: value})


def test_an_attestation_is_one_proof_and_a_presentation_is_an_object() -> None:
    def parse(proofs: dict[str, Any]) -> CredentialRequest:
        return CredentialRequest.parse(body({"credential_configuration_id": "a", "proofs": proofs}))

    assert parse({"di_vp": [{"type": "x"}]}).proofs == ({"type": "x"},)
    for broken in ({"attestation": ["a", "b"]}, {"di_vp": ["a"]}, {"jwt": [{}]}):
        with pytest.raises(OAuthError) as caught:
            parse(broken)
        assert caught.value.error == "invalid_proof"
