"""Is this presentation to be believed? Every check is answered in a sentence, and all of them in one verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from functools import cached_property
from types import MappingProxyType

from ssi import dcql, formats
from ssi.encoding import Json
from ssi.errors import Refused, SsiError, Unavailable
from ssi.formats import sdjwt, typemetadata
from ssi.formats.typemetadata import Types
from ssi.model import (
    Challenge,
    Check,
    Finding,
    KeyResolver,
    Opened,
    Outcome,
    Presentation,
    StatusChecker,
    failed,
    worst,
)
from verifier import authorised, onrecord
from verifier.onrecord import Noting, OnRecord
from verifier.policy import Policy


class Verdict(Enum):
    """The answer in one word. Only VERIFIED may be relied on."""

    VERIFIED = "verified"
    NOT_VERIFIED = "not_verified"
    COULD_NOT_CHECK = "could_not_check"


_HIDEABLE = Finding(
    Check.STATUS,
    Outcome.UNKNOWN,
    "status.hideable",
    "The issuer has not made sure that the credential's status is shown, so its holder could have hidden that.",
)
_NOT_ASKED: Mapping[Check, str] = MappingProxyType(
    {
        Check.FORMAT: "The presentation was not read.",
        Check.TYPE: "The credential's type was not checked.",
        Check.SIGNATURE: "The issuer's signature was not checked.",
        Check.HOLDER_BINDING: "Nobody checked that the credential is the sender's own.",
        Check.VALIDITY: "The credential's dates were not checked.",
        Check.STATUS: "Nobody asked the issuer's list whether the credential was withdrawn.",
        Check.TRUST: "Nobody checked whether the issuer is one this service relies on.",
        Check.LEDGER: "No ledger was asked about this credential.",
        Check.SCHEMA: "The claims were not compared with the published description of this type.",
        Check.PRESENCE: "No proof was asked for that the person is present now.",
        Check.RULE: "This request has no rule about what the claims say.",
    }
)


def conclude(findings: Iterable[Finding], required: frozenset[Check]) -> Verdict:
    """One FAIL refuses; otherwise every required check must have been answered, and only with PASS.

    >>> conclude([], frozenset({Check.SIGNATURE})).value
    'could_not_check'
    """
    passed, undecided = set(), False
    for finding in findings:
        if finding.outcome is Outcome.FAIL:
            return Verdict.NOT_VERIFIED
        if finding.outcome is Outcome.PASS:
            passed.add(finding.check)
        elif finding.outcome is Outcome.UNKNOWN and finding.check in required:
            undecided = True
    return Verdict.VERIFIED if required <= passed and not undecided else Verdict.COULD_NOT_CHECK


def complete(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings in the order of `Check`, with a NOT_ASKED for every check that nobody made."""
    by_check: dict[Check, list[Finding]] = {}
    for finding in findings:
        by_check.setdefault(finding.check, []).append(finding)
    return tuple([found for unasked in _UNASKED for found in by_check.get(unasked.check, (unasked,))])


def not_asked(check: Check, detail: str) -> Finding:
    """The finding of a check that was not made."""
    return Finding(check, Outcome.NOT_ASKED, f"{check.value}.not_asked", detail)


_UNASKED = tuple(not_asked(check, _NOT_ASKED[check]) for check in Check)


