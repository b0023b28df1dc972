"""Anchoring: what was issued comes onto the ledger in batches, once, whatever happens on the way."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import pytest

from ssi.errors import Unavailable
from ssi.ledger import merkle, receipts
from ssi.ledger.receipts import Place
from tests.issuer.ledgerworld import LedgerWorld, leaf
from tests.issuer.world import BASE


@pytest.fixture
def world(tmp_path: Path) -> LedgerWorld:
    return LedgerWorld(tmp_path)


def place(world: LedgerWorld) -> tuple[Place, str]:
    desk = world.office.ledger
    assert desk is not None
    return desk.place, desk.account.address


def checked(world: LedgerWorld, receipt: dict[str, Any], wire: str, promise: dict[str, str]) -> receipts.Proven:
    desk = world.office.ledger
    assert desk is not None
    whole = receipts.read({**receipt, "salt": promise["salt"]})

    def known(number: int) -> bytes | None:
        block = desk.ledger.chain.block(number)
        return None if block is None else block.hash

    where, identity = place(world)
    return receipts.check(whole, wire.split("~", 1)[0].encode(), place=where, identity=identity, known_hash=known)


def test_a_credential_gets_a_receipt_that_anybody_can_check(world: LedgerWorld) -> None:
    wire, promise = world.promised()
    assert promise["href"] == f"{BASE}/ledger/receipts"
    mine = leaf(wire, promise)
    assert world.asked(mine, bytes(32)) == [None, None]
    done = world.turn()
    assert (done.closed, done.written, done.waiting, done.problems) == (1, 1, 0, ())
    receipt, other = world.asked(mine, bytes(32))
    assert other is None
    assert "salt" not in receipt
    proven = checked(world, receipt, wire, promise)
    assert proven.anchored.at == int(world.clock().timestamp())


def test_the_salt_is_nowhere_at_the_desk_and_rows_have_no_order(world: LedgerWorld) -> None:
    wires = [world.promised() for _ in range(3)]
    rows = [bytes(row["entry"]) for row in world.rows("leaves")]
    assert rows == sorted(leaf(wire, promise) for wire, promise in wires)
    content = (world.folder / "issuer" / "issuer.db").read_bytes()
    for _, promise in wires:
        assert promise["salt"].encode() not in content


def test_a_turn_that_has_nothing_to_do_does_nothing(world: LedgerWorld) -> None:
    world.promised()
    world.turn()
    assert (world.turn().closed, world.turn().written, world.turn().stated) == (0, 0, 0)
    assert len(world.rows("anchors")) == 1


def test_a_batch_waits_for_its_time_or_its_size(tmp_path: Path) -> None:
    world = LedgerWorld(tmp_path, options={"ANCHOR_SECONDS": "100", "ANCHOR_SIZE": "2"})
    world.promised()
    assert world.turn(close=False).closed == 1  # the first one after a pause need not wait
    world.promised()
    assert world.turn(close=False).closed == 0
    world.promised()
    assert world.turn(close=False).closed == 2
    world.promised()
    world.clock.pass_time(seconds=100)
    assert world.turn(close=False).closed == 1


def test_issuing_goes_on_while_the_ledger_is_away_and_anchoring_catches_up(
    world: LedgerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = world.office.ledger
    assert desk is not None
    assert desk.chain is not None
    wire, promise = world.promised()

    def away(method: str, params: Any) -> Any:
        raise Unavailable("ledger.unavailable", "The ledger's node does not answer.")

    with monkeypatch.context() as patched:
        patched.setattr(type(desk.chain), "call", lambda _self, method, params: away(method, params))
        done = world.turn()
        assert (done.closed, done.written, done.waiting) == (1, 0, 1)
        assert done.problems[0].startswith("ledger.unavailable")
        second = world.promised()
    assert world.turn().waiting == 0
    for one, its in ((wire, promise), second):
        (receipt,) = world.asked(leaf(one, its))
        checked(world, receipt, one, its)


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("step", ["leaves.close", "writer.write", "_prove", "_note"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_step_nothing_is_written_twice_and_nothing_lost(
    world: LedgerWorld, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    from wallet.issuer import anchoring, leaves

    wire, promise = world.promised()
    desk = world.office.ledger
    assert desk is not None
    target, name = {
        "leaves.close": (leaves, "close"),
        "writer.write": (type(desk.writer), "write"),
        "_prove": (anchoring.Anchoring, "_prove"),
        "_note": (anchoring.Anchoring, "_note"),
    }[step]
    real = getattr(target, name)

    def dying(*given: Any, **named: Any) -> Any:
        if when == "after":
            real(*given, **named)
        raise Killed

    before = desk.ledger.chain.nonce(desk.account.address)
    with monkeypatch.context() as patched:
        patched.setattr(target, name, dying)
        with pytest.raises(Killed):
            world.turn()
    again = world.reopened()
    assert again.anchoring is not None
    done = again.anchoring.turn(now=world.clock(), close=True)
    assert (done.waiting, done.problems) == (0, ())
    (receipt,) = world.asked(leaf(wire, promise))
    checked(world, receipt, wire, promise)
    batches = [row for row in world.rows("anchors") if row["proof"] != "null"]
    assert len(batches) == 1
    heads = len(world.rows("heads"))
    assert desk.ledger.chain.nonce(desk.account.address) - before == 1 + heads - (1 if desk_log(world) else 0)


def desk_log(world: LedgerWorld) -> bool:
    """Has founding stated the head of a log already?"""
    return world.settings.ledger.log is not None


def test_questions_for_receipts_are_bounded(world: LedgerWorld) -> None:
    for body in ({}, {"entries": []}, {"entries": ["AA"]}, {"entries": [7]}, {"entries": ["A" * 43] * 65}):
        answer = world.post("/ledger/receipts", json=body)
        assert answer.status_code == 400, body


def test_one_process_takes_a_turn_at_a_time(world: LedgerWorld) -> None:
    import fcntl

    with world.anchoring.lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert world.turn().busy


def test_the_chain_answers_where_its_declaration_says(world: LedgerWorld) -> None:
    answer = world.post("/ledger/rpc", json={"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []})
    assert int(answer.json["result"], 16) == place(world)[0].chain_id
    assert world.post("/ledger/rpc", data="{}").status_code == 415


def test_a_newly_revoked_credential_brings_a_new_head_of_its_list(world: LedgerWorld) -> None:
    world.issued()
    world.turn()
    desk = world.office.ledger
    assert desk is not None
    (row,) = world.rows("status_lists")
    uri = f"{BASE}/status/{row['id']}"
    from ssi.ledger import anchor

    assert desk.ledger.anchor is not None
    first = desk.ledger.anchor.head(desk.account.address, anchor.name_hash(uri))
    (issued,) = world.rows("credentials")
    from wallet.issuer.statuses import Status

    world.office.records.mark(issued["id"], Status.REVOKED, reason="", now=world.clock())
    world.turn()
    second = desk.ledger.anchor.head(desk.account.address, anchor.name_hash(uri))
    assert first is not None
    assert second is not None
    assert (first.number, second.number) == (1, 2)
    assert first.digest != second.digest
    assert len(second.digest) == merkle.SIZE


def test_a_desk_that_is_no_more_holds_no_file_open(tmp_path: Path) -> None:
    """Neither its anchoring thread nor the chain's machine keeps what it had opened."""
    desk = LedgerWorld(tmp_path)
    desk.promised()
    desk.turn()
    assert opened(tmp_path)
    del desk
    gc.collect()
    assert not opened(tmp_path)


def opened(folder: Path) -> list[str]:
    """What this process has open under the folder."""
    links = Path("/proc/self/fd").iterdir()
    return [name for link in links if link.is_symlink() and (name := os.readlink(link)).startswith(str(folder))]
