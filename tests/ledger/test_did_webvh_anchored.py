"""did:webvh with its head on a ledger: a log that was cut off, or replaced, is noticed (real contract)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ssi import dids
from ssi.dids.problems import problem_of
from ssi.dids.sources import Sources, Version
from ssi.dids.webvh import anchored, writing
from ssi.dids.webvh.writing import Written
from ssi.errors import Refused, SsiError, Unavailable
from ssi.issuerkeys.identities import Identities
from ssi.ledger.anchor import TrustAnchor, name_hash, set_head
from ssi.ledger.chain import Chain
from ssi.ledger.ledger import Ledger, Ledgers
from ssi.ledger.registry import Registry
from ssi.model import Issuer
from tests.ledger import nodes
from tests.ledger.deployed import Actor, Deployed, deploy
from tests.ledger.faulty import Down
from tests.ssi import webvhs
from tests.ssi.webvhs import NOW, at, key

NETWORK = "0xface7"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """An embedded chain with both contracts."""
    with nodes.embedded(tmp_path_factory.mktemp("anchored")) as node:
        yield deploy(node)


class Desk:
    """A DID whose document names an account, and that account."""

    def __init__(self, world: Deployed, **more: Any) -> None:
        self.world, self.signer = world, key()
        self.account: Actor = world.actor()
        self.name = f"did:ethr:{NETWORK}:{self.account.address}"
        document = {**webvhs.DOCUMENT, "alsoKnownAs": [self.name]}
        self.log = webvhs.created(self.signer, document=document, **more)

    def writes(self, day: int, **more: Any) -> Written:
        """One more entry."""
        self.log = writing.update(self.log, signer=self.signer, now=at(day), **more)
        return self.log

    def states(self, log: Written | None = None) -> None:
        """The log's head on the ledger."""
        log = log or self.log
        head = log.log.last.entry
        data = set_head(self.account.address, name_hash(log.log.scid), anchored.digest(head.version_id), head.number)
        self.account.does(self.world.anchor, data)

    def ledgers(self, *, rpc: Any = None, anchor: bool = True) -> Ledgers:
        """The chain as a ledger that resolvers know."""
        node = self.world.node
        chain = Chain(rpc or node.rpc, chain_id=node.chain_id, genesis=None, confirmations=1, finalized="tag")
        ledger = Ledger(
            chain=chain,
            registry=Registry(chain, self.world.registry),
            anchor=TrustAnchor(chain, self.world.anchor) if anchor else None,
            index=None,
            checkpoints=(),
            accreditors=(),
            name="test",
            development=True,
            networks=(NETWORK,),
        )
        return Ledgers({NETWORK: ledger})

    def sources(self, log: Written | None = None, **more: Any) -> Sources:
        """A web that serves this log."""
        return webvhs.served(self.log.did, (log or self.log).text, ledgers=self.ledgers(**more))

    def resolved(self, log: Written | None = None, *, version: Version = dids.CURRENT, **more: Any) -> dids.Resolved:
        """What a resolver says when this log is served."""
        return dids.resolve(self.log.did, sources=self.sources(log, **more), now=NOW, version=version)


def _code(desk: Desk, log: Written, **more: Any) -> str:
    with pytest.raises(SsiError) as caught:
        desk.resolved(log, **more)
    assert problem_of(caught.value, desk.log.did).name in {"invalidDid", "internalError"}
    return caught.value.code


def test_the_evidence_names_what_the_ledger_agrees_to(world: Deployed) -> None:
    desk = Desk(world)
    assert desk.resolved().evidence == {}
    desk.writes(1)
    desk.states()
    evidence = desk.resolved().evidence
    head = TrustAnchor(desk.ledgers().named(NETWORK).chain, world.anchor).head(
        desk.account.address, name_hash(desk.log.log.scid)
    )
    assert head is not None
    assert evidence == {
        "chain_id": world.node.chain_id,
        "identity": desk.account.address,
        "contract": world.anchor,
        "block": head.block_number,
        "block_at": world.time(head.block_number),
        "finality": evidence["finality"],
        "anchored_version": 2,
        "version": 2,
    }
    assert evidence["finality"] in {"confirmed", "finalized"}


def test_entries_after_the_head_are_taken_and_said(world: Deployed) -> None:
    desk = Desk(world)
    desk.states()
    desk.writes(1)
    evidence = desk.resolved().evidence
    assert (evidence["anchored_version"], evidence["version"]) == (1, 2)
    for each in dids.history(desk.log.did, sources=desk.sources(), now=NOW):
        assert each.evidence == evidence


