"""Is a form from another origin refused, and nobody else?"""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

OWN = "https://localhost:8443"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},  # another port of the same host, too
        {"Sec-Fetch-Site": "cross-site", "Origin": OWN},
        {"Origin": "https://evil.example"},
        {"Origin": "https://localhost:8442"},
        {"Origin": "null"},
    ],
)
def test_foreign_posts_are_refused(client: FlaskClient, headers: dict[str, str]) -> None:
    response = client.post("/size", headers={**headers, "Accept": "application/json"})
    assert response.status_code == 403
    assert response.get_json()["error"] == "request.cross_site"


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": OWN}, {"Origin": OWN.upper()}, {}],
)
def test_own_posts_and_programs_pass(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post("/size", headers=headers).status_code == 200


def test_reading_is_never_refused_for_its_origin(client: FlaskClient) -> None:
    assert client.get("/hello", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_endpoints_made_for_others_take_all_origins(client: FlaskClient) -> None:
    response = client.post("/protocol", headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://wallet.example"})
    assert response.get_json()["error"] == "toy.bad"
