"""Writing to a ledger: once and only once, whatever is killed, lost, dear or reorganised on the way.

Every write has a name, its intent; to write is to say what must come to be, and saying it again is harmless. A write
has one place among the account's transactions (the nonce), and all transactions ever signed for it have this place, so
the chain can take at most one of them. It gets another place only when a foreign transaction has taken this one for
ever (that is: in a final block).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NoReturn

from ssi.encoding import seconds
from ssi.errors import Refused, Unavailable
from ssi.ledger import pricing
from ssi.ledger.account import LedgerSigner
from ssi.ledger.chain import Chain, Mined, is_revert, why
from ssi.ledger.finality import Finality
from ssi.ledger.hexes import data as as_hex
from ssi.ledger.journal import Attempt, Entry, Journal, Outcome, Spent
from ssi.ledger.pricing import Bid
from ssi.ledger.refusals import Meaning, meaning
from ssi.ledger.rpc import RpcError
from ssi.ledger.transactions import LegacyTransaction, Transaction, sign

__all__ = ["Journal", "Spent", "Write", "Writer"]

_SELF_TRANSFER: Final = 21_000
_GAP: Final = "gap "
_SPARE: Final = 25_000
"""Gas allowed beyond a quarter more than estimated: one more slot may have to be filled when the block is made."""
_MOST_PLACES: Final = 3
"""How often a write is tried whose failure nobody can explain (too little gas is one such failure)."""
_MOST_UNKNOWN: Final = 64
"""Places that may be taken by transactions which the journal does not know: nodes keep about so many (geth: 64)."""
_UNEXPLAINED: Final = "It failed in its block, although the contract does not refuse it."


@dataclass(frozen=True)
class Write:
    """How a write stands: in no block yet (then the last four are None), or in this one at this cost (gas, wei).

    `state` is "failed" only in what `Writer.writes` lists: the contract has refused it in a block, for this `reason`.
    """

    intent: str
    state: Finality | Literal["failed"]
    transaction_hash: bytes | None
    block_number: int | None
    gas_used: int | None
    fee_paid: int | None
    opened_at: int
    reason: str | None = None


class Writer:
    """Writes for one account. Bounds: `max_fee_per_gas` in wei, `max_gas` for each transaction.

    A transaction that nobody has taken for `patience` seconds is offered at a higher price. Every method raises
    Unavailable (`ledger.*`) when the chain or the journal cannot be reached; nothing is lost then.
    """

    def __init__(
        self,
        chain: Chain,
        signer: LedgerSigner,
        journal: Journal,
        *,
        max_fee_per_gas: int,
        max_gas: int,
        patience: int = 180,
    ) -> None:
        self.chain, self.journal = chain, journal
        self.max_fee_per_gas, self.max_gas, self.patience = max_fee_per_gas, max_gas, patience
        self._signer = signer
        self._address = signer.address.lower()
        self._place: str | None = None

    def __repr__(self) -> str:
        """The account and its chain."""
        return f"Writer({self._address} on {self.chain.chain_id})"

    def write(self, intent: str, to: str | None, data: bytes, *, now: datetime) -> Write:
        """Have this written, and say how it stands; the same intent is written once, however often it is asked for.

        `to` is None to create a contract. Raises Refused: `ledger.reverted` (the contract refuses, with its reason;
        nothing was sent unless it failed in a block), `ledger.fee_cap`, `ledger.gas_cap`, `ledger.funds` (all three:
        the intent stays open, ask again), `ledger.no_contract`, `ledger.intent` (the name was used for other data).
        """
        receiver = None if to is None else to.lower()
        with self.journal.locked():
            entry = self.journal.open(self._account, intent, receiver, data, at=seconds(now))
            return self._answer(self._advance(entry, seconds(now)))

    def resume(self, now: datetime) -> tuple[Write, ...]:
        """Go on with all writes that are not final, oldest first: after a kill, a reorganisation, or just some time.

        What is refused for now (price, funds) stays open and does not hold up what comes after it.
        """
        with self.journal.locked():
            return tuple(self._shown(self._resumed(entry, seconds(now))) for entry in self._unsettled())

    def writes(self) -> tuple[Write, ...]:
        """All writes of the account as the journal knows them, newest first; nobody is asked."""
        return tuple(self._shown(entry) for entry in reversed(self.journal.entries(self._account)))

    def unsettled(self) -> tuple[Write, ...]:
        """Those of them that are not final, oldest first; nobody is asked."""
        return tuple(self._shown(entry) for entry in self._unsettled())

    def spent(self) -> Spent:
        """What all of them have cost; nobody is asked."""
        return self.journal.spent(self._account)

    def _unsettled(self) -> list[Entry]:
        found = self.journal.entries(self._account, open_only=True)
        return sorted(found, key=lambda entry: (entry.nonce is None, entry.nonce or 0, entry.id))

    def _resumed(self, entry: Entry, now: int) -> Entry:
        try:
            return self._advance(entry, now)
        except Refused:
            return entry

    @property
    def _account(self) -> str:
        """The journal's name for the account on this chain: another chain of the same number has another genesis."""
        if self._place is None:
            self._place = f"{self.chain.chain_id}:{self.chain.beginning().hex()}:{self._address}"
        return self._place

    def _advance(self, entry: Entry, now: int) -> Entry:
        """One step further, if there is one to take."""
        if entry.outcome.state is not Finality.FINALIZED:
            entry = self._looked(entry)
        if entry.outcome.state is Finality.FINALIZED and _may_be_tried_again(entry):
            self.journal.release(entry)
            entry = self.journal.entry(entry)
        if entry.outcome.block is not None:
            return entry
        if entry.nonce is not None and self.chain.nonce(self._address) > entry.nonce:
            entry = self._overtaken(entry)
            if entry.nonce is not None:
                return entry
        if entry.nonce is None and self._is_filler(entry):
            self.journal.strike(entry)
            return entry
        if entry.nonce is None:
            self._issue(entry, now)
        else:
            self._fill(entry.nonce, now)
            self._offer(entry, entry.nonce, self._current(entry, entry.nonce, now), now)
        return self._looked(self.journal.entry(entry))

    def _is_filler(self, entry: Entry) -> bool:
        return entry.intent.startswith(_GAP) and (entry.to, entry.data) == (self._address, b"")

    def _overtaken(self, entry: Entry) -> Entry:
        """The entry's place is taken, though by none of its transactions as far as the node tells.

        Only when that is so in a final block is it sure that none of them will ever be taken; until then, wait.
        """
        final = self.chain.final()
        sure = final is not None and self.chain.nonce(self._address, block=final.number) > (entry.nonce or 0)
        entry = self._looked(entry)
        if entry.outcome.block is None and sure:
            self.journal.release(entry)
            return self.journal.entry(entry)
        return entry

    def _looked(self, entry: Entry) -> Entry:
        """The entry with what the chain says of it now."""
        mined = next(filter(None, (self.chain.receipt(one.hash) for one in reversed(entry.attempts))), None)
        outcome = Outcome() if mined is None else self._outcome(entry, mined)
        if outcome == entry.outcome:
            return entry
        self.journal.settle(entry, outcome)
        return self.journal.entry(entry)

    def _outcome(self, entry: Entry, mined: Mined) -> Outcome:
        state = self.chain.finality(mined.block_number, mined.block_hash)
        reason = None if mined.succeeded else entry.outcome.reason or self._why(entry, mined)
        return Outcome(
            state,
            not mined.succeeded,
            reason,
            mined.transaction_hash,
            mined.block_number,
            mined.block_hash,
            mined.gas_used,
            mined.fee,
        )

    def _why(self, entry: Entry, mined: Mined) -> str:
        """Why it failed: what the contract says to the same call after its block, if it says anything."""
        try:
            if entry.to is not None:
                self.chain.call(entry.to, entry.data, block=mined.block_number, sender=self._address)
        except Refused as error:
            return error.detail
        except RpcError:  # it can no longer be asked there
            pass
        return _UNEXPLAINED

    # Issuing

    def _issue(self, entry: Entry, now: int) -> None:
        """Sign and send the first transaction for a write."""
        gas = self._gas(entry)
        bid = pricing.bid(self.chain.fees(), cap=self.max_fee_per_gas)
        if self.chain.balance(self._address) < gas * bid.max_fee:
            raise _no_funds()
        nonce, known = self.chain.nonce(self._address, block="pending"), self.journal.next_nonce(self._account)
        if nonce > max(known, self.chain.nonce(self._address)) + _MOST_UNKNOWN:
            raise _behind()
        nonce = max(nonce, known)
        self._fill(nonce, now)
        self._offer(entry, nonce, self._signed(entry, nonce, gas, bid, now), now)

    def _gas(self, entry: Entry) -> int:
        """The bound of gas for a write. Raises Refused (`ledger.reverted`, `ledger.gas_cap`, `ledger.no_contract`)."""
        if entry.to is not None and entry.data:
            self.chain.require_code(entry.to)
        try:
            needed = self.chain.estimate(self._address, entry.to, entry.data)
        except RpcError as error:
            if is_revert(error):
                self.journal.forget(entry)
                raise Refused("ledger.reverted", f"The contract refuses: {why(error)}") from None
            if meaning(error) is Meaning.FUNDS:
                raise _no_funds() from None
            raise
        if needed > self.max_gas:
            raise Refused("ledger.gas_cap", f"The write needs {needed} gas, more than the {self.max_gas} allowed.")
        return min(self.max_gas, needed * 5 // 4 + _SPARE)

    def _current(self, entry: Entry, nonce: int, now: int) -> Attempt:
        """The transaction to offer now: the newest, or one at a higher price if that one is too low or too old."""
        last, fees = entry.attempts[-1], self.chain.fees()
        too_low = (fees.base or 0) > last.max_fee
        if too_low or now - last.signed_at >= self.patience:
            better = pricing.higher(Bid(last.max_fee, last.tip), fees, cap=self.max_fee_per_gas)
            if better is not None:
                last = self._signed(entry, nonce, last.gas, better, now)
            elif too_low:
                raise pricing.too_dear(fees.base or 0, self.max_fee_per_gas)
        return last

    def _signed(self, entry: Entry, nonce: int, gas: int, bid: Bid, now: int) -> Attempt:
        """A transaction for the write, on record before anybody sees it."""
        transaction: Transaction | LegacyTransaction
        if self.chain.has_base_fee():
            transaction = Transaction(nonce, entry.to, entry.data, gas, bid.max_fee, bid.tip)
        else:
            transaction = LegacyTransaction(nonce, entry.to, entry.data, gas, bid.max_fee)
        signed = sign(transaction, self._signer, self.chain.chain_id)
        attempt = Attempt(signed.hash, signed.raw, gas, bid.max_fee, bid.tip, now)
        self.journal.record(entry, nonce, attempt)
        return attempt

    def _offer(self, entry: Entry, nonce: int, attempt: Attempt, now: int) -> None:
        """Send a transaction, or one at a higher price if the nodes want that."""
        try:
            self._send(attempt)
        except _LowBidError:
            better = pricing.higher(Bid(attempt.max_fee, attempt.tip), self.chain.fees(), cap=self.max_fee_per_gas)
            if better is None:
                raise pricing.too_dear(attempt.max_fee, self.max_fee_per_gas) from None
            self._send(self._signed(entry, nonce, attempt.gas, better, now))

    def _fill(self, nonce: int, now: int) -> None:
        """Close gaps before a place: by what the journal has for them, else by a transfer of nothing to oneself."""
        first = self.chain.nonce(self._address, block="pending")
        if nonce - first - self.journal.places(self._account, first, nonce) > _MOST_UNKNOWN:
            raise _behind()
        for missing in range(first, nonce):
            entry = self.journal.at_nonce(self._account, missing)
            if entry is None or not entry.attempts:
                entry = self.journal.open(self._account, f"{_GAP}{missing}", self._address, b"", at=now)
                bid = pricing.bid(self.chain.fees(), cap=self.max_fee_per_gas)
                self._offer(entry, missing, self._signed(entry, missing, _SELF_TRANSFER, bid, now), now)
            else:
                self._offer(entry, missing, self._current(entry, missing, now), now)

    def _send(self, attempt: Attempt) -> None:
        """Give a transaction to the chain. That it has it already, or another in its place, is for `_looked` to see."""
        try:
            self.chain.send(attempt.raw)
        except RpcError as error:
            meant = meaning(error)
            if meant is Meaning.LOW_BID:
                raise _LowBidError("ledger.fee_cap", "The ledger's nodes want a higher price.") from None
            if meant is Meaning.FUNDS:
                raise _no_funds() from None
            if meant is None:
                raise

    # Answers

    def _answer(self, entry: Entry) -> Write:
        """How it stands. Raises Refused (`ledger.reverted`) for what failed in a block that counts."""
        if _is_failure(entry):
            _fail(entry)
        return self._shown(entry)

    def _shown(self, entry: Entry) -> Write:
        found = entry.outcome
        newest = entry.attempts[-1].hash if entry.attempts else None
        return Write(
            entry.intent,
            "failed" if _is_failure(entry) else Finality.PENDING if found.failed else found.state,
            found.hash or newest,
            found.block,
            found.gas,
            found.fee,
            entry.opened_at,
            found.reason,
        )


def _may_be_tried_again(entry: Entry) -> bool:
    """It failed and changed nothing, for no reason that would come again."""
    found = entry.outcome
    return found.failed and found.reason == _UNEXPLAINED and entry.places < _MOST_PLACES


def _is_failure(entry: Entry) -> bool:
    """Has it failed for good, as far as one can be sure?"""
    found = entry.outcome
    return found.failed and found.state is not Finality.PENDING and not _may_be_tried_again(entry)


class _LowBidError(Refused):
    """The nodes want a higher price for this transaction."""


def _fail(entry: Entry) -> NoReturn:
    place = "" if entry.outcome.hash is None else f" (transaction {as_hex(entry.outcome.hash)})"
    raise Refused("ledger.reverted", f"The write failed in its block{place}: {entry.outcome.reason}")


def _behind() -> Unavailable:
    return Unavailable("ledger.behind", "The node's count of the account's transactions is far from the journal's.")


def _no_funds() -> Refused:
    return Refused("ledger.funds", "The account has not enough money for the fees of this write.")
