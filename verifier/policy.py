"""What must hold before a presentation is believed: whom to trust, for which types, which checks, which rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ssi import formats
from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.formats.paths import selected
from ssi.model import Check, ClaimPath, Finding, Opened, Outcome, TrustPolicy

ESSENTIAL: frozenset[Check] = frozenset(
    {Check.FORMAT, Check.TYPE, Check.SIGNATURE, Check.HOLDER_BINDING, Check.VALIDITY, Check.STATUS, Check.TRUST}
)
"""What every relying party needs: readable, of the asked type, genuine, the holder's own, in date, not withdrawn,
from an issuer that may say so."""

INDISPENSABLE: frozenset[Check] = frozenset({Check.SIGNATURE, Check.HOLDER_BINDING, Check.TRUST})
"""Without these nothing has been verified at all; a policy that leaves one out refuses to exist."""


class Rule(Protocol):
    """A demand on what was disclosed ("the person is over 18")."""

    def judge(self, opened: Opened, *, now: datetime) -> Finding:
        """A RULE finding. Its detail and evidence hold no claim values."""


@dataclass(frozen=True)
class MustEqual:
    """The claim at `path` was disclosed, and every value there is exactly `value` (type and all)."""

    path: ClaimPath
    value: str | int | bool
    passed: str = "A disclosed claim has the value that was asked for."
    failed: str = "A disclosed claim does not have the value that was asked for."

    def judge(self, opened: Opened, *, now: datetime) -> Finding:
        """PASS when disclosed and equal; FAIL when disclosed and different, or not disclosed at all."""
        evidence = {"path": list(self.path)}
        found = values(opened, self.path)
        if not found:
            sentence = "A claim that a rule needs was not disclosed."
            return Finding(Check.RULE, Outcome.FAIL, "rule.not_disclosed", sentence, evidence)
        if all(type(value) is type(self.value) and value == self.value for value in found):
            return Finding(Check.RULE, Outcome.PASS, "rule.equal", self.passed, evidence)
        return Finding(Check.RULE, Outcome.FAIL, "rule.not_equal", self.failed, evidence)


def values(opened: Opened, path: ClaimPath) -> tuple[Json, ...]:
    """The values that a claims path pointer selects (OpenID4VP 1.0 §7.1); () when it selects none or leads nowhere.

    The path may start at the credential's root, or at its subject: then one rule serves every format. Where several
    namespaces have a claim of that name, all of them count; so do all elements of an array whose order nobody signed
    (most in linked data), whichever of them the path points at.
    """
    within = formats.by_id(opened.format).within
    above = [(name,) for name in opened.claims if within((name, *path)) == path]
    at_root = _selected(opened, path)
    return at_root or tuple(value for start in above for value in _selected(opened, (*start, *path)))


def _selected(opened: Opened, path: ClaimPath) -> tuple[Json, ...]:
    try:
        found = selected(opened.claims, path, closed=opened.closed)
        if any(isinstance(part, int) for part in path) and any(_unordered(opened, one.path) for one in found):
            every = tuple(None if isinstance(part, int) else part for part in path)
            found = selected(opened.claims, every, closed=opened.closed)
    except Malformed:
        return ()
    return tuple(one.value for one in found)


def _unordered(opened: Opened, path: ClaimPath) -> bool:
    """Does the format show what is around the claim, because it has no place there that the issuer signed?"""
    return formats.by_id(opened.format).whole(opened.claims, path) not in (None, path)


@dataclass(frozen=True)
class Policy:
    """One relying party's conditions. Whoever wants fewer checks names them; nobody gets fewer by forgetting.

    `types` are the credential types (`vct`) that count. `required` checks must end in PASS; a FAIL of any check, asked
    for or not, refuses the presentation. Raises ValueError when it would verify nothing.
    """

    trust: TrustPolicy
    types: frozenset[str]
    required: frozenset[Check] = ESSENTIAL
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        if not self.trust:
            raise ValueError("a policy needs a trust policy that judges issuers")
        if not self.types:
            raise ValueError("a policy needs at least one credential type")
        if missing := INDISPENSABLE - self.required:
            raise ValueError(f"a policy must require {', '.join(sorted(check.value for check in missing))}")

    @property
    def demands(self) -> frozenset[Check]:
        """The checks that must PASS: the required ones, and RULE as soon as there is a rule."""
        return self.required | {Check.RULE} if self.rules else self.required
