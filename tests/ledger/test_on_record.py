"""What a receipt tells a verifier: since when a credential is on the ledger. A stolen old key is worth nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ssi.errors import Unavailable
from ssi.issuerkeys.records import Records
from ssi.ledger import anchor, receipts, slots
from ssi.ledger.chain import Chain
from ssi.ledger.ledger import Checkpoint, Ledger
from ssi.ledger.merkle import Tree, entry
from ssi.ledger.registry import Registry
from ssi.model import Finding, Issuer, Outcome, Presentation
from tests.ledger.deployed import Deployed, deploy
from tests.ledger.nodes import Node
from verifier.onrecord import OnRecord

SALT = bytes(range(32))
WIRE = "eyJhbGciOiJFUzI1NiJ9.e30.c2ln~ZGlzY2xvc3VyZQ~"
ISSUER = Issuer("did:example:desk")


@dataclass
class Scene:
    """A credential whose leaf is anchored, its receipt, and a verifier that knows the ledger."""

    ledger: Ledger
    identity: str
    receipt: dict[str, Any]
    at: datetime
    asked: list[str] = field(default_factory=list)

    def judged(self, *, retired: datetime | None = None, **changes: Any) -> Finding | None:
        ledger, identity = changes.get("ledger", self.ledger), changes.get("identity", self.identity)
        receipt, wire = changes.get("receipt", self.receipt), changes.get("wire", WIRE)
        judge = OnRecord(Records(ledger, lambda _issuer, _now: identity))
        shown = Presentation("dc+sd-jwt", wire, receipt)
        return judge.judge(shown, ISSUER, retired=retired, now=self.at + timedelta(hours=1))


@pytest.fixture(scope="module")
def scene(embedded_node: Node) -> Scene:
    made: Deployed = deploy(embedded_node)
    desk = made.actor()
    tree = Tree([entry(SALT, WIRE.split("~", 1)[0].encode()), bytes(32), bytes([7]) * 32])
    done = desk.does(made.anchor, anchor.anchor(desk.address, tree.root))
    chain = Chain(embedded_node.rpc, chain_id=embedded_node.chain_id, genesis=None)
    contract, registry = anchor.TrustAnchor(chain, made.anchor), Registry(chain, made.registry)
    ledger = Ledger(chain, registry, contract, None, (), (), "the test ledger", True, ("0xface7",))
    block = chain.block(done.block)
    anchored = contract.anchored(desk.address, tree.root)
    assert block is not None
    assert anchored is not None
    held = chain.proof(made.anchor, [slots.anchored_slot(desk.address, tree.root)], done.block)
    stands = chain.proof(made.registry, [slots.identity_slot(desk.address)], done.block)
    proof = receipts.state_proof(block.header, held, stands)
    where = receipts.Place(chain.chain_id, made.anchor, made.registry)
    receipt = receipts.build(where, desk.address, tree=tree, index=0, salt=SALT, anchored=anchored, proof=proof)
    return Scene(ledger, desk.address, receipts.write(receipt), datetime.fromtimestamp(anchored.at, UTC))


def test_what_is_on_record_is_told_with_block_and_finality(scene: Scene) -> None:
    found = scene.judged()
    assert found is not None
    assert (found.outcome, found.code) == (Outcome.PASS, "ledger.on_record"), found
    assert found.evidence["anchored_at"] == int(scene.at.timestamp())
    assert found.evidence["finality"] == "finalized"
    assert found.evidence["age"] == 3600
    assert "the test ledger" in found.detail


def test_without_receipt_and_with_a_good_key_nothing_is_said(scene: Scene) -> None:
    found = scene.judged(receipt=None)
    assert found is not None
    assert found.outcome is Outcome.NOT_ASKED


def test_what_was_on_record_before_the_key_was_retired_stays_good(scene: Scene) -> None:
    found = scene.judged(retired=scene.at + timedelta(seconds=1))
    assert found is not None
    assert (found.outcome, found.code) == (Outcome.PASS, "ledger.before_retirement")


@pytest.mark.parametrize("receipt", ["kept", None, {}])
def test_what_a_retired_key_signed_later_is_refused(scene: Scene, receipt: Any) -> None:
    shown = scene.receipt if receipt == "kept" else receipt
    found = scene.judged(retired=scene.at, receipt=shown)
    assert found is not None
    assert (found.outcome, found.code) == (Outcome.FAIL, "ledger.retired_key")


def test_a_receipt_that_is_not_good_convicts_who_sent_it(scene: Scene) -> None:
    wrong = {
        "ledger.inclusion": {"wire": "eyJhbGciOiJFUzI1NiJ9.e30.b3RoZXI~"},
        "ledger.receipt_identity": {"identity": "0x" + "11" * 20},
    }
    for code, changes in wrong.items():
        found = scene.judged(**changes)
        assert found is not None
        assert (found.outcome, found.code) == (Outcome.FAIL, code)


def test_a_receipt_that_shows_nothing_is_unknown_and_does_not_help_a_retired_key(scene: Scene) -> None:
    cases: list[dict[str, Any]] = [{"identity": None}, {"receipt": {}}, {"receipt": {**scene.receipt, "more": 1}}]
    for changes in cases:
        found = scene.judged(**changes)
        assert found is not None
        assert found.outcome is Outcome.UNKNOWN
        convicted = scene.judged(retired=scene.at + timedelta(days=1), **changes)
        assert convicted is not None
        assert (convicted.outcome, convicted.code) == (Outcome.FAIL, "ledger.retired_key")


class _Away:
    """A node that answers nothing."""

    def call(self, method: str, params: Any) -> Any:
        raise Unavailable("ledger.unavailable", "The ledger's node does not answer.")


def _away(scene: Scene) -> Ledger:
    chain = Chain(_Away(), chain_id=scene.ledger.chain.chain_id, genesis=None)
    return replace(scene.ledger, chain=chain)


def test_a_ledger_that_is_away_is_not_a_no_even_for_a_retired_key(scene: Scene) -> None:
    for retired in (None, scene.at + timedelta(days=1)):
        found = scene.judged(ledger=_away(scene), retired=retired)
        assert found is not None
        assert (found.outcome, found.code) == (Outcome.UNKNOWN, "ledger.unavailable")


def test_a_checkpoint_is_enough_without_any_node(scene: Scene) -> None:
    number = scene.receipt["anchored"]["block"]
    block = scene.ledger.chain.block(number)
    assert block is not None
    offline = replace(_away(scene), checkpoints=(Checkpoint(number, block.hash),))
    found = scene.judged(ledger=offline)
    assert found is not None
    assert (found.outcome, found.evidence["finality"]) == (Outcome.PASS, "finalized")
    wrong = replace(offline, checkpoints=(Checkpoint(number, bytes(32)),))
    other = scene.judged(ledger=wrong)
    assert other is not None
    assert (other.outcome, other.code) == (Outcome.UNKNOWN, "ledger.receipt_block")
