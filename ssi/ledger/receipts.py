"""Receipts: since when is this credential anchored, as its holder can show without anybody being asked?

The issuer puts a salted digest of each credential into a tree and anchors the root (`ssi.ledger.anchor`). A receipt is
what leads from one credential to a block: the salt, the path to the root (RFC 9162 §2.1.3, in the CBOR form of COSE
Receipts: [tree size, leaf index, path]), and proofs that the contract's storage held the root in the state of that
block. Whoever checks it needs the hash of one block, that one or a later one to which headers lead, and nothing else.

The salt is with the holder only. Whoever has the tree, or all of the ledger, and not the salt, cannot find out that a
credential is in it, not even with the credential in hand: erasing salt and credential leaves a random number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ssi.cose import cbor
from ssi.encoding import Json, b64url, read_json_object, unb64url
from ssi.errors import Malformed, Refused, Unavailable, Unsupported
from ssi.ledger import anchor, hexes, merkle, proofs, slots
from ssi.ledger.merkle import MAX_DEPTH, SIZE, Tree
from ssi.ledger.proofs import Header
from ssi.ledger.slots import Anchored, Standing

VERSION: Final = 1
MAX_BYTES: Final = 65_536
"""The most that a receipt has as JSON; one with an account of a large chain has some 12 kB."""
MAX_HEADERS: Final = 64
"""How many headers may lead up to a known block: more than a step between two checkpoints should have."""
_LARGEST: Final = 2**63

KnownHash = Callable[[int], bytes | None]
"""The hash of the block with this number, from a checkpoint or a quorum of nodes; None where it is not known.

May raise Unavailable.
"""


@dataclass(frozen=True)
class Place:
    """Where on which chain receipts are from: the TrustAnchor and the registry that it believes (lower-case "0x…")."""

    chain_id: int
    contract: str
    registry: str


@dataclass(frozen=True)
class StateProof:
    """A root's storage proof under a block: the header, those that lead up to a known one, and the tries' nodes.

    `registry_account` and `registry_storage` prove how the identity stood in the registry at that block; () for none.
    """

    header: bytes
    headers: tuple[bytes, ...]
    account: tuple[bytes, ...]
    storage: tuple[bytes, ...]
    registry_account: tuple[bytes, ...] = ()
    registry_storage: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Receipt:
    """What a holder keeps beside a credential, read and not yet checked. `anchored` is what it claims."""

    place: Place
    identity: str
    root: bytes
    size: int
    index: int
    path: tuple[bytes, ...] = field(repr=False)
    salt: bytes = field(repr=False)
    anchored: Anchored
    proof: StateProof = field(repr=False)


@dataclass(frozen=True)
class Proven:
    """What a receipt has proven: by whom, in which batch, since when, and by which block that can be known.

    `known_number` is the block whose hash the caller knew: how final that is, is how final all of this is.
    `standing` is how the identity stood in the registry at `block_number`, where the receipt proves that, too.
    """

    identity: str
    root: bytes
    anchored: Anchored
    block_number: int
    block_at: int
    known_number: int
    standing: Standing | None


# --- the issuer's side ------------------------------------------------------------------------------------------------


def state_proof(
    block: Mapping[str, Json], contract: Json, registry: Json | None = None, *, headers: Sequence[Header] = ()
) -> StateProof:
    """A proof for all receipts of a batch, from what a node answers.

    `block` is the answer to `eth_getBlockByNumber`; `contract` and `registry` are those to `eth_getProof` at that block
    for the TrustAnchor with the root's slot, and for the registry with the identity's slot. Raises Malformed.
    """
    account, storage = _answered(contract)
    registry_account, registry_storage = _answered(registry) if registry is not None else ((), ())
    raw = tuple(header.raw for header in headers)
    return StateProof(Header.from_json(block).raw, raw, account, storage, registry_account, registry_storage)


def build(
    place: Place, identity: str, *, tree: Tree, index: int, salt: bytes, anchored: Anchored, proof: StateProof
) -> Receipt:
    """The receipt of the entry with this number in a batch's tree. Raises Malformed (`ledger.index`)."""
    return Receipt(place, identity, tree.root, len(tree), index, tree.prove(index), salt, anchored, proof)


def write(receipt: Receipt) -> dict[str, Json]:
    """The receipt as JSON."""
    proof = receipt.proof
    return {
        "version": VERSION,
        "chain_id": receipt.place.chain_id,
        "contract": receipt.place.contract,
        "registry": receipt.place.registry,
        "identity": receipt.identity,
        "root": hexes.data(receipt.root),
        "path": b64url(write_path(receipt)),
        "salt": b64url(receipt.salt),
        "anchored": {"block": receipt.anchored.block_number, "at": receipt.anchored.at},
        "proof": {
            "header": hexes.data(proof.header),
            "headers": [hexes.data(one) for one in proof.headers],
            "account": [hexes.data(one) for one in proof.account],
            "storage": [hexes.data(one) for one in proof.storage],
            **_written_registry(proof),
        },
    }


