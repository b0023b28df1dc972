"""IdentityRegistry on both nodes: every function, every event, every refusal."""

from __future__ import annotations

from typing import Any

import pytest

from ssi.ledger import abi, registry, slots
from ssi.ledger.hexes import keccak
from tests.ledger.deployed import REGISTRY, Actor, Deployed

VERI_KEY = b"veriKey".ljust(32, b"\0")
NAME = b"did/pub/Secp256k1/veriKey/hex".ljust(32, b"\0")
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
MOST = 2**256 - 1
FUNCTIONS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("changeOwner", ("0x" + "ab" * 20,)),
    ("addDelegate", (VERI_KEY, "0x" + "cd" * 20, 3600)),
    ("revokeDelegate", (VERI_KEY, "0x" + "cd" * 20)),
    ("setAttribute", (NAME, b"\x02" * 33, 3600)),
    ("revokeAttribute", (NAME, b"\x02" * 33)),
)
"""Every function that writes, with arguments after the identity."""

NAMES = [name for name, _ in FUNCTIONS]


def call(function: str, *arguments: Any) -> bytes:
    return abi.encode(REGISTRY, function, *arguments)


def signed(deployed: Deployed, signer: Actor, function: str, identity: str, *arguments: Any, **other: Any) -> bytes:
    """Call data with the signer's signature; `other` changes what the signature is bound to."""
    bound = {
        "chain_id": deployed.node.chain_id,
        "registry": deployed.registry,
        "nonce": deployed.asks("nonce", identity),
    }
    wanted = registry.SignedCall(function, identity, arguments, **(bound | other))
    return wanted.data(*signer.account.sign_digest(wanted.digest()))


@pytest.fixture
def alice(deployed: Deployed) -> Actor:
    return deployed.actor()


@pytest.fixture
def other(deployed: Deployed) -> Actor:
    return deployed.actor()


def expected(function: str, identity: str, arguments: tuple[Any, ...], *, now: int, before: int) -> tuple[str, Any]:
    """The one event that ERC-1056 wants of a call."""
    fields: dict[str, Any] = {"identity": identity, "previousChange": before}
    if function == "changeOwner":
        return "DIDOwnerChanged", fields | {"owner": arguments[0]}
    if function.endswith("Delegate"):
        until = now + arguments[2] if function == "addDelegate" else now
        more = {"delegateType": arguments[0], "delegate": arguments[1], "validTo": until}
        return "DIDDelegateChanged", fields | more
    until = now + arguments[2] if function == "setAttribute" else 0
    return "DIDAttributeChanged", fields | {"name": arguments[0], "value": arguments[1], "validTo": until}


@pytest.mark.parametrize(("function", "arguments"), FUNCTIONS, ids=NAMES)
def test_the_owner_writes_and_one_event_tells_it(
    deployed: Deployed, alice: Actor, function: str, arguments: tuple[Any, ...]
) -> None:
    first = alice.does(deployed.registry, call("setAttribute", alice.address, NAME, b"", 1))
    done = alice.does(deployed.registry, call(function, alice.address, *arguments))
    wanted = expected(function, alice.address, arguments, now=deployed.time(done.block), before=first.block)
    assert done.events(REGISTRY) == [wanted]
    assert deployed.asks("changed", alice.address) == done.block
    assert deployed.asks("nonce", alice.address) == 2


@pytest.mark.parametrize(("function", "arguments"), FUNCTIONS, ids=NAMES)
def test_anybody_may_bring_the_owners_signature(
    deployed: Deployed, alice: Actor, other: Actor, function: str, arguments: tuple[Any, ...]
) -> None:
    data = signed(deployed, alice, function, alice.address, *arguments)
    done = other.does(deployed.registry, data)
    wanted = expected(function, alice.address, arguments, now=deployed.time(done.block), before=0)
    assert done.events(REGISTRY) == [wanted]
    assert other.is_refused(deployed.registry, data) in ("bad_signature", "bad_actor")


