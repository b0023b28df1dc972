"""What stands in the `proofValue` of bbs-2023: base proofs for holders, derived proofs for verifiers (§3.3).

Both are three bytes that say which of the two, and with which feature, and a CBOR array. Everything is bounded and of
its exact type before any of it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import Final

from ssi.cose import cbor
from ssi.encoding import Json, unb64url
from ssi.errors import Malformed, Refused
from ssi.suites import components

MAX_LENGTH: Final = 65_536
"""Characters of a `proofValue`: some six times what the largest proof that `ssi.bbs` makes has."""

_MAX_LABEL: Final = 10_000
_PREFIX: Final = b"\xd9\x5d"


class Feature(Enum):
    """What a proof is bound to besides the document; the value is the third byte of a base proof (§3.3.1)."""

    BASELINE = 0x02
    HOLDER_BINDING = 0x04
    PSEUDONYM = 0x06
    HOLDER_BINDING_PSEUDONYM = 0x08

    @property
    def nym(self) -> bool:
        """Whether its proofs carry a pseudonym."""
        return self in (Feature.PSEUDONYM, Feature.HOLDER_BINDING_PSEUDONYM)

    @property
    def held(self) -> int:
        """How many secrets of the holder are signed besides a pseudonym's."""
        return int(self in (Feature.HOLDER_BINDING, Feature.HOLDER_BINDING_PSEUDONYM))


@dataclass(frozen=True)
class Base:
    """A base proof's parts (§3.3.2). The key is the one to shuffle labels with: whoever has it sees what is hidden."""

    signature: bytes = field(repr=False)
    header: bytes
    public: bytes
    hmac_key: bytes = field(repr=False)
    pointers: tuple[str, ...]
    feature: Feature = Feature.BASELINE
    nym_entropy: bytes = b""

    def write(self) -> str:
        """`serializeBaseProofValue` (§3.3.1)."""
        parts: list[Json] = [self.signature, self.header, self.public, self.hmac_key, list(self.pointers)]
        if self.feature.nym:
            parts.append(self.nym_entropy)
        return components.pack(_PREFIX + bytes((self.feature.value,)), parts)


@dataclass(frozen=True)
class Derived:
    """A derived proof's parts (§3.3.7): the BBS proof, and which statement of the document stands where in it.

    `labels` are the signed numbers of the document's blank nodes, by their canonical numbers; `mandatory` and
    `selective` are positions among all shown statements and among the signed messages. `messages`, with any feature
    but the baseline, is how many messages the issuer signed; `domain` and `pseudonym` belong together.
    """

    proof: bytes
    labels: Mapping[int, int]
    mandatory: tuple[int, ...]
    selective: tuple[int, ...]
    presentation_header: bytes
    feature: Feature = Feature.BASELINE
    messages: int = 0
    domain: str = ""
    pseudonym: bytes = b""

    def write(self) -> str:
        """`serializeDerivedProofValue` (§3.3.6)."""
        indexes = [list(self.mandatory), list(self.selective)]
        parts: list[Json] = [self.proof, dict(self.labels), *indexes, self.presentation_header]
        if self.feature.nym:
            parts += (self.domain, self.pseudonym)
        if self.feature is not Feature.BASELINE:
            parts.append(self.messages)
        return components.pack(_PREFIX + bytes((self.feature.value + 1,)), parts)


def read_base(proof: Mapping[str, Json]) -> Base:
    """`parseBaseProofValue` (§3.3.2).

    Raises Refused (`suite.derived_proof`) for a derived proof, Malformed (`suite.proof_value`, `suite.components`, …).
    """
    kind, parts = _read(proof)
    if kind % 2:
        raise Refused("suite.derived_proof", "The proof is for a verifier: nothing more can be derived from it.")
    feature = Feature(kind)
    if len(parts) != 5 + feature.nym:
        raise Malformed("suite.components", "The proof's value does not have the parts that it must have.")
    signature, header, public, hmac_key = map(components.octets, parts, (80, 64, 96, 32))
    pointers = components.pointers(parts[4])
    entropy = _entropy(parts[5]) if feature.nym else b""
    return Base(signature, header, public, hmac_key, pointers, feature, entropy)


