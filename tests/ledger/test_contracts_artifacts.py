"""The artifacts: made from these sources, byte for byte, and with nothing in them that anybody could govern."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

import schemas
from scripts import contracts
from ssi.errors import Malformed
from ssi.ledger import abi, anchor, registry
from ssi.ledger.hexes import keccak

ERC_1056 = {
    "identityOwner(address)",
    "changeOwner(address,address)",
    "changeOwnerSigned(address,uint8,bytes32,bytes32,address)",
    "validDelegate(address,bytes32,address)",
    "addDelegate(address,bytes32,address,uint256)",
    "addDelegateSigned(address,uint8,bytes32,bytes32,bytes32,address,uint256)",
    "revokeDelegate(address,bytes32,address)",
    "revokeDelegateSigned(address,uint8,bytes32,bytes32,bytes32,address)",
    "setAttribute(address,bytes32,bytes,uint256)",
    "setAttributeSigned(address,uint8,bytes32,bytes32,bytes32,bytes,uint256)",
    "revokeAttribute(address,bytes32,bytes)",
    "revokeAttributeSigned(address,uint8,bytes32,bytes32,bytes32,bytes)",
    "owners(address)",
    "delegates(address,bytes32,address)",
    "changed(address)",
    "nonce(address)",
}
"""The functions of ERC-1056 and the public state of the contract that deployments run."""

ERC_1056_EVENTS = {
    "DIDOwnerChanged(address,address,uint256)": ("identity",),
    "DIDDelegateChanged(address,bytes32,address,uint256,uint256)": ("identity",),
    "DIDAttributeChanged(address,bytes32,bytes,uint256,uint256)": ("identity",),
}
WRITES = {"anchor", "anchorMany", "setHead", "accredit", "withdraw"}
FORBIDDEN = {
    0xF0: "CREATE",
    0xF1: "CALL",
    0xF2: "CALLCODE",
    0xF4: "DELEGATECALL",
    0xF5: "CREATE2",
    0xFF: "SELFDESTRUCT",
}
NOT_EVERYWHERE = {0x49: "BLOBHASH", 0x4A: "BLOBBASEFEE", 0x5C: "TLOAD", 0x5D: "TSTORE", 0x5E: "MCOPY", 0x5F: "PUSH0"}


def opcodes(code: bytes) -> Iterator[int]:
    """The instructions, without what PUSH carries."""
    at = 0
    while at < len(code):
        yield code[at]
        at += 1 + (code[at] - 0x5F if 0x60 <= code[at] <= 0x7F else 0)


def signature(part: abi.Part) -> str:
    return f"{part.name}({','.join(part.types)})"


@pytest.mark.skipif(not contracts.compiler().exists(), reason="there is no Node here, or the compiler is not installed")
@pytest.mark.parametrize("name", contracts.NAMES)
def test_the_artifact_is_what_the_source_compiles_to(name: str) -> None:
    assert contracts.artifact(name) == (contracts.SOURCES / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", contracts.NAMES)
def test_the_artifact_belongs_to_the_source(name: str) -> None:
    artifact = schemas.contract(name)
    assert artifact["contractName"] == name
    assert artifact["sourceHash"] == hashlib.sha256(schemas.read(f"contracts/{name}.sol")).hexdigest()
    assert artifact["codeHash"] == "0x" + keccak(bytes.fromhex(artifact["deployedBytecode"][2:])).hex()
    assert artifact["compiler"].startswith("0.8.37+")
    assert f"pragma solidity {artifact['compiler'].split('+')[0]};" in schemas.read(f"contracts/{name}.sol").decode()


@pytest.mark.parametrize("name", contracts.NAMES)
def test_the_code_holds_no_way_out(name: str) -> None:
    """Nothing that runs other code in its place, sends money, or ends the contract; nothing that older chains lack."""
    found = set(opcodes(abi.contract(name).runtime))
    assert not found & (FORBIDDEN.keys() | NOT_EVERYWHERE.keys())
    assert len(abi.contract(name).runtime) <= 24_576  # EIP-170


def test_the_registry_has_the_functions_and_events_of_erc_1056_and_no_others() -> None:
    assert {signature(part) for part in registry.CONTRACT.functions.values()} == ERC_1056
    events = {
        signature(part): tuple(name for name, indexed in zip(part.names, part.indexed, strict=True) if indexed)
        for part in registry.CONTRACT.events.values()
    }
    assert events == ERC_1056_EVENTS
    assert registry.CONTRACT.errors == {}


def test_the_anchor_has_five_writes_each_about_an_identity_and_no_other() -> None:
    entries = [entry for entry in schemas.contract("TrustAnchor")["abi"] if entry["type"] == "function"]
    writing = {entry["name"]: entry for entry in entries if entry["stateMutability"] not in ("view", "pure")}
    assert set(writing) == WRITES
    for entry in writing.values():
        assert entry["stateMutability"] == "nonpayable"
        assert entry["inputs"][0]["name"] in ("identity", "accreditor")
        assert entry["inputs"][0]["type"] == "address"


def test_nothing_personal_fits() -> None:
    """What can be written is addresses, hashes and numbers; only the registry's attributes carry bytes (ERC-1056)."""
    for entry in schemas.contract("TrustAnchor")["abi"]:
        for one in entry.get("inputs", ()):
            assert re.fullmatch(r"address|bytes32|bytes32\[\]|uint8|uint64", one["type"]), one


