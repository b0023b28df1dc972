"""DID resolution for others: what a resolver's HTTP endpoint answers (DID Resolution, "HTTP(S) Binding").

Two dialects are spoken, since two communities expect each its own: the present draft's (errors are objects with a type,
`application/did-resolution`), and the one that did:key resolvers grew up with (errors are words, a JSON-LD profile).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from ssi.dids import options as reading
from ssi.dids.dereferencing import DOCUMENT, URI_LIST, Dereferenced, dereference, document, shown
from ssi.dids.problems import Problem
from ssi.dids.sources import Resolved, Sources
from ssi.encoding import Json

RESULT: Final = "application/did-resolution"
DEREFERENCED: Final = "application/did-url-dereferencing"
PROFILE: Final = 'application/ld+json;profile="https://w3id.org/did-resolution"'
_DOCUMENTS: Final = ("application/did", "application/did+json", "application/did+ld+json", "application/json")
_ACCEPTED: Final = (RESULT, DEREFERENCED, PROFILE, URI_LIST, *_DOCUMENTS)
_ANYTHING: Final = ("", "*/*", "application/*")
_IN_URLS: Final = ("service", "serviceType", "relativeRef")


@dataclass(frozen=True)
class Resolution:
    """An HTTP response's status, media type and JSON body; `location`: where to go on, with an empty body."""

    status: int
    content_type: str
    body: Mapping[str, Json]
    location: str | None = None


def resolution(
    did_or_url: str, *, accept: str | None, options: Mapping[str, str], sources: Sources, now: datetime
) -> Resolution:
    """Answer for a DID, or a DID URL; `options` are the query's. Raises nothing that outsiders cause.

    Options read are versionId, versionTime and versionNumber, expandRelativeUrls, verificationRelationship, and
    did:key's `publicKeyFormat` and `enableEncryptionKeyDerivation`; others are ignored. A DID URL's own `service`,
    `serviceType` and `relativeRef` may stand in the query too, since whoever appends a DID URL puts them there.
    """
    did_or_url = _whole(did_or_url, options)
    form, is_url = _preferred(accept), any(mark in did_or_url for mark in "/?#")
    if form is None or (form == URI_LIST and not is_url):
        problem = Problem("representationNotSupported", "None of the representations asked for is spoken here.")
        return _failure(problem, RESULT, is_url=is_url)
    try:
        if is_url:
            found = dereference(did_or_url, options, accept=form, sources=sources, now=now)
        else:
            asked = reading.read(options)
            resolved = document(did_or_url, asked, sources=sources, now=now)
            found = Dereferenced(shown(resolved, asked), resolved)
        return _success(found, form, is_url=is_url)
    except Problem as problem:
        return _failure(problem, form, is_url=is_url)


def _whole(did_or_url: str, options: Mapping[str, str]) -> str:
    """The DID URL with the parameters that came beside it."""
    beside = {name: options[name] for name in _IN_URLS if name in options}
    if not beside or any(mark in did_or_url for mark in "?#"):
        return did_or_url
    return did_or_url + "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in beside.items())


def _preferred(accept: str | None) -> str | None:
    """The first representation in an Accept header (RFC 9110 §12.5.1) that is spoken here; None when none is."""
    for part in (accept or "")[:1024].split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        if any(re.fullmatch(r"[qQ]=0(\.0*)?", parameter) for parameter in parameters):
            continue
        if kind.lower() in _ANYTHING:
            return RESULT
        if kind.lower() == "application/ld+json":
            return PROFILE if any("https://w3id.org/did-resolution" in each for each in parameters) else DOCUMENT
        if kind.lower() in _ACCEPTED:
            return kind.lower()
    return None


def _success(found: Dereferenced, form: str, *, is_url: bool) -> Resolution:
    gone, resolved = found.resolved.deactivated, found.resolved
    status = 410 if gone else 200
    if found.addresses:
        if form == URI_LIST:
            return Resolution(303, URI_LIST, {}, found.addresses[0])
        raise Problem("representationNotSupported", "The DID URL names an address: ask for text/uri-list.")
    if form in _DOCUMENTS and found.content is not None:
        return Resolution(status, form, found.content)
    about: dict[str, Json] = {"contentType": DOCUMENT}
    if resolved.evidence:
        about["ledger"] = dict(resolved.evidence)
    if form == PROFILE:
        return Resolution(status, PROFILE, _in_profile(found.content or {}, about, resolved, is_url=is_url))
    return Resolution(status, _result(is_url=is_url), _in_draft(found.content, about, resolved, is_url=is_url))


def _failure(problem: Problem, form: str, *, is_url: bool) -> Resolution:
    if form == PROFILE:
        return Resolution(problem.status, PROFILE, _in_profile({}, {"error": problem.name}, None, is_url=is_url))
    error = {"type": problem.type, "title": problem.title, "detail": problem.detail}
    return Resolution(problem.status, _result(is_url=is_url), _in_draft(None, {"error": error}, None, is_url=is_url))


def _result(*, is_url: bool) -> str:
    return DEREFERENCED if is_url else RESULT


def _in_profile(
    found: Mapping[str, Json], about: Mapping[str, Json], resolved: Resolved | None, *, is_url: bool
) -> dict[str, Json]:
    return {
        "@context": "https://w3id.org/did-resolution/v1",
        "didDocument": found,
        "didDocumentMetadata": dict(resolved.metadata) if resolved else {},
        "didDereferencingMetadata" if is_url else "didResolutionMetadata": about,
    }


def _in_draft(
    found: Mapping[str, Json] | None, about: Mapping[str, Json], resolved: Resolved | None, *, is_url: bool
) -> dict[str, Json]:
    metadata = dict(resolved.metadata) if resolved else {}
    if is_url:
        return {"dereferencingMetadata": about, "contentStream": found, "contentMetadata": metadata}
    return {"didResolutionMetadata": about, "didDocument": found, "didDocumentMetadata": metadata}
