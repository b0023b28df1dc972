"""TrustAnchor on both nodes: every function, every event, every refusal, and what each storage slot holds."""

from __future__ import annotations

import hashlib

import pytest

from ssi.ledger import abi, anchor, registry, slots
from ssi.ledger.anchor import Rights
from ssi.ledger.rpc import RpcError
from tests.ledger.deployed import ANCHOR, Actor, Deployed, Timed

TYPE = anchor.name_hash("urn:facet:credential:verified-person:1")
OTHER_TYPE = anchor.name_hash("urn:facet:credential:diploma:1")
SUBJECT = anchor.name_hash("https://issuer.example/status/1")
ZERO = bytes(32)
FAR = 2**40


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


@pytest.fixture
def alice(deployed: Deployed) -> Actor:
    return deployed.actor()


@pytest.fixture
def other(deployed: Deployed) -> Actor:
    return deployed.actor()


def writes(identity: str, subject: str) -> dict[str, bytes]:
    """One call of each function that writes."""
    return {
        "anchor": anchor.anchor(identity, digest("a")),
        "anchorMany": anchor.anchor_many(identity, [digest("b"), digest("c")]),
        "setHead": anchor.set_head(identity, SUBJECT, digest("d"), 1),
        "accredit": anchor.accredit(identity, subject, TYPE, Rights.ISSUE, FAR),
        "withdraw": anchor.withdraw(identity, subject, TYPE),
    }


def anchored(deployed: Deployed, identity: str, value: bytes) -> anchor.Anchored | None:
    """What the view says, which is what the slot says."""
    number, at = deployed.asks("anchored", identity, value)
    stored = slots.read_anchored(deployed.slot(deployed.anchor, slots.anchored_slot(identity, value)))
    assert stored == (anchor.Anchored(number, at) if number else None)
    return stored


def head(deployed: Deployed, identity: str, subject: bytes) -> anchor.Head | None:
    """What the view says, which is what the slots say."""
    value, number, block, at = deployed.asks("heads", identity, subject)
    first, second = (deployed.slot(deployed.anchor, slot) for slot in slots.head_slots(identity, subject))
    stored = slots.read_head((first, second))
    assert stored == (anchor.Head(value, number, block, at) if number else None)
    return stored


def accreditation(deployed: Deployed, accreditor: str, subject: str, kind: bytes) -> anchor.Accreditation | None:
    """What the view says, which is what the slot says."""
    rights, withdrawn, until, since, block = deployed.asks("accreditations", accreditor, subject, kind)
    stored = slots.read_accreditation(
        deployed.slot(deployed.anchor, slots.accreditation_slot(accreditor, subject, kind))
    )
    assert stored == (anchor.Accreditation(Rights(rights), until, since, block, withdrawn) if block else None)
    return stored


def test_a_digest_is_anchored_once_and_for_ever(deployed: Deployed, alice: Actor, other: Actor) -> None:
    assert anchored(deployed, alice.address, digest("root")) is None
    done = alice.does(deployed.anchor, anchor.anchor(alice.address, digest("root")))
    assert done.events(ANCHOR) == [("Anchored", {"identity": alice.address, "digest": digest("root")})]
    stamp = anchor.Anchored(done.block, deployed.time(done.block))
    assert anchored(deployed, alice.address, digest("root")) == stamp
    deployed.node.mine(1)
    why = alice.is_refused(deployed.anchor, anchor.anchor(alice.address, digest("root")))
    assert why == f"AlreadyAnchored({alice.address}, 0x{digest('root').hex()})"
    assert anchored(deployed, alice.address, digest("root")) == stamp
    other.does(deployed.anchor, anchor.anchor(other.address, digest("root")))
    assert anchored(deployed, alice.address, digest("root")) == stamp


def test_many_digests_all_or_none(deployed: Deployed, alice: Actor) -> None:
    digests = [digest(f"many {number}") for number in range(5)]
    done = alice.does(deployed.anchor, anchor.anchor_many(alice.address, digests))
    assert done.events(ANCHOR) == [("Anchored", {"identity": alice.address, "digest": one}) for one in digests]
    assert {anchored(deployed, alice.address, one) for one in digests} == {
        anchor.Anchored(done.block, deployed.time(done.block))
    }
    fresh = digest("fresh")
    for broken, why in (
        ([fresh, digests[0]], f"AlreadyAnchored({alice.address}, 0x{digests[0].hex()})"),
        ([fresh, fresh], f"AlreadyAnchored({alice.address}, 0x{fresh.hex()})"),
        ([fresh, ZERO], "ZeroDigest()"),
        ([], "NothingToAnchor()"),
    ):
        assert alice.is_refused(deployed.anchor, anchor.anchor_many(alice.address, broken)) == why
    assert anchored(deployed, alice.address, fresh) is None


