"""Witnesses: have enough of them approved each entry (did:webvh 1.0, "Verifying Witness Proofs During Resolution")?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from ssi.dids.webvh import entries
from ssi.dids.webvh.parameters import MAX_WITNESSES, Witnesses
from ssi.encoding import Json, read_json
from ssi.errors import Malformed, SsiError

MAX_FILE: Final = 4 * 1024 * 1024
_MAX_APPROVALS: Final = 10_000
_MAX_TRIED: Final = 32
"""How many approvals of one witness are tried, the newest first, until one holds."""
_DID: Final = "did:key:"


class Approvals:
    """The approvals of a did-witness.json: verified when they are needed, and each witness's newest one first.

    An approval of an entry approves all before it; one of a version that the log does not have approves nothing.
    Raises Malformed (`did.webvh_witness`, `encoding.*`).
    """

    def __init__(self, content: bytes, *, numbers: Mapping[str, int], now: datetime) -> None:
        read = read_json(content, what="file of witness proofs", max_bytes=MAX_FILE)
        if not isinstance(read, list) or len(read) > _MAX_APPROVALS:
            raise Malformed(
                "did.webvh_witness", "The file of witness proofs is not a list of a size that is read here."
            )
        self._now = now
        self._given: dict[str, list[tuple[int, str, Mapping[str, Json]]]] = {}
        for one in read:
            self._take(one, numbers)
        for given in self._given.values():
            given.sort(key=lambda approval: -approval[0])
        self._newest: dict[str, int] = {}

    def _take(self, one: Json, numbers: Mapping[str, int]) -> None:
        version = one.get("versionId") if isinstance(one, Mapping) else None
        proofs: Json = one.get("proof", []) if isinstance(one, Mapping) else None
        given = [proof for proof in (proofs if isinstance(proofs, list) else ()) if isinstance(proof, Mapping)]
        if not isinstance(version, str) or not isinstance(proofs, list) or len(given) != len(proofs):
            raise Malformed("did.webvh_witness", "An entry of the file of witness proofs cannot be read.")
        if version not in numbers:
            return
        for proof in given[:MAX_WITNESSES]:
            try:
                witness = _DID + entries.signer(proof)
            except SsiError:
                continue
            self._given.setdefault(witness, []).append((numbers[version], version, proof))

    def of(self, witness: str) -> int:
        """The newest entry that this witness has approved; 0 for none."""
        if witness not in self._newest:
            key = witness.removeprefix(_DID)
            given = self._given.get(witness, [])[:_MAX_TRIED]
            good = (number for number, version, proof in given if self._holds(version, proof, key))
            self._newest[witness] = next(good, 0)
        return self._newest[witness]

    def _holds(self, version: str, proof: Mapping[str, Json], key: str) -> bool:
        try:
            entries.check({"versionId": version}, proof, allowed=(key,), now=self._now)
        except SsiError:
            return False
        return True


def first_unapproved(needed: Sequence[Witnesses | None], approvals: Approvals) -> int | None:
    """The place of the first entry that fewer witnesses approve than it needs; None when there is none."""
    for place, witnesses in enumerate(needed):
        if witnesses is None:
            continue
        if sum(approvals.of(each) > place for each in witnesses.ids) < witnesses.threshold:
            return place
    return None
