"""Names and pictures for people: how does an issuer show itself and its credentials, in which languages (§12.2.4)?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ssi.encoding import Json, printable, text
from ssi.errors import Malformed
from ssi.oid4vci.reading import MAX_LISTED, members_of

_MAX_TEXT: Final = 300
_MAX_URI: Final = 65_536
_TEXTS: Final = ("name", "locale", "description", "background_color", "text_color")


@dataclass(frozen=True)
class Picture:
    """A picture by its URI, whatever its scheme (`https:`, `data:`), and the words for who does not see it."""

    uri: str
    alt_text: str | None = None

    @property
    def json(self) -> dict[str, Json]:
        """The `logo` or `background_image` object."""
        return {"uri": self.uri} if self.alt_text is None else {"uri": self.uri, "alt_text": self.alt_text}


@dataclass(frozen=True)
class Display:
    """How something is named for people in one language; None is the language of everybody else."""

    name: str
    locale: str | None = None
    description: str | None = None
    background_color: str | None = None
    text_color: str | None = None
    logo: Picture | None = None
    background_image: Picture | None = None

    @property
    def json(self) -> dict[str, Json]:
        """One element of a `display` array."""
        members: dict[str, Json] = {name: getattr(self, name) for name in _TEXTS}
        for name, picture in (("logo", self.logo), ("background_image", self.background_image)):
            members[name] = None if picture is None else picture.json
        return {name: value for name, value in members.items() if value is not None}


def read_display(members: Mapping[str, Json]) -> tuple[Display, ...]:
    """The named elements of `display`; those that only bring a logo have nothing to show here.

    Raises Malformed (`oid4vci.metadata`, `encoding.text`).
    """
    value = members.get("display", [])
    if not isinstance(value, list) or len(value) > MAX_LISTED:
        raise Malformed("oid4vci.metadata", "The display names of the issuer metadata cannot be read.")
    items = [members_of(item, "display name") for item in value]
    return tuple(_display(item) for item in items if item.get("name") is not None)


def in_language(displays: tuple[Display, ...], language: str) -> Display | None:
    """The element in a language ("de", "de-AT"), else that of its main language, else the first; None without any.

    >>> in_language((Display("Ausweis", "de"), Display("Card", "en-GB")), "en").name
    'Card'
    """
    wanted = language.lower()
    named = [(display.locale.lower(), display) for display in displays if display.locale is not None]
    exact = [display for locale, display in named if locale == wanted]
    near = [display for locale, display in named if locale.partition("-")[0] == wanted.partition("-")[0]]
    return next(iter((*exact, *near, *displays)), None)


def _display(item: Mapping[str, Json]) -> Display:
    return Display(
        name=_said(item, "name") or "",
        locale=_said(item, "locale"),
        description=_said(item, "description"),
        background_color=_said(item, "background_color"),
        text_color=_said(item, "text_color"),
        logo=_picture(item, "logo"),
        background_image=_picture(item, "background_image"),
    )


def _said(item: Mapping[str, Json], name: str) -> str | None:
    """A text for people, with nothing in it that could make it look like another."""
    value = text(item, name, what="display name")
    return None if value is None else printable(value, limit=_MAX_TEXT)


def _picture(item: Mapping[str, Json], name: str) -> Picture | None:
    """A picture, None where there is none that can be used: it is decoration, and nothing is refused for it."""
    value = item.get(name)
    if not isinstance(value, dict):
        return None
    uri = value.get("uri")
    if not isinstance(uri, str) or not 0 < len(uri) <= _MAX_URI or not uri.isascii() or not uri.isprintable():
        return None
    words = value.get("alt_text")
    return Picture(uri, printable(words, limit=_MAX_TEXT) if isinstance(words, str) else None)
