"""The verifier and the ledger: receipts, retired keys, lists and accreditation, from its settings to its verdict."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ssi.encoding import b64url, unb64url
from ssi.fetch import Response
from ssi.formats import sdjwt
from ssi.issuerkeys.records import Records
from ssi.ledger import rechecking
from ssi.ledger.ledger import Checkpoint
from ssi.model import Check, Outcome
from tests.ledger.recordworld import RPC, VALID, Court, Desk, Judge, opened, said
from verifier.verify import Verdict


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    with opened(tmp_path_factory.mktemp("court")) as made:
        yield made


@pytest.fixture
def desk(court: Court) -> Desk:
    court.passes(minutes=5)
    return Desk(court)


def told(judge: Judge, *presented: Any) -> tuple[Verdict, Outcome, str]:
    result = judge.verify(*presented)
    found = said(result)
    return result.verdict, found.outcome, found.code


def test_a_receipt_says_since_when_and_where(desk: Desk) -> None:
    credential = desk.credential()
    receipt = desk.receipt(credential)
    anchored_at = int(desk.court.now.timestamp())
    desk.court.passes(hours=1)
    result = desk.judge().verify(credential, receipt)
    assert result.verdict is Verdict.VERIFIED, result.findings
    found = said(result)
    assert (found.outcome, found.code) == (Outcome.PASS, "ledger.on_record")
    told = found.evidence
    assert (told["chain_id"], told["anchored_at"], told["age"]) == (0xFACE7, anchored_at, 3600)
    assert (told["block"], told["finality"]) == (receipt["anchored"]["block"], "finalized")
    assert told["identifier"]["anchored_version"] == 1
    assert told["identifier"]["age"] >= 3600


def test_the_evidence_can_be_checked_by_others_and_has_no_salt(desk: Desk) -> None:
    credential = desk.credential()
    receipt = desk.receipt(credential)
    found = said(desk.judge().verify(credential, receipt))
    kept = json.loads(json.dumps(dict(found.evidence)))["receipt"]
    assert receipt["salt"] not in json.dumps(kept)
    block = desk.court.chain.block(receipt["anchored"]["block"])
    assert block is not None
    proven = rechecking.recheck(kept, known_hash={block.number: block.hash}.get)
    assert (proven.identity, proven.anchored.at) == (desk.account.address, receipt["anchored"]["at"])


def test_without_a_receipt_the_identifier_is_still_told(desk: Desk) -> None:
    result = desk.judge().verify(desk.credential())
    assert result.verdict is Verdict.VERIFIED
    found = said(result)
    assert (found.outcome, found.code) == (Outcome.NOT_ASKED, "ledger.no_receipt")
    assert found.evidence["identifier"]["finality"] == "finalized"
    assert "version 1" in found.detail


def test_nobody_is_asked_again_while_what_is_known_is_fresh(desk: Desk) -> None:
    judge, credential = desk.judge(), desk.credential()
    receipt = desk.receipt(credential)
    assert judge.verify(credential, receipt).verdict is Verdict.VERIFIED
    first, fetched = desk.asked, len(desk.fetch.calls)
    for _ in range(5):
        desk.court.passes(seconds=4)
        assert judge.verify(credential, receipt).verdict is Verdict.VERIFIED
    heads = desk.asked - first
    assert heads <= 20 // 5, "nothing but whether the issuer's DID has changed"
    assert len(desk.fetch.calls) - fetched == heads
    desk.court.passes(minutes=2)
    judge.verify(credential, receipt)
    assert 0 < desk.asked - first <= 20


def test_a_final_block_is_asked_for_once(desk: Desk) -> None:
    credential = desk.credential()
    receipt = desk.receipt(credential)
    records = desk.judge().known.records
    core = sdjwt.core(credential.wire)
    records.proven(receipt, core, issuer=desk.issuer, now=desk.court.now)
    desk.court.passes(days=30)
    before = desk.asked
    desk.node_away = True
    records.proven(receipt, core, issuer=desk.issuer, now=desk.court.now)
    records.proven(receipt, core, issuer=desk.issuer, now=desk.court.now)
    assert desk.asked - before <= 5, "only the identity was looked for again, and its node is away"


def test_a_checkpoint_makes_the_check_offline(desk: Desk) -> None:
    credential = desk.credential()
    receipt = desk.receipt(credential)
    block = desk.court.chain.block(receipt["anchored"]["block"])
    assert block is not None
    known = desk.judge(declaration=desk.court.declaration(Checkpoint(block.number, block.hash))).known
    before = desk.asked
    records = Records(known.ledger, lambda _issuer, _now: desk.account.address)
    record = records.proven(receipt, sdjwt.core(credential.wire), issuer=desk.issuer, now=desk.court.now)
    assert record.finality.value == "finalized"
    assert desk.asked == before


def _flipped(text: str) -> str:
    """Hex or base64url with one of its bits the other way."""
    if text.startswith("0x"):
        raw = bytearray.fromhex(text[2:])
        raw[len(raw) // 2] ^= 1
        return "0x" + raw.hex()
    raw = bytearray(unb64url(text, what="test"))
    raw[-1] ^= 1
    return b64url(bytes(raw))


def _forged(receipt: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in ("identity", "root", "path", "salt"):
        yield name, {**receipt, name: _flipped(receipt[name])}
    yield "anchored.at", {**receipt, "anchored": {**receipt["anchored"], "at": receipt["anchored"]["at"] - 86_400}}
    for name in ("account", "storage"):
        nodes_ = receipt["proof"][name]
        yield name, {**receipt, "proof": {**receipt["proof"], name: [*nodes_[:-1], _flipped(nodes_[-1])]}}
        yield f"{name} left out", {**receipt, "proof": {**receipt["proof"], name: nodes_[:-1]}}
    header = receipt["proof"]["header"]
    yield "header", {**receipt, "proof": {**receipt["proof"], "header": _flipped(header)}}


def test_what_is_forged_never_passes(desk: Desk) -> None:
    credential = desk.credential()
    receipt = desk.receipt(credential)
    judge = desk.judge()
    for part, forged in _forged(receipt):
        verdict, outcome, code = told(judge, credential, forged)
        known = part == "header"  # an unknown block may be one that the chain has lost
        assert outcome is (Outcome.UNKNOWN if known else Outcome.FAIL), (part, code)
        assert verdict is (Verdict.VERIFIED if known else Verdict.NOT_VERIFIED), (part, code)
        assert code.startswith("ledger."), (part, code)
    assert told(judge, credential, receipt)[1] is Outcome.PASS


def test_what_is_no_receipt_shows_nothing(desk: Desk) -> None:
    credential = desk.credential()
    receipt = desk.receipt(credential)
    judge = desk.judge()
    for strange in ({}, {**receipt, "more": 1}, {**receipt, "version": 2}, {**receipt, "chain_id": 1}):
        verdict, outcome, _ = told(judge, credential, strange)
        assert (verdict, outcome) == (Verdict.VERIFIED, Outcome.UNKNOWN)


def test_the_receipt_of_another_credential_or_issuer_is_refused(desk: Desk) -> None:
    credential, other = desk.credential(), desk.credential()
    judge, stranger = desk.judge(), desk.court.deployed.actor()
    assert told(judge, credential, desk.receipt(other))[1:] == (Outcome.FAIL, "ledger.inclusion")
    theirs = desk.receipt(credential, by=stranger)
    assert told(judge, credential, theirs)[1:] == (Outcome.FAIL, "ledger.receipt_identity")


def _changed(method: str, result: Any) -> Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]:
    return lambda asked, given: {**given, "result": result} if asked["method"] == method else given


def _reverted(asked: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    error = {"code": 3, "message": "execution reverted", "data": "0x"}
    return {"jsonrpc": "2.0", "id": given["id"], "error": error} if asked["method"] == "eth_call" else given


@pytest.mark.parametrize(
    "lie",
    [
        _changed("eth_chainId", "0x1"),
        _changed("eth_getCode", "0x"),
        _changed("eth_getBlockByNumber", None),
        _changed("eth_call", "0x"),
        _changed("eth_call", "0x01"),
        _changed("eth_call", "0x" + "ff" * 160),
        _changed("eth_call", {"a": [1]}),
        _reverted,
    ],
)
@pytest.mark.parametrize("warm", [False, True])
def test_nodes_of_another_chain_and_nonsense_convict_nobody(desk: Desk, lie: Any, *, warm: bool) -> None:
    before = desk.credential()
    receipt = desk.receipt(before)
    desk.court.passes(minutes=1)
    desk.rotates()
    desk.publish(VALID)
    judge, after = desk.judge(), desk.credential()
    if warm:
        judge.verify(before, receipt)
        judge.verify(after)
        desk.court.passes(minutes=10)
    honest = desk.pages[RPC]

    def lying(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        asked, given = json.loads(body), json.loads(honest(method, url, headers, body).body)
        many = isinstance(asked, list)
        told = [lie(*pair) for pair in zip(asked, given, strict=True)] if many else lie(asked, given)
        return Response(200, url, {"content-type": "application/json"}, json.dumps(told).encode())

    desk.pages[RPC] = lying
    for shown in ((after,), (before, receipt)):
        result = judge.verify(*shown)
        wrong = [one.code for one in result.findings if one.outcome is Outcome.FAIL]
        assert (wrong, result.verdict is Verdict.NOT_VERIFIED) == ([], False)


def test_a_strangers_receipt_causes_no_question(desk: Desk) -> None:
    credential = desk.credential()
    judge = desk.judge(listed=False)
    judge.verify(credential)
    before = desk.asked
    for _ in range(3):
        result = judge.verify(desk.credential(), desk.receipt(desk.credential()))
        assert said(result).outcome is Outcome.NOT_ASKED
    assert desk.asked == before


def test_rotation_honours_history(desk: Desk) -> None:
    before = desk.credential()
    receipt = desk.receipt(before)
    desk.court.passes(minutes=1)
    stolen = desk.rotates()
    desk.publish(VALID)
    desk.court.passes(minutes=1)
    later = desk.credential(signer=stolen, at=desk.court.now)
    judge = desk.judge()
    verdict, outcome, code = told(judge, before, receipt)
    assert (verdict, outcome, code) == (Verdict.VERIFIED, Outcome.PASS, "ledger.before_retirement")
    assert told(judge, desk.credential())[0] is Verdict.VERIFIED
    assert told(judge, before) == (Verdict.NOT_VERIFIED, Outcome.FAIL, "ledger.retired_key")
    backdated = desk.credential(signer=stolen, at=desk.court.now.replace(year=2025))
    for one in (later, backdated):
        assert told(judge, one) == (Verdict.NOT_VERIFIED, Outcome.FAIL, "ledger.retired_key")
        assert told(judge, one, desk.receipt(one)) == (Verdict.NOT_VERIFIED, Outcome.FAIL, "ledger.retired_key")
        assert told(judge, one, receipt)[1:] == (Outcome.FAIL, "ledger.inclusion")


def test_a_key_that_was_replaced_counts_for_seconds_only(desk: Desk) -> None:
    """Although a verifier keeps the DID for minutes: the ledger's head says that it has changed."""
    desk.court.passes(minutes=1)
    judge = desk.judge()
    assert judge.verify(desk.credential()).verdict is Verdict.VERIFIED
    asked = len(desk.fetch.calls)
    for _ in range(5):
        assert judge.verify(desk.credential()).verdict is Verdict.VERIFIED
    assert len(desk.fetch.calls) == asked, "one look serves all who come within seconds"
    stolen = desk.rotates()
    desk.publish(VALID)
    desk.court.passes(seconds=5)
    assert told(judge, desk.credential(signer=stolen)) == (
        Verdict.NOT_VERIFIED,
        Outcome.FAIL,
        "ledger.retired_key",
    )
    assert judge.verify(desk.credential()).verdict is Verdict.VERIFIED


