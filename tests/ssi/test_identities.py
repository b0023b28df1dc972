"""Which address on a ledger an issuer is: only what both sides say."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from ssi import dids
from ssi.dids import Resolved, Sources, document
from ssi.errors import Unavailable
from ssi.issuerkeys import identities
from ssi.issuerkeys.identities import Identities
from ssi.ledger.anchor import Head, name_hash
from ssi.model import Issuer
from tests.support import NOW, InMemoryFetch

ADDRESS = "0x" + "ab" * 20
OTHER = "0x" + "cd" * 20
SCID = "QmScid"
WEBVH = f"did:webvh:{SCID}:issuer.test"


@dataclass
class World:
    """A resolver and a ledger made of two tables."""

    documents: dict[str, Resolved] = field(default_factory=dict)
    heads: set[tuple[str, bytes]] = field(default_factory=set)
    networks: tuple[str, ...] = ("0xface7",)

    @property
    def anchor(self) -> Any:
        return self

    def head(self, address: str, subject: bytes) -> Head | None:
        return Head(bytes(32), 1, 1, 1) if (address, subject) in self.heads else None

    def resolve(self, did: str, *, sources: Sources, now: datetime) -> Resolved:
        if did not in self.documents:
            raise Unavailable("did.unavailable", "x")
        return self.documents[did]

    def has(self, did: str, *names: str, **metadata: Any) -> None:
        made = {"@context": "https://www.w3.org/ns/did/v1", "id": did, "alsoKnownAs": list(names)}
        self.documents[did] = Resolved(document.parse(made, did=did), metadata)

    def of(self, issuer: Issuer) -> str | None:
        ledger: Any = self
        return Identities(Sources(InMemoryFetch({})), ledger)(issuer, NOW)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(dids, "resolve", made.resolve)
    return made


def test_a_did_ethr_is_its_address(world: World) -> None:
    world.has(did := f"did:ethr:0xface7:{ADDRESS}")
    assert world.of(Issuer(did)) == ADDRESS
    assert world.of(Issuer(None, f"{did}#controller")) == ADDRESS


def test_another_networks_address_is_not_one_here(world: World) -> None:
    world.has(did := f"did:ethr:0x1234:{ADDRESS}")
    world.has(main := f"did:ethr:{ADDRESS}")
    assert world.of(Issuer(did)) is world.of(Issuer(main)) is None


def test_a_did_webvh_is_the_address_that_has_anchored_it(world: World) -> None:
    world.has(WEBVH, "https://issuer.test", f"did:ethr:0xface7:{OTHER}", f"did:ethr:0xface7:{ADDRESS}")
    assert world.of(Issuer(WEBVH)) is None
    world.heads.add((ADDRESS, name_hash(SCID)))
    assert world.of(Issuer(WEBVH)) == ADDRESS


def test_nobody_becomes_somebody_by_naming_them(world: World) -> None:
    world.heads.add((ADDRESS, name_hash(SCID)))
    world.has(mine := "did:webvh:QmMine:mallory.test", f"did:ethr:0xface7:{ADDRESS}")
    assert world.of(Issuer(mine)) is None


def test_only_so_many_names_are_asked_about(world: World) -> None:
    names = [f"did:ethr:0xface7:0x{number:040x}" for number in range(identities.MAX_NAMED)]
    world.has(WEBVH, *names, f"did:ethr:0xface7:{ADDRESS}")
    world.heads.add((ADDRESS, name_hash(SCID)))
    assert world.of(Issuer(WEBVH)) is None


def test_who_has_ended_or_signs_otherwise_has_none(world: World) -> None:
    world.has(did := f"did:ethr:0xface7:{ADDRESS}", deactivated=True)
    assert world.of(Issuer(did)) is None
    assert world.of(Issuer(did, x5c=(b"",))) is None
    for one in (Issuer("https://issuer.test"), Issuer("did:web:issuer.test"), Issuer(None)):
        assert world.of(one) is None


def test_what_cannot_be_asked_raises(world: World) -> None:
    with pytest.raises(Unavailable):
        world.of(Issuer(WEBVH))
