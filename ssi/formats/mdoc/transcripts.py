"""Session transcripts: what does a presentation answer, so that it can answer nothing else?

OpenID4VP 1.0 Appendix B.2.6 (by redirect, and through the Digital Credentials API) and ISO/IEC 18013-5 §9.1.5.1
(proximity). A transcript is encoded CBOR here: what both sides hash must be the same bytes.
"""

from __future__ import annotations

import hashlib
from typing import Final

from ssi.cose.cbor import Cbor, embed, encode_in_order, unembed
from ssi.errors import Malformed, Refused
from ssi.model import Challenge

_THUMBPRINT_BYTES: Final = 32
_ORIGIN: Final = "origin:"


def of(challenge: Challenge) -> bytes:
    """The transcript that a challenge stands for.

    With a `response_uri` it is that of B.2.6.1; without one, an audience `origin:…` (OpenID4VP 1.0 A.4) is that of the
    Digital Credentials API (B.2.6.2). Raises Refused (`mdoc.challenge`) when it binds to nothing.
    """
    if not challenge.nonce or not challenge.audience:
        raise Refused("mdoc.challenge", "A challenge without a nonce or an audience binds a presentation to nothing.")
    if challenge.response_uri:
        return openid4vp(
            client_id=challenge.audience,
            nonce=challenge.nonce,
            response_uri=challenge.response_uri,
            response_key=challenge.response_key,
        )
    origin = challenge.audience.removeprefix(_ORIGIN)
    if not origin or origin == challenge.audience:
        raise Refused("mdoc.challenge", "The request names no address for its answer, to which an mdoc must be bound.")
    return dc_api(origin=origin, nonce=challenge.nonce, response_key=challenge.response_key)


def openid4vp(*, client_id: str, nonce: str, response_uri: str, response_key: bytes | None) -> bytes:
    """The transcript of a request by redirect (B.2.6.1).

    `client_id` has its prefix; `response_key` is the SHA-256 thumbprint (RFC 7638) of the key that the response is
    encrypted to, or None. Raises Malformed (`mdoc.thumbprint`).
    """
    return _handover("OpenID4VPHandover", [client_id, nonce, _thumbprint(response_key), response_uri])


def dc_api(*, origin: str, nonce: str, response_key: bytes | None) -> bytes:
    """The transcript of a request through the Digital Credentials API (B.2.6.2); `origin` has no prefix.

    Raises Malformed (`mdoc.thumbprint`).
    """
    return _handover("OpenID4VPDCAPIHandover", [origin, nonce, _thumbprint(response_key)])


def proximity(*, engagement: bytes, reader_key: bytes, handover: Cbor = None) -> bytes:
    """The transcript of a meeting (ISO/IEC 18013-5 §9.1.5.1), of the bytes that were exchanged.

    `engagement` is DeviceEngagementBytes and `reader_key` EReaderKeyBytes, each embedded CBOR with its tag;
    `handover` is None after a QR code, and after NFC the two messages `[hs, hr or None]`.
    Raises Malformed (`cbor.embedded`, `mdoc.handover`).
    """
    for part in (engagement, reader_key):
        unembed(part, what="session transcript")
    if handover is not None and not _is_nfc(handover):
        raise Malformed("mdoc.handover", "The handover is not that of a QR code or of NFC.")
    return b"\x83" + engagement + reader_key + encode_in_order(handover)


def session_bytes(transcript: bytes) -> bytes:
    """SessionTranscriptBytes: the transcript as embedded CBOR (§9.1.5.1)."""
    return embed(transcript)


def _handover(name: str, information: list[Cbor]) -> bytes:
    digest = hashlib.sha256(encode_in_order(information)).digest()
    return encode_in_order([None, None, [name, digest]])


def _thumbprint(key: bytes | None) -> bytes | None:
    if key is not None and len(key) != _THUMBPRINT_BYTES:
        raise Malformed("mdoc.thumbprint", "The response key's thumbprint is not a SHA-256 digest.")
    return key


def _is_nfc(handover: Cbor) -> bool:
    if not isinstance(handover, list | tuple) or len(handover) != 2:
        return False
    selected, requested = handover
    return isinstance(selected, bytes) and (requested is None or isinstance(requested, bytes))
