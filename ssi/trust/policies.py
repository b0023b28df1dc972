"""Trust policies: may this issuer say this?

Small values that compose (`AnyOf((Anchors(...), Issuers(...)))`). Each judges by what the signature has proved: a chain
when the key came from `x5c`, an identifier when the key was found through it. An empty policy refuses to exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ssi.encoding import Json, read_json_object
from ssi.errors import Malformed, SsiError
from ssi.model import Check, Finding, Issuer, Outcome, TrustPolicy
from ssi.trust import x509

_DOES_NOT_APPLY: Final = frozenset({"trust.no_chain", "trust.signed_with_certificate"})
"""Refusals that say only that the issuer proved itself in another way: the last ones to tell a person."""
_SAYS_LITTLE: Final = frozenset({"trust.unknown_issuer", "trust.no_ledger_identity", "trust.not_accredited"})
"""Refusals of those who have never heard of the issuer: told where nobody knows more."""


@dataclass(frozen=True)
class Anchors:
    """Whoever holds a certificate of one of these authorities may issue these types; `types=None` means any type.

    `anchors` are DER. Raises ValueError when empty, Malformed (`trust.certificate`) for an unreadable one.
    """

    anchors: tuple[bytes, ...]
    types: frozenset[str] | None

    def __post_init__(self) -> None:
        _not_empty(self.anchors, "authority")
        _some_types(self.types)
        for der in self.anchors:
            x509.authority(der)

    def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:
        """PASS `trust.anchored`; FAIL `trust.no_chain`, `trust.type`, or the code of the broken chain."""
        if not issuer.x5c:
            return _no("trust.no_chain", "The issuer has sent no certificate that a trusted authority has signed.")
        try:
            chain = x509.validate_chain(issuer.x5c, anchors=self.anchors, now=now)
        except SsiError as error:
            return _no(error.code, error.detail, _claimed(issuer))
        evidence = {
            "subject": chain.subject,
            "authority": chain.ca_subject,
            "leaf_sha256": chain.leaf_sha256.hex(),
            "anchor_sha256": chain.anchor_sha256.hex(),
        }
        if self.types is not None and credential_type not in self.types:
            return _no("trust.type", f"{chain.leaf.name} is not trusted for this type of credential.", evidence)
        return _yes("trust.anchored", f"{chain.leaf.name} is certified by a trusted authority.", evidence)


@dataclass(frozen=True)
class Issuers:
    """These issuers, by DID or `iss` URL, each for its types; None instead of types means any type.

    An issuer that signed with a certificate is not judged here: the `iss` beside an `x5c` is only what the certificate
    claims (SD-JWT VC, "Ecosystem-specific Public Key Verification Methods": nobody but the issuer chooses the process).
    """

    types_by_id: Mapping[str, frozenset[str] | None]

    def __post_init__(self) -> None:
        _not_empty(self.types_by_id, "issuer")
        for types in self.types_by_id.values():
            _some_types(types)

    def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:  # a list in memory has no clock
        """PASS `trust.listed`; FAIL `trust.signed_with_certificate`, `trust.unknown_issuer`, `trust.type`."""
        if issuer.x5c:
            return _no("trust.signed_with_certificate", "The issuer signed with a certificate, not with a listed key.")
        identifier = _identifier(issuer)
        if identifier is None or identifier not in self.types_by_id:
            return _no("trust.unknown_issuer", "The issuer is not on the list of trusted issuers.")
        types, evidence = self.types_by_id[identifier], {"issuer": identifier}
        if types is not None and credential_type not in types:
            return _no("trust.type", "The issuer is not trusted for this type of credential.", evidence)
        return _yes("trust.listed", "The issuer is on the list of trusted issuers.", evidence)


def read_issuers(content: bytes) -> Issuers:
    """A JSON list of issuers: by DID or URL the types that each is trusted for, or null for any.

    Raises Malformed (`trust.issuers`, `encoding.json`).
    """
    listed = read_json_object(content, what="list of trusted issuers")
    for types in listed.values():
        if types is not None and not (isinstance(types, list) and types and all(isinstance(one, str) for one in types)):
            raise Malformed("trust.issuers", "A trusted issuer needs a list of types, or null for any type.")
    if not listed:
        raise Malformed("trust.issuers", "The list of trusted issuers is empty; leave the file out.")
    return Issuers({name: None if types is None else frozenset(types) for name, types in listed.items()})


@dataclass(frozen=True)
class Except:
    """What `policy` says, but never a yes for these types: somebody else must vouch for them."""

    policy: TrustPolicy
    types: frozenset[str]

    def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:
        """FAIL `trust.type` for one of the types, else what `policy` finds."""
        if credential_type in self.types:
            return _no("trust.type", "This type of credential needs an authority of its own kind.")
        return self.policy.judge(issuer, credential_type, now=now)


@dataclass(frozen=True)
class ForPurpose:
    """What `policy` says, for signers whose certificate names one of these purposes (RFC 5280 §4.2.1.12), by OID."""

    policy: TrustPolicy
    purposes: frozenset[str]

    def __post_init__(self) -> None:
        _not_empty(self.purposes, "purpose")

    def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:
        """FAIL `trust.purpose` where `policy` says yes and the certificate is for something else."""
        finding = self.policy.judge(issuer, credential_type, now=now)
        if finding.outcome is not Outcome.PASS or not self.purposes.isdisjoint(x509.purposes(issuer.x5c)):
            return finding
        return _no("trust.purpose", "The issuer's certificate is not for this purpose.", finding.evidence)


@dataclass(frozen=True)
class AnyOf:
    """One of these policies is enough. What could not be decided outweighs a no, and never a yes."""

    policies: tuple[TrustPolicy, ...]

    def __post_init__(self) -> None:
        _not_empty(self.policies, "policy")

    def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:
        """The first PASS; else an UNKNOWN; else the refusal that says most."""
        findings = []
        for policy in self.policies:
            finding = policy.judge(issuer, credential_type, now=now)
            if finding.outcome is Outcome.PASS:
                return finding
            findings.append(finding)
        return min(findings, key=_telling)


@dataclass(frozen=True)
class AllOf:
    """Every one of these policies must agree."""

    policies: tuple[TrustPolicy, ...]

    def __post_init__(self) -> None:
        _not_empty(self.policies, "policy")

    def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:
        """The first FAIL; else the first that is not PASS; else the first PASS with everybody's evidence."""
        findings = [policy.judge(issuer, credential_type, now=now) for policy in self.policies]
        for finding in findings:
            if finding.outcome is Outcome.FAIL:
                return finding
        for finding in findings:
            if finding.outcome is not Outcome.PASS:
                return finding
        evidence = {name: value for finding in reversed(findings) for name, value in finding.evidence.items()}
        return _yes(findings[0].code, findings[0].detail, evidence)


