"""The verifying half of the command line that the W3C JOSE/COSE test suite calls: one file in, one answer out.

Keys come from files, because the suite's issuers publish theirs nowhere. A document holds when it and every credential
in it are signed by a key that is told here for its issuer, and are within their time.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ssi import vcdm
from ssi.encoding import Json, read_json_object, required_text
from ssi.errors import Malformed, Refused, Unsupported
from ssi.formats import vccose, vcjwt, vcsdjwt
from ssi.formats.vcjose import Document, Kind
from ssi.keys import PublicKey
from ssi.model import Check, Finding, Issuer, MethodKey, Outcome, ResolvedKey

_READERS: Final[Mapping[str, Callable[..., Document]]] = {
    "jose": vcjwt.read_document,
    "sdjwt": vcsdjwt.read_document,
    "cose": vccose.read_document,
}
_KINDS: Final[Mapping[str, Kind]] = {"credential": "vc", "presentation": "vp"}
FEATURES: Final = tuple(f"{kind}_{way}" for kind in _KINDS for way in _READERS)
"""What the suite asks for: a kind of document, and a way of securing it."""

_ENVELOPED: Final = {"application/vc+jwt": "jose", "application/vc+sd-jwt": "sdjwt", "application/vc+cose": "cose"}


@dataclass(frozen=True)
class Told:
    """One key that was told: its names, and whose it is."""

    names: frozenset[str]
    controller: str
    key: PublicKey


def read_method(data: bytes) -> Told:
    """A verification method from a file (a JsonWebKey); what it has of secrets is not looked at.

    Raises Malformed, Unsupported (`key.*`, `encoding.*`).
    """
    method = read_json_object(data, what="verification method")
    jwk = method.get("publicKeyJwk")
    key = PublicKey.from_jwk(jwk)
    name = jwk.get("kid") if isinstance(jwk, Mapping) else None
    names = {required_text(method, "id"), key.kid, *([name] if isinstance(name, str) else [])}
    return Told(frozenset(names), required_text(method, "controller"), key)


@dataclass(frozen=True)
class ToldKeys:
    """A `KeyResolver` over the keys that were told; who has none there has none."""

    every: tuple[Told, ...]

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        """The issuer's key of this name. Raises Refused (`conformance.no_such_key`)."""
        return ResolvedKey(self._key(issuer.kid, issuer.id), "told")

    def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
        """The key of this name. Raises Refused (`conformance.no_such_key`)."""
        return self._key(kid, None)

    def method_key(self, url: str, *, relationship: str, now: datetime) -> MethodKey:
        """The key of this URL. Raises Refused (`conformance.no_such_key`)."""
        return MethodKey(self._key(url, None), url.partition("#")[0])

    def _key(self, kid: str | None, controller: str | None) -> PublicKey:
        for told in self.every:
            if kid in told.names and controller in (None, told.controller):
                return told.key
        raise Refused("conformance.no_such_key", "No key of this name was told for who must have signed.")


def verify(data: bytes, feature: str, *, signer: Told, others: ToldKeys, now: datetime) -> tuple[Finding, ...]:
    """What was found about a document that `signer` secured, and about each credential in it, whose keys are `others`.

    Raises Unsupported (`conformance.feature`), and SsiError for what cannot be read.
    """
    kind, _, way = feature.partition("_")
    if feature not in FEATURES:
        raise Unsupported("conformance.feature", f"The features are {', '.join(FEATURES)}.")
    read = _READERS[way](_plain(data, way), keys=ToldKeys((signer,)), kind=_KINDS[kind], now=now)
    findings = list(read.findings)
    if kind == "presentation":
        for credential in vcdm.presentation(read.document).credentials:
            findings += _enveloped(credential, keys=others, now=now)
    return tuple(findings)


def _plain(data: bytes, way: str) -> bytes:
    """The token itself; the suite writes COSE in base64, without its padding."""
    text = data.strip()
    if way != "cose":
        return text
    try:
        return base64.b64decode(text.rstrip(b"=") + b"=" * (-len(text.rstrip(b"=")) % 4), validate=True)
    except binascii.Error:
        raise Malformed("conformance.base64", "The file is not base64.") from None


def _enveloped(credential: Json, *, keys: ToldKeys, now: datetime) -> tuple[Finding, ...]:
    way = _ENVELOPED.get(credential.media_type) if isinstance(credential, vcdm.Envelope) else None
    if way is None:
        raise Unsupported("conformance.media_type", "A credential of the presentation is secured in an unknown way.")
    try:
        return _READERS[way](credential.data, keys=keys, kind="vc", now=now).findings
    except Malformed as malformed:
        if malformed.code != "jose.compact":
            raise
    return (_NO_TOKEN,)


_NO_TOKEN: Final = Finding(
    Check.FORMAT,
    Outcome.NOT_ASKED,
    "conformance.no_token",
    "An envelope in the presentation holds no token, as in the suite's own example, so there is nothing to judge.",
)


def result(findings: tuple[Finding, ...]) -> str:
    """The suite's word for what was found."""
    outcomes = {finding.outcome for finding in findings}
    if not outcomes or Outcome.FAIL in outcomes:
        return "failure"
    return "indeterminate" if Outcome.UNKNOWN in outcomes else "success"
