"""On record: since when does a ledger have the credential, and was its key still the issuer's then?

A receipt proves itself (`ssi.ledger.receipts`); of the ledger only the hash of one block is asked, and how final that
is. It matters where a key has been retired: whoever has stolen such a key can write any date into a credential, but not
into the ledger (docs/adr/0016).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from ssi import formats
from ssi.encoding import Json, seconds
from ssi.errors import Refused, SsiError, Unavailable
from ssi.issuerkeys.records import Record, Records
from ssi.keys import PublicKey
from ssi.ledger import rechecking
from ssi.ledger.finality import Finality
from ssi.model import Check, Finding, Issuer, KeyResolver, MethodKey, Outcome, Presentation, ResolvedKey

_FINAL: Final = {
    Finality.PENDING: "not yet settled",
    Finality.CONFIRMED: "confirmed",
    Finality.FINALIZED: "final",
}
_REORGANISED: Final = "ledger.receipt_block"
"""The chain may have lost the block without anybody's fault: that convicts nobody."""


class Noting:
    """The keys of another resolver, and when the issuer's was retired if it was; for one presentation."""

    def __init__(self, keys: KeyResolver) -> None:
        self.keys = keys
        self.retired: datetime | None = None
        self.evidence: dict[str, Json] = {}

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        """As the other has it. Raises like it, as all here."""
        found = self.keys.issuer_key(issuer, alg=alg, now=now)
        self._note(found)
        return found

    def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
        """As the other has it."""
        return self.keys.holder_key(kid, now=now)

    def method_key(self, url: str, *, relationship: str, now: datetime) -> MethodKey:
        """As the other has it."""
        found = self.keys.method_key(url, relationship=relationship, now=now)
        if relationship == "assertionMethod":  # a holder's DID may be on a ledger, too, and is nobody's business
            self._note(found)
        return found

    def _note(self, found: ResolvedKey | MethodKey) -> None:
        if found.retired is not None and (self.retired is None or found.retired < self.retired):
            self.retired = found.retired
        self.evidence |= found.evidence


@dataclass(frozen=True)
class _Case:
    """One presentation, and what resolving its issuer's key has found out."""

    presentation: Presentation
    issuer: Issuer
    retired: datetime | None
    identifier: Mapping[str, Json]
    now: datetime

    @property
    def core(self) -> bytes | None:
        """What a receipt is about."""
        return formats.by_id(self.presentation.format).core(self.presentation.wire)

    @property
    def evidence(self) -> dict[str, Json]:
        """What is known without any receipt: how the issuer's identifier is anchored, how old that is, its old key."""
        found: dict[str, Json] = {}
        if self.identifier:
            at = self.identifier.get("block_at")
            age = {"age": max(0, seconds(self.now) - at)} if isinstance(at, int) else {}
            found["identifier"] = {**self.identifier, **age}
        if self.retired is not None:
            found["retired_at"] = seconds(self.retired)
        return found


