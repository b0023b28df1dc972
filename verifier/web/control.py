"""Control: a program on this machine asks, and reads the verdict, without an API key (`--control`)."""

from __future__ import annotations

from flask import Blueprint, Response

from service import control
from service.app import json_answer
from service.crosssite import open_to_all
from ssi.encoding import Json, text
from ssi.errors import Malformed, SsiError
from verifier import ask as asking
from verifier.web import api, data
from verifier.web.context import context, sessions

blueprint = Blueprint("control", __name__, url_prefix="/control")


@blueprint.post("/request")
@open_to_all
def create() -> Response:
    """Make a request: `{"mode": response mode, "query": DCQL query or template}` and what `POST /api/requests` takes.

    Answers `{"id", "uri"}`; with `digital_credentials` where the mode is one of the browser's API.
    """
    body = control.read_body(context().settings.service)
    mode, query = text(body, "mode", what="request"), body.get("query")
    if mode is None or not isinstance(query, str | dict):
        raise Malformed("request.control", 'The body must be {"mode": a response mode, "query": a query or template}.')
    rest = {name: value for name, value in body.items() if name not in {"mode", "query"}}
    asked: dict[str, Json] = {"template": query} if isinstance(query, str) else {"dcql_query": query}
    ask = asking.from_body({**rest, **asked, "response_mode": mode})
    view = sessions().start(ask, browser=None, return_to=None)
    return json_answer({"id": view.id, "uri": view.scan_link, **api.by_browser(view)})


@blueprint.get("/result/<request_id>")
@open_to_all
def result(request_id: str) -> Response:
    """What became of it: `status` and `verified`, and all that `GET /api/requests/<id>` tells."""
    control.check_caller(context().settings.service)
    view = sessions().look(request_id)
    told = data.result(view)
    return json_answer({"status": view.state.value, "verified": told["verdict"] == "verified", "claims": {}, **told})


@blueprint.errorhandler(SsiError)
def on_error(error: SsiError) -> Response:
    """As the REST API says it."""
    return api.on_error(error)
