"""did:ethr: identifiers, documents from events, versions, history; the specification's own examples among them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.dids import ethr
from ssi.dids.ethr import document, fold
from ssi.dids.ethr.identifier import of, read
from ssi.dids.sources import CURRENT, Resolved, Sources, Version
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.keys import SoftwareSigner
from ssi.ledger.finality import Finality
from ssi.ledger.ledger import Ledgers
from ssi.legacy import secp256k1
from tests.support import InMemoryFetch

ADDRESS = "0xf3beac30c498d9e26865f34fcaa57dbb935b0d74"
DID = f"did:ethr:{ADDRESS}"
MIXED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
POINT = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
KEYED = f"did:ethr:0x{POINT}"
KEY_ADDRESS = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
START = 1_700_000_000
NOW = datetime.fromtimestamp(START + 10_000, UTC)
LONG = START + 10**9


@dataclass(frozen=True)
class Event:
    """An event as the registry's reader gives it."""

    name: str
    block_number: int
    fields: dict[str, Any]

    block_hash: bytes = b""
    log_index: int = 0

    @property
    def at(self) -> int:
        return START + self.block_number


@dataclass(frozen=True)
class Block:
    number: int
    at: int
    hash: bytes = b""


@dataclass
class World:
    """A ledger that has these events, in memory: it is its own chain and registry."""

    happened: list[Event] = field(default_factory=list)
    chain_id: int = 1
    last: int = 1000

    @property
    def chain(self) -> World:
        return self

    @property
    def registry(self) -> World:
        return self

    def block(self, number: int) -> Block | None:
        return Block(number, START + number) if number <= self.last else None

    def head(self) -> Block:
        return Block(self.last, START + self.last)

    def finality(self, number: int, block_hash: bytes) -> Finality:
        return Finality.FINALIZED if number < 15 else Finality.CONFIRMED

    def events(self, identity: str) -> tuple[Event, ...]:
        return tuple(self.happened)

    def owner(self, block: int, owner: str) -> None:
        self.happened.append(Event("DIDOwnerChanged", block, {"owner": owner}))

    def delegate(self, block: int, kind: bytes, delegate: str, until: int) -> None:
        fields = {"delegateType": kind.ljust(32, b"\0"), "delegate": delegate, "validTo": until}
        self.happened.append(Event("DIDDelegateChanged", block, fields))

    def attribute(self, block: int, name: str | bytes, value: bytes, until: int = LONG) -> None:
        raw = name.encode() if isinstance(name, str) else name
        fields = {"name": raw.ljust(32, b"\0"), "value": value, "validTo": until}
        self.happened.append(Event("DIDAttributeChanged", block, fields))

    def resolved(self, did: str = DID, version: Version = CURRENT, now: datetime = NOW) -> Resolved:
        return ethr.resolve(did, sources=self.sources, version=version, now=now)

    def specified(self, did: str = DID) -> Any:
        return ethr.written(did, sources=self.sources, now=NOW, form=ethr.SPECIFIED).document.json

    @property
    def sources(self) -> Sources:
        return Sources(InMemoryFetch({}), Ledgers({"mainnet": self, "0x1": self, "0x2": self}))


@pytest.fixture
def world() -> World:
    return World()


def _entry(document: Any, fragment: str, member: str = "verificationMethod") -> Any:
    return next(entry for entry in document[member] if entry["id"].endswith(f"#{fragment}"))


