"""Completeness: could who shows a credential have hidden its end, or where its status stands?

With a selective suite the holder shows what the holder chooses, besides what the issuer made mandatory (Data Integrity
ECDSA 1.0 §3.6.6). Whoever has an expired or withdrawn credential of an issuer that left `validUntil` or
`credentialStatus` open can leave them out, and the proof holds. What is not there does then not mean what it means in
any other credential: nobody knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ssi import vcdm
from ssi.model import Check, Finding, Outcome

_STATUS: Final = "<https://www.w3.org/2018/credentials#credentialStatus>"
_NO_END: Final = Finding(
    Check.VALIDITY,
    Outcome.UNKNOWN,
    "ldp.end_hideable",
    "The credential does not say until when it is valid, and who shows it could have hidden that.",
)


def validity(model: vcdm.Model, judged: Finding) -> Finding:
    """The VALIDITY finding on a derived credential, given that on what it shows."""
    return _NO_END if judged.outcome is Outcome.PASS and model.valid_until is None else judged


def hides_status(model: vcdm.Model, fixed: Sequence[str]) -> bool:
    """Whether a status can have been left out. `fixed` are the statements that the holder could not hide.

    A status that is shown and was not mandatory may be one of several, and the others those that count.
    """
    subject = f"<{model.id}>" if model.id is not None else "_:"
    always = sum(line.startswith(subject) and line.split(" ", 2)[1] == _STATUS for line in fixed)
    return not model.statuses or always < len(model.statuses)
