"""The development chain for others' software: JSON-RPC 2.0 by POST, as a WSGI application.

It opens no socket: a role mounts it, or serves it on an address of its own machine. Only what reads, and
`eth_sendRawTransaction`, may be asked; there are no accounts to unlock and nothing to configure. Requests must say
that they are JSON, so a page of another origin cannot send any without asking first (and is never allowed to).

Nobody pays for an answer, so each request has a bound (`ssi.ledger.devchain.work`): what goes beyond it is answered
with error -32005, and a request for which there is no place with status 429: clients then ask again later.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ssi.encoding import Json, read_json, write_json
from ssi.errors import Malformed, SsiError, Unavailable
from ssi.ledger.devchain.chain import DevChain
from ssi.ledger.devchain.methods import READING, WRITING
from ssi.ledger.devchain.work import Work
from ssi.ledger.rpc import RpcError

MAX_BODY: Final = 1_048_576
MAX_BATCH: Final = 100
MAX_ANSWER: Final = 10_485_760
_METHODS: Final = frozenset({*READING, *WRITING})
_LOG = logging.getLogger(__name__)

_OK: Final = "200 OK"
_BUSY: Final = "429 Too Many Requests"
_JSON: Final = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
)
_HEADERS: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "405 Method Not Allowed": (("Allow", "POST"),),
    _BUSY: (("Retry-After", "1"),),
}

Start = Callable[[str, list[tuple[str, str]]], Any]
Application = Callable[[Mapping[str, Any], Start], Iterable[bytes]]


@dataclass(frozen=True)
class Reply:
    """What goes back: an HTTP status with its words, and JSON, or nothing (to notifications only)."""

    status: str
    body: bytes

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers that belong to it, without its length."""
        return [*(_JSON if self.body else ()), *_HEADERS.get(self.status, ())]


def app(chain: DevChain) -> Application:
    """The chain as a WSGI application, at whatever path it is mounted."""

    def answered(environ: Mapping[str, Any], start: Start) -> Iterable[bytes]:
        found = _exchange(chain, environ)
        start(found.status, [*found.headers, ("Content-Length", str(len(found.body)))])
        return [found.body]

    return answered


def reply(chain: DevChain, body: bytes) -> Reply:
    """What goes back to this body of a request, once there is a place to work on it."""
    with chain.door.entered() as entered:
        if not entered:
            return Reply(_BUSY, write_json(_error(None, -32_005, "too many requests at once: ask again later")))
        found = answer(chain, body)
    return Reply(_OK if found else "204 No Content", found)


def answer(chain: DevChain, body: bytes) -> bytes:
    """The answer to the body of a request; empty where nothing was asked but notifications (JSON-RPC 2.0 §4.1)."""
    work = chain.allowance()
    try:
        asked = read_json(body, what="request", max_bytes=MAX_BODY)
    except Malformed:
        return write_json(_error(None, -32_700, "parse error"))
    if not isinstance(asked, list):
        found = _one(chain, asked, work)
        return b"" if found is None else write_json(found)
    if not asked:
        return write_json(_error(None, -32_600, "empty batch"))
    if len(asked) > MAX_BATCH:
        return write_json(_error(None, -32_600, f"batch of more than {MAX_BATCH} requests"))
    listed, size = [], 0
    for one in asked:
        found = _one(chain, one, work) if size < MAX_ANSWER else _error(_number(one), -32_003, "response too large")
        if found is not None:
            listed.append(write_json(found))
            size += len(listed[-1])
    return b"[" + b",".join(listed) + b"]" if listed else b""


def _exchange(chain: DevChain, environ: Mapping[str, Any]) -> Reply:
    if environ.get("REQUEST_METHOD") != "POST":
        return Reply("405 Method Not Allowed", write_json(_error(None, -32_600, "ask by POST")))
    kind = str(environ.get("CONTENT_TYPE", "")).split(";")[0].strip().lower()
    if kind != "application/json":
        return Reply("415 Unsupported Media Type", write_json(_error(None, -32_600, "ask in application/json")))
    length = _length(environ)
    if length is None:
        return Reply("411 Length Required", write_json(_error(None, -32_600, "the request does not say its length")))
    if length > MAX_BODY:
        return Reply(
            "413 Content Too Large", write_json(_error(None, -32_600, f"request of more than {MAX_BODY} bytes"))
        )
    return reply(chain, environ["wsgi.input"].read(length))


def _length(environ: Mapping[str, Any]) -> int | None:
    text = str(environ.get("CONTENT_LENGTH") or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _one(chain: DevChain, asked: Json, work: Work) -> dict[str, Json] | None:
    """The answer to one request; None to a notification, which is carried out all the same."""
    if not isinstance(asked, dict) or asked.get("jsonrpc") != "2.0" or not isinstance(asked.get("method"), str):
        return _error(None, -32_600, "invalid request")
    number, params = asked.get("id"), asked.get("params", [])
    if not isinstance(number, str | int | float | None) or isinstance(number, bool):
        return _error(None, -32_600, "invalid request")
    if not isinstance(params, list):
        return _error(number, -32_602, "parameters must be an array")
    found = _result(chain, str(asked["method"]), params, number, work)
    return found if "id" in asked else None


def _result(chain: DevChain, method: str, params: Sequence[Json], number: Json, work: Work) -> dict[str, Json]:
    if method not in _METHODS:
        return _error(number, -32_601, f"the method {method[:64]} does not exist/is not available")
    found = _error(number, -32_603, "internal error")
    with _Trouble(method):
        try:
            found = {"jsonrpc": "2.0", "id": number, "result": chain.call(method, params, work=work)}
        except RpcError as refusal:
            found = _error(number, refusal.rpc_code, refusal.message, refusal.data)
        except Unavailable:
            found = _error(number, -32_002, "resource unavailable")
        except SsiError as refusal:
            found = _error(number, -32_000, refusal.detail)
    return found


class _Trouble:
    """Whatever fails inside goes into the log; the asker learns only that it did."""

    def __init__(self, method: str) -> None:
        self._method = method

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        if kind is None or not issubclass(kind, Exception):
            return False
        _LOG.error("A method of the development chain failed: %s", self._method, exc_info=error)
        return True


def _number(asked: Json) -> Json:
    found = asked.get("id") if isinstance(asked, dict) else None
    return found if isinstance(found, str | int) else None


def _error(number: Json, code: int, message: str, data: Json = None) -> dict[str, Json]:
    error: dict[str, Json] = {"code": code, "message": message}
    return {"jsonrpc": "2.0", "id": number, "error": error if data is None else {**error, "data": data}}
