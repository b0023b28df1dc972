"""OpenID4VCI messages: what both sides must read, must refuse, and with which words."""

from __future__ import annotations

import contextlib
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.errors import Malformed, SsiError, Unavailable, Unsupported
from ssi.oid4vci import (
    PRE_AUTHORIZED_CODE,
    AuthorizationServer,
    ClaimDescription,
    Configuration,
    CredentialOffer,
    CredentialRequest,
    CredentialResponse,
    Display,
    IssuerMetadata,
    NonceResponse,
    OAuthError,
    OfferReference,
    PreAuthorized,
    TokenRequest,
    TokenResponse,
    TxCode,
    authorization_server_url,
    issuer_url,
    metadata_url,
    offer_link,
    parse_offer,
    read_error,
    read_offer,
    web_url,
)

ISSUER = "https://issuer.example"
OFFER = CredentialOffer(
    ISSUER, ("Person",), PreAuthorized("c0de", TxCode("numeric", 6, "From the desk")), (PRE_AUTHORIZED_CODE,)
)
JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class TestOffer:
    def test_an_offer_by_value_survives_its_link(self) -> None:
        assert parse_offer(offer_link(OFFER)) == OFFER
        assert parse_offer(offer_link(OFFER, base="https://wallet.example/offer")) == OFFER
        assert parse_offer("  " + json.dumps(OFFER.json) + "\n") == OFFER

    def test_an_offer_by_reference_names_its_address(self) -> None:
        reference = OfferReference("https://issuer.example/offers/abc?x=1&y=2")
        assert parse_offer(offer_link(reference)) == reference
        assert parse_offer(offer_link(reference, base="haip-vci://")) == reference
        assert parse_offer(offer_link(reference, base="https://w.example/offer?lang=de")) == reference

    def test_unknown_members_and_grants_are_passed_over(self) -> None:
        grants = {"authorization_code": {"issuer_state": "x"}, "urn:other": {}}
        offer = read_offer(json.dumps({**CredentialOffer(ISSUER, ("A",)).json, "grants": grants, "new": 1}))
        assert offer.pre_authorized is None
        assert offer.grants == ("authorization_code", "urn:other")

    def test_an_empty_tx_code_object_still_demands_a_code(self) -> None:
        offer = read_offer(json.dumps(CredentialOffer(ISSUER, ("A",), PreAuthorized("c", TxCode("numeric"))).json))
        assert offer.pre_authorized == PreAuthorized("c", TxCode())
        raw = {"credential_issuer": ISSUER, "credential_configuration_ids": ["A"]}
        raw["grants"] = {PRE_AUTHORIZED_CODE: {"pre-authorized_code": "c", "tx_code": {}}}  # type: ignore[assignment]
        assert read_offer(json.dumps(raw)).pre_authorized == PreAuthorized("c", TxCode())

    @pytest.mark.parametrize(
        "link",
        [
            "",
            "hello",
            "openid4vp://?client_id=x",
            "openid-credential-offer://",
            "openid-credential-offer://?credential_offer_uri=",
            "openid-credential-offer://?credential_offer_uri=http%3A%2F%2Fissuer.example%2F1",
            "openid-credential-offer://?credential_offer_uri=ftp%3A%2F%2Fissuer.example%2F1",
            "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fuser%3Apw%40issuer.example%2F1",
            "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fa&credential_offer_uri=https%3A%2F%2Fb",
            "openid-credential-offer://?credential_offer=%7B%7D&credential_offer_uri=https%3A%2F%2Fa",
            "openid-credential-offer://?credential_offer=%FF",
            "javascript://x?credential_offer_uri=https%3A%2F%2Fa",
            "https://[::1?credential_offer_uri=https%3A%2F%2Fa",
            "x" * 40_000,
        ],
    )
    def test_what_is_no_offer_link_is_refused(self, link: str) -> None:
        with pytest.raises(Malformed):
            parse_offer(link)

    @pytest.mark.parametrize(
        "change",
        [
            {"credential_issuer": None},
            {"credential_issuer": "http://issuer.example"},
            {"credential_issuer": "https://issuer.example?x=1"},
            {"credential_issuer": "https://issuer.example#f"},
            {"credential_configuration_ids": []},
            {"credential_configuration_ids": "A"},
            {"credential_configuration_ids": ["A", "A"]},
            {"credential_configuration_ids": ["A", 1]},
            {"grants": []},
            {"grants": {PRE_AUTHORIZED_CODE: "x"}},
            {"grants": {PRE_AUTHORIZED_CODE: {}}},
            {"grants": {PRE_AUTHORIZED_CODE: {"pre-authorized_code": 1}}},
            {"grants": {PRE_AUTHORIZED_CODE: {"pre-authorized_code": "c", "tx_code": None}}},
            {"grants": {PRE_AUTHORIZED_CODE: {"pre-authorized_code": "c", "tx_code": {"length": True}}}},
            {"grants": {PRE_AUTHORIZED_CODE: {"pre-authorized_code": "c", "tx_code": {"length": 10_000}}}},
            {"grants": {PRE_AUTHORIZED_CODE: {"pre-authorized_code": "c", "tx_code": {"description": "x" * 301}}}},
        ],
    )
    def test_a_broken_offer_is_refused(self, change: dict[str, object]) -> None:
        with pytest.raises(Malformed):
            read_offer(json.dumps({**OFFER.json, **change}))

    def test_the_code_is_not_in_a_repr(self) -> None:
        assert "c0de" not in repr(OFFER)

    @given(st.text() | JSONISH.map(json.dumps) | st.text().map(lambda t: f"openid-credential-offer://?{t}"))
    def test_hostile_text_raises_only_our_errors(self, text: str) -> None:
        for link in (text, f"openid-credential-offer://?credential_offer={quote(text)}"):
            with contextlib.suppress(SsiError):
                parse_offer(link)


