"""The desk as a web application: pages for clerks, endpoints for wallets and verifiers."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from flask import Flask, Response, redirect

from biometrics.errors import BiometricsError
from biometrics.matcher import FaceMatcher
from service import app as web
from service.cookies import SealedCookie, read_keys
from service.store import ping
from ssi.encoding import seconds
from ssi.errors import Refused
from ssi.fetch import BoundedFetch, Fetch
from wallet.issuer import ledgers
from wallet.issuer.authorizing import SESSION_LIFETIME
from wallet.issuer.codes import Random
from wallet.issuer.identity import check_address, files, load
from wallet.issuer.marks import Marks
from wallet.issuer.office import Office, open_office, read_clients
from wallet.issuer.settings import ROLE, IssuerSettings, read_desk_token, read_settings
from wallet.issuer.web import authorize, clerk, control, ledger, protocol
from wallet.issuer.web.applicationpages import ApplicationPages
from wallet.issuer.web.credentialpages import CredentialPages
from wallet.issuer.web.following import Following
from wallet.issuer.web.housekeeping import Housekeeping
from wallet.issuer.web.ledger import Turns
from wallet.issuer.web.ledgerpage import LedgerPages, looking
from wallet.issuer.web.memory import MemoryRequest
from wallet.issuer.web.offerpages import OfferPages
from wallet.issuer.web.session import SHIFT, Gate

_STATUS: Final[Mapping[str, int]] = {
    "application.unknown": 404,
    "authorize.over": 410,
    "authorize.request": 400,
    "credential.unknown": 404,
    "credential.revoked": 409,
    "desk.no_ledger": 404,
    "desk.throttled": 429,
    "desk.token": 401,
    "offer.declined": 409,
    "offer.erased": 410,
    "offer.identity_ended": 409,
    "offer.issued": 409,
    "offer.over": 410,
    "offer.unknown": 404,
    "release.nothing_held": 409,
    "release.ruled": 409,
    "offer.way": 400,
    "status.unknown_list": 404,
}
"""HTTP statuses that say more than 403."""
ENDED: Final = "the desk's DID has been given up: nothing is offered or issued any more"
_LOG: Final = logging.getLogger("facet.issuer")
_ENDS: Final = "facet-ends"
"""Under this name an application keeps what is to be called when another takes its place."""


def utc_now() -> datetime:
    """The real time."""
    return datetime.now(UTC)


def create_app(
    settings: IssuerSettings,
    *,
    now: Callable[[], datetime] = utc_now,
    fetch: Fetch | None = None,
    matcher: FaceMatcher | None = None,
    random: Random = secrets.token_bytes,
) -> Flask:
    """The issuing desk's application. Tests bring their own clock, network, matcher and randomness."""
    office = open_office(
        settings,
        matcher=matcher or _built_in(),
        fetch=fetch or _network(settings),
        random=random,
        clock=lambda: seconds(now()),
    )
    app = web.make_app(__name__, role=ROLE, settings=settings.service, health=lambda: ping(office.store))
    app.request_class = MemoryRequest
    app.extensions[_ENDS] = [office.store.dispose]
    app.jinja_env.globals["has_ledger"] = office.ledger is not None
    app.jinja_env.globals["identity_ended"] = office.identity.ended
    if office.identity.ended:
        _LOG.warning(ENDED)
    app.register_error_handler(Refused, _on_refused)
    app.register_blueprint(protocol.blueprint(office, now=now))
    app.register_blueprint(clerk.blueprint(_clerk(office, now, fetch or _network(settings))))
    if office.signs_in:
        app.register_blueprint(authorize.blueprint(_applicant(office, now)))
    if settings.control:
        app.register_blueprint(control.blueprint(office, now=now))
    app.add_url_rule("/", "start", lambda: redirect("/desk", 303))
    app.before_request(Housekeeping(office, now))
    if office.anchoring is not None:
        app.register_blueprint(ledger.blueprint(office))
        turns = Turns(office.anchoring, now)
        app.before_request(turns)
        app.extensions[_ENDS].append(turns.stop)
    return app


def check(values: Mapping[str, str]) -> IssuerSettings:
    """Read all settings and the files that they name, so that a mistake ends the start. Raises SsiError."""
    settings = read_settings(values)
    check_address(load(settings))
    read_clients(settings, Marks(read_keys(settings.service.folder / "cookie.key")), fetch=_network(settings))
    read_desk_token(settings.desk_token_file)
    ledgers.check_at_start(settings, fetch=_network(settings), clock=lambda: seconds(utc_now()))
    return settings


def _network(settings: IssuerSettings) -> Fetch:
    shared = settings.service
    return BoundedFetch(
        allow_loopback=shared.allow_loopback, ca_file=None if shared.ca_file is None else str(shared.ca_file)
    )


def _clerk(office: Office, now: Callable[[], datetime], fetch: Fetch) -> clerk.Clerk:
    settings, shared = office.settings, office.settings.service
    keys = read_keys(shared.folder / "cookie.key")
    session = SealedCookie(shared.cookie(), keys, SHIFT, shared.secure)
    slip = SealedCookie(shared.cookie("offer"), keys, settings.offer_lifetime, shared.secure)
    gate = Gate(office.store, session, read_desk_token(settings.desk_token_file), now)
    applications, credentials = ApplicationPages(office, now), CredentialPages(office, now)
    ledger = LedgerPages(office, looking(office, fetch=fetch), now)
    usual = settings.desk_token_file == shared.folder / "desk-token"
    token_file = "issuer/desk-token of the desk's data folder" if usual else "that --desk-token-file names"
    return clerk.Clerk(gate, applications, OfferPages(office, slip, now), credentials, ledger, token_file)


def _applicant(office: Office, now: Callable[[], datetime]) -> authorize.Applicant:
    shared = office.settings.service
    keys = read_keys(shared.folder / "cookie.key")
    return authorize.Applicant(
        office, SealedCookie(shared.cookie("authorize"), keys, SESSION_LIFETIME, shared.secure), now
    )


def _built_in() -> FaceMatcher:
    """The matcher that ships with the house, loaded beside the first requests: it takes a few seconds.

    Where its models are missing the desk runs all the same, and says so to whoever wants a comparison.
    """
    from biometrics.dlib_matcher import DlibMatcher  # noqa: PLC0415  (the matcher loads native libraries: only a running desk needs them)

    matcher = DlibMatcher()
    threading.Thread(target=_warm, args=(matcher.load,), name="matcher", daemon=True).start()
    return matcher


def _warm(load: Callable[[], None]) -> None:
    try:
        load()
    except BiometricsError as error:
        _LOG.warning("matcher unavailable", extra={"code": error.code})


def _on_refused(error: Refused) -> Response:
    response = web.refusal(_STATUS.get(error.code, 403), error.code, error.detail)
    if error.code == "desk.throttled":
        response.headers["Retry-After"] = "60"
    if error.code == "desk.token":
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def wsgi() -> Following:
    """The application for a server, with settings from the environment; it goes over to new keys by itself."""
    settings, matcher = read_settings(os.environ), _built_in()
    return following(settings, lambda: create_app(read_settings(os.environ), matcher=matcher))


def following(settings: IssuerSettings, make: Callable[[], Flask]) -> Following:
    """A desk that is made anew when its signing key, its certificate or the log of its DID changes."""
    return Following(make, files(settings), over=_over)


def _over(app: Flask) -> None:
    for end in app.extensions[_ENDS]:
        end()
