"""Operable from outside: one command starts a service, one line says so, SIGTERM ends it after what it has begun."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from scripts import town
from tests.processes.ground import PASSPHRASE, PERSON, Ground, family, pictures
from tests.support import readable

PATIENCE = 60


@dataclass(frozen=True)
class Begun:
    """Work that a role finishes although it was told to stop, and the status that shows that it did."""

    request: Callable[[Ground], httpx.Request]
    status: int


def application(ground: Ground) -> httpx.Request:
    headers = {"Authorization": f"Bearer {ground.secret('issuer/desk-token')}", "Accept": "application/json"}
    url = ground.urls["issuer"] + "/desk/applications"
    return httpx.Request("POST", url, headers=headers, data=PERSON, files=pictures())


def sign_up(ground: Ground) -> httpx.Request:
    form = {"name": "Begun", "passphrase": PASSPHRASE}
    return httpx.Request("POST", ground.urls["wallet"] + "/signup", headers={"Accept": "application/json"}, data=form)


def question(ground: Ground) -> httpx.Request:
    headers = {"Authorization": f"Bearer {ground.secret('verifier/api-key')}"}
    url = ground.urls["verifier"] + "/api/requests"
    return httpx.Request("POST", url, headers=headers, json={"template": "over-18"})


WORK = {"issuer": Begun(application, 201), "wallet": Begun(sign_up, 201), "verifier": Begun(question, 201)}


def by_environment(ground: Ground, role: str) -> dict[str, str]:
    """All that a service needs to know, as environment variables."""
    data = ground.directory / role
    values = {
        "HOST": "127.0.0.1",
        "PORT": str(ground.ports[role]),
        "BASE_URL": ground.urls[role],
        "DATABASE_URL": f"sqlite:///{data / f'{role}.db'}",
        "TLS_CERT": str(data / "tls.pem"),
        "TLS_KEY": str(data / "tls.key"),
        "DATA": str(ground.directory),
        "ALLOW_LOOPBACK": "true",
    }
    return {f"FACET_{role.upper()}_{name}": value for name, value in values.items()}


def launch(role: str, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start a service as an operator would, with nothing inherited from this run's own settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FACET_")}
    return subprocess.Popen(
        [str(town.BIN / f"facet-{role}"), "serve", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**clean, **(environment or {})},
    )


def first_line(process: subprocess.Popen[str]) -> dict[str, object]:
    assert process.stdout is not None
    line = process.stdout.readline() if readable(process.stdout, PATIENCE) else ""
    assert line, f"no ready line, exit code {process.poll()}"
    found: dict[str, object] = json.loads(line)
    return found


class Halved:
    """A request of which the service has received the first half."""

    def __init__(self, request: httpx.Request, trust: ssl.SSLContext) -> None:
        host, port = request.url.host, request.url.port
        self.socket = trust.wrap_socket(socket.create_connection((host, port or 443), PATIENCE), server_hostname=host)
        head = f"{request.method} {request.url.raw_path.decode()} HTTP/1.1\r\n".encode()
        head += b"".join(name + b": " + value + b"\r\n" for name, value in request.headers.raw) + b"\r\n"
        body = request.read()
        self.rest = body[len(body) // 2 :]
        self.socket.sendall(head + body[: len(body) // 2])

    def finish(self) -> tuple[int, bytes]:
        """Send the other half; the status and body of the answer."""
        self.socket.sendall(self.rest)
        response = http.client.HTTPResponse(self.socket)
        response.begin()
        return response.status, response.read()


def closed(port: int) -> bool:
    """Does nobody take new connections on the port?"""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def wait_for(what: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while not (happened := what()) and time.monotonic() < end:
        time.sleep(0.02)
    return happened


@pytest.mark.parametrize("role", town.ROLES)
def test_a_service_says_ready_once_answers_and_finishes_what_it_began(bare: Ground, role: str) -> None:
    process = launch(role, environment=by_environment(bare, role))
    try:
        line = first_line(process)
        assert (line["ready"], line["role"], line["url"]) == (True, role, bare.urls[role])
        with bare.client() as idle:
            health = idle.get(bare.urls[role] + "/healthz")
            assert (health.status_code, health.json()) == (200, {"status": "ok", "role": role})
            begun = Halved(WORK[role].request(bare), bare.trust())
            time.sleep(0.2)  # the first half is with the service now
            process.send_signal(signal.SIGTERM)
            assert wait_for(lambda: closed(bare.ports[role])), "a service that ends takes no new connections"
            assert process.poll() is None, "it waits for what it has begun"
            status, body = begun.finish()
            out, err = process.communicate(timeout=15)  # it does not wait for the connection that is only open
    finally:
        process.kill()
        process.wait()
    assert status == WORK[role].status, body
    assert process.returncode == 0
    assert out == "", "one line on stdout, and no more"
    assert [json.loads(entry)["level"] for entry in err.splitlines() if "rror" in entry] == []


def flags(ground: Ground, role: str, **changed: str) -> list[str]:
    """The documented flags, some of them changed."""
    data = ground.directory / role
    values = {
        "port": str(ground.ports[role]),
        "base-url": ground.urls[role],
        "data": str(ground.directory),
        "tls-cert": str(data / "tls.pem"),
        "tls-key": str(data / "tls.key"),
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    return [part for name, value in values.items() for part in (f"--{name}", value)]


def ending(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


MISTAKES = [
    ("issuer", {"tls_cert": "missing.pem"}, "missing.pem"),
    ("wallet", {"tls_cert": "missing.pem"}, "missing.pem"),
    ("verifier", {"tls_cert": "missing.pem"}, "missing.pem"),
    ("wallet", {"tls_key": "missing.key"}, "missing.key"),
    ("issuer", {"port": "http"}, "--port"),
    ("verifier", {"base_url": "http://facet.example"}, "--base-url"),
    ("verifier", {"no_such_flag": "1"}, "--no-such-flag"),
]


def test_a_mistake_ends_with_2_and_a_sentence(bare: Ground) -> None:
    started = [launch(role, *flags(bare, role, **changed)) for role, changed, _ in MISTAKES]
    for (role, changed, named), process in zip(MISTAKES, started, strict=True):
        code, out, err = ending(process)
        assert (code, out) == (2, ""), (role, changed, err)
        assert named in err, (role, changed, err)
        assert "Traceback" not in err, (role, changed)


def test_a_taken_port_is_named_and_nothing_starts(bare: Ground) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, out, err = ending(launch("verifier", *flags(bare, "verifier", port=port)))
    assert (code, out) == (3, ""), err
    assert port in err
    assert "Traceback" not in err


def test_a_database_that_is_none_is_a_mistake_too(bare: Ground) -> None:
    code, out, err = ending(launch("wallet", *flags(bare, "wallet", database_url="sqlite")))
    assert (code, out) == (2, ""), err
    assert "--database-url" in err
    assert "Traceback" not in err


def test_a_folder_that_nobody_has_set_up_is_said_so(bare: Ground, tmp_path: Path) -> None:
    started = {role: launch(role, *flags(bare, role, data=str(tmp_path))) for role in town.ROLES}
    for role, process in started.items():
        code, out, err = ending(process)
        assert code > 0, role
        assert out == "", role
        assert "bootstrap" in err, (role, err)
        assert "Traceback" not in err, (role, err)


def test_a_killed_service_leaves_no_worker_and_no_port_behind(bare: Ground) -> None:
    role = "verifier"
    process = launch(role, environment=by_environment(bare, role))
    try:
        first_line(process)
        workers = family(process.pid)[1:]
        process.kill()  # the service alone: its workers must notice
        process.communicate(timeout=PATIENCE)
        assert wait_for(lambda: closed(bare.ports[role]))
        assert wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    finally:
        process.kill()
        process.wait()
