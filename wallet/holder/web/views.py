"""Views: cards, findings, offers and events as the plain data that pages show and programs read."""

from __future__ import annotations

from collections.abc import Iterable, Set
from datetime import UTC, datetime
from itertools import groupby
from typing import Final
from urllib.parse import urlsplit

from ssi.encoding import Json, seconds
from ssi.formats import names
from ssi.model import Check, Finding, Outcome
from wallet.holder.cards import Card, finding_json
from wallet.holder.claims import long_date, moment
from wallet.holder.history import Event, What
from wallet.holder.items import Item
from wallet.holder.offers import Offer, Stage

QUESTIONS: Final = {
    Check.FORMAT: "Can it be read?",
    Check.TYPE: "Is it what was offered?",
    Check.SIGNATURE: "Did the issuer sign it?",
    Check.HOLDER_BINDING: "Is it bound to your key?",
    Check.VALIDITY: "Is it within its dates?",
    Check.STATUS: "Has it been withdrawn?",
    Check.TRUST: "Is the issuer trusted?",
    Check.SCHEMA: "Does it say what its kind should?",
    Check.LEDGER: "Is it on record?",
    Check.PRESENCE: "Was a person checked?",
    Check.RULE: "Does it meet the rules?",
}
KINDS: Final = {Outcome.PASS: "good", Outcome.FAIL: "bad", Outcome.UNKNOWN: "unknown", Outcome.NOT_ASKED: "plain"}
WORDS: Final = {Outcome.PASS: "Yes", Outcome.FAIL: "No", Outcome.UNKNOWN: "Not known", Outcome.NOT_ASKED: "Not asked"}
FOLDED_FROM: Final = 6
"""A claim with more lines than this is folded on pages: its name and how many details it has."""

HAPPENED: Final = {
    What.ADDED: ("good", "Added"),
    What.NOT_KEPT: ("bad", "Not kept"),
    What.OFFER_DECLINED: ("plain", "Offer declined"),
    What.SENDING: ("unknown", "Sent, not confirmed"),
    What.SHARED: ("good", "Shared"),
    What.DECLINED: ("plain", "Declined"),
    What.FAILED: ("unknown", "Not sent"),
    What.NOT_ACCEPTED: ("bad", "Sent, not accepted"),
    What.REMOVED: ("plain", "Removed"),
}


def finding_view(finding: Finding) -> dict[str, Json]:
    """A finding with its question and its answer in a word; of "withdrawn?" alone the good answer is no."""
    word = WORDS[finding.outcome]
    if finding.check is Check.STATUS:
        word = {"Yes": "No", "No": "Yes"}.get(word, word)
    return {
        **finding_json(finding),
        "question": QUESTIONS[finding.check],
        "kind": KINDS[finding.outcome],
        "word": word,
    }


def card_view(card: Card, *, now: datetime, full: bool, apart: str = "") -> dict[str, Json]:
    """A card for the list, or with everything it says; `apart` tells it from others (`wallet.holder.alike`)."""
    view: dict[str, Json] = {
        "id": card.id,
        "name": card.name,
        "person": card.person,
        "apart": apart,
        "issuer": card.issuer_name,
        "type": card.type,
        "format": card.credential.format,
        "format_name": names.of(card.credential),
        "standing": card.standing(now=now).json,
        "added": card.added,
        "added_text": moment(card.added),
        "valid_until": card.valid_until,
        "valid_until_text": day(card.valid_until),
    }
    if full:
        view["claims"] = [line.json for line in card.lines]
        view["status"] = None if card.status is None else finding_view(card.status)
        view["status_at_text"] = moment(card.status_at)
        view["key"] = card.key.kid
        view["recorded"] = card.recorded
        view["copies"] = {"all": len(card.stock), "unused": card.unused}
    return view


def day(at: int | None) -> str:
    """A date in words; "" for none."""
    return "" if at is None else long_date(datetime.fromtimestamp(at, UTC).date())


def offer_view(offer: Offer, held: Iterable[Card] = (), *, now: datetime) -> dict[str, Json]:
    """An offer for its page: who, what, and how far it has come; `held` are the cards that it might be taken for."""
    taken = {card.name for card in held}
    grant = offer.offer.pre_authorized
    code = None if grant is None or grant.tx_code is None else grant.tx_code
    return {
        "id": offer.id,
        "stage": offer.stage.value,
        "issuer": {
            "name": offer.metadata.name,
            "address": offer.metadata.issuer,
            "verified": offer.verified or None,
        },
        "cards": [_item_view(offer, item, taken) for item in offer.items],
        "tx_code": None if code is None else {"numeric": code.input_mode == "numeric", **code.json},
        "problem": None if offer.problem is None else {"error": offer.problem[0], "detail": offer.problem[1]},
        "undecided": offer.undecided,
        "by_code": offer.by_code,
        "sign_in": _sign_in_view(offer, now=now),
        "ask_at": offer.ask_at or None,
        "ask_at_text": moment(offer.ask_at) if offer.ask_at else "",
        "ask_in": max(0, offer.ask_at - seconds(now)) if offer.ask_at else None,
    }


def _sign_in_view(offer: Offer, *, now: datetime) -> dict[str, Json] | None:
    """Where the browser goes to sign in, as long as that is good; never what comes back from there."""
    found = offer.sign_in
    if offer.stage is not Stage.SIGNING_IN or found is None or found.until <= seconds(now):
        return None
    return {"url": found.url, "host": urlsplit(found.url).netloc}


def _item_view(offer: Offer, item: Item, taken: Set[str]) -> dict[str, Json]:
    configuration = offer.metadata.configurations[item.configuration]
    claims = [claim.display[0].name for claim in configuration.claims if claim.display]
    return {
        "configuration": item.configuration,
        "name": configuration.name,
        "description": configuration.display[0].description if configuration.display else None,
        "claims": claims,
        "form": names.name(configuration.format) if configuration.name in taken else "",
        "verdict": None if item.verdict is None else item.verdict.value,
        "findings": [finding_view(finding) for finding in item.findings],
        "card": item.card or None,
    }


def grouped(lines: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """Lines as a page lists them: what belongs to one long claim stands together, to be unfolded by who wants it."""
    groups: list[dict[str, Json]] = []
    for name, members in groupby(lines, key=lambda line: line["label"].partition(": ")[0]):
        found = list(members)
        if len(found) > FOLDED_FROM:
            inside = [{**line, "label": _sentence(line["label"].removeprefix(f"{name}: "))} for line in found]
            groups.append({"name": name, "lines": inside})
        else:
            groups.append({"name": None, "lines": found})
    return groups


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def event_view(event: Event) -> dict[str, Json]:
    """An event for the history."""
    kind, word = HAPPENED[event.what]
    shared = sum(len(claims) for _, claims in event.cards)
    return {**event.json, "id": event.id, "kind": kind, "word": word, "at_text": moment(event.at), "facts": shared}
