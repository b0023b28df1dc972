"""did:web: the document lies on a web site, and the identifier says where (did:web method)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from ssi.dids.document import parse
from ssi.dids.sources import Resolved, Sources, Version, only_current
from ssi.encoding import Json, read_json_object
from ssi.errors import Malformed, Refused, Unavailable
from ssi.keys import PublicKey

NAME: Final = "web"
_PREFIX: Final = "did:web:"
_HOST = re.compile(
    r"(?=[A-Za-z0-9.-]*[A-Za-z])([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(?:%3[Aa]([0-9]{1,5}))?"
)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_SEGMENT = re.compile(r"[^\x00-\x20/\\?#%\x7f]+")
_MAX_DOCUMENT: Final = 262_144


def resolve(did: str, *, sources: Sources, version: Version, now: datetime) -> Resolved:  # the web states no time
    """Fetch the document over HTTPS. Whoever resolves often keeps what came (`ssi.issuerkeys` does).

    Raises Malformed (`did.web`, `did.document`, `did.id`, …), Refused (`did.not_found`, `fetch.*`), Unavailable
    (`did.unavailable`, `fetch.*`).
    """
    only_current(version)
    response = sources.fetch.get(
        location(did), accept="application/did+json, application/json", max_bytes=_MAX_DOCUMENT
    )
    if response.status in (404, 410):
        raise Refused("did.not_found", "There is no document at the place that the DID names.")
    if not 200 <= response.status < 300:
        raise Unavailable("did.unavailable", "The DID's document could not be had.")
    return Resolved(parse(read_json_object(response.body, what="DID document"), did=did))


def location(did: str) -> str:
    """Where the document lies ("Read (Resolve)").

    >>> location("did:web:example.com%3A3000:user:alice")
    'https://example.com:3000/user/alice/did.json'

    IP addresses are refused, as the method says; so are segments that would change the path's meaning.
    Raises Malformed (`did.web`).
    """
    host, *path = did.removeprefix(_PREFIX).split(":") if did.startswith(_PREFIX) else [""]
    match = _HOST.fullmatch(host)
    if match is None or not _is_name(match[1]) or not 0 < int(match[2] or 443) <= 65_535:
        raise Malformed("did.web", "The did:web does not name a host.")
    if not all(_is_segment(segment) for segment in path):
        raise Malformed("did.web", "The did:web names a path that is not allowed.")
    place = "/".join(path) if path else ".well-known"
    return f"https://{match[1].lower()}{':' + match[2] if match[2] else ''}/{place}/did.json"


def from_url(base_url: str) -> str:
    """The did:web of whoever serves under an HTTPS URL.

    >>> from_url("https://localhost:8441")
    'did:web:localhost%3A8441'

    Raises Malformed (`did.web`).
    """
    parts = urlsplit(base_url)
    if parts.scheme != "https" or parts.query or parts.fragment:
        raise Malformed("did.web", "A did:web needs an HTTPS URL without query and fragment.")
    path = [quote(segment, safe="%-._~") for segment in parts.path.strip("/").split("/") if segment]
    did = _PREFIX + ":".join([parts.netloc.replace(":", "%3A"), *path])
    location(did)
    return did


def document(did: str, keys: Mapping[str, PublicKey]) -> dict[str, Json]:
    """The document to publish: each key, under its fragment, for authentication and assertions."""
    methods = [
        {"id": f"{did}#{fragment}", "type": "JsonWebKey2020", "controller": did, "publicKeyJwk": dict(key.jwk)}
        for fragment, key in keys.items()
    ]
    ids = [method["id"] for method in methods]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"],
        "id": did,
        "verificationMethod": methods,
        "authentication": ids,
        "assertionMethod": ids,
    }


def _is_name(host: str) -> bool:
    """Is this a domain name, and nothing that anybody reads as an IP address ("0x7f.1" too: its end is a number)?"""
    labels = host.split(".")
    return all(_LABEL.fullmatch(label) for label in labels) and not _NUMBER.fullmatch(labels[-1])


def _is_segment(segment: str) -> bool:
    plain = unquote(segment, errors="replace")
    return bool(_SEGMENT.fullmatch(plain)) and plain.strip(".") != ""
