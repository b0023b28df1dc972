"""What is told of a request, as data: one shape for the API and for pages that are read by programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Final
from urllib.parse import unquote

from ssi import formats
from ssi.encoding import Json, printable
from ssi.formats import pictures
from ssi.model import Check, ClaimPath, Finding, Outcome
from verifier import shown, words
from verifier.shown import Shown
from verifier.viewing import View
from verifier.words import State

_DID_WEB: Final = "did:web:"
_DID_WEBVH: Final = "did:webvh:"
_FOLDED_FROM: Final = 6  # a claim of more rows than this is folded
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

    `transactions` says what the person was asked to authorise, and whether a verified answer authorises it.
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
    if view.ask.transactions:
        authorised = view.state is State.VERIFIED
        told["transactions"] = [{**one.json, "authorised": authorised} for one in view.ask.transactions]
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

    >>> rows(Shown("person", "dc+sd-jwt", "t", "Desk", None, {"age_over_18": True, "document": {"number": "X1"}}))
    [('At least 18', 'Yes'), ('Document number', 'X1')]
    """
    within = formats.by_id(credential.format).within
    return [(words.claim_label(within(path)), _plain(value)) for path, value in _leaves((), credential.claims)]


def grouped(lines: Sequence[tuple[str, str]]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Rows as a page lists them: a claim of many rows under its own name, to be unfolded; "" names the others.

    >>> grouped([("At least 18", "Yes")])
    [('', [('At least 18', 'Yes')])]
    """
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for name, members in groupby(lines, key=lambda line: line[0].partition(": ")[0]):
        own = list(members)
        if len(own) > _FOLDED_FROM:
            found.append((name, [(_inside(label, name), text) for label, text in own]))
        elif found and not found[-1][0]:
            found[-1][1].extend(own)
        else:
            found.append(("", own))
    return found


def _inside(label: str, name: str) -> str:
    inside = label.removeprefix(f"{name}: ")
    return inside[:1].upper() + inside[1:]


def said_by(issuer: str) -> str:
    """An issuer as a page names it: of a DID on the web, the address of its site.

    >>> said_by("did:web:desk.example%3A8441"), said_by("Facet Desk")
    ('desk.example:8441', 'Facet Desk')
    >>> said_by("did:webvh:QmQ14u:desk.example%3A8441")
    'desk.example:8441'
    """
    if issuer.startswith(_DID_WEBVH):  # its first part is the digest of its beginning (SCID)
        issuer = _DID_WEB + issuer.removeprefix(_DID_WEBVH).partition(":")[2]
    if not issuer.startswith(_DID_WEB):
        return issuer
    return printable(unquote(issuer.removeprefix(_DID_WEB).replace(":", "/")), limit=_MAX_SHOWN)


def _leaves(path: ClaimPath, value: Json) -> Iterator[tuple[ClaimPath, Json]]:
    """The values of a claim that are shown in one line each: plain ones, and lists of plain ones."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves((*path, name), inner)
    elif isinstance(value, list) and any(isinstance(one, Mapping | list) for one in value):
        for index, inner in enumerate(value):
            yield from _leaves((*path, index), inner)
    else:
        yield path, value


def _plain(value: Json) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value) or "none"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if value is None:
        return "none"
    return pictures.in_words(value) or printable(str(value), limit=_MAX_SHOWN)


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
    """The labels of the claims that the query asks for, each once, in its order; of several forms the first one's."""
    return _labels(_asked_paths(view)[0])


def wholes(view: View) -> list[str]:
    """The labels of what some form of the card can show as a whole only, where less of it is asked for."""
    first, others = _asked_paths(view)
    return _labels([path for path in others if any(_within(path, one) for one in first)])


def _within(path: ClaimPath, less: ClaimPath) -> bool:
    """Does a path lead to a part of what is at another? All elements of a list are no part, but the whole list."""
    return less[: len(path)] == path and any(part is not None for part in less[len(path) :])


def _asked_paths(view: View) -> tuple[list[ClaimPath], list[ClaimPath]]:
    """What is asked of the first form of each card, and of the others, as paths from the subject."""
    first = {name for one in view.ask.query.sets for name in one.options[0]}
    found: tuple[list[ClaimPath], list[ClaimPath]] = ([], [])
    for one in view.ask.query.credentials:
        within = formats.by_id(one.format).within
        found[one.id not in first].extend(within(claim.path) for claim in one.claims)
    return found


def _labels(paths: Sequence[ClaimPath]) -> list[str]:
    return list(dict.fromkeys(words.claim_label(path) for path in paths))
