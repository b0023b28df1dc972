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
        self._refuse_unlisted(kid)
        return self.keys.holder_key(kid, now=now)

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        """The key of who attests keys: by certificate, or by a DID of a listed method. Raises as `holder_key` does."""
        if not issuer.x5c:
            self._refuse_unlisted(issuer.kid or "")
        return self.keys.issuer_key(issuer, alg=alg, now=now)

    def method_key(self, url: str, *, relationship: str, now: datetime) -> MethodKey:
        """The key with which a presentation is signed. Raises as `holder_key` does."""
        self._refuse_unlisted(url)
        return self.keys.method_key(url, relationship=relationship, now=now)

    def _refuse_unlisted(self, url: str) -> None:
        if ":".join(url.split(":", 2)[:2]) not in self.methods:
            raise Unsupported("binding.method", "This issuer does not bind credentials to DIDs of this method.")
