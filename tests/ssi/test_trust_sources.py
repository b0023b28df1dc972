"""Sources: asked once by however many threads, kept while good, and never more often than they may be."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta

import pytest

from ssi.errors import Refused, Unavailable
from ssi.trust.sources import Published, Source, Sources
from tests.support import NOW

HOUR = timedelta(hours=1)


def test_many_threads_ask_once() -> None:
    asked: list[datetime] = []

    def load(before: str | None, now: datetime) -> Published[str]:
        asked.append(now)
        time.sleep(0.05)
        return Published("list", now + HOUR)

    source, found = Source(load), []
    threads = [threading.Thread(target=lambda: found.append(source.current(now=NOW))) for _ in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == ["list"] * 12
    assert len(asked) == 1


def test_while_one_thread_asks_again_the_others_use_what_is_good() -> None:
    going, done = threading.Event(), threading.Event()

    def load(before: str | None, now: datetime) -> Published[str]:
        if before is None:
            return Published("old", NOW + 9 * HOUR)
        going.set()
        assert done.wait(5)
        return Published("new", NOW + 9 * HOUR)

    source = Source(load)
    assert source.current(now=NOW) == "old"
    later = NOW + 2 * HOUR
    slow = threading.Thread(target=lambda: source.current(now=later))
    slow.start()
    assert going.wait(5)
    assert source.current(now=later) == "old"
    done.set()
    slow.join()
    assert source.current(now=later) == "new"


def test_the_error_says_why_there_was_never_an_answer() -> None:
    def load(before: str | None, now: datetime) -> Published[str]:
        raise Refused("trust.list_signer", "No.")

    with pytest.raises(Unavailable) as caught:
        Source(load).current(now=NOW)
    assert caught.value.code == "trust.list_unavailable"
    assert "trust.list_signer" in caught.value.detail


def test_after_a_failure_a_success_starts_again_from_the_shortest_wait() -> None:
    answers: list[bool] = [True, False, False, True, False]
    asked: list[int] = []
    start = NOW

    def load(before: str | None, now: datetime) -> Published[str]:
        asked.append(int((now - start).total_seconds() // 60))
        if not answers[len(asked) - 1]:
            raise Unavailable("fetch.unreachable", "No.")
        return Published("list", now + timedelta(days=9))

    source = Source(load, refresh=timedelta(minutes=10), retry=timedelta(minutes=1))
    for minute in range(26):
        assert source.current(now=start + timedelta(minutes=minute)) == "list"
        if len(asked) == 5:
            break
    assert asked == [0, 10, 11, 13, 23]


def test_a_bug_is_not_an_answer_and_is_not_kept() -> None:
    def load(before: str | None, now: datetime) -> Published[str]:
        raise ZeroDivisionError

    source = Source(load)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            source.current(now=NOW)


def test_many_keys_do_not_fill_the_memory() -> None:
    sources: Sources[int, int] = Sources(lambda key, before, now: Published(key, now + HOUR), size=4)
    assert [sources.current(key, now=NOW) for key in range(100)] == list(range(100))
    assert len(sources._cache._slots) == 4
