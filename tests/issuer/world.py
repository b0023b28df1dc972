"""A desk in one process: its own folder, a clock that is moved by hand, a matcher that is told what to say."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, text
from werkzeug.test import TestResponse

from biometrics.matcher import MatchDecision, MatchEvidence, Model, Reason, Threshold
from service.bootstrap import bootstrap
from ssi.keys import SoftwareSigner
from ssi.oid4vci import PRE_AUTHORIZED_CODE, proof
from ssi.trust import x509
from tests.support import InMemoryFetch
from wallet.issuer.settings import IssuerSettings, read_settings
from wallet.issuer.web import create_app

BASE = "https://issuer.test"
START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PERSON: Mapping[str, str] = {
    "given_name": "Zoë Ann",
    "family_name": "Quantock",
    "birthdate": "2008-11-21",
    "nationalities": "DE",
    "document_type": "passport",
    "document_number": "C01X00T47",
    "issuing_country": "DE",
    "issuing_authority": "Stadt Köln",
    "document_expiry": "2099-05-01",
}
PORTRAIT = b"\xff\xd8portrait-bytes-4711"
SELFIE = b"\xff\xd8selfie-bytes-4712"


@dataclass
class Clock:
    """The desk's time."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def pass_time(self, **units: int) -> None:
        self.at += timedelta(**units)


@dataclass
class ToldMatcher:
    """Says what it was told to say, and remembers what it was shown."""

    accepts: bool = True
    trouble: Exception | None = None
    shown: list[tuple[bytes, tuple[bytes, ...]]] = field(default_factory=list)
    NAME: str = "told"

    def compare(self, portrait: bytes, selfies: Sequence[bytes]) -> MatchDecision:
        self.shown.append((portrait, tuple(selfies)))
        if self.trouble is not None:
            raise self.trouble
        return decision(accepted=self.accepts)


