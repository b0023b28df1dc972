"""A town on trial: its services can be killed at any moment and started again on the same folder."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from scripts import rogue, town
from ssi.jose import jws
from ssi.keys import SoftwareSigner

FACES = Path(__file__).parent.parent / "faces"
PERSON = {
    "given_name": "Eileen",
    "family_name": "Collins",
    "birthdate": "1956-11-19",
    "nationalities": "US",
    "document_type": "passport",
    "document_number": "X1234567",
    "issuing_country": "US",
    "issuing_authority": "Department of State",
    "document_expiry": "2041-05-01",
}
PASSPHRASE = "four unusual words walk"
JSON = {"Accept": "application/json"}


@dataclass
class Ground:
    """Three services in one folder, each of which may be down."""

    directory: Path
    ports: Mapping[str, int]
    environment: Mapping[str, str]
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    @property
    def urls(self) -> dict[str, str]:
        """Where each role is."""
        return {role: f"https://localhost:{port}" for role, port in self.ports.items()}

    def start(self, *roles: str) -> None:
        """Start services and wait until they say that they are ready."""
        for role in roles:
            self.processes[role] = town.start(role, self.ports[role], self.directory, self.urls, self.environment)
        for role in roles:
            town.wait_ready(self.processes[role], role, self.directory)

    def kill(self, *roles: str) -> None:
        """SIGKILL, without warning, the service and its workers at once."""
        for role in roles:
            process = self.processes[role]
            for pid in family(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()

    def crash(self, *roles: str) -> None:
        """Kill and start again."""
        self.kill(*roles)
        self.start(*roles)

    def stop(self) -> dict[str, int]:
        """SIGTERM to all; their exit codes."""
        town.stop(self.processes)
        return {role: process.returncode for role, process in self.processes.items()}

    def secret(self, name: str) -> str:
        """A secret that bootstrap minted."""
        return (self.directory / name).read_text().strip()

    def trust(self) -> ssl.SSLContext:
        """TLS trust in this town's own authority, and in nothing else."""
        return ssl.create_default_context(cafile=str(self.directory / "trust" / "tls-ca.pem"))

    def client(self) -> httpx.Client:
        """A client with its own cookies that opens a new connection when a service has been away."""
        transport = httpx.HTTPTransport(verify=self.trust(), retries=3)
        return httpx.Client(transport=transport, timeout=30, follow_redirects=True, trust_env=False)


