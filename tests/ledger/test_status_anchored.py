"""Status lists and their anchors: what a host can get away with, on a chain in the test's own process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ssi.errors import Unavailable
from ssi.fetch import Response
from ssi.keys import SoftwareSigner
from ssi.ledger import anchor
from ssi.ledger.anchor import TrustAnchor
from ssi.ledger.chain import Chain
from ssi.model import Finding, Issuer, Outcome, ResolvedKey, StatusRef
from ssi.status import Anchors, Checker, token_status_list
from ssi.status.anchored import FRESH, GRACE, LEEWAY
from ssi.status.bits import StatusList
from ssi.trust.policies import UnsafeAnyone
from tests.ledger import nodes
from tests.ledger.deployed import Actor, Deployed, deploy

URI = "https://issuer.test/status/1"
KEY = SoftwareSigner.generate("ES256")
ISSUER = Issuer("did:web:issuer.test", "did:web:issuer.test#1")
STATUS = StatusRef("token_status_list", URI, 3)
START = datetime(2026, 11, 1, tzinfo=UTC)
TTL = timedelta(hours=1)
VALID = StatusList.blank(64)
REVOKED = VALID.set(3, 1)


class Keys:
    """The issuer's key, whoever asks."""

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        return ResolvedKey(KEY.public, "did")


@dataclass
class World:
    """An issuer with a host and a chain; `now` moves the clock of all three."""

    deployed: Deployed
    desk: Actor
    clock: list[datetime]
    served: bytes = b""
    trouble: Exception | None = None
    fetched: int = 0
    identity: str | None = None
    number: int = field(default=0)

    @property
    def now(self) -> datetime:
        return self.clock[0]

    def passes(self, time: timedelta) -> None:
        self.clock[0] += time

    def publish(self, statuses: StatusList) -> None:
        """The host serves this list from now on."""
        self.served = self.signed(statuses)

    def signed(self, statuses: StatusList) -> bytes:
        end = self.now + timedelta(days=7)
        return token_status_list.issue(
            statuses, uri=URI, signer=KEY, x5c=(), now=self.now, ttl=TTL, expires=end
        ).encode()

    def anchor(self, statuses: StatusList) -> None:
        self.number += 1
        data = anchor.set_head(self.desk.address, anchor.name_hash(URI), statuses.digest, self.number)
        self.desk.does(self.deployed.anchor, data)

    def get(self, url: str, *, accept: str, max_bytes: int, headers: Mapping[str, str] | None = None) -> Response:
        self.fetched += 1
        return Response(200, url, {"content-type": "application/statuslist+jwt"}, self.served)

    def call(self, method: str, params: Sequence[Any]) -> Any:
        if self.trouble is not None:
            raise self.trouble
        return self.deployed.node.rpc.call(method, params)

    def checker(self, *, required: bool = False) -> Checker:
        chain = Chain(self, chain_id=self.deployed.node.chain_id, genesis=None)
        anchors = Anchors(
            chain=chain,
            contract=TrustAnchor(chain, self.deployed.anchor),
            identity_of=lambda _issuer, _now: self.identity,
            required=required,
        )
        fetch: Any = self
        keys: Any = Keys()
        return Checker(fetch=fetch, keys=keys, trust=UnsafeAnyone(), max_age=timedelta(days=1), anchors=anchors)

    def check(self, checker: Checker) -> Finding:
        return checker.check(STATUS, issuer=ISSUER, now=self.now)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Deployed, list[datetime]]]:
    clock = [START]
    with nodes.embedded(tmp_path_factory.mktemp("chain"), clock=lambda: int(clock[0].timestamp())) as node:
        yield deploy(node), clock


@pytest.fixture
def world(chain: tuple[Deployed, list[datetime]]) -> World:
    deployed, clock = chain
    desk = deployed.actor()
    return World(deployed, desk, clock, identity=desk.address)


def said(finding: Finding) -> tuple[Outcome, str, Any]:
    return finding.outcome, finding.code, finding.evidence.get("ledger", {}).get("list", finding.evidence.get("cause"))


def test_the_anchored_list_counts_and_the_finding_says_where(world: World) -> None:
    world.publish(VALID)
    world.anchor(VALID)
    finding = world.check(world.checker())
    assert said(finding) == (Outcome.PASS, "status.valid", "anchored")
    told = finding.evidence["ledger"]
    assert (told["number"], told["chain_id"]) == (1, world.deployed.node.chain_id)
    assert told["anchored_in"] <= told["block"]
    assert told["finality"] in ("confirmed", "finalized")


