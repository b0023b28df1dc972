"""What comes back through the person's own browser: from its Digital Credentials API, or in its address.

Both are bound to the browser that began the request by its cookie. Whatever goes wrong is told in a sentence, and
leaves the request open, so that the code and the link on its page can still be used.
"""

from __future__ import annotations

import logging
from typing import Final

from flask import Blueprint, Response, request, url_for

from service.app import answer, json_answer
from ssi.errors import SsiError, Unavailable
from verifier.viewing import Receipt
from verifier.web.context import sessions
from verifier.web.pages import browser
from verifier.web.wallet import page_answer, read_form

blueprint = Blueprint("answers", __name__)

STATUS: Final = {
    "session.unknown": 404,
    "session.spent": 409,
    "session.expired": 410,
    "session.other_browser": 403,
    "request.cross_site": 403,
    "request.media_type": 415,
}
_log = logging.getLogger("facet.verifier")


@blueprint.get("/requests/<request_id>/dc")
def browser_requests(request_id: str) -> Response:
    """What the page hands to `navigator.credentials.get` (OpenID4VP 1.0 Appendix A)."""
    return json_answer({"requests": sessions().browser_requests(request_id, browser=browser())})


@blueprint.post("/requests/<request_id>/dc")
def take_browser(request_id: str) -> Response:
    """Take what the browser's API gave to the page."""
    receipt = sessions().receive_browser(request_id, page_answer(), browser=browser())
    return _next(request_id, receipt)


@blueprint.get("/answer")
def landing() -> Response:
    """Where a wallet brings the browser back with the answer in the address, which no server sees (§5.6)."""
    return answer("verifier/answer.html", {})


@blueprint.post("/answer")
def take_address() -> Response:
    """Take what the landing page found in its address."""
    request_id, receipt = sessions().receive_address(read_form(), browser=browser())
    return _next(request_id, receipt)


def _next(request_id: str, receipt: Receipt) -> Response:
    """Where the page goes on to: the caller's own page, or this request's, which shows the verdict."""
    if receipt.refusal is not None:
        _log.info("presentation refused", extra={"code": receipt.refusal.code})
    return json_answer({"next": receipt.redirect_uri or url_for("pages.show", request_id=request_id)})


@blueprint.errorhandler(SsiError)
def on_error(error: SsiError) -> Response:
    """The sentence for the page's script, which shows it beside what can be done instead."""
    status = STATUS.get(error.code) or (503 if isinstance(error, Unavailable) else 400)
    _log.info("answer not taken", extra={"code": error.code, "status": status, "endpoint": request.endpoint})
    return json_answer({"error": error.code, "error_description": error.detail}, status=status)
