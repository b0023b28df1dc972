"""Claims in plain words: what do a credential's claims say, one line each, for a person to read?

Names come from the issuer's own description of its claims, then from a small list of well-known ones, and else from
the claim's name with its underscores taken out. Values are shown as text, never as markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from ssi.encoding import Json, printable
from ssi.formats import pictures
from ssi.formats.paths import placed
from ssi.model import ClaimPath, Format

Labels = Mapping[ClaimPath, str]
"""What an issuer calls the claims at these paths."""

MAX_SHOWN = 300
ONLY_THERE: Final = "(only that there is such a thing)"
"""The value of an object or a list that is seen while all that is in it stays hidden."""

_KNOWN: Final[Mapping[str, str]] = {
    "given_name": "First name",
    "family_name": "Last name",
    "name": "Name",
    "id": "Identifier",
    "sub": "Identifier",
    "jti": "Serial number",
    "aud": "Only for",
    "iat": "Time of issue",
    "birthdate": "Date of birth",
    "birth_date": "Date of birth",
    "nationality": "Nationality",
    "nationalities": "Nationality",
    "biometric_evidence": "Face check",
    "document": "Identity document",
    "issuing_country": "Issued in",
    "issuing_authority": "Issued by",
    "expiry_date": "Valid until",
    "number": "Number",
    "type": "Kind",
    "email": "E-mail address",
    "phone_number": "Phone number",
    "portrait": "Portrait",
    "picture": "Picture",
    "address": "Address",
    "street_address": "Street",
    "locality": "Town",
    "region": "Region",
    "postal_code": "Postal code",
    "country": "Country",
}
_PLACE: Final = {name: place for place, name in enumerate(_KNOWN)}
_AGE: Final = re.compile(r"(?:age_(?:equal_or_)?over_)(\d{1,3})")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_WORD: Final = re.compile(r"[^\W_]+")
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class Line:
    """One claim for a person: where it stands, what it is called, and its value as text."""

    path: ClaimPath
    label: str
    value: str

    @property
    def json(self) -> dict[str, Json]:
        """For pages and programs alike."""
        return {"path": list(self.path), "label": self.label, "value": self.value}


def lines(
    claims: Mapping[str, Json],
    *,
    kind: Format,
    labels: Labels | None = None,
    without: Set[ClaimPath] = frozenset(),
    closed: Set[ClaimPath] = frozenset(),
    disclosed: Set[ClaimPath] = frozenset(),
) -> tuple[Line, ...]:
    """Every claim of a credential that is about its subject, objects taken apart, in the order that people expect.

    That is the issuer's own order of its claims, then the usual one; disclosures come in an order that says nothing.
    `kind` is the credential's format. `without` are paths to leave out with all that is in them; `closed` and
    `disclosed` are as in `Opened`: what can be hidden (a disclosable `iat`, a name of the issuer's) is never taken for
    what every credential says anyway.
    """
    named = labels or {}
    places = {kind.within(path)[:1]: place for place, path in enumerate(named)}
    hideable = {path[:size] for path in disclosed for size in range(1, len(path) + 1)}
    read = _Reader(kind, named, without | (kind.MECHANICS - hideable), closed)
    found = [(line, kind.within(line.path)) for name, value in claims.items() for line in read.at((name,), value)]
    found.sort(key=lambda each: (places.get(each[1][:1], len(places)), _usual(each[1])))
    return tuple(line for line, _ in found)


@dataclass(frozen=True)
class _Reader:
    """Takes claims apart into lines."""

    kind: Format
    labels: Labels
    without: Set[ClaimPath]
    closed: Set[ClaimPath]

    def at(self, path: ClaimPath, value: Json) -> Iterator[Line]:
        """The lines of the claim at a path; none of what is left out, or has nothing left in it."""
        if path in self.without:
            return
        if not isinstance(value, Mapping | list) or not value:
            yield self._line(path, plain(value))
            return
        found = list(self._members(path, value) if isinstance(value, Mapping) else self._elements(path, value))
        yield from found
        if not found and self.kind.within(path):
            yield self._line(path, ONLY_THERE)

    def _line(self, path: ClaimPath, text: str) -> Line:
        return Line(path, label(path, kind=self.kind, labels=self.labels), text)

    def _members(self, path: ClaimPath, value: Mapping[str, Json]) -> Iterator[Line]:
        for name, inner in value.items():
            yield from self.at((*path, str(name)), inner)

    def _elements(self, path: ClaimPath, value: list[Json]) -> Iterator[Line]:
        """Plain elements share one line; objects and lists among them have lines of their own."""
        elements = [found for found in placed(path, value, self.closed) if found.path not in self.without]
        if any(isinstance(inner, Mapping | list) for inner in value):
            for element in elements:
                yield from self.at(element.path, element.value)
        elif elements:
            yield self._line(path, plain([element.value for element in elements]))


def _usual(path: ClaimPath) -> tuple[int, int]:
    """The usual place of a claim: the person, ages from the youngest, then the rest; inside an object the same."""
    if not path:
        return len(_PLACE), 0
    first, last = snake(str(path[0])), snake(str(path[-1]))
    age = _AGE.fullmatch(first)
    if age:
        return _PLACE["birthdate"], int(age[1])
    return _PLACE.get(first, len(_PLACE)), _PLACE.get(last, len(_PLACE)) - len(_PLACE)


def label(path: ClaimPath, *, kind: Format | None = None, labels: Labels | None = None) -> str:
    """What the claim at a path of a credential of this format is called.

    >>> label(("document", "number"))
    'Identity document: number'
    """
    named, rest = _named(path, labels or {})
    if kind is not None and not named:
        rest = kind.within(path)
    names = [named] if named else []
    names += [_word(part) for part in rest if isinstance(part, str)]
    if not names:
        return "Claim"
    return names[0] if len(names) == 1 else f"{names[0]}: {', '.join(_lower(name) for name in names[1:])}"


def _named(path: ClaimPath, labels: Labels) -> tuple[str, ClaimPath]:
    """The name of the longest part of a path that has one, and what is left of the path."""
    for size in range(len(path), 0, -1):
        head = path[:size]
        found = labels.get(head) or labels.get(tuple(None if isinstance(part, int) else part for part in head))
        if found:
            return found, path[size:]
    return "", path


def _word(name: str) -> str:
    """One claim name as words.

    >>> _word("age_over_18"), _word("padTested"), _word("licence_class"), _word("familyName")
    ('Over 18', 'Pad tested', 'Licence class', 'Last name')
    """
    age = _AGE.fullmatch(name)
    if age:
        return f"Over {age[1]}"
    known = _KNOWN.get(name) or _KNOWN.get(snake(name))
    if known:
        return known
    words = _WORD.findall(_HUMP.sub(" ", name))
    text = " ".join(word if word.isupper() else word.lower() for word in words) or name.strip() or "claim"
    return text[:1].upper() + text[1:]


def snake(name: str) -> str:
    """A claim's name as most formats write it; linked data has humps instead.

    >>> snake("familyName"), snake("family_name")
    ('family_name', 'family_name')
    """
    return _HUMP.sub("_", name).lower()


def _lower(name: str) -> str:
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


def plain(value: Json) -> str:
    """A value as a person reads it.

    >>> plain(True), plain("1815-12-10"), plain(["GB", "IT"])
    ('Yes', '10 December 1815', 'GB, IT')
    """
    if value is None or value in ([], {}, ""):
        return "(empty)"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(plain(item) for item in value)
    if isinstance(value, str) and _DATE.fullmatch(value):
        return _date(value)
    text = pictures.in_words(value) or printable(str(value), limit=MAX_SHOWN + 1)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _date(text: str) -> str:
    try:
        return long_date(date.fromisoformat(text))
    except ValueError:
        return text


def long_date(day: date) -> str:
    """A date in words that no country reads another way.

    >>> long_date(date(2026, 1, 2))
    '2 January 2026'
    """
    return f"{day.day} {day:%B} {day.year}"


def moment(seconds: int | None) -> str:
    """A time since 1970 as words, in UTC; "" for none."""
    if seconds is None:
        return ""
    when = datetime.fromtimestamp(seconds, UTC)
    return f"{long_date(when.date())}, {when:%H:%M} UTC"
