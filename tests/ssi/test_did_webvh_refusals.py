"""did:webvh, the reader: entries and proofs that it refuses, each with its code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ssi.dids.problems import problem_of
from ssi.errors import SsiError
from tests.ssi import webvhs
from tests.ssi.webvhs import Forger, created, key, name, resolved, witnessed

A, B, C = key(), key(), key()
SCID = "Qm" + "1" * 44


def _refused(did: str, text: bytes, code: str, **more: Any) -> SsiError:
    with pytest.raises(SsiError) as caught:
        resolved(did, text, **more)
    assert caught.value.code == code
    return caught.value


FIRST: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "another version of the method": ("did.webvh_version", lambda e: e["parameters"].update(method="did:webvh:1.1")),
    "an older version": ("did.webvh_version", lambda e: e["parameters"].update(method="did:webvh:0.5")),
    "method null": ("did.webvh_version", lambda e: e["parameters"].update(method=None)),
    "no method": ("did.webvh_parameters", lambda e: e["parameters"].pop("method")),
    "no keys": ("did.webvh_parameters", lambda e: e["parameters"].pop("updateKeys")),
    "keys null": ("did.webvh_unauthorized", lambda e: e["parameters"].update(updateKeys=None)),
    "keys none": ("did.webvh_unauthorized", lambda e: e["parameters"].update(updateKeys=[])),
    "another's key": ("did.webvh_unauthorized", lambda e: e["parameters"].update(updateKeys=[name(B)])),
    "keys not a list": ("did.webvh_parameters", lambda e: e["parameters"].update(updateKeys=name(A))),
    "a key that is none": ("did.webvh_key", lambda e: e["parameters"].update(updateKeys=[name(A), "z6Mk"])),
    "an unknown parameter": ("did.webvh_parameters", lambda e: e["parameters"].update(other=1)),
    "portable null": ("did.webvh_parameters", lambda e: e["parameters"].update(portable=None)),
    "deactivated null": ("did.webvh_parameters", lambda e: e["parameters"].update(deactivated=None)),
    "portable a text": ("did.webvh_parameters", lambda e: e["parameters"].update(portable="true")),
    "ttl below 0": ("did.webvh_parameters", lambda e: e["parameters"].update(ttl=-1)),
    "ttl a text": ("did.webvh_parameters", lambda e: e["parameters"].update(ttl="60")),
    "ttl beyond the range": ("did.webvh_parameters", lambda e: e["parameters"].update(ttl=2**31 + 1)),
    "ttl yes": ("did.webvh_parameters", lambda e: e["parameters"].update(ttl=True)),
    "hashes not a list": ("did.webvh_parameters", lambda e: e["parameters"].update(nextKeyHashes="Qm")),
    "watchers no URLs": ("did.webvh_parameters", lambda e: e["parameters"].update(watchers=["no address"])),
    "witness a list": ("did.webvh_witness", lambda e: e["parameters"].update(witness=[])),
    "witness without a threshold": (
        "did.webvh_witness",
        lambda e: e["parameters"].update(witness={"witnesses": [{"id": f"did:key:{name(B)}"}]}),
    ),
    "threshold 0": ("did.webvh_witness", lambda e: e["parameters"].update(witness=witnessed(0, B))),
    "threshold 2 of 1": ("did.webvh_witness", lambda e: e["parameters"].update(witness=witnessed(2, B))),
    "threshold a text": (
        "did.webvh_witness",
        lambda e: e["parameters"].update(witness={**witnessed(1, B), "threshold": "1"}),
    ),
    "threshold a fraction": (
        "did.webvh_witness",
        lambda e: e["parameters"].update(witness={**witnessed(1, B), "threshold": 1.5}),
    ),
    "a witness twice": ("did.webvh_witness", lambda e: e["parameters"].update(witness=witnessed(1, B, B))),
    "no witnesses": (
        "did.webvh_witness",
        lambda e: e["parameters"].update(witness={"threshold": 1, "witnesses": []}),
    ),
    "a witness that is no did:key": (
        "did.webvh_witness",
        lambda e: e["parameters"].update(witness={"threshold": 1, "witnesses": [{"id": "did:web:a.example"}]}),
    ),
    "a witness with a key of another kind": (
        "did.webvh_key",
        lambda e: e["parameters"].update(
            witness={
                "threshold": 1,
                "witnesses": [{"id": "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"}],
            }
        ),
    ),
    "a time without a zone": ("did.webvh_time", lambda e: e.update(versionTime="2026-01-01T00:00:00")),
    "a time of another zone": ("did.webvh_time", lambda e: e.update(versionTime="2026-01-01T00:00:00+01:00")),
    "a time that is none": ("did.webvh_time", lambda e: e.update(versionTime="2026-13-01T00:00:00Z")),
    "a time that is a number": ("did.webvh_time", lambda e: e.update(versionTime=1)),
    "a time to come": ("did.webvh_time", lambda e: e.update(versionTime="2026-01-31T00:05:01Z")),
    "a document without an id": ("did.webvh", lambda e: e["state"].pop("id")),
    "a document about a path": ("did.webvh", lambda e: e["state"].update(id="did:webvh:{SCID}:example.com/x")),
    "a document of another SCID": ("did.webvh_scid", lambda e: e["state"].update(id=f"did:webvh:{SCID}:example.com")),
    "another member": ("did.webvh_entry", lambda e: e.update(parameters=[])),
    "a document of another place": ("did.webvh_other", lambda e: e["state"].update(id="did:webvh:{SCID}:other.com")),
}


@pytest.mark.parametrize("case", FIRST)
def test_first_entries_that_are_refused(case: str) -> None:
    code, change = FIRST[case]
    did, text = Forger(A).first(change)
    error = _refused(did, text, code)
    assert problem_of(error, did).name == "invalidDid"


@pytest.mark.parametrize(
    "change",
    [
        {"ttl": None, "watchers": None, "witness": None, "nextKeyHashes": None},
        {"ttl": 0, "watchers": ["https://watcher.example"], "witness": {}, "nextKeyHashes": []},
        {"ttl": 2**31, "portable": True, "deactivated": False},
        {"nextKeyHashes": ["just a random string"]},
    ],
)
def test_first_entries_that_are_taken(change: dict[str, Any]) -> None:
    did, text = Forger(A).first(lambda entry: entry["parameters"].update(change))
    found = resolved(did, text).metadata
    assert found["ttl"] == str(3600 if change.get("ttl") is None else change["ttl"])
    assert found.get("watchers", []) == (change.get("watchers") or [])


NEXT: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "a SCID again": ("did.webvh_parameters", lambda e: e["parameters"].update(scid=SCID)),
    "portable only now": ("did.webvh_parameters", lambda e: e["parameters"].update(portable=True)),
    "another version of the method": ("did.webvh_version", lambda e: e["parameters"].update(method="did:webvh:0.5")),
    "the same time": ("did.webvh_time", lambda e: e.update(versionTime="2026-01-01T00:00:00Z")),
    "an earlier time": ("did.webvh_time", lambda e: e.update(versionTime="2025-12-31T23:59:59.999Z")),
    "moved though it may not": ("did.webvh_move", lambda e: e["state"].update(id=e["state"]["id"] + ":x")),
    "another SCID": ("did.webvh_scid", lambda e: e["state"].update(id=f"did:webvh:{SCID}:{webvhs.PLACE}")),
}


@pytest.mark.parametrize("case", NEXT)
def test_later_entries_that_are_refused(case: str) -> None:
    code, change = NEXT[case]
    log = created(A)
    _refused(log.did, Forger(A).next(log, change), code)


def test_entries_by_the_wrong_hand_or_in_the_wrong_place_are_refused() -> None:
    log, same = created(A), lambda entry: None
    _refused(log.did, Forger(B).next(log, same), "did.webvh_unauthorized")
    _refused(
        log.did, Forger(B).next(log, lambda e: e["parameters"].update(updateKeys=[name(B)])), "did.webvh_unauthorized"
    )
    _refused(log.did, Forger(A).next(log, same, number=3), "did.webvh_entry")
    _refused(log.did, Forger(A).next(log, same).split(b"\n")[1], "did.webvh_parameters")
    other = created(B)
    _refused(log.did, other.text, "did.webvh_other")


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("cryptosuite", "eddsa-rdfc-2022", "did.webvh_proof"),
        ("cryptosuite", None, "did.webvh_proof"),
        ("type", "Ed25519Signature2020", "did.webvh_proof"),
        ("proofPurpose", "authentication", "did.webvh_proof"),
        ("verificationMethod", f"did:key:{name(A)}", "did.webvh_proof"),
        ("verificationMethod", f"did:key:{name(A)}#{name(B)}", "did.webvh_proof"),
        ("verificationMethod", f"did:key:{name(B)}#{name(A)}", "did.webvh_proof"),
        ("verificationMethod", f"did:web:a.example#{name(A)}", "did.webvh_proof"),
        ("verificationMethod", 1, "did.webvh_proof"),
        ("expires", "2026-01-02T00:00:00Z", "did.webvh_proof"),
        ("created", "2026-01-02T00:00:00Z", "suite.signature"),
        ("proofValue", "z1", "suite.proof_value"),
    ],
)
def test_proofs_that_are_refused(member: str, value: object, code: str) -> None:
    log = created(A)
    entry = json.loads(log.text)
    entry["proof"][0][member] = value
    with pytest.raises(SsiError) as caught:
        resolved(log.did, json.dumps(entry).encode())
    assert caught.value.code.split(".")[0] == code.split(".", maxsplit=1)[0]
    if code.startswith("did."):
        assert caught.value.code == code


@pytest.mark.parametrize("proofs", [[], {}, None, "x", [1]])
def test_an_entry_has_a_list_of_proofs(proofs: object) -> None:
    log = created(A)
    _refused(log.did, json.dumps({**json.loads(log.text), "proof": proofs}).encode(), "did.webvh_entry")
    single = json.loads(log.text)
    _refused(log.did, json.dumps({**single, "proof": single["proof"][0]}).encode(), "did.webvh_entry")
    _refused(log.did, json.dumps({**single, "proof": [*single["proof"], {}]}).encode(), "did.webvh_proof")
