"""Founding a desk, and what becomes of its DID: kept, moved, its key replaced, ended."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from service.bootstrap import ISSUED, bootstrap
from ssi import dids
from ssi.dids import Resolved, Sources
from ssi.encoding import read_json_object, unb64url
from ssi.errors import Refused
from ssi.formats import by_id
from ssi.issuerkeys import Keys
from ssi.ledger import anchor
from ssi.ledger.anchor import Rights
from ssi.ledger.ledger import Ledger, Ledgers
from ssi.model import Check, Credential, Outcome
from tests.issuer.ledgerworld import LedgerWorld
from tests.issuer.world import BASE, payload
from tests.support import InMemoryFetch
from wallet.issuer import didlog, founding, keychange
from wallet.issuer.identity import load


@pytest.fixture
def world(tmp_path: Path) -> LedgerWorld:
    return LedgerWorld(tmp_path)


def ledger(world: LedgerWorld) -> Ledger:
    desk = world.office.ledger
    assert desk is not None
    return desk.ledger


def sources(world: LedgerWorld, app: Any = None) -> Sources:
    """The web with the desk in it, and its ledger."""
    return Sources(InMemoryFetch({BASE: app or world.app}), Ledgers.of(ledger(world)))


def did_of(world: LedgerWorld) -> str:
    _ = world.settings
    (did,) = read_json_object((world.folder / "trust" / "issuers.json").read_bytes(), what="issuers")
    return did


def resolved(world: LedgerWorld, app: Any = None) -> Resolved:
    return dids.resolve(did_of(world), sources=sources(world, app), now=world.clock())


def restarted(world: LedgerWorld) -> Any:
    """The desk after a start, which also states new heads."""
    world.__dict__.pop("settings", None)
    world.__dict__["settings"] = world.read()
    world.__dict__.pop("office", None)
    world.__dict__.pop("app", None)
    assert world.turn().problems == ()
    return world.app


def test_the_desk_is_a_did_with_an_anchored_head_and_is_accredited(world: LedgerWorld) -> None:
    found = resolved(world)
    assert did_of(world).startswith("did:webvh:")
    assert found.evidence["anchored_version"] == 1
    desk = world.office.ledger
    assert desk is not None
    assert desk.did in found.document.also_known_as
    contract = ledger(world).anchor
    assert contract is not None
    (accreditor,) = ledger(world).accreditors
    for name in ISSUED:
        held = contract.accreditation(accreditor.rpartition(":")[2], desk.account.address, anchor.name_hash(name))
        assert held is not None
        assert held.allows(Rights.ISSUE, at=int(world.clock().timestamp()))
        assert not held.allows(Rights.ACCREDIT, at=int(world.clock().timestamp()))


def test_the_descriptions_of_the_desks_types_are_anchored(world: LedgerWorld) -> None:
    desk, contract = world.office.ledger, ledger(world).anchor
    assert desk is not None
    assert contract is not None
    served = world.get("/vct/verified-person").get_data()
    assert contract.anchored(desk.account.address, sha256(served).digest()) is not None
    assert contract.anchored(desk.account.address, sha256(served + b" ").digest()) is None


def test_a_key_that_takes_over_leaves_the_old_one_in_the_document_until_it_is_retired(world: LedgerWorld) -> None:
    old = load(world.settings).signer.kid
    uri = payload(world.issued())["status"]["status_list"]["uri"]
    assert world.get(uri).status_code == 200
    world.clock.pass_time(minutes=10)
    told = keychange.take_over(world.settings, now=world.clock())
    new = load(world.settings).signer.kid
    assert (told["old_key"], told["new_key"]) == (old, new)
    assert keychange.take_over(world.settings, now=world.clock())["new_key"] == new  # called again: it goes on
    world.clock.pass_time(minutes=1)
    app = restarted(world)
    for kid in (old, new):
        assert resolved(world, app).key(f"{did_of(world)}#{kid}", relationship="assertionMethod", now=world.clock())
    head = world.get(uri).get_data(as_text=True).partition(".")[0]
    assert read_json_object(unb64url(head), what="header")["kid"] == new  # at once, and not when its time is over
    keychange.retire(world.settings, old=old, now=world.clock())
    world.clock.pass_time(minutes=1)
    with pytest.raises(Refused):
        resolved(world, restarted(world)).key(
            f"{did_of(world)}#{old}", relationship="assertionMethod", now=world.clock()
        )
    keychange.take_over(world.settings, now=world.clock())
    assert load(world.settings).signer.kid not in (old, new)  # a change of its own


def test_founding_again_changes_nothing(world: LedgerWorld) -> None:
    _ = world.settings
    before = {path: path.read_bytes() for path in world.folder.rglob("*") if path.is_file() and ".db" not in path.name}
    nonce = ledger(world).chain.head().number
    world.found()
    assert {path: path.read_bytes() for path in before} == before
    assert ledger(world).chain.head().number == nonce


@pytest.mark.parametrize("gone", ["issuer/did.jsonl", "trust/ledger.json", "trust/issuers.json", "issuer/writes.db"])
def test_founding_again_makes_what_is_missing(world: LedgerWorld, gone: str) -> None:
    _ = world.settings
    registry = ledger(world).registry.address
    (world.folder / gone).unlink()
    world.found()
    world.__dict__["settings"] = world.read()
    world.__dict__.pop("office")
    assert resolved(world).evidence["anchored_version"] == 1
    assert ledger(world).registry.address == registry


def test_an_address_without_a_domain_name_stays_a_did_web(tmp_path: Path) -> None:
    world = LedgerWorld(tmp_path)
    found = founding.founder(InMemoryFetch({}))
    bootstrap(tmp_path, hosts=(), base_urls={"issuer": "https://127.0.0.1:8441"}, now=world.clock(), found=found)
    assert b"did:web:127.0.0.1%3A8441" in (tmp_path / "trust" / "issuers.json").read_bytes()
    assert not (tmp_path / "issuer" / "did.jsonl").exists()


def test_a_desk_that_moves_keeps_its_name(world: LedgerWorld) -> None:
    _ = world.settings
    scid = did_of(world).split(":")[2]
    found = founding.founder(InMemoryFetch({}))
    bootstrap(world.folder, hosts=(), base_urls={"issuer": "https://elsewhere.test"}, now=world.clock(), found=found)
    assert did_of(world) == f"did:webvh:{scid}:elsewhere.test"
    rpc = read_json_object((world.folder / "trust" / "ledger.json").read_bytes(), what="ledger")["rpc"]
    assert rpc == ["https://elsewhere.test/ledger/rpc"]


def test_credentials_name_the_did_and_verify(world: LedgerWorld) -> None:
    wire = world.issued()
    assert payload(wire)["iss"] == did_of(world)
    keys = Keys(sources(world))
    opened = by_id("dc+sd-jwt").check(Credential("dc+sd-jwt", wire), keys=keys, now=world.clock())
    assert {one.outcome for one in opened.findings if one.check is Check.SIGNATURE} == {Outcome.PASS}
    world.turn()
    status = world.get(payload(wire)["status"]["status_list"]["uri"])
    assert status.status_code == 200


def test_a_replaced_key_is_retired_and_the_new_one_signs(world: LedgerWorld) -> None:
    wire = world.issued()
    old = load(world.settings).signer.kid
    world.clock.pass_time(minutes=10)
    told = keychange.rotate(world.settings, now=world.clock())
    assert (told["old_key"], told["did"]) == (old, did_of(world))
    app = restarted(world)
    world.clock.pass_time(minutes=10)
    keys = Keys(sources(world, app))
    credential = Credential("dc+sd-jwt", wire)
    with pytest.raises(Refused):
        keys.method_key(f"{did_of(world)}#{old}", relationship="assertionMethod", now=world.clock())
    past = keys.with_history()
    retired = past.method_key(f"{did_of(world)}#{old}", relationship="assertionMethod", now=world.clock()).retired
    assert retired is not None
    assert retired <= world.clock()
    opened = by_id("dc+sd-jwt").check(credential, keys=past, now=world.clock())
    assert {one.outcome for one in opened.findings if one.check is Check.SIGNATURE} == {Outcome.PASS}
    world.holder = replace_holder(world)
    again = world.issued()
    fresh = by_id("dc+sd-jwt").check(Credential("dc+sd-jwt", again), keys=keys, now=world.clock())
    assert {one.outcome for one in fresh.findings if one.check is Check.SIGNATURE} == {Outcome.PASS}
    assert old not in (world.folder / "issuer" / "signing.key").read_text()


def replace_holder(world: LedgerWorld) -> Any:
    return type(world.holder).generate("ES256")


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("step", ["_continued", "_mended", "_put_in_place"])
def test_a_replacement_that_was_killed_is_finished_by_the_next(
    world: LedgerWorld, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    _ = world.settings
    old = load(world.settings).signer.kid
    target = keychange if step == "_put_in_place" else didlog
    real, calls = getattr(target, step), []

    def dying(*given: Any, **named: Any) -> Any:
        calls.append(step)
        if step == "_mended" and len(calls) == 1:
            return real(*given, **named)  # the reading before the change
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(target, step, dying)
        with pytest.raises(Killed):
            keychange.rotate(world.settings, now=world.clock())
    world.clock.pass_time(minutes=1)
    world.found()
    if step == "_continued":  # nothing was said yet
        assert load(world.read()).signer.kid == old
        keychange.rotate(world.read(), now=world.clock())
    now = load(world.read())
    assert now.signer.kid != old
    assert resolved(world, restarted(world)).key(now.key_url, relationship="assertionMethod", now=world.clock())
    world.clock.pass_time(minutes=1)
    keychange.rotate(world.read(), now=world.clock())  # the announced keys are in their places
    assert load(world.read()).signer.kid != now.signer.kid


def test_a_desk_that_has_ended_its_did_issues_nothing_and_says_so(world: LedgerWorld) -> None:
    world.issued()
    token = world.granted()
    world.clock.pass_time(minutes=1)
    done = keychange.deactivate(world.settings, now=world.clock())
    assert done["deactivated"] is True
    assert keychange.deactivate(world.read(), now=world.clock())["version"] == done["version"]
    world.clock.pass_time(minutes=1)
    app = restarted(world)
    assert resolved(world, app).deactivated
    answer = world.credential(token)
    assert (answer.status_code, answer.json["error"]) == (400, "credential_request_denied")


def test_a_host_that_serves_an_older_log_is_found_out(world: LedgerWorld) -> None:
    _ = world.settings
    before = (world.folder / "issuer" / "did.jsonl").read_bytes()
    world.clock.pass_time(minutes=1)
    keychange.rotate(world.settings, now=world.clock())
    restarted(world)
    lying = Flask("lying")
    lying.add_url_rule("/.well-known/did.jsonl", view_func=lambda: before)
    with pytest.raises(Refused) as caught:
        dids.resolve(did_of(world), sources=sources(world, lying), now=world.clock() + timedelta(hours=1))
    assert caught.value.code == "did.webvh_truncated"


def test_nobody_keeps_the_log_without_asking_whether_there_is_more(world: LedgerWorld) -> None:
    first = world.get("/.well-known/did.jsonl")
    assert first.headers["Cache-Control"] == "no-cache"
    again = world.get("/.well-known/did.jsonl", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")
