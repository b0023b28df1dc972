"""Pages: welcome, sign up, unlock, lock."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from service.app import answer, json_answer, wants_json
from ssi.errors import Malformed, Refused, SsiError
from wallet.holder import store
from wallet.holder.accounts import Throttled
from wallet.holder.passphrase import MAX_NAME, MIN_LENGTH
from wallet.holder.web.access import holder, local, locked, peek, sent, unlocked, vault

pages = Blueprint("account", __name__)


@pages.get("/")
def welcome() -> ResponseReturnValue:
    """The first page: what this is, and the way in."""
    if peek() is not None and not wants_json():
        return redirect("/cards", 303)
    return answer("holder/welcome.html", {"unlocked": peek() is not None})


@pages.get("/signup")
def signup_form() -> ResponseReturnValue:
    """The form for a new wallet."""
    return _signup({})


@pages.post("/signup")
def signup() -> ResponseReturnValue:
    """Make a wallet and unlock it."""
    name, passphrase, target = sent("name"), sent("passphrase"), local(sent("next") or "/cards")
    wallet = holder()
    try:
        wallet.accounts.admit(peer=request.remote_addr or "-", now=wallet.now())
        opened = wallet.accounts.sign_up(name, passphrase)
    except (Malformed, Refused) as error:
        if wants_json():
            raise
        field = "name" if error.code.startswith("account.") else "passphrase"
        return _signup({field: error.detail}, name=name, target=target, status=400)
    unlocked(opened)
    if wants_json():
        return json_answer({"unlocked": True, "next": target}, status=201)
    return redirect(target, 303)


@pages.get("/unlock")
def unlock_form() -> ResponseReturnValue:
    """The form that opens a wallet."""
    target = local(request.args.get("next", "/cards"))
    if peek() is not None and not wants_json():
        return redirect(target, 303)
    return _unlock(None, target=target)


@pages.post("/unlock")
def unlock() -> ResponseReturnValue:
    """Open a wallet."""
    name, target, wallet = sent("name"), local(sent("next") or "/cards"), holder()
    now = wallet.now()
    try:
        opened = wallet.accounts.unlock(name, sent("passphrase"), peer=request.remote_addr or "-", now=now)
    except Refused as error:
        if wants_json():
            raise
        return _unlock(error, target=target, name=name)
    store.forget_expired(wallet.accounts.engine, now=now)
    unlocked(opened)
    return json_answer({"unlocked": True, "next": target}) if wants_json() else redirect(target, 303)


@pages.post("/lock")
def lock() -> ResponseReturnValue:
    """Lock the wallet here and wherever else it is unlocked."""
    wallet = holder()
    if peek() is not None:
        wallet.accounts.lock(vault())
    locked()
    return json_answer({"unlocked": False}) if wants_json() else redirect("/?locked=1", 303)


@pages.get("/account")
def account() -> ResponseReturnValue:
    """The wallet itself: change its passphrase, or delete it."""
    vault()
    return _account()


@pages.post("/account/passphrase")
def change_passphrase() -> ResponseReturnValue:
    """Change the passphrase; every other place where the wallet is open is locked."""
    wallet, opened = holder(), vault()
    try:
        changed = wallet.accounts.change_passphrase(opened, sent("passphrase"), sent("new"), now=wallet.now())
    except Refused as error:
        if wants_json():
            raise
        return _account({"new" if error.code.startswith("passphrase.") else "current": error.detail}, error)
    unlocked(changed)
    return json_answer({"changed": True}) if wants_json() else redirect("/account?changed=1", 303)


@pages.post("/account/delete")
def delete() -> ResponseReturnValue:
    """Delete the wallet with everything in it."""
    wallet, opened = holder(), vault()
    try:
        wallet.accounts.remove(opened, sent("passphrase"), now=wallet.now())
    except Refused as error:
        if wants_json():
            raise
        return _account({"delete": error.detail}, error)
    locked()
    return json_answer({"deleted": True}) if wants_json() else redirect("/?deleted=1", 303)


def _account(errors: dict[str, str] | None = None, error: SsiError | None = None) -> Response:
    data = {"min_length": MIN_LENGTH}
    return answer("holder/account.html", data, status=_status(error), page={"errors": errors or {}})


def _status(error: SsiError | None) -> int:
    return 200 if error is None else 429 if isinstance(error, Throttled) else 403


def _signup(errors: dict[str, str], *, name: str = "", target: str = "", status: int = 200) -> Response:
    goal = target or local(request.args.get("next", "/cards"))
    data = {"min_length": MIN_LENGTH, "max_name": MAX_NAME}
    return answer("holder/signup.html", data, status=status, page={"errors": errors, "name": name, "next": goal})


def _unlock(error: SsiError | None, *, target: str, name: str = "") -> Response:
    page = {"error": error.detail if error else "", "name": name, "next": target}
    response = answer("holder/unlock.html", {"unlocked": False}, status=_status(error), page=page)
    if isinstance(error, Throttled):
        response.headers["Retry-After"] = str(error.wait)
    return response