class TestUrls:
    def test_the_well_known_part_goes_between_host_and_path(self) -> None:
        path = "/.well-known/openid-credential-issuer"
        assert metadata_url("https://a.example") == f"https://a.example{path}"
        assert metadata_url("https://a.example:8441/t/x") == f"https://a.example:8441{path}/t/x"

    def test_a_trailing_slash_stays_for_issuers_and_goes_for_authorization_servers(self) -> None:
        assert metadata_url("https://a.example/t/") == "https://a.example/.well-known/openid-credential-issuer/t/"
        expected = "https://a.example/.well-known/oauth-authorization-server/t"
        assert authorization_server_url("https://a.example/t/") == expected

    def test_plain_http_is_for_loopback_only(self) -> None:
        for host in ("localhost:8441", "127.0.0.1", "[::1]:9"):
            assert web_url(f"http://{host}/x", what="x") == f"http://{host}/x"
        with pytest.raises(Malformed):
            web_url("http://localhost.example", what="x")

    @given(st.text() | st.text().map(lambda t: f"https://{t}") | JSONISH)
    def test_hostile_addresses_raise_only_our_errors(self, value: object) -> None:
        for read in (web_url, issuer_url):
            with contextlib.suppress(SsiError):
                assert read(value, what="x") == value


CONFIGURATION = Configuration(
    "Person",
    "dc+sd-jwt",
    vct="urn:example:person",
    scope="person",
    signing_algs=("ES256",),
    binding_methods=("jwk", "did:key"),
    proof_algs={"jwt": ("ES256", "EdDSA")},
    display=(Display("Person", "en", "A person", "#112233", "#ffffff"),),
    claims=(
        ClaimDescription(("given_name",), True, (Display("Given name", "en"),)),
        ClaimDescription(("nationalities", None)),
        ClaimDescription(("document", "number")),
    ),
)
METADATA = IssuerMetadata(
    ISSUER, f"{ISSUER}/credential", {"Person": CONFIGURATION}, f"{ISSUER}/nonce", display=(Display("Town hall"),)
)


