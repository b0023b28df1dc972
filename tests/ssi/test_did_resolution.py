"""DID resolution for others, in the two dialects that two conformance suites expect."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.dids import Sources, document, jwk, key, keyformats
from ssi.dids.resolution import DEREFERENCED, PROFILE, RESULT, Resolution, resolution
from ssi.encoding import b64url, unbase58, write_json
from ssi.errors import Malformed
from ssi.fetch import Response
from ssi.keys import SoftwareSigner
from ssi.legacy import secp256k1
from tests.conftest import VECTORS
from tests.support import NOW, InMemoryFetch

DID = "did:key:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b"
METHOD = f"{DID}#{DID[8:]}"
AGREEMENT = f"{DID}#z6LSfHfAMAopsuBxaBzvp51GXrPf38Az13j2fmwqadbwwrzJ"
WEB = "did:web:example.com"
NOWHERE = InMemoryFetch({})


def asked(did: str, accept: str | None = RESULT, fetch: InMemoryFetch = NOWHERE, **options: str) -> Resolution:
    return resolution(did, accept=accept, options=options, sources=Sources(fetch), now=NOW)


def written(did: str, **options: str) -> Any:
    found = asked(did, **options)
    assert (found.status, found.content_type) == (200, RESULT)
    document.parse(found.body["didDocument"], did=did)
    return found.body["didDocument"]


# --- the present draft ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", [RESULT, None, "", "*/*", "text/html, application/*;q=0.1", RESULT.upper()])
def test_a_result_is_given_unless_something_else_is_asked_for(accept: str | None) -> None:
    found = asked(DID, accept)
    assert (found.status, found.content_type) == (200, "application/did-resolution")
    assert found.body["didDocument"]["id"] == DID
    assert found.body["didDocumentMetadata"] == {}
    assert found.body["didResolutionMetadata"]["contentType"] in found.content_type


@pytest.mark.parametrize(
    "kind", ["application/did", "application/did+json", "application/did+ld+json", "application/json"]
)
def test_the_bare_document_is_given_where_it_is_asked_for(kind: str) -> None:
    found = asked(DID, f"text/html, application/x-new;q=1, {kind};q=0.5, {RESULT};q=0")
    assert (found.status, found.content_type, found.body["id"]) == (200, kind, DID)
    assert asked(METHOD, kind).body["id"] == METHOD
    assert asked(DID, "application/ld+json").content_type == "application/did"


@pytest.mark.parametrize(
    ("did", "options", "status", "kind"),
    [
        ("not-a-did", {}, 400, "INVALID_DID"),
        ("did:example", {}, 400, "INVALID_DID"),
        ("", {}, 400, "INVALID_DID"),
        ("did:key:@", {}, 400, "INVALID_DID"),
        ("did:key:zTjsVPtY", {}, 400, "INVALID_DID"),
        ("did:jwk:AA", {}, 400, "INVALID_DID"),
        ("did:unsupported:123456789abcdefghi", {}, 501, "METHOD_NOT_SUPPORTED"),
        ("did:key:zUnknown", {}, 400, "INVALID_OPTIONS"),
        (DID, {"versionId": "1"}, 501, "FEATURE_NOT_SUPPORTED"),
        (DID, {"versionTime": "2026-01-01T00:00:00Z"}, 501, "FEATURE_NOT_SUPPORTED"),
        (DID, {"publicKeyFormat": "unknown"}, 400, "INVALID_OPTIONS"),
        (WEB, {}, 500, "INTERNAL_ERROR"),
        ("did:web:127.0.0.1", {}, 400, "INVALID_DID"),
    ],
)
def test_errors_are_objects_with_a_type(did: str, options: dict[str, str], status: int, kind: str) -> None:
    for accept in (RESULT, "application/did+json"):
        found = asked(did, accept, **options)
        assert (found.status, found.content_type) == (status, RESULT)
        error = found.body["didResolutionMetadata"]["error"]
        assert error["type"] == "https://www.w3.org/ns/did#" + kind
        assert error["title"]
        assert error["detail"].endswith(".")
        assert found.body["didDocument"] is None
        assert found.body["didDocumentMetadata"] == {}


def test_an_unknown_representation_is_not_acceptable() -> None:
    for accept in ("application/x-unsupported", "*/*;q=0", f"{RESULT};q=0.0", "text/html"):
        found = asked(DID, accept)
        assert found.status == 406
        assert found.body["didResolutionMetadata"]["error"]["type"].endswith("#REPRESENTATION_NOT_SUPPORTED")


def test_documents_on_the_web_have_their_own_errors() -> None:
    place = "https://example.com/.well-known/did.json"
    service = {"id": "#files", "type": "Files", "serviceEndpoint": "https://files.example"}
    good = InMemoryFetch({place: write_json({"id": WEB, "service": [service]})})
    assert asked(WEB, fetch=good).body["didDocument"]["id"] == WEB
    assert asked(WEB + "#files", fetch=good).body["contentStream"]["serviceEndpoint"] == "https://files.example"
    assert asked(WEB + "#other", fetch=good).status == 404
    odd = [write_json({"id": WEB, "service": value}) for value in (5, [service, 5], [service, service])]
    for body in (b"no JSON", write_json({"id": "did:web:other"}), *odd):
        found = asked(WEB, fetch=InMemoryFetch({place: body}))
        assert (found.status, found.body["didResolutionMetadata"]["error"]["type"][-20:]) == (
            500,
            "INVALID_DID_DOCUMENT",
        )
    gone = InMemoryFetch({place: Response(404, place, {}, b"")})
    assert asked(WEB, fetch=gone).status == 404


def test_a_fragment_is_dereferenced() -> None:
    for accept in (DEREFERENCED, RESULT):
        found = asked(METHOD, accept)
        assert (found.status, found.content_type) == (200, DEREFERENCED)
        assert found.body["contentStream"]["publicKeyMultibase"] == DID[8:]
        assert found.body["contentStream"]["controller"] == DID
        assert found.body["contentMetadata"] == {}
        assert found.body["dereferencingMetadata"]["contentType"] in found.content_type
    assert asked(AGREEMENT).body["contentStream"]["id"] == AGREEMENT
    signer = SoftwareSigner.generate("ES256").public
    assert asked(jwk.url(signer)).body["contentStream"]["publicKeyJwk"] == dict(signer.jwk)


@pytest.mark.parametrize(
    ("url", "status", "kind"),
    [
        (DID + "#other", 404, "NOT_FOUND"),
        (DID + "/path", 404, "NOT_FOUND"),
        (DID + "?service=files", 404, "NOT_FOUND"),
        (DID + "/^bar^/?query=`#x", 400, "INVALID_DID_URL"),
        ("did:key#x", 400, "INVALID_DID_URL"),
        ("https://example.com/", 400, "INVALID_DID_URL"),
        (DID + "#" + "x" * 5000, 400, "INVALID_DID_URL"),
        ("did:none:1#x", 501, "METHOD_NOT_SUPPORTED"),
    ],
)
def test_urls_that_lead_nowhere(url: str, status: int, kind: str) -> None:
    found = asked(url)
    assert (found.status, found.content_type, found.body["contentStream"]) == (status, DEREFERENCED, None)
    assert found.body["dereferencingMetadata"]["error"]["type"] == "https://www.w3.org/ns/did#" + kind


# --- the dialect of did:key resolvers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("did", "options", "word"),
    [
        (DID.replace("did:", "notDid:"), {}, "invalidDid"),
        (DID.replace("did:key:", "did:experimental:"), {}, "methodNotSupported"),
        (DID.replace("did:key:", "did:key:-4:"), {}, "invalidDid"),
        (DID.replace("did:key:z", "did:key:"), {}, "invalidDid"),
        ("did:key:@", {}, "invalidDid"),
        ("did:key:zTjsVPtY", {}, "invalidPublicKeyLength"),
        ("did:key:u" + b64url(b"\x80\x24\x02" + b"\xff" * 32), {}, "invalidPublicKey"),
        (DID, {"publicKeyFormat": "unknown"}, "unsupportedPublicKeyType"),
        (DID, {"publicKeyFormat": "X25519KeyAgreementKey2020"}, "invalidPublicKeyType"),
        (f"{DID}/^bar^/?query=`#{DID[8:]}", {}, "invalidDidUrl"),
        (METHOD, {"publicKeyFormat": "Ed25519VerificationKey2018"}, "invalidPublicKeyType"),
        (AGREEMENT, {"publicKeyFormat": "Ed25519VerificationKey2018"}, "invalidPublicKeyType"),
        (AGREEMENT.replace("Bx", "B"), {"publicKeyFormat": "Ed25519VerificationKey2018"}, "invalidPublicKeyType"),
    ],
)
def test_errors_are_words_in_the_older_dialect(did: str, options: dict[str, str], word: str) -> None:
    found = asked(did, PROFILE, **options)
    place = "didDereferencingMetadata" if "#" in did else "didResolutionMetadata"
    assert found.status >= 400
    assert found.content_type == PROFILE
    assert found.body[place] == {"error": word}
    assert (found.body["didDocument"], found.body["didDocumentMetadata"]) == ({}, {})
    assert "@context" in found.body


def test_success_in_the_older_dialect() -> None:
    found = asked(DID, 'application/ld+json; profile="https://w3id.org/did-resolution"')
    assert (found.status, found.content_type) == (200, PROFILE)
    assert found.body["didDocument"]["id"] == DID
    assert "error" not in found.body["didResolutionMetadata"]
    assert asked(METHOD, PROFILE).body["didDocument"]["controller"] == DID


# --- forms of did:key -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["Multikey", "JsonWebKey", "JsonWebKey2020", "Ed25519VerificationKey2020"])
def test_a_key_is_written_as_asked_for(form: str) -> None:
    found = written(DID, publicKeyFormat=form, enableEncryptionKeyDerivation="true")
    signs, agrees = found["verificationMethod"]
    assert (signs["id"], signs["type"], found["assertionMethod"]) == (METHOD, form, [METHOD])
    assert (agrees["id"], found["keyAgreement"]) == (AGREEMENT, [AGREEMENT])
    assert agrees["type"] == form.replace("Ed25519VerificationKey", "X25519KeyAgreementKey")
    assert len(found["@context"]) == 2 + (form == "Ed25519VerificationKey2020")
    if form.startswith("JsonWebKey"):
        assert agrees["publicKeyJwk"]["crv"] == "X25519"
        assert signs["publicKeyJwk"]["crv"] == "Ed25519"
    assert "keyAgreement" not in written(DID, publicKeyFormat=form)


def test_other_keys_are_written_where_the_form_can_hold_them() -> None:
    signers = [SoftwareSigner.generate(alg) for alg in ("ES256", "ES384", "ES512")] + [secp256k1.generate()]
    for signer in signers:
        did = key.from_public(signer.public)
        shown = written(did, publicKeyFormat="JsonWebKey2020")["verificationMethod"][0]["publicKeyJwk"]
        assert shown == dict(signer.public.jwk)
        for options in ({"publicKeyFormat": "Ed25519VerificationKey2020"}, {"enableEncryptionKeyDerivation": "true"}):
            found = asked(did, PROFILE, **options)
            assert found.body["didResolutionMetadata"] == {"error": "invalidPublicKeyType"}


def test_the_specifications_derived_keys() -> None:
    page = VECTORS / "did-key-vectors" / "index.html"
    if not page.is_file():
        pytest.skip("1 vector file of did:key is not here")
    text = page.read_text()
    pairs = set(re.findall(r"did:key:(z6Mk[1-9A-Za-z]{40,})#(z6LS[1-9A-Za-z]{40,})", text))
    assert pairs
    for signs, agrees in pairs:
        raw = unbase58(signs[1:])[2:]
        assert keyformats.montgomery(raw) == unbase58(agrees[1:])[2:]
        assert written(f"did:key:{signs}", enableEncryptionKeyDerivation="true")["keyAgreement"] == [
            f"did:key:{signs}#{agrees}"
        ]


def test_one_point_has_no_derived_key() -> None:
    with pytest.raises(Malformed):
        keyformats.montgomery((1).to_bytes(32, "little"))


@given(st.text(max_size=60) | st.from_regex(r"did:(key|jwk|web|x):[a-zA-Z0-9:._%/?#-]{0,40}"), st.text(max_size=40))
def test_whatever_is_asked_is_answered(did: str, accept: str) -> None:
    for form in (accept, PROFILE, RESULT):
        found = asked(did, form, publicKeyFormat=accept)
        assert found.status in (200, 400, 404, 406, 500, 501)
        write_json(found.body)
