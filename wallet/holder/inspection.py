"""Inspection: is what an issuer sent really what it offered, and fit to be kept? Every check says what it found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Final

from ssi import formats
from ssi.errors import SsiError, Unavailable
from ssi.formats import typemetadata
from ssi.keys import PublicKey
from ssi.model import Check, Credential, Finding, Opened, Outcome, worst
from wallet.holder.copies import said
from wallet.holder.outside import Outside

ESSENTIAL: Final = (Check.FORMAT, Check.TYPE, Check.SIGNATURE, Check.HOLDER_BINDING, Check.VALIDITY, Check.TRUST)
"""What must be answered with yes before a card is kept. Status and schema may be unknown, but never a no."""


class Verdict(Enum):
    """Keep the card, refuse it, or wait because something needed for the answer could not be had now."""

    KEEP = "keep"
    REFUSE = "refuse"
    WAIT = "wait"


@dataclass(frozen=True)
class Inspection:
    """What was found. `opened` is None when the credential could not be read at all; `copies` are all of one card."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    opened: Opened | None
    copies: tuple[Opened, ...] = ()


def inspect(
    credential: Credential, *, expected_type: str | None, keys: Collection[PublicKey], outside: Outside, now: datetime
) -> Inspection:
    """Judge a credential that has just arrived: `expected_type` is what was offered, `keys` those made for it."""
    try:
        opened = formats.by_id(credential.format).check(credential, keys=outside.keys, now=now)
    except Unavailable as error:
        return _judged([Finding(Check.FORMAT, Outcome.UNKNOWN, error.code, error.detail)], None)
    except SsiError as error:
        return _judged([Finding(Check.FORMAT, Outcome.FAIL, error.code, error.detail)], None)
    findings = [
        *(finding for finding in opened.findings if finding.check is not Check.HOLDER_BINDING),
        _binding(opened, keys),
        _type(opened, expected_type),
        outside.issuers.judge(opened.issuer, opened.type, now=now),
        status_of(opened, outside=outside, now=now),
    ]
    if all(finding.check is not Check.SCHEMA for finding in opened.findings):  # a format may have judged it itself
        findings.append(typemetadata.judge(opened, types=outside.types, complete=True, now=now))
    return _judged(findings, opened)


def together(found: Sequence[Inspection]) -> Inspection:
    """What was found of the copies of one card: the worst of them, and whether they say the same, each for its own key.

    A person sees one card and agrees to what it says; a copy that said more would be shared unseen.
    """
    worst_first = sorted(found, key=lambda one: _WORST.index(one.verdict))
    opened = [one.opened for one in found if one.opened is not None]
    if worst_first[0].verdict is not Verdict.KEEP or len(opened) < 2:
        return replace(worst_first[0], copies=tuple(opened))
    if len({one.holder.kid for one in opened if one.holder is not None}) < len(opened):
        detail = "Two copies of the card are bound to the same key."
        wrong = Finding(Check.HOLDER_BINDING, Outcome.FAIL, "holder.same_key", detail)
    elif any(said(one) != said(opened[0]) for one in opened):
        wrong = Finding(Check.TYPE, Outcome.FAIL, "copies.differ", "The copies of the card do not say the same.")
    else:
        return replace(found[0], copies=tuple(opened))
    others = [finding for finding in found[0].findings if finding.check is not wrong.check]
    return _judged([*others, wrong], found[0].opened)


def status_of(opened: Opened, *, outside: Outside, now: datetime) -> Finding:
    """Has it been withdrawn? NOT_ASKED when it has no status at all."""
    if not opened.statuses:
        return Finding(
            Check.STATUS, Outcome.NOT_ASKED, "status.none", "This card has no status; nobody can withdraw it."
        )
    try:
        return worst(outside.status.check(one, issuer=opened.issuer, now=now) for one in opened.statuses)
    except Unavailable as error:
        return Finding(Check.STATUS, Outcome.UNKNOWN, error.code, error.detail)
    except SsiError as error:
        return Finding(Check.STATUS, Outcome.FAIL, error.code, error.detail)


def _binding(opened: Opened, keys: Collection[PublicKey]) -> Finding:
    """The card must be bound to a key that this wallet made for it, or nobody could ever show it."""
    if opened.holder is not None and opened.holder in keys:
        detail = "The card is bound to the key that your wallet made for it."
        return Finding(Check.HOLDER_BINDING, Outcome.PASS, "holder.bound", detail)
    told = next((f for f in opened.findings if f.check is Check.HOLDER_BINDING), None)
    if told is not None and told.outcome is Outcome.UNKNOWN:
        return told
    detail = "The card is not bound to the key that your wallet made for it, so you could not use it."
    return Finding(Check.HOLDER_BINDING, Outcome.FAIL, "holder.other_key", detail)


def _type(opened: Opened, expected: str | None) -> Finding:
    if expected is None or opened.type == expected:
        return Finding(Check.TYPE, Outcome.PASS, "type.offered", "It is the kind of card that was offered.")
    detail = "It is another kind of card than the one that was offered."
    return Finding(Check.TYPE, Outcome.FAIL, "type.other", detail, {"type": opened.type, "offered": expected})


def _judged(findings: Iterable[Finding], opened: Opened | None) -> Inspection:
    ordered = sorted(findings, key=lambda finding: _ORDER[finding.check])
    return Inspection(_verdict(ordered), tuple(ordered), opened)


def _verdict(findings: Sequence[Finding]) -> Verdict:
    if any(finding.outcome is Outcome.FAIL for finding in findings):
        return Verdict.REFUSE
    passed = {finding.check for finding in findings if finding.outcome is Outcome.PASS}
    undecided = {finding.check for finding in findings if finding.outcome is not Outcome.PASS}
    return Verdict.KEEP if all(check in passed and check not in undecided for check in ESSENTIAL) else Verdict.WAIT


_WORST: Final = (Verdict.REFUSE, Verdict.WAIT, Verdict.KEEP)
_ORDER: Final = {check: place for place, check in enumerate(Check)}
