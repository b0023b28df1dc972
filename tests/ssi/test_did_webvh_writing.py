"""did:webvh, the writer: each entry it makes is one that the reader takes; what may not be written is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ssi.dids import document
from ssi.dids.dereferencing import shown
from ssi.dids.options import Options
from ssi.dids.webvh import place, writing
from ssi.errors import Refused, SsiError
from ssi.keys import SoftwareSigner
from tests.ssi import webvhs
from tests.ssi.webvhs import NOW, approvals, at, created, key, name, resolved, witnessed


def _method(did: str, signer: SoftwareSigner) -> dict[str, Any]:
    return {
        "id": f"{did}#key",
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": name(signer),
    }


def test_a_document_may_name_its_did_before_there_is_one() -> None:
    signer, own = key(), f"did:webvh:{{SCID}}:{webvhs.PLACE}"
    log = created(
        signer, document={**webvhs.DOCUMENT, "verificationMethod": [_method(own, signer)], "assertionMethod": ["#key"]}
    )
    found = resolved(log.did, log.text)
    assert found.key(f"{log.did}#key", relationship="assertionMethod", now=NOW) == signer.public
    assert b"{SCID}" not in log.text
    assert log.text.endswith(b"\n")
    assert writing.read(log.text, now=NOW).log == log.log
    assert log.version_id == found.metadata["versionId"]


def test_keys_change_hands() -> None:
    old, new = key(), key()
    log = writing.update(created(old), signer=old, parameters={"updateKeys": [name(new)]}, now=at(1))
    with pytest.raises(Refused) as caught:
        writing.update(log, signer=old, now=at(2))
    assert caught.value.code == "did.webvh_unauthorized"
    log = writing.update(log, signer=new, now=at(2))
    assert resolved(log.did, log.text).metadata["versionNumber"] == 3


def test_keys_that_were_announced() -> None:
    keys = [key() for _ in range(5)]
    log = created(keys[0], following=[keys[1].public, keys[4].public])
    with pytest.raises(Refused) as caught:
        writing.update(log, signer=keys[0], now=at(1))
    assert caught.value.code == "did.webvh_rotation"
    with pytest.raises(Refused) as caught:
        writing.update(log, signer=keys[2], now=at(1))
    assert caught.value.code == "did.webvh_rotation"
    log = writing.update(log, signer=keys[1], following=[keys[2].public], now=at(1))
    log = writing.update(log, signer=keys[2], now=at(2))  # nothing announced: it ends here
    with pytest.raises(Refused) as caught:
        writing.update(log, signer=keys[3], now=at(3))
    assert caught.value.code == "did.webvh_unauthorized"
    log = writing.update(log, signer=keys[2], following=[keys[3].public], now=at(3))  # and begins again
    log = writing.update(log, signer=keys[3], now=at(4))
    assert resolved(log.did, log.text).metadata["versionNumber"] == 5


@pytest.mark.parametrize("missing", ["updateKeys", "nextKeyHashes"])
def test_while_keys_are_announced_each_entry_says_both(missing: str) -> None:
    first, second = key(), key()
    log = created(first, following=[second.public])

    def change(entry: dict[str, Any]) -> None:
        entry["parameters"] = {"updateKeys": [name(second)], "nextKeyHashes": []}
        del entry["parameters"][missing]

    with pytest.raises(Refused) as caught:
        resolved(log.did, webvhs.Forger(second).next(log, change))
    assert caught.value.code == "did.webvh_rotation"


def test_every_key_must_have_been_announced() -> None:
    first, second, thief = key(), key(), key()
    log = created(first, following=[second.public])
    for listed in ([name(second), name(thief)], [name(second), name(first)], [name(thief)]):
        text = webvhs.Forger(second).next(
            log, lambda e, listed=listed: e["parameters"].update(updateKeys=listed, nextKeyHashes=[])
        )
        with pytest.raises(Refused) as caught:
            resolved(log.did, text)
        assert caught.value.code in {"did.webvh_rotation", "did.webvh_unauthorized"}


def test_a_did_is_given_up_for_ever() -> None:
    signer = key()
    log = writing.deactivate(created(signer), signer=signer, now=at(1))
    found = resolved(log.did, log.text)
    assert found.deactivated
    assert shown(found, Options()) is None
    with pytest.raises(Refused) as caught:
        found.key(f"{log.did}#key", relationship="assertionMethod", now=NOW)
    assert caught.value.code == "did.deactivated"
    with pytest.raises(Refused) as caught:
        writing.update(log, signer=signer, now=at(2))
    assert caught.value.code == "did.webvh_deactivated"
    earlier = resolved(log.did, log.text, version=webvhs.Version(number=1))
    assert earlier.metadata["deactivated"] is True


def test_announced_keys_end_before_a_did_is_given_up() -> None:
    first, second = key(), key()
    log = writing.deactivate(created(first, following=[second.public]), signer=second, now=at(1))
    assert [version.entry.number for version in log.log.versions] == [1, 2, 3]
    assert resolved(log.did, log.text).deactivated


def test_a_log_that_nobody_may_write_any_more_still_resolves() -> None:
    signer = key()
    log = writing.update(created(signer), signer=signer, parameters={"updateKeys": []}, now=at(1))
    assert not resolved(log.did, log.text).deactivated
    with pytest.raises(Refused) as caught:
        writing.update(log, signer=signer, now=at(2))
    assert caught.value.code == "did.webvh_unauthorized"


def test_a_did_moves_and_says_where_it_was() -> None:
    signer, before = key(), "did:webvh:{SCID}:example.com:x"
    log = created(
        signer,
        parameters={"portable": True},
        document={**webvhs.DOCUMENT, "verificationMethod": [_method(f"did:webvh:{{SCID}}:{webvhs.PLACE}", signer)]},
    )
    old = log.did
    log = writing.update(
        log,
        signer=signer,
        document={**log.log.last.entry.state, "alsoKnownAs": [before.replace("{SCID}", log.log.scid)]},
        now=at(1),
    )
    log = writing.move(log, "new.example:issuer", signer=signer, now=at(2))
    assert log.did == f"did:webvh:{log.log.scid}:new.example:issuer"
    found = resolved(log.did, log.text)
    assert found.document.also_known_as == (f"{old}:x", old)
    assert list(found.document.methods) == [f"{log.did}#key"]
    again = writing.move(log, "third.example", signer=signer, now=at(3))
    assert resolved(again.did, again.text).document.also_known_as == (f"{old}:x", old, log.did)
    # Asked by its old name, at its old place: the document is the one of the DID as it is now.
    asked = resolved(old, log.text)
    assert asked.document.id == log.did
    with pytest.raises(Refused):
        asked.key(f"{old}#key", relationship="assertionMethod", now=NOW)
    # The log of one's old place, read for a place where the DID never was.
    with pytest.raises(Refused) as caught:
        resolved(f"did:webvh:{log.log.scid}:never.example", log.text)
    assert caught.value.code == "did.webvh_other"


def test_moves_that_are_refused() -> None:
    signer = key()
    fixed = created(signer)
    with pytest.raises(Refused) as caught:
        writing.move(fixed, "new.example", signer=signer, now=at(1))
    assert caught.value.code == "did.webvh_move"
    log = created(signer, parameters={"portable": True})
    stays = writing.update(log, signer=signer, parameters={"portable": False}, now=at(1))
    with pytest.raises(Refused):
        writing.move(stays, "new.example", signer=signer, now=at(2))

    def silently(entry: dict[str, Any]) -> None:
        entry["state"]["id"] = f"did:webvh:{log.log.scid}:new.example"

    with pytest.raises(Refused) as caught:
        resolved(log.did, webvhs.Forger(signer).next(log, silently))
    assert caught.value.code == "did.webvh_move"


def test_witnesses_approve_what_is_written() -> None:
    signer, witness = key(), key()
    log = created(signer, parameters={"witness": witnessed(1, witness)})
    assert resolved(log.did, log.text, witnesses=approvals((log.version_id, [witness]))).metadata["versionNumber"] == 1


def test_the_document_for_did_web() -> None:
    signer = key()
    log = created(signer, host_and_path="example.com%3A3000:issuer")
    log = writing.update(
        log,
        signer=signer,
        document={
            **webvhs.DOCUMENT,
            "verificationMethod": [_method(log.did, signer)],
            "alsoKnownAs": ["did:web:example.com%3A3000:issuer", "https://a.example"],
        },
        now=at(1),
    )
    web = writing.parallel(log)
    own = "did:web:example.com%3A3000:issuer"
    assert web["id"] == own
    assert web["alsoKnownAs"] == ["https://a.example", log.did]
    found = document.parse(web, did=own)
    assert list(found.methods) == [f"{own}#key"]
    assert [service.id for service in found.services] == [f"{own}#files", f"{own}#whois"]
    assert found.services[0].endpoints == ("https://example.com:3000/issuer/",)
    assert writing.parallel(log) == json.loads(json.dumps(web))


def test_what_is_not_a_place_or_not_a_key_is_refused() -> None:
    signer = key()
    for where in ("127.0.0.1", "example.com:..", ""):
        with pytest.raises(SsiError):
            created(signer, host_and_path=where)
    with pytest.raises(SsiError):
        created(SoftwareSigner.generate("ES256"))
    with pytest.raises(SsiError):
        writing.update(created(signer), signer=signer, now=webvhs.BEGAN)
    assert place.read(created(signer, host_and_path="localhost%3A8441").did).port == 8441
