"""The form of the card at the desk: chosen once, said on every page, and kept when an offer is made anew."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.issuer.world import BASE, World
from wallet.issuer import kinds

every_kind = pytest.mark.parametrize("kind", kinds.every(), ids=lambda kind: kind.id)


@pytest.fixture
def world(tmp_path: Any) -> World:
    return World(tmp_path)


@pytest.fixture
def clerk(world: World) -> FlaskClient:
    client = world.app.test_client()
    assert client.post("/desk/login", data={"token": world.desk_token}, base_url=BASE).status_code == 303
    return client


def chosen(page: str) -> list[str]:
    return re.findall(r'name="kind" value="(\w+)" checked', page)


@every_kind
def test_the_chosen_form_is_said_and_stays(world: World, clerk: FlaskClient, kind: kinds.Kind) -> None:
    place = f"/desk/applications/{world.apply().json['id']}"
    page = clerk.get(place, base_url=BASE).text
    assert chosen(page) == [kinds.every()[0].id]
    assert '<details class="more"><summary>Forms of the card' in page
    assert kind.about in page
    assert clerk.post(f"{place}/offer", data={"kind": kind.id}, base_url=BASE).status_code == 303
    offer = clerk.get(f"{place}/offer", base_url=BASE).text
    assert f"The card comes as: <strong>{kind.title}</strong>" in offer
    assert f'name="kind" value="{kind.id}"' in offer, "a new offer is for the same form"
    again = clerk.get(place, base_url=BASE).text
    assert chosen(again) == [kind.id]
    assert ('<details class="more" open><summary>Forms of the card' in again) is (kind.id != kinds.every()[0].id)


def test_several_forms_may_be_offered_at_once(world: World, clerk: FlaskClient) -> None:
    place, (one, other) = f"/desk/applications/{world.apply().json['id']}", (each.id for each in kinds.every()[:2])
    answer = clerk.post(f"{place}/offer", data={"kind": [other, one], "way": "sign-in"}, base_url=BASE)
    assert answer.status_code == 303
    page = clerk.get(f"{place}/offer", base_url=BASE).text
    assert "Tell them the code for signing in" in page
    assert f'name="kind" value="{one}"' in page
    assert f'name="kind" value="{other}"' in page
    assert 'name="way" value="sign-in"' in page
    assert chosen(clerk.get(place, base_url=BASE).text) == [one, other]
    assert clerk.post(f"{place}/offer", data={"kind": [one, "Nope"]}, base_url=BASE).status_code == 400


def test_the_register_says_the_form(world: World, clerk: FlaskClient) -> None:
    world.issued()
    title = kinds.every()[0].title
    assert f'<td data-title="Form">{title}</td>' in clerk.get("/desk/credentials", base_url=BASE).text
    identifier = world.rows("credentials")[0]["id"]
    assert f"<dd>{title}</dd>" in clerk.get(f"/desk/credentials/{identifier}", base_url=BASE).text
