"""Merkle trees against the definition itself (RFC 9162 §2.1), the vectors of Certificate Transparency, and forgers."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.errors import Malformed, Refused
from ssi.ledger import merkle
from ssi.ledger.merkle import Tree

ENTRIES = [sha256(number.to_bytes(2, "big")).digest() for number in range(131)]
LEAVES = [merkle.leaf_hash(one) for one in ENTRIES]


def split(size: int) -> int:
    """The largest power of two smaller than the size."""
    return 1 << (size - 1).bit_length() - 1


def root(leaves: Sequence[bytes]) -> bytes:
    """MTH (§2.1.1)."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    k = split(len(leaves))
    return sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()


def path(place: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH (§2.1.3.1)."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if place < k:
        return [*path(place, leaves[:k]), root(leaves[k:])]
    return [*path(place - k, leaves[k:]), root(leaves[:k])]


def subproof(size: int, leaves: Sequence[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF (§2.1.4.1)."""
    if size == len(leaves):
        return [] if whole else [root(leaves)]
    k = split(len(leaves))
    if size <= k:
        return [*subproof(size, leaves[:k], whole), root(leaves[k:])]
    return [*subproof(size - k, leaves[k:], False), root(leaves[:k])]


@pytest.mark.parametrize("size", range(1, 131))
def test_trees_are_those_of_the_definition(size: int) -> None:
    tree = Tree(ENTRIES[:size])
    assert tree.root == root(LEAVES[:size]) == Tree(b"".join(ENTRIES[:size])).root
    assert len(tree) == size
    for index in range(size):
        proof = tree.prove(index)
        assert list(proof) == path(index, LEAVES[:size])
        merkle.verify_inclusion(tree.root, size=size, index=index, leaf=LEAVES[index], path=proof)


@pytest.mark.parametrize("size", [*range(1, 34), 63, 64, 65, 127, 128, 129, 130])
def test_longer_trees_begin_with_shorter_ones(size: int) -> None:
    tree = Tree(ENTRIES[:size])
    for first in range(1, size + 1):
        proof, before = tree.prove_consistency(first), root(LEAVES[:first])
        assert list(proof) == subproof(first, LEAVES[:size], True)
        merkle.verify_consistency(before, tree.root, first=first, second=size, path=proof)
        for wrong in (bytes(32), LEAVES[0] if before != LEAVES[0] else LEAVES[1]):
            with pytest.raises(Refused):
                merkle.verify_consistency(wrong, tree.root, first=first, second=size, path=proof)
            with pytest.raises(Refused):
                merkle.verify_consistency(
                    before, wrong if size > 1 else bytes(32), first=first, second=size, path=proof
                )


def test_roots_of_certificate_transparency() -> None:
    """The inputs that implementations of RFC 6962 share; theirs are of any length, so the leaves go in as hashes."""
    inputs = [
        bytes.fromhex(text)
        for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
    ]
    known = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    leaves = [merkle.leaf_hash(one) for one in inputs]
    for size, expected in known.items():
        assert root(leaves[:size]).hex() == expected
        tree = Tree.__new__(Tree)
        tree._levels = merkle._levels(b"".join(leaves[:size]))
        assert tree.root.hex() == expected
        for index in range(size):
            merkle.verify_inclusion(
                bytes.fromhex(expected), size=size, index=index, leaf=leaves[index], path=tree.prove(index)
            )
    assert Tree([]).root.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_entries_have_one_size() -> None:
    for wrong in (b"x", [b"x"], [bytes(33), bytes(31)]):
        with pytest.raises(Malformed) as refusal:
            Tree(wrong)
        assert refusal.value.code == "ledger.entries"
    for index in (-1, 3):
        with pytest.raises(Malformed):
            Tree(ENTRIES[:3]).prove(index)
    for size in (0, 4):
        with pytest.raises(Malformed):
            Tree(ENTRIES[:3]).prove_consistency(size)


def test_a_node_is_no_leaf() -> None:
    """Without the prefixes, the two children of a node would be an entry of 64 bytes."""
    tree = Tree(ENTRIES[:4])
    inner = merkle.node_hash(LEAVES[0], LEAVES[1])
    other = merkle.node_hash(LEAVES[2], LEAVES[3])
    merkle.verify_inclusion(tree.root, size=2, index=0, leaf=inner, path=[other])  # as hashes they look alike, but
    assert merkle.leaf_hash(LEAVES[0] + LEAVES[1]) != inner  # nobody has an entry whose leaf this is


SIZES = st.integers(1, 130)


@given(SIZES, st.data())
def test_a_changed_path_leads_elsewhere(size: int, data: st.DataObject) -> None:
    tree, index = Tree(ENTRIES[:size]), data.draw(st.integers(0, size - 1))
    path = list(tree.prove(index))
    kind = data.draw(st.sampled_from(["flip", "drop", "add", "swap", "leaf", "index", "short"]))
    leaf = LEAVES[index]
    if kind == "leaf" or not path:
        leaf = LEAVES[(index + 1) % 131]
    elif kind == "flip":
        at, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
        path[at] = (int.from_bytes(path[at], "big") ^ 1 << bit).to_bytes(32, "big")
    elif kind == "drop":
        path.pop(data.draw(st.integers(0, len(path) - 1)))
    elif kind == "add":
        path.insert(data.draw(st.integers(0, len(path))), data.draw(st.sampled_from(LEAVES)))
    elif kind == "swap" and len(path) > 1:
        path.reverse()
    elif kind == "short":
        path[-1] = path[-1][:31]
    else:
        other = data.draw(st.integers(0, size - 1).filter(lambda one: one != index))
        index = other
    with pytest.raises(Refused) as refusal:
        merkle.verify_inclusion(tree.root, size=size, index=index, leaf=leaf, path=path)
    assert refusal.value.code == "ledger.inclusion"


@given(
    st.just(bytes(32)),
    st.integers(-2, 2**70),
    st.integers(-2, 2**70),
    st.lists(st.binary(max_size=33), max_size=80),
)
def test_random_paths_are_refused(wrong: bytes, size: int, index: int, path: list[bytes]) -> None:
    with pytest.raises(Refused):
        merkle.verify_inclusion(wrong, size=size, index=index, leaf=b"\x01" * 32, path=path)
    with pytest.raises(Refused):
        merkle.verify_consistency(wrong, b"\x01" * 32, first=index, second=size, path=path)


@given(SIZES, st.data())
def test_a_changed_consistency_proof_is_refused(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, size))
    path = list(Tree(ENTRIES[:size]).prove_consistency(first))
    if path and data.draw(st.booleans()):
        path[data.draw(st.integers(0, len(path) - 1))] = bytes(32)
    elif path and data.draw(st.booleans()):
        path.pop(data.draw(st.integers(0, len(path) - 1)))
    else:
        path.append(LEAVES[0])
    with pytest.raises(Refused) as refusal:
        merkle.verify_consistency(root(LEAVES[:first]), root(LEAVES[:size]), first=first, second=size, path=path)
    assert refusal.value.code == "ledger.consistency"
