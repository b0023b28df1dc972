"""The desk's book of its ledger: what has been recorded, what waits, what did it cost, and what is stuck?

Facts of the desk's own store and journal; no node is asked. What is recorded are copies: a wallet gets several of each
card, and nothing tells which of them are of the same one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select

from service.store import reading
from ssi.dids.sources import written
from ssi.encoding import Json, seconds
from ssi.ledger.finality import Finality
from ssi.ledger.writing import Write
from wallet.issuer.ledgers import Desk
from wallet.issuer.office import Office
from wallet.issuer.store import ANCHORS, HEADS, LEAVES

STUCK_AFTER: Final = timedelta(minutes=2)
"""A write that is in no block after this long is worth a clerk's attention."""
SHOWN: Final = 20
_ETHER: Final = 10**18

_NEWEST: Final = select(ANCHORS).order_by(ANCHORS.c.closed_at.desc(), ANCHORS.c.id).limit(SHOWN)
_TOTALS: Final = select(func.count(), func.sum(ANCHORS.c.size)).select_from(ANCHORS)
_RECORDED: Final = select(func.sum(ANCHORS.c.size), func.sum(ANCHORS.c.gas)).where(ANCHORS.c.gas.is_not(None))
_WAITING: Final = select(func.count()).select_from(LEAVES).where(LEAVES.c.anchor.is_(None))
_STATES: Final = select(HEADS).order_by(HEADS.c.stated_at.desc()).limit(SHOWN)


def book(office: Office, desk: Desk, *, now: datetime) -> dict[str, Json]:
    """All of it as plain data. Raises Unavailable (`store.unavailable`, `ledger.store`)."""
    with reading(office.store) as connection:
        waiting = int(connection.execute(_WAITING).scalar_one())
        batches, copies = connection.execute(_TOTALS).one()
        recorded, gas = connection.execute(_RECORDED).one()
        newest = [_batch(row) for row in connection.execute(_NEWEST).all()]
        states = [_state(row) for row in connection.execute(_STATES).all()]
    spent = desk.writer.spent()
    return {
        "account": desk.account.address,
        "did": office.identity.did,
        "every_seconds": office.settings.ledger.every,
        "waiting": waiting,
        "copies": int(copies or 0),
        "recorded": int(recorded or 0),
        "batch_count": int(batches),
        "batches": newest,
        "states": states,
        "stuck": [_stuck(one, now) for one in desk.writer.unsettled() if _is_stuck(one, now)],
        "costs": {
            "writes": spent.writes,
            "gas": spent.gas,
            "ether": round(spent.fee / _ETHER, 9),
            "gas_of_contracts": spent.gas_of_contracts,
            "gas_of_batches": int(gas or 0),
            "gas_per_copy": round(int(gas) / int(recorded), 2) if recorded and gas else None,
        },
    }


def _batch(row: Any) -> dict[str, Json]:
    return {
        "id": row.id,
        "copies": row.size,
        "root": "0x" + bytes(row.root).hex(),
        "closed_at": _time(row.closed_at),
        "at": _time(row.at),
        "state": row.finality or Finality.PENDING.value,
        "block": row.block,
        "transaction": None if row.tx is None else "0x" + bytes(row.tx).hex(),
        "gas": row.gas,
    }


def _state(row: Any) -> dict[str, Json]:
    return {
        "name": row.subject,
        "number": row.number,
        "at": _time(row.stated_at),
        "state": row.finality,
        "block": row.block,
        "gas": row.gas,
    }


def _is_stuck(write: Write, now: datetime) -> bool:
    late = seconds(now) - write.opened_at >= STUCK_AFTER.total_seconds()
    return write.state == "failed" or (write.state is Finality.PENDING and late)


def _stuck(write: Write, now: datetime) -> dict[str, Json]:
    state = write.state if isinstance(write.state, str) else write.state.value
    return {
        "intent": write.intent,
        "state": state,
        "since": _time(write.opened_at),
        "minutes": max(0, seconds(now) - write.opened_at) // 60,
        "sent": write.transaction_hash is not None,
        "transaction": None if write.transaction_hash is None else "0x" + write.transaction_hash.hex(),
        "reason": write.reason,
    }


def _time(at: int | None) -> str | None:
    return None if at is None else written(datetime.fromtimestamp(at, UTC))
