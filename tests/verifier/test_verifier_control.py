"""Control: programs on this machine ask without a key, if somebody wanted that, and nobody else ever does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ssi.errors import Refused
from tests.verifier.world import Wallet, World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("facet"))


QUERY = {
    "credentials": [
        {
            "id": "person",
            "format": "dc+sd-jwt",
            "meta": {"vct_values": ["urn:facet:credential:verified-person:1"]},
            "claims": [{"path": ["given_name"]}],
        }
    ]
}


@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
@pytest.mark.parametrize(("query", "claims"), [(QUERY, {"given_name": "Eileen"}), ("over-18", {"age_over_18": True})])
def test_a_program_asks_and_reads_the_verdict(world: World, mode: str, query: Any, claims: dict[str, Any]) -> None:
    with world.app(control="true").test_client(use_cookies=False) as client:
        made = client.post("/control/request", json={"mode": mode, "query": query})
        assert made.status_code == 200
        assert set(made.json) == {"id", "uri"}
        result = f"/control/result/{made.json['id']}"
        waiting = client.get(result).json
        assert (waiting["status"], waiting["verified"], waiting["claims"]) == ("created", False, {})
        wallet = Wallet(world, client)
        request = wallet.open(made.json["uri"])
        assert request.response_mode == mode
        assert wallet.post(request, wallet.answer(request)).status_code == 200
        told = client.get(result).json
        assert (told["status"], told["verified"], told["claims"]) == ("verified", True, {"person": [claims]})


def test_requests_for_the_browsers_api_come_with_what_a_page_needs(world: World) -> None:
    with world.app(control="true").test_client(use_cookies=False) as client:
        made = client.post("/control/request", json={"mode": "dc_api.jwt", "query": "over-18"}).json
    assert {one["protocol"] for one in made["digital_credentials"]["requests"]} >= {"openid4vp-v1-signed"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        ({"mode": "direct_post"}, {}, 400, "request.control"),
        ({"query": "over-18"}, {}, 400, "request.control"),
        ({"mode": "direct_post", "query": "none"}, {}, 400, "request.template"),
        ({"mode": "query", "query": "over-18"}, {}, 400, "request.response_mode"),
        ({"mode": "direct_post", "query": QUERY, "nonsense": 1}, {}, 400, "request.unknown_member"),
        ({"mode": "direct_post", "query": "over-18"}, {"Content-Type": "text/plain"}, 415, "request.media_type"),
        ({"mode": "direct_post", "query": "over-18"}, {"Origin": "https://e.example"}, 400, "request.cross_site"),
    ],
)
def test_what_is_no_such_request_is_refused(
    world: World, body: dict[str, Any], headers: dict[str, str], status: int, code: str
) -> None:
    with world.app(control="true").test_client(use_cookies=False) as client:
        answer = client.post("/control/request", json=body, headers=headers)
        assert (answer.status_code, answer.json["error"]) == (status, code)
        assert client.get("/control/result/none").status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8443", "localhost.evil.example", "8.8.8.8", "[::2]:1"])
def test_a_page_whose_name_leads_to_this_machine_is_refused(world: World, host: str) -> None:
    """DNS rebinding: the browser says "same-origin", and the name that is called is still the page's own."""
    headers = {"Host": host, "Sec-Fetch-Site": "same-origin"}
    with world.app(control="true").test_client(use_cookies=False) as client:
        made = client.post("/control/request", json={"mode": "direct_post", "query": "over-18"}).json
        asked = client.post("/control/request", json={"mode": "direct_post", "query": "over-18"}, headers=headers)
        read = client.get(f"/control/result/{made['id']}", headers=headers)
        assert {asked.json["error"], read.json["error"]} == {"request.cross_site"}
        for own in ("127.0.0.1:9", "localhost", "[::1]:8443"):
            assert client.get(f"/control/result/{made['id']}", headers={"Host": own}).status_code == 200


def test_without_the_flag_there_is_nothing_there(world: World) -> None:
    with world.app().test_client(use_cookies=False) as client:
        assert client.post("/control/request", json={"mode": "direct_post", "query": "over-18"}).status_code == 404
        made = client.post("/api/requests", json={"template": "over-18"}, headers=world.authorized).json
        assert client.get(f"/control/result/{made['id']}").status_code == 404


@pytest.mark.parametrize(
    "changes", [{"base_url": "https://verifier.example"}, {"host": "0.0.0.0"}, {"base_url": "https://10.0.0.1"}]
)
def test_the_flag_is_refused_where_others_could_reach_it(world: World, changes: dict[str, str]) -> None:
    with pytest.raises(Refused) as caught:
        world.settings(control="true", **changes)
    assert caught.value.code == "settings.control"
    assert not world.settings(**changes).control


def test_keeping_to_this_machine_is_fine_by_every_name(world: World, tmp_path: Path) -> None:
    for name in ("https://localhost:8443", "https://127.0.0.1:9", "http://localhost:1", "https://[::1]:5"):
        assert world.settings(control="true", base_url=name).control
