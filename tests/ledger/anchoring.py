"""A batch of credentials anchored on a real chain, and the receipts of its credentials."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ssi.ledger import anchor, merkle, receipts, registry, slots
from ssi.ledger.chain import Chain
from ssi.ledger.proofs import Header
from ssi.ledger.receipts import Place, Receipt, StateProof
from tests.ledger.deployed import Actor, Deployed

CORES = [f"credential number {number}".encode() for number in range(5)]


@dataclass(frozen=True)
class Batch:
    """What an issuer has after anchoring: its tree, the salts it gave away, and where it all stands."""

    chain: Chain
    place: Place
    actor: Actor
    tree: merkle.Tree
    salts: tuple[bytes, ...]
    anchored: slots.Anchored

    @property
    def identity(self) -> str:
        return self.actor.address

    def proof(self, block: int, *, registered: bool = True, headers: Sequence[Header] = ()) -> StateProof:
        """The state at a block, as the node proves it."""
        slot, own = slots.anchored_slot(self.identity, self.tree.root), slots.identity_slot(self.identity)
        return receipts.state_proof(
            self.block(block),
            self.chain.proof(self.place.contract, [slot], block),
            self.chain.proof(self.place.registry, [own], block) if registered else None,
            headers=headers,
        )

    def block(self, number: int) -> Any:
        """A block as the node tells it."""
        return self.chain.rpc.call("eth_getBlockByNumber", [hex(number), False])

    def header(self, number: int) -> Header:
        return Header.from_json(self.block(number))

    def receipt(self, index: int, proof: StateProof | None = None) -> Receipt:
        return receipts.build(
            self.place,
            self.identity,
            tree=self.tree,
            index=index,
            salt=self.salts[index],
            anchored=self.anchored,
            proof=proof or self.proof(self.anchored.block_number),
        )

    def known(self, *numbers: int) -> receipts.KnownHash:
        """A verifier that knows these blocks."""
        hashes = {number: self.header(number).hash for number in numbers}
        return hashes.get


def anchored(deployed: Deployed, *, actor: Actor | None = None, cores: Sequence[bytes] = CORES) -> Batch:
    """Anchor a batch for a new identity, among others' anchors, so that the tries have some depth."""
    actor = actor or deployed.actor()
    salts = tuple(secrets.token_bytes(32) for _ in cores)
    tree = merkle.Tree([merkle.entry(salt, core) for salt, core in zip(salts, cores, strict=True)])
    for one in (deployed.actor(), actor):
        one.does(deployed.registry, registry.set_attribute(one.address, b"did/svc/x", b"y", 1))
    actor.does(deployed.anchor, anchor.anchor_many(actor.address, [secrets.token_bytes(32) for _ in range(40)]))
    block = actor.does(deployed.anchor, anchor.anchor(actor.address, tree.root)).block
    chain = Chain(deployed.node.rpc, chain_id=deployed.node.chain_id, genesis=None)
    place = Place(deployed.node.chain_id, deployed.anchor, deployed.registry)
    return Batch(chain, place, actor, tree, salts, slots.Anchored(block, deployed.time(block)))


def ended(batch: Batch, deployed: Deployed) -> int:
    """End the batch's identity; the block in which that happened."""
    return batch.actor.does(deployed.registry, registry.change_owner(batch.identity, registry.NOBODY)).block
