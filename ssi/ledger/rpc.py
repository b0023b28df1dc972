"""Asking a node: JSON-RPC 2.0 over HTTPS, patient with nodes that limit how often they are asked.

A node's URL often holds an access key, so it stands in no error, log or `repr`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn, Protocol, runtime_checkable
from urllib.parse import parse_qsl, unquote, urlsplit

from ssi.encoding import Json, read_json, write_json
from ssi.errors import Malformed, Refused, SsiError, Unavailable
from ssi.fetch import Fetch, Response

MAX_ANSWER: Final = 16 * 1_048_576
"""Bytes of an answer that are read, if the network given allows so many."""
_BATCH: Final = 100
_BUSY: Final = frozenset({429, 502, 503, 504})
_RATE_CODES: Final = frozenset({429, -32005, -32029})  # -32005: EIP-1474 "limit exceeded"
_SCANS: Final = frozenset({"eth_getLogs"})  # here -32005 says that the answer would be too large
_LONGEST_WORDS: Final = 300
_KEY_LENGTH: Final = 8
"""Parts of a node's URL that are so long may be a key."""

Call = tuple[str, Sequence[Json]]
"""A method and its parameters."""


class RpcError(Unavailable):
    """The node answered with an error instead of a result; `rpc_code`, `message` and `data` are the node's own."""

    def __init__(self, rpc_code: int, message: str, data: Json = None) -> None:
        super().__init__("ledger.rpc", f"The ledger's node answered with error {rpc_code}: {plain(message)}")
        self.rpc_code = rpc_code
        self.message = message
        self.data = data


class Rpc(Protocol):
    """Somebody who answers questions about a ledger."""

    def call(self, method: str, params: Sequence[Json]) -> Json:
        """The result of a method.

        Raises RpcError for errors that the node answers, Unavailable (`ledger.unavailable`, `ledger.timeout`,
        `ledger.rate_limited`, `ledger.too_large`, `ledger.protocol`, `ledger.disagreement`).
        """


@runtime_checkable
class BatchRpc(Protocol):
    """Somebody who answers several questions at once."""

    def call_many(self, calls: Sequence[Call]) -> tuple[Json, ...]:
        """The results in the order of the calls; raises for the first that fails, as `Rpc.call` does."""


def call_many(rpc: Rpc, calls: Sequence[Call]) -> tuple[Json, ...]:
    """The results in the order of the calls, asked in one go where that is possible."""
    if isinstance(rpc, BatchRpc):
        return rpc.call_many(calls)
    return tuple(rpc.call(method, params) for method, params in calls)


class HttpRpc:
    """A node at a URL.

    A node that says "too often" (HTTP 429, error -32005) or is busy (502 to 504) is asked again, `attempts` times in
    all, after the time it names (`Retry-After`) or a doubling one; never is more than `patience` seconds waited for one
    answer. `sleep` waits for a number of seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        fetch: Fetch,
        sleep: Callable[[float], object],
        attempts: int = 5,
        patience: float = 30.0,
        max_bytes: int = MAX_ANSWER,
    ) -> None:
        self._url, self._fetch, self._sleep = url, fetch, sleep
        self._attempts, self._patience, self._max_bytes = attempts, patience, max_bytes
        self._ids = itertools.count(1)
        self._batches = True

    def __repr__(self) -> str:
        """The host; the path may hold an access key."""
        return f"HttpRpc({self.host})"

    @property
    def host(self) -> str:
        """The host's name, for people; "" when the URL has none."""
        try:
            return urlsplit(self._url).hostname or ""
        except ValueError:
            return ""

    def call(self, method: str, params: Sequence[Json]) -> Json:
        """The result of a method; raises as `Rpc.call`."""
        number = next(self._ids)
        return self._patiently(_request(number, method, params), lambda body: _result(body, number, method))

    def call_many(self, calls: Sequence[Call]) -> tuple[Json, ...]:
        """Results in order, up to 100 calls to a request; one by one where the node knows no batches."""
        found: list[Json] = []
        for start in range(0, len(calls), _BATCH):
            found.extend(self._batch(calls[start : start + _BATCH]))
        return tuple(found)

    def _batch(self, calls: Sequence[Call]) -> Sequence[Json]:
        if self._batches and len(calls) > 1:
            numbers = [next(self._ids) for _ in calls]
            body = [_request(number, *call) for number, call in zip(numbers, calls, strict=True)]
            answers = self._patiently(body, lambda body: _results(body, numbers, calls))
            if answers is not None:
                return answers  # type: ignore[no-any-return]  # Json is Any
            self._batches = False
        return [self.call(method, params) for method, params in calls]

    def _patiently(self, body: Json, read: Callable[[Json], Json]) -> Json:
        """Ask until there is an answer that is not "ask later"."""
        waited, usual, sent = 0.0, 0.5, write_json(body)
        for attempt in range(self._attempts):
            try:
                return read(self._post(sent))
            except _LaterError as later:
                pause = usual if later.seconds is None else later.seconds
                if attempt + 1 == self._attempts or waited + pause > self._patience:
                    raise Unavailable(later.code, later.detail) from None
                self._sleep(pause)
                waited, usual = waited + pause, usual * 2
            except RpcError as error:
                raise RpcError(error.rpc_code, _without(_keys(self._url), error.message), error.data) from None
        raise Unavailable("ledger.rate_limited", "The ledger's node was not asked at all.")

    def _post(self, sent: bytes) -> Json:
        try:
            answer = self._fetch.post(
                self._url,
                body=sent,
                content_type="application/json",
                accept="application/json",
                max_bytes=self._max_bytes,
            )
        except SsiError as error:
            raise _unreachable(error) from None
        if answer.status in _BUSY:
            raise _LaterError("ledger.rate_limited" if answer.status == 429 else "ledger.unavailable", _after(answer))
        try:
            return read_json(answer.body, what="node's answer", max_bytes=self._max_bytes)
        except Malformed as error:
            if error.code == "encoding.json_size":
                raise _too_large() from None
            raise _protocol() from None


