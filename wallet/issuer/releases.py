"""Releases: may what was offered under reserve be issued now? A colleague of the clerk who offered it says so.

The wallet of the applicant has been promised the card (OpenID4VCI 1.0 §9), and asks again until the desk has ruled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine, RowMapping, select, update

from service.store import writing
from ssi.encoding import seconds
from ssi.errors import Refused
from wallet.issuer import batches
from wallet.issuer.desk import KEEP_DECLINED
from wallet.issuer.store import APPLICATIONS, BATCHES, OFFERS

RELEASED: Final = "released"
REFUSED: Final = "refused"


@dataclass(frozen=True)
class Releases:
    """Rules on held offers; a ruling is final."""

    store: Engine

    def release(self, application_id: str) -> None:
        """What the application's latest offer promised may be issued. Repeating changes nothing.

        Raises Refused (`release.nothing_held`, `release.ruled`).
        """
        with writing(self.store) as connection:
            self._rule(connection, application_id, RELEASED)

    def refuse(self, application_id: str, *, now: datetime) -> None:
        """Nothing will be issued, and the person's data is erased soon. Raises like `release`."""
        with writing(self.store) as connection:
            if self._rule(connection, application_id, REFUSED):
                batches.drop(connection, BATCHES.c.application_id == application_id)
                soon = seconds(now + KEEP_DECLINED)
                found = update(APPLICATIONS).where(APPLICATIONS.c.id == application_id)
                connection.execute(found.where(APPLICATIONS.c.erase_at > soon).values(erase_at=soon))

    def _rule(self, connection: Connection, application_id: str, ruling: str) -> bool:
        """Record the ruling; False when it was that before."""
        connection.execute(  # first, as in `Offers.make`
            select(APPLICATIONS.c.id).where(APPLICATIONS.c.id == application_id).with_for_update()
        )
        row = _latest(connection, application_id)
        if row is None or not row["held"]:
            raise Refused("release.nothing_held", "Nothing of this application waits to be released.")
        if row["ruling"] is not None and row["ruling"] != ruling:
            raise Refused("release.ruled", "This has been decided already.")
        connection.execute(update(OFFERS).where(OFFERS.c.id == row["id"]).values(ruling=ruling))
        return row["ruling"] is None


def _latest(connection: Connection, application_id: str) -> RowMapping | None:
    query = select(OFFERS).where(OFFERS.c.application_id == application_id).order_by(OFFERS.c.id.desc()).limit(1)
    return connection.execute(query).mappings().first()
