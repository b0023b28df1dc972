"""Does a real service process start, say so once, answer over TLS, and finish what it began?"""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.bootstrap import bootstrap
from tests.support import readable

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def service(folder: Path, *arguments: str, port: int, factory: str = "wsgi") -> Iterator[subprocess.Popen[str]]:
    command = [
        sys.executable,
        "-m",
        "tests.service.process",
        factory,
        "serve",
        "--data",
        str(folder),
        "--port",
        str(port),
    ]
    process = subprocess.Popen(
        [*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE)


def ready_line(process: subprocess.Popen[str]) -> dict[str, object]:
    assert process.stdout is not None
    line = process.stdout.readline() if readable(process.stdout, PATIENCE) else ""
    assert line, f"no ready line; exit code {process.poll()}"
    found: dict[str, object] = json.loads(line)
    return found


def get(port: int, path: str, ca: Path | None, *, patience: int = PATIENCE) -> tuple[int, str]:
    connection: http.client.HTTPConnection
    if ca is None:
        connection = http.client.HTTPConnection("localhost", port, timeout=patience)
    else:
        context = ssl.create_default_context(cafile=str(ca))
        connection = http.client.HTTPSConnection("localhost", port, timeout=patience, context=context)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("var")
    bootstrap(made, hosts=("localhost",), base_urls={"verifier": "https://localhost:8443"}, now=datetime.now(UTC))
    return made


def test_it_says_ready_once_serves_over_tls_and_finishes_what_it_began(folder: Path) -> None:
    port, ca, answers = free_port(), folder / "trust" / "tls-ca.pem", []
    with service(folder, "--workers", "2", "--threads", "2", port=port) as process:
        line = ready_line(process)
        assert (line["ready"], line["role"], line["url"]) == (True, "verifier", f"https://localhost:{port}")
        assert get(port, "/healthz", ca)[0] == 200

        started = folder / "started"
        asked = threading.Thread(target=lambda: answers.append(get(port, f"/slow?{started}", ca)))
        asked.start()
        deadline = datetime.now(UTC).timestamp() + PATIENCE
        while not started.exists() and datetime.now(UTC).timestamp() < deadline:
            asked.join(0.05)
        process.send_signal(signal.SIGTERM)
        asked.join(PATIENCE)
        out, err = process.communicate(timeout=PATIENCE)
    assert answers == [(200, "finished")]
    assert process.returncode == 0
    assert out == ""
    assert all(json.loads(entry) for entry in err.splitlines())


def test_a_silent_connection_is_closed_after_a_while(folder: Path) -> None:
    """And it is not HTTP/2, in which the server would bear as many of them as somebody likes to open."""
    port, context = free_port(), ssl.create_default_context(cafile=str(folder / "trust" / "tls-ca.pem"))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with service(folder, port=port) as process:
        ready_line(process)
        with context.wrap_socket(socket.create_connection(("localhost", port)), server_hostname="localhost") as silent:
            assert silent.selected_alpn_protocol() != "h2"
            silent.settimeout(15)
            assert silent.recv(1) == b""


def test_plain_http_on_loopback_when_asked_for(folder: Path) -> None:
    port = free_port()
    with service(folder, "--plain-http", port=port) as process:
        assert ready_line(process)["url"] == f"http://localhost:{port}"
        assert get(port, "/healthz", None) == (200, '{"status":"ok","role":"verifier"}')


def test_slow_senders_keep_nobody_else_waiting(folder: Path) -> None:
    port = free_port()
    head = b"POST /pid HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nslow"
    with service(folder, "--plain-http", "--threads", "2", port=port) as process, ExitStack() as slow:
        ready_line(process)
        for _ in range(6):
            slow.enter_context(socket.create_connection(("localhost", port))).sendall(head)
        select.select([], [], [], 0.5)  # until all of them wait
        assert get(port, "/healthz", None, patience=5)[0] == 200


def test_a_taken_port_is_said_so_and_nothing_starts(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with service(folder, port=taken.getsockname()[1]) as process:
            out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3
    assert out == ""
    assert "Cannot listen" in err


def test_an_application_that_cannot_start_ends_the_service(folder: Path) -> None:
    with service(folder, port=free_port(), factory="broken") as process:
        out, _err = process.communicate(timeout=PATIENCE)
    assert process.returncode not in (0, None)
    assert out == ""


def test_a_key_of_another_certificate_is_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    bootstrap(other, hosts=(), base_urls={"verifier": "https://localhost"}, now=datetime.now(UTC))
    with service(folder, "--tls-key", str(other / "verifier" / "tls.key"), port=free_port()) as process:
        _out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "private key" in err


def test_a_killed_service_leaves_nobody_on_its_port(folder: Path) -> None:
    port = free_port()
    with service(folder, port=port) as process:
        ready_line(process)
        process.kill()
        process.communicate(timeout=PATIENCE)  # ends only when the workers, too, have let go of the streams
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def test_a_crashed_worker_is_replaced(folder: Path) -> None:
    port, ca = free_port(), folder / "trust" / "tls-ca.pem"
    with service(folder, port=port) as process:
        ready_line(process)
        worker = int(get(port, "/pid", ca)[1])
        os.kill(worker, signal.SIGKILL)
        deadline, found = datetime.now(UTC).timestamp() + PATIENCE, 0
        while not found and datetime.now(UTC).timestamp() < deadline:
            try:
                found = int(get(port, "/pid", ca)[1])
            except (OSError, http.client.HTTPException):
                select.select([], [], [], 0.1)
        assert found not in (0, worker)
