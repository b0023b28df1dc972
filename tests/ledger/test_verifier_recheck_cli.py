"""`facet-verifier`: a presentation with its receipt, and what a verdict says of the ledger, checked again offline."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssi.encoding import write_json
from ssi.errors import Malformed
from ssi.formats import sdjwt
from ssi.ledger.ledger import Checkpoint
from ssi.ledger.receipts import Place
from ssi.model import Credential, Disclosure, Outcome
from tests.ledger.recordworld import CHALLENGE, VALID, Court, Desk, opened
from verifier import cli, rechecking
from verifier.cli import main
from verifier.shown import finding_json

_NAMES = st.sampled_from(
    ["findings", "check", "evidence", "receipt", "entry", "version", "proof", "path", "retired_at"]
)


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    with opened(tmp_path_factory.mktemp("court")) as made:
        yield made


@pytest.fixture
def desk(court: Court) -> Desk:
    court.passes(minutes=5)
    return Desk(court)


def verdict(desk: Desk, credential: Credential, receipt: dict[str, Any]) -> dict[str, Any]:
    """What a verifier has kept of it, as its API tells it."""
    found = desk.judge().verify(credential, receipt)
    return json.loads(write_json({"findings": [finding_json(one) for one in found.findings]}))


def point(desk: Desk, receipt: dict[str, Any]) -> Checkpoint:
    block = desk.court.chain.block(receipt["anchored"]["block"])
    assert block is not None
    return Checkpoint(block.number, block.hash)


def run(told: Any, folder: Path, declaration: bytes, *more: str) -> Result:
    (folder / "ledger.json").write_bytes(declaration)
    arguments = ["recheck", "-", "--ledger", str(folder / "ledger.json"), *more]
    text = told if isinstance(told, bytes) else write_json(told)
    return CliRunner().invoke(main, arguments, input=text)


def test_what_a_verdict_says_holds_without_anybody_being_asked(desk: Desk, tmp_path: Path) -> None:
    credential = desk.credential()
    receipt = desk.receipt(credential)
    told, known = verdict(desk, credential, receipt), point(desk, receipt)
    (finding,) = [one for one in told["findings"] if one["check"] == "ledger"]
    before = desk.asked
    with_point = desk.court.declaration(known)
    for shown_as in (told, finding, finding["evidence"], finding["evidence"]["receipt"]):
        result = run(shown_as, tmp_path, with_point, "--json")
        assert result.exit_code == 0, result.output
        (said,) = json.loads(result.stdout)["findings"]
        assert (said["outcome"], said["code"]) == ("pass", "ledger.on_record")
        assert said["evidence"]["block"] == receipt["anchored"]["block"]
        assert said["evidence"]["identity"] == desk.account.address
    by_hand = run(told, tmp_path, desk.court.declaration(), "--checkpoint", f"{known.number}:0x{known.hash.hex()}")
    assert (by_hand.exit_code, "pass" in by_hand.stdout) == (0, True)
    assert desk.asked == before


def test_without_the_block_it_cannot_be_said(desk: Desk, tmp_path: Path) -> None:
    credential = desk.credential()
    told = verdict(desk, credential, desk.receipt(credential))
    result = run(told, tmp_path, desk.court.declaration())
    assert (result.exit_code, "ledger.checkpoint_unknown" in result.stdout) == (3, True)


def test_what_was_changed_does_not_hold(desk: Desk, tmp_path: Path) -> None:
    credential = desk.credential()
    receipt = desk.receipt(credential)
    told, known = verdict(desk, credential, receipt), point(desk, receipt)
    (finding,) = [one for one in told["findings"] if one["check"] == "ledger"]
    evidence = finding["evidence"]
    other = desk.receipt(desk.credential())
    at = evidence["anchored_at"]
    for changes, code in (
        ({"anchored_at": at - 1}, "recheck.contradiction"),
        ({"block": 1}, "recheck.contradiction"),
        ({"identity": "0x" + "11" * 20}, "recheck.contradiction"),
        ({"retired_at": "soon"}, "recheck.contradiction"),
        ({"retired_at": at}, "ledger.retired_key"),
        ({"receipt": {**evidence["receipt"], "root": other["root"]}}, "ledger.inclusion"),
        ({"receipt": {**evidence["receipt"], "version": 2}}, "ledger.receipt_version"),
        ({"receipt": {}}, "ledger.receipt"),
    ):
        result = run({**evidence, **changes}, tmp_path, desk.court.declaration(known))
        assert (result.exit_code, f"[{code}]" in result.stdout) == (1, True), (changes, result.output)
    earlier = run({**evidence, "retired_at": at + 1}, tmp_path, desk.court.declaration(known))
    assert (earlier.exit_code, "ledger.before_retirement" in earlier.stdout) == (0, True)


def test_a_receipt_of_another_ledger_does_not_hold(desk: Desk, tmp_path: Path) -> None:
    credential = desk.credential()
    receipt = desk.receipt(credential)
    told = verdict(desk, credential, receipt)
    declaration = json.loads(desk.court.declaration(point(desk, receipt)))
    declaration["registry"]["address"] = "0x" + "11" * 20
    result = run(told, tmp_path, write_json(declaration))
    assert (result.exit_code, "[ledger.receipt_place]" in result.stdout) == (1, True)
    forged = Checkpoint(receipt["anchored"]["block"], bytes(32))
    result = run(told, tmp_path, desk.court.declaration(), "--checkpoint", f"{forged.number}:0x{'00' * 32}")
    assert (result.exit_code, "[ledger.receipt_block]" in result.stdout) == (1, True)


def test_wrong_usage_is_2_and_what_has_no_receipt_is_1(desk: Desk, tmp_path: Path) -> None:
    declaration = desk.court.declaration()
    for point_ in ("1", "x:0x00", "1:00", f"1:0x{'0' * 63}", f"{'9' * 30}:0x{'0' * 64}"):
        assert run({}, tmp_path, declaration, "--checkpoint", point_).exit_code == 2
    assert CliRunner().invoke(main, ["recheck", "-"], input=b"{}").exit_code == 2
    for nothing in ({}, [], {"findings": []}, {"findings": [7, {"check": "ledger", "evidence": {}}]}, b"no json"):
        result = run(nothing, tmp_path, declaration)
        assert (result.exit_code, result.stdout) == (1, "")
    many = {"findings": [{"check": "ledger", "evidence": {"receipt": {}}}] * 65}
    assert "[recheck.many]" in run(many, tmp_path, declaration).stderr


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.just("0x00"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(_JSON)
def test_whatever_is_given_is_receipts_or_refused(told: Any) -> None:
    try:
        found = rechecking.receipts(told)
    except Malformed:
        return
    place = Place(1, "0x" + "11" * 20, "0x" + "22" * 20)
    assert all(rechecking.judge(one, place=place, checkpoints=()).outcome is not Outcome.PASS for one in found)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_the_place_of_one_part_is_judged(whole: Whole, data: st.DataObject) -> None:
    evidence = json.loads(whole.evidence)
    parent: Any = evidence
    path = data.draw(st.sampled_from(sorted(_paths(evidence), key=repr)))
    for step in path[:-1]:
        parent = parent[step]
    before, parent[path[-1]] = parent[path[-1]], data.draw(_JSON)
    found = rechecking.judge(evidence, place=whole.place, checkpoints=(whole.point,))
    shown = path[0] in ("receipt", "identity", "root", "block", "anchored_at")
    assert found.outcome is not Outcome.PASS or not shown or parent[path[-1]] == before or path[-1] == "registry"


def _paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in pairs:
        yield (*before, name)
        yield from _paths(inner, (*before, name))


@dataclass(frozen=True)
class Whole:
    """A finding's evidence that holds, and what it takes to see that."""

    evidence: str
    place: Place
    point: Checkpoint