@dataclass(frozen=True)
class VerificationResult:
    """What was found about one presentation. What it says can be read only if all that was required is true.

    `made` are the findings in the order in which they were made.
    """

    made: tuple[Finding, ...]
    required: frozenset[Check]
    _opened: Opened | None = field(default=None, repr=False, compare=False)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The findings that were made, in the order of `Check`, and a NOT_ASKED for every other check."""
        return complete(self.made)

    @cached_property
    def verdict(self) -> Verdict:
        """The findings summed up."""
        return conclude(self.made, self.required)

    @property
    def accepted(self) -> bool:
        """Required checks all PASS, nothing FAIL."""
        return self._opened is not None and self.verdict is Verdict.VERIFIED

    @property
    def opened(self) -> Opened:
        """Issuer, type and claims. Raises Refused (`presentation.refused`) unless accepted."""
        if self._opened is None or not self.accepted:
            raise Refused("presentation.refused", "The presentation was not accepted, so its claims cannot be read.")
        return self._opened

    @property
    def claims(self) -> Mapping[str, Json]:
        """The disclosed claims. Raises Refused (`presentation.refused`) unless accepted."""
        return self.opened.claims


@dataclass(frozen=True)
class Answer:
    """What a whole response amounts to: a result for each presentation, and findings on the response as a whole.

    `results` are keyed by the credential query's id. A response is verified when it holds something, each presentation
    in it is verified, and together they answer the query.
    """

    results: Mapping[str, tuple[VerificationResult, ...]]
    response: tuple[Finding, ...]

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding in the order of `Check`, those of the response after those of the presentations."""
        each = [finding for result in self._all for finding in result.made]
        return complete([*each, *self.response])

    @cached_property
    def verdict(self) -> Verdict:
        """VERIFIED only when every presentation is, and nothing about the response is in doubt."""
        if failed(self.response) or any(found.verdict is Verdict.NOT_VERIFIED for found in self._all):
            return Verdict.NOT_VERIFIED
        certain = all(finding.outcome is not Outcome.UNKNOWN for finding in self.response)
        if certain and self._all and all(found.accepted for found in self._all):
            return Verdict.VERIFIED
        return Verdict.COULD_NOT_CHECK

    @property
    def accepted(self) -> bool:
        """May the claims be relied on?"""
        return self.verdict is Verdict.VERIFIED

    @property
    def opened(self) -> Mapping[str, tuple[Opened, ...]]:
        """What was presented for each credential query. Raises Refused (`presentation.refused`) unless accepted."""
        if not self.accepted:
            raise Refused("presentation.refused", "The response was not accepted, so its claims cannot be read.")
        return {query_id: tuple(result.opened for result in found) for query_id, found in self.results.items()}

    @property
    def claims(self) -> Mapping[str, tuple[Mapping[str, Json], ...]]:
        """The disclosed claims for each credential query. Raises Refused (`presentation.refused`) unless accepted."""
        return {query_id: tuple(one.claims for one in found) for query_id, found in self.opened.items()}

    @cached_property
    def _all(self) -> tuple[VerificationResult, ...]:
        return tuple(result for found in self.results.values() for result in found)


@dataclass(frozen=True)
class Verifier:
    """Judges presentations. It finds keys, status lists and descriptions of types through what it is given alone.

    `keys` may find retired ones: what such a key signed needs a receipt that is older, which `on_record` judges.
    """

    keys: KeyResolver
    status: StatusChecker
    types: Types
    on_record: OnRecord | None = None

    def verify(
        self, presentation: Presentation, *, challenge: Challenge, policy: Policy, now: datetime
    ) -> VerificationResult:
        """Judge one presentation. Raises nothing: what cannot be read or reached becomes a finding."""
        noting = Noting(self.keys)
        try:
            opened = formats.by_id(presentation.format).open(presentation, challenge=challenge, keys=noting, now=now)
        except SsiError as error:
            return VerificationResult((_unreadable(error),), policy.demands)
        counted = _counted_type(opened, policy)
        trusted = policy.trust.judge(opened.issuer, counted or opened.type, now=now)
        findings = [*opened.findings, _type(counted, policy), trusted]
        findings.append(self._status(opened, findings, now=now))
        if all(finding.check is not Check.SCHEMA for finding in opened.findings):  # a format may have judged it itself
            described = typemetadata.judge(opened, types=self.types, complete=False, now=now)
            if self.on_record is not None and trusted.outcome is Outcome.PASS:  # strangers cause no questions
                described = self.on_record.described(described, opened.issuer, now=now)
            findings.append(described)
        findings.append(self._recorded(presentation, opened, noting, findings, now=now))
        findings.extend(rule.judge(opened, now=now) for rule in policy.rules)
        demands = policy.demands if noting.retired is None else policy.demands | {Check.LEDGER}
        return VerificationResult(tuple(findings), demands, opened)

    def verify_response(
        self,
        query: dcql.Query,
        presented: Mapping[str, tuple[Presentation, ...]],
        *,
        challenge: Challenge,
        policy: Policy,
        now: datetime,
    ) -> Answer:
        """Judge every presentation of a response, and whether together they answer the query (OpenID4VP 1.0 §8.6)."""
        if wrong := dcql.misplaced(query, {query_id: len(found) for query_id, found in presented.items()}):
            return Answer({}, wrong)
        bound = authorised.challenges(challenge, presented)
        results = {
            query_id: self._each(found, bound[query_id], policy=_narrowed(policy, query, query_id), now=now)
            for query_id, found in presented.items()
        }
        signed = authorised.judge(challenge, _signed(results, bound))
        readable = {query_id: [one._opened for one in found] for query_id, found in results.items()}
        opened = {query_id: [one for one in found if one is not None] for query_id, found in readable.items()}
        # What could not be opened has been judged already; that it is missing, too, would only hide why.
        return Answer(results, (*signed, *(dcql.satisfied(query, opened) if opened == readable else ())))

    def _each(
        self, found: tuple[Presentation, ...], bound: tuple[Challenge, ...], *, policy: Policy, now: datetime
    ) -> tuple[VerificationResult, ...]:
        return tuple(
            self.verify(one, challenge=challenge, policy=policy, now=now)
            for one, challenge in zip(found, bound, strict=True)
        )

    def _recorded(
        self, presentation: Presentation, opened: Opened, noting: Noting, so_far: list[Finding], *, now: datetime
    ) -> Finding:
        """What the ledger says about it; a stranger's receipt would be a stranger's wish what to ask its nodes."""
        if self.on_record is None:
            return onrecord.without_ledger(presentation, retired=noting.retired, now=now)
        if reason := _unfounded(so_far, "The ledger was not asked"):
            return not_asked(Check.LEDGER, reason)
        return self.on_record.judge(
            presentation, opened.issuer, retired=noting.retired, identifier=noting.evidence, now=now
        )

    def _status(self, opened: Opened, so_far: list[Finding], *, now: datetime) -> Finding:
        """Ask for the status only when the credential is genuine and from a trusted issuer.

        Until then its status URI is a stranger's wish that this service should call somebody.
        """
        if reason := _unfounded(so_far, "The status was not looked up"):
            return not_asked(Check.STATUS, reason)
        if opened.status_hideable:  # only a status that is withdrawn says more than that others may be missing
            checked = (self.status.check(one, issuer=opened.issuer, now=now) for one in opened.statuses)
            return worst((_HIDEABLE, *checked))
        if not opened.statuses:
            sentence = "The issuer gave this credential no status list: it cannot be withdrawn before it expires."
            return Finding(Check.STATUS, Outcome.PASS, "status.none", sentence)
        return worst(self.status.check(one, issuer=opened.issuer, now=now) for one in opened.statuses)


