"""CBOR at the border (RFC 8949): one data item, of bounded size, depth and number, read into plain values.

What somebody signed or hashed stays as it came: `received` finds the very bytes of embedded items (tag 24), so that
nobody has to encode them again. Tags are kept as tags; this house gives them a meaning where their format does.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import cbor2

from ssi.errors import Malformed

Cbor = Any
"""A value as CBOR has it: int, float, bytes, str, list, dict, bool, None, `Tag`, `undefined` or a simple value."""

Tag = cbor2.CBORTag
"""A tagged value: `tag` and `value` (RFC 8949 §3.4). Arrays and maps inside an unknown tag are immutable."""

MAX_BYTES: Final = 1_048_576
MAX_DEPTH: Final = 32
MAX_ITEMS: Final = 10_000
"""How many data items one document may have, once it is long enough for more of them to cost anything."""

EMBEDDED: Final = 24
"""The tag of a byte string that holds CBOR itself (RFC 8949 §3.4.5.1)."""

SHORT: Final = 8192
"""Up to this size, all together, documents are decoded at once, as whatever they hold is cheap; more are surveyed.

The dearest of that size, a map whose keys all hash alike, takes some 12 ms, and a presentation is three such documents.
"""

_TINY: Final = 1024
_LABELS: Final = frozenset((int, str))


def _kept(number: int) -> Callable[[Any, bool], Tag]:
    return lambda value, _immutable: Tag(number, value)


_SEAL: Final = secrets.token_bytes(32)
_SEALED: Final = b"\x58\x20" + _SEAL
"""Marks where a document ends. Its value decides nothing; that no document can hold it does."""

_INTERPRETED: Final = (
    *range(6),
    *(17, 18, 25, 28, 29, 30, 35, 36, 37, 52, 54, 61, 100, 256, 258, 260, 261, 1004, 43000, 55799),
)
_KEEP: Final[Mapping[int, Callable[[Any, bool], Tag]]] = {number: _kept(number) for number in _INTERPRETED}
"""Tags to which the decoder would give a meaning of its own: dates, and also regular expressions, MIME messages,
references that make cycles, and numbers that fill the memory. COSE's are here to keep what they hold a list."""


def decode(data: bytes, *, what: str = "document", max_bytes: int = MAX_BYTES) -> Cbor:
    """Read exactly one data item. No indefinite lengths, no repeated map keys, nothing after it.

    >>> decode(bytes.fromhex("a1616101"))
    {'a': 1}

    Raises Malformed (`cbor.size`, `cbor.items`, `cbor.key`, `cbor.form`).
    """
    if len(data) > max_bytes:
        raise Malformed("cbor.size", f"The {what} is larger than {max_bytes} bytes.")
    return _decode((data,), what)[0]


def decode_each(documents: Sequence[bytes], *, what: str = "document") -> list[Cbor]:
    """Read many short documents at once, each as `decode` would, within one bound. Raises Malformed as that does."""
    return _decode(documents, what)


def _decode(documents: Sequence[bytes], what: str) -> list[Cbor]:
    """The decoder does not say where it stopped, so a seal that nobody can know follows each document.

    If every second value comes out as the seal, each document is exactly one item. Raises Malformed as `decode` does.
    """
    count, sealed = len(documents), _SEALED.join(documents)
    if len(sealed) > SHORT:
        _survey_all(documents, what)
    try:
        values: list[Cbor] = cbor2.loads(
            _short_head(4, 2 * count) + sealed + _SEALED,
            semantic_decoders=_KEEP,
            max_depth=MAX_DEPTH + 1,
            allow_indefinite=False,
            allow_duplicate_keys=False,
        )
    except (cbor2.CBORDecodeError, RecursionError, OverflowError):
        values = []
    if values[1::2] != [_SEAL] * count:
        raise Malformed("cbor.form", f"The {what} is not one CBOR data item of an acceptable form.")
    return values[::2]


