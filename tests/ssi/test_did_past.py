"""The past of DIDs: which key was retired when, what a timeline says, and that nobody gets retired keys unasked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from ssi.dids import Resolved, document
from ssi.dids.sources import moment, written
from ssi.dids.timeline import timeline
from ssi.errors import Malformed, Unsupported
from ssi.issuerkeys.past import retired
from ssi.keys import PublicKey, SoftwareSigner
from tests.support import NOW

DID = "did:web:example.com"
A, B = (SoftwareSigner.generate("ES256").public for _ in range(2))
DAYS = [NOW - timedelta(days=30 - number) for number in range(6)]


def version(number: int, keys: dict[str, PublicKey | str], /, *, until: str | None = None, **about: Any) -> Resolved:
    methods = [
        {
            "id": f"#{name}",
            "type": "JsonWebKey" if isinstance(key, PublicKey) else "Multikey",
            "controller": DID,
            **({"publicKeyJwk": dict(key.jwk)} if isinstance(key, PublicKey) else {"publicKeyMultibase": key}),
            **({} if until is None else {"expires": until}),
        }
        for name, key in keys.items()
    ]
    body = {"id": DID, "verificationMethod": methods, "assertionMethod": [one["id"] for one in methods]}
    metadata = {"versionId": str(number + 1), "updated": written(DAYS[number]), **about}
    return Resolved(document.parse(body, did=DID), metadata)


def ended(versions: Sequence[Resolved], name: str = "a") -> Any:
    return retired(versions, f"{DID}#{name}", relationship="assertionMethod", now=NOW)


def whole(at: Any) -> Any:
    return at.replace(microsecond=0)


def test_a_key_ends_when_the_next_version_drops_it() -> None:
    versions = [version(0, {"a": A}), version(1, {"a": A, "b": B}), version(2, {"b": B}), version(3, {"b": B})]
    assert ended(versions) == (A, whole(DAYS[2]))
    assert ended(versions, "b") is None  # it is in use
    assert ended(versions, "c") is None
    assert ended([]) is None


def test_a_key_may_end_by_itself_before_that() -> None:
    soon, late = written(DAYS[1]), written(NOW + timedelta(days=1))
    assert ended([version(0, {"a": A}, until=soon), version(2, {"b": B})]) == (A, whole(DAYS[1]))
    assert ended([version(0, {"a": A}, until=late), version(2, {"b": B})]) == (A, whole(DAYS[2]))
    assert ended([version(0, {"a": A}, until=soon)]) == (A, whole(DAYS[1]))
    assert ended([version(0, {"a": A}, until=late)]) is None


def test_a_deactivated_did_has_only_retired_keys() -> None:
    last = version(3, {"a": A}, deactivated=True)
    assert ended([version(0, {"a": A}), last]) == (A, whole(DAYS[3]))
    assert ended([version(0, {"a": A}), version(1, {}), last]) is None


def test_what_cannot_be_told_apart_is_not_told() -> None:
    gone = version(3, {"b": B})
    assert ended([version(0, {"a": A}), version(1, {}), version(2, {"a": A}), gone]) is None  # it came back
    assert ended([version(0, {"a": A}), version(1, {"a": B}), gone]) is None  # its name was given to another
    assert ended([version(0, {"a": A}), version(1, {"b": B}, updated=None)]) is None  # nobody knows when
    with pytest.raises(Unsupported):
        ended([version(0, {"a": "z6LSfHfAMAopsuBxaBzvp51GXrPf38Az13j2fmwqadbwwrzJ"}), gone])


def test_a_timeline_says_what_changed() -> None:
    moved = Resolved(
        document.parse({"id": DID, "service": [{"id": "#s\u202e", "type": "S", "serviceEndpoint": "x:y"}]}, did=DID),
        {"versionId": "4\u202e", "created": written(DAYS[3]), "deactivated": True},
        {"block": 5},
    )
    steps = timeline([version(0, {"a": A}), version(1, {"a": B, "b": B}), version(2, {"a": B, "b": B}), moved])
    assert [step.words for step in steps] == [
        ("created with 1 key",),
        ("key #b added", "key #a replaced"),
        ("nothing that shows",),
        ("key #a removed", "key #b removed", "service #s added", "deactivated"),
    ]
    assert [step.version for step in steps] == ["1", "2", "3", "4"]
    assert (steps[3].at, steps[3].evidence) == (whole(DAYS[3]), {"block": 5})
    less = document.parse({**version(0, {"a": A}).document.json, "assertionMethod": []}, did=DID)
    assert timeline([version(0, {"a": A}), Resolved(less)])[1].words == ("key #a no longer for assertionMethod",)
    assert timeline([]) == ()


@pytest.mark.parametrize("text", ["", "2026-01-01", "2026-01-01T00:00:00+00:00", "2026-02-30T00:00:00Z", "x" * 100_000])
def test_times_are_read_in_one_form(text: str) -> None:
    with pytest.raises(Malformed):
        moment(text)
