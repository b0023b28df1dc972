"""The wallet's test world: a fake issuer and a fake asker on an in-memory network, and people with browsers."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.bootstrap import bootstrap
from ssi import dcql, oid4vp
from ssi.encoding import read_json_object, write_json
from ssi.errors import Unavailable
from ssi.fetch import Response
from ssi.formats import sdjwt
from ssi.issuerkeys import Keys
from ssi.keys import PublicKey, SoftwareSigner
from ssi.model import Credential, Draft, Issuer, Opened, Presentation, StatusRef
from ssi.oid4vci import (
    AuthorizationServer,
    ClaimDescription,
    Configuration,
    CredentialOffer,
    CredentialRequest,
    CredentialResponse,
    Display,
    IssuerMetadata,
    OAuthError,
    OfferReference,
    PreAuthorized,
    TokenResponse,
    TxCode,
    offer_link,
    proof,
)
from ssi.status import token_status_list
from ssi.trust import x509
from tests.support import NOW, InMemoryFetch
from wallet.holder.passphrase import Cost
from wallet.holder.receive import at_once
from wallet.holder.settings import WalletSettings, read_settings
from wallet.holder.web import create_app

ISSUER = "https://issuer.test"
SHOP = "https://shop.test"
WALLET = "https://localhost:8442"
PERSON = "urn:facet:credential:verified-person:1"
PASSPHRASE = "correct horse battery"
CLAIMS: Mapping[str, Any] = {
    "given_name": "Eileen",
    "family_name": "Collins",
    "birthdate": "1956-11-19",
    "age_over_16": True,
    "age_over_18": True,
    "age_over_21": True,
    "age_over_65": False,
    "nationalities": ["US", "IE"],
    "document": {
        "type": "passport",
        "number": "X1234567",
        "issuing_country": "US",
        "issuing_authority": "US",
        "expiry_date": "2031-01-01",
    },
    "biometric_evidence": {"method": "face", "result": "verified", "liveness": "not performed"},
}
DISCLOSABLE = (
    *((name,) for name in CLAIMS),
    ("nationalities", 0),
    ("nationalities", 1),
    *(("document", name) for name in CLAIMS["document"]),
)


@dataclass
class Clock:
    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def move(self, **span: float) -> None:
        self.at += timedelta(**span)


class Crash(BaseException):
    """The wallet's process dies here: nothing in the product may catch it."""


