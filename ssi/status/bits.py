"""Status lists: one small number per credential, packed into bytes and compressed (Token Status List §4)."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Final

from ssi.cose.cbor import Cbor
from ssi.encoding import Json, b64url, unb64url
from ssi.errors import Malformed, Refused

MAX_LIST_BYTES: Final = 4_194_304
"""The largest list that is unpacked: 33 million statuses of one bit. What is larger belongs in several lists."""
_BITS: Final = (1, 2, 4, 8)


@dataclass(frozen=True)
class StatusList:
    """The unpacked list: `bits` per status, lowest bits first within each byte (§4.1).

    >>> StatusList(1, bytes.fromhex("b9a3")).get(3)
    1
    """

    bits: int
    data: bytes

    def __post_init__(self) -> None:
        if type(self.bits) is not int or self.bits not in _BITS:
            raise Malformed("status.bits", "A status list has 1, 2, 4 or 8 bits per status.")
        if len(self.data) > MAX_LIST_BYTES:
            raise Malformed("status.size", f"The status list is larger than {MAX_LIST_BYTES} bytes.")

    @staticmethod
    def blank(size: int, *, bits: int = 1) -> StatusList:
        """A list for at least `size` credentials, all valid (0). Raises Malformed (`status.bits`, `status.size`)."""
        if size < 1 or size > 8 * MAX_LIST_BYTES:
            raise Malformed("status.size", "A status list of this size is not made.")
        width = StatusList(bits, b"").bits
        return StatusList(width, bytes((size * width + 7) // 8))

    @property
    def size(self) -> int:
        """How many statuses there are."""
        return len(self.data) * 8 // self.bits

    @cached_property
    def digest(self) -> bytes:
        """What stands for the whole content on a ledger (docs/adr/0016): SHA-256 of the width and the unpacked list."""
        return sha256(bytes([self.bits]) + self.data).digest()

    def get(self, index: int) -> int:
        """The status at `index`, counted from 0. Raises Refused (`status.index`) out of bounds (§8.3 step 6)."""
        byte, shift = self._place(index)
        return self.data[byte] >> shift & ((1 << self.bits) - 1)

    def set(self, index: int, value: int) -> StatusList:
        """The list with one status changed. Raises Refused (`status.index`, `status.value`)."""
        return self.changed({index: value})

    def changed(self, values: Mapping[int, int]) -> StatusList:
        """The list with these statuses, by index. Raises Refused (`status.index`, `status.value`)."""
        data, mask = bytearray(self.data), (1 << self.bits) - 1
        for index, value in values.items():
            if not 0 <= value <= mask:
                raise Refused("status.value", f"The status does not fit into {self.bits} bits.")
            byte, shift = self._place(index)
            data[byte] = data[byte] & ~(mask << shift) | value << shift
        return StatusList(self.bits, bytes(data))

    def _place(self, index: int) -> tuple[int, int]:
        if not 0 <= index < self.size:
            raise Refused("status.index", "The credential's place is beyond the end of its status list.")
        byte, rest = divmod(index * self.bits, 8)
        return byte, rest

    @property
    def json(self) -> dict[str, Json]:
        """The list as JSON has it (§4.2), compressed at the highest level."""
        return {"bits": self.bits, "lst": b64url(zlib.compress(self.data, 9))}

    @property
    def cbor(self) -> dict[str, Cbor]:
        """The list as CBOR has it (§4.3)."""
        return {"bits": self.bits, "lst": zlib.compress(self.data, 9)}


def read_cbor_list(members: Cbor) -> StatusList:
    """Read a list from its CBOR form (§4.3), whose `lst` is a byte string. Raises Malformed like `read_list`."""
    if not isinstance(members, Mapping):
        raise Malformed("status.list", "The status list is not a CBOR map.")
    bits, lst = members.get("bits"), members.get("lst")
    if type(bits) is not int or not isinstance(lst, bytes):
        raise Malformed("status.list", "The status list has no bits or no lst.")
    return StatusList(bits, _inflate(lst))


def read_list(members: Json) -> StatusList:
    """Read a list from its JSON form (§4.2). `aggregation_uri` and unknown members are ignored.

    Raises Malformed (`status.list`, `status.bits`, `status.lst`, `status.size`, `encoding.base64url`).
    """
    if not isinstance(members, Mapping):
        raise Malformed("status.list", "The status list is not a JSON object.")
    bits, lst = members.get("bits"), members.get("lst")
    if type(bits) is not int or not isinstance(lst, str):
        raise Malformed("status.list", "The status list has no bits or no lst.")
    return StatusList(bits, _inflate(unb64url(lst, what="status list")))


def _inflate(data: bytes) -> bytes:
    """ZLIB (RFC 1950) within a bound: a bomb stops at the bound, and what is cut short or goes on is refused."""
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(data, MAX_LIST_BYTES + 1)
    except zlib.error:
        raise Malformed("status.lst", "The status list cannot be decompressed.") from None
    if len(plain) > MAX_LIST_BYTES:
        raise Malformed("status.size", f"The status list is larger than {MAX_LIST_BYTES} bytes.")
    if not inflater.eof or inflater.unused_data:
        raise Malformed("status.lst", "The compressed status list is cut short or has something after it.")
    return plain
