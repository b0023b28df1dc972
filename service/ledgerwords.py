"""The ledger in plain words: what do its facts say to somebody who has never heard of one?

Facts are the plain data of a look at a ledger (`answered_at`, `accreditors`, `issuers`, …); templates use `WORDS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final
from urllib.parse import unquote

from ssi.encoding import printable

SURE: Final[Mapping[str | None, tuple[str, str]]] = {
    "finalized": ("good", "Final"),
    "confirmed": ("good", "Confirmed"),
    "pending": ("wait", "Not settled yet"),
    "failed": ("bad", "Failed"),
    None: ("wait", "Not on the ledger yet"),
}
"""How sure something is: the kind of badge, and its words."""
STANDS: Final[Mapping[str, tuple[str, str]]] = {
    "stands": ("good", "Counts"),
    "early": ("wait", "Begins soon"),
    "over": ("unknown", "Has run out"),
    "withdrawn": ("bad", "Withdrawn"),
}
"""How a grant stands: the kind of badge, and its words."""
_MAY: Final[Mapping[tuple[str, ...], str]] = {
    ("issue",): "issue",
    ("accredit",): "let others issue",
    ("issue", "accredit"): "issue, and let others issue,",
}
_USES: Final[Mapping[str, str]] = {
    "assertionMethod": "sign credentials",
    "authentication": "sign in",
    "keyAgreement": "receive encrypted messages",
    "capabilityInvocation": "act in its name",
    "capabilityDelegation": "pass its rights on",
}
_STEPS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"created with (\d+ keys?)", r"Created, with \1."),
        (r"deactivated", "Given up for good: nothing it signs counts any more."),
        (r"moved to (.+)", r"Moved to a new address: \1."),
        (r"key (.+) added", r"A new key came into use: \1."),
        (r"key (.+) removed", r"A key was retired: \1."),
        (r"key (.+) replaced", r"A key was replaced under the same name: \1."),
        (r"key (.+) now for (\w+)", r"The key \1 may now {\2}."),
        (r"key (.+) no longer for (\w+)", r"The key \1 may no longer {\2}."),
        (r"controller (.+) added", r"May now be changed by \1."),
        (r"controller (.+) removed", r"May no longer be changed by \1."),
        (r"other name (.+) added", r"Linked to another name of its own: \1."),
        (r"other name (.+) removed", r"No longer linked to the name \1."),
        (r"service (.+) added", r"A service was listed: \1."),
        (r"service (.+) removed", r"A service was taken off the list: \1."),
        (r"service (.+) changed", r"A service changed: \1."),
        (r"nothing that shows", "A new version; its keys, services and names stayed as they were."),
    )
)
_MINUTE: Final = len("2026-11-20T12:05")
_ENDS: Final = 4
_LONG: Final = 24
_NAME: Final = re.compile(r"(?:#|did:|0x)[^\s]{24,}(?<![.:,])")
_SHOWN: Final = 200


def day(text: str | None, among: Iterable[str | None] = ()) -> str:
    """A time as people read it; to the second where another one `among` those beside it is of the same minute.

    >>> day("2026-11-20T12:05:07Z")
    '20 November 2026, 12:05 UTC'
    >>> day("2026-11-20T12:05:07Z", among=["2026-11-20T12:05:07Z", "2026-11-20T12:05:30Z"])
    '20 November 2026, 12:05:07 UTC'
    """
    if text is None:
        return ""
    at = datetime.fromisoformat(text).astimezone(UTC)
    shared = {one for one in among if one is not None and one != text and one[:_MINUTE] == text[:_MINUTE]}
    return f"{at:%-d %B %Y, %H:%M:%S} UTC" if shared else f"{at:%-d %B %Y, %H:%M} UTC"


def date(text: str | None) -> str:
    """The day of a time.

    >>> date("2026-11-20T12:05:00Z")
    '20 November 2026'
    """
    return "" if text is None else f"{datetime.fromisoformat(text).astimezone(UTC):%-d %B %Y}"


def short(text: str) -> str:
    """The two ends of a long hexadecimal number or name, enough to tell it from others at a glance.

    >>> short("0x00112233445566778899aabbccddeeff00112233")
    '0x0011…2233'
    """
    if len(text) <= _LONG:
        return text
    head = _ENDS + 2 if text.startswith("0x") else _ENDS + 4
    return f"{text[:head]}…{text[-_ENDS:]}"


def who(did: str) -> str:
    """What a DID is called in a sentence: the place where it is published, or its account.

    >>> who("did:webvh:QmScid:desk.test%3A8441:people")
    'desk.test:8441/people'
    >>> who("did:ethr:0xface7:0x00112233445566778899aabbccddeeff00112233")
    'Account 0x0011…2233'
    """
    method, _, rest = did.removeprefix("did:").partition(":")
    if method == "webvh":
        rest = rest.partition(":")[2]
    if method in {"web", "webvh"}:
        return printable("/".join(unquote(part) for part in rest.split(":")), limit=_SHOWN)
    if method == "ethr":
        return f"Account {short(rest.rpartition(':')[2])}"
    return short(did)


def step(words: str) -> str:
    """One change of a DID as a sentence.

    >>> step("key #k1 no longer for assertionMethod")
    'The key #k1 may no longer sign credentials.'
    """
    for pattern, sentence in _STEPS:
        found = pattern.fullmatch(words)
        if found is not None:
            named = pattern.sub(sentence, words)
            return re.sub(r"\{(\w+)\}", lambda use: _USES.get(use[1], f"be used for {use[1]}"), named)
    return words


def brief(sentence: str) -> tuple[str, str | None]:
    """A sentence with its long name shortened, and the whole name; None where nothing was shortened.

    >>> brief("A key was retired: #zDnaeUKTWUXc1HDpGfKbEK31nKLN19yX5aunFd7VK1CUMeyJu.")
    ('A key was retired: #zDnaeUK…eyJu.', '#zDnaeUKTWUXc1HDpGfKbEK31nKLN19yX5aunFd7VK1CUMeyJu')
    """
    found = _NAME.search(sentence)
    if found is None:
        return sentence, None
    return sentence.replace(found[0], short(found[0])), found[0]


def list_name(address: str) -> str:
    """Which status list it is, by its address: enough to tell it from the desk's others.

    >>> list_name("https://desk.test/status/3fcc5669210e72df")
    'Status list 3fcc5669210e72df'
    >>> list_name("https://desk.test/status/3fcc5669210e72df/revocation")
    'Status list 3fcc5669210e72df, revocation only'
    """
    name, _, purpose = address.partition("/status/")[2].partition("/")
    return f"Status list {printable(name, limit=_LONG)}" + (
        f", {printable(purpose, limit=_LONG)} only" if purpose else ""
    )


def grant(told: Mapping[str, Any]) -> str:
    """What somebody may do, since when, and until when or when it was withdrawn."""
    kind = f"“{told['type']}”" if told["type"] else "a kind of card that this service does not know"
    may = "could" if told["state"] in {"over", "withdrawn"} else "may"
    does = _MAY.get(tuple(told["rights"]), "do nothing with")
    said = f"{may.capitalize()} {does} {kind} since {date(told['granted_at'])}"
    if told["state"] == "withdrawn":
        return f"{said}; withdrawn on {date(told['until'])}."
    if told["until"] is None:
        return f"{said}, without an end."
    return f"{said}, {'until' if told['state'] != 'over' else 'which ended on'} {date(told['until'])}."


def grant_badge(told: Mapping[str, Any]) -> tuple[str, str]:
    """Kind and words of a grant's badge: what stands counts only when all above it does."""
    if told["finality"] == "pending":
        return SURE["pending"]
    return ("bad", "Does not count") if told["state"] == "stands" and not told["counts"] else STANDS[told["state"]]


def quiet(issuer: Mapping[str, Any]) -> bool:
    """Is there nothing to tell of it: no change, no batch, no trouble?"""
    told = any(issuer[name] for name in ("problem", "ended", "states", "descriptions"))
    return not told and len(issuer["history"]) <= 1 and not (issuer["anchors"] and issuer["anchors"]["count"])


def member(told: Mapping[str, Any]) -> str:
    """What one in the tree is called."""
    return who(told["did"]) if told["did"] else f"Account {short(told['address'])}"


def numbers() -> Callable[[], int]:
    """1, 2, 3, …: what sets the parts of one page apart from each other."""
    return count(1).__next__


WORDS: Final[Mapping[str, Any]] = {
    "day": day,
    "short": short,
    "who": who,
    "step_words": step,
    "brief": brief,
    "list_name": list_name,
    "grant_words": grant,
    "member_name": member,
    "sure": SURE,
    "grant_badge": grant_badge,
    "date": date,
    "quiet": quiet,
}
"""Names and functions for templates; beside them each page needs a `number` of its own (`numbers`)."""
