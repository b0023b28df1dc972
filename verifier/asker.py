"""Who asks: the identity, key and addresses that this verifier shows to wallets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ssi import oid4vp
from ssi.jose.jwe import DecryptionKey
from ssi.keys import Signer
from verifier.ask import Ask


@dataclass(frozen=True)
class Asker:
    """How this verifier appears to wallets. `x5c` certifies the signer's key, leaf first.

    `scan_link` is what QR codes begin with ("openid4vp://"), `here_link` what the same-device link begins with.
    """

    client_id: str
    name: str
    signer: Signer
    x5c: tuple[bytes, ...]
    base_url: str
    scan_link: str
    here_link: str

    def request_uri(self, public_id: str) -> str:
        """Where a wallet fetches a request."""
        return f"{self.base_url}/oid4vp/{public_id}/request"

    def link_to_scan(self, public_id: str) -> str:
        """What a QR code holds."""
        return oid4vp.request_link(self.client_id, self.request_uri(public_id), base=self.scan_link)

    def link_from_here(self, public_id: str) -> str:
        """What opens a wallet on the same device."""
        return oid4vp.request_link(self.client_id, self.request_uri(public_id), base=self.here_link)

    def request(
        self, ask: Ask, public_id: str, *, nonce: str, state: str, keys: Sequence[DecryptionKey]
    ) -> oid4vp.AuthorizationRequest:
        """The request that asks this; `keys` are those to which the answer may be encrypted."""
        return oid4vp.AuthorizationRequest(
            client_id=self.client_id,
            nonce=nonce,
            response_uri=f"{self.base_url}/oid4vp/{public_id}/response",
            response_mode=ask.response_mode,
            query=ask.query,
            state=state,
            encryption_keys=tuple(key.public_jwk for key in keys),
            client_name=self.name,
            purpose=ask.purpose or None,
        )
