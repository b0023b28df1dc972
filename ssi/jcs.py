"""One JSON value, one sequence of bytes: the JSON Canonicalization Scheme (RFC 8785)."""

from __future__ import annotations

from typing import Final

import orjson
import rfc8785

from ssi.encoding import Json
from ssi.errors import Malformed

MAX_DEPTH: Final = 64
"""How deep a value may be nested; what `encoding.read_json` reads is shallower."""

MAX_VALUES: Final = 16_384
"""How many values it may contain."""

_LARGEST: Final = 2**53 - 1


def canonicalize(value: Json) -> bytes:
    r"""The bytes that every implementation of RFC 8785 makes of this value.

    >>> canonicalize({"b": 1.0, "a": "\u20ac"})
    b'{"a":"\xe2\x82\xac","b":1}'

    Raises Malformed (`jcs.value`) for what JSON or the scheme cannot hold: NaN and infinities, integers beyond 2^53 - 1
    (§3.2.2.3: they have no IEEE 754 double of their own), lone surrogates (§3.2.2.2), names that are not text, and
    values nested deeper than MAX_DEPTH or more than MAX_VALUES.
    """
    is_plain = _is_plain(value)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS) if is_plain else rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, orjson.JSONEncodeError, UnicodeEncodeError):
        raise Malformed("jcs.value", "The value has no canonical form as JSON.") from None


def _is_plain(value: Json) -> bool:
    """Nothing in it is written differently by ordinary JSON with sorted names.

    That is so without fractions, and with names in ASCII, which sort alike as UTF-8 and as UTF-16 (§3.2.3). Raises
    Malformed (`jcs.value`) for one too deep or too large.
    """
    level, depth, count, is_plain = [value], 0, 0, True
    while level:
        depth, count = depth + 1, count + len(level)
        if depth > MAX_DEPTH + 1 or count > MAX_VALUES:
            raise Malformed("jcs.value", "The value is nested too deeply, or holds too many others.")
        below: list[Json] = []
        for each in level:
            kind = type(each)
            if kind is dict:
                below += each.values()
                is_plain = is_plain and all(type(name) is str and name.isascii() for name in each)
            elif kind is list or kind is tuple:
                below += each
            elif kind is int:
                is_plain = is_plain and -_LARGEST <= each <= _LARGEST
            elif kind is not str and kind is not bool and each is not None:
                is_plain = False
        level = below
    return is_plain
