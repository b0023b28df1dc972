"""`facet-wallet`: run the wallet service, or check a credential that somebody has in a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from service import cli
from service.cli import Exit, emit, json_option, read_input
from service.store import create, engine
from ssi import formats
from ssi.encoding import Json
from ssi.errors import Malformed, SsiError
from ssi.fetch import BoundedFetch, Fetch
from ssi.formats import anyvc
from ssi.formats.typemetadata import Types
from ssi.issuerkeys import Keys
from ssi.model import Check, Credential, Finding, Opened, Outcome
from ssi.status import Checker
from wallet.holder import store
from wallet.holder.cards import finding_json
from wallet.holder.didcli import did
from wallet.holder.inspection import status_of
from wallet.holder.outside import Outside
from wallet.holder.pagecli import answer_dc
from wallet.holder.settings import OPTIONS, ROLE, issuer_policy, read_settings
from wallet.holder.web import STATUS_MAX_AGE, utc_now
from wallet.holder.web import check as check_settings

MARKS: Mapping[Outcome, str] = {
    Outcome.PASS: "yes    ",
    Outcome.FAIL: "NO     ",
    Outcome.UNKNOWN: "unknown",
    Outcome.NOT_ASKED: "-      ",
}


@cli.group(ROLE)
def main() -> None:
    """A person's wallet."""


main.add_command(
    cli.serve_command(ROLE, factory="wallet.holder.web:wsgi", check=check_settings, options=OPTIONS), name="serve"
)


main.add_command(answer_dc)
main.add_command(did)


@main.group()
def credential() -> None:
    """Credentials in files."""


@credential.command("check")
@click.argument("source", metavar="FILE|-")
@click.option("--anchors", type=click.Path(path_type=Path), help="Trusted authorities, PEM.")
@click.option("--ca-file", help="Extra authorities for TLS, PEM.")
@click.option("--allow-loopback", is_flag=True, help="May call services on this machine.")
@click.option("--format", "format_id", default="dc+sd-jwt", show_default=True, help="The credential's format.")
@json_option
def check(source: str, **options: Any) -> None:
    """Check a credential as a wallet does when it arrives: signature, dates, and with --anchors its issuer and status.

    Exit code 0: all is well. 1: something is wrong. 2: wrong usage. 3: something could not be checked now.
    """
    credential = _read(source, options["format_id"])
    network = _network(options["ca_file"], allow_loopback=options["allow_loopback"])
    keys, now = Keys(network), utc_now()
    opened = formats.by_id(credential.format).check(credential, keys=keys, now=now)
    findings = [*opened.findings, *_trust(opened, options["anchors"], network, keys, now=now)]
    verdict, code = _verdict(findings)
    data = {"verdict": verdict, "type": opened.type, "findings": [finding_json(finding) for finding in findings]}
    emit(data, as_json=options["as_json"], lines=_lines)
    sys.exit(int(code))


def _read(source: str, format_id: str) -> Credential:
    """The credential to check. An unknown format is wrong usage; a file that holds no text is a wrong credential."""
    try:
        formats.by_id(format_id)
    except SsiError as error:
        raise click.UsageError(error.detail) from None
    try:
        return Credential(format_id, read_input(source).decode("ascii").strip())
    except UnicodeDecodeError:
        raise Malformed("credential.text", "The input is not a credential: it is not plain text.") from None


def _network(ca_file: str | None, *, allow_loopback: bool) -> Fetch:
    try:
        return BoundedFetch(allow_loopback=allow_loopback, ca_file=ca_file)
    except OSError:
        raise click.UsageError("--ca-file cannot be read.") from None


def _trust(opened: Opened, anchors: Path | None, network: Fetch, keys: Keys, *, now: datetime) -> list[Finding]:
    """What is found about issuer and status. Without authorities nobody can be judged: then neither is asked."""
    if anchors is None:
        detail = "No authorities were given (--anchors) by whom to judge this."
        asked = [Check.TRUST] if not opened.statuses else [Check.TRUST, Check.STATUS]
        return [Finding(one, Outcome.NOT_ASKED, f"{one.value}.not_asked", detail) for one in asked]
    if not anchors.is_file():
        raise click.UsageError("--anchors cannot be read.")
    policy = issuer_policy(anchors)
    checker = Checker(fetch=network, keys=keys, trust=policy, max_age=STATUS_MAX_AGE, opener=anyvc.opener(keys))
    outside = Outside(network, keys, checker, Types(network), policy, None)
    return [policy.judge(opened.issuer, opened.type, now=now), status_of(opened, outside=outside, now=now)]


@main.group()
def vault() -> None:
    """People's vaults. What is in them nobody can see, the operator neither."""


@vault.command("count")
@json_option
@cli.settings_options(ROLE, OPTIONS)
def count(*, as_json: bool, **flags: Any) -> None:
    """How many vaults this service keeps; names and contents are unreadable without their passphrases."""
    settings = read_settings(cli.overlay(ROLE, flags, OPTIONS, environ=os.environ))
    database = engine(settings.service.database_url)
    create(store.METADATA, database)
    emit({"vaults": store.count_vaults(database)}, as_json=as_json)


def _verdict(findings: list[Finding]) -> tuple[str, Exit]:
    outcomes = {finding.outcome for finding in findings}
    if Outcome.FAIL in outcomes:
        return "not valid", Exit.INVALID
    return ("could not check", Exit.UNDECIDED) if Outcome.UNKNOWN in outcomes else ("valid", Exit.VALID)


def _lines(data: Mapping[str, Json]) -> list[str]:
    findings = [f"  {MARKS[Outcome(one['outcome'])]} {one['check']}: {one['detail']}" for one in data["findings"]]
    return [f"{data['verdict']}: {data['type']}", *findings]
