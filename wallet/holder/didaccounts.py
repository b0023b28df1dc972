"""A did:ethr in a folder: the key of its account (`account.pem`), and the journal of what was written (`writes.db`).

Making one writes nothing. Handing it on and giving it up are transactions: each has a name in the journal, so that a
command which was killed, or has waited in vain, is simply given again.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from service.cli import read_input
from ssi import dids
from ssi.dids import Sources
from ssi.dids.ethr import identifier, operations
from ssi.dids.ethr.operations import Call
from ssi.errors import Refused
from ssi.ledger.account import SoftwareAccount
from ssi.ledger.finality import Finality
from ssi.ledger.ledger import Ledger
from ssi.ledger.writing import Journal, Write, Writer
from wallet.holder.didfolders import DOCUMENT, Made, read_document, write, write_secret

NAME: Final = "did:ethr:"
ACCOUNT: Final = "account.pem"
_NEW_ACCOUNT: Final = "account.new.pem"
_JOURNAL: Final = "writes.db"
_MAX_FEE_PER_GAS: Final = 200 * 10**9
_MAX_GAS: Final = 200_000
"""Wei, and gas: what one write may cost at most; changing an owner needs some 50,000 gas."""


def create(folder: Path, ledger: Ledger, sources: Sources, *, now: datetime) -> Made:
    """A new account, which is a DID at once. Raises Unavailable, Refused (`ledger.*`, `did.folder`)."""
    account = SoftwareAccount.generate()
    did = identifier.of(account.address, network=ledger.networks[-1])
    document = dids.resolve(did, sources=sources, now=now).document.json
    files = (write_secret(folder / ACCOUNT, account.pem()), write(folder / DOCUMENT, document))
    notes = (
        "Nothing was written on the ledger: an account is an identity from the start.",
        f"To change the DID later, its account {account.address} needs some of the ledger's coin. "
        f"{_funding(ledger, account.address)}".strip(),
    )
    return Made(did, files, notes)


def rotate(folder: Path, ledger: Ledger, sources: Sources, *, now: datetime) -> Made:
    """Hand the DID to a new account. Raises Unavailable, Refused (`ledger.*`, `did.ended`), Malformed (`did.ethr`)."""
    did, account = _mine(folder)
    if dids.resolve(did, sources=sources, now=now).deactivated:
        raise Refused("did.ended", "This DID was given up: nothing can be changed any more.")
    path = folder / _NEW_ACCOUNT
    if not path.exists():
        write_secret(path, SoftwareAccount.generate().pem())
    new = SoftwareAccount.from_pem(read_input(str(path)))
    call = operations.rotate(did, new.address, registry=ledger.registry)
    done = _written(folder, ledger, account, f"rotate to {new.address}", call, now=now)
    if done.state is Finality.PENDING:
        return Made(did, (path,), (_waits(done),))
    kept = folder / f"account.{account.address}.pem"
    if not kept.exists():
        write_secret(kept, account.pem())
    path.replace(folder / ACCOUNT)
    document = dids.resolve(did, sources=sources, now=now).document.json
    files = (folder / ACCOUNT, write(folder / DOCUMENT, document))
    notes = (
        _stands(done),
        f"Only the new account {new.address} can change the DID now; for that it needs some of the ledger's coin. "
        f"{_funding(ledger, new.address)}".strip(),
        f"The old account's key is in {kept}; it has no say in the DID any more.",
    )
    return Made(did, files, notes)


def deactivate(folder: Path, ledger: Ledger, sources: Sources, *, now: datetime) -> Made:
    """Give the DID up. Raises Unavailable, Refused (`ledger.*`), Malformed (`did.ethr`)."""
    did, account = _mine(folder)
    call = operations.deactivate(did, registry=ledger.registry)
    done = _written(folder, ledger, account, "deactivate", call, now=now)
    if done.state is Finality.PENDING:
        return Made(did, (), (_waits(done),))
    document = dids.resolve(did, sources=sources, now=now).document.json
    return Made(did, (write(folder / DOCUMENT, document),), (_stands(done), "No key can bring the DID back."))


def is_here(folder: Path) -> bool:
    """Is it a did:ethr that lies in the folder?"""
    return (folder / ACCOUNT).exists()


def _mine(folder: Path) -> tuple[str, SoftwareAccount]:
    return str(read_document(folder)["id"]), SoftwareAccount.from_pem(read_input(str(folder / ACCOUNT)))


def _written(
    folder: Path, ledger: Ledger, account: SoftwareAccount, intent: str, call: Call, *, now: datetime
) -> Write:
    journal = Journal(folder / _JOURNAL)
    writer = Writer(ledger.chain, account, journal, max_fee_per_gas=_MAX_FEE_PER_GAS, max_gas=_MAX_GAS)
    try:
        return writer.write(intent, call.to, call.data, now=now)
    except Refused as refused:
        if refused.code != "ledger.funds":
            raise
        lacks = f"The account {account.address} has not enough of the ledger's coin for this write."
        detail = f"{lacks} {_funding(ledger, account.address)}Then give the command again."
        raise Refused(refused.code, detail) from None


def _funding(ledger: Ledger, address: str) -> str:
    """How an account of a development chain comes to coins; "" on any other, where they cost something."""
    return f"On this chain: facet-issuer chain --fund {address}. " if ledger.development else ""


def _stands(done: Write) -> str:
    sure = "final" if done.state is Finality.FINALIZED else "confirmed"
    return f"It is on the ledger in block {done.block_number} ({sure}); it took {done.gas_used} gas."


def _waits(done: Write) -> str:
    return "It was sent, and the ledger has not settled it yet: give the same command again in a while."