def family(pid: int) -> list[int]:
    """A process and all that descend from it, parents first."""
    found = [pid]
    for parent in found:
        with suppress(OSError):
            found += [int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    return found


@contextmanager
def paused(process: subprocess.Popen[str]) -> Iterator[None]:
    """The service hears nothing for a while, as on a cut network: its connections stay open, and no answer comes."""
    pids = family(process.pid)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


class Late:
    """A request that is under way in another thread."""

    def __init__(self, http: httpx.Client, method: str, url: str, **content: Any) -> None:
        self.answer: httpx.Response | httpx.HTTPError | None = None
        self.thread = threading.Thread(target=self._send, args=(http, method, url), kwargs=content)
        self.thread.start()

    def _send(self, http: httpx.Client, method: str, url: str, **content: Any) -> None:
        try:
            self.answer = http.request(method, url, **content)
        except httpx.HTTPError as error:
            self.answer = error

    def end(self) -> httpx.Response | httpx.HTTPError:
        """What came of it."""
        self.thread.join(60)
        assert self.answer is not None, "the request neither failed nor was answered"
        return self.answer


@dataclass
class Actors:
    """The three parties over HTTP. Every method asserts that the service acknowledged what was asked."""

    ground: Ground
    http: httpx.Client

    # --- the desk ----------------------------------------

    def desk(self, method: str, path: str, **content: Any) -> Any:
        """A call of the desk's API."""
        headers = {**JSON, "Authorization": f"Bearer {self.ground.secret('issuer/desk-token')}"}
        return good(self.http.request(method, self.ground.urls["issuer"] + path, headers=headers, **content))

    def apply(self) -> str:
        """An accepted application's id."""
        made = self.desk("POST", "/desk/applications", data=PERSON, files=pictures())
        assert made["reasons"] == []
        return str(made["id"])

    def offer(self, application: str) -> dict[str, Any]:
        """A new offer for an application, with its link and code."""
        made = dict(self.desk("POST", f"/desk/applications/{application}/offer"))
        return {**made, "link": made.get("link") or made["offer_uri"]}

    def credentials(self) -> list[dict[str, Any]]:
        """What the desk has issued."""
        return list(self.desk("GET", "/desk/credentials")["credentials"])

    # --- a wallet of our own, to stop between any two messages ----------------------------------------

    def grant(self, offer: Mapping[str, Any]) -> dict[str, str]:
        """The token request that belongs to an offer (OpenID4VCI 1.0 §6.1)."""
        uri = parse_qs(urlsplit(offer["link"]).query)["credential_offer_uri"][0]
        grants = good(self.http.get(uri, headers=JSON))["grants"]
        code = grants[rogue.PRE_AUTHORIZED]["pre-authorized_code"]
        return {"grant_type": rogue.PRE_AUTHORIZED, "pre-authorized_code": code, "tx_code": offer["tx_code"]}

    def token(self, grant: Mapping[str, str]) -> httpx.Response:
        """The token endpoint's answer."""
        return self.http.post(self.ground.urls["issuer"] + "/token", data=dict(grant))

    def nonce(self) -> str:
        """A fresh c_nonce."""
        return str(good(self.http.post(self.ground.urls["issuer"] + "/nonce"))["c_nonce"])

    def credential(self, access: str, holder: SoftwareSigner, nonce: str) -> httpx.Response:
        """The credential endpoint's answer to a proof over a nonce (§8)."""
        return self.http.post(**self.credential_request(access, holder, nonce))

    def credential_request(self, access: str, holder: SoftwareSigner, nonce: str) -> dict[str, Any]:
        """The parts of that request."""
        issuer = self.ground.urls["issuer"]
        header = {"typ": "openid4vci-proof+jwt", "jwk": dict(holder.public.jwk)}
        proof = jws.sign({"aud": issuer, "iat": rogue._now(), "nonce": nonce}, signer=holder, header=header)
        body = {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": [proof]}}
        return {"url": issuer + "/credential", "json": body, "headers": {"Authorization": f"Bearer {access}"}}

    # --- the verifier ----------------------------------------

    def ask(self, template: str = "over-18", **more: Any) -> dict[str, Any]:
        """A new request."""
        body = {"template": template, **more}
        return dict(
            good(self.http.post(self.ground.urls["verifier"] + "/api/requests", json=body, headers=self._key()))
        )

    def result(self, request: str) -> dict[str, Any]:
        """A request's state and verdict."""
        return dict(good(self.http.get(f"{self.ground.urls['verifier']}/api/requests/{request}", headers=self._key())))

    def _key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.ground.secret('verifier/api-key')}"}


class Holder:
    """A person at the wallet service, as their browser would act."""

    def __init__(self, ground: Ground, name: str) -> None:
        self.url, self.http, self.name = ground.urls["wallet"], ground.client(), name

    def post(self, path: str, **form: str) -> httpx.Response:
        """Send a form."""
        return self.http.post(self.url + path, data=form, headers={**JSON, "Origin": self.url})

    def get(self, path: str) -> httpx.Response:
        """Look at a page."""
        return self.http.get(self.url + path, headers=JSON)

    def cards(self) -> list[dict[str, Any]]:
        """The cards in the wallet."""
        return list(good(self.get("/cards"))["cards"])

    def open(self, link: str) -> str:
        """Open a link; the path of the page that it leads to, which has been looked at."""
        path = str(good(self.post("/open", link=link))["next"])
        good(self.get(path))
        return path


@dataclass
class Wallets:
    """What people had in their wallets when the service was killed."""

    steady: Holder
    shared: str
    asked: dict[str, Any]
    cards: list[dict[str, Any]]
    looking: Holder
    offer: dict[str, Any]
    offer_page: str
    gone: Holder
    cookies: dict[str, str]
    stuck: Holder
    stuck_offer: dict[str, Any]
    stuck_page: str
    sending: Holder
    request: str
    requested: dict[str, Any]


def good(response: httpx.Response) -> Any:
    """The JSON of an answer that is no refusal."""
    assert response.is_success, (
        f"{response.request.method} {response.request.url}: {response.status_code} {response.text[:300]}"
    )
    return response.json()


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, which is JSON with a sentence."""
    body = response.json()
    assert isinstance(body["error_description"], str), "a refusal says why"
    return response.status_code, str(body["error"])


def pictures() -> list[tuple[str, tuple[str, bytes, str]]]:
    """A document portrait and a selfie of the same person, as form parts."""
    return [
        ("portrait", ("collins.jpg", (FACES / "collins.jpg").read_bytes(), "image/jpeg")),
        ("selfie", ("selfie.jpg", (FACES / "collins_selfie.jpg").read_bytes(), "image/jpeg")),
    ]


def log_of(ground: Ground, role: str) -> list[dict[str, Any]]:
    """A service's log, each line of which is JSON."""
    return [json.loads(line) for line in (ground.directory / role / "log.jsonl").read_text().splitlines()]
