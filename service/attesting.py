"""Attestations: who vouches that a verifier's key is a verifier's (OpenID4VP 1.0 §12)? For trials: one signed by us.

Hosting knows no protocols, so this writes the one token it needs by hand; `ssi.oid4vp` is what reads it.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ssi.encoding import Json, b64url, read_json_object, seconds, unb64url, write_json
from ssi.errors import SsiError
from ssi.keys import PublicKey, SoftwareSigner

LIFETIME: Final = timedelta(days=365)
RENEWED_BEFORE: Final = timedelta(days=30)


@dataclass(frozen=True)
class Attester:
    """Who vouches: a name that its certificate (DER) has, and its key."""

    name: str
    certificate: bytes
    signer: SoftwareSigner

    @property
    def header(self) -> dict[str, Json]:
        """The JOSE header of what it signs."""
        chain = [b64encode(self.certificate).decode("ascii")]
        return {"alg": self.signer.public.algorithm.name, "typ": "verifier-attestation+jwt", "x5c": chain}


def attest(attester: Attester, *, client: str, key: PublicKey, now: datetime) -> bytes:
    """A token that says for a year that `client` (an identifier without its prefix) holds `key`."""
    said = {**_about(attester, client, key), "iat": seconds(now), "exp": seconds(now + LIFETIME)}
    signed = f"{b64url(write_json(attester.header))}.{b64url(write_json(said))}"
    return f"{signed}.{b64url(attester.signer.sign(signed.encode('ascii')))}\n".encode()


def fits(token: bytes, attester: Attester, *, client: str, key: PublicKey, now: datetime) -> bool:
    """Does a token of our own making still say so, with this certificate, and for 30 days to come?"""
    head, _, rest = token.decode("ascii", "replace").strip().partition(".")
    try:
        header = read_json_object(unb64url(head, what="header"), what="header")
        said = read_json_object(unb64url(rest.partition(".")[0], what="attestation"), what="attestation")
    except SsiError:
        return False
    about, until = _about(attester, client, key), said.get("exp")
    same = header == attester.header and {name: said.get(name) for name in about} == about
    return same and isinstance(until, int) and until > seconds(now + RENEWED_BEFORE)


def _about(attester: Attester, client: str, key: PublicKey) -> dict[str, Json]:
    return {"iss": attester.name, "sub": client, "cnf": {"jwk": dict(key.jwk)}}