@dataclass
class FakeIssuer:
    """An issuer of exactly one offer, whose every step a test may bend."""

    folder: Path
    clock: Clock
    tx_code: str | None = "493827"
    code: str = "pre-authorized-secret"
    proof_algs: tuple[str, ...] = ("ES256", "EdDSA")
    configurations: tuple[str, ...] = ("person",)
    sign_with: SoftwareSigner | None = None
    x5c: tuple[bytes, ...] = ()
    bind_to: PublicKey | None = None
    bend: Callable[[str], str] = lambda wire: wire
    draft_changes: dict[str, Any] = field(default_factory=dict)
    broken: dict[str, Any] = field(default_factory=dict)
    """Endpoint name -> Response, exception to raise, or function of (name) -> Response or None to go on."""
    used: bool = False
    tokens: set[str] = field(default_factory=set)
    nonces: set[str] = field(default_factory=set)
    issued: int = 0
    seen: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    revoked: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.signer = SoftwareSigner.from_pkcs8((self.folder / "issuer/signing.key").read_bytes())
        self.chain = x509.read_certificates((self.folder / "issuer/signing.pem").read_bytes())

    @property
    def link(self) -> str:
        return offer_link(OfferReference(f"{ISSUER}/offers/1"))

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        path = url.removeprefix(ISSUER).partition("?")[0]
        name = path.rpartition("/")[2] if "well-known" not in path else path.removeprefix("/.well-known/")
        self.seen.append((name, headers, body))
        bent = self.broken.get(name)
        if isinstance(bent, Response):
            return bent
        if isinstance(bent, BaseException):
            raise bent
        if callable(bent):
            answer = bent(name)
            if answer is not None:
                return answer
        try:
            return json_response(200, self._answer(path, method, headers, body), url)
        except OAuthError as error:
            return json_response(error.status, error.json, url)

    def _answer(self, path: str, method: str, headers: Mapping[str, str], body: bytes) -> Any:
        if path == "/offers/1":
            return self.offer.json
        if path == "/.well-known/openid-credential-issuer":
            return self.metadata.json
        if path == "/.well-known/oauth-authorization-server":
            return AuthorizationServer(ISSUER, f"{ISSUER}/token", anonymous_access=True).json
        if path == "/status":
            return self._status_list()
        assert method == "POST"
        return {"/token": self._token, "/nonce": self._nonce, "/credential": self._credential}[path](headers, body)

    @property
    def offer(self) -> CredentialOffer:
        code = None if self.tx_code is None else TxCode(length=len(self.tx_code), description="It is on your receipt.")
        return CredentialOffer(ISSUER, self.configurations, PreAuthorized(self.code, code))

    @property
    def metadata(self) -> IssuerMetadata:
        claims = tuple(
            ClaimDescription((name,), display=(Display(text),))
            for name, text in (("given_name", "First name"), ("birthdate", "Date of birth"))
        )
        configurations = {
            name: Configuration(
                id=name,
                format="dc+sd-jwt",
                vct=PERSON,
                binding_methods=("jwk",),
                proof_algs={"jwt": self.proof_algs},
                display=(Display("Verified person", description="Who you are, checked in person."),),
                claims=claims,
            )
            for name in self.configurations
        }
        return IssuerMetadata(
            ISSUER, f"{ISSUER}/credential", configurations, f"{ISSUER}/nonce", display=(Display("Test desk"),)
        )

    def _token(self, _headers: Mapping[str, str], body: bytes) -> Any:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if form.get("pre-authorized_code") != self.code or self.used or form.get("tx_code") != self.tx_code:
            raise OAuthError("invalid_grant", "The code is wrong.")
        self.used = True
        self.tokens.add(token := secrets.token_urlsafe(16))
        return TokenResponse(token, 600).json

    def _nonce(self, _headers: Mapping[str, str], _body: bytes) -> Any:
        self.nonces.add(nonce := secrets.token_urlsafe(16))
        return {"c_nonce": nonce}

    def _credential(self, headers: Mapping[str, str], body: bytes) -> Any:
        if headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            raise OAuthError("invalid_token", "The token is not known.")
        request = CredentialRequest.parse(body)
        found = proof.verify(
            request.proofs[0], audience=ISSUER, algs=self.proof_algs, keys=Keys(InMemoryFetch({})), now=self.clock()
        )
        if found.nonce not in self.nonces:
            raise OAuthError("invalid_nonce", "The nonce is not known.")
        self.nonces.remove(found.nonce)
        self.issued += 1
        return CredentialResponse((self.bend(self.credential(self.bind_to or found.key).wire),)).json

    def credential(self, holder: PublicKey, **changes: Any) -> Credential:
        draft = Draft(
            type=PERSON,
            issuer=Issuer(ISSUER, None, self.x5c or self.chain),
            claims=CLAIMS,
            disclosable=DISCLOSABLE,
            valid_until=self.clock() + timedelta(days=365),
            statuses=(StatusRef("token_status_list", f"{ISSUER}/status", 7),),
        )
        draft = replace(draft, **{**self.draft_changes, **changes})
        return sdjwt.issue(draft, signer=self.sign_with or self.signer, holder=holder, now=self.clock())

    def _status_list(self) -> Any:
        statuses = token_status_list.StatusList.blank(64).changed(dict.fromkeys(self.revoked, 1))
        return token_status_list.issue(
            statuses,
            uri=f"{ISSUER}/status",
            signer=self.signer,
            x5c=self.chain,
            now=self.clock(),
            ttl=timedelta(seconds=1),
            expires=self.clock() + timedelta(hours=1),
        )


def json_response(status: int, value: Any, url: str = "") -> Response:
    if hasattr(value, "response"):  # complete already
        return value.response
    if isinstance(value, str):
        return Response(status, url, {"content-type": "application/statuslist+jwt"}, value.encode())
    return Response(status, url, {"content-type": "application/json"}, write_json(value))


AGE_QUERY = {
    "credentials": [
        {
            "id": "person",
            "format": "dc+sd-jwt",
            "meta": {"vct_values": [PERSON]},
            "claims": [{"path": ["age_over_18"]}, {"path": ["given_name"]}],
        }
    ]
}


