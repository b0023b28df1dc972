"""Ledger: DIDs of long histories, against npm ethr-did-resolver with its default settings; large batches."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from ssi.dids import ethr, webvh
from ssi.dids.sources import CURRENT, Sources
from ssi.ledger import anchor, merkle, registry
from ssi.ledger.index import EventIndex
from tests import peers
from tests.bench.measure import Row, at_most
from tests.ledger import deployed, nodes
from tests.ledger import ethr_histories as histories
from tests.ledger.ethr_ledger import known
from tests.ssi import webvhs
from tests.support import InMemoryFetch

TITLE = "Ledger: did:ethr of 1,000 events, batches of 1,000,000 credentials"
EVENTS = 1_000
LEAVES = 1_000_000
NETWORK = "0x7a69"
PEER = "npm ethr-did-resolver 11.1.3"
_KINDS = (
    "did/pub/Secp256k1/veriKey/hex",
    "did/pub/Ed25519/veriKey/base58",
    "did/pub/X25519/enc/base64",
    "did/svc/HubService",
)


def rows() -> list[Row]:
    """Batches, and where Node is, one long history and the cost of an anchor."""
    reason = peers.missing() or nodes.anvil_missing()
    if reason is not None:
        return [*_batch(), _webvh(), Row(f"did:ethr: {reason}", 0.0, "-", PEER, None, None, True)]
    return [*_batch(), _webvh(), *_history(), _anchor()]


def _batch() -> list[Row]:
    """A tree over a million entries, and what one of its holders keeps and checks."""
    entries = os.urandom(LEAVES * merkle.SIZE)
    built = _best(lambda: lambda: merkle.Tree(entries), times=2)
    tree = merkle.Tree(entries)
    places = Random(1).sample(range(LEAVES), 2_000)
    paths = [tree.prove(place) for place in places]
    hashes = [merkle.leaf_hash(entries[place * merkle.SIZE :][: merkle.SIZE]) for place in places]

    def verify() -> None:
        for place, leaf, path in zip(places, hashes, paths, strict=True):
            merkle.verify_inclusion(tree.root, size=LEAVES, index=place, leaf=leaf, path=path)

    longest = max(len(b"".join(path)) for path in paths)
    checked = _best(lambda: verify, times=5) / len(places) * 1000
    return [
        _within(f"batch of {LEAVES} built", built / 1000, 2.0, "s"),
        _within(f"batch of {LEAVES}: inclusion path", longest, 640, "B"),
        _within(f"batch of {LEAVES}: inclusion verified", checked, 50, "us"),
    ]


def _webvh() -> Row:
    """A log of as many entries, each verified: its proof, its hash, its document. Processor time: nobody is asked."""
    text, did = webvhs.long(EVENTS)

    def cold() -> float:
        sources, began = webvhs.served(did, text), time.process_time()
        webvh.resolve(did, sources=sources, version=CURRENT, now=webvhs.NOW)
        return (time.process_time() - began) * 1000

    return _within(f"did:webvh, {EVENTS:,} entries, cold", min(cold() for _ in range(3)), 500)


def _anchor() -> Row:
    """The gas of anchoring a second root, divided by a batch."""
    with nodes.anvil() as node:
        desk = deployed.Actor(node)
        place = desk.deploys(anchor.deploy_data(desk.deploys(registry.deploy_data())))
        done = [desk.does(place, anchor.anchor(desk.address, root)) for root in (b"\1" * 32, b"\2" * 32)][-1]
    return _within(f"anchor of a batch of {LEAVES}: each credential's share", done.gas / LEAVES, 0.1, "gas")


def _history() -> list[Row]:
    """One history, each event in a block of its own, resolved by both from a node on this machine."""
    random, began = Random(1), int(time.time()) - histories.DAY
    with nodes.anvil(options=[*histories.Freely.OPTIONS, str(began)]) as node:
        freely = histories.Freely(node.rpc, histories.npm_registry(), random=random)
        identity = next(histories.addresses(random))
        for number in range(EVENTS):
            freely.send([(identity, _change(random, identity, number))], seconds=1)
        did = f"did:ethr:{NETWORK}:{identity}"
        theirs, answer = _peer(node, freely.address, did)
        return _ours(node, freely.address, did, theirs, answer)


def _change(random: Random, identity: str, number: int) -> bytes:
    """Mostly keys and services, some delegates, some revocations: call data."""
    century, value = 2**32, random.randbytes(32)
    if number % 5 == 0:
        kind = b"veriKey".ljust(32, b"\0")
        delegate = "0x" + value[:20].hex()
        return histories.call("addDelegate(address,bytes32,address,uint256)", identity, kind, delegate, century)
    name = random.choice(_KINDS)
    value = b"https://hubs.example/" + value.hex().encode() if "svc" in name else value
    raw = name.encode().ljust(32, b"\0")
    if number % 5 == 1:
        return histories.call("revokeAttribute(address,bytes32,bytes)", identity, raw, value)
    return histories.call("setAttribute(address,bytes32,bytes,uint256)", identity, raw, value, century)


def _peer(node: nodes.Node, place: str, did: str) -> tuple[float, Any]:
    """The peer's milliseconds for one resolution, and what comes of it."""
    peer = peers.Peer("ethr.mjs")
    try:
        peer.ask("use", name="dev", chainId=node.chain_id, rpcUrl=node.url, registry=place)
        answer = peer.ask("timed", url=did)
        return float(answer["ms"]), answer["result"]
    finally:
        peer.close()


def _ours(node: nodes.Node, place: str, did: str, theirs: float, answer: Any) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.db"
        cold = _best(lambda: _resolver(node, place, did, index=None), times=3)
        first = _best(lambda: _resolver(node, place, did, index=EventIndex(path)), times=1)
        read = _best(lambda: _resolver(node, place, did, index=EventIndex(path)), times=5)
        again = _resolver(node, place, did, index=EventIndex(path))
        again()
        warm = _best(lambda: again, times=20)
        if json.loads(json.dumps(again().document.json)) != answer["didDocument"]:
            raise ValueError("the two resolvers disagree")
    name = f"did:ethr {EVENTS} events"
    return [
        at_most(f"{name}, cold", cold, PEER, theirs, 0.01),
        at_most(f"{name}, cold, written to an index", first, PEER, theirs),
        _within(f"{name}, warm: index on disk, new process", read, 5.0),
        _within(f"{name}, warm: index on disk, resolved before", warm, 5.0),
    ]


def _within(name: str, value: float, limit: float, unit: str = "ms") -> Row:
    """A row for a figure with a limit of its own."""
    return Row(name, round(value, 3), unit, "-", None, f"<= {limit:g} {unit}", value <= limit)


def _resolver(node: nodes.Node, place: str, did: str, *, index: Any) -> Callable[[], Any]:
    """A resolution by a client that has not asked anything yet."""
    sources = Sources(InMemoryFetch({}), known(node, place, networks=(NETWORK,), index=index))
    return lambda: ethr.resolve(did, sources=sources, version=CURRENT, now=datetime.now(UTC))


def _best(make: Callable[[], Callable[[], object]], *, times: int) -> float:
    """Wall-clock milliseconds of the fastest run, each by a new client (waiting for the node is part of it)."""
    best = float("inf")
    for _ in range(times):
        operation = make()
        begin = time.perf_counter()
        operation()
        best = min(best, time.perf_counter() - begin)
    return best * 1000