@pytest.mark.parametrize(("function", "arguments"), FUNCTIONS, ids=NAMES)
def test_nobody_else_writes(
    deployed: Deployed, alice: Actor, other: Actor, function: str, arguments: tuple[Any, ...]
) -> None:
    assert other.is_refused(deployed.registry, call(function, alice.address, *arguments)) == "bad_actor"
    forged = signed(deployed, other, function, alice.address, *arguments)
    assert other.is_refused(deployed.registry, forged) == "bad_signature"
    assert deployed.asks("changed", alice.address) == 0


@pytest.mark.parametrize(("function", "arguments"), FUNCTIONS, ids=NAMES)
@pytest.mark.parametrize(
    "elsewhere",
    [
        {"chain_id": 1},
        {"registry": "0xdca7ef03e98e0dc2b855be647c39abe984fcf21b"},
        {"nonce": 1},
        {"nonce": MOST},
    ],
    ids=["chain", "contract", "later", "never"],
)
def test_a_signature_holds_on_one_chain_in_one_contract_and_once(
    deployed: Deployed,
    alice: Actor,
    other: Actor,
    function: str,
    arguments: tuple[Any, ...],
    elsewhere: dict[str, Any],
) -> None:
    data = signed(deployed, alice, function, alice.address, *arguments, **elsewhere)
    assert other.why_not(deployed.registry, data) == "bad_signature"


def test_a_signature_for_one_identity_is_none_for_another_of_the_same_owner(
    deployed: Deployed, alice: Actor, other: Actor
) -> None:
    other.does(deployed.registry, call("changeOwner", other.address, alice.address))
    alice.does(deployed.registry, call("setAttribute", alice.address, NAME, b"", 1))
    wanted = registry.SignedCall(
        "setAttribute", alice.address, (NAME, b"1", 60), deployed.node.chain_id, deployed.registry, 1
    )
    signature = alice.account.sign_digest(wanted.digest())
    moved = registry.SignedCall(
        "setAttribute", other.address, (NAME, b"1", 60), deployed.node.chain_id, deployed.registry, 1
    )
    assert other.is_refused(deployed.registry, moved.data(*signature)) == "bad_signature"
    assert alice.why_not(deployed.registry, wanted.data(*signature)) is None


CHANGED: dict[str, tuple[Any, ...]] = {
    "changeOwner": ("0x" + "ac" * 20,),
    "addDelegate": (VERI_KEY, "0x" + "cd" * 20, 3601),
    "revokeDelegate": (b"sigAuth".ljust(32, b"\0"), "0x" + "cd" * 20),
    "setAttribute": (NAME, b"\x02" * 32, 3600),
    "revokeAttribute": (NAME, b"\x02" * 33 + b"\0"),
}
"""The same functions with arguments that differ in one place."""


@pytest.mark.parametrize(("function", "arguments"), FUNCTIONS, ids=NAMES)
def test_a_signature_for_one_call_is_none_for_another(
    deployed: Deployed, alice: Actor, other: Actor, function: str, arguments: tuple[Any, ...]
) -> None:
    place = deployed.node.chain_id, deployed.registry, 0
    wanted = registry.SignedCall(function, alice.address, arguments, *place)
    signature = alice.account.sign_digest(wanted.digest())
    for name, given in [(function, CHANGED[function]), *(one for one in FUNCTIONS if one[0] != function)]:
        moved = registry.SignedCall(name, alice.address, given, *place)
        assert other.why_not(deployed.registry, moved.data(*signature)) == "bad_signature", name
    assert other.why_not(deployed.registry, wanted.data(*signature)) is None


@pytest.mark.parametrize(("function", "arguments"), FUNCTIONS, ids=NAMES)
def test_any_write_voids_signatures_given_before(
    deployed: Deployed, alice: Actor, other: Actor, function: str, arguments: tuple[Any, ...]
) -> None:
    """What was signed and kept back cannot undo what the owner did since, such as revoking that very key."""
    kept_back = signed(deployed, alice, function, alice.address, *arguments)
    alice.does(deployed.registry, call("revokeAttribute", alice.address, NAME, b"\x02" * 33))
    assert other.is_refused(deployed.registry, kept_back) == "bad_signature"


