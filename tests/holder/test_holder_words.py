"""Words for people: claims, cards' standing, names of what is hidden, and what an inspection concludes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.errors import Malformed, Unavailable
from ssi.formats import sdjwt
from ssi.keys import SoftwareSigner
from ssi.model import Check, Credential, Finding, Issuer, Outcome
from tests.support import NOW
from wallet.holder.cards import Card
from wallet.holder.claims import label, lines, long_date, moment, plain
from wallet.holder.inspection import Verdict, _verdict
from wallet.holder.revealing import reveal
from wallet.holder.settings import asker_policy, issuer_policy
from wallet.holder.web.views import finding_view, grouped

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


def _card(claims: dict[str, Any], disclosed: tuple[Any, ...] = (), **more: Any) -> Card:
    given_ = {
        "credential": Credential("dc+sd-jwt", "wire"),
        "type": "urn:t",
        "name": "Card",
        "issuer": Issuer(None),
        "issuer_name": "Issuer",
        "key": SoftwareSigner.generate("ES256").public,
        "claims": claims,
        "disclosed": disclosed,
        "closed": (),
        "labels": {},
        "added": 0,
    }
    return Card(**{**given_, **more})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "(empty)"),
        ([], "(empty)"),
        ("", "(empty)"),
        (True, "Yes"),
        (0, "0"),
        (1.5, "1.5"),
        ("2026-02-30", "2026-02-30"),
        ("data:image/jpeg;base64,AAAA", "A picture (3 bytes)"),
        ("_9j_4AAQSkZJRgABAQ" + "A" * 4080, "A picture (3 kB)"),
        (["a", ["b", True]], "a, b, Yes"),
    ],
)
def test_values_as_people_read_them(value: Any, text: str) -> None:
    assert plain(value) == text
    assert len(plain("x" * 5000)) < 400
    assert plain("Ada\u202e\nsey :81 revO") == "Ada sey :81 revO"  # nothing in a value turns or breaks its line


def test_labels_come_from_the_issuer_then_from_words_and_never_fail() -> None:
    labels = {("document",): "Papers", ("nationalities", None): "Citizen of"}
    assert label(("document", "number"), labels=labels) == "Papers: number"
    assert label(("nationalities", 1), labels=labels) == "Citizen of"
    assert label(("document", "ISBNCode"), labels=labels).startswith("Papers: ")
    assert label((0,)) == "Claim"
    assert label(("---",)) == "---"


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=5))
def test_any_claims_can_be_shown(claims: dict[str, Any]) -> None:
    for line in lines(claims, kind=sdjwt):
        assert isinstance(line.value, str)
        assert line.label


def test_identifiers_and_whatever_can_be_hidden_are_never_shared_unseen() -> None:
    claims = {"sub": "national-id-7", "jti": "urn:uuid:1", "iat": 1_767_225_600, "exp": 1_800_000_000, "name": "Ada"}
    asked = reveal(_card(claims, tuple((name,) for name in ("sub", "jti", "iat", "name"))), (("sub",), ("iat",)))
    assert {line.path: line.value for line in asked.asked} == {("sub",): "national-id-7", ("iat",): "1767225600"}
    assert asked.hidden == ("Name", "Serial number")
    assert {line.path for line in reveal(_card(claims), ()).always} == {("sub",), ("jti",), ("name",)}


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=5))
def test_what_cannot_be_hidden_is_listed_as_always_shown(claims: dict[str, Any]) -> None:
    revealed = reveal(_card(claims), ())
    assert revealed.asked == ()
    hideable = _card(claims, tuple((name,) for name in claims))
    nothing = reveal(hideable, ())
    assert nothing.always == ()
    everything = reveal(hideable, tuple((name,) for name in claims))
    assert everything.hidden == ()


def test_a_claim_inside_a_visible_object_is_shown_with_it() -> None:
    claims = {"address": {"country": "US", "street": "Main St"}, "name": "E"}
    card = _card(claims, (("address", "street"), ("name",)))
    revealed = reveal(card, (("name",),))
    assert [line.path for line in revealed.always] == [("address", "country")]
    assert [line.path for line in revealed.asked] == [("name",)]
    assert revealed.hidden == ("Address: street",)
    with pytest.raises(Malformed):
        reveal(card, (("name", "first"),))


def test_elements_keep_their_places_when_others_are_hidden() -> None:
    claims = {"degrees": [{"type": "B"}, {"type": "M"}, "PhD"], "tags": ["x", "y"]}
    card = _card(claims, (("degrees", 0), ("degrees", 1), ("tags", 0), ("tags", 1)))
    revealed = reveal(card, (("degrees", 1), ("tags", 1)))
    assert [(line.path, line.value) for line in revealed.asked] == [(("degrees", 1, "type"), "M"), (("tags",), "y")]
    assert [(line.path, line.value) for line in revealed.always] == [(("degrees", 2), "PhD")]
    assert revealed.hidden == ("Degrees", "Tags (the others)")


def test_dates_in_words() -> None:
    assert long_date(date(2026, 3, 4)) == "4 March 2026"
    assert moment(None) == ""
    assert moment(int(datetime(2026, 1, 2, 3, 4, tzinfo=UTC).timestamp())) == "2 January 2026, 03:04 UTC"


def test_a_card_that_is_not_valid_yet_says_so() -> None:
    later = int((NOW + timedelta(days=1)).timestamp())
    assert _card({}, valid_from=later).standing(now=NOW).word == "Not valid yet"
    suspended = Finding(Check.STATUS, Outcome.FAIL, "status.suspended", "For now.")
    assert _card({}, status=suspended).standing(now=NOW).word == "Suspended"


def _found(**outcomes: str) -> list[Finding]:
    essential = ("format", "type", "signature", "holder_binding", "validity", "trust")
    wanted = {**dict.fromkeys(essential, "pass"), **outcomes}
    return [Finding(Check(name), Outcome(outcome), "x.y", "z") for name, outcome in wanted.items()]


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ({}, Verdict.KEEP),
        ({"status": "unknown", "schema": "not_asked"}, Verdict.KEEP),
        ({"status": "fail"}, Verdict.REFUSE),
        ({"schema": "fail"}, Verdict.REFUSE),
        ({"trust": "unknown"}, Verdict.WAIT),
        ({"signature": "unknown", "status": "fail"}, Verdict.REFUSE),
        ({"holder_binding": "not_asked"}, Verdict.WAIT),
    ],
)
def test_what_an_inspection_concludes(outcomes: dict[str, str], verdict: Verdict) -> None:
    assert _verdict(_found(**outcomes)) is verdict


@pytest.mark.parametrize("check", list(Check))
def test_every_check_has_a_question(check: Check) -> None:
    for outcome in Outcome:
        view = finding_view(Finding(check, outcome, "a.b", "c"))
        assert view["question"].endswith("?")
        assert view["word"]


def test_trust_settings_fail_closed(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        issuer_policy(tmp_path / "missing.pem")
    assert asker_policy(tmp_path / "missing.pem") is None
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    with pytest.raises((Malformed, ValueError)):
        issuer_policy(empty)


@pytest.mark.parametrize("content", ["{}", "[]", "x", '{"did:x": []}', '{"did:x": "y"}', '{"did:x": [1]}'])
def test_a_list_of_trusted_issuers_that_lists_nothing_is_refused(content: str, tmp_path: Path, minted: Path) -> None:
    listed = tmp_path / "trusted.json"
    listed.write_text(content)
    with pytest.raises(Malformed):
        issuer_policy(minted / "trust/issuer-ca.pem", listed)


def test_long_claims_are_folded_and_short_ones_are_not() -> None:
    claims = {"name": "E", "evidence": {f"detail_{number}": number for number in range(9)}, "last": {"a": 1, "b": 2}}
    groups = grouped([line.json for line in lines(claims, kind=sdjwt)])
    assert [(group["name"], len(group["lines"])) for group in groups] == [(None, 1), ("Evidence", 9), (None, 2)]
    assert groups[1]["lines"][0]["label"] == "Detail 0"
