"""Reviewing a request: who asks, why, what would they see, and which cards could answer? What a person must know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from ssi import dcql, formats
from ssi.errors import Unsupported
from ssi.model import ClaimPath, Finding, Outcome
from ssi.oid4vp import SignedRequest
from wallet.holder.cards import Card
from wallet.holder.claims import label
from wallet.holder.history import Who
from wallet.holder.outside import Outside
from wallet.holder.revealing import Revealed, reveal

ASKING: Final = "oauth-authz-req+jwt"
"""What an asker's certificate is judged for: its type of statement is a request."""

_MANY: Final = 4
_IDENTIFYING: Final = frozenset(
    {"sub", "jti", "number", "document_number", "personal_administrative_number", "portrait", "picture"}
)


@dataclass(frozen=True)
class Choice:
    """One card that can answer one question, what would be shown of it, and what a careful person would ask back."""

    card: Card
    paths: tuple[ClaimPath, ...]
    revealed: Revealed
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """One credential asked for, and the cards that can answer, best first."""

    id: str
    name: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Part:
    """One thing the asker wants, perhaps optional: any one of the options answers it, each a set of questions."""

    required: bool
    options: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Review:
    """A request as the consent screen shows it. `trust` says why the asker's name is or is not believed."""

    signed: SignedRequest
    trust: Finding | None
    questions: Mapping[str, Question]
    parts: tuple[Part, ...]
    missing: tuple[str, ...]

    @property
    def verified(self) -> bool:
        """Has a trusted authority vouched for the asker's name, and did they sign this request?"""
        return self.signed.asker.authenticated and self.trust is not None and self.trust.outcome is Outcome.PASS

    @property
    def who(self) -> Who:
        """The asker. An unverified one goes by the address that the answer would go to, never by a name of its own."""
        host = urlsplit(self.signed.request.response_uri).netloc
        return Who(self.signed.asker.name if self.verified else host, host, self.verified)

    @property
    def answerable(self) -> bool:
        """Can everything that is required be answered?"""
        return bool(self.parts) and all(part.options for part in self.parts if part.required)


def review(signed: SignedRequest, cards: Sequence[Card], *, outside: Outside, now: datetime) -> Review:
    """Match a request with the person's cards. Nothing leaves the wallet."""
    asker, query = signed.asker, signed.request.query
    trust = None
    if outside.askers is not None and asker.authenticated:
        trust = outside.askers.judge(asker.issuer, ASKING, now=now)
    match = dcql.match(query, [dcql.Holding(card.id, card.credential.format, card.opened) for card in cards])
    by_id = {card.id: card for card in cards}
    questions = {
        asked.id: Question(
            asked.id,
            _wanted(asked, cards),
            _ordered([_choice(by_id[one.holding_id], one.paths) for one in match.options.get(asked.id, ())], now=now),
        )
        for asked in query.credentials
    }
    parts = tuple(Part(one.required, one.options) for one in match.sets)
    return Review(signed, trust, questions, parts, _missing(query, match, questions))


def _missing(query: dcql.Query, match: dcql.Match, questions: Mapping[str, Question]) -> tuple[str, ...]:
    """Why the request cannot be answered, for what is required and cannot be."""
    unmet = [one for one, left in zip(query.sets, match.sets, strict=True) if one.required and not left.options]
    names = {name for one in unmet for option in one.options for name in option}
    return tuple(
        dict.fromkeys(
            _REASONS.get(one.code, _REASONS["dcql.no_type"]).format(questions[one.query_id].name)
            for one in match.missing
            if one.query_id in names
        )
    )


_REASONS: Final = {
    "dcql.no_type": "They ask for a card that you do not have: {}.",
    "dcql.no_binding": "Your card “{}” is bound to no key, so you could not prove that it is yours.",
    "dcql.no_authority": "They want the card “{}” from another issuer than the one you have it from.",
    "dcql.no_claims": "Your card “{}” does not say what they ask for.",
}


def _choice(card: Card, paths: tuple[ClaimPath, ...]) -> Choice:
    revealed = reveal(card, paths)
    return Choice(card, paths, revealed, _remarks(card, revealed))


def _ordered(choices: list[Choice], *, now: datetime) -> tuple[Choice, ...]:
    """Cards that are in good standing first; the order is otherwise the newest first."""
    return tuple(sorted(choices, key=lambda choice: choice.card.standing(now=now).kind == "bad"))


def _remarks(card: Card, revealed: Revealed) -> tuple[str, ...]:
    """Where less would do, or where more is asked than a person may notice."""
    asked = {card.kind.within(line.path) for line in revealed.asked}
    remarks = []
    own = [card.kind.within(line.path) for line in card.lines]
    ages = [path for path in own if str(path[0]).startswith(("age_over_", "age_equal_or_over_"))]
    if ages and asked & {("birthdate",), ("birth_date",)}:
        said = label(("age_over_18",) if ("age_over_18",) in ages else min(ages), labels=card.labels)
        remarks.append(f"They ask for your full date of birth. This card can also say just “{said}” or the like.")
    if any(path[-1] in _IDENTIFYING for path in asked):
        remarks.append("They ask for something that only you have, so others can recognise you by it.")
    if not revealed.hidden and len(revealed.asked) >= _MANY:
        remarks.append("They ask for everything on this card.")
    return tuple(remarks)


def _wanted(asked: dcql.CredentialQuery, cards: Sequence[Card]) -> str:
    """What kind of card is asked for: by the name it has in this wallet, else by its type."""
    types = _types(asked)
    known = next((card.name for card in cards if card.type in types), None)
    if known is not None:
        return known
    words = types[0].rstrip("/").replace(":", "/").split("/") if types else []
    named = next((word for word in reversed(words) if not word.isdigit()), asked.id)
    return label((named.replace("-", "_"),))


def _types(asked: dcql.CredentialQuery) -> tuple[str, ...]:
    try:
        return formats.by_id(asked.format).asked(asked.meta)
    except Unsupported:
        return ()
