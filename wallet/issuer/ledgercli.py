"""Commands on the desk's ledger and DID: anchor what waits, replace the signing key, end the DID."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import click

from service import cli
from service.cli import Exit
from service.settings import COMMON
from ssi.encoding import Json, seconds
from ssi.errors import Refused, Unavailable
from ssi.fetch import BoundedFetch, Fetch
from ssi.ledger.registry import NOBODY, change_owner
from wallet.issuer import keychange, ledgers
from wallet.issuer.anchoring import Turn
from wallet.issuer.identity import check_address, load
from wallet.issuer.ledgers import Desk
from wallet.issuer.office import open_anchoring, open_store
from wallet.issuer.settings import OPTIONS, ROLE, IssuerSettings, read_settings
from wallet.issuer.statuses import Publisher

_IN_FLIGHT: Final = 2.0
"""Seconds in which a running desk has answered what it began to answer with the old key."""
_SECOND: Final = 1.1
_PATIENCE: Final = 180.0
"""Seconds for which a command waits until the ledger has taken what was signed."""

_WAITING: Final = (
    f"Waiting until the ledger has everything that was signed until now, for {_PATIENCE:.0f} seconds at most."
)
_UNANCHORED: Final = (
    "What was signed until now is not on the ledger for good yet, or this machine's clock is behind the ledger's."
    " The new key signs meanwhile. Call it again to go on."
)


_EXITS: Final = "Exit code 0: done. 1: refused. 2: a wrong command or setting. 3: not now, as when the ledger is away."
_OURS: Final = tuple(option for option in OPTIONS if option.name in {"ledger", "ledger-key", "did-log"})
_SHARED: Final = frozenset({"base-url", "data", "database-url", "ca-file", "allow-loopback"})
"""The common settings that a command needs which serves nothing; the others are taken, but not listed."""
_UNLISTED: Final = frozenset(option.name for option in COMMON) - _SHARED

Command = TypeVar("Command", bound=Callable[..., Any])


def _settings(command: Command) -> Command:
    """The settings of these commands as flags, those that do not matter here out of the help."""
    added = cli.settings_options(ROLE, _OURS)(command)
    for option in getattr(added, "__click_params__", ()):
        if isinstance(option, click.Option) and option.opts[0].removeprefix("--") in _UNLISTED:
            option.hidden = True
    return added


def _read(flags: Mapping[str, Any]) -> IssuerSettings:
    """The settings. Raises as `read_settings`, and Refused (`settings.base_url`) for a desk of another address."""
    settings = read_settings(cli.overlay(ROLE, flags, _OURS))
    check_address(load(settings, lenient=True))
    return settings


@click.command("anchor", short_help="Bring onto the ledger what waits for it, now.", epilog=_EXITS)
@_settings
@cli.json_option
def anchor(*, as_json: bool, **flags: Any) -> None:
    """Bring onto the ledger what waits for it, now (the service does this by itself)."""
    turn = _turn(_read(flags))
    cli.emit(turn.json, as_json=as_json, lines=anchoring_lines)
    if turn.problems:
        raise SystemExit(int(Exit.UNDECIDED))


def anchoring_lines(told: Mapping[str, Json]) -> list[str]:
    """A turn of anchoring in sentences."""
    if told["busy"]:
        return ["Another process of this desk is anchoring now; what waits goes with it."]
    lines = [f"Not now: {problem}" for problem in told["problems"]]
    counts = (
        (told["closed"], "card", "put into a batch"),
        (told["written"], "batch", "recorded or looked after"),
        (told["stated"], "newest state", "recorded or looked after"),
    )
    lines += [f"{_counted(count, what)} {done}." for count, what, done in counts if count]
    if told["waiting"]:
        lines.append(f"{_counted(told['waiting'], 'batch')} not final on the ledger yet.")
    return lines or ["Nothing was waiting."]


def _counted(count: int, what: str) -> str:
    return f"{count} {what if count == 1 else what + ('es' if what.endswith('ch') else 's')}"


def _changed_lines(told: Mapping[str, Json]) -> list[str]:
    lines = [f"{told['did']} signs with a new key now: {told['new_key']}."]
    if not told["drained"]:
        return [
            *lines,
            f"The old key ({told['old_key']}) is retired at once; what it signed and was not recorded is lost.",
        ]
    return [*lines, f"The old key ({told['old_key']}) is retired; everything it signed is recorded."]


@click.command("rotate-key", short_help="Replace the key that signs.", epilog=_EXITS)
@click.option(
    "--at-once", is_flag=True, help="Retire the old key first of all: somebody else has it. What waits is then lost."
)
@_settings
@cli.json_option
def rotate_key(*, at_once: bool, as_json: bool, **flags: Any) -> None:
    """Replace the signing key: a new key and certificate, new entries in the DID's log, its head on the ledger.

    The old key is deleted, and leaves the DID's document when all that it has signed is on the ledger. A running desk
    goes over to the new key by itself. Call it again if it was interrupted.
    """
    settings = _read(flags)
    drains = not at_once and settings.ledger.declaration is not None
    if not drains:
        made = keychange.rotate(settings, now=_now())
    else:
        made = keychange.take_over(settings, now=_now())
        time.sleep(_IN_FLIGHT)
        _drain(settings)
        made |= keychange.retire(settings, old=str(made["old_key"]), now=_now())
    told = {**made, "drained": drains, **_stated(_read(flags))}
    cli.emit(told, as_json=as_json, lines=_changed_lines)


def _drain(settings: IssuerSettings) -> None:
    """Anchor all that has been signed until now, for good, and in blocks whose time is over by this machine's clock.

    A key's end is written by that clock, and what it signed must be on the ledger before by the ledger's. Raises
    Unavailable (`rotate.unanchored`) when all that takes too long.
    """
    end, said = time.monotonic() + _PATIENCE, False
    while True:
        turn = _turn(settings)
        begun = turn.busy or turn.closed or turn.waiting or turn.problems
        if not begun and turn.latest < seconds(_now()):
            return
        if turn.problems and not said:
            said = True
            click.echo(f"{_WAITING} Now: {turn.problems[0]}", err=True)
        if time.monotonic() >= end:
            raise Unavailable("rotate.unanchored", _UNANCHORED)
        time.sleep(_SECOND)


@click.command("deactivate", short_help="End the desk's DID for good.", epilog=_EXITS)
@click.option("--yes", is_flag=True, help="Really: nothing that this desk has issued can be verified afterwards.")
@_settings
@cli.json_option
def deactivate(*, yes: bool, as_json: bool, **flags: Any) -> None:
    """End the desk's DID for good, and then its account's identity on the ledger: it can write nothing there any more.

    Call it again if it was interrupted, or if the ledger could not be reached.
    """
    if not yes:
        raise Refused("cli.yes", "This cannot be undone, and ends all credentials of the DID. Say --yes.")
    settings = _read(flags)
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
