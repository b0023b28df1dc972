"""The verifier as a web service: pages for the person who asks, a REST API, and the endpoints that wallets call."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

from flask import Flask

from service import store
from service.app import make_app
from ssi.errors import Unavailable
from ssi.fetch import BoundedFetch, Fetch
from verifier import identities, wiring
from verifier import settings as reading
from verifier.sessions import Sessions
from verifier.settings import ROLE, VerifierSettings
from verifier.store import METADATA
from verifier.web import answers, api, control, ledgerpage, pages, published, wallet
from verifier.web.context import Context

SWEEP_SECONDS: Final = 15.0


def utc_now() -> datetime:
    """The clock of a running service."""
    return datetime.now(UTC)


def create_app(
    settings: VerifierSettings, *, now: Callable[[], datetime] = utc_now, fetch: Fetch | None = None
) -> Flask:
    """The application for these settings. Tests hand in a clock and a network of their own.

    Raises SsiError when a file that the settings name is missing or wrong.
    """
    engine = store.engine(settings.service.database_url)
    store.create(METADATA, engine)
    network = fetch or BoundedFetch(
        allow_loopback=settings.service.allow_loopback,
        ca_file=str(settings.service.ca_file) if settings.service.ca_file else None,
    )
    app = make_app(__name__, role=ROLE, settings=settings.service, health=partial(store.ping, engine))
    sessions = wiring.sessions(settings, engine=engine, fetch=network, clock=now)
    digests, document = api.file_digests(settings.api_key_file), identities.did_document(settings)
    looking = ledgerpage.looking(settings, fetch=network)
    Context(sessions, settings, digests, document, looking).attach(app)
    app.jinja_env.globals["has_ledger"] = looking is not None
    for part in (wallet, api, pages, answers, published, ledgerpage):
        app.register_blueprint(part.blueprint)
    if settings.control:
        app.register_blueprint(control.blueprint)
    app.wsgi_app = wallet.lean(app, sessions)  # type: ignore[method-assign]  # Flask's own place for middleware
    return app


def wsgi() -> Flask:
    """The application for a worker process, from the environment; it also erases what has been kept long enough."""
    app = create_app(reading.read(os.environ))
    keep_sweeping(Context.of(app).sessions)
    return app


def keep_sweeping(sessions: Sessions, *, every: float = SWEEP_SECONDS) -> Callable[[], None]:
    """Sweep in the background until the process ends, or until the returned function is called."""
    stop = threading.Event()

    def loop() -> None:
        while not stop.wait(every):
            try:
                sessions.sweep()
            except Unavailable:
                continue  # the database is away: what it keeps is erased when it is back

    threading.Thread(target=loop, name="sweep", daemon=True).start()
    return stop.set


def check(values: Mapping[str, str]) -> VerifierSettings:
    """Read all settings and the files that they name, so that a mistake ends the start. Raises SsiError."""
    settings = reading.read(values)
    wiring.check(settings)
    return settings
