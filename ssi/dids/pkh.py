"""did:pkh: the identifier is an account of some blockchain (did:pkh method; CAIP-10). Nothing is looked up.

Most documents name an account and no key: then nothing is verified with them here. An account of Solana is a key.
Older identifiers without a chain (`did:pkh:eth:…`) are left to DIDKit.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from ssi.dids import others
from ssi.dids.document import DidDocument, checked, parse
from ssi.dids.key import SIGNS
from ssi.dids.sources import Resolved, Sources, Version, only_current
from ssi.encoding import Json, b64url, unbase58
from ssi.errors import Malformed, Unsupported
from ssi.ledger import hexes

NAME: Final = "pkh"
_PREFIX: Final = "did:pkh:"
_SECURITY: Final = "https://w3id.org/security#"
_RECOVERY: Final = "EcdsaSecp256k1RecoveryMethod2020"
_CONTEXTS: Final[Mapping[str, Json]] = {
    "blockchainAccountId": _SECURITY + "blockchainAccountId",
    "publicKeyJwk": {"@id": _SECURITY + "publicKeyJwk", "@type": "@json"},
    "Ed25519VerificationKey2018": _SECURITY + "Ed25519VerificationKey2018",
    "SolanaMethod2021": _SECURITY + "SolanaMethod2021",
    "TezosMethod2021": _SECURITY + "TezosMethod2021",
    "RsaVerificationKey2018": "https://w3c-ccg.github.io/security-vocab/#RsaVerificationKey2018",
    _RECOVERY: f"https://identity.foundation/EcdsaSecp256k1RecoverySignature2020#{_RECOVERY}",
    **{
        name: _SECURITY + name
        for name in (
            "Ed25519PublicKeyBLAKE2BDigestSize20Base58CheckEncoded2021",
            "P256PublicKeyBLAKE2BDigestSize20Base58CheckEncoded2021",
        )
    },
}
_OLDER: Final = ("tz", "eth", "celo", "poly", "sol", "btc", "doge")
_TEZOS: Final[Mapping[str, tuple[bytes, str]]] = {
    "tz1": (b"\x06\xa1\x9f", "Ed25519PublicKeyBLAKE2BDigestSize20Base58CheckEncoded2021"),
    "tz2": (b"\x06\xa1\xa1", _RECOVERY),
    "tz3": (b"\x06\xa1\xa4", "P256PublicKeyBLAKE2BDigestSize20Base58CheckEncoded2021"),
}
_BECH32: Final = re.compile(r"[a-z]{1,16}1[ac-hj-np-z02-9]{6,90}")
_ARWEAVE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class _Account:
    """The methods of an account's document: fragment and type of each; its key's JWK where it is one."""

    methods: tuple[tuple[str, str], ...]
    jwk: Mapping[str, Json] | None = None


def resolve(did: str, *, sources: Sources, version: Version, now: datetime) -> Resolved:  # an account never changes
    """The document of an account. Raises Malformed (`did.pkh`), Unsupported (`did.pkh_network`, `did.version`)."""
    only_current(version)
    if did.removeprefix(_PREFIX).partition(":")[0] in _OLDER:
        return Resolved(others.by_didkit(did))
    return Resolved(expand(did))


@lru_cache(maxsize=1024)
def expand(did: str) -> DidDocument:
    """`resolve` for accounts as CAIP-10 writes them, which needs nothing but the DID."""
    parts = checked(did).removeprefix(_PREFIX).split(":")
    if not did.startswith(_PREFIX) or len(parts) != 3:
        raise Malformed("did.pkh", "The did:pkh does not name a chain and an account.")
    namespace, reference, address = parts
    network = _NETWORKS.get(namespace)
    if network is None:
        raise Unsupported("did.pkh_network", "The did:pkh is of a kind of chain that is not known here.")
    pattern, account_of = network
    account = account_of(address) if pattern.fullmatch(reference) else None
    if account is None:
        raise Malformed("did.pkh", "The did:pkh's account or chain is not written as its network writes it.")
    return parse(_document(did, account), did=did)


def _document(did: str, account: _Account) -> dict[str, Json]:
    methods = [
        {
            "id": f"{did}#{fragment}",
            "type": kind,
            "controller": did,
            "blockchainAccountId": did.removeprefix(_PREFIX),
            **({} if account.jwk is None else {"publicKeyJwk": dict(account.jwk)}),
        }
        for fragment, kind in account.methods
    ]
    terms = ["blockchainAccountId", *(["publicKeyJwk"] if account.jwk else []), *(kind for _, kind in account.methods)]
    ids = [method["id"] for method in methods]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", {term: _CONTEXTS[term] for term in terms}],
        "id": did,
        "verificationMethod": methods,
        **dict.fromkeys(SIGNS, ids),
    }


def _eip155(address: str) -> _Account | None:
    """An account of Ethereum and its kin. Letters of both cases are a checksum (ERC-55), and must be the right ones."""
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", address):
        return None
    digits = address[2:]
    if digits not in (digits.lower(), digits.upper()) and hexes.checksummed(address.lower()) != address:
        return None
    return _Account((("blockchainAccountId", _RECOVERY),))


def _solana(address: str) -> _Account | None:
    raw = _unbase58(address)
    if len(raw) != 32:
        return None
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64url(raw)}
    return _Account((("controller", "Ed25519VerificationKey2018"), ("SolanaMethod2021", "SolanaMethod2021")), jwk)


def _bip122(address: str) -> _Account | None:
    if not _BECH32.fullmatch(address) and len(_checked58(address)) != 21:
        return None
    return _Account((("blockchainAccountId", _RECOVERY),))


def _tezos(address: str) -> _Account | None:
    prefix, kind = _TEZOS.get(address[:3], (b"", ""))
    data = _checked58(address)
    if not prefix or len(data) != 23 or not data.startswith(prefix):
        return None
    return _Account((("blockchainAccountId", kind), ("TezosMethod2021", "TezosMethod2021")))


def _arweave(address: str) -> _Account | None:
    return _Account((("blockchainAccountId", "RsaVerificationKey2018"),)) if _ARWEAVE.fullmatch(address) else None


def _unbase58(text: str) -> bytes:
    try:
        return unbase58(text, max_length=128)
    except Malformed:
        return b""


def _checked58(text: str) -> bytes:
    """What a Base58Check text holds; nothing where its checksum is wrong."""
    data = _unbase58(text)
    body, check = data[:-4], data[-4:]
    return body if hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4] == check else b""


_NETWORKS: Final[Mapping[str, tuple[re.Pattern[str], Callable[[str], _Account | None]]]] = {
    "eip155": (re.compile(r"[1-9][0-9]{0,31}"), _eip155),
    "solana": (re.compile(r"[1-9A-HJ-NP-Za-km-z]{32}"), _solana),
    "bip122": (re.compile(r"[0-9a-f]{32}"), _bip122),
    "tezos": (re.compile(r"Net[1-9A-HJ-NP-Za-km-z]{12}"), _tezos),
    "arweave": (re.compile(r"[A-Za-z0-9_-]{1,32}"), _arweave),
}
"""By CAIP-2 namespace: what its chains are called (CAIP-2 references), and how its accounts are read."""
