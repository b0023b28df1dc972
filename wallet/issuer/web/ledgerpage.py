"""The desk's ledger page: for clerks, what is recorded, what it cost, what is stuck, and who lets this desk issue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from flask import Response, make_response, redirect, url_for

import schemas
from service import ledgerwords
from service.app import answer, json_answer, wants_json
from ssi.dids import Sources
from ssi.dids.looking import Looking
from ssi.dids.webvh import NAME, place
from ssi.encoding import Json
from ssi.errors import Refused
from ssi.fetch import Fetch
from ssi.fetch import Response as Fetched
from ssi.ledger.anchor import name_hash
from ssi.ledger.ledger import Ledgers
from wallet.issuer import ledgerbook
from wallet.issuer.identity import Identity
from wallet.issuer.kinds import TYPE
from wallet.issuer.office import Office

TYPES: Final[Mapping[bytes, str]] = {
    name_hash(schemas.VERIFIED_PERSON): "Verified person",
    name_hash(TYPE): "Verified person, as a W3C credential",
}
"""What this desk issues, by what the ledger calls it."""
DESCRIPTIONS: Final[Mapping[bytes, str]] = {
    sha256(schemas.read(path)).digest(): TYPES[name_hash(name)] for name, path in schemas.TYPES.items()
}
"""The types by the digests of their descriptions, which founding records (`wallet.issuer.founding`)."""
INTENTS: Final[Mapping[str, str]] = {
    "batch": "A batch of cards",
    "head": "A new version of a status list, or of the desk's own keys",
    "create": "Setting up the ledger",
    "describe": "The description of a type of card",
    "gap": "Filling a gap between two writes",
}
"""What a write was for, by the first word of its name."""


@dataclass(frozen=True)
class OwnLog:
    """A network in which the desk's own log is at its address: the desk need not ask itself over the network."""

    fetch: Fetch
    identity: Identity

    def get(
        self,
        url: str,
        *,
        accept: str | None = None,
        max_bytes: int | None = None,
        headers: Mapping[str, str] | None = None,
        max_redirects: int | None = None,
    ) -> Fetched:
        """The log where that is asked for; everything else as the network has it. Raises as it does, as all here."""
        log = self.identity.log
        if log is not None and url == place.read(self.identity.did).log:
            return Fetched(200, url, {"content-type": "text/jsonl"}, log)
        return self.fetch.get(url, accept=accept, max_bytes=max_bytes, headers=headers, max_redirects=max_redirects)

    def post(
        self,
        url: str,
        *,
        body: bytes,
        content_type: str,
        accept: str | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Fetched:
        """As the network has it."""
        named: dict[str, Any] = {"accept": accept, "headers": headers, "max_bytes": max_bytes}
        return self.fetch.post(url, body=body, content_type=content_type, **named)


@dataclass(frozen=True)
class LedgerPages:
    """The views on the ledger; `looking` is None for a desk without one."""

    office: Office
    looking: Looking | None
    now: Callable[[], datetime]

    def ledger(self) -> Response:
        """What the desk has on the ledger, and the ledger around it."""
        return self._page(anew=False)

    def turn(self) -> Response:
        """Record what waits, and try again what is stuck."""
        if self.office.anchoring is None:
            raise _no_ledger()
        turn = self.office.anchoring.turn(now=self.now(), close=True)
        if wants_json():
            return json_answer(turn.json)
        if turn.problems or turn.busy:
            return self._page(anew=True, busy=turn.busy, problems=turn.problems)
        return make_response(redirect(url_for("desk.ledger", done="yes"), 303))

    def _page(self, *, anew: bool, busy: bool = False, problems: tuple[str, ...] = ()) -> Response:
        desk = self.office.ledger
        if desk is None or self.looking is None:
            raise _no_ledger()
        now = self.now()
        told = self.looking.look(now=now, anew=anew).json(TYPES, DESCRIPTIONS)
        told["desk"] = ledgerbook.book(self.office, desk, now=now)
        own = next((one for one in told["issuers"] if one["did"] == told["desk"]["did"]), None)
        told["desk"]["states"] = _states(told["desk"]["states"], [] if own is None else own["states"])
        page = {
            **ledgerwords.WORDS,
            "number": ledgerwords.numbers(),
            "own": own,
            "intents": INTENTS,
            "busy": busy,
            "turn_problems": problems,
        }
        return answer("desk/ledger.html", told, page=page)


def looking(office: Office, *, fetch: Fetch) -> Looking | None:
    """Who looks at the desk's ledger, and at the desk's own DID there."""
    desk, identity = office.ledger, office.identity
    if desk is None:
        return None
    names = [identity.did] if identity.did.startswith(f"did:{NAME}:") else [desk.did]
    return Looking(
        desk.ledger, Sources(OwnLog(fetch, identity), Ledgers.of(desk.ledger)), names=names, known=DESCRIPTIONS
    )


def _states(own: Sequence[Mapping[str, Json]], seen: Sequence[Mapping[str, Json]]) -> list[Json]:
    """The newest states as the ledger has them, with the desk's names for them; then those that it does not have yet.

    The ledger's word has the block's time, as everybody sees it; the desk's book only the time of its own entry.
    """
    names = {"0x" + name_hash(one["name"]).hex(): one for one in own}
    numbers = {one["subject"]: one["number"] for one in seen}
    late = [
        {
            **one,
            "subject": subject,
            "about": "list" if ":" in one["name"] else "did",
            "finality": one["state"],
            "at": None,
        }
        for subject, one in names.items()
        if one["number"] > numbers.get(subject, -1)
    ]
    told = [{**one, "name": names.get(one["subject"], {}).get("name"), "state": one["finality"]} for one in seen]
    return [*late, *told]


def _no_ledger() -> Refused:
    return Refused("desk.no_ledger", "This desk keeps nothing on a ledger.")
