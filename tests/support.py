"""An in-memory world for tests: a fixed clock and a network that is a table."""

from __future__ import annotations

import selectors
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

from ssi.errors import Refused, Unavailable
from ssi.fetch import Response

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""The instant at which tests happen, unless they say otherwise."""

Answer = Callable[[str, str, Mapping[str, str], bytes], Response]
"""An endpoint as a function of (method, url, headers, body)."""


@dataclass
class InMemoryFetch:
    """A network in a dictionary, for `ssi.fetch.Fetch`.

    A key is an exact URL with a Response, bytes (status 200), or an `Answer`; or a base URL ("https://issuer.test")
    with a Flask application, which then answers everything under it. Longest key wins; what no key matches is
    unreachable. `calls` records (method, url) of every request.
    """

    world: Mapping[str, Any]
    calls: list[tuple[str, str]] = field(default_factory=list)

    def get(
        self,
        url: str,
        *,
        accept: str | None = None,
        max_bytes: int | None = None,
        headers: Mapping[str, str] | None = None,
        max_redirects: int | None = None,
    ) -> Response:
        sent = {**({"Accept": accept} if accept else {}), **(headers or {})}
        for _ in range(4 if max_redirects is None else max_redirects + 1):
            response = self._ask("GET", url, sent, b"", max_bytes)
            if response.status not in (301, 302, 303, 307, 308) or "location" not in response.headers:
                return response
            url = urljoin(url, response.headers["location"])
        raise Refused("fetch.redirect", "Too many redirects.")

    def post(
        self,
        url: str,
        *,
        body: bytes,
        content_type: str,
        accept: str | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Response:
        sent = {"Content-Type": content_type, **({"Accept": accept} if accept else {}), **(headers or {})}
        response = self._ask("POST", url, sent, body, max_bytes)
        if 300 <= response.status < 400:
            raise Refused("fetch.redirect", "The other side redirects a POST.")
        return response

    def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes, max_bytes: int | None) -> Response:
        self.calls.append((method, url))
        response = self._answer(method, url, headers, body)
        if max_bytes is not None and len(response.body) > max_bytes:
            raise Refused("fetch.too_large", "The answer is too large.")
        return response

    def _answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        found = self.world.get(url)
        if isinstance(found, Response):
            return found
        if isinstance(found, bytes):
            return Response(200, url, {}, found)
        bases = sorted((key for key, value in self.world.items() if _under(url, key) and callable(value)), key=len)
        if not bases:
            raise Unavailable("fetch.unreachable", "There is nothing at this address.")
        target = self.world[bases[-1]]
        if hasattr(target, "test_client"):
            return _through_flask(target, method, url, headers, body)
        result: Response = target(method, url, headers, body)
        return result


def _under(url: str, base: str) -> bool:
    return url == base or url.startswith((base.rstrip("/") + "/", base + "?"))


def _through_flask(app: Any, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Response:
    """One request to a Flask application as if it stood at the URL's own host, without cookies."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    client = app.test_client(use_cookies=False)
    answer = client.open(
        path, method=method, headers=dict(headers), data=body or None, base_url=f"{parts.scheme}://{parts.netloc}"
    )
    return Response(answer.status_code, url, {k.lower(): v for k, v in answer.headers.items()}, answer.get_data())


def readable(stream: IO[Any], seconds: float) -> bool:
    """Does something come within so many seconds? (`select.select` knows no descriptor above 1023.)"""
    with selectors.DefaultSelector() as waiting:
        waiting.register(stream, selectors.EVENT_READ)
        return bool(waiting.select(seconds))


def calls(work: Callable[[], Any]) -> int:
    """How many functions `work` calls, of Python and of C: work as a number, alike on fast machines and busy ones."""
    count = 0

    def called(_frame: Any, event: str, _what: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
