"""What may be seen of a request: by who began it (a view), and by the wallet that answered it (a receipt)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ssi.model import Check, Finding, failed
from verifier.ask import Ask
from verifier.shown import Shown
from verifier.words import State, Words


@dataclass(frozen=True)
class Spans:
    """How long a request can be answered, accepted claims are kept, and a finished request is remembered."""

    lifetime: timedelta = timedelta(minutes=5)
    retention: timedelta = timedelta(minutes=10)
    memory: timedelta = timedelta(days=1)


@dataclass(frozen=True)
class View:
    """All that may be shown of a request now. `credentials` is None unless verified and within retention.

    `awaiting_return`: answered on the same device, and the wallet has not come back to the starting browser yet.
    """

    id: str
    scan_id: str
    state: State
    words: Words
    ask: Ask
    created_at: int
    expires_at: int
    scan_link: str
    here_link: str
    request_uri: str
    findings: tuple[Finding, ...] = ()
    credentials: tuple[Shown, ...] | None = None
    claims_until: int | None = None
    erased: bool = False
    awaiting_return: bool = False


@dataclass(frozen=True)
class Receipt:
    """What the wallet is told: where to go next, and whether the presentation itself was refused and why."""

    redirect_uri: str | None
    refusal: Finding | None


def refusal(findings: Sequence[Finding]) -> Finding | None:
    """The first failure of the presentation itself, which its wallet should hear of.

    What the relying party thinks of issuers, dates and rules is told to the relying party only.
    """
    proof = {Check.FORMAT, Check.SIGNATURE, Check.HOLDER_BINDING}
    return next((finding for finding in failed(findings) if finding.check in proof), None)
