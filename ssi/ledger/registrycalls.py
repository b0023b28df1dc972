"""What is written to an identity registry (ERC-1056): call data, and the messages that are signed for others to send.

The signed messages are those of our registry: EIP-712, bound to the chain, the registry, the identity and its number of
events. Registries as deployed elsewhere sign something weaker (docs/contracts.md); we never sign that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ssi.errors import Malformed
from ssi.ledger import abi
from ssi.ledger.hexes import keccak

_CONTRACT: Final = abi.contract("IdentityRegistry")
_DOMAIN: Final = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_TYPES: Final[Mapping[str, str]] = {
    "changeOwner": "ChangeOwner(address identity,address newOwner,uint256 nonce)",
    "addDelegate": "AddDelegate(address identity,bytes32 delegateType,address delegate,uint256 validity,uint256 nonce)",
    "revokeDelegate": "RevokeDelegate(address identity,bytes32 delegateType,address delegate,uint256 nonce)",
    "setAttribute": "SetAttribute(address identity,bytes32 name,bytes value,uint256 validity,uint256 nonce)",
    "revokeAttribute": "RevokeAttribute(address identity,bytes32 name,bytes value,uint256 nonce)",
}
"""The message of each function that can be called with a signature (EIP-712 `encodeType`)."""

NOBODY: Final = "0x" + "00" * 20
"""The zero address: an identity handed to it has ended for ever."""


def deploy_data() -> bytes:
    """What creates a registry."""
    return _CONTRACT.deploy_data()


def change_owner(identity: str, new_owner: str) -> bytes:
    """Hand the identity to another account; `NOBODY` ends it. Raises Malformed (`ledger.abi`), as all here do."""
    return abi.encode(_CONTRACT, "changeOwner", identity, new_owner)


def add_delegate(identity: str, delegate_type: bytes, delegate: str, validity: int) -> bytes:
    """Add a delegate for `validity` seconds; the type is at most 32 bytes."""
    return abi.encode(_CONTRACT, "addDelegate", identity, _word(delegate_type), delegate, validity)


def revoke_delegate(identity: str, delegate_type: bytes, delegate: str) -> bytes:
    """End a delegate's validity."""
    return abi.encode(_CONTRACT, "revokeDelegate", identity, _word(delegate_type), delegate)


def set_attribute(identity: str, name: bytes, value: bytes, validity: int) -> bytes:
    """State an attribute for `validity` seconds; the name is at most 32 bytes."""
    return abi.encode(_CONTRACT, "setAttribute", identity, _word(name), value, validity)


def revoke_attribute(identity: str, name: bytes, value: bytes) -> bytes:
    """End an attribute's validity."""
    return abi.encode(_CONTRACT, "revokeAttribute", identity, _word(name), value)


@dataclass(frozen=True)
class SignedCall:
    """A call of our registry that the owner signs and anybody may send, as long as the identity has `nonce` events.

    `function` is a key of ERC-1056's calls without "Signed"; `arguments` follow the identity in its order, bytes32
    values as at most 32 bytes.
    """

    function: str
    identity: str
    arguments: tuple[Any, ...]
    chain_id: int
    registry: str
    nonce: int

    def digest(self) -> bytes:
        """The 32 bytes to sign (EIP-712 §"Specification"). Raises Malformed (`ledger.abi`)."""
        part, kind = _CONTRACT.functions[self.function], _TYPES[self.function]
        values = [keccak(value) if name == "bytes" else value for name, value in self._typed()]
        types = ["bytes32" if name == "bytes" else name for name in part.types]
        message = abi.encode_values(["bytes32", *types, "uint256"], [keccak(kind.encode("ascii")), *values, self.nonce])
        domain = abi.encode_values(
            ["bytes32", "bytes32", "bytes32", "uint256", "address"],
            [_DOMAIN, keccak(b"IdentityRegistry"), keccak(b"1"), self.chain_id, self.registry],
        )
        return keccak(b"\x19\x01" + keccak(domain) + keccak(message))

    def data(self, r: int, s: int, y_parity: int) -> bytes:
        """The call data with the owner's signature over `digest()`."""
        values = [value for _, value in self._typed()]
        signature = (27 + y_parity, r.to_bytes(32, "big"), s.to_bytes(32, "big"))
        return abi.encode(_CONTRACT, f"{self.function}Signed", values[0], *signature, *values[1:])

    def _typed(self) -> list[tuple[str, Any]]:
        types = _CONTRACT.functions[self.function].types
        if len(types) != 1 + len(self.arguments):
            raise Malformed("ledger.abi", "The call has not the arguments that its function takes.")
        values = (self.identity, *self.arguments)
        return [(kind, _word(value) if kind == "bytes32" else value) for kind, value in zip(types, values, strict=True)]


def _word(text: bytes) -> bytes:
    """A name of at most 32 bytes, filled with zeros."""
    if len(text) > 32:
        raise Malformed("ledger.abi", "A name in the registry has 32 bytes at most.")
    return text.ljust(32, b"\x00")
