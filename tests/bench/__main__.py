"""Run the benches, print their table, write `build/bench.json`; exit 1 when a target is missed."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.bench import flow, hostile, http, integrity, jwtvc, ledger, mdoc, sdjwt
from tests.bench.measure import Bench, Row

_ALL: tuple[Bench, ...] = (sdjwt, jwtvc, mdoc, integrity, hostile, http, flow, ledger)
"""Every bench; a new one is a module here with `TITLE` and `rows`."""

RESULT = Path(__file__).parents[2] / "build" / "bench.json"
_HEAD = ("name", "value", "unit", "ratio", "target", "ok", "peer")


def main() -> int:
    """Measure everything once, or the benches that are named."""
    benches = {bench.__name__.rpartition(".")[2]: bench for bench in _ALL}
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of: " + ", ".join(benches))
    names = parser.parse_args().names
    if unknown := set(names) - set(benches):
        parser.error(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(benches)}")
    rows: list[Row] = []
    for bench in [benches[name] for name in names] or _ALL:
        print(f"# {bench.TITLE}", file=sys.stderr)
        rows += bench.rows()
    print(table(rows))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps([row.json() for row in rows], indent=1) + "\n")
    missed = [row.name for row in rows if not row.ok]
    print(f"{len(rows)} rows, {len(missed)} missed{': ' + ', '.join(missed) if missed else ''}", file=sys.stderr)
    return 1 if missed else 0


def table(rows: list[Row]) -> str:
    """The rows as a table in plain text."""
    lines = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
    return (row.name, f"{row.value:.4f}", row.unit, ratio, row.target or "-", "yes" if row.ok else "NO", row.peer)


if __name__ == "__main__":
    raise SystemExit(main())