def decode_map(data: bytes, *, what: str = "document", max_bytes: int = MAX_BYTES) -> dict[Any, Cbor]:
    """`decode`, and the item must be a map. Raises Malformed, also `cbor.map`."""
    value = decode(data, what=what, max_bytes=max_bytes)
    if not isinstance(value, dict):
        raise Malformed("cbor.map", f"The {what} is not a CBOR map.")
    return value


def encode(value: Cbor) -> bytes:
    """Write a value deterministically: shortest forms, definite lengths, map keys sorted by length and then by bytes.

    That is RFC 8949 §4.2.3, and §4.2.1 too for maps whose keys have one type or are all short.
    Raises Malformed (`cbor.value`) for what CBOR cannot hold.
    """
    try:
        return cbor2.dumps(value, canonical=True)
    except (cbor2.CBOREncodeError, RecursionError, OverflowError):
        raise Malformed("cbor.value", "The value cannot be written as CBOR.") from None


def encode_in_order(value: Cbor) -> bytes:
    """Write a value in its shortest form, maps in the order that they have (RFC 8949 §4.1). Raises as `encode`."""
    try:
        return cbor2.dumps(value)
    except (cbor2.CBOREncodeError, RecursionError, OverflowError):
        raise Malformed("cbor.value", "The value cannot be written as CBOR.") from None


def array_of(items: Sequence[bytes]) -> bytes:
    """An array put together from items that are encoded already, so that they stay as they are."""
    return _short_head(4, len(items)) + b"".join(items)


def map_of(members: Mapping[str, bytes]) -> bytes:
    """A map with text keys, in its order, put together from values that are encoded already."""
    parts = (part for name, value in members.items() for part in (cbor2.dumps(name), value))
    return _short_head(5, len(members)) + b"".join(parts)


def embed(content: bytes) -> bytes:
    r"""Encoded CBOR as an embedded data item: tag 24 over a byte string, in shortest form.

    >>> embed(b"\xa0").hex()
    'd81841a0'
    """
    length = len(content)
    if length < 0x100:
        return _EMBEDDING[length] + content
    return b"\xd8\x18" + _short_head(2, length) + content


def unembed(data: bytes, *, what: str = "document") -> bytes:
    r"""The content of an embedded data item, given its encoding and nothing else.

    >>> unembed(b"\xd8\x18\x41\xa0").hex()
    'a0'

    Raises Malformed (`cbor.embedded`).
    """
    if len(data) > 2:
        tag, number, position = _head(data, 0, what)
        if (tag, number) == (6, EMBEDDED) and position < len(data):
            kind, length, position = _head(data, position, what)
            if kind == 2 and position + length == len(data):
                return data[position:]
    raise Malformed("cbor.embedded", f"The {what} is not embedded CBOR (tag 24).")


def embedded(value: Cbor, *, what: str = "value") -> bytes:
    """The content of an embedded data item. Raises Malformed (`cbor.embedded`) when it is something else."""
    if isinstance(value, Tag) and value.tag == EMBEDDED and isinstance(value.value, bytes):
        return value.value
    raise Malformed("cbor.embedded", f"The {what} is not embedded CBOR (tag 24).")


def received(data: bytes, contents: Sequence[bytes]) -> list[bytes]:
    """The bytes of embedded items as they came in `data`, tags and lengths included, given what they hold.

    The items stand side by side in `data`, as the elements of an array do. Almost every writer uses the shortest form:
    then they are found at once. Any other form is found by going through `data`.
    Raises Malformed (`cbor.embedded`) when `data` has no such item.
    """
    return received_runs(data, [contents])


def received_runs(data: bytes, runs: Sequence[Sequence[bytes]]) -> list[bytes]:
    """As `received`, for several arrays of items that follow each other in `data`, going through it once."""
    shortest, position = [[embed(content) for content in run] for run in runs], 0
    for run in shortest:
        whole = b"".join(run)
        position = data.find(whole, position) + len(whole)
        if position < len(whole):
            break
    else:
        return [item for run in shortest for item in run]
    found = {content: data[start:end] for start, end, content in _embedded_spans(data)}
    try:
        return [found[content] for run in runs for content in run]
    except KeyError:
        raise Malformed("cbor.embedded", "An embedded part is not where it should be.") from None


