"""A change of keys in two steps: whatever comes in between, no key leaves the DID before its turn."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from service.bootstrap import Files
from service.minting import key_pem
from ssi.encoding import read_json_object, unb64url
from ssi.errors import Refused, Unavailable
from ssi.keys import SoftwareSigner
from ssi.ledger.chain import Chain
from ssi.ledger.finality import Finality
from tests.issuer.ledgerworld import LedgerWorld, leaf
from wallet.issuer import didlog, keychange, ledgercli
from wallet.issuer.anchoring import Turn
from wallet.issuer.identity import load


@pytest.fixture
def world(tmp_path: Path) -> LedgerWorld:
    made = LedgerWorld(tmp_path)
    _ = made.settings
    made.clock.pass_time(minutes=10)
    return made


def known(world: LedgerWorld) -> set[str]:
    """The ids of the keys in the DID's newest document, without those that come from seeds."""
    read = didlog.read(Files(world.folder), now=world.clock())
    return {str(one["id"]).partition("#")[2] for one in read.log.last.entry.state["verificationMethod"]}


def signs(world: LedgerWorld) -> str:
    return load(world.settings).signer.kid


def takes_over(world: LedgerWorld) -> dict[str, Any]:
    told = keychange.take_over(world.settings, now=world.clock())
    world.clock.pass_time(minutes=1)
    return told


def test_bootstrap_in_the_middle_of_a_change_retires_no_key(world: LedgerWorld) -> None:
    told = takes_over(world)
    world.found()
    assert {told["old_key"], told["new_key"]} <= known(world)
    world.clock.pass_time(minutes=1)
    keychange.retire(world.settings, old=told["old_key"], now=world.clock())
    assert told["old_key"] not in known(world)
    assert told["new_key"] in known(world)


