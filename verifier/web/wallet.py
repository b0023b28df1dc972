"""What wallets call: fetch a request, and answer it (OpenID4VP 1.0 §5.10, §8.2). They get JSON, or the JWT."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.exceptions import MethodNotAllowed

from service import qr
from service.app import json_answer, refusal
from service.crosssite import open_to_all
from service.lean import Lean
from ssi import oid4vp
from ssi.encoding import Json, read_json_object
from ssi.errors import Malformed, SsiError, Unavailable, Unsupported
from ssi.oid4vp import WalletCall
from verifier.sessions import Sessions
from verifier.viewing import Receipt
from verifier.web.context import sessions

blueprint = Blueprint("wallet", __name__, url_prefix="/oid4vp")

MAX_FIELDS: Final = 200
STATUS: Final[Mapping[str, int]] = {"session.unknown": 404, "session.spent": 409, "session.expired": 410}
"""What a refusal means to who calls: the first three are final."""
_log = logging.getLogger("facet.verifier")


@blueprint.get("/<public_id>/request")
@open_to_all
def fetch_request(public_id: str) -> Response:
    """The request object."""
    return _request_object(public_id, WalletCall())


@blueprint.post("/<public_id>/request")
@open_to_all
def post_request(public_id: str) -> Response:
    """The same for a wallet that sends a nonce of its own, and says what it can do (§5.10)."""
    return _request_object(public_id, oid4vp.read_wallet_call(read_form(optional=True)))


@blueprint.post("/<public_id>/response")
@open_to_all
def receive(public_id: str) -> Response:
    """Take an answer (direct_post and direct_post.jwt)."""
    status, told = _told(sessions().receive(public_id, read_form()), public_id)
    return json_answer(told, status=status)


@blueprint.post("/<public_id>/dc")
@open_to_all
def relay(public_id: str) -> Response:
    """Take what the browser's API gave to an API client's own page: `{"protocol", "data"}` (Appendix A.4)."""
    status, told = _told(sessions().receive_relayed(public_id, page_answer()), public_id)
    return json_answer(told, status=status)


def page_answer() -> Json:
    """The `data` that a page got, from the body that it posts. Raises Malformed, Unsupported (`request.media_type`)."""
    if request.mimetype != "application/json":
        raise Unsupported("request.media_type", "The body must be of type application/json.")
    body = read_json_object(request.get_data(cache=False), what="page's answer")
    if body.get("protocol") not in oid4vp.DC_PROTOCOLS:
        raise Unsupported("request.protocol", "The answer is of a protocol that was not asked for.")
    return body.get("data")


def lean(app: Flask, sessions: Sessions) -> Lean:
    """The application behind a short way for what comes most: answers that are posted (`receive`)."""

    def take(public_id: str, body: bytes) -> tuple[int, Json]:
        return _told(sessions.receive(public_id, _fields(body)), public_id)

    path = f"{blueprint.url_prefix}/"
    return Lean(app, before=path, after="/response", media_type=oid4vp.RESPONSE_MEDIA_TYPE, take=take)


def _told(receipt: Receipt, public_id: str) -> tuple[int, dict[str, Json]]:
    """§8.2: the wallet hears where to go on, and whether its presentation was refused."""
    body: dict[str, Json] = {"redirect_uri": receipt.redirect_uri} if receipt.redirect_uri else {}
    if receipt.refusal is None:
        return 200, body
    _log.info("presentation refused", extra={"code": receipt.refusal.code, "request": public_id})
    refused = {"error": "session.presentation_refused", "error_description": receipt.refusal.detail}
    return 400, {**refused, "reason": receipt.refusal.code, **body}


@blueprint.get("/<public_id>/qr.svg")
@open_to_all
def code(public_id: str) -> Response:
    """The QR code of a request that can still be answered, for a relying party's own page."""
    picture = qr.svg(sessions().link_of(public_id), label="QR code: scan it with your wallet")
    response = current_app.response_class(str(picture), mimetype="image/svg+xml")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@blueprint.route("/<public_id>/request", methods=["PUT", "PATCH", "DELETE"])
@open_to_all
def request_method(public_id: str) -> Response:
    """Any other method, refused as JSON."""
    raise MethodNotAllowed(["GET", "POST"])


@blueprint.route("/<public_id>/response", methods=["GET", "PUT", "PATCH", "DELETE"])
@open_to_all
def response_method(public_id: str) -> Response:
    """Any other method, refused as JSON."""
    raise MethodNotAllowed(["POST"])


@blueprint.errorhandler(SsiError)
def on_error(error: SsiError) -> Response:
    """Statuses tell a wallet what it can do: 404, 409 and 410 are final, 503 may be tried again, 400 is its own."""
    status = STATUS.get(error.code) or (503 if isinstance(error, Unavailable) else 400)
    if error.code == "request.media_type":
        status = 415
    _log.info("wallet call refused", extra={"code": error.code, "status": status, "endpoint": request.endpoint})
    return refusal(status, error.code, error.detail)


def _request_object(public_id: str, wallet: WalletCall) -> Response:
    token = sessions().request_object(public_id, wallet=wallet)
    return current_app.response_class(token, mimetype=oid4vp.REQUEST_MEDIA_TYPE)


def read_form(*, optional: bool = False) -> Mapping[str, str]:
    """The fields of the form that was posted. A repeated one is refused (RFC 6749 §3.1), unknown ones are for nobody.

    Raises Malformed (`request.repeated_field`, `request.form`), Unsupported (`request.media_type`).
    """
    body = request.get_data(cache=False)
    if request.mimetype != oid4vp.RESPONSE_MEDIA_TYPE and not (optional and not body):
        raise Unsupported("request.media_type", f"The body must be of type {oid4vp.RESPONSE_MEDIA_TYPE}.")
    return _fields(body)


def _fields(body: bytes) -> Mapping[str, str]:
    """A body of that type as its fields. Raises Malformed (`request.repeated_field`, `request.form`)."""
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Malformed("request.form", "The form is not UTF-8, or has too many fields.") from None
    form = dict(fields)
    if len(form) != len(fields):
        raise Malformed("request.repeated_field", "A field stands twice in the form.")
    return form