def test_an_old_version_is_not_used_when_a_newer_one_is_known_and_cannot_be_had(desk: Desk) -> None:
    desk.court.passes(minutes=1)
    judge = desk.judge()
    assert judge.verify(desk.credential()).verdict is Verdict.VERIFIED
    stolen = desk.rotates()
    page = f"https://{desk.host}/.well-known/did.jsonl"
    log = desk.pages.pop(page)
    desk.pages[page] = Response(503, page, {}, b"")
    desk.court.passes(seconds=5)
    for _ in range(2):
        result = judge.verify(desk.credential(signer=stolen))
        assert (result.verdict, said(result, Check.SIGNATURE).code) == (Verdict.COULD_NOT_CHECK, "issuerkeys.newer")
    asked = desk.fetch.calls.count(("GET", page))
    assert asked >= 2
    for _ in range(5):
        judge.verify(desk.credential(signer=stolen))
    assert desk.fetch.calls.count(("GET", page)) == asked, "its host is asked once for each look"
    desk.pages[page] = log
    desk.court.passes(seconds=5)
    assert judge.verify(desk.credential(signer=stolen)).verdict is Verdict.NOT_VERIFIED


def test_while_the_ledger_is_away_the_kept_version_does(desk: Desk) -> None:
    desk.court.passes(minutes=1)
    judge = desk.judge()
    credential = desk.credential()
    assert judge.verify(credential).verdict is Verdict.VERIFIED
    desk.node_away = True
    desk.court.passes(seconds=20)
    assert judge.verify(credential).verdict is Verdict.VERIFIED


