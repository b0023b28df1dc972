"""What the verifier's settings say of the ledger, and what happens at its start."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ssi.errors import Refused, Unavailable
from ssi.ledger.resting import RestingRpc
from ssi.ledger.rpc import RpcError
from tests.ledger.recordworld import Court, Desk, Judge, opened, said
from verifier.verify import Verdict


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    with opened(tmp_path_factory.mktemp("court")) as made:
        yield made


@pytest.fixture
def desk(court: Court) -> Desk:
    court.passes(minutes=5)
    return Desk(court)


def started(judge: Judge) -> None:
    """The verifier's start, as far as it asks the ledger."""
    known = judge.known
    assert known is not None
    known.check_at_start()


def test_another_chain_or_contract_ends_the_start_and_one_that_is_away_does_not(desk: Desk) -> None:
    started(desk.judge())
    good = json.loads(desk.court.declaration())
    strange = {
        "ledger.wrong_chain": {**good, "chain_id": 1},
        "ledger.other_contract": {**good, "registry": {**good["registry"], "code_hash": "0x" + "11" * 32}},
        "ledger.no_contract": {**good, "anchor": {**good["anchor"], "address": "0x" + "11" * 20}},
    }
    for code, declaration in strange.items():
        with pytest.raises(Refused) as caught:
            started(desk.judge(declaration=json.dumps(declaration).encode()))
        assert caught.value.code == code
    desk.node_away = True
    started(desk.judge())


def test_what_is_demanded_of_the_ledger_needs_one(desk: Desk) -> None:
    without = desk.court.declaration(accredits=False)
    with pytest.raises(Refused) as caught:
        _ = desk.judge(declaration=without, require_accreditation="true").policy
    assert caught.value.code == "settings.require_accreditation"
    bare = desk.court.declaration(accredits=False, anchor=None)
    with pytest.raises(Refused) as caught:
        _ = desk.judge(declaration=bare, require_anchored_status="true").known
    assert caught.value.code == "settings.require_anchored_status"


def test_without_a_ledger_the_finding_says_so(desk: Desk) -> None:
    judge = desk.judge()
    del judge.options["ledger"]  # type: ignore[attr-defined]  # the test's own dictionary
    result = judge.verify(desk.credential(), desk.receipt(desk.credential()))
    assert (result.verdict, said(result).code) == (Verdict.VERIFIED, "ledger.unknown")


def test_a_node_that_is_away_is_left_in_peace_for_a_while() -> None:
    class Node:
        asked, away = 0, True

        def call(self, method: str, params: Any) -> Any:
            self.asked += 1
            if method == "wrong":
                raise RpcError(-32_601, "no such method")
            if self.away:
                raise Unavailable("ledger.timeout", "x")
            return "0x1"

    node, clock = Node(), [0.0]
    resting = RestingRpc(node, clock=lambda: clock[0], rest=10)
    for _ in range(3):
        with pytest.raises(Unavailable):
            resting.call("eth_chainId", [])
    assert node.asked == 1
    clock[0], node.away = 11.0, False
    assert resting.call_many([("eth_chainId", []), ("eth_chainId", [])]) == ("0x1", "0x1")
    with pytest.raises(RpcError):
        resting.call("wrong", [])
    assert resting.call("eth_chainId", []) == "0x1"
