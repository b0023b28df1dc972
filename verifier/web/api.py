"""The REST API of the relying party: make a request, read what became of it. For holders of an API key only."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, request, url_for

from service.app import json_answer, refusal
from service.crosssite import open_to_all
from service.settings import is_loopback
from ssi.encoding import Json, read_json_object, text
from ssi.errors import Malformed, Refused, SsiError, Unavailable, Unsupported
from ssi.oid4vp import DC_MODES, FRAGMENT
from verifier import ask as asking
from verifier.ask import Ask
from verifier.sessions import digest
from verifier.viewing import View
from verifier.web import data
from verifier.web.context import context, sessions

blueprint = Blueprint("api", __name__, url_prefix="/api")

STATUS: Final[Mapping[str, int]] = {"session.unknown": 404, "api.key": 401, "request.media_type": 415}


def file_digests(path: Path | None) -> frozenset[str]:
    """Digests of the keys in an API key file, one to a line. Raises Malformed (`settings.api_key_file`)."""
    if path is None:
        return frozenset()
    try:
        lines = path.read_text("ascii").split()
    except (OSError, UnicodeDecodeError):
        raise Malformed("settings.api_key_file", "The file in --api-key-file cannot be read.") from None
    if any(len(line) < 24 for line in lines):
        raise Malformed("settings.api_key_file", "A key in --api-key-file is shorter than 24 characters.")
    return frozenset(digest(line) for line in lines)


@blueprint.before_request
def authenticate() -> None:
    """Let only holders of an API key in (RFC 6750 §2.1)."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    presented = digest(key.strip())
    known = any(hmac.compare_digest(presented, one) for one in context().api_digests)
    if scheme.lower() != "bearer" or not (known or sessions().store.knows_api_key(presented)):
        raise Refused("api.key", "Send an API key as `Authorization: Bearer …` (see `facet-verifier api-key create`).")


@blueprint.get("/templates")
@open_to_all
def templates() -> Response:
    """The ready-made questions."""
    return json_answer(
        [
            {
                "id": one.id,
                "title": one.ask.title,
                "summary": one.summary,
                "purpose": one.ask.purpose,
                "dcql_query": one.ask.query.json,
                **({"transaction": one.transaction} if one.transaction else {}),
            }
            for one in asking.templates().values()
        ]
    )


@blueprint.post("/requests")
@open_to_all
def create() -> Response:
    """Make a request from a `template` or a `dcql_query`.

    Optional members: `policy`, `response_mode`, `purpose`, `title`, `transaction_data`, `verifier_info`,
    `redirect_uri`, `origin` (docs/verifier-api.md).
    """
    if request.mimetype != "application/json":
        raise Unsupported("request.media_type", "The body must be of type application/json.")
    body = read_json_object(request.get_data(), what="request")
    return_to = _return_to(body)
    ask = asking.from_body({name: value for name, value in body.items() if name != "redirect_uri"})
    _check_return(ask, return_to)
    view = sessions().start(ask, browser=None, return_to=return_to)
    response = json_answer(_created(view, same_device=return_to is not None), status=201)
    response.headers["Location"] = url_for("api.show", request_id=view.id)
    return response


@blueprint.get("/requests/<request_id>")
@open_to_all
def show(request_id: str) -> Response:
    """What became of a request. A same-device answer needs the `response_code` that `redirect_uri` received."""
    view = sessions().look(request_id, response_code=request.args.get("response_code"))
    return json_answer(data.result(view))


@blueprint.errorhandler(SsiError)
def on_error(error: SsiError) -> Response:
    """The error's code and sentence, with the status that fits."""
    status = STATUS.get(error.code) or (503 if isinstance(error, Unavailable) else 400)
    response = refusal(status, error.code, error.detail)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _created(view: View, *, same_device: bool) -> dict[str, Json]:
    base = context().settings.service.base_url
    told: dict[str, Json] = {
        **data.standing(view),
        "asked_for": view.ask.title,
        "purpose": view.ask.purpose,
        "response_mode": view.ask.response_mode,
        "link": view.scan_link,
        "request_uri": view.request_uri,
        "qr_svg_url": base + url_for("wallet.code", public_id=view.scan_id),
        "state_url": base + url_for("api.show", request_id=view.id),
    }
    if same_device:
        told["same_device_link"] = view.here_link
    return {**told, **by_browser(view)}


def by_browser(view: View) -> dict[str, Json]:
    """What the caller's own page hands to the browser's API, where the response mode is one of that API."""
    if view.ask.response_mode not in DC_MODES:
        return {}
    answered_at = context().settings.service.base_url + url_for("wallet.relay", public_id=view.scan_id)
    return {"digital_credentials": {"requests": sessions().browser_requests(view.id), "response_url": answered_at}}


def _check_return(ask: Ask, return_to: str | None) -> None:
    """§14.2: of an answer in an address, only the caller's page can tell whether it came back to the right browser.

    Raises Malformed (`request.redirect_uri`). What the profile refuses anyway is left to it.
    """
    if ask.response_mode == FRAGMENT and return_to is None and not sessions().haip:
        raise Malformed(
            "request.redirect_uri", "An answer in an address needs a redirect_uri for the browser to go to."
        )


def _return_to(body: Mapping[str, Json]) -> str | None:
    """Where same-device answers lead back to: the caller's own https page (or http on this machine, in a trial).

    Raises Malformed (`request.redirect_uri`).
    """
    value = text(body, "redirect_uri", what="request")
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        secure = parts.scheme == "https"
        trial = context().settings.service.allow_loopback
        local = trial and parts.scheme == "http" and is_loopback(parts.hostname or "")
        plain = not parts.fragment and parts.username is None and value.isascii() and value.isprintable()
    except ValueError:
        secure = local = plain = False
    if not (secure or local) or not plain or not parts.hostname or " " in value or len(value) > 2000:
        raise Malformed("request.redirect_uri", "The redirect_uri must be an https address without a fragment.")
    return value
