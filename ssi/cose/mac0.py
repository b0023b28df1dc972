"""COSE_Mac0: was this authenticated with a key that only two know (RFC 9052 §6.2)? HMAC only (RFC 9053 §3.1)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from ssi.cose import headers
from ssi.cose.cbor import MAX_BYTES, Cbor, Tag, decode, encode_in_order
from ssi.cose.headers import Headers
from ssi.cose.sign1 import one_payload
from ssi.errors import Malformed, Refused, Unsupported

TAG: Final = 17
HMAC_256: Final = 5
"""HMAC with SHA-256, not shortened: "HMAC 256/256"."""

_HASHES: Final[Mapping[int, str]] = MappingProxyType({HMAC_256: "sha256", 6: "sha384", 7: "sha512"})
_CONTEXT: Final = "MAC0"


@dataclass(frozen=True)
class Mac0:
    """An authenticated message taken apart, not yet verified. `payload` is None when it travels elsewhere."""

    protected: Headers
    unprotected: Headers
    payload: bytes | None
    mac: bytes
    signed_headers: bytes = field(repr=False)

    @property
    def alg(self) -> int:
        """The algorithm's COSE number. Raises Unsupported (`cose.alg`)."""
        return _known(self.protected)

    @property
    def array(self) -> list[Cbor]:
        """The four parts as CBOR has them, to stand inside something larger (untagged)."""
        return [self.signed_headers, dict(self.unprotected), self.payload, self.mac]


def make(
    payload: bytes,
    *,
    key: bytes,
    alg: int = HMAC_256,
    protected: Mapping[int, Cbor] | None = None,
    external_aad: bytes = b"",
    detached: bool = False,
) -> Mac0:
    """Authenticate a payload with a shared key; `detached` leaves the payload out. Raises Unsupported (`cose.alg`)."""
    whole = {**(protected or {}), headers.ALG: alg}
    written = headers.write_protected(whole)
    mac = _mac(_known(whole), key, written, external_aad, payload)
    return Mac0(whole, {}, None if detached else payload, mac, written)


def parse(data: bytes, *, max_bytes: int = MAX_BYTES) -> Mac0:
    """Read a message from bytes, with or without its tag. Raises Malformed (`cbor.*`, `cose.*`), Unsupported."""
    value = decode(data, what="authenticated message", max_bytes=max_bytes)
    return of(value.value if isinstance(value, Tag) and value.tag == TAG else value)


def of(value: Cbor) -> Mac0:
    """Read a message from its decoded array. Raises Malformed (`cose.*`), Unsupported (`cose.alg`, `cose.crit`)."""
    if not isinstance(value, list) or len(value) != 4:
        raise Malformed("cose.mac0", "The authenticated message is not a COSE_Mac0.")
    signed_headers, loose, payload, mac = value
    if not isinstance(mac, bytes) or not (payload is None or isinstance(payload, bytes)):
        raise Malformed("cose.mac0", "The authenticated message is not a COSE_Mac0.")
    protected = headers.read_protected(signed_headers)
    _known(protected)
    return Mac0(protected, headers.read_unprotected(loose, protected), payload, mac, signed_headers)


def verify(mac0: Mac0, key: bytes, *, external_aad: bytes = b"", payload: bytes | None = None) -> None:
    """Return when the message was authenticated with `key`. Raises Refused (`cose.mac`), Malformed (`cose.payload`)."""
    expected = _mac(mac0.alg, key, mac0.signed_headers, external_aad, one_payload(mac0.payload, payload))
    if not hmac.compare_digest(expected, mac0.mac):
        raise Refused("cose.mac", "The message's authentication code does not match.")


def to_be_authenticated(signed_headers: bytes, external_aad: bytes, payload: bytes) -> bytes:
    """The MAC_structure (RFC 9052 §6.3)."""
    return encode_in_order([_CONTEXT, signed_headers, external_aad, payload])


def _known(protected: Headers) -> int:
    number = protected.get(headers.ALG)
    if type(number) is not int or number not in _HASHES:
        raise Unsupported("cose.alg", "The MAC algorithm is not one that this service accepts.")
    return number


def _mac(alg: int, key: bytes, signed_headers: bytes, external_aad: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, to_be_authenticated(signed_headers, external_aad, payload), _HASHES[alg])
