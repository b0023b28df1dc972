"""Blocks, transactions, receipts and logs in the JSON forms of execution-apis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import rlp

from ssi.encoding import Json
from ssi.ledger.devchain import blocks, wire
from ssi.ledger.devchain.accounts import Account
from ssi.ledger.devchain.blocks import Header
from ssi.ledger.devchain.store import BlockRow, LogRow, TransactionRow
from ssi.ledger.devchain.wire import Signed
from ssi.ledger.hexes import data, quantity


@dataclass(frozen=True)
class Proof:
    """The nodes that prove a slot of a contract, and what is in it."""

    slot: bytes
    value: int
    nodes: tuple[bytes, ...]


def block(row: BlockRow, transactions: Sequence[TransactionRow], *, full: bool) -> dict[str, Json]:
    """A block with its transactions, or with their hashes; its header's RLP hashes to its hash."""
    found = Header.read(row.header)
    listed: list[Json] = [transaction(row, one) if full else data(one.hash) for one in transactions]
    withdrawals: list[Json] = [
        {
            "index": quantity(one.index),
            "validatorIndex": quantity(one.validator),
            "address": data(one.address),
            "amount": quantity(one.gwei),
        }
        for one in blocks.read_withdrawals(row.withdrawals)
    ]
    return {
        **header(found),
        "hash": data(row.hash),
        "size": quantity(blocks.size(row.header, [one.raw for one in transactions], row.withdrawals)),
        "totalDifficulty": quantity(0),
        "transactions": listed,
        "uncles": [],
        "withdrawals": withdrawals,
    }


def header(found: Header) -> dict[str, Json]:
    """The fields of a header under their JSON names."""
    return {
        "parentHash": data(found.parent),
        "sha3Uncles": data(found.uncles),
        "miner": data(found.coinbase),
        "stateRoot": data(found.state_root),
        "transactionsRoot": data(found.transactions_root),
        "receiptsRoot": data(found.receipts_root),
        "logsBloom": data(found.bloom),
        "difficulty": quantity(found.difficulty),
        "number": quantity(found.number),
        "gasLimit": quantity(found.gas_limit),
        "gasUsed": quantity(found.gas_used),
        "timestamp": quantity(found.at),
        "extraData": data(found.extra),
        "mixHash": data(found.mix),
        "nonce": data(found.nonce),
        "baseFeePerGas": quantity(found.base_fee),
        "withdrawalsRoot": data(found.withdrawals_root),
        "blobGasUsed": quantity(found.blob_gas_used),
        "excessBlobGas": quantity(found.excess_blob_gas),
        "parentBeaconBlockRoot": data(found.beacon_root),
        "requestsHash": data(found.requests_hash),
    }


def transaction(place: BlockRow, row: TransactionRow) -> dict[str, Json]:
    """A mined transaction."""
    signed = wire.read(row.raw)
    return {
        "type": quantity(signed.kind),
        "hash": data(row.hash),
        "blockHash": data(place.hash),
        "blockNumber": quantity(row.number),
        "blockTimestamp": quantity(place.at),
        "transactionIndex": quantity(0),
        "from": data(row.sender),
        "to": data(signed.to) if signed.to else None,
        "nonce": quantity(signed.nonce),
        "value": quantity(signed.value),
        "input": data(signed.data),
        "gas": quantity(signed.gas),
        "gasPrice": quantity(row.price),
        "chainId": quantity(signed.chain_id),
        "v": quantity(signed.v),
        "r": quantity(signed.r),
        "s": quantity(signed.s),
        **_typed(signed),
    }


def receipt(place: BlockRow, row: TransactionRow, logs: Sequence[LogRow]) -> dict[str, Json]:
    """What came of a transaction."""
    kind = 0 if row.receipt[0] >= 0xC0 else row.receipt[0]
    status, gas, bloom, _ = rlp.decode(row.receipt[1:] if kind else row.receipt)
    return {
        "type": quantity(kind),
        "status": quantity(int.from_bytes(status, "big")),
        "transactionHash": data(row.hash),
        "transactionIndex": quantity(0),
        "blockHash": data(place.hash),
        "blockNumber": quantity(row.number),
        "from": data(row.sender),
        "to": _to(row),
        "contractAddress": None if row.created is None else data(row.created),
        "cumulativeGasUsed": quantity(int.from_bytes(gas, "big")),
        "gasUsed": quantity(row.gas_used),
        "effectiveGasPrice": quantity(row.price),
        "logs": [log(one) for one in logs],
        "logsBloom": data(bloom),
    }


def log(row: LogRow) -> dict[str, Json]:
    """A log."""
    return {
        "address": data(row.address),
        "topics": [data(topic) for topic in row.topics],
        "data": data(row.data),
        "blockNumber": quantity(row.number),
        "blockHash": data(row.block_hash),
        "blockTimestamp": quantity(row.at),
        "transactionHash": data(row.transaction_hash),
        "transactionIndex": quantity(0),
        "logIndex": quantity(row.position),
        "removed": False,
    }


def proof(address: bytes, found: Account, nodes: Sequence[bytes], slots: Sequence[Proof]) -> dict[str, Json]:
    """An account and its slots with their proofs (EIP-1186)."""
    return {
        "address": data(address),
        "balance": quantity(found.balance),
        "nonce": quantity(found.nonce),
        "codeHash": data(found.code_hash),
        "storageHash": data(found.storage_root),
        "accountProof": [data(node) for node in nodes],
        "storageProof": [
            {"key": data(one.slot), "value": quantity(one.value), "proof": [data(node) for node in one.nodes]}
            for one in slots
        ],
    }


def _typed(signed: Signed) -> dict[str, Json]:
    """What only newer kinds of transaction have."""
    if not signed.kind:
        return {}
    accesses: list[Json] = [
        {"address": data(address), "storageKeys": [data(slot) for slot in slots]} for address, slots in signed.accesses
    ]
    fees: dict[str, Json] = {"maxFeePerGas": quantity(signed.max_fee), "maxPriorityFeePerGas": quantity(signed.tip)}
    return {"accessList": accesses, "yParity": quantity(signed.parity), **(fees if signed.kind == 2 else {})}


def _to(row: TransactionRow) -> Json:
    to = wire.read(row.raw).to
    return data(to) if to else None
