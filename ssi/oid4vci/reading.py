"""Members of metadata documents: is each of the kind that the text says?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.oid4vci.urls import web_url

MAX_LISTED: Final = 512


def members_of(value: Json, what: str) -> Mapping[str, Json]:
    """An object. Raises Malformed (`oid4vci.metadata`)."""
    if not isinstance(value, dict):
        raise Malformed("oid4vci.metadata", f"A {what} in the issuer metadata is not an object.")
    return value


def texts(members: Mapping[str, Json], name: str) -> tuple[str, ...]:
    """A list of strings, () when absent. Raises Malformed (`oid4vci.metadata`)."""
    value = members.get(name, [])
    if not isinstance(value, list) or len(value) > MAX_LISTED or not all(isinstance(item, str) for item in value):
        raise Malformed("oid4vci.metadata", f"{name!r} in the metadata is not a list of strings.")
    return tuple(value)


def algorithms(value: Json) -> tuple[str | int, ...]:
    """Algorithms by their names, or by the integers that COSE formats use (Appendix A.2.2).

    Raises Malformed (`oid4vci.metadata`).
    """
    if not isinstance(value, list) or len(value) > MAX_LISTED:
        raise Malformed("oid4vci.metadata", "A list of algorithms in the issuer metadata cannot be read.")
    return tuple(item for item in value if isinstance(item, str | int) and not isinstance(item, bool))


def optional_url(members: Mapping[str, Json], name: str) -> str | None:
    """A web address, None when absent. Raises Malformed (`oid4vci.url`)."""
    return None if members.get(name) is None else web_url(members[name], what=name.replace("_", " "))


def filled(members: Mapping[str, Json]) -> dict[str, Json]:
    """Without the members that have nothing to say: an empty array is not allowed where the text says non-empty."""
    return {name: value for name, value in members.items() if value not in (None, [], {})}
