"""Consent: what has a person, after having seen it, agreed to share? Only `consent` makes one; only that is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ssi import oid4vp
from ssi.errors import Malformed, Refused
from wallet.holder.review import Choice, Part, Review

_MADE_HERE: Final = object()


@dataclass(frozen=True)
class Consent:
    """A person's yes to exactly these answers, by question. Cannot be made by hand: see `consent`.

    To a question that takes several cards there may be several answers. What was asked to be authorized is authorized
    with it: `review.transactions`.
    """

    review: Review
    answers: Mapping[str, tuple[Choice, ...]]
    at: datetime
    _seal: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self._seal is not _MADE_HERE:
            raise TypeError("a Consent is made by consent(), from what a person was shown")


Picks = Mapping[str, tuple[str, ...]]
"""The cards that a person has picked, by question: one each, or several where the question takes them."""


def consent(shown: Review, *, picks: Picks, at: datetime) -> Consent:
    """Make the consent of a person who was shown a review and picked these cards.

    The picks must answer every required part, and nothing that no chosen option asks for.
    Raises Refused (`consent.unanswerable`, `consent.incomplete`, `consent.transaction`), Malformed (`consent.pick`).
    """
    if not shown.answerable:
        raise Refused("consent.unanswerable", "You have no card that could answer this request.")
    answers = {name: _picked(shown, name, some) for name, some in picks.items()}
    chosen = [_fulfilled(part, answers) for part in shown.parts]
    if any(part.required and option is None for part, option in zip(shown.parts, chosen, strict=True)):
        raise Refused("consent.incomplete", "Choose a card for everything that is required, or decline.")
    needed = {name for option in chosen if option is not None for name in option}
    if set(answers) != needed or not answers:
        raise Malformed("consent.pick", "The choice holds cards that do not belong together. Choose again.")
    _check_transactions(shown, answers)
    return Consent(shown, answers, at, _MADE_HERE)


def _picked(shown: Review, name: str, some: tuple[str, ...]) -> tuple[Choice, ...]:
    question = shown.questions.get(name)
    found = tuple(one for one in question.choices if one.card.id in some) if question else ()
    if question is None or not found or len(found) != len(some):
        raise Malformed("consent.pick", "The choice names a card that cannot answer this request. Choose again.")
    if len(found) > 1 and not question.multiple:
        raise Malformed("consent.pick", "They ask for one card, and several were chosen. Choose again.")
    return found


def _check_transactions(shown: Review, answers: Mapping[str, tuple[Choice, ...]]) -> None:
    """Whatever is to be authorized, one of the chosen cards must authorize it (OpenID4VP 1.0 §5.1)."""
    try:
        oid4vp.assigned(shown.signed.request, {name: some[0].card.credential.format for name, some in answers.items()})
    except Refused as problem:
        raise Refused("consent.transaction", problem.detail) from None


def _fulfilled(part: Part, answers: Mapping[str, tuple[Choice, ...]]) -> tuple[str, ...] | None:
    """The option of a part that the answers fulfil: the first one, as the asker prefers."""
    return next((option for option in part.options if all(name in answers for name in option)), None)
