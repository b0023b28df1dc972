"""Pages: an offer to look at, its acceptance, and what the check of the arrived card found."""

from __future__ import annotations

from flask import Blueprint, redirect
from flask.typing import ResponseReturnValue

from service.app import answer, json_answer, wants_json
from ssi.errors import SsiError
from wallet.holder import cards, offers, receive
from wallet.holder.web.access import holder, sent, vault
from wallet.holder.web.views import offer_view

pages = Blueprint("offers", __name__)


@pages.get("/offers/<id>")
def offer(id: str) -> ResponseReturnValue:
    """Who offers what; or what has become of it."""
    opened = vault()
    found = offers.get_offer(opened, id, now=holder().now())
    return answer("holder/offer.html", {"offer": offer_view(found, cards.all_cards(opened))})


@pages.post("/offers/<id>/accept")
def accept(id: str) -> ResponseReturnValue:
    """Fetch the card and check it; pressing again goes on where it stopped."""
    opened, wallet = vault(), holder()
    try:
        done = receive.accept(opened, id, tx_code=sent("tx_code", limit=256), outside=wallet.outside, now=wallet.now())
    except SsiError:
        if wants_json():
            raise
        offers.get_offer(opened, id, now=wallet.now())  # when there is no such offer, say that instead
        return redirect(f"/offers/{id}", 303)
    return json_answer({"offer": offer_view(done)}) if wants_json() else redirect(f"/offers/{id}", 303)


@pages.post("/offers/<id>/decline")
def decline(id: str) -> ResponseReturnValue:
    """Put the offer away."""
    done = receive.decline(vault(), id, now=holder().now())
    return json_answer({"offer": offer_view(done)}) if wants_json() else redirect(f"/offers/{id}", 303)
