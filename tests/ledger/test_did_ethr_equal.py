"""did:ethr equals npm `ethr-did-resolver`: documents and metadata on random histories, over two registries."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from ssi.dids import ethr
from ssi.dids.sources import Sources, Version
from ssi.errors import Malformed
from ssi.ledger import registry
from tests import peers
from tests.ledger import ethr_histories as histories
from tests.ledger import nodes
from tests.ledger.ethr_ledger import known
from tests.support import InMemoryFetch

NETWORK = "0x7a69"
PEOPLE, ROUNDS = 160, 10
REGISTRIES: dict[str, Callable[[], bytes]] = {"npm": histories.npm_registry, "ours": registry.deploy_data}


@dataclass(frozen=True)
class Setting:
    """A registry with histories, and both resolvers on it."""

    registry: histories.Freely
    world: histories.World
    sources: Sources
    peer: peers.Peer

    def ours(self, url: str, now: datetime) -> tuple[Any, Any]:
        """Our document and metadata."""
        did, _, block = url.partition("?versionId=")
        found = ethr.resolve(did, sources=self.sources, version=Version(id=block or None), now=now)
        return json.loads(json.dumps(found.document.json)), found.metadata

    def theirs(self, urls: list[str]) -> list[Any]:
        """What the published resolver answers, in the order of the URLs."""
        answers: list[Any] = self.peer.ask("resolve", urls=urls)["results"]
        return answers


@pytest.fixture(scope="module", params=REGISTRIES)
def setting(request: pytest.FixtureRequest) -> Iterator[Setting]:
    """Histories that begin twelve days ago, on a node of their own."""
    reason = peers.missing() or nodes.anvil_missing()
    if reason is not None:
        pytest.skip(reason)
    random = Random(f"did:ethr {request.param}")
    began = int(time.time()) - 12 * histories.DAY
    with nodes.anvil(options=[*histories.Freely.OPTIONS, str(began)]) as node:
        freely = histories.Freely(node.rpc, REGISTRIES[request.param](), random=random)
        accounts = histories.addresses(random)
        world = histories.make(
            random,
            count=PEOPLE,
            rounds=ROUNDS,
            network=NETWORK,
            send=freely.send,
            new_owner=lambda: next(accounts),
        )
        peer = peers.Peer("ethr.mjs")
        peer.ask("use", name="dev", chainId=node.chain_id, rpcUrl=node.url, registry=freely.address)
        sources = Sources(InMemoryFetch({}), known(node, freely.address, networks=(NETWORK, "dev")))
        yield Setting(freely, world, sources, peer)
        peer.close()


def test_documents_and_metadata_are_equal(setting: Setting) -> None:
    random, world = Random(2), setting.world
    urls = [world.did(person) for person in world.people]
    urls += [f"{did}?versionId={random.choice(world.blocks) - random.choice((0, 0, 1))}" for did in urls]
    answers = setting.theirs(urls)
    now = datetime.now(UTC)
    wrong = []
    for url, answer in zip(urls, answers, strict=True):
        assert "error" not in answer["didResolutionMetadata"], answer
        if setting.ours(url, now) != (answer["didDocument"], answer["didDocumentMetadata"]):
            wrong.append(url)
    assert not wrong
    assert {"deactivated", "nextVersionId"} <= {name for answer in answers for name in answer["didDocumentMetadata"]}
    assert len({json.dumps(answer["didDocument"]) for answer in answers}) > 1.5 * PEOPLE


def test_a_difference_would_be_noticed(setting: Setting) -> None:
    """The comparison sees it when one event of a history is missing."""
    world, now, seen = setting.world, datetime.now(UTC), 0
    ledger = setting.sources.ledgers.named(NETWORK)

    class Forgetful:
        def events(self, identity: str) -> Any:
            return ledger.registry.events(identity)[:-1]

    forgetful = replace(setting.sources, ledgers=type(setting.sources.ledgers)({NETWORK: _Two(ledger, Forgetful())}))
    for person in world.people[:20]:
        did = world.did(person)
        seen += replace(setting, sources=forgetful).ours(did, now) != setting.ours(did, now)
    assert seen > 10


@dataclass(frozen=True)
class _Two:
    ledger: Any
    registry: Any

    @property
    def chain(self) -> Any:
        return self.ledger.chain


def test_every_second_around_the_end_of_a_validity(setting: Setting) -> None:
    """A version is as of its block's time: one second before `validTo`, in it, and after it."""
    identity = "0x" + "ab" * 19 + f"{len(setting.world.blocks):02x}"
    name = b"did/pub/Ed25519/veriKey".ljust(32, b"\0")
    attribute = histories.call("setAttribute(address,bytes32,bytes,uint256)", identity, name, bytes(range(32)), 2)
    kind = b"sigAuth".ljust(32, b"\0")
    revoked = histories.call("revokeDelegate(address,bytes32,address)", identity, kind, identity)
    setting.registry.send([(identity, attribute), (identity, revoked)], seconds=5)
    blocks = [setting.registry.send([], seconds=1) for _ in range(4)]
    did = f"did:ethr:{NETWORK}:{identity}"
    urls = [f"{did}?versionId={block}" for block in (blocks[0] - 1, *blocks)]
    answers = setting.theirs(urls)
    now = datetime.now(UTC)
    found = [setting.ours(url, now) for url in urls]
    assert found == [(answer["didDocument"], answer["didDocumentMetadata"]) for answer in answers]
    assert [len(document["verificationMethod"]) for document, _ in found] == [3, 2, 2, 1, 1]


def test_where_the_published_resolver_is_wrong(setting: Setting) -> None:
    """The table in `ssi.dids.ethr`: it answers, and we do not, or not so."""
    did = setting.world.did(setting.world.people[0])
    account = did.rpartition(":")[2]
    now = datetime.now(UTC)
    newest, letters, stray = setting.theirs(
        [f"{did}?versionId=nonsense", f"{did}?versionId=1abc", f"did:ethr:devX{account}"]
    )
    assert newest["didDocument"] is not None
    assert letters["didDocument"] is not None
    assert stray["didDocument"] is not None
    for url in (f"{did}?versionId=nonsense", f"{did}?versionId=1abc", f"did:ethr:devX{account}"):
        with pytest.raises(Malformed):
            setting.ours(url, now)


def test_names_that_javascript_objects_have(setting: Setting) -> None:
    identity = "0x" + "cd" * 19 + f"{len(setting.world.blocks):02x}"
    name = b"did/pub/to/String".ljust(32, b"\0")
    data = histories.call("setAttribute(address,bytes32,bytes,uint256)", identity, name, b"\1", 2**32)
    setting.registry.send([(identity, data)], seconds=1)
    did = f"did:ethr:{NETWORK}:{identity}"
    answer = setting.theirs([did])[0]["didDocument"]["verificationMethod"][1]
    ours, _ = setting.ours(did, datetime.now(UTC))
    assert "type" not in answer
    assert ours["verificationMethod"][1] == {**answer, "type": "to"}
