"""The stage of `make certification`: three fresh services for each scene, their keys, and the people in it."""

from __future__ import annotations

import re
import secrets
import ssl
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from scripts.cast import PORTRAIT, SELFIE, Desk, Wallet
from scripts.suite import DONE, SECONDS, Module, Outcome, Plan, Suite
from scripts.town import bootstrap, free_ports, running
from service import minting
from service.minting import Authority, Leaf
from ssi.encoding import b64url
from ssi.keys import SoftwareSigner


def _private_jwk(signer: SoftwareSigner) -> dict[str, Any]:
    secret = signer.native.private_numbers().private_value.to_bytes(32, "big")  # type: ignore[union-attr]  # P-256
    return {**signer.public.jwk, "d": b64url(secret), "alg": "ES256", "use": "sig", "kid": signer.kid}


@dataclass(frozen=True)
class House:
    """Three running services as a scene needs them: addresses, keys under their authorities, people with cards."""

    folder: Any
    urls: Mapping[str, str]
    http: httpx.Client
    secret: Callable[[str], str]
    town: Any

    def pem(self, authority: str) -> str:
        """An authority's certificate."""
        return str((self.folder / "trust" / f"{authority}.pem").read_text())

    def signing_jwk(self, authority: str, name: str, *, hosts: tuple[str, ...] = ("localhost",)) -> dict[str, Any]:
        """A fresh ES256 key as a private JWK, with its certificate from one of the town's authorities in `x5c`."""
        now = datetime.now(UTC)
        key = SoftwareSigner.from_pkcs8((self.folder / "ca" / f"{authority}.key").read_bytes())
        root = Authority(minting.read_certificate(self.pem(authority).encode()), key)
        signer = minting.new_key()
        made: x509.Certificate = minting.issue(root, Leaf(name, name, hosts), key=signer, now=now)
        return {**_private_jwk(signer), "x5c": [b64encode(made.public_bytes(Encoding.DER)).decode()]}

    def loose_jwk(self) -> dict[str, Any]:
        """A fresh ES256 key as a private JWK."""
        return _private_jwk(minting.new_key())

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """A browser of its own."""
        trust = ssl.create_default_context(cafile=str(self.town.ca_file))
        with httpx.Client(
            verify=trust, timeout=30, trust_env=False, headers={"Origin": self.urls["issuer"]}, follow_redirects=False
        ) as made:
            yield _Follows(made)  # type: ignore[misc]  # it has what is used

    def applicant(self) -> tuple[str, str]:
        """Somebody whom the desk has accepted, with the reference and the code for signing in."""
        desk, application = self.approved()
        return application, str(desk.offer(application, way="sign-in")["tx_code"])

    def api(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """A call of our verifier's REST API."""
        headers = {"Authorization": f"Bearer {self.secret('verifier/api-key')}"}
        answer = self.http.request(method, self.urls["verifier"] + path, json=body, headers=headers)
        if answer.status_code >= 400:
            raise RuntimeError(f"{path}: {answer.text[:300]}")
        return dict(answer.json())

    def approved(self) -> tuple[Desk, str]:
        """An applicant whom the desk has accepted."""
        desk = Desk(self.town, self.http)
        return desk, str(desk.apply(PORTRAIT, SELFIE)["id"])

    def visitor(self) -> Wallet:
        """A person with our wallet, and nothing in it."""
        wallet = Wallet(self.town, self.http)
        wallet.post("/signup", name="Anna", passphrase=secrets.token_urlsafe(12))
        return wallet

    def person(self) -> Wallet:
        """A person with our wallet, and in it the desk's card."""
        desk, application = self.approved()
        offer, wallet, passphrase = desk.offer(application), Wallet(self.town, self.http), secrets.token_urlsafe(12)
        (self.folder / "passphrase").write_text(passphrase)
        wallet.post("/signup", name="Eileen", passphrase=passphrase)
        opened = wallet.open(offer["offer_uri"])
        wallet.post(f"/offers/{opened['offer']['id']}/accept", tx_code=offer["tx_code"])
        return wallet


class _Follows:
    """A client that follows redirects within our own desk and stops at the way out."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def get(self, url: str) -> httpx.Response:
        """Open a page."""
        return self._inside(self.http.get(url))

    def post(self, url: str, data: Mapping[str, str] | None = None) -> httpx.Response:
        """Send a form."""
        return self._inside(self.http.post(url, data=dict(data or {})))

    def _inside(self, answer: httpx.Response) -> httpx.Response:
        while answer.is_redirect and answer.next_request and answer.next_request.url.host == answer.url.host:
            if answer.next_request.url.port != answer.url.port:
                break
            answer = self.http.send(answer.next_request)
        return answer


@dataclass
class Stage:
    """Everything a scene needs: the suite, fresh services of ours on demand, and what was found."""

    suite: Suite
    ca: bytes
    only: Sequence[str] = ()
    plans: Sequence[str] = ()
    outcomes: list[tuple[str, Outcome]] = field(default_factory=list)

    def run(self, plan: Plan, play: Callable[[str, Module], str | None]) -> None:
        """Run the modules of a plan; `play` does the person's part and says what our service got wrong, if anything."""
        if self.plans and not any(word in f"{plan.name} {plan.title}" for word in self.plans):
            return
        made, modules = self.suite.plan(plan.name, plan.variant, plan.config)
        print(f"\n{plan.name}: {plan.title}", flush=True)
        for module in modules:
            if not self.suite.applies(module.name, {**plan.variant, **module.variant}):
                continue
            if any(words and not any(word in module.name for word in words) for words in (self.only, plan.words)):
                continue
            self._one(plan, made, module, play)

    @contextmanager
    def town(self, environment: Mapping[str, str]) -> Iterator[House]:
        """The three services with fresh keys and these settings; gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="facet-certification-") as name:
            folder = Path(name)
            trusted = folder / "peers.pem"
            environment = {**environment, **{f"FACET_{role}_CA_FILE": str(trusted) for role in ("ISSUER", "WALLET")}}
            ports = free_ports()
            bootstrap(folder, {role: f"https://localhost:{port}" for role, port in ports.items()})
            trusted.write_bytes((folder / "trust" / "tls-ca.pem").read_bytes() + self.ca)
            with running(folder, ports, environment=environment) as town:
                trust = ssl.create_default_context(cafile=str(town.ca_file))
                with httpx.Client(verify=trust, timeout=30, follow_redirects=True, trust_env=False) as http:
                    yield House(folder, town.urls, http, town.secret, town)

    def visit(self, url: str) -> None:
        """Open a page of the suite's as a browser would: its script posts the fragment back to it."""
        page = self.suite.http.get(url)
        found = re.search(r"""["'](https:[^"']*implicit[^"']*)["']""", page.text.replace("\\/", "/"))
        if found:
            fragment = urlsplit(url).fragment
            self.suite.http.post(found.group(1), content=f"#{fragment}" if fragment else "")

    def _one(self, plan: Plan, made: str, module: Module, play: Callable[[str, Module], str | None]) -> None:
        run = self.suite.start(made, module)
        self.suite.wait(run, "WAITING")
        try:
            ours = play(run, module)
        except (httpx.HTTPError, KeyError, ValueError, RuntimeError) as error:
            ours = f"the script stopped: {error!r}"[:300]
        deadline = time.monotonic() + (4 if ours else SECONDS)
        while self.suite.wait(run, seconds=0.5) not in DONE and time.monotonic() < deadline:
            if plan.pictures:
                self.suite.attest(run)
        if self.suite.wait(run, seconds=0) not in DONE:
            self.suite.stop(run)
        outcome = self.suite.outcome(run, module, ours=ours)
        self.outcomes.append((plan.title, outcome))
        mark = "ok  " if outcome.good else "void" if outcome.void else "FAIL"
        print(f"  {mark} {outcome.module:<72} {outcome.result}", flush=True)
        for line in (
            *outcome.failures,
            *(f"(the suite: {one})" for one in outcome.limits),
            *(f"(warning) {one}" for one in outcome.warnings),
        ):
            print(f"         {line}", flush=True)
        if outcome.ours is not None:
            print(f"         ours: {outcome.ours}", flush=True)
