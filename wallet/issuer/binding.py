"""Binding: to which of the keys that wallets name will this desk bind a credential?

Only to keys that are named in a way its metadata lists (OpenID4VCI 1.0 §12.2.4). What is not listed is not looked up
either: a wallet's key proof must not be able to send the desk to an address of the wallet's choice (did:web).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from ssi.errors import Unsupported
from ssi.keys import PublicKey
from ssi.model import Issuer, KeyResolver, MethodKey, ResolvedKey


@dataclass(frozen=True)
class Listed:
    """Finds keys like `keys`, but those of holders only by the DID `methods` listed ("did:key")."""

    keys: KeyResolver
    methods: Collection[str]

    def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
        """The key that a DID URL names. Raises like `KeyResolver`, and Unsupported (`binding.method`)."""
        if ":".join(kid.split(":", 2)[:2]) not in self.methods:
            raise Unsupported("binding.method", "This issuer does not bind credentials to DIDs of this method.")
        return self.keys.holder_key(kid, now=now)

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        """The key of an issuer, as `keys` finds it."""
        return self.keys.issuer_key(issuer, alg=alg, now=now)

    def method_key(self, url: str, *, relationship: str, now: datetime) -> MethodKey:
        """The key of a verification method, as `keys` finds it."""
        return self.keys.method_key(url, relationship=relationship, now=now)
