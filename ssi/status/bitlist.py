"""Bitstrings: one small number per credential, leftmost bits first, compressed (Bitstring Status List 1.0 §3.3, §3.4).

Not the lists of `ssi.status.bits`, whose bits stand the other way round and which are compressed differently.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Final

from ssi.encoding import Json, b64url, unb64url
from ssi.errors import Malformed, Refused

MIN_ENTRIES: Final = 131_072
"""The fewest entries of a list, so that an index tells little about whose it is (§6.1)."""
MAX_LIST_BYTES: Final = 4_194_304
"""The largest list that is unpacked: 33 million entries of one bit. What is larger belongs in several lists."""
SIZES: Final = (1, 2, 4, 8)
"""How many bits per entry this house issues; it reads any number from 1 to 8."""
_GZIP: Final = 31  # zlib's window bits for a GZIP wrapper; its time stamp is always 0, so equal lists are equal bytes


@dataclass(frozen=True)
class Bitstring:
    """A list as bytes. How many bits an entry has is said by the credential that points at it (`statusSize`)."""

    data: bytes

    def __post_init__(self) -> None:
        if len(self.data) > MAX_LIST_BYTES:
            raise Malformed("status.size", f"The status list is larger than {MAX_LIST_BYTES} bytes.")

    @staticmethod
    def blank(entries: int = MIN_ENTRIES, *, size: int = 1) -> Bitstring:
        """A list for at least `entries` credentials, all 0. Raises Malformed (`status.bits`, `status.size`)."""
        if size not in SIZES:
            raise Malformed("status.bits", "A status list has 1, 2, 4 or 8 bits per entry.")
        if not MIN_ENTRIES <= entries <= 8 * MAX_LIST_BYTES // size:
            raise Malformed("status.size", f"A status list has {MIN_ENTRIES} entries or more, within a bound.")
        return Bitstring(bytes((entries * size + 7) // 8))

    @staticmethod
    def read(encoded: Json) -> Bitstring:
        """Read an `encodedList`: multibase base64url of GZIP, expanded within a bound (§3.4).

        Raises Malformed (`status.list`, `status.lst`, `status.size`, `encoding.base64url`).
        """
        if not isinstance(encoded, str) or not encoded.startswith("u"):
            raise Malformed("status.list", "The status list has no encoded list in base64url.")
        return Bitstring(_expanded(unb64url(encoded[1:], what="status list")))

    @cached_property
    def digest(self) -> bytes:
        """What stands for the whole content on a ledger (docs/adr/0016): SHA-256 of the unpacked list."""
        return sha256(self.data).digest()

    def entries(self, size: int) -> int:
        """How many entries of `size` bits there are."""
        return len(self.data) * 8 // size

    def get(self, index: int, *, size: int = 1) -> int:
        """The value at `index`, counted from 0 at the left. Raises Refused (`status.index`) out of bounds."""
        first, last, shift = self._place(index, size)
        return int.from_bytes(self.data[first:last], "big") >> shift & ((1 << size) - 1)

    def changed(self, values: Mapping[int, int], *, size: int = 1) -> Bitstring:
        """The list with these values, by index. Raises Refused (`status.index`, `status.value`)."""
        data, mask = bytearray(self.data), (1 << size) - 1
        for index, value in values.items():
            if not 0 <= value <= mask:
                raise Refused("status.value", f"The status does not fit into {size} bits.")
            first, last, shift = self._place(index, size)
            whole = int.from_bytes(data[first:last], "big") & ~(mask << shift) | value << shift
            data[first:last] = whole.to_bytes(last - first, "big")
        return Bitstring(bytes(data))

    def decoyed(
        self, taken: Set[int], *, count: int, value: int = 1, size: int = 1, random: Callable[[int], bytes]
    ) -> Bitstring:
        """The list with `value` at `count` places that belong to no credential (§6.5): `taken` are those that do.

        Raises Refused (`status.full`) when there are not so many free places.
        """
        total = self.entries(size)
        if count > (total - len(taken)) // 2:
            raise Refused("status.full", "There are too few free places in the status list for so many decoys.")
        chosen: set[int] = set()
        while len(chosen) < count:
            index = int.from_bytes(random(8), "big") % total
            if index not in taken:
                chosen.add(index)
        return self.changed(dict.fromkeys(chosen, value), size=size)

    @property
    def encoded(self) -> str:
        """The `encodedList` (§3.3). Equal lists give equal texts."""
        compressor = zlib.compressobj(9, zlib.DEFLATED, _GZIP)
        return "u" + b64url(compressor.compress(self.data) + compressor.flush())

    def _place(self, index: int, size: int) -> tuple[int, int, int]:
        """Where an entry stands: its first byte, the byte after its last, and how many bits stand to its right."""
        if not 0 <= index < self.entries(size):
            raise Refused("status.index", "The credential's place is beyond the end of its status list.")
        start = index * size
        last = (start + size + 7) // 8
        return start // 8, last, last * 8 - start - size


def _expanded(data: bytes) -> bytes:
    """GZIP (RFC 1952) within a bound: a bomb stops at the bound, and what is cut short or goes on is refused."""
    inflater = zlib.decompressobj(_GZIP)
    try:
        plain = inflater.decompress(data, MAX_LIST_BYTES + 1)
    except zlib.error:
        raise Malformed("status.lst", "The status list cannot be decompressed.") from None
    if len(plain) > MAX_LIST_BYTES:
        raise Malformed("status.size", f"The status list is larger than {MAX_LIST_BYTES} bytes.")
    if not inflater.eof or inflater.unused_data:
        raise Malformed("status.lst", "The compressed status list is cut short or has something after it.")
    return plain
