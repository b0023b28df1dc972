"""Logs that a node altered or dropped: the block's header, or the registry's own chain, knows better."""

from __future__ import annotations

from typing import Any

import pytest

from ssi.errors import SsiError, Unavailable
from ssi.ledger.registry import Registry
from tests.ledger.deployed import Deployed
from tests.ledger.faulty import Lying, alter_log, drop_log
from tests.ledger.writers import attributes, chain, topics_of


@pytest.mark.parametrize("every", [False, True])
def test_true_logs_are_proven(deployed: Deployed, every: bool) -> None:
    actor = attributes(deployed, 3)
    asked = chain(deployed.node)
    head = asked.head().number
    known = asked.logs(deployed.registry, topics_of(actor.address), head - 5, head)
    proven = asked.verified_logs(deployed.registry, topics_of(actor.address), head - 5, head, every=every)
    assert [log._replace(at=None) for log in proven] == [log._replace(at=None) for log in known]
    assert len(proven) == 3


def test_a_log_with_altered_data_is_noticed(deployed: Deployed) -> None:
    """The form is right, the place is right: only the header knows better."""
    actor, node = attributes(deployed, 3), deployed.node
    lying = chain(node, Lying(node.rpc, eth_getLogs=alter_log(1)))
    head = lying.head().number
    assert len(lying.logs(deployed.registry, topics_of(actor.address), head - 5, head)) == 3
    with pytest.raises(Unavailable, match=r"ledger\.log_altered"):
        lying.verified_logs(deployed.registry, topics_of(actor.address), head - 5, head)


def test_a_log_altered_everywhere_is_noticed(deployed: Deployed) -> None:
    actor, node = attributes(deployed, 3), deployed.node

    def receipt(told: Any) -> Any:
        return told | {"logs": alter_log(0)(told["logs"])}

    lying = chain(
        node,
        Lying(
            node.rpc,
            eth_getLogs=lambda logs: [alter_log(0)([log])[0] for log in logs],
            eth_getTransactionReceipt=receipt,
        ),
    )
    head = lying.head().number
    with pytest.raises(Unavailable, match=r"ledger\.log_altered"):
        lying.verified_logs(deployed.registry, topics_of(actor.address), head - 5, head)


def test_a_header_that_does_not_hash_is_noticed(deployed: Deployed) -> None:
    actor, node = attributes(deployed, 1), deployed.node
    lying = chain(node, Lying(node.rpc, eth_getBlockByNumber=lambda block: block | {"receiptsRoot": "0x" + "00" * 32}))
    head = lying.head().number
    with pytest.raises(SsiError, match=r"ledger\.(log_altered|header)"):
        lying.verified_logs(deployed.registry, topics_of(actor.address), head, head)


def test_a_dropped_log_is_noticed_where_every_header_is_looked_at(deployed: Deployed) -> None:
    actor, node = attributes(deployed, 3), deployed.node
    for change in (drop_log(1), lambda _: []):
        lying = chain(node, Lying(node.rpc, eth_getLogs=change))
        head = lying.head().number
        with pytest.raises(Unavailable, match=r"ledger\.log_missing"):
            lying.verified_logs(deployed.registry, topics_of(actor.address), head - 5, head, every=True)


def test_the_registry_notices_a_dropped_log_by_itself(deployed: Deployed) -> None:
    actor, node = attributes(deployed, 3), deployed.node
    for place in range(3):
        lying = Registry(chain(node, Lying(node.rpc, eth_getLogs=drop_log(place))), deployed.registry)
        with pytest.raises(Unavailable, match=r"ledger\.log_missing"):
            lying.events(actor.address)
