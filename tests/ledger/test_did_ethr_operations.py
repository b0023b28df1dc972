"""did:ethr from its first key to its end: what the operations write is what resolution reads."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from ssi.bbs.keys import BbsSigner
from ssi.dids import ethr
from ssi.dids.ethr import identifier, operations
from ssi.dids.sources import CURRENT, Resolved, Sources
from ssi.errors import Malformed, Refused
from ssi.keys import SoftwareSigner
from ssi.ledger import registry
from ssi.ledger.registry import Registry
from ssi.legacy import secp256k1
from tests.ledger import ethr_histories as histories
from tests.ledger import nodes
from tests.ledger.ethr_ledger import known
from tests.support import InMemoryFetch

NETWORK = "0x7a69"
YEAR = 365 * 86_400


@dataclass(frozen=True)
class Place:
    """A registry, and a subject without any history."""

    freely: histories.Freely
    sources: Sources
    address: str

    @property
    def did(self) -> str:
        return identifier.of(self.address, network=NETWORK)

    @property
    def registry(self) -> Registry:
        found: Registry = self.sources.ledgers.named(NETWORK).registry
        return found

    def send(self, *calls: operations.Call, by: str | None = None) -> None:
        assert {call.to for call in calls} == {self.registry.address}
        self.freely.send([(by or self.address, call.data) for call in calls], seconds=1)

    def resolved(self) -> Resolved:
        return ethr.resolve(self.did, sources=self.sources, version=CURRENT, now=datetime.now(UTC))


@pytest.fixture(scope="module", params=("npm", "ours"))
def written(request: pytest.FixtureRequest) -> Iterator[tuple[histories.Freely, Sources]]:
    reason = nodes.anvil_missing()
    if reason is not None:
        pytest.skip(reason)
    code = histories.npm_registry() if request.param == "npm" else registry.deploy_data()
    began = int(time.time()) - histories.DAY
    with nodes.anvil(options=[*histories.Freely.OPTIONS, str(began)]) as node:
        freely = histories.Freely(node.rpc, code, random=Random(1))
        yield freely, Sources(InMemoryFetch({}), known(node, freely.address, networks=(NETWORK,)))


@pytest.fixture
def place(written: tuple[histories.Freely, Sources]) -> Place:
    freely, sources = written
    return Place(freely, sources, secp256k1_address())


def secp256k1_address() -> str:
    """A fresh account's address."""
    key = secp256k1.generate().public
    return identifier.read(f"did:ethr:0x0{2 + (key.y[-1] & 1)}{key.x.hex()}").address


@pytest.mark.parametrize(
    "make",
    [
        lambda: SoftwareSigner.generate("EdDSA"),
        lambda: SoftwareSigner.generate("ES256"),
        lambda: SoftwareSigner.generate("ES384"),
        secp256k1.generate,
        lambda: BbsSigner.generate(random=os.urandom),
    ],
    ids=["EdDSA", "ES256", "ES384", "ES256K", "BBS"],
)
def test_a_key_comes_and_goes(place: Place, make: Callable[[], Any]) -> None:
    key, now = make().public, datetime.now(UTC)
    place.send(operations.add_key(place.did, key, purpose="sigAuth", seconds=YEAR, registry=place.registry))
    url = f"{place.did}#delegate-1"
    for relationship in ("authentication", "assertionMethod"):
        assert place.resolved().key(url, relationship=relationship, now=now) == key
    place.send(operations.remove_key(place.did, key, purpose="sigAuth", registry=place.registry))
    with pytest.raises(Refused, match=r"did\.no_such_key"):
        place.resolved().key(url, relationship="assertionMethod", now=now)
    past = ethr.history(place.did, sources=place.sources, now=now)
    assert [url in entry.document.methods for entry in past] == [False, True, False]


def test_services_and_delegates_come_and_go(place: Place) -> None:
    did, there = place.did, place.registry
    endpoints = ("https://a.example", {"uri": "https://b.example", "accept": ["didcomm/v2"]}, "12", "null", "")
    for endpoint in endpoints:
        place.send(operations.add_service(did, "Hub", endpoint, seconds=YEAR, registry=there))
    found = place.resolved().document
    assert tuple(service["serviceEndpoint"] for service in found.json["service"]) == endpoints
    assert [service.id for service in found.services] == [f"{did}#service-{n}" for n in (1, 2, 3, 4, 5)]
    place.send(*(operations.remove_service(did, "Hub", endpoint, registry=there) for endpoint in endpoints))
    assert "service" not in place.resolved().document.json
    place.send(operations.add_delegate(did, OTHER, purpose="veriKey", seconds=YEAR, registry=there))
    assert place.resolved().document.json["verificationMethod"][1]["blockchainAccountId"].endswith(OTHER[2:])
    place.send(operations.remove_delegate(did, OTHER, purpose="veriKey", registry=there))
    assert place.resolved().metadata["versionId"]


OTHER = "0x" + "12" * 20


def test_the_did_is_handed_on_and_ended(place: Place) -> None:
    heir, did, there = secp256k1_address(), place.did, place.registry
    place.send(operations.rotate(did, heir, registry=there))
    assert place.resolved().document.json["verificationMethod"][0]["blockchainAccountId"].lower().endswith(heir[2:])
    late = operations.add_service(did, "Hub", "https://a.example", seconds=YEAR, registry=there)
    place.send(late)  # by the first owner, who no longer may
    assert "service" not in place.resolved().document.json
    place.send(late, by=heir)
    assert "service" in place.resolved().document.json
    place.send(operations.deactivate(did, registry=there), by=heir)
    ended = place.resolved()
    assert ended.deactivated
    place.send(late)  # the deployed registry lets the first key write; no resolver heeds it
    assert place.resolved() == ended


@pytest.mark.parametrize("kind", ["", "a b", "Ünï", "x" * 25, "a/b"])
def test_what_no_service_is_called(place: Place, kind: str) -> None:
    with pytest.raises(Malformed, match=r"did\.service"):
        operations.add_service(place.did, kind, "https://a.example", seconds=1, registry=place.registry)


def test_a_service_that_is_too_large(place: Place) -> None:
    with pytest.raises(Malformed, match=r"did\.service"):
        operations.add_service(place.did, "Hub", "x" * 10_000, seconds=1, registry=place.registry)


def test_handing_it_to_nobody_must_be_meant(place: Place) -> None:
    for wrong in (histories.ZERO, "0x12", "somebody"):
        with pytest.raises(Malformed):
            operations.rotate(place.did, wrong, registry=place.registry)
