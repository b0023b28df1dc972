"""Nodes with faults: away, slow, limited, lying, of another chain; and processes that die where a test wants it."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from ssi.encoding import write_json
from ssi.errors import Unavailable
from ssi.fetch import Response
from ssi.ledger.rpc import RpcError


class Down:
    """Nobody answers."""

    def call(self, method: str, params: Sequence[Any]) -> Any:
        raise Unavailable("ledger.unavailable", "The ledger's node could not be reached.")


class Slow:
    """Answers only once it is let go."""

    def __init__(self, rpc: Any) -> None:
        self._rpc, self.let_go, self.answered = rpc, threading.Event(), 0

    def call(self, method: str, params: Sequence[Any]) -> Any:
        self.let_go.wait(60)
        self.answered += 1
        return self._rpc.call(method, params)


class Counting:
    """Counts what it is asked."""

    def __init__(self, rpc: Any) -> None:
        self._rpc, self.asked = rpc, Counter[str]()

    def call(self, method: str, params: Sequence[Any]) -> Any:
        self.asked[method] += 1
        return self._rpc.call(method, params)


class Lying:
    """Changes answers: by method, what is answered instead of what the node says. Changes may come and go."""

    def __init__(self, rpc: Any, **changes: Callable[[Any], Any]) -> None:
        self._rpc, self.changes = rpc, changes

    def call(self, method: str, params: Sequence[Any]) -> Any:
        answer = self._rpc.call(method, params)
        change = self.changes.get(method)
        return answer if change is None else change(deepcopy(answer))


class Limited:
    """Refuses scans of more than so many blocks or logs, in its provider's words."""

    def __init__(self, rpc: Any, *, blocks: int = 10**9, logs: int = 10**9, words: str, code: int = -32000) -> None:
        self._rpc, self._blocks, self._logs, self._words, self._code = rpc, blocks, logs, words, code
        self.scans: list[tuple[int, int]] = []

    def call(self, method: str, params: Sequence[Any]) -> Any:
        answer = self._rpc.call(method, params)
        if method == "eth_getLogs":
            first, last = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
            if last - first + 1 > self._blocks or len(answer) > self._logs:
                raise RpcError(self._code, self._words)
            self.scans.append((first, last))
        return answer


class Refusing:
    """Answers one method with an error, as often as there are errors left."""

    def __init__(self, rpc: Any, method: str, *errors: Exception, after: bool = False) -> None:
        self._rpc, self._method, self._errors, self._after = rpc, method, list(errors), after

    def call(self, method: str, params: Sequence[Any]) -> Any:
        if method != self._method or not self._errors:
            return self._rpc.call(method, params)
        if self._after:
            self._rpc.call(method, params)
        raise self._errors.pop(0)


def drop_log(place: int) -> Callable[[Any], Any]:
    """Leaves out one log of an answer."""
    return lambda logs: logs[:place] + logs[place + 1 :]


def alter_log(place: int) -> Callable[[Any], Any]:
    """Changes the data of one log, which stays where it is."""

    def altered(logs: Any) -> Any:
        if len(logs) > place:
            logs[place]["data"] = logs[place]["data"][:-1] + ("1" if logs[place]["data"][-1] != "1" else "2")
        return logs

    return altered


class Web:
    """A `Fetch` behind which a node answers; `script` is what it answers first (a status with headers, or a body)."""

    def __init__(self, rpc: Any, *script: Response | Exception, batches: bool = True) -> None:
        self._rpc, self._script, self._batches = rpc, list(script), batches
        self.bodies: list[Any] = []

    def get(self, url: str, **_: Any) -> Response:
        raise AssertionError("a node is never asked with GET")

    def post(self, url: str, *, body: bytes, content_type: str, **_: Any) -> Response:
        import json

        assert content_type == "application/json"
        asked = json.loads(body)
        self.bodies.append(asked)
        if self._script:
            said = self._script.pop(0)
            if isinstance(said, Exception):
                raise said
            return said
        if isinstance(asked, list):
            if not self._batches:
                return answer({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no batches"}})
            return answer([self._one(one) for one in reversed(asked)])
        return answer(self._one(asked))

    def _one(self, asked: Mapping[str, Any]) -> Any:
        head = {"jsonrpc": "2.0", "id": asked["id"]}
        try:
            return head | {"result": self._rpc.call(asked["method"], asked["params"])}
        except RpcError as error:
            return head | {"error": {"code": error.rpc_code, "message": error.message, "data": error.data}}


def answer(body: Any, *, status: int = 200, **headers: str) -> Response:
    """A node's answer; `headers` with "_" for "-"."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, "https://node.test/", named, body if isinstance(body, bytes) else write_json(body))


def die() -> None:
    """Be killed, here and now, as by a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)


class DyingRpc:
    """Dies just before, or just after, the node has been asked this."""

    def __init__(self, rpc: Any, method: str, *, after: bool) -> None:
        self._rpc, self._method, self._after = rpc, method, after

    def call(self, method: str, params: Sequence[Any]) -> Any:
        if method == self._method and not self._after:
            die()
        told = self._rpc.call(method, params)
        if method == self._method:
            die()
        return told


class DyingSigner:
    """Dies just before, or just after, it has signed."""

    def __init__(self, signer: Any, *, after: bool) -> None:
        self._signer, self._after, self.address = signer, after, signer.address

    def sign_digest(self, digest: bytes) -> tuple[int, int, int]:
        if not self._after:
            die()
        self._signer.sign_digest(digest)
        die()
        raise AssertionError("unreachable")


def in_child(work: Callable[[], object]) -> int:
    """Do this in a forked process: the signal that killed it, or 0 when it lived to the end, or its failure (-1)."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status)
    return 0 if os.WEXITSTATUS(status) == 0 else -1


class DyingAt:
    """Dies at its so-and-so-many-th question."""

    def __init__(self, rpc: Any, place: int) -> None:
        self._rpc, self._left = rpc, place

    def call(self, method: str, params: Sequence[Any]) -> Any:
        if self._left == 0:
            die()
        self._left -= 1
        return self._rpc.call(method, params)
