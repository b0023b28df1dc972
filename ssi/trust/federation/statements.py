"""Entity statements: what does one entity of a federation sign about another, or about itself (OpenID Federation §3)?

A statement is read and judged by all that §3.2 asks for without a second statement; whose key must have signed it is
for the chain to say (`ssi.trust.federation.chains`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from ssi.encoding import Json, instant, required_text, text
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.jose import jws
from ssi.keys import PublicKey
from ssi.trust.federation.operators import NAMES

MAX_BYTES: Final = 262_144
MAX_KEYS: Final = 64
MAX_NAMES: Final = 64
LEEWAY: Final = timedelta(seconds=60)
"""How far another's clock may be off (§3.2 allows "some small leeway")."""
STATEMENT: Final = "entity-statement+jwt"
_OWN: Final = frozenset(
    (
        *("iss", "sub", "iat", "exp", "jwks", "metadata", "crit", "aud", "trust_anchor", "source_endpoint"),
        *("authority_hints", "trust_anchor_hints", "trust_marks", "trust_mark_issuers", "trust_mark_owners"),
        *("constraints", "metadata_policy", "metadata_policy_crit"),
    )
)
"""Claims that the specification itself defines: none of them may be in `crit` (§3.1.1)."""
_ABOUT_ITSELF: Final = (
    "authority_hints",
    "trust_anchor_hints",
    "trust_marks",
    "trust_mark_issuers",
    "trust_mark_owners",
)
_ABOUT_OTHERS: Final = ("metadata_policy", "metadata_policy_crit", "constraints", "source_endpoint")

Keys = Mapping[str, PublicKey]
"""Keys by `kid`."""
Metadata = Mapping[str, Mapping[str, Json]]
"""Metadata parameters by entity type identifier."""


@dataclass(frozen=True)
class Statement:
    """One entity statement, not verified until `verify` has said so. `keys` are the subject's federation keys."""

    token: jws.Jws
    issuer: str
    subject: str
    issued: datetime
    expires: datetime
    keys: Keys
    metadata: Metadata
    hints: tuple[str, ...]
    claims: Mapping[str, Json]

    @property
    def about_itself(self) -> bool:
        """Is it an entity configuration?"""
        return self.issuer == self.subject


def entity_id(value: Json) -> str:
    """An entity identifier (§1.2): an HTTPS URL with a host and no query or fragment.

    Raises Malformed (`trust.federation_id`).
    """
    try:
        parts = urlsplit(value) if isinstance(value, str) and len(value) <= 2048 else None
        good = parts is not None and parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if (
        not good
        or "@" in value.split("/")[2]
        or any(c in value for c in "?#")
        or not value.isprintable()
        or " " in value
    ):
        raise Malformed("trust.federation_id", "An entity's identifier is not an HTTPS URL as federations want it.")
    return str(value)


def read(token: bytes | str, *, now: datetime) -> Statement:
    """An entity statement, judged by itself at `now` (§3.2). Its signature is not verified yet.

    Raises Malformed (`trust.federation_statement`, `trust.federation_id`, `trust.federation_keys`, `jose.*`,
    `encoding.*`), Unsupported (`jose.*`, `trust.federation_crit`), Refused (`trust.federation_expired`, …).
    """
    parsed = jws.parse(token, typ=(STATEMENT,), max_bytes=MAX_BYTES)
    claims = parsed.claims
    issuer, subject = entity_id(claims.get("iss")), entity_id(claims.get("sub"))
    issued, expires = instant(claims, "iat"), instant(claims, "exp")
    if issued is None or expires is None:
        raise Malformed("trust.federation_statement", "An entity statement has no iat or no exp.")
    timely(issued, expires, now=now)
    _critical(claims)
    _belonging(claims, about_itself=issuer == subject)
    return Statement(
        token=parsed,
        issuer=issuer,
        subject=subject,
        issued=issued,
        expires=expires,
        keys=read_keys(claims.get("jwks")),
        metadata=_metadata(claims.get("metadata", {})),
        hints=_hints(claims),
        claims=claims,
    )


def verify(token: jws.Jws, keys: Keys) -> None:
    """Return when the token's signature is by the key of its `kid` (§3.2).

    Raises Refused (`trust.federation_key`, `jose.signature`, `jose.key_alg`), Malformed (`encoding.*`).
    """
    kid = required_text(token.header, "kid", what="federation token's header")
    if kid not in keys:
        raise Refused("trust.federation_key", "A token of the federation names a key that its issuer does not have.")
    jws.verify(token, keys[kid])


