"""The methods that the development chain answers, in one table (execution-apis; EIP-1474)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ssi.encoding import Json
from ssi.ledger.devchain import accounts, answers, blocks, calling, mining, params, wire, work
from ssi.ledger.devchain.blocks import Header
from ssi.ledger.devchain.errors import damaged, too_many, unreadable
from ssi.ledger.devchain.params import at
from ssi.ledger.devchain.store import BlockRow, LogRow, Session
from ssi.ledger.devchain.work import Work
from ssi.ledger.hexes import data, quantity, read_data, read_quantity

TIP: Final = 1_000_000
_MAX_LOGS: Final = 10_000
_MAX_SLOTS: Final = 64
_MAX_FEE_HISTORY: Final = 128


@dataclass(frozen=True)
class Asked:
    """A question: the moment of the chain at which it is answered, and its parameters.

    `now` is seconds since 1970; `depth` is by how many blocks "safe" lies behind the newest one; `call_gas` is how
    much gas a call may use that nobody pays for, `work` how much may be done for the whole request.
    """

    session: Session
    params: Sequence[Json]
    chain_id: int
    now: int
    depth: int
    call_gas: int
    work: Work

    def at(self, place: int) -> Json:
        """The parameter at this place, or None."""
        return at(self.params, place)

    def block(self, place: int) -> BlockRow | None:
        """The block that the parameter at this place names."""
        return params.block(self.session, self.at(place), depth=self.depth)

    def state(self, place: int) -> Header:
        """The header of the block whose state the parameter at this place asks for."""
        return params.state(self.session, self.at(place), depth=self.depth)


Method = Callable[[Asked], Json]


def _chain_id(asked: Asked) -> Json:
    return quantity(asked.chain_id)


def _network(asked: Asked) -> Json:
    return str(asked.chain_id)


def _client(_: Asked) -> Json:
    return "facet-devchain/1 (py-evm, prague)"


def _number(asked: Asked) -> Json:
    return quantity(mining.head(asked.session).number)


def _syncing(_: Asked) -> Json:
    return False


def _accounts(_: Asked) -> Json:
    return []


def _gas_price(asked: Asked) -> Json:
    return quantity(mining.head(asked.session).next_base_fee() + TIP)


def _tip(_: Asked) -> Json:
    return quantity(TIP)


def _balance(asked: Asked) -> Json:
    return quantity(_account(asked).balance)


def _nonce(asked: Asked) -> Json:
    return quantity(_account(asked).nonce)


def _account(asked: Asked) -> accounts.Account:
    return accounts.account(asked.session.node, asked.state(1).state_root, params.address(asked.at(0)))


def _code(asked: Asked) -> Json:
    return data(accounts.code(asked.session.node, asked.state(1).state_root, params.address(asked.at(0))))


def _storage(asked: Asked) -> Json:
    read = asked.session.node
    found = accounts.account(read, asked.state(2).state_root, params.address(asked.at(0)))
    return data(accounts.storage(read, found.storage_root, params.slot(asked.at(1))).to_bytes(32, "big"))


def _proof(asked: Asked) -> Json:
    read, root, address = asked.session.node, asked.state(2).state_root, params.address(asked.at(0))
    wanted = asked.at(1)
    if not isinstance(wanted, list) or len(wanted) > _MAX_SLOTS:
        raise unreadable("the storage keys are not a list, or are too many")
    asked.work.spend(work.SLOT * (len(wanted) + 1))
    found = accounts.account(read, root, address)
    slots = [params.slot(one) for one in wanted]
    proofs = [
        answers.Proof(slot, accounts.storage(read, found.storage_root, slot), _nodes(asked, found, slot))
        for slot in slots
    ]
    return answers.proof(address, found, accounts.proof(read, root, address), proofs)


def _nodes(asked: Asked, found: accounts.Account, slot: bytes) -> tuple[bytes, ...]:
    return accounts.proof(asked.session.node, found.storage_root, slot)


def _block(asked: Asked) -> Json:
    return _whole(asked, asked.block(0))


def _block_with(asked: Asked) -> Json:
    return _whole(asked, asked.session.block_with(params.hash_(asked.at(0))))


def _whole(asked: Asked, row: BlockRow | None) -> Json:
    if row is None:
        return None
    return answers.block(row, asked.session.transactions(row.number), full=asked.at(1) is True)


def _transaction(asked: Asked) -> Json:
    row = asked.session.transaction(params.hash_(asked.at(0)))
    place = None if row is None else asked.session.block(row.number)
    return None if row is None or place is None else answers.transaction(place, row)


def _receipt(asked: Asked) -> Json:
    row = asked.session.transaction(params.hash_(asked.at(0)))
    if row is None:
        return None
    found = _receipts(asked, asked.session.block(row.number))
    return found[0] if found else None


def _block_receipts(asked: Asked) -> Json:
    row = asked.block(0)
    return None if row is None else _receipts(asked, row)


def _receipts(asked: Asked, place: BlockRow | None) -> list[Json]:
    if place is None:
        return []
    rows = asked.session.transactions(place.number)
    if blocks.root([row.receipt for row in rows]) != Header.read(place.header).receipts_root:
        raise damaged()
    return [answers.receipt(place, row, _logs_of(asked, place)) for row in rows]


def _logs_of(asked: Asked, place: BlockRow) -> tuple[LogRow, ...]:
    return asked.session.logs(place.number, place.number, (), (), -1)


def _logs(asked: Asked) -> Json:
    wanted = params.logs(asked.session, asked.at(0), depth=asked.depth)
    rows = asked.session.logs(wanted.first, wanted.last, wanted.addresses, wanted.topics, _MAX_LOGS + 1)
    asked.work.spend(work.LOG * len(rows))
    if len(rows) > _MAX_LOGS:
        raise too_many(f"query returned more than {_MAX_LOGS} results")
    return [answers.log(row) for row in rows]


def _call(asked: Asked) -> Json:
    if asked.at(2):
        raise unreadable("state overrides are not supported")
    return data(calling.answer(_caller(asked), params.call(asked.at(0)), most=asked.call_gas))


def _estimate(asked: Asked) -> Json:
    return quantity(calling.estimate(_caller(asked), params.call(asked.at(0)), most=asked.call_gas))


def _caller(asked: Asked) -> calling.Place:
    return calling.Place(asked.session, asked.state(1), asked.chain_id, asked.work)


def _fee_history(asked: Asked) -> Json:
    count, row, percentiles = (
        min(_count(asked.at(0)), _MAX_FEE_HISTORY),
        asked.block(1),
        params.percentiles(asked.at(2)),
    )
    if row is None:
        raise unreadable("request beyond head block")
    asked.work.spend(work.BLOCK * count)
    headers = calling.fees(asked.session, count, row.number)
    rewards: list[Json] = [[quantity(_paid(asked, header))] * percentiles for header in headers]
    fees: list[Json] = [quantity(header.base_fee) for header in headers]
    blobs: list[Json] = [quantity(1)] * (len(headers) + 1)
    return {
        "oldestBlock": quantity(headers[0].number),
        "baseFeePerGas": [*fees, quantity(headers[-1].next_base_fee())],
        "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
        "baseFeePerBlobGas": blobs,
        "blobGasUsedRatio": [0.0] * len(headers),
        **({"reward": rewards} if percentiles else {}),
    }


def _count(value: Json) -> int:
    return max(value if isinstance(value, int) and not isinstance(value, bool) else read_quantity(value), 1)


def _paid(asked: Asked, header: Header) -> int:
    """The tip that the block's transaction paid per gas; nothing in an empty block."""
    return sum(row.price - header.base_fee for row in asked.session.transactions(header.number))


