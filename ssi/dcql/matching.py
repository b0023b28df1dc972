"""Matching: which of the credentials held can answer a query, and what would be shown (OpenID4VP 1.0 §6.4)?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ssi import formats
from ssi.dcql.authorities import Certified, certified_by_any, nobody
from ssi.dcql.query import CredentialQuery, CredentialSet, Query
from ssi.dcql.reading import Meter, Reading
from ssi.errors import Unsupported
from ssi.formats.paths import shown_by
from ssi.model import ClaimPath, Opened


@dataclass(frozen=True)
class Holding:
    """A credential that somebody holds: its name in their store, and what it says."""

    id: str
    format: str
    opened: Opened


@dataclass(frozen=True)
class Candidate:
    """One credential that answers one credential query, and what showing it means. All paths are concrete.

    `paths` are the claims asked for, to be put into a `Disclosure`. `shown` are the hideable claims that this reveals,
    `hidden` those that it does not, `always` the claims that nobody can hide (an object with all that is in it, or its
    members where some of them can be hidden).
    """

    holding_id: str
    paths: tuple[ClaimPath, ...]
    shown: tuple[ClaimPath, ...]
    hidden: tuple[ClaimPath, ...]
    always: tuple[ClaimPath, ...]


@dataclass(frozen=True)
class Missing:
    """Why nothing held answers a credential query. For the holder's eyes only: it tells what their credentials say."""

    query_id: str
    code: str
    detail: str


@dataclass(frozen=True)
class Match:
    """What a holder can answer. `sets` are the query's, each with the options that can be answered now."""

    options: Mapping[str, tuple[Candidate, ...]]
    missing: tuple[Missing, ...]
    sets: tuple[CredentialSet, ...]

    @property
    def answerable(self) -> bool:
        """Can all that is required be answered? If not, nothing may be (§6.4.2)."""
        return all(one.options for one in self.sets if one.required)

    @property
    def suggested(self) -> tuple[str, ...]:
        """The credential queries to answer when nobody chooses otherwise: the first option of each required set."""
        if not self.answerable:
            return ()
        return tuple(dict.fromkeys(name for one in self.sets if one.required for name in one.options[0]))


_OFFER = 20  # what an offer costs beside its claims, in units of `ssi.dcql.reading`
_REASONS = {
    "dcql.no_format": "There is no credential of the kind asked for.",
    "dcql.no_type": "There is no credential of the type asked for.",
    "dcql.no_binding": "The credential is bound to no key of yours, and a proof of possession is asked for.",
    "dcql.no_authority": "No credential comes from an authority that the asker accepts.",
    "dcql.no_claims": "The credential does not have the claims asked for.",
}


def match(query: Query, holdings: Sequence[Holding], *, certified: Certified = nobody) -> Match:
    """Find what answers the query (§6.4). Only claims that the rules select are ever offered.

    `certified` knows whom trusted lists and federations certify (§6.1.1); key identifiers are compared without it.

    Raises Malformed (`dcql.work`) for a query that would take too long, and as contexts do that are not known.
    """
    options: dict[str, tuple[Candidate, ...]] = {}
    missing: list[Missing] = []
    meter = Meter()
    readings = [(holding, Reading(holding.opened, meter)) for holding in holdings]
    for wanted in query.credentials:
        verdicts = [_candidate(wanted, holding, reading, certified) for holding, reading in readings]
        found = tuple(verdict for verdict in verdicts if isinstance(verdict, Candidate))
        if found:
            options[wanted.id] = found
        else:
            missing.append(_missing(wanted.id, [verdict for verdict in verdicts if isinstance(verdict, str)]))
    return Match(options, tuple(missing), tuple(_answerable(one, options) for one in query.sets))


def _answerable(one: CredentialSet, options: Mapping[str, object]) -> CredentialSet:
    return CredentialSet(tuple(o for o in one.options if all(name in options for name in o)), one.required)


def _missing(query_id: str, codes: Sequence[str]) -> Missing:
    """The reason of the credential that came furthest."""
    order = list(_REASONS)
    code = max(codes, key=order.index, default=order[0])
    return Missing(query_id, code, _REASONS[code])


def _candidate(wanted: CredentialQuery, holding: Holding, reading: Reading, certified: Certified) -> Candidate | str:
    """The credential as an answer, or the code of the first reason why it is none."""
    opened = holding.opened
    reading.meter.spend(1)
    if holding.format != wanted.format or not _known(wanted.format):
        return "dcql.no_format"
    if not formats.by_id(wanted.format).meets(wanted.meta, opened):
        return "dcql.no_type"
    if wanted.holder_binding and opened.holder is None:
        return "dcql.no_binding"
    if not certified_by_any(wanted.authorities, opened.issuer, certified=certified):
        return "dcql.no_authority"
    paths = answered(wanted, reading)
    if paths is None:
        return "dcql.no_claims"
    reading.meter.spend(_OFFER + len(opened.disclosed) + len(paths))
    shown = shown_by(opened.disclosed, [reading.whole(path) for path in paths])
    open_ = set(shown)
    hidden = tuple(path for path in opened.disclosed if path not in open_)
    return Candidate(holding.id, paths, shown, hidden, reading.always)


def _known(format_id: str) -> bool:
    try:
        formats.by_id(format_id)
    except Unsupported:
        return False
    return True


def answered(wanted: CredentialQuery, reading: Reading) -> tuple[ClaimPath, ...] | None:
    """The concrete paths of the first combination of claims that the credential has, or None (§6.4.1).

    Raises Malformed (`dcql.work`).
    """
    for claims in wanted.alternatives:
        found: dict[ClaimPath, None] = {}
        for claim in claims:
            paths = reading.answers(claim)
            if not paths:
                break
            found |= dict.fromkeys(paths)
        else:
            return tuple(found)
    return None
