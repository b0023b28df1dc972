"""The applicant's pages: sign in, and say whether this wallet may have the card (RFC 6749 §4.1, OpenID4VCI 1.0 §5).

A browser comes with a pushed request, and keeps in a sealed cookie which one. Nobody is redirected anywhere before the
request was found: what is wrong before that gets a page of this desk (RFC 6749 §4.1.2.1, RFC 9700 §4.11).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, request, url_for

from service.app import answer
from service.cookies import SealedCookie
from service.headers import content_security_policy
from ssi.encoding import Json
from ssi.errors import Refused
from wallet.issuer import kinds
from wallet.issuer.authorizing import Authorization
from wallet.issuer.clients import form_target
from wallet.issuer.office import Office
from wallet.issuer.web.reading import fields


@dataclass(frozen=True)
class Applicant:
    """The views for a person whose wallet has sent them here."""

    office: Office
    cookie: SealedCookie
    now: Callable[[], datetime]

    def begin(self) -> Response:
        """The authorization endpoint: takes a pushed request, once, and remembers it for this browser."""
        if request.method == "HEAD":  # looks ahead of a person must not use their request up
            return make_response("", 200)
        given = {name: request.args.getlist(name) for name in ("client_id", "request_uri")}
        if any(len(values) != 1 for values in given.values()):
            raise Refused(
                "authorize.request", "Begin in your wallet: this address takes pushed requests only (RFC 9126)."
            )
        now = self.now()
        known = self._known()
        opened = self.office.authorizing.open(given["client_id"][0], given["request_uri"][0], known=known, now=now)
        response = make_response(redirect(url_for("authorize.form"), 303))
        self.cookie.put(response, {"id": opened}, now=now)
        return response

    def form(self) -> Response:
        """The sign-in page."""
        return self._sign_in(self._session(), error="", reference=None, status=200)

    def enter(self) -> Response:
        """Sign in with the reference and the six digits."""
        session, given = self._session(), fields()
        reference, code = given.get("reference", ""), given.get("code", "")
        try:
            self.office.authorizing.sign_in(session.id, reference=reference, code=code, now=self.now())
        except Refused as error:
            if error.code != "authorize.wrong":
                raise
            return self._sign_in(session, error=error.detail, reference=reference, status=401)
        return make_response(redirect(url_for("authorize.consent"), 303))

    def consent(self) -> Response:
        """The question: may this wallet have these cards?"""
        session = self._session()
        if not session.signed_in:
            return make_response(redirect(url_for("authorize.form"), 303))
        data: dict[str, Json] = {**self._data(session), "cards": [_card(name) for name in session.cards]}
        return self._page("applicant/allow.html", data, session, status=200)

    def allow(self) -> Response:
        """Yes: back to the wallet with a code."""
        return self._leave(self.office.authorizing.allow(self._session().id, now=self.now()))

    def refuse(self) -> Response:
        """No: back to the wallet with nothing."""
        return self._leave(self.office.authorizing.refuse(self._session().id, now=self.now()))

    def _sign_in(self, session: Authorization, *, error: str, reference: str | None, status: int) -> Response:
        shown = session.reference if reference is None else reference
        data: dict[str, Json] = {**self._data(session), "reference": shown, "error": error or None}
        return self._page("applicant/sign_in.html", data, session, status=status)

    def _data(self, session: Authorization) -> dict[str, Json]:
        parts = urlsplit(session.redirect_uri)
        return {
            "wallet": session.client_name,
            "desk": self.office.settings.display_name,
            "back_to": f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"the app behind {parts.scheme}:",
        }

    def _page(self, template: str, data: dict[str, Json], session: Authorization, *, status: int) -> Response:
        """A page whose form may end at this wallet: browsers check that along the redirect, too (form-action)."""
        response = answer(template, data, status=status)
        policy, target = content_security_policy(frozenset()), form_target(session.redirect_uri)
        response.headers["Content-Security-Policy"] = policy.replace(
            "form-action 'self'", f"form-action 'self' {target}"
        )
        return response

    def _leave(self, target: str) -> Response:
        """Send the person back, as GET (RFC 9700 §4.12), and forget them."""
        response = make_response(redirect(target, 303))
        response.set_data(b"")  # the address holds a code: in one place is enough
        self.cookie.drop(response)
        return response

    def _known(self) -> str | None:
        held = self.cookie.get(request, now=self.now())
        return None if held is None else str(held.get("id", ""))

    def _session(self) -> Authorization:
        known = self._known()
        if known is None:
            raise Refused("authorize.over", "This sign-in is over. Go back to your wallet and begin again.")
        return self.office.authorizing.session(known, now=self.now())


def _card(name: str) -> dict[str, Json]:
    kind = kinds.by_id(name)
    return {"id": name, "title": name if kind is None else kind.title, "about": "" if kind is None else kind.about}


def blueprint(applicant: Applicant) -> Blueprint:
    """The applicant's routes."""
    made = Blueprint("authorize", __name__, url_prefix="/authorize")
    views: list[tuple[str, str, str, Callable[[], Response]]] = [
        ("GET", "", "begin", applicant.begin),
        ("GET", "/sign-in", "form", applicant.form),
        ("POST", "/sign-in", "enter", applicant.enter),
        ("GET", "/allow", "consent", applicant.consent),
        ("POST", "/allow", "allow", applicant.allow),
        ("POST", "/refuse", "refuse", applicant.refuse),
    ]
    for method, rule, name, view in views:
        made.add_url_rule(rule, name, view, methods=[method])
    return made
