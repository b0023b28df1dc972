"""Both conformance services in memory: the verifier reaches the issuer's status lists, and nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.settings import read
from ssi import suites
from ssi.dids import key as did_key
from ssi.keys import Signer, SoftwareSigner
from ssi.suites import proofs
from tests.support import NOW, InMemoryFetch
from verifier.conformance.web import create_app as verifying_app
from wallet.issuer.conformance.web import create_app as issuing_app

V2 = "https://www.w3.org/ns/credentials/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
ISSUER = "https://issuer.test"
CHALLENGE, DOMAIN = "b0ab8f2c", "https://verifier.test"
PROOF_ONLY = {"checks": ["proof"]}


class Town:
    """Two applications with one clock."""

    def __init__(self) -> None:
        self.now = NOW
        self.network: dict[str, Any] = {}
        fetch = InMemoryFetch(self.network)
        self._verifying = verifying_app(
            read("verifier", {"FACET_VERIFIER_BASE_URL": "https://verifier.test"}), now=lambda: self.now, fetch=fetch
        )
        self._issuing = issuing_app(
            read("issuer", {"FACET_ISSUER_BASE_URL": ISSUER}), now=lambda: self.now, fetch=fetch
        )
        self.network[ISSUER] = self._issuing

    @cached_property
    def issuer(self) -> FlaskClient:
        return self._issuing.test_client()

    @cached_property
    def verifier(self) -> FlaskClient:
        return self._verifying.test_client()

    @cached_property
    def dids(self) -> Mapping[str, str]:
        told: dict[str, Any] = self.issuer.get("/conformance").json
        return told["issuers"]  # type: ignore[no-any-return]

    def issue(self, path: str, credential: Any, **options: Any) -> TestResponse:
        return self.issuer.post(f"/{path}/credentials/issue", json={"credential": credential, "options": options})

    def issued(self, path: str, credential: Any = None, **options: Any) -> dict[str, Any]:
        answer = self.issue(path, credential or self.credential(path), **options)
        assert answer.status_code == 201, answer.json
        return answer.json["verifiableCredential"]  # type: ignore[no-any-return]

    def derived(self, credential: Any, *pointers: str) -> dict[str, Any]:
        body = {"verifiableCredential": credential, "options": {"selectivePointers": list(pointers)}}
        answer = self.issuer.post("/credentials/derive", json=body)
        assert answer.status_code == 201, answer.json
        return answer.json["verifiableCredential"]  # type: ignore[no-any-return]

    def verify(self, credential: Any, **options: Any) -> TestResponse:
        return self.verifier.post("/credentials/verify", json={"verifiableCredential": credential, "options": options})

    def verify_presentation(self, presentation: Any, **options: Any) -> TestResponse:
        body = {"verifiablePresentation": presentation, "options": options}
        return self.verifier.post("/presentations/verify", json=body)

    def credential(self, path: str, **more: Any) -> dict[str, Any]:
        return {
            "@context": [V2, EXAMPLES],
            "type": ["VerifiableCredential", "ExampleAlumniCredential"],
            "issuer": self.dids[path],
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialSubject": {"id": "did:example:alice", "name": "Alice", "alumniOf": "The School of Examples"},
            **more,
        }

    def presentation(self, *credentials: Any, holder: Signer | None = None, **more: Any) -> dict[str, Any]:
        """A presentation signed by a holder's Ed25519 key, for the usual challenge and domain unless `more` says."""
        signer = holder or SoftwareSigner.generate("EdDSA")
        document = {
            "@context": [V2],
            "type": ["VerifiablePresentation"],
            "holder": more.pop("named", did_key.from_public(signer.public)),
            "verifiableCredential": list(credentials),
        }
        return proofs.add(
            document,
            suite=suites.by_name("eddsa-rdfc-2022"),
            signer=signer,
            verification_method=did_key.url(signer.public),
            created=NOW,
            **{"purpose": "authentication", "challenge": CHALLENGE, "domain": DOMAIN, **more},
        )