def _survey_all(documents: Sequence[bytes], what: str) -> None:
    """Survey the documents that are not tiny, or all where many tiny ones make one that is not short."""
    tiny = sum([len(document) for document in documents if len(document) <= _TINY])
    left = MAX_ITEMS
    for document in documents:
        if len(document) > _TINY or tiny > SHORT:
            left -= _survey(document, what, left)


def _survey(data: bytes, what: str, limit: int) -> int:
    """Count the heads without building anything, and see that map keys are integers or strings.

    Other keys have no use here, and a thousand arrays that hash alike would keep a dictionary busy for long.
    """
    position, end = 0, len(data)
    left, in_map, outer = 1, False, list[tuple[int, bool]]()
    for count in range(limit + 1):
        while not left:
            if not outer:
                return count
            left, in_map = outer.pop()
        if position >= end:
            return count  # it is cut off, as the decoder will say
        major, argument = data[position] >> 5, data[position] & 0x1F
        if argument < 24:  # as `_head`, of which most need no more than this
            position += 1
        else:
            major, argument, position = _head(data, position, what)
        if in_map and left % 2 == 0 and major > 3:
            raise Malformed("cbor.key", f"A map in the {what} has a key that is neither a number nor a text.")
        left -= major != 6  # a tag and its value are one item
        if major in (2, 3):
            position += argument
        elif major in (4, 5):
            outer.append((left, in_map))
            left, in_map = argument * (major - 3), major == 5
    raise Malformed("cbor.items", f"The {what} is made of too many parts.")


def _embedded_spans(data: bytes) -> list[tuple[int, int, bytes]]:
    """Start, end and content of every embedded item, in order, by going from head to head."""
    spans: list[tuple[int, int, bytes]] = []
    position, end, tagged_at = 0, len(data), -1
    for _ in range(MAX_ITEMS):
        if position >= end:
            break
        start, (major, argument, position) = position, _head(data, position, "document")
        if major in (2, 3):
            position += argument
            if tagged_at >= 0 and major == 2:
                spans.append((tagged_at, position, data[position - argument : position]))
        tagged_at = start if (major, argument) == (6, EMBEDDED) else -1
    return spans


def _short_head(major: int, argument: int) -> bytes:
    """The shortest head for a length of up to 32 bits."""
    if argument < 24:
        return bytes((major << 5 | argument,))
    if argument < 0x100:
        return bytes((major << 5 | 24, argument))
    size = 2 if argument < 0x10000 else 4
    return bytes((major << 5 | (25 if size == 2 else 26),)) + argument.to_bytes(size, "big")


_EMBEDDING: Final = tuple(b"\xd8\x18" + _short_head(2, length) for length in range(0x100))


def _head(data: bytes, position: int, what: str) -> tuple[int, int, int]:
    """Major type, argument, and where the head ends (RFC 8949 §3)."""
    first = data[position]
    argument, position = first & 0x1F, position + 1
    if argument < 24:
        return first >> 5, argument, position
    if argument > 27:
        raise Malformed("cbor.form", f"The {what} is not one CBOR data item of an acceptable form.")
    size = 1 << (argument - 24)
    return first >> 5, int.from_bytes(data[position : position + size], "big"), position + size


def labelled(members: Mapping[Any, Cbor], *, what: str) -> None:
    """See that all keys are integers or texts, as COSE's labels are (RFC 9052 §1.4).

    So that no `1.0` or `true` is taken for a 1. Raises Malformed (`cbor.label`).
    """
    if not _LABELS.issuperset(map(type, members)):
        raise Malformed("cbor.label", f"A label in the {what} is neither an integer nor a text.")