def test_two_commands_at_once_are_one_change(world: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    real, told = keychange.locked, list[dict[str, Any]]()

    def late(folder: Path) -> Any:
        """The other command comes first, and is done with its step."""
        monkeypatch.setattr(keychange, "locked", real)
        told.append(takes_over(world))
        return real(folder)

    with monkeypatch.context() as patched:
        patched.setattr(keychange, "locked", late)
        told.append(keychange.take_over(world.settings, now=world.clock()))
    first, second = told
    assert (first["old_key"], first["new_key"]) == (second["old_key"], second["new_key"])
    assert {first["old_key"], first["new_key"]} <= known(world)


def test_who_comes_late_with_the_second_step_retires_no_later_key(world: LedgerWorld) -> None:
    first = takes_over(world)
    keychange.retire(world.settings, old=first["old_key"], now=world.clock())
    world.clock.pass_time(minutes=1)
    second = takes_over(world)
    assert keychange.retire(world.settings, old=first["old_key"], now=world.clock()) == {}
    assert {second["old_key"], second["new_key"]} <= known(world)


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("change", ["take_over", "rotate", "deactivate"])
def test_a_kill_between_certificate_and_key_is_mended_by_the_next_command(
    world: LedgerWorld, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    old, real = signs(world), Path.replace

    def dying(path: Path, target: Path) -> Path:
        if path.name == "signing.next.key":
            raise Killed
        return real(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", dying)
        with pytest.raises(Killed):
            keychange.take_over(world.settings, now=world.clock())
    world.clock.pass_time(minutes=1)
    told = getattr(keychange, change)(world.settings, now=world.clock())
    assert signs(world) != old
    if change == "take_over":
        assert (told["old_key"], told["new_key"]) == (old, signs(world))
        assert {old, signs(world)} <= known(world)


def test_a_stolen_key_is_out_at_once_even_in_the_middle_of_a_change(world: LedgerWorld) -> None:
    first = takes_over(world)
    told = keychange.rotate(world.settings, now=world.clock())
    assert not {first["old_key"], first["new_key"]} & known(world)
    assert told["new_key"] in known(world)
    world.clock.pass_time(minutes=1)
    assert takes_over(world)["old_key"] == told["new_key"]


@pytest.mark.parametrize("instead", [None, "another key"])
def test_a_next_key_that_is_kept_elsewhere_is_missed_only_when_it_is_needed(
    world: LedgerWorld, instead: str | None
) -> None:
    path = world.folder / didlog.NEXT
    key, log = path.read_bytes(), (world.folder / didlog.LOG).read_bytes()
    path.unlink()
    if instead is not None:
        path.write_bytes(key_pem(SoftwareSigner.generate("EdDSA")))
    world.found()
    assert path.exists() is (instead is not None), "none is made in its place"
    for change in (keychange.take_over, keychange.rotate, keychange.deactivate):
        with pytest.raises(Refused) as caught:
            change(world.settings, now=world.clock())
        assert caught.value.code == "did.update_key"
    assert (world.folder / didlog.LOG).read_bytes() == log
    path.write_bytes(key)
    old = signs(world)
    assert takes_over(world)["old_key"] == old


def test_a_request_that_has_outlived_the_old_key_gets_nothing_that_it_signed(world: LedgerWorld) -> None:
    """Its body may come minutes after its head, when all that the old key had signed is on the ledger."""
    token, before = world.granted(), world.app
    told = takes_over(world)
    keychange.retire(world.settings, old=told["old_key"], now=world.clock())
    late = world.credential(token)
    assert (late.status_code, late.json["error"]) == (503, "temporarily_unavailable")
    assert world.rows("leaves") == []
    world.__dict__.pop("app")
    again = world.credential(token)
    assert again.status_code == 200
    assert world.app is not before
    assert header(again.json["credentials"][0]["credential"])["kid"].endswith(told["new_key"])


def header(wire: str) -> dict[str, Any]:
    return read_json_object(unb64url(wire.partition(".")[0], what="header"), what="header")


def test_files_that_cannot_be_written_are_a_sentence(world: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_given: Any, **_named: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    anchoring = world.anchoring
    monkeypatch.setattr(Files, "write", full)
    for change in (keychange.take_over, keychange.rotate, keychange.deactivate):
        with pytest.raises(Unavailable) as caught:
            change(world.settings, now=world.clock())
        assert caught.value.code == "bootstrap.files"
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(Unavailable) as caught:
        anchoring.turn(now=world.clock())
    assert caught.value.code == "anchoring.lock"


class Ticking:
    """Time that passes only where somebody waits; patience is over after so many waits."""

    def __init__(self, world: LedgerWorld, waits: int) -> None:
        self.world, self.left = world, waits

    def sleep(self, _seconds: float) -> None:
        self.left -= 1
        self.world.clock.pass_time(seconds=1)

    def monotonic(self) -> float:
        return 0.0 if self.left > 0 else 1_000_000.0


class TestWhatIsWaitedFor:
    """Before a key's end, all that it signed must be on the ledger, for good, and earlier by the ledger's clock."""

    def drained(self, world: LedgerWorld, monkeypatch: pytest.MonkeyPatch, *, turns: int = 3) -> list[Turn]:
        """The turns until `_drain` is content; it gives up after so many."""
        seen = list[Turn]()

        def turn(_settings: Any) -> Turn:
            seen.append(world.turn())
            return seen[-1]

        monkeypatch.setattr(ledgercli, "_turn", turn)
        monkeypatch.setattr(ledgercli, "_now", world.clock)
        monkeypatch.setattr(ledgercli, "time", Ticking(world, turns))
        ledgercli._drain(world.settings)
        return seen

    def test_a_batch_that_is_not_final(self, world: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        wire, promise = world.promised()
        with monkeypatch.context() as patched:
            patched.setattr(Chain, "finality", lambda *_given: Finality.CONFIRMED)
            with pytest.raises(Unavailable, match="for good"):
                self.drained(world, patched)
            assert world.turn().waiting == 1
            assert world.asked(leaf(wire, promise)) == [None], "nobody keeps what a reorganisation could take"
        assert self.drained(world, monkeypatch)[-1].waiting == 0
        assert world.asked(leaf(wire, promise)) != [None]

    def test_a_ledger_whose_clock_is_ahead(self, world: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        world.promised()
        world.turn()
        world.clock.pass_time(seconds=-2)
        seen = self.drained(world, monkeypatch)
        assert [turn.latest < int(world.clock().timestamp()) for turn in seen][-1]
        assert len(seen) > 1
