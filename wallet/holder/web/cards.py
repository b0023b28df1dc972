"""Pages: the cards, one card, its status now, its removal; and the history."""

from __future__ import annotations

from flask import Blueprint, redirect
from flask.typing import ResponseReturnValue

from service.app import answer, json_answer, wants_json
from ssi.encoding import Json
from wallet.holder import cards, history, notifying, offers, settle
from wallet.holder.alike import full_name, told_apart
from wallet.holder.history import What, Who
from wallet.holder.inspection import status_of
from wallet.holder.web.access import holder, vault
from wallet.holder.web.offers import ask_again, restock
from wallet.holder.web.views import card_view, event_view, offer_view

pages = Blueprint("cards", __name__)


@pages.get("/cards")
def home() -> ResponseReturnValue:
    """All cards, and offers that wait to be finished; what issuers have for us by now is fetched beside it."""
    opened, wallet = vault(), holder()
    now = wallet.now()
    ask_again(wallet, opened)
    restock(wallet, opened)
    held = cards.all_cards(opened)
    apart = told_apart(held)
    data = {
        "cards": [card_view(card, now=now, full=False, apart=apart.get(card.id, "")) for card in held],
        "unfinished": [offer_view(offer, now=now) for offer in offers.unfinished(opened, now=now)],
    }
    return answer("holder/cards.html", data)


@pages.get("/cards/<id>")
def card(id: str) -> ResponseReturnValue:
    """One card with everything it says."""
    return answer("holder/card.html", {"card": _view(id, full=True)})


@pages.post("/cards/<id>/status")
def check_status(id: str) -> ResponseReturnValue:
    """Ask now whether the card has been withdrawn, and remember the answer."""
    now, opened = holder().now(), vault()
    found = cards.get_card(opened, id)
    opened.put(cards.with_status(found, status_of(found.opened, outside=holder().outside, now=now), now=now))
    return redirect(f"/cards/{id}#status", 303)


@pages.get("/cards/<id>/delete")
def ask_delete(id: str) -> ResponseReturnValue:
    """Ask before a card is removed."""
    return answer("holder/delete.html", {"card": _view(id, full=False)})


@pages.post("/cards/<id>/delete")
def delete(id: str) -> ResponseReturnValue:
    """Remove a card with all its copies and keys, and remember that in the history."""
    opened, wallet = vault(), holder()
    found = cards.get_card(opened, id)
    teller = notifying.of_card(opened, found, outside=wallet.outside, now=wallet.now())
    who = Who(found.issuer_name, found.issuer.id or "", verified=True)
    name = full_name(found, told_apart(cards.all_cards(opened)))
    event = history.happened(opened, What.REMOVED, who=who, now=wallet.now(), cards=[(name, ())])
    opened.commit(event, remove=settle.removed(opened, found))
    if teller is not None:
        wallet.later(teller.deleted)
    return json_answer({"removed": id}) if wants_json() else redirect("/cards?removed=1", 303)


@pages.get("/history")
def log() -> ResponseReturnValue:
    """What came in and what went out."""
    return answer("holder/history.html", {"events": [event_view(event) for event in history.recent(vault())]})


@pages.get("/history/<id>")
def event(id: str) -> ResponseReturnValue:
    """One event with all that is known of it."""
    return answer("holder/event.html", {"event": event_view(history.get_event(vault(), id))})


def _view(id: str, *, full: bool) -> dict[str, Json]:
    """A card for a page of its own. Raises Refused (`record.absent`)."""
    opened = vault()
    found = cards.get_card(opened, id)
    apart = told_apart(cards.all_cards(opened)).get(id, "")
    return card_view(found, now=holder().now(), full=full, apart=apart)