def timely(issued: datetime, expires: datetime | None, *, now: datetime) -> None:
    """Return when `now` is between the two. Raises Refused (`trust.federation_early`, `trust.federation_expired`)."""
    if now + LEEWAY < issued:
        raise Refused("trust.federation_early", "A token of the federation is dated in the future.")
    if expires is not None and now >= expires:
        raise Refused("trust.federation_expired", "A token of the federation has expired.")


def read_keys(jwks: Json) -> Keys:
    """The keys of a federation's JWK Set by `kid`; those of kinds unknown here are left out (RFC 7517 §5).

    Raises Malformed (`trust.federation_keys`), also for a `kid` that is missing or not unique (§3.1.1).
    """
    entries = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_KEYS:
        raise Malformed("trust.federation_keys", f"An entity's key set has no list of 1 to {MAX_KEYS} keys.")
    found: dict[str, PublicKey | None] = {}
    for jwk in entries:
        kid = jwk.get("kid") if isinstance(jwk, Mapping) else None
        if not isinstance(kid, str) or not kid or kid in found:
            raise Malformed("trust.federation_keys", "A key of an entity has no name, or another key's.")
        found[kid] = _usable(jwk)
    return {kid: key for kid, key in found.items() if key is not None}


def names(value: Json, *, what: str) -> tuple[str, ...]:
    """An array of texts, none twice, not empty. Raises Malformed (`trust.federation_statement`)."""
    if (
        not isinstance(value, list)
        or not 0 < len(value) <= MAX_NAMES
        or not all(isinstance(each, str) for each in value)
    ):
        raise Malformed("trust.federation_statement", f"{what} of an entity statement is not a list of texts.")
    return tuple(dict.fromkeys(value))


def _usable(jwk: Mapping[str, Json]) -> PublicKey | None:
    try:
        return PublicKey.from_jwk(jwk)
    except (Unsupported, Malformed):
        return None


def _critical(claims: Mapping[str, Json]) -> None:
    """§13.4, and `metadata_policy_crit` of §3.1.3: nothing beyond the specification is understood here."""
    for member, own in (("crit", _OWN), ("metadata_policy_crit", NAMES)):
        if member not in claims:
            continue
        critical = names(claims[member], what=member)
        if not own.isdisjoint(critical):
            raise Malformed("trust.federation_statement", "An entity statement calls critical what always is.")
        raise Unsupported("trust.federation_crit", "An entity statement demands what this service does not understand.")


def _belonging(claims: Mapping[str, Json], *, about_itself: bool) -> None:
    """§3.1.2, §3.1.3: each of these claims belongs into one of the two kinds of statement; §3.1.4, §3.1.5 into none."""
    for member in (*(_ABOUT_OTHERS if about_itself else _ABOUT_ITSELF), "aud", "trust_anchor"):
        if member in claims:
            raise Malformed("trust.federation_statement", f"An entity statement has {member!r} where it cannot be.")


def _metadata(value: Json) -> Metadata:
    """§3.1.1, §5: objects of parameters by entity type, and no parameter is null."""
    good = isinstance(value, Mapping) and all(
        isinstance(parameters, Mapping) and not any(each is None for each in parameters.values())
        for parameters in value.values()
    )
    if not good:
        raise Malformed("trust.federation_statement", "The metadata of an entity statement is not made as it must be.")
    found: Metadata = value
    return found


def _hints(claims: Mapping[str, Json]) -> tuple[str, ...]:
    if "trust_anchor_hints" in claims:
        for hint in names(claims["trust_anchor_hints"], what="trust_anchor_hints"):
            entity_id(hint)
    if "authority_hints" not in claims:
        return ()
    return tuple(entity_id(hint) for hint in names(claims["authority_hints"], what="authority_hints"))


def fetch_endpoint(configuration: Statement) -> str:
    """Where an entity answers for its subordinates (§5.1.1, §8.1). Raises Malformed (`trust.federation_endpoint`)."""
    try:
        url = text(configuration.metadata.get("federation_entity", {}), "federation_fetch_endpoint") or ""
        parts = urlsplit(url)
        if parts.scheme == "https" and parts.hostname and "#" not in url:
            return url
    except (SsiError, ValueError):
        pass
    raise Malformed("trust.federation_endpoint", "A superior in the federation names no address for its statements.")
