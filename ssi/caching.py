"""What was brought from elsewhere and is kept for a while: loaded once per key, however many threads ask."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True)
class Kept(Generic[V]):
    """A value, when it was loaded, and until when nobody needs to ask again."""

    value: V
    since: datetime
    until: datetime


class _Slot(Generic[V]):
    """One key's place: the lock is held by the one thread that loads."""

    __slots__ = ("kept", "lock")

    def __init__(self) -> None:
        self.kept: Kept[V] | None = None
        self.lock = threading.Lock()


class Cache(Generic[K, V]):
    """A bounded cache of kept values; the least recently used goes first.

    `load` gets what was kept before (or None) and returns what to keep. A failure worth remembering is a value too: so
    a host that is down is asked once per retry time and not once per request.
    """

    def __init__(self, *, size: int) -> None:
        self._size = size
        self._slots: OrderedDict[K, _Slot[V]] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self,
        key: K,
        *,
        now: datetime,
        load: Callable[[Kept[V] | None], Kept[V]],
        newer_than: datetime | None = None,
        meanwhile: Callable[[Kept[V]], bool] | None = None,
    ) -> V:
        """The kept value while it is fresh, else a loaded one; `newer_than` asks again for what was loaded earlier.

        While one thread loads, the others wait for it, or take the old value where `meanwhile` says that it will do.
        What `load` raises passes through to its caller and nothing is kept.
        """
        slot = self._slot(key)
        kept = slot.kept
        if kept is not None and _fresh(kept, now, newer_than):
            return kept.value
        if not slot.lock.acquire(blocking=False):
            if kept is not None and meanwhile is not None and meanwhile(kept):
                return kept.value
            slot.lock.acquire()
        try:
            kept = slot.kept
            if kept is None or not _fresh(kept, now, newer_than):
                slot.kept = kept = load(kept)
            return kept.value
        finally:
            slot.lock.release()

    def _slot(self, key: K) -> _Slot[V]:
        with self._lock:
            slot = self._slots.get(key)
            if slot is None:
                slot = self._slots[key] = _Slot()
                if len(self._slots) > self._size:
                    self._slots.popitem(last=False)
            else:
                self._slots.move_to_end(key)
            return slot


def _fresh(kept: Kept[V], now: datetime, newer_than: datetime | None) -> bool:
    return now < kept.until and (newer_than is None or kept.since >= newer_than)
