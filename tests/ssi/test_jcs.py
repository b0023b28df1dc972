"""RFC 8785: its own examples, others' vectors, and what has no canonical form."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ssi import jcs
from ssi.errors import Malformed
from tests.conftest import VECTORS

FOLDER = VECTORS / "jcs-rfc8785"


def names() -> list[Any]:
    """The vectors' names."""
    found = sorted(path.stem for path in (FOLDER / "input").glob("*.json"))
    return found or [pytest.param(None, marks=pytest.mark.skip("no specification vectors (FACET_VECTORS)"))]


@pytest.mark.parametrize("name", names())
def test_vectors(name: str) -> None:
    value = json.loads((FOLDER / "input" / f"{name}.json").read_text("utf-8"))
    expected = bytes.fromhex((FOLDER / "outhex" / f"{name}.txt").read_text().replace("\n", " "))
    assert jcs.canonicalize(value) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
        (1e21, "1e+21"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (333333333.33333325, "333333333.33333325"),
        (1424953923781206.2, "1424953923781206.2"),
        (2**53 - 1, "9007199254740991"),
        (True, "true"),
        (None, "null"),
        ([], "[]"),
        ({}, "{}"),
        ((1, 2), "[1,2]"),
        ({"\u20ac": 1, "\r": 2, "\U0001f600": 3, "\ufb33": 4}, '{"\\r":2,"\u20ac":1,"\U0001f600":3,"\ufb33":4}'),
        ("\x00\x1f\x7f\u2028", '"\\u0000\\u001f\x7f\u2028"'),
    ],
)
def test_values_as_the_scheme_writes_them(value: Any, text: str) -> None:
    assert jcs.canonicalize(value) == text.encode()


def nested(depth: int) -> Any:
    value: Any = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        -float("inf"),
        2**53,
        -(2**53),
        10**400,
        "\ud800",
        {"\udfff": 1},
        {1: 2},
        {None: 1, "a": 2},
        b"bytes",
        {"a": {1, 2}},
        object(),
        nested(65),
        nested(20_000),
    ],
    ids=range(15),
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(Malformed) as refusal:
        jcs.canonicalize(value)
    assert refusal.value.code == "jcs.value"


def test_what_is_nested_as_deep_as_allowed_is_written() -> None:
    assert jcs.canonicalize(nested(64)).count(b"[") == 32


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(), below, max_size=4),
    max_leaves=12,
)


@given(values)
def test_the_short_way_writes_what_the_long_way_writes(value: Any) -> None:
    try:
        expected = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        with pytest.raises(Malformed):
            jcs.canonicalize(value)
    else:
        assert jcs.canonicalize(value) == expected


@given(values)
def test_any_value_is_written_so_that_it_reads_the_same_or_refused(value: Any) -> None:
    with contextlib.suppress(Malformed):
        written = jcs.canonicalize(value)
        read = json.loads(written, parse_int=float)
        assert read == value
        assert jcs.canonicalize(read) == written
