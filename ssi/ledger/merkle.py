"""Merkle trees: is this entry among those that one hash stands for, and did a longer list only add to a shorter one?

RFC 9162 §2.1 with SHA-256. A level of a tree is one run of bytes, 32 for each node; a node without a sibling is lifted
to the next level as it is, which gives the same root as the recursive definition.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from struct import Struct
from typing import Final

from ssi.errors import Malformed, Refused

SIZE: Final = 32
"""Bytes of an entry, a node and a root."""
MAX_DEPTH: Final = 63
"""No path is longer: sizes are below 2^63."""
EMPTY: Final = sha256(b"").digest()
"""The root of a tree without entries."""
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"
_EACH: Final = Struct("32s")
_PAIRS: Final = Struct("64s")


def entry(salt: bytes, core: bytes) -> bytes:
    """What stands in a tree for a credential: only who holds both the salt and the credential can make it again.

    `salt` is 32 random bytes. Raises Malformed (`ledger.salt`).
    """
    if len(salt) != SIZE:
        raise Malformed("ledger.salt", f"A salt has {SIZE} bytes.")
    return sha256(salt + sha256(core).digest()).digest()


def leaf_hash(one: bytes) -> bytes:
    """The leaf of an entry (§2.1.1)."""
    return sha256(_LEAF + one).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The node above two others (§2.1.1)."""
    return sha256(_NODE + left + right).digest()


class Tree:
    """A finished tree over entries of 32 bytes each, given one by one or as one run of bytes; it keeps every level.

    Raises Malformed (`ledger.entries`) for entries of another size.
    """

    def __init__(self, entries: bytes | Iterable[bytes]) -> None:
        run = entries if isinstance(entries, bytes) else _joined(entries)
        if len(run) % SIZE:
            raise Malformed("ledger.entries", f"Every entry of a tree has {SIZE} bytes.")
        self._levels = _levels(_leaves(run))

    def __len__(self) -> int:
        return len(self._levels[0]) // SIZE

    @property
    def root(self) -> bytes:
        """The Merkle Tree Hash of all entries."""
        return self._levels[-1] or EMPTY

    def prove(self, index: int) -> tuple[bytes, ...]:
        """The inclusion path of the entry with this number, lowest sibling first (§2.1.3.1).

        Raises Malformed (`ledger.index`) for an entry that is not there.
        """
        if not 0 <= index < len(self):
            raise Malformed("ledger.index", "The tree has no such entry.")
        path = []
        for level in self._levels[:-1]:
            sibling = (index ^ 1) * SIZE
            if sibling < len(level):  # else the node is lifted
                path.append(level[sibling : sibling + SIZE])
            index >>= 1
        return tuple(path)

    def prove_consistency(self, size: int) -> tuple[bytes, ...]:
        """What shows that the first `size` entries were a tree, and that this one only added to it (§2.1.4.1).

        Raises Malformed (`ledger.index`) unless 0 < size <= the number of entries.
        """
        if not 0 < size <= len(self):
            raise Malformed("ledger.index", "A tree was never larger than it is.")
        if size == len(self):
            return ()
        node, last, height = size - 1, len(self) - 1, 0
        while node & 1:  # the largest full subtree at the end of the smaller tree
            node, last, height = node >> 1, last >> 1, height + 1
        path = [self._node(height, node)] if node else []  # else it is the smaller tree's root, which is known
        while last:
            sibling = node ^ 1
            if sibling * SIZE < len(self._levels[height]):
                path.append(self._node(height, sibling))
            node, last, height = node >> 1, last >> 1, height + 1
        return tuple(path)

    def _node(self, height: int, place: int) -> bytes:
        return self._levels[height][place * SIZE : (place + 1) * SIZE]


def root_from(size: int, index: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """The root that an inclusion path leads to (§2.1.3.2 without its last comparison).

    `leaf` is the leaf's hash. Raises Refused (`ledger.inclusion`) where the path is not one of a tree of this size.
    """
    if not 0 <= index < size:
        raise _not_included()
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if not last or len(sibling) != SIZE:
            raise _not_included()
        if place & 1 or place == last:
            found = sha256(_NODE + sibling + found).digest()
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = sha256(_NODE + found + sibling).digest()
        place, last = place >> 1, last >> 1
    if last:
        raise _not_included()
    return found


def verify_inclusion(root: bytes, *, size: int, index: int, leaf: bytes, path: Sequence[bytes]) -> None:
    """Return when the leaf is number `index` of the `size` leaves under `root` (§2.1.3.2).

    Raises Refused (`ledger.inclusion`).
    """
    if root_from(size, index, leaf, path) != root:
        raise _not_included()


def verify_consistency(
    first_root: bytes, second_root: bytes, *, first: int, second: int, path: Sequence[bytes]
) -> None:
    """Return when the tree of `second` entries begins with the entries of the tree of `first` (§2.1.4.2).

    Raises Refused (`ledger.consistency`).
    """
    if not 0 < first <= second or any(len(one) != SIZE for one in path):
        raise _not_consistent()
    if first == second:
        if path or first_root != second_root:
            raise _not_consistent()
        return
    rest = list(path)
    if first & (first - 1) == 0:  # step 2
        rest.insert(0, first_root)
    if not rest:
        raise _not_consistent()
    node, last = first - 1, second - 1
    while node & 1:  # step 4
        node, last = node >> 1, last >> 1
    if _both_roots(rest, node, last) != (first_root, second_root):
        raise _not_consistent()


def _both_roots(path: Sequence[bytes], node: int, last: int) -> tuple[bytes, bytes]:
    """§2.1.4.2 steps 5 to 7."""
    old = new = path[0]
    for sibling in path[1:]:
        if not last:
            raise _not_consistent()
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise _not_consistent()
    return old, new


def _joined(entries: Iterable[bytes]) -> bytes:
    every = list(entries)
    if any(len(one) != SIZE for one in every):
        raise Malformed("ledger.entries", f"Every entry of a tree has {SIZE} bytes.")
    return b"".join(every)


def _leaves(run: bytes) -> bytes:
    return _hashes(_LEAF, _EACH, run)


def _levels(leaves: bytes) -> list[bytes]:
    levels = [leaves]
    while len(level := levels[-1]) > SIZE:
        whole = len(level) // (2 * SIZE) * 2 * SIZE
        levels.append(_hashes(_NODE, _PAIRS, level[:whole]) + level[whole:])
    return levels


def _hashes(prefix: bytes, parts: Struct, run: bytes) -> bytes:
    """The hash of each part with the prefix before it. A copied state is cheaper than a new one."""
    start, hashes = sha256(prefix).copy, []
    for (part,) in parts.iter_unpack(run):
        one = start()
        one.update(part)
        hashes.append(one.digest())
    return b"".join(hashes)


def _not_included() -> Refused:
    return Refused("ledger.inclusion", "The credential is not in the batch that was anchored.")


def _not_consistent() -> Refused:
    return Refused("ledger.consistency", "The longer list does not begin with the shorter one.")
