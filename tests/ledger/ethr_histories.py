"""Random histories of did:ethr identities, written to a registry on a node: what two resolvers are compared on.

One seed makes one set of histories. Names, values and delegates come from small pools, so that entries are replaced,
revoked and added again; names and values that nobody should write are among them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from eth_abi import encode
from eth_hash.auto import keccak

from ssi.legacy import secp256k1
from tests.peers import FOLDER

DAY = 86_400
ZERO = "0x" + 40 * "0"
NAMES = (
    "did/pub/Secp256k1/veriKey/hex",
    "did/pub/Secp256k1/sigAuth",
    "did/pub/Secp256k1/sigAuth/base58",
    "did/pub/Ed25519/veriKey/base64",
    "did/pub/Ed25519/sigAuth/base58",
    "did/pub/X25519/enc/base64",
    "did/pub/X25519/enc",
    "did/pub/RSA/veriKey/pem",
    "did/pub/RSA/enc/pem",
    "did/pub/Multikey/veriKey",
    "did/pub/Own/veriKey/multihash",
    "did/pub/Own/own/hex",
    "did/pub/Own",
    "did/pub/Not-A-Word/veriKey/hex",
    "did/pub/a/b/c/d",
    "did/pub/",
    "did/pub/Ed25519/VerificationKey2018",
    "did/svc/HubService",
    "did/svc/DIDCommMessaging",
    "did/svc/Linked-Domains",
    "did/svc/A/b/c",
    "did/svc/",
    "did/other/thing",
    "did",
    "",
    "Did/Pub/Ed25519/veriKey",
    "did/pub/Ünï/veriKey",
    "did/pub/Own/veriKey\0/hex",
    "did/svc/HubService\n",
)
UNREADABLE = (b"did/pub/Ed25519/veriKey/\xff", b"\xc3\x28", b"did/svc/\xed\xa0\x80")
"""Names that are not UTF-8: the last would be half of a surrogate pair."""

KINDS = (b"veriKey", b"sigAuth", b"enc", b"raiden", b"", b"veriKey\0x", b"\xff\xfe")
_SECONDS = (1, 60, 3600, DAY, 5 * DAY, 365 * DAY, 2**40, 2**200)
_SERVICES = (
    b"https://hubs.example",
    b'{"uri":"https://didcomm.example","accept":["didcomm/v2"],"routingKeys":[]}',
    b'["https://a.example","https://b.example"]',
    b'{"a":1,"a":{"b":[null,true,1.5e3]}}',
    b"12",
    b'"text"',
    b"null",
    b'{"half":',
    b" { } ",
    "https://bücher.example/\U0001f600".encode(),
    b"\xff\xfe not text",
    b"",
    b"\x00",
    b"\xef\xbb\xbf{}",
)


@dataclass
class Person:
    """An identity, the account that may write for it at the moment, and how its DID is written."""

    address: str
    account: str
    owner: str
    over: bool = False


@dataclass
class World:
    """What a seed has made: DIDs, and the blocks in which something happened."""

    network: str
    people: list[Person]
    blocks: list[int] = field(default_factory=list)
    events: int = 0

    def did(self, person: Person) -> str:
        """The person's DID."""
        return f"did:ethr:{self.network}:{person.account}"


Send = Callable[[Sequence[tuple[str, bytes]]], int]
"""Writes (sender, call data) to the registry in one block, or in several, and returns the last one's number."""


def make(
    random: Random,
    *,
    count: int,
    rounds: int,
    network: str,
    send: Send,
    new_owner: Callable[[], str],
    keyed: Callable[[Random], Person] | None = None,
) -> World:
    """Let `count` identities live through `rounds` blocks, each of which changes about half of them.

    Every fourth of them names its key in its DID, which `keyed` makes (`with_key` where it is not given).
    """
    made = keyed or with_key
    people = [made(random) if place % 4 == 0 else _person(random, new_owner) for place in range(count)]
    world = World(network, people)
    for _ in range(rounds):
        calls: list[tuple[str, bytes]] = []
        for person in people:
            if random.random() < 0.5:
                calls += [_change(random, person, new_owner) for _ in range(random.choice((1, 1, 1, 2, 3)))]
        if calls:
            world.blocks.append(send(calls))
            world.events += len(calls)
    return world


def _person(random: Random, new_owner: Callable[[], str]) -> Person:
    address = new_owner()
    shape = random.choice(("lower", "checksum", "upper"))
    account = {"lower": address.lower(), "checksum": checksum(address), "upper": "0x" + address[2:].upper()}[shape]
    return Person(address.lower(), account, address.lower())


def with_key(random: Random) -> Person:
    """An identity whose DID names its key: nobody signs for it here, so a node must let it write."""
    return of_key(random, random.getrandbits(250) + 1)


def of_key(random: Random, secret: int) -> Person:
    """The identity of a secret key."""
    key = secp256k1.public(ec.derive_private_key(secret, ec.SECP256K1()).public_key())
    account = f"0x0{2 + (key.y[-1] & 1)}{key.x.hex()}"
    address = "0x" + keccak(key.x + key.y)[12:].hex()
    account = "0x" + account[2:].upper() if random.random() < 0.3 else account
    return Person(address, account, address)


