"""did:webvh, the reader: what it makes of a log (what it refuses: test_did_webvh_refusals)."""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from ssi import dids
from ssi.dids.problems import problem_of
from ssi.dids.sources import Sources, Version
from ssi.dids.webvh import place, writing
from ssi.errors import Malformed, Refused, SsiError, Unavailable
from tests.ssi import webvhs
from tests.ssi.webvhs import NOW, approvals, at, created, key, name, resolved, witnessed
from tests.support import InMemoryFetch

A, B, C = key(), key(), key()
SCID = "Qm" + "1" * 44


def _refused(did: str, text: bytes, code: str, **more: Any) -> SsiError:
    with pytest.raises(SsiError) as caught:
        resolved(did, text, **more)
    assert caught.value.code == code
    return caught.value


# Places ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rest", "url"),
    [
        ("example.com", "https://example.com/.well-known/did.jsonl"),
        ("issuer.EXAMPLE.com", "https://issuer.example.com/.well-known/did.jsonl"),
        ("example.com:dids:issuer", "https://example.com/dids/issuer/did.jsonl"),
        ("example.com%3A3000:dids:issuer", "https://example.com:3000/dids/issuer/did.jsonl"),
        ("example.com%3a3000", "https://example.com:3000/.well-known/did.jsonl"),
        (
            "jp%E7%B4%8D%E8%B1%86.%E4%BE%8B.jp:%E7%94%A8%E6%88%B7",
            "https://jp-cd2fp15c.xn--fsq.jp/".replace("jp-", "xn--jp-", 1) + "%E7%94%A8%E6%88%B7/did.jsonl",
        ),
        ("fa%C3%9F.de", "https://xn--fa-hia.de/.well-known/did.jsonl"),
        ("e%CC%81a.de", "https://xn--a-9fa.de/.well-known/did.jsonl"),
        ("example.com:a%2520b", "https://example.com/a%2520b/did.jsonl"),
        ("example.com:a%20b", "https://example.com/a%20b/did.jsonl"),
        ("localhost%3A8441:issuer", "https://localhost:8441/issuer/did.jsonl"),
    ],
)
def test_where_a_log_lies(rest: str, url: str) -> None:
    where = place.read(f"did:webvh:{SCID}:{rest}")
    assert where.log == url
    assert where.witnesses == url.replace("did.jsonl", "did-witness.json")


@pytest.mark.parametrize(
    "rest",
    [
        "example",
        "com",
        "example..com",
        ".example.com",
        "example.com.",
        "-a.com",
        "a-.com",
        "127.0.0.1",
        "127%2E0%2E0%2E1",
        "1.2.3",
        "0x7f.1",
        "a.0x7f",
        "%5B%3A%3A1%5D",
        "example.com%3A0",
        "example.com%3A65536",
        "example.com%3A",
        "example.com%3A80%3A80",
        "example.com%3A123456",
        "user%40example.com",
        "example.com%2Fx",
        "example.com%252E",
        "example.com%3Ax",
        "example.com:",
        "example.com::a",
        "example.com:..",
        "example.com:%2E%2E",
        "example.com:.",
        "example.com:a%2Fb",
        "example.com:a%5Cb",
        "example.com:%00",
        "example.com:%20a",
        "example.com:a%20",
        "example.com:%C2%A0a",
        "example.com:%FF",
        "example.com:%ZZ",
        "example.com:%0A",
        "example.com:a/b",
        "example.com#a",
        "example.com?a",
        "example.com/a",
        "%E2%98%83.com",
        "a%E2%80%8Db.com",
        "%CC%81a.com",
        "ab--%C3%A9.com",
        "1%EF%BC%8E1.com",
        "%EF%BC%91%EF%BC%92%EF%BC%97.com",
    ],
)
def test_places_that_are_none(rest: str) -> None:
    with pytest.raises(Malformed, match="did:webvh"):
        place.read(f"did:webvh:{SCID}:{rest}")


