from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssi import oid4vp
from ssi.jose import jwe
from tests.verifier.world import BASE, Wallet, World

FORM = "application/x-www-form-urlencoded"
TRACES = ("Traceback", 'File "', ".py", "sqlite", "orjson")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("facet"))


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[FlaskClient]:
    with world.app().test_client(use_cookies=False) as made:
        yield made


def create(world: World, client: FlaskClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/api/requests", json={"template": "identity", **body}, headers=world.authorized)
    assert answer.status_code == 201, answer.json
    made: dict[str, Any] = answer.json
    return made


def state(world: World, client: FlaskClient, made: dict[str, Any]) -> str:
    return str(client.get(f"/api/requests/{made['id']}", headers=world.authorized).json["state"])


def is_refusal(answer: Any, status: int, code: str | None = None) -> None:
    assert answer.status_code == status, (answer.status_code, answer.get_data(as_text=True))
    assert answer.mimetype == "application/json"
    assert set(answer.json) >= {"error", "error_description"}
    assert code is None or answer.json["error"] == code, answer.json
    assert answer.json["error_description"].endswith(".")
    assert not any(trace in answer.get_data(as_text=True) for trace in TRACES)


def good_form(world: World, client: FlaskClient, made: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Where a good answer goes, and the answer."""
    wallet = Wallet(world, client)
    request = wallet.open(made["link"])
    return request.response_uri.removeprefix(BASE), wallet.answer(request)


def spoilt_forms(form: dict[str, str], wire: str) -> list[tuple[dict[str, str], int, str]]:
    token = form["vp_token"]
    return [
        ({}, 400, "oid4vp.vp_token"),
        ({"state": form["state"]}, 400, "oid4vp.vp_token"),
        ({"vp_token": token}, 400, "session.state"),
        ({**form, "state": "other"}, 400, "session.state"),
        ({**form, "state": form["state"] + "\u00e9"}, 400, "session.state"),
        ({**form, "state": ""}, 400, "session.state"),
        ({**form, "vp_token": "{"}, 400, "encoding.json"),
        ({**form, "vp_token": "[]"}, 400, "encoding.json_object"),
        ({**form, "vp_token": "{}"}, 400, "oid4vp.vp_token"),
        ({**form, "vp_token": json.dumps(wire)}, 400, "encoding.json_object"),
        ({**form, "vp_token": json.dumps({"person": wire})}, 400, "oid4vp.vp_token"),
        ({**form, "vp_token": json.dumps({"person": []})}, 400, "oid4vp.vp_token"),
        ({**form, "vp_token": json.dumps({"person": [7]})}, 400, "oid4vp.vp_token"),
        ({**form, "vp_token": json.dumps({"person": [["a"]]})}, 400, "oid4vp.vp_token"),
        ({**form, "vp_token": json.dumps({"person": [wire] * 17})}, 400, "session.too_many"),
        ({**form, "error": "access_denied"}, 400, "oid4vp.vp_token"),
        ({"error": "access_denied"}, 400, "session.state"),
        ({"error": "", "state": form["state"]}, 400, "oid4vp.vp_token"),
        ({"response": "x", "state": form["state"]}, 400, "oid4vp.vp_token"),
    ]


def test_an_answer_that_cannot_be_read_is_refused_and_changes_nothing(world: World, client: FlaskClient) -> None:
    made = create(world, client, response_mode="direct_post")
    path, form = good_form(world, client, made)
    wire = json.loads(form["vp_token"])["person"][0]
    for spoilt, status, code in spoilt_forms(form, wire):
        is_refusal(client.post(path, data=urlencode(spoilt), content_type=FORM), status, code)
        assert state(world, client, made) == "scanned", code
    is_refusal(client.post(path, json=form), 415, "request.media_type")
    is_refusal(client.post(path, data=urlencode(form), content_type="text/plain"), 415, "request.media_type")
    is_refusal(client.post(path), 415, "request.media_type")
    twice = urlencode([*form.items(), ("state", form["state"])])
    is_refusal(client.post(path, data=twice, content_type=FORM), 400, "request.repeated_field")
    is_refusal(client.post(path, data={**form, "x": "y" * 300_000}), 413)
    assert state(world, client, made) == "scanned"
    extra = urlencode([*form.items(), *((f"x{index}", "") for index in range(100))])
    assert client.post(path, data=extra, content_type=FORM).status_code == 200
    assert state(world, client, made) == "verified"


def test_an_encrypted_answer_must_be_encrypted_to_this_request(world: World, client: FlaskClient) -> None:
    made = create(world, client)
    path, form = good_form(world, client, made)
    other_path, other = good_form(world, client, create(world, client))
    assert path != other_path
    parts = form["response"].split(".")
    spoilt = [
        ({"response": "garbage"}, "jose.compact"),
        ({"response": ""}, "jose.compact"),
        ({"response": "a.b.c.d.e"}, None),
        ({"response": ".".join([*parts[:3], parts[3][:-4] + "AAAA", parts[4]])}, "jose.jwe_tag"),
        ({"response": ".".join(parts[:4])}, "jose.compact"),
        (other, "jose.jwe_key"),
        ({"vp_token": '{"person":["x"]}', "state": "x"}, "oid4vp.not_encrypted"),
        ({}, "oid4vp.not_encrypted"),
    ]
    for one, code in spoilt:
        is_refusal(client.post(path, data=urlencode(one), content_type=FORM), 400, code)
        assert state(world, client, made) == "scanned"
    assert client.post(path, data=form).status_code == 200


def test_a_well_encrypted_answer_to_another_state_is_refused(world: World, client: FlaskClient) -> None:
    made = create(world, client)
    wallet = Wallet(world, client)
    request = wallet.open(made["link"])
    for payload in (b"", b"[]", b"{}", b'{"vp_token":{"person":["x"]},"state":"other"}', b"\xff"):
        token = jwe.encrypt(payload or b" ", jwk=request.encryption_keys[0], enc="A256GCM")
        is_refusal(wallet.post(request, {"response": token}), 400)
        assert state(world, client, made) == "scanned"


def test_a_readable_answer_that_is_no_presentation_is_a_verdict(world: World, client: FlaskClient) -> None:
    for wire in ("x", "~", "ey.ey.ey~~", "a" * 1000):
        made = create(world, client, response_mode="direct_post")
        wallet = Wallet(world, client)
        request = wallet.open(made["link"])
        answer = wallet.post(request, oid4vp.respond(request, {"person": [wire]}))
        is_refusal(answer, 400, "session.presentation_refused")
        assert state(world, client, made) == "not_verified"


@given(
    st.binary(max_size=300)
    | st.dictionaries(st.sampled_from(["vp_token", "state", "error", "response", "x"]), st.text(max_size=40))
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_no_body_breaks_the_response_endpoint(world: World, client: FlaskClient, body: Any) -> None:
    for mode in ("direct_post", "direct_post.jwt"):
        made = _kept(world, client, mode)
        path = made["request_uri"].removeprefix(BASE).replace("/request", "/response")
        data = body if isinstance(body, bytes) else urlencode(body, errors="replace")
        answer = client.post(path, data=data, content_type=FORM)
        assert 400 <= answer.status_code < 500
        assert answer.mimetype == "application/json"
        assert state(world, client, made) == "created"


_KEPT: dict[str, dict[str, Any]] = {}


def _kept(world: World, client: FlaskClient, mode: str) -> dict[str, Any]:
    if mode not in _KEPT:
        _KEPT[mode] = create(world, client, response_mode=mode)
    return _KEPT[mode]


@pytest.mark.parametrize("path", ["/oid4vp/nowhere/request", "/oid4vp/nowhere/response", "/oid4vp/nowhere/qr.svg"])
def test_unknown_requests_are_404(client: FlaskClient, path: str) -> None:
    if path.endswith("response"):
        is_refusal(client.post(path, data={"state": "x"}), 404, "session.unknown")
        return
    is_refusal(client.get(path), 404, "session.unknown")
    if path.endswith("request"):
        is_refusal(client.post(path, data={}), 404, "session.unknown")


def test_wrong_methods_are_405_in_json_with_what_is_allowed(world: World, client: FlaskClient) -> None:
    made = create(world, client)
    request = made["request_uri"].removeprefix(BASE)
    for method, path, allowed in [
        ("PUT", request, {"GET", "POST"}),
        ("DELETE", request, {"GET", "POST"}),
        ("GET", request.replace("/request", "/response"), {"POST"}),
        ("PUT", request.replace("/request", "/response"), {"POST"}),
        ("DELETE", "/api/requests", {"POST", "OPTIONS"}),
        ("POST", f"/api/requests/{made['id']}", {"GET"}),
    ]:
        answer = client.open(path, method=method, headers=world.authorized)
        is_refusal(answer, 405)
        assert allowed & set(answer.headers["Allow"].split(", "))
    assert state(world, client, made) == "created"


def test_the_request_endpoint_reads_its_form_strictly(world: World, client: FlaskClient) -> None:
    path = create(world, client)["request_uri"].removeprefix(BASE)
    is_refusal(client.post(path, data={"wallet_nonce": ""}), 400)
    is_refusal(client.post(path, data={"wallet_nonce": "x" * 600}), 400)
    is_refusal(client.post(path, data={"wallet_nonce": "a\nb"}), 400)
    is_refusal(client.post(path, json={"wallet_nonce": "x"}), 415, "request.media_type")
    twice = client.post(path, data="wallet_nonce=a&wallet_nonce=b", content_type=FORM)
    is_refusal(twice, 400, "request.repeated_field")


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic {key}", "{key}", "Bearer {key}x"]
)
def test_the_api_is_for_holders_of_a_key(world: World, client: FlaskClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.format(key=world.api_key)}
    for method, path in [("GET", "/api/templates"), ("POST", "/api/requests"), ("GET", "/api/requests/x")]:
        answer = client.open(path, method=method, headers=headers, json={"template": "identity"})
        is_refusal(answer, 401, "api.key")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_api_refuses_what_it_cannot_keep(world: World, client: FlaskClient) -> None:
    def post(data: Any, kind: str = "application/json") -> Any:
        return client.post("/api/requests", data=data, content_type=kind, headers=world.authorized)

    is_refusal(post("{"), 400, "encoding.json")
    is_refusal(post("[]"), 400, "encoding.json_object")
    is_refusal(post(""), 400, "encoding.json")
    is_refusal(post("\xff".encode("latin-1")), 400, "encoding.json")
    is_refusal(post("[" * 5000), 400)
    is_refusal(post("{}"), 400, "dcql.query")
    is_refusal(post("{}", "text/plain"), 415, "request.media_type")
    is_refusal(post("template=identity", FORM), 415, "request.media_type")
    is_refusal(post(json.dumps({"template": "identity", "x": "y" * 300_000})), 413)
    is_refusal(post(json.dumps({"template": "nope"})), 400, "request.template")
    is_refusal(post(json.dumps({"template": "identity", "rsponse_mode": "direct_post"})), 400, "request.unknown_member")
    for uri in (
        "http://shop.test/",
        "javascript:alert(1)",
        "https://shop.test/#x",
        "https://a@shop.test/",
        7,
        "//x",
        "https://",
    ):
        is_refusal(post(json.dumps({"template": "identity", "redirect_uri": uri})), 400)
    is_refusal(client.get("/api/requests/nowhere", headers=world.authorized), 404, "session.unknown")
    assert client.get("/api/nowhere", headers=world.authorized).status_code == 404


def test_templates_are_listed(world: World, client: FlaskClient) -> None:
    listed = client.get("/api/templates", headers=world.authorized).json
    assert {"id", "title", "summary", "purpose", "dcql_query"} <= set(listed[0])


def test_a_database_that_is_away_is_503_and_nothing_is_lost(tmp_path: Path) -> None:
    world = World(tmp_path)
    with world.app().test_client(use_cookies=False) as client:
        made = create(world, client, response_mode="direct_post")
        path, form = good_form(world, client, made)
        database = tmp_path / "verifier.db"
        for name in ("verifier.db", "verifier.db-wal", "verifier.db-shm"):
            if (tmp_path / name).exists():
                (tmp_path / name).rename(tmp_path / f"{name}.away")
        database.mkdir()
        client.application.extensions["facet_verifier"].sessions.store.engine.dispose()
        is_refusal(client.post(path, data=form), 503, "store.unavailable")
        assert client.get("/healthz").status_code == 503
        database.rmdir()
        for name in ("verifier.db", "verifier.db-wal", "verifier.db-shm"):
            if (tmp_path / f"{name}.away").exists():
                (tmp_path / f"{name}.away").rename(tmp_path / name)
        assert client.get("/healthz").status_code == 200
        assert client.post(path, data=form).status_code == 200
        assert state(world, client, made) == "verified"
