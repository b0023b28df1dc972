"""Patience: callers that send slowly keep nobody else waiting.

The server gives each request a thread and knows no time limit for a body, so as many slow senders as there are threads
would stop a service. Here a thread that waits for a body does not count as one at work, and there are `WAITING` threads
beyond those that work. When all of them wait, no further body is waited for (503); what needs no body is still served.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final

from werkzeug.exceptions import ServiceUnavailable

WAITING: Final = 240
_RETRY_SECONDS: Final = 5


class Patient:
    """A WSGI application of which at most `working` requests are at work, and at most `waiting` wait for a body."""

    def __init__(self, application: Callable[..., Iterable[bytes]], *, working: int, waiting: int = WAITING) -> None:
        self._application = application
        self._working, self._waiting = threading.Semaphore(working), threading.Semaphore(waiting)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        environ["wsgi.input"] = _Body(environ["wsgi.input"], self._working, self._waiting)
        with self._working:
            return self._application(environ, start_response)


@dataclass(frozen=True)
class _Body:
    """A request's body; whoever reads it stands aside for the others meanwhile. Raises ServiceUnavailable."""

    stream: IO[bytes]
    working: threading.Semaphore
    waiting: threading.Semaphore

    def read(self, size: int = -1) -> bytes:
        with self._aside():
            return self.stream.read() if size < 0 else self.stream.read(size)

    def readline(self) -> bytes:
        with self._aside():
            return self.stream.readline()

    def readlines(self) -> list[bytes]:
        with self._aside():
            return self.stream.readlines()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readlines())

    @contextmanager
    def _aside(self) -> Iterator[None]:
        if not self.waiting.acquire(blocking=False):
            raise ServiceUnavailable(retry_after=_RETRY_SECONDS)
        self.working.release()
        try:
            yield
        finally:
            self.working.acquire()
            self.waiting.release()
