"""The verifier's test world: bootstrapped certificates, an issuer, a person with a credential, an in-memory network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from service.bootstrap import bootstrap
from ssi import oid4vp, status
from ssi.errors import Refused
from ssi.fetch import Response
from ssi.formats import sdjwt
from ssi.formats.typemetadata import Types
from ssi.issuerkeys import Keys
from ssi.keys import Signer, SoftwareSigner
from ssi.model import Challenge, Credential, Disclosure, Draft, Issuer, Presentation, StatusRef
from ssi.status import token_status_list
from ssi.trust import x509
from ssi.trust.policies import Anchors
from tests.support import NOW, InMemoryFetch
from verifier import settings as settings_module
from verifier.settings import VerifierSettings
from verifier.verify import Verifier
from verifier.web import create_app

BASE = "https://localhost:8443"
ISSUER = "https://localhost:8441"
LIST = f"{ISSUER}/status/1"
PERSON = "urn:facet:credential:verified-person:1"
CLAIMS: Mapping[str, Any] = {
    "given_name": "Eileen",
    "family_name": "Collins",
    "birthdate": "1956-11-19",
    "age_over_18": True,
    "age_over_21": True,
    "age_over_65": False,
    "nationalities": ["US", "IE"],
    "document": {"type": "passport", "number": "X1234567", "issuing_country": "US", "expiry_date": "2031-01-01"},
    "biometric_evidence": {"method": "face", "liveness": "not performed"},
}
DISCLOSABLE = (
    *((name,) for name in CLAIMS if name != "nationalities"),
    ("nationalities",),
    ("nationalities", 0),
    ("nationalities", 1),
    *(("document", name) for name in CLAIMS["document"]),
)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def move(self, **span: float) -> None:
        self.at += timedelta(**span)


@dataclass
class World:
    """Everything outside the verifier, and its files."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    revoked: set[int] = field(default_factory=set)
    holder: Signer = field(default_factory=lambda: SoftwareSigner.generate("ES256"))

    def __post_init__(self) -> None:
        urls = {"issuer": ISSUER, "verifier": BASE}
        bootstrap(self.folder, hosts=("localhost",), base_urls=urls, now=NOW - timedelta(hours=1))
        self.issuer = SoftwareSigner.from_pkcs8((self.folder / "issuer/signing.key").read_bytes())
        self.x5c = x509.read_certificates((self.folder / "issuer/signing.pem").read_bytes())
        self.anchors = x509.read_certificates((self.folder / "trust/issuer-ca.pem").read_bytes())
        self.trust = Anchors(self.anchors, None)
        self.pages: dict[str, Any] = {LIST: self._status_list}
        self.fetch = InMemoryFetch(self.pages)

    @property
    def draft(self) -> Draft:
        """What the issuer says of the person."""
        return Draft(
            type=PERSON,
            issuer=Issuer(ISSUER, None, self.x5c),
            claims=CLAIMS,
            disclosable=DISCLOSABLE,
            valid_until=NOW + timedelta(days=365),
            statuses=(StatusRef("token_status_list", LIST, 7),),
        )

    def credential(self, *, signer: Signer | None = None, **changes: Any) -> Credential:
        draft = replace(self.draft, **changes)
        return sdjwt.issue(draft, signer=signer or self.issuer, holder=self.holder.public, now=NOW - timedelta(days=1))

    def present(
        self, challenge: Challenge, paths: Sequence[Sequence[str | int | None]], *, credential: Credential | None = None
    ) -> Presentation:
        return sdjwt.derive(
            credential or self.credential(),
            disclose=Disclosure(tuple(tuple(path) for path in paths)),
            challenge=challenge,
            holder=self.holder,
            now=self.clock(),
        )

    def _status_list(self, _method: str, url: str, _headers: Mapping[str, str], _body: bytes) -> Any:
        statuses = token_status_list.StatusList.blank(64).changed(dict.fromkeys(self.revoked, 1))
        token = token_status_list.issue(
            statuses,
            uri=LIST,
            signer=self.issuer,
            x5c=self.x5c,
            now=self.clock(),
            ttl=timedelta(seconds=60),
            expires=self.clock() + timedelta(hours=1),
        )
        return Response(200, url, {"content-type": "application/statuslist+jwt"}, token.encode())

    def verifier(self) -> Verifier:
        keys = Keys(self.fetch)
        checker = status.Checker(fetch=self.fetch, keys=keys, trust=self.trust, max_age=timedelta(minutes=5))
        return Verifier(keys, checker, Types(None))

    def settings(self, **changes: str) -> VerifierSettings:
        values = {
            "FACET_VERIFIER_DATA": str(self.folder),
            "FACET_VERIFIER_DATABASE_URL": f"sqlite:///{self.folder / 'verifier.db'}",
            "FACET_VERIFIER_WALLET_URL": "https://localhost:8442/authorize",
        }
        named = {f"FACET_VERIFIER_{name.upper()}": value for name, value in changes.items()}
        return settings_module.read({**values, **named})

    def app(self, **changes: str) -> Flask:
        return create_app(self.settings(**changes), now=self.clock, fetch=self.fetch)

    @property
    def api_key(self) -> str:
        return (self.folder / "verifier/api-key").read_text().strip()

    @property
    def authorized(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"}


@dataclass
class Wallet:
    """A person's wallet as a verifier meets it: fetches the request by its link, answers it."""

    world: World
    client: FlaskClient

    def open(self, link: str) -> oid4vp.AuthorizationRequest:
        """Fetch, authenticate and read the request behind a link."""
        parsed = oid4vp.parse_link(link)
        assert parsed.request_uri is not None
        answer = self.client.get(parsed.request_uri.removeprefix(BASE))
        if answer.status_code != 200:
            raise Refused(answer.json["error"], answer.json["error_description"])
        assert answer.mimetype == "application/oauth-authz-req+jwt"
        keys = Keys(self.world.fetch)
        token = answer.get_data(as_text=True)
        return oid4vp.open_request(token, link=parsed, keys=keys, now=self.world.clock()).request

    def presentation(self, request: oid4vp.AuthorizationRequest, *, credential: Credential | None = None) -> str:
        """What the query asks for, of one credential."""
        paths = [claim.path for claim in request.query.credentials[0].claims]
        return self.world.present(oid4vp.challenge(request), paths, credential=credential).wire

    def answer(self, request: oid4vp.AuthorizationRequest, *, credential: Credential | None = None) -> dict[str, str]:
        """The form that answers a request."""
        query_id = request.query.credentials[0].id
        return oid4vp.respond(request, {query_id: [self.presentation(request, credential=credential)]})

    def post(self, request: oid4vp.AuthorizationRequest, form: Mapping[str, str]) -> Any:
        """Send a form to where the request wants it."""
        return self.client.post(request.response_uri.removeprefix(BASE), data=form)
