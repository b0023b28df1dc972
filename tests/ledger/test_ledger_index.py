"""The event index: each log is asked for once, and no fault of a node, chain or process makes it tell a lie."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from ssi.errors import Unavailable
from ssi.ledger import registry
from ssi.ledger.chain import Chain, Log
from ssi.ledger.index import EventIndex
from ssi.ledger.registry import Registry
from tests.ledger import nodes
from tests.ledger.deployed import Actor, Deployed, deploy
from tests.ledger.faulty import Counting, Down, DyingAt, Limited, Lying, Refusing, drop_log, in_child


def chain(node: nodes.Node, rpc: Any = None) -> Chain:
    return Chain(rpc or node.rpc, chain_id=node.chain_id, genesis=None)


def topic(actor: Actor) -> bytes:
    return bytes(12) + bytes.fromhex(actor.address[2:])


def writes(deployed: Deployed, actor: Actor, count: int) -> None:
    for place in range(count):
        actor.does(deployed.registry, registry.set_attribute(actor.address, b"x", bytes([place]), 100))


def told(deployed: Deployed, actor: Actor) -> list[Log]:
    """What the node says itself."""
    asked = chain(deployed.node)
    logs = asked.logs(deployed.registry, (None, topic(actor)), 0, asked.head().number)
    return [log._replace(at=deployed.time(log.block_number)) for log in logs]


def test_what_was_read_is_read_from_the_disk(deployed: Deployed, tmp_path: Path) -> None:
    actor = deployed.actor()
    writes(deployed, actor, 3)
    counted = Counting(deployed.node.rpc)
    asked, index = chain(deployed.node, counted), EventIndex(tmp_path / "events.db")
    first = index.sync(asked, deployed.registry)
    assert first.logs_added >= 3
    assert list(index.logs(asked, deployed.registry, topic(actor))) == told(deployed, actor)

    counted.asked.clear()
    assert index.sync(asked, deployed.registry) == type(first)(first.head, 0)
    assert index.logs(asked, deployed.registry.upper().replace("0X", "0x"), topic(actor))
    assert counted.asked == {"eth_getBlockByNumber": 1}

    writes(deployed, actor, 2)
    assert EventIndex(tmp_path / "events.db").sync(asked, deployed.registry).logs_added == 2
    assert list(index.logs(asked, deployed.registry, topic(actor))) == told(deployed, actor)


def test_contracts_and_chains_are_kept_apart(deployed: Deployed, tmp_path: Path) -> None:
    actor = deployed.actor()
    writes(deployed, actor, 1)
    asked, index = chain(deployed.node), EventIndex(tmp_path / "events.db")
    index.sync(asked, deployed.registry)
    other = Chain(deployed.node.rpc, chain_id=deployed.node.chain_id, genesis=None)
    other._beginning = bytes(32)
    assert index.logs(other, deployed.registry, topic(actor)) == ()
    assert index.logs(asked, deployed.anchor, topic(actor)) == ()
    assert index.logs(asked, deployed.registry, bytes(32)) == ()


def test_a_limited_node_is_read_piece_by_piece(deployed: Deployed, tmp_path: Path) -> None:
    actor = deployed.actor()
    writes(deployed, actor, 4)
    limited = Limited(deployed.node.rpc, blocks=3, words="range")
    asked, index = chain(deployed.node, limited), EventIndex(tmp_path / "events.db")
    index.sync(asked, deployed.registry)
    assert len(limited.scans) > 2
    assert list(index.logs(asked, deployed.registry, topic(actor))) == told(deployed, actor)


def test_what_a_reorganisation_took_back_is_gone(own_node: nodes.Node, tmp_path: Path) -> None:
    deployed = deploy(own_node)
    actor = deployed.actor()
    asked, index = chain(own_node), EventIndex(tmp_path / "events.db")
    writes(deployed, actor, 6)
    index.sync(asked, deployed.registry)
    before = told(deployed, actor)
    assert own_node.reorg is not None
    for depth in (1, 2):
        own_node.reorg(depth)
        index.sync(asked, deployed.registry)
        found = list(index.logs(asked, deployed.registry, topic(actor)))
        assert found == told(deployed, actor)
        assert len(found) < len(before)
    actor.nonce = asked.nonce(actor.address)
    own_node.mine(3)
    writes(deployed, actor, 2)
    index.sync(asked, deployed.registry)
    assert list(index.logs(asked, deployed.registry, topic(actor))) == told(deployed, actor)
    assert len(Registry(asked, deployed.registry, index=index).events(actor.address)) == len(told(deployed, actor))


def test_a_long_reorganisation_is_found_with_few_questions(own_node: nodes.Node, tmp_path: Path) -> None:
    deployed = deploy(own_node)
    actor = deployed.actor()
    writes(deployed, actor, 40)
    counted = Counting(own_node.rpc)
    asked, index = chain(own_node, counted), EventIndex(tmp_path / "events.db")
    index.sync(asked, deployed.registry)
    assert own_node.reorg is not None
    own_node.reorg(30)
    counted.asked.clear()
    index.sync(asked, deployed.registry)
    assert list(index.logs(asked, deployed.registry, topic(actor))) == told(deployed, actor)
    assert counted.asked["eth_getBlockByNumber"] < 15


def test_a_reorganisation_while_it_reads_is_noticed(own_node: nodes.Node, tmp_path: Path) -> None:
    deployed = deploy(own_node)
    actor = deployed.actor()
    writes(deployed, actor, 4)
    strikes = [2, 1]

    def strike(logs: Any) -> Any:
        if strikes:
            assert own_node.reorg is not None
            own_node.reorg(strikes.pop())
        return logs

    asked, index = chain(own_node, Lying(own_node.rpc, eth_getLogs=strike)), EventIndex(tmp_path / "events.db")
    index.sync(asked, deployed.registry)
    assert not strikes
    assert list(index.logs(asked, deployed.registry, topic(actor))) == told(deployed, actor)


def test_a_chain_that_never_rests_is_unavailable(own_node: nodes.Node, tmp_path: Path) -> None:
    def strike(logs: Any) -> Any:
        assert own_node.reorg is not None
        own_node.reorg(1)
        return logs

    own_node.mine(3)
    asked, index = chain(own_node, Lying(own_node.rpc, eth_getLogs=strike)), EventIndex(tmp_path / "events.db")
    with pytest.raises(Unavailable, match=r"ledger\.reorganising"):
        index.sync(asked, "0x" + "11" * 20)


def test_a_node_that_leaves_out_a_log_makes_no_shorter_history(deployed: Deployed, tmp_path: Path) -> None:
    actor = deployed.actor()
    writes(deployed, actor, 3)
    asked = chain(deployed.node, Lying(deployed.node.rpc, eth_getLogs=drop_log(-2)))
    index = EventIndex(tmp_path / "events.db")
    with pytest.raises(Unavailable, match=r"ledger\.log_missing"):
        Registry(asked, deployed.registry, index=index).events(actor.address)


def test_what_a_node_left_out_is_read_again_from_another(deployed: Deployed, tmp_path: Path) -> None:
    actor = deployed.actor()
    writes(deployed, actor, 3)
    asked, index = chain(deployed.node), EventIndex(tmp_path / "events.db")
    index.sync(chain(deployed.node, Lying(deployed.node.rpc, eth_getLogs=drop_log(-2))), deployed.registry)
    assert len(index.logs(asked, deployed.registry, topic(actor))) == 2
    assert len(Registry(asked, deployed.registry, index=index).events(actor.address)) == 3
    index.sync(asked, deployed.registry)
    assert list(index.logs(asked, deployed.registry, topic(actor))) == told(deployed, actor)


def test_a_node_that_is_away_leaves_the_index_as_it_was(deployed: Deployed, tmp_path: Path) -> None:
    actor = deployed.actor()
    writes(deployed, actor, 2)
    index, asked = EventIndex(tmp_path / "events.db"), chain(deployed.node)
    index.sync(asked, deployed.registry)
    writes(deployed, actor, 1)
    away = chain(deployed.node, Refusing(deployed.node.rpc, "eth_getLogs", Unavailable("ledger.unavailable", "")))
    with pytest.raises(Unavailable, match=r"ledger\.unavailable"):
        index.sync(away, deployed.registry)
    assert len(index.logs(asked, deployed.registry, topic(actor))) == 2
    with pytest.raises(Unavailable, match=r"ledger\.unavailable"):
        index.sync(Chain(Down(), chain_id=1, genesis=None), deployed.registry)


@pytest.mark.parametrize("place", [0, 2, 3, 5, 8])
def test_a_process_killed_while_it_reads_is_taken_up(embedded_node: nodes.Node, tmp_path: Path, place: int) -> None:
    deployed = deploy(embedded_node)
    actor = deployed.actor()
    writes(deployed, actor, 5)
    limited = Limited(embedded_node.rpc, blocks=2, words="range")

    def reads() -> None:
        EventIndex(tmp_path / "events.db").sync(chain(embedded_node, DyingAt(limited, place)), deployed.registry)

    assert in_child(reads) == 9
    asked, index = chain(embedded_node), EventIndex(tmp_path / "events.db")
    index.sync(asked, deployed.registry)
    assert list(index.logs(asked, deployed.registry, topic(actor))) == told(deployed, actor)


def test_several_may_read_at_once(anvil_node: nodes.Node, tmp_path: Path) -> None:
    deployed = deploy(anvil_node)
    actor = deployed.actor()
    path, go = tmp_path / "events.db", threading.Event()
    failed: list[Exception] = []

    def reads() -> None:
        asked = chain(anvil_node, Limited(nodes.UrlRpc(str(anvil_node.url)), blocks=40, words="range"))
        try:
            while not go.is_set():
                EventIndex(path).sync(asked, deployed.registry)
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=reads) for _ in range(3)]
    for thread in threads:
        thread.start()
    writes(deployed, actor, 25)
    go.set()
    for thread in threads:
        thread.join()
    assert failed == []
    asked, index = chain(anvil_node), EventIndex(path)
    index.sync(asked, deployed.registry)
    assert list(index.logs(asked, deployed.registry, topic(actor))) == told(deployed, actor)


def test_a_file_that_is_no_database_is_unavailable(deployed: Deployed, tmp_path: Path) -> None:
    (tmp_path / "events.db").write_bytes(b"nonsense" * 200)
    for path in (tmp_path / "events.db", tmp_path / "nowhere" / "events.db"):
        with pytest.raises(Unavailable, match=r"ledger\.store"):
            EventIndex(path).sync(chain(deployed.node), deployed.registry)


def test_the_disk_has_what_was_said_to_be_read(deployed: Deployed, tmp_path: Path) -> None:
    asked, path = chain(deployed.node), tmp_path / "events.db"
    actor = deployed.actor()
    writes(deployed, actor, 1)
    head = EventIndex(path).sync(asked, deployed.registry).head
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT max(number) FROM marks").fetchone() == (head.number,)
