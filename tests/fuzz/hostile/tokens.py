"""Credentials in envelopes, JOSE and COSE: large ones, wide ones, and headers that say too much."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ssi import jose
from ssi.cose import sign1
from ssi.dids import key as did_key
from ssi.encoding import b64url
from tests.fuzz.hostile.bombs import bombs
from tests.fuzz.hostile.making import V2, Named, credential
from tests.ssi import drafts, mdocs

V1 = "https://www.w3.org/2018/credentials/v1"


def _payloads(salt: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Documents for envelopes, which nothing but size bounds."""
    for name, document in bombs(salt):
        if name in ("wide", "set", "types", "text", "contexts", "context-too-many", "context-too-large", "too-deep"):
            yield name, document
    names = [f"m{salt}x{number}" for number in range(60_000)]
    yield "wide-60000", credential(salt, subject=dict.fromkeys(names, 1))
    yield "wide-known-context", {**credential(salt, subject=dict.fromkeys(names, 1)), "@context": [V2]}
    yield "objects-6000", credential(salt, subject={"m": [{"n": {"o": {}}} for _ in range(6_000)]})
    yield "subjects-1000", credential(salt, subject=[{"n": {"type": "X"}} for _ in range(1000)])
    status = {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "1",
        "statusListCredential": "https://issuer.test/status/1",
    }
    yield "statuses-1000", credential(salt, credentialStatus=[status] * 1000)
    yield "statuses-4000", credential(salt, credentialStatus=[status] * 4000)
    schema = {"id": "https://issuer.test/schema", "type": "JsonSchema"}
    yield "schemas-1000", credential(salt, credentialSchema=[schema] * 1000)
    resource = {"id": V2, "digestSRI": "sha384-" + "A" * 64}
    yield "resources-1000", credential(salt, relatedResource=[resource] * 1000)
    yield "types-1000", {**credential(salt), "type": ["VerifiableCredential", *(f"T{n}" for n in range(990))]}
    yield "evidence-9000", credential(salt, evidence=[{"type": "E", "e": {}} for _ in range(9000)])
    yield "languages-1000", credential(salt, name=[{"@value": "x", "@language": "en"} for _ in range(1000)])


def inputs(salt: int, name: str) -> Iterator[Named]:
    kind = name.rsplit("-", 1)[0]
    for label, document in _payloads(salt):
        wire = _signed(kind, document)
        yield label, wire
        if name.endswith("presentation"):
            yield f"{label}-presented", _enveloped(kind, wire)
    for label, header in _headers():
        yield label, jose.sign(credential(salt), signer=drafts.ISSUER, header={"typ": kind, **header}).encode()


def _signed(kind: str, document: dict[str, Any]) -> bytes:
    method, issuer = did_key.url(drafts.ISSUER.public), document["issuer"]
    if kind == "jwt_vc_json":
        old = {**document, "@context": [V1, *document["@context"][1:]], "issuanceDate": "2026-01-01T00:00:00Z"}
        payload = json.dumps({"iss": issuer, "nbf": 1_767_225_600, "vc": {**old, "issuer": issuer}}).encode()
        return jose.sign(payload, signer=drafts.ISSUER, header={"typ": "JWT", "kid": method}).encode()
    if kind == "vc+cose":
        whole = json.dumps(document).encode()
        protected = {3: "application/vc", 4: method.encode(), 16: "application/vc+cose"}
        return b64url(sign1.sign(whole, protected=protected, signer=drafts.ISSUER)).encode()
    whole = json.dumps({"iss": issuer, **document}).encode()
    token = jose.sign(whole, signer=drafts.ISSUER, header={"typ": kind, "kid": method}).encode()
    return token + b"~" if kind == "vc+sd-jwt" else token


def _enveloped(kind: str, wire: bytes) -> bytes:
    method = did_key.url(drafts.HOLDER.public)
    holder = method.partition("#")[0]
    document = {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": holder,
        "verifiableCredential": [
            {"@context": V2, "type": "EnvelopedVerifiableCredential", "id": f"data:application/{kind},{wire.decode()}"}
        ],
    }
    asked = {"iss": holder, "aud": drafts.CHALLENGE.audience, "nonce": drafts.CHALLENGE.nonce}
    header = {"typ": kind.replace("vc", "vp"), "kid": method}
    return jose.sign({**asked, **document}, signer=drafts.HOLDER, header=header).encode()


def _headers() -> Iterator[tuple[str, dict[str, Any]]]:
    der = b64url(mdocs.CERTIFICATE).replace("-", "+").replace("_", "/")
    der += "=" * (-len(der) % 4)
    yield from (
        ("x5c-8", {"x5c": [der] * 8}),
        ("x5c-1000", {"x5c": [der] * 1000}),
        ("x5c-zeros", {"x5c": ["A" * 16_000] * 3}),
        ("x5c-sequences", {"x5c": ["MIIwMIIw" * 2000] * 3}),
        ("kid-long", {"kid": "did:key:z" + "1" * 40_000}),
        ("kid-web", {"kid": "did:web:" + "a:" * 20_000 + "a"}),
        ("kid-jwk", {"kid": "did:jwk:" + "e" * 40_000}),
        ("crit", {"crit": ["a"] * 10_000}),
        ("header-members", {f"h{n}": n for n in range(5_000)}),
        ("header-nested", {"h": [[[[]]]] * 5_000}),
    )
