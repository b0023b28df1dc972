"""Signed metadata: who says that this issuer is what its metadata tells (OpenID4VCI 1.0 §12.2.3)?

The signature is verified here, with the key of its certificate; whether that signer may speak for the issuer is for the
caller's trust policy to say, and without that the metadata MUST be rejected.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from ssi.encoding import Json, instant, required_text, seconds, text
from ssi.errors import Malformed, Refused, Unsupported
from ssi.jose import jws
from ssi.keys import Signer
from ssi.model import Issuer, KeyResolver
from ssi.oid4vci.metadata import IssuerMetadata, read_metadata

TYP: Final = "openidvci-issuer-metadata+jwt"
MEDIA_TYPE: Final = "application/jwt"
_MAX_AHEAD: Final = timedelta(seconds=60)


def sign(
    metadata: Mapping[str, Json], *, signer: Signer, x5c: Sequence[bytes], now: datetime, lifetime: timedelta
) -> str:
    """The metadata document as a signed token; `x5c` is DER, leaf first, without the anchor (HAIP 1.0 §4.1)."""
    issuer = required_text(metadata, "credential_issuer", what="issuer metadata")
    claims = {**metadata, "iss": issuer, "sub": issuer, "iat": seconds(now), "exp": seconds(now + lifetime)}
    header = {"typ": TYP, "x5c": [base64.b64encode(der).decode("ascii") for der in x5c]}
    return jws.sign(claims, signer=signer, header=header)


def open(token: str | bytes, *, issuer: str, keys: KeyResolver, now: datetime) -> tuple[IssuerMetadata, Issuer]:
    """The metadata, and who signed it: by certificate, or by a DID in `kid`. The signer is the caller's to judge.

    Raises Malformed (`oid4vci.signed_metadata`, `oid4vci.metadata*`, `jose.*`), Refused (`oid4vci.signed_metadata`,
    `jose.signature`), Unsupported (`oid4vci.signed_metadata`, `oid4vci.draft`), and what `keys` raises.
    """
    parsed = jws.parse(token, typ=(TYP,))
    signer = _signer(parsed.header)
    jws.verify(parsed, keys.issuer_key(signer, alg=parsed.alg, now=now).key)
    claims = parsed.claims
    if claims.get("sub") != issuer:
        raise Refused("oid4vci.signed_metadata", "The signed metadata is about another issuer.")
    issued, expires = instant(claims, "iat"), instant(claims, "exp")
    if issued is None or issued > now + _MAX_AHEAD:
        raise Malformed("oid4vci.signed_metadata", "The signed metadata has no date, or is from the future.")
    if expires is not None and now >= expires:
        raise Refused("oid4vci.signed_metadata", "The signed metadata has expired.")
    return read_metadata(claims, issuer=issuer), signer


def _signer(header: Mapping[str, Json]) -> Issuer:
    chain = jws.x5c(header)
    if chain:
        return Issuer(None, x5c=chain)
    kid = text(header, "kid", what="signed metadata")
    if kid is None or not kid.startswith("did:"):
        raise Unsupported("oid4vci.signed_metadata", "The signed metadata names its signer by no certificate or DID.")
    return Issuer(None, kid=kid)
