"""The development chain on an address of this machine, for engineers whose software speaks JSON-RPC."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import click

from service import cli
from ssi.encoding import Json
from ssi.errors import Unavailable
from ssi.ledger import hexes
from ssi.ledger.devchain import CHAIN_ID, DevChain
from ssi.ledger.devchain.facade import app

PORT: Final = 8545
CHAIN: Final = Path("ledger", "chain.db")
ACCOUNT: Final = Path("issuer", "ledger.key")
_HOST: Final = "127.0.0.1"
_GIFT: Final = 10**18
"""Wei: enough for thousands of writes."""
_LOG = logging.getLogger(__name__)


def open_chain(data: Path, *, playground: bool = False) -> DevChain:
    """The development chain of a trial's directory, by this machine's clock. Raises Unavailable (`ledger.store`)."""
    return DevChain(data / CHAIN, clock=lambda: int(time.time()), playground=playground)


def fund(data: Path, address: str) -> Mapping[str, Json]:
    """Give an account coins of the development chain, made for it. Raises Malformed (`ledger.address`), Unavailable."""
    account = hexes.read_address(address)
    with open_chain(data, playground=True) as chain:
        chain.call("facet_give", [account, hexes.quantity(_GIFT)])
    return {
        "account": account,
        "received": f"{_GIFT // 10**18} coin of the development chain, worth nothing elsewhere",
    }


def server(chain: DevChain, port: int) -> WSGIServer:
    """A server of the chain on the loopback address; port 0 takes a free one. Raises Unavailable (`serve.address`)."""
    try:
        return make_server(_HOST, port, app(chain), server_class=_Server, handler_class=_Handler)
    except OSError:
        raise Unavailable("serve.address", f"Port {port} of {_HOST} is not free.") from None


@click.command("chain")
@click.option("--data", default="var", help="Directory that `facet-issuer bootstrap` filled. Default: var.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port on the loopback address."
)
@click.option("--fund", "address", metavar="ADDRESS", help="Serve nothing: give this account coins for its fees.")
@cli.json_option
def command(data: str, port: int, *, address: str | None, as_json: bool) -> None:
    """Serve the development chain to software on this machine.

    It speaks JSON-RPC until it is told to stop; the desk may run meanwhile. Exit code 0: stopped, or funded.
    2: wrong usage. 3: there is no chain, or the port is taken.
    """
    folder = Path(data)
    if not (folder / CHAIN).is_file():
        raise Unavailable("ledger.store", f"There is no development chain in {folder}; bootstrap makes one.")
    if address is not None:
        cli.emit(fund(folder, address), as_json=as_json)
        return
    with open_chain(folder) as chain, server(chain, port) as serving:
        cli.emit(about(folder, serving.server_port), as_json=as_json)
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            _LOG.info("Stopped.")


def about(folder: Path, port: int) -> Mapping[str, Json]:
    """What an engineer needs to know; of the account that has money, the file that holds its key."""
    return {
        "url": f"http://{_HOST}:{port}",
        "chain_id": CHAIN_ID,
        "chain": str(folder / CHAIN),
        "account": str(folder / ACCOUNT),
    }


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each request; none of them keeps the process from ending."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up in the middle is nobody's trouble."""
        _LOG.debug("A request to the development chain was not finished.")


class _Handler(WSGIRequestHandler):
    """Requests are noted in the log, not on stderr."""

    timeout = 30

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name that the base class gives)
        """Note a request."""
        _LOG.debug(format, *args)
