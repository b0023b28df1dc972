"""Pages: an offer to look at, its acceptance or sign-in, and what the check of the arrived card found."""

from __future__ import annotations

from functools import partial
from typing import Final

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from service.app import answer, json_answer, wants_json
from ssi.errors import SsiError
from ssi.oauth.authorization import query_of
from wallet.holder import cards, offers, receipts, receive, refill, signin
from wallet.holder.offers import Offer, Stage
from wallet.holder.vault import Vault
from wallet.holder.web.access import Holder, holder, sent, vault
from wallet.holder.web.views import offer_view

pages = Blueprint("offers", __name__)

RETURN: Final = "/authorized"
"""Where issuers send people back to after they have signed in there."""


@pages.get("/offers/<id>")
def offer(id: str) -> ResponseReturnValue:
    """Who offers what; or what has become of it. What an issuer has promised for about now is asked for at once."""
    opened, wallet = vault(), holder()
    found = offers.get_offer(opened, id, now=wallet.now())
    ask_again(wallet, opened, id)
    return answer("holder/offer.html", {"offer": offer_view(found, cards.all_cards(opened), now=wallet.now())})


@pages.post("/offers/<id>/accept")
def accept(id: str) -> ResponseReturnValue:
    """Fetch the card and check it; pressing again goes on where it stopped."""
    opened, wallet = vault(), holder()
    try:
        done = receive.accept(
            opened,
            id,
            tx_code=sent("tx_code", limit=256),
            outside=wallet.outside,
            now=wallet.now(),
            later=wallet.later,
        )
    except SsiError:
        if wants_json():
            raise
        offers.get_offer(opened, id, now=wallet.now())  # when there is no such offer, say that instead
        return redirect(f"/offers/{id}", 303)
    return _done(done)


@pages.post("/offers/<id>/sign-in")
def sign_in(id: str) -> ResponseReturnValue:
    """Prepare the sign-in at the issuer; the offer's page then leads there."""
    opened, wallet = vault(), holder()
    try:
        done = signin.begin(opened, id, outside=wallet.outside, now=wallet.now())
    except SsiError:
        if wants_json():
            raise
        offers.get_offer(opened, id, now=wallet.now())
        return redirect(f"/offers/{id}", 303)
    return _done(done)


@pages.get(RETURN)
@pages.get(f"{RETURN}/<server>")
def authorized(server: str | None = None) -> ResponseReturnValue:
    """The way back from an issuer's sign-in: take the code, if it is this vault's, and go on as far as possible.

    `server` is there for servers that do not name themselves in their answers.

    The code leaves the address bar at once; it works once, and only together with what this vault keeps.
    """
    opened, wallet = vault(), holder()
    answer_of = query_of(f"?{request.query_string.decode('ascii', 'replace')}")
    way = "" if server is None else f"/{server}"
    found = signin.returned(opened, answer_of, way=way, outside=wallet.outside, now=wallet.now())
    if found.stage is Stage.SIGNED_IN:
        try:
            found = receive.accept(
                opened, found.id, tx_code="", outside=wallet.outside, now=wallet.now(), later=wallet.later
            )
        except SsiError:
            if wants_json():
                raise
    return _done(found)


@pages.post("/offers/<id>/decline")
def decline(id: str) -> ResponseReturnValue:
    """Put the offer away."""
    wallet = holder()
    return _done(receive.decline(vault(), id, outside=wallet.outside, now=wallet.now(), later=wallet.later))


def _done(found: Offer) -> ResponseReturnValue:
    if wants_json():
        return json_answer({"offer": offer_view(found, now=holder().now())})
    return redirect(f"/offers/{found.id}", 303)


def ask_again(wallet: Holder, opened: Vault, *only: str) -> None:
    """Ask issuers, when the person has been answered, for what they promised for about now (`only`: these offers)."""
    now = wallet.now()
    for found in receive.due(opened, now=now):
        if not only or found.id in only:
            wallet.later(partial(receive.accept, opened, found.id, tx_code="", outside=wallet.outside, now=now))


def restock(wallet: Holder, opened: Vault) -> None:
    """Get receipts for cards that wait for theirs, and more copies of those that run out, when nobody waits for it."""
    now = wallet.now()
    for card in receipts.due(opened, now=now):
        wallet.later(partial(receipts.fetch, opened, card, outside=wallet.outside, now=now))
    for card in refill.due(opened, now=now):
        wallet.later(partial(refill.refill, opened, card, outside=wallet.outside, now=now))
