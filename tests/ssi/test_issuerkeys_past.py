"""Retired keys are found by who asks for them, say so, cost nothing the second time, and are nobody's else's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from ssi import dids
from ssi.dids import Resolved, Sources, Version, document
from ssi.dids.sources import written
from ssi.errors import Refused, SsiError, Unavailable
from ssi.issuerkeys import KEEP, RETRY, Keys
from ssi.keys import PublicKey, SoftwareSigner
from ssi.model import Issuer
from tests.support import NOW, InMemoryFetch

DID = "did:past:somebody"
OLD, NEW, NEXT = (SoftwareSigner.generate("ES256").public for _ in range(3))
ROTATED = (NOW - timedelta(days=3)).replace(microsecond=0)
SOURCES = Sources(InMemoryFetch({}))


def version(at: datetime, keys: dict[str, PublicKey], **about: object) -> Resolved:
    methods = [
        {"id": f"#{name}", "type": "JsonWebKey", "controller": DID, "publicKeyJwk": dict(key.jwk)}
        for name, key in keys.items()
    ]
    ids = [method["id"] for method in methods]
    body = {"id": DID, "verificationMethod": methods, "assertionMethod": ids, "authentication": ids}
    return Resolved(document.parse(body, did=DID), {"updated": written(at), **about}, {"block": 7})


@dataclass
class Past:
    """A method whose documents have a past, and a count of who asked for what."""

    versions: list[Resolved]
    trouble: SsiError | None = None
    asked: list[str] = field(default_factory=list)
    NAME: str = "past"

    def resolve(self, did: str, *, sources: Sources, version: Version, now: datetime) -> Resolved:
        self.asked.append("now")
        return self.versions[-1]

    def history(self, did: str, *, sources: Sources, now: datetime) -> tuple[Resolved, ...]:
        self.asked.append("past")
        if self.trouble is not None:
            raise self.trouble
        return tuple(self.versions)


@pytest.fixture
def past(monkeypatch: pytest.MonkeyPatch) -> Past:
    """In the table for one test: a rotation three days ago."""
    method = Past([version(ROTATED - timedelta(days=9), {"old": OLD}), version(ROTATED, {"new": NEW})])
    monkeypatch.setitem(dids._BY_NAME, "past", method)
    monkeypatch.setattr(dids, "_HISTORIES", {**dids._HISTORIES, "past": method.history})
    return method


def code(keys: Keys, kid: str, now: datetime = NOW) -> str:
    with pytest.raises(SsiError) as caught:
        keys.issuer_key(Issuer(DID, kid), alg="ES256", now=now)
    return caught.value.code


def test_a_retired_key_says_since_when(past: Past) -> None:
    keys = Keys(SOURCES, history=True)
    found = keys.issuer_key(Issuer(DID, "#old"), alg="ES256", now=NOW)
    assert (found.key, found.method, found.retired, found.evidence) == (OLD, "did", ROTATED, {"block": 7})
    method = keys.method_key(DID + "#old", relationship="assertionMethod", now=NOW)
    assert (method.key, method.retired, method.evidence) == (OLD, ROTATED, {"block": 7})
    present = keys.issuer_key(Issuer(DID, "#new"), alg="ES256", now=NOW)
    assert (present.key, present.retired, present.evidence) == (NEW, None, {"block": 7})
    assert past.asked == ["now", "past"], "both are kept"


def test_nobody_gets_a_retired_key_unasked(past: Past) -> None:
    plain = Keys(SOURCES)
    assert code(plain, "#old") == "did.no_such_key"
    assert plain.with_history().issuer_key(Issuer(DID, "#old"), alg="ES256", now=NOW).retired == ROTATED
    assert code(plain, "#old") == "did.no_such_key"
    assert past.asked.count("now") == 1, "what is kept is kept together"


def test_a_holder_never_shows_with_a_retired_key(past: Past) -> None:
    keys = Keys(SOURCES, history=True)
    for ask in (
        lambda: keys.holder_key(DID + "#old", now=NOW),
        lambda: keys.method_key(DID + "#old", relationship="authentication", now=NOW),
    ):
        with pytest.raises(Refused) as caught:
            ask()
        assert caught.value.code == "did.no_such_key"
    assert "past" not in past.asked


def test_the_hot_path_asks_nobody(past: Past) -> None:
    keys = Keys(SOURCES, history=True)
    for second in range(0, int(KEEP.total_seconds()), 15):  # longer apart than RETRY
        keys.issuer_key(Issuer(DID, "#old"), alg="ES256", now=NOW + timedelta(seconds=second))
    assert past.asked == ["now", "past"]
    keys.issuer_key(Issuer(DID, "#old"), alg="ES256", now=NOW + KEEP)
    assert past.asked == ["now", "past"] * 2


def test_a_key_that_never_was_is_looked_for_seldom(past: Past) -> None:
    keys = Keys(SOURCES, history=True)
    for _ in range(5):
        assert code(keys, "#none") == "did.no_such_key"
    assert past.asked == ["now", "past"]
    past.versions.append(version(NOW, {"new": NEW, "next": NEXT}))
    found = keys.issuer_key(Issuer(DID, "#next"), alg="ES256", now=NOW + 2 * RETRY)
    assert (found.key, found.retired) == (NEXT, None)


def test_a_rotation_retires_what_was_kept(past: Past) -> None:
    keys = Keys(SOURCES, history=True)
    assert keys.issuer_key(Issuer(DID, "#new"), alg="ES256", now=NOW).retired is None
    later = NOW + KEEP - 2 * RETRY
    assert keys.issuer_key(Issuer(DID, "#old"), alg="ES256", now=later).retired == ROTATED
    past.versions.append(version(NOW, {"next": NEXT}))
    found = keys.issuer_key(Issuer(DID, "#new"), alg="ES256", now=NOW + KEEP)
    assert found.retired == NOW.replace(microsecond=0), "though the versions were kept later than the document"


def test_a_deactivated_did_has_no_keys_but_retired_ones(past: Past) -> None:
    past.versions.append(version(NOW, {"new": NEW}, deactivated=True))
    assert code(Keys(SOURCES), "#new") == "did.deactivated"
    keys = Keys(SOURCES, history=True)
    assert keys.issuer_key(Issuer(DID, "#new"), alg="ES256", now=NOW).retired == NOW.replace(microsecond=0)
    assert keys.issuer_key(Issuer(DID, "#old"), alg="ES256", now=NOW).retired == ROTATED
    assert code(keys, "#none") == "did.deactivated"


def test_a_past_that_cannot_be_had_is_unknown(past: Past) -> None:
    past.trouble = Unavailable("ledger.unavailable", "No node answers.")
    keys = Keys(SOURCES, history=True)
    assert code(keys, "#old") == "ledger.unavailable"
    assert keys.issuer_key(Issuer(DID, "#new"), alg="ES256", now=NOW).key == NEW
    past.trouble = Refused("did.webvh_truncated", "The log ends before its anchored head.")
    assert code(keys, "#old", NOW + KEEP) == "did.webvh_truncated"
