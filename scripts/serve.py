"""`make serve`: leaves the three services up, says where they are, and stops them on Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from scripts.town import DEFAULT_PORTS, NotStarted, Town, running, taken

HELLO = """
Facet is up. These addresses use certificates from a certificate authority made on this machine:
your browser will warn you once per address unless you add {ca} to its authorities.

  Issuing desk   {issuer}/desk     desk token: {token_file}
  Wallet         {wallet}/
  Verifier       {verifier}/       API key:    {key_file}

Everything lives in {directory}; delete that folder to start over. Press Ctrl-C to stop.
"""


def main() -> int:
    """Serve until interrupted; 0 on a clean stop, 2 when a port is taken, 3 when a service cannot start."""
    directory = Path("var")
    if busy := taken(DEFAULT_PORTS):
        print(f"Something else already listens on port {busy[0]}. Stop it, then try again.", file=sys.stderr)
        return 2
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    print("Starting the issuing desk, the wallet and the verifier ...", flush=True)
    try:
        with running(directory, DEFAULT_PORTS) as town:
            print(_hello(town), flush=True)
            while not ended.wait(1):
                if fallen := [role for role, process in town.processes.items() if process.poll() is not None]:
                    print(f"The {fallen[0]} has stopped; see {directory / fallen[0] / 'log.jsonl'}.", file=sys.stderr)
                    return 3
            print("Stopping ...", flush=True)
    except NotStarted as failure:
        print(failure, file=sys.stderr)
        return 3
    return 0


def _hello(town: Town) -> str:
    return HELLO.format(
        **town.urls,
        ca=town.ca_file,
        directory=town.directory.resolve(),
        token_file=town.directory / "issuer" / "desk-token",
        key_file=town.directory / "verifier" / "api-key",
    )


if __name__ == "__main__":
    raise SystemExit(main())
