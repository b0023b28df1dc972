"""Peers: other people's JavaScript software that the tests and benches compare ours with, installed beside .venv.

Run before the tests, with the standard library alone. Without Node or a registry it says so in one line and exits 0:
the tests that need peers are then left out, and say so, too.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.vendor import npm

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "tests" / "peers"
FOLDER = ROOT / ".venv" / "peers"
_FILES = ("package.json", "package-lock.json")


def main() -> int:
    """Install the pinned packages unless they are there already."""
    wanted = _wanted()
    marker = FOLDER / ".ready"
    if marker.exists() and marker.read_text("ascii") == wanted:
        return 0
    try:
        _install()
    except (OSError, RuntimeError, subprocess.SubprocessError):
        print("Peers could not be installed (no Node, or no registry); tests that need them are left out.")
        return 0
    marker.write_text(wanted, "ascii")
    return 0


def _wanted() -> str:
    """What the lock file asks for, as one hash."""
    return hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in _FILES)).hexdigest()


def _install() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for name in _FILES:
        shutil.copy(SOURCE / name, FOLDER / name)
    command = [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    environment = {**os.environ, "npm_config_update_notifier": "false"}
    subprocess.run(
        command, cwd=FOLDER, env=environment, check=True, timeout=300, stdin=subprocess.DEVNULL, capture_output=True
    )


if __name__ == "__main__":
    sys.exit(main())