def test_a_former_owners_signature_is_void_even_when_the_identity_comes_back(
    deployed: Deployed, alice: Actor, other: Actor
) -> None:
    kept_back = signed(deployed, alice, "changeOwner", alice.address, "0x" + "ee" * 20)
    alice.does(deployed.registry, call("changeOwner", alice.address, other.address))
    assert alice.is_refused(deployed.registry, kept_back) == "bad_signature"
    other.does(deployed.registry, call("changeOwner", alice.address, alice.address))
    assert alice.is_refused(deployed.registry, kept_back) == "bad_signature"


def test_signatures_that_are_none(deployed: Deployed, alice: Actor, other: Actor) -> None:
    arguments = (NAME, b"1", 60)
    wanted = registry.SignedCall("setAttribute", alice.address, arguments, deployed.node.chain_id, deployed.registry, 0)
    r, s, parity = alice.account.sign_digest(wanted.digest())
    assert s <= ORDER // 2
    broken = [
        (r, ORDER - s, 1 - parity),  # the same signature in its other form (malleability)
        (r, s, 1 - parity),
        (r, s, 2),
        (r, s, -27),  # v = 0: ecrecover answers zero
        (0, 0, 0),
        (r, 0, parity),
        (ORDER, s, parity),
        (s, r % (ORDER // 2), parity),
    ]
    for signature in broken:
        assert other.why_not(deployed.registry, wanted.data(*signature)) == "bad_signature"
    assert other.why_not(deployed.registry, wanted.data(r, s, parity)) is None


def test_nothing_signs_for_the_zero_address(deployed: Deployed, other: Actor) -> None:
    """Nobody owns it, and ecrecover's zero for a broken signature does not either."""
    wanted = registry.SignedCall(
        "changeOwner", registry.NOBODY, (other.address,), deployed.node.chain_id, deployed.registry, 0
    )
    for signature in ((0, 0, 0), (1, 1, -27)):
        assert other.is_refused(deployed.registry, wanted.data(*signature)) == "deactivated"


@pytest.mark.parametrize("way", ["direct", "signed"])
def test_an_identity_that_ended_never_comes_back(deployed: Deployed, alice: Actor, other: Actor, way: str) -> None:
    """facts/ledger.md finding a: in registries as deployed the first key goes on writing and takes the DID back."""
    alice.does(deployed.registry, call("addDelegate", alice.address, VERI_KEY, other.address, 3600))
    assert deployed.asks("validDelegate", alice.address, VERI_KEY, other.address)
    before = deployed.asks("changed", alice.address)
    end = (
        call("changeOwner", alice.address, registry.NOBODY)
        if way == "direct"
        else signed(deployed, alice, "changeOwner", alice.address, registry.NOBODY)
    )
    done = alice.does(deployed.registry, end)
    fields = {"identity": alice.address, "owner": registry.NOBODY, "previousChange": before}
    assert done.events(REGISTRY) == [("DIDOwnerChanged", fields)]
    assert deployed.asks("identityOwner", alice.address) == registry.NOBODY
    assert deployed.asks("owners", alice.address) == registry.NOBODY
    assert not deployed.asks("validDelegate", alice.address, VERI_KEY, other.address)
    for function, arguments in FUNCTIONS:
        assert alice.is_refused(deployed.registry, call(function, alice.address, *arguments)) == "deactivated"
        again = signed(deployed, alice, function, alice.address, *arguments)
        assert other.why_not(deployed.registry, again) == "deactivated"
    assert deployed.asks("changed", alice.address) == done.block


def test_ending_one_identity_leaves_the_others_of_its_owner(deployed: Deployed, alice: Actor, other: Actor) -> None:
    other.does(deployed.registry, call("changeOwner", other.address, alice.address))
    alice.does(deployed.registry, call("changeOwner", other.address, registry.NOBODY))
    assert other.is_refused(deployed.registry, call("changeOwner", other.address, other.address)) == "deactivated"
    alice.does(deployed.registry, call("setAttribute", alice.address, NAME, b"", 1))


def test_a_new_owner_owns_and_the_old_one_does_not(deployed: Deployed, alice: Actor, other: Actor) -> None:
    assert deployed.asks("identityOwner", alice.address) == alice.address
    assert deployed.asks("owners", alice.address) == registry.NOBODY
    alice.does(deployed.registry, call("changeOwner", alice.address, other.address))
    assert deployed.asks("identityOwner", alice.address) == other.address == deployed.asks("owners", alice.address)
    assert alice.is_refused(deployed.registry, call("changeOwner", alice.address, alice.address)) == "bad_actor"
    other.does(deployed.registry, call("changeOwner", alice.address, alice.address))
    assert deployed.asks("owners", alice.address) == alice.address
    alice.does(deployed.registry, call("setAttribute", alice.address, NAME, b"", 1))


def test_delegates_come_and_go(deployed: Deployed, alice: Actor, other: Actor) -> None:
    valid = (alice.address, VERI_KEY, other.address)
    kind = keccak(VERI_KEY)
    assert not deployed.asks("validDelegate", *valid)
    added = alice.does(deployed.registry, call("addDelegate", *valid, 3600))
    assert deployed.asks("validDelegate", *valid)
    assert not deployed.asks("validDelegate", alice.address, b"sigAuth".ljust(32, b"\0"), other.address)
    assert deployed.asks("delegates", alice.address, kind, other.address) == deployed.time(added.block) + 3600
    gone = alice.does(deployed.registry, call("revokeDelegate", *valid))
    assert not deployed.asks("validDelegate", *valid)
    assert deployed.asks("delegates", alice.address, kind, other.address) == deployed.time(gone.block)
    alice.does(deployed.registry, call("addDelegate", *valid, 0))
    assert not deployed.asks("validDelegate", *valid)
    assert other.is_refused(deployed.registry, call("setAttribute", alice.address, NAME, b"", 1)) == "bad_actor"


def test_the_zero_address_is_no_delegate(deployed: Deployed, alice: Actor) -> None:
    """Whoever compares a delegate with ecrecover's answer would take every broken signature for one of its."""
    for function, more in (("addDelegate", (60,)), ("revokeDelegate", ())):
        data = call(function, alice.address, VERI_KEY, registry.NOBODY, *more)
        assert alice.is_refused(deployed.registry, data) == "bad_delegate"
    assert not deployed.asks("validDelegate", alice.address, VERI_KEY, registry.NOBODY)


@pytest.mark.parametrize("way", ["direct", "signed"])
@pytest.mark.parametrize("function", ["addDelegate", "setAttribute"])
def test_a_validity_beyond_the_end_of_numbers_is_refused(
    deployed: Deployed, alice: Actor, other: Actor, function: str, way: str
) -> None:
    for validity, reason in ((MOST, "bad_validity"), (MOST - 2**40, None)):
        value = other.address if function == "addDelegate" else b"1"
        arguments = (NAME, value, validity)
        data = call(function, alice.address, *arguments)
        if way == "signed":
            data = signed(deployed, alice, function, alice.address, *arguments)
        assert alice.why_not(deployed.registry, data) == reason


def test_money_is_not_taken(deployed: Deployed, alice: Actor) -> None:
    wish = {"from": alice.address, "to": deployed.registry, "value": "0x1"}
    for data in (b"", call("setAttribute", alice.address, NAME, b"", 1)):
        with pytest.raises(Exception, match="revert"):
            deployed.node.rpc.call("eth_call", [wish | {"data": "0x" + data.hex()}, "latest"])


def test_one_slot_says_it_all(deployed: Deployed, alice: Actor, other: Actor) -> None:
    def standing() -> slots.Standing:
        value = deployed.slot(deployed.registry, slots.identity_slot(alice.address))
        return slots.read_standing(alice.address, value)

    assert standing() == slots.Standing(alice.address, False, 0, 0)
    first = alice.does(deployed.registry, call("setAttribute", alice.address, NAME, b"", 1))
    assert standing() == slots.Standing(alice.address, False, first.block, 1)
    second = alice.does(deployed.registry, call("changeOwner", alice.address, other.address))
    assert standing() == slots.Standing(other.address, False, second.block, 2)
    third = other.does(deployed.registry, call("changeOwner", alice.address, registry.NOBODY))
    assert standing() == slots.Standing(registry.NOBODY, True, third.block, 3)
    views = [deployed.asks(view, alice.address) for view in ("identityOwner", "changed", "nonce")]
    assert views == [registry.NOBODY, third.block, 3]
