"""DID resolution for others: what a resolver's HTTP endpoint answers (DID Resolution, "HTTP(S) Binding").

Two dialects are spoken, since two communities expect each its own: the present draft's (errors are objects with a type,
`application/did-resolution`), and the one that did:key resolvers grew up with (errors are words, a JSON-LD profile).
Paths and queries of DID URLs lead nowhere here, and nothing is resolved as it was in the past.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ssi import dids
from ssi.dids import keyformats
from ssi.dids.document import RELATIONSHIPS
from ssi.dids.keyformats import Form
from ssi.dids.problems import Problem, problem_of
from ssi.encoding import Json
from ssi.errors import SsiError
from ssi.fetch import Fetch

RESULT: Final = "application/did-resolution"
DEREFERENCED: Final = "application/did-url-dereferencing"
PROFILE: Final = 'application/ld+json;profile="https://w3id.org/did-resolution"'
DOCUMENT: Final = "application/did"
_DOCUMENTS: Final = ("application/did", "application/did+json", "application/did+ld+json", "application/json")
_ACCEPTED: Final = (RESULT, DEREFERENCED, PROFILE, *_DOCUMENTS)
_ANYTHING: Final = ("", "*/*", "application/*")

_PCHAR: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_URL: Final = re.compile(
    rf"(?P<did>did:[a-z0-9]+:[^/?#]+)(?:/{_PCHAR}*)*(?:\?(?:{_PCHAR}|[/?])*)?(?:#(?:{_PCHAR}|[/?])*)?"
)
_MAX_URL: Final = 4096
_PAST: Final = ("versionId", "versionTime", "expandRelativeUrls", "hl")


@dataclass(frozen=True)
class Resolution:
    """An HTTP response's status, media type and JSON body."""

    status: int
    content_type: str
    body: Mapping[str, Json]


def resolution(
    did_or_url: str, *, accept: str | None, options: Mapping[str, str], fetch: Fetch, now: datetime
) -> Resolution:
    """Answer for a DID, or a DID URL with a fragment; `options` are the query's. Raises nothing that outsiders cause.

    Options read are did:key's `publicKeyFormat`, `enableExperimentalPublicKeyTypes` and
    `enableEncryptionKeyDerivation`; those about the past are refused, others are ignored.
    """
    form, is_url = _preferred(accept), any(mark in did_or_url for mark in "/?#")
    if form is None:
        problem = Problem("representationNotSupported", "None of the representations asked for is spoken here.")
        return _failure(problem, RESULT, is_url=is_url)
    try:
        find = _dereferenced if is_url else _document
        return _success(find(did_or_url, options, fetch, now), form, is_url=is_url)
    except Problem as problem:
        return _failure(problem, form, is_url=is_url)


def _document(did: str, options: Mapping[str, str], fetch: Fetch, now: datetime) -> Mapping[str, Json]:
    if any(name in options for name in _PAST):
        raise Problem("featureNotSupported", "Documents are resolved as they are now, and as they were written.")
    try:
        resolved = dids.resolve(did, fetch=fetch, now=now)
        form = _form(options)
        if did.startswith("did:key:") and form != Form():
            return keyformats.document(did, form)
    except SsiError as error:
        raise problem_of(error, did) from None
    return resolved.json


def _dereferenced(url: str, options: Mapping[str, str], fetch: Fetch, now: datetime) -> Mapping[str, Json]:
    """What a fragment names in the document ("DID URL Dereferencing Algorithm")."""
    match = _URL.fullmatch(url) if len(url) <= _MAX_URL else None
    if match is None:
        raise Problem("invalidDidUrl", "The text is not a DID URL.")
    did = match["did"]
    rest = url[len(did) :]
    if not rest.startswith("#"):
        raise Problem("notFound", "There is nothing under this path or query.")
    document = _document(did, options, fetch, now)
    if did.startswith("did:key:") and rest.startswith("#z6LS"):  # to name the derived key is to ask for it
        document = _document(did, {**options, "enableEncryptionKeyDerivation": "true"}, fetch, now)
    for place in ("verificationMethod", *RELATIONSHIPS, "service"):
        entries = document.get(place)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, Mapping) and entry.get("id") in (url, rest):
                return {"@context": document.get("@context", []), **entry, "id": url}
    raise Problem("notFound", "The DID's document has nothing of this name.")


def _form(options: Mapping[str, str]) -> Form:
    name = options.get("publicKeyFormat", keyformats.MULTIKEY)
    return Form(name, encryption=options.get("enableEncryptionKeyDerivation", "").lower() == "true")


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


def _success(found: Mapping[str, Json], form: str, *, is_url: bool) -> Resolution:
    if form in _DOCUMENTS:
        return Resolution(200, form, found)
    about = {"contentType": DOCUMENT}
    if form == PROFILE:
        return Resolution(200, PROFILE, _in_profile(found, about, is_url=is_url))
    return Resolution(200, DEREFERENCED if is_url else RESULT, _in_draft(found, about, is_url=is_url))


def _failure(problem: Problem, form: str, *, is_url: bool) -> Resolution:
    if form == PROFILE:
        return Resolution(problem.status, PROFILE, _in_profile({}, {"error": problem.name}, is_url=is_url))
    error = {"type": problem.type, "title": problem.title, "detail": problem.detail}
    content_type = DEREFERENCED if is_url else RESULT
    return Resolution(problem.status, content_type, _in_draft(None, {"error": error}, is_url=is_url))


def _in_profile(found: Mapping[str, Json], about: Mapping[str, Json], *, is_url: bool) -> dict[str, Json]:
    return {
        "@context": "https://w3id.org/did-resolution/v1",
        "didDocument": found,
        "didDocumentMetadata": {},
        "didDereferencingMetadata" if is_url else "didResolutionMetadata": about,
    }


def _in_draft(found: Mapping[str, Json] | None, about: Mapping[str, Json], *, is_url: bool) -> dict[str, Json]:
    if is_url:
        return {"dereferencingMetadata": about, "contentStream": found, "contentMetadata": {}}
    return {"didResolutionMetadata": about, "didDocument": found, "didDocumentMetadata": {}}