@pytest.mark.parametrize(
    ("did", "network", "address"),
    [
        (DID, "mainnet", ADDRESS),
        (f"did:ethr:0x1:{ADDRESS}", "0x1", ADDRESS),
        (f"did:ethr:mainnet:{ADDRESS}", "mainnet", ADDRESS),
        (f"did:ethr:polygon:test:{ADDRESS}", "polygon:test", ADDRESS),
        (
            "did:ethr:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "mainnet",
            "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        ),
        (f"did:ethr:0x{ADDRESS[2:].upper()}", "mainnet", ADDRESS),
        (KEYED, "mainnet", KEY_ADDRESS),
        (f"did:ethr:sepolia:0x{POINT.upper()}", "sepolia", KEY_ADDRESS),
    ],
)
def test_identifiers(did: str, network: str, address: str) -> None:
    found = read(did)
    assert (found.network, found.address) == (network, address)
    assert (found.key is None) == (len(did.rpartition(":")[2]) == 42)


@pytest.mark.parametrize(
    "did",
    [
        "did:ethr:",
        "did:ethr:0x",
        "did:ethr:0x0",
        "did:ethr:" + ADDRESS[2:],
        f"did:ethr::{ADDRESS}",
        f"did:ethr:mainnet{ADDRESS}",
        f"did:ethr:mainnetX{ADDRESS}",
        f"did:ethr:a:b:c:d:e:{ADDRESS}",
        f"did:ethr:{ADDRESS}00",
        f"did:ethr:{ADDRESS}\n",
        "did:ethr:0X" + ADDRESS[2:],
        f"did:ethr:{MIXED.replace('A', 'a', 1)}",  # one letter of the checksum is wrong
        "did:ethr:0x05" + POINT[2:],
        "did:ethr:0x02" + "f" * 64,
        "did:web:example.com",
    ],
)
def test_what_is_no_identifier(did: str) -> None:
    with pytest.raises(Malformed):
        read(did)


@given(st.text(max_size=100))
def test_reading_raises_nothing_else(text: str) -> None:
    for candidate in (text, f"did:ethr:{text}", f"did:ethr:{text}:{ADDRESS}"):
        with suppress(SsiError):
            assert read(candidate).did == candidate


def test_making_an_identifier() -> None:
    assert of(ADDRESS) == DID
    assert of(ADDRESS, network="0xface7") == f"did:ethr:0xface7:{ADDRESS}"


def test_an_address_is_an_identity(world: World) -> None:
    """Method specification, "Create (Register)", with the published resolver's contexts."""
    found = world.resolved()
    assert found.metadata == {}
    assert found.document.json == {
        "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/suites/secp256k1recovery-2020/v2",
            "https://w3id.org/security/v3-unstable",
        ],
        "id": DID,
        "verificationMethod": [
            {
                "id": f"{DID}#controller",
                "type": "EcdsaSecp256k1RecoveryMethod2020",
                "controller": DID,
                "blockchainAccountId": "eip155:1:0xF3beAC30C498D9E26865F34fCAa57dBB935b0D74",
            }
        ],
        "authentication": [f"{DID}#controller"],
        "assertionMethod": [f"{DID}#controller"],
    }
    with pytest.raises(Unsupported, match=r"did\.key_type"):
        found.document.key(f"{DID}#controller", relationship="assertionMethod", now=NOW)


def test_a_key_is_an_identity_as_long_as_it_controls_itself(world: World) -> None:
    url = f"{KEYED}#controllerKey"
    key = world.resolved(KEYED).document.key(url, relationship="authentication", now=NOW)
    assert key == secp256k1.from_point(bytes.fromhex(POINT))
    world.owner(5, ADDRESS)
    assert url not in world.resolved(KEYED).document.methods
    world.owner(6, KEY_ADDRESS)
    assert url in world.resolved(KEYED).document.methods


def test_the_specification_s_example_of_a_key(world: World) -> None:
    assert world.specified(KEYED)["@context"] == [
        "https://www.w3.org/ns/did/v1",
        "https://w3id.org/security/suites/secp256k1recovery-2020/v2",
        "https://w3id.org/security/v2",
        {"publicKeyJwk": {"@id": "https://w3id.org/security#publicKeyJwk", "@type": "@json"}},
    ]
    assert _entry(world.specified(KEYED), "controllerKey")["publicKeyJwk"] == {
        "crv": "secp256k1",
        "kty": "EC",
        "x": "eb5mfvncu6xVoGKVzocLBwKb_NstzijZWfKBWxb4F5g",
        "y": "SDradyajxGVdpPv8DhEIqP0XtEimhVQZnEfQj_sQ1Lg",
    }


@pytest.mark.parametrize("did", [DID, f"did:ethr:0x1:{ADDRESS}", KEYED])
def test_didkit_knows_what_stands_before_the_first_change(did: str, world: World) -> None:
    """DIDKit asks no ledger: it has the same account and key (beside a type of its own), and never learns of an end."""
    didkit = pytest.importorskip("didkit", reason="DIDKit is not installed")
    theirs = json.loads(asyncio.run(_resolved_by(didkit, did)))
    methods = {m["id"]: m for m in theirs["verificationMethod"] if m["type"] != "Eip712Method2021"}
    ours = {method["id"]: method for method in world.specified(did)["verificationMethod"]}
    assert set(ours) == set(methods)
    for url, method in ours.items():
        account = "blockchainAccountId"
        assert method.get(account, "").lower() == methods[url].get(account, "").lower()
        assert method.get("publicKeyJwk") == methods[url].get("publicKeyJwk")
    world.owner(1, "0x" + "00" * 20)
    assert world.resolved(did).deactivated
    assert json.loads(asyncio.run(_resolved_by(didkit, did))) == theirs