def test_international_names_are_those_of_idna_2008() -> None:
    """Never another name than the reference gives; at most a name that it gives is not read (CONTEXTJ, CONTEXTO)."""
    idna = pytest.importorskip("idna")
    read = 0
    for label in [
        "fa\u00df",
        "stra\u00dfe",
        "\u7d0d\u8c46",
        "\u3042\u30a2",
        "caf\u00e9",
        "\u0431\u044b",
        "\u00f8re",
        "\u03b2\u03cc\u03bb\u03bf\u03c2",
    ]:
        where = place.read(f"did:webvh:{SCID}:{quote(label)}.example")
        assert where.host == f"{idna.encode(label).decode()}.example"
    for code in range(0x80, 0x3000):
        label = f"a{chr(code)}a"
        try:
            host = place.read(f"did:webvh:{SCID}:{quote(label)}.example").host
        except Malformed:
            continue
        try:
            expected = idna.encode(unicodedata.normalize("NFC", label.lower())).decode()
        except idna.IDNABidiError:  # how a name is shown, not which it is
            continue
        assert host == f"{expected}.example"
        read += 1
    assert read > 1_000


@pytest.mark.parametrize("scid", ["Qm", SCID + "1", "Qm" + "0" * 44, "{SCID}", ""])
def test_self_certifying_parts_that_are_none(scid: str) -> None:
    with pytest.raises(Malformed):
        place.read(f"did:webvh:{scid}:example.com")
    with pytest.raises(Malformed):
        place.read(f"did:webvh:{SCID}:{'a' * 64}.com")


# Versions and metadata ------------------------------------------------------------------------------------------------


def _three() -> writing.Written:
    log = created(A)
    log = writing.update(log, document={**webvhs.DOCUMENT, "alsoKnownAs": ["https://a.example"]}, signer=A, now=at(1))
    return writing.update(log, signer=A, parameters={"updateKeys": [name(B)], "ttl": 60}, now=at(2))


def test_metadata_are_those_of_the_specification() -> None:
    log = _three()
    found = resolved(log.did, log.text)
    assert found.metadata == {
        "versionId": log.version_id,
        "versionNumber": 3,
        "versionTime": "2026-01-03T00:00:00Z",
        "created": "2026-01-01T00:00:00Z",
        "updated": "2026-01-03T00:00:00Z",
        "scid": log.log.scid,
        "portable": False,
        "deactivated": False,
        "ttl": "60",
    }
    assert found.evidence == {}
    assert [service.id for service in found.document.services] == [f"{log.did}#files", f"{log.did}#whois"]


def test_versions_by_id_number_and_time() -> None:
    log = _three()
    ids = [version.entry.version_id for version in log.log.versions]

    def number(**asked: Any) -> object:
        return resolved(log.did, log.text, version=Version(**asked)).metadata["versionNumber"]

    assert [number(id=each) for each in ids] == [1, 2, 3]
    assert [number(number=each) for each in (1, 2, 3)] == [1, 2, 3]
    assert [number(time=at(0) + timedelta(hours=hours)) for hours in (0, 23, 24, 49)] == [1, 1, 2, 3]
    assert number(id=ids[1], number=2, time=at(2)) == 2
    found = resolved(log.did, log.text, version=Version(number=1)).metadata
    assert (found["nextVersionId"], found["nextUpdate"]) == (ids[1], "2026-01-02T00:00:00Z")
    for asked in ({"number": 0}, {"number": 4}, {"id": "1-invalid"}, {"id": ids[1], "number": 1}, {"time": at(-1)}):
        error = _refused(log.did, log.text, "did.no_such_version", version=Version(**asked))  # type: ignore[arg-type]  # (a table of keywords)
        assert problem_of(error, log.did).name == "notFound"


def test_history_is_every_version_with_its_own_times() -> None:
    log = writing.deactivate(_three(), signer=B, now=at(5))
    found = dids.history(log.did, sources=webvhs.served(log.did, log.text), now=NOW)
    assert [each.metadata["versionNumber"] for each in found] == [1, 2, 3, 4]
    assert [each.metadata["updated"] for each in found] == [each.metadata["versionTime"] for each in found]
    assert [each.deactivated for each in found] == [False, False, False, True]


def test_a_log_that_breaks_off_still_has_its_versions_by_name() -> None:
    log = _three()
    text = log.text + b'{"versionId": "4-x"}\n'
    error = _refused(log.did, text, "did.webvh_entry")
    assert problem_of(error, log.did).name == "invalidDid"
    assert resolved(log.did, text, version=Version(number=3)).metadata["versionNumber"] == 3
    assert resolved(log.did, text, version=Version(time=at(1))).metadata["versionNumber"] == 2
    _refused(log.did, text, "did.webvh_entry", version=Version(number=4))
    _refused(log.did, text, "did.webvh_entry", version=Version(time=at(9)))
    with pytest.raises(Malformed):
        dids.history(log.did, sources=webvhs.served(log.did, text), now=NOW)


