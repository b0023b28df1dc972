"""The pages of the person who asks: choose a question, show the code, see the verdict.

A request belongs to the browser that began it (a cookie); to all others it does not exist.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from service import qr
from service.app import answer, json_answer, refusal, status_of
from ssi import haip
from ssi.encoding import Json, b64url
from ssi.errors import Malformed, SsiError
from ssi.formats import names
from ssi.oid4vp import DC_MODES
from verifier import ask as asking
from verifier import transactions, words
from verifier.ask import Ask, Template
from verifier.viewing import View
from verifier.web import data
from verifier.web.context import context, sessions
from verifier.words import State

blueprint = Blueprint("pages", __name__)

STATUS: Final = {"session.unknown": 404, "session.other_browser": 403}
_PAYMENT_HELP: Final = "Say who is paid, how much (like 12 or 12.50), and in which currency (three letters, like EUR)."
_BROWSER = re.compile(r"[A-Za-z0-9_-]{24}")


@blueprint.get("/")
def home() -> Response:
    """The questions that can be asked with one press, and those that need to be told something first."""
    cards = [
        {
            "id": one.id,
            "title": one.ask.title,
            "summary": one.summary,
            "icon": one.icon,
            "form": one.transaction is not None,
        }
        for one in asking.templates().values()
    ]
    return answer("verifier/home.html", {"templates": cards}, page={"ways": _ways()})


def _ways() -> list[tuple[str, str]]:
    """How an answer may come; under the profile only encrypted (HAIP 1.0 §5.1, §5.2)."""
    return [way for way in words.WAYS if not sessions().haip or way[0] in haip.RESPONSE_MODES]


@blueprint.get("/questions/<template_id>")
def question(template_id: str) -> Response:
    """The form of a question that needs to be told what is to be authorised."""
    return _form(_template(template_id), error="", status=200)


@blueprint.post("/requests")
def create() -> BaseResponse:
    """Begin a request from a template; of a payment, the form says which."""
    template = _template(request.form.get("template", ""))
    body: dict[str, Json] = {"template": template.id}
    if mode := request.form.get("response_mode", ""):
        body["response_mode"] = mode
    if template.transaction is not None:
        body["transaction_data"] = [transactions.payment(request.form)]
    try:
        ask = asking.from_body(body)
    except Malformed as error:
        if template.transaction is None or error.code == "request.response_mode":
            raise
        return _form(template, error=_PAYMENT_HELP, status=400)
    return _begin(ask)


@blueprint.post("/requests/<request_id>/again")
def again(request_id: str) -> BaseResponse:
    """Ask the same question anew."""
    return _begin(_look(request_id).ask)


@blueprint.get("/requests/<request_id>")
def show(request_id: str) -> BaseResponse:
    """The code, the same-device link, and the live state."""
    view = _look(request_id)
    if view.state.judged:
        return redirect(url_for("pages.result", request_id=view.id), 303)
    label = f"QR code for the request {view.ask.title}: scan it with your wallet"
    page = {
        "view": view,
        "asked": data.asked(view),
        "wholes": data.wholes(view),
        "picture": qr.svg(view.scan_link, label=label) if view.scan_link and view.ask.scannable else None,
        "browser_first": view.ask.response_mode in DC_MODES,
        "step": {State.CREATED: 1, State.SCANNED: 2, State.RECEIVED: 3}.get(view.state, 0),
    }
    return answer("verifier/request.html", {**data.standing(view), "asked_for": view.ask.title}, page=page)


@blueprint.get("/requests/<request_id>/state")
def state(request_id: str) -> Response:
    """Where the request stands, for the live page: short answers with an ETag."""
    view = _look(request_id)
    target = "pages.result" if view.state.judged else "pages.show"
    response = json_answer({**data.standing(view), "next": url_for(target, request_id=view.id)})
    response.set_etag(f"{view.state.value}{'-return' if view.awaiting_return else ''}")
    response.headers["Cache-Control"] = "no-store"
    response.make_conditional(request)
    return response


@blueprint.get("/requests/<request_id>/result")
def result(request_id: str) -> BaseResponse:
    """The verdict, what was disclosed, and each finding."""
    view = _look(request_id)
    if not view.state.judged:
        return redirect(url_for("pages.show", request_id=view.id), 303)
    page = {
        "view": view,
        "checks": words.CHECKS,
        "outcomes": words.OUTCOMES,
        "answered": data.answered(view.findings),
        "form_name": names.name,
        "cards": [(one, data.said_by(one.issuer), data.grouped(data.rows(one))) for one in view.credentials or ()],
    }
    return answer("verifier/result.html", data.result(view), page=page)


@blueprint.get("/return")
def come_back() -> BaseResponse:
    """Where a wallet on the same device leads the person back to."""
    request_id = sessions().come_back(request.args.get("response_code", ""), browser=browser())
    return redirect(url_for("pages.show", request_id=request_id), 303)


@blueprint.errorhandler(SsiError)
def on_error(error: SsiError) -> Response:
    """An error page with the status that fits."""
    return refusal(STATUS.get(error.code) or status_of(error), error.code, error.detail)


def _template(template_id: str) -> Template:
    found = asking.templates().get(template_id)
    if found is None:
        raise Malformed("request.template", "Choose one of the questions on the start page.")
    return found


def _form(template: Template, *, error: str, status: int) -> Response:
    said = {name: request.form.get(name, "").strip() for name in transactions.FIELDS}
    page = {"error": error, "said": said, "ways": _ways(), "way": request.form.get("response_mode", "")}
    told = {"id": template.id, "title": template.ask.title, "summary": template.summary}
    return answer("verifier/question.html", told, status=status, page=page)


def _look(request_id: str) -> View:
    return sessions().look(request_id, browser=browser())


def browser() -> str:
    """The secret by which this browser is known again; "" (which has begun nothing) when it has none."""
    value = request.cookies.get(context().settings.service.cookie(), "")
    return value if _BROWSER.fullmatch(value) else ""


def _begin(ask: Ask) -> BaseResponse:
    known = browser() or b64url(secrets.token_bytes(18))
    view = sessions().start(ask, browser=known, return_to=None)
    response = redirect(url_for("pages.show", request_id=view.id), 303)
    service = context().settings.service
    response.set_cookie(
        service.cookie(), known, max_age=86_400, path="/", secure=service.secure, httponly=True, samesite="Lax"
    )
    return response
