"""did:webvh, the reader: two of what must be one (keys, first entries), and work that grows with what a log says."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from ssi import jcs
from ssi.dids.webvh import entries
from ssi.encoding import b64url, unbase58
from ssi.errors import SsiError
from tests.ssi import webvhs
from tests.ssi.webvhs import BEGAN, Forger, created, key, name, resolved

A, B = key(), key()


def _code(did: str, text: bytes, **more: Any) -> str:
    with pytest.raises(SsiError) as caught:
        resolved(did, text, **more)
    return caught.value.code


def test_one_key_in_two_encodings_is_one_witness() -> None:
    other = "u" + b64url(unbase58(name(B)[1:]))
    listed = [{"id": f"did:key:{each}"} for each in (name(B), other)]
    did, text = Forger(A).first(lambda e: e["parameters"].update(witness={"threshold": 2, "witnesses": listed}))
    assert _code(did, text) == "did.webvh_witness"
    alone = {"threshold": 1, "witnesses": listed[1:]}
    did, text = Forger(A).first(lambda e: e["parameters"].update(witness=alone))
    assert _code(did, text) == "did.webvh_unwitnessed"  # allowed by did:key; nobody has approved


@pytest.mark.parametrize("escaped", [False, True])
def test_a_did_has_one_first_entry(*, escaped: bool) -> None:
    """The placeholder hashes like the SCID: an entry that still has one would be a second beginning of the same DID."""
    forger = Forger(A)
    did, text = forger.first(lambda e: e["state"].update(alsoKnownAs=["https://a.example/{SCID}"]))
    assert resolved(did, text).document.also_known_as == (f"https://a.example/{did.split(':')[2]}",)
    entry = json.loads(text)
    entry["state"]["alsoKnownAs"] = ["https://a.example/{SCID}"]
    bare = {member: value for member, value in entry.items() if member not in ("proof", "versionId")}
    line = forger.signed(bare, number=1, previous=did.split(":")[2])
    assert _code(did, line.replace(b"{SCID}", b"\\u007bSCID}") if escaped else line) == "did.webvh_scid"


def test_the_placeholder_may_stand_in_a_later_entry() -> None:
    log = created(A)
    text = Forger(A).next(log, lambda e: e["state"].update(alsoKnownAs=["https://a.example/{SCID}"]))
    assert resolved(log.did, text).document.also_known_as == ("https://a.example/{SCID}",)


@pytest.mark.parametrize("watcher", ["https://watcher.example/a", "http://watcher.example", "did:example:watcher"])
def test_watchers_may_be_named_by_any_uri(watcher: str) -> None:
    did, text = Forger(A).first(lambda e: e["parameters"].update(watchers=[watcher]))
    assert resolved(did, text).metadata["watchers"] == [watcher]


def _heavy(size: int, proofs: int) -> tuple[str, bytes]:
    """A good log of about `size` bytes in few entries that are slow to canonicalise, each with so many proofs."""
    forger, (did, text) = Forger(A), Forger(A).first(lambda _: None)
    lines, last, total = [text], json.loads(text), len(text)
    for second in range(1, 1_000):
        at = (BEGAN + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
        state = {**last["state"], "\u00e9": [1] * 16_000}
        entry = {"versionTime": at, "parameters": {}, "state": state}
        line = json.loads(forger.signed(entry, number=second + 1, previous=last["versionId"]))
        line["proof"] *= proofs
        written = json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        total += len(written)
        if total > size:
            break
        lines.append(written)
        last = line
    return did, b"".join(lines)


def test_proofs_cost_what_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole MiB, as much as is fetched: good, and as slow as its writer could make it."""
    did, text = _heavy(1_048_576, entries.MAX_PROOFS)
    entry_count, written, canonical = text.count(b"\n"), [], jcs.canonicalize
    monkeypatch.setattr(jcs, "canonicalize", lambda value: written.append(out := canonical(value)) or out)
    assert resolved(did, text).metadata["versionNumber"] == entry_count
    assert sum(map(len, written)) <= (entries.MAX_PROOFS + 1) * len(text), "once for the hash and once for each proof"
    line = json.loads(webvhs.created(A).text)
    many = json.dumps({**line, "proof": line["proof"] * (entries.MAX_PROOFS + 1)}).encode()
    assert _code(did, many) == "did.webvh_entry"
