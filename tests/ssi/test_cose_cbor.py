"""CBOR at the border: one item, within bounds, read as it was written; hostile ones are refused and cost little."""

from __future__ import annotations

import contextlib
import resource
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.cose import cbor
from ssi.errors import Malformed, SsiError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.integers(0, 99), inner),
    max_leaves=12,
)


@given(value=VALUES)
def test_what_is_written_is_read(value: Any) -> None:
    assert cbor.decode(cbor.encode(value)) == value
    assert cbor.decode(cbor.encode_in_order(value)) == value


def test_writing_is_deterministic_and_in_order_where_order_is_meant() -> None:
    assert cbor.encode({"b": 1, "a": 2}) == cbor.encode({"a": 2, "b": 1}) == bytes.fromhex("a2616102616201")
    assert cbor.encode_in_order({"b": 1, "a": 2}) == bytes.fromhex("a2616201616102")
    assert cbor.encode({-1: 0, 1: 0}) == bytes.fromhex("a201002000")
    for write in (cbor.encode, cbor.encode_in_order):
        with pytest.raises(Malformed) as refusal:
            write(object())
        assert refusal.value.code == "cbor.value"


@pytest.mark.parametrize(
    ("hexed", "code"),
    [
        ("", "cbor.form"),
        ("0000", "cbor.form"),
        ("f6ff", "cbor.form"),
        ("9fff", "cbor.form"),
        ("7f6161ff", "cbor.form"),
        ("bf616100ff", "cbor.form"),
        ("a2616100616101", "cbor.form"),
        ("a201000101", "cbor.form"),
        ("a20100f500", "cbor.form"),  # 1 and true are one key to whoever looks it up
        ("61ff", "cbor.form"),
        ("1c", "cbor.form"),
        ("ff", "cbor.form"),
        ("f810", "cbor.form"),
        ("d818", "cbor.form"),
        ("81" * 33 + "00", "cbor.form"),
        ("c1" * 33 + "00", "cbor.form"),
        ("9b7fffffffffffffff", "cbor.form"),
        ("5b7fffffffffffffff", "cbor.form"),
        ("bb7fffffffffffffff", "cbor.form"),
    ],
)
def test_what_is_not_one_acceptable_item_is_refused(hexed: str, code: str) -> None:
    with pytest.raises(Malformed) as refusal:
        cbor.decode(bytes.fromhex(hexed))
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "hexed",
    [
        "c06a323032362d30312d3031",  # a date that is none: whoever wants one reads it
        "c24101",
        "c48221196ab3",
        "c5821b7fffffffffffffff01",  # 2 to the power of 2^63: no memory holds it
        "d8236128",  # a regular expression
        "d81c81d81d00",  # an array that holds itself
        "d9010082626161d81900",
        "d903ec6a323032362d30312d3031",
        "d9d9f700",
        "d28440a04040",
    ],
)
def test_tags_are_kept_as_tags(hexed: str) -> None:
    value = cbor.decode(bytes.fromhex(hexed))
    assert isinstance(value, cbor.Tag)
    assert cbor.encode_in_order(value).hex() == hexed


def test_size_and_number_of_parts_have_bounds() -> None:
    with pytest.raises(Malformed) as refusal:
        cbor.decode(b"\x59\xff\xff" + bytes(65535), max_bytes=65535)
    assert refusal.value.code == "cbor.size"
    many = 40_000
    with pytest.raises(Malformed) as refusal:
        cbor.decode(b"\x9a" + many.to_bytes(4, "big") + b"\x80" * many)
    assert refusal.value.code == "cbor.items"
    assert cbor.decode(b"\x5a\x00\x01\x00\x00" + bytes(65536)) == bytes(65536)
    with pytest.raises(Malformed) as refusal:
        cbor.decode(b"\x9a" + many.to_bytes(4, "big") + b"\x1c" * many)
    assert refusal.value.code == "cbor.form"


LONG = bytes(40_000)
"""So long that a document that holds it is surveyed before it is decoded."""


@pytest.mark.parametrize("value", [{1: 2, "a": [{}], b"b": cbor.Tag(1, 2)}, [{}, {1: {2: cbor.Tag(24, b"")}}], 1, b""])
def test_a_survey_lets_everything_through_that_has_plain_keys(value: Any) -> None:
    assert cbor.decode(cbor.encode([LONG, value])) == [LONG, value]


@pytest.mark.parametrize("hexed", ["a18000", "a1f500", "a1f93c0000", "a1c10000", "81a20000a000", "a100a1f600"])
def test_a_survey_refuses_other_keys(hexed: str) -> None:
    with pytest.raises(Malformed) as refusal:
        cbor.decode(b"\x82" + cbor.encode(LONG) + bytes.fromhex(hexed))
    assert refusal.value.code == "cbor.key"


@given(data=st.binary(max_size=100))
def test_a_survey_changes_nothing_else(data: bytes) -> None:
    outcomes = []
    for first in (b"\xf6", cbor.encode(LONG)):
        try:
            outcomes.append(repr(cbor.decode(b"\x82" + first + data)[1]))
        except SsiError as error:
            outcomes.append("refused" if error.code != "cbor.key" else "")
    assert outcomes[1] in ("", outcomes[0])