@pytest.fixture(scope="module")
def whole(court: Court) -> Whole:
    court.passes(minutes=5)
    desk = Desk(court)
    credential = desk.credential()
    receipt = desk.receipt(credential)
    (finding,) = [one for one in verdict(desk, credential, receipt)["findings"] if one["check"] == "ledger"]
    place = Place(court.deployed.node.chain_id, court.deployed.anchor.lower(), court.deployed.registry.lower())
    return Whole(json.dumps(finding["evidence"]), place, point(desk, receipt))


def test_a_presentation_is_verified_with_its_receipt(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = desk.credential()
    receipt = desk.receipt(before)
    desk.court.passes(minutes=1)
    desk.rotates()
    desk.publish(VALID)
    desk.court.passes(minutes=1)
    monkeypatch.setattr(cli, "_network", lambda **_options: desk.fetch)
    monkeypatch.setattr(cli, "_now", desk.court.base.clock)
    (tmp_path / "ledger.json").write_bytes(desk.court.declaration())
    (tmp_path / "receipt.json").write_bytes(write_json(receipt))
    shown = sdjwt.derive(
        before,
        disclose=Disclosure((("given_name",),)),
        challenge=CHALLENGE,
        holder=desk.court.base.holder,
        now=desk.court.now,
    )
    flags = ["--nonce", CHALLENGE.nonce, "--audience", CHALLENGE.audience, "--issuer", desk.did, "--json"]
    by_ledger = [*flags, "--ledger", str(tmp_path / "ledger.json")]
    told = []
    for more in ([], ["--receipt", str(tmp_path / "receipt.json")]):
        result = CliRunner().invoke(main, ["presentation", "verify", "-", *by_ledger, *more], input=shown.wire)
        (finding,) = [one for one in json.loads(result.stdout)["findings"] if one["check"] == "ledger"]
        told.append((result.exit_code, finding["code"]))
    assert told == [(1, "ledger.retired_key"), (0, "ledger.before_retirement")]
    again = run(json.loads(result.stdout), tmp_path, desk.court.declaration(point(desk, receipt)))
    assert (again.exit_code, "ledger.before_retirement" in again.stdout) == (0, True)
