"""The world outside a wallet: whom may it ask, and whom does it believe? All that a step needs beyond the vault."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ssi.fetch import Fetch
from ssi.formats.typemetadata import Types
from ssi.issuerkeys.records import Records
from ssi.model import Finding, Issuer, KeyResolver, StatusChecker, TrustPolicy
from ssi.oid4vp import Clients
from wallet.holder.provider import Provider


class Authorities(Protocol):
    """Does the trusted list or federation that an asker names vouch for an issuer?"""

    def judge(self, kind: str, value: str, issuer: Issuer, *, now: datetime) -> Finding:
        """PASS when it does; `kind` is "etsi_tl" or "openid_federation"."""


@dataclass(frozen=True)
class Outside:
    """The network, the keys of others, the status and the types of credentials, and the two questions of trust.

    `client_id` is what issuers know this wallet by, `redirect_uri` where they send a person back to after a sign-in;
    `provider` vouches for the wallet and its keys, where somebody does. `haip`: only what that profile allows.

    `types` knows what a type's claims are called and which there must be. `issuers` says whose credentials may be kept,
    `askers` whose names on a request are proved; None means that nobody is believed, and every request has a warning.
    `attesters` may vouch for askers (OpenID4VP 1.0 §12), `clients` are askers known beforehand (§5.9.2), `authorities`
    knows which trusted lists and federations vouch for an issuer (§6.1.1). `records` checks receipts by the ledger that
    is known here, if there is one.
    """

    fetch: Fetch
    keys: KeyResolver
    status: StatusChecker
    types: Types
    issuers: TrustPolicy
    askers: TrustPolicy | None
    client_id: str = ""
    redirect_uri: str = ""
    provider: Provider | None = None
    haip: bool = False
    attesters: TrustPolicy | None = None
    clients: Clients = field(default_factory=dict)
    authorities: Authorities | None = None
    records: Records | None = None