@dataclass
class FakeAsker:
    """Somebody who asks, with a certificate that the wallet trusts unless a test takes it away."""

    folder: Path
    clock: Clock
    query: Mapping[str, Any] = field(default_factory=lambda: AGE_QUERY)
    purpose: str | None = "To sell you a bottle of wine"
    method: str = "get"
    signed: bool = True
    lifetime: timedelta = timedelta(minutes=10)
    redirect_uri: str | None = None
    answer: Any = None
    """Response, or exception to raise, instead of taking the answer."""
    received: list[dict[str, str]] = field(default_factory=list)
    nonce: str = "a-fresh-nonce-of-the-shop"
    forget_wallet_nonce: bool = False

    def __post_init__(self) -> None:
        self.signer = SoftwareSigner.from_pkcs8((self.folder / "verifier/access.key").read_bytes())
        self.chain = x509.read_certificates((self.folder / "verifier/access.pem").read_bytes())

    @property
    def client_id(self) -> str:
        return oid4vp.x509_hash_client_id(self.chain[0]) if self.signed else f"redirect_uri:{SHOP}/answer"

    @property
    def link(self) -> str:
        if not self.signed:
            said = self.request.parameters()
            flat = {name: one if isinstance(one, str) else write_json(one).decode() for name, one in said.items()}
            return f"openid4vp://?{urlencode(flat)}"
        return oid4vp.request_link(self.client_id, f"{SHOP}/request", method=self.method)

    @property
    def request(self) -> oid4vp.AuthorizationRequest:
        return oid4vp.AuthorizationRequest(
            client_id=self.client_id,
            nonce=self.nonce,
            response_uri=f"{SHOP}/answer",
            response_mode=oid4vp.DIRECT_POST,
            query=dcql.parse(self.query),
            state="state-of-the-shop",
            purpose=self.purpose,
        )

    def __call__(self, method: str, url: str, _headers: Mapping[str, str], body: bytes) -> Response:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if url == f"{SHOP}/request":
            assert method == self.method.upper()
            nonce = None if self.forget_wallet_nonce else form.get("wallet_nonce")
            token = oid4vp.sign_request(
                self.request,
                signer=self.signer,
                x5c=self.chain,
                now=self.clock(),
                lifetime=self.lifetime,
                wallet_nonce=nonce,
            )
            return Response(200, url, {"content-type": oid4vp.REQUEST_MEDIA_TYPE}, token.encode())
        assert url == f"{SHOP}/answer"
        if isinstance(self.answer, BaseException):
            raise self.answer
        if isinstance(self.answer, Response):
            return self.answer
        self.received.append(form)
        return json_response(200, {"redirect_uri": self.redirect_uri} if self.redirect_uri else {})

    def opened(self, query_id: str = "person") -> Opened:
        """What arrived, verified as a verifier would: its findings must all pass."""
        token = read_json_object(self.received[-1]["vp_token"])
        presentation = Presentation("dc+sd-jwt", token[query_id][0])
        keys = Keys(InMemoryFetch({}))
        opened = sdjwt.open(presentation, challenge=oid4vp.challenge(self.request), keys=keys, now=self.clock())
        assert {finding.outcome.value for finding in opened.findings} == {"pass"}
        return opened


def mint(folder: Path) -> Path:
    """The authorities, certificates and keys of a town."""
    urls = {"issuer": ISSUER, "wallet": WALLET, "verifier": SHOP}
    bootstrap(folder, hosts=("localhost",), base_urls=urls, now=NOW - timedelta(hours=1))
    return folder


@dataclass
class Town:
    """Everything around a wallet, and the wallet's own files."""

    folder: Path
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        if not self.folder.joinpath("wallet").exists():
            mint(self.folder)
        self.issuer = FakeIssuer(self.folder, self.clock)
        self.shop = FakeAsker(self.folder, self.clock)
        self.world: dict[str, Any] = {ISSUER: self.issuer, SHOP: self.shop}
        self.fetch = InMemoryFetch(self.world)

    def settings(self) -> WalletSettings:
        listed = self.folder / "trusted-issuers.json"
        listed.write_bytes(write_json({"https://keys.test": [PERSON]}))
        values = {"FACET_WALLET_DATA": str(self.folder), "FACET_WALLET_TRUSTED_ISSUERS": str(listed)}
        return read_settings(values)

    def app(self) -> Flask:
        """One replica of the wallet service."""
        return create_app(
            self.settings(), now=self.clock, fetch=self.fetch, cost=Cost(memory=64, passes=1), later=at_once
        )

    def away(self, base: str) -> None:
        """Somebody's server is not there any more."""
        self.world[base] = _gone

    def back(self) -> None:
        self.world.update({ISSUER: self.issuer, SHOP: self.shop})


def _gone(*_: object) -> Response:
    raise Unavailable("fetch.unreachable", "The address cannot be reached.")


@dataclass
class Person:
    """A person with a browser, who talks JSON like the demo or pages like a person."""

    client: FlaskClient
    name: str = "Ada"

    @staticmethod
    def joins(app: Flask, name: str = "Ada") -> Person:
        person = Person(app.test_client(), name)
        assert person.post("/signup", name=name, passphrase=PASSPHRASE).status_code == 201
        return person

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers={"Accept": "application/json"}, base_url=WALLET)

    def post(self, path: str, **form: str) -> TestResponse:
        return self.client.post(path, data=form, headers={"Accept": "application/json"}, base_url=WALLET)

    def page(self, path: str) -> TestResponse:
        return self.client.get(path, headers={"Accept": "text/html"}, base_url=WALLET)

    def send(self, path: str, **form: str) -> TestResponse:
        return self.client.post(path, data=form, headers={"Accept": "text/html"}, base_url=WALLET)

    def open(self, link: str) -> str:
        """Open a link; where it leads."""
        answer = self.post("/open", link=link)
        assert answer.status_code == 200, answer.json
        return str(answer.json["next"])

    def accepts(self, town: Town, *, tx_code: str = "493827") -> Mapping[str, Any]:
        """Open the issuer's offer and accept it; the settled offer."""
        place = self.open(town.issuer.link)
        answer = self.post(f"{place}/accept", tx_code=tx_code)
        assert answer.status_code == 200, answer.json
        return dict(answer.json["offer"])

    def cards(self) -> list[dict[str, Any]]:
        return list(self.get("/cards").json["cards"])

    def history(self) -> list[dict[str, Any]]:
        return list(self.get("/history").json["events"])
