"""Changed inputs: honest ones cut, flipped, doubled and spliced, and those that once broke something."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, Target

every_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
MEMORY = 64 * 1024 * 1024


@st.composite
def changes(draw: st.DrawFn) -> list[tuple[str, int, int, bytes]]:
    """A few changes, each by place and size as shares of the input's length."""
    one = st.tuples(
        st.sampled_from(["flip", "cut", "double", "insert", "replace", "truncate"]),
        st.integers(0, 10_000),
        st.integers(1, 64),
        st.binary(max_size=8)
        | st.sampled_from([b"{", b"[" * 40, b'"', b"~", b".", b"\x00", b"null", b"\xff", b"1e999"]),
    )
    return draw(st.lists(one, min_size=1, max_size=4))


def changed(data: bytes, steps: list[tuple[str, int, int, bytes]]) -> bytes:
    """The input with the changes made."""
    for how, share, size, more in steps:
        at = share * len(data) // 10_000
        if how == "flip" and data:
            at = min(at, len(data) - 1)
            data = data[:at] + bytes([data[at] ^ (1 << size % 8)]) + data[at + 1 :]
        elif how == "cut":
            data = data[:at] + data[at + size :]
        elif how == "double":
            data = data[:at] + data[at : at + size] * 2 + data[at + size :]
        elif how == "insert":
            data = data[:at] + more + data[at:]
        elif how == "replace":
            data = data[:at] + more + data[at + len(more) :]
        else:
            data = data[:at]
    return data


@every_target
def test_honest_inputs_are_read(target: Target) -> None:
    for seed in target.seeds():
        target.attempt(seed)


@every_target
@settings(max_examples=60)
@given(steps=changes())
def test_changed_inputs_end_in_an_answer(target: Target, steps: list[tuple[str, int, int, bytes]]) -> None:
    for seed in target.seeds():
        target.attempt(changed(seed, steps))


@every_target
@settings(max_examples=40)
@given(data=st.binary(max_size=200))
def test_noise_ends_in_an_answer(target: Target, data: bytes) -> None:
    target.attempt(data)


@every_target
def test_what_once_broke_something_does_not_any_more(target: Target) -> None:
    for path in target.found:
        target.attempt(path.read_bytes())


@every_target
def test_hostile_shapes_take_little_memory(target: Target) -> None:
    hostile = (
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x81" * 100_000,
        b"~" * 500_000,
        b"." * 500_000,
        b'{"@context":' * 1000 + b"1" + b"}" * 1000,
        b"A" * 2_000_000,
        b"\x00" * 2_000_000,
        b"z" + b"1" * 1_000_000,
        b"9" * 200_000,
    )
    target.seeds()
    tracemalloc.start()
    try:
        for data in hostile:
            tracemalloc.reset_peak()
            target.attempt(data)
            assert tracemalloc.get_traced_memory()[1] < MEMORY, data[:20]
    finally:
        tracemalloc.stop()
