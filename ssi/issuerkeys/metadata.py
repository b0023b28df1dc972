"""JWT VC Issuer Metadata: which keys does an issuer publish under its `iss` URL (SD-JWT VC, section of that name)?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from ssi.encoding import Json, read_json_object, required_text, text
from ssi.errors import Malformed, Refused, Unavailable, Unsupported
from ssi.fetch import Fetch
from ssi.keys import PublicKey

MAX_KEYS: Final = 64
_MAX_DOCUMENT: Final = 262_144
_WELL_KNOWN: Final = "/.well-known/jwt-vc-issuer"


@dataclass(frozen=True)
class KeySet:
    """The keys of a JWK Set that this house can verify with, and the `kid` of each (None where it has none)."""

    keys: tuple[tuple[str | None, PublicKey], ...]

    def key(self, kid: str | None, *, alg: str) -> PublicKey:
        """The key called `kid`, or without a `kid` the only one for `alg`.

        Raises Refused (`issuerkeys.no_such_key`).
        """
        named = [key for name, key in self.keys if kid is None or name == kid]
        found = [key for key in named if key.algorithm.name == alg]
        if len(found) != 1:
            raise Refused("issuerkeys.no_such_key", "The issuer publishes no such key, or more than one that fits.")
        return found[0]


def location(iss: str) -> str:
    """Where an issuer's JWT VC Issuer Metadata lies (SD-JWT VC, "JWT VC Issuer Metadata Request").

    >>> location("https://example.com/tenant/1234/")
    'https://example.com/.well-known/jwt-vc-issuer/tenant/1234'

    Raises Malformed (`issuerkeys.iss`).
    """
    try:
        parts = urlsplit(iss)
    except ValueError:
        raise Malformed("issuerkeys.iss", "The issuer's identifier is not a URL.") from None
    if parts.scheme != "https" or not parts.netloc or "@" in parts.netloc or "?" in iss or "#" in iss:
        raise Malformed("issuerkeys.iss", "The issuer's identifier is not an HTTPS URL without query and fragment.")
    return f"https://{parts.netloc}{_WELL_KNOWN}{parts.path.removesuffix('/')}"


def document(iss: str, keys: Mapping[str, Json]) -> dict[str, Json]:
    """The JWT VC Issuer Metadata to publish; `keys` is a JWK Set (`ssi.keys.jwk_set`)."""
    return {"issuer": iss, "jwks": keys}


def published(iss: str, *, fetch: Fetch) -> KeySet:
    """Fetch the keys that `iss` publishes.

    Raises Refused (`issuerkeys.other_issuer`, `issuerkeys.not_found`), Unavailable (`issuerkeys.unavailable`),
    Malformed (`issuerkeys.iss`, `issuerkeys.metadata`, `issuerkeys.jwks`, `encoding.*`), and what `fetch` raises.
    """
    document = _document(location(iss), fetch)
    if document.get("issuer") != iss:  # "… MUST be identical … If not, the data MUST NOT be used."
        raise Refused("issuerkeys.other_issuer", "The issuer's metadata is about another issuer.")
    if ("jwks" in document) == ("jwks_uri" in document):
        raise Malformed("issuerkeys.metadata", "The issuer's metadata has not exactly one of jwks and jwks_uri.")
    if "jwks" in document:
        return read_key_set(document["jwks"])
    return read_key_set(_document(required_text(document, "jwks_uri", what="issuer's metadata"), fetch))


def _document(url: str, fetch: Fetch) -> dict[str, Json]:
    response = fetch.get(url, accept="application/json", max_bytes=_MAX_DOCUMENT)
    if response.status in (404, 410):
        raise Refused("issuerkeys.not_found", "The issuer publishes no keys at its address.")
    if not 200 <= response.status < 300:
        raise Unavailable("issuerkeys.unavailable", "The issuer's keys could not be had.")
    return read_json_object(response.body, what="issuer's metadata")


def read_key_set(jwks: Json) -> KeySet:
    """The usable keys of a JWK Set (RFC 7517 §5: others are ignored); encryption keys are left out.

    Raises Malformed (`issuerkeys.jwks`, `encoding.text`).
    """
    entries = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(entries, list) or len(entries) > MAX_KEYS:
        raise Malformed("issuerkeys.jwks", f"The JWK Set has no list of at most {MAX_KEYS} keys.")
    keys = []
    for jwk in entries:
        if not isinstance(jwk, Mapping):
            raise Malformed("issuerkeys.jwks", "A key of the JWK Set is not an object.")
        key = _usable(jwk)
        if key is not None:
            keys.append((text(jwk, "kid", what="JWK"), key))
    return KeySet(tuple(keys))


def _usable(jwk: Mapping[str, Json]) -> PublicKey | None:
    try:
        return PublicKey.from_jwk(jwk)
    except (Unsupported, Malformed):
        # RFC 7517 §5: "Implementations SHOULD ignore JWKs … that are not understood … or out of supported ranges."
        return None
