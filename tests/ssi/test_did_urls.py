"""DID URLs and resolution options: parts of documents, services, versions, and the errors of the present draft."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.dids import Resolved, Sources, dereferencing, document, options, resolution
from ssi.dids.dereferencing import URI_LIST
from ssi.dids.problems import Problem, problem_of
from ssi.dids.resolution import DEREFERENCED, PROFILE, RESULT, Resolution
from ssi.dids.services import MAX_SERVICES
from ssi.encoding import write_json
from ssi.errors import Malformed, Refused, Unavailable, Unsupported
from ssi.keys import SoftwareSigner
from tests.support import NOW, InMemoryFetch

DID = "did:web:example.com"
PLACE = "https://example.com/.well-known/did.json"
KEY = dict(SoftwareSigner.generate("ES256").public.jwk)
FILES = {"id": "#files", "type": ["Files", "Store"], "serviceEndpoint": "https://files.example/store/"}
SEVERAL = {"id": DID + "#several", "type": "Store", "serviceEndpoint": ["https://a.example/x", {"uri": "https://b"}]}
QUEUE = {"id": "#queue", "type": "DIDCommMessaging", "serviceEndpoint": {"uri": "didcomm:transport/queue"}}
ODD = {"id": "#odd", "type": "Odd", "serviceEndpoint": "javascript:alert(1)"}
DOCUMENT: dict[str, Any] = {
    "@context": "https://www.w3.org/ns/did/v1.1",
    "id": DID,
    "controller": ["did:web:example.com", "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"],
    "alsoKnownAs": ["https://example.com/", "did:web:example.org"],
    "verificationMethod": [{"id": "#a", "type": "JsonWebKey", "controller": DID, "publicKeyJwk": KEY}],
    "authentication": ["#a"],
    "assertionMethod": [{"id": "#b", "type": "JsonWebKey", "controller": DID, "publicKeyJwk": KEY}],
    "service": [FILES, SEVERAL, QUEUE, ODD],
    "extension": [{"id": "#x"}, "#y", 5],
}


def asked(url: str, accept: str = DEREFERENCED, shown: Any = None, **given_options: str) -> Resolution:
    sources = Sources(InMemoryFetch({PLACE: write_json(DOCUMENT if shown is None else shown)}))
    return resolution.resolution(url, accept=accept, options=given_options, sources=sources, now=NOW)


def kind(found: Resolution) -> str:
    about = found.body.get("dereferencingMetadata") or found.body["didResolutionMetadata"]
    return str(about["error"]["type"])


# --- services ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("?service=files", ["#files"]),
        ("?service=%23files", ["#files"]),
        ("?service=did:web:example.com%23several", [DID + "#several"]),
        ("?serviceType=Store", ["#files", DID + "#several"]),
        ("?serviceType=Files", ["#files"]),
        ("?service=files&serviceType=Store", ["#files"]),
        ("?service=files&relativeRef=%2Fresume.pdf", ["#files"]),
    ],
)
def test_services_are_chosen_from_the_document(query: str, ids: list[str]) -> None:
    found = asked(DID + query)
    assert (found.status, found.content_type) == (200, DEREFERENCED)
    assert [each["id"] for each in found.body["contentStream"]["service"]] == ids
    assert found.body["contentStream"]["verificationMethod"] == DOCUMENT["verificationMethod"]
    assert found.body["contentMetadata"] == {}


@pytest.mark.parametrize(
    ("query", "address"),
    [
        ("?service=files", "https://files.example/store/"),
        ("?service=files&relativeRef=resume.pdf", "https://files.example/store/resume.pdf"),
        (
            "?service=files&relativeRef=%2Fmyresume%2Fdoc%3Fversion%3Dlatest",
            "https://files.example/myresume/doc?version=latest",
        ),
        ("?service=files&relativeRef=..%2F..%2Fx", "https://files.example/x"),
        ("?service=files&relativeRef=%3Fq#intro", "https://files.example/store/?q#intro"),
        ("?service=several", "https://a.example/x"),
        ("?serviceType=Store&relativeRef=y", "https://files.example/store/y"),
    ],
)
def test_a_services_address_is_where_to_go_on(query: str, address: str) -> None:
    found = asked(DID + query, URI_LIST)
    assert (found.status, found.content_type, found.body, found.location) == (303, URI_LIST, {}, address)


@pytest.mark.parametrize(
    ("query", "status", "error"),
    [
        ("?service=other", 404, "NOT_FOUND"),
        ("?serviceType=Other", 404, "NOT_FOUND"),
        ("?service=queue", 404, "NOT_FOUND"),  # an object has no address
        ("?service=odd", 404, "NOT_FOUND"),  # an address that is none of the web
        ("?service=files&relativeRef=https%3A%2F%2Fevil.example%2F", 400, "INVALID_DID_URL"),
        ("?service=files&relativeRef=%2F%2Fevil.example%2F", 400, "INVALID_DID_URL"),
        ("?service=files&relativeRef=%09%2F%2Fevil.example%2F", 400, "INVALID_DID_URL"),
        ("?service=files&relativeRef=%5C%5Cevil.example", 400, "INVALID_DID_URL"),
        ("?service=files&relativeRef=a%0D%0ASet-Cookie:x", 400, "INVALID_DID_URL"),
        ("?service=files&relativeRef=%E2%80%AEx", 400, "INVALID_DID_URL"),
        ("?service=files&relativeRef=x%23y#z", 400, "INVALID_DID_URL"),
        ("?service=files&service=queue", 400, "INVALID_DID_URL"),
        ("?service=files&%73ervice=queue", 400, "INVALID_DID_URL"),
        ("?service=%FF", 400, "INVALID_DID_URL"),
        ("?other=1", 404, "NOT_FOUND"),
        ("?", 404, "NOT_FOUND"),
        ("/a/path", 404, "NOT_FOUND"),
        ("/a/path?service=files", 404, "NOT_FOUND"),
    ],
)
def test_what_leads_nowhere_or_elsewhere(query: str, status: int, error: str) -> None:
    found = asked(DID + query, URI_LIST)
    assert (found.status, found.location) == (status, None)
    assert kind(found) == "https://www.w3.org/ns/did#" + error


def test_parameters_may_stand_beside_the_did() -> None:
    beside = asked(DID, URI_LIST, service="files", relativeRef="/x?y=1&z=2")
    assert (beside.status, beside.location) == (303, "https://files.example/x?y=1&z=2")
    assert asked(DID, service="files").body["contentStream"]["service"] == [FILES]


def test_a_did_has_no_address_of_its_own() -> None:
    assert kind(asked(DID, URI_LIST)).endswith("#REPRESENTATION_NOT_SUPPORTED")


def test_an_address_that_is_none_of_the_web_is_not_given() -> None:
    with pytest.raises(Problem) as caught:
        dereferencing.dereference(
            DID + "?service=odd",
            {},
            accept=URI_LIST,
            sources=Sources(InMemoryFetch({PLACE: write_json(DOCUMENT)})),
            now=NOW,
        )
    assert caught.value.name == "notFound"


# --- keys, relative URLs, versions ------------------------------------------------------------------------------------


def test_a_key_is_found_by_whatever_way_it_is_written() -> None:
    for name in ("a", "b"):
        found = asked(f"{DID}#{name}")
        assert (found.status, found.body["contentStream"]["id"]) == (200, f"{DID}#{name}")
    assert asked(DID + "#files").body["contentStream"]["type"] == ["Files", "Store"]


@pytest.mark.parametrize(
    ("fragment", "relationship", "error"),
    [
        ("a", "authentication", None),
        ("b", "assertionMethod", None),
        ("a", "assertionMethod", "https://w3id.org/security#INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"),
        ("b", "authentication", "https://w3id.org/security#INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"),
        ("files", "authentication", "https://w3id.org/security#INVALID_VERIFICATION_METHOD"),
        ("none", "authentication", "https://w3id.org/security#INVALID_VERIFICATION_METHOD"),
        ("a", "signing", "https://www.w3.org/ns/did#INVALID_OPTIONS"),
    ],
)
def test_a_key_must_have_the_relationship_asked_for(fragment: str, relationship: str, error: str | None) -> None:
    found = asked(f"{DID}#{fragment}", verificationRelationship=relationship)
    if error is None:
        assert found.status == 200
    else:
        assert (found.status, kind(found)) == (400 if "OPTIONS" in error else 500, error)


def test_relative_urls_are_expanded_on_request() -> None:
    found = asked(DID, RESULT, expandRelativeUrls="true").body["didDocument"]
    assert found["authentication"] == [DID + "#a"]
    assert [each["id"] for each in found["verificationMethod"]] == [DID + "#a"]
    assert [each["id"] for each in found["assertionMethod"]] == [DID + "#b"]
    assert [each["id"] for each in found["service"]] == [
        DID + name for name in ("#files", "#several", "#queue", "#odd")
    ]
    assert found["extension"] == [{"id": DID + "#x"}, "#y", 5]
    assert asked(DID, RESULT, expandRelativeUrls="false").body["didDocument"] == DOCUMENT
    assert asked(DID, RESULT).body["didDocument"] == DOCUMENT


def test_what_comes_twice_is_named_and_numbers_are_explained() -> None:
    """A parameter that comes twice is "an ambiguous input": the sentence says so, and not that it is no DID URL."""
    twice = asked(DID + "?versionId=1&versionId=2", DEREFERENCED).body["dereferencingMetadata"]["error"]
    assert twice["type"].endswith("#INVALID_DID_URL")
    assert twice["detail"] == "The DID URL names one parameter twice."
    for number in ("0", "10000000000"):
        error = asked(DID, RESULT, versionNumber=number).body["didResolutionMetadata"]["error"]
        assert error["detail"] == "A version's number is a whole number, from 1 on and of 9 digits at most."


@pytest.mark.parametrize(
    ("given_options", "error"),
    [
        ({"versionId": "1"}, "FEATURE_NOT_SUPPORTED"),
        ({"versionTime": "2026-01-01T00:00:00Z"}, "FEATURE_NOT_SUPPORTED"),
        ({"versionNumber": "1"}, "FEATURE_NOT_SUPPORTED"),
        ({"hl": "zQm"}, "FEATURE_NOT_SUPPORTED"),
        ({"versionTime": "2026-01-01"}, "INVALID_OPTIONS"),
        ({"versionTime": "2026-01-01T00:00:00.5Z"}, "INVALID_OPTIONS"),
        ({"versionTime": "2026-01-01T00:00:00+01:00"}, "INVALID_OPTIONS"),
        ({"versionTime": "2026-13-01T00:00:00Z"}, "INVALID_OPTIONS"),
        ({"versionTime": "\uff12\uff10\uff12\uff16-01-01T00:00:00Z"}, "INVALID_OPTIONS"),
        ({"versionNumber": "0"}, "INVALID_OPTIONS"),
        ({"versionNumber": "-1"}, "INVALID_OPTIONS"),
        ({"versionNumber": "²"}, "INVALID_OPTIONS"),
        ({"versionNumber": "9" * 5000}, "INVALID_OPTIONS"),
        ({"versionId": ""}, "INVALID_OPTIONS"),
        ({"versionId": "ä"}, "INVALID_OPTIONS"),
        ({"versionId": "1\n"}, "INVALID_OPTIONS"),
        ({"versionId": "1", "versionNumber": "1"}, "INVALID_OPTIONS"),
        ({"expandRelativeUrls": "yes"}, "INVALID_OPTIONS"),
    ],
)
def test_options_are_understood_or_refused(given_options: dict[str, str], error: str) -> None:
    for accept in (RESULT, "application/did"):
        assert kind(asked(DID, accept, **given_options)) == "https://www.w3.org/ns/did#" + error
    if len(given_options) == 1 and next(iter(given_options)) in (*options.VERSIONS, "hl"):
        value = "".join(f"%{byte:02X}" for byte in next(iter(given_options.values())).encode())
        found = asked(f"{DID}?{next(iter(given_options))}={value}")
        expected = "INVALID_DID_URL" if len(value) > 4000 else error
        assert kind(found) == "https://www.w3.org/ns/did#" + expected


def test_a_version_is_asked_for_in_one_place() -> None:
    assert kind(asked(DID + "?versionId=1", versionId="1")).endswith("#INVALID_OPTIONS")
    assert kind(asked(DID + "?versionId=1&versionTime=2026-01-01T00:00:00Z")).endswith("#INVALID_OPTIONS")


# --- metadata ---------------------------------------------------------------------------------------------------------


def test_metadata_and_deactivation_are_told() -> None:
    resolved = Resolved(document.parse(DOCUMENT, did=DID), {"versionId": "2", "deactivated": True}, {"block": 7})
    gone = dereferencing.Dereferenced(dereferencing.shown(resolved, options.Options()), resolved)
    for accept in (RESULT, "application/did", PROFILE):
        found = resolution._success(gone, accept, is_url=False)
        assert found.status == 410
        assert not found.body["didDocument"]
        assert found.body["didDocumentMetadata"] == resolved.metadata
        assert found.body["didResolutionMetadata"]["ledger"] == {"block": 7}
    older = dereferencing.shown(resolved, options.read({"versionNumber": "1"}))
    assert older == DOCUMENT
    with pytest.raises(Refused) as caught:
        resolved.key(DID + "#b", relationship="assertionMethod", now=NOW)
    assert caught.value.code == "did.deactivated"


@pytest.mark.parametrize(
    ("error", "did", "reason"),
    [
        (Unavailable("ledger.disagreement", "x"), DID, "INTERNAL_ERROR"),
        (Unavailable("did.document", "x"), DID, "INTERNAL_ERROR"),
        (Malformed("did.document", "x"), DID, "INVALID_DID_DOCUMENT"),
        (Malformed("did.peer", "x"), "did:peer:x", "INVALID_DID"),
        (Malformed("did.version", "x"), DID, "INVALID_OPTIONS"),
        (Unsupported("did.version", "x"), DID, "FEATURE_NOT_SUPPORTED"),
        (Unsupported("ledger.network", "x"), DID, "FEATURE_NOT_SUPPORTED"),
        (Refused("did.webvh_truncated", "x"), DID, "INVALID_DID_DOCUMENT"),
        (Refused("did.no_such_version", "x"), DID, "NOT_FOUND"),
        (Refused("did.version_unknown", "x"), DID, "NOT_FOUND"),
        (Refused("fetch.address", "x"), DID, "INTERNAL_ERROR"),
    ],
)
def test_each_error_has_its_type(error: Any, did: str, reason: str) -> None:
    assert problem_of(error, did).type == "https://www.w3.org/ns/did#" + reason


# --- documents --------------------------------------------------------------------------------------------------------


def test_what_a_document_says_of_itself_is_read() -> None:
    found = document.parse(DOCUMENT, did=DID)
    assert found.controllers == (DID, "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")
    assert found.also_known_as == ("https://example.com/", "did:web:example.org")
    assert [service.id for service in found.services] == [
        DID + name for name in ("#files", "#several", "#queue", "#odd")
    ]
    assert found.services[0].types == ("Files", "Store")
    assert (found.services[1].urls, len(found.services[1].endpoints)) == (("https://a.example/x",), 2)
    assert document.parse({"id": DID, "controller": DID}, did=DID).controllers == (DID,)


@pytest.mark.parametrize(
    "members",
    [
        {"controller": 5},
        {"controller": ["not a did"]},
        {"controller": [DID] * 65},
        {"controller": DID + "\u202e"},
        {"alsoKnownAs": "https://example.com/"},
        {"alsoKnownAs": [5]},
        {"alsoKnownAs": ["no uri"]},
        {"alsoKnownAs": ["https://example.com/\u202egnp"]},
        {"alsoKnownAs": ["https://example.com/\n"]},
        {"alsoKnownAs": ["x:" + "y" * 5000]},
        {"alsoKnownAs": ["x:y"] * 65},
        {"service": {}},
        {"service": [FILES] * (MAX_SERVICES + 1)},
        {"service": [FILES, FILES]},
        {"service": [FILES, {**FILES, "id": DID + "#files"}]},
        {"service": [{**FILES, "id": 5}]},
        {"service": [{**FILES, "id": ""}]},
        {"service": [{**FILES, "type": None}]},
        {"service": [{**FILES, "type": [5]}]},
        {"service": [{**FILES, "serviceEndpoint": 5}]},
        {"service": [{**FILES, "serviceEndpoint": []}]},
        {"service": [{**FILES, "serviceEndpoint": ["https://x.test"] * 65}]},
        {
            "verificationMethod": [
                {"id": "#a", "type": "X25519KeyAgreementKey2020", "controller": DID, "publicKeyJwk": KEY}
            ]
        },
        {
            "verificationMethod": [
                {"id": "#a", "type": "Ed25519VerificationKey2018", "controller": DID, "publicKeyJwk": KEY}
            ]
        },
        {
            "verificationMethod": [
                {"id": "#a", "type": "Ed25519VerificationKey2018", "controller": DID, "publicKeyHex": "0"}
            ]
        },
        {
            "verificationMethod": [
                {"id": "#a", "type": "EcdsaSecp256k1VerificationKey2019", "controller": DID, "publicKeyHex": "05" * 33}
            ]
        },
    ],
)
def test_broken_documents_are_refused(members: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        document.parse({"id": DID, **members}, did=DID)


def test_keys_in_hexadecimal_are_read_for_types_that_say_what_they_are() -> None:
    edwards = SoftwareSigner.generate("EdDSA").public
    for written in (edwards.x.hex(), "0x" + edwards.x.hex().upper()):
        method = {"id": "#a", "type": "Ed25519VerificationKey2020", "controller": DID, "publicKeyHex": written}
        found = document.parse({"id": DID, "assertionMethod": [method]}, did=DID)
        assert found.key(DID, relationship="assertionMethod", now=NOW) == edwards
        unsaid = document.parse({"id": DID, "assertionMethod": [{**method, "type": "Other"}]}, did=DID)
        with pytest.raises(Unsupported):
            unsaid.key(DID, relationship="assertionMethod", now=NOW)


def test_a_document_nested_without_end_is_refused() -> None:
    deep = b'{"id":"' + DID.encode() + b'","service":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    sources = Sources(InMemoryFetch({PLACE: deep}))
    found = resolution.resolution(DID, accept=RESULT, options={}, sources=sources, now=NOW)
    assert kind(found).endswith("#INVALID_DID_DOCUMENT")


URL = st.text(max_size=60) | st.from_regex(
    r"did:web:example\.com(/[a-z%.]{0,8})?(\?(service|relativeRef|versionId|x)=[A-Za-z0-9%/?:.]{0,16})?(#[a-z]{0,4})?"
)


@given(URL, st.dictionaries(st.sampled_from([*options.VERSIONS, "expandRelativeUrls", "service"]), st.text(max_size=8)))
def test_whatever_is_asked_is_answered(url: str, given_options: dict[str, str]) -> None:
    for accept in (URI_LIST, DEREFERENCED, PROFILE):
        found = asked(url, accept, **given_options)
        assert found.status in (200, 303, 400, 404, 406, 410, 500, 501)
        write_json(found.body)
        assert found.location is None or found.location.startswith("https://")
