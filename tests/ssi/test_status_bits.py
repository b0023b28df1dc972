"""Status lists bit by bit, against the specification's vectors, and against bombs."""

from __future__ import annotations

import json
import os
import re
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.encoding import Json, b64url
from ssi.errors import Malformed, Refused, SsiError
from ssi.status.bits import MAX_LIST_BYTES, StatusList, read_list

VECTORS = Path(os.environ.get("FACET_VECTORS", Path(__file__).parents[3] / "shared/vectors")) / "token-status-list"

SHORT = {  # Token Status List §4.1
    1: [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1],
    2: [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3],
}
LONG = {  # Appendix, "Test vectors for Status List encoding"
    "status_list_encoding1_long_json.md": {
        0: 1, 1993: 1, 25460: 1, 159495: 1, 495669: 1, 554353: 1, 645645: 1, 723232: 1, 854545: 1, 934534: 1,
        1000345: 1,
    },
    "status_list_encoding2_long_json.md": {
        0: 1, 1993: 2, 25460: 1, 159495: 3, 495669: 1, 554353: 1, 645645: 2, 723232: 1, 854545: 1, 934534: 2,
        1000345: 3,
    },
    "status_list_encoding4_json.md": {
        0: 1, 1993: 2, 35460: 3, 459495: 4, 595669: 5, 754353: 6, 845645: 7, 923232: 8, 924445: 9, 934534: 10,
        1004534: 11, 1000345: 12, 1030203: 13, 1030204: 14, 1030205: 15,
    },
}  # fmt: skip
ALL_BITS = [1, 2, 4, 8]


def vector(name: str) -> Json:
    if not VECTORS.is_dir():
        pytest.skip("1 vector file of Token Status List is not here")
    text = (VECTORS / name).read_text()
    return json.loads(re.sub(r"\s", "", text[text.index("{") :]))


@pytest.mark.parametrize(("name", "bits"), [("status_list_encoding_json.md", 1), ("status_list_encoding2_json.md", 2)])
def test_the_short_vectors(name: str, bits: int) -> None:
    found = read_list(vector(name))
    assert (found.bits, found.size) == (bits, len(SHORT[bits]))
    assert [found.get(index) for index in range(found.size)] == SHORT[bits]
    assert found.json == {member: value for member, value in vector(name).items() if member in ("bits", "lst")}


@pytest.mark.parametrize("name", LONG)
def test_the_long_vectors(name: str) -> None:
    found, values = read_list(vector(name)), LONG[name]
    assert found.size == 2**20
    assert found == StatusList.blank(2**20, bits=found.bits).changed(values)
    assert all(found.get(index) == value for index, value in values.items())


def test_the_eight_bit_vector_has_every_value_once() -> None:
    found = read_list(vector("status_list_encoding8_json.md"))
    assert (found.bits, found.size) == (8, 2**20)
    assert (found.get(52451), found.get(576778), found.get(341110)) == (1, 2, 0x36)
    assert sorted(set(found.data)) == list(range(256))
    assert [found.data.count(value) for value in range(1, 256)] == [1] * 255


def test_the_specifications_own_bytes() -> None:
    assert StatusList(1, bytes(2)).changed(dict(enumerate(SHORT[1]))).data.hex() == "b9a3"
    assert StatusList(2, bytes(3)).changed(dict(enumerate(SHORT[2]))).data.hex() == "c944f9"


@given(st.sampled_from(ALL_BITS), st.data())
def test_what_is_set_is_got_and_nothing_else_changes(bits: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 60))
    values = data.draw(st.dictionaries(st.integers(0, size - 1), st.integers(0, 2**bits - 1)))
    start = StatusList(bits, data.draw(st.binary(min_size=60, max_size=60)))
    changed = start.changed(values)
    assert [changed.get(index) for index in range(changed.size)] == [
        values.get(index, start.get(index)) for index in range(start.size)
    ]
    assert read_list(changed.json) == changed


@pytest.mark.parametrize("bits", ALL_BITS)
def test_out_of_bounds_is_refused(bits: int) -> None:
    blank = StatusList.blank(8, bits=bits)
    assert blank.size == 8
    assert blank.get(7) == 0
    for index in (-1, 8, 2**70):
        with pytest.raises(Refused) as caught:
            blank.get(index)
        assert caught.value.code == "status.index"
        with pytest.raises(Refused):
            blank.set(index, 0)
    for value in (-1, 2**bits):
        with pytest.raises(Refused) as caught:
            blank.set(0, value)
        assert caught.value.code == "status.value"


def test_an_empty_list_has_no_statuses() -> None:
    with pytest.raises(Refused):
        StatusList(1, b"").get(0)


@pytest.mark.parametrize("bits", [0, 3, 16, -1, True, 1.0, "1", None])
def test_only_four_widths_exist(bits: object) -> None:
    with pytest.raises(Malformed):
        StatusList(bits, b"\x00")  # type: ignore[arg-type]
    with pytest.raises(Malformed):
        StatusList.blank(8, bits=bits)  # type: ignore[arg-type]
    with pytest.raises(Malformed):
        read_list({"bits": bits, "lst": b64url(zlib.compress(b"\x00"))})


def test_sizes_that_are_not_made() -> None:
    for size in (0, -1, 8 * MAX_LIST_BYTES + 1):
        with pytest.raises(Malformed):
            StatusList.blank(size)
    with pytest.raises(Malformed):
        StatusList.blank(8 * MAX_LIST_BYTES, bits=2)


def test_a_bomb_stops_at_the_bound() -> None:
    bomb = zlib.compress(bytes(64 * 1024 * 1024), 9)
    assert len(bomb) < 100_000
    with pytest.raises(Malformed) as caught:
        read_list({"bits": 1, "lst": b64url(bomb)})
    assert caught.value.code == "status.size"
    exact = zlib.compress(bytes(MAX_LIST_BYTES), 9)
    assert read_list({"bits": 1, "lst": b64url(exact)}).size == 8 * MAX_LIST_BYTES


GOOD = zlib.compress(bytes(100), 9)


@pytest.mark.parametrize(
    "members",
    [
        None,
        [],
        {},
        {"bits": 1},
        {"lst": b64url(GOOD)},
        {"bits": 1, "lst": 5},
        {"bits": 1, "lst": ""},
        {"bits": 1, "lst": "!"},
        {"bits": 1, "lst": b64url(GOOD) + "="},
        {"bits": 1, "lst": b64url(GOOD[:-1])},
        {"bits": 1, "lst": b64url(GOOD[:-1] + b"\x00")},
        {"bits": 1, "lst": b64url(GOOD + b"\x00")},
        {"bits": 1, "lst": b64url(GOOD + GOOD)},
        {"bits": 1, "lst": b64url(GOOD[2:-4])},  # bare DEFLATE
        {"bits": 1, "lst": b64url(bytes(100))},
    ],
)
def test_broken_lists_are_malformed(members: object) -> None:
    with pytest.raises(Malformed):
        read_list(members)


@given(st.sampled_from([*ALL_BITS, 0, 7, "1", None]), st.text(max_size=40) | st.binary(max_size=200).map(b64url))
def test_hostile_lists_raise_only_ssi_errors(bits: object, lst: str) -> None:
    try:
        read_list({"bits": bits, "lst": lst})
    except SsiError:
        return
