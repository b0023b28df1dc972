"""What wallets call: fetch a request, and answer it (OpenID4VP 1.0 §5.10, §8.2). They get JSON, or the JWT."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import MethodNotAllowed

from service import qr
from service.app import json_answer, refusal
from service.crosssite import open_to_all
from ssi import oid4vp
from ssi.errors import Malformed, SsiError, Unavailable, Unsupported
from verifier.web.context import sessions

blueprint = Blueprint("wallet", __name__, url_prefix="/oid4vp")

MAX_FIELDS: Final = 200
STATUS: Final[Mapping[str, int]] = {"session.unknown": 404, "session.spent": 409, "session.expired": 410}
_log = logging.getLogger("facet.verifier")


@blueprint.get("/<public_id>/request")
@open_to_all
def fetch_request(public_id: str) -> Response:
    """The signed request object."""
    return _request_object(public_id, wallet_nonce=None)


@blueprint.post("/<public_id>/request")
@open_to_all
def post_request(public_id: str) -> Response:
    """The same for a wallet that sends a nonce of its own (§5.10); what it says of itself is not needed."""
    return _request_object(public_id, wallet_nonce=oid4vp.read_request_form(_form(optional=True)))


@blueprint.post("/<public_id>/response")
@open_to_all
def receive(public_id: str) -> Response:
    """Take an answer (direct_post and direct_post.jwt)."""
    receipt = sessions().receive(public_id, _form())
    body = {"redirect_uri": receipt.redirect_uri} if receipt.redirect_uri else {}
    if receipt.refusal is None:
        return json_answer(body)
    _log.info("presentation refused", extra={"code": receipt.refusal.code, "request": public_id})
    refused = {"error": "session.presentation_refused", "error_description": receipt.refusal.detail}
    return json_answer({**refused, "reason": receipt.refusal.code, **body}, status=400)


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


def _request_object(public_id: str, *, wallet_nonce: str | None) -> Response:
    token = sessions().request_object(public_id, wallet_nonce=wallet_nonce)
    return current_app.response_class(token, mimetype=oid4vp.REQUEST_MEDIA_TYPE)


def _form(*, optional: bool = False) -> Mapping[str, str]:
    """The form's fields. A repeated field is refused (RFC 6749 §3.1); unknown ones are for nobody and stay.

    Raises Malformed (`request.repeated_field`, `request.form`), Unsupported (`request.media_type`).
    """
    body = request.get_data(cache=False)
    if request.mimetype != oid4vp.RESPONSE_MEDIA_TYPE and not (optional and not body):
        raise Unsupported("request.media_type", f"The body must be of type {oid4vp.RESPONSE_MEDIA_TYPE}.")
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Malformed("request.form", "The form is not UTF-8, or has too many fields.") from None
    form = dict(fields)
    if len(form) != len(fields):
        raise Malformed("request.repeated_field", "A field stands twice in the form.")
    return form
