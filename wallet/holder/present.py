"""Presenting: how does a request become an answer? Look, review, consent, respond; or say no.

What is about to be sent is in the history before it is sent, so that nothing is ever shared without a trace, and a
wallet that is stopped half-way knows that it may have been.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from ssi import formats, haip, oid4vp
from ssi.encoding import Json, instant, read_json_object
from ssi.errors import Refused, SsiError, Unavailable
from ssi.jose import jws
from ssi.jose.jwe import DecryptionKey
from ssi.keys import KeyStore
from ssi.model import Challenge, Disclosure, Outcome
from ssi.oid4vp import Asker, PageReader, RequestLink, SignedRequest, transactions
from wallet.holder import cards, history, requests, sending
from wallet.holder.alike import full_name, told_apart
from wallet.holder.claims import Line
from wallet.holder.consent import Consent, Picks, consent
from wallet.holder.history import What
from wallet.holder.keystore import VaultKeys
from wallet.holder.outside import Outside
from wallet.holder.requests import Page, Request, State
from wallet.holder.review import Choice, Review, asked_by, review
from wallet.holder.sending import Outgoing, Sent
from wallet.holder.vault import Record, Vault, changed


def look(vault: Vault, link: str, *, outside: Outside, now: datetime) -> Request:
    """Fetch a request and authenticate who asks, for the person to see; nothing is answered yet.

    Raises what `oid4vp.parse_link` and `oid4vp.open_request` raise, `request.attester`, and Unavailable when it cannot
    be fetched. The asker of a request that cannot be taken hears of that only from `tell`.
    """
    return requests.begin(vault, _looked(vault, link, outside=outside, now=now, telling=False))


def tell(vault: Vault, link: str, *, outside: Outside, now: datetime) -> bool:
    """Tell who asks, if they prove who they are, why their request cannot be taken (§8.5); was there anybody to tell?

    That is the person's to do: it says that a wallet is here, though nothing of what it holds. Raises like `look` where
    the request cannot be fetched.
    """
    try:
        _looked(vault, link, outside=outside, now=now, telling=True)
    except _Told:
        return True
    except SsiError as problem:
        if isinstance(problem, Unavailable):
            raise
        return False
    return False


class _Told(Exception):
    """The asker was told why the request cannot be taken."""


def _looked(vault: Vault, link: str, *, outside: Outside, now: datetime, telling: bool) -> Request:
    """A request that was fetched and opened; `telling` answers one that cannot be taken, and raises `_Told`."""
    parsed = oid4vp.parse_link(link)
    nonce, key = None, DecryptionKey.generate()
    form = None
    if parsed.method == "post":
        nonce = secrets.token_urlsafe(24)
        known = bool(outside.clients)
        form = oid4vp.request_form(parsed, wallet_nonce=nonce, key=key, known_clients=known)
    token = sending.fetched(parsed, form, outside)
    try:
        token = None if token is None else oid4vp.decrypt_request(token, keys=(key,) if nonce else ())
        request = requests.fresh(vault, link=link, token=token, wallet_nonce=nonce, now=now)
        _opened(request, outside=outside, now=now)
    except SsiError as problem:
        if telling and _tell(problem, token, parsed, outside=outside, now=now):
            raise _Told from problem
        raise
    return request


def look_at_page(vault: Vault, protocol: str, data: Json, *, origin: str, outside: Outside, now: datetime) -> Request:
    """A request that a page made through the browser, for the person to see (Appendix A); nothing is answered yet.

    `origin` is what the platform says about the page. Raises what `oid4vp.open_page_request` raises.
    """
    request = requests.fresh(vault, page=Page(protocol, data, origin), now=now)
    _opened(request, outside=outside, now=now)
    return requests.begin(vault, request)


def shown(vault: Vault, request: Request, *, outside: Outside, now: datetime) -> Review:
    """The request as the consent screen shows it. Raises like `look` (an expired request is Refused)."""
    signed = _opened(request, outside=outside, now=now)
    _check_open(signed, now=now)
    return review(signed, cards.all_cards(vault), outside=outside, now=now)


def _check_open(signed: SignedRequest, *, now: datetime) -> None:
    """Nobody is asked for a yes that comes too late: here no leeway is given, for the asker's clock gives none.

    Raises Refused (`oid4vp.expired`).
    """
    if not signed.raw or signed.raw.startswith("{"):  # from the link itself, or by a page that waits for the answer
        return
    said = read_json_object(jws.parse(signed.raw, typ=None).payload, what="request")
    expires = instant(said, "exp")
    if expires is not None and expires <= now:
        raise Refused("oid4vp.expired", "The request has expired. Ask them for a new one.")


def respond(agreed: Consent, *, keys: KeyStore) -> Outgoing:
    """Make the answer that a person has agreed to, and no other.

    A transaction is authorized by one credential alone (§5.1): the first of those chosen for its question. A copy's
    receipt goes with it: it says no more than the copy, and nothing that another copy would say too.
    """
    request = agreed.review.signed.request
    bound = oid4vp.assigned(request, {name: some[0].card.credential.format for name, some in agreed.answers.items()})
    token = {
        name: [
            _derived(one, bound[name] if place == 0 else replace(bound[name], transaction_data=()), agreed, keys)
            for place, one in enumerate(some)
        ]
        for name, some in agreed.answers.items()
    }
    receipts = {name: [one.card.receipt for one in some] for name, some in agreed.answers.items()}
    return sending.answering(request, token, receipts)


def _derived(answer: Choice, challenge: Challenge, agreed: Consent, keys: KeyStore) -> str:
    """One presentation of the chosen card's next copy."""
    made = formats.by_id(answer.card.credential.format).derive(
        answer.card.credential,
        disclose=Disclosure(answer.paths),
        challenge=challenge,
        holder=keys.get(answer.card.key.kid),
        now=agreed.at,
    )
    return made.wire


