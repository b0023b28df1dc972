"""State as it was at a block: accounts, storage, code, and the proofs of them (EIP-1186), without running anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import rlp
from trie.hexary import HexaryTrie

from ssi.ledger.devchain.blocks import NO_TRIE
from ssi.ledger.devchain.errors import damaged
from ssi.ledger.hexes import keccak

Read = Callable[[bytes], bytes | None]
NO_CODE: Final = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")


@dataclass(frozen=True)
class Account:
    """What the state says of an address; one that was never touched has nothing."""

    nonce: int = 0
    balance: int = 0
    storage_root: bytes = NO_TRIE
    code_hash: bytes = NO_CODE


def account(read: Read, root: bytes, address: bytes) -> Account:
    """The account below this state root."""
    found = HexaryTrie(_Nodes(read), root)[keccak(address)]
    if not found:
        return Account()
    nonce, balance, storage_root, code_hash = rlp.decode(found)
    return Account(int.from_bytes(nonce, "big"), int.from_bytes(balance, "big"), storage_root, code_hash)


def code(read: Read, root: bytes, address: bytes) -> bytes:
    """The contract at an address; empty where there is none."""
    code_hash = account(read, root, address).code_hash
    return b"" if code_hash == NO_CODE else _Nodes(read)[code_hash]


def storage(read: Read, storage_root: bytes, slot: bytes) -> int:
    """What a contract keeps in a slot (32 bytes)."""
    found = HexaryTrie(_Nodes(read), storage_root)[keccak(slot)]
    return int.from_bytes(rlp.decode(found), "big") if found else 0


def proof(read: Read, root: bytes, key: bytes) -> tuple[bytes, ...]:
    """The nodes from the root towards a key (an address, or a slot), as RLP; of one that is absent, as far as it goes.

    Nodes that are shorter than a hash stand inside their parents and are not listed again.
    """
    if root == NO_TRIE:
        return ()
    trie: Any = HexaryTrie(_Nodes(read), root)
    encoded = [bytes(rlp.encode(node)) for node in trie.get_proof(keccak(key))]
    return tuple(node for place, node in enumerate(encoded) if place == 0 or len(node) >= 32)


class _Nodes(dict[bytes, bytes]):
    """Trie nodes as the mapping that the trie asks."""

    def __init__(self, read: Read) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, key: bytes) -> bytes:
        found = self._read(key)
        if found is None:
            raise damaged()
        return found
