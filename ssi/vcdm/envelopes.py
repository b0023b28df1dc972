"""Envelopes: a credential or presentation that is secured from outside, carried in a `data:` URL (VCDM 2.0 §4.13)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from ssi.encoding import MAX_JSON_BYTES, Json
from ssi.vcdm.contexts import V2
from ssi.vcdm.values import bad

CREDENTIAL: Final = "EnvelopedVerifiableCredential"
PRESENTATION: Final = "EnvelopedVerifiablePresentation"
_HEAD = re.compile(
    r"[dD][aA][tT][aA]:([A-Za-z0-9!#$&^_.+-]{1,64}/[A-Za-z0-9!#$&^_.+-]{1,64})((?:;[^,;\s]{1,64}){0,8}),"
)


class Envelope(NamedTuple):
    """What a `data:` URL holds: its media type, in lower case and without parameters, and its bytes."""

    media_type: str
    data: bytes


def is_envelope(document: Mapping[str, Json], kind: str = CREDENTIAL) -> bool:
    """Does the object say that it is an envelope? Whether it is a right one, `enveloped` finds out."""
    types = document.get("type")
    return types == kind or (isinstance(types, list) and kind in types)


def enveloped(document: Mapping[str, Json], kind: str = CREDENTIAL) -> Envelope:
    """Open an enveloped credential or presentation (§4.13.1, §4.13.2); nothing in it is verified.

    Raises Malformed (`vcdm.context`, `vcdm.type`, `vcdm.envelope`).
    """
    contexts = document.get("@context")
    if V2 not in (contexts if isinstance(contexts, list) else [contexts]):
        raise bad("context", "The envelope does not have the base context, which defines its terms.")
    if document.get("type") not in (kind, [kind]):
        raise bad("type", f"The envelope's type is not {kind}.")
    return read_data_url(document.get("id"))


def read_data_url(url: Json) -> Envelope:
    """Read a `data:` URL (RFC 2397) with a media type and something in it. Raises Malformed (`vcdm.envelope`)."""
    match = _HEAD.match(url) if isinstance(url, str) and len(url) <= MAX_JSON_BYTES else None
    if match is None:
        raise bad("envelope", "The envelope's `id` is not a `data:` URL with a media type.")
    text = unquote_to_bytes(url[match.end() :])
    if match[2].lower().endswith(";base64"):
        text = _forgiving(text)
    if not text:
        raise bad("envelope", "The envelope is empty.")
    return Envelope(match[1].lower(), text)


def _forgiving(text: bytes) -> bytes:
    """Base64 as `data:` URLs have it: white space counts for nothing, and padding may be left out (WHATWG Infra §4)."""
    plain = text.translate(None, b"\t\n\f\r ")
    if len(plain) % 4 == 0:
        plain = plain[:-2] + plain[-2:].rstrip(b"=")
    try:
        return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        raise bad("envelope", "The envelope's `data:` URL is not base64.") from None


def envelop(data: bytes, media_type: str, kind: str = CREDENTIAL) -> dict[str, Json]:
    """The object that carries a secured document: text such as a JWT as it is, other bytes in base64."""
    plain = data.isascii() and not set(data) - _PLAIN
    body = f",{data.decode('ascii')}" if plain else f";base64,{base64.b64encode(data).decode('ascii')}"
    return {"@context": V2, "type": kind, "id": f"data:{media_type}{body}"}


_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
