"""Sets and chains: which proofs does a document have, and which of them does each one continue?

A proof without `previousProof` is over the document alone; one with it is over the document and the proofs it names
(Data Integrity 1.0 §2.1.1, §2.1.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.suites.options import MAX_PROOFS

MAX_WORK: Final = 8192
"""How many values a document may have, times its proofs: each proof is over all of them again."""

_TEXT: Final = 256  # characters of text that count as one more value
Document = Mapping[str, Json]


def proofs(document: Document) -> tuple[Document, ...]:
    """The document's proofs, one object or a list of them (§2.1), in their order; no two have one id.

    Raises Malformed (`proof.none`, `proof.many`, `proof.form`, `proof.id_repeated`).
    """
    value = document.get("proof", [])
    listed = value if isinstance(value, list) else [value]
    if not listed:
        raise Malformed("proof.none", "The document has no proof.")
    if len(listed) > MAX_PROOFS:
        raise Malformed("proof.many", f"The document has more than {MAX_PROOFS} proofs.")
    ids = []
    for proof in listed:
        if not isinstance(proof, Mapping):
            raise Malformed("proof.form", "A proof of the document is not an object.")
        if isinstance(proof.get("id"), str):
            ids.append(proof["id"])
    if len(ids) != len(set(ids)):
        raise Malformed("proof.id_repeated", "Two proofs of the document have the same identifier.")
    return tuple(listed)


def bounded(document: Document, every: Sequence[Document]) -> None:
    """Return when the document is small enough for so many proofs. Raises Malformed (`proof.work`)."""
    allowed = MAX_WORK // len(every)
    level: list[Json] = [dict(document)]
    while level:
        below: list[Json] = []
        for value in level:
            if isinstance(value, str):
                allowed -= len(value) // _TEXT
            elif isinstance(value, dict):
                below += value.values()
            elif isinstance(value, list):
                below += value
        allowed -= len(level)
        if allowed < 0:
            raise Malformed("proof.work", "The document is too large for the number of its proofs.")
        level = below


def unsecured(document: Document) -> dict[str, Json]:
    """The document without its proofs."""
    return {name: value for name, value in document.items() if name != "proof"}


def continued(previous: Sequence[str], every: Sequence[Document]) -> tuple[int, ...]:
    """The places of the proofs with these ids (§4.3 steps 4 and 5, §4.5 step 3.2).

    Raises Malformed (`proof.previous_missing`).
    """
    if not previous:
        return ()
    places = tuple(place for place, proof in enumerate(every) if proof.get("id") in previous)
    if len(places) != len(set(previous)):
        raise Malformed("proof.previous_missing", "The proof continues one that the document does not have.")
    return places


def input_document(bare: Document, every: Sequence[Document], places: Sequence[int]) -> Document:
    """What one proof is over: the document without proofs, and the proofs that it continues (§4.5 step 3.3)."""
    return {**bare, "proof": [every[place] for place in places]} if places else bare