def _sendable(asked: Asked) -> Json:
    raw = asked.at(0)
    asked.work.spend(work.RAW_BYTE * (len(raw) // 2 if isinstance(raw, str) else 0))
    mining.check(asked.session, wire.read(read_data(raw)), chain_id=asked.chain_id, at=asked.now, early=True)
    return None


def _send(asked: Asked) -> Json:
    signed = wire.read(read_data(asked.at(0)))
    return data(mining.send(asked.session, signed, chain_id=asked.chain_id, at=asked.now))


def _mine(asked: Asked) -> Json:
    mining.empty(asked.session, _count(asked.at(0) or 1), at=asked.now)
    return None


def _give(asked: Asked) -> Json:
    mining.give(asked.session, {params.address(asked.at(0)): read_quantity(asked.at(1))}, at=asked.now)
    return None


def _reorganise(asked: Asked) -> Json:
    mining.reorganise(asked.session, _count(asked.at(0)), at=asked.now)
    return None


READING: Final = MappingProxyType[str, Method](
    {
        "eth_accounts": _accounts,
        "eth_blockNumber": _number,
        "eth_call": _call,
        "eth_chainId": _chain_id,
        "eth_estimateGas": _estimate,
        "eth_feeHistory": _fee_history,
        "eth_gasPrice": _gas_price,
        "eth_getBalance": _balance,
        "eth_getBlockByHash": _block_with,
        "eth_getBlockByNumber": _block,
        "eth_getBlockReceipts": _block_receipts,
        "eth_getCode": _code,
        "eth_getLogs": _logs,
        "eth_getProof": _proof,
        "eth_getStorageAt": _storage,
        "eth_getTransactionByHash": _transaction,
        "eth_getTransactionCount": _nonce,
        "eth_getTransactionReceipt": _receipt,
        "eth_maxPriorityFeePerGas": _tip,
        "eth_syncing": _syncing,
        "net_version": _network,
        "web3_clientVersion": _client,
    }
)
WRITING: Final = MappingProxyType[str, Method]({"eth_sendRawTransaction": _send})
FIRST: Final = MappingProxyType[str, Method]({"eth_sendRawTransaction": _sendable})
"""What is asked before the file is locked for those that write: most of what strangers send ends here."""
PLAYING: Final = MappingProxyType[str, Method]({"facet_mine": _mine, "facet_give": _give, "facet_reorg": _reorganise})
