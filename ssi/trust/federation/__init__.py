"""OpenID Federation 1.0: is there a chain of statements from this entity to an anchor that we trust?"""

from __future__ import annotations

from ssi.trust.federation.chains import Anchor
from ssi.trust.federation.entities import Entity, Federation
from ssi.trust.federation.judging import ASKERS, ISSUERS, WALLETS, Federated, FederatedKeys
from ssi.trust.federation.statements import read_keys

__all__ = ["ASKERS", "ISSUERS", "WALLETS", "Anchor", "Entity", "Federated", "FederatedKeys", "Federation", "read_keys"]
