"""History: what came in, what went out, to whom, and what did the person refuse? Sealed like everything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from ssi.encoding import Json, seconds
from wallet.holder.claims import Line
from wallet.holder.vault import Record, Vault

KIND: Final = "event"
SHOWN: Final = 200


class What(Enum):
    """What happened. An answer that `FAILED` did not get through; one that is `NOT_ACCEPTED` did, and was refused."""

    ADDED = "added"
    NOT_KEPT = "not_kept"
    OFFER_DECLINED = "offer_declined"
    SENDING = "sending"
    SHARED = "shared"
    DECLINED = "declined"
    FAILED = "failed"
    NOT_ACCEPTED = "not_accepted"
    REMOVED = "removed"


@dataclass(frozen=True)
class Who:
    """The other side: its name, its address or identifier, and whether it has proved the name."""

    name: str
    address: str
    verified: bool


@dataclass(frozen=True)
class Event:
    """One thing that happened, with whom, and which claims of which cards it was about.

    `cards` are (name of the card, its shared claims). `request` is the asker's signed request exactly as received, so
    that they cannot deny having asked.
    """

    what: What
    at: int
    who: Who
    cards: tuple[tuple[str, tuple[Line, ...]], ...] = ()
    purpose: str = ""
    detail: str = ""
    request: str = ""
    id: str = ""

    @property
    def json(self) -> dict[str, Json]:
        """For pages, programs and sealed records alike."""
        return {
            "what": self.what.value,
            "at": self.at,
            "who": self.who.name,
            "address": self.who.address,
            "verified": self.who.verified,
            "cards": [{"name": name, "claims": [line.json for line in claims]} for name, claims in self.cards],
            "purpose": self.purpose,
            "detail": self.detail,
            "request": self.request,
        }


def happened(
    vault: Vault,
    what: What,
    *,
    who: Who,
    now: datetime,
    cards: Iterable[tuple[str, tuple[Line, ...]]] = (),
    purpose: str = "",
    detail: str = "",
    request: str = "",
) -> Record:
    """An event as a record that does not exist yet, to be kept together with what it tells of."""
    event = Event(what, seconds(now), who, tuple(cards), purpose, detail, request)
    return vault.new(KIND, event.json)


def recent(vault: Vault) -> tuple[Event, ...]:
    """The newest events, newest first."""
    return tuple(_read(record.id, record.data) for record in vault.all(KIND, limit=SHOWN))


def get_event(vault: Vault, id: str) -> Event:
    """One event. Raises Refused (`record.absent`)."""
    return _read(id, vault.get(KIND, id).data)


def _read(name: str, data: Mapping[str, Json]) -> Event:
    cards = tuple((card["name"], tuple(_line(line) for line in card["claims"])) for card in data["cards"])
    return Event(
        What(data["what"]),
        data["at"],
        Who(data["who"], data["address"], data["verified"]),
        cards,
        data["purpose"],
        data["detail"],
        data["request"],
        name,
    )


def _line(data: Mapping[str, Json]) -> Line:
    return Line(tuple(data["path"]), data["label"], data["value"])
