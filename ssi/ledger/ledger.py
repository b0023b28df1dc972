"""The ledgers that a service knows, by the names that did:ethr gives to networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ssi.errors import Unsupported

if TYPE_CHECKING:
    from ssi.ledger.anchor import TrustAnchor
    from ssi.ledger.chain import Chain
    from ssi.ledger.index import EventIndex
    from ssi.ledger.registry import Registry


@dataclass(frozen=True)
class Checkpoint:
    """A block that is known beforehand, by whatever way: the chain that does not have it is another chain."""

    number: int
    hash: bytes


@dataclass(frozen=True)
class Ledger:
    """A chain, the contracts on it, and what the operator knows about them.

    `networks` are the names that did:ethr gives it ("0xface7", "mainnet"); `development` says that it proves nothing
    to anybody but its owner; `accreditors` are the DIDs whose word begins the tree of accredited issuers.
    """

    chain: Chain
    registry: Registry
    anchor: TrustAnchor | None
    index: EventIndex | None
    checkpoints: tuple[Checkpoint, ...]
    accreditors: tuple[str, ...]
    name: str
    development: bool
    networks: tuple[str, ...]


@dataclass(frozen=True)
class Ledgers:
    """Ledgers by network name ("mainnet", "0xface7")."""

    by_network: Mapping[str, Ledger] = field(default_factory=dict)

    def named(self, network: str) -> Ledger:
        """The ledger of this network. Raises Unsupported (`ledger.network`)."""
        found = self.by_network.get(network)
        if found is None:
            raise Unsupported("ledger.network", "The ledger that the DID names is not one this service knows.")
        return found

    @staticmethod
    def of(*ledgers: Ledger) -> Ledgers:
        """These ledgers under all their names."""
        return Ledgers({network: ledger for ledger in ledgers for network in ledger.networks})


NO_LEDGERS: Final = Ledgers()