# Witnesses ------------------------------------------------------------------------------------------------------------


def test_witnesses_approve_an_entry_and_all_before_it() -> None:
    log = created(A, parameters={"witness": witnessed(2, A, B, C)})
    log = writing.update(log, signer=A, now=at(1))
    one, two = (version.entry.version_id for version in log.log.versions)

    def look(*given: Any) -> object:
        return resolved(log.did, log.text, witnesses=approvals(*given)).metadata["versionNumber"]

    assert look((two, [A, B])) == 2
    assert look((one, [A]), (two, [B, C])) == 2
    for given in ([(one, [A, B])], [(two, [A])], [(two, [A, A])], [(two, [A, key()])], [], [("3-" + SCID, [A, B])]):
        _refused(log.did, log.text, "did.webvh_unwitnessed", witnesses=approvals(*given))
    found = resolved(log.did, log.text, witnesses=approvals((one, [A, B])), version=Version(number=1))
    assert found.metadata["witness"] == {**witnessed(2, A, B, C), "threshold": "2"}
    _refused(log.did, log.text, "did.webvh_unwitnessed")  # there is no file
    _refused(log.did, log.text, "encoding.json", witnesses=b"x")
    _refused(log.did, log.text, "did.webvh_witness", witnesses=b"{}")
    _refused(log.did, log.text, "did.webvh_witness", witnesses=b'[{"versionId": 1, "proof": []}]')


def test_when_lists_of_witnesses_begin_and_end() -> None:
    log = created(A)
    log = writing.update(log, signer=A, parameters={"witness": witnessed(1, B)}, now=at(1))  # at once
    log = writing.update(log, signer=A, parameters={"witness": witnessed(1, C)}, now=at(2))  # B's still
    log = writing.update(log, signer=A, parameters={"witness": {}}, now=at(3))  # C's still
    log = writing.update(log, signer=A, now=at(4))  # nobody's
    ids = [version.entry.version_id for version in log.log.versions]
    good = approvals((ids[2], [B]), (ids[3], [C]))
    assert resolved(log.did, log.text, witnesses=good).metadata["versionNumber"] == 5
    assert "witness" not in resolved(log.did, log.text, witnesses=good).metadata
    for given in ([(ids[1], [B]), (ids[3], [C])], [(ids[2], [C]), (ids[3], [C])], [(ids[2], [B, C])]):
        _refused(log.did, log.text, "did.webvh_unwitnessed", witnesses=approvals(*given))
    first = resolved(log.did, log.text, witnesses=b"[]", version=Version(number=1))
    assert first.metadata["versionNumber"] == 1
    _refused(log.did, log.text, "did.webvh_unwitnessed", witnesses=b"[]", version=Version(number=2))


# The web --------------------------------------------------------------------------------------------------------------


def test_what_cannot_be_asked_is_unavailable_and_what_is_not_there_is_not_found() -> None:
    log = created(A)
    with pytest.raises(Refused, match="no log") as missing:
        dids.resolve(log.did, sources=webvhs.served(log.did, b"", old=f"did:webvh:{SCID}:example.com:x"), now=NOW)
    assert problem_of(missing.value, log.did).name == "notFound"
    with pytest.raises(Unavailable):
        dids.resolve(log.did, sources=Sources(InMemoryFetch({})), now=NOW)


def test_the_document_is_read_like_any_other() -> None:
    log = created(A, document={**webvhs.DOCUMENT, "service": "x"})
    error = _refused(log.did, log.text, "did.service")
    assert problem_of(error, log.did).name == "invalidDid"
    own = {"id": "#files", "type": "relativeRef", "serviceEndpoint": "https://elsewhere.example/"}
    log = created(A, document={**webvhs.DOCUMENT, "service": [own]})
    found = resolved(log.did, log.text).document
    assert [service.id for service in found.services] == [f"{log.did}#files", f"{log.did}#whois"]
    assert found.json["service"][0] == own  # type: ignore[index,call-overload]  # (JSON)
