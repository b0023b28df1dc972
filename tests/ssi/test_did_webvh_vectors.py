"""did:webvh against what five implementations wrote: every log resolves, or is refused for a reason that is named here.

The vectors lie outside the repository (FACET_VECTORS). Results are compared after what the implementations write in
different ways: implicit services by absolute or relative ids, a slash at an endpoint's end, empty relationships,
methods without a controller.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from ssi import dids
from ssi.dids.document import RELATIONSHIPS
from ssi.dids.problems import problem_of
from ssi.dids.sources import CURRENT, Sources, Version
from ssi.dids.webvh import place
from ssi.errors import SsiError
from tests.conftest import VECTORS
from tests.support import InMemoryFetch

FOLDER = VECTORS / "didwebvh"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no specification vectors (FACET_VECTORS)")

POSITIVE = sorted(
    f"{path.parent.parent.name}/{path.parent.name}/{path.name}"
    for path in FOLDER.glob("*/*/resolutionResult*.json")
    if not path.parent.parent.name.startswith("negative-")
)
CONTRADICTIONS: Mapping[str, tuple[str, str]] = {
    "witness-threshold/rust": ("did.webvh_witness", "witnesses are bare Multikeys, where a did:key MUST stand"),
    "witness-update/rust": ("did.webvh_witness", "witnesses are bare Multikeys, where a did:key MUST stand"),
    **{
        f"witness-update/{name}": (
            "did.webvh_unwitnessed",
            "entry 2 replaces a list of 2 of 2 and has one approval; the list that replaces it counts AFTER the entry",
        )
        for name in ("java", "java-eecc", "python", "ts")
    },
}
"""Logs that their writers resolve and the specification does not: the code here, and why."""
OTHERS_RESULTS: Mapping[str, str] = {
    f"multi-update/python/resolutionResult.{number}.json": "it is the result of version 3, not of the one asked for"
    for number in (1, 2)
}
WITHOUT_SERVICES = ("deactivate/java/resolutionResult.json",)
"""Results that lack the implicit services, which the specification leaves no document without."""
NEGATIVE: Mapping[str, str] = {
    "negative-cross-did-witness-replay": "did.webvh_unwitnessed",
    "negative-did-key-body-fragment-mismatch": "did.webvh_proof",
    "negative-duplicate-witness-ids": "did.webvh_witness",
    "negative-portable-scid-swap": "did.webvh",  # the other SCID is not even the length of one
    "negative-pre-rotation-omit-updatekeys": "did.webvh_rotation",
    "negative-scid-mismatch-genesis": "did.webvh_scid",
    "negative-unknown-method-version": "did.webvh_version",
    "negative-versiontime-future": "did.webvh_time",
    "negative-versiontime-non-monotonic": "did.webvh_time",
    "negative-wrong-cryptosuite": "did.webvh_proof",
    "negative-zero-witness-threshold": "did.webvh_witness",
}
NEGATIVE_DIDS = (
    "negative-fragment-leaks-into-domain",
    "negative-lowercase-pct-port-ip",
    "negative-path-traversal-did",
    "negative-pct-encoded-ip-host",
    "negative-pct-encoded-traversal",
)


def test_the_tables_cover_the_folder() -> None:
    there = {path.name for path in FOLDER.glob("negative-*")}
    assert there == {*NEGATIVE, *NEGATIVE_DIDS}
    assert len(POSITIVE) >= 70


@pytest.mark.parametrize("name", POSITIVE)
def test_what_others_wrote_resolves_to_what_they_say(name: str) -> None:
    log, _, result = name.rpartition("/")
    expected = json.loads((FOLDER / name).read_text())
    did, sources = _served(FOLDER / log)
    number = re.search(r"\.([0-9]+)\.json$", result)
    version = CURRENT if number is None else Version(number=int(number[1]))
    if log in CONTRADICTIONS:
        code, _ = CONTRADICTIONS[log]
        with pytest.raises(SsiError) as caught:
            dids.resolve(did, sources=sources, now=NOW, version=version)
        assert caught.value.code == code
        return
    resolved = dids.resolve(did, sources=sources, now=NOW, version=version)
    if name in OTHERS_RESULTS:
        assert expected["didDocumentMetadata"]["versionNumber"] == 3
        assert resolved.metadata["versionNumber"] == version.number
        return
    ours, theirs = _normal(resolved.document.json, did), _normal(expected["didDocument"], did)
    if name in WITHOUT_SERVICES:
        assert [each["id"] for each in ours.pop("service")] == [f"{did}#files", f"{did}#whois"]
        assert theirs.pop("service") == []
    assert ours == theirs
    _agrees(resolved.metadata, expected["didDocumentMetadata"], asked=version)


@pytest.mark.parametrize("name", sorted(NEGATIVE))
def test_logs_that_must_be_refused_are(name: str) -> None:
    for log in sorted(FOLDER.glob(f"{name}/*/did.jsonl")):
        did, sources = _served(log.parent)
        with pytest.raises(SsiError) as caught:
            dids.resolve(did, sources=sources, now=NOW)
        assert caught.value.code == NEGATIVE[name]
        assert problem_of(caught.value, did).name == "invalidDid"


@pytest.mark.parametrize("name", NEGATIVE_DIDS)
def test_dids_that_must_be_refused_are_before_anybody_is_asked(name: str) -> None:
    listed = re.findall(r'did: "(did:webvh:[^"]+)"', (FOLDER / name / "script.yaml").read_text())
    assert listed
    for one in listed:
        did = one.replace("Qm" + "0" * 46, "Qm" + "1" * 44)  # the vectors' own SCIDs are none, for one reason more
        fetch = InMemoryFetch({})
        for each in (one, did):
            with pytest.raises(SsiError) as caught:
                place.read(each)
            assert caught.value.code == "did.webvh"
            with pytest.raises(SsiError):
                dids.resolve(each, sources=Sources(fetch), now=NOW)
        assert fetch.calls == []


def _suite() -> list[dict[str, Any]]:
    path = FOLDER / "python-resolver-suite" / "resolver-suite.json"
    found: list[dict[str, Any]] = json.loads(path.read_text()) if path.is_file() else []
    return found


@pytest.mark.parametrize("case", _suite(), ids=lambda case: f"{case['log']}?{case['did_url'].partition('?')[2][:24]}")
def test_the_resolver_suite_of_one_implementation(case: dict[str, Any]) -> None:
    did, _, query = case["did_url"].partition("?")
    asked = dict(parse_qsl(query))
    number = asked.get("versionNumber")
    version = Version(id=asked.get("versionId"), number=None if number is None else int(number))
    _, sources = _served(FOLDER / "python-resolver-suite" / "logs" / case["log"], did)
    if case["status"] == "error":
        with pytest.raises(SsiError) as caught:
            dids.resolve(did, sources=sources, now=NOW, version=version)
        assert problem_of(caught.value, did).name == case["didResolutionMetadata"]["error"]
        return
    resolved = dids.resolve(did, sources=sources, now=NOW, version=version)
    expected = dict(case["didDocumentMetadata"])
    if case["log"] == "missing-witness":
        # "updated" is the time of the last VALID entry; the suite takes the entry that lacks its approvals.
        assert (expected.pop("updated"), resolved.metadata["updated"]) == (
            "2000-01-01T12:03:00Z",
            "2000-01-01T12:02:00Z",
        )
    assert expected.items() <= resolved.metadata.items()


def _served(folder: Path, did: str = "") -> tuple[str, Sources]:
    """The DID of a log's last readable entry, and a web on which the log lies where that DID says."""
    text = (folder / "did.jsonl").read_bytes()
    first = json.loads(text.split(b"\n")[0])
    did = did or f"did:webvh:{first['parameters']['scid']}:" + first["state"]["id"].split(":", 3)[3]
    if folder.parent.name == "portable-move":
        did = json.loads(text.strip().split(b"\n")[-1])["state"]["id"]
    where = place.read(did)
    world = {where.log: text}
    if (folder / "did-witness.json").is_file():
        world[where.witnesses] = (folder / "did-witness.json").read_bytes()
    return did, Sources(InMemoryFetch(world))


