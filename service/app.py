"""A role as a Flask application: limits, headers, error answers, health, and one answer in two dresses.

A view raises `SsiError`, or returns `answer(template, data)`; it never writes a stack trace, a header or a status table
of its own. People get pages, programs get the same data as JSON.
"""

from __future__ import annotations

import hashlib
import io
import logging
import secrets
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Final, TypeVar

from flask import Blueprint, Flask, Response, current_app, make_response, render_template, request, url_for
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge
from werkzeug.http import HTTP_STATUS_CODES

from service import crosssite, headers
from service.settings import ServiceSettings
from service.store import is_outage, unavailable
from ssi.encoding import Json, write_json
from ssi.errors import Malformed, Refused, SsiError, Unavailable, Unsupported

BODY_LIMIT: Final = 256 * 1024
BRANDS: Final[Mapping[str, tuple[str, str]]] = {
    "issuer": ("Facet Desk", "Issuing desk"),
    "wallet": ("Facet Wallet", "Your wallet"),
    "verifier": ("Facet Verifier", "Verifier"),
}
"""What people see a role called: the product's name, and a line under it."""

View = TypeVar("View", bound=Callable[..., Any])
_LIMIT_MARK: Final = "facet_body_limit"
_STATUS: Final[tuple[tuple[type[SsiError], int], ...]] = (
    (Malformed, 400),
    (Unsupported, 400),
    (Refused, 403),
    (Unavailable, 503),
)
_SENTENCES: Final[Mapping[int, str]] = {
    400: "The request could not be read.",
    401: "Please sign in first.",
    403: "This is not allowed.",
    404: "There is nothing at this address. It may have expired, or the link may be incomplete.",
    405: "This address does not take that kind of request.",
    413: "What was sent is too large.",
    415: "What was sent is not of a type that this address takes.",
    429: "Too many tries. Wait a little, then try again.",
}
_log = logging.getLogger("facet.web")