@pytest.mark.parametrize(
    ("name", "label", "slot", "members"),
    [
        (
            "IdentityRegistry",
            "_identities",
            0,
            [("owner", 0, 0), ("ended", 20, 0), ("changedIn", 21, 0), ("changes", 27, 0)],
        ),
        ("TrustAnchor", "anchored", 0, [("blockNumber", 0, 0), ("time", 8, 0)]),
        ("TrustAnchor", "heads", 1, [("digest", 0, 0), ("number", 0, 1), ("blockNumber", 8, 1), ("time", 16, 1)]),
        (
            "TrustAnchor",
            "accreditations",
            2,
            [("rights", 0, 0), ("withdrawn", 1, 0), ("until", 2, 0), ("grantedAt", 10, 0), ("blockNumber", 18, 0)],
        ),
    ],
)
def test_storage_lies_where_proofs_look_for_it(
    name: str, label: str, slot: int, members: list[tuple[str, int, int]]
) -> None:
    layout: dict[str, Any] = schemas.contract(name)["storageLayout"]
    (variable,) = [one for one in layout["storage"] if one["label"] == label]
    assert (int(variable["slot"]), variable["offset"]) == (slot, 0)
    kind = layout["types"][variable["type"]]
    while "value" in kind:
        kind = layout["types"][kind["value"]]
    assert [(one["label"], one["offset"], int(one["slot"])) for one in kind["members"]] == members


def test_values_that_do_not_fit_are_malformed() -> None:
    for build in (
        lambda: anchor.anchor("0x12", bytes(32)),
        lambda: anchor.anchor("0x" + "12" * 20, bytes(33)),
        lambda: anchor.set_head("0x" + "12" * 20, bytes(32), bytes(32), 2**64),
        lambda: anchor.set_head("0x" + "12" * 20, bytes(32), bytes(32), -1),
        lambda: registry.set_attribute("0x" + "12" * 20, b"x" * 33, b"", 1),
        lambda: registry.SignedCall("changeOwner", "0x" + "12" * 20, (), 1, "0x" + "12" * 20, 0).digest(),
        lambda: registry.SignedCall("changeOwner", "0x12", ("0x" + "12" * 20,), 1, "0x" + "12" * 20, 0).digest(),
    ):
        with pytest.raises(Malformed):
            build()


def test_reasons_that_are_none_of_ours_stay_bytes() -> None:
    assert abi.reason(b"") == "0x"
    assert abi.reason(b"\x12\x34\x56\x78" + bytes(32), anchor.CONTRACT) == "0x12345678" + "00" * 32
    assert abi.reason(keccak(b"Panic(uint256)")[:4] + (17).to_bytes(32, "big")) == "Panic(17)"
    assert abi.reason(keccak(b"Error(string)")[:4] + b"\xff") == "0x08c379a0ff"


def test_the_artifacts_are_written_as_json_is() -> None:
    for name in contracts.NAMES:
        text = (contracts.SOURCES / f"{name}.json").read_text("utf-8")
        assert json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n" == text