def write_path(receipt: Receipt) -> bytes:
    """The inclusion proof of COSE Receipts for RFC 9162 trees: CBOR of [size, index, [path]]."""
    return cbor.encode([receipt.size, receipt.index, list(receipt.path)])


# --- reading ----------------------------------------------------------------------------------------------------------


def read(document: bytes | str | Mapping[str, Json]) -> Receipt:
    """Read a receipt from anybody. Unknown members are refused: a receipt says one thing, in one way.

    Raises Malformed (`ledger.receipt`, `ledger.receipt_path`, `encoding.*`, `cbor.*`, `ledger.hex`, `ledger.address`),
    Unsupported (`ledger.receipt_version`).
    """
    if isinstance(document, bytes | str):
        document = read_json_object(document, what="receipt", max_bytes=MAX_BYTES)
    if document.get("version") != VERSION or isinstance(document["version"], bool):
        raise Unsupported("ledger.receipt_version", "The receipt is of a version that is not known here.")
    _only(document, _MEMBERS)
    size, index, path = _path(document["path"])
    stated = _object(document["anchored"])
    _only(stated, frozenset(("block", "at")))
    return Receipt(
        place=Place(
            _number(document["chain_id"]),
            hexes.read_address(document["contract"]),
            hexes.read_address(document["registry"]),
        ),
        identity=hexes.read_address(document["identity"]),
        root=hexes.read_data(document["root"], SIZE),
        size=size,
        index=index,
        path=path,
        salt=_bytes(document["salt"], size=SIZE),
        anchored=Anchored(_number(stated["block"]), _number(stated["at"])),
        proof=_proof(_object(document["proof"])),
    )


_MEMBERS: Final = frozenset(
    (
        *("version", "chain_id", "contract", "registry", "identity"),
        *("root", "path", "salt", "anchored", "proof"),
    )
)
_PROOF: Final = frozenset(("header", "headers", "account", "storage"))


def _proof(members: Mapping[str, Json]) -> StateProof:
    _only(members, _PROOF | ({"registry"} & members.keys()))
    registry = _object(members["registry"]) if "registry" in members else None
    if registry is not None:
        _only(registry, frozenset(("account", "storage")))
    return StateProof(
        header=hexes.read_data(members["header"]),
        headers=_many(members["headers"], most=MAX_HEADERS),
        account=_many(members["account"]),
        storage=_many(members["storage"]),
        registry_account=_many(registry["account"]) if registry is not None else (),
        registry_storage=_many(registry["storage"]) if registry is not None else (),
    )


# --- checking ---------------------------------------------------------------------------------------------------------


def check(receipt: Receipt, core: bytes, *, place: Place, identity: str, known_hash: KnownHash) -> Proven:
    """What the receipt proves of a credential, whose `core` its format gives (`model.Format.core`).

    `place` is where the caller's ledger has its contracts, `identity` whose anchor it must be. Nobody is asked anything
    but `known_hash`. Raises Refused (`ledger.receipt_place`, `ledger.receipt_identity`: it is from elsewhere, or
    somebody else's; `ledger.inclusion`: of another credential; `ledger.headers`, `ledger.receipt_block`: its block is
    not the chain's; `ledger.proof`, `ledger.receipt_code`, `ledger.receipt_not_anchored`, `ledger.receipt_anchored`:
    the state does not say what it claims; `ledger.receipt_deactivated`), Malformed, Unavailable
    (`ledger.checkpoint_unknown`, and what `known_hash` raises).
    """
    if (receipt.place.chain_id, *_lower(receipt.place)) != (place.chain_id, *_lower(place)):
        raise Refused("ledger.receipt_place", "The receipt is from another ledger, or from another contract.")
    if receipt.identity.lower() != identity.lower():
        raise Refused("ledger.receipt_identity", "The receipt is about something that somebody else has anchored.")
    return proven(receipt, merkle.entry(receipt.salt, core), known_hash=known_hash)


def proven(receipt: Receipt, entry: bytes, *, known_hash: KnownHash) -> Proven:
    """What the receipt proves of a leaf's entry, by its own account of place and identity. Raises as `check`."""
    leaf = merkle.leaf_hash(entry)
    merkle.verify_inclusion(receipt.root, size=receipt.size, index=receipt.index, leaf=leaf, path=receipt.path)
    header, last = known(receipt.proof, known_hash)
    return Proven(
        identity=receipt.identity,
        root=receipt.root,
        anchored=_anchored(receipt, header),
        block_number=header.number,
        block_at=header.at,
        known_number=last.number,
        standing=_standing(receipt, header),
    )


