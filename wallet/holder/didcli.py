"""`facet-wallet did`: make, resolve, change and give up DIDs, and read how they came to be what they are."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource

from service.cli import Exit, emit, json_option, read_input
from ssi import dids
from ssi.dids import Sources, Version, dereferencing
from ssi.dids.problems import Problem
from ssi.dids.sources import Resolved, moment, written
from ssi.dids.timeline import Step, timeline
from ssi.encoding import Json, printable, read_json_object
from ssi.errors import Malformed, Unavailable, Unsupported
from ssi.fetch import BoundedFetch
from ssi.keys import ALGORITHMS
from ssi.ledger import declared
from ssi.ledger.ledger import NO_LEDGERS, Ledger, Ledgers
from wallet.holder import didaccounts, didfolders, didlogs
from wallet.holder.didfolders import Made, Wish
from wallet.holder.web import utc_now

_T = TypeVar("_T")
_MARKS = "/?#"
METHODS: Final = (*didfolders.METHODS, "webvh", "ethr")


@click.group()
def did() -> None:
    """Decentralized identifiers: make them, resolve them, change them, give them up."""


def _asking(command: Any) -> Any:
    """The options of commands that ask others."""
    for option in (
        click.option("--allow-loopback", is_flag=True, help="May call services on this machine."),
        click.option("--ca-file", help="Extra authorities for TLS, PEM."),
        click.option("--ledger", metavar="FILE", help="The ledger that DIDs stand on: its declaration, JSON."),
    ):
        command = option(command)
    return command


@did.command("create")
@click.argument("method", type=click.Choice(METHODS))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--alg", type=click.Choice(tuple(ALGORITHMS)), default="ES256", show_default=True, help="The key's kind.")
@click.option("--url", help="HTTPS address under which it will lie (web, webvh).")
@click.option("--service", "services", multiple=True, metavar="FILE", help="A service, JSON (peer, web, webvh).")
@_asking
@json_option
def create(method: str, folder: Path, *, alg: str, url: str | None, services: tuple[str, ...], **flags: Any) -> None:
    """Make a DID in an empty folder: its private key and its document or log. An ethr needs --ledger.

    Exit code 0: made. 1: refused. 2: wrong usage. 3: the ledger could not be asked now.
    """
    _fits("--url", given=url is not None, method=method, methods=("web", "webvh"))
    _fits("--service", given=bool(services), method=method, methods=("peer", "web", "webvh"))
    chosen = click.get_current_context().get_parameter_source("alg") is not ParameterSource.DEFAULT
    _fits("--alg", given=chosen, method=method, methods=tuple(name for name in METHODS if name != "ethr"))
    wish = Wish(alg, url, tuple(read_json_object(read_input(name), what="service") for name in services))
    if method in _MADE:
        didfolders.prepare(folder)
    made = _MADE[method](folder, wish, flags) if method in _MADE else didfolders.create(folder, method, wish)
    _tell(made, as_json=flags["as_json"])


def _fits(option: str, *, given: bool, method: str, methods: tuple[str, ...]) -> None:
    """Refuse an option that would change nothing. Raises click.UsageError."""
    if given and method not in methods:
        raise click.UsageError(f"{option} means nothing for a did:{method}; it is for {', '.join(methods)}.")


@did.command("rotate")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--alg", type=click.Choice(tuple(ALGORITHMS)), default="ES256", show_default=True, help="The key's kind.")
@click.option("--yes", is_flag=True, help="Without asking again.")
@_asking
@json_option
def rotate(folder: Path, *, alg: str, yes: bool, **flags: Any) -> None:
    """Give the DID in a folder a new key (an ethr: a new account).

    Exit code 0: done. 1: refused, or declined. 2: wrong usage. 3: the ledger could not be asked now.
    """
    now = utc_now()
    if didlogs.is_here(folder):
        _agree(_LOGGED, yes=yes)
        made = didlogs.rotate(folder, alg=alg, now=now)
    elif didaccounts.is_here(folder):
        ledger, sources = _needed(flags)
        _agree(_WRITTEN, yes=yes)
        made = didaccounts.rotate(folder, ledger, sources, now=now)
    else:
        if didfolders.name(folder).startswith("did:web:"):
            _agree(_FORGETS, yes=yes)
        made = didfolders.rotate(folder, alg=alg)
    _tell(made, as_json=flags["as_json"])


@did.command("deactivate")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--yes", is_flag=True, help="Without asking again.")
@_asking
@json_option
def deactivate(folder: Path, *, yes: bool, **flags: Any) -> None:
    """Give up the DID in a folder, for good.

    Exit code 0: done. 1: refused, or declined. 2: wrong usage. 3: the ledger could not be asked now.
    """
    now, end = utc_now(), "Nobody can bring the DID back. Give it up?"
    if didlogs.is_here(folder):
        _agree(f"{_LOGGED_STAYS} {end}", yes=yes)
        made = didlogs.deactivate(folder, now=now)
    elif didaccounts.is_here(folder):
        ledger, sources = _needed(flags)
        _agree(f"{_WRITTEN_STAYS} {end}", yes=yes)
        made = didaccounts.deactivate(folder, ledger, sources, now=now)
    else:
        _agree(end, yes=yes)
        made = didfolders.deactivate(folder)
    _tell(made, as_json=flags["as_json"])


_WRITTEN_STAYS: Final = "What is written on a ledger stays there for ever, for everybody to read."
_LOGGED_STAYS: Final = "What a DID's log says can never be taken back, once others have read it."
_WRITTEN: Final = f"{_WRITTEN_STAYS} Write the new account into it?"
_LOGGED: Final = f"{_LOGGED_STAYS} Add the new key to it?"


_FORGETS: Final = "A did:web has no past: what the old key signed can no longer be verified. Replace the key?"


def _agree(question: str, *, yes: bool) -> None:
    """Ask, unless that was answered beforehand; end with the exit code of a refusal if the answer is no."""
    if not yes and not click.confirm(question, err=True):
        sys.exit(int(Exit.INVALID))


def _needed(flags: Mapping[str, Any]) -> tuple[Ledger, Sources]:
    """The ledger that a command cannot do without."""
    ledger = _ledger(flags)
    if ledger is None:
        raise click.UsageError("A did:ethr needs --ledger FILE: the declaration of the ledger that it stands on.")
    return ledger, Sources(_fetch(flags), Ledgers.of(ledger))


def _ethr(folder: Path, _wish: Wish, flags: Mapping[str, Any]) -> Made:
    ledger, sources = _needed(flags)
    return didaccounts.create(folder, ledger, sources, now=utc_now())


_MADE: Final[Mapping[str, Callable[[Path, Wish, Mapping[str, Any]], Made]]] = {
    "webvh": lambda folder, wish, _flags: didlogs.create(folder, wish, now=utc_now()),
    "ethr": _ethr,
}


@did.command("resolve")
@click.argument("did_or_url", metavar="DID|DID-URL|FOLDER")
@click.option("--version-id", help="The version of this id.")
@click.option("--version-time", help="The version of this time (2026-11-23T01:31:00Z).")
@click.option("--version-number", type=click.IntRange(min=1), help="The version of this number (webvh).")
@_asking
@json_option
def resolve(did_or_url: str, **flags: Any) -> None:
    """Show a DID's document, or what a DID URL names.

    With the document comes what is known about it. FOLDER is one that `did create` made.

    Exit code 0: resolved. 1: there is none, it is broken, or deactivated. 2: wrong usage. 3: could not be asked now.
    """
    sources, now = _sources(flags), utc_now()
    version = _version(flags)
    did_or_url = _named(did_or_url)
    if any(mark in did_or_url for mark in _MARKS):
        _show_part(did_or_url, version, sources, now, as_json=flags["as_json"])
        return
    resolved = _asked(lambda: dids.resolve(did_or_url, sources=sources, version=version, now=now), flags)
    if resolved.deactivated:
        click.echo("This DID was given up: nothing that is signed with its keys now counts.", err=True)
    elif flags["ledger"] is None and any(name.startswith("did:ethr:") for name in resolved.document.also_known_as):
        click.echo("The DID names an account on a ledger, which was not asked: --ledger FILE asks it.", err=True)
    emit(_result(resolved), as_json=flags["as_json"], lines=_document_lines)
    sys.exit(int(Exit.INVALID if resolved.deactivated and version == dids.CURRENT else Exit.VALID))


@did.command("history")
@click.argument("name", metavar="DID|FOLDER")
@_asking
@json_option
def history(name: str, **flags: Any) -> None:
    """Show how a DID came to be what it is now.

    Version by version, the oldest first. FOLDER is one that `did create` made.

    Exit code 0: shown. 1: there is none, or its history is broken. 2: wrong usage. 3: could not be asked now.
    """
    name, sources = _named(name), _sources(flags)
    versions = _asked(lambda: dids.history(name, sources=sources, now=utc_now()), flags)
    data = {"did": name, "versions": [_step_json(step) for step in timeline(versions)]}
    emit(data, as_json=flags["as_json"], lines=_history_lines)


def _named(name: str) -> str:
    """The DID, also where the folder is named that it lies in. Raises Refused (`did.folder`)."""
    if name.startswith("did:") or not Path(name).is_dir():
        return name
    return didlogs.name(Path(name)) if didlogs.is_here(Path(name)) else didfolders.name(Path(name))


def _asked(question: Callable[[], _T], flags: Mapping[str, Any]) -> _T:
    """The answer; where no ledger was named and the DID stands on one, the way to name it."""
    try:
        return question()
    except Unsupported as unsupported:
        if unsupported.code != "ledger.network" or flags["ledger"] is not None:
            raise
        raise click.UsageError("The DID stands on a ledger: name its declaration with --ledger FILE.") from None


def _sources(flags: Mapping[str, Any]) -> Sources:
    ledger = _ledger(flags)
    return Sources(_fetch(flags), NO_LEDGERS if ledger is None else Ledgers.of(ledger))


def _ledger(flags: Mapping[str, Any]) -> Ledger | None:
    """The ledger that `--ledger` names. Raises Malformed, Unsupported (`ledger.*`)."""
    if flags["ledger"] is None:
        return None
    return declared.read(read_input(flags["ledger"]), fetch=_fetch(flags), folder=None, sleep=time.sleep)


def _fetch(flags: Mapping[str, Any]) -> BoundedFetch:
    try:
        return BoundedFetch(allow_loopback=flags["allow_loopback"], ca_file=flags["ca_file"])
    except OSError:
        raise click.UsageError("--ca-file cannot be read.") from None


def _version(flags: Mapping[str, Any]) -> Version:
    given = [flags[name] for name in ("version_id", "version_time", "version_number") if flags[name] is not None]
    if len(given) > 1:
        raise click.UsageError("Name the version in one way.")
    try:
        time = None if flags["version_time"] is None else moment(flags["version_time"])
    except Malformed as malformed:
        raise click.UsageError(malformed.detail) from None
    return Version(flags["version_id"], time, flags["version_number"])


def _show_part(url: str, version: Version, sources: Sources, now: datetime, *, as_json: bool) -> None:
    if version != dids.CURRENT:
        raise click.UsageError("In a DID URL the version is part of the URL (?versionId=…).")
    try:
        found = dereferencing.dereference(url, {}, accept=None, sources=sources, now=now)
    except Problem as problem:
        if problem.name == "internalError":
            raise Unavailable("did.unavailable", problem.detail) from None
        raise
    if found.content is None:
        emit({"addresses": list(found.addresses)}, as_json=as_json, lines=lambda data: data["addresses"])
        return
    emit(found.content, as_json=as_json, lines=lambda data: json.dumps(data, indent=2).split("\n"))


def _result(resolved: Resolved) -> dict[str, Json]:
    return {
        "didDocument": resolved.document.json,
        "didDocumentMetadata": dict(resolved.metadata),
        "ledger": dict(resolved.evidence),
    }


def _document_lines(data: Mapping[str, Json]) -> list[str]:
    """The document, then what is known about it. JSON escapes whatever a terminal would act upon."""
    lines = json.dumps(data["didDocument"], indent=2).split("\n")
    for what, where in (("about", "didDocumentMetadata"), ("ledger", "ledger")):
        lines += [f"{what}: {name} {json.dumps(value)}" for name, value in data[where].items()]
    return lines


def _step_json(step: Step) -> dict[str, Json]:
    at = None if step.at is None else written(step.at)
    return {"at": at, "version": step.version, "changes": list(step.words), "ledger": dict(step.evidence)}


def _history_lines(data: Mapping[str, Json]) -> list[str]:
    lines = [printable(data["did"], limit=200)]
    evidence = [step["ledger"] for step in data["versions"]]
    for place, step in enumerate(data["versions"]):
        lines.append(f"  {step['at'] or 'time unknown':20}  {step['version'] or '-'}")
        lines += [f"  {'':20}    {change}" for change in step["changes"]]
        if evidence[place] and evidence[place] not in evidence[place + 1 :]:
            lines.append(f"  {'':20}    {_recorded(evidence[place], together=evidence.count(evidence[place]))}")
    return lines


def _recorded(evidence: Mapping[str, Json], *, together: int) -> str:
    """What a ledger says of a version, or of several that one block speaks for."""
    at = evidence["block_at"]
    at = written(datetime.fromtimestamp(at, UTC)) if isinstance(at, int) else at
    where = f"on the ledger in block {evidence['block']} of {at} ({evidence['finality']})"
    return f"these {together} versions: {where}" if together > 1 else where


def _tell(made: Made, *, as_json: bool) -> None:
    data = {"did": made.did, "files": [str(path) for path in made.files], "notes": list(made.notes)}
    emit(data, as_json=as_json, lines=_made_lines)


def _made_lines(data: Mapping[str, Json]) -> list[str]:
    return [data["did"], *(f"  wrote {name}" for name in data["files"]), *(f"  {note}" for note in data["notes"])]
