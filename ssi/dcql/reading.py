"""Reading: where do the claims that a query names stand in one credential? Each path is looked up once.

Who asks is a stranger, and so may be who issued: both could make a query over all that somebody holds take for ever.
What is done is therefore counted, for all credentials and all claims of one query together.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final, cast

from ssi import formats
from ssi.dcql.query import ClaimsQuery
from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.formats.paths import Selected, selected, unhidable
from ssi.model import ClaimPath, Opened

MAX_WORK: Final = 16_000
"""About 20 ms of one processor, in units of one look at one claim."""
_LOOK: Final = 4
_VALUES_PER_UNIT: Final = 8
_MEMBERS_PER_UNIT: Final = 4


class Meter:
    """What is left of the work that one query may cause."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_WORK

    def spend(self, amount: int) -> None:
        """Pay for work. Raises Malformed (`dcql.work`) when there is too much of it."""
        self.left -= amount
        if self.left < 0:
            raise Malformed("dcql.work", "The query asks for too much of what is held.")


class Reading:
    """One credential while one query is answered."""

    def __init__(self, opened: Opened, meter: Meter) -> None:
        self.opened = opened
        self.meter = meter
        self._found: dict[ClaimPath, list[Selected]] = {}

    def answers(self, claim: ClaimsQuery) -> list[ClaimPath]:
        """Where the claim stands with a value that is asked for; a value not asked for is as good as absent."""
        found = self._selected(claim.path)
        self.meter.spend(1 + len(found) * (1 + len(claim.values) // _VALUES_PER_UNIT))
        return [one.path for one in found if claim.allows(one.value)]

    def whole(self, path: ClaimPath) -> ClaimPath:
        """The least that can be shown with the claim at this concrete path."""
        return formats.by_id(self.opened.format).whole(self.opened.claims, path) or path

    @cached_property
    def always(self) -> tuple[ClaimPath, ...]:
        """What every presentation of the credential shows."""
        return unhidable(self.opened.claims, self.opened.disclosed)

    def _selected(self, path: ClaimPath) -> list[Selected]:
        found = self._found.get(path)
        if found is None:
            found = self._found[path] = self._look(path)
        return found

    def _look(self, path: ClaimPath) -> list[Selected]:
        """§7.1.1, and what no presentation of the format could show is not there."""
        self.meter.spend(_LOOK + (0 if all(isinstance(part, str) for part in path) else self._size))
        try:
            found = selected(self.opened.claims, path, closed=self.opened.closed)
        except Malformed:
            return []
        kind = formats.by_id(self.opened.format)
        self.meter.spend(len(found) * (_LOOK + self._members(path) // _MEMBERS_PER_UNIT))
        return [one for one in found if kind.whole(self.opened.claims, one.path) is not None]

    def _members(self, path: ClaimPath) -> int:
        """How many members and elements stand beside those on the way to a claim."""
        count, value = 0, cast(Json, self.opened.claims)
        for part in path:
            if not isinstance(value, dict):
                break
            count += len(value)
            value = value.get(part) if isinstance(part, str) else None
        return count

    @cached_property
    def _size(self) -> int:
        """How many values the credential has in lists, which are what one path can lead to many of."""
        level: list[Json] = [self.opened.claims]
        count = 0
        while level and count <= MAX_WORK:
            below: list[Json] = []
            for value in level:
                if isinstance(value, dict):
                    below += value.values()
                elif isinstance(value, list | tuple):
                    below += value
                    count += len(value)
            level = below
        return count // _MEMBERS_PER_UNIT