def test_a_log_without_its_end_is_refused(world: Deployed) -> None:
    desk = Desk(world)
    first = desk.log
    second = desk.writes(1)
    desk.writes(2)
    desk.states()
    assert _code(desk, first) == _code(desk, second) == "did.webvh_truncated"
    assert _code(desk, first, version=Version(number=1)) == "did.webvh_truncated"
    with pytest.raises(Refused):
        dids.history(desk.log.did, sources=desk.sources(first), now=NOW)


def test_another_log_by_the_same_key_is_refused(world: Deployed) -> None:
    desk = Desk(world)
    first = desk.log
    desk.writes(1)
    desk.states()
    fork = writing.update(first, signer=desk.signer, now=at(2))
    assert _code(desk, fork) == "did.webvh_forked"
    longer = writing.update(fork, signer=desk.signer, now=at(3))
    assert _code(desk, longer) == "did.webvh_forked"


def test_a_later_document_that_names_no_account_does_not_escape(world: Deployed) -> None:
    desk = Desk(world)
    first = desk.log
    desk.writes(1)
    desk.states()
    fork = writing.update(first, document=webvhs.DOCUMENT, signer=desk.signer, now=at(2))
    assert _code(desk, fork) == "did.webvh_forked"


def test_a_did_that_was_given_up_stays_so(world: Deployed) -> None:
    desk = Desk(world)
    before = desk.log
    desk.log = writing.deactivate(desk.log, signer=desk.signer, now=at(1))
    desk.states()
    assert desk.resolved().deactivated
    assert _code(desk, before) == "did.webvh_truncated"


def test_another_accounts_head_says_nothing(world: Deployed) -> None:
    desk, other = Desk(world), Desk(world)
    desk.writes(1)
    data = set_head(other.account.address, name_hash(desk.log.log.scid), b"\1" * 32, 9)
    other.account.does(world.anchor, data)
    assert desk.resolved().evidence == {}


def test_a_ledger_that_cannot_be_asked_is_not_a_yes(world: Deployed) -> None:
    desk = Desk(world)
    desk.states()
    with pytest.raises(Unavailable):
        desk.resolved(rpc=Down())
    assert desk.resolved(anchor=False).evidence == {}


def test_a_ledger_that_nobody_here_knows_is_not_asked(world: Deployed) -> None:
    desk = Desk(world)
    desk.states()
    sources = webvhs.served(desk.log.did, desk.log.text)
    assert dids.resolve(desk.log.did, sources=sources, now=NOW).evidence == {}


def test_a_broken_entry_before_the_head_is_named(world: Deployed) -> None:
    desk = Desk(world)
    first = desk.log
    desk.writes(1)
    desk.states()
    broken = Written(first.text + b"{}\n", first.log)
    assert _code(desk, broken) == "did.webvh_entry"


def _others(count: int) -> list[str]:
    return [f"did:ethr:{NETWORK}:0x{number:040x}" for number in range(1, count + 1)]


def test_a_fork_that_names_many_accounts_does_not_escape(world: Deployed) -> None:
    """A thief of a key names eight more accounts, so that the one that knows better is not asked any more."""
    desk = Desk(world)
    first = desk.log
    desk.writes(1)
    desk.states()
    for names, code in ((_others(7), "did.webvh_forked"), (_others(8), "did.webvh_accounts")):
        document = {**webvhs.DOCUMENT, "alsoKnownAs": [desk.name, *names]}
        fork = writing.update(first, document=document, signer=desk.signer, now=at(2))
        assert _code(desk, fork) == code
        identity = Identities(desk.sources(fork), desk.ledgers().named(NETWORK))
        with pytest.raises(Refused):
            identity(Issuer(id=desk.log.did), NOW)


def test_one_account_in_many_spellings_is_one(world: Deployed) -> None:
    desk = Desk(world)
    digits = desk.account.address.removeprefix("0x")
    spellings = [f"did:ethr:{NETWORK}:0x{digits.upper()}", *(f"{desk.name}#{number}" for number in range(9)), desk.name]
    desk.writes(1, document={**webvhs.DOCUMENT, "alsoKnownAs": [*spellings, *_others(7)]})
    desk.states()
    assert desk.resolved().evidence["identity"] == desk.account.address


def test_the_evidence_is_that_of_the_account_that_agrees_to_least(world: Deployed) -> None:
    """An entry after the head may name an account of somebody else's: what that states proves no more."""
    desk, other = Desk(world), world.actor()
    desk.states()
    name = f"did:ethr:{NETWORK}:{other.address}"
    longer = desk.writes(1, document={**webvhs.DOCUMENT, "alsoKnownAs": [name]})
    head = longer.log.last.entry
    data = set_head(other.address, name_hash(longer.log.scid), anchored.digest(head.version_id), head.number)
    other.does(world.anchor, data)
    evidence = desk.resolved().evidence
    assert (evidence["identity"], evidence["anchored_version"], evidence["version"]) == (desk.account.address, 1, 2)