def known(proof: StateProof, known_hash: KnownHash) -> tuple[Header, Header]:
    """The header that the state is proven under, and the known one that it leads to, which may be the same.

    Raises as `check`.
    """
    header = Header.from_rlp(proof.header)
    last = proofs.descends([Header.from_rlp(raw) for raw in proof.headers], header)
    found = known_hash(last.number)
    if found is None:
        raise Unavailable("ledger.checkpoint_unknown", "The receipt leads to a block that is not known here.")
    if found != last.hash:
        raise Refused("ledger.receipt_block", "The receipt leads to a block that is not the ledger's.")
    return header, last


def _anchored(receipt: Receipt, header: Header) -> Anchored:
    """The storage of the contract that believes this registry, and of no other code."""
    proof, place = receipt.proof, receipt.place
    account = proofs.account_proof(header.state_root, place.contract, proof.account)
    if account.code_hash != hexes.keccak(anchor.code(place.registry)):
        raise Refused("ledger.receipt_code", "What is at the contract's address is not the contract.")
    slot = slots.anchored_slot(receipt.identity, receipt.root)
    found = slots.read_anchored(proofs.storage_proof(account.storage_root, slot, proof.storage))
    if found is None:
        raise Refused("ledger.receipt_not_anchored", "The ledger does not have what the receipt says is anchored.")
    if found != receipt.anchored or found.block_number > header.number:
        raise Refused("ledger.receipt_anchored", "The receipt tells another time than the ledger.")
    return found


def _standing(receipt: Receipt, header: Header) -> Standing | None:
    proof = receipt.proof
    if not proof.registry_account:
        return None
    account = proofs.account_proof(header.state_root, receipt.place.registry, proof.registry_account)
    value = proofs.storage_proof(account.storage_root, slots.identity_slot(receipt.identity), proof.registry_storage)
    standing = slots.read_standing(receipt.identity, value)
    if standing.ended and standing.changed < receipt.anchored.block_number:
        raise Refused("ledger.receipt_deactivated", "The issuer's identity had ended before this was anchored.")
    return standing


# --- small parts ------------------------------------------------------------------------------------------------------


def _lower(place: Place) -> tuple[str, str]:
    return place.contract.lower(), place.registry.lower()


def _written_registry(proof: StateProof) -> dict[str, Json]:
    if not proof.registry_account:
        return {}
    account = [hexes.data(one) for one in proof.registry_account]
    return {"registry": {"account": account, "storage": [hexes.data(one) for one in proof.registry_storage]}}


def _answered(answer: Json) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """The nodes of an answer to `eth_getProof` for one slot."""
    members = _object(answer)
    storage = members.get("storageProof")
    if not isinstance(storage, list) or len(storage) != 1:
        raise Malformed("ledger.receipt", "The node's answer does not prove exactly one slot.")
    return _many(members.get("accountProof")), _many(_object(storage[0]).get("proof"))


def _path(text: Json) -> tuple[int, int, tuple[bytes, ...]]:
    value = cbor.decode(_bytes(text), what="inclusion proof")
    if isinstance(value, list) and len(value) == 3 and isinstance(value[2], list) and len(value[2]) <= MAX_DEPTH:
        size, index, path = value
        numbers = type(size) is int and type(index) is int and 0 <= index < size < _LARGEST
        if numbers and all(isinstance(one, bytes) and len(one) == SIZE for one in path):
            return size, index, tuple(path)
    raise Malformed("ledger.receipt_path", "The receipt's path is not an inclusion proof.")


def _only(members: Mapping[str, Json], names: frozenset[str]) -> None:
    if members.keys() != names:
        raise _malformed()


def _object(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise _malformed()
    return value


def _number(value: Json) -> int:
    if type(value) is not int or not 0 <= value < _LARGEST:
        raise _malformed()
    return value


def _bytes(value: Json, *, size: int | None = None) -> bytes:
    if not isinstance(value, str) or len(value) > MAX_BYTES:
        raise _malformed()
    found = unb64url(value, what="receipt's value")
    if size not in (None, len(found)):
        raise _malformed()
    return found


def _many(value: Json, *, most: int = proofs.MAX_NODES) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise _malformed()
    return tuple(hexes.read_data(one) for one in value)


def _malformed() -> Malformed:
    return Malformed("ledger.receipt", "This is not a receipt.")
