"""Alike: which cards could be taken for one another, and what tells them apart?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ssi.formats import names
from wallet.holder.cards import Card
from wallet.holder.claims import moment


def told_apart(held: Iterable[Card]) -> dict[str, str]:
    """What tells cards of the same name and person apart, by id: their form, and where that is the same, their age."""
    alike: dict[tuple[str, str], list[Card]] = {}
    for card in held:
        alike.setdefault((card.name, card.person), []).append(card)
    return {card.id: _form(card, group) for group in alike.values() if len(group) > 1 for card in group}


def full_name(card: Card, apart: Mapping[str, str]) -> str:
    """A card's name, with what tells it from others where that is needed: for a line that stands alone."""
    return f"{card.name}: {apart[card.id]}" if card.id in apart else card.name


def _form(card: Card, alike: Sequence[Card]) -> str:
    form, forms = names.of(card.credential), [names.of(one.credential) for one in alike]
    if forms.count(form) == 1:
        return form
    added = f"added {moment(card.added)}"
    return f"{form}, {added}" if len(set(forms)) > 1 else added
