"""Values: is this a URL, a type, a language value, a moment, as the W3C VC Data Model spells them?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from ssi.encoding import Json
from ssi.errors import Malformed, Unsupported

MAX_URL: Final = 8192
MAX_ENTRIES: Final = 1000
"""The most entries of one property that are read: types, subjects, statuses, credentials."""

# An absolute URL: a scheme, and nothing that a URL cannot hold (RFC 3986 §2, RFC 3987 for what is not ASCII).
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20\x7f-\xa0<>\"{}|\\^`\s]+")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,15}")  # BCP 47 §2.1, its outer form
_LANGUAGE_VALUE: Final = frozenset(("@value", "@language", "@direction"))
_MOMENT = re.compile(
    r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T(?:([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,20}))?|(24:00:00(?:\.0{1,20})?))"
    r"(Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?"
)
_FAR_YEAR = re.compile(r"-|[1-9][0-9]{4,}-")


def bad(member: str, detail: str) -> Malformed:
    """The error for a member that breaks a MUST: its code is `vcdm.` and the member's own name."""
    return Malformed(f"vcdm.{member}", detail)


def is_url(value: Json) -> bool:
    """Is it an absolute URL?

    >>> is_url("did:example:123"), is_url("https ://not-a-url"), is_url("fake-issuer")
    (True, False, False)
    """
    if not isinstance(value, str) or len(value) > MAX_URL or not _URL.fullmatch(value):
        return False
    if value[:4] != "http" and value[:4].lower() != "http":  # most are DIDs and URNs
        return True
    if not value[:8].lower().startswith(("http://", "https://")):
        return not value[:6].lower().startswith(("http:", "https:"))
    try:
        return bool(urlsplit(value).hostname)
    except ValueError:
        return False


def one_id(holder: Mapping[str, Json], *, member: str, required: bool = False) -> str | None:
    """The `id` of an object: a single URL (§4.4), or None where it may be absent. Raises Malformed (`vcdm.…`)."""
    value = holder.get("id")
    if value is None and "id" not in holder and not required:
        return None
    if not isinstance(value, str) or not is_url(value):
        raise bad(member, f"The `id` of {_named(member)} is not a single URL.")
    return value


def named_party(value: Json, *, member: str) -> str:
    """An issuer or a holder: a URL, or an object whose `id` is one (§4.7, §4.13). Raises Malformed (`vcdm.…`)."""
    if isinstance(value, str) and is_url(value):
        return value
    if isinstance(value, Mapping):
        found = one_id(value, member=member, required=True)
        if found is not None:
            return found
    raise bad(member, f"{_named(member)} is neither a URL nor an object with a URL as its `id`.")


def types(holder: Mapping[str, Json], *, member: str = "type") -> tuple[str, ...]:
    """The `type` of an object: one or more terms and absolute URLs (§4.5). Raises Malformed (`vcdm.…`)."""
    value = holder.get("type")
    every = value if isinstance(value, list) else [value]
    if not 0 < len(every) <= MAX_ENTRIES:
        raise bad(member, f"{_named(member)} has no type, or too many.")
    for one in every:
        if not isinstance(one, str) or not one or (":" in one and not is_url(one)) or one.split() != [one]:
            raise bad(member, f"The type of {_named(member)} is missing, or no term and no URL.")
    return tuple(every)


def objects(holder: Mapping[str, Json], member: str) -> tuple[Mapping[str, Json], ...]:
    """A property that is one object or a set of one or more; () when absent. Raises Malformed (`vcdm.…`)."""
    if member not in holder:
        return ()
    value = holder[member]
    every = value if isinstance(value, list) else [value]
    if not 0 < len(every) <= MAX_ENTRIES or not all(isinstance(one, Mapping) for one in every):
        raise bad(member, f"`{member}` is neither an object nor a set of one or more objects.")
    return tuple(every)


def typed_objects(
    holder: Mapping[str, Json], member: str, *, id_required: bool = False
) -> Iterator[tuple[Mapping[str, Json], tuple[str, ...]]]:
    """Objects that must say their type, and whose `id`, if any, must be a URL. Raises Malformed (`vcdm.…`)."""
    for one in objects(holder, member):
        one_id(one, member=member, required=id_required)
        yield one, types(one, member=member)


def language_value(holder: Mapping[str, Json], member: str) -> None:
    """Refuse a `name` or `description` that is no string and no language value object (§4.6, §11.1).

    A property with values in several languages is an array of them. Raises Malformed (`vcdm.…`).
    """
    if member not in holder:
        return
    value = holder[member]
    every = value if isinstance(value, list) else [value]
    if not every or len(every) > MAX_ENTRIES or not all(_is_language_value(one) for one in every):
        raise bad(member, f"`{member}` is neither a string nor a language value object.")


def _is_language_value(value: Json) -> bool:
    if isinstance(value, str):
        return True
    if (
        not isinstance(value, Mapping)
        or not isinstance(value.get("@value"), str)
        or not value.keys() <= _LANGUAGE_VALUE
    ):
        return False
    if "@direction" in value and value["@direction"] not in ("ltr", "rtl"):
        return False
    language = value.get("@language", "und")
    return isinstance(language, str) and _LANGUAGE.fullmatch(language) is not None


def moment(holder: Mapping[str, Json], member: str, *, zone_required: bool) -> datetime | None:
    """A `dateTimeStamp` (XSD 1.1 Part 2 §3.4.28) as an aware datetime in UTC, or None when absent.

    VCDM 1.1 has `dateTime`, whose zone may be missing and then is UTC: `zone_required` tells the two apart. Fractions
    beyond microseconds are cut off. Raises Malformed (`vcdm.…`), Unsupported (`vcdm.year`) beyond the years 1 to 9999.
    """
    if member not in holder:
        return None
    value = holder[member]
    if not isinstance(value, str) or len(value) > 64:
        raise bad(member, f"`{member}` is not a date and time with its zone.")
    found = _parse_moment(value)
    if found is None and _FAR_YEAR.match(value):
        raise Unsupported("vcdm.year", f"`{member}` is in a year that is not reckoned with here.")
    if found is None or (zone_required and value[-1] != "Z" and value[-6:-5] not in ("+", "-")):
        raise bad(member, f"`{member}` is not a date and time with its zone.")
    return found


@lru_cache(maxsize=4096)
def _parse_moment(value: str) -> datetime | None:
    match = _MOMENT.fullmatch(value)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, midnight, zone = match.groups()
    offset = UTC if zone in (None, "Z") else timezone(_offset(zone))
    try:
        start = datetime(int(year), int(month), int(day), tzinfo=offset)
        if midnight:  # the first instant of the following day
            return (start + timedelta(days=1)).astimezone(UTC)
        micros = int((fraction or "0")[:6].ljust(6, "0"))
        return start.replace(hour=int(hour), minute=int(minute), second=int(second), microsecond=micros).astimezone(UTC)
    except (ValueError, OverflowError):  # no such day, or beyond what a datetime holds
        return None


def _offset(zone: str) -> timedelta:
    size = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    return -size if zone[0] == "-" else size


def _named(member: str) -> str:
    return "the document" if member in ("id", "type") else f"`{member}`"
