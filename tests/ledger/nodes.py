"""Nodes that the ledger's tests run on: the embedded chain, and a real node where Node's packages are installed.

A node is started once per test session and shared, so a test makes accounts of its own (`node.account()`) and asks
only about what it wrote itself. A test that reorganises, or that counts blocks, takes a node of its own (`own_node`).
"""

from __future__ import annotations

import http.client
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ssi.ledger.rpc import RpcError
from tests.peers import FOLDER
from tests.support import readable

if TYPE_CHECKING:
    from ssi.ledger.account import SoftwareAccount

ETHER = 10**18
NAMES = ("embedded", "anvil")
_ANVIL = FOLDER / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
_SECONDS = 20
_POLLS = 200


class UrlRpc:
    """JSON-RPC to a URL over one kept connection: the tests' own client, as small as it can be.

    The real node answers a transaction a moment before it is mined; this client waits for that moment, so that a test
    may ask for the receipt at once. A transaction that cannot be mined yet (a gap before its nonce) is not waited for.
    """

    def __init__(self, url: str) -> None:
        self._place, self._path = urlsplit(url).netloc, urlsplit(url).path or "/"
        self._connection: http.client.HTTPConnection | None = None
        self._number = 0

    def call(self, method: str, params: Sequence[Any] = ()) -> Any:
        """The result; raises RpcError for errors that the node answers."""
        self._number += 1
        answer = self.post({"jsonrpc": "2.0", "id": self._number, "method": method, "params": list(params)})
        if "error" in answer:
            error = answer["error"]
            raise RpcError(int(error["code"]), str(error.get("message", "")), error.get("data"))
        if method == "eth_sendRawTransaction":
            self._mined(answer["result"])
        return answer["result"]

    def _mined(self, transaction_hash: str) -> None:
        for _ in range(_POLLS):
            if self.call("eth_getTransactionReceipt", [transaction_hash]) is not None:
                return
            time.sleep(0.002)

    def post(self, body: Any) -> Any:
        """What the node answers to this JSON, as JSON."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._place, timeout=_SECONDS)
        try:
            self._connection.request("POST", self._path, json.dumps(body), {"Content-Type": "application/json"})
            return json.loads(self._connection.getresponse().read())
        except (http.client.HTTPException, OSError):
            self._connection.close()
            self._connection = None
            raise


@dataclass(frozen=True)
class Node:
    """A running chain: how it is asked, and what only tests may do with it."""

    name: str
    rpc: Any
    chain_id: int
    funded: list[SoftwareAccount]
    url: str | None
    give: Callable[[str, int], None] = field(repr=False)
    mine: Callable[[int], None] = field(repr=False)
    reorg: Callable[[int], None] | None = field(repr=False, default=None)

    def account(self, *, wei: int = 10 * ETHER) -> SoftwareAccount:
        """A fresh account with money on it."""
        from ssi.ledger.account import SoftwareAccount

        made = SoftwareAccount.generate()
        if wei:
            self.give(made.address, wei)
        return made


def anvil_missing() -> str | None:
    """Why the real node cannot run here, or None."""
    if not (FOLDER / ".ready").exists() or not _ANVIL.exists():
        return "there is no Node here, or the real node is not among the installed peers (scripts/peers.py)"
    return None


@contextmanager
def anvil(*, chain_id: int = 31_337, options: Sequence[str] = ()) -> Iterator[Node]:
    """A real node on a free port of this machine, mining each transaction at once; it ends with the block."""
    command = [str(_ANVIL), "--port", "0", "--chain-id", str(chain_id), "--accounts", "1", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
    try:
        url = f"http://{_listening(process)}"
        threading.Thread(target=_drain, args=(process,), daemon=True).start()
        rpc = UrlRpc(url)
        node = Node(
            name="anvil",
            rpc=rpc,
            chain_id=chain_id,
            funded=[],
            url=url,
            give=lambda address, wei: rpc.call("anvil_setBalance", [address, hex(wei)]),
            mine=lambda count: rpc.call("anvil_mine", [hex(count)]),
            reorg=lambda depth: rpc.call("anvil_reorg", [depth, []]),
        )
        node.funded.extend(node.account(wei=10_000 * ETHER) for _ in range(3))
        yield node
    finally:
        process.terminate()
        process.wait(timeout=_SECONDS)


def _drain(process: subprocess.Popen[bytes]) -> None:
    """Read on what the node prints about each request: with nobody reading, it stands still once the pipe is full."""
    while process.stdout is not None and process.stdout.read(65_536):
        pass


def _listening(process: subprocess.Popen[bytes]) -> str:
    """The place that the node says it listens on."""
    stdout, deadline = process.stdout, time.monotonic() + _SECONDS
    assert stdout is not None
    while readable(stdout, max(0, deadline - time.monotonic())):
        line = stdout.readline()
        if line.startswith(b"Listening on "):
            return line.split()[-1].decode("ascii")
        if not line:
            break
    raise RuntimeError("the real node did not start")


@contextmanager
def embedded(folder: Path, *, chain_id: int = 0xFACE7, clock: Callable[[], int] | None = None) -> Iterator[Node]:
    """The embedded chain in a folder, in this process; `clock` is seconds since 1970."""
    from ssi.ledger.account import SoftwareAccount
    from ssi.ledger.devchain import DevChain

    funded = [SoftwareAccount.generate() for _ in range(3)]
    with DevChain(
        folder / "chain.db",
        chain_id=chain_id,
        clock=clock or (lambda: int(time.time())),
        faucet=tuple(one.address for one in funded),
        playground=True,
    ) as chain:
        yield Node(
            name="embedded",
            rpc=chain,
            chain_id=chain_id,
            funded=funded,
            url=None,
            give=lambda address, wei: chain.call("facet_give", [address, hex(wei)]),
            mine=lambda count: chain.call("facet_mine", [hex(count)]),
            reorg=lambda depth: chain.call("facet_reorg", [hex(depth)]),
        )


@contextmanager
def served(chain: Any) -> Iterator[str]:
    """The embedded chain on a free port of this machine, as `facet-issuer chain` serves it; its URL."""
    from wallet.issuer.chaincli import server

    with server(chain, 0) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{serving.server_port}"
        finally:
            serving.shutdown()
            thread.join()
