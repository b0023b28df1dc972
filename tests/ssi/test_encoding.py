"""Bytes at the border: what is strict, what is bounded, and that nothing but SsiError comes out."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import encoding
from ssi.errors import Malformed, SsiError


def test_examples_in_docstrings_hold() -> None:
    assert doctest.testmod(encoding).failed == 0


@given(st.binary(max_size=200))
def test_base64url_round_trip(data: bytes) -> None:
    assert encoding.unb64url(encoding.b64url(data)) == data


@pytest.mark.parametrize("text", ["a", "ab=", "a b", "ab+/", "ab\n", "é", "AB", "AAB", "____="])
def test_base64url_refuses_all_but_the_one_spelling(text: str) -> None:
    with pytest.raises(Malformed) as refusal:
        encoding.unb64url(text)
    assert refusal.value.code == "encoding.base64url"


@given(st.text(max_size=40) | st.binary(max_size=40))
def test_base64url_reader_raises_only_ssi_error(text: str | bytes) -> None:
    try:
        encoding.unb64url(text)
    except SsiError:
        return


@given(st.binary(max_size=64))
def test_base58_round_trip(data: bytes) -> None:
    assert encoding.unbase58(encoding.base58(data)) == data


@pytest.mark.parametrize("text", ["0", "O", "l", "I", "1 1", "ä", "1" * 513])
def test_base58_refuses(text: str) -> None:
    with pytest.raises(Malformed):
        encoding.unbase58(text)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", "encoding.json"),
        (b"{", "encoding.json"),
        (b"NaN", "encoding.json"),
        (b'{"a":1}//', "encoding.json"),
        (b'"\xff"', "encoding.json"),
        ('"\ud800"', "encoding.json"),
        (b"[" * 33 + b"]" * 33, "encoding.json_depth"),
        ("[" * 33 + "]" * 33, "encoding.json_depth"),
        (b"[" * 100_000, "encoding.json_size"),
        (b"[" * 10_000, "encoding.json"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "encoding.json_depth"),
        (b'"' + b"a" * encoding.MAX_JSON_BYTES + b'"', "encoding.json_size"),
    ],
)
def test_json_is_refused_with_its_own_code(document: bytes | str, code: str) -> None:
    with pytest.raises(Malformed) as refusal:
        encoding.read_json(document)
    assert refusal.value.code == code


def test_json_depth_counts_levels_not_brackets() -> None:
    assert encoding.read_json("[" + ",".join(["[]"] * 500) + "]") == [[]] * 500
    assert encoding.read_json("[" * 32 + "]" * 32)


@given(st.binary(max_size=300))
def test_json_reader_raises_only_ssi_error(document: bytes) -> None:
    try:
        encoding.read_json_object(document)
    except SsiError:
        return


def test_writing_what_json_cannot_hold_is_malformed() -> None:
    for value in ({1, 2}, {1: 2}, b"x"):
        with pytest.raises(Malformed):
            encoding.write_json(value)


def test_numeric_dates() -> None:
    assert encoding.instant({}, "exp") is None
    assert encoding.instant({"exp": 0}, "exp") == datetime(1970, 1, 1, tzinfo=UTC)
    assert encoding.instant({"exp": 1767225600.5}, "exp") == datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, True, "1767225600", -1, 1e300, float("nan"), 253_402_300_800, [], {}])
def test_numeric_dates_of_any_other_kind_are_refused(value: object) -> None:
    with pytest.raises(Malformed) as refusal:
        encoding.instant({"exp": value}, "exp")
    assert refusal.value.code == "encoding.numeric_date"


def test_text_members() -> None:
    assert encoding.text({}, "iss") is None
    assert encoding.required_text({"iss": "x"}, "iss") == "x"
    for members, code in (({}, "encoding.missing"), ({"iss": ""}, "encoding.missing"), ({"iss": 1}, "encoding.text")):
        with pytest.raises(Malformed) as refusal:
            encoding.required_text(members, "iss")
        assert refusal.value.code == code
    with pytest.raises(Malformed):
        encoding.text({"iss": None}, "iss")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Zo\u00eb Qu\u00e4ntock", "Zo\u00eb Qu\u00e4ntock"),
        ("Bank\u202egro.live", "Bankgro.live"),
        ("A\u2066B\u2069\u200b\ufeffC\x00", "ABC"),
        ("one\r\ntwo\u2028three\u00a0four", "one  two three four"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("x" * 50, "x" * 40),
    ],
)
def test_strangers_texts_cannot_look_like_others(given: str, shown: str) -> None:
    assert encoding.printable(given, limit=40) == shown


@given(st.text())
def test_printable_text_is_one_short_line(text: str) -> None:
    found = encoding.printable(text, limit=10)
    assert len(found) <= 10
    assert found.replace("\u200c", "").replace("\u200d", "").isprintable()
