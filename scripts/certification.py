"""`make certification`: what does the OpenID Foundation's own conformance suite say of issuer, wallet and verifier?

Needs a running suite (docs/conformance.md says how to have one) whose address is given. Starts the three services on
free loopback ports, makes the suite's plans with keys and certificates of theirs, plays the person who clicks, and
prints one line for each test module. A module counts as passed when the suite finds no failure and, where it leaves the
last word to a person who looks at a screen, our own service has said what it should have.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx

from scripts.certified import SCENES
from scripts.stage import Stage
from scripts.suite import Suite
from scripts.town import NotStarted


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every module passed, 1 when one did not, 2 without a suite, 3 without services."""
    parser = argparse.ArgumentParser(
        prog="certification", description="Run the OpenID Foundation's suite against this house."
    )
    parser.add_argument("suite", help="address of a running conformance suite, such as https://localhost:8443")
    parser.add_argument("suite_ca", type=Path, help="the authority under which the suite is served, PEM")
    parser.add_argument("--roles", nargs="*", choices=sorted(SCENES), default=sorted(SCENES))
    parser.add_argument("--only", nargs="*", default=(), help="words in the names of the modules to run")
    parser.add_argument("--plans", nargs="*", default=(), help="words in the names and variants of the plans to run")
    asked = parser.parse_args(arguments)
    try:
        with httpx.Client(verify=False, timeout=60) as http:  # noqa: S501  (the suite's certificate is a developer's own)
            stage = Stage(Suite(asked.suite, http), asked.suite_ca.read_bytes(), asked.only, asked.plans)
            for role in asked.roles:
                SCENES[role](stage)
    except httpx.ConnectError:
        print(f"No suite answers at {asked.suite}.", file=sys.stderr)
        return 2
    except NotStarted as failure:
        print(failure, file=sys.stderr)
        return 3
    judged = [outcome for _, outcome in stage.outcomes if not outcome.void]
    good, void = sum(outcome.good for outcome in judged), len(stage.outcomes) - len(judged)
    print(f"\n{good} of {len(judged)} modules passed; {void} more stopped with an error of the suite's own.")
    return 0 if judged and good == len(judged) else 1


if __name__ == "__main__":
    raise SystemExit(main())
