"""A key that a did:ethr gave and took back: found as a retired one, with the block that says so."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ssi import dids
from ssi.dids import Sources
from ssi.dids.ethr import identifier, operations
from ssi.dids.timeline import timeline
from ssi.errors import Refused
from ssi.issuerkeys import Keys
from ssi.keys import PublicKey, SoftwareSigner
from ssi.ledger import registry
from ssi.ledger.account import SoftwareAccount
from ssi.model import Issuer
from tests.ledger import nodes
from tests.ledger.ethr_ledger import known
from tests.ledger.raw import dynamic
from tests.support import InMemoryFetch

NETWORK = "0xface7"
BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
YEAR = 365 * 86_400


class Owner:
    """An account with a registry on a chain of its own, which writes one call after the other."""

    def __init__(self, node: nodes.Node) -> None:
        self._node, self._account, self._nonces = node, SoftwareAccount.generate(), itertools.count()
        node.give(self._account.address, nodes.ETHER)
        self.registry = str(self._send(b"", registry.deploy_data(), gas=3_000_000)["contractAddress"])
        self.sources = Sources(InMemoryFetch({}), known(node, self.registry, networks=(NETWORK,)))
        self.did = identifier.of(self._account.address, network=NETWORK)

    def write(self, call: operations.Call) -> datetime:
        """The time of the block that holds the call."""
        receipt = self._send(bytes.fromhex(call.to[2:]), call.data, gas=400_000)
        block = self._node.rpc.call("eth_getBlockByNumber", [receipt["blockNumber"], False])
        return datetime.fromtimestamp(int(block["timestamp"], 16), UTC)

    def _send(self, to: bytes, data: bytes, *, gas: int) -> dict[str, str]:
        nonce = next(self._nonces)
        raw = dynamic(self._account, chain_id=self._node.chain_id, nonce=nonce, to=to, data=data, gas=gas)
        sent = self._node.rpc.call("eth_sendRawTransaction", [raw])
        receipt: dict[str, str] = self._node.rpc.call("eth_getTransactionReceipt", [sent])
        assert receipt["status"] == "0x1"
        return receipt


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    ticks = itertools.count()
    with nodes.embedded(tmp_path, clock=lambda: int(BEGAN.timestamp()) + 60 * next(ticks)) as node:
        yield Owner(node)


def name_of(owner: Owner, key: PublicKey, now: datetime) -> str:
    document = dids.resolve(owner.did, sources=owner.sources, now=now).document
    return next(url for url, method in document.methods.items() if method.key == key)


def test_a_key_taken_back_is_retired_from_its_block_on(owner: Owner) -> None:
    ledger = owner.sources.ledgers.named(NETWORK)
    old, new = (SoftwareSigner.generate("EdDSA").public for _ in range(2))
    owner.write(operations.add_key(owner.did, old, purpose="veriKey", seconds=YEAR, registry=ledger.registry))
    now = BEGAN + timedelta(days=1)
    url = name_of(owner, old, now)
    keys = Keys(owner.sources)
    assert keys.issuer_key(Issuer(owner.did, url), alg="EdDSA", now=now).retired is None
    ended = owner.write(operations.remove_key(owner.did, old, purpose="veriKey", registry=ledger.registry))
    owner.write(operations.add_key(owner.did, new, purpose="veriKey", seconds=YEAR, registry=ledger.registry))
    later = now + timedelta(hours=1)
    with pytest.raises(Refused) as caught:
        keys.issuer_key(Issuer(owner.did, url), alg="EdDSA", now=later)
    assert caught.value.code == "did.no_such_key"
    found = keys.with_history().issuer_key(Issuer(owner.did, url), alg="EdDSA", now=later)
    assert (found.key, found.retired) == (old, ended)
    assert found.evidence["chain_id"] == ledger.chain.chain_id
    present = keys.with_history().issuer_key(Issuer(owner.did, name_of(owner, new, later)), alg="EdDSA", now=later)
    assert (present.key, present.retired) == (new, None)


def test_a_key_that_ran_out_is_retired_since_then(owner: Owner) -> None:
    ledger = owner.sources.ledgers.named(NETWORK)
    key = SoftwareSigner.generate("EdDSA").public
    given = owner.write(operations.add_key(owner.did, key, purpose="veriKey", seconds=600, registry=ledger.registry))
    url = name_of(owner, key, given)
    keys = Keys(owner.sources, history=True)
    found = keys.issuer_key(Issuer(owner.did, url), alg="EdDSA", now=given + timedelta(days=1))
    assert found.key == key
    assert found.retired is not None
    assert timedelta(seconds=600) <= found.retired - given <= timedelta(seconds=601)


def test_a_deactivated_did_keeps_only_its_past(owner: Owner) -> None:
    ledger = owner.sources.ledgers.named(NETWORK)
    key = SoftwareSigner.generate("EdDSA").public
    given = owner.write(operations.add_key(owner.did, key, purpose="veriKey", seconds=YEAR, registry=ledger.registry))
    url = name_of(owner, key, given)
    ended = owner.write(operations.deactivate(owner.did, registry=ledger.registry))
    now = ended + timedelta(days=1)
    with pytest.raises(Refused):
        Keys(owner.sources).issuer_key(Issuer(owner.did, url), alg="EdDSA", now=now)
    found = Keys(owner.sources, history=True).issuer_key(Issuer(owner.did, url), alg="EdDSA", now=now)
    assert (found.key, found.retired) == (key, ended)
    steps = timeline(dids.history(owner.did, sources=owner.sources, now=now))
    assert steps[-1].words[-1] == "deactivated"
    assert steps[-1].at == ended
