"""The conformance application: its parts put together, for a worker process or for a test."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from flask import Flask

from service import conformance as hosting
from service.settings import ServiceSettings
from service.settings import read as read_settings
from ssi import status
from ssi.dids import Sources
from ssi.dids.resolution import Resolution, resolution
from ssi.fetch import BoundedFetch, Fetch
from ssi.formats import anyvc
from ssi.issuerkeys import Keys
from ssi.model import Check, Finding, Issuer, Outcome
from verifier.conformance.judging import Judge
from verifier.conformance.views import World, blueprint
from verifier.settings import ROLE

_STATUS_AGE = timedelta(days=1)


def utc_now() -> datetime:
    """The real time."""
    return datetime.now(UTC)


class Nobody:
    """A trust policy without anybody in it: status lists count when the credential's own issuer signed them."""

    def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:
        """FAIL `conformance.nobody`, whoever it is."""
        return Finding(Check.TRUST, Outcome.FAIL, "conformance.nobody", "Nobody is trusted here.")


def create_app(
    settings: ServiceSettings, *, now: Callable[[], datetime] = utc_now, fetch: Fetch | None = None
) -> Flask:
    """The application. Tests bring their own clock and network."""
    network = fetch or BoundedFetch(
        allow_loopback=settings.allow_loopback, ca_file=str(settings.ca_file) if settings.ca_file else None
    )
    keys = Keys(network)
    statuses = status.Checker(fetch=network, keys=keys, trust=Nobody(), max_age=_STATUS_AGE, opener=anyvc.opener(keys))
    app = hosting.make(__name__, settings, about=lambda: {"verifier": settings.base_url})
    World(Judge(keys, statuses), now).attach(app)
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