def test_the_same_statuses_signed_anew_are_the_same_list(world: World) -> None:
    world.anchor(VALID)
    world.passes(timedelta(days=3))
    world.publish(VALID)
    assert said(world.check(world.checker())) == (Outcome.PASS, "status.valid", "anchored")


def test_a_host_that_goes_on_serving_the_old_list_is_found_out(world: World) -> None:
    world.publish(VALID)
    world.anchor(VALID)
    world.passes(timedelta(hours=2))
    world.anchor(REVOKED)  # and the host keeps the old list, which is signed and not expired
    finding = world.check(world.checker())
    assert said(finding) == (Outcome.UNKNOWN, "status.stale", "superseded")
    assert finding.evidence["ledger"]["number"] == 2


def test_a_revocation_reaches_who_has_kept_a_list(world: World) -> None:
    """Long before the kept list is asked for again by its ttl."""
    checker = world.checker()
    world.publish(VALID)
    world.anchor(VALID)
    assert world.check(checker).outcome is Outcome.PASS
    world.passes(timedelta(minutes=2))
    world.publish(REVOKED)
    world.anchor(REVOKED)
    world.passes(FRESH)
    assert FRESH + timedelta(minutes=2) < TTL / 2
    assert said(world.check(checker)) == (Outcome.FAIL, "status.revoked", "anchored")
    assert world.fetched == 2


def test_a_host_in_delay_is_not_asked_at_every_check(world: World) -> None:
    checker = world.checker()
    world.publish(VALID)
    world.anchor(VALID)
    world.check(checker)
    world.passes(timedelta(hours=1))
    world.anchor(REVOKED)
    world.passes(FRESH)
    for _ in range(5):
        assert world.check(checker).outcome is Outcome.UNKNOWN
    assert world.fetched <= 3
    world.publish(REVOKED)
    world.passes(timedelta(seconds=11))
    assert world.check(checker).outcome is Outcome.FAIL


def test_a_list_may_be_there_before_its_anchor(world: World) -> None:
    world.anchor(VALID)
    world.passes(timedelta(hours=1))
    world.publish(REVOKED)
    assert said(world.check(world.checker())) == (Outcome.FAIL, "status.revoked", "newer")
    world.passes(GRACE + timedelta(seconds=1))
    assert said(world.check(world.checker())) == (Outcome.UNKNOWN, "status.unanchored", "other")


def test_a_list_signed_by_a_stolen_key_without_the_account_is_not_accepted_for_long(world: World) -> None:
    world.anchor(REVOKED)
    world.passes(timedelta(days=1))
    world.publish(VALID)
    world.passes(GRACE + timedelta(seconds=1))
    assert world.check(world.checker()).outcome is Outcome.UNKNOWN


def test_clocks_may_be_a_little_apart(world: World) -> None:
    world.publish(REVOKED)  # signed just before the chain's time of the last anchor
    world.passes(LEEWAY / 2)
    world.anchor(VALID)
    assert said(world.check(world.checker())) == (Outcome.FAIL, "status.revoked", "newer")


def test_without_an_anchor_the_finding_says_so_unless_one_is_demanded(world: World) -> None:
    world.publish(VALID)
    assert said(world.check(world.checker())) == (Outcome.PASS, "status.valid", "none")
    assert said(world.check(world.checker(required=True))) == (Outcome.UNKNOWN, "status.unanchored", "none")


def test_an_issuer_without_an_identity_is_as_before_unless_one_is_demanded(world: World) -> None:
    world.publish(VALID)
    world.identity = None
    finding = world.check(world.checker())
    assert said(finding) == (Outcome.PASS, "status.valid", None)
    assert "ledger" not in finding.evidence
    assert world.check(world.checker(required=True)).outcome is Outcome.UNKNOWN


def test_a_ledger_in_trouble_is_told_or_decides(world: World) -> None:
    world.publish(VALID)
    world.anchor(VALID)
    world.trouble = Unavailable("ledger.timeout", "x")
    assert said(world.check(world.checker())) == (Outcome.PASS, "status.valid", "unknown")
    finding = world.check(world.checker(required=True))
    assert said(finding) == (Outcome.UNKNOWN, "status.ledger_unavailable", "ledger.timeout")


def test_a_list_that_cannot_be_had_is_judged_as_before(world: World) -> None:
    world.served = b"nonsense"
    world.anchor(VALID)
    assert world.check(world.checker()).code == "status.unreliable"
