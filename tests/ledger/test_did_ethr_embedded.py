"""did:ethr on the embedded chain, whose facade the published resolver asks like any other node."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ssi.dids import ethr
from ssi.dids.sources import Sources, Version
from ssi.ledger import registry
from ssi.ledger.account import SoftwareAccount
from tests import peers
from tests.ledger import ethr_histories as histories
from tests.ledger import nodes
from tests.ledger.ethr_ledger import known
from tests.ledger.raw import dynamic
from tests.support import InMemoryFetch

NETWORK = "0xface7"
PEOPLE, ROUNDS = 16, 6
NEEDS_NODE = pytest.mark.skipif(peers.missing() is not None, reason=str(peers.missing()))


class Signed:
    """A registry on the embedded chain, written to by accounts that sign."""

    def __init__(self, node: nodes.Node, code: bytes, random: Random) -> None:
        self._node, self._random = node, random
        self._accounts: dict[str, SoftwareAccount] = {}
        self._nonces: dict[str, int] = {}
        deployer = self.new_account()
        receipt = self._send(deployer, b"", code, gas=3_000_000)
        self.address = str(receipt["contractAddress"])

    def new_account(self) -> str:
        """A fresh account with money, whose key is kept here."""
        return self.keep(self._random.getrandbits(250) + 1)

    def keep(self, secret: int) -> str:
        """The account of a secret key."""
        account = SoftwareAccount.from_secret(secret.to_bytes(32, "big"))
        self._node.give(account.address, nodes.ETHER)
        self._accounts[account.address.lower()] = account
        return account.address.lower()

    def keyed(self, random: Random) -> histories.Person:
        """An identity that names its key, which is kept here."""
        secret = random.getrandbits(250) + 1
        self.keep(secret)
        return histories.of_key(random, secret)

    def send(self, calls: Sequence[tuple[str, bytes]]) -> int:
        """The calls, each in a block of its own."""
        number = 0
        for sender, data in calls:
            receipt = self._send(sender.lower(), bytes.fromhex(self.address[2:]), data, gas=400_000)
            number = int(receipt["blockNumber"], 16)
        return number

    def _send(self, sender: str, to: bytes, data: bytes, *, gas: int) -> Any:
        nonce = self._nonces.get(sender, 0)
        self._nonces[sender] = nonce + 1
        raw = dynamic(self._accounts[sender], chain_id=self._node.chain_id, nonce=nonce, to=to, data=data, gas=gas)
        sent = self._node.rpc.call("eth_sendRawTransaction", [raw])
        return self._node.rpc.call("eth_getTransactionReceipt", [sent])


@pytest.fixture
def embedded_node(tmp_path: Path) -> Iterator[nodes.Node]:
    """A chain whose time began twelve days ago and passes with the blocks: nothing runs out while the test runs."""
    began, ticks = int(time.time()) - 12 * histories.DAY, itertools.count()
    with nodes.embedded(tmp_path, clock=lambda: began + 7 * next(ticks)) as node:
        yield node


@NEEDS_NODE
@pytest.mark.parametrize("which", ["npm", "ours"])
def test_documents_and_metadata_are_equal(which: str, embedded_node: nodes.Node) -> None:
    random = Random(f"embedded {which}")
    code = histories.npm_registry() if which == "npm" else registry.deploy_data()
    place = Signed(embedded_node, code, random)
    world = histories.make(
        random,
        count=PEOPLE,
        rounds=ROUNDS,
        network=NETWORK,
        send=place.send,
        new_owner=place.new_account,
        keyed=place.keyed,
    )
    dids = [world.did(person) for person in world.people]
    urls = dids + [f"{did}?versionId={random.choice(world.blocks)}" for did in dids]
    with nodes.served(embedded_node.rpc) as url:
        peer = peers.Peer("ethr.mjs")
        peer.ask("use", name="dev", chainId=embedded_node.chain_id, rpcUrl=url, registry=place.address)
        answers = peer.ask("resolve", urls=urls)["results"]
        peer.close()
    sources = Sources(InMemoryFetch({}), known(embedded_node, place.address, networks=(NETWORK,)))
    now = datetime.now(UTC)
    for asked, answer in zip(urls, answers, strict=True):
        did, _, block = asked.partition("?versionId=")
        found = ethr.resolve(did, sources=sources, version=Version(id=block or None), now=now)
        assert json.loads(json.dumps(found.document.json)) == answer["didDocument"], asked
        assert found.metadata == answer["didDocumentMetadata"], asked
