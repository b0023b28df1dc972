"""`facet-verifier recheck`: what a verdict says of the ledger, looked at again by somebody who trusts no verifier."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import click

from service import cli
from service.cli import Exit
from ssi.encoding import Json, read_json
from ssi.errors import Malformed, Refused
from ssi.ledger import declared
from ssi.ledger.hexes import read_data
from ssi.ledger.ledger import Checkpoint, Ledger
from ssi.ledger.receipts import Place
from ssi.model import Outcome
from verifier import rechecking, shown
from verifier.offline import Offline

_EXITS: Final[Mapping[Outcome, Exit]] = {Outcome.FAIL: Exit.INVALID, Outcome.UNKNOWN: Exit.UNDECIDED}


@click.command("recheck")
@click.argument("source", metavar="FILE")
@click.option("--ledger", metavar="FILE", required=True, help="The ledger that it is about: its declaration, JSON.")
@click.option(
    "--checkpoint",
    "points",
    multiple=True,
    metavar="NUMBER:HASH",
    help="A block known for certain, besides the declaration's.",
)
@cli.json_option
def command(source: str, *, ledger: str, points: tuple[str, ...], as_json: bool) -> None:
    """Check again what a verdict in FILE (`-` for stdin) says of the ledger, without asking anybody.

    FILE is a verdict as JSON, from the API or `presentation verify --json`, one of its findings, or that one's receipt.
    Blocks are known from the declaration's checkpoints and from --checkpoint.

    Exit code 0: it holds. 1: it does not. 2: wrong usage. 3: it leads to no block that is known.
    """
    blocks = tuple(map(_point, points))
    known = declared.read(cli.read_input(ledger), fetch=Offline(), folder=None, sleep=time.sleep)
    told = rechecking.receipts(read_json(cli.read_input(source), what="verdict", max_bytes=cli.MAX_INPUT))
    place = _place(known)
    found = [rechecking.judge(one, place=place, checkpoints=(*known.checkpoints, *blocks)) for one in told]
    worst = max((_EXITS.get(one.outcome, Exit.VALID) for one in found), key=_ORDER.index)
    said: dict[str, Json] = {"ledger": known.name, "findings": [shown.finding_json(one) for one in found]}
    cli.emit(said, as_json=as_json, lines=_lines)
    raise SystemExit(int(worst))


_ORDER: Final = (Exit.VALID, Exit.UNDECIDED, Exit.INVALID)


def _point(text: str) -> Checkpoint:
    """A block as given on the command line. Raises click.UsageError."""
    number, _, found = text.partition(":")
    try:
        if number.isascii() and number.isdigit() and len(number) <= _DIGITS:
            return Checkpoint(int(number), read_data(found, 32))
    except Malformed:
        pass  # said below
    raise click.UsageError("--checkpoint is a block's number, a colon and its hash (12:0x…).")


_DIGITS: Final = 18


def _place(known: Ledger) -> Place:
    """Where receipts of the ledger are from. Raises Refused (`ledger.no_anchor`)."""
    if known.anchor is None:
        raise Refused("ledger.no_anchor", "The ledger's declaration names no TrustAnchor contract.")
    return Place(known.chain.chain_id, known.anchor.address.lower(), known.registry.address.lower())


def _lines(said: Mapping[str, Json]) -> list[str]:
    return [
        line
        for one in said["findings"]
        for line in (
            f"{one['outcome']:<9} {one['detail']} [{one['code']}]",
            *(f"  {name}: {value}" for name, value in one.get("evidence", {}).items()),
        )
    ]
