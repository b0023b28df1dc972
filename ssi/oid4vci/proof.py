"""Key proofs: does whoever asks for the credential hold the key it will be bound to (Appendix F.1, F.4)?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ssi.encoding import Json, instant, seconds
from ssi.errors import SsiError, Unavailable
from ssi.jose import jws
from ssi.keys import PublicKey, Signer
from ssi.model import KeyResolver
from ssi.oid4vci.errors import OAuthError
from ssi.trust import x509

TYP: Final = "openid4vci-proof+jwt"
MAX_AGE: Final = timedelta(seconds=300)
MAX_AHEAD: Final = timedelta(seconds=60)
MAX_PROOF_BYTES: Final = 16_384
_BINDINGS: Final = ("jwk", "kid", "x5c")


@dataclass(frozen=True)
class Proof:
    """A key proof whose signature, audience and time are right; whether its nonce is fresh is the issuer's to say."""

    key: PublicKey
    nonce: str
    binding: str
    kid: str | None = None


def make(
    *,
    signer: Signer,
    audience: str,
    nonce: str | None,
    now: datetime,
    kid: str | None = None,
    x5c: tuple[str, ...] = (),
) -> str:
    """Sign a key proof for the Credential Issuer Identifier `audience` with the issuer's `c_nonce`.

    The key goes along as `jwk`, unless `kid` (a DID URL) or `x5c` (standard base64 DER) names it. `iss` is left
    out, as a wallet without a client identifier must.
    """
    header: dict[str, Json] = {"typ": TYP}
    if kid is not None:
        header["kid"] = kid
    elif x5c:
        header["x5c"] = list(x5c)
    else:
        header["jwk"] = dict(signer.public.jwk)
    payload: dict[str, Json] = {"aud": audience, "iat": seconds(now)}
    if nonce is not None:
        payload["nonce"] = nonce
    return jws.sign(payload, signer=signer, header=header)


def verify(token: str, *, audience: str, algs: Collection[str], keys: KeyResolver, now: datetime) -> Proof:
    """Judge a key proof by Appendix F.4. `algs` are the JOSE names in `proof_signing_alg_values_supported`.

    Raises OAuthError (`invalid_proof`), Unavailable when a DID that it names could not be resolved just now.
    """
    try:
        return _verified(token, audience=audience, algs=algs, keys=keys, now=now)
    except (OAuthError, Unavailable):
        raise
    except SsiError as error:
        raise OAuthError("invalid_proof", error.detail) from error


def _verified(token: str, *, audience: str, algs: Collection[str], keys: KeyResolver, now: datetime) -> Proof:
    parsed = jws.parse(token, typ=(TYP,), max_bytes=MAX_PROOF_BYTES)
    if parsed.header.get("typ") != TYP:
        raise OAuthError("invalid_proof", f"The typ of the key proof must be {TYP}.")
    if parsed.header.get("alg") not in algs:
        raise OAuthError("invalid_proof", "The key proof is signed with an algorithm this issuer does not list.")
    binding = _binding(parsed.header)
    key = _key(parsed.header, binding, keys=keys, now=now)
    jws.verify(parsed, key)
    claims = parsed.claims
    _fresh(claims, now=now)
    if claims.get("aud") != audience:
        raise OAuthError("invalid_proof", "The aud of the key proof is not this Credential Issuer Identifier.")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not nonce:
        raise OAuthError("invalid_proof", "The key proof holds no c_nonce. Fetch one from the nonce endpoint.")
    return Proof(key, nonce, binding, parsed.header["kid"] if binding == "kid" else None)


def _binding(header: Mapping[str, Json]) -> str:
    """Which header parameter names the key: exactly one of three (Appendix F.1)."""
    named = [name for name in _BINDINGS if name in header]
    if len(named) != 1:
        raise OAuthError("invalid_proof", "The key proof must name its key with exactly one of jwk, kid and x5c.")
    return named[0]


def _key(header: Mapping[str, Json], binding: str, *, keys: KeyResolver, now: datetime) -> PublicKey:
    if binding == "jwk":
        return PublicKey.from_jwk(header["jwk"])
    if binding == "x5c":
        return x509.leaf(jws.x5c(header)).public
    kid = header["kid"]
    if not isinstance(kid, str) or not kid.startswith("did:"):
        raise OAuthError("invalid_proof", "The kid of the key proof is not a DID URL.")
    return keys.holder_key(kid, now=now)


def _fresh(claims: Mapping[str, Json], *, now: datetime) -> None:
    issued = instant(claims, "iat")
    if issued is None:
        raise OAuthError("invalid_proof", "The key proof has no iat.")
    if issued > now + MAX_AHEAD:
        raise OAuthError("invalid_proof", "The key proof is dated in the future.")
    if issued < now - MAX_AGE:
        raise OAuthError("invalid_proof", "The key proof is too old.")
