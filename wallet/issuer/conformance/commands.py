"""`facet-issuer conformance` and `facet-issuer jose-cose issue`: for test suites, and for nobody else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from service import cli
from service import conformance as hosting
from ssi.encoding import write_json
from ssi.errors import SsiError
from wallet.issuer.settings import ROLE

serve: Final = hosting.command(ROLE, factory="wallet.issuer.conformance.web:wsgi")


@click.group("jose-cose", cls=cli.Group)
def jose_cose() -> None:
    """The command line that the W3C JOSE/COSE test suite calls."""


@jose_cose.command("issue")
@click.option("--input", "source", required=True, metavar="FILE", help="The document to secure, JSON.")
@click.option("--key", "key_file", required=True, metavar="FILE", help="The suite's verification method with its key.")
@click.option("--feature", required=True, help="How to secure it, like credential_jose.")
@click.option("--sd", "disclosable", metavar="JSON", help="Claims that can be hidden, a list of paths.")
@click.option("--output", required=True, metavar="FILE", type=click.Path(path_type=Path), help="Where the answer goes.")
def issue(*, source: str, key_file: str, feature: str, disclosable: str | None, output: Path) -> None:
    """Secure a document with a key from a file. Exit code 0: success. 1: failure."""
    from wallet.issuer.conformance import josecose  # noqa: PLC0415  (loaded only here: it brings in every kind of proof)

    data, signer = cli.read_input(source), josecose.read_signer(cli.read_input(key_file))
    try:
        paths = josecose.paths(disclosable)
        made = josecose.issue(data, feature, signer=signer, disclosable=paths, now=datetime.now(UTC))
        answer = {"result": "success", "data": made}
    except SsiError as error:
        answer = {"result": "failure", "data": f"{error.detail} [{error.code}]"}
    output.write_bytes(write_json(answer))
    raise SystemExit(int(cli.Exit.VALID if answer["result"] == "success" else cli.Exit.INVALID))