def _normal(document: Mapping[str, Any], did: str) -> dict[str, Any]:
    """A document as far as implementations agree on how it is written."""
    found = {name: value for name, value in document.items() if value != []}
    found["service"] = sorted((_service(each, did) for each in document.get("service", [])), key=lambda one: one["id"])
    found["verificationMethod"] = [
        {"controller": did, **method, "id": _absolute(method["id"], did)}
        for method in document.get("verificationMethod", [])
    ]
    for name in RELATIONSHIPS:
        if name in found:
            found[name] = [_absolute(one, did) for one in found[name]]
    return found


def _service(service: Mapping[str, Any], did: str) -> dict[str, Any]:
    endpoint = service["serviceEndpoint"]
    tidy = endpoint.rstrip("/") if isinstance(endpoint, str) else endpoint
    return {**service, "id": _absolute(service["id"], did), "serviceEndpoint": tidy}


def _absolute(name: str, did: str) -> str:
    return did + name if name.startswith("#") else name


def _agrees(ours: Mapping[str, Any], theirs: Mapping[str, Any], *, asked: Version) -> None:
    """Every member that theirs has and that the specification names (numbers may be texts, defaults may be absent)."""
    for name in ("versionId", "versionNumber", "versionTime", "created", "scid", "portable", "deactivated"):
        if name in theirs:
            assert _text(ours[name]) == _text(theirs[name]), name
    if "updated" in theirs and asked == CURRENT:
        assert ours["updated"] == theirs["updated"]
    if theirs.get("watchers"):
        assert ours["watchers"] == theirs["watchers"]
    if theirs.get("witness"):
        said, listed = ours["witness"], theirs["witness"]
        assert said["threshold"] == str(listed["threshold"])
        assert [one["id"] for one in said["witnesses"]] == [one["id"] for one in listed["witnesses"]]


def _text(value: object) -> str:
    return str(value).lower().replace("+00:00", "z")
