"""Any credential: which format secures this credential that came over HTTP, and what does it say?

For credentials that are fetched and not presented, status lists above all. The media type decides; where it is a plain
one (`application/json`), what the body is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Final, Protocol

from ssi import vcdm
from ssi.encoding import b64url, read_json_object
from ssi.errors import Malformed, Unsupported
from ssi.formats import by_id
from ssi.model import Credential, KeyResolver, Opened

_BY_MEDIA_TYPE: Final[Mapping[str, str]] = {
    "application/vc+jwt": "vc+jwt",
    "application/vc+sd-jwt": "vc+sd-jwt",
    "application/vc+cose": "vc+cose",
    "application/jwt": "jwt_vc_json",
    "application/vc": "ldp_vc",
    "application/vc+ld+json": "ldp_vc",
    "application/ld+json": "ldp_vc",
    "application/json": "ldp_vc",
}
_IN_TEXT: Final = ("text/plain", "application/octet-stream", "")
"""What hosts say of files that they know nothing about."""


class Opens(Protocol):
    """`open_any` with its keys given."""

    def __call__(self, body: bytes, media_type: str, *, now: datetime) -> Opened:
        """The credential with its findings."""


def opener(keys: KeyResolver) -> Opens:
    """`open_any` for a checker of statuses, which knows nothing of formats."""
    return partial(open_any, keys=keys)


def open_any(body: bytes, media_type: str, *, keys: KeyResolver, now: datetime) -> Opened:
    """Open a credential as its format's `check` does; `media_type` may have parameters.

    Raises Unsupported (`anyvc.media_type`), and what the format raises.
    """
    named = media_type.partition(";")[0].strip().lower()
    if named in _IN_TEXT:
        named = _guessed(body)
    format_id = _BY_MEDIA_TYPE.get(named)
    if format_id is None:
        raise Unsupported("anyvc.media_type", "The credential is of a media type that is not read here.")
    if format_id == "ldp_vc":
        return _document(body, keys=keys, now=now)
    return by_id(format_id).check(Credential(format_id, _wire(body, format_id)), keys=keys, now=now)


def _guessed(body: bytes) -> str:
    """By the first byte: an object, a token, or a tagged COSE_Sign1."""
    if body[:1] == b"{":
        return "application/vc"
    if body[:2] == b"ey":
        return "application/vc+sd-jwt" if b"~" in body else "application/vc+jwt"
    return "application/vc+cose" if body[:1] == b"\xd2" else ""


def _document(body: bytes, *, keys: KeyResolver, now: datetime) -> Opened:
    """A document with proofs of its own, or an envelope around a credential of another format (VCDM 2.0 §4.13.1)."""
    document = read_json_object(body, what="credential")
    if not vcdm.is_envelope(document):
        return by_id("ldp_vc").check(Credential("ldp_vc", _text(body)), keys=keys, now=now)
    media_type, data = vcdm.enveloped(document)
    format_id = _BY_MEDIA_TYPE.get(media_type)
    if format_id is None or format_id == "ldp_vc":  # what has proofs of its own needs no envelope
        raise Unsupported("anyvc.media_type", "The credential's envelope is of a media type that is not read here.")
    return by_id(format_id).check(Credential(format_id, _wire(data, format_id)), keys=keys, now=now)


def _wire(body: bytes, format_id: str) -> str:
    return b64url(body) if format_id == "vc+cose" else _text(body.strip())


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("anyvc.text", "The credential is not text.") from None


__all__ = ["Opens", "open_any", "opener"]