@given(values=st.lists(VALUES, max_size=4))
def test_many_are_read_as_each_would_be(values: list[Any]) -> None:
    assert cbor.decode_each([cbor.encode(value) for value in values]) == values


@pytest.mark.parametrize("broken", ["", "0000", "82", "4100ff", "5820", "590044", "9f", "ff", "f6f6", "d818"])
def test_one_broken_document_is_not_mended_by_its_neighbours(broken: str) -> None:
    for documents in ([broken, "00"], ["00", broken], ["8200", broken, "00"], [broken, broken], [broken, "5820"]):
        with pytest.raises(Malformed) as refusal:
            cbor.decode_each([bytes.fromhex(each) for each in documents])
        assert refusal.value.code == "cbor.form"


def colliding_keys() -> bytes:
    """A map whose keys are arrays that all have one hash: each of their numbers is 0 or 2^61 - 1, which hash alike."""
    zero, same = b"\x00", cbor2.dumps(2**61 - 1)
    keys = [b"\x8c" + b"".join(same if number >> bit & 1 else zero for bit in range(12)) for number in range(700)]
    return b"\xb9" + len(keys).to_bytes(2, "big") + b"".join(key + b"\x00" for key in keys)


@pytest.mark.parametrize(
    "data",
    [
        b"\x9a\x00\x0f\xff\xf0" + b"\x80" * 0xFFFF0,
        b"\x9a\x00\x0f\xff\xf0" + b"\xa0" * 0xFFFF0,
        b"\x81" * 1_000_000,
        b"\xd8\x18" * 500_000,
        b"\x9b" + b"\xff" * 8 + b"\x00" * 1_000_000,
        b"\x99\x7f\xf0" + b"\x80" * 0x7FF0,
        b"\xba\x00\x07\x00\x00" + b"".join(b"\x1b" + bytes(6) + number.to_bytes(2, "big") for number in range(50_000)),
        colliding_keys(),
    ],
    ids=["arrays", "maps", "nest", "tags", "endless", "short", "map", "collisions"],
)
def test_hostile_input_takes_little_memory(data: bytes) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with contextlib.suppress(SsiError):
        cbor.decode(data)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 65_536  # KiB


@given(data=st.binary(max_size=200))
def test_the_reader_raises_only_ssi_error(data: bytes) -> None:
    for read in (cbor.decode, cbor.decode_map):
        try:
            read(data)
        except SsiError:
            continue


def test_a_map_is_asked_for_where_one_belongs() -> None:
    assert cbor.decode_map(b"\xa0") == {}
    with pytest.raises(Malformed) as refusal:
        cbor.decode_map(b"\x80")
    assert refusal.value.code == "cbor.map"
    with pytest.raises(Malformed) as refusal:
        cbor.labelled({1.0: 0}, what="key")
    assert refusal.value.code == "cbor.label"


@pytest.mark.parametrize("length", [0, 23, 24, 255, 256, 65535, 65536])
def test_embedding_is_what_any_encoder_does(length: int) -> None:
    content = bytes(length)
    assert cbor.embed(content) == cbor2.dumps(cbor.Tag(24, content))
    assert cbor.embedded(cbor.decode(cbor.embed(content))) == content


@pytest.mark.parametrize(
    "hexed", ["", "d8", "d818", "d81841", "d81841a0a0", "d81842a0", "d81861a0", "d81941a0", "41a0", "dc18", "d8185c"]
)
def test_what_is_not_one_embedded_item_has_no_content(hexed: str) -> None:
    with pytest.raises(Malformed):
        cbor.unembed(bytes.fromhex(hexed))


@given(content=st.binary(max_size=300))
def test_embedding_can_be_undone(content: bytes) -> None:
    assert (
        cbor.unembed(cbor.embed(content))
        == cbor.unembed(b"\xd9\x00\x18\x59" + len(content).to_bytes(2) + content)
        == content
    )


def test_only_embedded_cbor_has_a_content() -> None:
    for value in (b"", cbor.Tag(24, "text"), cbor.Tag(25, b"")):
        with pytest.raises(Malformed) as refusal:
            cbor.embedded(value)
        assert refusal.value.code == "cbor.embedded"


def test_received_bytes_are_those_that_came_in_whatever_form() -> None:
    first, second = b"\xa1\x61a\x01", b"\xa1\x61a\x02"
    short = [cbor.embed(first), cbor.embed(second)]
    assert cbor.received(b"\x82" + b"".join(short), [first, second]) == short
    long = [b"\xd9\x00\x18\x59\x00\x04" + first, b"\xd8\x18\x5b" + bytes(7) + b"\x04" + second]
    assert cbor.received(b"\x82" + b"".join(long), [first, second]) == long
    mixed = [short[0], long[1]]
    assert cbor.received(b"\x82" + b"".join(mixed), [first, second]) == mixed
    with pytest.raises(Malformed) as refusal:
        cbor.received(b"\x82" + b"".join(long), [b"\xa0"])
    assert refusal.value.code == "cbor.embedded"
