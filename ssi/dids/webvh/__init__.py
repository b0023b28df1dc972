"""did:webvh 1.0: a DID whose document lies on a web site, with a log of all its versions that proves itself.

The log is fetched over HTTPS, verified from its first entry, and held against what a ledger knows of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ssi.dids import document, sources
from ssi.dids.document import DidDocument
from ssi.dids.sources import CURRENT, Resolved, Sources, Version
from ssi.dids.webvh import anchored, entries, place, witnesses
from ssi.dids.webvh.log import Log, Verified, verify
from ssi.dids.webvh.place import NAME, Place
from ssi.encoding import Json
from ssi.errors import Refused, Unavailable
from ssi.fetch import Fetch

__all__ = ["NAME", "document_of", "history", "load", "resolve"]

_WHOIS_CONTEXT: Final = "https://identity.foundation/linked-vp/contexts/v1"


def resolve(did: str, *, sources: Sources, version: Version, now: datetime) -> Resolved:
    """The DID's document, of the version asked for; of a deactivated DID its last one (`Resolved.deactivated`).

    Raises Malformed (`did.webvh*`, `did.document`, …), Refused (`did.not_found`, `did.no_such_version`, `did.webvh_*`),
    Unsupported (`did.webvh_version`, `did.webvh_proof`), Unavailable (`did.unavailable`, `fetch.*`, `ledger.*`).
    """
    log, evidence = load(did, sources=sources, now=now)
    return _resolved(log, _asked(log, version), evidence)


def history(did: str, *, sources: Sources, now: datetime) -> tuple[Resolved, ...]:
    """Every version of the DID's document, the oldest first. Raises like `resolve`."""
    log, evidence = load(did, sources=sources, now=now)
    if log.problem is not None:
        raise log.problem
    return tuple(_resolved(log, version, evidence, own_time=True) for version in log.versions)


def load(did: str, *, sources: Sources, now: datetime) -> tuple[Log, Mapping[str, Json]]:
    """The DID's log, verified, and what the ledgers say of it. Raises like `resolve`."""
    where = place.read(did)
    text = _fetched(sources.fetch, where.log, entries.MAX_LOG)
    log = verify(text, now=now, approvals=lambda: _approvals(sources.fetch, where.witnesses))
    if log.scid != where.scid or all(version.entry.did != did for version in log.versions):
        raise Refused("did.webvh_other", "The log at the DID's address is the log of another DID.")
    return log, anchored.check(log, ledgers=sources.ledgers)


def _fetched(fetch: Fetch, url: str, limit: int) -> bytes:
    response = fetch.get(url, accept="text/jsonl, application/json", max_bytes=limit)
    if response.status in (404, 410):
        raise Refused("did.not_found", "There is no log at the place that the DID names.")
    if not 200 <= response.status < 300:
        raise Unavailable("did.unavailable", "The DID's log could not be had.")
    return response.body


def _approvals(fetch: Fetch, url: str) -> bytes:
    """The file of witness proofs; where there is none, nobody has approved anything."""
    try:
        return _fetched(fetch, url, witnesses.MAX_FILE)
    except Refused as refused:
        if refused.code != "did.not_found":
            raise
        return b"[]"


def _asked(log: Log, asked: Version) -> Verified:
    """The version asked for. What a broken log still has may be had by its name, but is not what the DID is now."""
    if asked == CURRENT:
        if log.problem is not None:
            raise log.problem
        return log.last
    found = [version for version in log.versions if _is_asked(version, asked)]
    if not found:
        if log.problem is not None:  # it may be one of those that do not hold
            raise log.problem
        raise Refused("did.no_such_version", "The DID has no such version.")
    if asked.time is not None and log.problem is not None and found[-1] is log.last:
        raise log.problem  # the next entry, which does not hold, may have been written before that time
    return found[-1]


def _is_asked(version: Verified, asked: Version) -> bool:
    entry = version.entry
    return (
        asked.id in (None, entry.version_id)
        and asked.number in (None, entry.number)
        and (asked.time is None or entry.at <= asked.time)
    )


def _resolved(log: Log, version: Verified, evidence: Mapping[str, Json], *, own_time: bool = False) -> Resolved:
    """A version with its metadata; `updated` is that of the log, or of the version itself."""
    entry, current = version.entry, log.last.parameters
    metadata: dict[str, Json] = {
        "versionId": entry.version_id,
        "versionNumber": entry.number,
        "versionTime": sources.written(entry.at),
        "created": sources.written(log.versions[0].entry.at),
        "updated": sources.written(entry.at if own_time else log.last.entry.at),
        "scid": log.scid,
        "portable": current.portable,
        "deactivated": current.deactivated and (not own_time or version is log.last),
        "ttl": str(current.ttl),
    }
    if current.witness is not None:
        listed = [{"id": each} for each in current.witness.ids]
        metadata["witness"] = {"threshold": str(current.witness.threshold), "witnesses": listed}
    if current.watchers:
        metadata["watchers"] = list(current.watchers)
    if entry.number < len(log.versions):
        following = log.versions[entry.number].entry
        metadata |= {"nextVersionId": following.version_id, "nextUpdate": sources.written(following.at)}
    return Resolved(document_of(entry.state, entry.did), metadata, evidence)


def document_of(state: Mapping[str, Json], did: str) -> DidDocument:
    """An entry's document, with the services that each did:webvh has unless it says otherwise ("DID URL Resolution").

    Older writers leave out a method's controller: there it is the DID. Raises Malformed (`did.*`).
    """
    where = place.read(did)
    return document.parse(_controlled(with_services(state, where, did), did), did=did)


def with_services(state: Mapping[str, Json], where: Place, did: str) -> dict[str, Json]:
    """The document with the implicit services that it does not define itself; what is no list is left as it is."""
    services = state.get("service", [])
    if not isinstance(services, list):
        return dict(state)
    names = [each.get("id") for each in services if isinstance(each, Mapping)]
    missing = [each for each in implicit(where) if each["id"] not in names and f"{did}{each['id']}" not in names]
    return {**state, "service": [*services, *missing]}


def implicit(where: Place) -> tuple[dict[str, Json], ...]:
    """The services `#files` and `#whois`."""
    return (
        {"id": "#files", "type": "relativeRef", "serviceEndpoint": where.base},
        {
            "@context": _WHOIS_CONTEXT,
            "id": "#whois",
            "type": "LinkedVerifiablePresentation",
            "serviceEndpoint": f"{where.base}whois.vp",
        },
    )


def _controlled(state: dict[str, Json], did: str) -> dict[str, Json]:
    methods = state.get("verificationMethod")
    if not isinstance(methods, list) or all(not isinstance(one, Mapping) or "controller" in one for one in methods):
        return state
    filled = [
        {**one, "controller": did} if isinstance(one, Mapping) and "controller" not in one else one for one in methods
    ]
    return {**state, "verificationMethod": filled}
