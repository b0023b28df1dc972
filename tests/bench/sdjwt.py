"""SD-JWT: issue, present, verify 21 disclosures with key binding, against bare signatures and PyPI `sd-jwt`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from time import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

from ssi import jose
from ssi.formats import sdjwt
from ssi.keys import PublicKey, SoftwareSigner
from ssi.model import Challenge, ClaimPath, Credential, Disclosure, Draft, Issuer, Outcome, Presentation, ResolvedKey
from tests.bench.measure import Operation, Row, at_most, cpu_ms, faster

TITLE = "SD-JWT: 21 disclosures, key binding"
ISSUER = "https://issuer.example"
CHALLENGE = Challenge(nonce="kq3Zr0lXbV9mJ1c7Yw2hTg", audience="x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk")
CLAIMS: dict[str, Any] = {
    "given_name": "Erika",
    "family_name": "Mustermann",
    "birthdate": "1984-01-26",
    "age_over_16": True,
    "age_over_18": True,
    "age_over_21": True,
    "age_over_65": False,
    "birth_family_name": "Gabler",
    "place_of_birth": "Berlin",
    "sex": 2,
    "email": "erika@mustermann.example",
    "phone_number": "+49-123-4567890",
    "nationalities": ["DE", "FR"],
    "document_type": "passport",
    "document_number": "C01X00T478",
    "issuing_country": "DE",
    "issuing_authority": "Bundesrepublik Deutschland",
    "expiry_date": "2034-01-15",
    "street_address": "Heidestraße 17, 51147 Köln",
    "biometric_evidence": {"method": "face-match", "decision": "accepted", "liveness": "not performed"},
    "locale": "de-DE",
}
PATHS: tuple[ClaimPath, ...] = tuple((name,) for name in CLAIMS)


@dataclass(frozen=True)
class FixedKeys:
    """A resolver that has the issuer's key at hand, as one with a warm cache does."""

    key: PublicKey

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        return ResolvedKey(self.key, "issuer-metadata")

    def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
        raise NotImplementedError


@dataclass(frozen=True)
class Case:
    """One credential of one pair of algorithms, with everything that the three operations need."""

    issuer: SoftwareSigner
    holder: SoftwareSigner
    now: datetime

    @property
    def keys(self) -> FixedKeys:
        return FixedKeys(self.issuer.public)

    def issue(self) -> Credential:
        draft = Draft("urn:example:person:1", Issuer(ISSUER, self.issuer.kid), CLAIMS, PATHS)
        return sdjwt.issue(draft, signer=self.issuer, holder=self.holder.public, now=self.now)

    def present(self, credential: Credential) -> Presentation:
        shown = Disclosure(PATHS)
        return sdjwt.derive(credential, disclose=shown, challenge=CHALLENGE, holder=self.holder, now=self.now)

    def verify(self, presentation: Presentation, keys: FixedKeys) -> None:
        opened = sdjwt.open(presentation, challenge=CHALLENGE, keys=keys, now=self.now)
        if any(finding.outcome is not Outcome.PASS for finding in opened.findings):
            raise ValueError("the presentation was refused")


def rows() -> list[Row]:
    """Issue, present and verify, for ES256 and EdDSA, and for EdDSA issuers with ES256 holders."""
    now = datetime.now(UTC)
    made: list[Row] = []
    for issuer, holder in (("ES256", "ES256"), ("EdDSA", "EdDSA"), ("EdDSA", "ES256")):
        case = Case(SoftwareSigner.generate(issuer), SoftwareSigner.generate(holder), now)
        made += _compare(case, issuer if issuer == holder else f"{issuer} issuer, {holder} holder")
    return made


