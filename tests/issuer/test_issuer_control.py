"""Control: a program on this machine gets offers without a clerk, if somebody wanted that; nobody else ever does."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import TestResponse

from ssi.errors import Refused
from ssi.oid4vci import PRE_AUTHORIZED_CODE
from tests.issuer import world as issuer_world
from tests.issuer.world import World, error, payload

BASE = "https://localhost:8441"


@pytest.fixture
def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(issuer_world, "BASE", BASE)
    return World(tmp_path, {"CONTROL": "true"})


def offered(world: World, **body: Any) -> TestResponse:
    return world.post("/control/offer", json=body)


def link(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.text
    return parse_qs(urlsplit(answer.json["uri"]).query)["credential_offer_uri"][0]


def test_a_program_gets_a_card_by_the_link_alone(trial: World) -> None:
    made = offered(trial, config="VerifiedPerson")
    assert set(made.json) == {"uri"}
    grant = trial.get(link(made)).json["grants"][PRE_AUTHORIZED_CODE]
    assert set(grant) == {"pre-authorized_code"}
    token = trial.redeem(grant["pre-authorized_code"], None)
    assert token.status_code == 200, token.text
    answer = trial.credential(token.json["access_token"])
    assert answer.status_code == 200, answer.text
    wire = answer.json["credentials"][0]["credential"]
    assert payload(wire)["vct"] == "urn:facet:credential:verified-person:1"
    assert trial.rows("applications")[0]["decision"] == "approved"


def test_every_kind_of_card_can_be_had(trial: World) -> None:
    kinds = trial.get("/.well-known/openid-credential-issuer").json["credential_configurations_supported"]
    assert len(kinds) > 3
    for name in kinds:
        token = trial.redeem(trial.code(link(offered(trial, config=name))), None)
        proofs = {"jwt": [trial.proof()]}
        answer = trial.credential(token.json["access_token"], {"credential_configuration_id": name, "proofs": proofs})
        assert answer.status_code == 200, (name, answer.text)


def test_several_cards_at_once_and_a_code_where_it_is_wanted(trial: World) -> None:
    made = offered(trial, config=["VerifiedPerson", "VerifiedPerson"], tx_code=True)
    assert set(made.json) == {"uri", "tx_code", "reference"}
    offer = trial.get(link(made)).json
    assert offer["credential_configuration_ids"] == ["VerifiedPerson"]
    code = offer["grants"][PRE_AUTHORIZED_CODE]["pre-authorized_code"]
    assert error(trial.redeem(code, None)) == (400, "invalid_request")
    assert trial.redeem(code, made.json["tx_code"]).status_code == 200
    signing_in = trial.get(link(offered(trial, config="VerifiedPerson", way="sign-in"))).json
    assert set(signing_in["grants"]) == {"authorization_code"}


def test_a_transaction_code_that_nobody_gave_is_refused_and_costs_nothing(trial: World) -> None:
    uri = link(offered(trial, config="VerifiedPerson"))
    code = trial.code(uri)
    for _ in range(6):
        assert error(trial.redeem(code, "123456")) == (400, "invalid_request")
    assert trial.redeem(code, None).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "request.config"),
        ({"config": "Other"}, "request.config"),
        ({"config": []}, "request.config"),
        ({"config": [["VerifiedPerson"]]}, "request.config"),
        ({"config": "VerifiedPerson", "tx_code": 1}, "request.tx_code"),
        ({"config": "VerifiedPerson", "way": "post"}, "offer.way"),
    ],
)
def test_what_is_no_such_offer_is_refused(trial: World, body: dict[str, Any], code: str) -> None:
    assert error(offered(trial, **body)) == (400, code)


def test_no_page_elsewhere_can_have_a_browser_ask(trial: World) -> None:
    body = '{"config": "VerifiedPerson"}'
    plain = trial.post("/control/offer", data=body, content_type="text/plain")
    assert error(plain) == (400, "request.media_type")
    foreign = trial.post("/control/offer", json={}, headers={"Origin": "https://elsewhere.example"})
    assert error(foreign)[1] == "request.cross_site"
    assert "Access-Control-Allow-Origin" not in foreign.headers


def test_without_the_flag_there_is_nothing_there(tmp_path: Path) -> None:
    assert offered(World(tmp_path), config="VerifiedPerson").status_code == 404


def test_the_flag_is_refused_where_others_could_reach_it(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        _ = World(tmp_path, {"CONTROL": "true"}).settings  # whose name is issuer.test
    assert caught.value.code == "settings.control"
