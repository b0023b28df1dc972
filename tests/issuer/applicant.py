"""A wallet that signs its person in: pushed requests, the desk's pages, codes, keys and attestations."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ssi.keys import SoftwareSigner
from ssi.oauth import AuthorizationQuery, Callback, clients, dpop, pkce
from tests.issuer.world import BASE, World
from tests.ssi.certificates import Authority, root

CLIENT = "https://wallet.test"
BACK = "https://wallet.test/authorized"
OTHER = "https://other.test"
SCOPE = "verified_person"
WALLETS = {
    "clients": {
        CLIENT: {"name": "A Wallet", "redirect_uris": [BACK, "http://127.0.0.1:8000/cb"]},
        OTHER: {"name": "Another", "redirect_uris": ["https://other.test/cb"]},
    }
}
HTML = {"Accept": "text/html"}


@dataclass
class Provider:
    """A wallet provider under an authority, and what it attests."""

    world: World
    authority: Authority = field(default_factory=root)
    signer: SoftwareSigner = field(default_factory=lambda: SoftwareSigner.generate("ES256"))

    def attestation(self, instance: SoftwareSigner, **changes: Any) -> str:
        terms = {
            "signer": self.signer,
            "x5c": (self.authority.certify(self.signer.public),),
            "client_id": CLIENT,
            "instance": instance.public,
            "now": self.world.clock(),
            "lifetime": timedelta(hours=1),
            **changes,
        }
        return clients.make_attestation(**terms)


@dataclass
class Applicant:
    """One wallet with its keys, and one browser."""

    world: World
    provider: Provider | None = None
    key: SoftwareSigner | None = field(default_factory=lambda: SoftwareSigner.generate("ES256"))
    instance: SoftwareSigner = field(default_factory=lambda: SoftwareSigner.generate("ES256"))
    verifier: str = pkce.new_verifier(lambda size: b"\x07" * size)
    count: int = 0

    # --- the wallet ---

    def headers(self, path: str, **dpop_terms: Any) -> dict[str, str]:
        """DPoP proof and attestation for a request to `path`, as this wallet has keys and a provider."""
        made: dict[str, str] = {}
        if self.key is not None:
            made[dpop.HEADER] = self.proof(path, **dpop_terms)
        if self.provider is not None:
            made.update(self.attested())
        return made

    def proof(self, path: str, **terms: Any) -> str:
        self.count += 1
        usual = {"signer": self.key, "method": "POST", "url": f"{BASE}{path}", "now": self.world.clock()}
        return dpop.make(**{**usual, "jti": f"jti-{id(self)}-{self.count}", **terms})

    def attested(self, **pop: Any) -> dict[str, str]:
        assert self.provider is not None
        self.count += 1
        terms = {"signer": self.instance, "audience": BASE, "now": self.world.clock(), "jti": f"pop-{self.count}"}
        if "challenge" not in pop:
            pop["challenge"] = self.world.post("/challenge").json["attestation_challenge"]
        return {
            clients.HEADER: self.provider.attestation(self.instance),
            clients.POP_HEADER: clients.make_pop(**{**terms, **pop}),
        }

    def query(self, **changes: Any) -> AuthorizationQuery:
        usual = {"client_id": CLIENT, "redirect_uri": BACK, "code_challenge": pkce.challenge(self.verifier)}
        return AuthorizationQuery(**{**usual, "state": "st", "scope": (SCOPE,), **changes})

    def push(self, headers: dict[str, str] | None = None, **changes: Any) -> TestResponse:
        made = self.attested() if headers is None and self.provider is not None else headers
        return self.world.post("/par", data=self.query(**changes).form, headers=made or {})

    # --- the browser ---

    def browser(self) -> FlaskClient:
        return self.world.app.test_client()

    def arrive(self, browser: FlaskClient, request_uri: str, client_id: str = CLIENT) -> TestResponse:
        query = {"client_id": client_id, "request_uri": request_uri}
        return browser.get("/authorize", query_string=query, base_url=BASE, headers=HTML)

    def sign_in(self, browser: FlaskClient, reference: str, code: str) -> TestResponse:
        form = {"reference": reference, "code": code}
        return browser.post("/authorize/sign-in", data=form, base_url=BASE, headers=HTML)

    def allow(self, browser: FlaskClient, word: str = "allow") -> Callback:
        answer = browser.post(f"/authorize/{word}", base_url=BASE, headers=HTML)
        assert answer.status_code == 303, answer.text
        return Callback.parse(parse_qsl(urlsplit(answer.headers["Location"]).query))

    def code(self, reference: str, tx_code: str, **changes: Any) -> str:
        """A code, by way of everything before it."""
        pushed = self.push(**changes)
        assert pushed.status_code == 201, pushed.text
        browser = self.browser()
        assert self.arrive(browser, pushed.json["request_uri"]).status_code == 303
        signed = self.sign_in(browser, reference, tx_code)
        assert signed.status_code == 303, signed.text
        answer = self.allow(browser)
        assert answer.code is not None
        return answer.code

    # --- the token endpoint ---

    def nonce(self) -> str:
        """The authorization server's nonce, as its answers bring it."""
        answer = self.world.post("/token", data={"grant_type": "x"})
        return str(answer.headers[dpop.NONCE_HEADER])

    def form(self, code: str, /, **changes: str | None) -> dict[str, str]:
        usual = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": self.verifier,
            "client_id": CLIENT,
        }
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def redeem(self, code: str, /, headers: dict[str, str] | None = None, **changes: str | None) -> TestResponse:
        made = self.headers("/token", nonce=self.nonce()) if headers is None else headers
        return self.world.post("/token", data=self.form(code, **changes), headers=made)

    def refresh(self, token: str, headers: dict[str, str] | None = None) -> TestResponse:
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": CLIENT}
        made = self.headers("/token", nonce=self.nonce()) if headers is None else headers
        return self.world.post("/token", data=form, headers=made)

    # --- the credential endpoint ---

    def credential(
        self, access_token: str, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> TestResponse:
        if headers is None:
            nonce = self.world.post("/nonce").headers[dpop.NONCE_HEADER]
            proof = self.proof("/credential", nonce=nonce, access_token=access_token)
            headers = {"Authorization": f"DPoP {access_token}", dpop.HEADER: proof}
        return self.world.post("/credential", json=body, headers=headers)


def listed(world: World) -> World:
    """A desk that knows two wallets by a list."""
    path = world.folder / "wallets.json"
    path.write_text(json.dumps(WALLETS))
    world.options = {**world.options, "WALLETS": str(path)}
    return world


def offered(world: World, **form: Any) -> tuple[str, str, str]:
    """An offer to sign in for: the reference, the offer's address, the six digits."""
    made = world.apply()
    assert made.status_code == 201, made.text
    return (made.json["id"], *world.offer(made.json["id"], **{"way": "sign-in", **form}))
