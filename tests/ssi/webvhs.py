"""did:webvh for tests: logs that a controller made, and the web on which they lie."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ssi import dids
from ssi.dids import multikey
from ssi.dids.sources import CURRENT, Resolved, Sources, Version
from ssi.dids.webvh import hashing, place, writing
from ssi.dids.webvh.log import Log
from ssi.dids.webvh.writing import Written
from ssi.keys import Signer, SoftwareSigner
from ssi.ledger.ledger import NO_LEDGERS, Ledgers
from tests.support import InMemoryFetch

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
NOW = BEGAN + timedelta(days=30)
PLACE = "example.com"
DOCUMENT: Mapping[str, Any] = {"@context": ["https://www.w3.org/ns/did/v1"]}


def key() -> SoftwareSigner:
    """A new key that may sign entries and approvals."""
    return SoftwareSigner.generate("EdDSA")


def name(signer: Signer) -> str:
    """A key as did:webvh writes it."""
    return multikey.encode(signer.public)


def at(day: int) -> datetime:
    """A day of the log's life."""
    return BEGAN + timedelta(days=day)


def created(signer: Signer, **more: Any) -> Written:
    """A log of one entry."""
    return writing.create(
        more.pop("host_and_path", PLACE), document=more.pop("document", DOCUMENT), signer=signer, now=BEGAN, **more
    )


def witnessed(threshold: int, *witnesses: Signer) -> dict[str, Any]:
    """The parameter that asks for approvals."""
    return {"threshold": threshold, "witnesses": [{"id": f"did:key:{name(each)}"} for each in witnesses]}


def approvals(*given: tuple[str, Sequence[Signer]]) -> bytes:
    """A file of witness proofs: for each version, those who approve it."""
    listed = [
        {"versionId": version, "proof": [writing.approval(version, witness=each, now=BEGAN) for each in witnesses]}
        for version, witnesses in given
    ]
    return json.dumps(listed).encode()


def served(
    did: str, text: bytes, *, witnesses: bytes | None = None, ledgers: Ledgers = NO_LEDGERS, old: str | None = None
) -> Sources:
    """A web on which the log lies at the DID's place (`old`: at that DID's place)."""
    where = place.read(old or did)
    world: dict[str, Any] = {where.log: text}
    if witnesses is not None:
        world[where.witnesses] = witnesses
    return Sources(InMemoryFetch({**world, f"https://{where.host}": _nothing}), ledgers)


def _nothing(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Any:
    from ssi.fetch import Response

    return Response(404, url, {}, b"")


def resolved(did: str, text: bytes, *, version: Version = CURRENT, now: datetime = NOW, **more: Any) -> Resolved:
    """What a resolver makes of a log."""
    return dids.resolve(did, sources=served(did, text, **more), now=now, version=version)


@dataclass(frozen=True)
class Forger:
    """Writes entries that no honest writer makes: with right hashes and right signatures over whatever it is told."""

    signer: Signer

    def first(self, change: Callable[[dict[str, Any]], object]) -> tuple[str, bytes]:
        """A first entry and its DID. `change` alters the entry before it is hashed; "{SCID}" is the placeholder."""
        parameters = {"method": "did:webvh:1.0", "scid": "{SCID}", "updateKeys": [name(self.signer)]}
        state = {**DOCUMENT, "id": f"did:webvh:{{SCID}}:{PLACE}"}
        entry: dict[str, Any] = {
            "versionId": "{SCID}",
            "versionTime": "2026-01-01T00:00:00Z",
            "parameters": parameters,
            "state": state,
        }
        change(entry)
        scid = hashing.scid(entry, "{SCID}")
        filled = hashing.filled(entry, scid)
        return f"did:webvh:{scid}:{PLACE}", self.signed(filled, number=1, previous=scid)

    def next(self, written: Written, change: Callable[[dict[str, Any]], object], *, number: int | None = None) -> bytes:
        """A whole log with one more entry."""
        last = written.log.last.entry
        entry: dict[str, Any] = {
            "versionTime": "2026-01-20T00:00:00Z",
            "parameters": {},
            "state": json.loads(json.dumps(last.state)),
        }
        change(entry)
        return written.text + self.signed(entry, number=number or last.number + 1, previous=last.version_id)

    def signed(self, entry: Mapping[str, Any], *, number: int, previous: str) -> bytes:
        """A line."""
        line: bytes = writing._signed(entry, number=number, previous=previous, signer=self.signer, now=BEGAN)
        return line


def long(count: int) -> tuple[bytes, str]:
    """A log of so many entries, a second apart, each with a document of its own; and its DID."""
    signer, lines = key(), []
    log = created(signer)
    did = log.did
    lines.append(log.text)
    for number in range(1, count):
        only = Written(b"", Log((log.log.last,)))
        document = {**DOCUMENT, "alsoKnownAs": [f"https://names.example/{number}"]}
        log = writing.update(only, document=document, signer=signer, now=BEGAN + timedelta(seconds=number))
        lines.append(log.text)
    return b"".join(lines), did