def test_a_head_only_goes_forward(deployed: Deployed, alice: Actor, other: Actor) -> None:
    assert head(deployed, alice.address, SUBJECT) is None
    for number in (1, 2, 17, 2**64 - 1):
        done = alice.does(deployed.anchor, anchor.set_head(alice.address, SUBJECT, digest(f"{number}"), number))
        fields = {"identity": alice.address, "subject": SUBJECT, "digest": digest(f"{number}"), "number": number}
        assert done.events(ANCHOR) == [("HeadSet", fields)]
        stated = anchor.Head(digest(f"{number}"), number, done.block, deployed.time(done.block))
        assert head(deployed, alice.address, SUBJECT) == stated
        for older in (number, number - 1, 0):
            why = alice.why_not(deployed.anchor, anchor.set_head(alice.address, SUBJECT, digest("old"), older))
            assert why == f"NotNewer({alice.address}, 0x{SUBJECT.hex()}, {older}, {number})"
    assert head(deployed, other.address, SUBJECT) is None
    assert head(deployed, alice.address, TYPE) is None


def test_no_digest_is_zero(deployed: Deployed, alice: Actor) -> None:
    for data in (anchor.anchor(alice.address, ZERO), anchor.set_head(alice.address, SUBJECT, ZERO, 1)):
        assert alice.is_refused(deployed.anchor, data) == "ZeroDigest()"


@pytest.mark.parametrize("rights", [Rights.ISSUE, Rights.ACCREDIT, Rights.ISSUE | Rights.ACCREDIT])
def test_an_accreditation_is_granted_and_withdrawn(
    deployed: Deployed, alice: Actor, other: Actor, rights: Rights
) -> None:
    place = (alice.address, other.address, TYPE)
    assert accreditation(deployed, *place) is None
    done = alice.does(deployed.anchor, anchor.accredit(*place, rights, FAR))
    granted = deployed.time(done.block)
    fields = {"accreditor": alice.address, "subject": other.address, "typeHash": TYPE}
    assert done.events(ANCHOR) == [("Accredited", fields | {"rights": int(rights), "until": FAR})]
    standing = accreditation(deployed, *place)
    assert standing == anchor.Accreditation(rights, FAR, granted, done.block)
    assert standing.allows(rights, at=granted)
    assert not standing.allows(rights, at=granted - 1)
    gone = alice.does(deployed.anchor, anchor.withdraw(*place))
    ended = deployed.time(gone.block)
    assert gone.events(ANCHOR) == [("Withdrawn", fields)]
    over = accreditation(deployed, *place)
    assert over == anchor.Accreditation(rights, ended, granted, gone.block, withdrawn=True)
    assert not over.allows(rights, at=ended)
    why = alice.is_refused(deployed.anchor, anchor.withdraw(*place))
    assert why == f"NotAccredited({alice.address}, {other.address}, 0x{TYPE.hex()})"
    assert accreditation(deployed, alice.address, other.address, OTHER_TYPE) is None
    assert accreditation(deployed, other.address, alice.address, TYPE) is None


