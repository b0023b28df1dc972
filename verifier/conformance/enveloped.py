"""Envelopes: what a test suite sends as a token in a `data:` URL, taken out and judged (VCDM 2.0 §4.13).

`application/jwt` is what the data model's own suite uses: the JWTs of VCDM 1.1, with their `vc` and `vp` claims, around
documents of 2.0. Only this service reads those; the formats of `ssi.formats` do not mix the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ssi import jose, vcdm
from ssi.encoding import Json, instant, text
from ssi.errors import Malformed, Refused, SsiError, Unavailable, Unsupported
from ssi.formats import vccose, vcjwt, vcsdjwt
from ssi.keys import PublicKey
from ssi.model import Check, Finding, Issuer, KeyResolver, Outcome

PRESENTATION: Final = "EnvelopedVerifiablePresentation"
_LEGACY: Final = "application/jwt"


@dataclass(frozen=True)
class Taken:
    """What was in an envelope: the document, SIGNATURE and VALIDITY findings, and what the envelope itself says."""

    document: Mapping[str, Json]
    findings: tuple[Finding, ...]
    claims: Mapping[str, Json]


def credential(envelope: Mapping[str, Json], *, keys: KeyResolver, now: datetime) -> Taken:
    """The credential in an envelope. Raises Malformed (`vcdm.*`, `jose.*`), Unsupported (`conformance.media_type`)."""
    found = vcdm.enveloped(envelope)
    if found.media_type == _LEGACY:
        return _legacy(found.data, "vc", keys=keys, now=now)
    if found.media_type == "application/vc+jwt":
        read = vcjwt.read_document(found.data, keys=keys, kind="vc", now=now)
    elif found.media_type == "application/vc+sd-jwt":
        read = vcsdjwt.read_document(found.data, keys=keys, kind="vc", now=now)
    elif found.media_type == "application/vc+cose":
        read = vccose.read_document(found.data, keys=keys, kind="vc", now=now)
    else:
        raise _unknown()
    return Taken(read.document, read.findings, {})


def presentation(envelope: Mapping[str, Json], *, keys: KeyResolver, now: datetime) -> Taken:
    """The presentation in an envelope; `claims` has its `nonce` and `aud`. Raises like `credential`."""
    found = vcdm.enveloped(envelope, PRESENTATION)
    if found.media_type == _LEGACY:
        return _legacy(found.data, "vp", keys=keys, now=now)
    if found.media_type != "application/vp+jwt":
        raise _unknown()
    read = vcjwt.read_document(found.data, keys=keys, kind="vp", now=now)
    return Taken(read.document, read.findings, jose.parse(found.data, typ=None).claims)


def answers(claims: Mapping[str, Json], *, challenge: str | None, domain: str | None) -> Finding:
    """Does a presentation's token answer this challenge, for this domain? What is None is not asked."""
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if challenge is not None and claims.get("nonce") != challenge:
        detail = "The presentation answers another challenge."
        return Finding(Check.HOLDER_BINDING, Outcome.FAIL, "proof.challenge", detail)
    if domain is not None and domain not in named:
        return Finding(
            Check.HOLDER_BINDING, Outcome.FAIL, "proof.domain", "The presentation was made for somebody else."
        )
    return Finding(Check.HOLDER_BINDING, Outcome.PASS, "conformance.answers", "The presentation answers the challenge.")


def _unknown() -> SsiError:
    return Unsupported("conformance.media_type", "The envelope's media type is not one that is read here.")


def _legacy(data: bytes, name: str, *, keys: KeyResolver, now: datetime) -> Taken:
    """VCDM 1.1 §6.3.1: the document is in the `vc` or `vp` claim; "typ, if present, MUST be set to JWT"."""
    token = jose.parse(data, typ=None)
    if token.header.get("typ", "JWT") != "JWT":
        raise Malformed("jose.typ", "The token is not of the type that belongs here.")
    document = token.claims.get(name)
    if not isinstance(document, Mapping):
        raise Malformed("conformance.legacy", f"The token has no {name} claim that is an object.")
    party = text(token.claims, "iss", what="token")
    named = document.get("issuer" if name == "vc" else "holder", party)
    if (named.get("id") if isinstance(named, Mapping) else named) != party:
        raise Malformed("conformance.legacy", "The token's iss is not whom its document names.")
    signer = Issuer(party, text(token.header, "kid", what="token's header"))
    return Taken(document, (_signature(token, signer, name, keys, now), _validity(token, now)), token.claims)


def _signature(token: jose.Jws, signer: Issuer, name: str, keys: KeyResolver, now: datetime) -> Finding:
    try:
        key = keys.issuer_key(signer, alg=token.alg, now=now).key if name == "vc" else _holder_key(signer, keys, now)
        jose.verify(token, key)
    except Unavailable as cause:
        return Finding(Check.SIGNATURE, Outcome.UNKNOWN, cause.code, cause.detail)
    except SsiError as cause:
        return Finding(Check.SIGNATURE, Outcome.FAIL, cause.code, cause.detail)
    return Finding(Check.SIGNATURE, Outcome.PASS, "conformance.signed", "The token is signed with its signer's key.")


def _holder_key(signer: Issuer, keys: KeyResolver, now: datetime) -> PublicKey:
    if signer.kid is None or signer.kid.partition("#")[0] != signer.id:
        raise Refused("conformance.holder", "The presentation is signed with another key than its holder's.")
    return keys.holder_key(signer.kid, now=now)


def _validity(token: jose.Jws, now: datetime) -> Finding:
    end, start = instant(token.claims, "exp"), instant(token.claims, "nbf")
    if (end is not None and now >= end) or (start is not None and start > now):
        return Finding(
            Check.VALIDITY, Outcome.FAIL, "conformance.validity", "The token is outside its time of validity."
        )
    return Finding(Check.VALIDITY, Outcome.PASS, "conformance.validity", "The token is within its time of validity.")
