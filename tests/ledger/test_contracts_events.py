"""What our side reads from the contracts: complete histories, or a refusal to guess."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ssi.errors import Malformed, Unavailable
from ssi.ledger import abi, anchor, registry, slots
from ssi.ledger.chain import Chain, Log
from ssi.ledger.hexes import read_address
from ssi.ledger.index import EventIndex
from ssi.ledger.registry import Registry, RegistryEvent
from ssi.ledger.registryevents import ATTRIBUTE_CHANGED, DELEGATE_CHANGED, OWNER_CHANGED, State, complete, read
from tests.ledger.deployed import REGISTRY, Actor, Deployed, deploy
from tests.ledger.nodes import Node

NAME = b"did/pub/Secp256k1/veriKey/hex"
TYPE = anchor.name_hash("urn:facet:credential:verified-person:1")


class Counting:
    """A node whose calls are counted, and whose logs can be changed on their way."""

    def __init__(self, rpc: Any, *, change: Callable[[list[Any]], list[Any]] = list) -> None:
        self._rpc, self._change = rpc, change
        self.asked: list[str] = []

    def call(self, method: str, params: Sequence[Any]) -> Any:
        self.asked.append(method)
        answer = self._rpc.call(method, params)
        return self._change(answer) if method == "eth_getLogs" else answer


def chain_of(node: Node, rpc: Any = None) -> Chain:
    return Chain(rpc or node.rpc, chain_id=node.chain_id, genesis=None)


@pytest.fixture
def alice(deployed: Deployed) -> Actor:
    return deployed.actor()


def live(deployed: Deployed, alice: Actor) -> list[tuple[str, Mapping[str, Any], int]]:
    """A life with every kind of event: what it must read as."""
    me, other, place = alice.address, "0x" + "ab" * 20, deployed.registry
    told = []
    for data, name, fields in (
        (registry.set_attribute(me, NAME, b"\x02" * 33, 60), "DIDAttributeChanged", {"value": b"\x02" * 33}),
        (registry.set_attribute(me, b"", b"", 0), "DIDAttributeChanged", {"name": bytes(32), "value": b""}),
        (registry.add_delegate(me, b"veriKey", other, 60), "DIDDelegateChanged", {"delegate": other}),
        (registry.revoke_delegate(me, b"veriKey", other), "DIDDelegateChanged", {"delegate": other}),
        (registry.revoke_attribute(me, NAME, b"x" * 64), "DIDAttributeChanged", {"value": b"x" * 64, "validTo": 0}),
        (registry.change_owner(me, me), "DIDOwnerChanged", {"owner": me}),
        (registry.change_owner(me, registry.NOBODY), "DIDOwnerChanged", {"owner": registry.NOBODY}),
    ):
        told.append((name, fields, alice.does(place, data).block))
    return told


def test_a_life_is_read_as_it_was_written(deployed: Deployed, alice: Actor) -> None:
    wanted = live(deployed, alice)
    found = Registry(chain_of(deployed.node), deployed.registry).events(read_address(alice.address))
    before = 0
    for event, (name, fields, block) in zip(found, wanted, strict=True):
        assert (event.name, event.identity, event.block_number, event.at) == (
            name, alice.address, block, deployed.time(block)
        )  # fmt: skip
        assert fields.items() <= event.fields.items()
        assert event.previous_change == before
        before = block


def test_the_fields_are_those_that_the_abi_says(deployed: Deployed, alice: Actor) -> None:
    """The quick reader and the general one agree on every event."""
    me = alice.address
    for data in (
        registry.set_attribute(me, NAME, b"\x02" * 33, 60),
        registry.set_attribute(me, NAME, b"", 2**200),
        registry.add_delegate(me, b"veriKey", me, 60),
        registry.change_owner(me, me),
    ):
        (raw,) = alice.does(deployed.registry, data).logs
        log = Log(raw.address, raw.topics, raw.data, raw.block_number, raw.block_hash, bytes(32), raw.log_index)
        quick, general = read(log, at=7), abi.read_event(REGISTRY, log)
        assert quick is not None
        assert general is not None
        more = {"identity": quick.identity, "previousChange": quick.previous_change}
        assert (quick.name, {**quick.fields, **more}, quick.at) == (general.name, general.fields, 7)


def test_an_unknown_identity_has_no_events(deployed: Deployed) -> None:
    found = Registry(chain_of(deployed.node), deployed.registry)
    assert found.events("0x" + "77" * 20) == ()
    assert found.owner("0x" + "77" * 20) == "0x" + "77" * 20
    assert (found.changed("0x" + "77" * 20), found.nonce("0x" + "77" * 20)) == (0, 0)


def test_events_up_to_a_block(deployed: Deployed, alice: Actor) -> None:
    blocks = [block for _, _, block in live(deployed, alice)]
    found = Registry(chain_of(deployed.node), deployed.registry)
    assert [event.block_number for event in found.events(alice.address, upto=blocks[2])] == blocks[:3]
    assert found.events(alice.address, upto=blocks[0] - 1) == ()
    assert len(found.events(alice.address, upto=blocks[-1])) == len(blocks)


@pytest.mark.parametrize("lost", range(7))
def test_a_log_that_a_node_leaves_out_is_missed(deployed: Deployed, alice: Actor, lost: int) -> None:
    live(deployed, alice)
    lying = Counting(deployed.node.rpc, change=lambda logs: logs[:lost] + logs[lost + 1 :])
    with pytest.raises(Unavailable) as caught:
        Registry(chain_of(deployed.node, lying), deployed.registry).events(alice.address)
    assert caught.value.code == "ledger.log_missing"


@pytest.mark.parametrize(
    "change",
    [
        lambda logs: [*logs[:2], logs[1], *logs[2:]],
        lambda logs: [*logs, {**logs[-1], "logIndex": "0x63"}],
        lambda logs: [{**logs[0], "data": logs[2]["data"]}, *logs[1:]],
        lambda logs: [*logs[:-1], {**logs[-1], "data": "0x" + "00" * 12 + "11" * 20 + logs[-1]["data"][66:]}],
        lambda logs: [{**logs[0], "blockNumber": hex(int(logs[0]["blockNumber"], 16) - 1)}, *logs[1:]],
        lambda logs: [{**logs[0], "blockHash": "0x" + "12" * 32, "blockTimestamp": None}, *logs[1:]],
        lambda logs: [],
    ],
    ids=["repeated", "invented", "swapped data", "other owner", "moved", "other block", "all gone"],
)
def test_what_a_node_invents_is_noticed(
    deployed: Deployed, alice: Actor, change: Callable[[list[Any]], list[Any]]
) -> None:
    live(deployed, alice)
    lying = Counting(deployed.node.rpc, change=change)
    with pytest.raises((Unavailable, Malformed)) as caught:
        Registry(chain_of(deployed.node, lying), deployed.registry).events(alice.address)
    assert caught.value.code in ("ledger.log_missing", "ledger.protocol", "ledger.event")


def test_several_events_in_one_block_and_none_of_them_can_be_left_out(anvil_node: Node) -> None:
    """ERC-1056 alone would not miss a later one of a block; our registry counts."""
    deployed = deploy(anvil_node)
    alice, rpc = deployed.actor(), anvil_node.rpc
    alice.does(deployed.registry, registry.set_attribute(alice.address, NAME, b"0", 60))
    rpc.call("evm_setAutomine", [False])
    try:
        rpc.call("anvil_impersonateAccount", [alice.address])
        for value in (b"1", b"2", b"3"):
            data = "0x" + registry.set_attribute(alice.address, NAME, value, 60).hex()
            wish = {"from": alice.address, "to": deployed.registry, "data": data, "gas": hex(200_000)}
            rpc.call("eth_sendTransaction", [wish])
        rpc.call("evm_mine", [])
    finally:
        rpc.call("evm_setAutomine", [True])
    found = Registry(chain_of(anvil_node), deployed.registry).events(alice.address)
    assert [event.fields["value"] for event in found] == [b"0", b"1", b"2", b"3"]
    assert len({event.block_number for event in found[1:]}) == 1
    for lost in range(4):
        lying = Counting(rpc, change=lambda logs, lost=lost: logs[:lost] + logs[lost + 1 :])
        with pytest.raises(Unavailable, match="log_missing"):
            Registry(chain_of(anvil_node, lying), deployed.registry).events(alice.address)


def test_what_did_not_change_is_not_asked_for_again(deployed: Deployed, alice: Actor) -> None:
    live(deployed, alice)
    counting = Counting(deployed.node.rpc)
    found = Registry(chain_of(deployed.node, counting), deployed.registry)
    first = found.events(alice.address)
    counting.asked.clear()
    assert found.events(alice.address) == first
    assert counting.asked == ["eth_getBlockByNumber"]
    counting.asked.clear()
    deployed.node.mine(1)
    assert found.events(alice.address) == first
    assert counting.asked == ["eth_getBlockByNumber", "eth_getStorageAt", "eth_getBlockByNumber"]


def test_a_block_that_goes_takes_its_events_along(own_node: Node) -> None:
    if own_node.reorg is None:
        pytest.skip("this node cannot reorganise")
    deployed = deploy(own_node)
    alice = deployed.actor()
    found = Registry(chain_of(own_node), deployed.registry)
    alice.does(deployed.registry, registry.set_attribute(alice.address, NAME, b"stays", 60))
    own_node.mine(2)
    alice.does(deployed.registry, registry.set_attribute(alice.address, NAME, b"goes", 60))
    assert [event.fields["value"] for event in found.events(alice.address)] == [b"stays", b"goes"]
    own_node.reorg(1)
    assert [event.fields["value"] for event in found.events(alice.address)] == [b"stays"]


@pytest.mark.parametrize("topics", [(), (OWNER_CHANGED,), (OWNER_CHANGED, b"1"), (OWNER_CHANGED, bytes(32), bytes(32))])
def test_logs_of_a_broken_form_are_malformed(topics: tuple[bytes, ...]) -> None:
    log = Log("0x" + "12" * 20, topics, bytes(64), 1, bytes(32), bytes(32), 0)
    if not topics:
        assert read(log, at=0) is None
        return
    with pytest.raises(Malformed):
        read(log, at=0)


@pytest.mark.parametrize(
    ("topic", "data"),
    [
        (OWNER_CHANGED, bytes(96)),
        (DELEGATE_CHANGED, bytes(96)),
        (ATTRIBUTE_CHANGED, bytes(128)),
        (ATTRIBUTE_CHANGED, bytes(160)),
        (ATTRIBUTE_CHANGED, bytes(63) + b"\x80" + bytes(64) + (1).to_bytes(32, "big")),
        (ATTRIBUTE_CHANGED, bytes(63) + b"\x80" + bytes(64) + b"\xff" * 32),
    ],
)
def test_events_of_a_broken_form_are_malformed(topic: bytes, data: bytes) -> None:
    with pytest.raises(Malformed):
        read(Log("0x" + "12" * 20, (topic, bytes(32)), data, 1, bytes(32), bytes(32), 0), at=0)


def test_what_is_complete() -> None:
    def event(block: int, index: int, before: int) -> RegistryEvent:
        return RegistryEvent("DIDAttributeChanged", "", block, b"", 0, index, before, {})

    nobody = registry.NOBODY
    assert complete((), State(nobody, 0, 0))
    life = (event(3, 0, 0), event(3, 1, 3), event(9, 0, 3))
    assert complete(life, State(nobody, 9, 3))
    assert complete(life, State(nobody, 9))
    assert complete(life[::2], State(nobody, 9))  # what ERC-1056 cannot see
    assert not complete(life[::2], State(nobody, 9, 3))
    assert not complete(life[::-1], State(nobody, 9, 3))
    assert not complete(life, State(nobody, 10, 3))
    assert not complete(life, State("0x" + "11" * 20, 9, 3))


def test_the_anchors_views_and_events(deployed: Deployed, alice: Actor) -> None:
    found = anchor.TrustAnchor(chain_of(deployed.node), deployed.anchor)
    me, other = alice.address, "0x" + "ab" * 20
    digest, subject = b"\x01" * 32, b"\x02" * 32
    assert found.registry() == deployed.registry
    assert (found.anchored(me, digest), found.head(me, subject), found.accreditation(me, other, TYPE)) == (None,) * 3
    done = [
        alice.does(deployed.anchor, data)
        for data in (
            anchor.anchor(me, digest),
            anchor.set_head(me, subject, digest, 4),
            anchor.accredit(me, other, TYPE, anchor.Rights.ISSUE, 2**40),
            anchor.withdraw(me, other, TYPE),
        )
    ]
    times = [deployed.time(one.block) for one in done]
    assert found.anchored(me, digest) == anchor.Anchored(done[0].block, times[0])
    assert found.head(me, subject) == anchor.Head(digest, 4, done[1].block, times[1])
    granted = anchor.Accreditation(anchor.Rights.ISSUE, 2**40, times[2], done[2].block)
    assert found.accreditation(me, other, TYPE, block=done[2].block) == granted
    ended = anchor.Accreditation(anchor.Rights.ISSUE, times[3], times[2], done[3].block, withdrawn=True)
    assert found.accreditation(me, other, TYPE) == ended
    grant = {"subject": other, "typeHash": TYPE}
    assert [(event.name, event.identity, event.block_number, event.fields) for event in found.events(me)] == [
        ("Anchored", me, done[0].block, {"digest": digest}),
        ("HeadSet", me, done[1].block, {"subject": subject, "digest": digest, "number": 4}),
        ("Accredited", me, done[2].block, grant | {"rights": 1, "until": 2**40}),
        ("Withdrawn", me, done[3].block, grant),
    ]
    assert len(found.events(me, upto=done[1].block)) == 2


def test_the_state_is_what_the_views_say(deployed: Deployed, alice: Actor) -> None:
    found = Registry(chain_of(deployed.node), deployed.registry)
    assert found.ours
    blocks = [block for _, _, block in live(deployed, alice)]
    assert found.state(alice.address) == State(registry.NOBODY, blocks[-1], 7)
    assert found.state(alice.address, block=blocks[-2]) == State(alice.address, blocks[-2], 6)
    assert found.owner(alice.address) == registry.NOBODY
    assert found.owner(alice.address, block=blocks[-2]) == alice.address
    standing = slots.read_standing(alice.address, deployed.slot(deployed.registry, slots.identity_slot(alice.address)))
    assert standing == slots.Standing(registry.NOBODY, True, blocks[-1], 7)


def test_the_index_gives_what_scanning_gives(deployed: Deployed, alice: Actor, tmp_path: Path) -> None:
    chain = chain_of(deployed.node)
    with_index = Registry(chain, deployed.registry, index=EventIndex(tmp_path / "index.db"))
    assert with_index.events(alice.address) == ()
    live(deployed, alice)
    found = with_index.events(alice.address)
    assert found == Registry(chain, deployed.registry).events(alice.address)
    again = Registry(chain, deployed.registry, index=EventIndex(tmp_path / "index.db"))
    assert again.events(alice.address) == found
    anchored = anchor.TrustAnchor(chain, deployed.anchor, index=EventIndex(tmp_path / "index.db"))
    assert anchored.events(alice.address) == anchor.TrustAnchor(chain, deployed.anchor).events(alice.address) == ()
