"""Which bytes do these statements make, whoever writes them down? RDF Dataset Canonicalization (RDFC-1.0).

pyoxigraph reads N-Quads from outside. The canonical labels are `ssi.jsonld.labelling`'s: pyoxigraph 0.5.13 gives other
ones than RDFC-1.0 where named graphs hold nodes that look alike, has no limits, and keeps the labels to itself (see
docs/adr/0008-json-ld.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pyoxigraph import Dataset, RdfFormat, parse

from ssi.errors import Malformed
from ssi.jsonld.labelling import label, rewritten
from ssi.jsonld.limits import DEFAULT, Limits

Hash = Literal["sha256", "sha384"]


@dataclass(frozen=True)
class Canonical:
    """A dataset in canonical form: `lines` are its N-Quads in code point order, each with its line end.

    `labels` is the issued identifiers map, source label → canonical label, both without `_:` (RDFC-1.0 §4.4.3 step 6).
    """

    lines: tuple[str, ...]
    labels: Mapping[str, str]

    def __bytes__(self) -> bytes:
        return "".join(self.lines).encode()


def canonicalize(
    quads: Iterable[str] | str,
    *,
    hash: Hash = "sha256",  # noqa: A002  (RDFC-1.0's word)
    limits: Limits = DEFAULT,
) -> Canonical:
    """The canonical form of a dataset (RDFC-1.0 §4.4): any N-Quads as one text, or lines as `to_quads` writes them.

    Raises Malformed (`jsonld.nquads`, `jsonld.size`, `jsonld.bomb`).
    """
    lines = _lines(_read(quads, limits)) if isinstance(quads, str) else list(quads)
    return written(lines, hash=hash, limits=limits)


def written(lines: list[str], *, hash: Hash, limits: Limits) -> Canonical:  # noqa: A002  (as above)
    """The canonical form of statements that are already written as canonical N-Quads write each.

    Raises Malformed (`jsonld.nquads`, `jsonld.size`, `jsonld.bomb`).
    """
    if len(lines) > limits.quads:
        raise Malformed("jsonld.size", "There are too many statements.")
    labelled = label(lines, hash=hash, limits=limits)
    found = {*labelled.named, *(rewritten(quad, labelled.labels) for quad in labelled.quads)}
    return Canonical(tuple(sorted(found)), {node[2:]: name[2:] for node, name in labelled.labels.items()})


def _read(text: str, limits: Limits) -> Dataset:
    """N-Quads as a dataset, blank node labels kept. Raises Malformed (`jsonld.nquads`, `jsonld.size`)."""
    if text.count("\n") > limits.quads:
        raise Malformed("jsonld.size", "There are too many statements.")
    try:
        # Lenient about the insides of IRIs, which the walk checks as far as N-Quads need it; so is jsonld.js.
        return Dataset(parse(text.encode(), format=RdfFormat.N_QUADS, lenient=True))
    except (SyntaxError, UnicodeEncodeError):
        raise Malformed("jsonld.nquads", "The statements are not N-Quads.") from None


def _lines(dataset: Dataset) -> list[str]:
    return [f"{line}\n" for line in str(dataset).split("\n") if line]
