"""The desk's ledger page: for clerks, what is recorded, what it cost, what is stuck, and who lets this desk issue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Response, make_response, redirect, url_for

import schemas
from service import ledgerwords
from service.app import answer, json_answer, wants_json
from ssi.dids import Sources
from ssi.dids.looking import Looking
from ssi.dids.webvh import NAME, place
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
INTENTS: Final[Mapping[str, str]] = {
    "batch": "A batch of cards",
    "head": "A new version of a status list, or of the desk's own keys",
    "create": "Setting up the ledger",
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
        told = self.looking.look(now=now, anew=anew).json(TYPES)
        told["desk"] = ledgerbook.book(self.office, desk, now=now)
        own = next((one for one in told["issuers"] if one["did"] == told["desk"]["did"]), None)
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
    return Looking(desk.ledger, Sources(OwnLog(fetch, identity), Ledgers.of(desk.ledger)), names=names)


def _no_ledger() -> Refused:
    return Refused("desk.no_ledger", "This desk keeps nothing on a ledger.")
