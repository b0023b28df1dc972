"""Offline: a network on which nothing can be reached, for whoever wants to know what can be checked without one."""

from __future__ import annotations

from typing import Any

from ssi.errors import SsiError, Unavailable


class Offline:
    """Asks nobody."""

    def get(self, url: str, **_options: Any) -> Any:
        """Always Unavailable (`fetch.offline`)."""
        raise _offline(url)

    def post(self, url: str, **_options: Any) -> Any:
        """Always Unavailable (`fetch.offline`)."""
        raise _offline(url)


def _offline(_url: str) -> SsiError:
    return Unavailable("fetch.offline", "Nobody was asked, because of --offline.")
