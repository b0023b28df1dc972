"""Key attestations: who vouches for these keys, and for how well they are kept (OpenID4VCI 1.0 Appendix D)?

That the signature holds is decided here; whether the provider may be believed is for a trust policy to say, and whether
the `nonce` is fresh for the issuer that gave it out.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ssi.encoding import Json, instant, seconds, text
from ssi.errors import Malformed, Refused, Unsupported
from ssi.jose import jws
from ssi.keys import PublicKey, Signer
from ssi.model import Issuer, KeyResolver
from ssi.oid4vci.configurations import AttestationNeed

TYP: Final = "key-attestation+jwt"
MAX_BYTES: Final = 65_536
MAX_KEYS: Final = 64
MAX_AHEAD: Final = timedelta(seconds=60)
_MAX_LISTED: Final = 32


@dataclass(frozen=True)
class KeyAttestation:
    """What a provider says of keys, its signature verified. `kids` are the names that it gives them, if any.

    `key_storage` and `user_authentication` are () where it says nothing of them (D.2).
    """

    keys: tuple[PublicKey, ...]
    provider: Issuer
    nonce: str | None
    key_storage: tuple[str, ...] = ()
    user_authentication: tuple[str, ...] = ()
    expires: datetime | None = None
    kids: tuple[str | None, ...] = ()

    def key(self, kid: str) -> PublicKey | None:
        """The attested key of this name, or, for a plain number, at this place; None when there is none.

        Appendix F.1 shows a proof with `"kid": "0"` and says no more of what the number means.
        """
        for key, name in zip(self.keys, self.kids, strict=True):
            if name is not None and name == kid:
                return key
        place = int(kid) if kid.isascii() and kid.isdigit() and len(kid) < 4 else MAX_KEYS
        return self.keys[place] if place < len(self.keys) else None

    def satisfies(self, need: AttestationNeed) -> bool:
        """Is the resistance that is attested one that the issuer accepts (§12.2.4)? An empty need accepts any."""
        pairs = ((self.key_storage, need.key_storage), (self.user_authentication, need.user_authentication))
        return all(not wanted or not set(wanted).isdisjoint(said) for said, wanted in pairs)


def make(
    *,
    signer: Signer,
    x5c: Sequence[bytes],
    keys: Sequence[PublicKey],
    now: datetime,
    lifetime: timedelta,
    nonce: str | None = None,
    key_storage: Sequence[str] = (),
    user_authentication: Sequence[str] = (),
) -> str:
    """Attest keys with the provider's own; `x5c` is DER, leaf first, without the anchor (HAIP 1.0 §4.5.1)."""
    header: dict[str, Json] = {"typ": TYP, "x5c": [base64.b64encode(der).decode("ascii") for der in x5c]}
    claims: dict[str, Json] = {
        "iat": seconds(now),
        "exp": seconds(now + lifetime),
        "attested_keys": [dict(key.jwk) for key in keys],
    }
    optional = {"key_storage": list(key_storage), "user_authentication": list(user_authentication), "nonce": nonce}
    return jws.sign(claims | {name: value for name, value in optional.items() if value}, signer=signer, header=header)


def verify(token: str, *, algs: Collection[str], keys: KeyResolver, now: datetime) -> KeyAttestation:
    """Read a key attestation and verify that its provider signed it, with one of `algs`, and that it has not expired.

    The provider's key comes from its certificate chain, else from a DID in `kid`; beside a chain, `iss` is only a name.
    Raises Malformed (`keyattestation.*`, `jose.*`, `key.*`), Unsupported (`keyattestation.alg`,
    `keyattestation.provider`), Refused (`keyattestation.expired`, `jose.signature`), and what `keys` raises.
    """
    parsed = jws.parse(token, typ=(TYP,), max_bytes=MAX_BYTES)
    if parsed.header.get("alg") not in algs:
        raise Unsupported("keyattestation.alg", "The key attestation is signed with an algorithm that is not listed.")
    provider = _provider(parsed.header, parsed.claims)
    jws.verify(parsed, keys.issuer_key(provider, alg=parsed.alg, now=now).key)
    claims = parsed.claims
    attested = _attested(claims.get("attested_keys"))
    issued, expires = instant(claims, "iat"), instant(claims, "exp")
    if issued is None or issued > now + MAX_AHEAD:
        raise Malformed("keyattestation.iat", "The key attestation does not say since when, or is from the future.")
    if expires is not None and now >= expires:
        raise Refused("keyattestation.expired", "The key attestation has expired.")
    return KeyAttestation(
        keys=tuple(PublicKey.from_jwk(jwk) for jwk in attested),
        provider=provider,
        nonce=text(claims, "nonce", what="key attestation"),
        key_storage=_resistance(claims, "key_storage"),
        user_authentication=_resistance(claims, "user_authentication"),
        expires=expires,
        kids=tuple(text(jwk, "kid", what="key attestation") for jwk in attested),
    )


def _provider(header: Mapping[str, Json], claims: Mapping[str, Json]) -> Issuer:
    chain = jws.x5c(header)
    if chain:
        return Issuer(None, x5c=chain)
    kid = text(header, "kid", what="key attestation")
    if kid is None or not kid.startswith("did:"):
        raise Unsupported("keyattestation.provider", "The key attestation names its signer by no certificate or DID.")
    iss = text(claims, "iss", what="key attestation")
    return Issuer(iss if iss is not None and iss.startswith("did:") else None, kid=kid)


def _attested(value: Json) -> list[Mapping[str, Json]]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_KEYS or not all(isinstance(jwk, dict) for jwk in value):
        raise Malformed("keyattestation.keys", f"The key attestation does not hold 1 to {MAX_KEYS} keys.")
    return value


def _resistance(claims: Mapping[str, Json], name: str) -> tuple[str, ...]:
    """A non-empty list of texts (D.1); () when absent."""
    value = claims.get(name)
    if name not in claims:
        return ()
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_LISTED or not all(isinstance(v, str) for v in value):
        raise Malformed("keyattestation.resistance", f"{name!r} in the key attestation is not a list of texts.")
    return tuple(value)
