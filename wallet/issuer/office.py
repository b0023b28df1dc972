"""The office: one desk with everything it works with, put together from its settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine

from biometrics.matcher import FaceMatcher
from service import store as stores
from service.cookies import read_keys
from ssi import haip
from ssi.errors import Refused
from ssi.fetch import Fetch
from ssi.issuerkeys import Keys
from ssi.model import TrustPolicy
from ssi.oauth.clients import WALLET_ATTESTATION
from ssi.oid4vci import Configuration
from ssi.trust import declared
from ssi.trust.policies import Anchors, any_of
from ssi.trust.x509 import read_certificates
from wallet.issuer import attesting, catalog, heads, ledgers, sealing
from wallet.issuer.anchoring import Anchoring
from wallet.issuer.attesting import Attesting
from wallet.issuer.authorizing import Authorizing
from wallet.issuer.bitstrings import Bitstrings
from wallet.issuer.clients import Clients, read_wallets
from wallet.issuer.codes import Random
from wallet.issuer.desk import Desk
from wallet.issuer.heads import Head
from wallet.issuer.identity import Identity, files, load, stamp
from wallet.issuer.issuing import Issuing, Limits
from wallet.issuer.leaves import PATH, Leaves
from wallet.issuer.ledgers import Desk as LedgerDesk
from wallet.issuer.marks import Marks
from wallet.issuer.minting import Mint
from wallet.issuer.nonces import Nonces
from wallet.issuer.offers import Offers
from wallet.issuer.receipts import Receipts
from wallet.issuer.records import Records
from wallet.issuer.redeeming import Redeeming
from wallet.issuer.releases import Releases
from wallet.issuer.sealing import Sealing
from wallet.issuer.settings import SIGN_IN, IssuerSettings, read_file
from wallet.issuer.statuses import Publisher
from wallet.issuer.store import METADATA


@dataclass(frozen=True)
class Office:
    """The parts of a desk."""

    settings: IssuerSettings
    store: Engine
    identity: Identity
    offered: dict[str, Configuration]
    desk: Desk
    marks: Marks
    clients: Clients
    offers: Offers
    authorizing: Authorizing
    redeeming: Redeeming
    issuing: Issuing
    sealing: Sealing
    releases: Releases
    publisher: Publisher
    bitstrings: Bitstrings
    records: Records
    ledger: LedgerDesk | None = None
    anchoring: Anchoring | None = None
    receipts: Receipts | None = None

    @property
    def signs_in(self) -> bool:
        """Can people sign in here to get to their cards?"""
        return SIGN_IN in self.settings.ways


def open_store(settings: IssuerSettings) -> Engine:
    """The desk's database, its tables made. Raises Malformed (`store.url`), Unavailable (`store.unavailable`)."""
    store = stores.engine(settings.service.database_url)
    stores.create(METADATA, store)
    return store


def open_office(
    settings: IssuerSettings, *, matcher: FaceMatcher, fetch: Fetch, random: Random, clock: Callable[[], int]
) -> Office:
    """Everything together. Raises Unavailable, Malformed or Refused when keys or database cannot be used."""
    standing = files(settings)
    since = stamp(standing)  # before they are read
    identity, store = load(settings), open_store(settings)
    ledger = ledgers.open_desk(settings, fetch=fetch, clock=clock)
    leaves = None if ledger is None else Leaves(settings.base_url + PATH, random)
    attested = read_attesting(settings, fetch=fetch)
    offered = catalog.configurations(identity, attested, formats=haip.FORMATS if settings.service.haip else None)
    publisher = Publisher(store, identity, settings.base_url, settings.status_ttl, settings.status_size)
    marks = Marks(read_keys(settings.service.folder / "cookie.key"))
    scopes = {name: configuration.scope or name for name, configuration in offered.items()}
    return Office(
        settings=settings,
        store=store,
        identity=identity,
        offered=offered,
        desk=Desk(store, matcher, settings.keep_approved, random),
        marks=marks,
        clients=read_clients(settings, marks, fetch=fetch),
        offers=_offers(settings, store, identity, marks, random),
        authorizing=Authorizing(store, settings.base_url, scopes, marks, random),
        redeeming=Redeeming(store, settings.base_url, scopes, marks, random),
        issuing=Issuing(
            store,
            Mint(identity, publisher, settings.validity, random, leaves, lambda: stamp(standing) == since),
            Nonces(marks, random),
            attested,
            offered,
            Keys(fetch),
            Limits(settings.issuance.batch_size, settings.issuance.keep),
        ),
        sealing=sealing.load(settings.issuance.encryption, settings.issuance.encryption_key),
        releases=Releases(store),
        publisher=publisher,
        bitstrings=Bitstrings(store, identity, settings.base_url, settings.status_ttl),
        records=Records(store),
        ledger=ledger,
        anchoring=None if ledger is None else open_anchoring(settings, ledger, publisher, random),
        receipts=None if ledger is None else Receipts(store),
    )


