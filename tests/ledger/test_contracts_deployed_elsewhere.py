"""Our registry beside the one that deployments of ERC-1056 run: the same calls, the same events, known differences."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ssi.ledger import abi, registry
from ssi.ledger.chain import Chain
from ssi.ledger.registryevents import State, complete
from tests.ledger.deployed import REGISTRY, Actor, Deployed
from tests.ledger.nodes import Node
from tests.peers import FOLDER

_ARTIFACT = (
    FOLDER / "node_modules/ethr-did-registry/artifacts/contracts/EthereumDIDRegistry.sol/EthereumDIDRegistry.json"
)
pytestmark = pytest.mark.skipif(
    not _ARTIFACT.exists(), reason="there is no Node here, or its packages are not installed"
)

KEY = b"did/pub/Secp256k1/veriKey/hex"
DELEGATE = "0x" + "cd" * 20
_PLACES: dict[str, str] = {}


@pytest.fixture
def elsewhere(node: Node) -> str:
    """The address of npm `ethr-did-registry` on the node."""
    if node.name not in _PLACES:
        code = json.loads(_ARTIFACT.read_text("utf-8"))["bytecode"]
        _PLACES[node.name] = Actor(node).deploys(bytes.fromhex(code.removeprefix("0x")))
    return _PLACES[node.name]


@pytest.fixture
def alice(deployed: Deployed) -> Actor:
    return deployed.actor()


def script(me: str, other: str) -> list[bytes]:
    """A life: every function, and several that change nothing."""
    return [
        registry.set_attribute(me, KEY, b"\x02" * 33, 3600),
        registry.set_attribute(me, b"", b"", 0),
        registry.set_attribute(me, KEY, b"x" * 1000, 2**200),
        registry.revoke_attribute(me, KEY, b"\x02" * 33),
        registry.revoke_attribute(me, b"never set", b"1"),
        registry.add_delegate(me, b"veriKey", DELEGATE, 3600),
        registry.add_delegate(me, b"veriKey", DELEGATE, 0),
        registry.add_delegate(me, b"sigAuth", me, 60),
        registry.revoke_delegate(me, b"veriKey", DELEGATE),
        registry.revoke_delegate(me, b"veriKey", other),
        registry.change_owner(me, me),
        registry.change_owner(me, other),
    ]


def told(deployed: Deployed, done: Any, before: dict[int, int]) -> list[tuple[str, dict[str, Any]]]:
    """Events, with validities from the block's time on and `previousChange` as a place in the identity's own life."""
    now, found = deployed.time(done.block), []
    for name, fields in done.events(REGISTRY):
        more = {"previousChange": before[fields["previousChange"]]}
        if fields.get("validTo"):
            more["validTo"] = fields["validTo"] - now
        found.append((name, {**fields, **more}))
    before[done.block] = len(before)
    return found


def test_the_abi_is_the_same_but_for_what_names_the_parameters() -> None:
    theirs = json.loads(_ARTIFACT.read_text("utf-8"))["abi"]

    def shape(entries: list[Any]) -> set[tuple[Any, ...]]:
        return {
            (
                entry["type"],
                entry["name"],
                tuple((one["type"], one.get("indexed")) for one in entry["inputs"]),
                tuple(one["type"] for one in entry.get("outputs", ())),
            )
            for entry in entries
        }

    import schemas

    assert shape(schemas.contract("IdentityRegistry")["abi"]) == shape(theirs)


def test_the_same_calls_tell_the_same_events(deployed: Deployed, elsewhere: str, alice: Actor) -> None:
    other = deployed.actor()
    ours: dict[int, int] = {0: 0}
    theirs: dict[int, int] = {0: 0}
    for data in script(alice.address, other.address):
        here, there = alice.does(deployed.registry, data), alice.does(elsewhere, data)
        assert told(deployed, here, ours) == told(deployed, there, theirs)
        assert [log.topics for log in here.logs] == [log.topics for log in there.logs]
        for view in ("identityOwner", "owners"):
            answers = [deployed.asks(view, alice.address, at=place) for place in (deployed.registry, elsewhere)]
            assert answers[0] == answers[1]
        question = (alice.address, b"veriKey".ljust(32, b"\0"), DELEGATE)
        valid = [deployed.asks("validDelegate", *question, at=place) for place in (deployed.registry, elsewhere)]
        assert valid[0] == valid[1]
    end = registry.change_owner(alice.address, registry.NOBODY)
    here, there = other.does(deployed.registry, end), other.does(elsewhere, end)
    assert told(deployed, here, ours) == told(deployed, there, theirs)


def test_both_refuse_strangers_in_the_same_words(deployed: Deployed, elsewhere: str, alice: Actor) -> None:
    other = deployed.actor()
    for data in script(alice.address, other.address):
        assert other.why_not(deployed.registry, data) == other.why_not(elsewhere, data) == "bad_actor"


def test_there_an_end_is_none_and_here_it_is(deployed: Deployed, elsewhere: str, alice: Actor) -> None:
    end = registry.change_owner(alice.address, registry.NOBODY)
    back = registry.change_owner(alice.address, alice.address)
    for place in (deployed.registry, elsewhere):
        alice.does(place, end)
    assert deployed.asks("identityOwner", alice.address, at=elsewhere) == alice.address
    assert alice.does(elsewhere, back).status == 1
    assert deployed.asks("identityOwner", alice.address) == registry.NOBODY
    assert alice.is_refused(deployed.registry, back) == "deactivated"


def test_there_the_zero_address_becomes_a_delegate(deployed: Deployed, elsewhere: str, alice: Actor) -> None:
    data = registry.add_delegate(alice.address, b"veriKey", registry.NOBODY, 3600)
    alice.does(elsewhere, data)
    assert deployed.asks("validDelegate", alice.address, b"veriKey".ljust(32, b"\0"), registry.NOBODY, at=elsewhere)
    assert alice.is_refused(deployed.registry, data) == "bad_delegate"


def test_what_is_signed_for_one_is_nothing_to_the_other(deployed: Deployed, elsewhere: str, alice: Actor) -> None:
    other = deployed.actor()
    data = _signed_as_there(elsewhere, alice, other.address)
    assert other.why_not(elsewhere, data) is None
    assert other.is_refused(deployed.registry, data) == "bad_signature"
    call = registry.SignedCall("changeOwner", alice.address, (other.address,), deployed.node.chain_id, elsewhere, 0)
    ours = call.data(*alice.account.sign_digest(call.digest()))
    assert other.why_not(elsewhere, ours) == "bad_signature"


def test_there_a_signature_has_two_forms_and_holds_after_writes(
    deployed: Deployed, elsewhere: str, alice: Actor
) -> None:
    """Why our nonce rises with every write, and why the higher s is refused (test_contracts_registry.py)."""
    other = deployed.actor()
    kept_back = _signed_as_there(elsewhere, alice, other.address)
    alice.does(elsewhere, registry.set_attribute(alice.address, KEY, b"1", 60))
    assert other.why_not(elsewhere, kept_back) is None
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    words = [kept_back[4 + 32 * place : 36 + 32 * place] for place in range(5)]
    words[1] = (55 - int.from_bytes(words[1], "big")).to_bytes(32, "big")
    words[3] = (order - int.from_bytes(words[3], "big")).to_bytes(32, "big")
    assert other.why_not(elsewhere, kept_back[:4] + b"".join(words)) is None


def test_our_side_reads_their_registry_too(deployed: Deployed, elsewhere: str, alice: Actor) -> None:
    other = deployed.actor()
    data = script(alice.address, other.address)
    blocks = [alice.does(elsewhere, one).block for one in data]
    chain = Chain(deployed.node.rpc, chain_id=deployed.node.chain_id, genesis=None)
    found = registry.Registry(chain, elsewhere)
    assert not found.ours
    assert [event.block_number for event in found.events(alice.address)] == blocks
    assert found.state(alice.address) == State(other.address, blocks[-1])
    assert found.owner(alice.address) == other.address
    assert found.nonce(alice.address) == 0  # it counts signed calls


def test_what_is_missed_of_their_registry(deployed: Deployed, elsewhere: str, alice: Actor) -> None:
    """With one event to a block, as here, nothing can be left out; of several in one block a later one can."""
    data = script(alice.address, deployed.actor().address)
    for one in data[:4]:
        alice.does(elsewhere, one)
    chain = Chain(deployed.node.rpc, chain_id=deployed.node.chain_id, genesis=None)
    found = registry.Registry(chain, elsewhere)
    events, state = found.events(alice.address), found.state(alice.address)
    assert complete(events, state)
    for lost in range(len(events)):
        assert not complete(events[:lost] + events[lost + 1 :], state)


def _signed_as_there(place: str, signer: Actor, new_owner: str) -> bytes:
    """`changeOwnerSigned` as deployments want it: without a chain, and with the owner's nonce."""
    from ssi.ledger.hexes import keccak

    identity = bytes.fromhex(signer.address[2:])
    message = (
        b"\x19\x00" + bytes.fromhex(place[2:]) + bytes(32) + identity + b"changeOwner" + bytes.fromhex(new_owner[2:])
    )
    r, s, parity = signer.account.sign_digest(keccak(message))
    values = (27 + parity, r.to_bytes(32, "big"), s.to_bytes(32, "big"), new_owner)
    return abi.encode(REGISTRY, "changeOwnerSigned", signer.address, *values)