async def _resolved_by(didkit: Any, did: str) -> str:
    found: str = await didkit.resolve_did(did, "{}")
    return found


_SECP = "02b97c30de767f084ce3080168ee293053ba33b235d7116a3263d29f1450936b71"
_JWK = {
    "kty": "EC",
    "crv": "secp256k1",
    "x": "uXww3nZ_CEzjCAFo7ikwU7ozsjXXEWoyY9KfFFCTa3E",
    "y": "Eo3YCZAgmRvnzQFA2p1y7gwQrnu4abZgVJKO41t2OeQ",
}
"""The specification prints other coordinates for this example, which are not even a point on the curve."""

_BLS = (
    "eb01b3bac1c8cfd6dde4ebf2f900070e151c232a31383f464d545b626970777e858c939aa1a8afb6bdc4cbd2d9e0e7eef5fc030a11181f"
    "262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dce3eaf1f8ff060d141b222930373e454c"
)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("did/pub/Secp256k1/veriKey", _SECP, {"type": "EcdsaSecp256k1VerificationKey2019", "publicKeyJwk": _JWK}),
        ("did/pub/CustomKeyType/veriKey/hex", _SECP, {"type": "CustomKeyType", "publicKeyHex": _SECP}),
        (
            "did/pub/Ed25519/veriKey",
            "c642b35757cc36906fa75fa0338bf33e5210c5bce4769324801fd64276d69d07",
            {
                "type": "Ed25519VerificationKey2020",
                "publicKeyMultibase": "z6MksoBm2hUcoKLLHsUQ77iA5YXxwNskXJ9fs7V7z8edniop",
            },
        ),
        (
            "did/pub/X25519/enc",
            "118557777ffb078774371a52b00fed75561dcf975e61c47553e664a617661052",
            {
                "type": "X25519KeyAgreementKey2020",
                "publicKeyMultibase": "z6LScra2Lg8mSU6TkMX1AKJSn6ApwneQkfXgJZpj48hCp3N1",
            },
        ),
        (
            "did/pub/Multikey/veriKey",
            _BLS,
            {
                "type": "Multikey",
                "publicKeyMultibase": "zUC7JkTsCUqQiiKUJeoAXPxS8sidWURud3191d4g4WZPgvGHKQTuXrS7GiJLuyii948C8KLhb5AxQYpC"
                "KQNJikPpwjHRZvJpv8YbwaisLPNhhSSUzfCjNnGuyqSkm53jHXa7Gwu",
            },
        ),
        (
            "did/pub/Multikey/veriKey",
            f"e701{_SECP}",
            {"type": "Multikey", "publicKeyMultibase": "zQ3shZtr1sUnrETvXPDa4gYSNE3gpJhdTkVmpYoWBuAiBsJ4G"},
        ),
    ],
)
def test_the_specification_s_examples_of_keys(world: World, name: str, value: str, expected: Any) -> None:
    """Method specification, "Known Key Types"."""
    world.attribute(1, name, bytes.fromhex(value))
    assert _entry(world.specified(), "delegate-1") == {"id": f"{DID}#delegate-1", "controller": DID, **expected}


def test_the_specification_s_example_of_ids(world: World) -> None:
    """Method specification, "`id` properties of entries": revocations count, and what stands keeps its id."""
    first, second, third = bytes(32), bytes([1]) * 32, "0x" + "12" * 20
    world.attribute(1, "did/pub/Ed25519/veriKey", first)
    world.attribute(2, "did/pub/Ed25519/veriKey", second)
    world.delegate(3, b"veriKey", third, START + 20)
    world.attribute(4, "did/svc/HubService", b"https://hubs.uport.me")
    assert [_fragment(m) for m in _methods(world, 4)] == ["controller", "delegate-1", "delegate-2", "delegate-3"]
    world.attribute(5, "did/pub/Ed25519/veriKey", first, 0)
    world.delegate(6, b"veriKey", "0x" + "34" * 20, LONG)
    assert [_fragment(m) for m in _methods(world, 6)] == ["controller", "delegate-2", "delegate-3", "delegate-5"]
    assert [_fragment(m) for m in _methods(world, 21)] == ["controller", "delegate-2", "delegate-5"]
    assert world.resolved().document.json["service"] == [
        {"id": f"{DID}#service-1", "type": "HubService", "serviceEndpoint": "https://hubs.uport.me"}
    ]


