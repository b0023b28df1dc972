"""did:webvh against those who serve what nobody wrote: changed bytes, too much of everything, deep nesting."""

from __future__ import annotations

import json
from functools import lru_cache, partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import dids
from ssi.dids.sources import Version
from ssi.dids.webvh import entries, writing
from ssi.errors import SsiError
from ssi.suites import eddsa_jcs_2022
from tests.ssi import webvhs
from tests.ssi.webvhs import NOW, approvals, at, created, key, name, resolved, witnessed
from tests.support import calls


@lru_cache(maxsize=1)
def _honest() -> tuple[str, bytes, bytes]:
    """A witnessed DID of three entries: its name, its log, its witnesses' file."""
    signer, second, witness = key(), key(), key()
    log = created(signer, following=[second.public], parameters={"witness": witnessed(1, witness)})
    log = writing.update(log, signer=second, now=at(1))
    log = writing.update(
        log, signer=second, document={**webvhs.DOCUMENT, "alsoKnownAs": ["https://a.example"]}, now=at(2)
    )
    return log.did, log.text, approvals((log.version_id, [witness]))


def _same(did: str, text: bytes, witnesses: bytes) -> None:
    """What is read is one of the versions that were written, as it was written; or nothing is."""
    honest = dids.history(did, sources=webvhs.served(did, _honest()[1], witnesses=_honest()[2]), now=NOW)
    written = {each.metadata["versionId"]: each for each in honest}
    for version in (Version(), Version(number=1), Version(number=2)):
        try:
            found = resolved(did, text, witnesses=witnesses, version=version)
        except SsiError:
            continue
        assert found.document == written[found.metadata["versionId"]].document
        assert found.metadata["versionTime"] == written[found.metadata["versionId"]].metadata["versionTime"]


@given(st.integers(0, 10**6), st.integers(0, 255), st.sampled_from(["change", "drop", "add", "cut"]))
def test_no_change_of_a_byte_makes_another_document(place: int, byte: int, how: str) -> None:
    did, text, witnesses = _honest()
    spot = place % len(text)
    changed = {
        "change": text[:spot] + bytes([byte]) + text[spot + 1 :],
        "drop": text[:spot] + text[spot + 1 :],
        "add": text[:spot] + bytes([byte]) + text[spot:],
        "cut": text[:spot],
    }[how]
    _same(did, changed, witnesses)


@given(st.integers(0, 10**6), st.integers(0, 255))
def test_no_change_of_the_witnesses_file_makes_another_document(place: int, byte: int) -> None:
    did, text, witnesses = _honest()
    spot = place % len(witnesses)
    _same(did, text, witnesses[:spot] + bytes([byte]) + witnesses[spot + 1 :])


@given(st.permutations(range(3)), st.integers(0, 3))
def test_entries_in_another_order_are_not_a_log(order: list[int], count: int) -> None:
    did, text, witnesses = _honest()
    lines = text.strip().split(b"\n")
    _same(did, b"\n".join(lines[each] for each in order[:count]), witnesses)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "did.webvh_log"),
        (b"\n" * 1_000_000, "did.webvh_log"),
        (b" \n" * 5_000, "did.webvh_log"),
        (b" " * (entries.MAX_LOG + 1), "fetch.too_large"),
        (b"{" * 1_000_000, "encoding.json_size"),
        (b'{"a":' * 60_000, "encoding.json_size"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "encoding.json"),
        (b"[" * 5_000 + b"]" * 5_000, "encoding.json"),
        (b"null", "encoding.json_object"),
        (b"\xff\xfe", "encoding.json"),
        (b'{"versionId": NaN}', "encoding.json"),
        (b"{}", "did.webvh_entry"),
        (b'{"versionId":"' + b"1" * 200_000 + b'"}', "did.webvh_entry"),
    ],
    ids=range(13),
)
def test_logs_that_are_none_are_refused_at_once(text: bytes, code: str) -> None:
    did, codes = _honest()[0], []

    def read() -> None:
        with pytest.raises(SsiError) as caught:
            resolved(did, text)
        codes.append(caught.value.code)

    assert calls(read) < 6_000, "at most one for each line"
    assert codes == [code]


def test_an_entry_with_a_deep_document_is_refused() -> None:
    signer = key()
    deep: object = 1
    for _ in range(500):
        deep = [deep]
    text = json.dumps({**json.loads(created(signer).text), "state": {"a": deep}}).encode()
    with pytest.raises(SsiError) as caught:
        resolved(_honest()[0], text)
    assert caught.value.code == "encoding.json_depth"


def test_approvals_that_do_not_hold_are_not_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    signer, witness = key(), key()
    log = created(signer, parameters={"witness": witnessed(1, witness)})
    good = writing.approval(log.version_id, witness=witness, now=at(0))
    bad = {**good, "created": "2026-01-09T00:00:00Z"}
    one = [{"versionId": log.version_id, "proof": [bad, good]}]
    assert resolved(log.did, log.text, witnesses=json.dumps(one).encode()).metadata["versionNumber"] == 1
    many = [{"versionId": log.version_id, "proof": [bad] * 10}] * 900
    tried, verify = [], eddsa_jcs_2022.verify
    monkeypatch.setattr(eddsa_jcs_2022, "verify", lambda *a, **k: tried.append(1) or verify(*a, **k))
    with pytest.raises(SsiError) as caught:
        resolved(log.did, log.text, witnesses=json.dumps(many).encode())
    assert caught.value.code == "did.webvh_unwitnessed"
    assert len(tried) <= 40, "one for the entry, a few for the witness; 9,000 are given"
    far = [{"versionId": "x", "proof": []}] * 20_000
    with pytest.raises(SsiError):
        resolved(log.did, log.text, witnesses=json.dumps(far).encode())


def test_a_key_may_be_named_by_nothing_but_itself() -> None:
    """Another key's entry that copies an honest one, with the honest key's name beside its own signature."""
    signer, thief = key(), key()
    log = created(signer)
    line = json.loads(created(thief).text)
    line["proof"][0]["verificationMethod"] = f"did:key:{name(signer)}#{name(signer)}"
    with pytest.raises(SsiError):
        resolved(log.did, log.text + json.dumps(line).encode())


def test_many_entries_cost_what_they_should() -> None:
    """Linear: ten times the entries are not a hundred times the work (figures: tests/bench/ledger.py)."""
    few, many = webvhs.long(20), webvhs.long(200)
    work = [calls(partial(resolved, did, text)) for text, did in (few, many)]
    assert work[1] < 12 * work[0]
