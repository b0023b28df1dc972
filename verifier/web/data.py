"""What is told of a request, as data: one shape for the API and for pages that are read by programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ssi.encoding import Json, printable
from ssi.model import Check, ClaimPath, Finding, Outcome
from verifier import shown, words
from verifier.sessions import View
from verifier.shown import Shown

_MAX_SHOWN: Final = 1000  # characters of one claim on a page; the API has it whole


def instant(second: int | None) -> str | None:
    """A moment as RFC 3339 text.

    >>> instant(0)
    '1970-01-01T00:00:00Z'
    """
    return None if second is None else datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def standing(view: View) -> dict[str, Json]:
    """Where a request stands: what the live page polls. Holds no claims and no findings."""
    return {
        "id": view.id,
        "state": view.state.value,
        "final": view.state.final,
        "awaiting_return": view.awaiting_return,
        "title": view.words.title,
        "message": view.words.sentence,
        "created_at": instant(view.created_at),
        "expires_at": instant(view.expires_at),
    }


def result(view: View) -> dict[str, Json]:
    """All that may be known of a request now.

    `claims` and `credentials` are there only for a verified answer whose claims have not been erased; `claims_state`
    says "none", "kept" or "erased".
    """
    told: dict[str, Json] = {
        **standing(view),
        "asked_for": view.ask.title,
        "purpose": view.ask.purpose,
        "verdict": view.state.value if view.state.judged else None,
        "findings": [shown.finding_json(finding) for finding in view.findings],
        "required": sorted(check.value for check in view.ask.required),
        "claims_state": "kept" if view.credentials is not None else "erased" if view.erased else "none",
        "claims_until": instant(view.claims_until),
    }
    if view.credentials is not None:
        told["claims"] = _by_query(view.credentials)
        told["credentials"] = [
            {"id": one.query_id, "type": one.type, "issuer": one.issuer, "valid_until": instant(one.valid_until)}
            for one in view.credentials
        ]
    return told


def _by_query(credentials: Sequence[Shown]) -> dict[str, list[Mapping[str, Json]]]:
    found: dict[str, list[Mapping[str, Json]]] = {}
    for one in credentials:
        found.setdefault(one.query_id, []).append(one.claims)
    return found


def rows(credential: Shown) -> list[tuple[str, str]]:
    """The claims of a credential as (label, text), nested ones each on their own row.

    >>> rows(Shown("person", "t", "Desk", None, {"age_over_18": True, "document": {"number": "X1"}}))
    [('At least 18', 'Yes'), ('Document number', 'X1')]
    """
    found: list[tuple[str, str]] = []
    _add_rows(found, (), credential.claims)
    return found


def _add_rows(found: list[tuple[str, str]], path: ClaimPath, value: Json) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _add_rows(found, (*path, name), inner)
    elif isinstance(value, list) and any(isinstance(one, Mapping | list) for one in value):
        for index, inner in enumerate(value):
            _add_rows(found, (*path, index), inner)
    else:
        found.append((words.claim_label(path), _plain(value)))


def _plain(value: Json) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value) or "none"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return "none" if value is None else printable(str(value), limit=_MAX_SHOWN)


@dataclass(frozen=True)
class Answered:
    """One check as the page shows it: its outcome is the worst of its findings', its sentences are all of theirs."""

    check: Check
    outcome: Outcome
    sentences: tuple[str, ...]


_WORST: Final = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_ASKED)


def answered(findings: Sequence[Finding]) -> list[Answered]:
    """The checks, those that decided against first, those that nobody asked for last."""
    found = []
    for check in Check:
        own = sorted((one for one in findings if one.check is check), key=lambda one: _WORST.index(one.outcome))
        if own:
            found.append(Answered(check, own[0].outcome, tuple(dict.fromkeys(one.detail for one in own))))
    return sorted(found, key=lambda one: _WORST.index(one.outcome))


def asked(view: View) -> list[str]:
    """The labels of the claims that the query asks for, each once, in its order."""
    labels = [words.claim_label(claim.path) for one in view.ask.query.credentials for claim in one.claims]
    return list(dict.fromkeys(labels))