def make_app(import_name: str, *, role: str, settings: ServiceSettings, health: Callable[[], None]) -> Flask:
    """An application with everything that roles share; the role adds its blueprints.

    `import_name` is the package whose `templates/` and `static/` folders are the role's own. `health` returns when the
    role can work, and raises SsiError when it cannot.
    """
    app = Flask(import_name)
    app.config.update(
        MAX_CONTENT_LENGTH=BODY_LIMIT, MAX_FORM_MEMORY_SIZE=BODY_LIMIT, MAX_FORM_PARTS=200, PROPAGATE_EXCEPTIONS=False
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it; its base class does not
    here = Path(__file__).parent
    app.register_blueprint(
        Blueprint(
            "facet",
            __name__,
            static_folder=str(here / "static"),
            static_url_path="/facet",
            template_folder=str(here / "templates"),
        )
    )
    name, line = BRANDS[role]
    app.jinja_env.globals.update(asset=asset, facet_role=role, facet_brand=name, facet_line=line)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.before_request(_refuse_null)
    app.before_request(_limit_body)
    crosssite.install(app, settings)
    headers.install(app, settings)
    app.register_error_handler(SsiError, _on_ssi_error)
    app.register_error_handler(SQLAlchemyError, _on_database_error)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(Exception, _on_bug)
    app.add_url_rule("/healthz", "healthz", _healthz(role, health))
    return app


def body_limit(size: int) -> Callable[[View], View]:
    """Let one view take a body of up to `size` bytes instead of `BODY_LIMIT`; write it below `@route`."""

    def mark(view: View) -> View:
        view.__dict__[_LIMIT_MARK] = size
        return view

    return mark


def answer(
    template: str, data: Mapping[str, Json], *, status: int = 200, page: Mapping[str, Any] | None = None
) -> Response:
    """`data` as a page, or as JSON where the caller prefers that. `page` is for the template only (forms, QR codes)."""
    if wants_json():
        return json_answer(data, status=status)
    response = make_response(render_template(template, **data, **(page or {})), status)
    response.vary.add("Accept")
    return response


def json_answer(data: Json, *, status: int = 200) -> Response:
    """A JSON response."""
    return current_app.response_class(write_json(data), status, mimetype="application/json")


def refusal(status: int, code: str, detail: str) -> Response:
    """A refusal: an error page, or `{"error": code, "error_description": detail}`."""
    if wants_json():
        return json_answer({"error": code, "error_description": detail}, status=status)
    title = HTTP_STATUS_CODES.get(status, "Error")
    body = render_template(
        "facet/error.html", status=status, title=_TITLES.get(status, title), code=code, detail=detail
    )
    return make_response(body, status)


_TITLES: Final[Mapping[int, str]] = {
    400: "That did not work",
    401: "Please sign in",
    403: "Not allowed",
    404: "Nothing here",
    405: "That did not work",
    413: "Too large",
    415: "Wrong kind of file",
    429: "Too many tries",
    500: "Something broke on our side",
    503: "Not possible right now",
}


def wants_json() -> bool:
    """Does the caller prefer JSON to a page? Endpoints made for programs always answer in JSON."""
    if crosssite.is_open_to_all() or request.path.startswith("/api/"):
        return True
    accepted = request.accept_mimetypes
    return accepted["application/json"] > accepted["text/html"]


def asset(filename: str, endpoint: str = "facet.static") -> str:
    """The address of a static file, with its digest so that browsers may keep it; `"static"` names the role's own."""
    folder = Path(__file__).parent / "static" if endpoint == "facet.static" else Path(current_app.static_folder or "")
    path = folder / filename
    try:
        stat = path.stat()
    except OSError:
        return url_for(endpoint, filename=filename)
    return url_for(endpoint, filename=filename, v=_digest(path, stat.st_mtime_ns))


@lru_cache(maxsize=256)
def _digest(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def status_of(error: SsiError) -> int:
    """The HTTP status of an error's kind."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 400)


def _refuse_null() -> None:
    """No address holds U+0000, and a database may not take it as a text to look for."""
    if "\0" in request.path:
        raise NotFound


def _limit_body() -> None:
    """Hold this request's body to its view's limit, however it is sent.

    Werkzeug cuts an over-long body of undeclared length off at the limit and takes a short one for whole. So a declared
    length is made binding, and an undeclared one is counted here: before it is known who sends it, so only to the
    common limit.
    """
    limit = getattr(current_app.view_functions.get(request.endpoint or ""), _LIMIT_MARK, BODY_LIMIT)
    request.max_content_length = request.max_form_memory_size = limit
    if not request.environ.pop("wsgi.input_terminated", False) or request.content_length is not None:
        return
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    limit = min(limit, BODY_LIMIT)
    body = _read(request.environ["wsgi.input"], limit + 1)
    if len(body) > limit:
        raise RequestEntityTooLarge
    request.environ.pop("HTTP_TRANSFER_ENCODING", None)
    request.environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})


def _read(stream: IO[bytes], size: int) -> bytes:
    found = b""
    while len(found) < size and (more := stream.read(size - len(found))):
        found += more
    return found


def _on_ssi_error(error: SsiError) -> Response:
    status = status_of(error)
    _log.info("refused", extra={"code": error.code, "status": status, "endpoint": request.endpoint})
    return refusal(status, error.code, error.detail)


def _on_database_error(error: SQLAlchemyError) -> Response:
    if not is_outage(error):
        return _on_bug(error)
    _log.error("database unavailable", extra={"kind": type(error).__name__})
    return _on_ssi_error(unavailable())


def _on_http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None or status < 400:
        return current_app.make_response(error.get_response())
    code = "request." + (error.name or "error").lower().replace(" ", "_").replace("'", "")
    response = refusal(status, code, _SENTENCES.get(status, "The request could not be answered."))
    for name, value in error.get_headers(request.environ):
        if name.lower() in {"allow", "retry-after", "www-authenticate"}:
            response.headers[name] = value
    return response


def _on_bug(error: Exception) -> Response:
    reference = secrets.token_hex(4)
    _log.error("bug", exc_info=error, extra={"reference": reference, "endpoint": request.endpoint})
    return refusal(
        500, "service.error", f"This is our mistake, not yours. If it stays, tell us the reference {reference}."
    )


def _healthz(role: str, health: Callable[[], None]) -> Callable[[], Response]:
    def healthz() -> Response:
        try:
            health()
        except SsiError as error:
            return json_answer({"status": "unavailable", "role": role, "error": error.code}, status=503)
        return json_answer({"status": "ok", "role": role})

    return healthz
