"""One target under atheris, in this process: `python -m tests.fuzz.one <target> [libFuzzer options]`."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["ssi"]):
    from tests.fuzz.targets import by_name


def main() -> None:
    """Fuzz until libFuzzer's options say that it is enough."""
    target = by_name(sys.argv.pop(1))
    target.seeds()
    atheris.Setup(sys.argv, target.attempt)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
