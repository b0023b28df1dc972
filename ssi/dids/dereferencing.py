"""DID URLs: what is under this path, query or fragment of a DID (DID Resolution, "DID URL Dereferencing")?

A document, a part of one (a key, a service), or the addresses at which a service offers something: those are named, and
never fetched. A version in the URL's query is a version of the document. A reference relative to a service's endpoint
is resolved as RFC 3986 §5 says; it may not lead to another host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import unquote, urljoin

from ssi import dids
from ssi.dids import keyformats, options
from ssi.dids.document import RELATIONSHIPS, checked
from ssi.dids.keyformats import Form
from ssi.dids.options import Options
from ssi.dids.problems import Problem, problem_of
from ssi.dids.services import Service, absolute
from ssi.dids.sources import CURRENT, Resolved, Sources
from ssi.encoding import Json
from ssi.errors import SsiError

URI_LIST: Final = "text/uri-list"
DOCUMENT: Final = "application/did"
MAX_URL: Final = 4096
_PCHAR: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_URL: Final = re.compile(
    rf"(?P<did>did:[a-z0-9]+:[^/?#]+)(?P<path>(?:/{_PCHAR}*)*)"
    rf"(?:\?(?P<query>(?:{_PCHAR}|[/?])*))?(?:#(?P<fragment>(?:{_PCHAR}|[/?])*))?"
)
_ENDPOINT: Final = re.compile(r"https?://[A-Za-z0-9._~!$&'()*+,;=:@/?#%-]+")
_REFERENCE: Final = re.compile(r"(?!//)(?![A-Za-z][A-Za-z0-9+.-]*:)[A-Za-z0-9._~!$&'()*+,;=:@/?#%-]*")
_PARAMETERS: Final = ("service", "serviceType", "relativeRef", "hl", *options.VERSIONS)
_SCALAR: Final = "The DID URL names one parameter twice."
_WITH_PATHS: Final = ("did:webvh:",)
"""Methods that say what a path leads to."""


@dataclass(frozen=True)
class DidUrl:
    """A DID URL in its parts; `query` holds the parameters, decoded, each once. `fragment` None: there is none."""

    did: str
    path: str = ""
    query: Mapping[str, str] | None = None
    fragment: str | None = None


@dataclass(frozen=True)
class Dereferenced:
    """What was found, and the document it is from: a JSON object, or addresses (`content_type` is then URI_LIST)."""

    content: Mapping[str, Json] | None
    resolved: Resolved
    content_type: str = DOCUMENT
    addresses: tuple[str, ...] = ()


def parse(url: str) -> DidUrl:
    """Read a DID URL (DID Core 1.1 §3.2).

    >>> parse("did:example:1?versionId=2#key").query
    {'versionId': '2'}

    Raises Problem (`invalidDidUrl`), also for a parameter that comes twice.
    """
    match = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    if match is None:
        raise Problem("invalidDidUrl", "The text is not a DID URL.")
    try:
        did = checked(match["did"])
        query = None if match["query"] is None else _parameters(match["query"])
    except Problem:
        raise
    except (SsiError, UnicodeDecodeError):
        raise Problem("invalidDidUrl", "The text is not a DID URL.") from None
    return DidUrl(did, match["path"], query, match["fragment"])


def document(did: str, asked: Options, *, sources: Sources, now: datetime) -> Resolved:
    """The document of a DID, as `asked`. Raises Problem."""
    try:
        return dids.resolve(did, sources=sources, version=asked.version, now=now)
    except SsiError as error:
        raise problem_of(error, did) from None


def shown(resolved: Resolved, asked: Options) -> Mapping[str, Json] | None:
    """The document's JSON in the form asked for; None when the DID has been deactivated. Raises Problem."""
    did = resolved.document.id
    if resolved.deactivated and asked.version == CURRENT:
        return None
    json = resolved.document.json
    if did.startswith("did:key:") and asked.form != Form():
        try:
            json = keyformats.document(did, asked.form)
        except SsiError as error:
            raise problem_of(error, did) from None
    return _expanded(json, did) if asked.expand else json


def dereference(
    url: str, given: Mapping[str, str], *, accept: str | None, sources: Sources, now: datetime
) -> Dereferenced:
    """What a DID URL names. `accept` is URI_LIST where the addresses of services are wanted, not a document.

    Raises Problem, and nothing else that outsiders cause.
    """
    parts = parse(url)
    query = dict(parts.query or {})
    versions: dict[str, str] = {name: query[name] for name in (*options.VERSIONS, "hl") if name in query}
    served = "service" in query or "serviceType" in query
    if (parts.path and not parts.did.startswith(_WITH_PATHS)) or not (served or versions or parts.query is None):
        raise Problem("notFound", "There is nothing under this path or query.")
    if versions and any(name in given for name in options.VERSIONS):
        raise Problem("invalidOptions", "A version is asked for in the DID URL and beside it.")
    asked = options.read({**given, **versions})
    if parts.fragment is not None and parts.did.startswith("did:key:") and parts.fragment.startswith("z6LS"):
        asked = _with_encryption(asked, parts)  # to name the derived key is to ask for it
    resolved = document(parts.did, asked, sources=sources, now=now)
    json = shown(resolved, asked)
    if json is None:
        return Dereferenced(None, resolved)
    if parts.path:
        return _addressed(_implied(parts, resolved), parts.fragment, resolved)
    if served:
        return _served(parts, resolved, json, accept)
    if parts.fragment is None:
        return Dereferenced(json, resolved)
    return Dereferenced(_part(json, parts, asked), resolved)