def _compare(case: Case, label: str) -> list[Row]:
    credential = case.issue()
    presentation = case.present(credential)
    if len(credential.wire.split("~")) != len(CLAIMS) + 2:
        raise ValueError("not 21 disclosures")
    keys = case.keys
    ours: dict[str, Operation] = {
        "issue": case.issue,
        "present": lambda: case.present(credential),
        "verify": lambda: case.verify(presentation, keys),
    }
    contenders = {f"ours {name}": operation for name, operation in ours.items()}
    contenders |= {f"floor {name}": operation for name, operation in _floor(case, presentation).items()}
    peer_binds = case.holder.public.algorithm.name == "ES256"
    peer = _peer(case, presentation, binding=peer_binds)
    contenders |= {f"peer {name}": operation for name, operation in peer.items()}
    ms = cpu_ms(contenders)
    made: list[Row] = []
    floor = f"cryptography {version('cryptography')}, signatures alone"
    limits = {"issue": 4.0, "present": None, "verify": 1.6}
    for name in ours:
        made.append(at_most(f"sd-jwt {name} {label}", ms[f"ours {name}"], floor, ms[f"floor {name}"], limits[name]))
        made.append(_against_peer(name, label, ms, binding=peer_binds))
    return made


def _against_peer(name: str, label: str, ms: dict[str, float], *, binding: bool) -> Row:
    title, ours, theirs = f"sd-jwt {name} {label}", ms[f"ours {name}"], ms[f"peer {name}"]
    peer = f"sd-jwt {version('sd-jwt')}"
    if name != "verify":
        return faster(title, ours, peer, theirs)
    if not binding:
        return faster(title, ours, f"{peer} WITHOUT key binding (it fails on holder keys other than ES256)", theirs)
    return faster(title, ours, peer, theirs, 2.0)


def _floor(case: Case, presentation: Presentation) -> dict[str, Operation]:
    """The signature operations of each job and nothing else: keys loaded, messages and DER signatures at hand."""
    token, binding = presentation.wire.split("~")[0], presentation.wire.split("~")[-1]
    issued, bound = jose.parse(token, typ=None), jose.parse(binding, typ=None)
    check_issued, check_bound = _bare_verify(case.issuer.public, issued), _bare_verify(case.holder.public, bound)

    def verify() -> None:
        check_issued()
        check_bound()

    return {
        "issue": _bare_sign(case.issuer, issued.signing_input),
        "present": _bare_sign(case.holder, bound.signing_input),
        "verify": verify,
    }


def _bare_sign(signer: SoftwareSigner, message: bytes) -> Operation:
    native = signer.native
    if isinstance(native, ed25519.Ed25519PrivateKey):
        return lambda: native.sign(message)
    scheme = ec.ECDSA(SHA256())
    return lambda: native.sign(message, scheme)


def _bare_verify(key: PublicKey, token: jose.Jws) -> Operation:
    native, message, signature = key.native, token.signing_input, token.signature
    if isinstance(native, ed25519.Ed25519PublicKey):
        return lambda: native.verify(signature, message)
    half = len(signature) // 2
    der = encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
    scheme = ec.ECDSA(SHA256())
    return lambda: native.verify(der, message, scheme)


def _peer(case: Case, presentation: Presentation, *, binding: bool) -> dict[str, Operation]:
    """The same jobs by PyPI `sd-jwt`, which verifies our own presentation."""
    issuer_key, holder_key = JWK.from_pyca(case.issuer.native), JWK.from_pyca(case.holder.native)
    issuer_public, alg, holder_alg = (
        _public(issuer_key),
        case.issuer.public.algorithm.name,
        case.holder.public.algorithm.name,
    )
    registered = {"iss": ISSUER, "iat": int(time()), "vct": "urn:example:person:1"}
    claims = {**registered, **{SDObj(name): value for name, value in CLAIMS.items()}}
    asked = {"expected_aud": CHALLENGE.audience, "expected_nonce": CHALLENGE.nonce} if binding else {}
    shown = dict.fromkeys(CLAIMS, True)

    def issue() -> str:
        made: str = SDJWTIssuer(claims, issuer_key, holder_key, sign_alg=alg).sd_jwt_issuance
        return made

    issued = issue()

    def present() -> None:
        SDJWTHolder(issued).create_presentation(shown, CHALLENGE.nonce, CHALLENGE.audience, holder_key, holder_alg)

    def verify() -> None:
        SDJWTVerifier(presentation.wire, _always(issuer_public), **asked).get_verified_payload()

    return {"issue": issue, "present": present, "verify": verify}


def _public(key: JWK) -> JWK:
    return JWK.from_json(key.export_public())


def _always(key: JWK) -> Callable[..., JWK]:
    return lambda *_: key
