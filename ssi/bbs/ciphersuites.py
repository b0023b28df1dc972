"""Ciphersuites and interfaces: how bytes become scalars and generators, and under which names (IRTF BBS §4, §7)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final

from py_arkworks_bls12381 import G1Point, Scalar

from ssi.bbs.curve import EXPANDED, reduced

Expand = Callable[[bytes, bytes, int], bytes]


_PADDED: Final = hashlib.sha256(bytes(64))  # only ever copied


def _expand_xmd(message: bytes, dst: bytes, length: int) -> bytes:
    """`expand_message_xmd` with SHA-256 (RFC 9380 §5.3.1)."""
    tail, start = dst + bytes((len(dst),)), _PADDED.copy()
    start.update(message + length.to_bytes(2, "big") + b"\x00" + tail)
    first = start.digest()
    secret = int.from_bytes(first, "big")
    block = expanded = hashlib.sha256(first + b"\x01" + tail).digest()
    for index in range(2, -(-length // 32) + 1):
        mixed = (secret ^ int.from_bytes(block, "big")).to_bytes(32, "big")
        block = hashlib.sha256(mixed + bytes((index,)) + tail).digest()
        expanded += block
    return expanded[:length]


def _expand_xof(message: bytes, dst: bytes, length: int) -> bytes:
    """`expand_message_xof` with SHAKE-256 (RFC 9380 §5.3.2)."""
    tail = dst + bytes((len(dst),))
    return hashlib.shake_256(message + length.to_bytes(2, "big") + tail).digest(length)


_FIELD: Final = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB


def _shake_to_curve(message: bytes, dst: bytes) -> G1Point:
    """`BLS12381G1_XOF:SHAKE-256_SSWU_RO_` (Appendix A.1): two field elements of 64 bytes each, mapped and added."""
    uniform = _expand_xof(message, dst, 128)
    left, right = (int.from_bytes(half, "big") % _FIELD for half in (uniform[:64], uniform[64:]))
    return G1Point.map_from_fp_be(left.to_bytes(48, "big")) + G1Point.map_from_fp_be(right.to_bytes(48, "big"))


@dataclass(frozen=True)
class Ciphersuite:
    """One ciphersuite (§7.1): its identifier, and the hash functions that everything else is built on."""

    name: str
    id: bytes
    expand: Expand = field(repr=False)
    to_curve: Callable[[bytes, bytes], G1Point] = field(repr=False)

    @cached_property
    def p1(self) -> G1Point:
        """The fixed point P1 (§7.2), made as the first generator of a seed of its own."""
        api = self.id + b"H2G_HM2S_"
        seed_dst = api + b"SIG_GENERATOR_SEED_"
        value = self.expand(api + b"BP_MESSAGE_GENERATOR_SEED", seed_dst, EXPANDED)
        value = self.expand(value + (1).to_bytes(8, "big"), seed_dst, EXPANDED)
        return self.to_curve(value, api + b"SIG_GENERATOR_DST_")

    def hash_to_scalar(self, data: bytes, dst: bytes) -> Scalar:
        """`hash_to_scalar` (§4.2.2)."""
        return reduced(self.expand(data, dst, EXPANDED))


SHA256: Final = Ciphersuite(
    "BLS12-381-SHA-256", b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_", _expand_xmd, G1Point.hash_to_curve
)
SHAKE256: Final = Ciphersuite(
    "BLS12-381-SHAKE-256", b"BBS_BLS12381G1_XOF:SHAKE-256_SSWU_RO_", _expand_xof, _shake_to_curve
)

CIPHERSUITES: Final[tuple[Ciphersuite, ...]] = (SHA256, SHAKE256)
"""Both ciphersuites of the draft. bbs-2023 uses the first."""


@dataclass(frozen=True)
class Interface:
    """A ciphersuite under an interface's name, so that what one interface signs means nothing to another (§3.8)."""

    suite: Ciphersuite
    suffix: bytes = b"H2G_HM2S_"

    @cached_property
    def api_id(self) -> bytes:
        """The identifier that separates this interface from all others."""
        return self.suite.id + self.suffix

    @cached_property
    def _hash_dst(self) -> bytes:
        return self.api_id + b"H2S_"

    @cached_property
    def _map_dst(self) -> bytes:
        return self.api_id + b"MAP_MSG_TO_SCALAR_AS_HASH_"

    def digest(self, data: bytes) -> Scalar:
        """Hash to a scalar for domains, signatures and challenges (`hash_to_scalar_dst`)."""
        return self.suite.hash_to_scalar(data, self._hash_dst)

    def scalars(self, messages: Sequence[bytes]) -> list[Scalar]:
        """`messages_to_scalars` (§4.1.2)."""
        expand, dst = self.suite.expand, self._map_dst
        return [reduced(expand(message, dst, EXPANDED)) for message in messages]


@dataclass(frozen=True)
class Generators:
    """Points that messages are bound to, the one for the domain first, and their octets as they are hashed."""

    points: tuple[G1Point, ...]
    octets: bytes = field(repr=False)

    def __add__(self, other: Generators) -> Generators:
        """These and then those, as interfaces with blind messages need them."""
        return Generators(self.points + other.points, self.octets + other.octets)


_BLOCK: Final = 16


@lru_cache(maxsize=256)
def _block(suite: Ciphersuite, api_id: bytes, index: int) -> tuple[tuple[G1Point, ...], bytes]:
    """Sixteen generators and the seed that the next sixteen continue from, made once per process (§4.1.1)."""
    seed_dst = api_id + b"SIG_GENERATOR_SEED_"
    if index:
        value = _block(suite, api_id, index - 1)[1]
    else:
        value = suite.expand(api_id + b"MESSAGE_GENERATOR_SEED", seed_dst, EXPANDED)
    points = []
    for number in range(index * _BLOCK + 1, (index + 1) * _BLOCK + 1):
        value = suite.expand(value + number.to_bytes(8, "big"), seed_dst, EXPANDED)
        points.append(suite.to_curve(value, api_id + b"SIG_GENERATOR_DST_"))
    return tuple(points), value


@lru_cache(maxsize=1024)
def generators(interface: Interface, count: int, *, blind: bool = False) -> Generators:
    """`create_generators` (§4.1.1), kept per interface and count; `blind` ones are of the name's second list."""
    api_id = b"BLIND_" * blind + interface.api_id
    blocks = [_block(interface.suite, api_id, index)[0] for index in range(-(-count // _BLOCK))]
    points = tuple(point for block in blocks for point in block)[:count]
    return Generators(points, b"".join(point.to_compressed_bytes() for point in points))
