"""The office: one desk with everything it works with, put together from its settings."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from biometrics.matcher import FaceMatcher
from service import store as stores
from ssi.fetch import Fetch
from ssi.issuerkeys import Keys
from ssi.oid4vci import Configuration
from wallet.issuer import catalog
from wallet.issuer.bitstrings import Bitstrings
from wallet.issuer.codes import Random
from wallet.issuer.desk import Desk
from wallet.issuer.identity import Identity, load
from wallet.issuer.issuing import Issuing
from wallet.issuer.offers import Offers
from wallet.issuer.records import Records
from wallet.issuer.settings import IssuerSettings
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
    offers: Offers
    issuing: Issuing
    publisher: Publisher
    bitstrings: Bitstrings
    records: Records


def open_store(settings: IssuerSettings) -> Engine:
    """The desk's database, its tables made. Raises Malformed (`store.url`), Unavailable (`store.unavailable`)."""
    store = stores.engine(settings.service.database_url)
    stores.create(METADATA, store)
    return store


def open_office(settings: IssuerSettings, *, matcher: FaceMatcher, fetch: Fetch, random: Random) -> Office:
    """Everything together. Raises Unavailable, Malformed or Refused when keys or database cannot be used."""
    identity, store = load(settings), open_store(settings)
    offered = catalog.configurations(identity)
    publisher = Publisher(store, identity, settings.base_url, settings.status_ttl, settings.status_size)
    scopes = {name: configuration.scope or name for name, configuration in offered.items()}
    return Office(
        settings=settings,
        store=store,
        identity=identity,
        offered=offered,
        desk=Desk(store, matcher, settings.keep_approved, random),
        offers=Offers(store, settings.base_url, scopes, settings.offer_lifetime, settings.code_tries, random),
        issuing=Issuing(store, identity, publisher, offered, settings.validity, Keys(fetch), random),
        publisher=publisher,
        bitstrings=Bitstrings(store, identity, settings.base_url, settings.status_ttl),
        records=Records(store),
    )