def _offers(settings: IssuerSettings, store: Engine, identity: Identity, marks: Marks, random: Random) -> Offers:
    lifetime, tries = settings.offer_lifetime, settings.code_tries
    return Offers(store, settings.base_url, lifetime, tries, marks, random, settings.ways, ended=identity.ended)


def open_anchoring(settings: IssuerSettings, ledger: LedgerDesk, publisher: Publisher, random: Random) -> Anchoring:
    """What brings this desk's batches and newest states onto its ledger."""

    def newest(connection: Connection) -> Iterator[Head]:
        if log is not None:
            yield heads.of_log(log)
        yield from heads.of_lists(connection, publisher)

    named, log = settings.ledger, publisher.identity.log
    lock = settings.service.folder / "anchoring.lock"
    return Anchoring(publisher.store, ledger, named.every, named.size, newest, lock, random)


def _declared(path: Path | None, fetch: Fetch) -> TrustPolicy | None:
    """The wallet providers that a trust declaration names, whose files stand beside it."""
    if path is None:
        return None

    def beside(name: str) -> bytes:
        return read_file(path.parent / name, what=f"file {name} of the trust declaration")

    return declared.read(read_file(path, what="trust declaration"), open_file=beside, fetch=fetch).wallets


def read_attesting(settings: IssuerSettings, *, fetch: Fetch) -> Attesting:
    """Whose key attestations count. Raises Unavailable, Malformed or Refused (`settings.*`) for unusable files."""
    mode = settings.issuance.key_attestation
    trust: TrustPolicy | None = None
    if settings.wallet_anchors is not None:
        pem = read_file(settings.wallet_anchors, what="authorities of wallet providers")
        trust = Anchors(read_certificates(pem), frozenset({attesting.TYPE}))
    trust = any_of((trust, _declared(settings.trust, fetch)))
    if trust is None and mode == "required":
        raise Refused("settings.wallet_anchors", "Key attestations need --wallet-anchors: whose are they?")
    if trust is not None and settings.service.haip:
        trust = haip.Certified(trust, "4.5.1")
    return Attesting(mode, trust)


def read_clients(settings: IssuerSettings, marks: Marks, *, fetch: Fetch) -> Clients:
    """Which wallets this desk knows. Raises Unavailable, Malformed or Refused (`settings.*`) for unusable files."""
    listed = {} if settings.wallets is None else read_wallets(read_file(settings.wallets, what="list of wallets"))
    anchors = settings.wallet_anchors
    trust: TrustPolicy | None = None
    if anchors is not None:
        pem = read_file(anchors, what="authorities of wallet providers")
        trust = Anchors(read_certificates(pem), frozenset({WALLET_ATTESTATION}))
    trust = any_of((trust, _declared(settings.trust, fetch)))
    if trust is None and settings.require_attestation:
        raise Refused("settings.wallet_anchors", "Wallet attestations need --wallet-anchors: whose are they?")
    return Clients(settings.base_url, listed, trust, settings.require_attestation, marks)
