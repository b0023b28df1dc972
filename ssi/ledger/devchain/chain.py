"""The development chain: an Ethereum node of one's own, in this process, in one file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from ssi.encoding import Json
from ssi.errors import Malformed, Refused, Unavailable
from ssi.ledger.devchain import mining
from ssi.ledger.devchain.blocks import GAS_LIMIT
from ssi.ledger.devchain.errors import unknown_method, unreadable
from ssi.ledger.devchain.methods import FIRST, PLAYING, READING, WRITING, Asked
from ssi.ledger.devchain.store import Session, Store
from ssi.ledger.devchain.work import QUESTION, Door, Work
from ssi.ledger.hexes import read_address, read_data

CHAIN_ID: Final = 0xFACE7
_CALLS: Final = 4
"""A request of a stranger may cost so many calls' worth of work."""


class DevChain:
    """A chain in an SQLite file, asked as a node is (`call`), by any number of threads and processes at once.

    Each transaction is mined at once, in a block of its own whose time is `clock()` (seconds since 1970), or its
    parent's where the clock stands behind it; many blocks may have the same time, so a chain never runs ahead of its
    clock. A new file begins with a block that gives a million ether to each address in `faucet`; an older file stays
    as it is. "safe" and "finalized" are the newest block, because nobody else writes here; `depth` sets "safe" that
    many blocks back, and "finalized" twice as many. `call_gas` bounds the work of a call, which costs its asker
    nothing: a million gas is half a second, so a chain that strangers may ask gets less than a block's. `playground`
    allows what only tests may do: `facet_mine`, `facet_give` and `facet_reorg`.

    Strangers (`ssi.ledger.devchain.facade`) come in by `door`, and each of their requests gets its `allowance`.

    Raises Refused (`ledger.wrong_chain`) if the file holds a chain of another id, and Unavailable (`ledger.store`).
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], int],
        chain_id: int = CHAIN_ID,
        faucet: Sequence[str] = (),
        depth: int = 0,
        call_gas: int = GAS_LIMIT,
        playground: bool = False,
    ) -> None:
        self._clock, self._chain_id, self._depth, self._call_gas = clock, chain_id, depth, call_gas
        self._writing = {**WRITING, **PLAYING} if playground else WRITING
        self.door = Door()
        if not path.exists():
            rich = [read_data(read_address(one), 20) for one in faucet]
            _make(path, chain_id=chain_id, faucet=rich, at=clock())
        self._store = Store(path)
        with self._store.reading() as session:
            if session.fact("chain_id") != chain_id:
                raise Refused("ledger.wrong_chain", "The file holds a development chain of another chain id.")

    def allowance(self) -> Work:
        """What may be done for one request of somebody who pays nothing."""
        return Work(_CALLS * self._call_gas)

    def call(self, method: str, params: Sequence[Json] = (), *, work: Work | None = None) -> Json:
        """Answer as a node would, for so much work (None: as much as it takes).

        Raises RpcError for errors that nodes answer (-32005 where the work does not suffice), and Unavailable
        (`ledger.store`).
        """
        work = work or Work()
        work.spend(QUESTION)
        reading, writing = READING.get(method), self._writing.get(method)
        try:
            if reading is not None:
                with self._store.reading() as session:
                    return reading(self._asked(session, params, work))
            if writing is None:
                raise unknown_method(method)
            if method in FIRST:
                with self._store.reading() as session:
                    FIRST[method](self._asked(session, params, work))
            with self._store.writing() as session:
                return writing(self._asked(session, params, work))
        except Malformed as wrong:
            raise unreadable(wrong.detail) from None

    def call_many(self, calls: Sequence[tuple[str, Sequence[Json]]]) -> tuple[Json, ...]:
        """The answers in order, all of one moment where nothing is written; raises for the first that fails."""
        if not all(method in READING for method, _ in calls):
            return tuple(self.call(method, params) for method, params in calls)
        try:
            with self._store.reading() as session:
                return tuple(READING[method](self._asked(session, params, Work())) for method, params in calls)
        except Malformed as wrong:
            raise unreadable(wrong.detail) from None

    def _asked(self, session: Session, params: Sequence[Json], work: Work) -> Asked:
        return Asked(session, params, self._chain_id, self._clock(), self._depth, self._call_gas, work)

    def close(self) -> None:
        """Close the file. A chain that is asked again opens it again."""
        self._store.close()

    def __enter__(self) -> DevChain:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def _make(path: Path, *, chain_id: int, faucet: Sequence[bytes], at: int) -> None:
    """Make the file beside its place, and then put it there in one step, unless another process was faster."""
    try:
        with TemporaryDirectory(dir=path.parent, prefix=".chain-") as folder:
            made = Path(folder, path.name)
            store = Store(made)
            with store.writing() as session:
                mining.begin(session, chain_id=chain_id, faucet=faucet, at=at)
            store.close()
            with suppress(FileExistsError):
                path.hardlink_to(made)
    except OSError as trouble:
        raise Unavailable("ledger.store", "The file of the development chain cannot be made.") from trouble
