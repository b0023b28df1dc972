"""`facet-verifier conformance` and `facet-verifier jose-cose verify`: for test suites, and for nobody else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from service import cli
from service import conformance as hosting
from ssi.encoding import write_json
from ssi.errors import SsiError
from verifier.settings import ROLE

serve: Final = hosting.command(ROLE, factory="verifier.conformance.web:wsgi")


@click.group("jose-cose", cls=cli.Group)
def jose_cose() -> None:
    """The command line that the W3C JOSE/COSE test suite calls."""


@jose_cose.command("verify")
@click.option("--input", "source", required=True, metavar="FILE", help="The secured document.")
@click.option("--key", "key_file", required=True, metavar="FILE", help="The signer's verification method, JSON.")
@click.option("--trusted", "trusted", multiple=True, metavar="FILE", help="A further one, for credentials inside.")
@click.option("--feature", required=True, help="What to verify, like credential_jose.")
@click.option("--output", required=True, metavar="FILE", type=click.Path(path_type=Path), help="Where the answer goes.")
@click.option("--at", metavar="TIME", help="The moment at which to judge, like 2024-12-16T02:00:00Z. Default: now.")
def verify(*, source: str, key_file: str, trusted: tuple[str, ...], feature: str, output: Path, at: str | None) -> None:
    """Verify a secured document with keys from files. Exit code 0: success. 1: failure."""
    from verifier.conformance import josecose  # noqa: PLC0415  (loaded only here: it brings in every kind of proof)

    data = cli.read_input(source)
    told = tuple(josecose.read_method(cli.read_input(path)) for path in (key_file, *trusted))
    try:
        findings = josecose.verify(data, feature, signer=told[0], others=josecose.ToldKeys(told), now=_moment(at))
    except SsiError as error:
        answer, said = "failure", f"{error.detail} [{error.code}]"
    else:
        answer = josecose.result(findings)
        said = " ".join(f"{finding.detail} [{finding.code}]" for finding in findings)
    output.write_bytes(write_json({"result": answer, "data": said}))
    raise SystemExit(int(cli.Exit.VALID if answer == "success" else cli.Exit.INVALID))


def _moment(at: str | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise click.UsageError("--at is not a time like 2024-12-16T02:00:00Z.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
