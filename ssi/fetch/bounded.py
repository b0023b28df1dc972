"""The real network, under limits: HTTPS, public addresses, and a bound on all that the other side decides."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpcore

from ssi.errors import Malformed, Refused, Unavailable, Unsupported
from ssi.fetch.addresses import system_addresses
from ssi.fetch.protocol import MAX_BYTES, Response
from ssi.fetch.sockets import CheckedBackend, Resolver

MAX_URL = 4096


class BoundedFetch:
    """The real network, under limits.

    HTTPS only, certificates checked against the system's authorities and `ca_file`. A host name is resolved once and
    the connection goes to an address that was checked, so that no second answer of the name server can lead it
    elsewhere. Private, link-local, shared, multicast and other special addresses are refused; loopback, and plain
    HTTP on it, are for operators who say `allow_loopback`. No cookies, no proxies, no content codings.
    `timeout` is the whole time in seconds, redirects included.
    """

    def __init__(
        self,
        *,
        allow_loopback: bool,
        ca_file: str | None,
        timeout: float = 5.0,
        max_redirects: int = 3,
        max_bytes: int = MAX_BYTES,
        resolver: Resolver | None = None,
    ) -> None:
        self._tls = ssl.create_default_context()
        if ca_file is not None:
            self._tls.load_verify_locations(ca_file)
        self._allow_loopback, self._timeout = allow_loopback, timeout
        self._max_redirects, self._max_bytes = max_redirects, max_bytes
        self._resolver = resolver or system_addresses

    def get(
        self,
        url: str,
        *,
        accept: str | None = None,
        max_bytes: int | None = None,
        headers: Mapping[str, str] | None = None,
        max_redirects: int | None = None,
    ) -> Response:
        """GET, following redirects up to the limit; `headers` are not sent on to another origin."""
        deadline, limit = time.monotonic() + self._timeout, self._limit(max_bytes)
        redirects = self._max_redirects if max_redirects is None else min(max_redirects, self._max_redirects)
        target, extra = _Target.read(url), headers or {}
        for _ in range(redirects + 1):
            response = self._exchange(target, _headers(accept, extra), body=None, limit=limit, deadline=deadline)
            location = response.headers.get("location")
            if response.status not in _REDIRECTS or not location:
                return response
            following = _Target.read(_joined(target.url, location))
            extra = extra if following.origin == target.origin else {}
            target = following
        raise Refused("fetch.redirect", "The other side redirects too often.")

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
        """POST once; a redirect is refused, because the body was meant for nobody else."""
        deadline, limit = time.monotonic() + self._timeout, self._limit(max_bytes)
        sent = _headers(accept, {**(headers or {}), "Content-Type": content_type})
        response = self._exchange(_Target.read(url), sent, body=body, limit=limit, deadline=deadline)
        if response.status in _REDIRECTS:
            raise Refused("fetch.redirect", "The other side redirects what was sent to it.")
        return response

    def allowing(self, *, max_bytes: int, timeout: float) -> BoundedFetch:
        """The same network for what is larger and slower than most, such as trusted lists."""
        found = copy(self)
        found._max_bytes, found._timeout = max_bytes, timeout
        return found

    def _limit(self, max_bytes: int | None) -> int:
        return self._max_bytes if max_bytes is None else min(max_bytes, self._max_bytes)

    def _exchange(
        self,
        target: _Target,
        headers: Mapping[str, str],
        *,
        body: bytes | None,
        limit: int,
        deadline: float,
    ) -> Response:
        """One request on one connection of its own (a shared one could carry another host's certificate check)."""
        backend = CheckedBackend(self._resolver, deadline, target.scheme, allow_loopback=self._allow_loopback)
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        method, sent = "GET" if body is None else "POST", [("Host", target.netloc), *headers.items()]
        try:
            with (
                httpcore.HTTPConnection(url.origin, ssl_context=self._tls, network_backend=backend) as connection,
                connection.stream(method, url, headers=sent, content=body) as answer,
            ):
                received = _received(answer.headers)
                return Response(answer.status, target.url, received, _body(answer.iter_stream(), received, limit))
        except httpcore.LocalProtocolError:
            raise Malformed("fetch.request", "The request cannot be written as HTTP.") from None
        except _TROUBLE as trouble:
            raise _unavailable(trouble) from None


_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TROUBLE = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError)


@dataclass(frozen=True)
class _Target:
    """A URL taken apart once; nothing else reads it again."""

    url: str
    scheme: str
    host: str
    netloc: str
    port: int
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @staticmethod
    def read(url: str) -> _Target:
        if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or any(c in url for c in ' \\"<>^`{|}'):
            raise Malformed("fetch.url", "The address holds characters that no URL can hold, or is too long.")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise Malformed("fetch.url", "The address is not a URL.") from None
        if parts.scheme not in ("https", "http"):
            raise Refused("fetch.scheme", "Only https addresses are fetched.")
        if not host or "%" in host or port == 0:
            raise Malformed("fetch.url", "The address names no host that can be asked.")
        if "@" in parts.netloc:
            raise Refused("fetch.userinfo", "Addresses with a user name in them are not fetched.")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        default = 443 if parts.scheme == "https" else 80
        return _Target(url, parts.scheme, host, parts.netloc, port or default, path)


def _joined(base: str, location: str) -> str:
    try:
        return urljoin(base, location)
    except ValueError:
        raise Malformed("fetch.url", "The other side redirects to something that is not a URL.") from None


def _headers(accept: str | None, extra: Mapping[str, str]) -> dict[str, str]:
    """No User-Agent: a wallet shall not be told apart by its software (OpenID4VP 1.0 §15.8)."""
    head = {"Accept-Encoding": "identity", "Connection": "close"}
    return {**head, **({"Accept": accept} if accept else {}), **extra}


def _received(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header names in lower case; a repeated header's values joined by commas (RFC 9110 §5.3)."""
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _body(chunks: Iterable[bytes], headers: Mapping[str, str], limit: int) -> bytes:
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Unsupported("fetch.encoding", "The answer came compressed although that was not asked for.")
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise Refused("fetch.too_large", f"The answer is larger than {limit} bytes.")
    return bytes(body)


def _unavailable(trouble: Exception) -> Unavailable:
    if isinstance(trouble, httpcore.TimeoutException):
        return Unavailable("fetch.timeout", "The other side did not answer in time.")
    if isinstance(trouble, ssl.SSLError) or isinstance(trouble.__context__, ssl.SSLError):
        return Unavailable("fetch.tls", "The other side could not prove by its certificate who it is.")
    if isinstance(trouble, httpcore.ProtocolError):
        return Unavailable("fetch.protocol", "The other side does not answer in HTTP.")
    return Unavailable("fetch.unreachable", "The other side could not be reached.")
