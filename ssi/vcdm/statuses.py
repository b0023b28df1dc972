"""Statuses: where does a credential say that its status is published (VCDM 2.0 §4.10, Bitstring Status List §2.1)?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.model import StatusRef
from ssi.vcdm.values import bad, is_url, typed_objects

MEMBER: Final = "credentialStatus"
BITSTRING: Final = "BitstringStatusListEntry"
MAX_SIZE: Final = 8
"""The most bits of one entry that are read: beyond that an entry would have to name more than 256 messages."""
_INDEX = re.compile(r"0|[1-9][0-9]{0,15}")
_VALUE = re.compile(r"0[xX][0-9A-Fa-f]{1,4}")


def refs(document: Mapping[str, Json], *, id_required: bool) -> tuple[StatusRef, ...]:
    """Every status entry. One of a kind unknown here keeps its name, so that nobody takes it for "no status".

    Raises Malformed (`vcdm.credentialStatus`).
    """
    every = typed_objects(document, MEMBER, id_required=id_required)
    return tuple(_bitstring(one) if BITSTRING in types else StatusRef(types[0], "", 0) for one, types in every)


def _bitstring(one: Mapping[str, Json]) -> StatusRef:
    purpose, index, uri = one.get("statusPurpose"), one.get("statusListIndex"), one.get("statusListCredential")
    if not isinstance(purpose, str) or not purpose:
        raise bad(MEMBER, "A status entry does not say its purpose.")
    if not isinstance(index, str) or not _INDEX.fullmatch(index):
        raise bad(MEMBER, "A status entry's index is not a whole number written as text.")
    if not isinstance(uri, str) or not is_url(uri) or one.get("id") == uri:
        raise bad(MEMBER, "A status entry does not name its list, or takes the list's name for its own.")
    references = one.get("statusReference", [])
    if not all(is_url(each) for each in (references if isinstance(references, list) else [references])):
        raise bad(MEMBER, "A status entry's reference is not a URL.")
    return StatusRef(BITSTRING, uri, int(index), purpose, *_messages(one))


def _messages(one: Mapping[str, Json]) -> tuple[int, tuple[tuple[str, str], ...]]:
    """`statusSize` and `statusMessage`: one message for each value that the bits can have."""
    size = one.get("statusSize", 1)
    if isinstance(size, bool) or not isinstance(size, int) or not 0 < size <= MAX_SIZE:
        raise bad(MEMBER, f"A status entry's size is not a number of bits from 1 to {MAX_SIZE}.")
    if "statusMessage" not in one:
        if size > 1:
            raise bad(MEMBER, "A status entry of several bits does not say what their values mean.")
        return size, ()
    messages = one["statusMessage"]
    if not isinstance(messages, list) or len(messages) != 2**size:
        raise bad(MEMBER, "A status entry does not have one message for each value of its bits.")
    return size, tuple(_message(each) for each in messages)


def _message(each: Json) -> tuple[str, str]:
    value, message = (each.get("status"), each.get("message")) if isinstance(each, Mapping) else (None, None)
    if not isinstance(value, str) or not _VALUE.fullmatch(value) or not isinstance(message, str):
        raise Malformed("vcdm.credentialStatus", "A message of a status entry has no value or no text.")
    return value, message
