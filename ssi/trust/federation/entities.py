"""Federations: which entities belong to one of our anchors, by which path, with which metadata, keys and marks?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ssi.errors import Malformed, SsiError, Unavailable
from ssi.fetch import Fetch
from ssi.keys import PublicKey
from ssi.trust.federation import marks as trust_marks
from ssi.trust.federation.chains import Anchor, Chain, Search
from ssi.trust.federation.statements import Keys, Metadata, entity_id, read_keys
from ssi.trust.sources import REFRESH, RETRY, Published, Sources

_SIZE: Final = 256

Mark = datetime | SsiError | None
"""A trust mark: until when it holds (None: no end), or why it does not count."""


@dataclass(frozen=True)
class Entity:
    """A member of the federation: its path up to the anchor, its resolved metadata, and the marks asked about."""

    id: str
    path: tuple[str, ...]
    metadata: Metadata
    marks: Mapping[str, Mark]
    expires: datetime

    @property
    def anchor(self) -> str:
        """The trust anchor at the end of its path."""
        return self.path[-1]

    def is_a(self, types: Sequence[str]) -> bool:
        """Is it of one of these entity types?"""
        return any(kind in self.metadata for kind in types)

    def keys(self, types: Sequence[str]) -> Keys:
        """The keys that it uses in protocols as one of these entity types (§5.2.1 `jwks`), by `kid`.

        Raises Malformed (`trust.federation_keys`).
        """
        found: dict[str, PublicKey] = {}
        for kind in types:
            jwks = self.metadata.get(kind, {}).get("jwks")
            if jwks is not None:
                for kid, key in read_keys(jwks).items():
                    if found.setdefault(kid, key) != key:
                        raise Malformed("trust.federation_keys", "An entity has two keys of one name.")
        return found


class Federation:
    """Entities under some anchors, looked for over `fetch` and kept until their chain ends or the refresh time is over.

    `marks` are the types of trust marks that somebody here asks about. Safe to share between threads. Raises Malformed
    (`trust.federation_anchor`) without anchors, or for one without keys that can be used.
    """

    def __init__(
        self,
        anchors: Sequence[Anchor],
        *,
        fetch: Fetch,
        marks: frozenset[str] = frozenset(),
        refresh: timedelta = REFRESH,
        retry: timedelta = RETRY,
    ) -> None:
        if not anchors or any(not anchor.keys for anchor in anchors):
            raise Malformed(
                "trust.federation_anchor", "A federation needs an anchor with keys that this service can use."
            )
        self._anchors = {entity_id(anchor.id): anchor for anchor in anchors}
        self._fetch, self._marks, self._retry = fetch, marks, retry
        self._entities: Sources[str, Entity | SsiError] = Sources(self._load, size=_SIZE, refresh=refresh, retry=retry)

    @property
    def anchors(self) -> frozenset[str]:
        """The identifiers of the anchors."""
        return frozenset(self._anchors)

    def resolve(self, entity: str, *, now: datetime) -> Entity:
        """An entity by its identifier, if there is a valid chain to an anchor now.

        Raises Unavailable (`trust.list_unavailable`, `trust.list_stale`) when nobody could be asked, Refused or
        Malformed (`trust.federation_*`, `jose.*`) when there is no such chain.
        """
        found = self._entities.current(entity_id(entity), now=now)
        if isinstance(found, SsiError):
            raise type(found)(found.code, found.detail)
        return found

    def _load(self, entity: str, before: Entity | SsiError | None, now: datetime) -> Published[Entity | SsiError]:
        """What is known for sure is kept, a refusal for the retry time; what could not be asked is no answer."""
        search = Search(self._anchors, fetch=self._fetch, now=now)
        try:
            chain = search.chain(entity)
        except Unavailable:
            raise
        except SsiError as error:
            return Published(type(error)(error.code, error.detail), now + self._retry)
        marks = {kind: _mark(chain, kind, search, now) for kind in sorted(self._marks)}
        undecided = any(isinstance(mark, Unavailable) for mark in marks.values())
        until = min(chain.expires, now + self._retry) if undecided else chain.expires
        return Published(Entity(entity, chain.path, chain.metadata, marks, chain.expires), until)


def _mark(chain: Chain, kind: str, search: Search, now: datetime) -> Mark:
    try:
        return trust_marks.valid(chain, kind, resolve=search.chain, now=now)
    except SsiError as error:
        return type(error)(error.code, error.detail)
