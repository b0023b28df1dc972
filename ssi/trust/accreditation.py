"""Accreditation: has somebody whom the operator trusts said on a ledger that this issuer may issue this type?

Accreditors grant on the ledger (`ssi.ledger.anchor`), each under its own identity: the right to issue a type, to
accredit others for it, or both. An issuer is accredited when a chain of grants leads to it from an accreditor that the
operator names: each stands now, each but the last allows to accredit, and nobody in the chain has been deactivated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from ssi.caching import Cache, Kept
from ssi.encoding import Json, seconds
from ssi.errors import SsiError, Unavailable
from ssi.ledger import anchor
from ssi.ledger.finality import Finality
from ssi.ledger.registrycalls import NOBODY
from ssi.ledger.slots import Accreditation, Rights
from ssi.model import Check, Finding, Issuer, Outcome

if TYPE_CHECKING:
    from ssi.ledger.chain import Block, Chain
    from ssi.ledger.registry import Registry

MAX_DEPTH: Final = 4
"""How many grants a chain may have."""
MAX_ACCREDITORS: Final = 256
"""How many accreditors are looked at before nobody goes on looking."""
FRESH: Final = timedelta(seconds=60)
"""How long an answer is kept: so long an accreditation can outlive its withdrawal here."""
RETRY: Final = timedelta(seconds=10)
"""After trouble, how long nobody asks again."""

IdentityOf = Callable[[Issuer, datetime], str | None]
"""The address that an issuer has proven to be on the ledger ("0x…", lower case); None where it has none.

Proven means both ways: that an issuer's DID document names an address is not enough, the address must name the DID too
(a did:webvh whose head that address has anchored; a did:ethr is its address). Raises SsiError where it cannot be known.
"""


@dataclass(frozen=True)
class Link:
    """One grant of a chain: who gave it to whom, and what the ledger has of it."""

    accreditor: str
    subject: str
    grant: Accreditation

    @property
    def evidence(self) -> dict[str, Json]:
        """What a machine can re-check."""
        times = {"granted_at": self.grant.granted_at, "until": self.grant.until}
        return {"accreditor": self.accreditor, "subject": self.subject, **times, "block": self.grant.block_number}


@dataclass(frozen=True)
class Path:
    """A chain of grants from an accreditor of the operator's; `broken` is the code of what no longer stands in it."""

    end: str
    links: tuple[Link, ...] = ()
    broken: str | None = None


class Accredited:
    """Whoever is accredited for the type on this ledger; implements `model.TrustPolicy`.

    `roots` are the addresses of the accreditors that the operator trusts. Safe to share between threads. Raises
    ValueError without any: an empty policy refuses to exist.
    """

    def __init__(
        self,
        *,
        chain: Chain,
        registry: Registry,
        contract: anchor.TrustAnchor,
        roots: Sequence[str],
        identity_of: IdentityOf,
        fresh: timedelta = FRESH,
        size: int = 256,
    ) -> None:
        if not roots:
            raise ValueError("a trust policy needs at least one accreditor")
        self._chain, self._registry, self._contract = chain, registry, contract
        self._roots = tuple(dict.fromkeys(root.lower() for root in roots))
        self._identity_of, self._fresh = identity_of, fresh
        self._cache: Cache[tuple[Issuer, str], Finding] = Cache(size=size)

    def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:
        """A TRUST finding with one of these codes by its outcome.

        PASS `trust.accredited`; FAIL `trust.no_ledger_identity`, `trust.identity_deactivated`,
        `trust.not_accredited`, `trust.accreditation_withdrawn`, `trust.accreditation_expired`,
        `trust.accreditor_deactivated`; UNKNOWN `trust.accreditation_pending`, `trust.accreditors_many`,
        `trust.ledger_unavailable`, where `evidence["cause"]` says why.
        """
        return self._cache.get(
            (issuer, credential_type),
            now=now,
            load=lambda _before: self._load(issuer, credential_type, now),
            meanwhile=lambda kept: now < kept.until + RETRY,
        )

    def _load(self, issuer: Issuer, credential_type: str, now: datetime) -> Kept[Finding]:
        try:
            finding = self._judged(issuer, credential_type, now)
        except SsiError as error:
            detail = "Whether the issuer is accredited could not be found out on the ledger."
            finding = Finding(Check.TRUST, Outcome.UNKNOWN, "trust.ledger_unavailable", detail, {"cause": error.code})
        patience = RETRY if finding.outcome is Outcome.UNKNOWN else self._fresh
        return Kept(finding, now, now + patience)

    def _judged(self, issuer: Issuer, credential_type: str, now: datetime) -> Finding:
        address = self._identity_of(issuer, now)
        if address is None:
            return _no("trust.no_ledger_identity", "The issuer has no identity on the ledger of accreditations.", {})
        view = _View(self._chain, self._registry, self._contract, anchor.name_hash(credential_type), now)
        told = {**view.evidence, "issuer": address.lower()}
        if not view.stands(address.lower()):
            return _no("trust.identity_deactivated", "The issuer's identity on the ledger has ended.", told)
        try:
            path = view.best(self._roots, address.lower())
        except _TooManyError:
            detail = "There are more accreditors on the ledger than can be asked."
            return Finding(Check.TRUST, Outcome.UNKNOWN, "trust.accreditors_many", detail, told)
        if path is None:
            return _no("trust.not_accredited", "Nobody whom this service trusts has accredited the issuer.", told)
        if path.broken is not None:
            return _no(path.broken, _BROKEN[path.broken], {**told, "path": [link.evidence for link in path.links]})
        return view.accepted(path.links, told)


