"""The wallet's provider: who vouches to an issuer that this is a genuine wallet, and that it made these keys?

A service that keeps wallets for people vouches for them itself, with its own certificate (OpenID4VCI 1.0 Appendices D
and E, HAIP 1.0 §4.4.1, §4.5.1). It says no more than is true: keys are in software, so no resistance is claimed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from ssi.errors import Unavailable
from ssi.keys import PublicKey, Signer, SoftwareSigner
from ssi.oauth import clients
from ssi.oid4vci import keyattestation
from ssi.trust.x509 import read_certificates

NAME: Final = "Facet Wallet"
LIFETIME: Final = timedelta(hours=1)
KEY_LIFETIME: Final = timedelta(minutes=15)
"""A key attestation is used at once; the shorter it lives, the less a stolen one is worth."""


@dataclass(frozen=True)
class Provider:
    """Signs attestations. `client_id` is the same for all wallets of this service (HAIP 1.0 §4.4.1)."""

    signer: Signer
    x5c: tuple[bytes, ...]
    client_id: str

    @property
    def alg(self) -> str:
        """The algorithm of its signatures."""
        return self.signer.public.algorithm.name

    def attest(self, instance: PublicKey, *, now: datetime) -> str:
        """That the holder of this key is a wallet of ours. The key is another one for each issuer."""
        return clients.make_attestation(
            signer=self.signer,
            x5c=self.x5c,
            client_id=self.client_id,
            instance=instance,
            now=now,
            lifetime=LIFETIME,
            claims={"iss": self.client_id, "wallet_name": NAME, "wallet_link": self.client_id},
        )

    def attest_keys(self, keys: Sequence[PublicKey], *, nonce: str | None, now: datetime) -> str:
        """That these keys were made by a wallet of ours, in software and for nobody else."""
        return keyattestation.make(
            signer=self.signer, x5c=self.x5c, keys=keys, now=now, lifetime=KEY_LIFETIME, nonce=nonce
        )


def read_provider(key: Path, certificate: Path, *, client_id: str) -> Provider:
    """The provider in these files. Raises Unavailable (`settings.file`), Malformed (`key.*`, `trust.*`)."""
    try:
        signer, chain = SoftwareSigner.from_pkcs8(key.read_bytes()), read_certificates(certificate.read_bytes())
    except OSError:
        detail = f"{key.name} or {certificate.name} cannot be read; run `facet-issuer bootstrap`."
        raise Unavailable("settings.file", detail) from None
    return Provider(signer, chain, client_id)
