"""Presenting: how does a request become an answer? Look, review, consent, respond; or say no.

What is about to be sent is in the history before it is sent, so that nothing is ever shared without a trace, and a
wallet that is stopped half-way knows that it may have been.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from ssi import formats, oid4vp
from ssi.errors import Malformed, Refused, SsiError, Unavailable
from ssi.fetch import Response
from ssi.keys import KeyStore
from ssi.model import Disclosure
from ssi.oid4vp import RequestLink, SignedRequest
from wallet.holder import cards, history, requests
from wallet.holder.alike import full_name, told_apart
from wallet.holder.claims import Line
from wallet.holder.consent import Consent, consent
from wallet.holder.history import What
from wallet.holder.keystore import VaultKeys
from wallet.holder.outside import Outside
from wallet.holder.requests import Request, State
from wallet.holder.review import Review, review
from wallet.holder.vault import Record, Vault, changed

MAX_REQUEST: Final = 262_144
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Outgoing:
    """An answer ready to be sent: where to, and the form."""

    response_uri: str
    form: Mapping[str, str]


def look(vault: Vault, link: str, *, outside: Outside, now: datetime) -> Request:
    """Fetch a request and authenticate who asks, for the person to see; nothing is answered yet.

    Raises what `oid4vp.parse_link` and `oid4vp.open_request` raise, and Unavailable when it cannot be fetched.
    """
    parsed = oid4vp.parse_link(link)
    nonce = secrets.token_urlsafe(24) if parsed.method == "post" else None
    token = _fetched(parsed, nonce, outside)
    _opened(link, token, nonce, outside=outside, now=now)
    return requests.begin(vault, link=link, token=token, wallet_nonce=nonce, now=now)


def shown(vault: Vault, request: Request, *, outside: Outside, now: datetime) -> Review:
    """The request as the consent screen shows it. Raises like `look` (an expired request is Refused)."""
    signed = _opened(request.link, request.token, request.wallet_nonce, outside=outside, now=now)
    return review(signed, cards.all_cards(vault), outside=outside, now=now)


def respond(agreed: Consent, *, keys: KeyStore) -> Outgoing:
    """Make the answer that a person has agreed to, and no other."""
    request = agreed.review.signed.request
    challenge = oid4vp.challenge(request)
    token = {}
    for name, answer in agreed.answers.items():
        made = formats.by_id(answer.card.credential.format).derive(
            answer.card.credential,
            disclose=Disclosure(answer.paths),
            challenge=challenge,
            holder=keys.get(answer.card.key.kid),
            now=agreed.at,
        )
        token[name] = [made.wire]
    return Outgoing(request.response_uri, oid4vp.respond(request, token))


def share(vault: Vault, id: str, *, picks: Mapping[str, str], outside: Outside, now: datetime) -> Request:
    """Send what the person has picked. An answer that did not get through may be sent again.

    Raises Refused and Malformed (`consent.*`), Unavailable when the asker could not be reached; the request
    remembers that as its `problem`.
    """
    request = requests.get_request(vault, id, now=now)
    if request.state is not State.OPEN:
        return request
    agreed = consent(shown(vault, request, outside=outside, now=now), picks=picks, at=now)
    outgoing = respond(agreed, keys=VaultKeys(vault))
    event = _event(vault, request, agreed.review, What.SENDING, shared=_shared(vault, agreed), now=now)
    request, event = requests.reserve(vault, request, event, who=agreed.review.who, now=now)
    try:
        going_on = _post(outgoing, outside, again=request.attempts > 1)
    except SsiError as error:
        _not_sent(vault, request, event, error)
        raise
    done = replace(request, state=State.SHARED, redirect_uri=going_on, problem=None, busy_until=0)
    vault.commit(requests.as_record(done), _now_is(event, What.SHARED))
    return requests.get_request(vault, id, now=now)


def decline(vault: Vault, id: str, *, outside: Outside, now: datetime) -> Request:
    """Say no to the asker. The no stands also when they cannot be told."""
    request = requests.get_request(vault, id, now=now)
    if request.state is not State.OPEN:
        return request
    asked = shown(vault, request, outside=outside, now=now)
    event = _event(vault, request, asked, What.DECLINED, shared=(), now=now)
    request, event = requests.reserve(vault, request, event, who=asked.who, now=now)
    form = oid4vp.decline(asked.signed.request, description="The person declined to share.")
    going_on, problem = None, None
    try:
        going_on = _post(Outgoing(asked.signed.request.response_uri, form), outside, again=False)
    except SsiError as error:
        problem = (error.code, "They could not be told that you declined. Nothing was shared.")
    done = replace(request, state=State.DECLINED, redirect_uri=going_on, problem=problem, busy_until=0)
    vault.commit(requests.as_record(done))
    return requests.get_request(vault, id, now=now)


def _opened(link: str, token: str | None, nonce: str | None, *, outside: Outside, now: datetime) -> SignedRequest:
    parsed = oid4vp.parse_link(link)
    return oid4vp.open_request(token, link=parsed, keys=outside.keys, now=now, wallet_nonce=nonce)


def _fetched(link: RequestLink, nonce: str | None, outside: Outside) -> str | None:
    """The request object (§5.10), or None when the link holds the request itself."""
    if link.request_uri is None:
        return None
    if nonce is None:
        response = outside.fetch.get(link.request_uri, accept=oid4vp.REQUEST_MEDIA_TYPE, max_bytes=MAX_REQUEST)
    else:
        form = urlencode(oid4vp.request_form(link, wallet_nonce=nonce)).encode()
        response = outside.fetch.post(
            link.request_uri, body=form, content_type=_FORM, accept=oid4vp.REQUEST_MEDIA_TYPE, max_bytes=MAX_REQUEST
        )
    if response.status >= 500:
        raise Unavailable("request.unavailable", "The one who asks cannot answer just now. Try again in a moment.")
    if response.status != 200:
        raise Refused("request.gone", "The request is gone: it has expired or was answered. Ask them for a new one.")
    try:
        return response.body.decode("ascii").strip()
    except UnicodeDecodeError:
        raise Malformed("request.text", "What came from the address of the request is not a request.") from None


def _post(outgoing: Outgoing, outside: Outside, *, again: bool) -> str | None:
    """Send an answer; where to go on, if the asker says so (§8.2)."""
    body = urlencode(outgoing.form).encode()
    response = outside.fetch.post(outgoing.response_uri, body=body, content_type=_FORM, accept="application/json")
    if response.status >= 500 or response.status == 429:
        raise Unavailable("request.unavailable", "The other side could not take the answer just now. Try again.")
    if response.status >= 400:
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


def _shared(vault: Vault, agreed: Consent) -> tuple[tuple[str, tuple[Line, ...]], ...]:
    """What the history keeps of an answer: which cards, and what of them."""
    apart, answers = told_apart(cards.all_cards(vault)), agreed.answers.values()
    return tuple((full_name(one.card, apart), one.revealed.asked + one.revealed.always) for one in answers)


def _event(
    vault: Vault,
    request: Request,
    asked: Review,
    what: What,
    *,
    shared: tuple[tuple[str, tuple[Line, ...]], ...],
    now: datetime,
) -> Record:
    """The history's record of this request: a new one, or the one of an earlier try."""
    fresh = history.happened(
        vault,
        what,
        who=asked.who,
        now=now,
        cards=shared,
        purpose=asked.signed.request.purpose or "",
        request=asked.signed.raw,
    )
    if not request.event:
        return fresh
    return replace(vault.get(history.KIND, request.event), data=fresh.data)


def _now_is(event: Record, what: What, *, detail: str = "") -> Record:
    return changed(event, what=what.value, detail=detail)


def _not_sent(vault: Vault, request: Request, event: Record, error: SsiError) -> None:
    """Remember that it failed. After a no of the other side there is nothing to try again."""
    over = isinstance(error, Refused) and error.code == "request.refused"
    detail = error.detail
    if isinstance(error, Unavailable):
        detail = f"Could not reach {request.who.name}. {error.detail}"
    failed = replace(request, problem=(error.code, detail), busy_until=0, state=State.FAILED if over else State.OPEN)
    vault.commit(requests.as_record(failed), _now_is(event, What.FAILED, detail=detail))