def _unfounded(so_far: list[Finding], what: str) -> str | None:
    """Why nobody else is asked about this credential; None where it is genuine and from a trusted issuer."""
    for check, reason in (
        (Check.SIGNATURE, "because the issuer's signature did not check out."),
        (Check.TRUST, "because the issuer is not one this service relies on."),
    ):
        if {finding.outcome for finding in so_far if finding.check is check} != {Outcome.PASS}:
            return f"{what}, {reason}"
    return None


def _signed(
    results: Mapping[str, tuple[VerificationResult, ...]], bound: Mapping[str, tuple[Challenge, ...]]
) -> Iterator[str]:
    """The transactions in presentations of which the holder's own signature was found good."""
    for query_id, found in results.items():
        for result, challenge in zip(found, bound[query_id], strict=True):
            proofs = {one.outcome for one in result.made if one.check is Check.HOLDER_BINDING}
            if proofs == {Outcome.PASS}:
                yield from challenge.transaction_data


def _narrowed(policy: Policy, query: dcql.Query, query_id: str) -> Policy:
    """The policy for what answers one credential query: of the accepted types, those that this query asks for.

    Else a club card, accepted as such for one question, could answer another by calling itself a passport, too.
    """
    asked = query.credential(query_id)
    named = formats.by_id(asked.format).asked(asked.meta) if asked is not None else ()
    types = frozenset(one for one in policy.types if one in named) if named else policy.types
    return policy if not types or types == policy.types else replace(policy, types=types)


def _counted_type(opened: Opened, policy: Policy) -> str | None:
    """The type as which the policy counts this credential: its own, or one that it also is (SD-JWT VC `aka_vcts`).

    The issuer must be trusted for that very type, so that calling a club card a passport makes nobody a state.
    """
    others = opened.claims.get("aka_vcts", ()) if opened.format == sdjwt.ID else ()  # elsewhere it means nothing
    return next((one for one in (opened.type, *others) if one in policy.types), None)


def _type(counted: str | None, policy: Policy) -> Finding:
    """Is it of a type that the policy knows? What other credential somebody holds stays out of the evidence."""
    evidence = {"accepted": sorted(policy.types)}
    if counted is not None:
        sentence = "The credential is of a kind that this service accepts."
        return Finding(Check.TYPE, Outcome.PASS, "type.accepted", sentence, evidence)
    sentence = "The credential is not of a kind that this service accepts."
    return Finding(Check.TYPE, Outcome.FAIL, "type.unexpected", sentence, evidence)


def _unreadable(error: SsiError) -> Finding:
    """An exception of the reader as the finding it amounts to."""
    if isinstance(error, Unavailable):
        return Finding(Check.SIGNATURE, Outcome.UNKNOWN, error.code, error.detail)
    return Finding(Check.FORMAT, Outcome.FAIL, error.code, error.detail)
