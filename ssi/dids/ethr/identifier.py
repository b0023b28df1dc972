"""did:ethr identifiers: which network, which address, and which key if the identifier is made of one?

did:ethr method specification, "Method Specific Identifier". The account is an address of 20 bytes or a compressed
secp256k1 key; the network is a name or a chain id in hex, and mainnet where there is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ssi.errors import Malformed
from ssi.keys import PublicKey
from ssi.ledger import hexes
from ssi.legacy import secp256k1

PREFIX: Final = "did:ethr:"
MAINNET: Final = "mainnet"
_NETWORK: Final = re.compile(r"[A-Za-z0-9._-]{1,64}(?::[A-Za-z0-9._-]{1,64}){0,3}")
_ACCOUNT: Final = re.compile(r"0x(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{66})")
_CHAIN_ID: Final = re.compile(r"0x[1-9a-f][0-9a-f]{0,15}")


@dataclass(frozen=True)
class Identifier:
    """A did:ethr taken apart. `address` is in lower case; `key` and its `text` (hex as written) if it names a key."""

    did: str
    network: str
    address: str
    key: PublicKey | None = None
    text: str = ""

    @property
    def chain_id(self) -> int | None:
        """The chain that the network's name states, if it is one that states it."""
        return int(self.network, 16) if _CHAIN_ID.fullmatch(self.network) else None


def read(did: str) -> Identifier:
    """Take a did:ethr apart.

    >>> read("did:ethr:0xb9c5714089478a327f09197987f16f9e5d936e8a").network
    'mainnet'

    An address in mixed case must carry its checksum (ERC-55), and a key must lie on its curve: a slip of the pen would
    otherwise name an identity that nobody controls. Raises Malformed (`did.ethr`).
    """
    if not did.startswith(PREFIX):
        raise Malformed("did.ethr", "The text is not a did:ethr.")
    network, mark, account = did.removeprefix(PREFIX).rpartition(":")
    if not _ACCOUNT.fullmatch(account):
        raise Malformed("did.ethr", "The did:ethr names neither an address nor a compressed key.")
    if mark and not _NETWORK.fullmatch(network):
        raise Malformed("did.ethr", "The did:ethr does not name a network.")
    if len(account) == 42:
        try:
            return Identifier(did, network or MAINNET, hexes.read_address(account))
        except Malformed:
            raise Malformed("did.ethr", "The address in the did:ethr does not match its checksum.") from None
    try:
        key = secp256k1.from_point(bytes.fromhex(account[2:]))
    except Malformed:
        raise Malformed("did.ethr", "The key in the did:ethr is not a point on its curve.") from None
    return Identifier(did, network or MAINNET, hexes.address_of(key.x + key.y), key, account[2:])


def of(address: str, *, network: str = MAINNET) -> str:
    """The DID of an address on a network.

    >>> of("0xB9C5714089478a327F09197987f16f9E5d936E8a", network="0xface7")
    'did:ethr:0xface7:0xb9c5714089478a327f09197987f16f9e5d936e8a'

    Raises Malformed (`did.ethr`).
    """
    place = "" if network == MAINNET else f"{network}:"
    return read(f"{PREFIX}{place}{address.lower()}").did
