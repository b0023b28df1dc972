"""Verifier attestations: who vouches that this key asks in this name (OpenID4VP 1.0 §12)?

The attester's signature is checked here; whether that attester may vouch for anybody is a trust policy's to judge, for
the type of statement `ATTESTATION_TYPE`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ssi.encoding import Json, instant, required_text, seconds, text
from ssi.errors import Malformed, Refused
from ssi.jose import jws
from ssi.keys import PublicKey, Signer
from ssi.model import Issuer, KeyResolver

ATTESTATION_TYPE = "verifier-attestation+jwt"
HEADER = "jwt"
"""The JOSE header of a request object that carries the attestation (§12)."""

MAX_ATTESTATION = 32_768
LEEWAY = timedelta(seconds=60)


@dataclass(frozen=True)
class Attested:
    """What an attester says: this client holds this key, and its answers go to these addresses (any, when None)."""

    client: str
    key: PublicKey
    attester: Issuer
    redirect_uris: tuple[str, ...] | None


def make(
    *,
    signer: Signer,
    issuer: str,
    x5c: Sequence[bytes] = (),
    client: str,
    key: PublicKey,
    now: datetime,
    lifetime: timedelta,
    redirect_uris: Sequence[str] = (),
) -> str:
    """Attest that `client` (the identifier without its prefix) holds `key`. Without `x5c` the signer's kid is named."""
    claims: dict[str, Json] = {
        "iss": issuer,
        "sub": client,
        "iat": seconds(now),
        "exp": seconds(now + lifetime),
        "cnf": {"jwk": dict(key.jwk)},
        **({"redirect_uris": list(redirect_uris)} if redirect_uris else {}),
    }
    chain = {"x5c": [b64encode(der).decode("ascii") for der in x5c]} if x5c else {"kid": signer.kid}
    return jws.sign(claims, signer=signer, header={"typ": ATTESTATION_TYPE, **chain})


def verify(header: Mapping[str, Json], *, keys: KeyResolver, now: datetime) -> Attested:
    """The attestation in a request object's header, its signature and times checked.

    Raises Malformed (`oid4vp.attestation`, `jose.*`), Refused (`oid4vp.attestation_expired`, `jose.signature`),
    Unsupported, Unavailable (the attester's key cannot be had now).
    """
    if HEADER not in header:
        raise Malformed("oid4vp.attestation", "The asker's name demands an attestation, and the request has none.")
    token = jws.parse(
        required_text(header, HEADER, what="request's header"), typ=(ATTESTATION_TYPE,), max_bytes=MAX_ATTESTATION
    )
    claims = token.claims
    attester = Issuer(
        required_text(claims, "iss", what="attestation"),
        text(token.header, "kid", what="attestation's header"),
        jws.x5c(token.header),
    )
    _check_times(claims, now)
    confirmed = claims.get("cnf")
    if not isinstance(confirmed, Mapping):
        raise Malformed("oid4vp.attestation", "The attestation does not say whose key it is about.")
    client, key = required_text(claims, "sub", what="attestation"), PublicKey.from_jwk(confirmed.get("jwk"))
    jws.verify(token, keys.issuer_key(attester, alg=token.alg, now=now).key)
    return Attested(client, key, attester, _redirect_uris(claims))


def _check_times(claims: Mapping[str, Json], now: datetime) -> None:
    expires, begins = instant(claims, "exp"), instant(claims, "nbf")
    if expires is None:
        raise Malformed("oid4vp.attestation", "The attestation does not say until when it holds.")
    if expires <= now - LEEWAY or (begins is not None and begins > now + LEEWAY):
        raise Refused("oid4vp.attestation_expired", "The asker's attestation is not valid now.")


def _redirect_uris(claims: Mapping[str, Json]) -> tuple[str, ...] | None:
    if "redirect_uris" not in claims:
        return None
    values = claims["redirect_uris"]
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Malformed("oid4vp.attestation", "The attestation's list of addresses is not a list of texts.")
    return tuple(values)
