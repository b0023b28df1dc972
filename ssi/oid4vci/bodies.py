"""Request bodies: which parameters did a wallet send, each of them once (§8.3.1.2, §11.3)?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from ssi.encoding import Json, read_json_object
from ssi.errors import Malformed
from ssi.oid4vci.errors import OAuthError

MAX_REQUEST_BYTES: Final = 262_144


def members_once(body: bytes, *, what: str, error: str) -> Mapping[str, Json]:
    """The members of a request body. Raises OAuthError (`error`), also for a name that is given twice."""
    try:
        members = read_json_object(body, what=what, max_bytes=MAX_REQUEST_BYTES)
    except Malformed as cause:
        raise OAuthError(error, cause.detail) from None
    pairs: list[tuple[str, Json]] = json.loads(body, object_pairs_hook=list, parse_int=str, parse_float=str)
    if len(pairs) != len(members):
        raise OAuthError(error, f"The {what} repeats a parameter.")
    return members


def text_of(members: Mapping[str, Json], name: str, *, error: str) -> str | None:
    """A parameter that is a text and not empty; None when absent. Raises OAuthError (`error`)."""
    value = members.get(name)
    if name in members and (not isinstance(value, str) or not value):
        raise OAuthError(error, f"{name} is not a string.")
    return value
