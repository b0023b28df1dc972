"""`facet-verifier`: run the service, verify a presentation from a file, make an API key."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from service import cli, store
from service.cli import Exit
from service.settings import read as read_service
from ssi import status
from ssi.encoding import Json, b64url, seconds
from ssi.errors import Malformed, SsiError, Unavailable
from ssi.fetch import BoundedFetch, Fetch
from ssi.formats import anyvc
from ssi.formats.typemetadata import Types
from ssi.issuerkeys import Keys
from ssi.model import Challenge, Presentation
from ssi.trust.policies import Issuers
from verifier import shown, web, wiring, words
from verifier.conformance import commands as conformance
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
    as_json: bool,
    **network: Any,
) -> None:
    """Verify the presentation in FILE (`-` for stdin), and say what was found.

    Exit code 0: verified. 1: not verified. 2: wrong usage. 3: could not be checked now.
    """
    wire = _text(cli.read_input(source))
    named = Issuers(dict.fromkeys(issuers)) if issuers else None
    policy = Policy(trust=wiring.trust(anchors, named), types=frozenset(types))
    fetch = _network(**network)
    keys = Keys(fetch)
    checker = status.Checker(
        fetch=fetch, keys=keys, trust=policy.trust, max_age=timedelta(days=1), opener=anyvc.opener(keys)
    )
    result = Verifier(keys, checker, Types(None)).verify(
        Presentation(format_id, wire), challenge=Challenge(nonce, audience), policy=policy, now=datetime.now(UTC)
    )
    cli.emit(_told(result), as_json=as_json, lines=_lines)
    raise SystemExit(int(EXITS[result.verdict]))


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


class Offline:
    """A network on which nothing can be reached."""

    def get(self, url: str, **_options: Any) -> Any:
        """Always Unavailable (`fetch.offline`)."""
        raise _offline(url)

    def post(self, url: str, **_options: Any) -> Any:
        """Always Unavailable (`fetch.offline`)."""
        raise _offline(url)


def _offline(_url: str) -> SsiError:
    return Unavailable("fetch.offline", "Nobody was asked, because of --offline.")


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
    Store(engine).add_api_key(digest(key), name=name[:100], at=seconds(datetime.now(UTC)))
    cli.emit({"name": name, "key": key}, as_json=as_json, lines=lambda told: [str(told["key"])])