def test_a_node_that_is_away_is_not_a_no(desk: Desk) -> None:
    credential = desk.credential()
    receipt = desk.receipt(credential)
    desk.court.passes(minutes=1)
    desk.rotates()
    judge = desk.judge()
    judge.verify(desk.credential())  # the DID is known by now, the block is not
    desk.node_away = True
    desk.court.passes(seconds=1)
    result = judge.verify(credential, receipt)
    assert result.verdict is Verdict.COULD_NOT_CHECK
    assert said(result, Check.SIGNATURE).code in ("ledger.unavailable", "ledger.rate_limited")
    assert said(result).outcome is Outcome.NOT_ASKED
    cold = desk.judge().verify(credential, receipt)
    assert cold.verdict is Verdict.COULD_NOT_CHECK


def test_a_host_that_hides_the_rotation_is_found_out(desk: Desk) -> None:
    short = desk.pages[f"https://{desk.host}/.well-known/did.jsonl"]
    desk.court.passes(minutes=1)
    stolen = desk.rotates()
    desk.pages[f"https://{desk.host}/.well-known/did.jsonl"] = short
    result = desk.judge().verify(desk.credential(signer=stolen))
    assert result.verdict is Verdict.NOT_VERIFIED
    assert any(one.code == "did.webvh_truncated" for one in result.findings)


