"""Later: what is done when the person has been answered already? Telling issuers, and getting more copies.

A few threads at most; when all are busy a task is left out, for each of them is only done as well as can be, and is
found again by whoever looks next.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from ssi.errors import SsiError

AT_MOST: Final = 4
_log = logging.getLogger("facet.wallet")


@dataclass(frozen=True)
class Threads:
    """Runs tasks beside the requests. None of them keeps the service from ending."""

    free: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(AT_MOST))

    def __call__(self, task: Callable[[], object]) -> None:
        """Run a task as soon as possible, or not at all."""
        if not self.free.acquire(blocking=False):
            return
        threading.Thread(target=self._run, args=(task,), daemon=True, name="later").start()

    def _run(self, task: Callable[[], object]) -> None:
        try:
            task()
        except SsiError as error:
            _log.info("left undone", extra={"code": error.code})
        except SQLAlchemyError as error:
            _log.warning("left undone", extra={"kind": type(error).__name__})
        finally:
            self.free.release()
