"""Founding: how does a desk come by its DID, its ledger, and the right to issue?

Made once and kept, like everything of the set-up: an account for the desk and one for the accreditor, the embedded
development chain with both contracts (unless the directory names another ledger), the log of the desk's did:webvh, its
head on the ledger, and the accreditation. Whatever is missing when it runs again is made then, also after a kill.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

import schemas
from service.bootstrap import ISSUED, Files, Founder, MadeFile, named
from ssi.encoding import Json, read_json_object, seconds
from ssi.errors import Malformed, Refused, Unavailable
from ssi.fetch import Fetch
from ssi.ledger import anchor, declared, registry
from ssi.ledger.account import SoftwareAccount
from ssi.ledger.anchor import Rights
from ssi.ledger.chain import Chain
from ssi.ledger.devchain import CHAIN_ID, DevChain
from ssi.ledger.ledger import Ledger
from ssi.ledger.writing import Journal, Write, Writer
from wallet.issuer import didlog, heads, keychange
from wallet.issuer.ledgers import CHAIN, JOURNAL, MAX_FEE_PER_GAS, MAX_GAS, RPC, embedded
from wallet.issuer.settings import read_settings

DECLARATION: Final = "trust/ledger.json"
DESK: Final = "issuer/ledger.key"
ACCREDITOR: Final = "ca/accreditor.key"
_ACCREDITORS_JOURNAL: Final = "ca/accreditor-writes.db"
_GRANTED_FOR: Final = timedelta(days=3650)
_AGAIN: Final = timedelta(days=365)
_LATER: Final = timedelta(minutes=1)
"""Entries that were made within one second have times of which the last is a little ahead."""


def founder(fetch: Fetch) -> Founder:
    """What `service.bootstrap` calls to found the issuer; `fetch` reaches the nodes of a ledger that is not embedded.

    It raises Unavailable and Refused (`ledger.*`): what was made until then stays, and the next run goes on.
    """
    return partial(_found, fetch)


def _found(fetch: Fetch, files: Files, url: str, now: datetime) -> Iterator[MadeFile]:
    yield files.keep(DESK, _account, "key of the desk's account on the ledger", secret=True)
    yield files.keep(ACCREDITOR, _account, "key of the account that accredits issuers", secret=True)
    desk, accreditor = (SoftwareAccount.from_pem(files.read(name)) for name in (DESK, ACCREDITOR))
    yield from _chain(files, url, desk, accreditor, now=now)
    ledger = _opened(files, url, fetch, now=now)
    network = ledger.networks[0]
    writes = _Writes(ledger, now)
    if f"did:ethr:{network}:{accreditor.address}" in [one.lower() for one in ledger.accreditors]:
        writes.accredit(accreditor, desk.address, files.root / _ACCREDITORS_JOURNAL)
    try:
        yield from _did(files, url, f"did:ethr:{network}:{desk.address}", now=now)
    except Malformed as problem:
        if problem.code != "did.webvh":
            raise
        yield from named(files, url, now)  # an address without a domain name
        return
    writes.state(desk, files.root / "issuer" / JOURNAL, files.read(didlog.LOG))
    writes.describe(desk, files.root / "issuer" / JOURNAL)


def _did(files: Files, url: str, account: str, *, now: datetime) -> Iterator[MadeFile]:
    """The desk's DID, with all the keys that it has now."""
    values = {"FACET_ISSUER_DATA": str(files.root), "FACET_ISSUER_BASE_URL": url}
    identity = keychange.present(read_settings(values), files, now=now)
    yield from didlog.kept(files, identity, also=(account,), now=now)
    yield files.issuers(didlog.read(files, now=now + _LATER).did)


def _account() -> bytes:
    return SoftwareAccount.generate().pem()


def _opened(files: Files, url: str, fetch: Fetch, *, now: datetime) -> Ledger:
    content = files.read(DECLARATION)
    chain = embedded(files.root, content, base_url=url, clock=lambda: seconds(now))
    return declared.read(content, fetch=fetch, folder=None, sleep=time.sleep, local=chain)


def _chain(
    files: Files, url: str, desk: SoftwareAccount, accreditor: SoftwareAccount, *, now: datetime
) -> Iterator[MadeFile]:
    """The embedded chain and its declaration, unless the directory names a ledger that is not ours to make."""
    path, purpose = files.root / DECLARATION, "the ledger on which the issuer anchors"
    chain_path = files.root / CHAIN
    what = "the embedded development chain"
    if path.exists() and not chain_path.exists():
        yield MadeFile(path, purpose, secret=False, written=False)
        return
    there = chain_path.exists()
    chain_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    faucet = [desk.address, accreditor.address]
    with DevChain(chain_path, clock=lambda: seconds(now), faucet=faucet) as rpc:
        yield MadeFile(chain_path, what, secret=False, written=not there)
        said = read_json_object(path.read_bytes(), what="declaration of the ledger") if path.exists() else None
        if said is None or said.get("development") is True:
            chain = Chain(rpc, chain_id=CHAIN_ID, genesis=None)
            lie = _lying(chain, said) or _created(_writer(chain, desk, files.root / "issuer" / JOURNAL), now=now)
            yield files.keep_same(DECLARATION, _declaration(chain, url, lie, accreditor), purpose)
        else:
            yield MadeFile(path, purpose, secret=False, written=False)