def test_an_old_or_swapped_list_is_found_out(desk: Desk) -> None:
    credential = desk.credential()
    old = desk.pages[desk.uri]
    desk.court.passes(hours=1)
    desk.publish(VALID.set(7, 1))
    assert desk.judge().verify(credential).verdict is Verdict.NOT_VERIFIED
    desk.pages[desk.uri] = old
    result = desk.judge().verify(credential)
    assert (result.verdict, said(result, Check.STATUS).code) == (Verdict.COULD_NOT_CHECK, "status.stale")
    desk.publish(VALID.set(3, 1), anchored=False)
    desk.court.passes(minutes=11)
    result = desk.judge().verify(credential)
    assert (result.verdict, said(result, Check.STATUS).code) == (Verdict.COULD_NOT_CHECK, "status.unanchored")


def test_anchored_lists_can_be_demanded(desk: Desk) -> None:
    credential = desk.credential()
    judge = desk.judge(require_anchored_status="true")
    assert judge.verify(credential).verdict is Verdict.VERIFIED
    desk.node_away = True
    desk.court.passes(minutes=2)
    result = judge.verify(credential)
    assert (result.verdict, said(result, Check.STATUS).code) == (
        Verdict.COULD_NOT_CHECK,
        "status.ledger_unavailable",
    )


