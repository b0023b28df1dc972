"""Bitstring status lists: the same records as the desk's other lists, published for W3C credentials.

Beside each list stand one for "revocation" and one for "suspension" (Bitstring Status List 1.0), each a credential that
the desk signs with `ecdsa-rdfc-2019` or `eddsa-rdfc-2022`. A signed one is kept until its `ttl` or the next change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, RowMapping, select

from service.store import reading
from ssi import suites
from ssi.caching import Cache, Kept
from ssi.encoding import write_json
from ssi.errors import Refused, Unsupported
from ssi.status import bitlist, bitstring
from ssi.status import token_status_list as tsl
from ssi.suites import proofs
from wallet.issuer.identity import Identity
from wallet.issuer.store import CREDENTIALS, STATUS_LISTS

PURPOSES: Final[Mapping[str, int]] = {"revocation": tsl.INVALID, "suspension": tsl.SUSPENDED}
"""The lists that stand beside each list, and the status that each of them marks."""
LIFETIME: Final = timedelta(hours=24)
SUITES: Final[Mapping[str, str]] = {
    "ES256": "ecdsa-rdfc-2019",
    "ES384": "ecdsa-rdfc-2019",
    "EdDSA": "eddsa-rdfc-2022",
}
"""What the lists are signed with, by the desk's algorithm."""


@dataclass(frozen=True)
class Bitstrings:
    """Publishes the lists at `<base_url>/status/<list id>/<purpose>`."""

    store: Engine
    identity: Identity
    base_url: str
    ttl: timedelta
    _signed: Cache[tuple[str, str, int], bytes] = field(default_factory=lambda: Cache(size=64), repr=False)

    def document(self, list_id: str, purpose: str, *, now: datetime) -> bytes:
        """The signed list as JSON. Raises Refused (`status.unknown_list`), Unsupported (`suite.unknown`)."""
        if purpose not in PURPOSES:
            raise Refused("status.unknown_list", "There is no such status list.")
        with reading(self.store) as connection:
            row = connection.execute(select(STATUS_LISTS).where(STATUS_LISTS.c.id == list_id)).mappings().first()
            if row is None:
                raise Refused("status.unknown_list", "There is no such status list.")
            return self._signed.get(
                (list_id, purpose, row["changes"]),
                now=now,
                load=lambda _: Kept(self._sign(connection, row, purpose, now=now), now, now + self.ttl),
            )

    def _sign(self, connection: Connection, row: RowMapping, purpose: str, *, now: datetime) -> bytes:
        uri = f"{self.base_url}/status/{row['id']}/{purpose}"
        marked = connection.execute(
            select(CREDENTIALS.c.list_index).where(
                CREDENTIALS.c.list_id == row["id"], CREDENTIALS.c.status == PURPOSES[purpose]
            )
        )
        blank = bitlist.Bitstring.blank(max(int(row["size"]), bitlist.MIN_ENTRIES))
        unsigned = bitstring.credential(
            blank.changed({int(each.list_index): 1 for each in marked}),
            uri=uri,
            issuer=self.identity.did,
            purposes=(purpose,),
            now=now,
            expires=now + LIFETIME,
            ttl=self.ttl,
        )
        signer = self.identity.signer
        name = SUITES.get(signer.public.algorithm.name)
        if name is None:
            raise Unsupported("suite.unknown", "The desk's key cannot sign status lists of this kind.")
        signed = proofs.add(
            unsigned,
            suite=suites.by_name(name),
            signer=signer,
            verification_method=self.identity.key_url,
            created=now,
        )
        return write_json(signed)
