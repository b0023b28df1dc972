"""A ledger at a glance, on both nodes: the tree, what counts in it, what was stated; looks keep nobody waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ssi.dids import Sources
from ssi.dids.looking import Look, Looking, moment
from ssi.ledger import anchor, overview, registry
from ssi.ledger.anchor import Rights, TrustAnchor, name_hash
from ssi.ledger.chain import Chain
from ssi.ledger.finality import Finality
from ssi.ledger.ledger import Ledger, Ledgers
from ssi.ledger.registry import Registry
from ssi.trust import accreditation
from tests.ledger.deployed import Actor, Deployed, deploy
from tests.ledger.nodes import Node
from tests.support import InMemoryFetch

TYPE, OTHER = name_hash("a type"), name_hash("another type")
BOTH = Rights.ISSUE | Rights.ACCREDIT
FOREVER = 2**63


class Scene:
    """A ledger, and who writes on it."""

    def __init__(self, deployed: Deployed, rpc: Any = None) -> None:
        self.deployed, self.root = deployed, deployed.actor()
        node = deployed.node
        chain = Chain(rpc or node.rpc, chain_id=node.chain_id, genesis=None, confirmations=1, finalized=10**6)
        self.ledger = Ledger(
            chain=chain,
            registry=Registry(chain, deployed.registry),
            anchor=TrustAnchor(chain, deployed.anchor),
            index=None,
            checkpoints=(),
            accreditors=(f"did:ethr:{hex(node.chain_id)}:{self.root.address}",),
            name="trial",
            development=True,
            networks=(hex(node.chain_id),),
        )

    def accredits(self, who: Actor, whom: Actor, rights: Rights = BOTH, kind: bytes = TYPE) -> None:
        who.does(self.deployed.anchor, anchor.accredit(who.address, whom.address, kind, rights, FOREVER))

    def survey(self, **named: Any) -> overview.Overview:
        return overview.survey(self.ledger, **named)

    def counting(self) -> set[tuple[str, str]]:
        seen = self.survey()
        return {(who, whom) for who, whom, kind in seen.counting(at=seen.head.at) if kind == TYPE}


@pytest.fixture
def scene(deployed: Deployed) -> Scene:
    return Scene(deployed)


def test_the_tree_is_as_deep_as_accreditation_counts() -> None:
    assert overview.MAX_DEPTH == accreditation.MAX_DEPTH


def test_the_tree_and_what_counts_in_it(scene: Scene) -> None:
    office, desk, other = (scene.deployed.actor() for _ in range(3))
    scene.accredits(scene.root, office)
    scene.accredits(office, desk, Rights.ISSUE)
    scene.accredits(office, desk, Rights.ISSUE, OTHER)  # which the office may not
    scene.accredits(desk, other, Rights.ISSUE)  # who may only issue
    (root,) = scene.survey().accreditors
    assert [one.address for one in root.walk()] == [one.address for one in (scene.root, office, desk, other)]
    assert scene.counting() == {(scene.root.address, office.address), (office.address, desk.address)}
    assert OTHER not in {kind for *_, kind in scene.survey().counting(at=scene.survey().head.at)}
    scene.root.does(scene.deployed.anchor, anchor.withdraw(scene.root.address, office.address, TYPE))
    assert scene.counting() == set()
    (root,) = scene.survey().accreditors
    assert root.below[0].grants[0].state(at=scene.survey().head.at) == "withdrawn"


def test_who_has_ended_counts_no_more(scene: Scene) -> None:
    office, desk = scene.deployed.actor(), scene.deployed.actor()
    scene.accredits(scene.root, office)
    scene.accredits(office, desk)
    office.does(scene.deployed.registry, registry.change_owner(office.address, registry.NOBODY))
    assert scene.counting() == set()
    assert scene.survey().accreditors[0].below[0].ended


def test_a_ring_is_drawn_once(scene: Scene) -> None:
    one, two = scene.deployed.actor(), scene.deployed.actor()
    for above, below in ((scene.root, one), (one, two), (two, one)):
        scene.accredits(above, below)
    (root,) = scene.survey().accreditors
    walked = list(root.walk())
    assert [member.again for member in walked] == [False, False, False, True]
    assert (two.address, one.address) in scene.counting()


def test_a_large_tree_is_cut_off_and_says_so(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "MAX_GRANTS", 2)
    for _ in range(3):
        scene.accredits(scene.root, scene.deployed.actor())
    seen = scene.survey()
    assert (seen.cut_off, len(seen.accreditors[0].below)) == (True, 2)


def test_what_somebody_stated(scene: Scene) -> None:
    desk = scene.deployed.actor()
    desk.does(scene.deployed.anchor, anchor.anchor_many(desk.address, [bytes([n]) * 32 for n in range(1, 13)]))
    for number in (1, 2):
        desk.does(scene.deployed.anchor, anchor.set_head(desk.address, TYPE, bytes(31) + b"\1", number))
    stated = scene.survey(also=[desk.address]).by_address(desk.address)
    assert stated is not None
    assert (stated.anchors, len(stated.newest), stated.ended) == (12, overview.NEWEST, False)
    assert stated.newest[0].digest == bytes([12]) * 32
    assert stated.newest[0].at == scene.deployed.time(stated.newest[0].block_number)
    (state,) = stated.states
    assert (state.subject, state.number, state.finality) == (TYPE, 2, Finality.CONFIRMED)


# --- looks ---


class Slow:
    """A node that answers when it is let."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call, self.let = call, threading.Event()

    def call(self, method: str, params: Any = ()) -> Any:
        self.let.wait(10)
        return self._call(method, params)


def settled(looking: Looking, now: datetime) -> Look:
    """The look, when the ledger has answered at last."""
    for _ in range(200):
        look = looking.look(now=now)
        if look.problem is None:
            return look
    raise AssertionError("the ledger never answers")


def test_nobody_waits_for_a_slow_ledger(embedded_node: Node) -> None:
    slow = Slow(embedded_node.rpc.call)
    scene = Scene(deploy(embedded_node), slow)
    looking = Looking(scene.ledger, Sources(InMemoryFetch({}), Ledgers.of(scene.ledger)), patience=0.05)
    now = datetime.now(UTC)
    look = looking.look(now=now)
    assert look.problem is not None
    assert (look.problem.code, look.since) == ("ledger.slow", None)
    slow.let.set()
    look = settled(looking, now)
    assert look.since == now
    slow.let.clear()
    later = looking.look(now=now + timedelta(minutes=1))
    assert later.problem is not None
    assert (later.problem.code, later.since, later.overview) == ("ledger.slow", now, look.overview)
    slow.let.set()
    assert settled(looking, now + timedelta(minutes=1)).since == now + timedelta(minutes=1)


def test_times_beyond_all_calendars_are_no_times() -> None:
    assert moment(FOREVER) is None
    assert moment(0) == "1970-01-01T00:00:00Z"
