"""`facet-issuer`: set up a trial, serve the desk, and look after applications and credentials."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click
from sqlalchemy import func, select

from service import bootstrap as setup
from service import cli
from service.settings import PORTS, is_loopback
from service.store import reading, writing
from ssi.encoding import Json, seconds
from ssi.fetch import BoundedFetch
from wallet.issuer import chaincli, founding, ledgercli, web
from wallet.issuer.conformance import commands as conformance
from wallet.issuer.office import open_store
from wallet.issuer.records import Records
from wallet.issuer.settings import OPTIONS, ROLE, read_settings
from wallet.issuer.statuses import Status
from wallet.issuer.store import APPLICATIONS, scrub, sweep

_LISTED: Final = 200


@cli.group(ROLE)
def main() -> None:
    """The issuing desk of Facet: enrols people, issues credentials, publishes their status."""


main.add_command(cli.serve_command(ROLE, factory="wallet.issuer.web:wsgi", check=web.check, options=OPTIONS), "serve")
main.add_command(conformance.serve)
main.add_command(conformance.jose_cose)
main.add_command(chaincli.command)
main.add_command(ledgercli.anchor)
main.add_command(ledgercli.rotate_key)
main.add_command(ledgercli.deactivate)


@main.command("bootstrap")
@click.option("--directory", default="var", help="Directory to fill. Default: var.")
@click.option("--host", "hosts", multiple=True, help="A further name or address the services answer to; repeatable.")
@click.option("--issuer-url", default=f"https://localhost:{PORTS['issuer']}", show_default=True)
@click.option("--wallet-url", default=f"https://localhost:{PORTS['wallet']}", show_default=True)
@click.option("--verifier-url", default=f"https://localhost:{PORTS['verifier']}", show_default=True)
@cli.json_option
def bootstrap(
    directory: str, hosts: tuple[str, ...], issuer_url: str, wallet_url: str, verifier_url: str, *, as_json: bool
) -> None:
    """Make the authorities, certificates, keys, secrets, ledger and DID of a trial; what is there is kept."""
    urls = {"issuer": issuer_url, "wallet": wallet_url, "verifier": verifier_url}
    found = founding.founder(BoundedFetch(allow_loopback=True, ca_file=None))
    made = setup.bootstrap(Path(directory), hosts=hosts, base_urls=urls, now=datetime.now(UTC), found=found)
    files = [{"path": str(f.path), "purpose": f.purpose, "secret": f.secret, "written": f.written} for f in made.files]
    here = any(is_loopback(urlsplit(url).hostname or "") for url in urls.values())
    told: dict[str, Json] = {"directory": str(made.directory), "loopback": here, "files": files}
    cli.emit(told, as_json=as_json, lines=_made_lines)


def _made_lines(data: Mapping[str, Json]) -> list[str]:
    lines = []
    for file in data["files"]:
        verb, secret = "made" if file["written"] else "kept", " (secret)" if file["secret"] else ""
        lines.append(f"{verb}  {file['path']}  {file['purpose']}{secret}")
    more = " --allow-loopback" if data["loopback"] else ""
    starts = [f"  facet-{role} serve --data {data['directory']}{more}" for role in PORTS]
    return [*lines, "Next, each in a window of its own:", *starts]


@main.group("application", cls=cli.Group)
def application() -> None:
    """Applications at the desk."""


@application.command("list")
@cli.settings_options(ROLE)
@cli.json_option
def list_applications(*, as_json: bool, **flags: Any) -> None:
    """The latest applications: when, what was decided, and whether personal data is still kept."""
    store = open_store(read_settings(cli.overlay(ROLE, flags)))
    columns = APPLICATIONS.c
    query = select(columns.id, columns.created_at, columns.decision, columns.subject.is_not(None).label("data_kept"))
    with reading(store) as connection:
        rows = connection.execute(query.order_by(columns.created_at.desc()).limit(_LISTED)).mappings().all()
    found = [{**row, "created_at": _time(row["created_at"]), "data_kept": bool(row["data_kept"])} for row in rows]
    cli.emit({"applications": found}, as_json=as_json, lines=lambda data: _table(data["applications"]))


@application.command("erase")
@cli.settings_options(ROLE)
@cli.json_option
def erase(*, as_json: bool, **flags: Any) -> None:
    """Erase personal data whose time is over (the service does this by itself while it is in use)."""
    store = open_store(read_settings(cli.overlay(ROLE, flags)))
    with writing(store) as connection:
        erased = sweep(connection, now=seconds(datetime.now(UTC)))
        kept = connection.execute(select(func.count()).where(APPLICATIONS.c.subject.is_not(None))).scalar()
    scrub(store)
    cli.emit({"erased": erased, "kept": kept}, as_json=as_json)


@main.group("credential", cls=cli.Group)
def credential() -> None:
    """Issued credentials."""


@credential.command("list")
@cli.settings_options(ROLE)
@cli.json_option
def list_credentials(*, as_json: bool, **flags: Any) -> None:
    """The latest credentials and how they stand."""
    now = datetime.now(UTC)
    found = [record.json(now=now) for record in _records(flags).all()]
    cli.emit({"credentials": found}, as_json=as_json, lines=lambda data: _table(data["credentials"]))


def _marking(verb: str, status: Status, text: str) -> None:
    """Add `credential <verb>`."""

    @credential.command(verb, help=text)
    @click.argument("credential_id")
    @click.option("--reason", default="", help="Why, for the record; at most 200 characters.")
    @cli.settings_options(ROLE)
    @cli.json_option
    def mark(credential_id: str, reason: str, *, as_json: bool, **flags: Any) -> None:
        now = datetime.now(UTC)
        record = _records(flags).mark(credential_id, status, reason=reason, now=now)
        cli.emit(record.json(now=now), as_json=as_json)


_marking("revoke", Status.REVOKED, "Revoke a credential for good.")
_marking("suspend", Status.SUSPENDED, "Suspend a credential until it is resumed.")
_marking("resume", Status.VALID, "Let a suspended credential count again.")


def _records(flags: Mapping[str, Any]) -> Records:
    return Records(open_store(read_settings(cli.overlay(ROLE, flags))))


def _time(value: int) -> str:
    return datetime.fromtimestamp(value, UTC).isoformat()


def _table(rows: list[Mapping[str, Json]]) -> list[str]:
    if not rows:
        return ["(none)"]
    names = list(rows[0])
    cells = [names, *([str("" if row[name] is None else row[name]) for name in names] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
