"""Do limits, headers, error answers and the two dresses of an answer hold?"""

from __future__ import annotations

import io

import pytest
from flask.testing import FlaskClient
from sqlalchemy.exc import IntegrityError, OperationalError

from service.app import BODY_LIMIT, asset, make_app
from service.settings import read
from ssi.errors import Unavailable
from tests.service.toy import toy

JSON = {"Accept": "application/json"}


def test_every_answer_carries_the_strict_policy(client: FlaskClient) -> None:
    for path in ("/hello", "/nothing-here", "/healthz", "/raise/bug", "/facet/facet.css"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy
        assert "'unsafe-eval'" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_only_pages_that_ask_get_the_camera_and_wasm(client: FlaskClient) -> None:
    plain, scan = client.get("/hello").headers, client.get("/scan").headers
    assert "camera=()" in plain["Permissions-Policy"]
    assert "wasm" not in plain["Content-Security-Policy"]
    assert "camera=(self)" in scan["Permissions-Policy"]
    assert "'wasm-unsafe-eval'" in scan["Content-Security-Policy"]
    assert "img-src 'self' blob:" in scan["Content-Security-Policy"]


def test_pages_are_never_stored_and_versioned_files_always(client: FlaskClient) -> None:
    assert client.get("/hello").headers["Cache-Control"] == "no-store"
    assert client.get("/facet/facet.css").headers["Cache-Control"] == "no-cache"
    with client.application.test_request_context():
        address = asset("facet.css")
    assert "?v=" in address
    assert "immutable" in client.get(address).headers["Cache-Control"]
    assert client.get("/facet/none.css?v=1").headers["Cache-Control"] == "no-store"


def test_real_names_get_hsts_and_localhost_does_not() -> None:
    assert "Strict-Transport-Security" not in toy().test_client().get("/hello").headers
    public = toy({"FACET_VERIFIER_BASE_URL": "https://verifier.example"}).test_client()
    assert "max-age" in public.get("/hello").headers["Strict-Transport-Security"]


def test_the_same_answer_is_a_page_or_json(client: FlaskClient) -> None:
    page = client.get("/hello", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.mimetype == "text/html"
    assert "&lt;b&gt;you&lt;/b&gt;" in page.text
    assert "Accept" in page.headers["Vary"]
    assert client.get("/hello", headers=JSON).get_json()["detail"] == "<b>you</b>"
    assert client.get("/hello", headers={"Accept": "*/*"}).mimetype == "text/html"


def test_no_page_has_inline_script_or_style(client: FlaskClient) -> None:
    text = client.get("/hello").text
    assert "<script>" not in text
    assert " style=" not in text
    assert " onclick=" not in text


@pytest.mark.parametrize(
    ("kind", "status"), [("malformed", 400), ("unsupported", 400), ("refused", 403), ("unavailable", 503)]
)
def test_errors_of_the_four_kinds_have_their_status_and_words(client: FlaskClient, kind: str, status: int) -> None:
    response = client.get(f"/raise/{kind}", headers=JSON)
    assert response.status_code == status
    assert response.get_json()["error"] == f"toy.{kind}"
    page = client.get(f"/raise/{kind}", headers={"Accept": "text/html"})
    assert page.status_code == status
    assert response.get_json()["error_description"] in page.text


def test_a_bug_shows_a_reference_and_nothing_else(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    response = client.get("/raise/bug", headers=JSON)
    assert response.status_code == 500
    assert "secret inside" not in response.text
    assert "Traceback" not in response.text
    reference = response.get_json()["error_description"].rstrip(".").split()[-1]
    assert any(getattr(record, "reference", "") == reference for record in caplog.records)


def test_http_errors_keep_their_headers_and_get_codes(client: FlaskClient) -> None:
    response = client.put("/hello", headers=JSON)
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]
    assert response.get_json()["error"] == "request.method_not_allowed"
    assert client.get("/nothing", headers=JSON).get_json()["error"] == "request.not_found"


def test_no_address_holds_a_null(client: FlaskClient) -> None:
    answer = client.get("/raise/a%00b", headers=JSON)
    assert (answer.status_code, answer.json["error"]) == (404, "request.not_found")


def test_bodies_beyond_the_limit_are_refused(client: FlaskClient) -> None:
    assert client.post("/size", data=b"x" * BODY_LIMIT).text == str(BODY_LIMIT)
    assert client.post("/size", data=b"x" * (BODY_LIMIT + 1)).status_code == 413
    assert client.post("/large", data=b"x" * (BODY_LIMIT + 1)).text == str(BODY_LIMIT + 1)
    assert client.post("/large", data=b"x" * 1_000_001).status_code == 413


@pytest.mark.parametrize(("size", "status"), [(0, 200), (1000, 200), (BODY_LIMIT, 200), (BODY_LIMIT + 1, 413)])
def test_bodies_of_undeclared_length_are_counted(client: FlaskClient, size: int, status: int) -> None:
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    response = client.post("/size", input_stream=io.BytesIO(b"x" * size), environ_overrides=environ)
    assert response.status_code == status
    if status == 200:
        assert response.text == str(size)


def test_a_large_body_must_declare_its_length(client: FlaskClient) -> None:
    """It would be read before anybody knows who sends it."""
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    for size, status in ((BODY_LIMIT, 200), (BODY_LIMIT + 1, 413)):
        response = client.post("/large", input_stream=io.BytesIO(b"x" * size), environ_overrides=environ)
        assert response.status_code == status


def test_a_body_shorter_than_declared_is_not_taken_for_whole(client: FlaskClient) -> None:
    environ = {"wsgi.input_terminated": True, "CONTENT_LENGTH": "100"}
    response = client.post("/size", input_stream=io.BytesIO(b"x" * 10), environ_overrides=environ)
    assert response.status_code == 400


def test_endpoints_for_programs_answer_in_json_whatever_is_accepted(client: FlaskClient) -> None:
    response = client.post("/protocol", headers={"Accept": "text/html"})
    assert response.get_json() == {"error": "toy.bad", "error_description": "No good."}
    assert client.get("/api/nothing", headers={"Accept": "text/html"}).get_json()["error"] == "request.not_found"


def test_health_is_what_the_role_says() -> None:
    assert toy().test_client().get("/healthz").get_json() == {"status": "ok", "role": "verifier"}

    def sick() -> None:
        raise Unavailable("store.unavailable", "No database.")

    app = make_app("tests.service", role="wallet", settings=read("wallet", {}), health=sick)
    response = app.test_client().get("/healthz")
    assert response.status_code == 503
    assert response.get_json()["error"] == "store.unavailable"


def test_a_database_that_is_away_is_unavailable_and_our_own_mistakes_are_bugs() -> None:
    app = toy()

    @app.get("/away")
    def away() -> str:
        raise OperationalError("SELECT", {}, Exception("locked"))

    @app.get("/mistake")
    def mistake() -> str:
        raise IntegrityError("INSERT", {}, Exception("twice"))

    client = app.test_client()
    assert client.get("/away", headers=JSON).get_json()["error"] == "store.unavailable"
    assert client.get("/mistake", headers=JSON).status_code == 500
