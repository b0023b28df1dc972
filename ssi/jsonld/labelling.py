"""Which canonical label does each blank node get? RDFC-1.0's labelling, step by step, with its work counted.

The count bounds what hostile datasets can ask for (RDFC-1.0 §7.1). The issued identifiers map that comes out is what
selective disclosure is built on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Final, NoReturn

from ssi.errors import Malformed
from ssi.jsonld.limits import Limits

_QUAD: Final = re.compile(
    r"(<[^>]*>|_:\S+) (<[^>]*>) "
    r'(<[^>]*>|_:\S+|"(?:[^"\\]++|\\.)*+"(?:@[A-Za-z0-9-]+|\^\^<[^>]*>)?)(?: (<[^>]*>|_:\S+))? \.\n?'
).fullmatch

_DEEPEST: Final = 64
"""How many steps away from each other nodes may be that only their distance tells apart."""

Quad = tuple[str, str, str, str]
"""Subject, predicate, object and graph name as N-Quads write them; the graph name is "" for the default graph."""


def read_quad(line: str) -> Quad:
    """The parts of one line of N-Quads in canonical form. Raises Malformed (`jsonld.nquads`)."""
    found = _QUAD(line)
    if found is None:
        raise Malformed("jsonld.nquads", "A statement is not written as canonical N-Quads have it.")
    subject, predicate, obj, graph = found.groups()
    return subject, predicate, obj, graph or ""


@dataclass(frozen=True)
class Labelled:
    """Statements with the canonical labels of their blank nodes, `_:` included on both sides.

    `named` are the lines without blank nodes, `quads` the others in their parts.
    """

    named: list[str]
    quads: list[Quad]
    labels: Mapping[str, str]


def label(lines: Iterable[str], *, hash: str, limits: Limits) -> Labelled:  # noqa: A002  (RDFC-1.0's word)
    """Find the canonical label of every blank node (RDFC-1.0 §4.4.3).

    Raises Malformed (`jsonld.nquads`, and `jsonld.bomb` when telling the nodes apart would take more than
    `limits.work` steps).
    """
    named: list[str] = []
    quads: dict[str, Quad] = {}
    blanks: dict[str, list[Quad]] = {}
    for line in lines:
        if "_:" not in line:
            named.append(line)
        elif line not in quads:
            subject, _, obj, graph = quads[line] = quad = read_quad(line)
            for part in (subject, obj, graph):
                if part.startswith("_:"):
                    about = blanks.setdefault(part, [])
                    if not about or about[-1] is not quad:
                        about.append(quad)
    if len(blanks) > limits.blank_nodes:
        raise Malformed("jsonld.bomb", "The document has too many nodes without an identifier.")
    if len(blanks) < 2:
        return Labelled(named, [*quads.values()], dict.fromkeys(blanks, "_:c14n0"))
    return Labelled(named, [*quads.values()], _Labelling(blanks, hash, limits.work).run())


def rewritten(quad: Quad, labels: Mapping[str, str]) -> str:
    """The line of N-Quads with these labels for its blank nodes."""
    subject, predicate, obj, graph = quad
    end = f" {labels.get(graph, graph)} .\n" if graph else " .\n"
    return f"{labels.get(subject, subject)} {predicate} {labels.get(obj, obj)}{end}"


class _Issuer:
    """Gives out identifiers in order (RDFC-1.0 §4.3, §4.6)."""

    def __init__(self, prefix: str, given: Mapping[str, str]) -> None:
        self.prefix = prefix
        self.given = dict(given)

    def issue(self, label: str) -> str:
        found = self.given.get(label)
        if found is None:
            found = self.given[label] = f"{self.prefix}{len(self.given)}"
        return found

    def copy(self) -> _Issuer:
        return _Issuer(self.prefix, self.given)


class _Labelling:
    """One run over one dataset. `work`: how many steps it may still take."""

    def __init__(self, blanks: Mapping[str, list[Quad]], name: str, work: int) -> None:
        self._blanks = blanks
        self._digest: Callable[[bytes], hashlib._Hash] = hashlib.sha256 if name == "sha256" else hashlib.sha384
        self._work = work
        self._depth = 0
        self._first: dict[str, str] = {}
        self._canonical = _Issuer("_:c14n", {})

    def run(self) -> dict[str, str]:
        """RDFC-1.0 §4.4.3 steps 3 to 5."""
        by_hash: dict[str, list[str]] = {}
        for label in self._blanks:
            first = self._first[label] = self._first_degree(label)
            by_hash.setdefault(first, []).append(label)
        alike = []
        for first in sorted(by_hash):
            if len(by_hash[first]) == 1:
                self._canonical.issue(by_hash[first][0])
            else:
                alike.append(by_hash[first])
        for labels in alike:
            results = []
            for label in labels:
                if label not in self._canonical.given:
                    issuer = _Issuer("_:b", {})
                    issuer.issue(label)
                    results.append(self._n_degree(label, issuer))
            for _, issuer in sorted(results, key=lambda result: result[0]):
                for label in issuer.given:
                    self._canonical.issue(label)
        return self._canonical.given

    def _hash(self, text: str) -> str:
        return self._digest(text.encode()).hexdigest()

    def _first_degree(self, label: str) -> str:
        """Hash First Degree Quads (§4.6.3): what the node's own statements say, others' names left out."""
        lines = []
        for subject, predicate, obj, graph in self._blanks[label]:
            parts = (_masked(subject, label), predicate, _masked(obj, label), _masked(graph, label))
            lines.append(" ".join(part for part in parts if part) + " .\n")
        return self._hash("".join(sorted(lines)))

    def _related(self, related: str, predicate: str, issuer: _Issuer, position: str) -> str:
        """Hash Related Blank Node (§4.7.3)."""
        name = self._canonical.given.get(related) or issuer.given.get(related) or self._first[related]
        return self._hash(f"{position}{predicate if position != 'g' else ''}{name}")

    def _n_degree(self, label: str, issuer: _Issuer) -> tuple[str, _Issuer]:
        """Hash N-Degree Quads (§4.8.3): what the neighbours say, in the order that reads first."""
        groups: dict[str, list[str]] = {}
        self._spend(len(self._blanks[label]))
        self._depth += 1
        if self._depth > _DEEPEST:
            _refuse()
        for subject, predicate, obj, graph in self._blanks[label]:
            for related, position in ((subject, "s"), (obj, "o"), (graph, "g")):
                if related.startswith("_:") and related != label:
                    groups.setdefault(self._related(related, predicate, issuer, position), []).append(related)
        data = ""
        for related_hash in sorted(groups):
            path, issuer = self._best(groups[related_hash], issuer)
            data += related_hash + path
        self._depth -= 1
        return self._hash(data), issuer

    def _best(self, labels: list[str], issuer: _Issuer) -> tuple[str, _Issuer]:
        """The first of all paths through nodes that look alike from here (§4.8.3 step 5)."""
        chosen, chosen_issuer = "", issuer
        for order in permutations(labels):
            self._spend(len(labels))
            found = self._path(order, issuer.copy(), chosen)
            if found is not None and (not chosen or found[0] < chosen):
                chosen, chosen_issuer = found
        return chosen, chosen_issuer

    def _path(self, order: tuple[str, ...], issuer: _Issuer, chosen: str) -> tuple[str, _Issuer] | None:
        """One path (§4.8.3 steps 5.4.2 to 5.4.5), or None as soon as it is certain to read after the chosen one."""
        path, deeper = "", []
        for label in order:
            name = self._canonical.given.get(label)
            if name is None:
                if label not in issuer.given:
                    deeper.append(label)
                name = issuer.issue(label)
            path += name
            if chosen and len(path) >= len(chosen) and path > chosen:
                return None
        for label in deeper:
            result, found = self._n_degree(label, issuer)
            path += f"{issuer.issue(label)}<{result}>"
            issuer = found
            if chosen and len(path) >= len(chosen) and path > chosen:
                return None
        return path, issuer

    def _spend(self, steps: int) -> None:
        self._work -= steps
        if self._work < 0:
            _refuse()


def _refuse() -> NoReturn:
    raise Malformed("jsonld.bomb", "The document's nodes without identifiers are too many alike.")


def _masked(part: str, label: str) -> str:
    if not part.startswith("_:"):
        return part
    return "_:a" if part == label else "_:z"
