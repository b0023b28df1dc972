"""Status lists for test suites: every credential of the bitstring desk refers to two, on which nothing is withdrawn.

The second entry names further material (`statusReference`), so that a suite can look at that member as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ssi import suites
from ssi.encoding import Json
from ssi.errors import Malformed, Refused
from ssi.model import StatusRef
from ssi.status import bitstring
from ssi.suites import proofs
from wallet.issuer.conformance.desks import Desk

SIZE: Final = bitstring.MIN_ENTRIES
"""Entries of each list, the least that there may be (Bitstring Status List 1.0 §2.2)."""

_PURPOSES: Final = ("revocation", "suspension")
_LIFETIME: Final = timedelta(days=30)
_TTL: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Lists:
    """The published lists, by name; they never change."""

    base: str
    documents: Mapping[str, Mapping[str, Json]]

    @staticmethod
    def opened(desk: Desk, base: str, *, now: datetime, random: Callable[[int], bytes]) -> Lists:
        """One list for each purpose, signed with the desk's key. `base` is the address under which they are served."""
        found = {}
        for purpose in _PURPOSES:
            document = bitstring.credential(
                bitstring.Bitstring.blank(SIZE),
                uri=f"{base}/{purpose}",
                issuer=desk.did,
                purposes=(purpose,),
                now=now,
                expires=now + _LIFETIME,
                ttl=_TTL,
            )
            found[purpose] = proofs.add(
                document,
                suite=suites.by_name(desk.method),
                signer=desk.signer,
                verification_method=desk.verification_method,
                created=now,
                random=random,
            )
        return Lists(base, found)

    def published(self, name: str) -> Mapping[str, Json]:
        """The status list credential of this name. Raises Refused (`status.unknown_list`)."""
        found = self.documents.get(name)
        if found is None:
            raise Refused("status.unknown_list", "There is no status list at this address.")
        return found

    def listed(self, credential: Json, *, random: Callable[[int], bytes]) -> Json:
        """The credential with a place on each list. Raises Malformed (`conformance.credential`)."""
        if not isinstance(credential, Mapping):
            raise Malformed("conformance.credential", "'credential' in the request is not an object.")
        if "credentialStatus" in credential:
            raise Malformed("conformance.credential", "The credential has a status already.")
        entries = []
        for purpose in _PURPOSES:
            index = int.from_bytes(random(4), "big") % SIZE
            entries.append(bitstring.entry(StatusRef(bitstring.KIND, f"{self.base}/{purpose}", index, purpose)))
        entries[-1]["statusReference"] = f"{self.base}/about"
        return {**credential, "credentialStatus": entries}
