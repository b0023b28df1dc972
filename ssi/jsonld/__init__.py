"""What does this JSON-LD document say, and which bytes say it? Safe-mode reading and RDFC-1.0, with no network.

    canonical(document)         the bytes that Data Integrity's rdfc suites hash
    to_quads(document)          its statements as lines of N-Quads
    canonicalize(quads)         canonical lines, and which blank node got which label
    select, skolemized, deskolemized        for selective disclosure: parts of a document and their statements

Contexts come from `schemas.CONTEXTS` or are written into the document; any other is refused at once. A member that no
statement would carry is refused too, so what is signed is what is read (see `ssi.jsonld.walking`).
"""

from __future__ import annotations

from collections.abc import Mapping

from ssi.encoding import Json
from ssi.jsonld.blanknodes import Labels
from ssi.jsonld.canonicalization import Canonical, Hash, canonicalize, written
from ssi.jsonld.contexts import loaded
from ssi.jsonld.limits import DEFAULT, Limits
from ssi.jsonld.pointers import parse, resolve, select
from ssi.jsonld.skolemizing import deskolemized, skolemized
from ssi.jsonld.walking import Walk

__all__ = [
    "DEFAULT",
    "Canonical",
    "Hash",
    "Limits",
    "canonical",
    "canonicalize",
    "check",
    "deskolemized",
    "loaded",
    "parse",
    "resolve",
    "select",
    "skolemized",
    "to_quads",
]


def check(document: Mapping[str, Json], *, limits: Limits = DEFAULT) -> None:
    """Every member of the document means something, by its contexts, that a statement carries.

    Raises Malformed and Unsupported (`jsonld.*`, `jcs.value`).
    """
    to_quads(document, limits=limits)


def to_quads(document: Mapping[str, Json], *, limits: Limits = DEFAULT) -> list[str]:
    """The document's statements as canonical N-Quads write each, with its line end, in no order; repetitions stay.

    Raises as `check` does.
    """
    walk = Walk(limits=limits, labels=Labels())
    walk.document(dict(document))
    return walk.lines


def canonical(
    document: Mapping[str, Json],
    *,
    hash: Hash = "sha256",  # noqa: A002  (RDFC-1.0's word)
    limits: Limits = DEFAULT,
) -> bytes:
    """The document's statements in canonical form (RDFC-1.0), as the bytes that are hashed and signed.

    Raises as `check` does, and Malformed (`jsonld.bomb`).
    """
    return bytes(written(to_quads(document, limits=limits), hash=hash, limits=limits))
