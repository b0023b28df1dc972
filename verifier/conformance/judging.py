"""Verifying for test suites: does this credential or presentation hold, and does it hold strictly?

Strictly means what the verifier always means: every proof holds, the issuer made one of them, it is valid now, and its
status says so. A caller who asks for "the proof alone" is told about the proof alone (see `asked`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from ssi import vcdm
from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.model import Check, Finding, Issuer, KeyResolver, Outcome, StatusChecker
from ssi.suites import proofs
from verifier.conformance import enveloped
from verifier.conformance.asked import Asked


@dataclass(frozen=True)
class Judge:
    """What a verdict needs from outside: keys, and statuses."""

    keys: KeyResolver
    statuses: StatusChecker

    def credential(self, document: Json, *, asked: Asked, now: datetime) -> tuple[Finding, ...]:
        """What was found about a credential, enveloped or with its proof inside. Raises SsiError when unreadable."""
        found = _object(document, "verifiableCredential")
        if vcdm.is_envelope(found):
            taken = enveloped.credential(found, keys=self.keys, now=now)
            model = vcdm.credential(taken.document)
            if asked.proof_only:
                return _signatures(taken.findings)
            return (*taken.findings, vcdm.validity(model, now=now), *self._statuses(model, now))
        model = vcdm.credential(found)
        proven = proofs.verify(found, keys=self.keys, purpose="assertionMethod", now=now)
        findings = tuple(one.outcome for one in proven)
        if asked.proof_only:
            return findings
        bound = _issued_by(model.issuer_id, proven)
        return (*findings, bound, vcdm.validity(model, now=now), *self._statuses(model, now))

    def presentation(self, document: Json, *, asked: Asked, now: datetime) -> tuple[Finding, ...]:
        """What was found about a presentation and every credential in it. Raises SsiError when unreadable."""
        found = _object(document, "verifiablePresentation")
        challenge = _challenge(asked)
        if vcdm.is_envelope(found, enveloped.PRESENTATION):
            taken = enveloped.presentation(found, keys=self.keys, now=now)
            findings = [*taken.findings, enveloped.answers(taken.claims, challenge=challenge, domain=asked.domain)]
            return (*findings, *self._held(taken.document, asked, now))
        model = vcdm.presentation(found)
        proven = proofs.verify(
            found, keys=self.keys, purpose="authentication", now=now, domain=asked.domain, challenge=challenge
        )
        findings = [one.outcome for one in proven]
        if model.holder_id is not None and not asked.proof_only:
            findings.append(_held_by(model.holder_id, proven))
        return (*findings, *self._held(found, asked, now))

    def _held(self, presentation: Mapping[str, Json], asked: Asked, now: datetime) -> Iterator[Finding]:
        """What is found about each credential in a presentation."""
        vcdm.presentation(presentation)
        given = presentation.get("verifiableCredential", [])
        for credential in given if isinstance(given, list) else [given]:
            yield from self.credential(credential, asked=asked, now=now)

    def _statuses(self, model: vcdm.Model, now: datetime) -> Iterator[Finding]:
        for status in model.statuses:
            yield self.statuses.check(status, issuer=Issuer(model.issuer_id), now=now)


def _signatures(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if finding.check is Check.SIGNATURE)


def _challenge(asked: Asked) -> str | None:
    """The challenge that a presentation must answer. Raises Malformed (`request.challenge`) without one."""
    if asked.challenge is None and not asked.proof_only:
        raise Malformed("request.challenge", "A presentation answers a challenge, and the request's options have none.")
    return asked.challenge


def _issued_by(issuer: str, proven: tuple[proofs.Proven, ...]) -> Finding:
    """Did the issuer make one of the proofs, as the controller of its verification method?"""
    if any(one.controller == issuer for one in proven):
        return Finding(Check.SIGNATURE, Outcome.PASS, "conformance.issuer", "The issuer's own key made the proof.")
    detail = "The proof was made by another than the issuer that the credential names."
    return Finding(Check.SIGNATURE, Outcome.FAIL, "conformance.issuer", detail)


def _held_by(holder: str, proven: tuple[proofs.Proven, ...]) -> Finding:
    if any(one.controller == holder for one in proven):
        return Finding(Check.HOLDER_BINDING, Outcome.PASS, "conformance.holder", "The holder's own key made the proof.")
    detail = "The presentation was signed by another than the holder it names."
    return Finding(Check.HOLDER_BINDING, Outcome.FAIL, "conformance.holder", detail)


def _object(document: Json, name: str) -> Mapping[str, Json]:
    if not isinstance(document, Mapping):
        raise Malformed("request.document", f"'{name}' in the request is not an object.")
    return document
