"""Commands on the desk's ledger and DID: anchor what waits, replace the signing key, end the DID."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import click

from service import cli
from ssi.encoding import Json, seconds
from ssi.errors import Refused, Unavailable
from ssi.fetch import BoundedFetch, Fetch
from ssi.ledger.registry import NOBODY, change_owner
from wallet.issuer import keychange, ledgers
from wallet.issuer.anchoring import Turn
from wallet.issuer.identity import load
from wallet.issuer.ledgers import Desk
from wallet.issuer.office import open_anchoring, open_store
from wallet.issuer.settings import ROLE, IssuerSettings, read_settings
from wallet.issuer.statuses import Publisher

_IN_FLIGHT: Final = 2.0
"""Seconds in which a running desk has answered what it began to answer with the old key."""
_SECOND: Final = 1.1
_PATIENCE: Final = 180.0
"""Seconds for which a command waits until the ledger has taken what was signed."""

_UNANCHORED: Final = (
    "What was signed until now is not on the ledger for good yet, or this machine's clock is behind the ledger's."
    " The new key signs meanwhile. Call it again to go on."
)


@click.command("anchor")
@cli.settings_options(ROLE)
@cli.json_option
def anchor(*, as_json: bool, **flags: Any) -> None:
    """Bring onto the ledger what waits for it, now (the service does this by itself)."""
    cli.emit(_anchored(read_settings(cli.overlay(ROLE, flags))), as_json=as_json)


@click.command("rotate-key")
@click.option(
    "--at-once", is_flag=True, help="Retire the old key first of all: somebody else has it. What waits is then lost."
)
@cli.settings_options(ROLE)
@cli.json_option
def rotate_key(*, at_once: bool, as_json: bool, **flags: Any) -> None:
    """Replace the signing key: a new key and certificate, new entries in the DID's log, its head on the ledger.

    The old key is deleted, and leaves the DID's document when all that it has signed is on the ledger. A running desk
    goes over to the new key by itself. Call it again if it was interrupted.
    """
    settings = read_settings(cli.overlay(ROLE, flags))
    if at_once or settings.ledger.declaration is None:
        made = keychange.rotate(settings, now=_now())
    else:
        made = keychange.take_over(settings, now=_now())
        time.sleep(_IN_FLIGHT)
        _drain(settings)
        made |= keychange.retire(settings, old=str(made["old_key"]), now=_now())
    cli.emit({**made, **_stated(read_settings(cli.overlay(ROLE, flags)))}, as_json=as_json)


def _drain(settings: IssuerSettings) -> None:
    """Anchor all that has been signed until now, for good, and in blocks whose time is over by this machine's clock.

    A key's end is written by that clock, and what it signed must be on the ledger before by the ledger's. Raises
    Unavailable (`rotate.unanchored`) when all that takes too long.
    """
    end = time.monotonic() + _PATIENCE
    while True:
        turn = _turn(settings)
        begun = turn.busy or turn.closed or turn.waiting or turn.problems
        if not begun and turn.latest < seconds(_now()):
            return
        if time.monotonic() >= end:
            raise Unavailable("rotate.unanchored", _UNANCHORED)
        time.sleep(_SECOND)


@click.command("deactivate")
@click.option("--yes", is_flag=True, help="Really: nothing that this desk has issued can be verified afterwards.")
@cli.settings_options(ROLE)
@cli.json_option
def deactivate(*, yes: bool, as_json: bool, **flags: Any) -> None:
    """End the desk's DID for good, and then its account's identity on the ledger: it can write nothing there any more.

    Call it again if it was interrupted, or if the ledger could not be reached.
    """
    if not yes:
        raise Refused("did.deactivate", "This cannot be undone, and ends all credentials of the DID. Say --yes.")
    settings = read_settings(cli.overlay(ROLE, flags))
    made = keychange.deactivate(settings, now=_now())
    ended: Mapping[str, Json] = {}
    if settings.ledger.declaration is not None:
        ended = _ended(settings)
    cli.emit({**made, **ended}, as_json=as_json)


def _ended(settings: IssuerSettings) -> dict[str, Json]:
    """The account's identity given up. Raises Unavailable and Refused (`ledger.*`); asked again, it goes on."""
    desk = _desk(settings)
    account, registry = desk.account.address, desk.ledger.registry
    if registry.owner(account) == NOBODY:
        return {"account": desk.did, "account_ended": True}
    _drain(settings)  # the contract takes nothing of an identity that has ended: so this comes last
    data = change_owner(account, NOBODY)
    write = desk.writer.write(f"end {account}", registry.address, data, now=_now())
    return {"account": desk.did, "account_ended": write.block_number is not None}


def _stated(settings: IssuerSettings) -> Mapping[str, Json]:
    """What became of the DID's new head on the ledger; the service goes on with it if it could not be written now."""
    return {} if settings.ledger.declaration is None else {"ledger": _anchored(settings)}


def _anchored(settings: IssuerSettings) -> dict[str, Json]:
    return _turn(settings).json


def _turn(settings: IssuerSettings) -> Turn:
    """One turn of anchoring."""
    ledger = _desk(settings)
    store, identity = open_store(settings), load(settings, lenient=True)
    publisher = Publisher(store, identity, settings.base_url, settings.status_ttl, settings.status_size)
    return open_anchoring(settings, ledger, publisher, secrets.token_bytes).turn(now=_now(), close=True)


def _now() -> datetime:
    return datetime.now(UTC)


def _desk(settings: IssuerSettings) -> Desk:
    ledger = ledgers.open_desk(settings, fetch=network(settings), clock=lambda: int(time.time()))
    if ledger is None:
        raise Refused("settings.ledger", "The desk has no ledger; run `facet-issuer bootstrap`, or name one.")
    return ledger


def network(settings: IssuerSettings) -> Fetch:
    """How the desk reaches others."""
    shared = settings.service
    return BoundedFetch(
        allow_loopback=shared.allow_loopback, ca_file=None if shared.ca_file is None else str(shared.ca_file)
    )