class _LaterError(SsiError):
    """Ask again, after `seconds` if the node named a time."""

    def __init__(self, code: str, seconds: float | None = None) -> None:
        super().__init__(code, "The ledger's node is busy, or does not want to be asked so often.")
        self.seconds = seconds


def _keys(url: str) -> frozenset[str]:
    """What may be a key in a URL, as written and as meant: nodes repeat it in their errors."""
    parts = urlsplit(url)
    told = [*parts.path.split("/"), *parts.query.split("&"), *(value for _, value in parse_qsl(parts.query))]
    return frozenset(one for part in told for one in (part, unquote(part)) if len(one) >= _KEY_LENGTH)


def _without(keys: frozenset[str], message: str) -> str:
    for key in sorted(keys, key=len, reverse=True):
        message = message.replace(key, "…")
    return message


def plain(message: str) -> str:
    """A node's words for people: short, printable, and without anything that looks like a URL."""
    words = ["…" if "://" in word else word for word in message[:_LONGEST_WORDS].split()]
    return "".join(c for c in " ".join(words) if c.isprintable())


def _request(number: int, method: str, params: Sequence[Json]) -> dict[str, Json]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def _result(answer: Json, number: int, method: str) -> Json:
    """The result of one answer (JSON-RPC 2.0 §5)."""
    if not isinstance(answer, Mapping):
        raise _protocol()
    error = answer.get("error")
    if error is not None and answer.get("id") in (number, None):
        _fail(error, method)
    if answer.get("id") != number or "result" not in answer:
        raise _protocol()
    return answer["result"]


def _results(answer: Json, numbers: Sequence[int], calls: Sequence[Call]) -> list[Json] | None:
    """The results of a batch in the order of its numbers; None when the node answers no batches (§6)."""
    if isinstance(answer, Mapping):
        error = answer.get("error")
        if isinstance(error, Mapping) and error.get("code") in _RATE_CODES:
            raise _LaterError("ledger.rate_limited")
        return None
    if not isinstance(answer, list) or not all(isinstance(one, Mapping) for one in answer):
        raise _protocol()
    by_number = {one["id"]: one for one in answer if isinstance(one.get("id"), int)}
    if len(answer) != len(numbers) or set(by_number) != set(numbers):
        raise _protocol()
    return [_result(by_number[number], number, call[0]) for number, call in zip(numbers, calls, strict=True)]


def _fail(error: Json, method: str) -> NoReturn:
    code = error.get("code") if isinstance(error, Mapping) else None
    if not isinstance(error, Mapping) or not isinstance(code, int):
        raise _protocol()
    if code in _RATE_CODES and not (code == -32005 and method in _SCANS):
        raise _LaterError("ledger.rate_limited", _named(error.get("data")))
    raise RpcError(code, str(error.get("message", "")), error.get("data"))


def _named(data: Json) -> float | None:
    """The pause that some nodes name within the error ("rate": {"backoff_seconds": 30})."""
    rate = data.get("rate") if isinstance(data, Mapping) else None
    seconds = rate.get("backoff_seconds") if isinstance(rate, Mapping) else None
    return float(seconds) if isinstance(seconds, int | float) and seconds >= 0 else None


def _after(answer: Response) -> float | None:
    """Retry-After in seconds (RFC 9110 §10.2.3); dates are not read, for this house has no clock here."""
    told = answer.headers.get("retry-after", "").strip()
    return float(told) if told.isascii() and told.isdigit() and len(told) < 7 else None


def _unreachable(error: SsiError) -> Unavailable:
    if error.code == "fetch.timeout":
        return Unavailable("ledger.timeout", "The ledger's node did not answer in time.")
    if error.code == "fetch.too_large":
        return _too_large()
    if isinstance(error, Refused):
        return Unavailable("ledger.unavailable", f"The ledger's node may not be asked: {error.detail}")
    return Unavailable("ledger.unavailable", "The ledger's node could not be reached.")


def _too_large() -> Unavailable:
    return Unavailable("ledger.too_large", "The ledger's node answered with more than is read at once.")


def _protocol() -> Unavailable:
    return Unavailable("ledger.protocol", "The ledger's node does not answer as its protocol says.")
