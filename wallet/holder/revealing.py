"""Revealing: what exactly would somebody see of a card, and what would stay hidden from them?

Computed from the card's own disclosures and not from the request: a claim that stands inside another, or that the
issuer made visible to everybody, is listed whether it was asked for or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass

from ssi.formats.paths import select, shown_by
from ssi.model import ClaimPath
from wallet.holder.cards import Card
from wallet.holder.claims import ONLY_THERE, Line, label, lines


@dataclass(frozen=True)
class Revealed:
    """`asked` is seen because it was asked for, `always` with every showing; `hidden` are the names of the rest."""

    asked: tuple[Line, ...]
    always: tuple[Line, ...]
    hidden: tuple[str, ...]


def reveal(card: Card, paths: tuple[ClaimPath, ...]) -> Revealed:
    """What a presentation of these claims shows. Raises Malformed (`path.*`) for a path that does not fit the card."""
    closed = frozenset(card.closed)
    found = [one for path in paths for one in select(card.claims, path, closed=closed)]
    wanted = [card.kind.whole(card.claims, one) or one for one in found]
    visible = _visible(card, frozenset(shown_by(card.disclosed, wanted)))
    always = [line for line in _visible(card, frozenset()) if line in visible]  # else asking adds to that very line
    asked = tuple(line for line in visible if line not in always or _covers(wanted, line.path))
    return Revealed(asked, tuple(line for line in always if line not in asked), _hidden(card, visible))


def _covers(wanted: Iterable[ClaimPath], path: ClaimPath) -> bool:
    """Is the claim at this path one that was asked for, or a part of it? A list's line is about all its elements."""
    return any(path[: len(one)] == one or one[:-1] == path for one in wanted)


def _visible(card: Card, shown: Set[ClaimPath]) -> tuple[Line, ...]:
    """What is left to see when every disclosure but `shown` is taken away."""
    disclosed = frozenset(card.disclosed)
    away, closed = disclosed - shown, frozenset(card.closed)
    return lines(card.claims, kind=card.kind, labels=card.labels, without=away, closed=closed, disclosed=disclosed)


def _hidden(card: Card, visible: tuple[Line, ...]) -> tuple[str, ...]:
    """Names of what stays back: whole objects by their own name, and lists of which a part is shown by that part."""
    values = {line.path: line.value for line in visible}
    partly = {path[:size] for path in values for size in range(1, len(path) + 1)}
    names = []
    for line in card.lines:
        if line.path not in values:
            heads = (line.path[:size] for size in range(1, len(line.path)))
            whole = next((head for head in heads if head not in partly and card.kind.within(head)), line.path)
            names.append(label(whole, kind=card.kind, labels=card.labels))
        elif values[line.path] == ONLY_THERE:
            names.append(line.label)
        elif values[line.path] != line.value:
            names.append(f"{line.label} (the others)")
    return tuple(dict.fromkeys(names))
