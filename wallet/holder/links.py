"""Links: what did a person scan, paste or click? An offer, a request, or something else, which is then named."""

from __future__ import annotations

from enum import Enum
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from ssi.errors import Malformed

MAX_LINK: Final = 32_768
_OFFER: Final = frozenset({"credential_offer", "credential_offer_uri"})
_REQUEST: Final = frozenset({"request_uri", "request", "dcql_query"})
_KNOWN: Final = {
    "http": "a web address",
    "https": "a web address",
    "mailto": "an e-mail address",
    "tel": "a phone number",
    "sms": "a text message",
    "geo": "a place on a map",
    "otpauth": "a code for an authenticator app",
    "bitcoin": "a payment request",
    "ethereum": "a payment request",
    "mdoc": "a mobile document",
    "shc": "a health card",
    "begin": "a contact card",
    "mecard": "a contact card",
    "wifi": "a Wi-Fi password",
}


class Kind(Enum):
    """What a link asks of the wallet."""

    OFFER = "offer"
    REQUEST = "request"


def kind(text: str) -> Kind:
    """Whether a text brings an offer or a request.

    Raises Malformed (`link.empty`, `link.long`, `link.other`) with a sentence that says what it is instead.
    """
    link = text.strip()
    if not link:
        raise Malformed("link.empty", "There is nothing to open. Scan a code or paste a link.")
    if len(link) > MAX_LINK:
        raise Malformed("link.long", "That is too long for an offer or a request.")
    names = _parameters(link)
    if link.startswith("{") or names & _OFFER:
        return Kind.OFFER
    if names & _REQUEST and "client_id" in names:
        return Kind.REQUEST
    raise Malformed("link.other", f"This is {_what(link)}, not an offer of a card and not a request for your data.")


def _parameters(link: str) -> frozenset[str]:
    try:
        query = urlsplit(link).query
        return frozenset(name for name, _ in parse_qsl(query, keep_blank_values=True, max_num_fields=64))
    except ValueError:
        return frozenset()


def _what(link: str) -> str:
    scheme, colon, _ = link.partition(":")
    if colon and scheme.lower() in _KNOWN:
        return _KNOWN[scheme.lower()]
    if link.count("~") > 1 and link.startswith("ey"):
        return "a credential itself"
    if link.isdigit():
        return "a number"
    return "some other text"
