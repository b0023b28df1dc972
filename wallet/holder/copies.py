"""Copies: which of a card's one-time credentials is shown next, and where do more of them come from?

An issuer may give several copies of one card, each with a key, salts and a status place of its own. As long as each is
shown once, two verifiers who compare notes cannot tell by them that they met the same person (OpenID4VCI 1.0 §3.3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Final

from ssi import formats
from ssi.encoding import Json
from ssi.keys import PublicKey
from ssi.model import Opened, StatusRef
from wallet.holder.claims import lines

FEW: Final = 2
"""With so many unused copies left, or fewer, it is time to ask the issuer for more."""


@dataclass(frozen=True)
class Copy:
    """One credential of a card: as received, its key, places in status lists, its end, and how often it was shown.

    `promise` is what the issuer gave along so that its receipt can be had (`wallet.holder.receipts`), `receipt` that;
    `ask_at` is when it may be asked for again.
    """

    wire: str = field(repr=False)
    key: PublicKey
    statuses: tuple[StatusRef, ...] = ()
    valid_until: int | None = None
    uses: int = 0
    used_at: int = 0
    promise: Mapping[str, Json] | None = field(default=None, repr=False)
    receipt: Mapping[str, Json] | None = field(default=None, repr=False)
    ask_at: int = 0

    @property
    def json(self) -> dict[str, Json]:
        """For a sealed record."""
        return {
            "wire": self.wire,
            "key": dict(self.key.jwk),
            "status_refs": [list(astuple(one)) for one in self.statuses],
            "valid_until": self.valid_until,
            "uses": self.uses,
            "used_at": self.used_at,
            **({} if self.promise is None else {"promise": dict(self.promise), "ask_at": self.ask_at}),
            **({} if self.receipt is None else {"receipt": dict(self.receipt)}),
        }


@dataclass(frozen=True)
class Source:
    """Where a card came from: under which grant (`wallet.holder.grants`), and as which of the things granted.

    `notification` is what the issuer calls the issuance of the card, when it wants to be told of it.
    """

    grant: str
    configuration: str
    identifier: str | None = None
    notification: str | None = field(default=None, repr=False)

    @property
    def json(self) -> dict[str, Json]:
        """For a sealed record."""
        return {
            "grant": self.grant,
            "configuration": self.configuration,
            "identifier": self.identifier,
            "notification": self.notification,
        }


def next_copy(copies: Sequence[Copy]) -> Copy:
    """The copy to show: an unused one, else the one whose last showing is longest ago."""
    return min(copies, key=lambda copy: (copy.uses > 0, copy.used_at))


def unused(copies: Sequence[Copy]) -> int:
    """How many copies nobody has seen yet."""
    return sum(copy.uses == 0 for copy in copies)


def said(opened: Opened) -> tuple[object, ...]:
    """What a copy says, as a person would see it: not the times, places and keys in which copies differ."""
    kind = formats.by_id(opened.format)
    shown = lines(opened.claims, kind=kind, closed=opened.closed, disclosed=frozenset(opened.disclosed))
    told = frozenset((line.path, line.value) for line in shown if line.path[:1] not in _OWN)
    return opened.type, opened.issuer.id, told, frozenset(opened.disclosed), opened.closed


_OWN: Final = frozenset({("iat",), ("nbf",), ("exp",), ("jti",), ("validFrom",), ("validUntil",), ("id",)})
"""What each copy may say in its own way."""


def read_copy(data: Mapping[str, Json]) -> Copy:
    """The copy in a sealed record."""
    statuses = tuple(read_status(one) for one in data["status_refs"])
    key = PublicKey.from_jwk(data["key"])
    return Copy(
        data["wire"],
        key,
        statuses,
        data["valid_until"],
        data["uses"],
        data["used_at"],
        data.get("promise"),
        data.get("receipt"),
        data.get("ask_at", 0),
    )


def read_source(data: Mapping[str, Json] | None) -> Source | None:
    """The source in a sealed record; None for cards that were kept before there was one."""
    return None if data is None else Source(**dict(data))


def read_status(parts: list[Json]) -> StatusRef:
    """A status entry in a sealed record."""
    kind, uri, index, purpose, size, messages = parts
    return StatusRef(kind, uri, index, purpose, size, tuple((value, text) for value, text in messages))
