"""What a proof says about itself: by which key, what for, when, for whom, and after which other proofs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ssi.encoding import Json
from ssi.errors import Malformed

PURPOSES: Final = ("assertionMethod", "authentication")
"""What proofs are made for here (Data Integrity 1.0 §2.5); others are refused, as nobody here could ask for them."""

MAX_PROOFS: Final = 16
_MAX_TEXT: Final = 2048
_MOMENT: Final = re.compile(  # XML Schema 1.1 part 2 §3.4.28, with a year that a datetime holds
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,18})?(?:Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20]+", re.ASCII)


@dataclass(frozen=True)
class Options:
    """A proof's options, read (Data Integrity 1.0 §2.1)."""

    id: str | None
    purpose: str
    method: str
    created: datetime | None
    expires: datetime | None
    domains: frozenset[str]
    challenge: str | None
    previous: tuple[str, ...]


def read(proof: Mapping[str, Json]) -> Options:
    """Read a proof's options. Raises Malformed (`proof.*`) for what Data Integrity 1.0 §2.1 forbids."""
    for name in ("type", "proofPurpose", "verificationMethod"):  # §4.4 step 4
        if not isinstance(proof.get(name), str) or not proof[name]:
            raise Malformed("proof.incomplete", f"The proof has no {name!r} that is a text.")
    named, method = _text(proof, "id"), proof["verificationMethod"]
    if len(method) > _MAX_TEXT or not _URL.fullmatch(method) or (named is not None and not _URL.fullmatch(named)):
        raise Malformed("proof.url", "The proof's identifier or its verification method is not a URL.")
    _text(proof, "nonce")
    return Options(
        id=named,
        purpose=proof["proofPurpose"],
        method=method,
        created=_moment(proof, "created"),
        expires=_moment(proof, "expires"),
        domains=frozenset(_texts(proof, "domain")),
        challenge=_text(proof, "challenge"),
        previous=_texts(proof, "previousProof"),
    )


def write(moment: datetime) -> str:
    """An instant as a proof has it.

    >>> write(datetime(2026, 11, 20, 12, 0, tzinfo=UTC))
    '2026-11-20T12:00:00Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def one_or_all(texts: str | Sequence[str]) -> Json:
    """Texts as a proof has them: one as itself, several as a list.

    >>> one_or_all(("verifier.test",))
    'verifier.test'
    """
    if isinstance(texts, str):
        return texts
    return texts[0] if len(texts) == 1 else list(texts)


def _moment(proof: Mapping[str, Json], name: str) -> datetime | None:
    value = proof.get(name)
    if value is None and name not in proof:
        return None
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise Malformed("proof.time", f"{name!r} in the proof is not a time with its zone.")
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise Malformed("proof.time", f"{name!r} in the proof is not a time that exists.") from None


def _text(proof: Mapping[str, Json], name: str) -> str | None:
    value = proof.get(name)
    if value is None and name not in proof:
        return None
    if not isinstance(value, str) or not value or len(value) > _MAX_TEXT:
        raise Malformed("proof.text", f"{name!r} in the proof is not a text, or too long a one.")
    return value


def _texts(proof: Mapping[str, Json], name: str) -> tuple[str, ...]:
    value = proof.get(name)
    if value is None and name not in proof:
        return ()
    listed = value if isinstance(value, list) else [value]
    if not listed or len(listed) > MAX_PROOFS:
        raise Malformed("proof.text", f"{name!r} in the proof names nothing, or too much.")
    for text in listed:
        if not isinstance(text, str) or not text or len(text) > _MAX_TEXT:
            raise Malformed("proof.text", f"{name!r} in the proof is neither a text nor a list of texts.")
    return tuple(listed)
