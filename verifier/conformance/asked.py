"""What a caller of the conformance service asks to be checked: everything, unless it says "the proof alone"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ssi.encoding import Json, text
from ssi.errors import Malformed


@dataclass(frozen=True)
class Asked:
    """`proof_only` leaves out who signed for whom, validity, schema and status; `challenge` and `domain` as given."""

    proof_only: bool = False
    challenge: str | None = None
    domain: str | None = None


def read(options: Mapping[str, Json], *, address: Sequence[str] = ()) -> Asked:
    """Read the options of a verification request (VC API). Only `"checks": ["proof"]` leaves anything out.

    `address` are the checks that the request's address names (`?checks=proof`), for suites that send no options where
    their configuration has some; the body's own come first. Raises Malformed (`request.checks`, `encoding.text`).
    """
    checks = options.get("checks", list(address) or None)
    if checks is not None and not (isinstance(checks, list) and all(isinstance(check, str) for check in checks)):
        raise Malformed("request.checks", "'checks' in the options is not a list of names.")
    return Asked(
        proof_only=checks == ["proof"],
        challenge=text(options, "challenge", what="request"),
        domain=text(options, "domain", what="request"),
    )
