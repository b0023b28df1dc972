"""Ledgers for did:ethr's tests: a node and the registry on it, under the names that DIDs give to networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ssi.ledger.chain import Chain
from ssi.ledger.ledger import Ledger, Ledgers
from ssi.ledger.registry import Registry
from tests.ledger.nodes import Node


def known(node: Node, address: str, *, networks: Sequence[str], rpc: Any = None, index: Any = None) -> Ledgers:
    """The node's chain, asked through `rpc` if that is another, as a ledger of these networks."""
    chain = Chain(rpc or node.rpc, chain_id=node.chain_id, genesis=None, confirmations=1, finalized="tag")
    ledger = Ledger(
        chain=chain,
        registry=Registry(chain, address, index=index),
        anchor=None,
        index=index,
        checkpoints=(),
        accreditors=(),
        name="test",
        development=True,
        networks=tuple(networks),
    )
    return Ledgers(dict.fromkeys(networks, ledger))