def _methods(world: World, block: int) -> Any:
    return world.resolved(version=Version(id=str(block))).document.json["verificationMethod"]


def _fragment(method: Any) -> str:
    return str(method["id"]).partition("#")[2]


@pytest.mark.parametrize(
    ("algorithm", "make"),
    [("Ed25519", lambda: SoftwareSigner.generate("EdDSA")), ("Secp256k1", secp256k1.generate)],
)
def test_keys_verify_whatever_their_encoding(algorithm: str, make: Callable[[], Any], world: World) -> None:
    signer = make()
    key = signer.public
    raw = (bytes([2 + (key.y[-1] & 1)]) if key.y else b"") + key.x
    for block, encoding in enumerate(("", "/hex", "/base64", "/base58"), start=1):
        world.attribute(block, f"did/pub/{algorithm}/veriKey{encoding}", raw)
        url = f"{DID}#delegate-{block}"
        assert world.resolved().document.key(url, relationship="assertionMethod", now=NOW) == key
        with pytest.raises(Refused):
            world.resolved().document.key(url, relationship="authentication", now=NOW)


def test_a_key_holds_to_the_last_second(world: World) -> None:
    until = START + 50
    world.attribute(1, "did/pub/Ed25519/veriKey", SoftwareSigner.generate("EdDSA").public.x, until)
    last, after = datetime.fromtimestamp(until, UTC), datetime.fromtimestamp(until + 1, UTC)
    document = world.resolved(now=last).document
    url = f"{DID}#delegate-1"
    assert document.methods[url].until == after
    document.key(url, relationship="assertionMethod", now=last)
    with pytest.raises(Refused, match="revoked"):
        document.key(url, relationship="assertionMethod", now=after)
    assert url not in world.resolved(now=after).document.methods


def test_versions_by_block_and_by_time(world: World) -> None:
    world.owner(10, "0x" + "aa" * 20)
    world.owner(20, "0x" + "bb" * 20)
    by_block = world.resolved(version=Version(id="15"))
    assert by_block.metadata == {
        "versionId": "10",
        "updated": "2023-11-14T22:13:30Z",
        "nextVersionId": "20",
        "nextUpdate": "2023-11-14T22:13:40Z",
    }
    by_time = world.resolved(version=Version(time=datetime.fromtimestamp(START + 15, UTC)))
    assert by_time == by_block
    assert world.resolved(version=Version(id="0")).metadata == {
        "nextVersionId": "10",
        "nextUpdate": "2023-11-14T22:13:30Z",
    }
    assert world.resolved().metadata == {"versionId": "20", "updated": "2023-11-14T22:13:40Z"}


@pytest.mark.parametrize("wrong", ["", "latest", "12abc", "-1", "0x10", "1" * 17, "1.0", "\u0661"])
def test_versions_that_are_no_blocks(world: World, wrong: str) -> None:
    with pytest.raises(Malformed, match=r"did\.version"):
        world.resolved(version=Version(id=wrong))


def test_versions_that_are_not_there(world: World) -> None:
    for version in (Version(id="1001"), Version(time=NOW + timedelta(seconds=1))):
        with pytest.raises(Refused, match=r"did\.no_such_version"):
            world.resolved(version=version)
    with pytest.raises(Malformed):
        world.resolved(version=Version(id="1", time=NOW))
    with pytest.raises(Unsupported):
        world.resolved(version=Version(number=1))


def test_the_end(world: World) -> None:
    """Method specification, "Delete (Revoke)"; what the first key writes afterwards (deployed registry) counts not."""
    world.attribute(1, "did/pub/Ed25519/veriKey", bytes(32))
    world.owner(2, "0x" + "00" * 20)
    world.attribute(3, "did/pub/Ed25519/veriKey", bytes(32))
    world.owner(4, ADDRESS)
    found = world.resolved()
    assert found.metadata == {"deactivated": True, "versionId": "2", "updated": "2023-11-14T22:13:22Z"}
    assert found.document.methods == {}
    assert {
        "verificationMethod": [],
        "authentication": [],
        "assertionMethod": [],
    }.items() <= found.document.json.items()
    before = world.resolved(version=Version(id="1"))
    assert "deactivated" not in before.metadata
    assert before.metadata["nextVersionId"] == "2"


