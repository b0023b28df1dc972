"""Housekeeping: personal data past its time is erased while the desk is in use, at most once a minute.

Every request drives it, the health check too, so a desk that is watched needs no other timer.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from ssi.errors import Unavailable
from wallet.issuer.office import Office
from wallet.issuer.store import scrub

EVERY: Final = timedelta(minutes=1)
_log = logging.getLogger("facet.issuer")


class Housekeeping:
    """Called before each request; sweeps when the last time is long enough ago."""

    def __init__(self, office: Office, now: Callable[[], datetime]) -> None:
        self._office = office
        self._now = now
        self._lock = threading.Lock()
        self._next: datetime | None = None
        self._lingering = False

    def __call__(self) -> None:
        """Sweep if it is time. A database that is away is left to the request itself."""
        now = self._now()
        with self._lock:
            if self._next is not None and now < self._next:
                return
            self._next = now + EVERY
        try:
            erased = self._office.desk.sweep(now=now)
            self._lingering = bool(erased or self._lingering) and not scrub(self._office.store)
        except Unavailable as error:
            _log.warning("housekeeping postponed", extra={"code": error.code})
            return
        if erased:
            _log.info("personal data erased", extra={"applications": erased})
