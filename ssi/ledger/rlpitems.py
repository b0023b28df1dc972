"""RLP at the border: what are the items of this one list, each as it came?

Only what a proof from a stranger needs (Ethereum Yellow Paper, Appendix B): one list, its items read strictly and not
followed further down, so that nothing nested can cost more than its own length.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ssi.errors import Malformed

_STRING: Final = 0x80
_LIST: Final = 0xC0
_LONG: Final = 55


class Item(NamedTuple):
    """An item: a byte string's content, or that of a list; `raw` is the item as it came."""

    is_list: bool
    content: bytes
    raw: bytes


def read_list(data: bytes, *, most: int) -> tuple[Item, ...]:
    """The items of exactly one list, with nothing after it, `most` of them at most. Raises Malformed (`ledger.rlp`)."""
    whole, end = _item(data, 0)
    if not whole.is_list or end != len(data):
        raise _malformed()
    items: list[Item] = []
    at = 0
    while at < len(whole.content):
        if len(items) == most:
            raise _malformed()
        item, at = _item(whole.content, at)
        items.append(item)
    return tuple(items)


def read_strings(data: bytes, *, most: int) -> tuple[bytes, ...]:
    """`read_list` of byte strings only. Raises Malformed (`ledger.rlp`)."""
    items = read_list(data, most=most)
    if any(item.is_list for item in items):
        raise _malformed()
    return tuple(item.content for item in items)


def number(content: bytes) -> int:
    """A number as RLP has it: big-endian without leading zeros. Raises Malformed (`ledger.rlp`)."""
    if content[:1] == b"\x00" or len(content) > 32:
        raise _malformed()
    return int.from_bytes(content, "big")


def string(data: bytes) -> bytes:
    """The content of exactly one byte string. Raises Malformed (`ledger.rlp`)."""
    item, end = _item(data, 0)
    if item.is_list or end != len(data):
        raise _malformed()
    return item.content


def _item(data: bytes, at: int) -> tuple[Item, int]:
    """The item that begins at a place, and where it ends."""
    if at >= len(data):
        raise _malformed()
    first = data[at]
    if first < _STRING:
        return Item(False, data[at : at + 1], data[at : at + 1]), at + 1
    is_list = first >= _LIST
    short = first - (_LIST if is_list else _STRING)
    start, length = at + 1, short
    if short > _LONG:
        start, length = _long(data, at + 1, short - _LONG)
    end = start + length
    content = data[start:end]
    if len(content) != length or (not is_list and length == 1 and content[0] < _STRING):
        raise _malformed()
    return Item(is_list, content, data[at:end]), end


def _long(data: bytes, at: int, width: int) -> tuple[int, int]:
    """Where the content of a long item begins, and its length, which must need this form."""
    told = data[at : at + width]
    length = int.from_bytes(told, "big")
    if len(told) != width or told[0] == 0 or length <= _LONG:
        raise _malformed()
    return at + width, length


def _malformed() -> Malformed:
    return Malformed("ledger.rlp", "A part of the ledger's proof is not encoded as ledgers encode.")
