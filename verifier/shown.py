"""What is kept of an accepted answer: the claims that were asked for and nothing else, and how findings are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from ssi import dcql
from ssi.encoding import Json, read_json, write_json
from ssi.errors import Malformed
from ssi.formats.paths import NOTHING_CLOSED, Selected, placed, selected
from ssi.model import Check, ClaimPath, Finding, Opened, Outcome
from ssi.trust import x509


@dataclass(frozen=True)
class Shown:
    """One accepted credential, cut down to what was asked: `claims` nested as in the credential."""

    query_id: str
    format: str
    type: str
    issuer: str
    valid_until: int | None
    claims: Mapping[str, Json]

    @property
    def json(self) -> dict[str, Json]:
        """As the API shows it."""
        return {
            "id": self.query_id,
            "format": self.format,
            "type": self.type,
            "issuer": self.issuer,
            "valid_until": self.valid_until,
            "claims": self.claims,
        }


def show(query: dcql.Query, opened: Mapping[str, Sequence[Opened]]) -> tuple[Shown, ...]:
    """The accepted credentials, cut down. A claim that the wallet sent unasked is dropped here and never stored."""
    found = []
    for query_id, credentials in opened.items():
        asked = query.credential(query_id)
        paths = [claim.path for claim in asked.claims] if asked else []
        for one in credentials:
            until = None if one.valid_until is None else _second(one.valid_until)
            claims = cut(one.claims, paths, closed=one.closed)
            found.append(Shown(query_id, one.format, one.type, issuer_name(one), until, claims))
    return tuple(found)


def issuer_name(opened: Opened) -> str:
    """How a page calls the issuer of an accepted credential: the name in its certificate, else its identifier."""
    if opened.issuer.x5c:
        return x509.leaf(opened.issuer.x5c).name
    return opened.issuer.id or "unnamed issuer"


def cut(
    claims: Mapping[str, Json], paths: Iterable[ClaimPath], *, closed: Set[ClaimPath] = NOTHING_CLOSED
) -> dict[str, Json]:
    """The claims that `paths` select, in their order, nested as they were; other elements of an array close up.

    >>> cut({"name": "A", "document": {"type": "P", "number": "1"}}, [("document", "type")])
    {'document': {'type': 'P'}}
    """
    kept: dict[ClaimPath, None] = {}
    for path in paths:
        try:
            kept.update((found.path, None) for found in selected(claims, path, closed=closed))
        except Malformed:
            continue
    pruned = _prune(Selected((), claims), tuple(kept), closed)
    return pruned if isinstance(pruned, dict) else {}


def _prune(found: Selected, kept: tuple[ClaimPath, ...], closed: Set[ClaimPath]) -> Json:
    """The part of a claim that lies on the way to a kept path, or under one."""
    at, value = found
    if at in kept:
        return value
    if isinstance(value, Mapping):
        names = dict.fromkeys(one[len(at)] for one in kept if one[: len(at)] == at)
        return {name: _prune(Selected((*at, name), value[name]), kept, closed) for name in names}
    inside = placed(at, value, closed) if isinstance(value, list | tuple) else []
    return [_prune(one, kept, closed) for one in inside if _leads(one.path, kept)]


def _leads(path: ClaimPath, kept: tuple[ClaimPath, ...]) -> bool:
    return any(one[: len(path)] == path for one in kept)


def write_shown(shown: Sequence[Shown]) -> bytes:
    """For the sealed column."""
    return write_json([one.json for one in shown])


def read_shown(stored: bytes) -> tuple[Shown, ...]:
    """From the sealed column."""
    return tuple(
        Shown(one["id"], one["format"], one["type"], one["issuer"], one["valid_until"], one["claims"])
        for one in read_json(stored, what="stored claims")
    )


def finding_json(finding: Finding) -> dict[str, Json]:
    """A finding as the API and the store write it."""
    return {
        "check": finding.check.value,
        "outcome": finding.outcome.value,
        "code": finding.code,
        "detail": finding.detail,
        "evidence": dict(finding.evidence),
    }


def write_findings(findings: Sequence[Finding]) -> bytes:
    """For the store: each as `finding_json` has it, in one go where what they hold allows it."""
    plain = all(type(finding.evidence) is dict for finding in findings)
    return write_json(list(findings) if plain else [finding_json(finding) for finding in findings])


def read_findings(stored: bytes) -> tuple[Finding, ...]:
    """From the store."""
    return tuple(
        Finding(Check(one["check"]), Outcome(one["outcome"]), one["code"], one["detail"], one["evidence"])
        for one in read_json(stored, what="stored findings")
    )


def _second(moment: datetime) -> int:
    return int(moment.timestamp())
