"""What an mdoc is on the wire: IssuerSigned as a credential, DeviceResponse as a presentation, each in base64url.

ISO/IEC 18013-5 §8.3.2.1.2.2; OpenID4VCI 1.0 A.2, OpenID4VP 1.0 B.2.5. A presentation has exactly one document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ssi.cose import sign1
from ssi.cose.cbor import Cbor, array_of, decode_map, embedded, encode_in_order, map_of, received
from ssi.encoding import unb64url
from ssi.errors import Malformed, Unsupported
from ssi.formats.mdoc import items, mso
from ssi.formats.mdoc.items import Item
from ssi.formats.mdoc.mso import Mso

MAX_BYTES: Final = 1_048_576
VERSION: Final = "1.0"
_VERSIONS: Final = re.compile(r"1\.[0-9]+")


@dataclass(frozen=True)
class Issued:
    """What the issuer signed, as it came: the elements, the signature, and what it is over."""

    items: tuple[Item, ...]
    auth: sign1.Sign1
    mso: Mso


@dataclass(frozen=True)
class Device:
    """What the holder added: elements of its own (`names` are DeviceNameSpacesBytes as they came), and the proof."""

    names: bytes
    elements: Mapping[str, Cbor]
    auth: Cbor


@dataclass(frozen=True)
class Document:
    """The one document of a presentation. `device` is None when nobody proved anything."""

    doc_type: str
    issued: Issued
    device: Device | None
    status: int


def unwrapped(wire: str) -> bytes:
    """The CBOR in the base64url. Raises Malformed (`mdoc.size`, `encoding.base64url`)."""
    if len(wire) > MAX_BYTES * 4 // 3:
        raise Malformed("mdoc.size", f"The credential is larger than {MAX_BYTES} bytes.")
    return unb64url(wire, what="credential")


def read_credential(data: bytes) -> Issued:
    """Read IssuerSigned. Raises Malformed, Unsupported (`mdoc.*`, `cose.*`, `cbor.*`, `key.*`)."""
    members = decode_map(data, what="credential", max_bytes=MAX_BYTES)
    if "issuerAuth" not in members:
        raise Malformed("mdoc.issuer_auth", "The credential is not signed by an issuer.")
    return _issued(data, members)


def read_presentation(data: bytes) -> Document:
    """Read DeviceResponse; a bare IssuerSigned is read as one that proves nothing.

    Raises Malformed, Unsupported (`mdoc.*`, `cose.*`, `cbor.*`, `key.*`).
    """
    members = decode_map(data, what="presentation", max_bytes=MAX_BYTES)
    if "issuerAuth" in members:
        issued = _issued(data, members)
        return Document(issued.mso.doc_type, issued, None, 0)
    version, status, documents = members.get("version"), members.get("status"), members.get("documents")
    if not isinstance(version, str) or type(status) is not int:
        raise Malformed("mdoc.response", "The presentation is not a device response.")
    if not _VERSIONS.fullmatch(version):
        raise Unsupported("mdoc.version", "The presentation is of a version that is not known here.")
    if not isinstance(documents, list) or len(documents) != 1 or not isinstance(documents[0], dict):
        raise Malformed("mdoc.documents", "The presentation does not have exactly one document.")
    return _document(data, documents[0], status)


def write_credential(packed: Mapping[str, Sequence[bytes]], auth: sign1.Sign1) -> bytes:
    """IssuerSigned, of items that are encoded already."""
    return _issuer_signed(packed, auth)


def write_presentation(
    doc_type: str, shown: Sequence[Item], auth: sign1.Sign1, *, names: bytes, device_auth: Mapping[str, Cbor]
) -> bytes:
    """DeviceResponse with one document, the shown items in the bytes in which they came."""
    chosen: dict[str, list[bytes]] = {}
    for item in shown:
        chosen.setdefault(item.namespace, []).append(item.raw)
    device = map_of({"nameSpaces": names, "deviceAuth": encode_in_order(device_auth)})
    document = map_of(
        {
            "docType": encode_in_order(doc_type),
            "issuerSigned": _issuer_signed(chosen, auth),
            "deviceSigned": device,
        }
    )
    response = {"version": encode_in_order(VERSION), "documents": array_of([document]), "status": encode_in_order(0)}
    return map_of(response)


def _issuer_signed(packed: Mapping[str, Sequence[bytes]], auth: sign1.Sign1) -> bytes:
    """`nameSpaces` is left out when there is nothing to show: it may not be empty."""
    names = {"nameSpaces": map_of({name: array_of(entries) for name, entries in packed.items()})} if packed else {}
    return map_of({**names, "issuerAuth": encode_in_order(auth.array)})


def _document(data: bytes, members: Mapping[Any, Cbor], status: int) -> Document:
    doc_type, issuer_signed = members.get("docType"), members.get("issuerSigned")
    if not isinstance(doc_type, str) or not isinstance(issuer_signed, dict) or "issuerAuth" not in issuer_signed:
        raise Malformed("mdoc.document", "The presentation's document has no type, or nothing that an issuer signed.")
    device = _device(data, members["deviceSigned"]) if "deviceSigned" in members else None
    return Document(doc_type, _issued(data, issuer_signed), device, status)


def _issued(data: bytes, members: Mapping[Any, Cbor]) -> Issued:
    auth = sign1.of(members["issuerAuth"])
    if auth.payload is None:
        raise Malformed("mdoc.issuer_auth", "The issuer's signature is not over anything.")
    found = items.read(data, members["nameSpaces"]) if "nameSpaces" in members else ()
    return Issued(found, auth, mso.read(auth.payload))


def _device(data: bytes, members: Cbor) -> Device:
    if not isinstance(members, dict) or "nameSpaces" not in members or "deviceAuth" not in members:
        raise Malformed("mdoc.device", "What the holder signed is not of the right form.")
    content = embedded(members["nameSpaces"], what="holder's own elements")
    elements = decode_map(content, what="holder's own elements")
    return Device(received(data, [content])[0], elements, members["deviceAuth"])
