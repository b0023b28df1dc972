"""Selective disclosure: which statements does each part of a document make, and what are its blank nodes called?

Blank nodes have no names of their own, and their canonical labels change with what is shown. So the issuer gives each
one a lasting label, made with a secret key that only the holder also gets, and signs the statements with those; the
holder tells a verifier the labels of the blank nodes that are shown (Data Integrity ECDSA 1.0 §3.4, whose names for
the steps are in brackets; Data Integrity BBS 1.0 §3.2).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ssi import jsonld
from ssi.encoding import Json, b64url
from ssi.errors import Malformed
from ssi.jsonld.labelling import read_quad
from ssi.suites import naming
from ssi.suites.components import MAX_POINTER_LENGTH, MAX_POINTERS

Document = Mapping[str, Json]
Labels = Mapping[str, str]
LabelMaker = Callable[[Labels], dict[str, str]]
"""From canonical labels by input label to lasting labels by input label [labelMapFactoryFunction]."""


@dataclass(frozen=True)
class Group:
    """The statements of one selection: their places among the document's, and themselves with their input labels."""

    places: frozenset[int]
    quads: tuple[str, ...]


@dataclass(frozen=True)
class Grouped:
    """All of a document's statements in their canonical order under lasting labels, and which groups they are in."""

    lines: tuple[str, ...]
    labels: Labels
    groups: Mapping[str, Group]


def hmac_labels(key: bytes) -> LabelMaker:
    """Labels that are HMACs of the canonical ones (§3.4.4) [createHmacIdLabelMapFunction]."""
    return lambda canonical: {node: _hmac(key, label) for node, label in canonical.items()}


def shuffled_labels(key: bytes) -> LabelMaker:
    """Labels b0, b1, … in the order of those HMACs (Data Integrity BBS 1.0) [createShuffledIdLabelMapFunction]."""

    def shuffled(canonical: Labels) -> dict[str, str]:
        made = {node: _hmac(key, label) for node, label in canonical.items()}
        order = {label: f"b{place}" for place, label in enumerate(sorted(made.values()))}
        return {node: order[label] for node, label in made.items()}

    return shuffled


def _hmac(key: bytes, label: str) -> str:
    return "u" + b64url(hmac.digest(key, label.encode(), "sha256"))


def group(document: Document, *, make_labels: LabelMaker, selections: Mapping[str, Sequence[str]]) -> Grouped:
    """Label, order and group a document's statements by JSON pointers (§3.4.16) [canonicalizeAndGroup].

    Raises Malformed (`suite.pointer`, `jsonld.*`).
    """
    naming.check(document)
    skolemized = jsonld.skolemized(document)
    canonical = jsonld.canonicalize(jsonld.deskolemized(jsonld.to_quads(skolemized)))
    labels = make_labels(canonical.labels)
    by_canonical = {label: labels[node] for node, label in canonical.labels.items()}
    lines = relabeled(canonical.lines, by_canonical)
    places = {line: place for place, line in enumerate(lines)}
    groups = {}
    for name, pointers in selections.items():
        selected = revealed(skolemized, pointers) if pointers else None
        quads = jsonld.deskolemized(jsonld.to_quads(selected)) if selected else []
        found = (places.get(line) for line in relabeled(quads, labels))
        groups[name] = Group(frozenset(place for place in found if place is not None), tuple(quads))
    return Grouped(lines, labels, groups)


def revealed(document: Document, pointers: Sequence[str]) -> dict[str, Json]:
    """The part of the document that pointers name, with ids and types on the way there (§3.4.13) [selectJsonLd].

    Raises Malformed (`suite.pointer`).
    """
    if not pointers:
        raise Malformed("suite.pointer", "Nothing of the document is chosen.")
    if len(pointers) > MAX_POINTERS or any(len(pointer) > MAX_POINTER_LENGTH for pointer in pointers):
        raise Malformed("suite.pointer", "There are too many pointers, or one of them is too long.")
    try:
        return dict(jsonld.select(document, pointers))
    except Malformed as cause:
        raise Malformed("suite.pointer", cause.detail) if cause.code.startswith("jsonld.pointer") else cause from None


def verifier_labels(shown: Group, labels: Labels) -> dict[str, str]:
    """From the canonical labels that a verifier of the shown statements will find, to the lasting ones (§3.5.4)."""
    canonical = jsonld.canonicalize(shown.quads)
    return {label: labels[node] for node, label in canonical.labels.items()}


def labeled(document: Document, labels: Labels) -> tuple[str, ...]:
    """A shown document's statements under lasting labels, in order (§3.4.2) [labelReplacementCanonicalizeJsonLd].

    Raises Malformed (`suite.labels`, `jsonld.*`).
    """
    naming.check(document)
    return relabeled(jsonld.canonicalize(jsonld.to_quads(document)).lines, labels)


def relabeled(lines: Iterable[str], labels: Labels) -> tuple[str, ...]:
    """The lines with their blank nodes' labels replaced, in order (§3.4.14) [relabelBlankNodes].

    Only nodes are replaced: text in a literal that looks like one stays. Raises Malformed (`suite.labels`).
    """
    return tuple(sorted([_relabeled(line, labels) if "_:" in line else line for line in lines]))


def _relabeled(line: str, labels: Labels) -> str:
    try:
        if line.startswith("_:") and line.find("_:", 2) < 0:  # only the subject: by far the most
            end = line.index(" ")
            return f"_:{labels[line[2:end]]}{line[end:]}"
        terms = [f"_:{labels[term[2:]]}" if term.startswith("_:") else term for term in read_quad(line) if term]
    except KeyError:
        raise Malformed("suite.labels", "The proof does not name each of the document's blank nodes.") from None
    return " ".join(terms) + " .\n"
