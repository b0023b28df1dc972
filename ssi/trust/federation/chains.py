"""Trust chains: is there a path of signatures from this entity up to an anchor that we have chosen (§4, §10)?

From the entity upwards, one superior after another and the shortest paths first; loops are not followed, and what one
search may ask for is bounded. What an anchor says of itself must be signed by a key of the settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final
from urllib.parse import urlencode

from ssi.errors import Refused, SsiError, Unavailable
from ssi.fetch import Fetch
from ssi.trust.federation import metadata, statements
from ssi.trust.federation.statements import MAX_BYTES, STATEMENT, Keys, Metadata, Statement

MAX_LENGTH: Final = 8
"""How many entities a path may have, anchor and subject included."""
MAX_REQUESTS: Final = 24
"""How many statements one search may ask for: an entity chooses its superiors, and they theirs."""
MAX_SILENT: Final = 2
"""After how many unanswered requests a search ends: somebody waits for it."""
_WELL_KNOWN: Final = "/.well-known/openid-federation"


@dataclass(frozen=True)
class Anchor:
    """A trust anchor: its entity identifier, and its federation keys by `kid`, known beforehand (§10.1)."""

    id: str
    keys: Keys


@dataclass(frozen=True)
class Chain:
    """A valid trust chain: from the subject's configuration to the anchor's, what the subject is, and until when."""

    statements: tuple[Statement, ...]
    metadata: Metadata
    expires: datetime

    @property
    def subject(self) -> Statement:
        """The subject's own configuration."""
        return self.statements[0]

    @property
    def anchor(self) -> Statement:
        """The anchor's own configuration."""
        return self.statements[-1]

    @property
    def path(self) -> tuple[str, ...]:
        """The entities that the chain goes through, from the subject up to the anchor."""
        return tuple(dict.fromkeys(each.subject for each in self.statements))


class Search:
    """One search: what has been asked for already is not asked for again, and there is an end to it (§10.1)."""

    def __init__(self, anchors: Mapping[str, Anchor], *, fetch: Fetch, now: datetime) -> None:
        self._anchors, self._fetch, self._now = anchors, fetch, now
        self._seen: dict[str, Statement | SsiError] = {}

    def chain(self, entity: str) -> Chain:
        """The shortest valid chain of an entity.

        Raises Refused (`trust.federation_no_path`, or what the first broken chain is refused for), Malformed,
        Unsupported, and Unavailable when a path could not be followed to its end.
        """
        subject = self._configuration(entity)
        if entity in self._anchors:
            return validate((subject,), anchor=self._anchors[entity], now=self._now)
        paths: list[tuple[Statement, ...]] = [(subject,)]
        problems: list[SsiError] = []
        while paths:
            longer: list[tuple[Statement, ...]] = []
            for path in paths:
                found = self._above(path, longer, problems)
                if found is not None:
                    return found
            paths = longer
        raise _worst(problems)

    def _above(
        self, path: tuple[Statement, ...], longer: list[tuple[Statement, ...]], problems: list[SsiError]
    ) -> Chain | None:
        """A valid chain one step further up; other ways up are added to `longer`, what went wrong to `problems`.

        A path is the subject's configuration and the statements about it and its superiors; the last one's issuer is
        the entity reached.
        """
        entity = path[-1].issuer
        on_it = {each.subject for each in path} | {entity}
        hints = self._configuration(entity).hints  # known: nobody gets here without it
        for hint in sorted(hints, key=lambda each: each not in self._anchors):
            if hint in on_it:
                continue  # §10.1: "If a loop is detected, the authority hint that led to it MUST NOT be used."
            try:
                superior = self._configuration(hint)
                further = (*path, self._about(entity, superior))
                if hint in self._anchors:
                    return validate((*further, superior), anchor=self._anchors[hint], now=self._now)
                if len(on_it) + 1 < MAX_LENGTH:
                    longer.append(further)
            except SsiError as error:
                problems.append(error)
        return None

    def _configuration(self, entity: str) -> Statement:
        """An entity's own configuration (§9), with its own signature. Raises what reading and fetching raise."""
        found = self._get(f"{entity.removesuffix('/')}{_WELL_KNOWN}")
        if found.subject != entity or not found.about_itself:
            raise Refused("trust.federation_other", "An entity's configuration is about another entity.")
        statements.verify(found.token, found.keys)
        return found

    def _about(self, entity: str, superior: Statement) -> Statement:
        """What a superior states about an entity (§8.1.1). Its signature is judged with the chain."""
        endpoint = statements.fetch_endpoint(superior)
        found = self._get(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode({'sub': entity})}")
        if (found.issuer, found.subject) != (superior.subject, entity):
            raise Refused("trust.federation_other", "A superior's statement is about another entity, or another's.")
        return found

    def _get(self, url: str) -> Statement:
        if url not in self._seen:
            try:
                self._seen[url] = self._asked(url)
            except SsiError as error:
                self._seen[url] = error
        found = self._seen[url]
        if isinstance(found, SsiError):
            raise type(found)(found.code, found.detail)
        return found

    def _asked(self, url: str) -> Statement:
        silent = [each for each in self._seen.values() if isinstance(each, Unavailable)]
        if len(silent) >= MAX_SILENT:
            raise Unavailable(silent[0].code, silent[0].detail)
        if len(self._seen) >= MAX_REQUESTS:
            raise Refused("trust.federation_size", "The federation leads through more entities than are followed.")
        answer = self._fetch.get(url, accept=f"application/{STATEMENT}", max_bytes=MAX_BYTES)
        if 400 <= answer.status < 500 and answer.status not in (408, 429):  # §8.9: `not_found`, `invalid_request`
            raise Refused("trust.federation_not_found", "The federation has no statement about an entity.")
        if answer.status != 200:
            raise Unavailable("trust.federation_unavailable", "A statement of the federation could not be had.")
        return statements.read(answer.body, now=self._now)


def validate(chain: Sequence[Statement], *, anchor: Anchor, now: datetime) -> Chain:
    """The chain ES[0] … ES[i], if it is one (§10.2), with the subject's metadata as §6 resolves it.

    Raises Refused (`trust.federation_chain`, `trust.federation_expired`, `trust.federation_key`, `jose.signature`, …).
    """
    for each in chain:  # the required claims were read with each statement
        statements.timely(each.issued, each.expires, now=now)
    if not chain[0].about_itself or not chain[-1].about_itself or chain[-1].issuer != anchor.id:
        raise Refused("trust.federation_chain", "The chain does not lead from the entity to the anchor.")
    if any(lower.issuer != upper.subject for lower, upper in pairwise(chain)):
        raise Refused("trust.federation_chain", "Two statements of the chain do not belong together.")
    if len(chain) > 1 and chain[1].issuer not in chain[0].hints:  # §3.2; the search sees to it for those above
        raise Refused("trust.federation_chain", "The superior in the chain is none that the entity names.")
    statements.verify(chain[0].token, chain[0].keys)
    for lower, upper in pairwise(chain):
        statements.verify(lower.token, upper.keys)
    statements.verify(chain[-1].token, anchor.keys)
    return Chain(tuple(chain), metadata.resolve(chain), min(each.expires for each in chain))


def _worst(problems: Sequence[SsiError]) -> SsiError:
    """Why there is no chain: not known where something could not be asked, else the first reason, else no way up."""
    for error in problems:
        if isinstance(error, Unavailable):
            return error
    return (
        problems[0]
        if problems
        else Refused(
            "trust.federation_no_path", "The entity's superiors do not lead to a trust anchor that is trusted here."
        )
    )
