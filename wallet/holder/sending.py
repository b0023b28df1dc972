"""Sending: by which way does an answer leave the wallet, and what comes back?

It is posted to the asker, or the person's browser carries it in the fragment of an address, or it is handed to the page
that asked (OpenID4VP 1.0 §8.2, §5.6, A.4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from ssi import oid4vp
from ssi.encoding import Json
from ssi.errors import Malformed, Refused, SsiError, Unavailable
from ssi.fetch import Response
from ssi.oid4vp import AuthorizationRequest, RequestLink
from wallet.holder.outside import Outside

MAX_REQUEST: Final = 262_144
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Outgoing:
    """An answer ready to be sent: a form to post to `response_uri`, an address to go to, or data for the page."""

    response_uri: str | None = None
    form: Mapping[str, str] | None = None
    address: str | None = None
    data: Mapping[str, Json] | None = None


@dataclass(frozen=True)
class Sent:
    """What became of it: where the person goes on (`carried`: with the answer), or what the page is handed."""

    redirect_uri: str | None = None
    answer: Mapping[str, Json] | None = None
    carried: bool = False


def answering(
    request: AuthorizationRequest, vp_token: Mapping[str, Sequence[str]], receipts: Mapping[str, Sequence[Json]]
) -> Outgoing:
    """Presentations and their receipts, on the way that the request wants. Raises as `oid4vp.respond`."""
    if request.response_mode in oid4vp.DC_MODES:
        return Outgoing(data=oid4vp.respond_to_page(request, vp_token, receipts=receipts))
    return _by_form(request, oid4vp.respond(request, vp_token, receipts=receipts))


def declining(request: AuthorizationRequest, *, description: str) -> Outgoing:
    """A no, on the way that the request wants (§8.5)."""
    if request.response_mode in oid4vp.DC_MODES:
        return Outgoing(data=oid4vp.decline_page())
    return _by_form(request, oid4vp.decline(request, description=description))


def _by_form(request: AuthorizationRequest, form: Mapping[str, str]) -> Outgoing:
    if request.response_mode in oid4vp.FRAGMENT_MODES:
        return Outgoing(address=oid4vp.fragment_url(request, form))
    return Outgoing(request.response_uri, form)


def send(outgoing: Outgoing, outside: Outside, *, again: bool) -> Sent:
    """Send an answer. Raises Unavailable (`request.unavailable`, `fetch.*`), Refused (`request.refused`)."""
    if outgoing.response_uri is None or outgoing.form is None:
        return Sent(outgoing.address, outgoing.data, outgoing.address is not None)
    return Sent(_post(outgoing.response_uri, outgoing.form, outside, again=again))


def fetched(link: RequestLink, form: Mapping[str, str] | None, outside: Outside) -> str | None:
    """The request object (§5.10), or None when the link holds the request itself; `form` is what to post for it.

    Raises Unavailable (`request.unavailable`, `fetch.*`), Refused (`request.gone`), Malformed (`request.text`).
    """
    if link.request_uri is None:
        return None
    if form is None:
        response = outside.fetch.get(link.request_uri, accept=oid4vp.REQUEST_MEDIA_TYPE, max_bytes=MAX_REQUEST)
    else:
        body = urlencode(form).encode()
        response = outside.fetch.post(
            link.request_uri, body=body, content_type=_FORM, accept=oid4vp.REQUEST_MEDIA_TYPE, max_bytes=MAX_REQUEST
        )
    if response.status >= 500:
        raise Unavailable("request.unavailable", "The one who asks cannot answer just now. Try again in a moment.")
    if response.status != 200:
        raise Refused("request.gone", "The request is gone: it has expired or was answered. Ask them for a new one.")
    try:
        return response.body.decode("ascii").strip()
    except UnicodeDecodeError:
        raise Malformed("request.text", "What came from the address of the request is not a request.") from None


def tell(response_uri: str, form: Mapping[str, str], outside: Outside) -> None:
    """Tell an asker what is wrong with its request, if it can be told."""
    try:
        _post(response_uri, form, outside, again=False)
    except SsiError:
        return


def _post(response_uri: str, form: Mapping[str, str], outside: Outside, *, again: bool) -> str | None:
    """Post a form; where to go on, if the asker says so (§8.2)."""
    body = urlencode(form).encode()
    response = outside.fetch.post(response_uri, body=body, content_type=_FORM, accept="application/json")
    if response.status >= 500 or response.status == 429:
        raise Unavailable("request.unavailable", "The other side could not take the answer just now. Try again.")
    if response.status >= 300:  # §14.7: redirects are not followed, and are errors
        if again:
            raise Refused("request.refused", "They take no answer any more. An earlier try may have reached them.")
        raise Refused("request.refused", "The other side did not take the answer. Ask them for a new request.")
    return _going_on(response)


def _going_on(response: Response) -> str | None:
    """The address to go on to: https only. An answer that cannot be read leads nowhere, and takes nothing back."""
    try:
        target = oid4vp.read_receipt(response.body)
    except SsiError:
        return None
    return target if target is not None and target.startswith("https://") else None