def test_accreditation_is_one_more_way_to_be_trusted(desk: Desk) -> None:
    credential = desk.credential()
    assert said(desk.judge(listed=False).verify(credential), Check.TRUST).outcome is Outcome.FAIL
    desk.accredited()
    result = desk.judge(listed=False).verify(credential)
    assert (result.verdict, said(result, Check.TRUST).code) == (Verdict.VERIFIED, "trust.accredited")
    desk.court.passes(minutes=1)
    desk.unaccredited()
    result = desk.judge(listed=False).verify(credential)
    assert result.verdict is Verdict.NOT_VERIFIED
    assert said(result, Check.TRUST).code == "trust.accreditation_withdrawn"


def test_accreditation_can_be_demanded(desk: Desk) -> None:
    credential = desk.credential()
    demanding = {"require_accreditation": "true"}
    assert desk.judge(**demanding).verify(credential).verdict is Verdict.NOT_VERIFIED
    desk.accredited()
    assert desk.judge(**demanding).verify(credential).verdict is Verdict.VERIFIED
    assert desk.judge(listed=False, **demanding).verify(credential).verdict is Verdict.NOT_VERIFIED


def test_a_desk_that_has_ended_issues_nothing_more(desk: Desk) -> None:
    before = desk.credential()
    receipt = desk.receipt(before)
    desk.accredited()
    desk.court.passes(minutes=1)
    desk.ends()
    desk.court.passes(minutes=1)
    later = desk.credential()
    assert said(desk.judge().verify(later)).code == "ledger.retired_key"
    found = said(desk.judge().verify(before, receipt))
    assert (found.outcome, found.code) == (Outcome.PASS, "ledger.before_retirement")
    unlisted = desk.judge(listed=False).verify(before, receipt)
    assert said(unlisted, Check.TRUST).outcome is Outcome.FAIL


def test_an_account_that_has_ended_is_accredited_no_more(desk: Desk) -> None:
    desk.accredited()
    credential = desk.credential()
    desk.court.passes(minutes=1)
    desk.loses_account()
    result = desk.judge(listed=False).verify(credential)
    assert said(result, Check.TRUST).code == "trust.identity_deactivated"


def test_a_block_that_the_chain_has_lost_convicts_nobody(tmp_path: Path) -> None:
    with opened(tmp_path) as court:
        desk = Desk(court)
        credential = desk.credential()
        receipt = desk.receipt(credential)
        judge = desk.judge()
        assert told(judge, credential, receipt)[1] is Outcome.PASS
        reorg = court.deployed.node.reorg
        assert reorg is not None
        reorg(1)
        assert told(desk.judge(), credential, receipt) == (
            Verdict.VERIFIED,
            Outcome.UNKNOWN,
            "ledger.receipt_block",
        )


def test_what_is_not_settled_yet_is_not_relied_on(desk: Desk) -> None:
    said_of_chain = json.loads(desk.court.declaration())
    patient = json.dumps({**said_of_chain, "confirmations": 50, "finalized": 100}).encode()
    before = desk.credential()
    receipt = desk.receipt(before)
    desk.court.passes(minutes=1)
    verdict, outcome, code = told(desk.judge(declaration=patient), before, receipt)
    assert (verdict, outcome, code) == (Verdict.VERIFIED, Outcome.UNKNOWN, "ledger.pending")
    desk.rotates()
    desk.publish(VALID)
    verdict, outcome, code = told(desk.judge(declaration=patient), before, receipt)
    assert (verdict, outcome, code) == (Verdict.COULD_NOT_CHECK, Outcome.UNKNOWN, "ledger.pending")
