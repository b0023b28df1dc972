"""HTTP: verified presentations against a real server process, and what each costs it in CPU.

The server runs as its operator would run it (`facet-verifier serve`, TLS, one worker). Requests are made and answers
prepared beforehand; then the answers are posted over a few kept-alive connections. CPU is what the server's whole
process tree used, by /proc, so that the load generator's own work on the same machine does not count.
"""

from __future__ import annotations

import http.client
import http.server
import json
import secrets
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from service.bootstrap import bootstrap
from ssi import jose, oid4vp
from ssi.formats import sdjwt
from ssi.keys import SoftwareSigner
from ssi.model import Challenge, Credential, Disclosure, Draft, Issuer, StatusRef
from ssi.oid4vp import AuthorizationRequest
from ssi.status import token_status_list
from ssi.trust import x509
from tests.bench.measure import Row

TITLE = "HTTP: presentations received and verified, one worker, TLS"
TARGET_MS = 1.3
COUNT, ROUNDS, CONNECTIONS = 150, 8, 4
VCT = "urn:facet:credential:verified-person:1"
CLAIMS: dict[str, Any] = {
    "given_name": "Erika",
    "family_name": "Mustermann",
    "birthdate": "1984-01-26",
    "age_over_16": True,
    "age_over_18": True,
    "age_over_21": True,
    "age_over_65": False,
    "nationalities": ["DE", "FR"],
}


def rows() -> list[Row]:
    """CPU per verified presentation and presentations per second, for both response modes."""
    found = []
    with tempfile.TemporaryDirectory() as folder, _world(Path(folder)) as world:
        for mode, target in ((oid4vp.DIRECT_POST, TARGET_MS), (oid4vp.DIRECT_POST_JWT, None)):
            cpu, rate = _best(world, mode)
            name = f"http verify {mode}"
            limit = None if target is None else f"<= {target:g} ms"
            found.append(
                Row(f"{name}: server CPU", round(cpu, 4), "ms", "-", None, limit, target is None or cpu <= target)
            )
            found.append(Row(f"{name}: rate", round(rate, 1), "1/s", "-", None, None, ok=True))
    return found


@dataclass(frozen=True)
class World:
    """A running verifier, and everything needed to answer it."""

    pid: int
    base: str
    tls: ssl.SSLContext
    api_key: str
    credential: Credential
    holder: SoftwareSigner

    def connect(self) -> http.client.HTTPSConnection:
        """A connection that stays open."""
        parts = urlsplit(self.base)
        connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=30, context=self.tls)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


Prepared = tuple[str, bytes, str]
"""Where to post, what, and the request's own id."""


def _best(world: World, mode: str) -> tuple[float, float]:
    """CPU ms per operation and operations per second, of the round that was least disturbed."""
    _post_all(world, _prepare(world, mode, 40))
    results = [_round(world, mode) for _ in range(ROUNDS)]
    return min(cpu for cpu, _ in results), max(rate for _, rate in results)


def _round(world: World, mode: str) -> tuple[float, float]:
    prepared = _prepare(world, mode, COUNT)
    before, start = _cpu_seconds(world.pid), time.monotonic()
    _post_all(world, prepared)
    cpu, wall = _cpu_seconds(world.pid) - before, time.monotonic() - start
    _all_verified(world, prepared)
    return cpu / COUNT * 1000, COUNT / wall


def _prepare(world: World, mode: str, count: int) -> list[Prepared]:
    """Make requests and their answers, as a relying party and a wallet would."""
    connection, prepared = world.connect(), []
    for _ in range(count):
        body = json.dumps({"template": "over-18", "response_mode": mode})
        made = json.loads(_call(connection, "POST", "/api/requests", body, _headers(world), expect=201))
        token = _call(connection, "GET", urlsplit(made["request_uri"]).path, None, {}, expect=200)
        request = _read(token)
        challenge = Challenge(request.nonce, request.client_id)
        shown = sdjwt.derive(
            world.credential,
            disclose=Disclosure((("age_over_18",),)),
            challenge=challenge,
            holder=world.holder,
            now=datetime.now(UTC),
        )
        form = urlencode(oid4vp.respond(request, {"person": [shown.wire]})).encode()
        prepared.append((urlsplit(request.response_uri).path, form, made["id"]))
    connection.close()
    return prepared


def _read(token: bytes) -> AuthorizationRequest:
    """The request, taken at its word: who signed it is the wallet's bench, not this one."""
    parsed = oid4vp.parse_link(
        oid4vp.request_link(str(jose.parse(token, typ=None).claims["client_id"]), "https://a.b/c")
    )
    return oid4vp.open_request(token.decode(), link=parsed, keys=_NoKeys(), now=datetime.now(UTC)).request


