"""Changing a did:ethr: which call to the registry adds a key or a service, hands the DID on, or ends it?

Creating one takes no call: an address is an identity. Each function gives a call for the DID's present owner to send
(`ssi.ledger.writing.Writer`); nothing is sent here. Method specification, "Update" and "Delete (Revoke)".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ssi.dids import multikey
from ssi.dids.ethr.changes import MAX_VALUE, NOBODY
from ssi.dids.ethr.identifier import read
from ssi.encoding import Json, read_json, unbase58, write_json
from ssi.errors import Malformed
from ssi.keys import EDDSA, PublicKey
from ssi.ledger import hexes
from ssi.ledger import registrycalls as calls
from ssi.ledger.registry import Registry
from ssi.legacy.secp256k1 import ES256K

Purpose = Literal["veriKey", "sigAuth"]
"""`veriKey` keys make assertions; `sigAuth` keys do that and authenticate."""

_TYPE: Final = re.compile(r"[A-Za-z0-9_]{1,24}")
_NAMES: Final[Mapping[str, str]] = {EDDSA.name: "did/pub/Ed25519/{}/base58", ES256K.name: "did/pub/Secp256k1/{}/hex"}
_ANY_KEY: Final = "did/pub/Multikey/{}/base58"


@dataclass(frozen=True)
class Call:
    """A call for the DID's owner to send: to which contract, with which data."""

    to: str
    data: bytes


def add_key(did: str, key: PublicKey, *, purpose: Purpose, seconds: int, registry: Registry) -> Call:
    """Let a key speak for the DID for so many seconds. Raises Malformed (`did.ethr`)."""
    name, value = _attribute(key, purpose)
    return Call(registry.address, calls.set_attribute(read(did).address, name, value, seconds))


def remove_key(did: str, key: PublicKey, *, purpose: Purpose, registry: Registry) -> Call:
    """Take back what `add_key` gave. Raises Malformed (`did.ethr`)."""
    name, value = _attribute(key, purpose)
    return Call(registry.address, calls.revoke_attribute(read(did).address, name, value))


def add_delegate(did: str, address: str, *, purpose: Purpose, seconds: int, registry: Registry) -> Call:
    """Let an account speak for the DID; contracts can ask about it too. Raises Malformed (`did.ethr`, `ledger.*`)."""
    kind, delegate = _padded(purpose), hexes.read_address(address)
    return Call(registry.address, calls.add_delegate(read(did).address, kind, delegate, seconds))


def remove_delegate(did: str, address: str, *, purpose: Purpose, registry: Registry) -> Call:
    """Take back what `add_delegate` gave. Raises Malformed (`did.ethr`, `ledger.address`)."""
    kind, delegate = _padded(purpose), hexes.read_address(address)
    return Call(registry.address, calls.revoke_delegate(read(did).address, kind, delegate))


def add_service(did: str, kind: str, endpoint: Json, *, seconds: int, registry: Registry) -> Call:
    """Publish a service: its endpoint is a text (a URI) or any JSON. Raises Malformed (`did.service`, `did.ethr`)."""
    name, value = _service(kind, endpoint)
    return Call(registry.address, calls.set_attribute(read(did).address, name, value, seconds))


def remove_service(did: str, kind: str, endpoint: Json, *, registry: Registry) -> Call:
    """Take back what `add_service` gave. Raises Malformed (`did.service`, `did.ethr`)."""
    name, value = _service(kind, endpoint)
    return Call(registry.address, calls.revoke_attribute(read(did).address, name, value))


def rotate(did: str, new_owner: str, *, registry: Registry) -> Call:
    """Hand the DID to another account, which alone may change it from then on.

    Raises Malformed (`did.owner` for nobody's address, which would be a deactivation; `did.ethr`, `ledger.address`).
    """
    owner = hexes.read_address(new_owner)
    if owner == NOBODY:
        raise Malformed("did.owner", "Nobody's address ends the DID; ask for a deactivation if that is meant.")
    return Call(registry.address, calls.change_owner(read(did).address, owner))


def deactivate(did: str, *, registry: Registry) -> Call:
    """End the DID, for ever. Raises Malformed (`did.ethr`)."""
    return Call(registry.address, calls.change_owner(read(did).address, NOBODY))


def _attribute(key: PublicKey, purpose: Purpose) -> tuple[bytes, bytes]:
    """The name and value under which a key is published: bare where its algorithm has a name, else as a Multikey."""
    name = _NAMES.get(key.algorithm.name)
    if name is None:
        return _padded(_ANY_KEY.format(purpose)), unbase58(multikey.encode(key)[1:])
    sign = bytes([2 + (key.y[-1] & 1)]) if key.y else b""
    return _padded(name.format(purpose)), sign + key.x


def _service(kind: str, endpoint: Json) -> tuple[bytes, bytes]:
    if not _TYPE.fullmatch(kind):
        raise Malformed("did.service", "A service's type is at most 24 letters, digits and underscores.")
    value = endpoint.encode("utf-8") if isinstance(endpoint, str) and not _is_json(endpoint) else write_json(endpoint)
    if len(value) > MAX_VALUE:
        raise Malformed("did.service", f"A service's endpoint has at most {MAX_VALUE} bytes.")
    return _padded(f"did/svc/{kind}"), value


def _is_json(text: str) -> bool:
    """Would a resolver read this text as something else than the text that it is?"""
    try:
        read_json(text)
    except Malformed:
        return False
    return True


def _padded(name: str) -> bytes:
    """A name as the registry holds it: 32 bytes, zeros at the end."""
    return name.encode("ascii").ljust(32, b"\0")
