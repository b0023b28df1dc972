"""What goes over the wire between kills: an honest answer to a request, and where a credential's status stands."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx

from scripts import rogue
from ssi import oid4vp
from ssi.encoding import unb64url
from ssi.formats import sdjwt
from ssi.issuerkeys import Keys
from ssi.model import ClaimPath, Disclosure
from ssi.status.bits import read_list
from tests.support import InMemoryFetch


def answer(
    http: httpx.Client, created: dict[str, str], possession: rogue.Loot, paths: tuple[ClaimPath, ...]
) -> tuple[str, dict[str, str]]:
    """Where to post, and the form that answers a request in the response mode that it asks for (OpenID4VP 1.0 §8)."""
    now, token = datetime.now(UTC), http.get(created["request_uri"]).text
    link, keys = oid4vp.parse_link(created["link"]), Keys(InMemoryFetch({}))  # the key is in the request's x5c
    request = oid4vp.open_request(token, link=link, keys=keys, now=now).request
    made = sdjwt.derive(
        possession.credential,
        disclose=Disclosure(paths),
        challenge=oid4vp.challenge(request),
        holder=possession.holder,
        now=now,
    )
    return request.response_uri, oid4vp.respond(request, {request.query.credentials[0].id: [made.wire]})


def place(wire: str) -> tuple[str, int]:
    """The status list and index that a credential names."""
    reference = _payload(wire.split("~", maxsplit=1)[0])["status"]["status_list"]
    return reference["uri"], reference["idx"]


def published(http: httpx.Client, at: tuple[str, int]) -> int:
    """The status that is published at a place, read without checking who signed the list."""
    uri, index = at
    return read_list(_payload(http.get(uri).text)["status_list"]).get(index)


def nonce(request_object: str) -> str:
    """The nonce of a request object, unchecked."""
    return str(_payload(request_object)["nonce"])


def _payload(token: str) -> Any:
    return json.loads(unb64url(token.split(".")[1]))