class TestMetadata:
    def test_what_is_published_reads_back_the_same(self) -> None:
        assert IssuerMetadata.parse(json.dumps(METADATA.json).encode(), issuer=ISSUER) == METADATA
        assert METADATA.name == "Town hall"
        assert METADATA.configurations["Person"].name == "Person"

    def test_nothing_empty_is_published(self) -> None:
        document = IssuerMetadata(ISSUER, f"{ISSUER}/c", {"A": Configuration("A", "ldp_vc")}).json
        assert document["credential_configurations_supported"]["A"] == {"format": "ldp_vc"}
        assert "authorization_servers" not in document

    def test_metadata_of_another_issuer_is_not_used(self) -> None:
        with pytest.raises(Malformed) as caught:
            IssuerMetadata.parse(json.dumps(METADATA.json).encode(), issuer=f"{ISSUER}/")
        assert caught.value.code == "oid4vci.metadata_issuer"

    def test_members_of_other_formats_and_newer_texts_do_not_disturb(self) -> None:
        mdoc = {"format": "mso_mdoc", "doctype": "x", "credential_signing_alg_values_supported": [-7, -9]}
        document = METADATA.json | {"credentials_supported": {}, "batch_credential_issuance": {"batch_size": 3}}
        document["credential_configurations_supported"]["mdl"] = mdoc
        document["credential_response_encryption"] = {"encryption_required": True}
        read = IssuerMetadata.parse(json.dumps(document).encode(), issuer=ISSUER)
        assert (read.configurations["mdl"].signing_algs, read.configurations["mdl"].type) == ((-7, -9), "x")
        assert read.batch_size == 3
        assert read.encryption_required

    def test_names_hold_nothing_that_makes_them_look_like_others(self) -> None:
        document = METADATA.json | {"display": [{"name": "Town\u202e\nhall", "description": "x" * 1000}]}
        (shown,) = IssuerMetadata.parse(json.dumps(document).encode(), issuer=ISSUER).display
        assert (shown.name, len(shown.description or "")) == ("Town hall", 300)

    def test_a_required_key_attestation_is_seen(self) -> None:
        document = METADATA.json
        proof_types = document["credential_configurations_supported"]["Person"]["proof_types_supported"]
        proof_types["jwt"]["key_attestations_required"] = {}
        read = IssuerMetadata.parse(json.dumps(document).encode(), issuer=ISSUER)
        assert read.configurations["Person"].attested == {"jwt"}

    @pytest.mark.parametrize(
        "change",
        [
            {"credential_endpoint": None},
            {"credential_endpoint": "http://issuer.example/c"},
            {"nonce_endpoint": "/nonce"},
            {"credential_configurations_supported": None},
            {"credential_configurations_supported": {"A": 1}},
            {"credential_configurations_supported": {"A": {}}},
            {"credential_configurations_supported": {"A": {"format": 1}}},
            {"credential_configurations_supported": {"A": {"format": "x", "credential_metadata": []}}},
            {
                "credential_configurations_supported": {
                    "A": {"format": "x", "credential_metadata": {"claims": [{"path": ["a"]}, {"path": ["a"]}]}}
                }
            },
            {
                "credential_configurations_supported": {
                    "A": {"format": "x", "credential_metadata": {"claims": [{"path": [True]}]}}
                }
            },
            {"authorization_servers": "x"},
            {"display": {"name": "x"}},
            {"display": [{"name": 1}]},
            {"batch_credential_issuance": {"batch_size": "2"}},
        ],
    )
    def test_broken_metadata_is_refused(self, change: dict[str, object]) -> None:
        with pytest.raises(Malformed):
            IssuerMetadata.parse(json.dumps({**METADATA.json, **change}).encode(), issuer=ISSUER)

    def test_authorization_server_metadata_reads_back(self) -> None:
        server = AuthorizationServer(ISSUER, f"{ISSUER}/token", (PRE_AUTHORIZED_CODE,), anonymous_access=True)
        read = AuthorizationServer.parse(json.dumps(server.json).encode(), issuer=ISSUER)
        assert read == server
        assert read.supports_pre_authorized
        plain = {"issuer": ISSUER, "token_endpoint": f"{ISSUER}/t"}
        assert not AuthorizationServer.parse(json.dumps(plain).encode(), issuer=ISSUER).supports_pre_authorized
        with pytest.raises(Malformed):
            AuthorizationServer.parse(json.dumps(server.json).encode(), issuer="https://other.example")

    @given(
        st.binary()
        | JSONISH.map(lambda v: json.dumps(v).encode())
        | st.dictionaries(st.sampled_from(sorted(METADATA.json)), JSONISH).map(
            lambda change: json.dumps({**METADATA.json, **change}).encode()
        )
    )
    def test_hostile_metadata_raises_only_our_errors(self, body: bytes) -> None:
        for read in (IssuerMetadata.parse, AuthorizationServer.parse):
            with contextlib.suppress(SsiError):
                read(body, issuer=ISSUER)