class OnRecord:
    """Judges receipts by one ledger. Safe to share between threads."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def judge(
        self,
        presentation: Presentation,
        issuer: Issuer,
        *,
        retired: datetime | None,
        now: datetime,
        identifier: Mapping[str, Json] | None = None,
    ) -> Finding:
        """A LEDGER finding; `identifier` is what resolving the issuer's DID has found on a ledger.

        PASS (`ledger.on_record`, `ledger.before_retirement`); FAIL (`ledger.retired_key`) for what a retired key signed
        and nothing shows to be older, and for a receipt that is another's, another credential's or forged
        (`ledger.receipt_*`, `ledger.inclusion`, `ledger.proof`, `ledger.headers`); UNKNOWN where that cannot be known
        (`ledger.pending`, and codes of what is in the way); NOT_ASKED (`ledger.no_receipt`).
        """
        case = _Case(presentation, issuer, retired, identifier or {}, now)
        if presentation.receipt is None:
            return _without_receipt(case) if retired is None else _retired_key(case, None)
        try:
            record = self._records.proven(presentation.receipt, case.core, issuer=issuer, now=now)
        except SsiError as problem:
            return _unproven(case, problem)
        return self._found(case, record)

    def described(self, finding: Finding, issuer: Issuer, *, now: datetime) -> Finding:
        """A SCHEMA finding, and whether the issuer has stated the description that was compared with on the ledger.

        That decides nothing: the description is this service's own. It shows whether both mean the same one.
        """
        digest = finding.evidence.get("description_sha256")
        if finding.outcome is not Outcome.PASS or not isinstance(digest, str):
            return finding
        try:
            stated = self._records.stated(bytes.fromhex(digest), issuer=issuer, now=now)
        except SsiError as problem:
            return replace(finding, evidence={**finding.evidence, "ledger": {"unknown": problem.code}})
        if stated is None:
            return replace(finding, evidence={**finding.evidence, "ledger": {"stated": False}})
        at = datetime.fromtimestamp(stated.at, UTC)
        told: dict[str, Json] = {"stated": True, "block": stated.block_number, "at": stated.at}
        sentence = f"{finding.detail} Its issuer has that description on the ledger since {at:%-d %B %Y}."
        return replace(finding, detail=sentence, evidence={**finding.evidence, "ledger": told})

    def _found(self, case: _Case, record: Record) -> Finding:
        proven, ledger = record.proven, self._records.ledger
        anchored, retired = proven.anchored, case.retired
        at = datetime.fromtimestamp(anchored.at, UTC)
        evidence: dict[str, Json] = {
            "ledger": ledger.name,
            "development": ledger.development,
            "chain_id": ledger.chain.chain_id,
            "identity": proven.identity,
            "root": "0x" + proven.root.hex(),
            "block": anchored.block_number,
            "anchored_at": anchored.at,
            "age": max(0, seconds(case.now) - anchored.at),
            "known_block": proven.known_number,
            "finality": record.finality.value,
            "receipt": rechecking.evidence(record.receipt, case.core or b""),
            **case.evidence,
        }
        since = f"since {at:%-d %B %Y, %H:%M} UTC (block {anchored.block_number}, {_FINAL[record.finality]})"
        if record.finality is Finality.PENDING:
            sentence = f"The credential is on the ledger {ledger.name} {since}; that could still be taken back."
            return Finding(Check.LEDGER, Outcome.UNKNOWN, "ledger.pending", sentence, evidence)
        if retired is None:
            sentence = f"The credential is on the ledger {ledger.name} {since}."
            return Finding(Check.LEDGER, Outcome.PASS, "ledger.on_record", sentence, evidence)
        if at < retired:
            sentence = (
                f"The issuer has replaced the key since, but the credential is on the ledger {ledger.name} {since}."
            )
            return Finding(Check.LEDGER, Outcome.PASS, "ledger.before_retirement", sentence, evidence)
        sentence = f"The credential came onto the ledger {ledger.name} only when the issuer's key had been retired."
        return Finding(Check.LEDGER, Outcome.FAIL, "ledger.retired_key", sentence, evidence)


_NO_LEDGER: Final = Finding(
    Check.LEDGER,
    Outcome.NOT_ASKED,
    "ledger.unknown",
    "This service knows no ledger, so nobody looked whether the credential is on one.",
)


def without_ledger(presentation: Presentation, *, retired: datetime | None, now: datetime) -> Finding:
    """The LEDGER finding of a verifier that knows no ledger: what a retired key signed is refused."""
    if retired is not None:
        return _retired_key(_Case(presentation, Issuer(None), retired, {}, now), None)
    return _NO_LEDGER


def _without_receipt(case: _Case) -> Finding:
    sentence = "The credential came without a receipt, so the ledger says nothing about it."
    if "anchored_version" in case.identifier:
        block = case.identifier.get("block")
        sentence += f" Its issuer's identifier is on the ledger (version {case.identifier['anchored_version']}"
        sentence += f", block {block})." if block is not None else ")."
    return Finding(Check.LEDGER, Outcome.NOT_ASKED, "ledger.no_receipt", sentence, case.evidence)


def _unproven(case: _Case, problem: SsiError) -> Finding:
    """A receipt that is not good convicts who sent it; one that cannot be judged counts as none."""
    if isinstance(problem, Unavailable):
        sentence = f"The receipt could not be checked now. {problem.detail}"
        return Finding(Check.LEDGER, Outcome.UNKNOWN, problem.code, sentence, case.evidence)
    if isinstance(problem, Refused) and problem.code != _REORGANISED:
        sentence = f"The receipt is not good. {problem.detail}"
        return Finding(Check.LEDGER, Outcome.FAIL, problem.code, sentence, case.evidence)
    if case.retired is not None:
        return _retired_key(case, problem)
    sentence = f"The receipt shows nothing. {problem.detail}"
    return Finding(Check.LEDGER, Outcome.UNKNOWN, problem.code, sentence, case.evidence)


def _retired_key(case: _Case, problem: SsiError | None) -> Finding:
    sentence = "The issuer no longer uses the key that signed this, and nothing shows that it was signed before that."
    evidence = case.evidence if problem is None else {**case.evidence, "cause": problem.code}
    return Finding(Check.LEDGER, Outcome.FAIL, "ledger.retired_key", sentence, evidence)
