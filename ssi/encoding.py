"""Bytes and text at the border: strict base64url, base58, JSON and NumericDate, each read once and with limits."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from ssi.errors import Malformed

MAX_JSON_BYTES = 1_048_576
MAX_JSON_DEPTH = 32
MAX_JSON_CONTAINERS = 20_000
"""How many brackets a text may have: so many are read in a few milliseconds."""
_LAST = {2: b"AQgw", 3: b"AEIMQUYcgkosw048"}  # last characters that leave no bits over, by length modulo 4
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_VALUE = {character: value for value, character in enumerate(_BASE58)}
_NUMBER = (int, float)  # a tuple made once: `int | float` is made anew each time
_LATEST = 253_402_300_799  # 9999-12-31T23:59:59Z, the last second that a datetime holds

Json = Any
"""A value as JSON has it. Open claim sets are the one place where a `dict` crosses a border."""


def b64url(data: bytes) -> str:
    r"""Encode as base64url without padding (RFC 7515 §2).

    >>> b64url(b"\xff\xfe")
    '__4'
    """
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def unb64url(text: str | bytes, *, what: str = "value") -> bytes:
    r"""Decode base64url without padding; padding, white space, foreign characters and dangling bits are refused.

    >>> unb64url("__4")
    b'\xff\xfe'

    Raises Malformed (`encoding.base64url`).
    """
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
    except UnicodeEncodeError:
        raise Malformed("encoding.base64url", f"The {what} is not base64url.") from None
    rest = len(raw) % 4
    try:
        decoded = binascii.a2b_base64(raw.translate(_TO_STANDARD) + _PADDING[rest], strict_mode=True)
    except ValueError:
        raise Malformed("encoding.base64url", f"The {what} is not base64url.") from None
    if rest and raw[-1] not in _LAST[rest]:
        raise Malformed("encoding.base64url", f"The {what} has bits left over in its base64url.")
    return decoded


_TO_URL = bytes.maketrans(b"+/", b"-_")
_TO_STANDARD = bytes.maketrans(b"-_+/=", b"+/***")  # what only standard base64 has becomes what none has
_PADDING = (b"", b"*", b"==", b"=")


def base58(data: bytes) -> str:
    r"""Encode as base58btc, leading zero bytes as `1` (Multibase `z` without its prefix).

    >>> base58(b"\x00\x01")
    '12'
    """
    number, digits = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = _BASE58[digit] + digits
    return "1" * (len(data) - len(data.lstrip(b"\x00"))) + digits


def unbase58(text: str, *, max_length: int = 512) -> bytes:
    """Decode base58btc. Raises Malformed (`encoding.base58`) on a foreign character or more than `max_length`."""
    if len(text) > max_length:
        raise Malformed("encoding.base58", "The base58 value is too long.")
    number = 0
    for character in text:
        digit = _BASE58_VALUE.get(character)
        if digit is None:
            raise Malformed("encoding.base58", "The value is not base58.")
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    return b"\x00" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def write_json(value: Json) -> bytes:
    """Compact UTF-8 JSON in the mapping's own order. Raises Malformed (`encoding.json`) for what JSON cannot hold."""
    try:
        return orjson.dumps(value)
    except (orjson.JSONEncodeError, RecursionError):
        raise Malformed("encoding.json", "The value cannot be written as JSON.") from None


def read_json(data: bytes | str, *, what: str = "document", max_bytes: int = MAX_JSON_BYTES) -> Json:
    """Read one JSON value of bounded size and depth (RFC 8259; NaN, comments and lone surrogates are refused).

    A repeated member name is read as its last value (RFC 7519 §4 allows that), the same everywhere in this house.
    Raises Malformed (`encoding.json`, `encoding.json_size`, `encoding.json_depth`).
    """
    if len(data) > max_bytes:
        raise Malformed("encoding.json_size", f"The {what} is larger than {max_bytes} bytes.")
    brackets = _brackets(data)
    if brackets > MAX_JSON_CONTAINERS:
        raise Malformed("encoding.json_size", f"The {what} has more than {MAX_JSON_CONTAINERS} objects and arrays.")
    try:
        value = orjson.loads(data)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        raise Malformed("encoding.json", f"The {what} is not JSON.") from None
    if brackets > MAX_JSON_DEPTH and _depth(value) > MAX_JSON_DEPTH:
        raise Malformed("encoding.json_depth", f"The {what} is nested deeper than {MAX_JSON_DEPTH} levels.")
    return value