def test_history(world: World) -> None:
    """One entry before the first change, then one after each block that has one; nothing after the end."""
    world.attribute(5, "did/pub/Ed25519/veriKey", bytes(32), START + 6)
    world.attribute(5, "did/svc/A", b"https://a.example")
    world.owner(9, "0x" + "aa" * 20)
    world.owner(12, "0x" + "00" * 20)
    world.owner(15, ADDRESS)
    entries = ethr.history(DID, sources=world.sources, now=NOW)
    assert [entry.metadata.get("versionId") for entry in entries] == [None, "5", "9", "12"]
    assert [entry.metadata.get("nextVersionId") for entry in entries] == ["5", "9", "12", None]
    assert [len(entry.document.methods) for entry in entries] == [1, 2, 1, 0]
    assert entries[1].document.methods[f"{DID}#delegate-1"].until == datetime.fromtimestamp(START + 7, UTC)
    assert entries[-1].deactivated
    for entry in entries[1:]:
        assert entry == world.resolved(version=Version(id=entry.metadata["versionId"]))


def test_what_was_asked_is_said(world: World) -> None:
    """At which block, since when, and how sure: the last change's, or the newest block's where nothing ever changed."""
    assert world.resolved().evidence == {
        "chain_id": 1,
        "block": 1000,
        "block_at": "2023-11-14T22:30:00Z",
        "finality": "confirmed",
    }
    for block in (10, 14, 20):
        world.owner(block, ADDRESS)
    assert world.resolved().evidence["block"] == 20
    past = ethr.history(DID, sources=world.sources, now=NOW)
    said = [entry.evidence.get("finality") for entry in past]
    assert said == [None, "finalized", "finalized", "confirmed"], "no block says what an account is from the start"


def test_a_history_that_would_fill_the_memory_is_refused_and_the_document_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each version holds all that stands: a thousand keys, one after the other, would be half a million entries."""
    for block in range(1, 1_001):
        world.attribute(block, "did/pub/Ed25519/veriKey", block.to_bytes(32, "big"), 2**60)
    world.last = 2_000
    written: list[object] = []
    own = ethr.document.write
    monkeypatch.setattr(ethr.document, "write", lambda *given, **named: written.append(given) or own(*given, **named))
    with pytest.raises(Refused, match=r"did\.too_large"):
        ethr.history(DID, sources=world.sources, now=NOW)
    assert len(written) * 1_000 * 256 < 2 * ethr.MAX_HISTORY
    assert len(world.resolved().document.methods) == 1_001


def test_a_key_that_was_taken_away_costs_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name stays in keyAgreement; base58 of what it was takes a square of its length."""
    huge = b"\xff" * 120_000
    world.attribute(1, "did/pub/X25519/enc/base58", huge)
    world.attribute(2, "did/pub/X25519/enc/pem", huge)  # which is no text, and was never shown
    with pytest.raises(Refused, match=r"did\.too_large"):
        world.resolved()
    world.attribute(3, "did/pub/X25519/enc/base58", huge, 0)
    world.attribute(4, "did/pub/X25519/enc/pem", huge, 0)
    monkeypatch.setattr(ethr.forms, "base58", None)
    found = world.resolved()
    assert found.document.json["keyAgreement"] == [f"{DID}#delegate-1"]
    assert [method["id"] for method in found.document.json["verificationMethod"]] == [f"{DID}#controller"]


def test_nobody_has_the_zero_address(world: World) -> None:
    found = world.resolved("did:ethr:0x" + "00" * 20)
    assert (found.metadata, found.document.methods) == ({"deactivated": True}, {})


def test_history_of_nothing(world: World) -> None:
    assert [entry.metadata for entry in ethr.history(DID, sources=world.sources, now=NOW)] == [{}]


def test_a_network_that_is_known_by_another_chain(world: World) -> None:
    world.resolved(f"did:ethr:0x1:{ADDRESS}")
    with pytest.raises(Refused, match=r"ledger\.wrong_chain"):
        world.resolved(f"did:ethr:0x2:{ADDRESS}")
    with pytest.raises(Unsupported, match=r"ledger\.network"):
        world.resolved(f"did:ethr:sepolia:{ADDRESS}")


@pytest.mark.parametrize(
    ("value", "endpoint"),
    [
        (b"https://a.example", "https://a.example"),
        (b'{"uri":"x","accept":["y"]}', {"uri": "x", "accept": ["y"]}),
        (b"NaN", "NaN"),
        (b'"\\ud800"', '"\\ud800"'),
        (b"[" * 33 + b"]" * 33, "[" * 33 + "]" * 33),
        (b"[" * 4000, "[" * 4000),
        (b"", ""),
    ],
)
def test_endpoints(world: World, value: bytes, endpoint: Any) -> None:
    world.attribute(1, "did/svc/A", value)
    world.attribute(2, "did/svc/A", b"\xff\xfe")
    world.attribute(3, "did/svc/B", b"https://b.example")
    services = world.resolved().document.json["service"]
    assert [(one["id"].partition("#")[2], one["serviceEndpoint"]) for one in services] == [
        ("service-1", endpoint),
        ("service-3", "https://b.example"),
    ]