def read_derived(proof: Mapping[str, Json]) -> Derived:
    """`parseDerivedProofValue` (§3.3.7).

    Raises Refused (`suite.base_proof`) for a base proof, Malformed (`suite.proof_value`, `suite.components`, …).
    """
    kind, parts = _read(proof)
    if not kind % 2:
        raise Refused("suite.base_proof", "The proof is for the holder only: it would show what is to stay hidden.")
    feature = Feature(kind - 1)
    if len(parts) != 5 + (feature is not Feature.BASELINE) + 2 * feature.nym:
        raise Malformed("suite.components", "The proof's value does not have the parts that it must have.")
    proved, labels, mandatory, selective, header, *more = parts
    found = (_bytes(proved), _labels(labels), _indexes(mandatory), _indexes(selective), _bytes(header), feature)
    if feature is Feature.BASELINE:
        return Derived(*found)
    messages = more[-1]
    if type(messages) is not int or not 0 <= messages <= _MAX_LABEL:
        raise Malformed("suite.components", "The proof does not say how many messages were signed.")
    if not feature.nym:
        return Derived(*found, messages)
    if type(more[0]) is not str:
        raise Malformed("suite.components", "The proof does not say in which context its pseudonym holds.")
    return Derived(*found, messages, more[0], components.octets(more[1], 48))


def _read(proof: Mapping[str, Json]) -> tuple[int, list[Json]]:
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("u") or len(value) > MAX_LENGTH:
        raise Malformed("suite.proof_value", "The proof's value is not a BBS proof in base64url.")
    octets = unb64url(value[1:], what="proof's value")
    if octets[:2] != _PREFIX or len(octets) < 4 or not 0x02 <= octets[2] <= 0x09:
        raise Malformed("suite.header", "The proof's value does not begin as its cryptographic suite has it.")
    parts = cbor.decode(octets[3:], what="proof's value", max_bytes=MAX_LENGTH)
    if not isinstance(parts, list):
        raise Malformed("suite.components", "The proof's value does not have the parts that it must have.")
    return octets[2], parts


def _bytes(part: Json) -> bytes:
    if isinstance(part, bytes):
        return part
    raise Malformed("suite.components", "A part of the proof's value is not bytes.")


def _indexes(part: Json) -> tuple[int, ...]:
    """Positions in ascending order, none twice."""
    if not isinstance(part, list) or not all(type(each) is int and 0 <= each <= _MAX_LABEL for each in part):
        raise Malformed("suite.components", "The indexes in the proof's value are not numbers in their range.")
    if any(left >= right for left, right in pairwise(part)):
        raise Malformed("suite.components", "The indexes in the proof's value are not in ascending order.")
    return tuple(part)


def _labels(part: Json) -> dict[int, int]:
    """`decompressLabelMap` (§3.3.5), numbers kept as numbers."""
    numbers = [*part.keys(), *part.values()] if isinstance(part, dict) else [None]
    if not all(type(each) is int and 0 <= each <= _MAX_LABEL for each in numbers):
        raise Malformed("suite.components", "The labels in the proof's value are not numbers in their range.")
    if len(set(part.values())) != len(part):
        raise Malformed("suite.labels", "Two labels in the proof's value stand for one node.")
    return dict(part)


def _entropy(part: Json) -> bytes:
    """32 bytes, or the number that the vectors have, beyond 64 bits with a tag (which §3.3.1 step 2 forbids)."""
    if type(part) is int and 0 <= part < 2**64:
        return part.to_bytes(32, "big")
    if isinstance(part, cbor.Tag) and part.tag == 2 and len(_bytes(part.value)) <= 32:
        return _bytes(part.value).rjust(32, b"\x00")
    return components.octets(part, 32)
