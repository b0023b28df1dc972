"""Honesty: what a person is told they would show is what the verifier has then, in each format; no more, no less."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssi.formats.paths import select
from ssi.model import ClaimPath, Opened
from tests.ssi.holdings import (
    HELD,
    HIDING,
    PORTRAIT,
    SHOWING,
    SPARSE,
    SUBJECT,
    VERIFIED_PERSON,
    Held,
    by_id,
    every_path,
    linked,
)
from wallet.holder.cards import Card
from wallet.holder.claims import ONLY_THERE, lines
from wallet.holder.revealing import Revealed, reveal
from wallet.holder.review import _remarks

every_card = pytest.mark.parametrize("held", HELD, ids=lambda held: held.id)
every_hiding = pytest.mark.parametrize("held", HIDING, ids=lambda held: held.id)
every_showing = pytest.mark.parametrize("held", SHOWING, ids=lambda held: held.id)


def card(held: Held) -> Card:
    """The credential as the wallet keeps it."""
    opened = held.opened
    assert opened.holder is not None
    return Card(
        credential=held.credential,
        type=opened.type,
        name="Card",
        issuer=opened.issuer,
        issuer_name="Issuer",
        key=opened.holder,
        claims=opened.claims,
        disclosed=opened.disclosed,
        closed=tuple(opened.closed),
        labels={},
        added=0,
    )


def told(revealed: Revealed) -> set[tuple[ClaimPath, str]]:
    """All that the person is told would be seen."""
    return {(line.path, line.value) for line in (*revealed.asked, *revealed.always)}


def seen(held: Held, opened: Opened) -> set[tuple[ClaimPath, str]]:
    """All that the verifier sees, read by the same eyes."""
    shown = lines(
        opened.claims, kind=held.sample.format, closed=opened.closed, disclosed=frozenset(held.opened.disclosed)
    )
    return {(line.path, ONLY_THERE if line.value == "(empty)" else line.value) for line in shown}


def texts(claims: Any) -> set[str]:
    """The texts in some claims that are long enough to be found again."""
    if isinstance(claims, str):
        return {claims} if len(claims) > 5 else set()
    inside = claims.values() if isinstance(claims, dict) else claims if isinstance(claims, list) else ()
    return {text for value in inside for text in texts(value)}


def paths_of(held: Held) -> list[ClaimPath]:
    """Everything that could be asked for, by concrete paths, and some by all elements of an array."""
    kind, claims = held.sample.format, held.opened.claims
    concrete = [path for path in every_path(claims) if kind.whole(claims, path) is not None]
    every = {tuple(None if isinstance(part, int) else part for part in path) for path in concrete}
    return [*concrete, *(path for path in every if None in path)]


def check(held: Held, *paths: ClaimPath) -> None:
    """The property itself: lines on both sides, and secrets on the wire."""
    revealed = reveal(card(held), paths)
    presentation = held.present(*paths)
    opened = held.verify(presentation)
    assert told(revealed) == seen(held, opened)
    wire = held.sample.plain(presentation.wire).decode("utf-8", "replace")
    hidden = texts(held.opened.claims) - texts(opened.claims)
    assert [text for text in hidden if text in wire] == []


@every_card
def test_showing_one_claim_or_none_shows_what_was_said(held: Held) -> None:
    check(held)
    for path in paths_of(held):
        check(held, path)


@every_hiding
@settings(max_examples=15)
@given(data=st.data())
def test_showing_any_claims_together_shows_what_was_said(held: Held, data: st.DataObject) -> None:
    check(held, *data.draw(st.lists(st.sampled_from(paths_of(held)), max_size=6)))


@every_showing
def test_a_card_that_can_hide_nothing_says_so(held: Held) -> None:
    found = card(held)
    name = next(path for path in paths_of(held) if path[-1] in ("given_name", "givenName"))
    revealed = reveal(found, (name,))
    assert [line.path for line in revealed.asked] == [name]
    assert {line.path for line in (*revealed.asked, *revealed.always)} == {line.path for line in found.lines}
    assert revealed.hidden == ()
    assert any("Nothing on this card can be hidden" in remark for remark in _remarks(found, revealed))


@every_hiding
def test_a_card_that_can_hide_shows_the_one_claim_beside_what_goes_with_it(held: Held) -> None:
    found = card(held)
    revealed = reveal(found, ((*held.root, "given_name"),))
    assert [(line.label, line.value) for line in revealed.asked] == [("First name", "Erika")]
    assert {line.path[0] for line in revealed.always} <= {"id", "name", "evidence", "termsOfUse"}
    assert "Last name" in revealed.hidden
    assert not any("Nothing on this card" in remark for remark in _remarks(found, revealed))


@every_card
def test_no_picture_is_shown_as_text(held: Held) -> None:
    for line in card(held).lines:
        if line.path[-1] == "portrait":
            assert line.value == "A picture (3 kB)"
        assert PORTRAIT[:20] not in line.value


@pytest.mark.parametrize("name", ["vc+jwt", "vc+sd-jwt", "vc+cose", "ldp_vc", "ldp_vc-ecdsa-sd", "ldp_vc-bbs"])
def test_what_stands_beside_the_subject_is_told_in_plain_words(name: str) -> None:
    said = {line.label: line.value for line in reveal(card(by_id(name)), ()).always}
    assert said["Name"] == "Card of Person"
    assert said["Evidence: verifier"] == "Officer Dibble"
    assert said["Evidence: kind"] == "DocumentVerification"
    assert said["Terms of use: obligation"] == "Wipe your feet"
    assert said["Identifier"].startswith("urn:uuid:")


@pytest.mark.parametrize("name", ["ldp_vc-ecdsa-sd", "ldp_vc-bbs"])
@pytest.mark.parametrize("path", [("nationalities", 1), ("nationalities", None)])
def test_an_array_of_a_linked_document_is_told_and_shown_whole(name: str, path: ClaimPath) -> None:
    held = by_id(name)
    (line,) = reveal(card(held), ((SUBJECT, *path),)).asked
    assert line.value == "DE-Freistaat, AT-Kaiserreich, FR-Republique"
    assert select(held.opened.claims, (SUBJECT, *path))


def test_nothing_of_a_mobile_document_goes_unnamed() -> None:
    held = by_id("mso_mdoc")
    assert set(reveal(card(held), ()).hidden) >= {"First name", "Last name", "Over 18", "Portrait", "Club"}
    shown = reveal(card(held), (("org.example.extra", "club"),))
    assert {line.label: line.value for line in shown.asked} == {"Club: member": "Yes", "Club: since": "1999"}


def test_an_object_of_which_nothing_is_shown_is_still_seen_to_be_there() -> None:
    found = card(by_id("dc+sd-jwt"))
    kept = tuple(path for path in found.disclosed if path not in {("address",), ("nationalities",)})
    found = replace(found, disclosed=kept)
    always = {line.path: line.value for line in reveal(found, ()).always}
    assert always == {("address",): ONLY_THERE, ("nationalities",): ONLY_THERE}
    revealed = reveal(found, (("address", "town"), ("nationalities", 1)))
    assert revealed.always == ()
    assert {line.value for line in revealed.asked} == {"Koeln", "AT-Kaiserreich"}
    assert {"Nationality (the others)", "Address: street"} <= set(revealed.hidden)


def test_what_rides_along_is_for_the_contexts_to_say() -> None:
    check(VERIFIED_PERSON)
    for path in paths_of(VERIFIED_PERSON):
        check(VERIFIED_PERSON, path)
    found = card(VERIFIED_PERSON)
    assert [line.label for line in reveal(found, ((SUBJECT, "document", "number"),)).asked] == [
        "Identity document: number"
    ]
    evidence = reveal(found, ((SUBJECT, "biometric_evidence", "result", "score"),)).asked
    assert {line.path[-1] for line in evidence} == {"method", "score", "liveness"}  # one literal, so all of it


def test_an_array_of_which_a_part_is_mandatory_is_told_and_shown_as_it_is() -> None:
    """The verifier's indexes count what is left; so only the values are compared."""
    found = card(SPARSE)
    for paths in ((), *((path,) for path in paths_of(SPARSE))):
        revealed = reveal(found, paths)
        opened = SPARSE.verify(SPARSE.present(*paths))
        assert {value for _, value in told(revealed)} == {value for _, value in seen(SPARSE, opened)}, paths
    assert {line.value for line in reveal(found, ()).always} == {
        "AT-Kaiserreich", "MasterDegree", "Optics with lasers", "Erika-Maria",
    }  # fmt: skip


def test_a_document_that_is_mandatory_as_a_whole_hides_nothing() -> None:
    held = linked({"given_name": "Erika"}, context="urn:facet:context:verified-person:1", mandatory=("",))
    check(held)
    assert held.opened.disclosed == ()


def test_what_can_be_hidden_of_the_credentials_own_words_is_listed_when_it_is_shown() -> None:
    whole = card(by_id("vc+sd-jwt"))
    found = replace(
        whole,
        claims={**whole.claims, "issuer": {"id": "did:example:1", "name": "Desk of Somewhere"}},
        disclosed=(*whole.disclosed, ("issuer", "name")),
    )
    assert "Desk of Somewhere" not in {line.value for line in reveal(found, ()).always}
    assert [line.value for line in reveal(found, (("issuer", "name"),)).asked] == ["Desk of Somewhere"]


def test_a_subject_of_whom_nothing_is_said_breaks_no_page() -> None:
    found = replace(card(by_id("vc+jwt")), claims={SUBJECT: {}, "name": "Card"})
    assert {line.value for line in reveal(found, ()).always} == {"(empty)", "Card"}
    assert _remarks(found, reveal(found, ()))
