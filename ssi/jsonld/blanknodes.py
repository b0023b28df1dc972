"""What are nodes without an identifier called while a document is read?"""

from __future__ import annotations

import hashlib

from ssi.encoding import Json
from ssi.errors import Malformed
from ssi.jsonld.iris import blank_label

Bearer = tuple[dict[str, Json], str]
"""An object, and the name of its member that holds its identifier."""


class Labels:
    """Gives out blank node labels, `_:` included, during one walk.

    The nodes that lack an identifier are remembered in `unnamed`, so that they can be given one.
    """

    def __init__(self) -> None:
        self.count = 0
        self.unnamed: list[tuple[Bearer, str]] = []
        self.by_text = False
        self._stated: dict[str, str] = {}
        self._joints: dict[str, int] = {}

    def fresh(self, element: dict[str, Json]) -> str:
        """The label of a node object that has no identifier: the next number."""
        label = f"_:b{self.count}"
        self.count += 1
        self.unnamed.append(((element, "@id"), label))
        return label

    def stated(self, label: str, bearer: Bearer | None) -> str:
        """The label for one that the document states: a number too, so it cannot collide with those given here.

        `bearer` is the member that gives it to a node; None where it is only text that refers to one.
        Raises Malformed (`jsonld.blank_node`) for what N-Quads could not write.
        """
        found = self._stated.get(label)
        if found is None:
            if not blank_label(label):
                raise Malformed("jsonld.blank_node", "The document has a blank node identifier that is none.")
            found = self._stated[label] = f"_:b{self.count}"
            self.count += 1
        if bearer is None:
            self.by_text = True
        else:
            self.unnamed.append((bearer, found))
        return found

    def joint(self, subject: str, predicate: str) -> str:
        """The label of what only RDF needs, a list's cell or the name of a graph.

        It is made of the statement that leads there, and of how many such there were before, so that it is the same in
        a document and in a selection from it.
        """
        place = hashlib.sha256(f"{subject} {predicate}".encode()).hexdigest()[:32]
        number = self._joints[place] = self._joints.get(place, -1) + 1
        self.count += 1
        return f"_:j{place}n{number}"