class _NoKeys:
    """Certificates need no look-up."""

    def issuer_key(self, *_args: Any, **_named: Any) -> Any:
        raise NotImplementedError

    def holder_key(self, *_args: Any, **_named: Any) -> Any:
        raise NotImplementedError


def _post_all(world: World, prepared: Sequence[Prepared]) -> None:
    """Post every answer over a few connections at once."""
    queue, troubles = iter(prepared), []
    lock = threading.Lock()

    def work() -> None:
        connection = world.connect()
        try:
            while True:
                with lock:
                    one = next(queue, None)
                if one is None:
                    return
                path, form, _id = one
                kind = {"Content-Type": "application/x-www-form-urlencoded"}
                _call(connection, "POST", path, form, kind, expect=200)
        except (OSError, RuntimeError, http.client.HTTPException) as trouble:
            troubles.append(trouble)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if troubles:
        raise troubles[0]


def _all_verified(world: World, prepared: Sequence[Prepared]) -> None:
    """No figure without the verdict."""
    connection = world.connect()
    for _path, _form, request_id in prepared:
        told = json.loads(_call(connection, "GET", f"/api/requests/{request_id}", None, _headers(world), expect=200))
        if told["verdict"] != "verified":
            raise RuntimeError(f"not verified: {told}")
    connection.close()


def _headers(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.api_key}", "Content-Type": "application/json"}


def _call(
    connection: http.client.HTTPSConnection,
    method: str,
    path: str,
    body: str | bytes | None,
    headers: Mapping[str, str],
    *,
    expect: int,
) -> bytes:
    connection.request(method, path, body, dict(headers))
    response = connection.getresponse()
    data = response.read()
    if response.status != expect:
        raise RuntimeError(f"{method} {path}: {response.status} {data[:300]!r}")
    return data


def _cpu_seconds(pid: int) -> float:
    """Time on a processor of a process and all that it started: the scheduler's own count, per thread, in ns."""
    total, waiting = 0, [pid]
    while waiting:
        for thread in Path(f"/proc/{waiting.pop()}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0])
            waiting += [int(child) for child in (thread / "children").read_text().split()]
    return total / 1e9


@contextmanager
def _world(folder: Path) -> Iterator[World]:
    """Certificates, an issuer with its status list, and a verifier that serves."""
    port, status_port = _free_port(), _free_port()
    base, issuer = f"https://localhost:{port}", f"https://localhost:{status_port}"
    bootstrap(folder, hosts=("localhost",), base_urls={"issuer": issuer, "verifier": base}, now=datetime.now(UTC))
    signer = SoftwareSigner.from_pkcs8((folder / "issuer/signing.key").read_bytes())
    x5c = x509.read_certificates((folder / "issuer/signing.pem").read_bytes())
    holder, uri = SoftwareSigner.generate("ES256"), f"{issuer}/status/1"
    draft = Draft(
        type=VCT,
        issuer=Issuer(issuer, None, x5c),
        claims=CLAIMS,
        disclosable=tuple((name,) for name in CLAIMS),
        valid_until=datetime.now(UTC) + timedelta(days=30),
        statuses=(StatusRef("token_status_list", uri, secrets.randbelow(100_000)),),
    )
    credential = sdjwt.issue(draft, signer=signer, holder=holder.public, now=datetime.now(UTC))
    statuses = token_status_list.issue(
        token_status_list.StatusList.blank(100_000),
        uri=uri,
        signer=signer,
        x5c=x5c,
        now=datetime.now(UTC),
        ttl=timedelta(hours=1),
        expires=datetime.now(UTC) + timedelta(days=1),
    )
    tls = ssl.create_default_context(cafile=str(folder / "trust/tls-ca.pem"))
    api_key = (folder / "verifier/api-key").read_text().strip()
    with _publish(status_port, folder, statuses.encode()), _serve(folder, port) as pid:
        yield World(pid, base, tls, api_key, credential, holder)


@contextmanager
def _publish(port: int, folder: Path, token: bytes) -> Iterator[None]:
    """The issuer's status list on a small TLS server in this process."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/statuslist+jwt")
            self.send_header("Content-Length", str(len(token)))
            self.end_headers()
            self.wfile.write(token)

        def log_message(self, *_args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("localhost", port), Answer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "issuer/tls.pem", folder / "issuer/tls.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _serve(folder: Path, port: int) -> Iterator[int]:
    """`facet-verifier serve` until the block ends."""
    command = [
        str(Path(sys.executable).with_name("facet-verifier")),
        "serve",
        "--port",
        str(port),
        "--data",
        str(folder),
    ]
    log = (folder / "serve.log").open("wb")
    process = subprocess.Popen([*command, "--allow-loopback"], stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line or not json.loads(line).get("ready"):
            raise RuntimeError((folder / "serve.log").read_text()[-2000:] or "the verifier did not start")
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
