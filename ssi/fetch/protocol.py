"""The network as an argument: what is asked of it, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

MAX_BYTES = 1_048_576


@dataclass(frozen=True)
class Response:
    """What came back: any status; `url` after redirects; header names in lower case."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The Content-Type without parameters, in lower case; "" when absent.

        >>> Response(200, "https://a.test", {"content-type": "Application/JSON; charset=utf-8"}, b"").media_type
        'application/json'
        """
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Fetch(Protocol):
    """The network as an argument. A status of 400 or more is returned, not raised.

    Both raise Malformed (`fetch.url`), Unavailable (`fetch.*`) for network trouble and Refused (`fetch.*`) where
    policy forbids; `max_bytes` and `max_redirects` can only lower the limits that the implementation has.
    """

    def get(
        self,
        url: str,
        *,
        accept: str | None = None,
        max_bytes: int | None = None,
        headers: Mapping[str, str] | None = None,
        max_redirects: int | None = None,
    ) -> Response:
        """GET, following a few redirects; with `max_redirects=0` a redirect is refused (`fetch.redirect`)."""

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
        """POST; a redirect is refused (`fetch.redirect`)."""
