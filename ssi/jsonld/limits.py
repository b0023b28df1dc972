"""How much may one document ask of the canonicalizer? Bounds that honest credentials never meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ssi.errors import Malformed


@dataclass(frozen=True)
class Limits:
    """Bounds on one document or dataset; beyond any of them it is refused before the work is done.

    `characters` bounds what the statements repeat: one long identifier stands in each statement about its node. `work`
    counts what grows without measure in RDFC-1.0: the steps of telling alike blank nodes apart
    (Hash N-Degree Quads and the permutations that it tries; RDFC-1.0 §7.1 on dataset poisoning). `contexts` counts the
    terms that are gone through for contexts that were not met before.
    """

    quads: int = 4096
    characters: int = 4_194_304
    blank_nodes: int = 1024
    depth: int = 32
    work: int = 8192
    contexts: int = 10_240


DEFAULT: Final = Limits()


class Budget:
    """What one document may still spend on contexts.

    Any two are equal, so that a cache does not tell one document's budget from another's.
    """

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, steps: int) -> None:
        """Count some steps. Raises Malformed (`jsonld.context_size`) when they are too many."""
        self.left -= steps
        if self.left < 0:
            raise Malformed("jsonld.context_size", "The document's JSON-LD contexts take too much reading.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Budget)

    def __hash__(self) -> int:
        return 0
