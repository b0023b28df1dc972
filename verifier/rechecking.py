"""Re-checking: does what a verifier found on the ledger still follow from what it kept, by somebody else's knowledge?

The LEDGER finding of a verdict holds a receipt without its salt (`ssi.ledger.rechecking`), from which all that it says
follows, given the hash of one block. Nobody is asked anything here: the blocks that are known are checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from ssi.encoding import Json
from ssi.errors import Malformed, Refused, SsiError, Unavailable
from ssi.ledger import rechecking
from ssi.ledger.ledger import Checkpoint
from ssi.ledger.receipts import Place, Proven
from ssi.model import Check, Finding, Outcome

MOST: Final = 64
"""How many receipts one verdict may have."""


def receipts(told: Json) -> tuple[Mapping[str, Json], ...]:
    """What findings of the ledger say, from a verdict (as the API and `presentation verify` have it), or one of them.

    Each is a finding's `evidence` and has a `receipt`. Raises Malformed (`recheck.nothing`, `recheck.many`).
    """
    found = tuple(_evidence(told))
    if not found:
        raise Malformed("recheck.nothing", "There is no receipt of a ledger in what was given.")
    if len(found) > MOST:
        raise Malformed("recheck.many", f"There are more than {MOST} receipts in what was given.")
    return found


def _evidence(told: Json) -> Iterator[Mapping[str, Json]]:
    if not isinstance(told, Mapping):
        return
    listed = told.get("findings")
    if isinstance(listed, list):
        for one in listed:
            if isinstance(one, Mapping) and one.get("check") == Check.LEDGER.value:
                yield from _evidence(one)
    elif isinstance(told.get("evidence"), Mapping):
        yield from _evidence(told["evidence"])
    elif isinstance(told.get("receipt"), Mapping):
        yield told
    elif "entry" in told:
        yield {"receipt": told}


def judge(told: Mapping[str, Json], *, place: Place, checkpoints: Sequence[Checkpoint]) -> Finding:
    """The LEDGER finding that one `evidence` amounts to now, on the ledger with its contracts at this place.

    PASS (`ledger.on_record`, `ledger.before_retirement`); FAIL (`ledger.retired_key`, `recheck.contradiction` where the
    evidence says something else than its receipt proves, and the codes of receipts that are not good); UNKNOWN
    (`ledger.checkpoint_unknown`) where the receipt leads to no block that is known.
    """
    known = {one.number: one.hash for one in checkpoints}
    try:
        proven = _proven(told["receipt"], place, known)
        retired = _check_said(told, proven)
    except SsiError as problem:
        outcome = Outcome.UNKNOWN if isinstance(problem, Unavailable) else Outcome.FAIL
        return Finding(Check.LEDGER, outcome, problem.code, problem.detail)
    evidence = {**_shown(proven), "known_block": proven.known_number}
    at = datetime.fromtimestamp(proven.anchored.at, UTC)
    since = f"on the ledger since {at:%-d %B %Y, %H:%M} UTC (block {proven.anchored.block_number})"
    if retired is None:
        return Finding(Check.LEDGER, Outcome.PASS, "ledger.on_record", f"The credential is {since}.", evidence)
    evidence["retired_at"] = retired
    if proven.anchored.at < retired:
        sentence = f"The credential is {since}, which was before its issuer replaced the key."
        return Finding(Check.LEDGER, Outcome.PASS, "ledger.before_retirement", sentence, evidence)
    sentence = f"The credential is {since}, which was after its issuer had replaced the key."
    return Finding(Check.LEDGER, Outcome.FAIL, "ledger.retired_key", sentence, evidence)


def _proven(receipt: Json, place: Place, known: Mapping[int, bytes]) -> Proven:
    """What the receipt proves. Raises as `ssi.ledger.rechecking.recheck`, Refused (`ledger.receipt_place`)."""
    if not isinstance(receipt, Mapping):
        raise Malformed("ledger.receipt", "This is not a receipt.")
    proven = rechecking.recheck(receipt, known_hash=known.get)
    if tuple(receipt[name] for name in ("chain_id", "contract", "registry")) != _written(place):
        raise Refused("ledger.receipt_place", "The receipt is from another ledger, or from another contract.")
    return proven


def _written(place: Place) -> tuple[int, str, str]:
    return place.chain_id, place.contract, place.registry


def _shown(proven: Proven) -> dict[str, Json]:
    """What a finding says that a receipt proves."""
    return {
        "identity": proven.identity,
        "root": "0x" + proven.root.hex(),
        "block": proven.anchored.block_number,
        "anchored_at": proven.anchored.at,
    }


def _check_said(told: Mapping[str, Json], proven: Proven) -> int | None:
    """When the key was retired, as the evidence has it; that it says nothing else than the receipt, is checked.

    Raises Refused (`recheck.contradiction`).
    """
    retired = told.get("retired_at")
    if any(told.get(name, value) != value for name, value in _shown(proven).items()) or type(retired) not in _TIMES:
        raise Refused("recheck.contradiction", "The finding says something else than its receipt proves.")
    return retired


_TIMES: Final = (int, type(None))
