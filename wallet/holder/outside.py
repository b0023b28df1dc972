"""The world outside a wallet: whom may it ask, and whom does it believe? All that a step needs beyond the vault."""

from __future__ import annotations

from dataclasses import dataclass

from ssi.fetch import Fetch
from ssi.formats.typemetadata import Types
from ssi.model import KeyResolver, StatusChecker, TrustPolicy


@dataclass(frozen=True)
class Outside:
    """The network, the keys of others, the status and the types of credentials, and the two questions of trust.

    `types` knows what a type's claims are called and which there must be. `issuers` says whose credentials may be kept,
    `askers` whose names on a request are proved; None means that nobody is believed, and every request has a warning.
    """

    fetch: Fetch
    keys: KeyResolver
    status: StatusChecker
    types: Types
    issuers: TrustPolicy
    askers: TrustPolicy | None
