"""Offers: made for an approved application, shown as link and QR code, watched until a wallet has accepted.

The service keeps only hashes of an offer's codes. What the page needs to show them again is in a sealed cookie, in the
browser of the clerk who made the offer, for as long as the offer lives; the transaction code only until its first look.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Response, make_response, redirect, request, url_for

from service import qr
from service.app import answer, json_answer, wants_json
from service.cookies import SealedCookie
from ssi.encoding import Json, write_json
from ssi.errors import Malformed
from ssi.oid4vci import OfferReference, offer_link
from wallet.issuer.offers import MadeOffer
from wallet.issuer.office import Office
from wallet.issuer.web import shown
from wallet.issuer.web.reading import WORDS, fields, several


@dataclass(frozen=True)
class OfferPages:
    """The views on offers."""

    office: Office
    slip: SealedCookie
    now: Callable[[], datetime]

    def make_offer(self, application_id: str) -> Response:
        """Make an offer of one card or several; its transaction code is shown once."""
        given = fields()
        made = self.office.offers.make(
            application_id,
            configuration_ids=self._kinds(several("kind")),
            way=given.get("way") or None,
            held=given.get("held", "") in {"yes", "true", "on"},
            now=self.now(),
        )
        if wants_json():
            return json_answer(self._offer(made), status=201)
        response = make_response(redirect(url_for("desk.offer", application_id=application_id), 303))
        self._keep_slip(response, application_id, made.secret, tx_code=made.tx_code)
        return response

    def _kinds(self, given: tuple[str, ...]) -> tuple[str, ...]:
        """The kinds of card that a clerk has chosen, in the desk's order; the first of all where none was."""
        if not set(given) <= set(self.office.offered):
            raise Malformed("offer.kind", "This desk does not issue cards of that kind.")
        return tuple(kind for kind in self.office.offered if kind in given) or (next(iter(self.office.offered)),)

    def offer(self, application_id: str) -> Response:
        """The offer's page: QR code, link, live state; the transaction code at its first look only."""
        state = self.office.offers.state(application_id, now=self.now())
        slip = self.slip.get(request, now=self.now()) or {}
        if state is None or slip.get("application") != application_id:
            return make_response(redirect(url_for("desk.application", application_id=application_id), 303))
        secret = slip["secret"]
        link = self.office.offers.link(secret)
        page = {
            **WORDS,
            "svg": None if state.final else qr.svg(link, label="QR code of the credential offer, for a wallet to scan"),
            "link": link,
            "wallet_link": self._wallet_link(secret),
            "tx_code": slip.get("tx_code"),
        }
        data = {"application_id": application_id, "offer": shown.offer_state(state)}
        response = answer("desk/offer.html", data, page=page)
        self._keep_slip(response, application_id, secret, tx_code=None)
        return response

    def state(self, application_id: str) -> Response:
        """How the offer stands, for a page that watches it."""
        state = self.office.offers.state(application_id, now=self.now())
        body = {"state": "none", "final": True} if state is None else shown.offer_state(state)
        response = json_answer(body)
        response.set_etag(hashlib.sha256(write_json(body)).hexdigest()[:16])
        return make_response(response.make_conditional(request))

    def _offer(self, made: MadeOffer) -> dict[str, Json]:
        return {
            "application_id": made.application_id,
            "offer_uri": made.link,
            "qr_svg": str(qr.svg(made.link, label="QR code of the credential offer")),
            "tx_code": made.tx_code,
            "way": made.way,
            "expires_at": made.expires_at.isoformat(),
            "state_url": url_for("desk.state", application_id=made.application_id),
        }

    def _wallet_link(self, secret: str) -> str | None:
        base = self.office.settings.wallet_url
        reference = OfferReference(f"{self.office.settings.base_url}/offers/{secret}")
        return None if base is None else offer_link(reference, base=f"{base}/offer")

    def _keep_slip(self, response: Response, application_id: str, secret: str, *, tx_code: str | None) -> None:
        """What this clerk's browser remembers of the offer, sealed: the service itself keeps only hashes."""
        content = {"application": application_id, "secret": secret, "tx_code": tx_code}
        self.slip.put(response, content, now=self.now())
