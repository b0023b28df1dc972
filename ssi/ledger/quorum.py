"""Several nodes instead of one: an answer counts when enough of them give the same.

A node that lies, lags or is away is outvoted or left out. When no answer has enough voices there is none: never is one
of two contradicting answers picked.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from ssi.encoding import Json
from ssi.errors import SsiError, Unavailable
from ssi.ledger.hexes import data, keccak, quantity, read_data, read_quantity
from ssi.ledger.rpc import Call, Rpc, RpcError, call_many

_BLOCK_AT: Final[Mapping[str, int]] = {
    "eth_getBlockByNumber": 0,
    "eth_call": 1,
    "eth_getCode": 1,
    "eth_getBalance": 1,
    "eth_getTransactionCount": 1,
    "eth_getStorageAt": 2,
    "eth_getProof": 2,
}
"""Where a question names its block. Nodes are not equally far: a tag becomes the number of a block that enough have."""
_TAGS: Final = frozenset({"latest", "safe", "finalized"})
_ADVICE: Final = frozenset({"eth_estimateGas", "eth_gasPrice", "eth_maxPriorityFeePerGas", "eth_feeHistory"})
"""Questions without one true answer: numbers that may differ; the writer's own bounds stand above them."""
_REVERTED: Final = 3
_GRACE: Final = 0.5
"""Seconds that nodes are given to say how far they are, after enough have said it."""

_LOG: Final = ("address", "topics", "data", "blockNumber", "blockHash", "transactionHash", "logIndex")
_BLOCK: Final = (
    *("number", "hash", "parentHash", "timestamp", "stateRoot", "receiptsRoot", "transactionsRoot", "logsBloom"),
    *("sha3Uncles", "miner", "difficulty", "gasLimit", "gasUsed", "extraData", "mixHash", "nonce", "baseFeePerGas"),
    *("withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash"),
)
_RECEIPT: Final = (
    *("transactionHash", "blockNumber", "blockHash", "status", "gasUsed", "effectiveGasPrice", "contractAddress"),
    *("logs", "from", "to", "type", "cumulativeGasUsed", "logsBloom", "transactionIndex"),
)


class QuorumRpc:
    """Asks all members at once; facts need the same answer of `quorum` of them, sends go to all.

    Raises Unavailable (`ledger.disagreement`) when members answer, but differently.
    """

    def __init__(self, members: Sequence[Rpc], quorum: int) -> None:
        """Raises ValueError unless 1 <= quorum <= members < 2 * quorum, so that only one answer can have enough."""
        if not 1 <= quorum <= len(members) < 2 * quorum:
            raise ValueError("a quorum is more than half of the members")
        self.members, self.quorum = tuple(members), quorum

    def __repr__(self) -> str:
        """How many of whom."""
        return f"QuorumRpc({self.quorum} of {list(self.members)})"

    def call(self, method: str, params: Sequence[Json]) -> Json:
        """The result of a method; raises as `Rpc.call`."""
        if method == "eth_sendRawTransaction":
            return self._sent(method, params)
        if method in _ADVICE:
            return quantity(self._advice(method, params))
        if _tag(method, params) == "pending":
            return quantity(self._height(lambda one: read_quantity(one.call(method, params))))
        pinned = self._pinned(method, params)
        return self._agreed(self._ask(lambda one: one.call(method, pinned)), method)

    def call_many(self, calls: Sequence[Call]) -> tuple[Json, ...]:
        """Results in the order of the calls, each as `call` gives it; members are asked in one go where they can."""
        if any(_tag(*call) is not None or call[0] in _ADVICE or "send" in call[0] for call in calls):
            return tuple(self.call(*call) for call in calls)
        told = list(self._ask(lambda one: call_many(one, calls)))
        return tuple(
            self._agreed((one if isinstance(one, Unavailable) else one[place] for one in told), call[0])
            for place, call in enumerate(calls)
        )

    def _pinned(self, method: str, params: Sequence[Json]) -> list[Json]:
        """The parameters with a block's number in place of a tag."""
        tag, pinned = _tag(method, params), list(params)
        if tag in _TAGS:
            asked = ["eth_getBlockByNumber", [tag, False]]
            pinned[_BLOCK_AT[method]] = quantity(
                self._height(lambda one: read_quantity(one.call(str(asked[0]), asked[1])["number"]))
            )
        return pinned

    def _height(self, ask: Callable[[Rpc], int]) -> int:
        """The highest number that enough members have reached; a single one can neither hold it back nor raise it."""
        numbers: list[int] = []
        failed: list[Unavailable] = []
        for told in self._ask(lambda one: _number(ask, one), grace=lambda: len(numbers) >= self.quorum):
            if isinstance(told, Unavailable):
                failed.append(told)
            else:
                numbers.append(told)
        if len(numbers) < self.quorum:
            raise failed[0]
        return sorted(numbers, reverse=True)[self.quorum - 1]

    def _agreed(self, told: Iterator[Json], method: str) -> Json:
        """The answer that enough members give."""
        voices: dict[str, list[Json]] = {}
        failed: list[Unavailable] = []
        for one in told:
            if isinstance(one, Unavailable) and not _is_answer(one):
                failed.append(one)
                continue
            same = voices.setdefault(_essence(method, one), [])
            same.append(one)
            if len(same) == self.quorum:
                if isinstance(one, RpcError):
                    raise one
                return _plain(method, one)
        limits = [one for one in failed if isinstance(one, RpcError)]
        if len(voices) > 1 and sum(map(len, voices.values())) >= self.quorum:
            raise Unavailable("ledger.disagreement", "The ledger's nodes contradict each other; none is believed.")
        raise (limits or failed)[0]

    def _advice(self, method: str, params: Sequence[Json]) -> int:
        """The number that so many name, or a higher one, as make a quorum; of fewer the lowest, an error of none."""
        numbers: list[int] = []
        failed: list[Unavailable] = []
        asked = self._ask(
            lambda one: read_quantity(one.call(method, params)), grace=lambda: len(numbers) >= self.quorum
        )
        for told in asked:
            if isinstance(told, Unavailable):
                failed.append(told)
            else:
                numbers.append(told)
        if numbers:
            return sorted(numbers, reverse=True)[min(self.quorum, len(numbers)) - 1]
        raise next((one for one in failed if isinstance(one, RpcError)), failed[0])

    def _sent(self, method: str, params: Sequence[Json]) -> Json:
        """Give it to all, and wait for all: it is sent if one has taken it, and names its hash."""
        told = list(self._ask(lambda one: one.call(method, params)))
        known = data(keccak(read_data(params[0])))
        errors = [one for one in told if isinstance(one, Unavailable)]
        if any(isinstance(one, str) and one.lower() == known for one in told):
            return known
        if not errors:
            raise Unavailable("ledger.protocol", "The ledger's nodes tell of another transaction than was sent.")
        raise next((one for one in errors if isinstance(one, RpcError)), errors[0])

    def _ask(self, ask: Callable[[Rpc], Json], *, grace: Callable[[], bool] = lambda: False) -> Iterator[Json]:
        """What the members say (an answer, or Unavailable), as it comes; who stops listening waits for nobody.

        Once `grace` is true, the rest have half a second.
        """
        answers: queue.SimpleQueue[Json] = queue.SimpleQueue()
        for member in self.members:
            threading.Thread(target=_tell, args=(ask, member, answers), daemon=True).start()
        for _ in self.members:
            try:
                yield answers.get(timeout=_GRACE if grace() else None)
            except queue.Empty:
                return


