"""Statements: what does an asker bring that others say about it (OpenID4VP 1.0 §5.11)? Shown, and never believed.

This wallet knows no format of such statements whose signature and binding it could check; they are the asker's words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ssi.encoding import Json, printable, read_json_object, unb64url
from ssi.errors import SsiError
from ssi.oid4vp import VerifierInfo

_MOST: Final = 8
_LONGEST: Final = 200


@dataclass(frozen=True)
class Statement:
    """One statement: the format that it says it has, and the texts that stand in it, as names and values."""

    format: str
    lines: tuple[tuple[str, str], ...]


def statements(brought: Sequence[VerifierInfo]) -> tuple[Statement, ...]:
    """The statements as a page may show them; what cannot be read has no lines."""
    return tuple(Statement(printable(one.format, limit=_LONGEST), _lines(one.data)) for one in brought)


def _lines(data: Json) -> tuple[tuple[str, str], ...]:
    members = data if isinstance(data, Mapping) else _payload(str(data))
    texts = [(name, value) for name, value in members.items() if isinstance(value, str) and value.strip()]
    return tuple((printable(name, limit=_LONGEST), printable(value, limit=_LONGEST)) for name, value in texts[:_MOST])


def _payload(token: str) -> Mapping[str, Json]:
    """What a signed token says, its signature not looked at."""
    parts = token.split(".")
    try:
        return read_json_object(unb64url(parts[1], what="statement"), what="statement") if len(parts) == 3 else {}
    except SsiError:
        return {}
