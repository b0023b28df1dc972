"""Cards that look alike: which is which, whose it is, and one choice between all that can answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import formats
from ssi.encoding import read_json_object
from ssi.formats import names
from ssi.keys import SoftwareSigner
from ssi.model import Credential, Issuer
from tests.holder.town import Person, Town
from tests.support import NOW
from wallet.holder.alike import full_name, told_apart
from wallet.holder.cards import Card
from wallet.holder.vault import Record
from wallet.holder.web.views import card_view, grouped


@pytest.fixture
def holder(town: Town, ada: Person) -> Person:
    ada.accepts(town)
    return ada


PERSON = "urn:facet:credential:verified-person:1"
CLAIMS = {
    "given_name": "Eileen",
    "family_name": "Collins",
    "evidence": {f"detail_{place}": place for place in range(9)},
}
SHAPES: dict[str, dict[str, Any]] = {
    "dc+sd-jwt": CLAIMS,
    "ldp_vc": {"credentialSubject": CLAIMS},
    "mso_mdoc": {PERSON: CLAIMS},
}
KEY = SoftwareSigner.generate("ES256").public
TYPES = {"vct_values": [PERSON]}
AGE = {"id": "age", "format": "dc+sd-jwt", "meta": TYPES, "claims": [{"path": ["age_over_18"]}]}
NAME = {"id": "name", "format": "dc+sd-jwt", "meta": TYPES, "claims": [{"path": ["given_name"]}]}
ELDER = {**AGE, "id": "elder", "claims": [{"path": ["age_over_65"], "values": [True]}]}
PASSPORT = {"id": "passport", "format": "mso_mdoc", "meta": {"doctype_value": "org.example.passport"}}
LICENCE = {"id": "licence", "format": "mso_mdoc", "meta": {"doctype_value": "org.iso.18013.5.1.mDL"}}


def _either(*asked: dict[str, Any]) -> dict[str, Any]:
    return {"credentials": list(asked), "credential_sets": [{"options": [[one["id"]] for one in asked]}]}


def _card(format_id: str, id: str, **more: Any) -> Card:
    given_ = {
        "credential": Credential(format_id, "wire"),
        "type": PERSON,
        "name": "Verified person",
        "issuer": Issuer(None),
        "issuer_name": "Desk",
        "key": KEY,
        "claims": SHAPES[format_id],
        "disclosed": (),
        "closed": (),
        "labels": {},
        "added": 0,
        "record": Record("card", id, {}, 0),
    }
    return Card(**{**given_, **more})


def test_every_format_has_a_name_of_its_own() -> None:
    called = [names.name(each.ID) for each in formats.every()]
    assert len(set(called)) == len(called)
    assert not {each.ID for each in formats.every()} & set(called)


@given(st.text(max_size=40) | st.sampled_from(["{}", '{"proof": 7}', '{"proof": [1, {"cryptosuite": []}]}', "{", "{]"]))
def test_any_wire_has_a_name(wire: str) -> None:
    assert names.of(Credential("ldp_vc", wire)) == "W3C credential"


def test_the_proof_is_named_among_several() -> None:
    proofs = '{"proof": [{"cryptosuite": "ecdsa-rdfc-2019"}, {"cryptosuite": "bbs-2023"}]}'
    assert names.of(Credential("ldp_vc", proofs)) == "W3C credential (BBS)"


@pytest.mark.parametrize("format_id", SHAPES)
def test_the_person_stands_on_the_card_in_every_form(format_id: str) -> None:
    view = card_view(_card(format_id, "a"), now=NOW, full=True)
    assert view["person"] == "Eileen Collins"
    groups = grouped(view["claims"])
    assert [(group["name"], len(group["lines"])) for group in groups] == [(None, 1), (None, 1), ("Evidence", 9)]


def test_cards_are_told_apart_by_form_then_by_age_and_only_where_they_look_alike() -> None:
    alone = _card("dc+sd-jwt", "alone", name="Library card")
    other = _card("dc+sd-jwt", "other", claims={"given_name": "Ada"})
    assert told_apart([alone, other, _card("dc+sd-jwt", "a")]) == {}
    forms = told_apart([_card(format_id, format_id) for format_id in SHAPES])
    assert forms == {format_id: names.name(format_id) for format_id in SHAPES}
    twins = told_apart([_card("dc+sd-jwt", "a"), _card("dc+sd-jwt", "b", added=86_400)])
    assert twins == {"a": "added 1 January 1970, 00:00 UTC", "b": "added 2 January 1970, 00:00 UTC"}
    mixed = told_apart([_card("mso_mdoc", "a"), _card("mso_mdoc", "b"), _card("ldp_vc", "c")])
    assert mixed["a"] == "Mobile document (mdoc), added 1 January 1970, 00:00 UTC"
    assert mixed["c"] == "W3C credential"
    assert full_name(_card("ldp_vc", "c"), mixed) == "Verified person: W3C credential"
    assert full_name(alone, mixed) == "Library card"


def test_options_of_one_card_each_are_one_choice_between_cards(town: Town, holder: Person) -> None:
    town.issuer.code, town.issuer.used = "another code", False
    holder.accepts(town)
    newer, older = (card["id"] for card in holder.cards())
    town.shop.query = _either(PASSPORT, AGE, NAME)
    place = holder.open(town.shop.link)
    page = holder.page(place).get_data(as_text=True)
    assert "Which card do you want to use?" in page
    assert [f'value="{option}.{card}"' in page for option in (0, 1) for card in (newer, older)] == [True] * 4
    assert "Shows At least 18" in page, "what each shows is said where it is not the same"
    assert "Shows Given name" in page
    assert holder.post(f"{place}/share", **{"part-0": f"1.{older}"}).json["request"]["state"] == "shared"
    assert set(read_json_object(town.shop.received[-1]["vp_token"])) == {"name"}
    opened = town.shop.opened("name")
    assert opened.holder is not None
    assert opened.holder.kid == holder.get(f"/cards/{older}").json["card"]["key"]
    assert holder.history()[0]["cards"][0]["name"].startswith("Verified person: added "), "the receipt says which"


@pytest.mark.parametrize("choice", ["0.", "0.unknown", ".", "9.x", "none.x"])
def test_a_card_that_cannot_answer_is_no_choice(choice: str, town: Town, holder: Person) -> None:
    town.shop.query = _either(AGE, NAME)
    place = holder.open(town.shop.link)
    answer = holder.post(f"{place}/share", **{"part-0": choice})
    if choice == "0.":  # as a program that names the option only, and there is but one card
        assert answer.json["request"]["state"] == "shared"
    else:
        assert answer.json["error"] in {"consent.pick", "consent.incomplete"}
        assert town.shop.received == []


def test_of_alternatives_that_cannot_be_had_the_nearest_is_explained(town: Town, holder: Person) -> None:
    town.shop.query = _either(PASSPORT, LICENCE)
    asked = holder.get(holder.open(town.shop.link)).json["request"]
    assert asked["missing"] == ["They ask for a card that you do not have: Passport or Mobile driving licence."]
    town.shop.query = _either(PASSPORT, ELDER)
    asked = holder.get(holder.open(town.shop.link)).json["request"]
    assert asked["missing"] == ["Your card “Verified person” does not say what they ask for."]


def test_an_offer_of_a_card_that_looks_like_another_says_its_form(town: Town, ada: Person) -> None:
    place = ada.open(town.issuer.link)
    assert "You have a card of this name" not in ada.page(place).get_data(as_text=True)
    ada.accepts(town)
    town.issuer.code, town.issuer.used = "another code", False
    page = ada.page(ada.open(town.issuer.link)).get_data(as_text=True)
    assert "You have a card of this name already. This one comes as: SD-JWT credential." in page
