"""What writing costs: the figures of docs/contracts.md, measured on both nodes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

import pytest

from ssi.ledger import abi, anchor, registry
from ssi.ledger.account import SoftwareAccount
from ssi.ledger.hexes import keccak
from tests.house.files import ROOT
from tests.ledger.deployed import GAS, REGISTRY, Actor, Done
from tests.ledger.nodes import ETHER, Node
from tests.peers import FOLDER

NAME = b"did/pub/Secp256k1/veriKey/hex"
FAR = 2**40
_SIGNED = 150
"""A signature has more or fewer zero bytes, which cost less: signed calls differ by that much."""
_ARTIFACT = (
    FOLDER / "node_modules/ethr-did-registry/artifacts/contracts/EthereumDIDRegistry.sol/EthereumDIDRegistry.json"
)


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def fixed(node: Node, name: str) -> Actor:
    """An account that is the same in every run: zero bytes in addresses cost less."""
    account = SoftwareAccount.from_secret(digest(name))
    node.give(account.address, 10 * ETHER)
    return Actor(node, account)


def documented() -> dict[str, list[int]]:
    """The rows of the document that end in figures."""
    rows: dict[str, list[int]] = {}
    for line in (ROOT / "docs" / "contracts.md").read_text("utf-8").partition("## Gas")[2].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        figures = re.findall(r"\d[\d,]{3,}", " ".join(cells[1:]))
        if line.startswith("|") and figures:
            rows[cells[0]] = [int(figure.replace(",", "")) for figure in figures]
    return rows


def registry_costs(node: Node, place: str, tag: str, *, ours: bool) -> dict[str, int]:
    """What each call costs, first and later."""
    me, other, third = (fixed(node, f"{tag} {name}") for name in ("me", "other", "third"))
    address = me.address
    steps = {
        "setAttribute, 32 bytes, first": registry.set_attribute(address, NAME, b"\x02" * 32, 3600),
        "setAttribute, 32 bytes, later": registry.set_attribute(address, NAME, b"\x03" * 32, 3600),
        "setAttribute, 1,000 bytes": registry.set_attribute(address, NAME, b"\x03" * 1000, 3600),
        "revokeAttribute": registry.revoke_attribute(address, NAME, b"\x02" * 32),
        "addDelegate": registry.add_delegate(address, b"veriKey", other.address, 3600),
        "revokeDelegate": registry.revoke_delegate(address, b"veriKey", other.address),
        "changeOwner, later": registry.change_owner(address, other.address),
    }
    costs = {name: me.does(place, data).gas for name, data in steps.items()}
    end = registry.change_owner(address, registry.NOBODY)
    costs["changeOwner to zero"] = other.does(place, end).gas
    costs["changeOwner, first"] = other.does(place, registry.change_owner(other.address, third.address)).gas
    signed = _signed_here(node, place, third, me.address) if ours else _signed_there(place, third, me.address)
    costs["changeOwnerSigned, first"] = me.does(place, signed).gas
    return costs


def anchor_costs(node: Node, place: str) -> dict[str, list[int]]:
    """What each call costs."""
    me, other = fixed(node, "anchor me"), fixed(node, "anchor other")
    grant = (me.address, other.address, digest("type"))

    def cost(data: bytes) -> int:
        return me.does(place, data).gas

    return {
        "anchor": [cost(anchor.anchor(me.address, digest("one")))],
        "anchorMany, 8 / 64": [
            round(cost(anchor.anchor_many(me.address, [digest(f"{many} {one}") for one in range(many)])) / many)
            for many in (8, 64)
        ],
        "setHead, first / later": [
            cost(anchor.set_head(me.address, digest("s"), digest("a"), 1)),
            cost(anchor.set_head(me.address, digest("s"), digest("b"), 2)),
        ],
        "accredit, first / prolonged": [
            cost(anchor.accredit(*grant, anchor.Rights.ISSUE, FAR)),
            cost(anchor.accredit(*grant, anchor.Rights.ISSUE, FAR * 2)),
        ],
        "withdraw": [cost(anchor.withdraw(*grant))],
    }


def test_the_anchor_costs_what_the_document_says(node: Node) -> None:
    maker = fixed(node, "maker")
    home = _created(maker, registry.deploy_data())
    place = _created(maker, anchor.deploy_data(_place(home)))
    rows = documented()
    for name, costs in anchor_costs(node, _place(place)).items():
        assert rows[name] == costs, name


def test_the_registry_costs_what_the_document_says(node: Node) -> None:
    place = _place(_created(fixed(node, "registry maker"), registry.deploy_data()))
    _compare(registry_costs(node, place, "ours", ours=True), column=1)


@pytest.mark.skipif(not _ARTIFACT.exists(), reason="there is no Node here, or its packages are not installed")
def test_the_deployed_registry_costs_what_the_document_says(node: Node) -> None:
    code = bytes.fromhex(json.loads(_ARTIFACT.read_text("utf-8"))["bytecode"].removeprefix("0x"))
    place = _place(_created(fixed(node, "other maker"), code))
    _compare(registry_costs(node, place, "theirs", ours=False), column=0)


def test_deploying_costs_what_the_document_says(node: Node) -> None:
    text = (ROOT / "docs" / "contracts.md").read_text("utf-8")
    maker = fixed(node, "first maker")
    home = _created(maker, registry.deploy_data())
    for name, made, size in (
        ("IdentityRegistry", home, len(registry.CONTRACT.runtime)),
        ("TrustAnchor", _created(maker, anchor.deploy_data(_place(home))), len(anchor.CONTRACT.runtime)),
    ):
        row = next(line for line in text.splitlines() if line.startswith(f"| {name} |"))
        assert f"| {size:,} B | {made.gas:,} gas |" in row


def _compare(costs: Mapping[str, int], *, column: int) -> None:
    rows = documented()
    for name, cost in costs.items():
        assert abs(rows[name][column] - cost) <= (_SIGNED if "Signed" in name else 0), (name, cost)


def _created(actor: Actor, code: bytes) -> Done:
    done = actor.send(None, code, gas=2 * GAS)
    assert done.status == 1
    return done


def _place(done: Done) -> str:
    assert done.contract is not None
    return done.contract.lower()


def _signed_here(node: Node, place: str, signer: Actor, new_owner: str) -> bytes:
    wanted = registry.SignedCall("changeOwner", signer.address, (new_owner,), node.chain_id, place, 0)
    return wanted.data(*signer.account.sign_digest(wanted.digest()))


def _signed_there(place: str, signer: Actor, new_owner: str) -> bytes:
    identity, owner = bytes.fromhex(signer.address[2:]), bytes.fromhex(new_owner[2:])
    message = b"\x19\x00" + bytes.fromhex(place[2:]) + bytes(32) + identity + b"changeOwner" + owner
    r, s, parity = signer.account.sign_digest(keccak(message))
    values = (27 + parity, r.to_bytes(32, "big"), s.to_bytes(32, "big"), new_owner)
    return abi.encode(REGISTRY, "changeOwnerSigned", signer.address, *values)
