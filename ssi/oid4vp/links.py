"""Request links: what a QR code or a button carries to the wallet (OpenID4VP 1.0 §3.2, §5.7, §9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

from ssi import formats
from ssi.errors import Malformed
from ssi.oid4vp.urls import endpoint

SCHEMES = ("openid4vp", "haip-vp", "https")
"""Schemes of links that can be requests; https is for links that a wallet has claimed."""

MAX_LINK = 65_536
_MAX_PARAMETERS = 64
_WITH_PLUS = tuple(one.ID for one in formats.every() if "+" in one.ID)


@dataclass(frozen=True)
class RequestLink:
    """An asker's identifier as the link has it, and where its request is: at `request_uri`, or in the link itself.

    `method` is how to fetch it, "get" or "post" (§5.1, §5.10); `request` is a request object that came by value;
    `parameters` are all of the link's, which count only when there is neither (§5.10.1).
    """

    client_id: str
    request_uri: str | None = None
    method: str = "get"
    request: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse_link(text: str) -> RequestLink:
    """Read a request link: `openid4vp:`, `haip-vp:`, or an https link with a request's parameters.

    Raises Malformed (`oid4vp.link`, `oid4vp.url`, `oid4vp.request_uri_method`).
    """
    parameters = _parameters(text.strip())
    client_id, request_uri, request = (parameters.get(name) for name in ("client_id", "request_uri", "request"))
    if not client_id:
        raise Malformed("oid4vp.link", "The link does not say who asks.")
    if request_uri is not None and request is not None:  # RFC 9101 §5
        raise Malformed("oid4vp.link", "The link carries a request and an address of one.")
    if request_uri is None and request is None and "response_type" not in parameters:
        raise Malformed("oid4vp.link", "The link is not a request for credentials.")
    method = parameters.get("request_uri_method")
    if method is not None and (request_uri is None or method not in ("get", "post")):  # §5.1: case-sensitive
        raise Malformed("oid4vp.request_uri_method", "The link asks for a method of fetching that does not exist.")
    if request_uri is not None:
        endpoint(request_uri, what="request's address")
    return RequestLink(client_id, request_uri, method or "get", request, parameters)


def request_link(client_id: str, request_uri: str, *, base: str = "openid4vp://", method: str = "get") -> str:
    """The link to a request object that waits at `request_uri`; `base` is a wallet's scheme or its claimed https link.

    >>> request_link("x509_hash:abc", "https://rp.example/r/1")
    'openid4vp://?client_id=x509_hash%3Aabc&request_uri=https%3A%2F%2Frp.example%2Fr%2F1'
    """
    parameters = {"client_id": client_id, "request_uri": request_uri}
    if method != "get":
        parameters["request_uri_method"] = method
    return f"{base}{'&' if '?' in base else '?'}{urlencode(parameters)}"


def _plus(query: str) -> str:
    """A query in which the plus of a format's name stays one: some askers leave it unencoded, which means a space."""
    for name in _WITH_PLUS:
        query = query.replace(name, name.replace("+", "%2B"))
    return query


def _parameters(text: str) -> dict[str, str]:
    """The link's parameters, none of them twice (RFC 6749 §3.1)."""
    if len(text) > MAX_LINK or not text.isascii() or not text.isprintable():
        raise Malformed("oid4vp.link", "The text is not a link.")
    try:
        parts = urlsplit(text)
        pairs = parse_qsl(
            _plus(parts.query),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )
    except ValueError:
        raise Malformed("oid4vp.link", "The text is not a link to a request for credentials.") from None
    if parts.scheme not in SCHEMES:
        raise Malformed("oid4vp.link", "The text is not a link to a request for credentials.")
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise Malformed("oid4vp.link", "The link says the same thing twice.")
    return parameters
