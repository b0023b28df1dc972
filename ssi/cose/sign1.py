"""COSE_Sign1: who signed these bytes, and with what (RFC 9052 §4.2)?

The algorithm stands in the protected headers, comes from one allow-list, and must be the key's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ssi.cose import headers
from ssi.cose.cbor import MAX_BYTES, Cbor, Tag, decode, encode_in_order
from ssi.cose.headers import Headers
from ssi.errors import Malformed, Refused
from ssi.keys import PublicKey, Signer

TAG: Final = 18
CWT: Final = 61
"""The tag of a CBOR Web Token, which may stand before that of COSE_Sign1 (RFC 8392 §6)."""

_CONTEXT: Final = "Signature1"


@dataclass(frozen=True)
class Sign1:
    """A signed message taken apart, not yet verified. `payload` is None when it travels elsewhere (detached).

    `signed_headers` are the protected headers as they came, which is what was signed.
    """

    protected: Headers
    unprotected: Headers
    payload: bytes | None
    signature: bytes
    signed_headers: bytes = field(repr=False)

    @property
    def alg(self) -> str:
        """The signature algorithm by its JOSE name. Raises Unsupported (`cose.alg`)."""
        return headers.signature_algorithm(self.protected)

    @property
    def kid(self) -> bytes | None:
        """The key's name, protected or not. Raises Malformed (`cose.kid`) when it is not a byte string."""
        value = self.protected.get(headers.KID, self.unprotected.get(headers.KID))
        if value is not None and not isinstance(value, bytes):
            raise Malformed("cose.kid", "The key identifier is not a byte string.")
        return value

    @property
    def x5chain(self) -> tuple[bytes, ...]:
        """The certificates that came along, leaf first, as `ssi.cose.headers.x5chain`."""
        return headers.x5chain(self.protected, self.unprotected)

    @property
    def array(self) -> list[Cbor]:
        """The four parts as CBOR has them, to stand inside something larger (untagged)."""
        return [self.signed_headers, dict(self.unprotected), self.payload, self.signature]

    @property
    def core(self) -> bytes:
        """What was signed, and the signature: the same however the message is tagged, or its loose headers are written.

        Unprotected headers are no part of it: anybody may write them anew. A payload that travels elsewhere is none.
        """
        return encode_in_order([self.signed_headers, self.payload, self.signature])


def sign(
    payload: bytes,
    *,
    protected: Mapping[int, Cbor],
    signer: Signer,
    unprotected: Mapping[int, Cbor] | None = None,
    external_aad: bytes = b"",
    tagged: bool = True,
) -> bytes:
    """Sign a payload: the message as bytes, with tag 18 unless told otherwise. Raises as `make`."""
    made = make(payload, protected=protected, signer=signer, unprotected=unprotected, external_aad=external_aad)
    return encode_in_order(Tag(TAG, made.array) if tagged else made.array)


def make(
    payload: bytes,
    *,
    protected: Mapping[int, Cbor],
    signer: Signer,
    unprotected: Mapping[int, Cbor] | None = None,
    external_aad: bytes = b"",
    detached: bool = False,
) -> Sign1:
    """Sign a payload. The algorithm is the signer's own, whatever `protected` says; `detached` leaves it out.

    Raises Unsupported (`cose.alg`) for a key that makes no COSE signatures.
    """
    whole = {**protected, headers.ALG: headers.number_of(signer.public.algorithm.name)}
    written = headers.write_protected(whole)
    signature = signer.sign(_to_be_signed(written, external_aad, payload))
    return Sign1(whole, unprotected or {}, None if detached else payload, signature, written)


def parse(data: bytes, *, cwt: bool = False, max_bytes: int = MAX_BYTES) -> Sign1:
    """Read a message from bytes, with or without its tag (RFC 9052 §2); with `cwt`, also after a CWT's tag.

    Raises Malformed (`cbor.*`, `cose.*`), Unsupported (`cose.alg`, `cose.crit`).
    """
    value = decode(data, what="signed message", max_bytes=max_bytes)
    if cwt and isinstance(value, Tag) and value.tag == CWT and isinstance(value.value, Tag):
        value = value.value
    if isinstance(value, Tag) and value.tag == TAG:
        value = value.value
    return of(value)


def of(value: Cbor) -> Sign1:
    """Read a message from its decoded array. Raises Malformed (`cose.*`), Unsupported (`cose.alg`, `cose.crit`)."""
    if not isinstance(value, list) or len(value) != 4:
        raise Malformed("cose.sign1", "The signed message is not a COSE_Sign1.")
    signed_headers, loose, payload, signature = value
    if not isinstance(signature, bytes) or not (payload is None or isinstance(payload, bytes)):
        raise Malformed("cose.sign1", "The signed message is not a COSE_Sign1.")
    protected = headers.read_protected(signed_headers)
    headers.signature_algorithm(protected)  # RFC 9052 §3.1: it must be authenticated, so it cannot stand elsewhere
    return Sign1(protected, headers.read_unprotected(loose, protected), payload, signature, signed_headers)


def verify(sign1: Sign1, key: PublicKey, *, external_aad: bytes = b"", payload: bytes | None = None) -> None:
    """Return when `key` signed this message; `payload` is the one that travelled elsewhere.

    Raises Refused (`cose.key_alg`, `cose.signature`), Malformed (`cose.payload`) when there is no payload, or two.
    """
    if sign1.alg != key.algorithm.name:
        raise Refused("cose.key_alg", "The message's algorithm is not that of the key it must be verified with.")
    message = _to_be_signed(sign1.signed_headers, external_aad, one_payload(sign1.payload, payload))
    try:
        key.verify(message, sign1.signature)
    except Refused:
        raise Refused("cose.signature", "The message's signature does not match.") from None


def one_payload(attached: bytes | None, detached: bytes | None) -> bytes:
    """The payload, which must be in the message or be given, and not both. Raises Malformed (`cose.payload`)."""
    if attached is not None and detached is None:
        return attached
    if attached is None and detached is not None:
        return detached
    raise Malformed("cose.payload", "The message has no payload, or one where none belongs.")


def _to_be_signed(signed_headers: bytes, external_aad: bytes, payload: bytes) -> bytes:
    """The Sig_structure (RFC 9052 §4.4)."""
    return encode_in_order([_CONTEXT, signed_headers, external_aad, payload])