def _parameters(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        name = unquote(name, errors="strict")
        if name in found and name in _PARAMETERS:  # "an ambiguous input with no well-defined resolution behavior"
            raise Problem("invalidDidUrl", _SCALAR)
        found[name] = unquote(value, errors="strict")
    return found


def _with_encryption(asked: Options, parts: DidUrl) -> Options:
    if parts.did.startswith("did:key:z6LS"):
        return asked
    return Options(asked.version, asked.expand, asked.relationship, Form(asked.form.name, encryption=True))


def _served(parts: DidUrl, resolved: Resolved, json: Mapping[str, Json], accept: str | None) -> Dereferenced:
    """Services by id and type: the document with only those, or their addresses ("Dereferencing the Resource" 5)."""
    query = parts.query or {}
    wanted = absolute("#" + query["service"].removeprefix("#"), parts.did) if "service" in query else None
    if wanted is not None and query["service"].startswith("did:"):
        wanted = query["service"]
    chosen = [
        service
        for service in resolved.document.services
        if wanted in (None, service.id) and query.get("serviceType", service.types[0]) in service.types
    ]
    if not chosen:
        raise Problem("notFound", "The DID's document has no such service.")
    if accept == URI_LIST:
        return _addressed(_addresses(chosen, query.get("relativeRef")), parts.fragment, resolved)
    if parts.fragment is not None:
        raise Problem("notFound", "A fragment of a service is under its address: ask for that.")
    ids = [service.id for service in chosen]
    entries = [entry for entry in json["service"] if absolute(entry["id"], parts.did) in ids]
    return Dereferenced({**json, "service": entries}, resolved)


def _addresses(chosen: Iterable[Service], reference: str | None) -> tuple[str, ...]:
    """The services' endpoints, with the relative reference applied (RFC 3986 §5)."""
    if reference is not None and not _REFERENCE.fullmatch(reference):
        raise Problem("invalidDidUrl", "The reference is not relative to the service's endpoint.")
    urls = [url for service in chosen for url in service.urls if _ENDPOINT.fullmatch(url)]
    return tuple(url if reference is None else urljoin(url, reference) for url in urls)


def _implied(parts: DidUrl, resolved: Resolved) -> tuple[str, ...]:
    """What a path leads to, in methods that say so: did:webvh 1.0, "DID URL Handling" (`/whois`, and files)."""
    name = "whois" if parts.path == "/whois" else "files"
    chosen = [service for service in resolved.document.services if service.id == f"{parts.did}#{name}"]
    if name == "whois":
        return _addresses(chosen, None)
    plain = unquote(parts.path, errors="replace")
    if any(segment in (".", "..") for segment in plain.split("/")) or "\\" in plain:
        raise Problem("invalidDidUrl", "The path leads out of the service's place.")
    return tuple(url.rstrip("/") + parts.path for url in _addresses(chosen, None))


def _addressed(urls: tuple[str, ...], fragment: str | None, resolved: Resolved) -> Dereferenced:
    """Addresses "inherit" the fragment of the DID URL ("Dereferencing the Fragment" 2)."""
    if not urls or not all(_ENDPOINT.fullmatch(url) for url in urls):
        raise Problem("notFound", "The service has no address that can be given.")
    if fragment is not None:
        if any("#" in url for url in urls):
            raise Problem("invalidDidUrl", "The service's address has a fragment of its own.")
        urls = tuple(f"{url}#{fragment}" for url in urls)
    return Dereferenced(None, resolved, URI_LIST, urls)


def _part(json: Mapping[str, Json], parts: DidUrl, asked: Options) -> Mapping[str, Json]:
    """What a fragment names in the document ("Dereferencing the Fragment")."""
    url = f"{parts.did}#{parts.fragment}"
    places = {place: _entry(json.get(place), url, parts.did) for place in ("verificationMethod", *RELATIONSHIPS)}
    method = next((found for found in places.values() if found is not None), None)
    if asked.relationship is not None:
        if method is None:
            raise Problem("invalidVerificationMethod", "The DID URL does not name a key of the document.")
        if not _related(json.get(asked.relationship), url, parts.did):
            detail = "The DID's document does not allow the key to be used so."
            raise Problem("invalidRelationshipForVerificationMethod", detail)
    found = method if method is not None else _entry(json.get("service"), url, parts.did)
    if found is None:
        raise Problem("notFound", "The DID's document has nothing of this name.")
    return {"@context": json.get("@context", []), **found, "id": url}


def _entry(entries: Json, url: str, did: str) -> Mapping[str, Json] | None:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping) and isinstance(name := entry.get("id"), str) and absolute(name, did) == url:
            return entry
    return None


def _related(entries: Json, url: str, did: str) -> bool:
    listed = [each for each in entries if isinstance(each, str)] if isinstance(entries, list) else []
    return any(absolute(each, did) == url for each in listed) or _entry(entries, url, did) is not None


def _expanded(json: Mapping[str, Json], did: str) -> dict[str, Json]:
    """The document with its relative DID URLs made absolute ("DID Resolution Algorithm" 5.4)."""

    def whole(entry: Json, *, related: bool) -> Json:
        if isinstance(entry, str):
            return absolute(entry, did) if related else entry
        if isinstance(entry, Mapping) and isinstance(name := entry.get("id"), str):
            return {**entry, "id": absolute(name, did)}
        return entry

    return {
        name: [whole(entry, related=name in RELATIONSHIPS) for entry in value] if isinstance(value, list) else value
        for name, value in json.items()
    }