def test_prolonging_keeps_the_beginning_and_more_rights_begin_anew(timed: Timed) -> None:
    deployed, alice = timed.deployed, timed.deployed.actor()
    place = (alice.address, "0x" + "ab" * 20, TYPE)

    def grant(rights: Rights, until: int) -> tuple[int, anchor.Accreditation]:
        timed.passes(100)
        done = alice.does(deployed.anchor, anchor.accredit(*place, rights, until))
        found = accreditation(deployed, *place)
        assert found is not None
        assert (found.rights, found.until, found.block_number) == (rights, until, done.block)
        return deployed.time(done.block), found

    first, found = grant(Rights.ISSUE, FAR)
    assert found.granted_at == first
    assert grant(Rights.ISSUE, FAR * 2)[1].granted_at == first
    assert grant(Rights.ISSUE, FAR // 2)[1].granted_at == first
    more, found = grant(Rights.ISSUE | Rights.ACCREDIT, FAR)
    assert found.granted_at == more > first
    assert grant(Rights.ACCREDIT, FAR)[1].granted_at == more
    again, found = grant(Rights.ISSUE, FAR)
    assert found.granted_at == again
    alice.does(deployed.anchor, anchor.withdraw(*place))
    after, found = grant(Rights.ISSUE, FAR)
    assert (found.granted_at, found.withdrawn) == (after, False)
    now, _ = grant(Rights.ISSUE, timed.now() + 150)
    timed.passes(200)
    late, found = grant(Rights.ISSUE, FAR)  # it had run out meanwhile
    assert found.granted_at == late > now + 150


def test_what_cannot_be_granted(deployed: Deployed, alice: Actor, other: Actor) -> None:
    now = deployed.time(alice.does(deployed.anchor, anchor.anchor(alice.address, digest("now"))).block)
    for subject, rights, until, why in (
        (other.address, 0, FAR, "UnknownRights(0)"),
        (other.address, 4, FAR, "UnknownRights(4)"),
        (other.address, 255, FAR, "UnknownRights(255)"),
        (registry.NOBODY, 1, FAR, "ZeroSubject()"),
        (other.address, 1, 0, "AlreadyOver(0)"),
        (other.address, 1, now, f"AlreadyOver({now})"),
    ):
        data = anchor.accredit(alice.address, subject, TYPE, rights, until)
        assert alice.is_refused(deployed.anchor, data) == why
    why = alice.is_refused(deployed.anchor, anchor.withdraw(alice.address, other.address, TYPE))
    assert why == f"NotAccredited({alice.address}, {other.address}, 0x{TYPE.hex()})"


@pytest.mark.parametrize("name", list(writes("0x" + "00" * 20, "0x" + "00" * 20)))
def test_nobody_speaks_for_another(deployed: Deployed, alice: Actor, other: Actor, name: str) -> None:
    data = writes(alice.address, other.address)[name]
    assert other.is_refused(deployed.anchor, data) == f"NotOwner({alice.address}, {other.address})"
    assert other.is_refused(deployed.anchor, writes(registry.NOBODY, other.address)[name]).startswith("Deactivated")


def test_the_owner_in_the_registry_speaks_and_the_first_key_no_longer(
    deployed: Deployed, alice: Actor, other: Actor
) -> None:
    alice.does(deployed.registry, registry.change_owner(alice.address, other.address))
    calls = writes(alice.address, other.address)
    for data in calls.values():
        assert alice.is_refused(deployed.anchor, data) == f"NotOwner({alice.address}, {alice.address})"
    for data in calls.values():
        other.does(deployed.anchor, data)


def test_a_delegate_does_not_speak(deployed: Deployed, alice: Actor, other: Actor) -> None:
    for kind in (b"veriKey", b"sigAuth"):
        alice.does(deployed.registry, registry.add_delegate(alice.address, kind, other.address, 3600))
    for data in writes(alice.address, other.address).values():
        assert other.is_refused(deployed.anchor, data) == f"NotOwner({alice.address}, {other.address})"


def test_an_ended_identity_says_nothing_more_and_what_it_said_stays(
    deployed: Deployed, alice: Actor, other: Actor
) -> None:
    """facts/ledger.md finding a: an anchor took what the first key of a deactivated identity wrote."""
    calls = writes(alice.address, other.address)
    for name in ("anchor", "setHead", "accredit"):
        alice.does(deployed.anchor, calls[name])
    said = (
        anchored(deployed, alice.address, digest("a")),
        head(deployed, alice.address, SUBJECT),
        accreditation(deployed, alice.address, other.address, TYPE),
    )
    alice.does(deployed.registry, registry.change_owner(alice.address, registry.NOBODY))
    later = writes(alice.address, other.address) | {
        "setHead": anchor.set_head(alice.address, SUBJECT, digest("e"), 2),
        "more": anchor.anchor(alice.address, digest("f")),
    }
    for data in later.values():
        for actor in (alice, other):
            assert actor.is_refused(deployed.anchor, data) == f"Deactivated({alice.address})"
    assert said == (
        anchored(deployed, alice.address, digest("a")),
        head(deployed, alice.address, SUBJECT),
        accreditation(deployed, alice.address, other.address, TYPE),
    )


def test_it_believes_one_registry_that_must_be_there(deployed: Deployed, alice: Actor) -> None:
    assert deployed.asks("registry") == deployed.registry
    for place in (registry.NOBODY, "0x" + "12" * 20, alice.address, deployed.anchor):
        assert alice.send(None, anchor.deploy_data(place)).status == 0
    for place in ("0x" + "12" * 20, alice.address):
        wish = {"from": alice.address, "data": "0x" + anchor.deploy_data(place).hex()}
        with pytest.raises(RpcError) as caught:
            deployed.node.rpc.call("eth_call", [wish, "latest"])
        assert abi.reason(bytes.fromhex(str(caught.value.data)[2:]), ANCHOR) == f"NoRegistry({place})"


def test_money_is_not_taken(deployed: Deployed, alice: Actor) -> None:
    wish = {"from": alice.address, "to": deployed.anchor, "value": "0x1"}
    for data in (b"", anchor.anchor(alice.address, digest("x"))):
        with pytest.raises(Exception, match="revert"):
            deployed.node.rpc.call("eth_call", [wish | {"data": "0x" + data.hex()}, "latest"])


def test_the_code_at_the_address_is_the_artifacts(deployed: Deployed) -> None:
    code = deployed.node.rpc.call("eth_getCode", [deployed.anchor, "latest"])
    assert code == "0x" + anchor.code(deployed.registry).hex()
    code = deployed.node.rpc.call("eth_getCode", [deployed.registry, "latest"])
    assert code == "0x" + registry.CONTRACT.code().hex()