def _change(random: Random, person: Person, new_owner: Callable[[], str]) -> tuple[str, bytes]:
    sender, dice = person.owner, random.random()
    if dice < 0.07:
        ends = random.random() < 0.25
        owner = ZERO if ends else random.choice((new_owner(), person.address))
        person.owner = person.address if ends else owner  # the deployed registry lets the first key write on
        person.over = person.over or ends
        return sender, call("changeOwner(address,address)", person.address, owner)
    if dice < 0.35:
        kind, delegate = random.choice(KINDS).ljust(32, b"\0"), f"0x{random.randrange(1, 5):040x}"
        if random.random() < 0.35:
            return sender, call("revokeDelegate(address,bytes32,address)", person.address, kind, delegate)
        seconds = random.choice(_SECONDS)
        return sender, call("addDelegate(address,bytes32,address,uint256)", person.address, kind, delegate, seconds)
    name = _name(random)
    value = _value(random, name)
    if random.random() < 0.3:
        return sender, call("revokeAttribute(address,bytes32,bytes)", person.address, name, value)
    seconds = random.choice(_SECONDS)
    return sender, call("setAttribute(address,bytes32,bytes,uint256)", person.address, name, value, seconds)


def _name(random: Random) -> bytes:
    if random.random() < 0.05:
        return random.choice(UNREADABLE).ljust(32, b"\0")
    return random.choice(NAMES).encode()[:32].ljust(32, b"\0")


def _value(random: Random, name: bytes) -> bytes:
    """Of few values for each name, so that the same one comes again."""
    few = Random(f"{name!r}{random.randrange(3)}")
    if b"svc" in name:
        return few.choice(_SERVICES)
    if b"pem" in name:
        return few.choice((b"-----BEGIN PUBLIC KEY-----\nMA==\n", b"\xff", b""))
    return few.choice((_POINT, few.randbytes(32), few.randbytes(33), few.randbytes(5), b"", b"\0\0\1"))


_POINT = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")


def call(signature: str, *values: Any) -> bytes:
    """Call data of a function."""
    kinds = signature[signature.index("(") + 1 : -1].split(",")
    return keccak(signature.encode())[:4] + encode(kinds, values)


def checksum(address: str) -> str:
    """An address in the mixed case of ERC-55."""
    digits = address[2:].lower()
    marks = keccak(digits.encode()).hex()
    return "0x" + "".join(d.upper() if int(m, 16) > 7 else d for d, m in zip(digits, marks, strict=False))


def npm_registry() -> bytes:
    """The creation code of npm `ethr-did-registry`."""
    folder = FOLDER / "node_modules" / "ethr-did-registry" / "artifacts" / "contracts"
    artifact = json.loads((folder / "EthereumDIDRegistry.sol" / "EthereumDIDRegistry.json").read_text())
    return bytes.fromhex(artifact["bytecode"].removeprefix("0x"))


def addresses(random: Random) -> Iterator[str]:
    """Accounts that nobody has the key of."""
    while True:
        yield "0x" + random.randbytes(20).hex()


class Freely:
    """A registry on the real node, which lets anybody write as anybody, many calls to a block, at times of our own."""

    OPTIONS = ("--block-base-fee-per-gas", "0", "--gas-price", "0", "--gas-limit", "3000000000", "--timestamp")

    def __init__(self, rpc: Any, code: bytes, *, random: Random) -> None:
        self._rpc, self._random, self._number = rpc, random, 0
        self._nonces: dict[str, int] = {}
        rpc.call("anvil_autoImpersonateAccount", [True])
        rpc.call("evm_setAutomine", [False])
        wish = {"from": ZERO[:-1] + "9", "data": "0x" + code.hex(), "gas": hex(10**7), "gasPrice": "0x0"}
        sent = rpc.call("eth_sendTransaction", [wish])
        rpc.call("evm_mine", [])
        self.address = str(rpc.call("eth_getTransactionReceipt", [sent])["contractAddress"])

    def send(self, calls: Sequence[tuple[str, bytes]], *, seconds: int | None = None) -> int:
        """All calls in one block, some time after the last, or exactly so many seconds."""
        wishes = [self._wish(sender, data) for sender, data in calls]
        if wishes:
            self._many([("eth_sendTransaction", [wish]) for wish in wishes])
        last = int(self._rpc.call("eth_getBlockByNumber", ["latest", False])["timestamp"], 16)
        later = last + (seconds or self._random.choice((1, 7, 3600, DAY)))
        self._rpc.call("evm_setNextBlockTimestamp", [later])
        self._rpc.call("evm_mine", [])
        return int(self._rpc.call("eth_blockNumber", []), 16)

    def _wish(self, sender: str, data: bytes) -> dict[str, str]:
        """A transaction by a sender of whom only we write: the node does not count those of one batch by itself."""
        nonce = self._nonces.get(sender, 0)
        self._nonces[sender] = nonce + 1
        fixed = {"to": self.address, "gas": hex(2 * 10**6), "gasPrice": "0x0", "nonce": hex(nonce)}
        return {"from": sender, "data": "0x" + data.hex(), **fixed}

    def _many(self, asked: Sequence[tuple[str, list[Any]]]) -> None:
        body = []
        for method, params in asked:
            self._number += 1
            body.append({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        for answer in self._rpc.post(body):
            if "error" in answer:
                raise RuntimeError(answer["error"]["message"])
