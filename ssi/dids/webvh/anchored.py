"""Anchored heads: does a ledger know of more than the log that was served (docs/adr/0016-the-desks-did.md)?

A log proves that its entries belong together, but not that it is whole: a host can serve its beginning only. Where a
document names a did:ethr in `alsoKnownAs`, that account may have stated the log's head on the TrustAnchor contract. A
log that ends before the head was cut off; one with another entry there is another log. Entries after the head are
taken, and the evidence says up to which version the ledger agrees: they have only just been written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from ssi.dids.ethr import identifier
from ssi.dids.webvh.log import Log
from ssi.encoding import Json
from ssi.errors import Refused, SsiError, Unavailable
from ssi.ledger.anchor import TrustAnchor, name_hash
from ssi.ledger.finality import Finality
from ssi.ledger.ledger import Ledger, Ledgers
from ssi.ledger.slots import Head

MAX_NAMED: Final = 8
_ETHR: Final = "did:ethr:"


def check(log: Log, *, ledgers: Ledgers) -> dict[str, Json]:
    """What the ledgers say about a log; {} where it names no account on a ledger that is known here.

    The accounts are those that any of its documents names, and all of them are asked: else a host could leave out the
    entry that names one, and a thief of a key could name others until the one that knows better is no longer asked.
    Where several have stated a head, the evidence is that of the one that agrees to least.
    Raises Refused (`did.webvh_truncated`, `did.webvh_forked`, `did.webvh_accounts`), Unavailable (`ledger.*`).
    """
    found: list[tuple[int, dict[str, Json]]] = []
    for ledger, address in _accounts(log, ledgers):
        contract = ledger.anchor
        head = None if contract is None else contract.head(address, name_hash(log.scid))
        if contract is not None and head is not None:
            found.append((head.number, _compare(log, head, ledger, contract, address)))
    return min(found, key=lambda one: one[0])[1] if found else {}


def digest(version_id: str) -> bytes:
    """What the ledger keeps of a version: the SHA-256 of its versionId, 32 bytes."""
    return hashlib.sha256(version_id.encode()).digest()


def _accounts(log: Log, ledgers: Ledgers) -> tuple[tuple[Ledger, str], ...]:
    """The accounts that the log's documents name on ledgers known here, each once. Raises Refused for too many."""
    found: dict[tuple[int, str], tuple[Ledger, str]] = {}
    for name in _names(log):
        try:
            read = identifier.read(name)
        except SsiError:
            continue
        ledger = ledgers.by_network.get(read.network)
        if ledger is not None:
            found[ledger.chain.chain_id, read.address] = (ledger, read.address)
    if len(found) > MAX_NAMED:
        raise Refused("did.webvh_accounts", f"The DID's log names more than {MAX_NAMED} accounts on ledgers.")
    return tuple(found.values())


def _names(log: Log) -> Iterator[str]:
    """Every did:ethr that a document of the log has as another name, once."""
    seen: set[str] = set()
    for version in log.versions:
        listed = version.entry.state.get("alsoKnownAs", [])
        for name in listed if isinstance(listed, list) else ():
            if isinstance(name, str) and name.startswith(_ETHR) and name not in seen:
                seen.add(name)
                yield name


def _compare(log: Log, head: Head, ledger: Ledger, contract: TrustAnchor, address: str) -> dict[str, Json]:
    """The evidence of a log that agrees with its head. Raises Refused."""
    if head.number > len(log.versions):
        if log.problem is not None:
            raise log.problem
        raise Refused("did.webvh_truncated", "The DID's log ends before the version that the ledger has of it.")
    version = log.versions[head.number - 1].entry.version_id
    if digest(version) != head.digest:
        raise Refused("did.webvh_forked", "The DID's log is not the one whose version is on the ledger.")
    block = ledger.chain.block(head.block_number)
    finality = Finality.PENDING if block is None else ledger.chain.finality(block.number, block.hash)
    if block is None:
        raise Unavailable("ledger.unavailable", "The block in which the DID was anchored could not be had.")
    return {
        "chain_id": ledger.chain.chain_id,
        "identity": address,
        "contract": contract.address,
        "block": head.block_number,
        "block_at": head.at,
        "finality": finality.value,
        "anchored_version": head.number,
        "version": len(log.versions),
    }
