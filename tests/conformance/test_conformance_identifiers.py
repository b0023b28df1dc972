"""Are DIDs resolved over HTTP, in both dialects, by both services?"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service import conformance
from ssi.dids.resolution import Resolution
from tests.conformance.town import Town

DRAFT = "application/did-resolution"
PROFILE = 'application/ld+json;profile="https://w3id.org/did-resolution"'


@pytest.fixture(params=["issuer", "verifier"])
def service(town: Town, request: pytest.FixtureRequest) -> FlaskClient:
    client: FlaskClient = getattr(town, request.param)
    return client


def test_a_did_has_a_document(town: Town, service: FlaskClient) -> None:
    for did in town.dids.values():
        for name in (did, quote(did, safe="")):
            answer = service.get(f"/identifiers/{name}", headers={"Accept": DRAFT})
            assert (answer.status_code, answer.get_json(force=True)["didDocument"]["id"]) == (200, did)
            assert answer.mimetype == DRAFT


def test_the_document_alone_can_be_asked_for(town: Town, service: FlaskClient) -> None:
    answer = service.get(f"/identifiers/{town.dids['vcdm']}", headers={"Accept": "application/did+json"})
    assert answer.get_json(force=True)["id"] == town.dids["vcdm"]


@pytest.mark.parametrize(
    ("name", "status", "draft", "older"),
    [
        ("not-a-did", 400, "INVALID_DID", "invalidDid"),
        ("did:key:%40", 400, "INVALID_DID", "invalidDid"),
        ("did:unheard:of", 501, "METHOD_NOT_SUPPORTED", "methodNotSupported"),
        ("did:key:a//b", 404, "NOT_FOUND", "notFound"),
    ],
)
def test_what_cannot_be_resolved_is_told_in_the_callers_dialect(
    service: FlaskClient, name: str, status: int, draft: str, older: str
) -> None:
    answer = service.get(f"/identifiers/{name}", headers={"Accept": DRAFT})
    told = answer.get_json(force=True)
    told = told.get("didResolutionMetadata") or told["dereferencingMetadata"]
    assert (answer.status_code, told["error"]["type"]) == (status, f"https://www.w3.org/ns/did#{draft}")
    answer = service.get(f"/identifiers/{name}", headers={"Accept": PROFILE})
    told = answer.get_json(force=True)
    told = told.get("didResolutionMetadata") or told["didDereferencingMetadata"]
    assert (answer.status_code, told["error"]) == (status, older)


def test_an_address_is_where_to_go_on() -> None:
    app = Flask("identifiers")

    def resolve(name: str, accept: str | None, options: Mapping[str, str]) -> Resolution:
        assert (name, accept, options) == ("did:web:example.com", "text/uri-list", {"service": "files"})
        return Resolution(303, "text/uri-list", {}, "https://files.example/")

    conformance.resolve_dids(app, resolve)
    client = app.test_client()
    answer = client.get("/identifiers/did:web:example.com?service=files", headers={"Accept": "text/uri-list"})
    assert (answer.status_code, answer.headers["Location"], answer.data) == (303, "https://files.example/", b"")
    assert answer.mimetype == "text/uri-list"