def _lying(chain: Chain, said: Mapping[str, Json] | None) -> tuple[str, str] | None:
    """Where the contracts are that the present declaration names, if they are on this chain: they stay the same."""
    if said is None:
        return None
    found = [str(said.get(name, {}).get("address", "")) for name in ("registry", "anchor")]
    return (found[0], found[1]) if all(address and chain.code(address) for address in found) else None


def _created(writer: Writer, *, now: datetime) -> tuple[str, str]:
    """Put both contracts onto the embedded chain. Raises Unavailable (`ledger.pending`)."""
    chain = writer.chain
    lies = _address(chain, writer.write("create registry", None, registry.deploy_data(), now=now))
    return lies, _address(chain, writer.write("create anchor", None, anchor.deploy_data(lies), now=now))


def _declaration(chain: Chain, url: str, lie: tuple[str, str], accreditor: SoftwareAccount) -> bytes:
    return declared.write(
        chain=chain,
        name="Facet development chain",
        development=True,
        rpc=(url + RPC,),
        registry=lie[0],
        anchor=lie[1],
        accreditors=(f"did:ethr:{hex(CHAIN_ID)}:{accreditor.address}",),
    )


def _writer(chain: Chain, account: SoftwareAccount, journal: Path) -> Writer:
    return Writer(chain, account, Journal(journal), max_fee_per_gas=MAX_FEE_PER_GAS, max_gas=MAX_GAS)


def _address(chain: Chain, write: Write) -> str:
    """The address of the contract that a write has created. Raises Unavailable (`ledger.pending`)."""
    mined = None if write.transaction_hash is None else chain.receipt(write.transaction_hash)
    if mined is None or mined.contract is None:
        raise Unavailable("ledger.pending", "The ledger has not taken the contracts yet; run the command again.")
    return mined.contract


@dataclass(frozen=True)
class _Writes:
    """What founding writes onto a ledger that has the contracts."""

    ledger: Ledger
    now: datetime

    @property
    def _contract(self) -> anchor.TrustAnchor:
        if self.ledger.anchor is None:
            raise Refused("ledger.no_anchor", "The ledger's declaration names no TrustAnchor contract.")
        return self.ledger.anchor

    def state(self, desk: SoftwareAccount, journal: Path, log: bytes) -> None:
        """The head of the desk's DID, if the ledger does not have it."""
        head, contract = heads.of_log(log), self._contract
        subject = anchor.name_hash(head.name)
        held = contract.head(desk.address, subject)
        if held is None or held.number < head.number:
            data = anchor.set_head(desk.address, subject, head.digest, head.number)
            writer = _writer(self.ledger.chain, desk, journal)
            writer.write(heads.intent(head), contract.address, data, now=self.now)

    def describe(self, desk: SoftwareAccount, journal: Path) -> None:
        """The digests of the published descriptions of the desk's types, as far as the ledger does not have them."""
        contract = self._contract
        for name, path in schemas.TYPES.items():
            digest = sha256(schemas.read(path)).digest()
            if contract.anchored(desk.address, digest) is None:
                data = anchor.anchor(desk.address, digest)
                writer = _writer(self.ledger.chain, desk, journal)
                writer.write(f"describe {name} {digest.hex()}", contract.address, data, now=self.now)

    def accredit(self, accreditor: SoftwareAccount, desk: str, journal: Path) -> None:
        """The right to issue the desk's types, if it has none that lasts."""
        contract, at = self._contract, seconds(self.now)
        writer = _writer(self.ledger.chain, accreditor, journal)
        for name in ISSUED:
            kind = anchor.name_hash(name)
            held = contract.accreditation(accreditor.address, desk, kind)
            if held is None or not held.allows(Rights.ISSUE, at=at + seconds_of(_AGAIN)):
                until = at + seconds_of(_GRANTED_FOR)
                data = anchor.accredit(accreditor.address, desk, kind, Rights.ISSUE, until)
                writer.write(f"accredit {desk} {name} {until}", contract.address, data, now=self.now)


def seconds_of(span: timedelta) -> int:
    """A span in whole seconds."""
    return int(span.total_seconds())
