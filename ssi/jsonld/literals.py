"""Values as RDF literals, written the way canonical N-Quads write them (RDFC-1.0 §5, JSON-LD 1.1 API §8.2.2)."""

from __future__ import annotations

import re
from typing import Final

from ssi.errors import Malformed
from ssi.jsonld.iris import XSD

MAX_INTEGER: Final = 2**53
_SMALLEST: Final = 1e-6
_special = re.compile(r'[\x00-\x1f"\\\x7f]').search
_ESCAPES: Final = {
    **{code: f"\\u{code:04X}" for code in (*range(0x20), 0x7F)},
    0x08: "\\b",
    0x09: "\\t",
    0x0A: "\\n",
    0x0C: "\\f",
    0x0D: "\\r",
    0x22: '\\"',
    0x5C: "\\\\",
}
STRING: Final = f"{XSD}string"
_BOOLEAN: Final = f"{XSD}boolean"
_INTEGER: Final = f"{XSD}integer"
_DOUBLE: Final = f"{XSD}double"


def quoted(text: str) -> str:
    r"""The text between quotation marks, escaped.

    >>> quoted('say "hi"')
    '"say \\"hi\\""'
    """
    return f'"{text.translate(_ESCAPES)}"' if _special(text) else f'"{text}"'


def suffix(datatype: str) -> str:
    """What follows the quotation marks of a literal of this datatype; nothing for xsd:string, which is understood."""
    return "" if datatype == STRING else f"^^<{datatype}>"


def native(value: float | bool, datatype: str | None) -> str:
    """A JSON number or boolean as a literal, of `datatype` where one is given.

    Numbers are written where every JSON-LD processor writes the same: integers below 2^53, and fractions that
    ECMAScript shows without an exponent. Others are refused, since a signature over them would hold here and not
    elsewhere, or the other way round. Raises Malformed (`jsonld.number`).

    >>> native(1.5, None)
    '"1.5E0"^^<http://www.w3.org/2001/XMLSchema#double>'
    """
    if isinstance(value, bool):
        return ('"true"' if value else '"false"') + suffix(datatype or _BOOLEAN)
    is_whole = value == value // 1 if -MAX_INTEGER < value < MAX_INTEGER else None
    if is_whole is None or (not is_whole and abs(value) < _SMALLEST):
        raise Malformed("jsonld.number", "The document has a number that not every processor would write alike.")
    if not is_whole or datatype == _DOUBLE:
        return f'"{_double(value)}"{suffix(datatype or _DOUBLE)}'
    return f'"{int(value)}"{suffix(datatype or _INTEGER)}'


def _double(value: float) -> str:
    """The canonical form of xsd:double as JSON-LD has it: `%1.15E` without needless zeros (API §8.2.2 step 10)."""
    mantissa, exponent = f"{value + 0.0:.15E}".split("E")
    whole, fraction = mantissa.split(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}E{int(exponent)}"