class TestToken:
    def test_a_request_survives_its_form(self) -> None:
        for request in (
            TokenRequest("c"),
            TokenRequest("c", "123456", ("Person",), client_id="me", locations=(ISSUER,)),
            TokenRequest("c", grant="authorization_code", redirect_uri="https://w.example/cb", code_verifier="v"),
            TokenRequest("r", scope="person", grant="refresh_token"),
        ):
            assert TokenRequest.parse(request.form.items()) == request

    def test_unknown_parameters_are_ignored(self) -> None:
        form = {**TokenRequest("c").form, "resource": ISSUER, "user_pin": "1234"}
        assert TokenRequest.parse(form.items()) == TokenRequest("c")

    @pytest.mark.parametrize(
        ("pairs", "error"),
        [
            ([], "invalid_request"),
            ([("grant_type", "")], "invalid_request"),
            ([("grant_type", "password"), ("code", "x")], "unsupported_grant_type"),
            ([("grant_type", "authorization_code")], "invalid_request"),
            ([("grant_type", "refresh_token"), ("code", "x")], "invalid_request"),
            ([("grant_type", PRE_AUTHORIZED_CODE)], "invalid_request"),
            ([("grant_type", PRE_AUTHORIZED_CODE), ("pre-authorized_code", "")], "invalid_request"),
            ([("grant_type", PRE_AUTHORIZED_CODE)] * 2 + [("pre-authorized_code", "c")], "invalid_request"),
            *(
                (
                    [*TokenRequest("c").form.items(), ("authorization_details", details)],
                    "invalid_authorization_details",
                )
                for details in ("{}", "[]", "[1]", "nonsense", '[{"type": "other"}]', '[{"type": "openid_credential"}]')
            ),
        ],
    )
    def test_a_broken_request_gets_its_own_code(self, pairs: list[tuple[str, str]], error: str) -> None:
        with pytest.raises(OAuthError) as caught:
            TokenRequest.parse(pairs)
        assert (caught.value.error, caught.value.status) == (error, 400)

    def test_a_response_reads_back(self) -> None:
        response = TokenResponse("secret", 300, {"Person": ("p-1",)})
        assert TokenResponse.parse(json.dumps(response.json).encode()) == response
        assert "secret" not in repr(response)
        bound = TokenResponse("tok", 300, token_type="DPoP", refresh_token="again")
        assert TokenResponse.parse(json.dumps(bound.json).encode()) == bound
        assert "again" not in repr(bound)
        legacy = {"access_token": "tok", "token_type": "bearer", "c_nonce": "n"}
        assert TokenResponse.parse(json.dumps(legacy).encode()) == TokenResponse("tok")

    def test_a_token_of_another_type_is_not_used(self) -> None:
        with pytest.raises(Unsupported):
            TokenResponse.parse(b'{"access_token": "x", "token_type": "MAC"}')

    @given(
        st.binary()
        | JSONISH.map(lambda v: json.dumps(v).encode())
        | st.dictionaries(
            st.sampled_from(["access_token", "token_type", "expires_in", "authorization_details"]), JSONISH
        ).map(lambda v: json.dumps({"access_token": "t", "token_type": "Bearer", **v}).encode())
    )
    def test_hostile_responses_raise_only_our_errors(self, body: bytes) -> None:
        for read in (TokenResponse.parse, CredentialResponse.parse, NonceResponse.parse, CredentialRequest.parse):
            with contextlib.suppress(SsiError):
                read(body)

    @given(st.lists(st.tuples(st.sampled_from([*TokenRequest("c", "1", ("a",)).form, "x"]), st.text())))
    def test_hostile_forms_raise_only_our_errors(self, pairs: list[tuple[str, str]]) -> None:
        with contextlib.suppress(OAuthError):
            TokenRequest.parse([("grant_type", PRE_AUTHORIZED_CODE), *pairs])


