"""A town for strangers: our services on real ports with TLS, and a Node process that plays the other side."""

from __future__ import annotations

import json
import secrets
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from werkzeug.serving import WSGIRequestHandler, make_server

from scripts.town import free_ports
from service import minting
from service.bootstrap import bootstrap
from ssi.fetch import BoundedFetch
from tests import peers
from tests.holder.town import WALLET as OUR_WALLET
from tests.holder.town import Person
from tests.issuer.world import PERSON, PORTRAIT, SELFIE, ToldMatcher
from verifier import settings as verifier_settings
from verifier.web import create_app as create_verifier
from wallet.holder.passphrase import Cost
from wallet.holder.receive import at_once
from wallet.holder.settings import read_settings as read_wallet_settings
from wallet.holder.web import create_app as create_wallet
from wallet.issuer.settings import read_settings
from wallet.issuer.web import create_app as create_issuer

WALLET = "https://wallet.peer.test"
"""The name of the peer's wallet, where it lets browsers come back to."""


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def served(app: Any, url: str, folder: Path) -> Iterator[None]:
    """An application at an address of this machine, in threads."""
    tls = (str(folder / "tls.pem"), str(folder / "tls.key"))
    server = make_server(
        "127.0.0.1", int(url.rpartition(":")[2]), app, threaded=True, request_handler=_Quiet, ssl_context=tls
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def addresses() -> dict[str, str]:
    """A free address of this machine for each role."""
    return {role: f"https://localhost:{port}" for role, port in free_ports().items()}


@dataclass
class Ground:
    """Keys, certificates and addresses of everybody."""

    folder: Path
    urls: Mapping[str, str] = field(default_factory=addresses)
    theirs: Mapping[str, str] = field(default_factory=addresses)
    """Where the peer's issuer and verifier listen."""

    def __post_init__(self) -> None:
        bootstrap(self.folder, hosts=(), base_urls=self.urls, now=datetime.now(UTC) - timedelta(hours=1))
        self.provider = self._provider()

    def _provider(self) -> dict[str, str]:
        """The key of a wallet provider that the desk relies on, with a certificate from the same authority as ours."""
        now = datetime.now(UTC)
        key, authority = minting.new_key(), minting.new_authority("Peer wallet providers", now=now)
        leaf = minting.issue(authority, minting.Leaf("Peer wallet", "Peer", ("wallet.peer.test",)), key=key, now=now)
        place = self.folder / "peer"
        place.mkdir()
        (place / "provider.key").write_bytes(minting.key_pem(key))
        (place / "provider.pem").write_bytes(minting.certificate_pem(leaf))
        (place / "provider-ca.pem").write_bytes(minting.certificate_pem(authority.certificate))
        names = {"key": "provider.key", "chain": "provider.pem", "anchors": "provider-ca.pem"}
        return {name: str(place / file) for name, file in names.items()}

    @cached_property
    def wallets(self) -> Path:
        """The list of wallets that the desk knows: the peer's."""
        listed = self.folder / "peer/wallets.json"
        listed.write_text(json.dumps({"clients": {WALLET: {"name": "Peer wallet", "redirect_uris": [f"{WALLET}/cb"]}}}))
        return listed

    def secret(self, name: str) -> str:
        """A secret that bootstrap minted."""
        return (self.folder / name).read_text().strip()

    def http(self) -> httpx.Client:
        """A client that trusts the town's TLS authority, keeps cookies, and follows nothing by itself."""
        trust = ssl.create_default_context(cafile=str(self.folder / "trust/tls-ca.pem"))
        return httpx.Client(verify=trust, trust_env=False, timeout=30)

    def fetch(self) -> BoundedFetch:
        """The network of this machine, for our own readers."""
        return BoundedFetch(allow_loopback=True, ca_file=str(self.folder / "trust/tls-ca.pem"))

    def tls(self, role: str) -> dict[str, str]:
        """The files with which a role serves."""
        return {"cert": str(self.folder / role / "tls.pem"), "key": str(self.folder / role / "tls.key")}

    def peer(self) -> peers.Peer:
        """A Node process that trusts this town's authorities."""
        anchors = [*sorted((self.folder / "trust").glob("*-ca.pem")), self.folder / "peer/provider-ca.pem"]
        return peers.Peer(
            "openid4vc.mjs",
            NODE_EXTRA_CA_CERTS=str(self.folder / "trust/tls-ca.pem"),
            FACET_ANCHORS=json.dumps([str(path) for path in anchors if not path.name.startswith("tls")]),
        )

    def values(self, role: str, **more: str) -> dict[str, str]:
        """A role's settings, with a database of its own."""
        own = {"DATA": str(self.folder), "BASE_URL": self.urls[role], "ALLOW_LOOPBACK": "true", **more}
        own.setdefault("DATABASE_URL", f"sqlite:///{self.folder}/{secrets.token_hex(4)}.db")
        return {f"FACET_{role.upper()}_{name}": value for name, value in own.items()}


@dataclass
class Desk:
    """Our issuing desk, as a clerk's program sees it."""

    ground: Ground
    matcher: ToldMatcher = field(default_factory=ToldMatcher)

    url: str = ""
    """The Credential Issuer Identifier."""

    def __post_init__(self) -> None:
        self.url = self.url or self.ground.urls["issuer"]

    @contextmanager
    def open(self, **settings: str) -> Iterator[Desk]:
        """Serve with these settings."""
        settings = {
            "BASE_URL": self.url,
            "WALLETS": str(self.ground.wallets),
            "WALLET_ANCHORS": self.ground.provider["anchors"],
            **settings,
        }
        app = create_issuer(read_settings(self.ground.values("issuer", **settings)), matcher=self.matcher)
        with served(app, self.url, self.ground.folder / "issuer"), self.ground.http() as self.client:
            yield self

    def call(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        """A call of the desk's API."""
        headers = {"Accept": "application/json", "Authorization": f"Bearer {self.ground.secret('issuer/desk-token')}"}
        answer = self.client.request(method, self.url + path, headers=headers, **content)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def apply(self) -> str:
        """An accepted application's id."""
        files = [("portrait", ("a.jpg", PORTRAIT, "image/jpeg")), ("selfie", ("b.jpg", SELFIE, "image/jpeg"))]
        return str(
            self.call("POST", "/desk/applications", data={**PERSON, "birthdate": "1987-11-21"}, files=files)["id"]
        )

    def offer(self, **form: str) -> dict[str, Any]:
        """An offer for a new applicant."""
        application = self.apply()
        return {**self.call("POST", f"/desk/applications/{application}/offer", data=form), "application": application}

    def sign_in(self, url: str, code: str, *, last: str = "allow") -> str:
        """Do in a browser what the desk's pages ask for; the address that it is sent back to."""
        with self.ground.http() as browser:
            page = browser.get(url, headers={"Accept": "text/html"}, follow_redirects=True)
            assert page.is_success, page.text
            reference = browser.get(page.url, headers={"Accept": "application/json"}).json()["reference"]
            form = {"reference": reference, "code": code}
            for place, fields in (("sign-in", form), (last, {})):
                done = browser.post(f"{self.url}/authorize/{place}", data=fields, headers={"Origin": self.url})
                assert done.status_code == 303, done.text
        return str(done.headers["Location"])


@dataclass
class Shop:
    """Our verifier, as its relying party sees it."""

    ground: Ground
    url: str

    @contextmanager
    def open(self, **settings: str) -> Iterator[Shop]:
        """Serve with these settings."""
        values = self.ground.values("verifier", **{"BASE_URL": self.url, **settings})
        with (
            served(create_verifier(verifier_settings.read(values)), self.url, self.ground.folder / "verifier"),
            self.ground.http() as self.client,
        ):
            yield self

    def call(self, method: str, url: str, **content: Any) -> httpx.Response:
        """A call of the verifier's API."""
        headers = {"Authorization": f"Bearer {self.ground.secret('verifier/api-key')}"}
        return self.client.request(method, url, headers=headers, **content)

    def ask(self, **request: Any) -> dict[str, Any]:
        """A new request."""
        answer = self.call("POST", f"{self.url}/api/requests", json=request)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def result(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What became of it."""
        return dict(self.call("GET", f"{self.url}/api/requests/{asked['id']}").json())


@dataclass(frozen=True)
class Owner:
    """Somebody with a wallet of ours, which goes out to the real network of this machine; and its settings."""

    person: Person
    values: Mapping[str, str]


def owner(ground: Ground, **settings: str) -> Owner:
    """A new wallet and its owner."""
    values = ground.values("wallet", BASE_URL=OUR_WALLET, **settings)
    app = create_wallet(read_wallet_settings(values), cost=Cost(memory=64, passes=1), later=at_once)
    return Owner(Person.joins(app), values)


def person(ground: Ground, **settings: str) -> Person:
    """The owner of a new wallet."""
    return owner(ground, **settings).person
