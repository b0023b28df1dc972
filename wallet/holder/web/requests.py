"""Pages: the consent screen, and what became of an answer."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect
from flask.typing import ResponseReturnValue

from service.app import answer, json_answer, wants_json
from ssi.encoding import Json, write_json
from ssi.errors import Malformed, Refused, SsiError, Unavailable
from ssi.oid4vp.askers import PAGE
from wallet.holder import cards, present, requests
from wallet.holder.alike import told_apart
from wallet.holder.requests import Request, State
from wallet.holder.review import Choice, Part, Review
from wallet.holder.web.access import holder, sent, several, vault
from wallet.holder.web.offers import restock
from wallet.holder.web.views import card_view, finding_view

pages = Blueprint("requests", __name__)


@pages.get("/requests/<id>")
def request(id: str) -> ResponseReturnValue:
    """Who asks for what; or what has become of it."""
    opened, wallet = vault(), holder()
    found = requests.get_request(opened, id, now=wallet.now())
    if found.state is not State.OPEN:
        return answer("holder/sent.html", {"request": _state(found)})
    try:
        shown = present.shown(opened, found, outside=wallet.outside, now=wallet.now())
    except Unavailable:
        raise
    except SsiError as error:
        if wants_json():
            raise
        data = {"error": error.code, "error_description": error.detail}
        return answer("holder/over.html", data, page={"tried": found.attempts > 0}, status=410)
    return _consent_page(found, shown)


@pages.post("/requests/<id>/share")
def share(id: str) -> ResponseReturnValue:
    """Send what was picked, and nothing else."""
    opened, wallet = vault(), holder()
    now = wallet.now()
    found = requests.get_request(opened, id, now=now)
    try:
        if found.state is State.OPEN:
            shown = present.shown(opened, found, outside=wallet.outside, now=now)
            _check_seen(shown)
            picks = _picks(shown)
            found = present.share(opened, id, picks=picks, outside=wallet.outside, now=now)
            restock(wallet, opened)
    except SsiError as error:
        if wants_json():
            raise
        if error.code.startswith("consent."):
            shown = present.shown(opened, found, outside=wallet.outside, now=now)
            return _consent_page(found, shown, problem=error, status=400)
    return json_answer({"request": _state(found)}) if wants_json() else redirect(f"/requests/{id}", 303)


@pages.post("/requests/<id>/decline")
def decline(id: str) -> ResponseReturnValue:
    """Say no."""
    wallet = holder()
    found = present.decline(vault(), id, outside=wallet.outside, now=wallet.now())
    return json_answer({"request": _state(found)}) if wants_json() else redirect(f"/requests/{id}", 303)


def _consent_page(found: Request, shown: Review, *, problem: SsiError | None = None, status: int = 200) -> Response:
    view = {**_state(found), **_review_view(shown, told_apart(cards.all_cards(vault())))}
    if problem is not None:
        view["problem"] = {"error": problem.code, "detail": problem.detail}
    page = {"single": [_single(part) for part in view["parts"]]}
    return answer("holder/request.html", {"request": view}, page=page, status=status)


def _check_seen(shown: Review) -> None:
    """A yes is to what the person has looked at. Raises Refused (`consent.changed`).

    Between the look and the yes another card may have come, a card may say something else, or the asker be no longer
    vouched for; the choices are numbered, and the numbers would mean something else. Programs may leave `seen` out.
    """
    seen = sent("seen", limit=64)
    if seen and not hmac.compare_digest(seen.encode(), _seen(shown).encode()):
        told = "Your cards, or what is known of who asks, have changed since you looked. Look again, and choose."
        raise Refused("consent.changed", told)


def _seen(shown: Review) -> str:
    """A digest of all that a person agrees to: who asks, why, what is authorized, and which card would show what."""
    who = shown.who
    told = [
        [who.name, who.address, who.verified, shown.signed.request.purpose],
        [[one.title, one.lines] for one in shown.transactions],
        [[part.required, part.options] for part in shown.parts],
        [
            [name, one.card.id, [line.json for line in one.revealed.asked + one.revealed.always]]
            for name, question in shown.questions.items()
            for one in question.choices
        ],
    ]
    return hashlib.sha256(write_json(told)).hexdigest()


def _picks(shown: Review) -> dict[str, tuple[str, ...]]:
    """The picked cards of each question. Where there is no choice to make, none need be sent.

    A part's choice is the number of an option; where options are one card each, the card may follow behind a dot.
    """
    picks = {}
    for number, part in enumerate(shown.parts):
        chosen, _, card = sent(f"part-{number}", limit=96).partition(".")
        for name in _option(part, chosen):
            choices = shown.questions[name].choices
            picked = (card,) if card else several(f"card-{name}", limit=64)
            if not picked and len(choices) == 1:
                picked = (choices[0].card.id,)
            if picked:
                picks[name] = picked
    return picks


def _option(part: Part, value: str) -> tuple[str, ...]:
    """The chosen option of a part; () when an optional one was left out."""
    if not value:
        if part.required and len(part.options) > 1:
            raise Refused("consent.incomplete", "Choose what to share where there is a choice, or decline.")
        return part.options[0] if part.required and part.options else ()
    if value == "none" and not part.required:
        return ()
    if not value.isdecimal() or int(value) >= len(part.options):
        raise Malformed("consent.pick", "The choice names something that was not asked. Choose again.")
    return part.options[int(value)]


def _state(found: Request) -> dict[str, Json]:
    """A request however it stands."""
    return {
        "id": found.id,
        "state": found.state.value,
        "who": {"name": found.who.name, "address": found.who.address, "verified": found.who.verified},
        "redirect_uri": found.redirect_uri,
        "answer": found.answer,
        "carried": found.carried,
        "redirect_host": urlsplit(found.redirect_uri).netloc if found.redirect_uri else None,
        "problem": None if found.problem is None else {"error": found.problem[0], "detail": found.problem[1]},
        "event": found.event or None,
    }


def _review_view(shown: Review, apart: Mapping[str, str]) -> dict[str, Json]:
    """An open request, with everything that a person must know to decide; `apart` tells their cards apart."""
    who = shown.who
    return {
        "who": {"name": who.name, "address": who.address, "verified": who.verified},
        "client_id": shown.signed.asker.client_id,
        "trust": None if shown.trust is None else finding_view(shown.trust),
        "purpose": shown.signed.request.purpose,
        "seen": _seen(shown),
        "page": shown.signed.asker.prefix == PAGE,
        "transactions": [
            {"type": one.type, "title": one.title, "lines": [list(line) for line in one.lines]}
            for one in shown.transactions
        ],
        "statements": [{"format": one.format, "lines": [list(line) for line in one.lines]} for one in shown.statements],
        "answerable": shown.answerable,
        "missing": list(shown.missing),
        "parts": [
            {"required": part.required, "options": [_option_view(shown, option, apart) for option in part.options]}
            for part in shown.parts
        ],
    }


def _single(part: Mapping[str, Json]) -> dict[str, Json]:
    """A part as one choice between cards, where each of its options is one card: what to send for each.

    `differ` says whether it matters for what is shown which card is chosen. No `cards` where options are several.
    """
    found: list[dict[str, Json]] = []
    if all(len(option) == 1 and not option[0]["multiple"] for option in part["options"]):
        for place, (asked,) in enumerate(part["options"]):
            found += [{"value": f"{place}.{one['card']['id']}", "choice": one} for one in asked["choices"]]
    shows = [[line["label"] for line in one["choice"]["shared"]] for one in found]
    return {"cards": found, "differ": any(labels != shows[0] for labels in shows)}


def _option_view(shown: Review, option: tuple[str, ...], apart: Mapping[str, str]) -> list[dict[str, Json]]:
    return [
        {
            "id": name,
            "name": shown.questions[name].name,
            "multiple": shown.questions[name].multiple,
            "choices": [_choice_view(choice, apart) for choice in shown.questions[name].choices],
        }
        for name in option
    ]


def _choice_view(choice: Choice, apart: Mapping[str, str]) -> dict[str, Json]:
    card = choice.card
    return {
        "card": card_view(card, now=holder().now(), full=False, apart=apart.get(card.id, "")),
        "shared": [line.json for line in choice.revealed.asked],
        "always": [line.json for line in choice.revealed.always],
        "hidden": list(choice.revealed.hidden),
        "remarks": list(choice.remarks),
    }
