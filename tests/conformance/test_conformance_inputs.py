"""Does every hostile request end in a 4xx with a code, never in a 5xx, and never in a yes?"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.app import BODY_LIMIT
from tests.conformance.town import Town

ENDPOINTS = (
    ("issuer", "/vcdm/credentials/issue", "credential"),
    ("issuer", "/bbs-2023/credentials/issue", "credential"),
    ("issuer", "/vc-jwt/credentials/issue", "credential"),
    ("issuer", "/bitstring/credentials/issue", "credential"),
    ("issuer", "/credentials/derive", "verifiableCredential"),
    ("verifier", "/credentials/verify", "verifiableCredential"),
    ("verifier", "/presentations/verify", "verifiablePresentation"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
MEMBERS = st.sampled_from(
    ["@context", "type", "id", "issuer", "credentialSubject", "proof", "credentialStatus", "holder", "validFrom"]
)
TOWN = Town()


def post(town: Town, role: str, path: str, **sent: Any) -> tuple[int, Any]:
    answer = getattr(town, role).post(path, **sent)
    return answer.status_code, answer.json


@pytest.mark.parametrize(("role", "path", "member"), ENDPOINTS)
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 5000, b'{"a":' * 5000, b'{"options": 4}']
)
def test_what_is_no_request_is_refused(town: Town, role: str, path: str, member: str, body: bytes) -> None:
    status, told = post(town, role, path, data=body, content_type="application/json")
    assert status == 400
    assert told["error"]
    assert told["error_description"]


@pytest.mark.parametrize(("role", "path", "member"), ENDPOINTS)
def test_what_is_too_large_or_no_json_is_refused(town: Town, role: str, path: str, member: str) -> None:
    large = {member: {"a": "x" * BODY_LIMIT}}
    assert post(town, role, path, json=large)[0] == 413
    assert post(town, role, path, data=b"{}", content_type="text/plain")[0] == 400


@pytest.mark.parametrize(("role", "path", "member"), ENDPOINTS)
@pytest.mark.parametrize("document", [None, True, 4, "text", [], {}, [{}], {"type": "x"}])
def test_what_is_no_document_is_refused(town: Town, role: str, path: str, member: str, document: Any) -> None:
    status, told = post(town, role, path, json={member: document})
    assert status == 400
    assert told["error"]


@pytest.mark.parametrize(("role", "path", "member"), ENDPOINTS)
@given(document=st.dictionaries(MEMBERS, JSON, max_size=6), options=JSON)
def test_no_document_breaks_an_endpoint(
    role: str, path: str, member: str, document: dict[str, Any], options: Any
) -> None:
    status, told = post(TOWN, role, path, json={member: document, "options": options})
    assert status == 400
    assert told["error"]


@given(data=st.data(), value=JSON)
def test_no_change_of_a_good_credential_breaks_the_verifier(data: st.DataObject, value: Any) -> None:
    credential = TOWN.issued("vcdm")
    target = data.draw(st.sampled_from([credential, credential["proof"], credential["credentialSubject"]]))
    name = data.draw(st.sampled_from(sorted(target)))
    before, target[name] = target[name], value
    status = TOWN.verify(credential, checks=["proof"]).status_code
    assert status == 400 or value == before


@pytest.mark.parametrize("path", ["/", "/credentials/issue", "/nowhere/credentials/issue", "/status/x", "/healthz/x"])
def test_other_addresses_are_refused(town: Town, path: str) -> None:
    assert town.issuer.post(path, json={}).status_code in (400, 404, 405)
    assert town.verifier.post(path, json={}).status_code in (400, 404, 405)
