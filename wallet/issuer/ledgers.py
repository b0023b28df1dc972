"""Ledgers: with which account does this desk write on which ledger, and how does it get there?

The embedded development chain stands in a file beside the desk; every other ledger is reached by its nodes' addresses.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ssi.encoding import read_json_object
from ssi.errors import Refused, Unavailable
from ssi.fetch import Fetch
from ssi.ledger import declared
from ssi.ledger.account import SoftwareAccount
from ssi.ledger.anchor import TrustAnchor
from ssi.ledger.devchain import DevChain
from ssi.ledger.ledger import Ledger
from ssi.ledger.receipts import Place
from ssi.ledger.writing import Journal, Writer
from wallet.issuer.settings import IssuerSettings, read_file

_LOG: Final = logging.getLogger("facet.ledger")
CHAIN: Final = Path("ledger", "chain.db")
JOURNAL: Final = "writes.db"
RPC: Final = "/ledger/rpc"
CALL_GAS: Final = 1_000_000
"""What an unpaid question to the embedded chain may cost: anybody may ask one."""
MAX_FEE_PER_GAS: Final = 200 * 10**9
"""In wei: what the desk pays at most; beyond it, anchoring waits."""
MAX_GAS: Final = 3_000_000
"""No write of the desk needs more: the contracts' creation is the largest."""


@dataclass(frozen=True)
class Desk:
    """The desk on its ledger; `chain` is the development chain where that is embedded here."""

    ledger: Ledger
    account: SoftwareAccount
    writer: Writer
    chain: DevChain | None = None

    @property
    def place(self) -> Place:
        """Where its receipts are from."""
        return Place(self.ledger.chain.chain_id, self.contract.address, self.ledger.registry.address)

    @property
    def contract(self) -> TrustAnchor:
        """Where it anchors. Raises Refused (`ledger.no_anchor`) on a ledger without."""
        if self.ledger.anchor is None:
            raise Refused("ledger.no_anchor", "The ledger's declaration names no TrustAnchor contract.")
        return self.ledger.anchor

    @property
    def did(self) -> str:
        """The did:ethr identifier of the desk's account."""
        return f"did:ethr:{self.ledger.networks[0]}:{self.account.address}"


def open_desk(settings: IssuerSettings, *, fetch: Fetch, clock: Callable[[], int]) -> Desk | None:
    """The desk on the ledger that its settings name; None where they name none, or no account.

    Raises Unavailable (`settings.file`, `ledger.store`), Malformed and Refused (`ledger.*`).
    """
    named = settings.ledger
    if named.declaration is None or named.account is None:
        return None
    content = read_file(named.declaration, what="declaration of the ledger")
    account = SoftwareAccount.from_pem(read_file(named.account, what="key of the ledger account"))
    folder = settings.service.folder
    with declared.of_file(named.declaration):
        chain = embedded(settings.service.data, content, base_url=settings.base_url, clock=clock)
        ledger = declared.read(content, fetch=fetch, folder=folder, sleep=time.sleep, local=chain)
    return Desk(ledger, account, writer(ledger, account, folder / JOURNAL), chain)


def check_at_start(settings: IssuerSettings, *, fetch: Fetch, clock: Callable[[], int]) -> None:
    """Is the ledger the one that its declaration describes? One that is away now is asked again when it is needed.

    Raises as `open_desk`, and Refused (`ledger.wrong_chain`, `ledger.no_contract`, `ledger.other_contract`).
    """
    desk = open_desk(settings, fetch=fetch, clock=clock)
    if desk is None:
        return
    try:
        desk.ledger.chain.check()
    except Unavailable as away:
        _LOG.warning("the ledger could not be asked yet", extra={"code": away.code})
    finally:
        if desk.chain is not None:
            desk.chain.close()


def writer(ledger: Ledger, account: SoftwareAccount, journal: Path) -> Writer:
    """Who writes, with what it may cost at most."""
    return Writer(ledger.chain, account, Journal(journal), max_fee_per_gas=MAX_FEE_PER_GAS, max_gas=MAX_GAS)


def embedded(data: Path, declaration: bytes, *, base_url: str, clock: Callable[[], int]) -> DevChain | None:
    """The chain in the desk's own file, if the declaration says that it is one for trials and that the desk serves it.

    Raises Malformed (`encoding.*`), Unavailable (`ledger.store`).
    """
    said = read_json_object(declaration, what="declaration of the ledger")
    path = data / CHAIN
    if said.get("development") is not True or said.get("rpc") != [base_url + RPC] or not path.is_file():
        return None
    return DevChain(path, clock=clock, call_gas=CALL_GAS)
