"""Static analysis of the contracts with slither: every finding must be one that docs/contracts.md explains.

Run with the house's Python; slither has a virtual environment of its own (`make analysis` makes it). Slither asks
for a compiler called `solc`: a shell file stands in for it that brings its questions back here, to the pinned compiler.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from scripts import contracts

ROOT = contracts.ROOT
SLITHER = ROOT / ".venv" / "slither" / "bin" / "slither"
_MOMENTS: Final = "it is about moments: a validator can shift them by seconds, and nobody gains by that"
EXPLAINED: Final[Mapping[tuple[str, str], str]] = {
    ("timestamp", "_after"): "a sum is kept from overflowing",
    ("timestamp", "validDelegate"): _MOMENTS,
    ("timestamp", "accredit"): _MOMENTS,
    ("timestamp", "withdraw"): _MOMENTS,
}
"""(detector, function or contract) of the findings that docs/contracts.md explains, with the reason in short."""

_COMBINED: Final = {
    "bin": ("bytecode", "object"),
    "bin-runtime": ("deployedBytecode", "object"),
    "srcmap": ("bytecode", "sourceMap"),
    "srcmap-runtime": ("deployedBytecode", "sourceMap"),
}


def main(arguments: Sequence[str]) -> int:
    """Analyse both contracts, or stand in for the compiler; 1 when a finding is not explained."""
    if arguments[:1] == ["solc"]:
        print(stand_in(arguments[1:]))
        return 0
    total = unexplained = 0
    for name in contracts.NAMES:
        for finding in findings(name):
            reason = EXPLAINED.get(place(finding))
            total, unexplained = total + 1, unexplained + (reason is None)
            print(f"{name}: {finding['check']} ({finding['impact']}): {' '.join(finding['description'].split())}")
            print(f"  explained: {reason}" if reason else "  NOT EXPLAINED")
    print(f"{total} findings, {unexplained or 'none'} of them without an explanation.")
    return 1 if unexplained else 0


def findings(name: str) -> list[dict[str, Any]]:
    """What slither says about a contract. Raises RuntimeError when it cannot say anything."""
    with tempfile.TemporaryDirectory() as folder:
        compiler = Path(folder) / "solc"
        command = shlex.join([sys.executable, "-m", "scripts.analysis", "solc"])
        compiler.write_text(f'#!/bin/sh\ncd {shlex.quote(str(ROOT))} && exec {command} "$@"\n', "utf-8")
        compiler.chmod(0o700)
        source = (contracts.SOURCES / f"{name}.sol").relative_to(ROOT)
        environment = {**os.environ, "PATH": f"{SLITHER.parent}:{os.environ.get('PATH', '')}"}
        ran = subprocess.run(
            [str(SLITHER), str(source), "--solc", str(compiler), "--json", "-"],
            cwd=ROOT, env=environment, check=False, timeout=300, capture_output=True,
        )  # fmt: skip
    try:
        answer = json.loads(ran.stdout)
    except ValueError:
        raise RuntimeError(ran.stderr.decode("utf-8", "replace")) from None
    if not answer["success"]:
        raise RuntimeError(str(answer["error"]))
    found: list[dict[str, Any]] = answer["results"].get("detectors", [])
    return found


def place(finding: Mapping[str, Any]) -> tuple[str, str]:
    """The detector, and the first function or contract that it points at."""
    names = [one["name"] for one in finding["elements"] if one["type"] in ("function", "contract")]
    return finding["check"], names[0] if names else ""


def stand_in(arguments: Sequence[str]) -> str:
    """What `solc --version` or `solc FILE --combined-json …` would print."""
    if "--version" in arguments:
        version = contracts.standard_json({"language": "Solidity", "sources": {}, "settings": {}})["version"]
        return f"solc, the solidity compiler\nVersion: {version}"
    file = next(argument for argument in arguments if argument.endswith(".sol"))
    settings = {**contracts.SETTINGS, "outputSelection": {"*": {"*": ["*"], "": ["ast"]}}}
    sources = {file: {"content": (ROOT / file).read_text("utf-8")}}
    answer = contracts.standard_json({"language": "Solidity", "sources": sources, "settings": settings})
    output = answer["output"]
    return json.dumps(
        {
            "version": answer["version"],
            "sourceList": list(output["sources"]),
            "sources": {path: {"AST": source["ast"]} for path, source in output["sources"].items()},
            "contracts": {
                f"{path}:{name}": {
                    "abi": made["abi"],
                    "devdoc": made["devdoc"],
                    "userdoc": made["userdoc"],
                    **{key: made["evm"][part][member] for key, (part, member) in _COMBINED.items()},
                }
                for path, members in output["contracts"].items()
                for name, made in members.items()
            },
        }
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