def _tell(ask: Callable[[Rpc], Json], member: Rpc, answers: queue.SimpleQueue[Json]) -> None:
    """Put one member's answer into the queue; whatever goes wrong with it, the others are not left waiting."""
    told: Json = Unavailable("ledger.protocol", "A ledger's node does not answer as its protocol says.")
    try:
        told = ask(member)
    except Unavailable as error:
        told = error
    except (SsiError, KeyError, TypeError, ValueError, AttributeError):
        pass
    finally:
        answers.put(told)


def _tag(method: str, params: Sequence[Json]) -> str | None:
    """The tag by which a question names its block; None for numbers, and for questions without a block."""
    place = _BLOCK_AT.get(method)
    named = params[place] if place is not None and place < len(params) else None
    return named if isinstance(named, str) and not named.startswith("0x") else None


def _number(ask: Callable[[Rpc], int], member: Rpc) -> int:
    return ask(member)


def _is_answer(error: Unavailable) -> bool:
    """A contract's refusal is an answer; that a node could not, or would not, answer is none."""
    return isinstance(error, RpcError) and (error.rpc_code == _REVERTED or "revert" in error.message.lower())


def _essence(method: str, answer: Json) -> str:
    """What must be the same: all that is true of the chain, and nothing that nodes add of their own."""
    if isinstance(answer, RpcError):
        return f"refused {str(answer.data).lower()}"
    return repr(_lower(_plain(method, answer)))


def _plain(method: str, answer: Json) -> Json:
    """The answer without what was not compared."""
    if method == "eth_getLogs" and isinstance(answer, list):
        return [_only(_LOG, one) for one in answer]
    if method.startswith("eth_getBlockBy"):
        return _only(_BLOCK, answer)
    if method == "eth_getTransactionReceipt" and isinstance(answer, Mapping):
        logs = answer.get("logs")
        return {
            **_only(_RECEIPT, answer),
            "logs": [_only(_LOG, one) for one in logs] if isinstance(logs, list) else logs,
        }
    return answer


def _only(names: Sequence[str], members: Json) -> Json:
    if not isinstance(members, Mapping):
        return members
    return {name: members[name] for name in names if members.get(name) is not None}


def _lower(value: Json) -> Json:
    """The same value in one way of writing."""
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, Mapping):
        return sorted((name, _lower(member)) for name, member in value.items())
    return [_lower(one) for one in value] if isinstance(value, list) else value
