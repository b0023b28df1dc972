"""Hashes of did:webvh: multihashes of SHA-256 in base58 ("SCID Generation", "Entry Hash Generation")."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from ssi import jcs
from ssi.dids.webvh.place import PLACEHOLDER
from ssi.encoding import Json, base58

_SHA256: Final = b"\x12\x20"  # multihash: the function's code, and the digest's length


def of_bytes(data: bytes) -> str:
    """The multihash of some bytes, 46 characters."""
    return base58(_SHA256 + hashlib.sha256(data).digest())


def of_key(multikey: str) -> str:
    """What `nextKeyHashes` announces a key by."""
    return of_bytes(multikey.encode())


def of_entry(entry: Mapping[str, Json], previous: str) -> str:
    """An entry's hash: of the entry without its proofs, with its predecessor's versionId (or the SCID) in its place."""
    bare = {name: value for name, value in entry.items() if name != "proof"}
    return of_bytes(jcs.canonicalize({**bare, "versionId": previous}))


def scid(entry: Mapping[str, Json], placed: str) -> str:
    """The self-certifying identifier that the first entry has, where `placed` stands now for the placeholder."""
    bare = {name: value for name, value in entry.items() if name != "proof"}
    text = json.dumps({**bare, "versionId": PLACEHOLDER}, ensure_ascii=False)
    return of_bytes(jcs.canonicalize(json.loads(text.replace(placed, PLACEHOLDER))))


def has_placeholder(entry: Mapping[str, Json]) -> bool:
    """Does the placeholder stand anywhere in an entry, where only the SCID may?"""
    return PLACEHOLDER in json.dumps({name: value for name, value in entry.items() if name != "proof"})


def filled(entry: Mapping[str, Json], found: str) -> dict[str, Json]:
    """The entry with the SCID wherever the placeholder stood."""
    read: dict[str, Json] = json.loads(json.dumps(entry, ensure_ascii=False).replace(PLACEHOLDER, found))
    return read
