"""Following: the desk in each process goes over to new keys as soon as they are in place.

Whatever was read from the files of the desk's identity (what it signs with, publishes, and states on the ledger)
belongs together: so the whole application is put together anew, and a request is answered by one of them from start to
end.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flask import Flask

from ssi.encoding import write_json
from ssi.errors import SsiError
from wallet.issuer.identity import stamp

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_LOG: Final = logging.getLogger("facet.issuer")
_SENTENCE: Final = "The keys of this desk are being changed. Try again in a moment."


class Following:
    """A WSGI application, made anew when one of `files` has changed; `over` ends what the one before goes on with.

    Looking costs one `stat` for each file and request. While the files do not fit together the answer is 503.
    """

    def __init__(self, make: Callable[[], Flask], files: Sequence[Path], *, over: Callable[[Flask], None]) -> None:
        self._make = make
        self._files = tuple(files)
        self._over = over
        self._lock = threading.Lock()
        self._stamp = stamp(self._files)  # before they are read: a change in between is seen with the first request
        self._app = make()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the desk that it is now."""
        app = self._current()
        if app is None:
            return _later(start_response)
        return app(environ, start_response)

    def _current(self) -> Flask | None:
        """The application for the files as they are; None while none can be made of them."""
        if stamp(self._files) == self._stamp:
            return self._app
        with self._lock:
            now = stamp(self._files)
            if now != self._stamp:
                try:
                    made = self._make()
                except SsiError as problem:
                    _LOG.warning("keys cannot be used yet", extra={"code": problem.code})
                    return None
                before, self._app, self._stamp = self._app, made, now
                self._over(before)
                _LOG.info("the desk goes on with other keys")
            return self._app


def _later(start_response: StartResponse) -> list[bytes]:
    body = write_json({"error": "desk.keys", "error_description": _SENTENCE})
    headers: list[tuple[str, Any]] = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("Retry-After", "1"),
    ]
    start_response("503 Service Unavailable", headers)
    return [body]