class TestCredential:
    def test_a_request_reads_back(self) -> None:
        for request in (
            CredentialRequest("Person", None, "jwt", ("a.b.c",)),
            CredentialRequest(None, "p-1", "jwt", ("a.b.c", "d.e.f")),
            CredentialRequest("Person"),
        ):
            assert CredentialRequest.parse(json.dumps(request.json).encode()) == request

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            (b"", "invalid_credential_request"),
            (b"[]", "invalid_credential_request"),
            (b"{", "invalid_credential_request"),
            (b"[" * 100 + b"]" * 100, "invalid_credential_request"),
            (b"{}", "invalid_credential_request"),
            (b'{"credential_configuration_id": 1}', "invalid_credential_request"),
            (b'{"credential_configuration_id": ""}', "invalid_credential_request"),
            (b'{"credential_configuration_id": "a", "credential_identifier": "b"}', "invalid_credential_request"),
            (b'{"credential_configuration_id": "a", "credential_configuration_id": "b"}', "invalid_credential_request"),
            (b'{"credential_configuration_id": "a", "proofs": null}', "invalid_proof"),
            (b'{"credential_configuration_id": "a", "proofs": {}}', "invalid_proof"),
            (b'{"credential_configuration_id": "a", "proofs": {"jwt": ["x"], "di_vp": ["y"]}}', "invalid_proof"),
            (b'{"credential_configuration_id": "a", "proofs": {"jwt": []}}', "invalid_proof"),
            (b'{"credential_configuration_id": "a", "proofs": {"jwt": "x"}}', "invalid_proof"),
            (b'{"credential_configuration_id": "a", "proofs": {"jwt": [1]}}', "invalid_proof"),
            (
                b'{"credential_configuration_id": "a", "credential_response_encryption": {}}',
                "invalid_encryption_parameters",
            ),
        ],
    )
    def test_a_broken_request_gets_its_own_code(self, body: bytes, error: str) -> None:
        with pytest.raises(OAuthError) as caught:
            CredentialRequest.parse(body)
        assert (caught.value.error, caught.value.status) == (error, 400)

    def test_responses_read_back(self) -> None:
        for response in (
            CredentialResponse(("a~b~", {"@context": []}), notification_id="n"),
            CredentialResponse(transaction_id="t", interval=9),
        ):
            assert CredentialResponse.parse(json.dumps(response.json).encode()) == response

    @pytest.mark.parametrize(
        "body",
        [
            b"{}",
            b'{"credentials": [], "transaction_id": "x"}',
            b'{"credentials": []}',
            b'{"credentials": [{"credential": 7}]}',
            b'{"transaction_id": "t"}',
            b'{"transaction_id": "t", "interval": 0}',
        ],
    )
    def test_broken_responses_are_refused(self, body: bytes) -> None:
        with pytest.raises(Malformed):
            CredentialResponse.parse(body)

    def test_a_nonce_response_needs_its_nonce(self) -> None:
        assert NonceResponse.parse(b'{"c_nonce": "n"}').c_nonce == "n"
        with pytest.raises(Malformed):
            NonceResponse.parse(b"{}")


class TestErrors:
    def test_a_refusal_says_its_code_and_status(self) -> None:
        error = OAuthError("invalid_token", "The token has expired.")
        assert (error.status, error.code) == (401, "oid4vci.invalid_token")
        assert error.json == {"error": "invalid_token", "error_description": "The token has expired."}

    def test_descriptions_keep_to_the_allowed_characters(self) -> None:
        text = OAuthError("invalid_proof", 'a "quoted" \\ näme\n').json["error_description"]
        assert text == "a 'quoted' ? n?me?"

    def test_an_issuers_refusal_reads_back(self) -> None:
        read = read_error(b'{"error": "invalid_nonce"}', status=400)
        assert isinstance(read, OAuthError)
        assert (read.error, read.status) == ("invalid_nonce", 400)

    def test_trouble_without_a_code_is_told_apart(self) -> None:
        assert isinstance(read_error(b"<html>", status=502), Unavailable)
        assert isinstance(read_error(b"<html>", status=404), Malformed)

    @given(st.binary() | JSONISH.map(lambda v: json.dumps({"error": v, "error_description": v}).encode()))
    def test_hostile_errors_are_still_errors(self, body: bytes) -> None:
        assert isinstance(read_error(body, status=400), SsiError)
