"""Receipts from both nodes: what proves that a credential was anchored, and every way to forge that."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssi.cose import cbor
from ssi.encoding import b64url
from ssi.errors import Malformed, Refused, SsiError, Unavailable, Unsupported
from ssi.ledger import anchor, merkle, receipts, slots
from ssi.ledger.receipts import Proven, Receipt
from tests.ledger.anchoring import CORES, Batch, anchored, ended
from tests.ledger.deployed import Deployed


@pytest.fixture(scope="session")
def _batches() -> dict[str, Batch]:
    return {}


@pytest.fixture
def batch(deployed: Deployed, _batches: dict[str, Batch]) -> Batch:
    """One batch on each node, shared."""
    if deployed.node.name not in _batches:
        _batches[deployed.node.name] = anchored(deployed)
    return _batches[deployed.node.name]


def checked(batch: Batch, receipt: Receipt, core: bytes = CORES[2], **changes: Any) -> Proven:
    """What a verifier makes of a receipt who knows only the block of the anchor."""
    asked = {"place": batch.place, "identity": batch.identity, "known_hash": batch.known(batch.anchored.block_number)}
    return receipts.check(receipt, core, **{**asked, **changes})


def refused(batch: Batch, receipt: Receipt, core: bytes = CORES[2], **changes: Any) -> str:
    with pytest.raises(Refused) as refusal:
        checked(batch, receipt, core, **changes)
    return refusal.value.code


# --- what holds -------------------------------------------------------------------------------------------------------


def test_every_credential_of_a_batch_has_a_receipt_that_holds(batch: Batch) -> None:
    proof = batch.proof(batch.anchored.block_number)
    for index, core in enumerate(CORES):
        receipt = receipts.read(json.dumps(receipts.write(batch.receipt(index, proof))))
        found = checked(batch, receipt, core)
        assert (found.identity, found.root, found.anchored) == (batch.identity, batch.tree.root, batch.anchored)
        assert found.block_number == found.known_number == batch.anchored.block_number
        assert found.block_at == batch.anchored.at
        assert found.standing is not None
        assert found.standing.owner == batch.identity
        assert not found.standing.ended


def test_the_ledger_says_the_same(batch: Batch, deployed: Deployed) -> None:
    said = anchor.TrustAnchor(batch.chain, deployed.anchor).anchored(batch.identity, batch.tree.root)
    assert said == batch.anchored


def test_headers_lead_up_to_a_block_that_is_known(batch: Batch) -> None:
    first = batch.anchored.block_number
    for _ in range(3):
        batch.actor.does(batch.place.contract, anchor.anchor(batch.identity, secrets.token_bytes(32)))
    headers = [batch.header(first + step) for step in (1, 2, 3)]
    receipt = batch.receipt(2, batch.proof(first, headers=headers))
    found = checked(batch, receipts.read(receipts.write(receipt)), known_hash=batch.known(first + 3))
    assert (found.block_number, found.known_number) == (first, first + 3)
    with pytest.raises(Unavailable) as unknown:  # the older of the two is not what it leads to
        checked(batch, receipt, known_hash=batch.known(first))
    assert unknown.value.code == "ledger.checkpoint_unknown"
    gap = replace(receipt, proof=replace(receipt.proof, headers=receipt.proof.headers[1:]))
    assert refused(batch, gap, known_hash=batch.known(first + 3)) == "ledger.headers"


def test_a_later_block_proves_an_earlier_anchor(batch: Batch) -> None:
    later = batch.actor.does(batch.place.contract, anchor.anchor(batch.identity, secrets.token_bytes(32))).block
    found = checked(batch, batch.receipt(2, batch.proof(later)), known_hash=batch.known(later))
    assert (found.anchored, found.block_number) == (batch.anchored, later)


def test_the_registry_need_not_be_proven(batch: Batch) -> None:
    receipt = batch.receipt(2, batch.proof(batch.anchored.block_number, registered=False))
    assert checked(batch, receipts.read(receipts.write(receipt))).standing is None


def test_an_identity_that_ended_later_had_anchored_before(deployed: Deployed) -> None:
    batch = anchored(deployed)
    end = ended(batch, deployed)
    found = checked(batch, batch.receipt(2, batch.proof(end)), known_hash=batch.known(end))
    assert found.standing is not None
    assert (found.standing.ended, found.standing.changed) == (True, end)


# --- forgeries --------------------------------------------------------------------------------------------------------


def test_a_receipt_is_for_one_credential(batch: Batch) -> None:
    assert refused(batch, batch.receipt(2), CORES[3]) == "ledger.inclusion"
    assert refused(batch, replace(batch.receipt(2), salt=batch.salts[3])) == "ledger.inclusion"
    assert refused(batch, replace(batch.receipt(2), index=3)) == "ledger.inclusion"


def test_a_receipt_is_from_one_place_and_by_one_identity(batch: Batch, deployed: Deployed) -> None:
    receipt, other = batch.receipt(2), deployed.actor().address
    for change in ({"chain_id": 1}, {"contract": other}, {"registry": other}):
        assert refused(batch, receipt, place=replace(batch.place, **change)) == "ledger.receipt_place"
    assert refused(batch, receipt, identity=other) == "ledger.receipt_identity"
    assert refused(batch, replace(receipt, identity=other), identity=other) == "ledger.proof"


def test_a_block_that_nobody_knows_is_no_answer(batch: Batch) -> None:
    with pytest.raises(Unavailable) as unknown:
        checked(batch, batch.receipt(2), known_hash=lambda _number: None)
    assert unknown.value.code == "ledger.checkpoint_unknown"
    assert refused(batch, batch.receipt(2), known_hash=lambda _number: bytes(32)) == "ledger.receipt_block"


def test_what_was_never_anchored_is_not_proven_by_the_absence(batch: Batch) -> None:
    tree = merkle.Tree([merkle.entry(batch.salts[2], CORES[2])])
    forged = replace(batch, tree=tree)
    receipt = replace(forged.receipt(0), salt=batch.salts[2])
    assert refused(batch, receipt) == "ledger.receipt_not_anchored"


def test_another_time_is_refused(batch: Batch) -> None:
    for stated in (slots.Anchored(batch.anchored.block_number - 1, batch.anchored.at), slots.Anchored(1, 1)):
        assert refused(batch, replace(batch.receipt(2), anchored=stated)) == "ledger.receipt_anchored"


def test_another_contract_at_the_address_is_refused(batch: Batch, deployed: Deployed) -> None:
    code = bytes.fromhex("600b600c600039600b6000f3600160005260206000f3")
    place = replace(batch.place, contract=batch.actor.deploys(code))
    there = replace(batch, place=place)
    number = int(deployed.node.rpc.call("eth_blockNumber", []), 16)
    receipt = there.receipt(2, there.proof(number))
    assert refused(there, receipt, known_hash=batch.known(number)) == "ledger.receipt_code"


def test_every_node_and_every_byte_of_the_proof_counts(batch: Batch) -> None:
    receipt = batch.receipt(2)
    proof = receipt.proof
    assert len(proof.account) > 1
    assert len(proof.storage) > 1
    for part in ("account", "storage", "registry_account", "registry_storage"):
        nodes: tuple[bytes, ...] = getattr(proof, part)
        for place, node in enumerate(nodes):
            for at in {0, 1, len(node) // 2, len(node) - 1}:
                bad = node[:at] + bytes([node[at] ^ 1]) + node[at + 1 :]
                forged = (*nodes[:place], bad, *nodes[place + 1 :])
                assert refused(batch, replace(receipt, proof=replace(proof, **{part: forged}))) == "ledger.proof"
        variants = [nodes[1:], nodes[:-1], (*nodes, nodes[-1]), (nodes[0], *nodes), (*nodes, b"\x80")]
        for wrong in variants:
            if part == "registry_account" and not wrong:
                continue  # then nothing is claimed about the registry
            assert refused(batch, replace(receipt, proof=replace(proof, **{part: wrong}))) == "ledger.proof"


def test_every_byte_of_the_header_counts(batch: Batch) -> None:
    receipt = batch.receipt(2)
    header = receipt.proof.header
    for at in range(0, len(header), 7):
        bad = header[:at] + bytes([header[at] ^ 1]) + header[at + 1 :]
        with pytest.raises(SsiError):
            checked(batch, replace(receipt, proof=replace(receipt.proof, header=bad)))


# --- reading ----------------------------------------------------------------------------------------------------------

Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "kind", "code"),
    [
        (lambda r: r.update(version=2), Unsupported, "ledger.receipt_version"),
        (lambda r: r.update(version=True), Unsupported, "ledger.receipt_version"),
        (lambda r: r.pop("version"), Unsupported, "ledger.receipt_version"),
        (lambda r: r.update(more=1), Malformed, "ledger.receipt"),
        (lambda r: r.pop("salt"), Malformed, "ledger.receipt"),
        (lambda r: r.update(chain_id="1"), Malformed, "ledger.receipt"),
        (lambda r: r.update(chain_id=-1), Malformed, "ledger.receipt"),
        (lambda r: r.update(chain_id=True), Malformed, "ledger.receipt"),
        (lambda r: r.update(identity="0x12"), Malformed, "ledger.address"),
        (lambda r: r.update(root="0x12"), Malformed, "ledger.hex"),
        (lambda r: r.update(salt=b64url(bytes(31))), Malformed, "ledger.receipt"),
        (lambda r: r.update(path=b64url(cbor.encode([1, 1, []]))), Malformed, "ledger.receipt_path"),
        (lambda r: r.update(path=b64url(cbor.encode([2, True, []]))), Malformed, "ledger.receipt_path"),
        (lambda r: r.update(path=b64url(cbor.encode([2, 1, [b"x"]]))), Malformed, "ledger.receipt_path"),
        (lambda r: r.update(path=b64url(cbor.encode([2**63, 1, []]))), Malformed, "ledger.receipt_path"),
        (lambda r: r.update(path=b64url(cbor.encode([9, 1, [bytes(32)] * 64]))), Malformed, "ledger.receipt_path"),
        (lambda r: r.update(path="A"), Malformed, "encoding.base64url"),
        (lambda r: r.update(path=b64url(b"\x9f\xff")), Malformed, "cbor.form"),
        (lambda r: r["anchored"].update(at=1.5), Malformed, "ledger.receipt"),
        (lambda r: r["anchored"].update(x=1), Malformed, "ledger.receipt"),
        (lambda r: r["proof"].update(x=[]), Malformed, "ledger.receipt"),
        (lambda r: r["proof"].update(account="0x"), Malformed, "ledger.receipt"),
        (lambda r: r["proof"].update(account=["0x"] * 67), Malformed, "ledger.receipt"),
        (lambda r: r["proof"].update(headers=["0x"] * 65), Malformed, "ledger.receipt"),
        (lambda r: r["proof"].update(storage=["00"]), Malformed, "ledger.hex"),
        (lambda r: r["proof"].update(registry={}), Malformed, "ledger.receipt"),
        (lambda r: r.update(proof=[]), Malformed, "ledger.receipt"),
    ],
)
def test_a_receipt_is_read_strictly(change: Change, kind: type[SsiError], code: str) -> None:
    document = json.loads(json.dumps(SAMPLE))
    change(document)
    with pytest.raises(kind) as refusal:
        receipts.read(document)
    assert refusal.value.code == code


def test_a_receipt_is_bounded() -> None:
    with pytest.raises(Malformed) as refusal:
        receipts.read(json.dumps({**SAMPLE, "more": "x" * receipts.MAX_BYTES}))
    assert refusal.value.code == "encoding.json_size"
    assert receipts.write(receipts.read(SAMPLE)) == SAMPLE


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("0x00"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(["version", "chain_id", "identity", "root", "path", "salt", "anchored", "proof"]), JSON)
def test_nothing_but_refusals_comes_of_nonsense(name: str, value: Any) -> None:
    for document in ({**SAMPLE, name: value}, {**SAMPLE, "proof": {**SAMPLE["proof"], "account": value}}):
        try:
            read = receipts.read(document)
            receipts.check(read, b"", place=read.place, identity=read.identity, known_hash=lambda _number: bytes(32))
        except SsiError:
            continue


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_nothing_but_refusals_comes_of_random_headers_and_nodes(data: bytes) -> None:
    read = receipts.read(SAMPLE)
    proof = replace(read.proof, header=data, account=(data,))
    with pytest.raises(SsiError):
        receipts.check(
            replace(read, proof=proof), b"", place=read.place, identity=read.identity, known_hash=lambda _number: None
        )


SAMPLE: dict[str, Any] = {
    "version": 1,
    "chain_id": 5,
    "contract": "0x" + "11" * 20,
    "registry": "0x" + "22" * 20,
    "identity": "0x" + "33" * 20,
    "root": "0x" + merkle.leaf_hash(merkle.entry(bytes(32), b"")).hex(),
    "path": b64url(cbor.encode([1, 0, []])),
    "salt": b64url(bytes(32)),
    "anchored": {"block": 7, "at": 8},
    "proof": {"header": "0xc0", "headers": [], "account": ["0x80"], "storage": ["0x80"]},
}

# --- what it says, and to whom ----------------------------------------------------------------------------------------


def test_nothing_leads_from_a_credential_to_its_leaf_without_the_salt(batch: Batch) -> None:
    """Erasure: the issuer keeps the leaves, the ledger the root; with salt and credential gone, both are random.

    Even whoever kept the credential cannot find it in the tree: its digest is nowhere, plain or hashed as a leaf.
    """
    leaves = {merkle.leaf_hash(merkle.entry(salt, core)) for salt, core in zip(batch.salts, CORES, strict=True)}
    guesses = CORES + [sha256(core).digest() for core in CORES]
    tried = {merkle.leaf_hash(one) for one in guesses} | set(guesses)
    tried |= {merkle.leaf_hash(merkle.entry(bytes(32), core)) for core in CORES}
    assert leaves.isdisjoint(tried)
    again = merkle.entry(secrets.token_bytes(32), CORES[0])  # the same credential has another leaf each time
    assert merkle.leaf_hash(again) not in leaves
    assert all(len(salt) == 32 for salt in batch.salts)


def test_a_million_credentials_make_short_receipts(batch: Batch) -> None:
    size = 10**6
    path = (bytes(32),) * 20
    receipt = replace(batch.receipt(2), size=size, index=size // 2, path=path)
    assert sum(map(len, path)) == 640
    assert len(receipts.write_path(receipt)) <= 640 + 20 * 2 + 12  # CBOR says how long each part is
    assert len(json.dumps(receipts.write(receipt))) < 12_000


def test_salts_are_long() -> None:
    with pytest.raises(Malformed) as refusal:
        merkle.entry(bytes(31), b"core")
    assert refusal.value.code == "ledger.salt"
