"""Holder keys: which private key is a card bound to? Kept sealed in the vault, seen by nobody else than as a handle.

Each card has a key of its own, so that two verifiers cannot recognise a person by a key they both saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ssi.encoding import Json, b64url, required_text, seconds, unb64url
from ssi.errors import Refused
from ssi.keys import PublicKey, Signer, SoftwareSigner
from wallet.holder.vault import Record, Vault

KIND = "key"


@dataclass(frozen=True)
class SealedSigner:
    """A handle on a key in a vault: the secret is opened for the one moment of a signature."""

    public: PublicKey
    _vault: Vault = field(repr=False, compare=False)

    @property
    def kid(self) -> str:
        """The key's thumbprint."""
        return self.public.kid

    def sign(self, message: bytes) -> bytes:
        """Sign in JOSE form. Raises Refused (`key.unknown`) when the key has been removed since."""
        return _secret(_record(self._vault, self.kid).data).sign(message)


@dataclass(frozen=True)
class VaultKeys:
    """A `KeyStore` over one person's vault."""

    vault: Vault

    def create(self, alg: str) -> Signer:
        """Make a key and keep it before returning. Raises Unsupported."""
        signer = SoftwareSigner.generate(alg)
        self.vault.put(self.vault.new(KIND, _data(signer), lookup=signer.kid))
        return SealedSigner(signer.public, self.vault)

    def get(self, kid: str) -> Signer:
        """The handle of a kept key. Raises Refused (`key.unknown`)."""
        return SealedSigner(PublicKey.from_jwk(_record(self.vault, kid).data.get("public")), self.vault)

    def create_until(self, alg: str, until: datetime) -> Signer:
        """Make a key that is forgotten at `until`, unless it is kept with a card before."""
        signer = SoftwareSigner.generate(alg)
        self.vault.put(self.vault.new(KIND, _data(signer), lookup=signer.kid, until=until))
        return SealedSigner(signer.public, self.vault)

    def create_several(self, alg: str, count: int, until: datetime) -> tuple[Signer, ...]:
        """Make keys for the copies of one card, kept together, and forgotten at `until` unless they are kept."""
        signers = [SoftwareSigner.generate(alg) for _ in range(count)]
        self.vault.commit(*(self.vault.new(KIND, _data(one), lookup=one.kid, until=until) for one in signers))
        return tuple(SealedSigner(one.public, self.vault) for one in signers)

    def taken(self, kid: str) -> Signer:
        """The key itself, for a signature that may come after the key has left the vault. Raises (`key.unknown`)."""
        return _secret(_record(self.vault, kid).data)

    def extended(self, kid: str, until: datetime) -> Record:
        """The record of a key with a later time of forgetting."""
        return replace(_record(self.vault, kid), expires=seconds(until))

    def kept(self, kid: str) -> Record:
        """The record of a key without its time of forgetting, to be kept together with the card that it is for."""
        return replace(_record(self.vault, kid), expires=None)

    def record(self, kid: str) -> Record | None:
        """The sealed record of a key, so that it can be removed together with its card."""
        return self.vault.find(KIND, kid)


def _record(vault: Vault, kid: str) -> Record:
    found = vault.find(KIND, kid)
    if found is None:
        raise Refused("key.unknown", "The key of this card is not in the wallet.")
    return found


def _data(signer: SoftwareSigner) -> dict[str, Json]:
    return {"public": dict(signer.public.jwk), "pkcs8": b64url(signer.pkcs8())}


def _secret(data: Mapping[str, Json]) -> SoftwareSigner:
    return SoftwareSigner.from_pkcs8(unb64url(required_text(data, "pkcs8", what="key record"), what="key"))
