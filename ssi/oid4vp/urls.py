"""Addresses in messages: could this one be asked or answered at all? Whether to is the fetcher's policy."""

from __future__ import annotations

from urllib.parse import urlsplit

from ssi.encoding import Json
from ssi.errors import Malformed

MAX_URL = 4096
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def endpoint(value: Json, *, what: str) -> str:
    """An absolute https URL without fragment or user name, exactly as it came (plain http on loopback only).

    Raises Malformed (`oid4vp.url`).
    """
    url = page(value, what=what)
    if "#" in url:
        raise Malformed("oid4vp.url", f"The {what} has a fragment, which no server would see.")
    return url


def page(value: Json, *, what: str) -> str:
    """Like `endpoint`, for a person's browser: a fragment is allowed. Raises Malformed (`oid4vp.url`)."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_URL or not value.isascii() or not value.isprintable():
        raise Malformed("oid4vp.url", f"The {what} is not a URL.")
    try:
        parts = urlsplit(value)
        hostname, _ = parts.hostname, parts.port
    except ValueError:
        raise Malformed("oid4vp.url", f"The {what} is not a URL.") from None
    secure = parts.scheme == "https" or (parts.scheme == "http" and hostname in _LOOPBACK)
    if not secure or not hostname or "@" in parts.netloc or " " in value or "\\" in value:
        raise Malformed("oid4vp.url", f"The {what} is not an https address.")
    return value


def host(url: str) -> str:
    """The host of a URL that `endpoint` has read, in lower case, without its port.

    >>> host("https://Shop.example:8443/post?session=1")
    'shop.example'
    """
    return urlsplit(url).hostname or ""