_BROKEN: Final = {
    "trust.accreditation_withdrawn": "The issuer's accreditation was withdrawn.",
    "trust.accreditation_expired": "The issuer's accreditation has run out, or has not begun.",
    "trust.accreditor_deactivated": "The identity of one who accredited the issuer has ended.",
}


class _TooManyError(Exception):
    """More accreditors than are looked at."""


class _View:
    """One look at the ledger, all at one block."""

    def __init__(
        self, chain: Chain, registry: Registry, contract: anchor.TrustAnchor, type_hash: bytes, now: datetime
    ) -> None:
        self._chain, self._registry, self._contract, self._type = chain, registry, contract, type_hash
        self._head: Block = chain.head()
        self._at = max(seconds(now), self._head.at)  # the chain's clock may be ahead
        self._standing: dict[str, bool] = {}
        self._looks = {True: 0, False: 0}  # questions about accreditors, below paths that stand and that have broken

    @property
    def evidence(self) -> dict[str, Json]:
        """At which block all this was looked up."""
        return {"chain_id": self._chain.chain_id, "block": self._head.number, "block_at": self._head.at}

    def stands(self, address: str) -> bool:
        """Has the identity not been ended?"""
        if address not in self._standing:
            owner = self._registry.owner(address, block=self._head.number)
            self._standing[address] = owner.lower() != NOBODY
        return self._standing[address]

    def best(self, roots: Sequence[str], subject: str) -> Path | None:
        """The shortest chain of grants that leads to the subject and stands; else the first that once did; else None.

        Chains that have broken are followed as well, only to be able to say what has become of an accreditation.
        """
        level = [self._root(root) for root in roots]
        whole, broken = set[str](), set[str]()
        once = None
        for _ in range(MAX_DEPTH):
            for path in level:
                found = self._extended(path, subject, Rights.ISSUE)
                if found is not None and found.broken is None:
                    return found
                once = once or found
            level = list(self._below(level, whole, broken))
        return once

    def _root(self, root: str) -> Path:
        return Path(root, broken=None if self.stands(root) else "trust.accreditor_deactivated")

    def _below(self, level: Sequence[Path], whole: set[str], broken: set[str]) -> Iterator[Path]:
        """The paths to those whom accreditors of this level let accredit others, each looked at once in each state."""
        for path in sorted(level, key=lambda one: one.broken is not None):
            for subject in self._subjects(path.end):
                if subject in whole or (path.broken is not None and subject in broken):
                    continue
                self._looks[path.broken is None] += 1  # what was granted and taken back costs a question, too
                if self._looks[path.broken is None] > MAX_ACCREDITORS:
                    if path.broken is None:
                        raise _TooManyError
                    return  # only broken paths are left: who has lost the right crowds out nobody
                found = self._extended(path, subject, Rights.ACCREDIT)
                if found is None or (found.broken is not None and subject in broken):
                    continue
                (whole if found.broken is None else broken).add(subject)
                yield found

    def _extended(self, path: Path, subject: str, right: Rights) -> Path | None:
        """The path with one more grant; None where there never was such a grant."""
        grant = self._contract.accreditation(path.end, subject, self._type, block=self._head.number)
        if grant is None or right not in grant.rights:
            return None
        why = path.broken
        if why is None and not grant.allows(right, at=self._at):
            why = "trust.accreditation_withdrawn" if grant.withdrawn else "trust.accreditation_expired"
        if why is None and not self.stands(subject):
            why = "trust.accreditor_deactivated"
        return Path(subject, (*path.links, Link(path.end, subject, grant)), why)

    def _subjects(self, accreditor: str) -> list[str]:
        """Whom an accreditor ever let accredit others for the type, by its events; what stands is asked for each."""
        return list(
            dict.fromkeys(
                str(event.fields["subject"]).lower()
                for event in self._contract.events(accreditor)
                if event.name == "Accredited"
                and event.fields["typeHash"] == self._type
                and event.fields["rights"] & Rights.ACCREDIT
            )
        )

    def accepted(self, path: Sequence[Link], told: dict[str, Json]) -> Finding:
        """PASS, once the newest change in the chain of grants is in a block that will stay."""
        number = max(link.grant.block_number for link in path)
        block = self._chain.block(number)
        if block is None:
            raise Unavailable("ledger.no_block", "The ledger's node does not have a block that it spoke of.")
        finality = self._chain.finality(block.number, block.hash)
        found = {**told, "path": [link.evidence for link in path], "finality": finality.value}
        if finality is Finality.PENDING:
            detail = "The issuer's accreditation has only just been written to the ledger."
            return Finding(Check.TRUST, Outcome.UNKNOWN, "trust.accreditation_pending", detail, found)
        detail = "The issuer is accredited for this type of credential on the ledger."
        return Finding(Check.TRUST, Outcome.PASS, "trust.accredited", detail, found)


def _no(code: str, detail: str, evidence: dict[str, Json]) -> Finding:
    return Finding(Check.TRUST, Outcome.FAIL, code, detail, evidence)