def read_json_object(data: bytes | str, *, what: str = "document", max_bytes: int = MAX_JSON_BYTES) -> dict[str, Json]:
    """`read_json`, and the value must be an object. Raises Malformed, also `encoding.json_object`."""
    value = read_json(data, what=what, max_bytes=max_bytes)
    if not isinstance(value, dict):
        raise Malformed("encoding.json_object", f"The {what} is not a JSON object.")
    return value


def wire_json(wire: str) -> Json:
    """A credential or presentation as a member of a protocol message: an object where its format is one, else the text.

    >>> wire_json('{"type": "x"}'), wire_json("eyJ.eyJ.x")
    ({'type': 'x'}, 'eyJ.eyJ.x')

    Raises Malformed (`encoding.json`, …).
    """
    return read_json_object(wire, what="credential") if wire.startswith("{") else wire


def wire_text(member: Json) -> str | None:
    """The text of a credential or presentation from a protocol message; None for what is neither text nor object."""
    if isinstance(member, Mapping):
        return write_json(member).decode()
    return member if isinstance(member, str) and member else None


def _brackets(data: bytes | str) -> int:
    """How deep the text could be at most: a cheap bound that spares most documents the exact count."""
    return data.count(b"[") + data.count(b"{") if isinstance(data, bytes) else data.count("[") + data.count("{")


def _depth(value: Json) -> int:
    """Levels of objects and arrays, counted level by level without recursion."""
    level, depth = [value], 0
    while containers := [item for item in level if isinstance(item, dict | list)]:
        level = [below for item in containers for below in (item.values() if isinstance(item, dict) else item)]
        depth += 1
    return depth


def instant(claims: Mapping[str, Json], name: str) -> datetime | None:
    """Read a NumericDate claim (RFC 7519 §2) as an aware UTC datetime; None when the claim is absent.

    Raises Malformed (`encoding.numeric_date`) when present and not a number of seconds from 1970 to 9999.
    """
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, _NUMBER) or not 0 <= value <= _LATEST:
        raise Malformed("encoding.numeric_date", f"The time in {name!r} is not a number of seconds.")
    return datetime.fromtimestamp(value, UTC)


def seconds(moment: datetime) -> int:
    """A NumericDate: whole seconds since 1970 of an aware datetime.

    >>> seconds(datetime(2026, 1, 1, tzinfo=UTC))
    1767225600
    """
    return int(moment.timestamp())


def text(members: Mapping[str, Json], name: str, *, what: str = "document") -> str | None:
    """A string member, or None when absent. Raises Malformed (`encoding.text`) when it is anything else."""
    value = members.get(name)
    if value is None and name not in members:
        return None
    if not isinstance(value, str):
        raise Malformed("encoding.text", f"{name!r} in the {what} is not a string.")
    return value


def required_text(members: Mapping[str, Json], name: str, *, what: str = "document") -> str:
    """A string member that must be there and not be empty. Raises Malformed (`encoding.missing`, `encoding.text`)."""
    value = text(members, name, what=what)
    if not value:
        raise Malformed("encoding.missing", f"The {what} has no {name!r}.")
    return value


def printable(text: str, *, limit: int) -> str:
    r"""A stranger's text as a page may show it: cut, on one line, and without characters that turn or hide its parts.

    >>> printable("Police\u202e\nof ecilop", limit=11)
    'Police of e'
    """
    kept = (" " if c.isspace() else c for c in text if c.isprintable() or c.isspace() or c in _JOINERS)
    return "".join(kept)[:limit]


_JOINERS = "\u200c\u200d"  # Persian and Indic words need them
