"""Lean entries: how does the one address that all the work comes to get by without the framework's share of it?

A request that is just what the address expects (its method, path, media type, a body of declared and allowed length) is
handed to the role as bytes, and what the role says goes out under the very headers that the framework would have set.
Whatever is unusual, and every error, is the framework's: it refuses, logs and words it as it does everywhere.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response
from werkzeug.http import HTTP_STATUS_CODES

from service.app import BODY_LIMIT, json_answer
from ssi.encoding import Json, write_json

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

Take = Callable[[str, bytes], tuple[int, Json]]
"""What a role does with a request: the path's variable part and the body make a status and a JSON document.

Raises what a view of the framework may raise.
"""

_ID: Final = "[A-Za-z0-9_-]{1,64}"
_TURN_SECONDS: Final = 0.02


class Lean:
    """A WSGI application in front of a Flask one, for `POST <before><id><after>` of one media type (PEP 3333).

    The view at that address must do the same as `take`, and mark no limits or headers of its own.
    """

    def __init__(self, app: Flask, *, before: str, after: str, media_type: str, take: Take) -> None:
        self._app, self._take = app, take
        self._whole: Callable[..., Iterable[bytes]] = app.wsgi_app
        self._path = re.compile(f"{re.escape(before)}({_ID}){re.escape(after)}")
        self._media_type = media_type
        self._turn = threading.Lock()
        with app.test_request_context(f"{before}x{after}", method="POST") as context:
            sample: Response = app.process_response(json_answer({}))
            headers = sample.get_wsgi_headers(context.request.environ)
        self._headers = [(name, value) for name, value in headers if name.lower() != "content-length"]

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        found = self._path.fullmatch(environ["PATH_INFO"])
        if found is None or not self._is_plain(environ):
            return self._whole(environ, start_response)
        length, body, line, document = int(environ["CONTENT_LENGTH"]), b"", "", b""
        with _Trouble() as trouble:
            body = _read(environ["wsgi.input"], length)
            if len(body) == length:
                status, told = self._in_turn(found[1], body)
                line, document = _line(status), write_json(told)
        if trouble.found is not None:
            return self._refused(trouble.found, {**environ, "wsgi.input": io.BytesIO(body)}, start_response)
        if len(body) < length:  # the caller went away
            return self._whole({**environ, "wsgi.input": io.BytesIO(body)}, start_response)
        start_response(line, [*self._headers, ("Content-Length", str(len(document)))])
        return [document]

    def _in_turn(self, public_id: str, body: bytes) -> tuple[int, Json]:
        """One after the other, while that goes fast: threads that take the interpreter from each other gain nothing.

        Who has waited for `_TURN_SECONDS`, because the one before waits for the network, goes ahead without its turn.
        """
        mine = self._turn.acquire(timeout=_TURN_SECONDS)
        try:
            return self._take(public_id, body)
        finally:
            if mine:
                self._turn.release()

    def _is_plain(self, environ: dict[str, Any]) -> bool:
        """Is it a request such as every ordinary client sends?"""
        length = environ.get("CONTENT_LENGTH", "")
        return (
            environ["REQUEST_METHOD"] == "POST"
            and environ.get("CONTENT_TYPE") == self._media_type
            and "HTTP_TRANSFER_ENCODING" not in environ
            and 0 < len(length) < 8
            and length.isascii()
            and length.isdigit()
            and int(length) <= BODY_LIMIT
        )

    def _refused(self, error: Exception, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """What the framework makes of an error that a view raised: each kind has its handler there."""
        app = self._app
        with app.request_context(environ):
            response = app.finalize_request(app.handle_user_exception(error))
            return response(environ, start_response)


class _Trouble:
    """Holds the error that ended its block, for the framework to answer; what is to end the process passes."""

    found: Exception | None = None

    def __enter__(self) -> _Trouble:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> bool:
        if isinstance(error, Exception):
            self.found = error
            return True
        return False


def _read(stream: Any, length: int) -> bytes:
    """`length` bytes, or fewer when the stream ends before."""
    body: bytes = stream.read(length)
    while len(body) < length and (more := stream.read(length - len(body))):
        body += more
    return body


@lru_cache(maxsize=64)
def _line(status: int) -> str:
    """The status line as the framework writes it."""
    return f"{status} {HTTP_STATUS_CODES[status].upper()}"
