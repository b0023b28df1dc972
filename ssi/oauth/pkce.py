"""PKCE: does whoever redeems a code also hold what the code was asked for with (RFC 7636)? S256 and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Final

from ssi.encoding import b64url
from ssi.oauth.errors import OAuthError

METHOD: Final = "S256"
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # §4.1
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # §4.2: base64url of 32 bytes


def new_verifier(random: Callable[[int], bytes]) -> str:
    """A code verifier of 256 unpredictable bits (§4.1, §7.1)."""
    return b64url(random(32))


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (§4.2).

    >>> challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    return b64url(hashlib.sha256(verifier.encode("utf-8", "surrogatepass")).digest())


def is_challenge(value: str) -> bool:
    """Can this be an S256 challenge?"""
    return _CHALLENGE.fullmatch(value) is not None


def check(verifier: str | None, *, challenge: str) -> None:
    """Return when `verifier` belongs to `challenge` (§4.6). Raises OAuthError (`invalid_grant`)."""
    if verifier is None or not _VERIFIER.fullmatch(verifier):
        raise OAuthError("invalid_grant", "The code_verifier is missing or is none.")
    if not hmac.compare_digest(_of(verifier), challenge.encode("utf-8", "surrogatepass")):
        raise OAuthError("invalid_grant", "The code_verifier does not belong to this code.")


def _of(verifier: str) -> bytes:
    return challenge(verifier).encode()
