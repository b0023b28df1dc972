"""The holder's wallet as a web service: one application for many people, each behind a passphrase of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from flask import Flask

from service.app import make_app
from service.store import create, engine, ping
from ssi import haip
from ssi.fetch import BoundedFetch, Fetch
from ssi.formats import anyvc
from ssi.formats.typemetadata import Types
from ssi.issuerkeys import Keys
from ssi.oid4vci.encryption import MAX_RESPONSE_BYTES
from ssi.status import Checker
from ssi.trust.policies import any_of
from wallet.holder import store
from wallet.holder.accounts import Accounts
from wallet.holder.later import Threads
from wallet.holder.outside import Outside
from wallet.holder.passphrase import DEFAULT_COST, Cost
from wallet.holder.receive import Later
from wallet.holder.servicekeys import read_service_keys
from wallet.holder.session import Sessions
from wallet.holder.settings import (
    ROLE,
    WalletSettings,
    asker_policy,
    attester_policy,
    declared_trust,
    issuer_policy,
    known_askers,
    known_ledger,
    provider,
    read_settings,
)
from wallet.holder.web import account, cards, issuers, offers, requests, scan
from wallet.holder.web.access import Holder, install

STATUS_MAX_AGE = timedelta(hours=1)


def utc_now() -> datetime:
    """The clock of a running service."""
    return datetime.now(UTC)


def create_app(
    settings: WalletSettings,
    *,
    now: Callable[[], datetime] = utc_now,
    fetch: Fetch | None = None,
    cost: Cost = DEFAULT_COST,
    later: Later | None = None,
) -> Flask:
    """The application. `fetch` and `now` replace network and clock in tests; `cost` makes their passphrases cheap.

    `later` takes what is done after a person was answered; threads when not given.

    Raises Unavailable and Malformed when key file, trust anchors or database cannot be used.
    """
    service = settings.service
    database = engine(service.database_url)
    create(store.METADATA, database)
    keys = read_service_keys(settings.cookie_key)
    app = make_app(__name__, role=ROLE, settings=service, health=lambda: ping(database))
    sessions = Sessions(keys, service.cookie(), service.secure)
    accounts = Accounts(database, keys, cost)
    install(app, Holder(accounts, sessions, outside(settings, fetch=fetch), now, later or Threads()))
    for module in (account, cards, scan, offers, issuers, requests):
        app.register_blueprint(module.pages)
    return app


def outside(settings: WalletSettings, *, fetch: Fetch | None = None) -> Outside:
    """The world as these settings let a wallet see it."""
    service = settings.service
    network = fetch or _network(settings)
    named = declared_trust(settings.trust, fetch=network)
    anchored = issuer_policy(settings.issuer_anchors, settings.trusted_issuers, settings.iaca_anchors)
    ledger = known_ledger(settings, fetch=network)
    found = Keys(network if ledger is None else ledger.sources)
    accredited = None if ledger is None else ledger.accredited
    keys, issuers = named.keys(found), any_of((anchored, named.issuers, accredited)) or anchored
    if service.haip:
        issuers = haip.Certified(issuers)
    status = Checker(
        fetch=network,
        keys=keys,
        trust=issuers,
        max_age=STATUS_MAX_AGE,
        opener=anyvc.opener(keys),
        anchors=None if ledger is None else ledger.lists(required=False),
    )
    return Outside(
        network,
        keys,
        status,
        Types(network),
        issuers,
        any_of((asker_policy(settings.asker_anchors), named.relying_parties)),
        client_id=service.base_url,
        redirect_uri=f"{service.base_url}{offers.RETURN}",
        provider=provider(settings),
        haip=service.haip,
        authorities=named.authorities,
        attesters=attester_policy(settings.attester_anchors),
        clients=known_askers(settings.known_askers),
        records=None if ledger is None else ledger.records,
    )


def check(values: Mapping[str, str]) -> WalletSettings:
    """Read all settings and the files that they name, so that a mistake ends the start. Raises SsiError."""
    settings = read_settings(values)
    read_service_keys(settings.cookie_key)
    issuer_policy(settings.issuer_anchors, settings.trusted_issuers, settings.iaca_anchors)
    asker_policy(settings.asker_anchors)
    declared_trust(settings.trust, fetch=BoundedFetch(allow_loopback=False, ca_file=None))
    attester_policy(settings.attester_anchors)
    known_askers(settings.known_askers)
    provider(settings)
    ledger = known_ledger(settings, fetch=_network(settings))
    if ledger is not None:
        ledger.check_at_start()
    return settings


def _network(settings: WalletSettings) -> BoundedFetch:
    """The real network, as far as the settings allow it."""
    service = settings.service
    ca_file = None if service.ca_file is None else str(service.ca_file)
    return BoundedFetch(allow_loopback=service.allow_loopback, ca_file=ca_file, max_bytes=MAX_RESPONSE_BYTES)


def wsgi() -> Flask:
    """The application with the settings in the environment, for the server."""
    return create_app(read_settings(os.environ))
