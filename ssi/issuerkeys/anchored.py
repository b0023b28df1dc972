"""Anchored issuers: all that a role which reads credentials takes from the one ledger that it knows.

DIDs whose heads are there, who is accredited to issue what, and the newest status lists; each of them on its own is
elsewhere, here they are put together alike for every role.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ssi.dids import Sources
from ssi.dids.ethr import identifier
from ssi.errors import Unavailable
from ssi.fetch import Fetch
from ssi.issuerkeys.identities import Identities
from ssi.issuerkeys.records import Records
from ssi.ledger import declared
from ssi.ledger.ledger import Ledger, Ledgers
from ssi.model import TrustPolicy
from ssi.status import Anchors
from ssi.trust.accreditation import Accredited

_LOG: Final = logging.getLogger("facet.ledger")


@dataclass(frozen=True)
class Anchored:
    """A ledger as one role knows it; `sources` resolve DIDs with it."""

    ledger: Ledger
    sources: Sources
    identities: Identities

    def check_at_start(self) -> None:
        """Is it the ledger that its declaration describes? One that is away now is asked again when it is needed.

        Raises Refused (`ledger.wrong_chain`, `ledger.no_contract`, `ledger.other_contract`).
        """
        try:
            self.ledger.chain.check()
        except Unavailable as away:
            _LOG.warning("the ledger could not be asked yet", extra={"code": away.code})

    @property
    def records(self) -> Records:
        """Who checks receipts; an identity that has ended since counts for what it anchored before."""
        return Records(self.ledger, Identities(self.sources, self.ledger, ended=True))

    @property
    def accredited(self) -> TrustPolicy | None:
        """Trust in whom the ledger's accreditors have accredited; None where its declaration names none of them.

        Raises Malformed (`did.ethr`) for an accreditor that is none.
        """
        ledger = self.ledger
        if ledger.anchor is None or not ledger.accreditors:
            return None
        return Accredited(
            chain=ledger.chain,
            registry=ledger.registry,
            contract=ledger.anchor,
            roots=[identifier.read(one).address for one in ledger.accreditors],
            identity_of=self.identities,
        )

    def lists(self, *, required: bool) -> Anchors | None:
        """What status lists are compared with; unless `required`, an issuer who anchors none is believed without."""
        ledger = self.ledger
        if ledger.anchor is None:
            return None
        return Anchors(chain=ledger.chain, contract=ledger.anchor, identity_of=self.identities, required=required)


def known(
    declaration: bytes,
    *,
    fetch: Fetch,
    folder: Path | None,
    sleep: Callable[[float], object],
    clock: Callable[[], float],
) -> Anchored:
    """The ledger that a declaration names; what is learnt of it is kept in `folder`, if there is one.

    Nobody is asked yet. `clock` are seconds that only go forward. Raises Malformed, Unsupported (`ledger.*`,
    `encoding.*`).
    """
    ledger = declared.read(declaration, fetch=fetch, folder=folder, sleep=sleep, clock=clock)
    sources = Sources(fetch, Ledgers.of(ledger))
    return Anchored(ledger, sources, Identities(sources, ledger))