def share(vault: Vault, id: str, *, picks: Picks, outside: Outside, now: datetime) -> Request:
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
    spent = _spent(agreed, now=now)
    request, event = requests.reserve(vault, request, event, who=agreed.review.who, now=now, spent=spent)
    try:
        sent = sending.send(outgoing, outside, again=request.attempts > 1)
    except SsiError as error:
        _not_sent(vault, request, event, error)
        raise
    done = _done(request, State.SHARED, sent)
    vault.commit(requests.as_record(done), _now_is(event, What.SHARED, detail=_authorized(agreed.review)))
    return requests.get_request(vault, id, now=now)


def decline(vault: Vault, id: str, *, outside: Outside, now: datetime) -> Request:
    """Say no to the asker. The no stands also when they cannot be told."""
    request = requests.get_request(vault, id, now=now)
    if request.state is not State.OPEN:
        return request
    asked = review(_opened(request, outside=outside, now=now), cards.all_cards(vault), outside=outside, now=now)
    event = _event(vault, request, asked, What.DECLINED, shared=(), now=now)
    request, event = requests.reserve(vault, request, event, who=asked.who, now=now)
    outgoing = sending.declining(asked.signed.request, description="The person declined to share.")
    sent, problem = Sent(), None
    try:
        sent = sending.send(outgoing, outside, again=False)
    except SsiError as error:
        problem = (error.code, "They could not be told that you declined. Nothing was shared.")
    done = replace(_done(request, State.DECLINED, sent), problem=problem)
    vault.commit(requests.as_record(done))
    return requests.get_request(vault, id, now=now)


def _done(request: Request, state: State, sent: Sent) -> Request:
    return replace(
        request,
        state=state,
        redirect_uri=sent.redirect_uri,
        carried=sent.carried,
        answer=sent.answer,
        problem=None,
        busy_until=0,
    )


