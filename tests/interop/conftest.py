"""Fixtures of the flows with strangers; without Node or its packages all of them are left out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import peers
from tests.interop.world import Desk, Ground, Shop


@pytest.fixture(scope="package")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """Everybody's keys and addresses."""
    if reason := peers.missing():
        pytest.skip(f"the flows with other people's software are left out: {reason}")
    return Ground(tmp_path_factory.mktemp("interop"))


@pytest.fixture(scope="package")
def peer(ground: Ground) -> Iterator[peers.Peer]:
    """The other side."""
    running = ground.peer()
    yield running
    running.close()


@pytest.fixture(scope="package")
def desk(ground: Ground) -> Iterator[Desk]:
    """Our desk with its usual settings."""
    with Desk(ground).open() as desk:
        yield desk


@pytest.fixture(scope="package")
def shop(ground: Ground) -> Iterator[Shop]:
    """Our verifier with its usual settings."""
    with Shop(ground, ground.urls["verifier"]).open() as shop:
        yield shop


@pytest.fixture(scope="package")
def card(peer: peers.Peer, desk: Desk) -> str:
    """A credential that the peer's wallet received from our desk."""
    offered = desk.offer()
    flow = peer.ask("offer", uri=offered["offer_uri"])["flow"]
    peer.ask("preAuthorized", flow=flow, txCode=offered["tx_code"])
    return str(peer.ask("credentials", flow=flow, configuration="VerifiedPerson")["credentials"][0])
