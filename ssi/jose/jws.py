"""Signed tokens: who signed these bytes, and with what?

JWS compact serialization (RFC 7515 §3.1) and nothing else. The algorithm comes from one allow-list (`ssi.keys`) and
must be the key's own; header parameters that name or carry a key (`jwk`, `jku`, `x5u`) are never followed here.
"""

from __future__ import annotations

import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType

from ssi.encoding import Json, b64url, read_json_object, unb64url, write_json
from ssi.errors import Malformed, Refused, Unsupported
from ssi.keys import ALGORITHMS, ALIASES, PublicKey, Signer

MAX_JWS_BYTES = 1_048_576
MAX_HEADER_BYTES = 65_536
_REMEMBERED_BYTES = 4096
MAX_CERTIFICATES = 8
MAX_CERTIFICATE_TEXT = 16_384


@dataclass(frozen=True)
class Jws:
    """A token taken apart, not yet verified: `signing_input` are the signed bytes exactly as they came."""

    header: Mapping[str, Json]
    payload: bytes
    signature: bytes
    signing_input: bytes

    @property
    def alg(self) -> str:
        """The signature algorithm by its JOSE name (`EdDSA` also where the header says `Ed25519`)."""
        name: str = self.header["alg"]
        return ALIASES.get(name, name)

    @cached_property
    def claims(self) -> dict[str, Json]:
        """The payload as a JWT claims set. Raises Malformed (`encoding.*`) when it is not a JSON object."""
        return read_json_object(self.payload, what="token's payload")


def parse(token: str | bytes, *, typ: Collection[str] | None, max_bytes: int = MAX_JWS_BYTES) -> Jws:
    """Take a compact JWS apart and refuse what could not be verified anyway.

    `typ` are the accepted media types ("kb+jwt"; compared as RFC 7515 §4.1.9 says, without case and with or without
    "application/"); None where the specification sets no type. Raises Malformed (`jose.size`, `jose.compact`,
    `jose.typ`, `encoding.*`), Unsupported (`jose.alg`, `jose.crit`).
    """
    if len(token) > max_bytes:
        raise Malformed("jose.size", f"The token is larger than {max_bytes} bytes.")
    parts = _ascii(token).split(b".")
    if len(parts) != 3:
        raise Malformed("jose.compact", "The token is not three parts divided by dots.")
    head, body, tail = parts
    header = _header(head) if len(head) <= _REMEMBERED_BYTES else _read_header(head)
    if typ is not None and not _is_type(header.get("typ"), typ):
        raise Malformed("jose.typ", "The token is not of the type that belongs here.")
    payload, signature = unb64url(body, what="token's payload"), unb64url(tail, what="token's signature")
    return Jws(header, payload, signature, head + b"." + body)


def sign(payload: Mapping[str, Json] | bytes, *, signer: Signer, header: Mapping[str, Json]) -> str:
    """Make a compact JWS. `alg` is the signer's own, whatever `header` says; bytes are signed as they are."""
    head = b64url(write_json({**header, "alg": signer.public.algorithm.name}))
    body = b64url(payload if isinstance(payload, bytes) else write_json(payload))
    return f"{head}.{body}.{b64url(signer.sign(f'{head}.{body}'.encode('ascii')))}"


def verify(jws: Jws, key: PublicKey) -> None:
    """Return when `key` signed this token. Raises Refused (`jose.key_alg`, `jose.signature`)."""
    if jws.alg != key.algorithm.name:
        raise Refused("jose.key_alg", "The token's algorithm is not that of the key it must be verified with.")
    try:
        key.verify(jws.signing_input, jws.signature)
    except Refused:
        raise Refused("jose.signature", "The token's signature does not match.") from None


def x5c(header: Mapping[str, Json]) -> tuple[bytes, ...]:
    """The certificates of an `x5c` header (RFC 7515 §4.1.6) as DER, leaf first; () when the header has none.

    They prove nothing until a trust policy has judged them. Raises Malformed (`jose.x5c`).
    """
    if "x5c" not in header:
        return ()
    chain = header["x5c"]
    if not isinstance(chain, list) or not 0 < len(chain) <= MAX_CERTIFICATES:
        raise Malformed("jose.x5c", f"The token's x5c is not a list of 1 to {MAX_CERTIFICATES} certificates.")
    return tuple(_certificate(entry) for entry in chain)


def _certificate(entry: Json) -> bytes:
    """One x5c entry: base64 with padding, not base64url (RFC 7515 §4.1.6)."""
    if not isinstance(entry, str) or not 0 < len(entry) <= MAX_CERTIFICATE_TEXT:
        raise Malformed("jose.x5c", "A certificate in the token's x5c is no text of acceptable length.")
    try:
        return _decoded(entry)
    except ValueError:
        raise Malformed("jose.x5c", "A certificate in the token's x5c is not base64.") from None


@lru_cache(maxsize=128)
def _decoded(entry: str) -> bytes:
    """The same few issuers' certificates come again and again."""
    return binascii.a2b_base64(entry, strict_mode=True)


def _ascii(token: str | bytes) -> bytes:
    if isinstance(token, bytes):
        return token
    try:
        return token.encode("ascii")
    except UnicodeEncodeError:
        raise Malformed("jose.compact", "The token holds characters that no token can hold.") from None


def _read_header(head: bytes) -> Mapping[str, Json]:
    header = read_json_object(unb64url(head, what="token's header"), what="token's header", max_bytes=MAX_HEADER_BYTES)
    alg = header.get("alg")
    if not isinstance(alg, str) or ALIASES.get(alg, alg) not in ALGORITHMS:
        raise Unsupported("jose.alg", "The token's signature algorithm is not one this service accepts.")
    if "crit" in header:  # RFC 7515 §4.1.11: understood extensions only, and this house understands none
        raise Unsupported("jose.crit", "The token demands header extensions that this service does not know.")
    return MappingProxyType(header)


_header = lru_cache(maxsize=128)(_read_header)
"""An issuer's tokens have one header, and a wallet's have few: what was read of them is worth keeping."""


def _is_type(value: Json, accepted: Collection[str]) -> bool:
    """RFC 7515 §4.1.9: "application/" may be left out where no other slash stands; media types know no case."""
    if not isinstance(value, str):
        return False
    if value in accepted:
        return True
    bare = value.lower().removeprefix("application/")
    return any(bare == name.lower().removeprefix("application/") for name in accepted)
