"""Anchoring: how do batches of leaves and newest states get onto the ledger, whatever stops on the way?

A turn goes through all that is open, one small step at a time, and each step is on record before the next. Every write
has a name by which the journal knows it, so that a turn which was killed is taken up by the next without writing
twice. One process at a time takes turns. While the ledger is away issuing goes on, and anchoring catches up later.
"""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, Select, func, select, update

from service.store import reading, writing
from ssi.encoding import Json, seconds
from ssi.errors import SsiError, Unavailable
from ssi.ledger import anchor, receipts, slots
from ssi.ledger.finality import Finality
from ssi.ledger.receipts import Place, StateProof
from wallet.issuer import heads, leaves
from wallet.issuer.codes import Random
from wallet.issuer.heads import Head
from wallet.issuer.ledgers import Desk
from wallet.issuer.store import ANCHORS, LEAVES

_LOG: Final = logging.getLogger("facet.issuer")
_OPEN: Final = 200
"""How many batches a turn looks at: those that are not final, oldest first."""


@dataclass(frozen=True)
class Turn:
    """What a turn has done: leaves put into a batch, roots and states written, and what went wrong, if anything.

    `waiting` is how many batches are not final yet, `latest` the newest block's time (Unix seconds) that has one.
    """

    busy: bool = False
    closed: int = 0
    written: int = 0
    stated: int = 0
    waiting: int = 0
    problems: tuple[str, ...] = ()
    latest: int = 0

    @property
    def json(self) -> dict[str, Json]:
        """For a command's output."""
        return {
            "busy": self.busy,
            "closed": self.closed,
            "written": self.written,
            "stated": self.stated,
            "waiting": self.waiting,
            "problems": list(self.problems),
        }


