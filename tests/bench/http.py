"""HTTP: verified presentations against a real server process, and what each costs it in CPU.

The server runs as its operator would run it (`facet-verifier serve`, TLS, one worker), on one core. Requests are made
and answers prepared beforehand; then the answers are posted over a few kept-alive connections. CPU is what the server's
whole process tree used, by /proc, so that the load generator's own work on the same machine does not count.
"""

from __future__ import annotations

import http.client
import http.server
import json
import secrets
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
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
from tests.bench.services import FORM, Service, call, free_port, serve

TITLE = "HTTP: presentations received and verified, one worker, TLS"
TARGETS_MS = {oid4vp.DIRECT_POST: 1.3, oid4vp.DIRECT_POST_JWT: 1.8}
COUNT, ROUNDS, CONNECTIONS = 150, 10, 4
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
        for mode, target in TARGETS_MS.items():
            cpu, rate = _best(world, mode)
            name = f"http verify {mode}"
            found.append(Row(f"{name}: server CPU", round(cpu, 4), "ms", "-", None, f"<= {target:g} ms", cpu <= target))
            found.append(Row(f"{name}: rate", round(rate, 1), "1/s", "-", None, None, ok=True))
    return found


@dataclass(frozen=True)
class World:
    """A running verifier, and everything needed to answer it."""

    service: Service
    api_key: str
    credential: Credential
    holder: SoftwareSigner


Prepared = tuple[str, bytes, str]
"""Where to post, what, and the request's own id."""


def _best(world: World, mode: str) -> tuple[float, float]:
    """CPU ms per operation and operations per second, of the round that was least disturbed."""
    _post_all(world, _prepare(world, mode, 40))
    results = [_round(world, mode) for _ in range(ROUNDS)]
    return min(cpu for cpu, _ in results), max(rate for _, rate in results)


def _round(world: World, mode: str) -> tuple[float, float]:
    prepared = _prepare(world, mode, COUNT)
    before, start = world.service.cpu, time.monotonic()
    _post_all(world, prepared)
    cpu, wall = world.service.cpu - before, time.monotonic() - start
    _all_verified(world, prepared)
    return cpu / COUNT * 1000, COUNT / wall


def _prepare(world: World, mode: str, count: int) -> list[Prepared]:
    """Make requests and their answers, as a relying party and a wallet would."""
    connection, prepared = world.service.connect(), []
    for _ in range(count):
        body = json.dumps({"template": "over-18", "response_mode": mode})
        made = json.loads(call(connection, "POST", "/api/requests", body, _headers(world), expect=201))
        token = call(connection, "GET", urlsplit(made["request_uri"]).path)
        request = read_request(token)
        challenge = Challenge(request.nonce, request.client_id)
        shown = sdjwt.derive(
            world.credential,
            disclose=Disclosure((("age_over_18",),)),
            challenge=challenge,
            holder=world.holder,
            now=datetime.now(UTC),
        )
        form = urlencode(oid4vp.respond(request, {"person": [shown.wire]})).encode()
        prepared.append((urlsplit(str(request.response_uri)).path, form, made["id"]))
    connection.close()
    return prepared


def read_request(token: bytes) -> AuthorizationRequest:
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
        connection = world.service.connect()
        try:
            while True:
                with lock:
                    one = next(queue, None)
                if one is None:
                    return
                path, form, _id = one
                call(connection, "POST", path, form, FORM)
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
    connection = world.service.connect()
    for _path, _form, request_id in prepared:
        told = json.loads(call(connection, "GET", f"/api/requests/{request_id}", None, _headers(world)))
        if told["verdict"] != "verified":
            raise RuntimeError(f"not verified: {told}")
    connection.close()


def _headers(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.api_key}", "Content-Type": "application/json"}


@contextmanager
def _world(folder: Path) -> Iterator[World]:
    """Certificates, an issuer with its status list, and a verifier that serves."""
    port, status_port = free_port(), free_port()
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
    api_key = (folder / "verifier/api-key").read_text().strip()
    with _publish(status_port, folder, statuses.encode()), serve("verifier", folder, port) as service:
        yield World(service, api_key, credential, holder)


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
