"""Items: what is asked for under an offer, with which keys, and what came of it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ssi.encoding import Json
from ssi.model import Finding
from wallet.holder.cards import finding_json, read_finding
from wallet.holder.inspection import Verdict


@dataclass(frozen=True)
class Item:
    """One offered credential: the keys made for its copies, what arrived, and what the check found.

    `promises` are for each of `wires` what its receipt can be had with, or None.

    `identifier` names one of several sets of data (§6.2). `transaction` is the issuer's promise of a credential that is
    not made yet, to be asked about from `ask_at` on (§9); `notification` what it calls what it sent (§11).
    """

    configuration: str
    identifier: str | None = None
    kids: tuple[str, ...] = ()
    wires: tuple[str, ...] = field(default=(), repr=False)
    promises: tuple[Mapping[str, Json] | None, ...] = field(default=(), repr=False)
    transaction: str = field(default="", repr=False)
    ask_at: int = 0
    notification: str | None = field(default=None, repr=False)
    verdict: Verdict | None = None
    findings: tuple[Finding, ...] = ()
    card: str = ""

    @property
    def name(self) -> tuple[str, str | None]:
        """What tells it from the other items of its offer."""
        return self.configuration, self.identifier

    @property
    def json(self) -> dict[str, Json]:
        """For a sealed record."""
        return {
            "configuration": self.configuration,
            "identifier": self.identifier,
            "kids": list(self.kids),
            "wires": list(self.wires),
            "promises": [None if one is None else dict(one) for one in self.promises],
            "transaction": self.transaction,
            "ask_at": self.ask_at,
            "notification": self.notification,
            "verdict": None if self.verdict is None else self.verdict.value,
            "findings": [finding_json(finding) for finding in self.findings],
            "card": self.card,
        }


def read_item(data: Mapping[str, Json]) -> Item:
    """The item in a sealed record; those of the first release hold one key and one credential."""
    return Item(
        configuration=data["configuration"],
        identifier=data.get("identifier"),
        kids=tuple(data["kids"]) if "kids" in data else tuple(filter(None, [data["kid"]])),
        wires=tuple(data["wires"]) if "wires" in data else tuple(filter(None, [data["wire"]])),
        promises=tuple(data.get("promises", ())),
        transaction=data.get("transaction", ""),
        ask_at=data.get("ask_at", 0),
        notification=data.get("notification"),
        verdict=None if data["verdict"] is None else Verdict(data["verdict"]),
        findings=tuple(read_finding(finding) for finding in data["findings"]),
        card=data["card"],
    )
