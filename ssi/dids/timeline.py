"""The past of a DID in words: what changed, and when?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ssi.dids.document import DidDocument
from ssi.dids.sources import Resolved
from ssi.encoding import Json, printable

_SHOWN = 80


@dataclass(frozen=True)
class Step:
    """One version: when it came to be (None: its method does not say), its id, and what it changed, in short words.

    The words hold names from the document, made fit to be shown. `evidence` is what a ledger said about the version.
    """

    at: datetime | None
    version: str | None
    words: tuple[str, ...]
    evidence: Mapping[str, Json]


def timeline(versions: Sequence[Resolved]) -> tuple[Step, ...]:
    """The steps from version to version, the oldest first."""
    steps = []
    for number, version in enumerate(versions):
        said = version.metadata.get("versionId")
        last = number == len(versions) - 1
        words = _created(version) if number == 0 else _changed(versions[number - 1].document, version.document)
        if version.deactivated and last:
            words = (*words, "deactivated")
        name = printable(said, limit=_SHOWN) if isinstance(said, str) else None
        steps.append(Step(version.since, name, words or ("nothing that shows",), version.evidence))
    return tuple(steps)


def _created(version: Resolved) -> tuple[str, ...]:
    keys = len(version.document.methods)
    return (f"created with {keys} key" + ("" if keys == 1 else "s"),)


def _changed(before: DidDocument, after: DidDocument) -> tuple[str, ...]:
    replaced = [name for name in _both(before.methods, after.methods) if before.methods[name] != after.methods[name]]
    services = {one.id: one for one in before.services}, {one.id: one for one in after.services}
    moved = [name for name in _both(*services) if services[0][name] != services[1][name]]
    return (
        *([f"moved to {printable(after.id, limit=_SHOWN)}"] if before.id != after.id else []),
        *_said("controller", before.controllers, after.controllers),
        *_said("key", before.methods, after.methods),
        *(f"key {_short(name)} replaced" for name in replaced),
        *_handed(before, after),
        *_uses(before, after),
        *_said("service", *services),
        *(f"service {_short(name)} changed" for name in moved),
        *_said("other name", before.also_known_as, after.also_known_as),
    )


def _handed(before: DidDocument, after: DidDocument) -> list[str]:
    """Accounts that speak for the DID under a name that stayed (did:ethr's controller is always `#controller`)."""
    old, new = _accounts(before), _accounts(after)
    return [
        f"key {_short(name)} handed to account {printable(new[name], limit=_SHOWN)}"
        for name in _both(old, new)
        if old[name] != new[name]
    ]


def _accounts(document: DidDocument) -> dict[str, str]:
    """By the id of a verification method, the account that it names (CAIP-10)."""
    listed = document.json.get("verificationMethod", [])
    methods = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
    pairs = [(one.get("id"), one.get("blockchainAccountId")) for one in methods]
    return {name: account for name, account in pairs if isinstance(name, str) and isinstance(account, str)}


def _uses(before: DidDocument, after: DidDocument) -> list[str]:
    """Keys that stayed, but may be used for more or less than before."""
    words = []
    stayed = _both(before.methods, after.methods)
    for relationship, ids in after.relationships.items():
        old, new = frozenset(before.relationships.get(relationship, ())), frozenset(ids)
        for name in stayed:
            was, is_now = name in old, name in new
            if was != is_now:
                words.append(f"key {_short(name)} {'now' if is_now else 'no longer'} for {relationship}")
    return words


def _both(before: Iterable[str], after: Iterable[str]) -> list[str]:
    kept = set(after)
    return [name for name in before if name in kept]


def _said(what: str, before: Iterable[str], after: Iterable[str]) -> list[str]:
    old, new = dict.fromkeys(before), dict.fromkeys(after)
    added = [f"{what} {_short(name)} added" for name in new if name not in old]
    return added + [f"{what} {_short(name)} removed" for name in old if name not in new]


def _short(url: str) -> str:
    """A DID URL's fragment, or a whole name that has none."""
    _, mark, fragment = url.partition("#")
    return printable("#" + fragment if mark else url, limit=_SHOWN)
