"""The TrustAnchor contract: what has an identity stated, since when, and whom has it accredited?

Everything there is a digest or an address; what the digests are of is said by those who hold it (docs/contracts.md).
Call data builders raise Malformed (`ledger.abi`) for values that do not fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ssi.ledger import abi, slots
from ssi.ledger.hexes import keccak
from ssi.ledger.slots import Accreditation, Anchored, Head, Rights

if TYPE_CHECKING:
    from ssi.ledger.chain import Chain, Log
    from ssi.ledger.index import EventIndex

CONTRACT: Final = abi.contract("TrustAnchor")


def deploy_data(registry: str) -> bytes:
    """What creates a TrustAnchor that believes this identity registry, which must be our own (docs/contracts.md)."""
    return CONTRACT.deploy_data(registry)


def code(registry: str) -> bytes:
    """The code of a TrustAnchor that believes this registry."""
    return CONTRACT.code(int(registry, 16))


def name_hash(text: str) -> bytes:
    """What types and subjects are called on the ledger: keccak-256 of their UTF-8.

    >>> name_hash("urn:facet:credential:verified-person:1").hex()[:16]
    '2ca45ca2a9593963'
    """
    return keccak(text.encode("utf-8"))


def anchor(identity: str, digest: bytes) -> bytes:
    """State a digest: first come, for ever."""
    return abi.encode(CONTRACT, "anchor", identity, digest)


def anchor_many(identity: str, digests: Sequence[bytes]) -> bytes:
    """State several digests, all or none."""
    return abi.encode(CONTRACT, "anchorMany", identity, list(digests))


def set_head(identity: str, subject: bytes, digest: bytes, number: int) -> bytes:
    """State the newest state of a subject; `number` must be higher than the one before."""
    return abi.encode(CONTRACT, "setHead", identity, subject, digest, number)


def accredit(accreditor: str, subject: str, type_hash: bytes, rights: int, until: int) -> bytes:
    """Let a subject issue (1), accredit others (2) or both (3) until a time in seconds since 1970."""
    return abi.encode(CONTRACT, "accredit", accreditor, subject, type_hash, int(rights), until)


def withdraw(accreditor: str, subject: str, type_hash: bytes) -> bytes:
    """End an accreditation now."""
    return abi.encode(CONTRACT, "withdraw", accreditor, subject, type_hash)


@dataclass(frozen=True)
class AnchorEvent:
    """One event: `name` is Anchored, HeadSet, Accredited or Withdrawn; `identity` is who stated it.

    `fields`: digest | subject, digest, number | subject, typeHash, rights, until | subject, typeHash; hashes are bytes.
    """

    name: str
    identity: str
    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    log_index: int
    fields: Mapping[str, Any]


class TrustAnchor:
    """The TrustAnchor at an address. `first` is a block that is not later than its creation: scans begin there."""

    def __init__(self, chain: Chain, address: str, *, index: EventIndex | None = None, first: int = 0) -> None:
        self.chain = chain
        self.address = address.lower()
        self.index = index
        self._first = first

    def registry(self) -> str:
        """The address of the registry that it believes."""
        found: str = self._ask("registry", block=None)[0]
        return found

    def anchored(self, identity: str, digest: bytes, *, block: int | None = None) -> Anchored | None:
        """Since when this digest is anchored by this identity."""
        number, at = self._ask("anchored", identity, digest, block=block)
        return Anchored(number, at) if number else None

    def head(self, identity: str, subject: bytes, *, block: int | None = None) -> Head | None:
        """The newest state of a subject that this identity stated."""
        digest, number, found_in, at = self._ask("heads", identity, subject, block=block)
        return Head(digest, number, found_in, at) if number else None

    def accreditation(
        self, accreditor: str, subject: str, type_hash: bytes, *, block: int | None = None
    ) -> Accreditation | None:
        """What an accreditor last granted: also what has run out, or was withdrawn (`Accreditation.allows`)."""
        answer = self._ask("accreditations", accreditor, subject, type_hash, block=block)
        rights, withdrawn, until, granted_at, changed = answer
        return Accreditation(Rights(rights), until, granted_at, changed, withdrawn) if changed else None

    def events(self, identity: str, *, upto: int | None = None) -> tuple[AnchorEvent, ...]:
        """What this identity stated, in the chain's order, for pages and lists.

        Nothing proves that a node left nothing out: decisions ask the views, or storage proofs of `slots`.
        """
        topic = bytes(12) + bytes.fromhex(identity.removeprefix("0x"))
        if self.index is not None:
            self.index.sync(self.chain, self.address)
            logs: Sequence[Log] = self.index.logs(self.chain, self.address, topic)
        else:
            logs = self.chain.logs(self.address, (None, topic), self._first, self.chain.head().number)
        ordered = sorted(logs, key=lambda log: (log.block_number, log.log_index))
        return tuple(_read(log for log in ordered if upto is None or log.block_number <= upto))

    def _ask(self, view: str, *arguments: Any, block: int | None) -> tuple[Any, ...]:
        answer = self.chain.call(self.address, abi.encode(CONTRACT, view, *arguments), block=block)
        return abi.decode(CONTRACT, view, answer)


def _read(logs: Iterator[Log]) -> Iterator[AnchorEvent]:
    for log in logs:
        event = abi.read_event(CONTRACT, log)
        if event is None:
            continue
        fields = dict(event.fields)
        identity = fields.pop("identity", None) or fields.pop("accreditor")
        yield AnchorEvent(
            event.name, identity, log.block_number, log.block_hash, log.transaction_hash, log.log_index, fields
        )


__all__ = [
    "CONTRACT",
    "Accreditation",
    "AnchorEvent",
    "Anchored",
    "Head",
    "Rights",
    "TrustAnchor",
    "accredit",
    "anchor",
    "anchor_many",
    "code",
    "deploy_data",
    "name_hash",
    "set_head",
    "slots",
    "withdraw",
]
