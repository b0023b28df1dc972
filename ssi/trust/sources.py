"""Sources: what did somebody last publish, and is it still good?

A source is asked when somebody needs it, and not again before its refresh time; while asking fails, the last good
answer is used until it says itself that it is over. After that nobody knows: not a yes, and not a no.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from ssi.caching import Cache, Kept
from ssi.errors import SsiError, Unavailable

REFRESH: Final = timedelta(hours=1)
"""How long an answer is used before it is asked for again."""
RETRY: Final = timedelta(minutes=1)
"""How long nobody asks after a first failure; each further one doubles it, up to the refresh time."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True)
class Published(Generic[V]):
    """What was read, and until when it may be relied upon (exclusive)."""

    value: V
    until: datetime


@dataclass(frozen=True)
class _State(Generic[V]):
    """The last good answer, if any, and how often asking has failed since."""

    good: Published[V] | None
    failures: int
    error: SsiError | None


class Sources(Generic[K, V]):
    """Answers by key, loaded on demand and kept; safe to share between threads.

    `load` gets the key, the last good value (or None) and the time. When it raises, the last good value stays in use
    while it is good.
    """

    def __init__(
        self,
        load: Callable[[K, V | None, datetime], Published[V]],
        *,
        size: int,
        refresh: timedelta = REFRESH,
        retry: timedelta = RETRY,
    ) -> None:
        self._load = load
        self._refresh, self._retry = refresh, min(retry, refresh)
        self._cache: Cache[K, _State[V]] = Cache(size=size)

    def current(self, key: K, *, now: datetime) -> V:
        """The value that is good now. Raises Unavailable (`trust.list_unavailable`, `trust.list_stale`)."""
        state = self._cache.get(
            key,
            now=now,
            load=lambda before: self._next(key, before, now),
            meanwhile=lambda kept: _good(kept.value, now),
        )
        good = state.good
        if good is not None and now < good.until:
            return good.value
        if good is not None:
            raise Unavailable(
                "trust.list_stale", "The trust list that is known here has expired, and no newer is there."
            )
        reason = "" if state.error is None else f" ({state.error.code})"
        raise Unavailable("trust.list_unavailable", f"The trust list could not be had or not be believed{reason}.")

    def _next(self, key: K, before: Kept[_State[V]] | None, now: datetime) -> Kept[_State[V]]:
        old = None if before is None else before.value
        good = None if old is None else old.good
        try:
            published = self._load(key, None if good is None else good.value, now)
        except SsiError as error:
            failures = 1 if old is None else old.failures + 1
            wait = min(self._retry * 2 ** min(failures - 1, 16), self._refresh)
            until = now + wait if good is None or good.until <= now else min(now + wait, good.until)
            return Kept(_State(good, failures, error.__class__(error.code, error.detail)), now, until)
        if published.until <= now:
            return Kept(_State(published, 1, None), now, now + self._retry)
        return Kept(_State(published, 0, None), now, min(now + self._refresh, published.until))


class Source(Generic[V]):
    """One answer: `Sources` with a single key."""

    def __init__(
        self,
        load: Callable[[V | None, datetime], Published[V]],
        *,
        refresh: timedelta = REFRESH,
        retry: timedelta = RETRY,
    ) -> None:
        self._all: Sources[None, V] = Sources(
            lambda _key, before, now: load(before, now), size=1, refresh=refresh, retry=retry
        )

    def current(self, *, now: datetime) -> V:
        """The value that is good now. Raises Unavailable (`trust.list_unavailable`, `trust.list_stale`)."""
        return self._all.current(None, now=now)


def _good(state: _State[V], now: datetime) -> bool:
    return state.good is not None and now < state.good.until
