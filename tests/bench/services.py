"""Services under measurement: real processes, asked over a connection that stays open, their CPU read from /proc."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
_PAUSE_SECONDS = 3.0


@dataclass(frozen=True)
class Service:
    """A running service: its process, where it answers, and how its certificate is checked."""

    pid: int
    base: str
    tls: ssl.SSLContext | None

    def connect(self) -> http.client.HTTPConnection:
        """A connection that stays open."""
        parts = urlsplit(self.base)
        host = parts.hostname or ""
        connection = (
            http.client.HTTPConnection(host, parts.port, timeout=30)
            if self.tls is None
            else http.client.HTTPSConnection(host, parts.port, timeout=30, context=self.tls)
        )
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    @property
    def cpu(self) -> float:
        """Seconds on a processor until now."""
        return cpu_seconds(self.pid)

    def settle(self, seconds: float) -> None:
        """Return when the process has had next to nothing to do for that long."""
        before = self.cpu
        while True:
            time.sleep(seconds)
            if (now := self.cpu) - before < 0.02 * seconds:
                return
            before = now


class Line:
    """A connection to a service for one request after the other; made anew after a pause, in which servers hang up."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._connection: http.client.HTTPConnection | None = None
        self._used = 0.0

    def call(
        self, method: str, path: str, body: str | bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """One request; the body of the answer. Raises RuntimeError unless that is a 200."""
        if self._connection is None or time.monotonic() - self._used > _PAUSE_SECONDS:
            self._connection = self._service.connect()
        answer = call(self._connection, method, path, body, headers)
        self._used = time.monotonic()
        return answer


def call(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: str | bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    expect: int = 200,
) -> bytes:
    """One request; the body of an answer with the expected status. Raises RuntimeError."""
    connection.request(method, path, body, dict(headers or {}))
    response = connection.getresponse()
    data = response.read()
    if response.status != expect:
        raise RuntimeError(f"{method} {path}: {response.status} {data[:300]!r}")
    return data


def cpu_seconds(pid: int) -> float:
    """Time on a processor of a process and all that it started: the scheduler's own count, per thread, in ns."""
    total, waiting = 0, [pid]
    while waiting:
        for thread in Path(f"/proc/{waiting.pop()}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0])
            waiting += [int(child) for child in (thread / "children").read_text().split()]
    return total / 1e9


@contextmanager
def serve(role: str, folder: Path, port: int, *more: str, plain: bool = False) -> Iterator[Service]:
    """`facet-<role> serve` on one core until the block ends. Raises RuntimeError when it does not start."""
    scheme = "http" if plain else "https"
    command = [str(Path(sys.executable).with_name(f"facet-{role}")), "serve", "--port", str(port)]
    command += ["--data", str(folder), "--allow-loopback", *(["--plain-http"] if plain else []), *more]
    log = (folder / f"{role}.log").open("wb")
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})  # which the service inherits
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    os.sched_setaffinity(0, cores)
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line or not json.loads(line).get("ready"):
            raise RuntimeError((folder / f"{role}.log").read_text()[-2000:] or f"the {role} did not start")
        tls = None if plain else ssl.create_default_context(cafile=str(folder / "trust/tls-ca.pem"))
        yield Service(process.pid, f"{scheme}://localhost:{port}", tls)
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
