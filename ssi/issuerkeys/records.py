"""Records: what does a receipt prove of an issuer's credential, and how final is that?

Of the ledger only the hash of one block is asked, and of that only once when the block is final: who has seen it can
check every receipt that leads to it with no network at all. The issuer must have proven to be whom the ledger names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ssi.caching import Cache, Kept
from ssi.encoding import Json
from ssi.errors import Malformed, SsiError, Unavailable, Unsupported
from ssi.ledger import receipts
from ssi.ledger.finality import Finality
from ssi.ledger.ledger import Ledger
from ssi.ledger.receipts import Place, Proven, Receipt
from ssi.ledger.slots import Anchored
from ssi.model import Issuer

FRESH: Final = timedelta(seconds=60)
"""How long an issuer's address, and a block that is not final, are used without asking again."""
RETRY: Final = timedelta(seconds=10)
"""After trouble, how long nobody asks again."""
FOREVER: Final = timedelta(days=3650)
"""How long a final block is known: it has no other hash tomorrow."""

IdentityOf = Callable[[Issuer, datetime], str | None]
"""The address that an issuer has proven to be on the ledger (`ssi.issuerkeys.identities`)."""


@dataclass(frozen=True)
class Record:
    """A receipt that has proven itself: what it says, whose it is, and how final the block is that it leads to."""

    receipt: Receipt
    proven: Proven
    finality: Finality


@dataclass(frozen=True)
class _Block:
    """What is known of a block; None for one that the chain does not have."""

    hash: bytes | None
    finality: Finality


class Records:
    """Checks receipts by one ledger. Safe to share between threads."""

    def __init__(self, ledger: Ledger, identity_of: IdentityOf, *, size: int = 1024) -> None:
        self.ledger = ledger
        self._identity_of = identity_of
        self._checkpoints = {one.number: one.hash for one in ledger.checkpoints}
        self._blocks: Cache[int, _Block | SsiError] = Cache(size=size)
        self._identities: Cache[Issuer, str | SsiError | None] = Cache(size=size)
        self._stated: Cache[tuple[str, bytes], Anchored | SsiError | None] = Cache(size=size)

    @property
    def place(self) -> Place:
        """Where its receipts are from. Raises Unsupported (`ledger.no_anchor`) where there is no TrustAnchor."""
        ledger = self.ledger
        if ledger.anchor is None:
            raise Unsupported("ledger.no_anchor", "The ledger's declaration names no TrustAnchor contract.")
        return Place(ledger.chain.chain_id, ledger.anchor.address.lower(), ledger.registry.address.lower())

    def proven(self, receipt: Mapping[str, Json], core: bytes | None, *, issuer: Issuer, now: datetime) -> Record:
        """What a receipt proves of the credential with this `core` (`model.Format.core`).

        Raises Refused and Malformed (`ledger.receipt*`, `ledger.inclusion`, `ledger.proof`, …) where it is not good,
        Unsupported (`ledger.no_core`, `ledger.no_identity`, `ledger.receipt_elsewhere`, `ledger.no_anchor`) where it
        cannot be judged here, Unavailable where the ledger or the issuer's DID could not be asked.
        """
        if core is None:
            raise Unsupported("ledger.no_core", "Credentials of this kind cannot have a receipt.")
        if not receipt:
            raise Malformed("ledger.receipt_unreadable", "What came as the credential's receipt cannot be read.")
        read, place = receipts.read(receipt), self.place
        if read.place != place:
            raise Unsupported("ledger.receipt_elsewhere", "The receipt is from a ledger that is not known here.")
        identity = self._identity(issuer, now)
        if identity is None:
            raise Unsupported("ledger.no_identity", "The issuer has no identity on this ledger.")
        known = {}

        def known_hash(number: int) -> bytes | None:
            known[number] = self._block(number, now)
            return known[number].hash

        proven = receipts.check(read, core, place=place, identity=identity, known_hash=known_hash)
        return Record(read, proven, known[proven.known_number].finality)

    def stated(self, digest: bytes, *, issuer: Issuer, now: datetime) -> Anchored | None:
        """Since when the issuer has a document of this SHA-256 on the ledger; None where it has not, or is not there.

        Raises Unsupported (`ledger.no_anchor`), Unavailable where the ledger or the issuer's DID could not be asked.
        """
        contract, identity = self.ledger.anchor, self._identity(issuer, now)
        if contract is None:
            raise Unsupported("ledger.no_anchor", "The ledger's declaration names no TrustAnchor contract.")
        if identity is None:
            return None

        def load(_before: Kept[Anchored | SsiError | None] | None) -> Kept[Anchored | SsiError | None]:
            try:
                return Kept(contract.anchored(identity, digest), now, now + FRESH)
            except SsiError as error:
                return Kept(Unavailable(error.code, error.detail), now, now + RETRY)

        found = self._stated.get((identity, digest), now=now, load=load)
        if isinstance(found, SsiError):
            raise _again(found)
        return found

    def _identity(self, issuer: Issuer, now: datetime) -> str | None:
        """The issuer's address; while the ledger is away, the one that it had proven before."""

        def load(before: Kept[str | SsiError | None] | None) -> Kept[str | SsiError | None]:
            try:
                return Kept(self._identity_of(issuer, now), now, now + FRESH)
            except SsiError as error:
                if isinstance(error, Unavailable) and before is not None and isinstance(before.value, str):
                    return Kept(before.value, now, now + RETRY)
                return Kept(_again(error), now, now + RETRY)

        found = self._identities.get(issuer, now=now, load=load)
        if isinstance(found, SsiError):
            raise _again(found)
        return found

    def _block(self, number: int, now: datetime) -> _Block:
        """A block: a checkpoint, which is its operator's own word, else what the nodes agree on."""
        if number in self._checkpoints:
            return _Block(self._checkpoints[number], Finality.FINALIZED)

        def load(_before: Kept[_Block | SsiError] | None) -> Kept[_Block | SsiError]:
            try:
                found = self._asked(number)
            except SsiError as error:  # of a wrong chain, too: it says nothing about the credential
                return Kept(Unavailable(error.code, error.detail), now, now + RETRY)
            return Kept(found, now, now + (FOREVER if found.finality is Finality.FINALIZED else FRESH))

        kept = self._blocks.get(number, now=now, load=load)
        if isinstance(kept, SsiError):
            raise _again(kept)
        return kept

    def _asked(self, number: int) -> _Block:
        chain = self.ledger.chain
        block = chain.block(number)
        if block is None:
            return _Block(None, Finality.PENDING)
        return _Block(block.hash, chain.finality(block.number, block.hash))


def _again(error: SsiError) -> SsiError:
    """The same error without the frames that a raised one collects; a node's own error is Unavailable."""
    if isinstance(error, Unavailable):
        return Unavailable(error.code, error.detail)
    return type(error)(error.code, error.detail)
