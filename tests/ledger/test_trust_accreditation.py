"""Accreditation on both nodes: who may issue what, through whom, until when, and what happens when that ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from ssi.errors import Refused, Unavailable
from ssi.ledger import anchor, registry
from ssi.ledger.anchor import Rights, TrustAnchor
from ssi.ledger.chain import Chain
from ssi.ledger.registry import Registry
from ssi.model import Finding, Issuer, Outcome
from ssi.trust import accreditation
from ssi.trust.accreditation import Accredited
from tests.ledger.deployed import Actor, Deployed

TYPE = "urn:facet:credential:person:1"
HOUR = 3600
BOTH = Rights.ISSUE | Rights.ACCREDIT


@dataclass
class Town:
    """Accreditors and issuers on a node, and the policy of a verifier that trusts the first accreditor."""

    deployed: Deployed
    root: Actor

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.deployed.time(int(self.rpc("eth_blockNumber"), 16)), UTC)

    def rpc(self, method: str, *params: Any) -> Any:
        return self.deployed.node.rpc.call(method, list(params))

    def accredits(self, who: Actor, whom: Actor, rights: Rights = Rights.ISSUE, *, seconds: int = HOUR) -> None:
        until = int(self.now.timestamp()) + seconds
        who.does(
            self.deployed.anchor, anchor.accredit(who.address, whom.address, anchor.name_hash(TYPE), rights, until)
        )

    def withdraws(self, who: Actor, whom: Actor) -> None:
        who.does(self.deployed.anchor, anchor.withdraw(who.address, whom.address, anchor.name_hash(TYPE)))

    def ends(self, who: Actor) -> None:
        who.does(self.deployed.registry, registry.change_owner(who.address, registry.NOBODY))

    def policy(
        self, *, rpc: Any = None, roots: Sequence[str] = (), confirmations: int = 1, **options: Any
    ) -> Accredited:
        chain = Chain(
            rpc or self.deployed.node.rpc,
            chain_id=self.deployed.node.chain_id,
            genesis=None,
            confirmations=confirmations,
            finalized=10**6,
        )
        return Accredited(
            chain=chain,
            registry=Registry(chain, self.deployed.registry),
            contract=TrustAnchor(chain, self.deployed.anchor),
            roots=roots or [self.root.address],
            **{"identity_of": address_of, **options},
        )

    def judge(self, whom: Actor, *, kind: str = TYPE, after: int = 0, **options: Any) -> Finding:
        return self.policy(**options).judge(issuer(whom), kind, now=self.now + timedelta(seconds=after))


def issuer(actor: Actor) -> Issuer:
    return Issuer(f"did:ethr:{actor.address}")


def address_of(one: Issuer, _now: datetime) -> str | None:
    return one.id.rpartition(":")[2] if one.id is not None and one.id.startswith("did:ethr:") else None


@pytest.fixture
def town(deployed: Deployed) -> Town:
    return Town(deployed, deployed.actor())


def said(finding: Finding) -> tuple[Outcome, str]:
    return finding.outcome, finding.code


def test_who_is_accredited_may_issue_that_type(town: Town) -> None:
    desk, stranger = town.deployed.actor(), town.deployed.actor()
    town.accredits(town.root, desk)
    finding = town.judge(desk)
    assert said(finding) == (Outcome.PASS, "trust.accredited")
    (link,) = finding.evidence["path"]
    assert (link["accreditor"], link["subject"]) == (town.root.address, desk.address)
    assert finding.evidence["chain_id"] == town.deployed.node.chain_id
    assert finding.evidence["block"] >= link["block"]
    assert finding.evidence["finality"] in ("confirmed", "finalized")
    assert said(town.judge(desk, kind="another type")) == (Outcome.FAIL, "trust.not_accredited")
    assert said(town.judge(stranger)) == (Outcome.FAIL, "trust.not_accredited")


def test_the_right_to_accredit_is_no_right_to_issue(town: Town) -> None:
    office = town.deployed.actor()
    town.accredits(town.root, office, Rights.ACCREDIT)
    assert said(town.judge(office)) == (Outcome.FAIL, "trust.not_accredited")


def test_nobody_accredits_without_having_the_right(town: Town) -> None:
    office, desk = town.deployed.actor(), town.deployed.actor()
    town.accredits(town.root, office, Rights.ISSUE)
    town.accredits(office, desk)
    assert said(town.judge(desk)) == (Outcome.FAIL, "trust.not_accredited")


def test_accreditors_form_a_tree_of_four_levels(town: Town) -> None:
    line = [town.root, *(town.deployed.actor() for _ in range(4))]
    for above, below in pairwise(line[:-1]):
        town.accredits(above, below, Rights.ACCREDIT)
    town.accredits(line[-2], line[-1])
    finding = town.judge(line[-1])
    assert said(finding) == (Outcome.PASS, "trust.accredited")
    assert [link["subject"] for link in finding.evidence["path"]] == [one.address for one in line[1:]]
    fifth = town.deployed.actor()
    town.accredits(line[-2], line[-1], BOTH)
    town.accredits(line[-1], fifth)
    assert said(town.judge(fifth)) == (Outcome.FAIL, "trust.not_accredited")


def test_a_ring_of_accreditors_leads_nowhere(town: Town) -> None:
    one, two = town.deployed.actor(), town.deployed.actor()
    for above, below in ((town.root, one), (one, two), (two, one), (two, town.root)):
        town.accredits(above, below, Rights.ACCREDIT)
    assert said(town.judge(town.deployed.actor())) == (Outcome.FAIL, "trust.not_accredited")


def test_a_withdrawal_is_told(town: Town) -> None:
    desk = town.deployed.actor()
    town.accredits(town.root, desk)
    town.withdraws(town.root, desk)
    finding = town.judge(desk)
    assert said(finding) == (Outcome.FAIL, "trust.accreditation_withdrawn")
    assert finding.evidence["path"][0]["accreditor"] == town.root.address


def test_a_withdrawal_further_up_is_told_and_another_way_counts(town: Town) -> None:
    office, other, desk = (town.deployed.actor() for _ in range(3))
    town.accredits(town.root, office, Rights.ACCREDIT)
    town.accredits(office, desk)
    town.withdraws(town.root, office)
    assert said(town.judge(desk)) == (Outcome.FAIL, "trust.accreditation_withdrawn")
    town.accredits(town.root, other, Rights.ACCREDIT)
    town.accredits(other, desk)
    assert said(town.judge(desk)) == (Outcome.PASS, "trust.accredited")


def test_another_ones_withdrawal_says_nothing(town: Town) -> None:
    office, desk = town.deployed.actor(), town.deployed.actor()
    town.accredits(town.root, office, Rights.ACCREDIT)
    town.withdraws(town.root, office)
    assert said(town.judge(desk)) == (Outcome.FAIL, "trust.not_accredited")


def test_accreditations_run_out(town: Town) -> None:
    desk = town.deployed.actor()
    town.accredits(town.root, desk, seconds=60)
    assert said(town.judge(desk)) == (Outcome.PASS, "trust.accredited")
    assert said(town.judge(desk, after=61)) == (Outcome.FAIL, "trust.accreditation_expired")


def test_who_has_ended_neither_issues_nor_accredits(town: Town) -> None:
    office, desk, other = (town.deployed.actor() for _ in range(3))
    town.accredits(town.root, office, Rights.ACCREDIT)
    town.accredits(office, desk)
    town.accredits(town.root, other)
    town.ends(other)
    assert said(town.judge(other)) == (Outcome.FAIL, "trust.identity_deactivated")
    town.ends(office)
    assert said(town.judge(desk)) == (Outcome.FAIL, "trust.accreditor_deactivated")


def test_a_root_that_has_ended_accredits_nobody(town: Town) -> None:
    desk, own = town.deployed.actor(), town.deployed.actor()
    town.accredits(own, desk)
    town.ends(own)
    assert said(town.judge(desk, roots=[own.address])) == (Outcome.FAIL, "trust.accreditor_deactivated")


def test_without_an_identity_there_is_nothing_to_ask(town: Town) -> None:
    finding = town.policy().judge(Issuer("https://issuer.test"), TYPE, now=town.now)
    assert said(finding) == (Outcome.FAIL, "trust.no_ledger_identity")


def test_what_is_not_sure_yet_is_not_yes(town: Town) -> None:
    desk = town.deployed.actor()
    town.accredits(town.root, desk)
    assert said(town.judge(desk, confirmations=50_000)) == (Outcome.UNKNOWN, "trust.accreditation_pending")


@pytest.mark.parametrize("trouble", [Unavailable("ledger.unavailable", "x"), Unavailable("ledger.disagreement", "x")])
def test_a_ledger_in_trouble_is_no_answer(town: Town, trouble: Unavailable) -> None:
    class Broken:
        def call(self, method: str, params: Sequence[Any]) -> Any:
            raise trouble

    finding = town.judge(town.root, rpc=Broken())
    assert said(finding) == (Outcome.UNKNOWN, "trust.ledger_unavailable")
    assert finding.evidence["cause"] == trouble.code


def test_an_identity_in_trouble_is_no_answer(town: Town) -> None:
    def refuses(_issuer: Issuer, _now: datetime) -> str | None:
        raise Refused("did.webvh_truncated", "x")

    assert said(town.judge(town.root, identity_of=refuses)) == (Outcome.UNKNOWN, "trust.ledger_unavailable")


def test_answers_are_kept_for_a_short_time(town: Town) -> None:
    desk = town.deployed.actor()
    town.accredits(town.root, desk)
    calls: list[str] = []

    class Counting:
        def call(self, method: str, params: Sequence[Any]) -> Any:
            calls.append(method)
            return town.deployed.node.rpc.call(method, params)

    policy, now = town.policy(rpc=Counting()), town.now
    assert policy.judge(issuer(desk), TYPE, now=now).outcome is Outcome.PASS
    asked = len(calls)
    assert policy.judge(issuer(desk), TYPE, now=now + accreditation.FRESH / 2).outcome is Outcome.PASS
    assert len(calls) == asked
    town.withdraws(town.root, desk)
    later = policy.judge(issuer(desk), TYPE, now=now + accreditation.FRESH)
    assert said(later) == (Outcome.FAIL, "trust.accreditation_withdrawn")


def test_too_many_accreditors_are_not_all_asked(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accreditation, "MAX_ACCREDITORS", 2)
    for _ in range(3):
        town.accredits(town.root, town.deployed.actor(), Rights.ACCREDIT)
    finding = town.judge(town.deployed.actor())
    assert said(finding) == (Outcome.UNKNOWN, "trust.accreditors_many")


def test_one_whose_right_was_withdrawn_cannot_crowd_out_the_others(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accreditation, "MAX_ACCREDITORS", 4)
    office, branch, desk, gone = (town.deployed.actor() for _ in range(4))
    town.accredits(town.root, office, Rights.ACCREDIT)
    town.accredits(office, branch, Rights.ACCREDIT)
    town.accredits(branch, desk)
    town.accredits(town.root, gone, Rights.ACCREDIT)
    town.withdraws(town.root, gone)
    for _ in range(6):
        town.accredits(gone, town.deployed.actor(), Rights.ACCREDIT)
    assert said(town.judge(desk)) == (Outcome.PASS, "trust.accredited")
    assert said(town.judge(town.deployed.actor())) == (Outcome.FAIL, "trust.not_accredited")


def test_grants_that_were_taken_back_are_counted_when_they_are_asked_for(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An accreditor may write any number of grants to accredit, and lower each: every one costs us a question."""
    monkeypatch.setattr(accreditation, "MAX_ACCREDITORS", 2)
    for _ in range(3):
        other = town.deployed.actor()
        town.accredits(town.root, other, Rights.ACCREDIT)
        town.accredits(town.root, other, Rights.ISSUE)
    finding = town.judge(town.deployed.actor())
    assert said(finding) == (Outcome.UNKNOWN, "trust.accreditors_many")


def test_a_policy_without_accreditors_refuses_to_exist(town: Town) -> None:
    with pytest.raises(ValueError, match="at least one accreditor"):
        Accredited(
            chain=town.policy()._chain,
            registry=town.policy()._registry,
            contract=town.policy()._contract,
            roots=[],
            identity_of=address_of,
        )