def test_names_that_a_document_does_not_show(world: World) -> None:
    for block, name in enumerate(
        ("did/pub/not-a-word/veriKey", b"did/pub/A\xff", "raiden", "did/pub/a/b/c/d"), start=1
    ):
        world.attribute(block, name, b"x")
    world.delegate(9, b"raiden", ADDRESS, LONG)
    world.delegate(10, b"\xff", ADDRESS, LONG)
    world.attribute(11, "did/pub/Ed25519/veriKey", bytes(32))
    found = world.resolved()
    assert found.metadata["versionId"] == "11"
    assert list(found.document.methods) == [f"{DID}#controller", f"{DID}#delegate-2"]
    assert [method["id"] for method in world.specified()["verificationMethod"]][1:] == [f"{DID}#delegate-4"]


def test_an_event_that_nobody_can_read_is_no_version(world: World) -> None:
    world.owner(1, ADDRESS)
    world.attribute(2, b"\xff\xfe", b"x")
    assert world.resolved().metadata["versionId"] == "1"


def test_documents_are_bounded(world: World) -> None:
    world.attribute(1, "did/svc/A", b"x" * (document.MAX_VALUE + 1))
    with pytest.raises(Refused, match=r"did\.too_large"):
        world.resolved()
    world.happened = []
    for number in range(fold.MAX_ENTRIES + 1):
        world.attribute(1, "did/svc/A", b"%d" % number)
    with pytest.raises(Refused, match=r"did\.too_large"):
        world.resolved()
    world.happened = [Event("DIDOwnerChanged", 1, {"owner": ADDRESS})] * 20_000
    with pytest.raises(Refused, match=r"did\.too_large"):
        world.resolved()
    world.happened = []
    for number in range(100):
        world.attribute(1, "did/pub/A/veriKey/base58", b"\xff" * document.MAX_VALUE + b"%d" % number)
    with pytest.raises(Refused, match=r"did\.too_large"):
        world.resolved()


def test_a_key_that_is_none_is_listed_and_cannot_verify(world: World) -> None:
    world.attribute(1, "did/pub/Secp256k1/veriKey/hex", b"\x02" + b"\xff" * 32)
    world.attribute(2, "did/pub/Ed25519/veriKey/base64", b"short")
    world.attribute(3, "did/pub/Multikey/veriKey", b"\xff" * 4000)
    found = world.resolved().document
    assert len(found.methods) == 4
    for method in found.methods:
        with pytest.raises(Unsupported, match=r"did\.key_type"):
            found.key(method, relationship="assertionMethod", now=NOW)


_EVENTS = st.one_of(
    st.tuples(st.just("owner"), st.sampled_from(["0x" + "00" * 20, ADDRESS, "0x" + "aa" * 20])),
    st.tuples(
        st.just("delegate"),
        st.one_of(st.sampled_from([b"veriKey", b"sigAuth"]), st.binary(max_size=32)),
        st.just(ADDRESS),
        st.integers(0, 2**256 - 1),
    ),
    st.tuples(
        st.just("attribute"),
        st.one_of(
            st.sampled_from([b"did/pub/Ed25519/veriKey", b"did/svc/A", b"did/pub/RSA/enc/pem"]),
            st.binary(max_size=32),
            st.from_regex(rb"\Adid/(pub|svc)/\w{1,6}(/\w{1,6})?(/\w{1,6})?\Z"),
        ),
        st.binary(max_size=80),
        st.integers(0, 2**256 - 1),
    ),
)


@given(st.lists(_EVENTS, max_size=12))
def test_whatever_was_written_there_is_a_document(events: list[Any]) -> None:
    world = World()
    for block, (kind, *values) in enumerate(events, start=1):
        getattr(world, kind)(block, *values)
    for entry in (*ethr.history(DID, sources=world.sources, now=NOW), world.resolved()):
        json.dumps(entry.document.json)
        assert len(entry.document.methods) == len(entry.document.json["verificationMethod"])
        assert {method.id for method in entry.document.methods.values()} == set(entry.document.methods)
    world.specified()
