"""Client attestation: is this client the wallet that it says it is?

A wallet's provider attests a key of the wallet (OpenID4VCI 1.0 Appendix E; OAuth 2.0 Attestation-Based Client
Authentication), and the wallet proves for each server that it holds that key. Whether the provider is trusted is for a
`TrustPolicy` to say, with `WALLET_ATTESTATION` as the type; whether `challenge` and `jti` are fresh, for the role.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ssi.encoding import Json, instant, required_text, seconds, text
from ssi.errors import SsiError, Unavailable
from ssi.jose import Jws, jws
from ssi.keys import PublicKey, Signer
from ssi.model import Issuer, KeyResolver
from ssi.oauth.errors import OAuthError
from ssi.trust import x509

WALLET_ATTESTATION: Final = "oauth-client-attestation+jwt"
POP_TYP: Final = "oauth-client-attestation-pop+jwt"
HEADER: Final = "OAuth-Client-Attestation"
POP_HEADER: Final = "OAuth-Client-Attestation-PoP"
CHALLENGE_HEADER: Final = "OAuth-Client-Attestation-Challenge"
METHOD: Final = "attest_jwt_client_auth"
"""What the method is called in `token_endpoint_auth_methods_supported`."""
ALGORITHMS: Final = ("ES256", "ES384", "ES512", "EdDSA")
MAX_AGE: Final = timedelta(minutes=5)
MAX_AHEAD: Final = timedelta(minutes=1)
MEMORY: Final = MAX_AGE + MAX_AHEAD
"""For how long after its `iat` a proof of possession could be used: its `jti` must be remembered until then."""
_MAX_BYTES: Final = 65_536
_MAX_ID: Final = 512


@dataclass(frozen=True)
class AttestedClient:
    """A client whose attestation and proof of possession hold; `provider` is who attested it, not yet trusted."""

    client_id: str
    instance: PublicKey
    provider: Issuer
    jti: str
    challenge: str | None
    expires: datetime
    name: str | None = None


def make_attestation(
    *,
    signer: Signer,
    x5c: Sequence[bytes],
    client_id: str,
    instance: PublicKey,
    now: datetime,
    lifetime: timedelta,
    claims: Mapping[str, Json] | None = None,
) -> str:
    """A wallet provider's attestation of the key `instance`. `x5c` is DER, leaf first, no anchor (HAIP §4.4.1).

    `claims` are further ones: `iss`, the provider's name, which servers demand that go by draft 07 (the one that
    OpenID4VCI 1.0 names), and those of Appendix E (`wallet_name`, `wallet_link`, `status`).
    """
    header: dict[str, Json] = {"typ": WALLET_ATTESTATION}
    if x5c:
        header["x5c"] = [base64.b64encode(der).decode("ascii") for der in x5c]
    payload: dict[str, Json] = {
        **(claims or {}),
        "sub": client_id,
        "iat": seconds(now),
        "exp": seconds(now + lifetime),
        "cnf": {"jwk": dict(instance.jwk)},
    }
    return jws.sign(payload, signer=signer, header=header)


def make_pop(
    *,
    signer: Signer,
    audience: str,
    now: datetime,
    jti: str,
    challenge: str | None = None,
    client_id: str | None = None,
) -> str:
    """A wallet's proof that it holds the attested key, for the authorization server `audience` (its issuer URL).

    `client_id` becomes `iss`, which servers demand that go by draft 07, the one that OpenID4VCI 1.0 names; older ones
    demand an `exp`.
    """
    payload: dict[str, Json] = {"aud": audience, "jti": jti, "iat": seconds(now), "exp": seconds(now + MAX_AGE)}
    if client_id is not None:
        payload["iss"] = client_id
    if challenge is not None:
        payload["challenge"] = challenge
    return jws.sign(payload, signer=signer, header={"typ": POP_TYP})


def verify(
    attestation: str, pop: str, *, audience: str, now: datetime, keys: KeyResolver | None = None
) -> AttestedClient:
    """Judge an attestation and its proof of possession ("Verification and Processing").

    `keys` finds the key of a provider that names itself by `iss` instead of a certificate chain; None: there is none.
    Raises OAuthError (`invalid_client`), Unavailable when a provider's key
    could not be looked up just now.
    """
    try:
        parsed = jws.parse(attestation, typ=(WALLET_ATTESTATION,), max_bytes=_MAX_BYTES)
        client = _attested(parsed, keys=keys, now=now)
        jti, challenge = _possessed(pop, client, audience=audience, now=now)
    except (OAuthError, Unavailable):
        raise
    except SsiError as error:
        raise _wrong(error.detail) from error
    return AttestedClient(
        client.client_id, client.instance, client.provider, jti, challenge, client.expires, client.name
    )


def _attested(parsed: Jws, *, keys: KeyResolver | None, now: datetime) -> AttestedClient:
    provider = _provider(parsed)
    jws.verify(parsed, _key(provider, parsed.alg, keys=keys, now=now))
    claims = parsed.claims
    client_id = required_text(claims, "sub", what="client attestation")
    expires, begins, issued = instant(claims, "exp"), instant(claims, "nbf"), instant(claims, "iat")
    if expires is None:
        raise _wrong("The client attestation does not say until when it is good.")
    if expires <= now:
        raise _wrong("The client attestation has expired.")
    if any(moment is not None and moment > now + MAX_AHEAD for moment in (begins, issued)):
        raise _wrong("The client attestation is dated in the future.")
    confirmed = claims.get("cnf")
    instance = PublicKey.from_jwk(confirmed.get("jwk") if isinstance(confirmed, dict) else None)
    if len(client_id) > _MAX_ID or not client_id.isprintable():
        raise _wrong("The client identifier in the attestation cannot be used.")
    name = text(claims, "wallet_name", what="client attestation")
    return AttestedClient(client_id, instance, provider, "", None, expires, name)


def _provider(parsed: Jws) -> Issuer:
    """Who attests: the chain, or without one what `iss` and `kid` name. Beside a chain `iss` is only a claim."""
    chain = jws.x5c(parsed.header)
    if chain:
        return Issuer(None, x5c=chain)
    kid = parsed.header.get("kid")
    return Issuer(text(parsed.claims, "iss", what="client attestation"), kid=kid if isinstance(kid, str) else None)


def _key(provider: Issuer, alg: str, *, keys: KeyResolver | None, now: datetime) -> PublicKey:
    if provider.x5c:
        return x509.leaf(provider.x5c).public
    if keys is None:
        raise _wrong("The client attestation brings no certificate of its provider.")
    return keys.issuer_key(provider, alg=alg, now=now).key


def _possessed(pop: str, client: AttestedClient, *, audience: str, now: datetime) -> tuple[str, str | None]:
    """The proof's `jti` and `challenge`, when it is right."""
    parsed = jws.parse(pop, typ=(POP_TYP,), max_bytes=_MAX_BYTES)
    jws.verify(parsed, client.instance)
    claims = parsed.claims
    if claims.get("iss", client.client_id) != client.client_id:  # draft 07 §5.2; later drafts have no iss
        raise _wrong("The proof of possession names another client than the attestation.")
    if claims.get("aud") not in (audience, [audience]):
        raise _wrong("The proof of possession is for another server.")
    jti = required_text(claims, "jti", what="proof of possession")
    issued = instant(claims, "iat")
    if issued is None or issued > now + MAX_AHEAD or issued < now - MAX_AGE:
        raise _wrong("The proof of possession is not from now.")
    expires = instant(claims, "exp")
    if expires is not None and expires + MAX_AHEAD <= now:  # optional, and binding where it is there (RFC 7519 §4.1.4)
        raise _wrong("The proof of possession has expired.")
    if len(jti) > _MAX_ID:
        raise _wrong("The jti of the proof of possession is too long.")
    return jti, text(claims, "challenge", what="proof of possession")


def _wrong(detail: str) -> OAuthError:
    return OAuthError("invalid_client", detail)
