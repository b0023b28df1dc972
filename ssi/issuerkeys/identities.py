"""Identities: which address on a ledger is this issuer, as proven from both sides?

A did:ethr of the ledger's network is its address. A did:webvh may name a did:ethr in `alsoKnownAs`; anybody can name
anybody there, so that counts only where that address has in turn anchored a head for the DID's own SCID, which no
other DID can have. That the head fits the log is what resolving the DID has found out.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ssi import dids
from ssi.dids import Sources
from ssi.dids.ethr import identifier
from ssi.errors import SsiError
from ssi.ledger.anchor import TrustAnchor, name_hash
from ssi.ledger.ledger import Ledger
from ssi.model import Issuer

MAX_NAMED: Final = 8
"""How many addresses of `alsoKnownAs` are asked about."""
_ETHR: Final = "did:ethr:"
_WEBVH: Final = "did:webvh:"


class Identities:
    """The addresses of issuers on one ledger: an `ssi.trust.accreditation.IdentityOf`.

    Keeps nothing: who asks keeps the answer with what it is for.
    """

    def __init__(self, sources: Sources, ledger: Ledger, *, ended: bool = False) -> None:
        """`ended`: an identity that has ended counts as well, for what it did before (receipts, and nothing else)."""
        self._sources, self._ledger, self._ended = sources, ledger, ended

    def __call__(self, issuer: Issuer, now: datetime) -> str | None:
        """The issuer's address; None for one that has none here, or that signed with a certificate.

        Raises what resolving its DID raises, and Unavailable where the ledger cannot be asked.
        """
        did = issuer.id or (issuer.kid or "").partition("#")[0]
        if issuer.x5c or not did.startswith((_ETHR, _WEBVH)):
            return None
        found = dids.resolve(did, sources=self._sources, now=now)
        if found.deactivated and not self._ended:
            return None
        if did.startswith(_ETHR):
            return self._address(did)
        scid = did.removeprefix(_WEBVH).partition(":")[0]
        named = (self._address(one) for one in found.document.also_known_as[:MAX_NAMED])
        return next((one for one in named if one is not None and self._names(one, scid)), None)

    def _address(self, did: str) -> str | None:
        if not did.startswith(_ETHR):
            return None
        try:
            read = identifier.read(did)
        except SsiError:
            return None
        return read.address if read.network in self._ledger.networks else None

    def _names(self, address: str, scid: str) -> bool:
        contract: TrustAnchor | None = self._ledger.anchor
        return contract is not None and contract.head(address, name_hash(scid)) is not None
