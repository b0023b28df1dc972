"""Where do the three services run? Starts them as separate processes from one folder, and stops them again."""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

BIN = Path(sys.executable).parent
ROLES = ("issuer", "wallet", "verifier")
DEFAULT_PORTS = {"issuer": 8441, "wallet": 8442, "verifier": 8443}


class NotStarted(RuntimeError):
    """A service did not say that it was ready."""


@dataclass(frozen=True)
class Town:
    """The addresses and the folder of a running set of services."""

    directory: Path
    urls: Mapping[str, str]
    processes: dict[str, subprocess.Popen[str]]
    ports: Mapping[str, int]
    environment: Mapping[str, str]

    @property
    def ca_file(self) -> Path:
        """The local certificate authority that the three addresses are served under."""
        return self.directory / "trust" / "tls-ca.pem"

    def secret(self, name: str) -> str:
        """A secret that bootstrap minted, such as `issuer/desk-token` or `verifier/api-key`."""
        return (self.directory / name).read_text().strip()

    def stop(self, role: str) -> int | None:
        """Ask one service to end; its exit code."""
        process = self.processes[role]
        stop({role: process})
        return process.returncode

    def start(self, *roles: str) -> None:
        """Start services anew that were stopped. Raises NotStarted."""
        for role in roles:
            self.processes[role] = start(role, self.ports[role], self.directory, self.urls, self.environment)
        for role in roles:
            wait_ready(self.processes[role], role, self.directory)

    def issuer_command(self, *words: str) -> dict[str, Any]:
        """What `facet-issuer <words>` says about this desk. Raises CalledProcessError."""
        command = [str(BIN / "facet-issuer"), *words, "--data", str(self.directory), "--allow-loopback", "--json"]
        command += ["--base-url", self.urls["issuer"]]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=_environment(self.environment))
        return dict(json.loads(done.stdout))


def free_ports() -> dict[str, int]:
    """A free loopback port for each role, held open together so that no two are the same."""
    sockets = {role: socket.create_server(("127.0.0.1", 0)) for role in ROLES}
    ports = {role: int(listener.getsockname()[1]) for role, listener in sockets.items()}
    for listener in sockets.values():
        listener.close()
    return ports


def taken(ports: Mapping[str, int]) -> list[int]:
    """Those of the ports that something else is listening on."""
    busy = []
    for port in ports.values():
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                busy.append(port)
    return busy


def bootstrap(directory: Path, urls: Mapping[str, str]) -> str:
    """Mint all that a first run needs (idempotent) and return what was said about it."""
    command = [str(BIN / "facet-issuer"), "bootstrap", "--directory", str(directory)]
    for role, url in urls.items():
        command += [f"--{role}-url", url]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def start(
    role: str, port: int, directory: Path, urls: Mapping[str, str], extra: Mapping[str, str]
) -> subprocess.Popen[str]:
    """Start one service; its log goes to `<directory>/<role>/log.jsonl`."""
    data = directory / role
    command = [
        *(str(BIN / f"facet-{role}"), "serve", "--host", "127.0.0.1", "--port", str(port)),
        *("--base-url", urls[role], "--database-url", f"sqlite:///{(data / f'{role}.db').resolve()}"),
        *("--tls-cert", str(data / "tls.pem"), "--tls-key", str(data / "tls.key")),
        *("--data", str(directory), "--allow-loopback"),
    ]
    if role == "verifier":
        command += ["--wallet-url", urls["wallet"] + "/authorize"]
    if role == "issuer":
        command += ["--wallet-url", urls["wallet"]]
    log = (data / "log.jsonl").open("a")
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, env=_environment(extra)
    )


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, **extra}


def wait_ready(process: subprocess.Popen[str], role: str, directory: Path, *, seconds: float = 180) -> str:
    """The address that a service says it serves, from its one JSON line. Raises NotStarted with its log's end."""
    line = first_line(process.stdout, seconds)
    try:
        ready = json.loads(line)
    except ValueError:
        tail = "\n".join((directory / role / "log.jsonl").read_text().splitlines()[-5:])
        waited = "" if process.poll() is not None else f" within {seconds:.0f} s; is the machine very busy?"
        raise NotStarted(f"facet-{role} did not start{waited}\n{tail}") from None
    return str(ready["url"])


def first_line(stream: IO[str] | None, seconds: float) -> str:
    """The first line that a process writes within so many seconds, else an empty one."""
    if stream is None:
        return ""
    with selectors.DefaultSelector() as waiting:  # select() itself knows no descriptor above 1023
        waiting.register(stream, selectors.EVENT_READ)
        return stream.readline() if waiting.select(seconds) else ""


@contextmanager
def running(
    directory: Path, ports: Mapping[str, int], *, environment: Mapping[str, str] | None = None
) -> Iterator[Town]:
    """The three services, up and answering; stopped by SIGTERM on the way out."""
    urls = {role: f"https://localhost:{ports[role]}" for role in ROLES}
    bootstrap(directory, urls)
    town = Town(directory, urls, {}, ports, environment or {})
    try:
        town.start(*ROLES)
        yield town
    finally:
        stop(town.processes)


def stop(processes: Mapping[str, subprocess.Popen[str]], *, seconds: float = 30) -> None:
    """Ask every service to finish what it has begun (20 seconds at most) and end; those that do not are killed."""
    for process in processes.values():
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    for process in processes.values():
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
