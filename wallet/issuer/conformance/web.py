"""The conformance application: its parts put together, for a worker process or for a test."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from flask import Flask

from service import conformance as hosting
from service.settings import ServiceSettings
from service.settings import read as read_settings
from ssi.dids import Sources
from ssi.dids.resolution import Resolution, resolution
from ssi.fetch import BoundedFetch, Fetch
from ssi.issuerkeys import Keys
from wallet.issuer.conformance import desks as tables
from wallet.issuer.conformance.desks import BITSTRING
from wallet.issuer.conformance.statuses import Lists
from wallet.issuer.conformance.views import blueprint
from wallet.issuer.conformance.world import World
from wallet.issuer.settings import ROLE


def utc_now() -> datetime:
    """The real time."""
    return datetime.now(UTC)


def create_app(
    settings: ServiceSettings,
    *,
    now: Callable[[], datetime] = utc_now,
    fetch: Fetch | None = None,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> Flask:
    """The application, with fresh keys. Tests bring their own clock, network and randomness."""
    network = fetch or BoundedFetch(
        allow_loopback=settings.allow_loopback, ca_file=str(settings.ca_file) if settings.ca_file else None
    )
    desks = tables.opened(random)
    app = hosting.make(__name__, settings, about=lambda: tables.told(desks))
    lists = Lists.opened(desks[BITSTRING], f"{settings.base_url}/status", now=now(), random=random)
    World(desks, lists, Keys(network), now, random).attach(app)
    hosting.resolve_dids(app, partial(_resolved, network, now))
    app.register_blueprint(blueprint)
    return app


def _resolved(
    fetch: Fetch, now: Callable[[], datetime], name: str, accept: str | None, options: Mapping[str, str]
) -> Resolution:
    return resolution(name, accept=accept, options=options, sources=Sources(fetch), now=now())


def wsgi() -> Flask:
    """The application for a worker process, from the environment."""
    return create_app(read_settings(ROLE, os.environ))
