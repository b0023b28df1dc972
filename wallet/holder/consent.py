"""Consent: what has a person, after having seen it, agreed to share? Only `consent` makes one; only that is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ssi.errors import Malformed, Refused
from wallet.holder.review import Choice, Part, Review

_MADE_HERE: Final = object()


@dataclass(frozen=True)
class Consent:
    """A person's yes to exactly these answers, by question. Cannot be made by hand: see `consent`."""

    review: Review
    answers: Mapping[str, Choice]
    at: datetime
    _seal: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self._seal is not _MADE_HERE:
            raise TypeError("a Consent is made by consent(), from what a person was shown")


def consent(shown: Review, *, picks: Mapping[str, str], at: datetime) -> Consent:
    """Make the consent of a person who was shown a review and picked these cards (question id to card id).

    The picks must answer every required part, and nothing that no chosen option asks for.
    Raises Refused (`consent.unanswerable`, `consent.incomplete`), Malformed (`consent.pick`).
    """
    if not shown.answerable:
        raise Refused("consent.unanswerable", "You have no card that could answer this request.")
    answers = {name: _picked(shown, name, card) for name, card in picks.items()}
    chosen = [_fulfilled(part, answers) for part in shown.parts]
    if any(part.required and option is None for part, option in zip(shown.parts, chosen, strict=True)):
        raise Refused("consent.incomplete", "Choose a card for everything that is required, or decline.")
    needed = {name for option in chosen if option is not None for name in option}
    if set(answers) != needed or not answers:
        raise Malformed("consent.pick", "The choice holds cards that do not belong together. Choose again.")
    return Consent(shown, answers, at, _MADE_HERE)


def _picked(shown: Review, name: str, card: str) -> Choice:
    question = shown.questions.get(name)
    found = next((one for one in question.choices if one.card.id == card), None) if question else None
    if found is None:
        raise Malformed("consent.pick", "The choice names a card that cannot answer this request. Choose again.")
    return found


def _fulfilled(part: Part, answers: Mapping[str, Choice]) -> tuple[str, ...] | None:
    """The option of a part that the answers fulfil: the first one, as the asker prefers."""
    return next((option for option in part.options if all(name in answers for name in option)), None)
