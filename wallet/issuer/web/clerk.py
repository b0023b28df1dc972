"""The clerk's side of the desk: who may come in, and which page is where."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response, make_response, redirect, request, url_for

from service.app import answer, body_limit, json_answer, wants_json
from service.headers import allows
from ssi.errors import Refused
from wallet.issuer.web.applicationpages import ApplicationPages
from wallet.issuer.web.credentialpages import CredentialPages
from wallet.issuer.web.ledgerpage import LedgerPages
from wallet.issuer.web.offerpages import OfferPages
from wallet.issuer.web.reading import fields
from wallet.issuer.web.session import Gate

UPLOAD_LIMIT: Final = 32 * 1024 * 1024
_PAGE: Final = re.compile(r"/desk(?!/log)(/[A-Za-z0-9_-]+)*(\?[A-Za-z0-9_.~%&=+-]*)?")
"""Pages to which signing in may lead on: whole paths of the desk, in characters that no browser reads as an address."""


@dataclass(frozen=True)
class Clerk:
    """Signing in and out, and the pages behind that."""

    gate: Gate
    applications: ApplicationPages
    offers: OfferPages
    credentials: CredentialPages
    ledger: LedgerPages
    token_file: str

    def guard(self) -> Response | None:
        """Let in who may come in; send the others to the sign-in page, or refuse programs."""
        if request.endpoint in {"desk.login", "desk.enter"} or self.gate.admitted(request):
            return None
        if wants_json():
            body = {"error": "desk.sign_in", "error_description": "Send the desk token as a Bearer token."}
            response = json_answer(body, status=401)
            response.headers["WWW-Authenticate"] = "Bearer"
            return response
        asked = request.full_path.rstrip("?") if request.method == "GET" else ""
        onward = asked if request.endpoint != "desk.home" and _own(asked) else None
        return make_response(redirect(url_for("desk.login", next=onward), 303))

    def login(self) -> Response:
        """The sign-in page."""
        return self._login(None, request.args.get("next", ""))

    def enter(self) -> Response:
        """Sign in with the desk token, and go on to the page that was asked for."""
        sent = fields()
        onward = sent.get("next", "")
        try:
            self.gate.check(sent.get("token", "").strip(), source=request.remote_addr or "")
        except Refused as error:
            if wants_json():
                raise
            status = 429 if error.code == "desk.throttled" else 401
            return self._login(error.detail, onward, status=status)
        if wants_json():
            response = json_answer({"signed_in": True})
        else:
            response = make_response(
                redirect(request.script_root + onward if _own(onward) else url_for("desk.home"), 303)
            )
        self.gate.enter(response)
        return response

    def _login(self, error: str | None, onward: str, *, status: int = 200) -> Response:
        page = {"onward": onward if _own(onward) else "", "token_file": self.token_file}
        return answer("desk/login.html", {"error": error}, status=status, page=page)

    def leave(self) -> Response:
        """Sign out."""
        response = make_response(redirect(url_for("desk.login"), 303))
        self.gate.leave(response)
        self.offers.slip.drop(response)
        return response


def _own(path: str) -> bool:
    """Is it the path of a page of this desk, and of nobody else's?

    >>> _own("/desk/ledger?done=yes"), _own("//evil.test/desk"), _own("/desk/logout")
    (True, False, False)
    """
    return _PAGE.fullmatch(path) is not None


def blueprint(clerk: Clerk) -> Blueprint:
    """The desk's routes."""
    made = Blueprint("desk", __name__, url_prefix="/desk")
    made.before_request(clerk.guard)
    applications, offers, credentials = clerk.applications, clerk.offers, clerk.credentials
    one, card = "/applications/<application_id>", "/credentials/<credential_id>"
    views: list[tuple[str, str, str, Callable[..., Response]]] = [
        ("GET", "", "home", applications.home),
        ("GET", "/login", "login", clerk.login),
        ("POST", "/login", "enter", clerk.enter),
        ("POST", "/logout", "leave", clerk.leave),
        ("GET", "/applications", "applications", applications.home),
        ("GET", "/applications/new", "form", _with_camera(applications.form)),
        ("POST", "/applications", "apply", _with_camera(applications.apply)),
        ("GET", one, "application", applications.application),
        ("POST", f"{one}/offer", "make_offer", offers.make_offer),
        ("GET", f"{one}/offer", "offer", offers.offer),
        ("GET", f"{one}/state", "state", offers.state),
        ("POST", f"{one}/<any(release, refuse):ruling>", "rule", applications.rule),
        ("GET", "/credentials", "credentials", credentials.credentials),
        ("GET", card, "credential", credentials.credential),
        ("GET", f"{card}/revoke", "confirm", credentials.confirm),
        ("POST", f"{card}/<any(revoke, suspend, resume):action>", "mark", credentials.mark),
        ("GET", "/ledger", "ledger", clerk.ledger.ledger),
        ("POST", "/ledger/turn", "turn", clerk.ledger.turn),
    ]
    for method, rule, name, view in views:
        made.add_url_rule(rule, name, view, methods=[method])
    return made


def _with_camera(view: Callable[..., Response]) -> Callable[..., Response]:
    """A page with the form on it: the camera, previews of pictures, and pictures in the body."""

    def page() -> Response:
        return view()

    return body_limit(UPLOAD_LIMIT)(allows("camera", "previews")(page))