def _opened(request: Request, *, outside: Outside, now: datetime) -> SignedRequest:
    """Read a request and authenticate who asks; by the profile's rules too, where this wallet keeps to it."""
    types, page, link = transactions.TYPES, request.page, None
    if page is not None:
        reader = PageReader(page.origin, outside.keys, now, types, outside.clients, _believed(outside, now))
        signed = oid4vp.open_page_request(page.protocol, page.data, reader)
    else:
        link = oid4vp.parse_link(request.link)
        signed = oid4vp.open_request(
            request.token,
            link=link,
            keys=outside.keys,
            now=now,
            wallet_nonce=request.wallet_nonce,
            transaction_types=types,
            clients=outside.clients,
        )
    if outside.haip:
        by_reference = link is not None and link.request_uri is not None
        asker = signed.asker
        haip.check_request(signed.request, prefix=asker.prefix, x5c=asker.issuer.x5c, by_reference=by_reference)
    _check_attester(signed.asker, outside=outside, now=now)
    return signed


def _believed(outside: Outside, now: datetime) -> Callable[[Asker], bool]:
    """Which of several identities to take: one that is trusted here (A.3.2.2), and that the profile knows."""

    def believed(asker: Asker) -> bool:
        if outside.haip and asker.prefix != oid4vp.HASH:  # HAIP 1.0 §5
            return False
        found = asked_by(asker, outside=outside, now=now)
        return found is not None and found.outcome is Outcome.PASS

    return believed


def _check_attester(asker: Asker, *, outside: Outside, now: datetime) -> None:
    """§5.9.3 `verifier_attestation`: without trust in who attests, the request must be refused."""
    if asker.statement != oid4vp.ATTESTATION_TYPE or _believed(outside, now)(asker):
        return
    found = asked_by(asker, outside=outside, now=now)
    if found is not None and found.outcome is Outcome.UNKNOWN:
        raise Unavailable("request.attester", "It could not be checked now who vouches for the one who asks.")
    raise Refused("request.attester", "Nobody that this wallet trusts vouches for the one who asks.")


def _tell(problem: SsiError, token: str | None, link: RequestLink, *, outside: Outside, now: datetime) -> bool:
    """Tell an asker who has proved who they are that their request cannot be taken."""
    if isinstance(problem, Unavailable):
        return False
    refusal = oid4vp.refuse(problem, token, link=link, keys=outside.keys, now=now, clients=outside.clients)
    if refusal is not None:
        sending.tell(refusal.response_uri, refusal.form, outside)
    return refusal is not None


def _spent(agreed: Consent, *, now: datetime) -> list[Record]:
    """The records of the cards whose next copies are about to be shown."""
    used = {one.card.id: one.card for some in agreed.answers.values() for one in some}
    return [cards.spend(card, now=now) for card in used.values()]


def _authorized(asked: Review) -> str:
    """What a yes has authorized, for the history; "" when nothing."""
    said = [
        f"{one.title} ({'; '.join(f'{label}: {value}' for label, value in one.lines)})" for one in asked.transactions
    ]
    return f"You authorised: {', '.join(said)}." if said else ""


def _shared(vault: Vault, agreed: Consent) -> tuple[tuple[str, tuple[Line, ...]], ...]:
    """What the history keeps of an answer: which cards, and what of them."""
    apart = told_apart(cards.all_cards(vault))
    answers = [one for some in agreed.answers.values() for one in some]
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
    """Remember that it failed: not sent, or not accepted. After a no of the other side there is no trying again."""
    over = isinstance(error, Refused) and error.code == "request.refused"
    detail = error.detail
    if isinstance(error, Unavailable):
        detail = f"Could not reach {request.who.name}. {error.detail}"
    failed = replace(request, problem=(error.code, detail), busy_until=0, state=State.FAILED if over else State.OPEN)
    what = What.NOT_ACCEPTED if over else What.FAILED
    vault.commit(requests.as_record(failed), _now_is(event, what, detail=detail))
