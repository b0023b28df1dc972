"""What a result page lists: every claim by its name in words, long ones folded, and the issuer by a name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.world import BASE, World
from verifier.shown import Shown
from verifier.web import data

PERSON = "urn:facet:credential:verified-person:1"
CLAIMS = {
    "given_name": "Eileen",
    "biometric_evidence": {f"matchDetail{place}": place for place in range(9)},
    "age_over_18": True,
}


@pytest.mark.parametrize(
    ("format_id", "claims"),
    [("dc+sd-jwt", CLAIMS), ("ldp_vc", {"credentialSubject": CLAIMS}), ("mso_mdoc", {PERSON: CLAIMS})],
)
def test_a_long_claim_is_folded_under_its_own_name_in_every_form(format_id: str, claims: dict[str, Any]) -> None:
    shown = Shown("person", format_id, PERSON, "Desk", None, claims)
    (first, names), (folded, inside), (last, ages) = data.grouped(data.rows(shown))
    assert (first, names) == ("", [("Given name", "Eileen")])
    assert (folded, len(inside), inside[0]) == ("Face check at issuance", 9, ("Match detail0", "0"))
    assert (last, ages) == ("", [("At least 18", "Yes")])


def test_short_claims_stand_in_one_list() -> None:
    shown = Shown(
        "person", "dc+sd-jwt", PERSON, "Desk", None, {"given_name": "E", "document": {"number": "X", "type": "P"}}
    )
    assert [name for name, _ in data.grouped(data.rows(shown))] == [""]
    assert data.grouped([]) == []


@pytest.mark.parametrize(
    ("issuer", "text"),
    [
        ("did:web:desk.example", "desk.example"),
        ("did:web:desk.example%3A8441:issuers:7", "desk.example:8441/issuers/7"),
        ("did:key:z6Mk", "did:key:z6Mk"),
        ("https://desk.example", "https://desk.example"),
        ("Desk did:web:x", "Desk did:web:x"),
    ],
)
def test_an_issuer_is_named_by_what_a_person_can_recognise(issuer: str, text: str) -> None:
    assert data.said_by(issuer) == text


def test_a_name_with_marks_that_turn_text_round_is_shown_without_them() -> None:
    assert "\u202e" not in data.said_by("did:web:desk%E2%80%AEexample")


@pytest.mark.parametrize(("template", "wholes"), [("over-18", []), ("nationality", []), ("document", ["Document"])])
def test_a_form_that_shows_more_than_was_asked_is_announced(template: str, wholes: list[str], tmp_path: Path) -> None:
    with World(tmp_path).app().test_client() as browser:
        begun = browser.post("/requests", data={"template": template}, base_url=BASE, headers={"Accept": "text/html"})
        page = browser.get(begun.headers["Location"], base_url=BASE).get_data(as_text=True)
    assert re.findall(r"can show “(\w+)” only as a whole", page) == wholes
