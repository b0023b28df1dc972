"""Connections that go only to a checked address and end at a deadline."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence

import httpcore

from ssi.errors import Refused, Unavailable
from ssi.fetch.addresses import is_loopback, is_public

Resolver = Callable[[str, int], Sequence[str]]
"""The IP addresses of a host name, as text. Raises OSError."""


class CheckedBackend(httpcore.NetworkBackend):
    """Resolves a name, checks every address it has, and connects to one of those."""

    def __init__(self, resolver: Resolver, deadline: float, scheme: str, *, allow_loopback: bool) -> None:
        self._resolver, self._deadline, self._scheme = resolver, deadline, scheme
        self._allow_loopback = allow_loopback
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # the deadline rules
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the host's addresses that takes the connection; each gets its share of the time."""
        addresses = _resolve(self._resolver, host, port, self._deadline)
        self._check(addresses)
        trouble: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for tried, address in enumerate(addresses):
            share = _left(self._deadline) / (len(addresses) - tried)
            try:
                stream = self._sockets.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error  # another address may listen: "localhost" is ::1 and 127.0.0.1
            else:
                return _TimedStream(stream, self._deadline)
        raise trouble or httpcore.ConnectError("no address")

    def _check(self, addresses: Sequence[str]) -> None:
        loopback = self._allow_loopback and all(is_loopback(address) for address in addresses)
        if not loopback and not all(is_public(address) for address in addresses):
            if all(is_loopback(address) for address in addresses):
                raise Refused(
                    "fetch.address", "The host's address is this machine's own: --allow-loopback allows that."
                )
            raise Refused("fetch.address", "The host's address is not one on the public internet.")
        if self._scheme == "http" and not loopback:
            raise Refused("fetch.scheme", "Only https addresses are fetched.")


class _TimedStream(httpcore.NetworkStream):
    """A connection on which no step can outlast the whole request's deadline, however slowly the bytes drip."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # the deadline rules
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left


def _resolve(resolver: Resolver, host: str, port: int, deadline: float) -> Sequence[str]:
    """The resolver's answer before the deadline; the system's resolver knows no time limit, hence the thread."""
    answer: list[Sequence[str]] = []

    def ask() -> None:
        with contextlib.suppress(OSError):
            answer.append(resolver(host, port))

    thread = threading.Thread(target=ask, daemon=True, name="fetch-resolver")
    thread.start()
    thread.join(_left(deadline))
    if thread.is_alive():
        raise httpcore.ConnectTimeout
    if not answer or not answer[0]:
        raise Unavailable("fetch.unknown_host", "The host's name is not known to the name service.")
    return answer[0]
