"""Receipts beside presentations: they travel in every way of answering, and broken ones break nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import oid4vp
from ssi.oid4vp import receipts

TOKEN = {"pid": ("one", "two"), "card": ("three",)}
GOOD = {"version": 1, "root": "0x00"}


@pytest.mark.parametrize("as_text", [True, False])
def test_receipts_are_found_again_by_query_and_place(as_text: bool) -> None:
    sent: Any = receipts.members(TOKEN, {"pid": [None, GOOD], "card": [None]})[receipts.PARAMETER]
    read = receipts.read(json.dumps(sent) if as_text else sent, TOKEN)
    assert read == {"pid": (None, GOOD)}


def test_nothing_is_sent_where_there_is_nothing() -> None:
    assert receipts.members(TOKEN, {"pid": [None, None]}) == {}
    assert receipts.members(TOKEN, {"other": [GOOD]}) == {}
    assert receipts.read(None, TOKEN) == {}


@pytest.mark.parametrize("value", ["{", "[]", 7, [], True, "[" * 100_000])
def test_what_cannot_be_read_stands_for_a_receipt_that_proves_nothing(value: Any) -> None:
    found = receipts.read(value, TOKEN)
    assert found == {"pid": (receipts.UNREADABLE,) * 2, "card": (receipts.UNREADABLE,)}


def test_a_broken_entry_spoils_only_itself() -> None:
    long = {"x": "y" * receipts.MAX_BYTES}
    found = receipts.read({"pid": [GOOD, long], "card": [], "unknown": [GOOD]}, TOKEN)
    assert found == {"pid": (GOOD, receipts.UNREADABLE), "card": (receipts.UNREADABLE,)}


PLAIN = st.none() | st.booleans() | st.floats() | st.text()


@given(st.recursive(PLAIN, lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_reading_raises_nothing(value: Any) -> None:
    for given_value in (value, json.dumps(value)):
        for name, found in receipts.read(given_value, TOKEN).items():
            assert len(found) == len(TOKEN[name])


def test_a_form_with_a_broken_receipt_is_still_an_answer() -> None:
    form = {"vp_token": '{"pid": ["one"]}', "facet_receipts": "nonsense", "state": "s"}
    response = oid4vp.read_response(form, response_mode=oid4vp.DIRECT_POST, keys=())
    assert response.vp_token == {"pid": ("one",)}
    assert response.receipts == {"pid": (receipts.UNREADABLE,)}