@dataclass
class World:
    """One desk and everybody who talks to it."""

    folder: Path
    options: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    matcher: ToldMatcher = field(default_factory=ToldMatcher)
    holder: SoftwareSigner = field(default_factory=lambda: SoftwareSigner.generate("ES256"))

    @cached_property
    def settings(self) -> IssuerSettings:
        bootstrap(self.folder, hosts=(), base_urls={"issuer": BASE}, now=self.clock.at - timedelta(hours=1))
        values = {"FACET_ISSUER_DATA": str(self.folder), "FACET_ISSUER_BASE_URL": BASE}
        return read_settings({**values, **{f"FACET_ISSUER_{name}": value for name, value in self.options.items()}})

    @cached_property
    def app(self) -> Flask:
        return self.start()

    def start(self) -> Flask:
        """Another process of the same desk."""
        fetch = InMemoryFetch({})
        return create_app(self.settings, now=self.clock, fetch=fetch, matcher=self.matcher)

    @property
    def fetch(self) -> InMemoryFetch:
        return InMemoryFetch({BASE: self.app})

    @property
    def desk_token(self) -> str:
        return self.settings.desk_token_file.read_text().strip()

    @property
    def anchors(self) -> tuple[bytes, ...]:
        _ = self.settings
        return x509.read_certificates((self.folder / "trust" / "issuer-ca.pem").read_bytes())

    @cached_property
    def database(self) -> Engine:
        return create_engine(self.settings.service.database_url)

    def rows(self, table: str) -> list[dict[str, Any]]:
        with self.database.connect() as connection:
            return [dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()]

    # --- a clerk's program ---

    def client(self, app: Flask | None = None) -> FlaskClient:
        return (app or self.app).test_client(use_cookies=False)

    def desk(self, method: str, path: str, **given: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.desk_token}", "Accept": "application/json"}
        return self.client().open(path, method=method, headers=headers, base_url=BASE, **given)

    def apply(self, **changes: Any) -> TestResponse:
        form = {**PERSON, "portrait": picture(PORTRAIT), "selfie": [picture(SELFIE)], **changes}
        data = {name: value for name, value in form.items() if value is not None}
        return self.desk("POST", "/desk/applications", data=data, content_type="multipart/form-data")

    def offered(self) -> tuple[str, str, str]:
        """Apply and offer: the application's id, the offer's address, the transaction code."""
        made = self.apply()
        assert made.status_code == 201, made.text
        identifier = made.json["id"]
        return (identifier, *self.offer(identifier))

    def offer(self, identifier: str, **form: str) -> tuple[str, str]:
        answer = self.desk("POST", f"/desk/applications/{identifier}/offer", data=form)
        assert answer.status_code == 201, answer.text
        uri = parse_qs(urlsplit(answer.json["offer_uri"]).query)["credential_offer_uri"][0]
        return uri, answer.json["tx_code"]

    # --- a wallet ---

    def get(self, path: str, **given: Any) -> TestResponse:
        return self.client().get(path.removeprefix(BASE), base_url=BASE, **given)

    def post(self, path: str, **given: Any) -> TestResponse:
        return self.client().post(path, base_url=BASE, **given)

    def code(self, uri: str) -> str:
        grants = self.get(uri).json["grants"]
        return str(grants[PRE_AUTHORIZED_CODE]["pre-authorized_code"])

    def token(self, uri: str, tx_code: str | None, **more: str) -> TestResponse:
        return self.redeem(self.code(uri), tx_code, **more)

    def redeem(self, code: str, tx_code: str | None, **more: str) -> TestResponse:
        form = {"grant_type": PRE_AUTHORIZED_CODE, "pre-authorized_code": code, "tx_code": tx_code, **more}
        return self.post("/token", data={name: value for name, value in form.items() if value is not None})

    def nonce(self) -> str:
        return str(self.post("/nonce").json["c_nonce"])

    def proof(self, **changes: Any) -> str:
        terms = {"signer": self.holder, "audience": BASE, "now": self.clock(), **changes}
        if "nonce" not in terms:
            terms["nonce"] = self.nonce()
        return proof.make(**terms)

    def credential(self, access_token: str, body: Mapping[str, Any] | None = None, **headers: str) -> TestResponse:
        if body is None:
            body = {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": [self.proof()]}}
        return self.post("/credential", json=body, headers={"Authorization": f"Bearer {access_token}", **headers})

    def granted(self) -> str:
        """An access token, by way of everything before it."""
        _, uri, tx_code = self.offered()
        return str(self.token(uri, tx_code).json["access_token"])

    def issued(self) -> str:
        """A credential, by way of everything before it."""
        answer = self.credential(self.granted())
        assert answer.status_code == 200, answer.text
        return str(answer.json["credentials"][0]["credential"])


def picture(data: bytes, name: str = "picture.jpg") -> tuple[io.BytesIO, str]:
    return io.BytesIO(data), name


def decision(*, accepted: bool) -> MatchDecision:
    """A decision as the real matcher would word it."""
    model = Model("told", "00" * 32)
    evidence = MatchEvidence(
        matcher="told",
        tier="test",
        embedder=model,
        landmarks=model,
        threshold=Threshold("cosine", "0.9", "far<=1e-3", "none"),
        frames_given=1,
        frames_used=1,
        result="verified" if accepted else "not-verified",
    )
    if accepted:
        return MatchDecision(True, (), evidence)  # a field of a value
    blurred = Reason("face.blurred", "The face is blurred. Hold still.", "selfie", 0)
    return MatchDecision(False, (blurred, Reason("match.below_threshold", "No match.", "selfie")), evidence)


def payload(wire: str) -> dict[str, Any]:
    """The issuer-signed part of a credential, unverified."""
    body = wire.partition("~")[0].split(".")[1]
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return value


def error(response: TestResponse) -> tuple[int, str]:
    """Status and code of a refusal."""
    assert response.is_json, response.text
    assert set(response.json) <= {"error", "error_description", "fields"}
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*", response.json.get("error_description", ""))
    return response.status_code, response.json["error"]
