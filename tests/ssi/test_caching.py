"""Kept values: asked for once, whoever asks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from ssi.caching import Cache, Kept
from ssi.errors import Unavailable
from tests.support import NOW

MINUTE = timedelta(minutes=1)


class Source:
    """Counts what it is asked, and holds the answer back while `gate` is closed."""

    def __init__(self) -> None:
        self.asked = 0
        self.gate = threading.Event()
        self.gate.set()
        self.busy = threading.Event()

    def load(self, _: object) -> Kept[int]:
        self.asked += 1
        self.busy.set()
        assert self.gate.wait(5)
        return Kept(self.asked, NOW, NOW + MINUTE)


def test_a_value_is_loaded_once_while_fresh_and_again_after() -> None:
    cache, source = Cache[str, int](size=4), Source()
    assert [cache.get("a", now=NOW, load=source.load) for _ in range(3)] == [1, 1, 1]
    assert cache.get("a", now=NOW + MINUTE, load=source.load) == 2


def test_newer_than_asks_again_once() -> None:
    cache, source = Cache[str, int](size=4), Source()
    cache.get("a", now=NOW, load=source.load)
    assert cache.get("a", now=NOW, load=source.load, newer_than=NOW) == 1
    assert cache.get("a", now=NOW, load=source.load, newer_than=NOW + MINUTE) == 2


def test_many_threads_cause_one_load() -> None:
    cache, source = Cache[str, int](size=4), Source()
    source.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(cache.get, "a", now=NOW, load=source.load) for _ in range(8)]
        assert source.busy.wait(5)
        source.gate.set()
        assert {answer.result(5) for answer in answers} == {1}
    assert source.asked == 1


def test_the_old_value_serves_meanwhile_where_allowed() -> None:
    cache, source = Cache[str, int](size=4), Source()
    cache.get("a", now=NOW, load=source.load)
    source.gate.clear()
    source.busy.clear()
    later = NOW + 2 * MINUTE
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(cache.get, "a", now=later, load=source.load)
        assert source.busy.wait(5)
        assert cache.get("a", now=later, load=source.load, meanwhile=lambda kept: kept.value == 1) == 1
        source.gate.set()
        assert slow.result(5) == 2


def test_different_keys_do_not_wait_for_each_other() -> None:
    cache, source = Cache[str, int](size=4), Source()
    source.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(cache.get, "a", now=NOW, load=source.load)
        assert source.busy.wait(5)
        assert cache.get("b", now=NOW, load=lambda _: Kept(7, NOW, NOW + MINUTE)) == 7
        source.gate.set()
        assert slow.result(5) == 1


def test_an_error_passes_through_and_leaves_nothing_behind() -> None:
    cache, source = Cache[str, int](size=4), Source()

    def fail(_: object) -> Kept[int]:
        raise Unavailable("x.y", "No.")

    with pytest.raises(Unavailable):
        cache.get("a", now=NOW, load=fail)
    assert cache.get("a", now=NOW, load=source.load) == 1


def test_the_least_recently_used_goes_first() -> None:
    cache, source = Cache[str, int](size=2), Source()
    for key in ("a", "b", "a", "c", "a"):
        cache.get(key, now=NOW, load=source.load)
    assert source.asked == 3
    cache.get("b", now=NOW, load=source.load)
    assert source.asked == 4
