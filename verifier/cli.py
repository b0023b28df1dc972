"""`facet-verifier`: run the service, verify a presentation from a file, make an API key."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from service import cli, store
from service.cli import Exit
from service.settings import read as read_service
from ssi import status
from ssi.encoding import Json, b64url, read_json_object, seconds
from ssi.errors import Malformed
from ssi.fetch import BoundedFetch, Fetch
from ssi.formats import anyvc
from ssi.formats.typemetadata import Types
from ssi.issuerkeys import Keys, anchored
from ssi.model import Challenge, Presentation
from ssi.trust.policies import Issuers
from verifier import recheckcli, shown, web, wiring, words
from verifier.conformance import commands as conformance
from verifier.offline import Offline
from verifier.onrecord import OnRecord
from verifier.policy import Policy
from verifier.sessions import digest
from verifier.settings import OPTIONS, ROLE
from verifier.store import METADATA, Store
from verifier.verify import Verdict, VerificationResult, Verifier

PERSON = "urn:facet:credential:verified-person:1"
EXITS: Mapping[Verdict, Exit] = {
    Verdict.VERIFIED: Exit.VALID,
    Verdict.NOT_VERIFIED: Exit.INVALID,
    Verdict.COULD_NOT_CHECK: Exit.UNDECIDED,
}


@cli.group(ROLE)
def main() -> None:
    """Ask for presentations and verify them."""


main.add_command(cli.serve_command(ROLE, factory="verifier.web:wsgi", check=web.check, options=OPTIONS))
main.add_command(conformance.serve)
main.add_command(conformance.jose_cose)
main.add_command(recheckcli.command)


@main.group()
def presentation() -> None:
    """Presentations of credentials."""


@presentation.command("verify")
@click.argument("source", metavar="FILE")
@click.option("--nonce", required=True, help="The nonce that the presentation must answer.")
@click.option("--audience", required=True, help="The client identifier that it must be made for.")
@click.option("--anchors", metavar="FILE", type=click.Path(path_type=Path), help="Authorities of trusted issuers, PEM.")
@click.option("--issuer", "issuers", multiple=True, help="A trusted issuer without a certificate: a DID or https name.")
@click.option("--type", "types", multiple=True, default=(PERSON,), show_default=True, help="An accepted type (vct).")
@click.option("--format", "format_id", default="dc+sd-jwt", show_default=True, help="The presentation's format.")
@click.option("--offline", is_flag=True, help="Ask nobody; what needs the network could not be checked.")
@click.option("--receipt", metavar="FILE", help="The ledger receipt that came with it, JSON.")
@click.option(
    "--ledger", metavar="FILE", help="The ledger to judge it by, also for DIDs and lists: its declaration, JSON."
)
@click.option("--ca-file", help="Extra CA certificates to trust when asking for status lists, PEM.")
@click.option("--allow-loopback", is_flag=True, help="Allow asking services on this machine.")
@cli.json_option
def verify(
    *,
    source: str,
    nonce: str,
    audience: str,
    anchors: Path | None,
    issuers: tuple[str, ...],
    types: tuple[str, ...],
    format_id: str,
    receipt: str | None,
    ledger: str | None,
    as_json: bool,
    **network: Any,
) -> None:
    """Verify the presentation in FILE (`-` for stdin), and say what was found.

    Exit code 0: verified. 1: not verified. 2: wrong usage. 3: could not be checked now.
    """
    wire = _text(cli.read_input(source))
    named = Issuers(dict.fromkeys(issuers)) if issuers else None
    policy = Policy(trust=wiring.trust(anchors, named), types=frozenset(types))
    shown_with = None if receipt is None else read_json_object(cli.read_input(receipt), what="receipt")
    result = _verifier(_network(**network), policy, ledger).verify(
        Presentation(format_id, wire, shown_with),
        challenge=Challenge(nonce, audience),
        policy=policy,
        now=_now(),
    )
    cli.emit(_told(result), as_json=as_json, lines=_lines)
    raise SystemExit(int(EXITS[result.verdict]))


def _verifier(fetch: Fetch, policy: Policy, ledger: str | None) -> Verifier:
    """A verifier for one presentation. Raises Malformed, Unsupported (`ledger.*`)."""
    known = None
    if ledger is not None:
        content = cli.read_input(ledger)
        known = anchored.known(content, fetch=fetch, folder=None, sleep=time.sleep, clock=time.monotonic)
    keys = Keys(fetch if known is None else known.sources)
    checker = status.Checker(
        fetch=fetch,
        keys=keys,
        trust=policy.trust,
        max_age=timedelta(days=1),
        opener=anyvc.opener(keys),
        anchors=None if known is None else known.lists(required=False),
    )
    if known is None:
        return Verifier(keys, checker, Types(None))
    return Verifier(keys.with_history(), checker, Types(None), OnRecord(known.records))


def _now() -> datetime:
    return datetime.now(UTC)


def _text(data: bytes) -> str:
    try:
        return data.decode("ascii").strip()
    except UnicodeDecodeError:
        raise Malformed("presentation.encoding", "The presentation is not plain text.") from None


def _network(*, offline: bool, ca_file: str | None, allow_loopback: bool) -> Fetch:
    if offline:
        return Offline()
    try:
        return BoundedFetch(allow_loopback=allow_loopback, ca_file=ca_file)
    except OSError:
        raise click.UsageError("The file in --ca-file cannot be read.") from None


def _told(result: VerificationResult) -> dict[str, Json]:
    """What the command says: claims only of an accepted presentation."""
    told: dict[str, Json] = {
        "verdict": result.verdict.value,
        "findings": [shown.finding_json(finding) for finding in result.findings],
    }
    if result.accepted:
        told |= {"issuer": shown.issuer_name(result.opened), "type": result.opened.type, "claims": result.claims}
    return told


def _lines(told: Mapping[str, Json]) -> list[str]:
    findings = [f"  {one['outcome']:<9} {one['check']:<15} {one['detail']} [{one['code']}]" for one in told["findings"]]
    verdict = words.STATES[words.State(told["verdict"])]
    lines = [f"{verdict.title}. {verdict.sentence}", *findings]
    if "claims" in told:
        lines += [f"  {name}: {value}" for name, value in told["claims"].items()]
    return lines


@main.group("api-key")
def api_key() -> None:
    """Keys for the REST API."""


@api_key.command("create")
@click.option("--name", required=True, help="Who will use the key; to tell keys apart.")
@click.option("--data", help="The service's --data directory.")
@click.option("--database-url", help="The service's --database-url.")
@cli.json_option
def create(*, name: str, as_json: bool, **flags: str | None) -> None:
    """Make an API key and write it to stdout, this once; the store keeps only its digest."""
    engine = store.engine(read_service(ROLE, cli.overlay(ROLE, flags)).database_url)
    store.create(METADATA, engine)
    key = b64url(secrets.token_bytes(32))
    Store(engine).add_api_key(digest(key), name=name[:100], at=seconds(_now()))
    cli.emit({"name": name, "key": key}, as_json=as_json, lines=lambda told: [str(told["key"])])