@dataclass(frozen=True)
class UnsafeAnyone:
    """Everybody is trusted with everything. For demonstrations; the finding says so each time."""

    def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:  # nobody is asked anything
        """Always PASS, as `trust.unsafe_anyone`."""
        return _yes("trust.unsafe_anyone", "This service trusts every issuer: it is set up for demonstrations only.")


def _telling(finding: Finding) -> tuple[bool, bool, bool]:
    return finding.outcome is not Outcome.UNKNOWN, finding.code in _DOES_NOT_APPLY, finding.code in _SAYS_LITTLE


def any_of(policies: Iterable[TrustPolicy | None]) -> TrustPolicy | None:
    """One policy for those that are there: the only one, or `AnyOf` them; None when there is none."""
    found = tuple(policy for policy in policies if policy is not None)
    return found[0] if len(found) == 1 else AnyOf(found) if found else None


def _identifier(issuer: Issuer) -> str | None:
    """The name through which the key was found: `iss`, or without one the DID of the `kid` (see `ssi.issuerkeys`)."""
    if issuer.id is not None:
        return issuer.id
    return issuer.kid.partition("#")[0] if issuer.kid is not None and issuer.kid.startswith("did:") else None


def _claimed(issuer: Issuer) -> Mapping[str, Json]:
    """Who a refused chain says that it is: what an operator needs who is missing an authority."""
    try:
        return {"claimed_subject": x509.leaf(issuer.x5c).subject}
    except SsiError:
        return {}


def _not_empty(members: object, what: str) -> None:
    if not members:
        raise ValueError(f"a trust policy needs at least one {what}")


def _some_types(types: frozenset[str] | None) -> None:
    if types is not None and not types:
        raise ValueError("a trust policy with no types trusts nobody: name the types, or None for any")


def _yes(code: str, detail: str, evidence: Mapping[str, Json] | None = None) -> Finding:
    return Finding(Check.TRUST, Outcome.PASS, code, detail, evidence or {})


def _no(code: str, detail: str, evidence: Mapping[str, Json] | None = None) -> Finding:
    return Finding(Check.TRUST, Outcome.FAIL, code, detail, evidence or {})
