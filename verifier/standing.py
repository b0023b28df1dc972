"""Where does a stored request stand now: waiting, answered, judged, declined, expired or interrupted?"""

from __future__ import annotations

from datetime import datetime, timedelta

from ssi.encoding import seconds
from ssi.model import Check, Finding, Outcome
from verifier import shown, words
from verifier.store import Record, Result
from verifier.verify import complete
from verifier.words import State, Words

GRACE = timedelta(seconds=30)
"""How long judging may take before it counts as interrupted (every fetch in it has a shorter deadline)."""
SCAN, HERE, BROWSER, PAGE = "scan", "here", "browser", "page"
"""The doors of a request: the QR code on another device, the link on the same device, the browser's own API, and the
page to which a browser brings an answer in its address."""


def judge(record: Record, *, now: datetime) -> tuple[State, Words, tuple[Finding, ...]]:
    """Where a stored request stands at a moment, in words, and the findings that may be shown."""
    if record.spent_at is None:
        expired = seconds(now) >= record.expires_at
        state = State.EXPIRED if expired else State.SCANNED if record.scanned_at is not None else State.CREATED
        return state, words.STATES[state], ()
    outcome = record.outcome
    if outcome is None:
        if seconds(now) - record.spent_at < GRACE.total_seconds():
            return State.RECEIVED, words.STATES[State.RECEIVED], ()
        outcome = State.COULD_NOT_CHECK.value
    state = State(outcome)
    # OpenID4VP 1.0 §14.2: an answer given on the same device counts only in the browser in which it was asked for.
    if state.judged and record.door == HERE and record.returned_at is None:
        late = seconds(now) >= record.expires_at
        return (State.EXPIRED, words.NEVER_RETURNED, ()) if late else (State.RECEIVED, words.AWAITING_RETURN, ())
    findings = shown.read_findings(record.findings or interrupted().findings)
    return state, words.because(state, findings), findings


def interrupted() -> Result:
    """The result of a request whose answer was taken in but never judged."""
    sentence = "The check was interrupted before it was finished. Ask again with a new request."
    finding = Finding(Check.FORMAT, Outcome.UNKNOWN, "session.interrupted", sentence)
    return Result(State.COULD_NOT_CHECK.value, shown.write_findings(complete([finding])))


def strayed() -> Result:
    """The result of an answer that came back in another browser than the one in which it was asked for."""
    sentence = "The wallet came back in another browser than the one in which this began, so the answer was not used."
    finding = Finding(Check.HOLDER_BINDING, Outcome.FAIL, "session.other_browser", sentence)
    return Result(State.NOT_VERIFIED.value, shown.write_findings(complete([finding])))


def declined(error: str | None) -> Result:
    """An error response as a result: access_denied is the person's no, all others say that the wallet could not."""
    if error == "access_denied":
        return Result(State.DECLINED.value, shown.write_findings(()))
    code = error if error in words.WALLET_ERRORS else "other_error"
    finding = Finding(Check.FORMAT, Outcome.UNKNOWN, f"wallet.{code}", words.wallet_error(error))
    return Result(State.COULD_NOT_CHECK.value, shown.write_findings(complete([finding])))
