"""Dates of data model 1.1: is the credential within its time?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from ssi.encoding import Json
from ssi.errors import Malformed, Refused

LEEWAY: Final = timedelta(seconds=60)
"""How far another's clock may be ahead of ours; an expired credential is expired."""

_DATE_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def moment(members: Mapping[str, Json], name: str) -> datetime | None:
    """A date and time with its zone (VCDM 1.1 §4.5); None when absent. Raises Malformed (`didkit.date`)."""
    value = members.get(name)
    if value is None and name not in members:
        return None
    if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
        raise Malformed("didkit.date", f"{name!r} is not a date and time with its zone.")
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Malformed("didkit.date", f"{name!r} is not a date and time with its zone.") from None


def required(members: Mapping[str, Json], name: str) -> datetime:
    """A date and time that must be there. Raises Malformed (`didkit.date`)."""
    found = moment(members, name)
    if found is None:
        raise Malformed("didkit.date", f"There is no {name!r}.")
    return found


def within(*, begins: datetime | None, ends: datetime | None, now: datetime) -> None:
    """Return while it is in force. Raises Refused (`didkit.not_yet_valid`, `didkit.expired`)."""
    if begins is not None and begins > now + LEEWAY:
        raise Refused("didkit.not_yet_valid", "It is not valid yet.")
    if ends is not None and ends <= now:
        raise Refused("didkit.expired", "It is no longer valid.")


def text(value: datetime) -> str:
    """The instant as these documents write it, in whole seconds."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
