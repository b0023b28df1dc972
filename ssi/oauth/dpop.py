"""DPoP: does whoever brings this token hold the key it was given to (RFC 9449)?

A proof is made for one request and holds the key itself. Whether its `nonce` is the server's, whether its `jti` was
seen before, and whether its key is that of the token, is for the role to say: `DpopProof` brings all three.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from ssi.encoding import Json, b64url, instant, seconds
from ssi.errors import Malformed, SsiError
from ssi.jose import jws
from ssi.keys import PublicKey, Signer
from ssi.oauth.errors import OAuthError

TYP: Final = "dpop+jwt"
HEADER: Final = "DPoP"
NONCE_HEADER: Final = "DPoP-Nonce"
ALGORITHMS: Final = ("ES256", "ES384", "EdDSA")
MAX_AGE: Final = timedelta(minutes=5)
MAX_AHEAD: Final = timedelta(minutes=1)
MEMORY: Final = MAX_AGE + MAX_AHEAD
"""For how long after its `iat` a proof could be used: a `jti` must be remembered until then."""
MAX_PROOF_BYTES: Final = 8192
_MAX_JTI: Final = 256
_PORTS: Final = {"http": 80, "https": 443}
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class DpopProof:
    """A proof whose signature, request and time are right. `jkt` is the thumbprint of its key (§6.1)."""

    jkt: str
    jti: str
    nonce: str | None
    issued_at: datetime


def make(
    *,
    signer: Signer,
    method: str,
    url: str,
    now: datetime,
    jti: str,
    nonce: str | None = None,
    access_token: str | None = None,
) -> str:
    """A proof for one request (§4.2): its query and fragment do not belong in it. `nonce` is the server's last one."""
    payload: dict[str, Json] = {"jti": jti, "htm": method, "htu": _bare(url), "iat": seconds(now)}
    if nonce is not None:
        payload["nonce"] = nonce
    if access_token is not None:
        payload["ath"] = _hashed(access_token)
    return jws.sign(payload, signer=signer, header={"typ": TYP, "jwk": dict(signer.public.jwk)})


def verify(token: str, *, method: str, url: str, now: datetime, access_token: str | None = None) -> DpopProof:
    """Judge the one proof of a request by §4.3; with an access token, that it was made for this token.

    Raises OAuthError (`invalid_dpop_proof`).
    """
    try:
        return _verified(token, method=method, url=url, now=now, access_token=access_token)
    except OAuthError:
        raise
    except SsiError as error:
        raise _wrong(error.detail) from error


def _verified(token: str, *, method: str, url: str, now: datetime, access_token: str | None) -> DpopProof:
    parsed = jws.parse(token, typ=(TYP,), max_bytes=MAX_PROOF_BYTES)  # steps 2, 4
    if parsed.alg not in ALGORITHMS:  # step 5
        raise _wrong("The DPoP proof is signed with an algorithm that this server does not list.")
    key = PublicKey.from_jwk(parsed.header.get("jwk"))  # step 7: it refuses private members
    jws.verify(parsed, key)  # step 6
    claims = parsed.claims
    jti, nonce = claims.get("jti"), claims.get("nonce")
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI:  # step 3
        raise _wrong("The DPoP proof has no jti.")
    if nonce is not None and not isinstance(nonce, str):
        raise _wrong("The nonce of the DPoP proof is not a string.")
    if claims.get("htm") != method:  # step 8
        raise _wrong("The DPoP proof was made for another method.")
    if not _is_same(claims.get("htu"), url):  # step 9
        raise _wrong("The DPoP proof was made for another address.")
    if access_token is not None:  # step 12
        _check_token(claims, access_token)
    return DpopProof(key.kid, jti, nonce, _issued(claims, now=now))


def _issued(claims: Mapping[str, Json], *, now: datetime) -> datetime:
    """Step 11."""
    issued = instant(claims, "iat")
    if issued is None:
        raise _wrong("The DPoP proof has no iat.")
    if issued > now + MAX_AHEAD:
        raise _wrong("The DPoP proof is dated in the future.")
    if issued < now - MAX_AGE:
        raise _wrong("The DPoP proof is too old.")
    expires, begins = instant(claims, "exp"), instant(claims, "nbf")
    if expires is not None and expires + MAX_AHEAD <= now:  # optional, and binding where they are (RFC 7519 §4.1.4)
        raise _wrong("The DPoP proof has expired.")
    if begins is not None and begins > now + MAX_AHEAD:
        raise _wrong("The DPoP proof is not valid yet.")
    return issued


def _check_token(claims: Mapping[str, Json], access_token: str) -> None:
    made_for = claims.get("ath")
    if not isinstance(made_for, str) or not hmac.compare_digest(made_for.encode(), _hashed(access_token).encode()):
        raise _wrong("The DPoP proof was made for another access token.")


def _hashed(access_token: str) -> str:
    return b64url(hashlib.sha256(access_token.encode("utf-8", "surrogatepass")).digest())


def _wrong(detail: str) -> OAuthError:
    return OAuthError("invalid_dpop_proof", detail)


def _bare(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]


def _is_same(htu: Json, url: str) -> bool:
    """Equal after the normalization of RFC 3986 §6.2.2 and §6.2.3, without query and fragment."""
    return isinstance(htu, str) and _normal(htu) == _normal(url)


def _normal(url: str) -> tuple[str, str, int | None, str]:
    try:
        parts = urlsplit(_bare(url))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Malformed("oauth.url", "The address in the DPoP proof cannot be read.") from None
    usual = _PORTS.get(parts.scheme)
    return parts.scheme, host, port if port is not None else usual, _ESCAPE.sub(_escaped, parts.path) or "/"


def _escaped(found: re.Match[str]) -> str:
    """An escape in its one form: none for an unreserved character, upper case for the others."""
    byte = int(found[1], 16)
    return chr(byte) if byte in _UNRESERVED else f"%{byte:02X}"