@dataclass(frozen=True)
class Anchoring:
    """Anchors what one desk has issued. `heads` says which newest states there are; `lock` is a file."""

    store: Engine
    desk: Desk
    every: int
    size: int
    heads: Callable[[Connection], Iterator[Head]]
    lock: Path
    random: Random = field(repr=False)

    def turn(self, *, now: datetime, close: bool = False) -> Turn:
        """Go through all that is open; `close` makes a batch of what there is without waiting for its time.

        Raises nothing but Unavailable for a store or a folder that is away: what else goes wrong is in the answer, and
        tried again by the next turn.
        """
        with _alone(self.lock) as alone:
            if not alone:
                return Turn(busy=True)
            closed = self._close(now=now, at_once=close)
            problems: list[SsiError] = []
            self._tried(problems, lambda: self.desk.writer.resume(now))
            steps = [partial(self._settle, row, now=now) for row in self._unsettled()]
            written = sum(self._tried(problems, step) for step in steps)
            states = [partial(self._state, head, now=now) for head in self._changed()]
            stated = sum(self._tried(problems, state) for state in states)
            said = dict.fromkeys(f"{one.code}: {one.detail}" for one in problems)
            waiting, latest = self._standing()
            return Turn(False, closed, written, stated, waiting, tuple(said), latest)

    def _tried(self, problems: list[SsiError], step: Callable[[], Any]) -> int:
        """1 when the step has got something done, 0 when there was nothing to do or it could not be done."""
        if any(isinstance(one, Unavailable) for one in problems):  # one wait for an answer is enough
            return 0
        try:
            return 1 if step() is True else 0
        except SsiError as problem:
            _LOG.warning("anchoring postponed", extra={"code": problem.code})
            problems.append(problem)
            return 0

    # --- batches ---

    def _close(self, *, now: datetime, at_once: bool) -> int:
        """Close a batch when it is time: so long after the last one, or with so many leaves."""
        with reading(self.store) as connection:
            loose = int(
                connection.execute(select(func.count()).select_from(_LOOSE.limit(self.size).subquery())).scalar_one()
            )
            last = connection.execute(select(func.max(ANCHORS.c.closed_at))).scalar()
        due = at_once or last is None or seconds(now) - int(last) >= self.every or seconds(now) < int(last)
        if not loose or not (due or loose >= self.size):
            return 0
        with writing(self.store) as connection:
            return leaves.close(connection, id=self.random(8).hex(), now=seconds(now))

    def _unsettled(self) -> list[Row[Any]]:
        with reading(self.store) as connection:
            return list(connection.execute(_UNSETTLED).all())

    def _standing(self) -> tuple[int, int]:
        """How many batches are not final, and when the newest block with one was made."""
        with reading(self.store) as connection:
            latest = connection.execute(_LATEST).scalar()
            return int(connection.execute(_COUNT).scalar_one()), int(latest or 0)

    def _settle(self, row: Row[Any], *, now: datetime) -> bool:
        """Write a batch's root, or look how the write stands; prove it as soon as its block counts."""
        desk = self.desk
        data = anchor.anchor(desk.account.address, bytes(row.root))
        write = desk.writer.write(f"batch {row.id}", desk.contract.address, data, now=now)
        if write.block_number is None or write.state is Finality.PENDING:
            return self._note(row, finality=Finality.PENDING.value, tx=write.transaction_hash)
        block = desk.ledger.chain.block(write.block_number)
        if block is None:
            raise Unavailable("ledger.block", "The node does not know the block that it has just named.")
        settled: dict[str, Any] = {
            "tx": write.transaction_hash,
            "block": block.number,
            "at": block.at,
            "gas": write.gas_used,
        }
        if row.proof is None or bytes(row.block_hash or b"") != block.hash:
            settled |= {"proof": self._prove(row, block), "block_hash": block.hash}
        return self._note(row, finality=heads.finality(write), **settled)

    def _prove(self, row: Row[Any], block: Any) -> dict[str, Json]:
        """What all receipts of a batch have in common. What the node says is checked before it is kept."""
        desk, identity, root = self.desk, self.desk.account.address, bytes(row.root)
        chain, contract, registry = desk.ledger.chain, desk.contract.address, desk.ledger.registry.address
        held = chain.proof(contract, [slots.anchored_slot(identity, root)], block.number)
        stands = chain.proof(registry, [slots.identity_slot(identity)], block.number)
        proof = receipts.state_proof(block.header, held, stands)
        anchored = desk.contract.anchored(identity, root, block=block.number)
        if anchored is None:
            raise Unavailable("ledger.not_anchored", "The ledger does not show yet what was written to it.")
        return shared(desk.place, identity, root, anchored, proof)

    def _note(self, row: Row[Any], **values: Any) -> bool:
        """Record how a batch stands; was there anything new?"""
        if all(getattr(row, name) == value for name, value in values.items()):
            return False
        with writing(self.store) as connection:
            connection.execute(update(ANCHORS).where(ANCHORS.c.id == row.id).values(values))
        return True

    # --- newest states ---

    def _changed(self) -> list[Head]:
        with reading(self.store) as connection:
            return [one for one in self.heads(connection) if heads.is_open(connection, one)]

    def _state(self, head: Head, *, now: datetime) -> bool:
        """Write a newest state, or look how the write stands."""
        desk = self.desk
        subject = anchor.name_hash(head.name)
        data = anchor.set_head(desk.account.address, subject, head.digest, head.number)
        write = desk.writer.write(heads.intent(head), desk.contract.address, data, now=now)
        with writing(self.store) as connection:
            return heads.note(connection, head, write, now=seconds(now))


def shared(place: Place, identity: str, root: bytes, anchored: slots.Anchored, proof: StateProof) -> dict[str, Json]:
    """A receipt without the path and the salt, which are each credential's own."""
    empty = receipts.Receipt(place, identity, root, 1, 0, (), bytes(32), anchored, proof)
    written = receipts.write(empty)
    return {name: value for name, value in written.items() if name not in ("path", "salt")}


_LOOSE: Final[Select[Any]] = select(LEAVES.c.entry).where(LEAVES.c.anchor.is_(None))
_NOT_FINAL: Final = ANCHORS.c.finality.is_(None) | (ANCHORS.c.finality != Finality.FINALIZED.value)
_UNSETTLED: Final = select(ANCHORS).where(_NOT_FINAL).order_by(ANCHORS.c.closed_at).limit(_OPEN)
_COUNT: Final = select(func.count()).select_from(ANCHORS).where(_NOT_FINAL)
_LATEST: Final = select(func.max(ANCHORS.c.at))


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Are we the only process that takes a turn now? Raises Unavailable (`anchoring.lock`)."""
    try:
        opened = path.open("w")
    except OSError as error:
        raise Unavailable("anchoring.lock", f"The desk's folder cannot be written ({error.strerror}).") from error
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
