"""Access: whose vault does this request open, and what does everybody else get to see?

Every page of a person's wallet asks `vault()`; without a live session it answers "locked", and whatever belongs to
somebody else does not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from flask import Flask, Response, current_app, g, redirect, request

from service.app import refusal, status_of, wants_json
from ssi.encoding import read_json_object
from ssi.errors import Malformed, Refused
from wallet.holder.accounts import Accounts, Throttled
from wallet.holder.outside import Outside
from wallet.holder.receive import Later
from wallet.holder.session import Session, Sessions
from wallet.holder.vault import Vault
from wallet.holder.web.views import grouped

_STATUS: Final = {
    "record.absent": 404,
    "record.conflict": 409,
    "offer.busy": 409,
    "request.busy": 409,
    "account.locked": 401,
    "account.taken": 409,
}
MAX_FIELD: Final = 65_536
_MOST: Final = 64


@dataclass(frozen=True)
class Holder:
    """What the pages work with: accounts, session cookies, the outside world, the clock, and what is done later."""

    accounts: Accounts
    sessions: Sessions
    outside: Outside
    now: Callable[[], datetime]
    later: Later


def holder() -> Holder:
    """The current application's."""
    found: Holder = current_app.extensions["holder"]
    return found


def vault() -> Vault:
    """The vault of whoever asks. Raises Refused (`account.locked`)."""
    found = peek()
    if found is None:
        raise Refused("account.locked", "Your wallet is locked. Unlock it to go on.")
    return found


def peek() -> Vault | None:
    """The vault of whoever asks, or None when it is locked. Looked up once in a request."""
    if "vault" not in g:
        g.vault = None
        wallet = holder()
        try:
            session = wallet.sessions.read(request, now=wallet.now())
            g.vault = wallet.accounts.reopen(session.vault, session.key, epoch=session.epoch)
            g.session = session
        except Refused:
            pass
    found: Vault | None = g.vault
    return found


def unlocked(opened: Vault) -> None:
    """Begin a session: the response of this request carries it."""
    g.vault, g.session = opened, Session.begin(opened, now=holder().now())


def locked() -> None:
    """End the session of this browser."""
    g.vault, g.session = None, None


def install(app: Flask, wallet: Holder) -> None:
    """Give an application its holder, the sliding session cookie, and the answers for what may not be seen."""
    app.extensions["holder"] = wallet
    app.after_request(_carry_session)
    app.register_error_handler(Refused, _refused)
    app.jinja_env.globals["grouped"] = grouped
    app.jinja_env.globals["is_unlocked"] = lambda: peek() is not None


def _carry_session(response: Response) -> Response:
    """Slide the cookie with each use; drop one that opens nothing any more."""
    wallet = holder()
    session: Session | None = g.get("session")
    if session is not None:
        wallet.sessions.write(response, session, now=wallet.now())
    elif "vault" in g and wallet.sessions.name in request.cookies:
        wallet.sessions.drop(response)
    return response


def _refused(error: Refused) -> Response:
    if error.code == "account.locked" and not wants_json():
        return current_app.make_response(redirect(f"/unlock?next={quote(_here(), safe='')}", 303))
    status = 429 if isinstance(error, Throttled) else _STATUS.get(error.code, status_of(error))
    response = refusal(status, error.code, error.detail)
    if isinstance(error, Throttled):
        response.headers["Retry-After"] = str(error.wait)
    return response


def _here() -> str:
    """Where to come back to: this page, or the start when it was a form that cannot be sent again."""
    return request.full_path.rstrip("?") if request.method == "GET" else "/"


def local(target: str) -> str:
    r"""An address inside this wallet, else the start page: nobody is sent elsewhere by a link of ours.

    Browsers take tabs and line breaks out of an address before they read it, so none may be in it.

    >>> local("/cards"), local("//evil.example"), local("https://evil.example"), local("/\\evil"), local("/\t/evil")
    ('/cards', '/', '/', '/', '/')
    """
    plain = target.isprintable() and "\\" not in target and len(target) <= 8192
    return target if plain and target.startswith("/") and not target.startswith("//") else "/"


def sent(name: str, *, limit: int = MAX_FIELD) -> str:
    """A field of the form, or of the JSON object, that was sent; "" when absent. Raises Malformed (`request.field`)."""
    value = _fields().get(name, "")
    if not isinstance(value, str) or len(value) > limit:
        raise Malformed("request.field", f"The field {name!r} is not a text of at most {limit} characters.")
    return value


def several(name: str, *, limit: int = MAX_FIELD) -> tuple[str, ...]:
    """A field that may be sent several times, or as a list of texts; () when absent. Raises as `sent`."""
    value = _fields().get(name, "")
    found: list[object] = value if isinstance(value, list) else [*request.form.getlist(name)] or [value]
    if len(found) > _MOST or not all(isinstance(one, str) and len(one) <= limit for one in found):
        raise Malformed("request.field", f"The field {name!r} is not a few texts of at most {limit} characters.")
    return tuple(str(one) for one in found if one)


def _fields() -> dict[str, object]:
    if "fields" not in g:
        if request.mimetype == "application/json":
            g.fields = read_json_object(request.get_data(), what="request")
        else:
            g.fields = request.form.to_dict()
    found: dict[str, object] = g.fields
    return found


def field_names() -> tuple[str, ...]:
    """The names of all fields that were sent."""
    return tuple(_fields())
