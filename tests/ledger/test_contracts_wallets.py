"""Signed calls are EIP-712: other people's wallets can make them, and show what they sign (ethers, where Node is)."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from ssi.ledger import registry
from ssi.ledger.account import SoftwareAccount
from tests.ledger.deployed import REGISTRY, Deployed
from tests.ledger.nodes import ETHER
from tests.peers import Peer, missing

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")
NAMES = ("changeOwner", "addDelegate", "revokeDelegate", "setAttribute", "revokeAttribute")


@pytest.fixture(scope="module")
def wallet() -> Iterator[Peer]:
    peer = Peer("typed.mjs")
    yield peer
    peer.close()


def value_of(kind: str, dice: random.Random) -> Any:
    if kind == "address":
        return f"0x{dice.randrange(1, 2**160):040x}"
    if kind == "uint256":
        return dice.choice((0, 60, 2**64, 2**200))
    return dice.randbytes(32 if kind == "bytes32" else dice.choice((0, 1, 32, 33, 100)))


def asks(wallet: Peer, call: registry.SignedCall, secret: bytes) -> dict[str, Any]:
    """What ethers makes of the same message."""
    part = REGISTRY.functions[call.function]
    fields = [{"name": name, "type": kind} for name, kind in zip(part.names, part.types, strict=True)]
    values = [call.identity, *call.arguments]
    message = {
        name: "0x" + one.hex() if isinstance(one, bytes) else str(one)
        for name, one in zip(part.names, values, strict=True)
    }
    return wallet.ask(
        "sign",
        secret="0x" + secret.hex(),
        chainId=str(call.chain_id),
        registry=call.registry,
        kind=call.function[0].upper() + call.function[1:],
        fields=[*fields, {"name": "nonce", "type": "uint256"}],
        message=message | {"nonce": str(call.nonce)},
    )


@pytest.mark.parametrize("function", NAMES)
def test_ethers_computes_the_same_digest(wallet: Peer, function: str) -> None:
    dice = random.Random(function)
    for _ in range(5):
        part = REGISTRY.functions[function]
        arguments = tuple(value_of(kind, dice) for kind in part.types[1:])
        place, identity = value_of("address", dice), value_of("address", dice)
        call = registry.SignedCall(
            function, identity, arguments, dice.randrange(1, 2**53), place, dice.randrange(2**40)
        )
        answer = asks(wallet, call, b"\x01" * 32)
        assert answer["digest"] == "0x" + call.digest().hex()


@pytest.mark.parametrize("function", NAMES)
def test_the_registry_takes_what_ethers_signed(wallet: Peer, deployed: Deployed, function: str) -> None:
    secret, sender, dice = secrets.token_bytes(32), deployed.actor(), random.Random(function)
    signer = SoftwareAccount.from_secret(secret)
    deployed.node.give(signer.address, ETHER)
    arguments = tuple(
        60 if kind == "uint256" else value_of(kind, dice) for kind in REGISTRY.functions[function].types[1:]
    )
    call = registry.SignedCall(
        function, signer.address.lower(), arguments, deployed.node.chain_id, deployed.registry, 0
    )
    signature = bytes.fromhex(asks(wallet, call, secret)["signature"][2:])
    r, s, v = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]
    done = sender.does(deployed.registry, call.data(r, s, v - 27))
    assert len(done.events(REGISTRY)) == 1
    assert sender.is_refused(deployed.registry, call.data(r, s, v - 27)) == "bad_signature"
